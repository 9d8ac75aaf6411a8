/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: its life, inputs, questions. Every input changes what it must, then
 * engine_settle() starts whatever can start now, and notices that a run has ended.
 */
#include "engine.h"

#include "engine_internal.h"
#include "json.h"
#include "matching.h"
#include "run.h"
#include "utf8.h"
#include "xalloc.h"

#include <assert.h>
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

void engine_show(const struct engine *engine, enum engine_thing thing, const char *id)
{
    if (engine->ops.changed != NULL)
        engine->ops.changed(engine->context, thing, id);
}

void engine_show_turn(const struct engine *engine, const struct turn *turn)
{
    turn->testcase->suite->run->changes++;
    engine_show(engine, ENGINE_CASE, turn->testcase->id);
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
    engine_show(engine, ENGINE_CLIENT, client->id);
}

/* --- clients --- */

struct client *engine_find_client(const struct engine *engine, const char *id)
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

/* Whether it stands in line for the run that is going. */
static bool is_in_line(const struct engine *engine, const struct client *client)
{
    return engine->going != NULL && client->state == CLIENT_WAITING;
}

void engine_join(struct engine *engine, struct client *client)
{
    client->joined = ++engine->joined;
    matching_add_client(engine->going->matching, client);
}

void engine_forget_client(struct engine *engine, struct client *client)
{
    if (is_in_line(engine, client))
        matching_remove_client(engine->going->matching, client);
    HASH_DEL(engine->clients, client);
    engine_show(engine, ENGINE_CLIENT, client->id);
    free_client(client);
}

struct client *engine_add_client(struct engine *engine, const char *id,
                                 struct json_object *registration)
{
    struct client *client = xcalloc(1, sizeof *client);

    client->id = xstrdup(id);
    client->type = xstrdup(json_member_text(registration, "type"));
    client->registration = json_object_get(registration);
    HASH_ADD_KEYPTR(hh, engine->clients, client->id, strlen(client->id), client);
    return client;
}

/* --- life --- */

struct engine *engine_new(const struct engine_ops *ops, void *context,
                          const struct instant *now)
{
    struct engine *engine = xcalloc(1, sizeof *engine);

    engine->ops = *ops;
    engine->context = context;
    engine->started = *now;
    engine->former = json_new_object();
    TAILQ_INIT(&engine->runs);
    return engine;
}

void engine_set_ops(struct engine *engine, const struct engine_ops *ops)
{
    engine->ops = *ops;
}

void engine_free(struct engine *engine)
{
    struct client *client, *next_client;
    struct deployment *deployment, *next_deployment;
    struct run *run;

    HASH_ITER (hh, engine->clients, client, next_client) {
        HASH_DEL(engine->clients, client);
        free_client(client);
    }
    HASH_ITER (hh, engine->deployments, deployment, next_deployment)
        engine_forget_deployment(engine, deployment);
    HASH_CLEAR(hh, engine->suites_by_id);
    HASH_CLEAR(hh, engine->cases_by_id);
    while ((run = TAILQ_FIRST(&engine->runs)) != NULL) {
        TAILQ_REMOVE(&engine->runs, run, link);
        run_free(run);
    }
    heap_clear(&engine->due);
    free(engine->stopping);
    json_object_put(engine->former);
    free(engine);
}

/* --- inputs from clients --- */

/* Why a client can't register; NULL: it can. It may be unknown. */
static const char *why_not_again(const struct engine *engine, const struct client *client,
                                 const char *id)
{
    if (client == NULL)
        return json_member(engine->former, id) != NULL ? "has played its role in a case"
                                                       : NULL;
    return client->state == CLIENT_WAITING   ? NULL
           : client->state == CLIENT_PLAYING ? "plays a role in a case already"
           : client->state == CLIENT_DONE    ? "has played its role in a case"
                                             : "has given up";
}

