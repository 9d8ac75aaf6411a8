/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The baton: a report moves the machine on, and the poll that the other client of the
 * case has been holding is answered with an action. That takes two requests, so the
 * yardstick is two that a bare server answers, one after the other.
 */
#include "compare.h"
#include "daemons.h"
#include "players.h"
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>

#define MANY 1000 /* pairs of the second half */
#define WAIT 3000 /* seconds that a poll waits: longer than all of this */

static const char definition[] =
    "{\"name\":\"Baton\",\"clients\":{\"red\":[\"red\"],\"green\":[\"green\"]}," //
    PLAYER_DICTIONARY ",\"initial\":\"left\",\"states\":{"
    "\"left\":{\"actions\":{\"red\":{\"action\":\"pass\",\"responses\":"
    "{\"passed\":\"right\",\"over\":\"complete\"}}}},"
    "\"right\":{\"actions\":{\"green\":{\"action\":\"pass\",\"responses\":"
    "{\"passed\":\"left\"}}}}}}";

/* One link's client. Links 2n and 2n+1 are a pair. */
struct runner {
    struct player player;
    bool reports; /* its link has sent a report, not a poll */
    bool holds;   /* it has the action, and waits for the other to poll */
};

/* Pairs at ours, or as many single links at the bare server. */
struct runners {
    struct server *server;  /* owned */
    struct load *load;      /* their links; owned */
    struct runner *runners; /* one for each link; owned */
    int64_t *began_ns;      /* for each pair or single link, the baton's start; owned */
};

/* --- ours --- */

/* Pass the baton on, once the other one is there to take it. */
static void pass_on(struct runners *all, size_t link)
{
    struct runner *runner = &all->runners[link], *other = &all->runners[link ^ 1];

    if (!runner->holds || other->reports)
        return;
    runner->holds = false;
    runner->reports = true;
    all->began_ns[link / 2] = cpu_clock_ns();
    player_send_report(&runner->player, all->load, link);
}

static void ours_answered_cb(void *context, size_t link, const struct load_answer *answer)
{
    struct runners *all = context;
    struct runner *runner = &all->runners[link];

    if (answer->status != 200) {
        load_fail(all->load, "%s was answered %d %.200s", runner->player.id,
                  answer->status, answer->body);
    } else if (runner->reports) {
        runner->reports = false;
        player_send_poll(&runner->player, WAIT, all->load, link);
        pass_on(all, link ^ 1);
    } else if (player_take(&runner->player, answer)) {
        load_note(all->load, all->began_ns[link / 2]);
        runner->holds = true;
        pass_on(all, link);
    } else {
        load_fail(all->load, "%s was given no action: %.200s", runner->player.id,
                  answer->body);
    }
}

/* Register a pair, and let it begin. Gives the first action's answer, owned; or NULL. */
static char *begin_pair(struct runners *all, size_t pair, char **cause)
{
    size_t red = 2 * pair, green = red + 1;
    struct runner *first = &all->runners[red], *second = &all->runners[green];

    if (player_register(&first->player, "red", pair, all->load, red, cause) < 0 ||
        player_register(&second->player, "green", pair, all->load, green, cause) < 0)
        return NULL;
    char *answer = player_await(&first->player, all->load, red, cause);
    if (answer == NULL)
        return NULL;
    player_send_poll(&second->player, WAIT, all->load, green);
    first->holds = true;
    return answer;
}

/* --- the bare server --- */

static void bare_send_report(struct runners *all, size_t link)
{
    all->runners[link].reports = true;
    all->began_ns[link] = cpu_clock_ns();
    player_send_report(&all->runners[link].player, all->load, link);
}

static void bare_answered_cb(void *context, size_t link, const struct load_answer *answer)
{
    struct runners *all = context;
    struct runner *runner = &all->runners[link];

    if (runner->reports) {
        runner->reports = false;
        player_send_poll(&runner->player, WAIT, all->load, link);
    } else if (player_take(&runner->player, answer)) {
        load_note(all->load, all->began_ns[link]);
        bare_send_report(all, link);
    } else {
        load_fail(all->load, "the bare server gave no action: %.200s", answer->body);
    }
}

