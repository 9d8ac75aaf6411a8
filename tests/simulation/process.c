/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a process: how its engine reaches the world, how it dies, how the next one
 * starts. */
#include "process.h"

#include "fleet.h"
#include "homes.h"
#include "input.h"
#include "invariants.h"
#include "journal.h"
#include "model.h"
#include "people.h"
#include "polls.h"
#include "xalloc.h"

#include <stdlib.h>

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

static const struct engine_ops loud = {wake_cb, create_cb, destroy_cb,
                                       http_cb, log_cb,    NULL};

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
                                        quiet_http, quiet_text,   NULL};

/* The status page says when an engine was made: that is to be the same for all. */
static struct engine *new_engine(struct sim *sim, const struct engine_ops *ops)
{
    struct instant beginning = {.mono_ms = 1, .wall_ms = 1};

    return engine_new(ops, sim, &beginning);
}

/* --- reading the journal back --- */

static void replay_one(struct sim *sim, struct engine *engine,
                       const struct written *written, bool *fresh, bool is_news)
{
    struct json_object *input = journal_read(sim, written);
    char *cause = NULL;
    struct engine *before = sim->front->engine;

    sim->front->engine = engine;
    if (is_news)
        ledger_before(sim, input);
    enum engine_result result = input_replay(engine, input, &written->at, fresh, &cause);
    if (is_news)
        ledger_after(sim, input, result, cause);
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

struct engine *process_replay(struct sim *sim)
{
    struct engine *engine = new_engine(sim, &quiet);
    bool fresh = true;
    size_t at = 0;

    replay_until(sim, engine, &at, &fresh, sim->front->applied);
    return engine;
}

/* The engine of a process that starts: as the one before it, and what that had not come
 * to. */
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

/* --- the start of a process --- */

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
    front_settle(sim);
}

/* --- the end of a process --- */

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

void process_end(struct sim *sim, const char *why)
{
    struct front *front = sim->front;
    int64_t dead_ms = sim_between(sim, 5, sim_chance(sim, 100) ? 60000 : 3000);

    sim_trace(sim, "process %u ends: %s", sim->process, why);
    sim->crash_wanted = false;
    invariants_check_replay(sim);
    engine_free(front->engine);
    front->engine = NULL;
    front_forget(front);
    sim->process++;
    lose_time(sim, dead_ms);
    homes_forget_process(sim);
    fleet_forget_process(sim);
    sim_after(sim, dead_ms, start, NULL, 0);
}

void process_tempt(struct sim *sim)
{
    struct front *front = sim->front;
    bool is_hot = front->engine != NULL && (front->queued > 0 || front->under_way > 0 ||
                                            !TAILQ_EMPTY(&front->safe));

    if (front->engine == NULL || front->crash_odds == 0 || front->crashes_left == 0 ||
        sim->quiet || sim_random(sim, front->crash_odds) >= (is_hot ? 6 : 1))
        return;
    front->crashes_left--;
    count_crash(sim);
    process_end(sim, "it crashes");
}

void process_begin(struct sim *sim)
{
    struct front *front = sim->front;

    front->crashes_left = sim_random(sim, 6);
    front->crash_odds = (unsigned)sim_between(sim, 100, 2500);
    front->engine = new_engine(sim, &loud);
}
