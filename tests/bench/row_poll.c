/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Polls that are answered at once: every client has an action outstanding and polls for
 * it again and again. They name a wait, so that the server does not slow them down.
 */
#include "compare.h"
#include "daemons.h"
#include "pollers.h"
#include "xalloc.h"

#include <stdlib.h>

#define CLIENTS 64 /* and as many connections */

/* Whom they are compared with; the first is ours. */
enum { OURS, PLAIN, CHANGELIST, NGINX, SIDES };
static const char *const names[SIDES] = {"trafficlightd", "bare evhttp",
                                         "bare evhttp with a changelist", "nginx"};

/* The server of a side that is not ours, which gives that answer. */
static struct server *start_other(const struct bench *bench, size_t which,
                                  const char *answer, char **cause)
{
    if (which == NGINX)
        return daemons_start_nginx(bench, answer, cause);
    return daemons_start_bare(bench, answer, which == CHANGELIST ? "--changelist" : NULL,
                              cause);
}

static void tell(struct table *table, const struct side *sides, size_t count)
{
    static const int told[] = {METRIC_RATE, METRIC_CPU, METRIC_MEDIAN, METRIC_P99};
    struct goal as_many = {GOAL_RATIO_AT_LEAST, 1};

    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        table_compare(table, "polls, 64 clients", told[i], &sides[OURS], &sides[PLAIN],
                      told[i] == METRIC_RATE ? as_many : NO_GOAL);
    table_compare(table, "polls against a changelist", METRIC_RATE, &sides[OURS],
                  &sides[CHANGELIST], NO_GOAL);
    if (count <= NGINX) {
        table_skip(table, "polls against nginx", "there is no nginx here");
        return;
    }
    table_compare(table, "polls against nginx", METRIC_RATE, &sides[OURS], &sides[NGINX],
                  NO_GOAL);
    table_compare(table, "polls against nginx", METRIC_CPU, &sides[OURS], &sides[NGINX],
                  NO_GOAL);
}

int row_poll(struct bench *bench, char **cause)
{
    struct daemon_setup setup = {
        .name = "poll", .definition = POLLERS_TEST, .cases = CLIENTS};
    struct server *servers[SIDES] = {NULL};
    struct pollers *all[SIDES] = {NULL};
    struct side *sides = xcalloc(SIDES, sizeof *sides);
    size_t count = daemons_have_nginx(bench) ? SIDES : NGINX;
    int result = -1;

    for (size_t i = 0; i < count; i++) {
        servers[i] = i == OURS ? daemons_start(bench, &setup, cause)
                               : start_other(bench, i, pollers_answer(all[OURS]), cause);
        if (servers[i] != NULL)
            all[i] = pollers_new(servers[i], CLIENTS, 0, NULL, NULL, cause);
        if (all[i] == NULL)
            goto out;
        side_begin(&sides[i], names[i], pollers_load(all[i]), servers[i]);
    }
    result = compare_sides(bench, sides, count, cause);
    if (result == 0)
        tell(bench->table, sides, count);
out:
    for (size_t i = 0; i < count; i++) {
        pollers_free(all[i]);
        server_stop(servers[i]);
    }
    free(sides);
    return result;
}
