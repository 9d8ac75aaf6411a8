/* SPDX-License-Identifier: Apache-2.0 */
/* The way of an input, and of a process. */
#include "front.h"

#include "fleet.h"
#include "homes.h"
#include "input.h"
#include "invariants.h"
#include "json.h"
#include "model.h"
#include "people.h"
#include "polls.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

static void settle(struct sim *sim);

/* --- what the engine asks for --- */

static void wake_cb(void *context, const char *client)
{
    polls_wake(context, client);
}

static void create_cb(void *context, const char *deployment,
                      const struct server_wanted *servers, size_t count)
{
    homes_create(context, deployment, servers, count);
}

static void destroy_cb(void *context, const char *deployment, const char *where,
                       bool lost)
{
    homes_destroy(context, deployment, where, lost);
}

static void http_cb(void *context, const char *ticket, struct json_object *request)
{
    homes_request(context, ticket, request);
}

static void log_cb(void *context, const char *line)
{
    sim_trace(context, "log: %s", line);
}

static const struct engine_ops loud = {wake_cb, create_cb, destroy_cb, http_cb, log_cb};

static void quiet_text(void *context, const char *text)
{
    (void)context, (void)text;
}

static void quiet_create(void *context, const char *deployment,
                         const struct server_wanted *servers, size_t count)
{
    (void)context, (void)deployment, (void)servers, (void)count;
}

static void quiet_destroy(void *context, const char *deployment, const char *where,
                          bool lost)
{
    (void)context, (void)deployment, (void)where, (void)lost;
}

static void quiet_http(void *context, const char *ticket, struct json_object *request)
{
    (void)context, (void)ticket, (void)request;
}

static const struct engine_ops quiet = {quiet_text, quiet_create, quiet_destroy,
                                        quiet_http, quiet_text};

/* The status page says when an engine was made: that is to be the same for all. */
static struct engine *new_engine(struct sim *sim, const struct engine_ops *ops)
{
    struct instant beginning = {.mono_ms = 1, .wall_ms = 1};

    return engine_new(ops, sim, &beginning);
}

/* --- the journal --- */

static void write_down(struct front *front, struct pending *pending)
{
    const char *kind = json_member_text(pending->input, "input");
    const char *run = json_member_text(pending->input, "run");
    const char *plan = json_member_text(json_member(pending->input, "plan"), "id");

    if (front->journal_count == front->journal_room) {
        front->journal_room = front->journal_room * 2 + 64;
        front->journal = xreallocarray(front->journal, front->journal_room,
                                       sizeof *front->journal);
    }
    struct written *written = &front->journal[front->journal_count++];
    *written = (struct written){.text = xstrdup(json_text(pending->input)),
                                .at = pending->at,
                                .number = ++front->last_number};
    pending->number = written->number;
    if (strcmp(kind, "run") == 0)
        memcpy(written->brings, plan, ID_SIZE);
    if (strcmp(kind, "begin") == 0)
        memcpy(written->begins, run, ID_SIZE);
}

static const char *oldest_begun(const struct engine *engine)
{
    const struct run *run, *oldest = NULL;

    TAILQ_FOREACH (run, &engine->runs, link) {
        if (run->begun.mono_ms != 0 &&
            (oldest == NULL || run->begun.mono_ms < oldest->begun.mono_ms))
            oldest = run;
    }
    return oldest != NULL ? oldest->id : "";
}

/* Where the run begins; the length of the journal if it does not. */
static size_t find_beginning(const struct front *front, const char *run)
{
    size_t i = 0;

    while (i < front->journal_count &&
           (run[0] == '\0' || strcmp(front->journal[i].begins, run) != 0))
        i++;
    return i;
}

/* Forget what nobody needs any more: see journal_cut() in src/journal.h. */
static void cut_journal(struct sim *sim)
{
    struct front *front = sim->front;
    size_t beginning = find_beginning(front, oldest_begun(front->engine));
    size_t kept = 0;

    if (beginning == front->journal_count || beginning == 0)
        return;
    for (size_t i = 0; i < front->journal_count; i++) {
        struct written *written = &front->journal[i];
        bool brings = *written->brings &&
                      engine_find_run(front->engine, written->brings) != NULL;
        if (i >= beginning || brings)
            front->journal[kept++] = *written;
        else
            free(written->text);
    }
    sim_trace(sim, "the journal is cut from %zu to %zu inputs", front->journal_count,
              kept);
    front->is_cut = front->is_cut || kept < front->journal_count;
    front->journal_count = kept;
    COUNT(sim, cuts);
}

