/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A case from its clients to its outcome: it is started, its servers are made, its
 * machine runs, its end frees everybody.
 */
#include "engine_internal.h"
#include "json.h"
#include "matching.h"
#include "run.h"
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One input may let thousands of cases start: so many of them at once, then whoever
 * waits for other things has its turn. */
#define STARTS_AT_ONCE 100

static const char *full_name(const struct testcase *testcase, char buffer[512])
{
    const struct definition *definition = testcase->suite->definition;

    snprintf(buffer, 512, "%s.%s/%s", definition->folder, definition->name,
             testcase->name);
    return buffer;
}

/* --- ending --- */

/* Tell all who played in a turn how it ended. */
static void dismiss_players(struct engine *engine, const struct turn *turn)
{
    const struct verdict *verdict = turn_verdict(turn);
    char *reason = xasprintf("the case ended: %s%s%s", case_state_text(turn->state),
                             *verdict->message ? ": " : "", verdict->message);

    for (size_t i = 0; i < turn->testcase->machine->role_count; i++) {
        struct client *client = turn->players[i];
        matching_count_busy(client, -1);
        if (client->state == CLIENT_PLAYING)
            client->state = CLIENT_DONE;
        engine_dismiss(engine, client, reason);
    }
    free(reason);
}

static void destroy_servers(struct engine *engine, struct turn *turn)
{
    if (turn->deployment == NULL)
        return;
    turn->deployment->unwanted = true;
    engine->ops.destroy(engine->context, turn->deployment->name, turn->deployment->where,
                        false);
}

/* Whether a case is to be tried again after a turn that did not succeed. */
static bool is_tried_again(const struct engine *engine, const struct testcase *testcase,
                           enum outcome outcome)
{
    const struct run *run = testcase->suite->run;
    int own = testcase->suite->definition->retries;
    unsigned retries = own >= 0 ? (unsigned)own : run->retries;

    return outcome != OUTCOME_SUCCESS && testcase->turn_count <= retries &&
           run->broken_off == NULL && engine->stopping == NULL;
}

/* A turn's outcome is there: free its clients, destroy its servers. The case has this
 * outcome, or waits for another turn. */
static void finish_turn(struct engine *engine, struct turn *turn, bool for_good,
                        const struct instant *now)
{
    struct testcase *testcase = turn->testcase;
    const struct verdict *verdict = turn_verdict(turn);
    bool again = !for_good && is_tried_again(engine, testcase, verdict->outcome);
    char name[512];

    turn->state = case_state_of(verdict->outcome);
    turn->ended = *now;
    heap_remove(&engine->due, &testcase->due);
    engine_log(engine, "case %s: %s%s%s%s", full_name(testcase, name),
               case_state_text(turn->state), *verdict->message ? ": " : "",
               verdict->message, again ? "; it is tried again" : "");
    dismiss_players(engine, turn);
    destroy_servers(engine, turn);
    if (again) {
        testcase->turn = NULL;
        testcase_set_state(testcase, CASE_WAITING);
        engine_await_clients(engine, testcase, now);
    } else {
        testcase->ended = *now;
        testcase_set_state(testcase, turn->state);
    }
    engine_show(engine, ENGINE_CASE, testcase->id);
}

static void end_turn(struct engine *engine, struct turn *turn, enum outcome outcome,
                     const char *type, const char *message, const char *details,
                     bool for_good, const struct instant *now)
{
    if (turn->ended.mono_ms != 0)
        return;
    if (turn->attempt != NULL) {
        attempt_end(turn->attempt, outcome, type, message, details, now);
    } else {
        turn->verdict = verdict_make(outcome, type, message, details);
        transcript_add(&turn->prelude, now, TRANSCRIPT_END, NULL, "%s: %s",
                       outcome_text(outcome), message);
    }
    finish_turn(engine, turn, for_good, now);
}

void engine_end_turn(struct engine *engine, struct turn *turn, enum outcome outcome,
                     const char *type, const char *message, const char *details,
                     const struct instant *now)
{
    end_turn(engine, turn, outcome, type, message, details, false, now);
}

void engine_end_with_last_turn(struct engine *engine, struct testcase *testcase,
                               const struct instant *now)
{
    char name[512];

    matching_remove_case(testcase->suite->run->matching, testcase);
    heap_remove(&engine->due, &testcase->due);
    testcase->turn = TAILQ_LAST(&testcase->turns, turn_list);
    testcase->ended = *now;
    testcase_set_state(testcase, testcase->turn->state);
    engine_show(engine, ENGINE_CASE, testcase->id);
    engine_log(engine, "case %s: is not tried again: %s", full_name(testcase, name),
               case_state_text(testcase->state));
}

