/* SPDX-License-Identifier: Apache-2.0 */
/* A suite as a section with a table of its cases. */
#include "pages_table.h"

#include "json.h"
#include "pages_text.h"
#include "xalloc.h"

#include <stdlib.h>

static void put_role(struct markup *markup, const char *name, struct json_object *role,
                     bool goes_on)
{
    const char *action = text_member(role, "action");

    markup_open(markup, "li", NULL);
    text_put_in(markup, "b", NULL, name);
    markup_text(markup, " ");
    text_put(markup, text_member(role, "type"), TEXT_BOARD_BYTES);
    if (*action != '\0') {
        markup_text(markup, ": ");
        text_put_in(markup, "span", "doing", action);
    } else if (goes_on) {
        markup_text(markup, ": ");
        markup_element(markup, "span", "idle", "class", "none", NULL);
    }
    markup_close(markup);
}

static void put_roles(struct markup *markup, struct json_object *testcase, bool goes_on)
{
    struct json_object *roles = json_member(testcase, "roles");

    if (!json_object_is_type(roles, json_type_object) ||
        json_object_object_length(roles) == 0) {
        text_put_none(markup);
        return;
    }
    markup_open(markup, "ul", "class", "roles", NULL);
    json_object_object_foreach (roles, name, role) {
        put_role(markup, name, role, goes_on);
    }
    markup_close(markup);
}

static void put_duration(struct markup *markup, struct json_object *testcase)
{
    char *duration =
        text_duration(json_object_get_double(json_member(testcase, "duration")));

    markup_open(markup, "td", "class", "number", NULL);
    if (*text_member(testcase, "started") != '\0')
        markup_text(markup, duration);
    else
        text_put_none(markup);
    markup_close(markup);
    free(duration);
}

static void put_case(struct markup *markup, struct json_object *testcase)
{
    enum part_state state = part_state(text_member(testcase, "state"));
    const char *machine = text_member(testcase, "machine");

    markup_open(markup, "tr", "data-state", part_state_word(state), NULL);
    markup_open(markup, "td", "class", "state", NULL);
    part_lamp(markup, state);
    part_put_attempt(markup, testcase);
    markup_close(markup);
    markup_open(markup, "th", "scope", "row", NULL);
    part_open_link(markup, text_member(testcase, "id"), "status");
    text_put_words(markup, text_member(testcase, "name"), TEXT_BOARD_BYTES);
    markup_close(markup);
    markup_close(markup);
    markup_open(markup, "td", "class", "machine", NULL);
    if (*machine != '\0')
        text_put_in(markup, "code", NULL, machine);
    else
        text_put_none(markup);
    markup_close(markup);
    markup_open(markup, "td", "class", "who", NULL);
    put_roles(markup, testcase, state == PART_RUNNING);
    markup_close(markup);
    markup_open(markup, "td", "class", "message", NULL);
    text_put(markup, text_member(testcase, "message"), TEXT_BOARD_BYTES);
    markup_close(markup);
    put_duration(markup, testcase);
    markup_close(markup);
    markup_text(markup, "\n");
}

static void put_rows(struct markup *markup, struct json_object *suite, struct tally *room)
{
    size_t count = text_count(suite, "cases");

    for (size_t i = 0; i < count; i++) {
        struct json_object *testcase = text_element(suite, "cases", i);
        if (tally_take(room, part_state(text_member(testcase, "state"))))
            put_case(markup, testcase);
    }
}

size_t table_put_cases(struct markup *markup, struct json_object *suite,
                       struct tally *room)
{
    static const char *const columns[] = {
        "State", "Case", "Machine state", "Roles", "Message", "Time", NULL};
    struct tally cases = {0};

    tally_add(&cases, suite, "cases");
    size_t shown = tally_overlap(room, &cases);
    if (shown > 0) {
        char *caption = xasprintf("Cases of %s", text_member(suite, "name"));
        part_open_table(markup, "board cases", caption, columns);
        put_rows(markup, suite, room);
        markup_close(markup);
        markup_close(markup);
        free(caption);
    }
    return cases.total - shown;
}

static void put_more(struct markup *markup, struct json_object *suite, size_t hidden)
{
    if (hidden == 0)
        return;
    markup_open(markup, "p", "class", "more", NULL);
    markup_textf(markup, "%zu more: see ", hidden);
    part_open_link(markup, text_member(suite, "id"), "suitestatus");
    markup_text(markup, "the page of this test");
    markup_close(markup);
    markup_close(markup);
}

void table_put_suite(struct markup *markup, struct json_object *suite, struct tally *room)
{
    const char *description = text_member(suite, "description");
    const char *folder = text_member(suite, "folder");
    struct tally cases = {0};
    char *done;

    tally_add(&cases, suite, "cases");
    done = tally_title(&cases);
    markup_open(markup, "section", "class", "suite", NULL);
    markup_open(markup, "h3", NULL);
    part_open_link(markup, text_member(suite, "id"), "suitestatus");
    if (*folder != '\0') {
        text_put(markup, folder, TEXT_BOARD_BYTES);
        markup_text(markup, ".");
    }
    text_put(markup, text_member(suite, "name"), TEXT_BOARD_BYTES);
    markup_close(markup);
    markup_text(markup, " ");
    markup_element(markup, "small", done, NULL);
    markup_close(markup);
    if (*description != '\0')
        text_put_in(markup, "p", "about", description);
    put_more(markup, suite, table_put_cases(markup, suite, room));
    markup_close(markup);
    free(done);
}
