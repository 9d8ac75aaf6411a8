/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that poll again and again. */
#include "pollers.h"

#include "cpu.h"
#include "xalloc.h"

#include <stdlib.h>

struct pollers {
    struct load *load;      /* their links, then the others; owned */
    size_t count;           /* of clients */
    struct player *players; /* one for each link of theirs; owned */
    int64_t *sent_ns;       /* when the link's poll was sent; 0: there is none; owned */
    bool slow;              /* the next poll waits for the tick */
    char *answer;           /* that the latest first poll got; owned */
    load_answered_cb *answered; /* hears of the other links' answers; or NULL */
    void *context;              /* for it; borrowed */
};

static void send_poll(struct pollers *pollers, size_t link)
{
    pollers->sent_ns[link] = cpu_clock_ns();
    player_send_poll(&pollers->players[link], 0, pollers->load, link);
}

static void tick_cb(void *context)
{
    struct pollers *pollers = context;

    if (pollers->sent_ns[0] == 0)
        send_poll(pollers, 0);
}

static void answered_cb(void *context, size_t link, const struct load_answer *answer)
{
    struct pollers *pollers = context;

    if (link >= pollers->count) {
        pollers->answered(pollers->context, link, answer);
    } else if (answer->status != 200 || !player_take(&pollers->players[link], answer)) {
        load_fail(pollers->load, "a poll was given no action: %d %.200s", answer->status,
                  answer->body);
    } else {
        load_note(pollers->load, pollers->sent_ns[link]);
        pollers->sent_ns[link] = 0;
        if (!pollers->slow)
            send_poll(pollers, link);
    }
}

/* Connected, but silent. */
static struct pollers *make(const struct server *server, size_t count, size_t others,
                            load_answered_cb *answered, void *context, char **cause)
{
    struct pollers *pollers = xcalloc(1, sizeof *pollers);

    pollers->count = count;
    pollers->players = xcalloc(count, sizeof *pollers->players);
    pollers->sent_ns = xcalloc(count, sizeof *pollers->sent_ns);
    pollers->answered = answered;
    pollers->context = context;
    pollers->load =
        load_new(server_url(server), count + others, answered_cb, pollers, cause);
    if (pollers->load != NULL)
        return pollers;
    pollers_free(pollers);
    return NULL;
}

struct pollers *pollers_new(const struct server *server, size_t count, size_t others,
                            load_answered_cb *answered, void *context, char **cause)
{
    struct pollers *pollers = make(server, count, others, answered, context, cause);

    for (size_t i = 0; pollers != NULL && i < count; i++) {
        struct player *player = &pollers->players[i];
        free(pollers->answer);
        pollers->answer = NULL;
        if (player_register(player, "red", i, pollers->load, i, cause) == 0)
            pollers->answer = player_await(player, pollers->load, i, cause);
        if (pollers->answer == NULL) {
            pollers_free(pollers);
            return NULL;
        }
    }
    for (size_t i = 0; pollers != NULL && i < count; i++)
        send_poll(pollers, i);
    return pollers;
}

struct pollers *pollers_new_slow(const struct server *server, const struct player *player,
                                 int64_t period_ns, size_t others,
                                 load_answered_cb *answered, void *context, char **cause)
{
    struct pollers *pollers = make(server, 1, others, answered, context, cause);

    if (pollers == NULL)
        return NULL;
    pollers->slow = true;
    pollers->players[0] = *player;
    load_every(pollers->load, period_ns, tick_cb, pollers);
    return pollers;
}

void pollers_free(struct pollers *pollers)
{
    if (pollers == NULL)
        return;
    load_free(pollers->load);
    free(pollers->players);
    free(pollers->sent_ns);
    free(pollers->answer);
    free(pollers);
}

struct load *pollers_load(const struct pollers *pollers)
{
    return pollers->load;
}

const struct player *pollers_player(const struct pollers *pollers, size_t number)
{
    return &pollers->players[number];
}

const char *pollers_answer(const struct pollers *pollers)
{
    return pollers->answer;
}
