/* SPDX-License-Identifier: Apache-2.0 */
/* Who runs the server. */
#include "people.h"

#include "front.h"
#include "homes.h"
#include "input.h"
#include "invariants.h"
#include "model.h"
#include "plans.h"
#include "process.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define SPACE     "7d0f1c3e-5b8a-4f0e-9c2d-2f6d1a3b4c5d"
#define LOOK_MS   2000
#define LATEST_MS (INT64_C(4) * 3600 * 1000) /* by then all must be over */

struct people {
    struct json_object *plans[4]; /* of the runs to come; owned */
    char ids[4][ID_SIZE];         /* of the same runs */
    size_t count;                 /* how many there are in all */
    bool asked[4];                /* the server took it */
    bool recording;               /* a run that has ended is not yet in the history */
};

/* --- runs --- */

static void ask_for_run(struct sim *sim, void *about, int64_t number);

void people_note_run(struct sim *sim, const char *id)
{
    for (size_t i = 0; i < sim->people->count; i++) {
        if (strcmp(sim->people->ids[i], id) == 0)
            sim->people->asked[i] = true;
    }
}

static void run_answered(struct sim *sim, void *asker, int64_t number, int status)
{
    (void)asker;
    if (status == 503)
        sim_after(sim, 2000, ask_for_run, NULL, number);
}

static void ask_for_run(struct sim *sim, void *about, int64_t number)
{
    struct people *people = sim->people;

    (void)about;
    if (people->asked[number])
        return;
    sim_after(sim, 15000, ask_for_run, NULL, number);
    if (!sim->front->is_open || sim->front->stopping)
        return;
    front_submit(sim, input_add_run(people->plans[number]), false, run_answered, NULL,
                 number);
}

/* --- cancelling --- */

static const struct run *a_run(const struct sim *sim, unsigned number)
{
    const struct run *run;
    unsigned count = 0;

    TAILQ_FOREACH (run, &sim->front->engine->runs, link) {
        count++;
    }
    number = count > 0 ? number % count : 0;
    TAILQ_FOREACH (run, &sim->front->engine->runs, link) {
        if (number-- == 0)
            return run;
    }
    return NULL;
}

static void cancel(struct sim *sim, void *about, int64_t number)
{
    (void)about;
    if (!sim->front->is_open || sim->quiet)
        return;
    const struct run *run = a_run(sim, sim_random(sim, 12));
    if (run == NULL)
        return;
    if (number == 0) {
        front_submit(sim, input_cancel_run(run->id, "by an operator"), false, NULL, NULL,
                     0);
    } else if (run->case_count > 0) {
        const struct suite *suite = TAILQ_FIRST(&run->suites);
        size_t index = sim_random(sim, (unsigned)suite->case_count);
        front_submit(sim, input_cancel_case(suite->cases[index].id, "by an operator"),
                     false, NULL, NULL, 0);
    }
}

/* --- stopping --- */

static void end_process(struct sim *sim, void *about, int64_t number)
{
    (void)about, (void)number;
    if (sim->front->engine != NULL && sim->front->stopping)
        process_end(sim, "it was stopped");
}

static void stop_answered(struct sim *sim, void *asker, int64_t number, int status)
{
    (void)asker, (void)number, (void)status;
    sim_after_here(sim, sim_between(sim, 0, 5000), end_process, NULL, 0);
}

static void stop(struct sim *sim, void *about, int64_t number)
{
    (void)about, (void)number;
    if (!sim->front->is_open || sim->quiet || sim->front->stopping)
        return;
    COUNT(sim, stops);
    sim->front->stopping = true;
    front_submit(sim, input_stop("the server stops"), true, stop_answered, NULL, 0);
}

/* --- forgetting --- */

/* A run that has ended is forgotten once it was written to the history, which takes a
 * while: in their order, since what comes after a run in the journal means something else
 * without it. */
