/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Polls that are answered at once: every client has an action outstanding and polls for
 * it again and again. They name a wait, so that the server does not slow them down.
 */
#include "compare.h"
#include "daemons.h"
#include "players.h"
#include "xalloc.h"

#include <stdlib.h>

#define CLIENTS 64 /* and as many connections */

static const char definition[] =
    "{\"name\":\"Poll\",\"clients\":{\"red\":[\"red\"]}," PLAYER_DICTIONARY
    ",\"initial\":\"only\",\"states\":{\"only\":{\"actions\":{\"red\":"
    "{\"action\":\"pass\",\"responses\":{\"passed\":\"complete\"}}}}}}";

/* The clients of one server. */
struct pollers {
    struct server *server;          /* whom they ask; owned */
    struct load *load;              /* their links; owned */
    struct player players[CLIENTS]; /* one for each link */
    int64_t sent_ns[CLIENTS];       /* when the link's poll was sent */
};

static void send_poll(struct pollers *pollers, size_t link)
{
    pollers->sent_ns[link] = cpu_clock_ns();
    player_send_poll(&pollers->players[link], 0, pollers->load, link);
}

static void answered_cb(void *context, size_t link, const struct load_answer *answer)
{
    struct pollers *pollers = context;

    if (answer->status != 200 || !player_take(&pollers->players[link], answer)) {
        load_fail(pollers->load, "a poll was given no action: %d %.200s", answer->status,
                  answer->body);
        return;
    }
    load_note(pollers->load, pollers->sent_ns[link]);
    send_poll(pollers, link);
}

/* Register them all, and let them begin; the bare server answers that like all else.
 * Gives the answer that the last one's first poll got, owned; or NULL. */
static char *begin_pollers(struct pollers *pollers, char **cause)
{
    char *answer = NULL;

    if (pollers->server != NULL)
        pollers->load =
            load_new(server_url(pollers->server), CLIENTS, answered_cb, pollers, cause);
    if (pollers->load == NULL)
        return NULL;
    for (size_t i = 0; i < CLIENTS; i++) {
        struct player *player = &pollers->players[i];
        free(answer);
        if (player_register(player, "red", i, pollers->load, i, cause) < 0)
            return NULL;
        answer = player_await(player, pollers->load, i, cause);
        if (answer == NULL)
            return NULL;
    }
    for (size_t i = 0; i < CLIENTS; i++)
        send_poll(pollers, i);
    return answer;
}

static void end_pollers(struct pollers *pollers)
{
    load_free(pollers->load);
    server_stop(pollers->server);
    free(pollers);
}

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
        .name = "poll", .definition = definition, .cases = CLIENTS};
    struct pollers *all[SIDES] = {NULL};
    struct side *sides = xcalloc(SIDES, sizeof *sides);
    size_t count = daemons_have_nginx(bench) ? SIDES : NGINX;
    char *answer = NULL;
    int result = -1;

    for (size_t i = 0; i < count; i++) {
        all[i] = xcalloc(1, sizeof **all);
        all[i]->server = i == OURS ? daemons_start(bench, &setup, cause)
                                   : start_other(bench, i, answer, cause);
        char *given = begin_pollers(all[i], cause);
        if (given == NULL)
            goto out;
        free(answer);
        answer = given; /* all others give what ours gave */
        side_begin(&sides[i], names[i], all[i]->load, all[i]->server);
    }
    result = compare_sides(bench, sides, count, cause);
    if (result == 0)
        tell(bench->table, sides, count);
out:
    for (size_t i = 0; i < count && all[i] != NULL; i++)
        end_pollers(all[i]);
    free(sides);
    free(answer);
    return result;
}
