/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Simulated clients. An errand is one request that is repeated until it is answered; the
 * answer says what comes next.
 */
#include "fleet.h"

#include "front.h"
#include "input.h"
#include "invariants.h"
#include "json.h"
#include "plans.h"
#include "polls.h"
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void act(struct sim *sim, void *about, int64_t number);

struct robot *fleet_find(const struct sim *sim, const char *id)
{
    size_t index = strtoul(id + strcspn(id, "0123456789"), NULL, 10);

    return index < sim->fleet->count ? sim->fleet->robots[index] : NULL;
}

/* --- what comes next --- */

/* Do this next, after a while. */
static void plan(struct sim *sim, struct robot *robot, enum errand errand, int64_t ms)
{
    robot->errand = errand;
    robot->tries = 0;
    robot->awaits = false;
    robot->request = 0;
    if (errand != ERRAND_NONE)
        sim_after(sim, ms, act, robot, 0);
}

static void plan_again(struct sim *sim, struct robot *robot, int64_t ms)
{
    robot->awaits = false;
    robot->request = 0;
    if (robot->tries < 25)
        sim_after(sim, ms, act, robot, 0);
    else
        robot->errand = ERRAND_NONE;
}

static void set_report(struct robot *robot, struct json_object *report,
                       const char *delivery)
{
    json_object_put(robot->report);
    robot->report = report;
    snprintf(robot->reported, sizeof robot->reported, "%s", delivery);
}

static const char *a_response(struct sim *sim, const struct robot *robot)
{
    static const char *const wrong[] = {"failed", "error", "nonsense", "seen"};
    size_t count = json_object_array_length(robot->names);

    if (sim_chance(sim, robot->clumsiness))
        return wrong[sim_random(sim, 4)];
    if (count == 0)
        return sim_chance(sim, 500) ? NULL : "done";
    return json_object_get_string(
        json_object_array_get_idx(robot->names, sim_random(sim, (unsigned)count)));
}

/* A report with something in it that tests look at. */
static struct json_object *make_report(struct sim *sim, const struct robot *robot,
                                       const char *delivery)
{
    struct json_object *report = json_new_object();
    struct json_object *list = json_new_array();
    const char *response = a_response(sim, robot);

    if (response != NULL)
        json_put_text(report, "response", response);
    if (robot->strict)
        json_put_text(report, "id", delivery);
    for (unsigned i = sim_random(sim, 3); i > 0; i--) {
        struct json_object *item = json_new_object();
        json_put_int(item, "a", i);
        json_append(list, item);
    }
    json_put_int(report, "n", sim_random(sim, 100));
    json_put(report, "list", list);
    return report;
}

/* It was given work: it does it, or something else. */
static void work(struct sim *sim, struct robot *robot)
{
    unsigned odd = robot->clumsiness;
    int64_t ms =
        sim_chance(sim, odd) ? sim_between(sim, 5000, 40000) : sim_between(sim, 5, 2500);

    robot->after = ERRAND_POLL;
    if (sim_chance(sim, odd / 2)) {
        plan(sim, robot, ERRAND_NONE, 0); /* never heard of again */
    } else if (sim_chance(sim, odd / 2)) {
        plan(sim, robot, ERRAND_ERROR, ms);
    } else if (sim_chance(sim, 60)) {
        plan(sim, robot, ERRAND_UPLOAD, ms);
    } else if (sim_chance(sim, 80)) {
        plan(sim, robot, ERRAND_POLL, ms); /* has forgotten what it was */
    } else {
        set_report(robot, make_report(sim, robot, robot->delivery), robot->delivery);
        plan(sim, robot, ERRAND_REPORT, ms);
    }
}

/* It was told that there is nothing to do: most poll again. */
static void stay(struct sim *sim, struct robot *robot)
{
    robot->after = ERRAND_POLL;
    if (sim_chance(sim, robot->clumsiness / 2)) {
        set_report(robot, make_report(sim, robot, robot->delivery), robot->delivery);
        plan(sim, robot, ERRAND_REPORT, sim_between(sim, 0, 500));
    } else if (sim_chance(sim, robot->clumsiness / 2)) {
        plan(sim, robot, ERRAND_ERROR, sim_between(sim, 0, 500));
    } else {
        plan(sim, robot, ERRAND_POLL, sim_between(sim, 0, 50));
    }
}

