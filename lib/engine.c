/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: its life, inputs, questions. Every input changes what it must, then engine_settle()
 * starts whatever can start now.
 */
#include "engine.h"

#include "engine_internal.h"
#include "json.h"
#include "matching.h"
#include "utf8.h"
#include "xalloc.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNKNOWN_CLIENT_ANSWER                                                            \
    "{\"action\":\"exit\",\"data\":{\"reason\":\"this client is not registered here\"}}"

void engine_log(const struct engine *engine, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *line = xvasprintf(format, arguments);
    va_end(arguments);
    engine->ops.log(engine->context, line);
    free(line);
}

static char *exit_answer(const char *reason)
{
    struct json_object *answer = json_new_object();
    struct json_object *data = json_new_object();

    json_put_text(data, "reason", reason);
    json_put_text(answer, "action", "exit");
    json_put(answer, "data", data);
    char *text = xstrdup(json_text(answer));
    json_object_put(answer);
    return text;
}

void engine_dismiss(struct engine *engine, struct client *client, const char *reason)
{
    free(client->exit_answer);
    client->exit_answer = exit_answer(reason);
    engine->ops.wake(engine->context, client->id);
}

/* --- clients --- */

static struct client *find_client(const struct engine *engine, const char *id)
{
    struct client *client = NULL;

    HASH_FIND_STR(engine->clients, id, client);
    return client;
}

static void free_client(struct client *client)
{
    free(client->id);
    free(client->type);
    free(client->exit_answer);
    free(client->memberships);
    json_object_put(client->registration);
    free(client);
}

static void forget_client(struct engine *engine, struct client *client)
{
    if (client->state == CLIENT_WAITING)
        matching_remove_client(engine->matching, client);
    HASH_DEL(engine->clients, client);
    free_client(client);
}

/* --- life --- */

struct engine *engine_new(const struct settings *settings, const struct engine_ops *ops,
                          void *context, const char *run_id, const struct instant *now)
{
    struct engine *engine = xcalloc(1, sizeof *engine);

    engine->settings = settings;
    engine->ops = *ops;
    engine->context = context;
    engine->started = *now;
    memcpy(engine->run_id, run_id, ID_SIZE);
    TAILQ_INIT(&engine->suites);
    engine->matching = matching_new(settings);
    return engine;
}

void engine_free(struct engine *engine)
{
    struct client *client, *next_client;
    struct suite *suite;

    HASH_ITER (hh, engine->clients, client, next_client) {
        HASH_DEL(engine->clients, client);
        free_client(client);
    }
    while ((suite = TAILQ_FIRST(&engine->suites)) != NULL) {
        TAILQ_REMOVE(&engine->suites, suite, link);
        engine_free_suite(engine, suite);
    }
    matching_free(engine->matching);
    heap_clear(&engine->due);
    free(engine->stopping);
    free(engine);
}

void engine_begin(struct engine *engine, const struct instant *now)
{
    struct testcase *testcase;
    struct client *client;
    int64_t patience = engine->settings->unfilled_timeout_ms;

    engine->begun = true;
    for (client = engine->clients; client != NULL; client = client->hh.next) {
        if (client->state == CLIENT_WAITING) { /* it came before the tests were known */
            matching_remove_client(engine->matching, client);
            matching_add_client(engine->matching, client);
        }
    }
    for (testcase = engine->cases_by_id; patience > 0 && testcase != NULL;
         testcase = testcase->hh.next)
        heap_put(&engine->due, &testcase->due, now->mono_ms + patience);
    engine_settle(engine, now);
}

/* --- inputs from clients --- */

static struct client *new_client(struct engine *engine, const char *id)
{
    struct client *client = xcalloc(1, sizeof *client);

    client->id = xstrdup(id);
    HASH_ADD_KEYPTR(hh, engine->clients, client->id, strlen(client->id), client);
    return client;
}

