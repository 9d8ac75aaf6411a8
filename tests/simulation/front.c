/* SPDX-License-Identifier: Apache-2.0 */
/* The way of an input: asked, safe, applied, answered. */
#include "front.h"

#include "input.h"
#include "invariants.h"
#include "journal.h"
#include "json.h"
#include "polls.h"
#include "process.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

static void free_pending(struct pending *pending)
{
    json_object_put(pending->input);
    free(pending);
}

/* An answer that is under way dies with the process, or is out already. */
struct answer {
    answering *answered; /* see struct pending */
    void *asker;         /* likewise */
    int64_t request;     /* likewise */
    int status;          /* what it is told */
    bool out;            /* it has left the process */
    unsigned process;    /* that gives it */
};

static void answer_now(struct sim *sim, void *about, int64_t number)
{
    struct answer *answer = about;

    (void)number;
    if (answer->process == sim->process && sim->front->engine != NULL)
        sim->front->under_way--;
    if (answer->out || (answer->process == sim->process && sim->front->engine != NULL))
        answer->answered(sim, answer->asker, answer->request, answer->status);
}

static void give_answer(struct sim *sim, const struct pending *pending, int status)
{
    if (pending->answered == NULL)
        return;
    struct answer *answer = xcalloc(1, sizeof *answer);
    *answer =
        (struct answer){pending->answered,    pending->asker, pending->request, status,
                        sim_chance(sim, 300), sim->process};
    sim->front->under_way++;
    sim_after_with(sim, sim_between(sim, 0, 40), answer_now, answer);
}

static int status_of(enum engine_result result)
{
    return result == ENGINE_OK             ? 200
           : result == ENGINE_UNKNOWN      ? 404
           : result == ENGINE_WRONG_MOMENT ? 409
                                           : 422;
}

static bool is_kind(struct json_object *input, const char *kind)
{
    return strcmp(json_member_text(input, "input"), kind) == 0;
}

/* What the front end does itself where an input was applied. */
static void follow(struct sim *sim, struct json_object *input)
{
    struct front *front = sim->front;

    if (is_kind(input, "time"))
        front->time_asked = false;
    if (is_kind(input, "forget") && sim_chance(sim, 900))
        journal_trim(sim);
    if (is_kind(input, "resume"))
        front->is_open = true;
    if (sim_chance(sim, 20))
        journal_take_snapshot(sim);
}

static void apply_one(struct sim *sim, struct pending *pending)
{
    struct front *front = sim->front;
    char *cause = NULL;

    front->resuming = is_kind(pending->input, "resume");
    ledger_before(sim, pending->input);
    enum engine_result result =
        input_apply(front->engine, pending->input, &pending->at, &cause);
    front->resuming = false;
    front->applied = pending->number;
    COUNT(sim, inputs);
    sim_trace(sim, "applied %lld %.120s: %d %s", (long long)pending->number,
              json_text(pending->input), (int)result, cause != NULL ? cause : "");
    ledger_after(sim, pending->input, result, cause);
    free(cause);
    polls_answer_woken(sim);
    give_answer(sim, pending, status_of(result));
    follow(sim, pending->input);
    invariants_check(sim);
}

static void apply_safe(struct sim *sim, void *about, int64_t number)
{
    struct front *front = sim->front;
    struct pending *pending = TAILQ_FIRST(&front->safe);

    (void)about, (void)number;
    front->applies = false;
    if (pending == NULL)
        return;
    TAILQ_REMOVE(&front->safe, pending, link);
    apply_one(sim, pending);
    free_pending(pending);
    front_settle(sim);
}

static void commit(struct sim *sim, void *about, int64_t number);

static void refuse(struct sim *sim)
{
    struct front *front = sim->front;
    struct pending *pending, *next;

    COUNT(sim, refused);
    sim_trace(sim, "a write is refused");
    for (pending = TAILQ_FIRST(&front->queue); pending != NULL; pending = next) {
        next = TAILQ_NEXT(pending, link);
        if (pending->keep)
            continue;
        TAILQ_REMOVE(&front->queue, pending, link);
        front->queued--;
        give_answer(sim, pending, 503);
        free_pending(pending);
    }
    if (front->queued > 0)
        sim_after_here(sim, 1000, commit, NULL, 0);
    front->commits = front->queued > 0;
}

static void commit(struct sim *sim, void *about, int64_t number)
{
    struct front *front = sim->front;
    struct pending *pending;

    (void)about, (void)number;
    if (sim_chance(sim, front->refusal) && !sim->quiet) {
        refuse(sim);
        return;
    }
    front->commits = false;
    while ((pending = TAILQ_FIRST(&front->queue)) != NULL) {
        TAILQ_REMOVE(&front->queue, pending, link);
        front->queued--;
        journal_append(front, pending);
        TAILQ_INSERT_TAIL(&front->safe, pending, link);
    }
    front_settle(sim);
}

