/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run from its beginning to its end; what is kept between runs; and a process that goes on where
 * another one stopped.
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
            matching_add_client(run->matching, client);
    }
    engine_settle(engine, now);
}

/* --- ending --- */

void engine_end_run(struct engine *engine, struct run *run, const struct instant *now)
{
    struct client *client;

    run->state = RUN_ENDED;
    run->ended = *now;
    run->changes++;
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

    if (run != NULL && run->totals[CASE_SUCCESS] + run->totals[CASE_FAILED] +
                               run->totals[CASE_ERROR] ==
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
            heap_remove(&engine->due, &testcase->due); /* of those that waited */
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

void engine_forget_run(struct engine *engine, const char *id)
{
    struct run *run = engine_find_run(engine, id);
    struct deployment *deployment, *next;
    struct suite *suite;

    engine_forget_departed(engine, id);
    if (run == NULL || run->state != RUN_ENDED)
        return;
    forget_clients_of(engine, run);
    HASH_ITER (hh, engine->deployments, deployment, next) {
        if (deployment->turn != NULL && deployment->turn->testcase->suite->run == run)
            deployment->turn = NULL;
    }
    TAILQ_FOREACH (suite, &run->suites, link) {
        HASH_DEL(engine->suites_by_id, suite);
        for (size_t i = 0; i < suite->case_count; i++)
            HASH_DEL(engine->cases_by_id, &suite->cases[i]);
    }
    TAILQ_REMOVE(&engine->runs, run, link);
    run_free(run);
}

/* --- between runs --- */

static struct json_object *client_json(const struct client *client)
{
    struct json_object *object = json_new_object();

    json_put_text(object, "id", client->id);
    json_put_int(object, "registered", client->registered_ms);
    json_put_int(object, "reported", client->reported_ms);
    json_put(object, "registration", json_object_get(client->registration));
    return object;
}

static struct json_object *deployment_json(const struct deployment *deployment)
{
    struct json_object *object = json_new_object();

    json_put_text(object, "name", deployment->name);
    json_put_bool(object, "answered", deployment->answered);
    json_put_bool(object, "unwanted", deployment->unwanted);
    return object;
}

static struct json_object *instant_json(const struct instant *instant)
{
    struct json_object *object = json_new_object();

    json_put_int(object, "mono", instant->mono_ms);
    json_put_int(object, "wall", instant->wall_ms);
    return object;
}

/* What was cancelled of a run before it began; NULL if nothing was. */
static struct json_object *queued_json(const struct run *run)
{
    struct json_object *object = json_new_object();
    struct json_object *cases = json_new_object();
    const struct suite *suite;

    TAILQ_FOREACH (suite, &run->suites, link) {
        for (size_t i = 0; i < suite->case_count; i++) {
            const struct testcase *testcase = &suite->cases[i];
            if (!testcase_has_ended(testcase))
                continue;
            struct json_object *ended = instant_json(&testcase->ended);
            json_put_text(ended, "message", testcase->verdict.message);
            json_put(cases, testcase->id, ended);
        }
    }
    json_put_text(object, "id", run->id);
    if (run->state == RUN_ENDED) {
        json_put_text(object, "broken_off", run->broken_off);
        json_put(object, "ended", instant_json(&run->ended));
    }
    json_put(object, "cases", cases);
    if (run->state == RUN_ENDED || json_object_object_length(cases) > 0)
        return object;
    json_object_put(object);
    return NULL;
}

static struct json_object *queue_json(const struct engine *engine)
{
    struct json_object *queue = json_new_array();
    const struct run *run;

    TAILQ_FOREACH (run, &engine->runs, link) {
        struct json_object *queued = run->begun.mono_ms == 0 ? queued_json(run) : NULL;
        if (queued != NULL)
            json_append(queue, queued);
    }
    return queue;
}

struct json_object *engine_checkpoint(const struct engine *engine)
{
    struct json_object *checkpoint = json_new_object();
    struct json_object *clients = json_new_array();
    struct json_object *played = json_new_object();
    struct json_object *deployments = json_new_array();
    const struct client *client;
    const struct deployment *deployment;

    for (client = engine->clients; client != NULL; client = client->hh.next) {
        if (client->state == CLIENT_WAITING)
            json_append(clients, client_json(client));
        if (client->turn != NULL)
            json_put_text(played, client->id, client->turn->testcase->suite->run->id);
    }
    for (deployment = engine->deployments; deployment != NULL;
         deployment = deployment->hh.next)
        json_append(deployments, deployment_json(deployment));
    json_put(checkpoint, "clients", clients);
    json_put(checkpoint, "played", played);
    json_put(checkpoint, "deployments", deployments);
    json_put(checkpoint, "queue", queue_json(engine));
    return checkpoint;
}

struct deployment *engine_add_deployment(struct engine *engine, const char *name)
{
    struct deployment *deployment = xcalloc(1, sizeof *deployment);

    strncpy(deployment->name, name, sizeof deployment->name - 1);
    HASH_ADD_STR(engine->deployments, name, deployment);
    return deployment;
}

static void restore_client(struct engine *engine, struct json_object *json)
{
    struct client *client = engine_add_client(engine, json_member_text(json, "id"),
                                              json_member(json, "registration"));

    client->registered_ms = json_object_get_int64(json_member(json, "registered"));
    client->reported_ms = json_object_get_int64(json_member(json, "reported"));
}

static void restore_deployment(struct engine *engine, struct json_object *json)
{
    struct deployment *deployment =
        engine_add_deployment(engine, json_member_text(json, "name"));

    deployment->answered = json_object_get_boolean(json_member(json, "answered"));
    deployment->unwanted = json_object_get_boolean(json_member(json, "unwanted"));
}

bool engine_has_departed(const struct engine *engine, const char *id)
{
    struct departed *departed = NULL;

    HASH_FIND_STR(engine->departed, id, departed);
    return departed != NULL;
}

void engine_forget_departed(struct engine *engine, const char *run)
{
    struct departed *departed, *next;

    HASH_ITER (hh, engine->departed, departed, next) {
        if (run != NULL && strcmp(departed->run, run) != 0)
            continue;
        HASH_DEL(engine->departed, departed);
        free(departed->id);
        free(departed);
    }
}

static void restore_played(struct engine *engine, const char *id, struct json_object *run)
{
    struct departed *departed = xcalloc(1, sizeof *departed);

    departed->id = xstrdup(id);
    strncpy(departed->run, json_object_get_string(run), ID_SIZE - 1);
    HASH_ADD_KEYPTR(hh, engine->departed, departed->id, strlen(departed->id), departed);
}

static struct instant read_instant(struct json_object *json)
{
    return (struct instant){.mono_ms = json_object_get_int64(json_member(json, "mono")),
                            .wall_ms = json_object_get_int64(json_member(json, "wall"))};
}

/* A run that was queued, and is still known. */
static void restore_queued(struct engine *engine, struct json_object *json)
{
    struct run *run = engine_find_run(engine, json_member_text(json, "id"));
    struct json_object *cases = json_member(json, "cases");
    const char *broken_off = json_member_text(json, "broken_off");
    struct instant ended = read_instant(json_member(json, "ended"));

    if (run == NULL)
        return;
    run->broken_off = broken_off != NULL ? xstrdup(broken_off) : NULL;
    json_object_object_foreach (cases, id, value) {
        struct instant moment = read_instant(value);
        struct testcase *testcase = NULL;
        HASH_FIND_STR(engine->cases_by_id, id, testcase);
        if (testcase != NULL)
            engine_end_case(engine, testcase, "cancelled",
                            json_member_text(value, "message"), &moment);
    }
    if (broken_off != NULL)
        engine_end_run(engine, run, &ended);
}

void engine_restore(struct engine *engine, struct json_object *checkpoint)
{
    struct json_object *clients = json_member(checkpoint, "clients");
    struct json_object *played = json_member(checkpoint, "played");
    struct json_object *deployments = json_member(checkpoint, "deployments");
    struct json_object *queue = json_member(checkpoint, "queue");

    assert(engine->clients == NULL);
    for (size_t i = 0; i < json_object_array_length(clients); i++)
        restore_client(engine, json_object_array_get_idx(clients, i));
    for (size_t i = 0; i < json_object_array_length(deployments); i++)
        restore_deployment(engine, json_object_array_get_idx(deployments, i));
    for (size_t i = 0; i < json_object_array_length(queue); i++)
        restore_queued(engine, json_object_array_get_idx(queue, i));
    json_object_object_foreach (played, id, run) {
        restore_played(engine, id, run);
    }
}

/* --- going on --- */

/* Servers that nobody wants are destroyed; those that were being made, too, and made anew under
 * another name: whether they came to be, nobody has heard. */
static void resume_deployments(struct engine *engine, const struct instant *now)
{
    struct deployment *deployment = engine->deployments;

    /* those that are added on the way come after the ones that were there */
    for (size_t left = HASH_COUNT(engine->deployments); left > 0;
         left--, deployment = deployment->hh.next) {
        struct turn *turn = deployment->turn;
        if (deployment->unwanted || !deployment->answered)
            engine->ops.destroy(engine->context, deployment->name, !deployment->answered);
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

void engine_run_clients(const struct engine *engine, const char *id,
                        void (*each)(void *argument, const char *client), void *argument)
{
    const struct client *client;

    for (client = engine->clients; client != NULL; client = client->hh.next) {
        if (client->turn != NULL &&
            strcmp(client->turn->testcase->suite->run->id, id) == 0)
            each(argument, client->id);
    }
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

bool engine_succeeded(const struct engine *engine)
{
    const struct run *run = engine_shown_run(engine);

    return run == NULL || run->totals[CASE_SUCCESS] == run->case_count;
}

const struct dictionary *engine_dictionary(const struct engine *engine)
{
    const struct run *run = engine_shown_run(engine);

    return run != NULL ? run->dictionary : NULL;
}
