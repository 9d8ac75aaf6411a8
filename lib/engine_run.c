/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run from its beginning to its end, and a process that goes on where another one
 * stopped.
 */
#include "engine_internal.h"
#include "entering.h"
#include "json.h"
#include "matching.h"
#include "run.h"
#include "xalloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* --- beginning --- */

enum engine_result engine_add_run(struct engine *engine, struct run *run,
                                  const struct instant *now)
{
    struct suite *suite;

    if (engine_find_run(engine, run->id) != NULL) {
        run_free(run);
        return ENGINE_WRONG_MOMENT;
    }
    run->added = *now;
    HASH_CLEAR(hh, run->suites_by_id);
    HASH_CLEAR(hh, run->cases_by_id);
    TAILQ_FOREACH (suite, &run->suites, link) {
        HASH_ADD_STR(engine->suites_by_id, id, suite);
        for (size_t i = 0; i < suite->case_count; i++)
            HASH_ADD_STR(engine->cases_by_id, id, &suite->cases[i]);
    }
    TAILQ_INSERT_TAIL(&engine->runs, run, link);
    engine->has_task = true;
    engine_show(engine, ENGINE_RUN, run->id);
    return ENGINE_OK;
}

const char *engine_next_run(const struct engine *engine)
{
    const struct run *run;

    if (engine->going != NULL || engine->stopping != NULL)
        return NULL;
    TAILQ_FOREACH (run, &engine->runs, link) {
        if (run->state == RUN_QUEUED)
            return run->id;
    }
    return NULL;
}

/* Clients that gave up before they had a role have heard of it by now. */
static void forget_retired_clients(struct engine *engine)
{
    struct client *client, *next;

    HASH_ITER (hh, engine->clients, client, next) {
        if (client->state == CLIENT_LOST && client->turn == NULL)
            engine_forget_client(engine, client);
    }
}

void engine_begin_run(struct engine *engine, const char *id, const struct instant *now)
{
    struct run *run = engine_find_run(engine, id);
    struct client *client;
    struct suite *suite;

    if (run == NULL || run->state != RUN_QUEUED || engine->going != NULL)
        return;
    forget_retired_clients(engine);
    run->checkpoint = engine_checkpoint(engine);
    engine->going = run;
    run->state = RUN_RUNNING;
    run->begun = *now;
    run->matching = matching_new(&run->settings);
    TAILQ_FOREACH (suite, &run->suites, link) {
        for (size_t i = 0; i < suite->case_count; i++)
            engine_await_clients(engine, &suite->cases[i], now);
    }
    for (client = engine->clients; client != NULL; client = client->hh.next) {
        if (client->state == CLIENT_WAITING)
            engine_join(engine, client);
    }
    engine_show(engine, ENGINE_RUN, run->id);
    engine_settle(engine, now);
}

/* --- ending --- */

void engine_end_run(struct engine *engine, struct run *run, const struct instant *now)
{
    struct client *client;

    run->state = RUN_ENDED;
    run->ended = *now;
    run->changes++;
    engine_show(engine, ENGINE_RUN, run->id);
    if (engine->going != run)
        return;
    for (client = engine->clients; client != NULL; client = client->hh.next) {
        if (client->state == CLIENT_WAITING)
            matching_remove_client(run->matching, client);
    }
    engine->going = NULL;
    engine_log(engine, "run %s%s%s has ended: %zu of %zu cases succeeded", run->id,
               *run->label ? " " : "", run->label, run->totals[CASE_SUCCESS],
               run->case_count);
}

void engine_notice_end(struct engine *engine, const struct instant *now)
{
    struct run *run = engine->going;

    if (run != NULL &&
        run->totals[CASE_SUCCESS] + run->totals[CASE_FAILED] + run->totals[CASE_ERROR] ==
            run->case_count)
        engine_end_run(engine, run, now);
}