void engine_end_case(struct engine *engine, struct testcase *testcase, const char *type,
                     const char *message, const struct instant *now)
{
    struct matching *matching = testcase->suite->run->matching;
    char name[512];

    if (testcase_has_ended(testcase))
        return;
    if (testcase->turn != NULL) {
        end_turn(engine, testcase->turn, OUTCOME_ERROR, type, message, NULL, true, now);
        return;
    }
    if (matching != NULL)
        matching_remove_case(matching, testcase);
    heap_remove(&engine->due, &testcase->due);
    testcase->verdict = verdict_make(OUTCOME_ERROR, type, message, NULL);
    testcase->ended = *now;
    testcase_set_state(testcase, CASE_ERROR);
    engine_show(engine, ENGINE_CASE, testcase->id);
    engine_log(engine, "case %s: error: %s", full_name(testcase, name), message);
}

/* --- running --- */

/* A request is named by the id of its case and its ticket in the attempt. */
static void send_request(struct engine *engine, struct turn *turn)
{
    struct attempt *attempt = turn->attempt;
    char *name = xasprintf("%s/%s", turn->testcase->id, attempt->ticket);

    engine->ops.http(engine->context, name, attempt->request);
    json_object_put(attempt->request);
    attempt->request = NULL;
    free(name);
}

void engine_case_moved(struct engine *engine, struct turn *turn,
                       const struct instant *now)
{
    struct attempt *attempt = turn->attempt;

    if (turn->ended.mono_ms != 0)
        return;
    if (attempt->verdict.outcome != OUTCOME_NONE) {
        finish_turn(engine, turn, false, now);
        return;
    }
    engine_show(engine, ENGINE_CASE, turn->testcase->id);
    heap_put(&engine->due, &turn->testcase->due, attempt_deadline(attempt));
    if (attempt->request != NULL)
        send_request(engine, turn);
    for (size_t i = 0; i < attempt->machine->role_count; i++) {
        if (attempt->seats[i].changed)
            engine->ops.wake(engine->context, attempt->seats[i].client);
        attempt->seats[i].changed = false;
    }
}

void engine_run_case(struct engine *engine, struct testcase *testcase,
                     const struct instant *now)
{
    const struct definition *definition = testcase->suite->definition;
    const struct run *run = testcase->suite->run;
    struct turn *turn = testcase->turn;
    size_t count = definition->role_count;
    struct player *players = xcalloc(count, sizeof *players);
    char attempt_id[ID_SIZE];
    int64_t timeout =
        definition->timeout_ms ? definition->timeout_ms : run->settings.case_timeout_ms;

    for (size_t i = 0; i < count; i++) {
        const struct client *client = turn->players[i];
        players[i] = (struct player){definition->roles[i].name, client->id, client->type,
                                     client->registration};
    }
    id_derive(attempt_id, testcase->id, "attempt %u", turn->number);
    struct scope_parts parts = {
        .attempt_id = attempt_id,
        .case_id = testcase->id,
        .case_name = testcase->name,
        .attempt_number = (int)turn->number,
        .run_id = run->id,
        .run_started_ms = run->begun.wall_ms,
        .players = players,
        .player_count = count,
        .servers = turn->servers,
        .colours = turn->colours,
        .variables = definition->variables,
    };
    turn->state = CASE_RUNNING;
    testcase_set_state(testcase, CASE_RUNNING);
    turn->attempt =
        attempt_new(testcase->machine, &parts, timeout, run->settings.transcript, now);
    free(players);
    json_object_put(turn->colours);
    turn->colours = NULL;
    engine_case_moved(engine, turn, now);
}

/* --- starting --- */

void engine_stand_in_line(struct testcase *testcase)
{
    const struct definition *definition = testcase->suite->definition;
    struct run *run = testcase->suite->run;
    const struct server_type *type = run_server_type(run, definition);
    const char **types = xcalloc(definition->role_count, sizeof *types);

    definition_case_types(definition, testcase->index, types);
    matching_add_case(run->matching, testcase, types, definition->role_count,
                      type != NULL && type->image_count > 0);
    free(types);
}

