/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether good clients notice bad ones: 64 poll beside as many connections as descriptors
 * allow that say nothing, that say one byte a second, that have polls held and do not read
 * their answers; and beside some that come and go as fast as they can. The yardstick is
 * the same server, left alone; so it is for memory.
 */
#include "compare.h"
#include "crowd.h"
#include "daemons.h"
#include "pests.h"
#include "pollers.h"
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>

#define CLIENTS 64
#define MOST    50000 /* bad connections, where there are as many descriptors */
#define ROUNDS  3     /* at most, for each kind */
#define TICK_NS 1000000
#define STAYING 0.9 /* share of the bad ones that must still be there at the end */
#define COMING  0.5 /* share of those that were to come and go: the load may be busy */

static const char *const deaf_types[] = {"deaf"};

/* A server, and who is there. */
struct place {
    struct server *server;   /* owned */
    struct pollers *pollers; /* owned */
};

static int begin_place(const struct bench *bench, const char *name, struct place *place,
                       char **cause)
{
    struct daemon_setup setup = {
        .name = name, .definition = POLLERS_TEST, .cases = CLIENTS};

    place->server = daemons_start(bench, &setup, cause);
    if (place->server != NULL)
        place->pollers = pollers_new(place->server, CLIENTS, 0, NULL, NULL, cause);
    return place->pollers != NULL ? 0 : -1;
}

static void end_place(struct place *place)
{
    pollers_free(place->pollers);
    server_kill(place->server);
}

static int measure(struct side *side, double seconds, double sample[METRICS],
                   char **cause)
{
    int result = compare_load(side, seconds, sample, cause);

    sample[METRIC_MEMORY] = server_memory(side->server);
    return result;
}

static void tell(struct table *table, enum pest_kind kind, size_t count,
                 const struct side *sides)
{
    static const char *const who[PEST_KINDS] = {
        [PEST_SILENT] = "silent connections",
        [PEST_SLOW] = "slow ones",
        [PEST_HASTY] = "that come and go",
        [PEST_DEAF] = "that do not read",
    };
    char what[64];

    snprintf(what, sizeof what, "polls beside %zu%s %s", count,
             kind == PEST_HASTY ? "/s" : "", who[kind]);
    table_compare(table, what, METRIC_P99, &sides[0], &sides[1], NO_GOAL);
    table_compare(table, what, METRIC_RATE, &sides[0], &sides[1], NO_GOAL);
    table_compare(table, what, METRIC_MEMORY, &sides[0], &sides[1], NO_GOAL);
}

/* Compare while they are there, and see to it that they were. */
static int compare(struct bench *bench, enum pest_kind kind, struct pests *pests,
                   size_t count, const struct place *bad, const struct place *good,
                   char **cause)
{
    struct side *sides = xcalloc(2, sizeof *sides);
    int result;

    load_every(pollers_load(bad->pollers), TICK_NS, pests_tick, pests);
    side_begin(&sides[0], "among bad ones", pollers_load(bad->pollers), bad->server);
    side_begin(&sides[1], "alone", pollers_load(good->pollers), good->server);
    sides[0].measure = sides[1].measure = measure;
    result = compare_few(bench, ROUNDS, sides, 2, cause);
    double wanted = (double)count * STAYING, there = (double)pests_count(pests);
    if (kind == PEST_HASTY)
        wanted = (double)count * COMING * sides[0].rounds * bench->seconds;
    if (result == 0 && there < wanted) {
        cause_set(cause, "of the bad connections there were only %.0f", there);
        result = -1;
    }
    if (result == 0)
        tell(bench->table, kind, count, sides);
    free(sides);
    return result;
}

/* One kind of bad ones: they get a server that nobody used before. */
static int run_kind(struct bench *bench, enum pest_kind kind, const struct place *good,
                    char **cause)
{
    struct place bad = {0};
    struct pests *pests = NULL;
    size_t count = kind == PEST_HASTY ? PESTS_HASTY : crowd_limit(MOST) - 2 * CLIENTS;
    struct player *players = xcalloc(count, sizeof *players);
    int result = begin_place(bench, "bad", &bad, cause);

    if (result == 0 && kind == PEST_DEAF)
        result = crowd_register(bad.server, players, count, deaf_types, 1, 0, cause);
    if (result == 0)
        pests = pests_new(bad.server, kind, count, players, cause);
    if (pests != NULL)
        result = compare(bench, kind, pests, count, &bad, good, cause);
    else
        result = -1;
    pests_free(pests);
    end_place(&bad);
    free(players);
    return result;
}

int row_bad(struct bench *bench, char **cause)
{
    struct place good = {0};
    int result = begin_place(bench, "good", &good, cause);

    for (int kind = 0; kind < PEST_KINDS && result == 0; kind++)
        result = run_kind(bench, (enum pest_kind)kind, &good, cause);
    end_place(&good);
    return result;
}