void engine_break_off(struct engine *engine, struct run *run, const struct instant *now)
{
    struct suite *suite;

    TAILQ_FOREACH (suite, &run->suites, link) {
        for (size_t i = 0; i < suite->case_count; i++) {
            struct testcase *testcase = &suite->cases[i];
            if (testcase->state == CASE_PREPARING || testcase->state == CASE_RUNNING)
                engine_end_case(engine, testcase, "shutdown", run->broken_off, now);
            else if (testcase->state == CASE_WAITING && testcase->turn_count > 0)
                engine_end_with_last_turn(engine, testcase, now);
            heap_remove(&engine->due, &testcase->due); /* it waits no more */
        }
    }
    engine_end_run(engine, run, now);
}

enum engine_result engine_cancel_run(struct engine *engine, const char *id,
                                     const char *who, const struct instant *now,
                                     char **cause)
{
    struct run *run = engine_find_run(engine, id);
    struct suite *suite;

    if (run == NULL) {
        cause_set(cause, "there is no run of this id");
        return ENGINE_UNKNOWN;
    }
    if (run->state == RUN_ENDED) {
        cause_set(cause, "this run has ended already");
        return ENGINE_WRONG_MOMENT;
    }
    char *message = xasprintf("the run was cancelled %s", who);
    run->broken_off = xstrdup(message);
    TAILQ_FOREACH (suite, &run->suites, link) {
        for (size_t i = 0; i < suite->case_count; i++)
            engine_end_case(engine, &suite->cases[i], "cancelled", message, now);
    }
    free(message);
    engine_end_run(engine, run, now);
    return ENGINE_OK;
}

enum engine_result engine_cancel_case(struct engine *engine, const char *id,
                                      const char *who, const struct instant *now,
                                      char **cause)
{
    struct testcase *testcase = NULL;

    HASH_FIND_STR(engine->cases_by_id, id, testcase);
    if (testcase == NULL) {
        cause_set(cause, "there is no case of this id");
        return ENGINE_UNKNOWN;
    }
    if (testcase_has_ended(testcase) || testcase->suite->run->state == RUN_ENDED) {
        cause_set(cause, "this case has ended already");
        return ENGINE_WRONG_MOMENT;
    }
    char *message = xasprintf("the case was cancelled %s", who);
    engine_end_case(engine, testcase, "cancelled", message, now);
    free(message);
    engine_settle(engine, now);
    return ENGINE_OK;
}

static void forget_clients_of(struct engine *engine, const struct run *run)
{
    struct client *client, *next;

    HASH_ITER (hh, engine->clients, client, next) {
        if (client->turn != NULL && client->turn->testcase->suite->run == run)
            engine_forget_client(engine, client);
    }
}

static void forget_former_clients(struct engine *engine, const char *run)
{
    struct json_object *left = json_new_object();

    json_object_object_foreach (engine->former, client, of) {
        if (strcmp(json_object_get_string(of), run) != 0)
            json_put(left, client, json_object_get(of));
    }
    json_object_put(engine->former);
    engine->former = left;
}

void engine_drop_run(struct engine *engine, struct run *run)
{
    struct suite *suite;

    TAILQ_FOREACH (suite, &run->suites, link) {
        HASH_DEL(engine->suites_by_id, suite);
        for (size_t i = 0; i < suite->case_count; i++)
            HASH_DEL(engine->cases_by_id, &suite->cases[i]);
    }
    TAILQ_REMOVE(&engine->runs, run, link);
    run_free(run);
}

void engine_forget_run(struct engine *engine, const char *id)
{
    struct run *run = engine_find_run(engine, id);
    struct deployment *deployment, *next;

    if (run == NULL)
        forget_former_clients(engine, id);
    if (run == NULL || run->state != RUN_ENDED)
        return;
    forget_clients_of(engine, run);
    HASH_ITER (hh, engine->deployments, deployment, next) {
        if (deployment->turn != NULL && deployment->turn->testcase->suite->run == run)
            deployment->turn = NULL;
    }
    engine_show(engine, ENGINE_RUN, run->id);
    engine_drop_run(engine, run);
}

/* --- going on --- */

/* Servers that nobody wants are destroyed; those that were being made, too, and made anew
 * under another name: whether they came to be, nobody has heard. */
