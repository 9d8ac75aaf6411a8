/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients that poll again and again, and are answered at once: each has an action
 * outstanding. They name a wait, so that the server does not slow them down. What is
 * noted is how long each poll takes.
 */
#ifndef TL_BENCH_POLLERS_H
#define TL_BENCH_POLLERS_H

#include "load.h"
#include "players.h"
#include "server.h"

#include <stddef.h>

/* A test for them, as text of C: a case for one client of type red, that never ends. */
#define POLLERS_TEST                                                                     \
    "{\"name\":\"Poll\",\"clients\":{\"red\":[\"red\"]}," PLAYER_DICTIONARY              \
    ",\"initial\":\"only\",\"states\":{\"only\":{\"actions\":{\"red\":"                  \
    "{\"action\":\"pass\",\"responses\":{\"passed\":\"complete\"}}}}}}"

struct pollers;

/* Connect `count` clients, each over a link of its own, have them registered and let them
 * begin; and `others` links more, which come behind theirs and whose answers `answered`
 * hears of. NULL and a cause, if one does not get an action. Borrows the server and
 * `context`; returns owned. */
struct pollers *pollers_new(const struct server *server, size_t count, size_t others,
                            load_answered_cb *answered, void *context, char **cause);

/* The same for a single client, which was registered before and has its action, and polls
 * at most every so often. */
struct pollers *pollers_new_slow(const struct server *server, const struct player *player,
                                 int64_t period_ns, size_t others,
                                 load_answered_cb *answered, void *context, char **cause);

/* NULL is fine. */
void pollers_free(struct pollers *pollers);

/* Their links. Borrowed. */
struct load *pollers_load(const struct pollers *pollers);

/* One of them. Borrowed. */
const struct player *pollers_player(const struct pollers *pollers, size_t number);

/* What the latest first poll was given. Borrowed. */
const char *pollers_answer(const struct pollers *pollers);

#endif