/* It was told to exit: some have more to say. */
static void leave(struct sim *sim, struct robot *robot)
{
    robot->leaves = true;
    robot->after = ERRAND_NONE;
    if (sim_chance(sim, 200)) {
        plan(sim, robot, ERRAND_UPLOAD, sim_between(sim, 10, 2000));
    } else if (sim_chance(sim, 100)) {
        set_report(robot, make_report(sim, robot, robot->delivery), "");
        plan(sim, robot, ERRAND_REPORT, sim_between(sim, 10, 2000));
    } else if (sim_chance(sim, 60)) {
        plan(sim, robot, ERRAND_ERROR, sim_between(sim, 10, 2000));
    } else if (sim_chance(sim, 50)) {
        plan(sim, robot, ERRAND_REGISTER, sim_between(sim, 10, 2000));
    } else {
        plan(sim, robot, ERRAND_NONE, 0);
    }
}

/* --- answers --- */

/* What the answer to a poll was, on its way to the robot. */
struct polled {
    struct robot *robot;       /* borrowed */
    int64_t request;           /* of the poll */
    struct json_object *words; /* the answer; NULL: idle; owned until it is there */
};

static void hear_work(struct sim *sim, struct robot *robot, struct json_object *answer)
{
    const char *id = json_member_text(answer, "id");

    if (id == NULL || !json_object_is_type(json_member(answer, "data"), json_type_object))
        sim_fail(sim, "%s is told %s", robot->id, json_text(answer));
    snprintf(robot->delivery, sizeof robot->delivery, "%s", id);
    json_object_put(robot->names);
    robot->names = json_object_get(json_member(answer, "responses"));
    work(sim, robot);
}

static void hear_poll(struct sim *sim, void *about, int64_t number)
{
    struct polled *polled = about;
    struct robot *robot = polled->robot;
    struct json_object *answer = polled->words;

    (void)number;
    if (robot->request == polled->request && robot->errand == ERRAND_POLL &&
        !sim->quiet) {
        if (answer == NULL)
            stay(sim, robot);
        else if (strcmp(json_member_text(answer, "action"), "exit") == 0)
            leave(sim, robot);
        else
            hear_work(sim, robot, answer);
    }
    json_object_put(answer);
    polled->words = NULL;
}

void fleet_polled(struct sim *sim, struct robot *robot, int64_t request,
                  const char *answer)
{
    struct polled *polled = xcalloc(1, sizeof *polled);
    char *cause = NULL;

    *polled = (struct polled){robot, request, NULL};
    if (answer != NULL &&
        json_read(answer, strlen(answer), 64, &polled->words, &cause) < 0)
        sim_fail(sim, "%s is told what is no JSON: %s: %s", robot->id, cause, answer);
    sim_after_with(sim, sim_between(sim, 0, 20), hear_poll, polled);
}

/* Whether an errand is done with this answer; 503 and lost answers are not answers to it.
 */
static void hear(struct sim *sim, void *asker, int64_t request, int status)
{
    struct robot *robot = asker;

    if (sim->quiet)
        return;
    if (sim_chance(sim, 30)) {
        COUNT(sim, answers_lost);
        return;
    }
    if (robot->request != request)
        return;
    robot->awaits = false;
    if (robot->errand == ERRAND_REPORT && status == 200)
        ledger_acknowledged(sim, robot);
    if (status == 503)
        plan_again(sim, robot, sim_between(sim, 100, 3000));
    else if (robot->errand == ERRAND_REPORT && status == 200 && sim_chance(sim, 60))
        plan_again(sim, robot, sim_between(sim, 0, 500)); /* once more, for no reason */
    else if (robot->errand == ERRAND_REPORT && status == 422)
        work(sim, robot);
    else if (robot->errand == ERRAND_REGISTER && status == 200 && sim_chance(sim, 60))
        plan(sim, robot, ERRAND_REGISTER, sim_between(sim, 0, 9000));
    else
        plan(sim, robot, robot->leaves ? ERRAND_NONE : robot->after,
             sim_between(sim, 0, 100));
}

/* --- requests --- */

static struct json_object *make_input(struct sim *sim, struct robot *robot)
{
    struct json_object *input, *registration;
    const char *delivery;

    switch (robot->errand) {
    case ERRAND_REGISTER:
        registration = plan_registration(sim);
        input = input_register(robot->id, registration);
        json_object_put(registration);
        return input;
    case ERRAND_REPORT:
        delivery = robot->strict ? json_member_text(robot->report, "id")
                                 : robot->presence.delivery;
        return input_report(robot->id, delivery, robot->strict, robot->report);
    case ERRAND_ERROR:
        return input_client_error(robot->id, sim_chance(sim, 500), "it broke \x1b[1m",
                                  "web.js:12");
    case ERRAND_UPLOAD:
        return input_uploaded(robot->id, sim_chance(sim, 500) ? "a.png" : "b.txt",
                              sim_random(sim, 5000), sim_chance(sim, 300) ? "red" : NULL);
    default:
        return NULL;
    }
}