enum engine_result engine_register(struct engine *engine, const char *id,
                                   struct json_object *registration,
                                   const struct instant *now, char **cause)
{
    struct client *client = engine_find_client(engine, id);
    const char *why_not = why_not_again(engine, client, id);

    if (why_not != NULL) {
        cause_set(cause, "this client %s: register with a new id", why_not);
        return ENGINE_WRONG_MOMENT;
    }
    if (client == NULL) {
        client = engine_add_client(engine, id, registration);
    } else {
        if (is_in_line(engine, client))
            matching_remove_client(engine->going->matching, client);
        json_object_put(client->registration);
        free(client->type);
        client->type = xstrdup(json_member_text(registration, "type"));
        client->registration = json_object_get(registration);
    }
    client->registered_ms = now->wall_ms;
    if (is_in_line(engine, client))
        engine_join(engine, client);
    if (engine->stopping != NULL)
        engine_dismiss(engine, client, engine->stopping);
    engine_show(engine, ENGINE_CLIENT, client->id);
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
    struct client *client = engine_find_client(engine, id);
    struct turn *turn = client != NULL ? client->turn : NULL;

    if (client == NULL) {
        cause_set(cause, "no client of this id is registered");
        return ENGINE_UNKNOWN;
    }
    client->reported_ms = now->wall_ms;
    if (turn == NULL || turn->attempt == NULL) {
        if (!strict)
            return ENGINE_OK;
        cause_set(cause,
                  "there is nothing to report: this client has not been given an action");
        return ENGINE_WRONG_MOMENT;
    }
    enum report_result result =
        attempt_report(turn->attempt, client->seat, delivery, body, strict, now);
    enum engine_result answer =
        strict
            ? result_of_report(result, &turn->attempt->seats[client->seat], body, cause)
            : ENGINE_OK;
    engine_show_turn(engine, turn);
    engine_case_moved(engine, turn, now);
    engine_settle(engine, now);
    return answer;
}

/* What an adapter says when its case has ended, or while its servers are being made: then
 * it ends. */
static void take_early_or_late_error(struct engine *engine, struct turn *turn,
                                     const struct client *client, bool is_action,
                                     const char *details, const char *path,
                                     const struct instant *now)
{
    const char *role = turn->testcase->machine->roles[client->seat];
    char *all = xasprintf("%s%s%s", details, *path ? "\nat " : "", path);
    char *brief = utf8_shorten(details, 200);
    char *message = xasprintf(
        "%s's adapter gave up while the servers were being made: %s", role, brief);

    transcript_add(turn_transcript(turn), now, TRANSCRIPT_ERROR, role, "%s", all);
    engine_end_turn(engine, turn, is_action ? OUTCOME_FAILED : OUTCOME_ERROR,
                    is_action ? "action-error" : "adapter-error", message, all, now);
    free(message);
    free(brief);
    free(all);
}

/* A client without a role says that it is broken: nobody counts on it any more. */
static void retire_client(struct engine *engine, struct client *client)
{
    if (is_in_line(engine, client))
        matching_remove_client(engine->going->matching, client);
    client->state = CLIENT_LOST;
    engine_dismiss(engine, client, "the adapter reported an error before it had a role");
}

enum engine_result engine_client_error(struct engine *engine, const char *id,
                                       bool is_action, const char *details,
                                       const char *path, const struct instant *now)
{
    struct client *client = engine_find_client(engine, id);

    if (client == NULL)
        return ENGINE_UNKNOWN;
    struct turn *turn = client->turn;
    if (turn == NULL) {
        retire_client(engine, client);
        return ENGINE_OK;
    }
    engine_show_turn(engine, turn);
    if (turn->attempt != NULL && turn->ended.mono_ms == 0) {
        attempt_adapter_error(turn->attempt, client->seat, is_action, details, path, now);
        engine_case_moved(engine, turn, now);
    } else {
        take_early_or_late_error(engine, turn, client, is_action, details, path, now);
    }
    engine_settle(engine, now);
    return ENGINE_OK;
}

void engine_lost(struct engine *engine, const char *id, const char *reason,
                 const struct instant *now)
{
    struct client *client = engine_find_client(engine, id);

    if (client == NULL)
        return;
    if (client->turn == NULL) {
        engine_log(engine, "client %s (%s) is forgotten: %s", client->id, client->type,
                   reason);
        engine_forget_client(engine, client);
    } else if (client->state == CLIENT_PLAYING) {
        char *message = xasprintf("%s (%s, client %s) was lost: %s",
                                  client->turn->testcase->machine->roles[client->seat],
                                  client->type, client->id, reason);
        client->state = CLIENT_LOST;
        engine_end_turn(engine, client->turn, OUTCOME_ERROR, "client-lost", message, NULL,
                        now);
        free(message);
    }
    engine_settle(engine, now);
}

