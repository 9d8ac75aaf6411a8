/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who follows what changes (GET /status/events): each subscriber is a streamed answer
 * that gets the messages of src/changes.h. A message is made once for all of them, and
 * sent to some of them in each turn of the loop. A subscriber that does not read gets
 * none until it does; then those that are kept, or the word that it has missed some. Loop
 * thread only.
 */
#ifndef TL_EVENTS_H
#define TL_EVENTS_H

#include "engine.h"

#include <stddef.h>
#include <stdint.h>

struct event_base;
struct events;
struct http_exchange;

struct events_settings {
    size_t subscribers;   /* at once; who comes beyond hears 503 */
    int64_t gather_ms;    /* at least so long changes gather for one message */
    int64_t heartbeat_ms; /* a subscriber hears at least this often that all is well */
};

/* Make it. Borrows base and engine. */
struct events *events_new(struct event_base *base, const struct engine *engine,
                          const struct events_settings *settings);
/* After the HTTP server, which has dropped the streams. NULL is fine. */
void events_free(struct events *events);

/* From now on with these settings; who is there stays. */
void events_configure(struct events *events, const struct events_settings *settings);

/* This thing has changed: subscribers hear of it in a moment. */
void events_note(struct events *events, enum engine_thing thing, const char *id);

/* Answer with the stream, from where the request's Last-Event-ID says, or with a reset;
 * or with 503. */
void events_subscribe(struct events *events, struct http_exchange *exchange);

/* How many subscribers there are. */
size_t events_subscribers(const struct events *events);

/* End all streams, and begin no other. */
void events_close(struct events *events);

#endif