static void resume_deployments(struct engine *engine, const struct instant *now)
{
    struct deployment *deployment = engine->deployments;

    /* those that are added on the way come after the ones that were there */
    for (size_t left = HASH_COUNT(engine->deployments); left > 0;
         left--, deployment = deployment->hh.next) {
        struct turn *turn = deployment->turn;
        if (deployment->unwanted || !deployment->answered)
            engine->ops.destroy(engine->context, deployment->name, deployment->where,
                                !deployment->answered);
        if (deployment->unwanted || deployment->answered)
            continue;
        deployment->unwanted = true;
        if (turn != NULL && turn->deployment == deployment) {
            transcript_add(&turn->prelude, now, TRANSCRIPT_SERVER, NULL,
                           "the server was started again: asks homerunner once more");
            engine_deploy_case(engine, turn->testcase);
        }
    }
}

static void forget_dismissed_clients(struct engine *engine)
{
    struct client *client, *next;

    HASH_ITER (hh, engine->clients, client, next) {
        if (client->turn == NULL && client->exit_answer != NULL)
            engine_forget_client(engine, client);
    }
}

void engine_resume(struct engine *engine, const struct instant *now)
{
    struct testcase *testcase;

    if (engine->stopping != NULL)
        forget_dismissed_clients(engine);
    free(engine->stopping);
    engine->stopping = NULL;
    resume_deployments(engine, now);
    for (testcase = engine->cases_by_id; testcase != NULL; testcase = testcase->hh.next) {
        if (testcase->state != CASE_RUNNING)
            continue;
        entering_resume(testcase->turn->attempt, now);
        engine_case_moved(engine, testcase->turn, now);
    }
    engine_settle(engine, now);
}

/* --- reading --- */

enum run_standing engine_run_standing(const struct engine *engine, const char *id)
{
    const struct run *run = engine_find_run(engine, id);

    return run == NULL                ? RUN_IS_UNKNOWN
           : run->state == RUN_QUEUED ? RUN_IS_QUEUED
           : run->state == RUN_ENDED  ? RUN_IS_OVER
                                      : RUN_IS_GOING;
}

void engine_ended_runs(const struct engine *engine,
                       void (*each)(void *argument, const char *run, bool shown,
                                    size_t changes, const struct instant *ended),
                       void *argument)
{
    const struct run *run, *shown = engine_shown_run(engine);

    TAILQ_FOREACH (run, &engine->runs, link) {
        if (run->state == RUN_ENDED)
            each(argument, run->id, run == shown, run->changes, &run->ended);
    }
}

void engine_begun_runs(const struct engine *engine,
                       void (*each)(void *argument, const char *run), void *argument)
{
    const struct run *run;

    TAILQ_FOREACH (run, &engine->runs, link) {
        if (run->begun.mono_ms != 0)
            each(argument, run->id);
    }
}

void engine_clients(const struct engine *engine,
                    void (*each)(void *argument, const char *client), void *argument)
{
    const struct client *client;

    for (client = engine->clients; client != NULL; client = client->hh.next)
        each(argument, client->id);
}

size_t engine_run_count(const struct engine *engine)
{
    const struct run *run;
    size_t count = 0;

    TAILQ_FOREACH (run, &engine->runs, link) {
        count += run->state != RUN_ENDED || run != engine_shown_run(engine);
    }
    return count;
}

bool engine_is_done(const struct engine *engine)
{
    const struct run *run;

    TAILQ_FOREACH (run, &engine->runs, link) {
        if (run->state != RUN_ENDED)
            return false;
    }
    return true;
}

bool engine_is_restoring(const struct engine *engine)
{
    return engine->is_restoring;
}

bool engine_is_fresh(const struct engine *engine)
{
    return !engine->has_task;
}

bool engine_succeeded(const struct engine *engine)
{
    const struct run *run = engine_shown_run(engine);

    return run != NULL && run->totals[CASE_SUCCESS] == run->case_count;
}

const struct dictionary *engine_dictionary(const struct engine *engine)
{
    const struct run *run = engine_shown_run(engine);

    return run != NULL ? run->dictionary : NULL;
}