/* --- the way of an input --- */

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
    if (answer->out ||
        (answer->process == sim->process && sim->front->engine != NULL))
        answer->answered(sim, answer->asker, answer->request, answer->status);
}

static void give_answer(struct sim *sim, const struct pending *pending, int status)
{
    if (pending->answered == NULL)
        return;
    struct answer *answer = xcalloc(1, sizeof *answer);
    *answer = (struct answer){pending->answered,  pending->asker, pending->request,
                              status,             sim_chance(sim, 300),
                              sim->process};
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
        cut_journal(sim);
    if (is_kind(input, "resume"))
        front->is_open = true;
}

static void apply_one(struct sim *sim, struct pending *pending)
{
    struct front *front = sim->front;
    char *cause = NULL;

    front->resuming = is_kind(pending->input, "resume");
    memory_before(sim, pending->input);
    enum engine_result result =
        input_apply(front->engine, pending->input, &pending->at, &cause);
    front->resuming = false;
    front->applied = pending->number;
    COUNT(sim, inputs);
    sim_trace(sim, "applied %lld %.120s: %d %s", (long long)pending->number,
              json_text(pending->input), (int)result, cause != NULL ? cause : "");
    memory_after(sim, pending->input, result, cause);
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
    settle(sim);
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
        write_down(front, pending);
        TAILQ_INSERT_TAIL(&front->safe, pending, link);
    }
    settle(sim);
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
    settle(sim);
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

/* What is written down with a beginning must hold when it is applied: nothing may be before it. */
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

static void settle(struct sim *sim)
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

/* --- processes --- */

static struct json_object *read_back(struct sim *sim, const struct written *written)
{
    struct json_object *input = NULL;
    char *cause = NULL;

    if (json_read(written->text, strlen(written->text), 64, &input, &cause) < 0)
        sim_fail(sim, "an input can't be read back: %s: %s", cause, written->text);
    return input;
}

static void replay_one(struct sim *sim, struct engine *engine,
                       const struct written *written, bool *fresh, bool is_news)
{
    struct json_object *input = read_back(sim, written);
    char *cause = NULL;
    struct engine *before = sim->front->engine;

    sim->front->engine = engine;
    if (is_news)
        memory_before(sim, input);
    enum engine_result result =
        input_replay(engine, input, &written->at, fresh, &cause);
    if (is_news)
        memory_after(sim, input, result, cause);
    sim->front->engine = before;
    json_object_put(input);
    free(cause);
}

/* Read back what comes after *at, as long as its number is at most `last`. */
static void replay_until(struct sim *sim, struct engine *engine, size_t *at, bool *fresh,
                         int64_t last)
{
    const struct front *front = sim->front;

    for (; *at < front->journal_count && front->journal[*at].number <= last; (*at)++)
        replay_one(sim, engine, &front->journal[*at], fresh,
                   front->journal[*at].number > front->applied);
}

struct engine *front_replay(struct sim *sim)
{
    struct engine *engine = new_engine(sim, &quiet);
    bool fresh = true;
    size_t at = 0;

    replay_until(sim, engine, &at, &fresh, sim->front->applied);
    return engine;
}

/* The engine of a process that starts: as the one before it, and what that had not come to. */
static struct engine *read_journal(struct sim *sim)
{
    struct engine *engine = new_engine(sim, &quiet);
    bool fresh = true;
    size_t at = 0;

    replay_until(sim, engine, &at, &fresh, INT64_MAX);
    sim->front->applied = sim->front->last_number;
    if (sim->front->is_cut)
        COUNT(sim, cut_replays);
    return engine;
}

