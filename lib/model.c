/* SPDX-License-Identifier: Apache-2.0 */
/* What can be said of the engine's things without changing them, and the one way a case
 * changes. */
#include "model.h"

#include <assert.h>

void testcase_set_state(struct engine *engine, struct testcase *testcase,
                        enum case_state state)
{
    assert(state > testcase->state && !testcase_has_ended(testcase));
    engine->totals[testcase->state]--;
    engine->totals[state]++;
    testcase->state = state;
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

bool testcase_has_ended(const struct testcase *testcase)
{
    return testcase->state >= CASE_SUCCESS;
}

double testcase_seconds(const struct testcase *testcase, const struct instant *now)
{
    int64_t end = testcase_has_ended(testcase) ? testcase->ended.mono_ms : now->mono_ms;

    return testcase->players == NULL ? 0 : (double)(end - testcase->taken.mono_ms) / 1000;
}

const struct verdict *testcase_verdict(const struct testcase *testcase)
{
    return testcase->attempt != NULL ? &testcase->attempt->verdict : &testcase->verdict;
}
