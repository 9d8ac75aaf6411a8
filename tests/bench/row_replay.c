/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a start takes that finds a journal: 64 clients play one case after the other,
 * a hundred reports each, until the server has taken a million inputs; then it is killed
 * and started. When it rests it is killed and started again, which is told beside the
 * first time.
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

#define NAME    "replay"
#define CLIENTS 64
#define WAIT    60    /* seconds that a poll waits; there is always something at once */
#define CASES   9000  /* so many at most: a test makes 10,000 */
#define REPORTS 100   /* in a case, at least */
#define SECONDS 100   /* for making the journal: where that is not enough it is smaller */
#define LAST    30    /* seconds for the cases that are under way then */
#define GOAL_MS 10000 /* for the first start */

enum next { REGISTERED, POLLED, REPORTED };

/* Those who fill the journal. */
struct writers {
    struct load *load;              /* owned */
    struct player players[CLIENTS]; /* one for each link */
    enum next sent[CLIENTS];        /* what the link waits for the answer of */
    size_t wanted;                  /* inputs */
    int64_t end_ns;                 /* no case begins after that, monotonic */
    size_t taken;                   /* that were answered 200 */
    size_t number;                  /* of the next client */
    size_t active;                  /* links that go on */
    size_t ended;                   /* cases that did */
};

/* What was measured. */
struct figures {
    double first_ms;  /* the first start */
    double second_ms; /* and the second */
    double before;    /* MiB of the journal when it was killed */
    double after;     /* and when the first start had come to rest */
};

static char *write_definition(size_t reports)
{
    return xasprintf(
        "{\"name\":\"Replay\",\"clients\":{\"red\":[\"red\"]},"
        "" PLAYER_DICTIONARY
        ",\"steps\":[{\"repeat\":%zu,\"as\":\"n\",\"steps\":[{\"red\":\"pass\""
        "}]}]}",
        reports);
}

/* --- filling the journal --- */

/* Begin with another client, unless there is enough. */
static void begin_client(struct writers *writers, size_t link)
{
    if (writers->taken >= writers->wanted || cpu_clock_ns() > writers->end_ns) {
        if (--writers->active == 0)
            load_stop(writers->load);
        return;
    }
    player_name(&writers->players[link], "red", writers->number++);
    writers->sent[link] = REGISTERED;
    player_send_register(&writers->players[link], "red", writers->load, link);
}

static void answered_cb(void *context, size_t link, const struct load_answer *answer)
{
    struct writers *writers = context;
    struct player *player = &writers->players[link];

    if (answer->status != 200) {
        load_fail(writers->load, "%s was answered %d %.200s", player->id, answer->status,
                  answer->body);
    } else if (writers->sent[link] != POLLED) {
        writers->taken++;
        writers->sent[link] = POLLED;
        player_send_poll(player, WAIT, writers->load, link);
    } else if (player_take(player, answer)) {
        writers->sent[link] = REPORTED;
        player_send_report(player, writers->load, link);
    } else if (strstr(answer->body, "\"exit\"") != NULL) {
        writers->ended++;
        begin_client(writers, link);
    } else {
        load_fail(writers->load, "%s was given no action: %.200s", player->id,
                  answer->body);
    }
}

static int fill(struct writers *writers, const struct server *server, char **cause)
{
    writers->load = load_new(server_url(server), CLIENTS, answered_cb, writers, cause);
    if (writers->load == NULL)
        return -1;
    writers->end_ns = cpu_clock_ns() + (int64_t)SECONDS * 1000000000;
    for (; writers->active < CLIENTS; writers->active++)
        begin_client(writers, writers->active);
    int result = load_run(writers->load, SECONDS + LAST, cause);
    if (result == 0 && writers->active > 0) {
        cause_set(cause, "%zu cases did not end", writers->active);
        result = -1;
    }
    load_free(writers->load);
    return result;
}

/* --- starting --- */

/* Start it with all that is there; all that was played must be known. */
static struct server *start_again(const struct bench *bench, size_t ended, double *took,
                                  char **cause)
{
    struct server *server = daemons_restart(bench, NAME, cause);

    if (server != NULL && crowd_wait_healthy(server, took, cause) == 0 &&
        crowd_expect_cases(server, "success", ended, cause) == 0)
        return server;
    server_kill(server);
    return NULL;
}

static double journal_size(const struct bench *bench)
{
    char *state = daemons_state(bench, NAME);
    double bytes = folder_bytes(state, "journal.sqlite");

    free(state);
    return bytes / 1024 / 1024;
}

static int start_twice(const struct bench *bench, size_t ended, struct figures *figures,
                       char **cause)
{
    struct server *server = NULL;
    int result;

    figures->before = journal_size(bench);
    server = start_again(bench, ended, &figures->first_ms, cause);
    if (server == NULL)
        return -1;
    result = server_rest(server, cause);
    server_kill(server);
    if (result < 0)
        return -1;
    figures->after = journal_size(bench);
    server = start_again(bench, ended, &figures->second_ms, cause);
    result = server != NULL ? 0 : -1;
    server_kill(server);
    return result;
}

/* --- the row --- */

static void tell_pair(struct table *table, const char *what, enum metric metric,
                      double ours, double other, struct goal goal)
{
    struct side *sides = xcalloc(2, sizeof *sides);

    side_begin(&sides[0], "after", NULL, NULL);
    side_begin(&sides[1], "before", NULL, NULL);
    sides[0].samples[metric][0] = ours;
    sides[1].samples[metric][0] = other;
    sides[0].rounds = sides[1].rounds = 1;
    table_compare(table, what, metric, &sides[0], other > 0 ? &sides[1] : NULL, goal);
    free(sides);
}

static void tell(struct table *table, size_t inputs, const struct figures *figures)
{
    struct goal soon = {GOAL_AT_MOST, GOAL_MS};
    char what[64];

    snprintf(what, sizeof what, "start after %zu inputs", inputs);
    tell_pair(table, what, METRIC_TOOK, figures->first_ms, 0, soon);
    tell_pair(table, "the next start, against that", METRIC_TOOK, figures->second_ms,
              figures->first_ms, NO_GOAL);
    tell_pair(table, "the journal, against before", METRIC_DISK, figures->after,
              figures->before, NO_GOAL);
}

int row_replay(struct bench *bench, char **cause)
{
    size_t inputs = (size_t)bench->inputs;
    size_t reports = inputs / CASES > REPORTS ? inputs / CASES : REPORTS;
    char *definition = write_definition(reports);
    struct daemon_setup setup = {
        .name = NAME, .definition = definition, .cases = inputs / reports + CLIENTS};
    struct writers *writers = xcalloc(1, sizeof *writers);
    struct server *server = daemons_start(bench, &setup, cause);
    struct figures figures = {0};
    int result = -1;

    writers->wanted = inputs;
    if (server != NULL)
        result = fill(writers, server, cause);
    server_kill(server);
    if (result == 0)
        result = start_twice(bench, writers->ended, &figures, cause);
    if (result == 0)
        tell(bench->table, writers->taken, &figures);
    free(writers);
    free(definition);
    return result;
}
