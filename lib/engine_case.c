/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A case from its clients to its outcome: it is started, its servers are made, its machine runs, its
 * end frees everybody.
 */
#include "engine_internal.h"
#include "json.h"
#include "matching.h"
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>

static const char *full_name(const struct testcase *testcase, char buffer[512])
{
    const struct definition *definition = testcase->suite->definition;

    snprintf(buffer, 512, "%s.%s/%s", definition->folder, definition->name,
             testcase->name);
    return buffer;
}

/* Its outcome is there: free its clients, destroy its servers. */
static void finish_case(struct engine *engine, struct testcase *testcase,
                        const struct instant *now)
{
    static const enum case_state states[] = {CASE_ERROR, CASE_SUCCESS, CASE_FAILED,
                                             CASE_ERROR};
    const struct verdict *verdict = testcase_verdict(testcase);
    char name[512];

    testcase_set_state(engine, testcase, states[verdict->outcome]);
    testcase->ended = *now;
    heap_remove(&engine->due, &testcase->due);
    engine_log(engine, "case %s: %s%s%s", full_name(testcase, name),
               case_state_text(testcase->state), *verdict->message ? ": " : "",
               verdict->message);
    char *reason = xasprintf("the case ended: %s%s%s", case_state_text(testcase->state),
                             *verdict->message ? ": " : "", verdict->message);
    for (size_t i = 0; testcase->players != NULL && i < testcase->machine->role_count;
         i++) {
        struct client *client = testcase->players[i];
        matching_count_busy(engine->matching, client, -1);
        if (client->state == CLIENT_PLAYING)
            client->state = CLIENT_DONE;
        engine_dismiss(engine, client, reason);
    }
    free(reason);
    if (testcase->deployed) {
        testcase->deployed = false;
        engine->ops.destroy(engine->context, testcase->deployment);
    }
}

/* A request is named by the id of its case and its ticket in the attempt. */
static void send_request(struct engine *engine, struct testcase *testcase)
{
    struct attempt *attempt = testcase->attempt;
    char *name = xasprintf("%s/%s", testcase->id, attempt->ticket);

    engine->ops.http(engine->context, name, attempt->request);
    json_object_put(attempt->request);
    attempt->request = NULL;
    free(name);
}

/* The attempt did something: wake clients that are to hear other things now, notice the
 * end. */
void engine_case_moved(struct engine *engine, struct testcase *testcase,
                       const struct instant *now)
{
    struct attempt *attempt = testcase->attempt;

    if (testcase_has_ended(testcase))
        return;
    if (attempt->verdict.outcome != OUTCOME_NONE) {
        finish_case(engine, testcase, now);
        return;
    }
    heap_put(&engine->due, &testcase->due, attempt_deadline(attempt));
    if (attempt->request != NULL)
        send_request(engine, testcase);
    for (size_t i = 0; i < attempt->machine->role_count; i++) {
        if (attempt->seats[i].changed)
            engine->ops.wake(engine->context, attempt->seats[i].client);
        attempt->seats[i].changed = false;
    }
}

/* End a case from outside, whether its machine runs or its servers are still being made.
 */
void engine_end_case(struct engine *engine, struct testcase *testcase,
                     enum outcome outcome, const char *type, const char *message,
                     const char *details, const struct instant *now)
{
    if (testcase_has_ended(testcase))
        return;
    if (testcase->attempt != NULL) {
        attempt_end(testcase->attempt, outcome, type, message, details, now);
    } else {
        testcase->verdict = (struct verdict){
            .outcome = outcome,
            .type = type,
            .message = xstrdup(message),
            .details = details != NULL ? xstrdup(details) : NULL,
        };
        transcript_add(&testcase->prelude, now, TRANSCRIPT_END, NULL, "%s: %s",
                       outcome == OUTCOME_FAILED ? "failed" : "error", message);
    }
    finish_case(engine, testcase, now);
}