enum engine_result engine_register(struct engine *engine, const char *id,
                                   struct json_object *registration,
                                   const struct instant *now, char **cause)
{
    struct client *client = find_client(engine, id);

    if (client != NULL && client->state != CLIENT_WAITING) {
        cause_set(cause, "this client %s: register with a new id",
                  client->state == CLIENT_PLAYING ? "plays a role in a case already"
                  : client->state == CLIENT_DONE  ? "has played its role in a case"
                                                  : "has given up");
        return ENGINE_WRONG_MOMENT;
    }
    if (client == NULL && HASH_COUNT(engine->clients) >= engine->settings->clients) {
        cause_set(cause, "%zu clients are known, which is the limit: try again later",
                  engine->settings->clients);
        return ENGINE_FULL;
    }
    if (client == NULL) {
        client = new_client(engine, id);
    } else {
        matching_remove_client(engine->matching, client);
        json_object_put(client->registration);
        free(client->type);
    }
    client->type = xstrdup(json_member_text(registration, "type"));
    client->registration = json_object_get(registration);
    client->registered_ms = now->wall_ms;
    matching_add_client(engine->matching, client);
    if (engine->stopping != NULL)
        engine_dismiss(engine, client, engine->stopping);
    engine_settle(engine, now);
    return ENGINE_OK;
}

/* What an adapter that named its delivery hears of its report. */
static enum engine_result result_of_report(enum report_result result,
                                           const struct seat *seat,
                                           struct json_object *body, char **cause)
{
    if (result == REPORT_STALE) {
        cause_set(cause,
                  "that delivery is not the outstanding one: poll for what to do now");
        return ENGINE_WRONG_MOMENT;
    }
    if (result == REPORT_NOT_ACCEPTED) {
        char *accepted = machine_action_accepts(seat->action);
        cause_set(cause, "%.100s is no response to %s that is accepted now: %s would be",
                  json_text(json_member(body, "response")), seat->action->name, accepted);
        free(accepted);
        return ENGINE_INVALID;
    }
    return ENGINE_OK;
}

enum engine_result engine_report(struct engine *engine, const char *id,
                                 const char *delivery, bool strict,
                                 struct json_object *body, const struct instant *now,
                                 char **cause)
{
    struct client *client = find_client(engine, id);
    struct testcase *testcase = client != NULL ? client->testcase : NULL;

    if (client == NULL) {
        cause_set(cause, "no client of this id is registered");
        return ENGINE_UNKNOWN;
    }
    client->reported_ms = now->wall_ms;
    if (testcase == NULL || testcase->attempt == NULL) {
        if (!strict)
            return ENGINE_OK;
        cause_set(cause,
                  "there is nothing to report: this client has not been given an action");
        return ENGINE_WRONG_MOMENT;
    }
    enum report_result result =
        attempt_report(testcase->attempt, client->seat, delivery, body, strict, now);
    enum engine_result answer =
        strict ? result_of_report(result, &testcase->attempt->seats[client->seat], body,
                                  cause)
               : ENGINE_OK;
    engine_case_moved(engine, testcase, now);
    engine_settle(engine, now);
    return answer;
}

/* What an adapter says when its case has ended, or while its servers are being made: then it ends. */
static void take_early_or_late_error(struct engine *engine, struct testcase *testcase,
                                     const struct client *client, bool is_action,
                                     const char *details, const char *path,
                                     const struct instant *now)
{
    const char *role = testcase->machine->roles[client->seat];
    char *all = xasprintf("%s%s%s", details, *path ? "\nat " : "", path);
    char *brief = utf8_shorten(details, 200);
    char *message = xasprintf(
        "%s's adapter gave up while the servers were being made: %s", role, brief);

    transcript_add(testcase->attempt != NULL ? &testcase->attempt->transcript
                                             : &testcase->prelude,
                   now, TRANSCRIPT_ERROR, role, "%s", all);
    engine_end_case(engine, testcase, is_action ? OUTCOME_FAILED : OUTCOME_ERROR,
                    is_action ? "action-error" : "adapter-error", message, all, now);
    free(message);
    free(brief);
    free(all);
}

