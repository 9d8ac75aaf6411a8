/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold whatever happens. */
#include "invariants.h"

#include "front.h"
#include "homes.h"
#include "json.h"
#include "junit.h"
#include "model.h"
#include "polls.h"
#include "process.h"
#include "status.h"
#include "xalloc.h"

#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>

/* --- cheap ones --- */

static bool goes_on(const struct turn *turn)
{
    return turn->ended.mono_ms == 0;
}

static void check_client(struct sim *sim, const struct client *client)
{
    bool plays = client->state == CLIENT_PLAYING;

    if (client->turn == NULL && (plays || client->state == CLIENT_DONE))
        sim_fail(sim, "%s plays nowhere", client->id);
    if (sim->front->engine->stopping != NULL &&
        !engine_poll(sim->front->engine, client->id).is_exit)
        sim_fail(sim, "%s is not told to exit, and the server stops", client->id);
    if (client->turn == NULL)
        return;
    if (client->turn->players[client->seat] != client)
        sim_fail(sim, "%s sits where another one plays", client->id);
    if (goes_on(client->turn) != plays)
        sim_fail(sim, "%s is %s in a turn that %s", client->id,
                 client_state_text(client->state),
                 plays ? "has ended" : "goes on without it");
    if (engine_poll(sim->front->engine, client->id).is_exit == plays)
        sim_fail(sim,
                 plays ? "%s plays, and is told to exit"
                       : "%s is done, and is not told to exit",
                 client->id);
}

/* Nobody is asked to start again what it may be doing, unless it reported. */
static void check_delivery(struct sim *sim, const struct client *client)
{
    struct robot *robot = fleet_find(sim, client->id);
    const struct seat *seat = client->turn != NULL && client->turn->attempt != NULL
                                  ? &client->turn->attempt->seats[client->seat]
                                  : NULL;
    char *work = seat != NULL && seat->action != NULL
                     ? xasprintf("%s %s", seat->action->name, json_text(seat->data))
                     : NULL;
    const char *delivery = work != NULL ? seat->delivery : "";

    if (work != NULL && robot->work != NULL && strcmp(work, robot->work) == 0 &&
        strcmp(delivery, robot->asked) != 0 && strcmp(robot->asked, robot->latest) != 0)
        sim_fail(sim, "%s is asked to %s as %s, and was as %s", client->id, work,
                 delivery, robot->asked);
    free(robot->work);
    robot->work = work;
    memcpy(robot->asked, delivery, strlen(delivery) + 1);
}

/* Each player of a turn that goes on plays there and nowhere else. */
static void check_players(struct sim *sim, const struct turn *turn)
{
    for (size_t i = 0; i < turn->testcase->machine->role_count; i++) {
        const struct client *client = turn->players[i];
        if (client->turn != turn || client->seat != i)
            sim_fail(sim, "%s plays in two places", client->id);
    }
}

static void check_case(struct sim *sim, const struct testcase *testcase)
{
    bool plays = testcase->state == CASE_PREPARING || testcase->state == CASE_RUNNING;

    if (plays && (testcase->turn == NULL || !goes_on(testcase->turn) ||
                  testcase->turn->state != testcase->state))
        sim_fail(sim, "%s is %s without a turn", testcase->id,
                 case_state_text(testcase->state));
    if (plays && testcase->suite->run != sim->front->engine->going)
        sim_fail(sim, "%s plays, and its run does not go on", testcase->id);
    if (!plays && testcase->turn != NULL && goes_on(testcase->turn))
        sim_fail(sim, "%s has a turn that goes on", testcase->id);
    if (plays)
        check_players(sim, testcase->turn);
}

/* A case that waits for a server has asked it. */
static void check_request(struct sim *sim, const struct testcase *testcase)
{
    const struct attempt *attempt =
        testcase->state == CASE_RUNNING ? testcase->turn->attempt : NULL;

    if (attempt == NULL || !sim->front->is_open ||
        attempt_current(attempt)->kind != STATE_HTTP)
        return;
    char *ticket = xasprintf("%s/%s", testcase->id, attempt->ticket);
    if (!homes_is_asked(sim, ticket))
        sim_fail(sim, "%s waits for an answer to what it did not ask: %s", testcase->id,
                 ticket);
    free(ticket);
}

