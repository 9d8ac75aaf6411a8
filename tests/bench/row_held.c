/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Held polls, as many as descriptors allow: what each takes of the server's memory, and
 * how long it takes until all are answered when there is something to say.
 *
 * Ours: clients are registered, and no case is there for them. Their run waits for the end
 * of another one, that of a single case. Its client's report ends that run, the next one
 * begins, every client gets a case of its own, and every held poll an action: all in
 * consequence of one request. The bare server keeps the same requests until somebody asks
 * it to answer them all, and does nothing else.
 *
 * Memory is what comes with connections and polls: clients and cases are there before.
 * Each round has servers of its own, since memory that was used once stays.
 */
#include "compare.h"
#include "crowd.h"
#include "daemons.h"
#include "folder.h"
#include "players.h"
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST   50000 /* polls, where there are as many descriptors */
#define TYPES  5     /* of clients: a case can be there 10,000 times */
#define WAIT   3000  /* seconds that a poll waits: longer than all of this */
#define WITHIN 60    /* seconds until all must be answered */
#define ROUNDS 3     /* at most */

#define ACTIONS                                                                          \
    "\"actions\":{\"pass\":{\"description\":\"Goes on.\",\"responses\":[\"passed\"]}},"  \
    "\"initial\":\"only\",\"states\":{\"only\":{\"actions\":{\"red\":"                   \
    "{\"action\":\"pass\",\"responses\":{\"passed\":\"complete\"}}}}}}"

static const char gate[] = "{\"name\":\"Gate\",\"clients\":{\"red\":[\"gate\"]}," ACTIONS;
static const char crowd[] =
    "{\"name\":\"Crowd\",\"clients\":{\"red\":[\"t0\",\"t1\",\"t2\",\"t3\",\"t4\"]}," //
    ACTIONS;
static const char *const types[TYPES] = {"t0", "t1", "t2", "t3", "t4"};

static const char release[] = "GET /release HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

/* A server, and those who wait there. */
struct holders {
    const struct bench *bench;   /* borrowed */
    size_t count;                /* how many hold a poll */
    const char *tests;           /* folder of the definitions of ours; NULL: bare */
    char *answer;                /* what the first poll was given; owned */
    const struct holders *model; /* bare gives the answer that these got; NULL: ours */
    struct player *players;      /* one for each link; owned */
    struct server *server;       /* of this round; owned */
    struct load *load;           /* their links; owned */
    struct load *control;        /* the link of who lets them go; owned */
    struct player keeper;        /* the client of the first run's case */
    size_t answered;             /* polls of this round */
    int64_t first_ns;            /* when the first of them was, monotonic */
};

/* --- the round --- */

static void held_cb(void *context, size_t link, const struct load_answer *answer)
{
    struct holders *holders = context;

    if (holders->answered++ == 0)
        holders->first_ns = cpu_clock_ns();
    if (answer->status != 200 || !player_take(&holders->players[link], answer))
        load_fail(holders->load, "a held poll was given no action: %d %.200s",
                  answer->status, answer->body);
    else if (holders->answered == holders->count)
        load_stop(holders->load);
    if (holders->answer == NULL)
        holders->answer = xstrdup(answer->body);
}

static void control_cb(void *context, size_t link, const struct load_answer *answer)
{
    struct holders *holders = context;

    (void)link;
    if (answer->status != 200)
        load_fail(holders->control, "it was answered %d %.200s", answer->status,
                  answer->body);
    load_stop(holders->control);
}

/* Ask for a run of one of the tests, whose cases are there so often. */
static int ask_for_run(struct holders *holders, const char *test, size_t repeat,
                       char **cause)
{
    char body[64], request[256];
    struct load_answer answer;

    snprintf(body, sizeof body, "{\"only\":[\"*.%s\"],\"repeat\":%zu}", test, repeat);
    int size = snprintf(request, sizeof request,
                        "POST /runs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: "
                        "application/json\r\nContent-Length: %zu\r\n\r\n%s",
                        strlen(body), body);
    if (load_ask(holders->control, 0, request, (size_t)size, &answer, cause) < 0)
        return -1;
    if (answer.status == 201)
        return 0;
    cause_set(cause, "a run of %s was refused: %d %.200s", test, answer.status,
              answer.body);
    return -1;
}

/* Have the clients registered, the first run going and the second one waiting. */
static int prepare_ours(struct holders *holders, char **cause)
{
    struct daemon_setup setup = {
        .name = "held", .tests = holders->tests, .more = "autostart = no\n"};
    size_t cases = (holders->count + TYPES - 1) / TYPES;

    holders->server = daemons_start(holders->bench, &setup, cause);
    if (holders->server == NULL ||
        crowd_register(holders->server, holders->players, holders->count, types, TYPES, 0,
                       cause) < 0)
        return -1;
    holders->control =
        load_new(server_url(holders->server), 1, control_cb, holders, cause);
    if (holders->control == NULL || ask_for_run(holders, "Gate", 1, cause) < 0 ||
        player_register(&holders->keeper, "gate", 0, holders->control, 0, cause) < 0)
        return -1;
    char *action = player_await(&holders->keeper, holders->control, 0, cause);
    free(action);
    return action != NULL ? ask_for_run(holders, "Crowd", cases, cause) : -1;
}