/* Files are stored before the engine hears of them, if it wants them at all. */
static bool is_refused(struct sim *sim, struct robot *robot)
{
    struct upload_target target;

    return robot->errand == ERRAND_UPLOAD &&
           engine_upload_target(sim->front->engine, robot->id, &target, NULL) !=
               ENGINE_OK;
}

/* The request has come to the server, if there is one. */
static void arrive(struct sim *sim, void *about, int64_t request)
{
    struct robot *robot = about;

    if (robot->request != request || sim->quiet)
        return;
    if (sim->front->engine == NULL || !sim->front->is_open) {
        plan_again(sim, robot, sim_between(sim, 100, 3000));
        return;
    }
    if (robot->errand == ERRAND_POLL) {
        polls_poll(sim, robot, request);
        return;
    }
    if (robot->errand == ERRAND_NONE)
        return;
    if (is_refused(sim, robot)) {
        hear(sim, robot, request, 409);
        return;
    }
    polls_heard(sim, robot);
    if (robot->errand == ERRAND_ERROR)
        COUNT(sim, adapter_errors);
    if (robot->errand == ERRAND_UPLOAD)
        COUNT(sim, uploads);
    if (robot->errand == ERRAND_UPLOAD && robot->leaves)
        COUNT(sim, late_uploads);
    front_submit(sim, make_input(sim, robot), false, hear, robot, request);
}

/* No answer came for too long: once more. */
static void lose_patience(struct sim *sim, void *about, int64_t request)
{
    struct robot *robot = about;

    if (robot->request != request || robot->errand == ERRAND_NONE || sim->quiet)
        return;
    sim_trace(sim, "%s hears no answer", robot->id);
    plan_again(sim, robot, 0);
}

static void act(struct sim *sim, void *about, int64_t number)
{
    struct robot *robot = about;
    bool polls = robot->errand == ERRAND_POLL;

    (void)number;
    if (robot->errand == ERRAND_NONE || robot->awaits || sim->quiet)
        return;
    robot->request = ++sim->fleet->requests;
    robot->awaits = true;
    robot->tries += !polls;
    if (!sim_chance(sim, 5)) /* else it is lost on its way */
        sim_after(sim, sim_between(sim, 0, 20), arrive, robot, robot->request);
    sim_after(sim, polls ? 30000 : sim_between(sim, 20, 4000), lose_patience, robot,
              robot->request);
}

void fleet_forget_process(struct sim *sim)
{
    for (size_t i = 0; i < sim->fleet->count; i++) {
        struct robot *robot = sim->fleet->robots[i];
        robot->presence = (struct presence){0};
        /* most see that the connection is closed */
        if (robot->awaits && sim_chance(sim, 800))
            plan_again(sim, robot, sim_between(sim, 10, 2000));
    }
}

/* --- the fleet --- */

static void add_robot(struct sim *sim)
{
    struct fleet *fleet = sim->fleet;
    struct robot *robot = xcalloc(1, sizeof *robot);

    robot->index = fleet->count;
    snprintf(robot->id, sizeof robot->id, "client-%zu", robot->index);
    robot->strict = sim_chance(sim, 600);
    robot->clumsiness = sim_chance(sim, 700) ? 10 : 100;
    robot->after = ERRAND_POLL;
    robot->names = json_new_array();
    fleet->robots = xreallocarray(fleet->robots, fleet->count + 1, sizeof *fleet->robots);
    fleet->robots[fleet->count++] = robot;
    COUNT(sim, clients);
    plan(sim, robot, ERRAND_REGISTER, sim_between(sim, 0, 3000));
}

/* As many as there are to be are about. */
static void muster(struct sim *sim, void *about, int64_t number)
{
    struct fleet *fleet = sim->fleet;
    size_t active = 0;

    (void)about, (void)number;
    for (size_t i = 0; i < fleet->count; i++)
        active += fleet->robots[i]->errand != ERRAND_NONE;
    for (; active < fleet->wanted && fleet->count < fleet->most && !sim->quiet; active++)
        add_robot(sim);
    if (!sim->quiet)
        sim_after(sim, sim_between(sim, 200, 4000), muster, NULL, 0);
}

void fleet_begin(struct sim *sim)
{
    sim->fleet = xcalloc(1, sizeof *sim->fleet);
    sim->fleet->wanted = (size_t)sim_between(sim, 2, 16);
    sim->fleet->most = (size_t)sim_between(sim, 10, 140);
    muster(sim, NULL, 0);
    polls_begin(sim);
}

void fleet_free(struct sim *sim)
{
    struct fleet *fleet = sim->fleet;

    for (size_t i = 0; i < fleet->count; i++) {
        json_object_put(fleet->robots[i]->names);
        json_object_put(fleet->robots[i]->report);
        free(fleet->robots[i]->work);
        free(fleet->robots[i]);
    }
    free(fleet->robots);
    free(fleet);
}
