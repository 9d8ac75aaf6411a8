/* SPDX-License-Identifier: Apache-2.0 */
/* Clients of the server, as far as the load needs them: what they say and have heard. */
#ifndef TL_BENCH_PLAYERS_H
#define TL_BENCH_PLAYERS_H

#include "load.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAYER_ID 64 /* bytes of an id with its NUL */

/* The action that players are given, and the one response that goes on. */
#define PLAYER_ACTION   "pass"
#define PLAYER_RESPONSE "passed"

/* "actions" of a definition whose players have the types red and green. */
#define PLAYER_DICTIONARY                                                                \
    "\"actions\":{\"" PLAYER_ACTION "\":{\"description\":\"Goes on.\","                  \
    "\"responses\":[\"" PLAYER_RESPONSE "\"],\"types\":[\"red\",\"green\"]}}"

struct player {
    char id[PLAYER_ID];       /* its own */
    char delivery[PLAYER_ID]; /* of the action that its latest poll gave; "" if none */
};

/* Name it. */
void player_name(struct player *player, const char *type, size_t number);

/* Send its registration. */
void player_send_register(const struct player *player, const char *type,
                          struct load *load, size_t link);

/* Name it and register it over this link. -1 and a cause. */
int player_register(struct player *player, const char *type, size_t number,
                    struct load *load, size_t link, char **cause);

/* Poll for the first action; a server that has none within seconds is a cause. Gives the
 * answer's body, owned; or NULL. */
char *player_await(struct player *player, struct load *load, size_t link, char **cause);

/* Send a poll that waits for so many seconds, or a report of its delivery. */
void player_send_poll(const struct player *player, int wait, struct load *load,
                      size_t link);
void player_send_report(const struct player *player, struct load *load, size_t link);

/* Send that it can't go on, through no fault of its own: its case has failed. */
void player_send_error(const struct player *player, struct load *load, size_t link);

/* Take a poll's answer. False: it holds no action. */
bool player_take(struct player *player, const struct load_answer *answer);

#endif