/* Nothing has to wait longer than it may. */
static void check_deadline(struct sim *sim, const struct testcase *testcase)
{
    const struct attempt *attempt =
        testcase->state == CASE_RUNNING ? testcase->turn->attempt : NULL;
    int64_t deadline = engine_deadline(sim->front->engine);
    bool late = false;

    if (attempt == NULL)
        return;
    late = deadline > attempt->case_deadline_ms ||
           (attempt_current(attempt)->kind == STATE_WAIT &&
            deadline > attempt->wait_until_ms);
    for (size_t i = 0; i < attempt->machine->role_count; i++)
        late = late || (attempt->seats[i].action != NULL &&
                        deadline > attempt->seats[i].deadline_ms);
    if (late)
        sim_fail(sim, "%s has a time-out before the engine's next look at the time",
                 testcase->id);
}

static void check_totals(struct sim *sim, const struct run *run)
{
    size_t totals[CASE_STATE_COUNT] = {0};
    size_t flaky = 0, count = 0;
    const struct suite *suite;

    TAILQ_FOREACH (suite, &run->suites, link) {
        for (size_t i = 0; i < suite->case_count; i++, count++) {
            totals[suite->cases[i].state]++;
            flaky += testcase_is_flaky(&suite->cases[i]);
        }
    }
    if (memcmp(totals, run->totals, sizeof totals) != 0 || flaky != run->flaky ||
        count != run->case_count)
        sim_fail(sim, "the totals of run %s do not add up", run->id);
    if (run->state == RUN_ENDED && totals[CASE_PREPARING] + totals[CASE_RUNNING] > 0)
        sim_fail(sim, "run %s has ended, and cases of it go on", run->id);
}

/* Whatever can start has started. */
static void check_nobody_waits_in_vain(struct sim *sim, const struct testcase *testcase)
{
    const struct engine *engine = sim->front->engine;

    if (testcase->state != CASE_WAITING || testcase->suite->run != engine->going ||
        engine->stopping != NULL)
        return;
    char *message = status_message(engine, testcase);
    bool blocked = strstr(message, "waits for a free homerunner deployment") != NULL;
    if (strstr(message, "is about to start") != NULL ||
        (blocked && engine_deployments(engine) < engine->going->settings.deployments))
        sim_fail(sim, "%s could start, and does not: %s", testcase->id, message);
    free(message);
}

void invariants_check(struct sim *sim)
{
    const struct engine *engine = sim->front->engine;
    const struct client *client;
    const struct testcase *testcase;
    const struct run *run;

    for (client = engine->clients; client != NULL; client = client->hh.next) {
        check_client(sim, client);
        check_delivery(sim, client);
    }
    for (testcase = engine->cases_by_id; testcase != NULL; testcase = testcase->hh.next) {
        check_case(sim, testcase);
        check_nobody_waits_in_vain(sim, testcase);
        check_request(sim, testcase);
        check_deadline(sim, testcase);
    }
    TAILQ_FOREACH (run, &engine->runs, link) {
        check_totals(sim, run);
    }
    memory_check_outcomes(sim);
    if (sim->front->applied % 8 == 0)
        memory_check_changes(sim);
}

void invariants_check_create(struct sim *sim, const char *deployment)
{
    const struct engine *engine = sim->front->engine;
    size_t limit = engine->going != NULL ? engine->going->settings.deployments : 0;

    if (!sim->front->resuming && engine_deployments(engine) > limit)
        sim_fail(sim, "%s is one deployment too many: %zu of %zu", deployment,
                 engine_deployments(engine), limit);
}

/* --- replay --- */

static int64_t polled_cb(void *context, const char *client)
{
    (void)context;
    return 1800000000000 + (int64_t)strlen(client);
}