static int prepare_bare(struct holders *holders, char **cause)
{
    holders->server =
        daemons_start_bare(holders->bench, holders->model->answer, "--hold", cause);
    if (holders->server != NULL)
        holders->control =
            load_new(server_url(holders->server), 1, control_cb, holders, cause);
    for (size_t i = 0; i < holders->count; i++)
        player_name(&holders->players[i], types[i % TYPES], i);
    return holders->control != NULL ? 0 : -1;
}

/* Send all polls, and wait until they are held. */
static int hold_all(struct holders *holders, double *memory, char **cause)
{
    if (server_rest(holders->server, cause) < 0)
        return -1;
    double before = server_memory(holders->server);
    holders->load =
        load_new(server_url(holders->server), holders->count, held_cb, holders, cause);
    if (holders->load == NULL)
        return -1;
    for (size_t i = 0; i < holders->count; i++)
        player_send_poll(&holders->players[i], WAIT, holders->load, i);
    if (server_rest(holders->server, cause) < 0)
        return -1;
    *memory = (server_memory(holders->server) - before) / (double)holders->count;
    return 0;
}

/* Let them go, and wait for all. Times are in milliseconds. */
static int release_all(struct holders *holders, double *first, double *took, char **cause)
{
    int64_t began_ns;

    holders->answered = 0;
    if (load_run(holders->load, 0.01, cause) < 0)
        return -1;
    if (holders->answered > 0) {
        cause_set(cause, "a poll was answered before there was anything to say");
        return -1;
    }
    began_ns = cpu_clock_ns();
    if (holders->tests != NULL)
        player_send_report(&holders->keeper, holders->control, 0);
    else
        load_send(holders->control, 0, release, sizeof release - 1);
    if (load_run(holders->load, WITHIN, cause) < 0)
        return -1;
    *took = (double)(cpu_clock_ns() - began_ns) / 1e6;
    *first = (double)(holders->first_ns - began_ns) / 1e6;
    if (holders->answered < holders->count) {
        cause_set(cause, "%zu of %zu held polls were answered in %d s", holders->answered,
                  holders->count, WITHIN);
        return -1;
    }
    return load_run(holders->control, WITHIN, cause);
}

static int measure(struct side *side, double seconds, double sample[METRICS],
                   char **cause)
{
    struct holders *holders = side->context;
    int result;

    (void)seconds; /* it takes as long as it takes */
    result = holders->tests != NULL ? prepare_ours(holders, cause)
                                    : prepare_bare(holders, cause);
    if (result == 0)
        result = hold_all(holders, &sample[METRIC_MEMORY], cause);
    if (result == 0)
        result = release_all(holders, &sample[METRIC_FIRST], &sample[METRIC_TOOK], cause);
    load_free(holders->load);
    load_free(holders->control);
    server_kill(holders->server);
    holders->load = holders->control = NULL;
    holders->server = NULL;
    return result;
}

/* --- the row --- */

static void begin_side(struct side *side, const char *name, struct holders *holders,
                       const struct bench *bench, size_t count)
{
    side_begin(side, name, NULL, NULL);
    side->measure = measure;
    side->context = holders;
    holders->bench = bench;
    holders->count = count;
    holders->players = xcalloc(count, sizeof *holders->players);
}

static void tell(struct table *table, size_t count, const struct side *sides)
{
    struct goal memory = {GOAL_RATIO_AT_MOST, 1.4}, soon = {GOAL_AT_MOST, 5};
    char what[64];

    snprintf(what, sizeof what, "a held poll of %zu", count);
    table_compare(table, what, METRIC_MEMORY, &sides[0], &sides[1], memory);
    snprintf(what, sizeof what, "%zu held polls answered", count);
    table_compare(table, what, METRIC_FIRST, &sides[0], &sides[1], soon);
    table_compare(table, what, METRIC_TOOK, &sides[0], &sides[1], NO_GOAL);
}

int row_held(struct bench *bench, char **cause)
{
    struct holders ours = {0}, bare = {0};
    struct side *sides = xcalloc(2, sizeof *sides);
    size_t count = crowd_limit(MOST);
    char *tests = folder_make(bench->folder, "held-tests");
    int result = -1;

    begin_side(&sides[0], "trafficlightd", &ours, bench, count);
    begin_side(&sides[1], "bare evhttp", &bare, bench, count);
    ours.tests = tests;
    if (folder_write(tests, "gate_test.json", gate, cause) < 0 ||
        folder_write(tests, "crowd_test.json", crowd, cause) < 0)
        goto out;
    bare.model = &ours; /* which is the first to be measured */
    result = compare_few(bench, ROUNDS, sides, 2, cause);
    if (result == 0)
        tell(bench->table, count, sides);
out:
    free(ours.players);
    free(bare.players);
    free(ours.answer);
    free(bare.answer);
    free(tests);
    free(sides);
    return result;
}
