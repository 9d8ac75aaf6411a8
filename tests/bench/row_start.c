/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a start takes, from exec until /healthz is answered: with 2,000 definitions,
 * which are the shipped ones again and again, and with none.
 */
#include "compare.h"
#include "crowd.h"
#include "daemons.h"
#include "folder.h"
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>

#define DEFINITIONS 2000
#define GOAL_MS     1000

/* What is there to be read. */
struct shelf {
    const struct bench *bench; /* borrowed */
    char *tests;               /* path of the definitions; owned */
    size_t count;              /* how many there are */
};

/* Fill it with copies of the shipped tests, whose folders have other names each time. */
static int fill(struct shelf *shelf, char **cause)
{
    char suffix[32];

    while (shelf->count < DEFINITIONS) {
        size_t before = shelf->count;
        snprintf(suffix, sizeof suffix, "%zu", before);
        if (folder_copy(shelf->bench->suites, shelf->tests, suffix, "_test.json",
                        &shelf->count, cause) < 0)
            return -1;
        if (shelf->count == before) {
            cause_set(cause, "there are no tests in %s", shelf->bench->suites);
            return -1;
        }
    }
    return 0;
}

static int measure(struct side *side, double seconds, double sample[METRICS],
                   char **cause)
{
    const struct shelf *shelf = side->context;
    struct daemon_setup setup = {
        .name = "start",
        .tests = shelf->tests,
        .lenient = shelf->count == 0,
        .more = "[server-type synapse]\nimages = complement-synapse\n"};
    struct server *server = daemons_start(shelf->bench, &setup, cause);
    int result = -1;

    (void)seconds;
    if (server != NULL)
        result = crowd_wait_healthy(server, &sample[METRIC_TOOK], cause);
    server_kill(server);
    return result;
}

int row_start(struct bench *bench, char **cause)
{
    struct shelf shelves[2] = {
        {.bench = bench, .tests = folder_make(bench->folder, "start-many")},
        {.bench = bench, .tests = folder_make(bench->folder, "start-none")}};
    struct side *sides = xcalloc(2, sizeof *sides);
    struct goal soon = {GOAL_AT_MOST, GOAL_MS};
    char what[64];
    int result = fill(&shelves[0], cause);

    side_begin(&sides[0], "many definitions", NULL, NULL);
    side_begin(&sides[1], "no definition", NULL, NULL);
    for (size_t i = 0; i < 2; i++) {
        sides[i].measure = measure;
        sides[i].context = &shelves[i];
    }
    if (result == 0)
        result = compare_few(bench, bench->rounds, sides, 2, cause);
    snprintf(what, sizeof what, "start with %zu definitions", shelves[0].count);
    if (result == 0)
        table_compare(bench->table, what, METRIC_TOOK, &sides[0], &sides[1], soon);
    free(shelves[0].tests);
    free(shelves[1].tests);
    free(sides);
    return result;
}
