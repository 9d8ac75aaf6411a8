/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inputs in, ops out. Every input changes what it must, then settle() starts whatever can
 * start now; a case's own moves end in case_moved(), which wakes clients and notices its
 * end.
 */
#include "engine.h"

#include "compile.h"
#include "json.h"
#include "matching.h"
#include "model.h"
#include "utf8.h"
#include "xalloc.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNKNOWN_CLIENT_ANSWER                                                            \
    "{\"action\":\"exit\",\"data\":{\"reason\":\"this client is not registered here\"}}"

static void settle(struct engine *engine, const struct instant *now);

static void __attribute__((format(printf, 2, 3)))
log_line(const struct engine *engine, const char *format, ...)
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

static void tell_to_exit(struct engine *engine, struct client *client, const char *reason)
{
    free(client->exit_answer);
    client->exit_answer = exit_answer(reason);
    engine->ops.wake(engine->context, client->id);
}

/* --- clients
 * ------------------------------------------------------------------------------------------
 */

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

/* --- cases
 * ----------------------------------------------------------------------------------------------
 */

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
    log_line(engine, "case %s: %s%s%s", full_name(testcase, name),
             case_state_text(testcase->state), *verdict->message ? ": " : "",
             verdict->message);
    char *reason = xasprintf("the case ended: %s%s%s", case_state_text(testcase->state),
                             *verdict->message ? ": " : "", verdict->message);
    for (size_t i = 0; i < testcase->machine->role_count; i++) {
        struct client *client = testcase->players[i];
        matching_count_busy(engine->matching, client, -1);
        if (client->state == CLIENT_PLAYING)
            client->state = CLIENT_DONE;
        tell_to_exit(engine, client, reason);
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
static void case_moved(struct engine *engine, struct testcase *testcase,
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
static void end_case(struct engine *engine, struct testcase *testcase, const char *type,
                     const char *message, const struct instant *now)
{
    if (testcase_has_ended(testcase))
        return;
    if (testcase->attempt != NULL) {
        attempt_end(testcase->attempt, OUTCOME_ERROR, type, message, NULL, now);
    } else {
        testcase->verdict = (struct verdict){OUTCOME_ERROR, type, xstrdup(message), NULL};
        transcript_add(&testcase->prelude, now, TRANSCRIPT_END, NULL, "error: %s",
                       message);
    }
    finish_case(engine, testcase, now);
}

static void run_case(struct engine *engine, struct testcase *testcase,
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
        .variables = definition->variables,
    };
    testcase_set_state(engine, testcase, CASE_RUNNING);
    testcase->attempt = attempt_new(testcase->machine, &parts, timeout,
                                    engine->settings->transcript, now);
    free(players);
    case_moved(engine, testcase, now);
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

static const struct server_type *server_type_of(const struct engine *engine,
                                                const struct definition *definition)
{
    return definition->server_type == NULL
               ? NULL
               : settings_server_type(engine->settings, definition->server_type);
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
    const struct server_type *type = server_type_of(engine, definition);
    char name[512];

    testcase->taken = *now;
    testcase_set_state(engine, testcase, CASE_PREPARING);
    log_line(engine, "case %s: has its clients", full_name(testcase, name));
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
    run_case(engine, testcase, now);
}

static void settle(struct engine *engine, const struct instant *now)
{
    struct testcase *testcase;

    while (engine->begun && engine->stopping == NULL &&
           (testcase = matching_next(
                engine->matching, engine->deployments < engine->settings->deployments)))
        start_case(engine, testcase, now);
}

/* --- life
 * --------------------------------------------------------------------------------------------------
 */

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

static void clear_case(struct engine *engine, struct testcase *testcase)
{
    HASH_DEL(engine->cases_by_id, testcase);
    heap_remove(&engine->due, &testcase->due);
    attempt_free(testcase->attempt);
    transcript_clear(&testcase->prelude);
    machine_release(testcase->machine);
    json_object_put(testcase->servers);
    free(testcase->verdict.message);
    free(testcase->players);
    free(testcase->name);
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
        HASH_DEL(engine->suites_by_id, suite);
        for (size_t i = 0; i < suite->case_count; i++)
            clear_case(engine, &suite->cases[i]);
        free(suite->cases);
        definition_free(suite->definition);
        free(suite);
    }
    matching_free(engine->matching);
    heap_clear(&engine->due);
    free(engine->stopping);
    free(engine);
}

/* --- suites
 * ----------------------------------------------------------------------------------------------------
 */

/* The machine of each case of one round; NULL with mistakes. */
static struct machine **compile_cases(struct engine *engine,
                                      struct definition *definition,
                                      struct mistakes *mistakes)
{
    size_t count = definition_cases(definition);
    struct machine **machines = xcalloc(count, sizeof(struct machine *));
    size_t i = 0;

    while (i < count &&
           (machines[i] = compile_case(definition, i, engine->settings, mistakes)))
        i++;
    if (i == count)
        return machines;
    while (i-- > 0)
        machine_release(machines[i]);
    free(machines);
    return NULL;
}

static void init_case(struct engine *engine, struct suite *suite, size_t index,
                      size_t count, struct machine *machine)
{
    const struct definition *definition = suite->definition;
    const struct server_type *type = server_type_of(engine, definition);
    struct testcase *testcase = &suite->cases[index];
    const char **types = xcalloc(definition->role_count, sizeof *types);
    char *name = definition_case_name(definition, index % count);
    size_t round = index / count + 1;

    testcase->name = round > 1 ? xasprintf("%s #%zu", name, round) : xstrdup(name);
    id_derive(testcase->id, suite->id, "case %s", testcase->name);
    testcase->suite = suite;
    testcase->order = engine->case_count++;
    testcase->machine = machine_hold(machine);
    testcase->due.owner = testcase;
    testcase->prelude.limit = engine->settings->transcript;
    engine->totals[CASE_WAITING]++;
    HASH_ADD_STR(engine->cases_by_id, id, testcase);
    definition_case_types(definition, index % count, types);
    matching_add_case(engine->matching, testcase, types, definition->role_count,
                      type != NULL && type->image_count > 0);
    free(types);
    free(name);
}

bool engine_add_suite(struct engine *engine, struct definition *definition, size_t repeat,
                      struct mistakes *mistakes)
{
    char id[ID_SIZE];
    struct suite *suite = NULL;
    struct where at_name = {NULL, "name", 0};

    id_derive(id, engine->run_id, "test %s.%s", definition->folder, definition->name);
    HASH_FIND_STR(engine->suites_by_id, id, suite);
    if (suite != NULL)
        mistake_error(mistakes, &at_name, "%s.%s is the name of a test already, in %s",
                      definition->folder, definition->name, suite->definition->file);
    struct machine **machines =
        suite == NULL ? compile_cases(engine, definition, mistakes) : NULL;
    if (machines == NULL) {
        definition_free(definition);
        return false;
    }
    size_t count = definition_cases(definition);
    suite = xcalloc(1, sizeof *suite);
    memcpy(suite->id, id, ID_SIZE);
    suite->definition = definition;
    suite->case_count = count * repeat;
    suite->cases = xcalloc(suite->case_count, sizeof *suite->cases);
    TAILQ_INSERT_TAIL(&engine->suites, suite, link);
    HASH_ADD_STR(engine->suites_by_id, id, suite);
    for (size_t i = 0; i < suite->case_count; i++)
        init_case(engine, suite, i, count, machines[i % count]);
    for (size_t i = 0; i < count; i++)
        machine_release(machines[i]);
    free(machines);
    return true;
}

void engine_begin(struct engine *engine, const struct instant *now)
{
    engine->begun = true;
    settle(engine, now);
}

/* --- inputs from clients
 * ------------------------------------------------------------------------------------------
 */

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
        tell_to_exit(engine, client, engine->stopping);
    settle(engine, now);
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
    case_moved(engine, testcase, now);
    settle(engine, now);
    return answer;
}

