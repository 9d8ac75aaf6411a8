/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a look at the status costs those who play: 10,000 cases, 20,000 clients, and one
 * connection that fetches /status and /status.json again and again. 64 clients poll as
 * fast as they can, with that and without it; then a single one does every millisecond,
 * whose longest wait shows for how long the server did nothing else.
 */
#include "compare.h"
#include "crowd.h"
#include "daemons.h"
#include "folder.h"
#include "pollers.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define POLLERS   64
#define CASES     10000
#define CLIENTS   20000
#define REPEAT    100     /* of each case: 1 and 9 * 11 of these are 10,000 */
#define PERIOD_NS 1000000 /* between the polls of the single one */
#define DRAIN     30      /* seconds for a page that is under way */

/* Cases that wait: of the first role's types there are clients, not of the second's. */
static const char waiting[] =
    "{\"name\":\"Wait\",\"clients\":{"
    "\"one\":[\"p0\",\"p1\",\"p2\",\"p3\",\"p4\",\"p5\",\"p6\",\"p7\",\"p8\"],"
    "\"two\":[\"q0\",\"q1\",\"q2\",\"q3\",\"q4\",\"q5\",\"q6\",\"q7\",\"q8\",\"q9\","
    "\"qa\"]}," PLAYER_DICTIONARY ",\"initial\":\"only\",\"states\":{\"only\":{"
    "\"actions\":{\"one\":{\"action\":\"pass\",\"responses\":{\"passed\":\"complete\"}}"
    "}}}}";
static const char *const types[] = {"p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8"};

static const char *const pages[] = {
    "GET /status HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\n\r\n",
    "GET /status.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
};

/* Pollers, and somebody who looks. */
struct lookers {
    struct pollers *pollers; /* owned */
    size_t link;             /* of who looks */
    bool looks;              /* and goes on doing so */
    bool under_way;          /* a page was asked for, and is not there */
    size_t pages;            /* that were seen so far */
};

static void look(struct lookers *lookers)
{
    const char *page = pages[lookers->pages % 2];

    lookers->under_way = true;
    load_send(pollers_load(lookers->pollers), lookers->link, page, strlen(page));
}

static void page_cb(void *context, size_t link, const struct load_answer *answer)
{
    struct lookers *lookers = context;

    (void)link;
    lookers->under_way = false;
    if (answer->status != 200 || answer->size < CASES)
        load_fail(pollers_load(lookers->pollers), "a status was answered %d, %zu bytes",
                  answer->status, answer->size);
    lookers->pages++;
    if (lookers->looks)
        look(lookers);
    else
        load_stop(pollers_load(lookers->pollers));
}

static int measure(struct lookers *lookers, bool looks, struct side *side, double seconds,
                   double sample[METRICS], char **cause)
{
    struct load *load = pollers_load(lookers->pollers);

    lookers->looks = looks;
    if (!looks && lookers->under_way && load_run(load, DRAIN, cause) < 0)
        return -1;
    if (looks && !lookers->under_way)
        look(lookers);
    return compare_load(side, seconds, sample, cause);
}

static int measure_looking(struct side *side, double seconds, double sample[METRICS],
                           char **cause)
{
    return measure(side->context, true, side, seconds, sample, cause);
}

static int measure_alone(struct side *side, double seconds, double sample[METRICS],
                         char **cause)
{
    return measure(side->context, false, side, seconds, sample, cause);
}

/* Two sides: with the one who looks, and without. */
static void begin_sides(struct side *sides, struct lookers *lookers,
                        struct server *server)
{
    for (int i = 0; i < 2; i++) {
        side_begin(&sides[i], i == 0 ? "while the status is fetched" : "alone",
                   pollers_load(lookers->pollers), server);
        sides[i].measure = i == 0 ? measure_looking : measure_alone;
        sides[i].context = lookers;
    }
}

static struct server *start(const struct bench *bench, char **cause)
{
    char *tests = folder_make(bench->folder, "status-tests");
    struct daemon_setup setup = {.name = "status", .tests = tests, .cases = REPEAT};
    struct server *server = NULL;

    if (folder_write(tests, "poll_test.json", POLLERS_TEST, cause) == 0 &&
        folder_write(tests, "wait_test.json", waiting, cause) == 0)
        server = daemons_start(bench, &setup, cause);
    free(tests);
    return server;
}

static int fill(const struct server *server, char **cause)
{
    size_t count = CLIENTS - POLLERS;
    struct player *players = xcalloc(count, sizeof *players);
    int result = crowd_register(server, players, count, types,
                                sizeof types / sizeof *types, 0, cause);

    free(players);
    return result == 0 ? crowd_expect_cases(server, "cases", CASES, cause) : -1;
}

static int tell(struct table *table, const struct side *sides,
                const struct lookers *lookers, char **cause)
{
    struct goal twice = {GOAL_RATIO_AT_MOST, 2}, soon = {GOAL_AT_MOST, 10000};

    if (lookers[0].pages == 0 || lookers[1].pages == 0) {
        cause_set(cause, "no status was seen in all the time");
        return -1;
    }
    table_compare(table, "polls beside /status", METRIC_P99, &sides[0], &sides[1], twice);
    table_compare(table, "polls beside /status", METRIC_RATE, &sides[0], &sides[1],
                  NO_GOAL);
    table_compare(table, "one poller beside /status", METRIC_MOST, &sides[2], &sides[3],
                  soon);
    return 0;
}

int row_status(struct bench *bench, char **cause)
{
    struct lookers lookers[2] = {{.link = POLLERS}, {.link = 1}};
    struct side *sides = xcalloc(4, sizeof *sides);
    struct server *server = start(bench, cause);
    int result = -1;

    if (server == NULL)
        goto out;
    lookers[0].pollers = pollers_new(server, POLLERS, 1, page_cb, &lookers[0], cause);
    if (lookers[0].pollers == NULL || fill(server, cause) < 0)
        goto out;
    lookers[1].pollers = pollers_new_slow(server, pollers_player(lookers[0].pollers, 0),
                                          PERIOD_NS, 1, page_cb, &lookers[1], cause);
    if (lookers[1].pollers == NULL)
        goto out;
    begin_sides(&sides[0], &lookers[0], server);
    begin_sides(&sides[2], &lookers[1], server);
    result = compare_sides(bench, sides, 4, cause);
    if (result == 0)
        result = tell(bench->table, sides, lookers, cause);
out:
    pollers_free(lookers[0].pollers);
    pollers_free(lookers[1].pollers);
    server_kill(server);
    free(sides);
    return result;
}
