/* SPDX-License-Identifier: Apache-2.0 */
/* How a case stands, in words, and what may be done about it. */
#include "pages_verdict.h"

#include "casename.h"
#include "json.h"
#include "pages_parts.h"
#include "pages_text.h"
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GLOB_CHARS 300 /* a longer one is not taken by POST /runs */

static enum part_state state_of(struct json_object *object)
{
    return part_state(text_member(object, "state"));
}

/* --- the outcome --- */

static void put_standing(struct markup *markup, struct json_object *object,
                         struct json_object *testcase)
{
    static const char *const before[PART_STATE_COUNT] = {
        [PART_RUNNING] = " for ",   [PART_PREPARING] = " for ", [PART_ERROR] = " after ",
        [PART_SUCCESS] = " after ", [PART_FAILED] = " after ",
    };
    enum part_state state = state_of(object);
    const char *machine = text_member(object, "machine");
    bool has_begun = *text_member(object, "started") != '\0';
    char *duration =
        text_duration(json_object_get_double(json_member(object, "duration")));

    markup_open(markup, "p", NULL);
    part_lamp(markup, state);
    part_put_attempt(markup, testcase);
    if (has_begun && before[state] != NULL)
        markup_textf(markup, "%s%s", before[state], duration);
    if (*machine != '\0') {
        markup_text(markup, ", in state ");
        text_put_in(markup, "code", NULL, machine);
    }
    markup_close(markup);
    free(duration);
}

/* Whom a case that runs waits for: red to do login, green to do accept. */
static void put_awaited(struct markup *markup, struct json_object *object)
{
    struct json_object *roles = json_member(object, "roles");
    const char *before = "Waits for ";

    if (json_object_is_type(roles, json_type_object)) {
        json_object_object_foreach (roles, name, role) {
            const char *action = text_member(role, "action");
            if (*action == '\0')
                continue;
            markup_text(markup, before);
            text_put_in(markup, "b", NULL, name);
            markup_text(markup, " to do ");
            text_put_in(markup, "span", "doing", action);
            before = ", for ";
        }
    }
    markup_text(markup, strcmp(before, "Waits for ") == 0
                            ? "Nobody is asked for anything: the test lets time pass, or "
                              "a server is to answer."
                            : ".");
}

static void put_reason(struct markup *markup, struct json_object *object)
{
    const char *message = text_member(object, "message");
    enum part_state state = state_of(object);
    bool has_words = *message != '\0' || state == PART_RUNNING || state == PART_SUCCESS;

    if (!has_words)
        return;
    markup_open(markup, "p", "class", "reason", NULL);
    if (*message != '\0')
        text_put(markup, message, 0);
    else if (state == PART_RUNNING)
        put_awaited(markup, object);
    else
        markup_text(markup, "The test came to its end, and all that it asks for held.");
    markup_close(markup);
}

void verdict_put(struct markup *markup, struct json_object *object,
                 struct json_object *testcase)
{
    markup_open(markup, "div", "class", "verdict", NULL);
    markup_attributef(markup, "data-state", "%s", part_state_word(state_of(object)));
    put_standing(markup, object, testcase);
    put_reason(markup, object);
    markup_close(markup);
}

/* --- buttons --- */

/* The text as a glob that fits nothing else (fnmatch(3)). Owned. */
static char *literal_glob(const char *text)
{
    char *glob = xmalloc(2 * strlen(text) + 1), *end = glob;

    for (const char *p = text; *p != '\0'; p++) {
        if (strchr("*?[]\\", *p) != NULL)
            *end++ = '\\';
        *end++ = *p;
    }
    *end = '\0';
    return glob;
}

static void put_hidden(struct markup *markup, const char *name, const char *value)
{
    markup_open(markup, "input", "type", "hidden", "name", name, "value", value, NULL);
    markup_close(markup);
}

/* A form that asks for a run of what fits the glob; repeat may be NULL. Nothing, where
 * the glob is too long to be asked for. */
static void put_run_form(struct markup *markup, const char *glob, const char *repeat,
                         const char *words)
{
    if (strlen(glob) > GLOB_CHARS)
        return;
    markup_open(markup, "form", "method", "post", "action", "/runs", NULL);
    put_hidden(markup, "only", glob);
    if (repeat != NULL)
        put_hidden(markup, "repeat", repeat);
    markup_element(markup, "button", words, NULL);
    markup_close(markup);
    markup_text(markup, "\n");
}

static void put_run_forms(struct markup *markup, struct json_object *testcase)
{
    struct json_object *suite = json_member(testcase, "suite");
    const char *name = text_member(testcase, "name");
    char *test =
        xasprintf("%s.%s", text_member(suite, "folder"), text_member(suite, "name"));
    char *case_name = xasprintf("%s/%.*s", test, (int)casename_length(name), name);
    char *test_glob = literal_glob(test), *case_glob = literal_glob(case_name);
    bool has_ended = part_state_is_end(state_of(testcase));

    put_run_form(markup, case_glob, "1",
                 has_ended ? "Run this case again" : "Run this case once more");
    put_run_form(markup, test_glob, NULL, "Run the whole test");
    free(case_glob);
    free(test_glob);
    free(case_name);
    free(test);
}

static void put_cancel_form(struct markup *markup, const char *action, const char *words)
{
    markup_open(markup, "form", "method", "post", "action", action, NULL);
    markup_element(markup, "button", words, "class", "harm", NULL);
    markup_close(markup);
    markup_text(markup, "\n");
}

/* Folded: a slip does not cancel a night's run. */
static void put_cancel(struct markup *markup, struct json_object *testcase)
{
    char *run = text_segment(text_member(testcase, "run"));
    char *cancel_run = xasprintf("/runs/%s/cancel", run);

    markup_open(markup, "details", "id", "cancel", NULL);
    markup_element(markup, "summary", "Cancel…", NULL);
    markup_element(markup, "p",
                   "What is cancelled ends as an error, and its clients are told to "
                   "exit.",
                   NULL);
    put_cancel_form(markup, "cancel", "Cancel this case");
    put_cancel_form(markup, cancel_run, "Cancel the whole run");
    markup_close(markup);
    free(cancel_run);
    free(run);
}

void verdict_put_buttons(struct markup *markup, struct json_object *testcase)
{
    markup_open(markup, "div", "class", "buttons", "id", "buttons", NULL);
    put_run_forms(markup, testcase);
    if (!part_state_is_end(state_of(testcase)))
        put_cancel(markup, testcase);
    markup_close(markup);
}
