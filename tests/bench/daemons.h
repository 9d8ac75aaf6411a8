/* SPDX-License-Identifier: Apache-2.0 */
/* The servers that rows measure: ours, configured for the row, and the bare one. */
#ifndef TL_BENCH_DAEMONS_H
#define TL_BENCH_DAEMONS_H

#include "bench.h"
#include "server.h"

#include <stdbool.h>
#include <stddef.h>

/* What ours is to do. All is borrowed. */
struct daemon_setup {
    const char *name;       /* of its folder, unique within a row */
    const char *definition; /* the text of its one test */
    size_t cases;           /* how often that is there */
    const char
        *durability; /* [server] durability; NULL: what the server does by itself */
};

/* Whether this build of ours takes such a configuration. */
bool daemons_know(const struct bench *bench, const struct daemon_setup *setup);

/* Start ours. Nobody times out in it, however long a round takes. NULL and a cause if it
 * did not start. Returns owned: server_stop(). */
struct server *daemons_start(const struct bench *bench, const struct daemon_setup *setup,
                             char **cause);

/* Start the bare one; a request without a body gets `answer`. Likewise. */
struct server *daemons_start_bare(const struct bench *bench, const char *answer,
                                  char **cause);

#endif