static void forget(void *argument, const char *run, bool shown, size_t changes,
                   const struct instant *ended)
{
    struct sim *sim = argument;
    struct people *people = sim->people;

    (void)changes, (void)ended;
    people->recording = people->recording || shown || !sim_chance(sim, 300);
    if (!people->recording)
        front_submit(sim, input_forget_run(run), true, NULL, NULL, 0);
}

/* --- the end --- */

/* All that is left are cases that wait for clients, and may do so for ever. */
static bool only_waits(struct sim *sim, const struct run *run)
{
    size_t over =
        run->totals[CASE_SUCCESS] + run->totals[CASE_FAILED] + run->totals[CASE_ERROR];

    return run->totals[CASE_WAITING] > 0 &&
           run->totals[CASE_WAITING] + over == run->case_count &&
           run->settings.unfilled_timeout_ms == 0 &&
           engine_deployments(sim->front->engine) == 0;
}

static void wind_up(struct sim *sim)
{
    struct front *front = sim->front;
    bool all = true;

    if (!front_is_idle(front))
        return;
    for (size_t i = 0; i < sim->people->count; i++)
        all = all && sim->people->asked[i];
    if (front->engine->going != NULL && only_waits(sim, front->engine->going))
        front_submit(sim, input_cancel_run(front->engine->going->id, "at the end"), true,
                     NULL, NULL, 0);
    else if (all && engine_is_done(front->engine) && homes_left(sim) == 0 &&
             engine_deployments(front->engine) == 0 &&
             engine_client_count(front->engine) < 1000)
        sim->over = true;
}

/* Somebody looks after all of it now and then. */
static void look(struct sim *sim, void *about, int64_t number)
{
    (void)about, (void)number;
    if (sim->ms > LATEST_MS)
        sim_fail(sim, "it does not end: %zu deployments at homerunner, %zu known",
                 homes_left(sim),
                 sim->front->engine ? engine_deployments(sim->front->engine) : 0);
    if (sim->front->is_open && front_is_idle(sim->front)) {
        sim->people->recording = false;
        engine_ended_runs(sim->front->engine, forget, sim);
        if (sim->quiet)
            wind_up(sim);
    }
    sim_after_here(sim, LOOK_MS, look, NULL, 0);
}

void people_begin_process(struct sim *sim)
{
    sim_after_here(sim, LOOK_MS, look, NULL, 0);
}

static void fall_silent(struct sim *sim, void *about, int64_t number)
{
    (void)about, (void)number;
    sim_trace(sim, "nobody does anything any more");
    sim->quiet = true;
}

/* --- the beginning --- */

static void plan_runs(struct sim *sim)
{
    struct people *people = sim->people;

    people->count = (size_t)sim_between(sim, 1, 3);
    for (size_t i = 0; i < people->count; i++) {
        id_derive(people->ids[i], SPACE, "run %zu of %llu", i,
                  (unsigned long long)sim->report->seed);
        people->plans[i] = plan_make(sim, people->ids[i]);
        sim_after(sim, sim_between(sim, 0, i == 0 ? 5000 : 60000), ask_for_run, NULL,
                  (int64_t)i);
        COUNT(sim, runs);
    }
}

void people_begin(struct sim *sim)
{
    int64_t end = sim_between(sim, 30, 240) * 1000;

    sim->people = xcalloc(1, sizeof *sim->people);
    plan_runs(sim);
    for (unsigned i = sim_random(sim, 3); i > 0; i--)
        sim_after(sim, sim_between(sim, 0, end), cancel, NULL, sim_random(sim, 3));
    if (sim_chance(sim, 250))
        sim_after(sim, sim_between(sim, 0, end), stop, NULL, 0);
    sim_after(sim, end, fall_silent, NULL, 0);
    people_begin_process(sim);
}

void people_free(struct sim *sim)
{
    for (size_t i = 0; i < sim->people->count; i++)
        json_object_put(sim->people->plans[i]);
    free(sim->people);
}
