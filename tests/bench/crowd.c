/* SPDX-License-Identifier: Apache-2.0 */
/* Many clients at once. */
#include "crowd.h"

#include "cpu.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define LINKS   32  /* connections that they are registered over */
#define SECONDS 120 /* that it may take */
#define SPARE   150 /* descriptors: ours keeps 100 for other things than connections */

struct crowd {
    struct load *load;        /* owned */
    struct player *players;   /* borrowed */
    size_t count;             /* of players */
    size_t sent;              /* how many were sent */
    size_t taken;             /* how many were answered */
    const char *const *types; /* borrowed */
    size_t type_count;        /* length of types */
    size_t first;             /* number of the first */
};

static void send_next(struct crowd *crowd, size_t link)
{
    size_t number = crowd->sent++;
    struct player *player = &crowd->players[number];
    const char *type = crowd->types[number % crowd->type_count];

    player_name(player, type, crowd->first + number);
    player_send_register(player, type, crowd->load, link);
}

static void answered_cb(void *context, size_t link, const struct load_answer *answer)
{
    struct crowd *crowd = context;

    if (answer->status != 200)
        load_fail(crowd->load, "a client could not register: %d %.200s", answer->status,
                  answer->body);
    else if (++crowd->taken == crowd->count)
        load_stop(crowd->load);
    else if (crowd->sent < crowd->count)
        send_next(crowd, link);
}

int crowd_register(const struct server *server, struct player *players, size_t count,
                   const char *const *types, size_t type_count, size_t first,
                   char **cause)
{
    struct crowd crowd = {.players = players,
                          .count = count,
                          .types = types,
                          .type_count = type_count,
                          .first = first};
    int result;

    crowd.load = load_new(server_url(server), LINKS, answered_cb, &crowd, cause);
    if (crowd.load == NULL)
        return -1;
    for (size_t i = 0; i < LINKS && crowd.sent < count; i++)
        send_next(&crowd, i);
    result = count > 0 ? load_run(crowd.load, SECONDS, cause) : 0;
    load_free(crowd.load);
    if (result == 0 && crowd.taken < count) {
        cause_set(cause, "%zu of %zu clients were registered in %d s", crowd.taken, count,
                  SECONDS);
        result = -1;
    }
    return result;
}

static void ignore_cb(void *context, size_t link, const struct load_answer *answer)
{
    (void)context, (void)link, (void)answer;
}

int crowd_expect_cases(const struct server *server, const char *state, size_t count,
                       char **cause)
{
    static const char request[] = "GET /status.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    struct load *load = load_new(server_url(server), 1, ignore_cb, NULL, cause);
    char *member = xasprintf("\"%s\":", state);
    struct load_answer answer;
    int result = -1;

    if (load != NULL &&
        load_ask(load, 0, request, sizeof request - 1, &answer, cause) == 0) {
        /* totals stand near the beginning, which is kept of however long an answer */
        const char *totals = strstr(answer.body, "\"totals\":");
        const char *found = totals != NULL ? strstr(totals, member) : NULL;
        if (found != NULL && strtoul(found + strlen(member), NULL, 10) == count)
            result = 0;
        else
            cause_set(cause, "not %zu cases are %s: %.300s", count, state, answer.body);
    }
    free(member);
    load_free(load);
    return result;
}

static void healthy_cb(void *context, size_t link, const struct load_answer *answer)
{
    (void)link;
    if (answer->status != 200)
        load_fail(*(struct load **)context, "/healthz was answered %d", answer->status);
    load_stop(*(struct load **)context);
}

int crowd_wait_healthy(const struct server *server, double *took, char **cause)
{
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    struct load *load = NULL;
    int result = -1;

    load = load_new(server_url(server), 1, healthy_cb, &load, cause);
    if (load != NULL) {
        load_send(load, 0, request, sizeof request - 1);
        result = load_run(load, SECONDS, cause);
        *took = (double)(cpu_clock_ns() - server_began_ns(server)) / 1e6;
    }
    if (result == 0 && *took >= SECONDS * 1e3) {
        cause_set(cause, "it took longer than %d s", SECONDS);
        result = -1;
    }
    load_free(load);
    return result;
}

size_t crowd_limit(size_t wanted)
{
    struct rlimit limit = {0};

    getrlimit(RLIMIT_NOFILE, &limit);
    size_t there = limit.rlim_cur > 2 * SPARE ? (size_t)limit.rlim_cur - SPARE : SPARE;
    return there < wanted ? there : wanted;
}