/* What an adapter said when its case had ended, or had not begun. */
static void note_error(struct testcase *testcase, const struct client *client,
                       const char *details, const struct instant *now)
{
    struct transcript *transcript =
        testcase->attempt != NULL ? &testcase->attempt->transcript : &testcase->prelude;

    transcript_add(transcript, now, TRANSCRIPT_ERROR,
                   testcase->machine->roles[client->seat], "%s", details);
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
        tell_to_exit(engine, client,
                     "the adapter reported an error before it had a role");
        return ENGINE_OK;
    }
    if (testcase->attempt != NULL && !testcase_has_ended(testcase)) {
        attempt_adapter_error(testcase->attempt, client->seat, is_action, details, path,
                              now);
        case_moved(engine, testcase, now);
    } else {
        char *brief = utf8_shorten(details, 200);
        char *message =
            xasprintf("%s's adapter gave up while the servers were being made: %s",
                      testcase->machine->roles[client->seat], brief);
        note_error(testcase, client, details, now);
        end_case(engine, testcase, "adapter-error", message, now);
        free(message);
        free(brief);
    }
    settle(engine, now);
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
        log_line(engine, "client %s (%s) is forgotten: %s", client->id, client->type,
                 reason);
        forget_client(engine, client);
    } else if (client->state == CLIENT_PLAYING) {
        char *message = xasprintf("%s (%s, client %s) was lost: %s",
                                  testcase->machine->roles[client->seat], client->type,
                                  client->id, reason);
        client->state = CLIENT_LOST;
        end_case(engine, testcase, "client-lost", message, now);
        free(message);
    }
    settle(engine, now);
}

/* --- inputs from provisioning
 * ------------------------------------------------------------------------------------ */

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
        end_case(engine, testcase, "provisioning", cause, now);
    } else {
        transcript_add(&testcase->prelude, now, TRANSCRIPT_SERVER, NULL, "made %s",
                       json_text(servers));
        testcase->servers = json_object_get(servers);
        run_case(engine, testcase, now);
    }
    settle(engine, now);
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
    settle(engine, now);
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
    case_moved(engine, testcase, now);
    settle(engine, now);
}

/* --- time and the end
 * -----------------------------------------------------------------------------------------------
 */

void engine_time(struct engine *engine, const struct instant *now)
{
    struct heap_entry *first;

    while ((first = heap_first(&engine->due)) != NULL && first->key <= now->mono_ms) {
        struct testcase *testcase = first->owner;
        attempt_time(testcase->attempt, now);
        case_moved(engine, testcase, now);
    }
    settle(engine, now);
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
                end_case(engine, &suite->cases[i], "shutdown", reason, now);
        }
    }
    HASH_ITER (hh, engine->clients, client, next) {
        if (client->exit_answer == NULL)
            tell_to_exit(engine, client, reason);
    }
}

/* --- reading
 * -----------------------------------------------------------------------------------------------------------
 */

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