void front_submit(struct sim *sim, struct json_object *input, bool keep,
                  answering *answered, void *asker, int64_t request)
{
    struct front *front = sim->front;
    struct pending *pending = xcalloc(1, sizeof *pending);

    *pending = (struct pending){.input = input,
                                .at = sim_now(sim),
                                .keep = keep,
                                .answered = answered,
                                .asker = asker,
                                .request = request};
    TAILQ_INSERT_TAIL(&front->queue, pending, link);
    front->queued++;
    if (!front->commits)
        sim_after_here(sim, sim_between(sim, 0, 15), commit, NULL, 0);
    front->commits = true;
}

bool front_is_idle(const struct front *front)
{
    return front->engine != NULL && front->is_open && TAILQ_EMPTY(&front->queue) &&
           TAILQ_EMPTY(&front->safe) && front->under_way == 0;
}

/* --- after each input --- */

static void note_polled(void *argument, const char *client)
{
    void **arguments = argument;
    int64_t polled = polls_last(arguments[0], client);

    if (polled != 0)
        json_put_int(arguments[1], client, polled);
}

static void strike(struct sim *sim, void *about, int64_t number)
{
    struct front *front = sim->front;
    struct instant now = sim_now(sim);

    (void)about, (void)number;
    front->timer_ms = INT64_MAX;
    if (engine_deadline(front->engine) <= now.mono_ms && !front->time_asked) {
        struct json_object *polled = json_new_object();
        void *arguments[] = {sim, polled};
        engine_overdue(front->engine, &now, note_polled, arguments);
        front->time_asked = true;
        front_submit(sim, input_time(polled), true, NULL, NULL, 0);
        json_object_put(polled);
    }
    front_settle(sim);
}

static void set_timer(struct sim *sim)
{
    struct front *front = sim->front;
    int64_t deadline = engine_deadline(front->engine);

    if (deadline == INT64_MAX || front->time_asked)
        return;
    int64_t due = sim_of_mono(sim, deadline);
    due = due > sim->ms ? due : sim->ms;
    if (due >= front->timer_ms)
        return;
    front->timer_ms = due;
    sim_after_here(sim, due - sim->ms, strike, NULL, 0);
}

/* What is written down with a beginning must hold when it is applied: nothing may be
 * before it. */
static void begin_next_run(struct sim *sim)
{
    struct front *front = sim->front;
    const char *run = engine_next_run(front->engine);

    if (run == NULL || !front->is_open || !TAILQ_EMPTY(&front->queue) ||
        !TAILQ_EMPTY(&front->safe))
        return;
    struct json_object *checkpoint = engine_checkpoint(front->engine);
    front_submit(sim, input_begin_run(run, checkpoint), true, NULL, NULL, 0);
    json_object_put(checkpoint);
}

void front_settle(struct sim *sim)
{
    struct front *front = sim->front;

    if (!TAILQ_EMPTY(&front->safe) && !front->applies) {
        front->applies = true;
        sim_after_here(sim, sim_chance(sim, 700) ? 0 : sim_between(sim, 1, 10),
                       apply_safe, NULL, 0);
    }
    begin_next_run(sim);
    set_timer(sim);
}

/* --- life --- */

static void drop(struct pending_list *list)
{
    struct pending *pending;

    while ((pending = TAILQ_FIRST(list)) != NULL) {
        TAILQ_REMOVE(list, pending, link);
        free_pending(pending);
    }
}

void front_forget(struct front *front)
{
    drop(&front->queue);
    drop(&front->safe);
    front->queued = front->under_way = 0;
    front->commits = front->applies = front->time_asked = false;
    front->stopping = front->is_open = false;
    front->timer_ms = INT64_MAX;
}

void front_begin(struct sim *sim)
{
    struct front *front = sim->front = xcalloc(1, sizeof *front);

    TAILQ_INIT(&front->queue);
    TAILQ_INIT(&front->safe);
    front->timer_ms = INT64_MAX;
    front->is_open = true;
    front->refusal = sim_chance(sim, 300) ? 30 : 0;
    process_begin(sim);
}

void front_free(struct sim *sim)
{
    struct front *front = sim->front;

    if (front->engine != NULL)
        engine_free(front->engine);
    front_forget(front);
    for (size_t i = 0; i < front->journal_count; i++)
        free(front->journal[i].text);
    free(front->journal);
    free(front);
}
