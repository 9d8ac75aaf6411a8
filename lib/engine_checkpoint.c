/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is kept between runs: all that inputs have led to but for runs that have begun, as
 * JSON, so that those inputs need not be read back; and back from it.
 */
#include "engine_internal.h"
#include "json.h"
#include "xalloc.h"

#include <assert.h>

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
    json_put_text(object, "where", deployment->where);
    json_put_bool(object, "answered", deployment->answered);
    json_put_bool(object, "unwanted", deployment->unwanted);
    return object;
}

static void put_instant(struct json_object *object, const struct instant *instant)
{
    json_put_int(object, "mono", instant->mono_ms);
    json_put_int(object, "wall", instant->wall_ms);
}

/* What was cancelled of a run that has not begun. */
static struct json_object *cancelled_json(const struct run *run)
{
    struct json_object *object = json_new_object();
    struct json_object *cases = json_new_array();
    const struct suite *suite;

    TAILQ_FOREACH (suite, &run->suites, link) {
        for (size_t i = 0; i < suite->case_count; i++) {
            const struct testcase *testcase = &suite->cases[i];
            if (!testcase_has_ended(testcase))
                continue;
            struct json_object *item = json_new_object();
            json_put_text(item, "id", testcase->id);
            json_put_text(item, "message", testcase->verdict.message);
            put_instant(item, &testcase->ended);
            json_append(cases, item);
        }
    }
    json_put_text(object, "id", run->id);
    json_put_text(object, "broken_off", run->broken_off);
    put_instant(object, &run->ended);
    json_put(object, "cases", cases);
    return object;
}

static struct json_object *cancelled_runs(const struct engine *engine)
{
    struct json_object *runs = json_new_array();
    const struct run *run;

    TAILQ_FOREACH (run, &engine->runs, link) {
        if (run->begun.mono_ms == 0 &&
            (run->state == RUN_ENDED || run->totals[CASE_ERROR] > 0))
            json_append(runs, cancelled_json(run));
    }
    return runs;
}

struct json_object *engine_checkpoint(const struct engine *engine)
{
    struct json_object *checkpoint = json_new_object();
    struct json_object *clients = json_new_array();
    struct json_object *deployments = json_new_array();
    struct json_object *former = json_copy(engine->former);
    const struct client *client;
    const struct deployment *deployment;

    for (client = engine->clients; client != NULL; client = client->hh.next) {
        if (client->state == CLIENT_WAITING)
            json_append(clients, client_json(client));
        if (client->turn != NULL)
            json_put_text(former, client->id, client->turn->testcase->suite->run->id);
    }
    for (deployment = engine->deployments; deployment != NULL;
         deployment = deployment->hh.next)
        json_append(deployments, deployment_json(deployment));
    json_put(checkpoint, "clients", clients);
    json_put(checkpoint, "deployments", deployments);
    json_put(checkpoint, "former", former);
    json_put(checkpoint, "cancelled", cancelled_runs(engine));
    return checkpoint;
}

struct json_object *engine_run_checkpoint(const struct engine *engine, const char *id)
{
    const struct run *run = engine_find_run(engine, id);

    return run != NULL ? json_object_get(run->checkpoint) : NULL;
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
    const char *where = json_member_text(json, "where");

    deployment->where = where != NULL ? xstrdup(where) : NULL;
    deployment->answered = json_object_get_boolean(json_member(json, "answered"));
    deployment->unwanted = json_object_get_boolean(json_member(json, "unwanted"));
}

static struct instant instant_of(struct json_object *json)
{
    return (struct instant){
        .mono_ms = json_object_get_int64(json_member(json, "mono")),
        .wall_ms = json_object_get_int64(json_member(json, "wall")),
    };
}

static void restore_cancelled(struct engine *engine, struct json_object *json)
{
    struct run *run = engine_find_run(engine, json_member_text(json, "id"));
    struct json_object *cases = json_member(json, "cases");
    struct instant ended = instant_of(json);

    if (run == NULL || run->state != RUN_QUEUED)
        return;
    for (size_t i = 0; i < json_object_array_length(cases); i++) {
        struct json_object *item = json_object_array_get_idx(cases, i);
        struct testcase *testcase = NULL;
        struct instant at = instant_of(item);
        HASH_FIND_STR(engine->cases_by_id, json_member_text(item, "id"), testcase);
        if (testcase != NULL)
            engine_end_case(engine, testcase, "cancelled",
                            json_member_text(item, "message"), &at);
    }
    if (ended.mono_ms == 0)
        return;
    run->broken_off = xstrdup(json_member_text(json, "broken_off"));
    engine_end_run(engine, run, &ended);
}

void engine_restore(struct engine *engine, struct json_object *checkpoint)
{
    struct json_object *clients = json_member(checkpoint, "clients");
    struct json_object *deployments = json_member(checkpoint, "deployments");
    struct json_object *cancelled = json_member(checkpoint, "cancelled");

    assert(engine->clients == NULL);
    for (size_t i = 0; i < json_object_array_length(clients); i++)
        restore_client(engine, json_object_array_get_idx(clients, i));
    for (size_t i = 0; i < json_object_array_length(deployments); i++)
        restore_deployment(engine, json_object_array_get_idx(deployments, i));
    for (size_t i = 0; i < json_object_array_length(cancelled); i++)
        restore_cancelled(engine, json_object_array_get_idx(cancelled, i));
    json_object_put(engine->former);
    engine->former = json_copy(json_member(checkpoint, "former"));
}