static void start(struct sim *sim, void *about, int64_t number)
{
    struct front *front = sim->front;

    (void)about, (void)number;
    sim_trace(sim, "process %u starts with %zu inputs", sim->process,
              front->journal_count);
    front->engine = read_journal(sim);
    engine_set_ops(front->engine, &loud);
    front->timer_ms = INT64_MAX;
    front->is_open = false;
    polls_begin(sim);
    invariants_check(sim);
    front_submit(sim, input_resume(), true, NULL, NULL, 0);
    people_begin_process(sim);
    settle(sim);
}

static void drop(struct pending_list *list)
{
    struct pending *pending;

    while ((pending = TAILQ_FIRST(list)) != NULL) {
        TAILQ_REMOVE(list, pending, link);
        free_pending(pending);
    }
}

static void count_crash(struct sim *sim)
{
    struct front *front = sim->front;
    const struct testcase *testcase;
    bool preparing = false;

    COUNT(sim, crashes);
    sim->report->tally.crash_asked += !TAILQ_EMPTY(&front->queue);
    sim->report->tally.crash_safe += !TAILQ_EMPTY(&front->safe);
    sim->report->tally.crash_applied += front->under_way > 0;
    sim->report->tally.crash_http += homes_requests(sim) > 0;
    sim->report->tally.crash_between += front->engine->going == NULL;
    for (testcase = front->engine->cases_by_id; testcase; testcase = testcase->hh.next)
        preparing = preparing || testcase->state == CASE_PREPARING;
    sim->report->tally.crash_preparing += preparing;
}

/* The clock for time-outs goes on where the latest sign of life was. */
static void lose_time(struct sim *sim, int64_t dead_ms)
{
    const struct front *front = sim->front;
    int64_t mono = sim_now(sim).mono_ms - sim_between(sim, 0, 1000);
    int64_t written = front->journal_count > 0
                          ? front->journal[front->journal_count - 1].at.mono_ms
                          : mono;

    mono = mono > written ? mono : written;
    sim->lag_ms += sim_now(sim).mono_ms - mono + dead_ms;
}

void front_crash(struct sim *sim, const char *why)
{
    struct front *front = sim->front;
    int64_t dead_ms = sim_between(sim, 5, sim_chance(sim, 100) ? 60000 : 3000);

    sim_trace(sim, "process %u ends: %s", sim->process, why);
    sim->crash_wanted = false;
    invariants_check_replay(sim);
    engine_free(front->engine);
    front->engine = NULL;
    drop(&front->queue);
    drop(&front->safe);
    front->queued = front->under_way = 0;
    front->commits = front->applies = front->time_asked = false;
    front->stopping = front->is_open = false;
    sim->process++;
    lose_time(sim, dead_ms);
    homes_forget_process(sim);
    fleet_forget_process(sim);
    sim_after(sim, dead_ms, start, NULL, 0);
}

void front_tempt(struct sim *sim)
{
    struct front *front = sim->front;
    bool is_hot = front->engine != NULL &&
                  (front->queued > 0 || front->under_way > 0 ||
                   !TAILQ_EMPTY(&front->safe));

    if (front->engine == NULL || front->crash_odds == 0 || front->crashes_left == 0 ||
        sim->quiet || sim_random(sim, front->crash_odds) >= (is_hot ? 6 : 1))
        return;
    front->crashes_left--;
    count_crash(sim);
    front_crash(sim, "it crashes");
}

void front_begin(struct sim *sim)
{
    struct front *front = sim->front = xcalloc(1, sizeof *front);

    TAILQ_INIT(&front->queue);
    TAILQ_INIT(&front->safe);
    front->timer_ms = INT64_MAX;
    front->is_open = true;
    front->crashes_left = sim_random(sim, 6);
    front->crash_odds = (unsigned)sim_between(sim, 300, 4000);
    front->refusal = sim_chance(sim, 300) ? 30 : 0;
    front->engine = new_engine(sim, &loud);
}

void front_free(struct sim *sim)
{
    struct front *front = sim->front;

    if (front->engine != NULL)
        engine_free(front->engine);
    drop(&front->queue);
    drop(&front->safe);
    for (size_t i = 0; i < front->journal_count; i++)
        free(front->journal[i].text);
    free(front->journal);
    free(front);
}