/* When a run ended, and how much has changed in it. */
static void append_end(void *argument, const char *run, bool shown, size_t changes,
                       const struct instant *ended)
{
    struct json_object *end = json_new_object();

    json_put_text(end, "run", run);
    json_put_bool(end, "shown", shown);
    json_put_int(end, "changes", (int64_t)changes);
    json_put_int(end, "ended", ended->mono_ms);
    json_append(argument, end);
}

static void append_clients(const struct engine *engine, struct json_object *all)
{
    const struct client *client;

    for (client = engine->clients; client != NULL; client = client->hh.next) {
        struct poll poll = engine_poll(engine, client->id);
        json_append(all,
                    json_new_text(poll.kind == POLL_ANSWER ? poll.answer : poll.reason));
    }
}

/* Everything that is to be seen of an engine. Owned by the caller. */
static char *seen_of(const struct engine *engine, struct instant now)
{
    struct status_view view = {"1.0", now, polled_cb, NULL, NULL};
    struct json_object *all = json_new_array();
    const struct testcase *testcase;
    const struct run *run;
    const char *next = engine_next_run(engine);

    json_append(all, status_all(engine, &view));
    json_append(all, status_runs(engine));
    TAILQ_FOREACH (run, &engine->runs, link) {
        json_append(all, status_run(engine, run->id, &view));
        if (run->state == RUN_ENDED)
            json_append(all, status_record(engine, run->id, 0, 3, &view));
    }
    for (testcase = engine->cases_by_id; testcase; testcase = testcase->hh.next)
        json_append(all, status_case(engine, testcase->id, &view));
    append_clients(engine, all);
    engine_ended_runs(engine, append_end, all);
    json_append(all, json_object_new_int64(engine_deadline(engine)));
    json_append(all, engine_checkpoint(engine));
    json_append(all, json_new_text(next != NULL ? next : "none"));
    char *text = xstrdup(json_text(all));
    json_object_put(all);
    return text;
}

static void check_document(struct sim *sim, const char *run)
{
    struct instant now = sim_now(sim);
    size_t size = 0;
    char *text = junit_document(sim->front->engine, run, "here", &now, &size);
    xmlDocPtr document = xmlReadMemory(text, (int)size, "junit", NULL,
                                       XML_PARSE_NONET | XML_PARSE_NOERROR);

    if (document == NULL)
        sim_fail(sim, "the JUnit document is not well-formed: %s", text);
    COUNT(sim, documents);
    xmlFreeDoc(document);
    free(text);
}

/* Where two texts part, with what is around it. */
static void fail_at_difference(struct sim *sim, const char *wanted, const char *found)
{
    size_t at = 0;

    while (wanted[at] != '\0' && wanted[at] == found[at])
        at++;
    size_t from = at > 300 ? at - 300 : 0;
    sim_fail(
        sim,
        "another engine with the same inputs is another one.\nwas: %.700s\nis:  %.700s",
        wanted + from, found + from);
}

void invariants_check_replay(struct sim *sim)
{
    struct engine *again = process_replay(sim);
    const struct run *run;
    struct instant now = sim_now(sim);
    char *wanted = seen_of(sim->front->engine, now);
    char *found = seen_of(again, now);

    if (strcmp(wanted, found) != 0)
        fail_at_difference(sim, wanted, found);
    COUNT(sim, replays);
    free(wanted);
    free(found);
    engine_free(again);
    ledger_check(sim);
    TAILQ_FOREACH (run, &sim->front->engine->runs, link) {
        check_document(sim, run->id);
    }
}

/* --- the end --- */

void invariants_check_end(struct sim *sim)
{
    const struct engine *engine = sim->front->engine;
    const struct run *run;

    invariants_check(sim);
    invariants_check_replay(sim);
    TAILQ_FOREACH (run, &engine->runs, link) {
        if (run->state != RUN_ENDED)
            sim_fail(sim, "run %s does not end", run->id);
    }
    if (engine_deployments(engine) > 0 || homes_left(sim) > 0)
        sim_fail(sim, "servers are left: %zu known, %zu at homerunner",
                 engine_deployments(engine), homes_left(sim));
    if (engine_deadline(engine) != INT64_MAX)
        sim_fail(sim, "all is over, and the engine waits for something");
}