/* --- both --- */

static struct runners *runners_new(size_t links)
{
    struct runners *all = xcalloc(1, sizeof *all);

    all->runners = xcalloc(links, sizeof *all->runners);
    all->began_ns = xcalloc(links, sizeof *all->began_ns);
    return all;
}

static void runners_free(struct runners *all)
{
    load_free(all->load);
    server_stop(all->server);
    free(all->runners);
    free(all->began_ns);
    free(all);
}

/* Begin all pairs. Gives an answer that holds an action, owned; or NULL. */
static char *begin_ours(const struct bench *bench, struct runners *all, size_t pairs,
                        char **cause)
{
    struct daemon_setup setup = {
        .name = pairs > 1 ? "batons" : "baton", .definition = definition, .cases = pairs};
    char *answer = NULL;

    all->server = daemons_start(bench, &setup, cause);
    if (all->server != NULL)
        all->load =
            load_new(server_url(all->server), 2 * pairs, ours_answered_cb, all, cause);
    for (size_t i = 0; all->load != NULL && i < pairs; i++) {
        free(answer);
        answer = begin_pair(all, i, cause);
        if (answer == NULL)
            return NULL;
    }
    for (size_t i = 0; answer != NULL && i < pairs; i++)
        pass_on(all, 2 * i);
    return answer;
}

/* Begin as many links that ask one after the other. */
static int begin_bare(const struct bench *bench, struct runners *all, size_t links,
                      const char *answer, char **cause)
{
    all->server = daemons_start_bare(bench, answer, NULL, cause);
    if (all->server != NULL)
        all->load =
            load_new(server_url(all->server), links, bare_answered_cb, all, cause);
    if (all->load == NULL)
        return -1;
    for (size_t i = 0; i < links; i++) {
        struct player *player = &all->runners[i].player;
        if (player_register(player, "red", i, all->load, i, cause) < 0)
            return -1;
        char *given = player_await(player, all->load, i, cause);
        if (given == NULL)
            return -1;
        free(given);
    }
    for (size_t i = 0; i < links; i++)
        bare_send_report(all, i);
    return 0;
}

static void tell(struct table *table, size_t pairs, const struct side *sides)
{
    static const int told[][3] = {{METRIC_MEDIAN, METRIC_P99, METRIC_CPU},
                                  {METRIC_RATE, METRIC_CPU, METRIC_P99}};
    struct goal soon = {GOAL_AT_MOST, 1000};
    char what[64];

    snprintf(what, sizeof what, "batons, %zu pair%s", pairs, pairs > 1 ? "s" : "");
    for (size_t i = 0; i < 3; i++)
        table_compare(table, what, told[pairs > 1][i], &sides[0], &sides[1],
                      pairs == 1 && told[0][i] == METRIC_MEDIAN ? soon : NO_GOAL);
}

static int compare_pairs(struct bench *bench, size_t pairs, char **cause)
{
    struct runners *ours = runners_new(2 * pairs), *bare = runners_new(pairs);
    struct side *sides = xcalloc(2, sizeof *sides);
    char *answer = begin_ours(bench, ours, pairs, cause);
    int result = -1;

    if (answer == NULL || begin_bare(bench, bare, pairs, answer, cause) < 0)
        goto out;
    side_begin(&sides[0], "trafficlightd", ours->load, ours->server);
    side_begin(&sides[1], "bare evhttp", bare->load, bare->server);
    result = compare_sides(bench, sides, 2, cause);
    if (result == 0)
        tell(bench->table, pairs, sides);
out:
    runners_free(ours);
    runners_free(bare);
    free(sides);
    free(answer);
    return result;
}

int row_baton(struct bench *bench, char **cause)
{
    return compare_pairs(bench, 1, cause) < 0 ? -1 : compare_pairs(bench, MANY, cause);
}
