/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has changed of late, as the messages of an event stream (text/event-stream): many
 * changes become one message, the latest messages are kept for who comes back for them.
 * All of it is bounded, whatever changes. Loop thread only.
 *
 *   id: 19ab3c-17
 *   event: change
 *   data: {"runs":[{"id","state"}],"cases":[{"id","run","state"}],
 *          "clients":[{"id","state"}],"more":false,"pace":1000}
 *
 * `more`: other things have changed, too. `pace`: who fetches a page for each message
 * should leave so many milliseconds between two.
 */
#ifndef TL_CHANGES_H
#define TL_CHANGES_H

#include "engine.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct changes;

/* A message, ready to be sent. */
struct changes_message {
    char *text;  /* with the empty line that ends it; owned by the changes */
    size_t size; /* bytes of text */
};

/* Make it. Borrows the engine. `epoch` is part of all ids: those of another process are
 * not taken for ours. */
struct changes *changes_new(const struct engine *engine, int64_t epoch);
/* NULL is fine. */
void changes_free(struct changes *changes);

/* This thing has changed; the next message says how it stands then. */
void changes_note(struct changes *changes, enum engine_thing thing, const char *id);

/* Make a message of all that was noted; gives false if there was nothing. */
bool changes_gather(struct changes *changes, int64_t pace_ms);

/* The number of the latest message; 0: there was none yet. */
uint64_t changes_latest(const struct changes *changes);

/* The message of this number; NULL if it is kept no more. Borrowed until the next
 * changes_gather(). */
const struct changes_message *changes_get(const struct changes *changes, uint64_t number);

/* The message that says: so much was missed that all is to be fetched anew. Owned by the
 * caller. */
char *changes_reset(const struct changes *changes, int64_t pace_ms, size_t *size);

/* Where to go on for who has heard all up to the message of this id: the number of the
 * next one. False if that can't be done without a gap; NULL is no id. */
bool changes_find(const struct changes *changes, const char *id, uint64_t *next);

#endif
