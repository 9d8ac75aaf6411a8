/* SPDX-License-Identifier: Apache-2.0 */
/* Many clients at once: a row that needs thousands of them has them registered here. */
#ifndef TL_BENCH_CROWD_H
#define TL_BENCH_CROWD_H

#include "players.h"
#include "server.h"

/* Name the players after their types, which take turns, and numbers from `first` on, and
 * register them over a few connections that are closed afterwards. -1 and a cause, if one
 * is refused or it takes too long. */
int crowd_register(const struct server *server, struct player *players, size_t count,
                   const char *const *types, size_t type_count, size_t first,
                   char **cause);

/* Find out how many cases of the latest run are "waiting", "running", … there. -1 and a
 * cause if they are not so many: then the row does not measure what it says. */
int crowd_expect_cases(const struct server *server, const char *state, size_t count,
                       char **cause);

/* Wait until the server says that it is well; gives how long that took from its start, in
 * milliseconds. -1 and a cause. */
int crowd_wait_healthy(const struct server *server, double *took, char **cause);

/* Connections that one process may still have to the server, of at most `wanted`: as many
 * as descriptors allow here and there, but for a few that other rooms need. */
size_t crowd_limit(size_t wanted);

#endif
