/* SPDX-License-Identifier: Apache-2.0 */
/* What was seen of outcomes and reports, kept beside the engine, whatever becomes of processes. */
#include "invariants.h"

#include "front.h"
#include "json.h"
#include "model.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

/* How a case or one of its turns ended, when it was seen first. */
struct outcome_seen {
    char *key;         /* id of the case and number of the turn, 0: the case; owned */
    char *text;        /* the outcome; owned */
    UT_hash_handle hh; /* by key */
};

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

struct memory {
    struct outcome_seen *outcomes; /* uthash; owned */
    struct taken *taken;           /* uthash; owned */
    struct turn_reports *turns;    /* uthash; owned */
    char outstanding[ID_SIZE]; /* of the client of this input, before it; "" if none */
    char latest[ID_SIZE];      /* the delivery that the client's seat took last */
    const struct turn *turn;   /* of the client, before the input; NULL if none */
    bool queued;               /* the run of the input had not begun */
};

void memory_begin(struct sim *sim)
{
    sim->memory = xcalloc(1, sizeof *sim->memory);
}

void memory_free(struct sim *sim)
{
    struct memory *memory = sim->memory;
    struct outcome_seen *outcome, *next_outcome;
    struct taken *taken, *next_taken;
    struct turn_reports *turn, *next_turn;

    HASH_ITER (hh, memory->outcomes, outcome, next_outcome) {
        HASH_DEL(memory->outcomes, outcome);
        free(outcome->key);
        free(outcome->text);
        free(outcome);
    }
    HASH_ITER (hh, memory->taken, taken, next_taken) {
        HASH_DEL(memory->taken, taken);
        free(taken);
    }
    HASH_ITER (hh, memory->turns, turn, next_turn) {
        HASH_DEL(memory->turns, turn);
        free(turn->key);
        free(turn);
    }
    free(memory);
}

static char *turn_key(const struct turn *turn)
{
    return xasprintf("%s/%u", turn->testcase->id, turn->number);
}

/* --- reports --- */

static struct taken *find_taken(const struct memory *memory, const char *delivery)
{
    struct taken *taken = NULL;

    HASH_FIND_STR(memory->taken, delivery, taken);
    return taken;
}