void engine_run_case(struct engine *engine, struct testcase *testcase,
                     const struct instant *now)
{
    const struct definition *definition = testcase->suite->definition;
    size_t count = definition->role_count;
    struct player *players = xcalloc(count, sizeof *players);
    char attempt_id[ID_SIZE];
    int64_t timeout = definition->timeout_ms ? definition->timeout_ms
                                             : engine->settings->case_timeout_ms;

    for (size_t i = 0; i < count; i++) {
        const struct client *client = testcase->players[i];
        players[i] = (struct player){definition->roles[i].name, client->id, client->type,
                                     client->registration};
    }
    id_derive(attempt_id, testcase->id, "attempt 1");
    struct scope_parts parts = {
        .attempt_id = attempt_id,
        .case_id = testcase->id,
        .case_name = testcase->name,
        .attempt_number = 1,
        .run_id = engine->run_id,
        .run_started_ms = engine->started.wall_ms,
        .players = players,
        .player_count = count,
        .servers = testcase->servers,
        .colours = testcase->colours,
        .variables = definition->variables,
    };
    testcase_set_state(engine, testcase, CASE_RUNNING);
    testcase->attempt = attempt_new(testcase->machine, &parts, timeout,
                                    engine->settings->transcript, now);
    free(players);
    json_object_put(testcase->colours);
    testcase->colours = NULL;
    engine_case_moved(engine, testcase, now);
}

/* The first servers of a type with fixed ones, under the definition's names. */
static struct json_object *fixed_servers(const struct definition *definition,
                                         const struct server_type *type)
{
    struct json_object *servers = json_new_array();

    for (size_t i = 0; i < definition->server_count; i++) {
        struct json_object *server = json_new_object();
        json_put_text(server, "name", definition->servers[i]);
        json_put_text(server, "server_name", type->servers[i].server_name);
        json_put_text(server, "cs_api", type->servers[i].cs_api);
        json_append(servers, server);
    }
    return servers;
}

static void deploy_case(struct engine *engine, struct testcase *testcase,
                        const struct server_type *type)
{
    const struct definition *definition = testcase->suite->definition;
    size_t count = definition->server_count;
    struct server_wanted *wanted = xcalloc(count, sizeof *wanted);

    for (size_t i = 0; i < count; i++) {
        size_t image = i < type->image_count ? i : type->image_count - 1;
        wanted[i] = (struct server_wanted){definition->servers[i], type->images[image]};
    }
    snprintf(testcase->deployment, sizeof testcase->deployment, "%s-%d", testcase->id, 1);
    testcase->deployed = true;
    engine->deployments++;
    engine->ops.create(engine->context, testcase->deployment, wanted, count);
    free(wanted);
}

/* It has its clients: seat them, then run it, or have its servers made first. */
static void start_case(struct engine *engine, struct testcase *testcase,
                       const struct instant *now)
{
    const struct definition *definition = testcase->suite->definition;
    const struct server_type *type = engine_server_type(engine, definition);
    char name[512];

    testcase->taken = *now;
    heap_remove(&engine->due, &testcase->due);
    testcase_set_state(engine, testcase, CASE_PREPARING);
    engine_log(engine, "case %s: has its clients", full_name(testcase, name));
    for (size_t i = 0; i < definition->role_count; i++) {
        struct client *client = testcase->players[i];
        client->state = CLIENT_PLAYING;
        client->testcase = testcase;
        client->seat = i;
        matching_count_busy(engine->matching, client, 1);
        transcript_add(&testcase->prelude, now, TRANSCRIPT_NOTE,
                       definition->roles[i].name, "is played by %s (%s)", client->id,
                       client->type);
    }
    if (type != NULL && type->image_count > 0) {
        transcript_add(&testcase->prelude, now, TRANSCRIPT_SERVER, NULL,
                       "asked homerunner for %zu of %s", definition->server_count,
                       type->name);
        deploy_case(engine, testcase, type);
        return;
    }
    if (type != NULL)
        testcase->servers = fixed_servers(definition, type);
    engine_run_case(engine, testcase, now);
}

void engine_settle(struct engine *engine, const struct instant *now)
{
    struct testcase *testcase;

    while (engine->begun && engine->stopping == NULL &&
           (testcase = matching_next(
                engine->matching, engine->deployments < engine->settings->deployments)))
        start_case(engine, testcase, now);
}