/* --- inputs from provisioning --- */

static struct deployment *find_deployment(const struct engine *engine, const char *name)
{
    struct deployment *deployment = NULL;

    HASH_FIND_STR(engine->deployments, name, deployment);
    return deployment;
}

/* Who made them is told where it could have been somebody else. */
static void note_made(struct turn *turn, const char *where, struct json_object *servers,
                      const struct instant *now)
{
    bool several = turn->testcase->suite->run->settings.homerunners > 1;

    if (several && where != NULL)
        transcript_add(&turn->prelude, now, TRANSCRIPT_SERVER, NULL, "made %s on %s",
                       json_text(servers), where);
    else
        transcript_add(&turn->prelude, now, TRANSCRIPT_SERVER, NULL, "made %s",
                       json_text(servers));
}

void engine_created(struct engine *engine, const char *name, const char *where,
                    struct json_object *servers, const char *cause,
                    const struct instant *now)
{
    struct deployment *deployment = find_deployment(engine, name);

    if (deployment == NULL || deployment->answered)
        return;
    deployment->answered = true;
    deployment->where = where != NULL ? xstrdup(where) : NULL;
    struct turn *turn = deployment->turn;
    if (turn == NULL || turn->state != CASE_PREPARING || turn->deployment != deployment)
        return; /* it ended meanwhile; its servers are being destroyed */
    if (cause != NULL) {
        engine_end_turn(engine, turn, OUTCOME_ERROR, "provisioning", cause, NULL, now);
    } else {
        note_made(turn, where, servers, now);
        turn->servers = json_object_get(servers);
        engine_run_case(engine, turn->testcase, now);
    }
    engine_settle(engine, now);
}

void engine_destroyed(struct engine *engine, const char *name, const char *cause,
                      const struct instant *now)
{
    struct deployment *deployment = find_deployment(engine, name);

    if (deployment == NULL)
        return;
    struct turn *turn = deployment->turn;
    if (turn != NULL && cause != NULL) {
        transcript_add(&turn->prelude, now, TRANSCRIPT_SERVER, NULL,
                       "the servers could not be destroyed: %s", cause);
        engine_show_turn(engine, turn);
    }
    if (turn != NULL && turn->deployment == deployment)
        turn->deployment = NULL;
    engine_forget_deployment(engine, deployment);
    if (engine->going != NULL)
        matching_deployment_freed(engine->going->matching);
    engine_settle(engine, now);
}

/* A request is named by the id of its case and its ticket in the attempt. */
void engine_http_answered(struct engine *engine, const char *name,
                          struct json_object *reply, const char *cause,
                          const struct instant *now)
{
    struct testcase *testcase = NULL;

    if (strlen(name) > ID_SIZE)
        HASH_FIND(hh, engine->cases_by_id, name, ID_SIZE - 1, testcase);
    if (testcase == NULL || testcase->turn == NULL || testcase->turn->attempt == NULL)
        return;
    attempt_http_answered(testcase->turn->attempt, name + ID_SIZE, reply, cause, now);
    engine_case_moved(engine, testcase->turn, now);
    engine_settle(engine, now);
}

/* --- time and the end --- */

/* What the front end knows of the clients, for the sentence of a time-out. */
static void note_polls(struct attempt *attempt, struct json_object *polled)
{
    for (size_t i = 0; i < attempt->machine->role_count; i++)
        attempt->seats[i].polled_ms =
            json_object_get_int64(json_member(polled, attempt->seats[i].client));
}

/* Nobody came for too long. */
static void give_up_waiting(struct engine *engine, struct testcase *testcase,
                            const struct instant *now)
{
    const struct run *run = testcase->suite->run;

    if (testcase->turn_count > 0) { /* it has been tried: that is what is known of it */
        engine_end_with_last_turn(engine, testcase, now);
        return;
    }
    char *reason = matching_reason(run->matching, testcase, NULL);
    char *time = duration_format(run->settings.unfilled_timeout_ms);
    char *message = xasprintf("the case waited for its clients for %s: %s", time, reason);

    engine_end_case(engine, testcase, "unfilled", message, now);
    free(message);
    free(time);
    free(reason);
}