enum engine_result engine_client_error(struct engine *engine, const char *id,
                                       bool is_action, const char *details,
                                       const char *path, const struct instant *now)
{
    struct client *client = find_client(engine, id);

    if (client == NULL)
        return ENGINE_UNKNOWN;
    struct testcase *testcase = client->testcase;
    if (testcase == NULL) {
        if (client->state == CLIENT_WAITING)
            matching_remove_client(engine->matching, client);
        client->state = CLIENT_LOST;
        engine_dismiss(engine, client,
                       "the adapter reported an error before it had a role");
        return ENGINE_OK;
    }
    if (testcase->attempt != NULL && !testcase_has_ended(testcase)) {
        attempt_adapter_error(testcase->attempt, client->seat, is_action, details, path,
                              now);
        engine_case_moved(engine, testcase, now);
    } else {
        take_early_or_late_error(engine, testcase, client, is_action, details, path, now);
    }
    engine_settle(engine, now);
    return ENGINE_OK;
}

void engine_lost(struct engine *engine, const char *id, const char *reason,
                 const struct instant *now)
{
    struct client *client = find_client(engine, id);

    if (client == NULL)
        return;
    struct testcase *testcase = client->testcase;
    if (testcase == NULL) {
        engine_log(engine, "client %s (%s) is forgotten: %s", client->id, client->type,
                   reason);
        forget_client(engine, client);
    } else if (client->state == CLIENT_PLAYING) {
        char *message = xasprintf("%s (%s, client %s) was lost: %s",
                                  testcase->machine->roles[client->seat], client->type,
                                  client->id, reason);
        client->state = CLIENT_LOST;
        engine_end_case(engine, testcase, OUTCOME_ERROR, "client-lost", message, NULL,
                        now);
        free(message);
    }
    engine_settle(engine, now);
}

/* --- inputs from provisioning --- */

/* A deployment is named by the id of its case and the number of the attempt. */
static struct testcase *find_deployment(struct engine *engine, const char *deployment)
{
    struct testcase *testcase = NULL;

    if (strlen(deployment) >= ID_SIZE)
        HASH_FIND(hh, engine->cases_by_id, deployment, ID_SIZE - 1, testcase);
    return testcase != NULL && strcmp(testcase->deployment, deployment) == 0 ? testcase
                                                                             : NULL;
}

void engine_created(struct engine *engine, const char *deployment,
                    struct json_object *servers, const char *cause,
                    const struct instant *now)
{
    struct testcase *testcase = find_deployment(engine, deployment);

    if (testcase == NULL || testcase->state != CASE_PREPARING)
        return; /* it ended meanwhile; its servers are being destroyed */
    if (cause != NULL) {
        engine_end_case(engine, testcase, OUTCOME_ERROR, "provisioning", cause, NULL,
                        now);
    } else {
        transcript_add(&testcase->prelude, now, TRANSCRIPT_SERVER, NULL, "made %s",
                       json_text(servers));
        testcase->servers = json_object_get(servers);
        engine_run_case(engine, testcase, now);
    }
    engine_settle(engine, now);
}

void engine_destroyed(struct engine *engine, const char *deployment, const char *cause,
                      const struct instant *now)
{
    struct testcase *testcase = find_deployment(engine, deployment);

    if (testcase == NULL)
        return;
    if (cause != NULL)
        transcript_add(&testcase->prelude, now, TRANSCRIPT_SERVER, NULL,
                       "the servers could not be destroyed: %s", cause);
    testcase->deployment[0] = '\0';
    assert(engine->deployments > 0);
    engine->deployments--;
    matching_deployment_freed(engine->matching);
    engine_settle(engine, now);
}

void engine_http_answered(struct engine *engine, const char *name,
                          struct json_object *reply, const char *cause,
                          const struct instant *now)
{
    struct testcase *testcase = NULL;

    if (strlen(name) >= ID_SIZE)
        HASH_FIND(hh, engine->cases_by_id, name, ID_SIZE - 1, testcase);
    if (testcase == NULL || testcase->attempt == NULL)
        return;
    attempt_http_answered(testcase->attempt, name + ID_SIZE, reply, cause, now);
    engine_case_moved(engine, testcase, now);
    engine_settle(engine, now);
}

/* --- time and the end --- */

