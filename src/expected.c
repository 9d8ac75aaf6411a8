/* SPDX-License-Identifier: Apache-2.0 */
/* How long a case is expected to take. */
#include "expected.h"

#include "history.h"
#include "json.h"
#include "xalloc.h"

#include <stdlib.h>

struct expected {
    struct history *history;       /* borrowed */
    struct json_object *durations; /* HISTORY_DURATIONS; NULL: not read yet; owned */
    bool is_reading;               /* the history was asked */
    bool is_stale;                 /* it has changed since */
};

static void ask(struct expected *expected);

static void found(void *argument, struct json_object *durations, const char *cause)
{
    struct expected *expected = argument;

    (void)cause; /* pages that can't be read say so; this one does without */
    expected->is_reading = false;
    if (durations != NULL) {
        json_object_put(expected->durations);
        expected->durations = durations;
    }
    if (expected->is_stale)
        ask(expected);
}

static void ask(struct expected *expected)
{
    expected->is_stale = false;
    expected->is_reading = true;
    history_find(expected->history, HISTORY_DURATIONS, NULL, found, expected);
}

void expected_refresh(struct expected *expected)
{
    if (expected->is_reading)
        expected->is_stale = true;
    else
        ask(expected);
}

double expected_seconds(const struct expected *expected, const char *kind)
{
    struct json_object *seconds = json_member(expected->durations, kind);

    return seconds != NULL ? json_object_get_double(seconds) : -1;
}

struct expected *expected_new(struct history *history)
{
    struct expected *expected = xcalloc(1, sizeof *expected);

    expected->history = history;
    ask(expected);
    return expected;
}

void expected_free(struct expected *expected)
{
    if (expected == NULL)
        return;
    json_object_put(expected->durations);
    free(expected);
}
