/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each input is looked at when it is applied for the first time, and what came of reports
 * is written down here, beside the engine, whatever becomes of processes.
 */
#include "invariants.h"

#include "front.h"
#include "homes.h"
#include "json.h"
#include "model.h"
#include "people.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

/* A delivery whose report was taken. */
struct taken {
    char delivery[ID_SIZE]; /* which */
    char client[24];        /* whose */
    bool acknowledged;      /* the client has heard of it */
    UT_hash_handle hh;      /* by delivery */
};

/* How many reports of a turn were taken. */
struct turn_reports {
    char *key;         /* as of struct outcome_seen; owned */
    size_t count;      /* of reports */
    UT_hash_handle hh; /* by key */
};

struct ledger {
    struct taken *taken;        /* uthash; owned */
    struct turn_reports *turns; /* uthash; owned */
    char outstanding[ID_SIZE];  /* of the client of this input, before it; "" if none */
    const struct turn *turn;    /* of the client, before the input; NULL if none */
    bool played;                /* the client played, before the input */
    bool queued;                /* the run of the input had not begun */
};

void ledger_begin(struct sim *sim)
{
    sim->ledger = xcalloc(1, sizeof *sim->ledger);
}

void ledger_free(struct sim *sim)
{
    struct ledger *ledger = sim->ledger;
    struct taken *taken, *next_taken;
    struct turn_reports *turn, *next_turn;

    HASH_ITER (hh, ledger->taken, taken, next_taken) {
        HASH_DEL(ledger->taken, taken);
        free(taken);
    }
    HASH_ITER (hh, ledger->turns, turn, next_turn) {
        HASH_DEL(ledger->turns, turn);
        free(turn->key);
        free(turn);
    }
    free(ledger);
}

static char *turn_key(const struct turn *turn)
{
    return xasprintf("%s/%u", turn->testcase->id, turn->number);
}

/* --- reports --- */

static struct taken *find_taken(const struct ledger *ledger, const char *delivery)
{
    struct taken *taken = NULL;

    HASH_FIND_STR(ledger->taken, delivery, taken);
    return taken;
}

static void note_client(struct sim *sim, const char *id)
{
    struct ledger *ledger = sim->ledger;
    struct client *client = NULL;

    HASH_FIND_STR(sim->front->engine->clients, id, client);
    ledger->turn = client != NULL ? client->turn : NULL;
    ledger->played = client != NULL && client->state == CLIENT_PLAYING;
    if (ledger->turn == NULL || ledger->turn->attempt == NULL)
        return;
    const struct seat *seat = &ledger->turn->attempt->seats[client->seat];
    memcpy(ledger->outstanding, seat->delivery, ID_SIZE);
}

static bool is_queued(const struct sim *sim, struct json_object *input)
{
    const char *id = json_member_text(input, "run");
    const char *case_id = json_member_text(input, "case");
    struct testcase *testcase = NULL;

    if (case_id != NULL)
        HASH_FIND_STR(sim->front->engine->cases_by_id, case_id, testcase);
    return testcase != NULL ? testcase->suite->run->state == RUN_QUEUED
                            : id != NULL && engine_run_standing(sim->front->engine, id) ==
                                                RUN_IS_QUEUED;
}

/* A beginning is written down with what there is when it comes to be applied. */
static void check_checkpoint(struct sim *sim, struct json_object *input)
{
    struct json_object *checkpoint = engine_checkpoint(sim->front->engine);
    char *text = xstrdup(json_text(checkpoint));

    if (strcmp(text, json_text(json_member(input, "checkpoint"))) != 0)
        sim_fail(sim, "a checkpoint is %s, and was written as %s", text,
                 json_text(json_member(input, "checkpoint")));
    free(text);
    json_object_put(checkpoint);
}

void ledger_before(struct sim *sim, struct json_object *input)
{
    struct ledger *ledger = sim->ledger;
    const char *client = json_member_text(input, "client");

    if (strcmp(json_member_text(input, "input"), "begin") == 0)
        check_checkpoint(sim, input);

    ledger->outstanding[0] = '\0';
    ledger->turn = NULL;
    ledger->queued = is_queued(sim, input);
    if (client != NULL)
        note_client(sim, client);
}

static void take(struct sim *sim, const char *delivery, const char *client)
{
    struct ledger *ledger = sim->ledger;
    struct taken *taken = xcalloc(1, sizeof *taken);
    struct turn_reports *reports = NULL;
    char *key = turn_key(ledger->turn);

    memcpy(taken->delivery, delivery, ID_SIZE);
    strncpy(taken->client, client, sizeof taken->client - 1);
    memcpy(fleet_find(sim, client)->latest, delivery, ID_SIZE);
    HASH_ADD_STR(ledger->taken, delivery, taken);
    HASH_FIND_STR(ledger->turns, key, reports);
    if (reports == NULL) {
        reports = xcalloc(1, sizeof *reports);
        reports->key = xstrdup(key);
        HASH_ADD_KEYPTR(hh, ledger->turns, reports->key, strlen(reports->key), reports);
    }
    reports->count++;
    free(key);
    COUNT(sim, taken);
}

