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

static void tell(struct table *table, const struct side *sides)
{
    static const int told[] = {METRIC_RATE, METRIC_CPU, METRIC_MEDIAN, METRIC_P99};

    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        table_compare(table, "polls, 64 clients", told[i], &sides[0], &sides[1]);
}

int row_poll(struct bench *bench, char **cause)
{
    struct daemon_setup setup = {
        .name = "poll", .definition = definition, .cases = CLIENTS};
    struct pollers *ours = xcalloc(1, sizeof *ours), *bare = xcalloc(1, sizeof *bare);
    struct side *sides = xcalloc(2, sizeof *sides);
    char *answer = NULL, *bare_answer = NULL;
    int result = -1;

    ours->server = daemons_start(bench, &setup, cause);
    answer = begin_pollers(ours, cause);
    if (answer == NULL)
        goto out;
    bare->server = daemons_start_bare(bench, answer, cause);
    bare_answer = begin_pollers(bare, cause);
    if (bare_answer == NULL)
        goto out;
    side_begin(&sides[0], "trafficlightd", ours->load, ours->server);
    side_begin(&sides[1], "bare evhttp", bare->load, bare->server);
    result = compare_sides(bench, sides, 2, cause);
    if (result == 0)
        tell(bench->table, sides);
out:
    end_pollers(ours);
    end_pollers(bare);
    free(sides);
    free(answer);
    free(bare_answer);
    return result;
}
