/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports that the server has taken: many clients, each alone in a case that never ends,
 * poll for their action and report it. What a report costs depends on when it is
 * acknowledged: [server] durability. The yardstick is the same server with none.
 */
#include "compare.h"
#include "daemons.h"
#include "players.h"
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS 64 /* and as many connections and cases */
#define WAIT    60 /* seconds that a poll waits; the action is always there at once */

/* Two states, since every one has to be left. */
static const char definition[] =
    "{\"name\":\"Report\",\"clients\":{\"red\":[\"red\"]}," PLAYER_DICTIONARY
    ",\"initial\":\"left\",\"states\":{"
    "\"left\":{\"actions\":{\"red\":{\"action\":\"pass\",\"responses\":"
    "{\"passed\":\"right\",\"over\":\"complete\"}}}},"
    "\"right\":{\"actions\":{\"red\":{\"action\":\"pass\",\"responses\":"
    "{\"passed\":\"left\"}}}}}}";

enum { NONE, PROCESS, POWER, DURABILITIES };
static const char *const names[DURABILITIES] = {"none", "process", "power"};

/* The clients of one server. */
struct reporters {
    struct server *server;          /* whom they report to; owned */
    struct load *load;              /* their links; owned */
    struct player players[CLIENTS]; /* one for each link */
    bool reports[CLIENTS];          /* the link has sent a report, not a poll */
    int64_t sent_ns[CLIENTS];       /* when that was */
};

static void send_report(struct reporters *reporters, size_t link)
{
    reporters->reports[link] = true;
    reporters->sent_ns[link] = cpu_clock_ns();
    player_send_report(&reporters->players[link], reporters->load, link);
}

static void answered_cb(void *context, size_t link, const struct load_answer *answer)
{
    struct reporters *reporters = context;
    struct player *player = &reporters->players[link];

    if (answer->status != 200) {
        load_fail(reporters->load, "%s was answered %d %.200s", player->id,
                  answer->status, answer->body);
    } else if (reporters->reports[link]) {
        load_note(reporters->load, reporters->sent_ns[link]);
        reporters->reports[link] = false;
        player_send_poll(player, WAIT, reporters->load, link);
    } else if (player_take(player, answer)) {
        send_report(reporters, link);
    } else {
        load_fail(reporters->load, "%s was given no action: %.200s", player->id,
                  answer->body);
    }
}

/* Register them all, and let them begin. */
static int begin_reporters(struct reporters *reporters, char **cause)
{
    if (reporters->server != NULL)
        reporters->load = load_new(server_url(reporters->server), CLIENTS, answered_cb,
                                   reporters, cause);
    if (reporters->load == NULL)
        return -1;
    for (size_t i = 0; i < CLIENTS; i++) {
        struct player *player = &reporters->players[i];
        if (player_register(player, "red", i, reporters->load, i, cause) < 0)
            return -1;
        char *answer = player_await(player, reporters->load, i, cause);
        if (answer == NULL)
            return -1;
        free(answer);
    }
    for (size_t i = 0; i < CLIENTS; i++)
        send_report(reporters, i);
    return 0;
}

static void end_reporters(struct reporters *reporters)
{
    load_free(reporters->load);
    server_stop(reporters->server);
    free(reporters);
}

/* A server with this durability, and its clients, as a side. Without the setting there is
 * only one way, which stands for none. */
static int begin_side(const struct bench *bench, const char *durability, bool known,
                      struct side *side, char **cause)
{
    char name[32];
    struct daemon_setup setup = {.name = name,
                                 .definition = definition,
                                 .cases = CLIENTS,
                                 .durability = known ? durability : NULL};
    struct reporters *reporters = xcalloc(1, sizeof *reporters);

    snprintf(name, sizeof name, "report-%s", durability);
    reporters->server = daemons_start(bench, &setup, cause);
    if (begin_reporters(reporters, cause) < 0) {
        end_reporters(reporters);
        return -1;
    }
    side_begin(side, durability, reporters->load, reporters->server);
    side->context = reporters;
    return 0;
}

static void tell_metric(struct table *table, const struct side *sides, size_t count,
                        int metric)
{
    char what[64];

    for (size_t i = 0; i < DURABILITIES; i++) {
        snprintf(what, sizeof what, "reports, durability %s", names[i]);
        if (i < count)
            table_compare(table, what, metric, &sides[i], i > 0 ? &sides[NONE] : NULL,
                          NO_GOAL);
        else if (metric == METRIC_RATE)
            table_skip(table, what, "not there yet");
    }
}

static void tell(struct table *table, const struct side *sides, size_t count)
{
    static const int told[] = {METRIC_RATE, METRIC_MEDIAN, METRIC_P99, METRIC_CPU};

    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        tell_metric(table, sides, count, told[i]);
}

int row_report(struct bench *bench, char **cause)
{
    struct daemon_setup asked = {.name = "report-known",
                                 .definition = definition,
                                 .cases = 1,
                                 .durability = "none"};
    struct side *sides = xcalloc(DURABILITIES, sizeof *sides);
    bool known = daemons_know(bench, &asked);
    size_t wanted = known ? DURABILITIES : 1, count = 0;
    int result = -1;

    for (; count < wanted; count++) {
        if (begin_side(bench, names[count], known, &sides[count], cause) < 0)
            goto out;
    }
    result = compare_sides(bench, sides, count, cause);
    if (result == 0)
        tell(bench->table, sides, count);
out:
    while (count > 0)
        end_reporters(sides[--count].context);
    free(sides);
    return result;
}