static void note_client(struct sim *sim, const char *id)
{
    struct memory *memory = sim->memory;
    struct client *client = NULL;

    HASH_FIND_STR(sim->front->engine->clients, id, client);
    memory->turn = client != NULL ? client->turn : NULL;
    if (memory->turn == NULL || memory->turn->attempt == NULL)
        return;
    const struct seat *seat = &memory->turn->attempt->seats[client->seat];
    memcpy(memory->outstanding, seat->delivery, ID_SIZE);
    memcpy(memory->latest, seat->taken, ID_SIZE);
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

void memory_before(struct sim *sim, struct json_object *input)
{
    struct memory *memory = sim->memory;
    const char *client = json_member_text(input, "client");

    memory->outstanding[0] = memory->latest[0] = '\0';
    memory->turn = NULL;
    memory->queued = is_queued(sim, input);
    if (client != NULL)
        note_client(sim, client);
}

static void take(struct sim *sim, const char *delivery, const char *client)
{
    struct memory *memory = sim->memory;
    struct taken *taken = xcalloc(1, sizeof *taken);
    struct turn_reports *reports = NULL;
    char *key = turn_key(memory->turn);

    memcpy(taken->delivery, delivery, ID_SIZE);
    strncpy(taken->client, client, sizeof taken->client - 1);
    HASH_ADD_STR(memory->taken, delivery, taken);
    HASH_FIND_STR(memory->turns, key, reports);
    if (reports == NULL) {
        reports = xcalloc(1, sizeof *reports);
        reports->key = xstrdup(key);
        HASH_ADD_KEYPTR(hh, memory->turns, reports->key, strlen(reports->key), reports);
    }
    reports->count++;
    free(key);
    COUNT(sim, taken);
}

static void after_report(struct sim *sim, struct json_object *input,
                         enum engine_result result, const char *cause)
{
    struct memory *memory = sim->memory;
    const char *client = json_member_text(input, "client");
    const char *delivery = json_member_text(input, "delivery");
    bool outstanding = *delivery != '\0' && strcmp(delivery, memory->outstanding) == 0;
    bool repeated = !outstanding && *delivery != '\0' &&
                    strcmp(delivery, memory->latest) == 0;
    bool strict = json_object_get_boolean(json_member(input, "strict"));

    if (outstanding && result == ENGINE_OK) {
        if (find_taken(memory, delivery) != NULL)
            sim_fail(sim, "%s: the delivery %s is taken twice", client, delivery);
        take(sim, delivery, client);
    } else if (repeated && result == ENGINE_OK) {
        COUNT(sim, repeated);
    } else if (repeated) {
        sim_fail(sim, "%s: a repeat of %s is refused: %s", client, delivery, cause);
    } else if (strict && !outstanding && result == ENGINE_OK) {
        sim_fail(sim, "%s: a report of %s, which is not outstanding, is taken", client,
                 delivery);
    }
    if (outstanding && result == ENGINE_WRONG_MOMENT)
        sim_fail(sim, "%s: a report of %s, which is outstanding, is refused: %s", client,
                 delivery, cause);
    sim->report->tally.stale += result == ENGINE_WRONG_MOMENT;
    sim->report->tally.not_accepted += result == ENGINE_INVALID;
}

void memory_after(struct sim *sim, struct json_object *input, enum engine_result result,
                  const char *cause)
{
    const char *kind = json_member_text(input, "input");
    struct tally *tally = &sim->report->tally;
    bool queued = sim->memory->queued;

    if ((result != ENGINE_OK && result != ENGINE_UNKNOWN) && cause == NULL &&
        strcmp(kind, "run") != 0)
        sim_fail(sim, "%s is refused without a word", json_text(input));
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
    tally->forgotten += strcmp(kind, "forget") == 0;
}

void memory_acknowledged(struct sim *sim, struct robot *robot)
{
    struct taken *taken = find_taken(sim->memory, robot->reported);

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

    HASH_FIND_STR(sim->memory->turns, key, reports);
    size_t known = reports != NULL ? reports->count : 0;
    size_t found = turn->attempt != NULL ? count_lines(&turn->attempt->transcript) : 0;
    bool whole = turn->attempt == NULL || turn->attempt->transcript.dropped == 0;
    if (whole && known != found)
        sim_fail(sim, "%s: %zu reports were taken, its transcript has %zu", key, known,
                 found);
    free(key);
}

void memory_check_reports(struct sim *sim)
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

/* --- outcomes --- */

static void remember(struct sim *sim, const char *id, unsigned number, const char *state,
                     const struct verdict *verdict, const struct instant *ended)
{
    struct outcome_seen *seen = NULL;
    char *key = xasprintf("%s/%u", id, number);
    char *text = xasprintf("%s, %s, %s, at %lld", state, verdict->type, verdict->message,
                           (long long)ended->wall_ms);

    HASH_FIND_STR(sim->memory->outcomes, key, seen);
    if (seen == NULL) {
        seen = xcalloc(1, sizeof *seen);
        seen->key = key;
        seen->text = text;
        HASH_ADD_KEYPTR(hh, sim->memory->outcomes, seen->key, strlen(seen->key), seen);
        return;
    }
    if (strcmp(seen->text, text) != 0)
        sim_fail(sim, "%s ended as %s, and now as %s", key, seen->text, text);
    free(text);
    free(key);
}

/* What ended so once must not be seen as going on. */
static void check_not_over(struct sim *sim, const char *id, unsigned number)
{
    struct outcome_seen *seen = NULL;
    char *key = xasprintf("%s/%u", id, number);

    HASH_FIND_STR(sim->memory->outcomes, key, seen);
    if (seen != NULL)
        sim_fail(sim, "%s ended as %s, and goes on now", key, seen->text);
    free(key);
}

/* Also whether cases that wait do so for good: nothing changes after the end of a run. */
static void check_case(struct sim *sim, const struct testcase *testcase)
{
    static const struct verdict none = {.type = "never", .message = (char *)""};
    const struct run *run = testcase->suite->run;
    const struct turn *turn;

    TAILQ_FOREACH (turn, &testcase->turns, link) {
        if (turn->ended.mono_ms != 0)
            remember(sim, testcase->id, turn->number, case_state_text(turn->state),
                     turn_verdict(turn), &turn->ended);
        else
            check_not_over(sim, testcase->id, turn->number);
    }
    if (testcase_has_ended(testcase))
        remember(sim, testcase->id, 0, case_state_text(testcase->state),
                 testcase_verdict(testcase), &testcase->ended);
    else if (run->state == RUN_ENDED)
        remember(sim, testcase->id, 0, "never", &none, &run->ended);
    else
        check_not_over(sim, testcase->id, 0);
}

void memory_check_outcomes(struct sim *sim)
{
    const struct testcase *testcase;

    for (testcase = sim->front->engine->cases_by_id; testcase != NULL;
         testcase = testcase->hh.next)
        check_case(sim, testcase);
}

static bool begins_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

void memory_count(struct sim *sim)
{
    struct tally *tally = &sim->report->tally;
    const struct outcome_seen *seen;

    for (seen = sim->memory->outcomes; seen != NULL; seen = seen->hh.next) {
        const char *number = strchr(seen->key, '/');
        bool retry = strcmp(number, "/0") != 0 && strcmp(number, "/1") != 0;
        tally->retries += retry;
        tally->flaky += retry && begins_with(seen->text, "success");
        if (strcmp(number, "/0") != 0)
            continue;
        tally->cases++;
        tally->success += begins_with(seen->text, "success");
        tally->failed += begins_with(seen->text, "failed");
        tally->error += begins_with(seen->text, "error");
        tally->never += begins_with(seen->text, "never");
    }
}
