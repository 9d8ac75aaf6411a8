/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server takes of the memory that has just been started, with the shipped tests
 * for it to lead; beside the bare one, which knows nothing.
 */
#include "compare.h"
#include "daemons.h"

#include <stdlib.h>

#include "xalloc.h"

#define ROUNDS 3 /* at most: there is little that could differ */

static int measure(struct side *side, double sample[METRICS], struct server *server,
                   char **cause)
{
    int result = server != NULL ? server_rest(server, cause) : -1;

    (void)side;
    if (result == 0)
        sample[METRIC_MEMORY] = server_memory(server);
    server_stop(server);
    return result;
}

static int measure_ours(struct side *side, double seconds, double sample[METRICS],
                        char **cause)
{
    const struct bench *bench = side->context;
    struct daemon_setup setup = {
        .name = "idle",
        .tests = bench->suites,
        .more = "[server-type synapse]\nimages = complement-synapse\n"};

    (void)seconds;
    return measure(side, sample, daemons_start(bench, &setup, cause), cause);
}

static int measure_bare(struct side *side, double seconds, double sample[METRICS],
                        char **cause)
{
    (void)seconds;
    return measure(side, sample, daemons_start_bare(side->context, "{}", NULL, cause),
                   cause);
}

int row_idle(struct bench *bench, char **cause)
{
    struct side *sides = xcalloc(2, sizeof *sides);
    struct goal small = {GOAL_AT_MOST, 6144};
    int result;

    side_begin(&sides[0], "trafficlightd", NULL, NULL);
    side_begin(&sides[1], "bare evhttp", NULL, NULL);
    sides[0].measure = measure_ours;
    sides[1].measure = measure_bare;
    sides[0].context = sides[1].context = bench;
    result = compare_few(bench, ROUNDS, sides, 2, cause);
    if (result == 0)
        table_compare(bench->table, "just started", METRIC_MEMORY, &sides[0], &sides[1],
                      small);
    free(sides);
    return result;
}
