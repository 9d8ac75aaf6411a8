/* SPDX-License-Identifier: Apache-2.0 */
/* Held polls and silence. */
#include "polls.h"

#include "front.h"
#include "input.h"
#include "model.h"
#include "xalloc.h"

#include <string.h>

#define HOLD_MS          20000
#define LOOK_MS          3000 /* between two looks for silent clients */
#define IDLE_CLIENT_MS   30000
#define ACTIVE_CLIENT_MS 60000

static void look(struct sim *sim, void *about, int64_t number);

/* What is outstanding was fetched, as far as this process can know. */
static void recall(struct sim *sim, struct robot *robot)
{
    struct poll poll = engine_poll(sim->front->engine, robot->id);

    robot->presence = (struct presence){.heard_ms = sim->ms};
    if (poll.delivery != NULL)
        memcpy(robot->presence.delivery, poll.delivery, ID_SIZE);
}

void polls_begin(struct sim *sim)
{
    for (size_t i = 0; i < sim->fleet->count; i++)
        recall(sim, sim->fleet->robots[i]);
    sim_after_here(sim, LOOK_MS, look, NULL, 0);
}

void polls_heard(struct sim *sim, struct robot *robot)
{
    robot->presence.heard_ms = sim->ms;
}

int64_t polls_last(const struct sim *sim, const char *client)
{
    const struct robot *robot = fleet_find(sim, client);

    return robot != NULL ? robot->presence.polled_ms : 0;
}

/* --- polls --- */

static void answer(struct sim *sim, struct robot *robot, int64_t request,
                   const struct poll *poll)
{
    robot->presence.delivery[0] = '\0';
    if (poll->delivery != NULL)
        memcpy(robot->presence.delivery, poll->delivery, ID_SIZE);
    fleet_polled(sim, robot, request, poll->answer);
}

static void end_hold(struct sim *sim, void *about, int64_t number)
{
    struct robot *robot = about;
    struct presence *presence = &robot->presence;

    if (!presence->holds || presence->hold != number)
        return;
    presence->holds = false;
    polls_heard(sim, robot);
    fleet_polled(sim, robot, number, NULL);
}

void polls_poll(struct sim *sim, struct robot *robot, int64_t request)
{
    struct presence *presence = &robot->presence;
    struct poll poll = engine_poll(sim->front->engine, robot->id);

    COUNT(sim, polls);
    if (engine_client_standing(sim->front->engine, robot->id) == CLIENT_IS_UNKNOWN) {
        fleet_polled(sim, robot, request, poll.answer);
        return;
    }
    polls_heard(sim, robot);
    presence->polled_ms = sim_now(sim).wall_ms;
    if (presence->holds)
        fleet_polled(sim, robot, presence->hold, NULL);
    presence->holds = false;
    if (poll.kind == POLL_ANSWER) {
        answer(sim, robot, request, &poll);
    } else {
        presence->holds = true;
        presence->hold = request;
        sim_after_here(sim, sim_chance(sim, 200) ? 0 : HOLD_MS, end_hold, robot, request);
    }
}

void polls_wake(struct sim *sim, const char *client)
{
    struct robot *robot = fleet_find(sim, client);

    if (robot == NULL)
        sim_fail(sim, "%s is woken, whom nobody knows", client);
    robot->presence.woken = true;
}

/* Whoever has something to hear was woken: else it would hear it twenty seconds later. */
void polls_answer_woken(struct sim *sim)
{
    for (size_t i = 0; i < sim->fleet->count; i++) {
        struct robot *robot = sim->fleet->robots[i];
        struct presence *presence = &robot->presence;
        bool woken = presence->woken;
        presence->woken = false;
        if (woken)
            polls_heard(sim, robot);
        if (!presence->holds)
            continue;
        struct poll poll = engine_poll(sim->front->engine, robot->id);
        if (poll.kind != POLL_ANSWER)
            continue;
        if (!woken &&
            engine_client_standing(sim->front->engine, robot->id) != CLIENT_IS_UNKNOWN)
            sim_fail(sim, "%s holds a poll, and was not woken for %s", robot->id,
                     poll.answer);
        presence->holds = false;
        answer(sim, robot, presence->hold, &poll);
    }
}

/* --- silence --- */

static bool is_working(const struct sim *sim, const struct robot *robot)
{
    struct poll poll = engine_poll(sim->front->engine, robot->id);

    return poll.delivery != NULL && strcmp(poll.delivery, robot->presence.delivery) == 0;
}

static void look_after(struct sim *sim, struct robot *robot)
{
    int64_t silence = sim->ms - robot->presence.heard_ms;
    enum client_standing standing = engine_client_standing(sim->front->engine, robot->id);

    if (robot->presence.holds ||
        !((standing == CLIENT_IS_WAITING && silence >= IDLE_CLIENT_MS) ||
          (standing == CLIENT_IS_PLAYING && silence >= ACTIVE_CLIENT_MS &&
           !is_working(sim, robot))))
        return;
    COUNT(sim, lost);
    polls_heard(sim, robot); /* told once in a while is enough */
    front_submit(sim, input_lost(robot->id, "it did not poll"), true, NULL, NULL, 0);
}

static void look(struct sim *sim, void *about, int64_t number)
{
    (void)about, (void)number;
    for (size_t i = 0; sim->front->is_open && i < sim->fleet->count; i++)
        look_after(sim, sim->fleet->robots[i]);
    sim_after_here(sim, LOOK_MS, look, NULL, 0);
}
