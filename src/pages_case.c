/* SPDX-License-Identifier: Apache-2.0 */
/* The page of a case: how it stands and why, its attempts, its machine. */
#include "pages.h"

#include "json.h"
#include "pages_attempt.h"
#include "pages_drawings.h"
#include "pages_parts.h"
#include "pages_text.h"
#include "pages_verdict.h"
#include "xalloc.h"

#include <stdlib.h>

static enum part_state state_of(struct json_object *testcase)
{
    return part_state(text_member(testcase, "state"));
}

/* --- facts --- */

static void put_moment(struct markup *markup, const char *title, const char *when)
{
    markup_element(markup, "dt", title, NULL);
    markup_open(markup, "dd", NULL);
    text_put_moment(markup, when);
    markup_close(markup);
}

static void put_code(struct markup *markup, const char *title, const char *text)
{
    markup_element(markup, "dt", title, NULL);
    markup_open(markup, "dd", NULL);
    text_put_in(markup, "code", NULL, text);
    markup_close(markup);
}

/* Where its test and clients are in the history, and what programs read. */
static void put_elsewhere(struct markup *markup, struct json_object *testcase)
{
    struct json_object *suite = json_member(testcase, "suite");
    const char *folder = text_member(suite, "folder");
    char *test = xasprintf("%s%s%s", folder, *folder != '\0' ? "." : "",
                           text_member(suite, "name"));
    char *id = part_trend_id(test, text_member(testcase, "name"));

    markup_element(markup, "dt", "See also", NULL);
    markup_open(markup, "dd", NULL);
    markup_open(markup, "a", NULL);
    markup_attributef(markup, "href", "/history#%s", id);
    markup_text(markup, "how it fared from run to run");
    markup_close(markup);
    markup_text(markup, " · ");
    markup_element(markup, "a", "this case as JSON", "href", "status.json", NULL);
    markup_close(markup);
    free(id);
    free(test);
}

static void put_facts(struct markup *markup, struct json_object *testcase)
{
    bool has_ended = part_state_is_end(state_of(testcase));
    size_t count = text_count(testcase, "attempts");
    struct json_object *first =
        count > 0 ? text_element(testcase, "attempts", 0) : testcase;

    markup_open(markup, "dl", "class", "facts", NULL);
    put_moment(markup, "Started", text_member(first, "started"));
    put_moment(markup, "Ended", has_ended ? text_member(testcase, "ended") : "");
    if (count > 0) {
        markup_element(markup, "dt", "Attempts", NULL);
        markup_open(markup, "dd", NULL);
        attempt_put_links(markup, testcase);
        markup_close(markup);
    }
    put_code(markup, "Definition", text_member(json_member(testcase, "suite"), "file"));
    put_code(markup, "Id", text_member(testcase, "id"));
    put_elsewhere(markup, testcase);
    markup_close(markup);
}

/* --- the same case in other runs --- */

static void put_other(struct markup *markup, struct json_object *other)
{
    bool is_flaky = json_object_get_boolean(json_member(other, "flaky"));
    char *duration =
        text_duration(json_object_get_double(json_member(other, "duration")));
    char *segment = text_segment(text_member(other, "case"));

    markup_open(markup, "tr", NULL);
    markup_attributef(markup, "id", "other-%s", segment);
    markup_open(markup, "td", "class", "state", NULL);
    part_lamp(markup, part_state(text_member(other, "state")));
    if (is_flaky)
        markup_element(markup, "span", "≈ flaky", "class", "flaky", NULL);
    markup_close(markup);
    markup_open(markup, "th", "scope", "row", NULL);
    part_open_link(markup, text_member(other, "case"), "status");
    text_put_moment(markup, text_member(other, "ended"));
    markup_close(markup);
    markup_close(markup);
    markup_element(markup, "td", duration, "class", "number", NULL);
    markup_open(markup, "td", "class", "message", NULL);
    text_put(markup, text_member(other, "message"), TEXT_BOARD_BYTES);
    markup_close(markup);
    markup_close(markup);
    markup_text(markup, "\n");
    free(segment);
    free(duration);
}

static void put_others(struct markup *markup, struct json_object *testcase)
{
    static const char *const columns[] = {"State", "Ended", "Duration", "Why", NULL};

    if (text_count(testcase, "others") == 0)
        return;
    part_open_section(markup, "h2", "In other runs", "others");
    part_open_table(markup, "plain others", "The same case in other runs", columns);
    for (size_t i = 0; i < text_count(testcase, "others"); i++)
        put_other(markup, text_element(testcase, "others", i));
    markup_close(markup);
    markup_close(markup);
    markup_close(markup);
}

/* --- the page --- */

static struct markup *begin(struct json_object *testcase)
{
    enum part_state state = state_of(testcase);
    char *title = xasprintf("%s – %s – %s – trafficlight", part_state_word(state),
                            text_member(testcase, "name"),
                            text_member(json_member(testcase, "suite"), "name"));
    struct part_frame frame = {title,
                               state == PART_SUCCESS       ? PART_GREEN
                               : !part_state_is_end(state) ? PART_AMBER
                                                           : PART_RED,
                               part_state_is_end(state)              ? 0
                               : attempt_count_earlier(testcase) > 0 ? PART_LATER
                                                                     : PART_SOON,
                               PART_RUNS};
    /* what a case waits for may change with all others */
    struct markup *markup = part_begin_about(
        &frame, state == PART_WAITING ? "" : text_member(testcase, "id"));

    free(title);
    return markup;
}

static void put_path(struct markup *markup, struct json_object *testcase)
{
    struct json_object *suite = json_member(testcase, "suite");

    part_open_path(markup, text_member(testcase, "run"));
    part_open_link(markup, text_member(suite, "id"), "suitestatus");
    text_put(markup, text_member(suite, "name"), 0);
    markup_close(markup);
    markup_close(markup);
}

/* The only attempt that there is, or may be. */
static void put_single(struct markup *markup, struct json_object *testcase)
{
    attempt_put_players(markup, testcase, "h2");
    drawings_put_machine(markup, testcase, "h2");
    attempt_put_story(markup, testcase, "h2");
}

/* The attempt after earlier ones, under a heading of its own. */
static void put_latest(struct markup *markup, struct json_object *testcase)
{
    attempt_open(markup, testcase, attempt_count_earlier(testcase) + 1);
    attempt_put_players(markup, testcase, "h3");
    drawings_put_machine(markup, testcase, "h3");
    attempt_put_story(markup, testcase, "h3");
    markup_close(markup);
}

char *pages_case(struct json_object *testcase, size_t *size)
{
    struct markup *markup = begin(testcase);

    put_path(markup, testcase);
    markup_open(markup, "h1", NULL);
    text_put(markup, text_member(testcase, "name"), 0);
    markup_close(markup);
    verdict_put(markup, testcase, testcase);
    verdict_put_buttons(markup, testcase);
    put_facts(markup, testcase);
    attempt_put_earlier(markup, testcase);
    if (attempt_count_earlier(testcase) == 0)
        put_single(markup, testcase);
    else if (attempt_is_there(testcase))
        put_latest(markup, testcase);
    else
        drawings_put_machine(markup, testcase, "h2");
    put_others(markup, testcase);
    return part_finish(markup, NULL, size);
}