void engine_await_clients(struct engine *engine, struct testcase *testcase,
                          const struct instant *now)
{
    int64_t patience = testcase->suite->run->settings.unfilled_timeout_ms;

    if (testcase_has_ended(testcase))
        return;
    engine_stand_in_line(testcase);
    if (patience > 0)
        heap_put(&engine->due, &testcase->due, now->mono_ms + patience);
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

struct deployment *engine_add_deployment(struct engine *engine, const char *name)
{
    struct deployment *deployment = xcalloc(1, sizeof *deployment);

    strncpy(deployment->name, name, sizeof deployment->name - 1);
    HASH_ADD_STR(engine->deployments, name, deployment);
    return deployment;
}

void engine_forget_deployment(struct engine *engine, struct deployment *deployment)
{
    HASH_DEL(engine->deployments, deployment);
    free(deployment->where);
    free(deployment);
}

void engine_made_deployments(const struct engine *engine,
                             void (*each)(void *argument, const char *deployment,
                                          const char *where),
                             void *argument)
{
    const struct deployment *deployment;

    for (deployment = engine->deployments; deployment != NULL;
         deployment = deployment->hh.next) {
        if (deployment->where != NULL)
            each(argument, deployment->name, deployment->where);
    }
}

void engine_deploy_case(struct engine *engine, struct testcase *testcase)
{
    const struct definition *definition = testcase->suite->definition;
    const struct server_type *type = run_server_type(testcase->suite->run, definition);
    size_t count = definition->server_count;
    struct server_wanted *wanted = xcalloc(count, sizeof *wanted);
    char name[sizeof(((struct deployment *)0)->name)];

    for (size_t i = 0; i < count; i++) {
        size_t image = i < type->image_count ? i : type->image_count - 1;
        wanted[i] = (struct server_wanted){definition->servers[i], type->images[image]};
    }
    snprintf(name, sizeof name, "%s-%u", testcase->id, ++testcase->deployments);
    struct deployment *deployment = engine_add_deployment(engine, name);
    deployment->turn = testcase->turn;
    testcase->turn->deployment = deployment;
    engine->ops.create(engine->context, deployment->name, wanted, count);
    free(wanted);
}

/* The next turn of the case, with these clients (by role; takes the array). */
static struct turn *begin_turn(struct engine *engine, struct testcase *testcase,
                               struct client **players, const struct instant *now)
{
    struct turn *turn = xcalloc(1, sizeof *turn);

    turn->number = ++testcase->turn_count;
    turn->testcase = testcase;
    turn->players = players;
    turn->state = CASE_PREPARING;
    turn->taken = *now;
    turn->prelude.limit = testcase->suite->run->settings.transcript;
    TAILQ_INSERT_TAIL(&testcase->turns, turn, link);
    testcase->turn = turn;
    heap_remove(&engine->due, &testcase->due);
    testcase_set_state(testcase, CASE_PREPARING);
    engine_show(engine, ENGINE_CASE, testcase->id);
    for (size_t i = 0; i < testcase->machine->role_count; i++) {
        struct client *client = players[i];
        client->state = CLIENT_PLAYING;
        client->turn = turn;
        client->seat = i;
        matching_count_busy(client, 1);
        engine_show(engine, ENGINE_CLIENT, client->id);
        transcript_add(&turn->prelude, now, TRANSCRIPT_NOTE, testcase->machine->roles[i],
                       "is played by %s (%s)", client->id, client->type);
    }
    return turn;
}

/* It has its clients: seat them, then run it, or have its servers made first. */
static void start_case(struct engine *engine, struct testcase *testcase,
                       struct client **players, const struct instant *now)
{
    const struct definition *definition = testcase->suite->definition;
    const struct server_type *type = run_server_type(testcase->suite->run, definition);
    struct turn *turn = begin_turn(engine, testcase, players, now);
    char name[512];

    engine_log(engine, "case %s: has its clients", full_name(testcase, name));
    if (type != NULL && type->image_count > 0) {
        transcript_add(&turn->prelude, now, TRANSCRIPT_SERVER, NULL,
                       "asked homerunner for %zu of %s", definition->server_count,
                       type->name);
        engine_deploy_case(engine, testcase);
        return;
    }
    if (type != NULL)
        turn->servers = fixed_servers(definition, type);
    engine_run_case(engine, testcase, now);
}

/* Whether one deployment more may exist. */
static bool has_deployment_free(const struct engine *engine)
{
    return HASH_COUNT(engine->deployments) < engine->going->settings.deployments;
}

/* Start a case that can start, if there is any. */
static bool start_next(struct engine *engine, const struct instant *now)
{
    struct testcase *testcase;
    struct client **players = NULL;

    if (engine->going == NULL || engine->stopping != NULL)
        return false;
    testcase =
        matching_next(engine->going->matching, has_deployment_free(engine), &players);
    if (testcase != NULL)
        start_case(engine, testcase, players, now);
    return testcase != NULL;
}

void engine_settle(struct engine *engine, const struct instant *now)
{
    size_t started = 0;

    while (started < STARTS_AT_ONCE && start_next(engine, now))
        started++;
    engine->unsettled = started == STARTS_AT_ONCE;
    engine_notice_end(engine, now);
}