void engine_time(struct engine *engine, struct json_object *polled,
                 const struct instant *now)
{
    struct heap_entry *first;

    while ((first = heap_first(&engine->due)) != NULL && first->key <= now->mono_ms) {
        struct testcase *testcase = first->owner;
        if (testcase->turn == NULL) {
            give_up_waiting(engine, testcase, now);
            continue;
        }
        note_polls(testcase->turn->attempt, polled);
        attempt_time(testcase->turn->attempt, now);
        engine_case_moved(engine, testcase->turn, now);
    }
    engine_settle(engine, now);
}

/* Of those at this place of the heap and below it: nobody is due below one who isn't. */
static void name_overdue(const struct engine *engine, size_t place, int64_t mono_ms,
                         void (*each)(void *argument, const char *client), void *argument)
{
    if (place > engine->due.count || engine->due.entries[place]->key > mono_ms)
        return;
    const struct testcase *testcase = engine->due.entries[place]->owner;
    for (size_t i = 0; testcase->turn != NULL && i < testcase->machine->role_count; i++)
        each(argument, testcase->turn->players[i]->id);
    name_overdue(engine, 2 * place, mono_ms, each, argument);
    name_overdue(engine, 2 * place + 1, mono_ms, each, argument);
}

void engine_overdue(const struct engine *engine, const struct instant *now,
                    void (*each)(void *argument, const char *client), void *argument)
{
    name_overdue(engine, 1, now->mono_ms, each, argument);
}

void engine_stop(struct engine *engine, const char *reason, const struct instant *now)
{
    struct client *client, *next;
    struct run *run;

    if (engine->stopping != NULL)
        return;
    engine->stopping = xstrdup(reason);
    engine->has_task = false;
    TAILQ_FOREACH (run, &engine->runs, link) {
        if (run->state != RUN_ENDED) {
            run->broken_off = xstrdup(reason);
            engine_break_off(engine, run, now);
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
    const struct client *client = engine_find_client(engine, id);

    if (client == NULL)
        return (struct poll){POLL_ANSWER, UNKNOWN_CLIENT_ANSWER, NULL, NULL, true};
    if (client->exit_answer != NULL)
        return (struct poll){POLL_ANSWER, client->exit_answer, NULL, NULL, true};
    if (client->turn == NULL)
        return (struct poll){POLL_IDLE, NULL, NULL, "waiting for a test", false};
    if (client->turn->attempt == NULL)
        return (struct poll){POLL_IDLE, NULL, NULL, "waiting for the servers", false};
    const struct seat *seat = &client->turn->attempt->seats[client->seat];
    const char *answer = attempt_answer(client->turn->attempt, client->seat);
    if (answer == NULL)
        return (struct poll){POLL_IDLE, NULL, NULL, "nothing to do now", false};
    return (struct poll){POLL_ANSWER, answer, seat->delivery, NULL, false};
}

enum client_standing engine_client_standing(const struct engine *engine, const char *id)
{
    const struct client *client = engine_find_client(engine, id);

    if (client == NULL)
        return CLIENT_IS_UNKNOWN;
    if (client->state == CLIENT_PLAYING)
        return CLIENT_IS_PLAYING;
    return client->turn == NULL ? CLIENT_IS_WAITING : CLIENT_IS_OVER;
}

int64_t engine_deadline(const struct engine *engine)
{
    const struct heap_entry *first = heap_first(&engine->due);

    if (engine->unsettled)
        return 0;
    return first != NULL ? first->key : INT64_MAX;
}

size_t engine_client_count(const struct engine *engine)
{
    return HASH_COUNT(engine->clients);
}

bool engine_knows_case(const struct engine *engine, const char *id)
{
    struct testcase *testcase = NULL;

    HASH_FIND_STR(engine->cases_by_id, id, testcase);
    return testcase != NULL;
}

size_t engine_deployments(const struct engine *engine)
{
    return HASH_COUNT(engine->deployments);
}
