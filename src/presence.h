/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who was heard when, and polls that are held. The engine knows what a client is to do;
 * this room knows what its latest poll was told, whether it fetched its exit, and since
 * when it is silent. Loop thread only.
 */
#ifndef TL_PRESENCE_H
#define TL_PRESENCE_H

#include "engine.h"

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct http_exchange;
struct presence;

struct presence_settings {
    int64_t idle_client_ms;   /* a waiting client is forgotten after this much silence */
    int64_t active_client_ms; /* a playing one ends its case after this much */
};

/* Make it. `lost` is called from the loop for each client that was silent for too long,
 * with the reason in a sentence; the client is forgotten here before. Borrows base and
 * context; the engine is set later, by presence_set_engine(), before anybody is heard. */
struct presence *presence_new(
    struct event_base *base, const struct presence_settings *settings,
    void (*lost)(void *context, const char *client, const char *reason), void *context);
void presence_free(struct presence *presence);

/* From now on with this patience. */
void presence_configure(struct presence *presence,
                        const struct presence_settings *settings);
void presence_set_engine(struct presence *presence, const struct engine *engine);

/* The client registered, reported or said that it is broken. */
void presence_heard(struct presence *presence, const char *client);

/* The client polls: answer it now or when there is something to say, after wait_ms at the
 * latest. `named`: the client itself said how long it would wait. Takes the exchange. */
void presence_poll(struct presence *presence, const char *client,
                   struct http_exchange *exchange, int64_t wait_ms, bool named);

/* Give the client what a poll would be told now, by other means than a poll: it was heard,
 * and has fetched what it was given. */
struct poll presence_show(struct presence *presence, const char *client);

/* What the client is to be told has changed: answer the poll that it holds, if any; in
 * one of the next turns of the loop where very many are to be answered. */
void presence_wake(struct presence *presence, const char *client);

/* Another process knew this client: what it has polled for, and when, nobody knows. */
void presence_restore(struct presence *presence, const char *client);

/* Answer all held polls with idle, so that they are asked again; also those to come.
 * Those that are held now hear of it in the next turns of the loop: see
 * presence_held(). */
void presence_release(struct presence *presence);

/* The delivery that the client's latest poll was given; "" if none. Of one that has not
 * polled since presence_restore() it is the outstanding one. Borrowed until the next
 * input. */
const char *presence_delivery(const struct presence *presence, const char *client);

/* Wall time of the client's latest poll, 0 if it never polled. */
int64_t presence_last_polled(const struct presence *presence, const char *client);

/* Whether every client was told to exit. */
bool presence_all_left(const struct presence *presence);

/* How many polls are held. */
size_t presence_held(const struct presence *presence);

#endif
