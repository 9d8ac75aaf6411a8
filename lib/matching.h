/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is free, and which case can start. Free clients stand in line by client type and
 * are counted; so is what each waiting case needs of each type. A case is looked at only
 * when there are enough of each for it: one that can start, but for cases that a client
 * of several types lets hope in vain. What a client or a case costs does not grow with
 * how many of either wait, but for a bit of each case. One thread at a time.
 */
#ifndef TL_MATCHING_H
#define TL_MATCHING_H

#include "model.h"

/* Borrows settings for its life. */
struct matching *matching_new(const struct settings *settings);
void matching_free(struct matching *matching);

/* Stand a waiting case in line, in the order of the files. `types`: client type of each
 * role. `deploys`: it needs a free homerunner deployment before it may take clients. */
void matching_add_case(struct matching *matching, struct testcase *testcase,
                       const char *const *types, size_t role_count, bool deploys);

/* Take a case that still waits out of its line: it will not start. */
void matching_remove_case(struct matching *matching, struct testcase *testcase);

/* Stand a free client in line, under every client type that its registration matches; and
 * take it out again. */
void matching_add_client(struct matching *matching, struct client *client);
void matching_remove_client(struct matching *matching, struct client *client);

/* A client plays already: it counts as busy under these types, and stands in no line. */
void matching_seat_client(struct matching *matching, struct client *client);

/* Forget what a client counts as: its lines are no more. */
void matching_drop_client(struct client *client);

/* Count a client that plays under its client types, or one that does so no more. */
void matching_count_busy(const struct client *client, int change);

/* Take the first case, in the order of the files, that can start: its players (an array
 * by role, owned by the caller) and itself are out of the lines. `deployment_free`: cases
 * that need one may start. NULL if no case can start now. */
struct testcase *matching_next(struct matching *matching, bool deployment_free,
                               struct client ***players);

/* Look again at cases that waited for a deployment: one is free. */
void matching_deployment_freed(struct matching *matching);

/* Why a waiting case has not started, in a sentence, owned by the caller; and whether that
 * is since there is no client at all for one of its roles (may be NULL). */
char *matching_reason(const struct matching *matching, const struct testcase *testcase,
                      bool *lacks_clients);

/* How many clients stand in line under this client type. */
size_t matching_free_of(const struct matching *matching, const char *type);

/* How often the roles of a case have been tried on free clients since it was made: what
 * starting one costs, to see that it does not grow. */
size_t matching_trials(const struct matching *matching);

#endif
