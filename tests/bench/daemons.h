/* SPDX-License-Identifier: Apache-2.0 */
/* The servers that rows measure: ours, configured for the row, and those beside it. */
#ifndef TL_BENCH_DAEMONS_H
#define TL_BENCH_DAEMONS_H

#include "bench.h"
#include "server.h"

#include <stdbool.h>
#include <stddef.h>

/* What ours is to do. All is borrowed. */
struct daemon_setup {
    const char *name;       /* of its folder, unique among servers that run */
    const char *definition; /* the text of its one test; NULL: see tests */
    const char *tests;      /* path of definitions that are there already */
    size_t cases;           /* how often each case is there; 0: once */
    const char *durability; /* [server] durability; NULL: what it does by itself */
    bool lenient;           /* there may be mistakes: no definition at all is one */
    const char *more;       /* further lines of [tests], then other sections; or NULL */
};

/* Whether this build of ours takes such a configuration. */
bool daemons_know(const struct bench *bench, const struct daemon_setup *setup);

/* Start ours, with nothing in its state-dir. Nobody times out in it, however long a round
 * takes. NULL and a cause if it did not start. Returns owned: server_stop(). */
struct server *daemons_start(const struct bench *bench, const struct daemon_setup *setup,
                             char **cause);

/* Start the one of that name once more, with all that is in its state-dir; after
 * server_stop(). Likewise. */
struct server *daemons_restart(const struct bench *bench, const char *name, char **cause);

/* The state-dir of the one of that name. Owned. */
char *daemons_state(const struct bench *bench, const char *name);

/* Start the bare one; a request without a body gets `answer`. `option`: what is
 * different about it (see bare.c), or NULL. Likewise. */
struct server *daemons_start_bare(const struct bench *bench, const char *answer,
                                  const char *option, char **cause);

/* Whether there is an nginx; and start it, to give everybody that answer. Likewise. */
bool daemons_have_nginx(const struct bench *bench);
struct server *daemons_start_nginx(const struct bench *bench, const char *answer,
                                   char **cause);

#endif
