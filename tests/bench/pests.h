/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections that do a server no good, as many as one likes. They are no part of a load:
 * nothing that comes is read, and what goes wrong with one of them is its own affair.
 */
#ifndef TL_BENCH_PESTS_H
#define TL_BENCH_PESTS_H

#include "players.h"
#include "server.h"

#include <stddef.h>

enum pest_kind {
    PEST_SILENT, /* says nothing */
    PEST_SLOW,   /* says one byte of a request in a second */
    PEST_HASTY,  /* connects and goes again; PESTS_HASTY of them in a second */
    PEST_DEAF,   /* has polls held, of whose answers it reads nothing */
    PEST_KINDS
};

#define PESTS_HASTY 2000

struct pests;

/* Connect `count` of them; the deaf ones poll as these players, who are registered
 * (borrowed; others need none), once in PESTS_POLL_S seconds. NULL and a cause, if a
 * connection is refused. Returns owned. */
#define PESTS_POLL_S 5
struct pests *pests_new(const struct server *server, enum pest_kind kind, size_t count,
                        const struct player *players, char **cause);
void pests_free(struct pests *pests);

/* Do what they do in a millisecond. */
void pests_tick(void *pests);

/* How many the server has not ended; of the hasty ones: how many came and went. */
size_t pests_count(const struct pests *pests);

#endif
