/* SPDX-License-Identifier: Apache-2.0 */
/* What can be said of the engine's things without changing them, and the one way a case
 * changes. */
#include "model.h"

#include <assert.h>
#include <string.h>

void testcase_set_state(struct testcase *testcase, enum case_state state)
{
    struct run *run = testcase->suite->run;

    /* forwards; or back to waiting, where another attempt follows */
    assert(!testcase_has_ended(testcase));
    assert(state > testcase->state ||
           (state == CASE_WAITING && testcase->state != CASE_WAITING));
    run->totals[testcase->state]--;
    run->totals[state]++;
    testcase->state = state;
    run->flaky += testcase_is_flaky(testcase);
}

const char *case_state_text(enum case_state state)
{
    static const char *const texts[] = {
#define CASE_STATE_TEXT(name, text) text,
        CASE_STATES(CASE_STATE_TEXT)
#undef CASE_STATE_TEXT
    };

    return texts[state];
}

const char *client_state_text(enum client_state state)
{
    static const char *const texts[] = {
#define CLIENT_STATE_TEXT(name, text) text,
        CLIENT_STATES(CLIENT_STATE_TEXT)
#undef CLIENT_STATE_TEXT
    };

    return texts[state];
}

const char *run_state_text(enum run_state state)
{
    static const char *const texts[] = {
#define RUN_STATE_TEXT(name, text) text,
        RUN_STATES(RUN_STATE_TEXT)
#undef RUN_STATE_TEXT
    };

    return texts[state];
}

bool testcase_has_ended(const struct testcase *testcase)
{
    return testcase->state >= CASE_SUCCESS;
}

bool testcase_is_flaky(const struct testcase *testcase)
{
    return testcase->state == CASE_SUCCESS && testcase->turn_count > 1;
}

double turn_seconds(const struct turn *turn, const struct instant *now)
{
    if (turn == NULL)
        return 0;
    int64_t end = turn->ended.mono_ms != 0 ? turn->ended.mono_ms : now->mono_ms;
    return (double)(end - turn->taken.mono_ms) / 1000;
}

const struct verdict *turn_verdict(const struct turn *turn)
{
    return turn->attempt != NULL ? &turn->attempt->verdict : &turn->verdict;
}

const struct verdict *testcase_verdict(const struct testcase *testcase)
{
    return testcase->turn != NULL ? turn_verdict(testcase->turn) : &testcase->verdict;
}

struct transcript *turn_transcript(struct turn *turn)
{
    return turn->attempt != NULL ? &turn->attempt->transcript : &turn->prelude;
}

enum case_state case_state_of(enum outcome outcome)
{
    static const enum case_state states[] = {CASE_ERROR, CASE_SUCCESS, CASE_FAILED,
                                             CASE_ERROR};

    return states[outcome];
}

struct run *engine_find_run(const struct engine *engine, const char *id)
{
    struct run *run;

    TAILQ_FOREACH (run, &engine->runs, link) {
        if (strcmp(run->id, id) == 0)
            return run;
    }
    return NULL;
}

struct run *engine_shown_run(const struct engine *engine)
{
    struct run *run, *begun = NULL, *queued = NULL;

    if (engine->going != NULL)
        return engine->going;
    TAILQ_FOREACH (run, &engine->runs, link) {
        if (run->begun.mono_ms != 0)
            begun = run;
        if (run->state == RUN_QUEUED && queued == NULL)
            queued = run;
    }
    return begun != NULL ? begun : queued != NULL ? queued : TAILQ_FIRST(&engine->runs);
}