/* What the front end knows of the clients, for the sentence of a time-out. */
static void note_polls(const struct engine *engine, struct attempt *attempt)
{
    for (size_t i = 0; i < attempt->machine->role_count; i++)
        attempt->seats[i].polled_ms =
            engine->ops.last_polled(engine->context, attempt->seats[i].client);
}

/* Nobody came for too long. */
static void give_up_waiting(struct engine *engine, struct testcase *testcase,
                            const struct instant *now)
{
    char *reason = matching_reason(engine->matching, testcase);
    char *message = xasprintf("the case waited for its clients for %" PRId64 " s: %s",
                              engine->settings->unfilled_timeout_ms / 1000, reason);

    matching_remove_case(engine->matching, testcase);
    engine_end_case(engine, testcase, OUTCOME_ERROR, "unfilled", message, NULL, now);
    free(message);
    free(reason);
}

void engine_time(struct engine *engine, const struct instant *now)
{
    struct heap_entry *first;

    while ((first = heap_first(&engine->due)) != NULL && first->key <= now->mono_ms) {
        struct testcase *testcase = first->owner;
        if (testcase->attempt == NULL) {
            give_up_waiting(engine, testcase, now);
            continue;
        }
        note_polls(engine, testcase->attempt);
        attempt_time(testcase->attempt, now);
        engine_case_moved(engine, testcase, now);
    }
    engine_settle(engine, now);
}

void engine_stop(struct engine *engine, const char *reason, const struct instant *now)
{
    struct client *client, *next;
    struct suite *suite;

    if (engine->stopping != NULL)
        return;
    engine->stopping = xstrdup(reason);
    TAILQ_FOREACH (suite, &engine->suites, link) {
        for (size_t i = 0; i < suite->case_count; i++) {
            if (suite->cases[i].state == CASE_PREPARING ||
                suite->cases[i].state == CASE_RUNNING)
                engine_end_case(engine, &suite->cases[i], OUTCOME_ERROR, "shutdown",
                                reason, NULL, now);
        }
    }
    HASH_ITER (hh, engine->clients, client, next) {
        if (client->exit_answer == NULL)
            engine_dismiss(engine, client, reason);
    }
}

/* --- reading --- */

struct poll engine_poll(const struct engine *engine, const char *id)
{
    const struct client *client = find_client(engine, id);

    if (client == NULL)
        return (struct poll){POLL_ANSWER, UNKNOWN_CLIENT_ANSWER, NULL, NULL, true};
    if (client->exit_answer != NULL)
        return (struct poll){POLL_ANSWER, client->exit_answer, NULL, NULL, true};
    if (client->testcase == NULL)
        return (struct poll){POLL_IDLE, NULL, NULL, "waiting for a test", false};
    if (client->testcase->attempt == NULL)
        return (struct poll){POLL_IDLE, NULL, NULL, "waiting for the servers", false};
    const struct seat *seat = &client->testcase->attempt->seats[client->seat];
    if (seat->answer == NULL)
        return (struct poll){POLL_IDLE, NULL, NULL, "nothing to do now", false};
    return (struct poll){POLL_ANSWER, seat->answer, seat->delivery, NULL, false};
}

enum client_standing engine_client_standing(const struct engine *engine, const char *id)
{
    const struct client *client = find_client(engine, id);

    if (client == NULL)
        return CLIENT_IS_UNKNOWN;
    if (client->state == CLIENT_PLAYING)
        return CLIENT_IS_PLAYING;
    return client->testcase == NULL ? CLIENT_IS_WAITING : CLIENT_IS_OVER;
}

int64_t engine_deadline(const struct engine *engine)
{
    const struct heap_entry *first = heap_first(&engine->due);

    return first != NULL ? first->key : INT64_MAX;
}

size_t engine_client_count(const struct engine *engine)
{
    return HASH_COUNT(engine->clients);
}

bool engine_is_done(const struct engine *engine)
{
    return engine->totals[CASE_SUCCESS] + engine->totals[CASE_FAILED] +
               engine->totals[CASE_ERROR] ==
           engine->case_count;
}

bool engine_succeeded(const struct engine *engine)
{
    return engine->totals[CASE_SUCCESS] == engine->case_count;
}

size_t engine_deployments(const struct engine *engine)
{
    return engine->deployments;
}
