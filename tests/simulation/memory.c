/* SPDX-License-Identifier: Apache-2.0 */
/* What was seen of outcomes, kept beside the engine, whatever becomes of processes. */
#include "invariants.h"

#include "front.h"
#include "json.h"
#include "model.h"
#include "status.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

/* How a case or one of its turns ended, when it was seen first. */
struct outcome_seen {
    char *key;         /* id of the case and number of the turn, 0: the case; owned */
    char *text;        /* the outcome; owned */
    UT_hash_handle hh; /* by key */
};

/* What was to be seen of a run that has ended, and the number that grows with its
 * changes. */
struct run_seen {
    char id[ID_SIZE];  /* of the run */
    size_t changes;    /* when it was looked at */
    unsigned hash;     /* of all that was to be seen of its cases then */
    UT_hash_handle hh; /* by id */
};

struct memory {
    struct outcome_seen *outcomes; /* uthash; owned */
    struct run_seen *runs;         /* uthash; owned */
};

void memory_begin(struct sim *sim)
{
    sim->memory = xcalloc(1, sizeof *sim->memory);
}

void memory_free(struct sim *sim)
{
    struct memory *memory = sim->memory;
    struct outcome_seen *outcome, *next_outcome;
    struct run_seen *run, *next_run;

    HASH_ITER (hh, memory->runs, run, next_run) {
        HASH_DEL(memory->runs, run);
        free(run);
    }
    HASH_ITER (hh, memory->outcomes, outcome, next_outcome) {
        HASH_DEL(memory->outcomes, outcome);
        free(outcome->key);
        free(outcome->text);
        free(outcome);
    }
    free(memory);
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
    static char never[] = "never", empty[] = "";
    static const struct verdict none = {.type = never, .message = empty};
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

/* --- what is kept of runs --- */

static unsigned hash_text(unsigned hash, const char *text)
{
    for (; *text != '\0'; text++)
        hash = hash * 31 + (unsigned char)*text;
    return hash;
}

static int64_t never_polled(void *context, const char *client)
{
    (void)context, (void)client;
    return 0;
}

static unsigned hash_run(struct sim *sim, const struct run *run)
{
    struct status_view view = {"1.0", sim_now(sim), never_polled, NULL, NULL};
    const struct suite *suite;
    unsigned hash = 0;

    TAILQ_FOREACH (suite, &run->suites, link) {
        for (size_t i = 0; i < suite->case_count; i++) {
            struct json_object *seen =
                status_case(sim->front->engine, suite->cases[i].id, &view);
            hash = hash_text(hash, json_text(seen));
            json_object_put(seen);
        }
    }
    return hash;
}

static void check_changes(struct sim *sim, const struct run *run)
{
    struct run_seen *seen = NULL;
    unsigned hash = hash_run(sim, run);

    HASH_FIND_STR(sim->memory->runs, run->id, seen);
    if (seen == NULL) {
        seen = xcalloc(1, sizeof *seen);
        memcpy(seen->id, run->id, ID_SIZE);
        HASH_ADD_STR(sim->memory->runs, id, seen);
    } else if (run->changes < seen->changes ||
               (run->changes == seen->changes && hash != seen->hash)) {
        sim_fail(sim,
                 "run %s has other cases than before, and does not say so: %zu "
                 "changes, and %zu before",
                 run->id, run->changes, seen->changes);
    }
    seen->changes = run->changes;
    seen->hash = hash;
}

void memory_check_changes(struct sim *sim)
{
    const struct run *run;

    TAILQ_FOREACH (run, &sim->front->engine->runs, link) {
        if (run->state == RUN_ENDED)
            check_changes(sim, run);
    }
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