static void after_report(struct sim *sim, struct json_object *input,
                         enum engine_result result, const char *cause)
{
    struct ledger *ledger = sim->ledger;
    const char *client = json_member_text(input, "client");
    const char *delivery = json_member_text(input, "delivery");
    bool outstanding = *delivery != '\0' && strcmp(delivery, ledger->outstanding) == 0;
    bool repeated = !outstanding && *delivery != '\0' &&
                    strcmp(delivery, fleet_find(sim, client)->latest) == 0;
    bool strict = json_object_get_boolean(json_member(input, "strict"));

    if (outstanding && result == ENGINE_OK) {
        if (find_taken(ledger, delivery) != NULL)
            sim_fail(sim, "%s: the delivery %s is taken twice", client, delivery);
        take(sim, delivery, client);
    } else if (repeated && result == ENGINE_OK) {
        COUNT(sim, repeated);
    } else if (repeated && result != ENGINE_UNKNOWN) {
        sim_fail(sim, "%s: a repeat of %s is refused: %s", client, delivery, cause);
    } else if (strict && !outstanding && result == ENGINE_OK) {
        sim_fail(sim, "%s: a report of %s, which is not outstanding, is taken", client,
                 delivery);
    }
    if (!fleet_find(sim, client)->strict && result != ENGINE_OK &&
        result != ENGINE_UNKNOWN)
        sim_fail(sim, "%s names no deliveries, and is refused: %s", client, cause);
    if (outstanding && result == ENGINE_WRONG_MOMENT)
        sim_fail(sim, "%s: a report of %s, which is outstanding, is refused: %s", client,
                 delivery, cause);
    sim->report->tally.stale += result == ENGINE_WRONG_MOMENT;
    sim->report->tally.not_accepted += result == ENGINE_INVALID;
}

/* Who was lost while it played is shown so. */
static void check_lost(struct sim *sim, const char *id)
{
    const struct client *client = NULL;

    HASH_FIND_STR(sim->front->engine->clients, id, client);
    if (client != NULL && sim->ledger->played && client->state != CLIENT_LOST)
        sim_fail(sim, "%s was lost, and is %s", id, client_state_text(client->state));
}

void ledger_after(struct sim *sim, struct json_object *input, enum engine_result result,
                  const char *cause)
{
    const char *kind = json_member_text(input, "input");
    struct tally *tally = &sim->report->tally;
    bool queued = sim->ledger->queued;

    if ((result != ENGINE_OK && result != ENGINE_UNKNOWN) && cause == NULL &&
        strcmp(kind, "run") != 0)
        sim_fail(sim, "%s is refused without a word", json_text(input));
    if (strcmp(kind, "run") == 0)
        people_note_run(sim, json_member_text(json_member(input, "plan"), "id"));
    if (strcmp(kind, "answered") == 0)
        homes_answered(sim, json_member_text(input, "ticket"));
    if (strcmp(kind, "report") == 0)
        after_report(sim, input, result, cause);
    else if (result == ENGINE_INVALID)
        sim_fail(sim, "%s is no input: %s", json_text(input), cause);
    if (strcmp(kind, "cancel run") == 0 && result == ENGINE_OK) {
        tally->cancelled_runs++;
        tally->cancelled_queued += queued;
    }
    if (strcmp(kind, "cancel case") == 0 && result == ENGINE_OK) {
        tally->cancelled_cases++;
        tally->cancelled_early += queued;
    }
    if (strcmp(kind, "lost") == 0 && sim->ledger->turn != NULL)
        check_lost(sim, json_member_text(input, "client"));
    tally->forgotten += strcmp(kind, "forget") == 0;
}

void ledger_acknowledged(struct sim *sim, struct robot *robot)
{
    struct taken *taken = find_taken(sim->ledger, robot->reported);

    COUNT(sim, reports);
    if (!robot->strict || *robot->reported == '\0')
        return;
    if (taken == NULL || strcmp(taken->client, robot->id) != 0)
        sim_fail(sim, "%s heard that its report of %s was taken, and it was not",
                 robot->id, robot->reported);
    taken->acknowledged = true;
}

static size_t count_lines(const struct transcript *transcript)
{
    size_t count = 0;

    for (size_t i = 0; i < transcript->count; i++)
        count += transcript->lines[i].kind == TRANSCRIPT_RESPONSE;
    return count;
}

static void check_turn_reports(struct sim *sim, const struct turn *turn)
{
    struct turn_reports *reports = NULL;
    char *key = turn_key(turn);

    HASH_FIND_STR(sim->ledger->turns, key, reports);
    size_t known = reports != NULL ? reports->count : 0;
    size_t found = turn->attempt != NULL ? count_lines(&turn->attempt->transcript) : 0;
    bool whole = turn->attempt == NULL || turn->attempt->transcript.dropped == 0;
    if (whole && known != found)
        sim_fail(sim, "%s: %zu reports were taken, its transcript has %zu", key, known,
                 found);
    free(key);
}

void ledger_check(struct sim *sim)
{
    const struct testcase *testcase;
    const struct turn *turn;

    for (testcase = sim->front->engine->cases_by_id; testcase != NULL;
         testcase = testcase->hh.next) {
        TAILQ_FOREACH (turn, &testcase->turns, link) {
            check_turn_reports(sim, turn);
        }
    }
}
