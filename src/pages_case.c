/* SPDX-License-Identifier: Apache-2.0 */
/* The page of a case: how it stands and why, who plays, its machine, what happened. */
#include "pages.h"

#include "json.h"
#include "pages_parts.h"
#include "pages_text.h"
#include "xalloc.h"

#include <stdlib.h>

static enum part_state state_of(struct json_object *object)
{
    return part_state(text_member(object, "state"));
}

static char *duration_of(struct json_object *object)
{
    return text_duration(json_object_get_double(json_member(object, "duration")));
}

static void open_section(struct markup *markup, const char *title, const char *id)
{
    markup_open(markup, "section", "aria-labelledby", id, NULL);
    markup_element(markup, "h2", title, "id", id, NULL);
}

/* --- the outcome --- */

static void put_verdict(struct markup *markup, struct json_object *testcase)
{
    static const char *const before[PART_STATE_COUNT] = {
        [PART_RUNNING] = " for ",   [PART_PREPARING] = " for ", [PART_ERROR] = " after ",
        [PART_SUCCESS] = " after ", [PART_FAILED] = " after ",
    };
    enum part_state state = state_of(testcase);
    const char *machine = text_member(testcase, "machine");
    const char *message = text_member(testcase, "message");
    char *duration = duration_of(testcase);

    markup_open(markup, "div", "class", "verdict", NULL);
    markup_attributef(markup, "data-state", "%s", part_state_word(state));
    markup_open(markup, "p", NULL);
    part_lamp(markup, state);
    if (*text_member(testcase, "started") != '\0' && before[state] != NULL)
        markup_textf(markup, "%s%s", before[state], duration);
    if (*machine != '\0') {
        markup_text(markup, ", in state ");
        text_put_in(markup, "code", NULL, machine);
    }
    markup_close(markup);
    if (*message != '\0') {
        markup_open(markup, "p", "class", "reason", NULL);
        text_put(markup, message, 0);
        markup_close(markup);
    }
    markup_close(markup);
    free(duration);
}

static void put_moment(struct markup *markup, const char *title, const char *when)
{
    markup_element(markup, "dt", title, NULL);
    markup_open(markup, "dd", NULL);
    text_put_moment(markup, when);
    markup_close(markup);
}

static void put_facts(struct markup *markup, struct json_object *testcase)
{
    struct json_object *suite = json_member(testcase, "suite");

    markup_open(markup, "dl", "class", "facts", NULL);
    put_moment(markup, "Started", text_member(testcase, "started"));
    put_moment(markup, "Ended", text_member(testcase, "ended"));
    markup_element(markup, "dt", "Definition", NULL);
    markup_open(markup, "dd", NULL);
    text_put_in(markup, "code", NULL, text_member(suite, "file"));
    markup_close(markup);
    markup_element(markup, "dt", "Id", NULL);
    markup_open(markup, "dd", NULL);
    text_put_in(markup, "code", NULL, text_member(testcase, "id"));
    markup_close(markup);
    markup_close(markup);
}

static void put_attempt(struct markup *markup, struct json_object *attempt, size_t number)
{
    char *duration = duration_of(attempt);

    markup_open(markup, "tr", NULL);
    markup_open(markup, "th", "scope", "row", NULL);
    markup_textf(markup, "%zu", number);
    markup_close(markup);
    markup_open(markup, "td", NULL);
    part_lamp(markup, state_of(attempt));
    markup_close(markup);
    markup_open(markup, "td", NULL);
    text_put(markup, text_member(attempt, "message"), 0);
    markup_close(markup);
    markup_open(markup, "td", NULL);
    text_put_clock(markup, text_member(attempt, "started"));
    markup_close(markup);
    markup_open(markup, "td", NULL);
    text_put_clock(markup, text_member(attempt, "ended"));
    markup_close(markup);
    markup_close(markup);
    free(duration);
}

/* Only a case that was retried has them. */
static void put_attempts(struct markup *markup, struct json_object *testcase)
{
    static const char *const columns[] = {"Attempt", "State", "Message",
                                          "Started", "Ended", NULL};
    size_t count = text_count(testcase, "attempts");

    if (count == 0)
        return;
    open_section(markup, "Attempts", "attempts");
    part_open_table(markup, "plain", "Attempts", columns);
    for (size_t i = 0; i < count; i++)
        put_attempt(markup, text_element(testcase, "attempts", i), i + 1);
    markup_close(markup);
    markup_close(markup);
    markup_close(markup);
}

/* --- who and where --- */

static void put_role(struct markup *markup, const char *name, struct json_object *role)
{
    const char *action = text_member(role, "action");

    markup_open(markup, "tr", NULL);
    markup_open(markup, "th", "scope", "row", NULL);
    text_put(markup, name, 0);
    markup_close(markup);
    markup_open(markup, "td", NULL);
    text_put(markup, text_member(role, "type"), 0);
    markup_close(markup);
    markup_open(markup, "td", NULL);
    text_put_in(markup, "code", NULL, text_member(role, "client"));
    markup_close(markup);
    markup_open(markup, "td", NULL);
    if (*action != '\0')
        text_put_in(markup, "span", "doing", action);
    else
        text_put_none(markup);
    markup_close(markup);
    markup_close(markup);
}

static void put_roles(struct markup *markup, struct json_object *testcase)
{
    static const char *const columns[] = {"Role", "Type", "Client", "Doing now", NULL};
    struct json_object *roles = json_member(testcase, "roles");

    open_section(markup, "Roles", "roles");
    if (json_object_is_type(roles, json_type_object) &&
        json_object_object_length(roles) > 0) {
        part_open_table(markup, "plain", "Roles and the clients that play them", columns);
        json_object_object_foreach (roles, name, role) {
            put_role(markup, name, role);
        }
        markup_close(markup);
        markup_close(markup);
    } else {
        markup_element(markup, "p", "No client plays in this case yet.", "class", "empty",
                       NULL);
    }
    markup_close(markup);
}

static void put_servers(struct markup *markup, struct json_object *testcase)
{
    static const char *const columns[] = {"Name", "Server name", "Client-server API",
                                          NULL};
    static const char *const members[] = {"name", "server_name", "cs_api"};
    size_t count = text_count(testcase, "servers");

    if (count == 0)
        return;
    open_section(markup, "Servers", "servers");
    part_open_table(markup, "plain", "Homeservers of this case", columns);
    for (size_t i = 0; i < count; i++) {
        struct json_object *server = text_element(testcase, "servers", i);
        markup_open(markup, "tr", NULL);
        for (size_t j = 0; j < sizeof members / sizeof *members; j++) {
            markup_open(markup, j == 0 ? "th" : "td", "scope", j == 0 ? "row" : NULL,
                        NULL);
            text_put(markup, text_member(server, members[j]), 0);
            markup_close(markup);
        }
        markup_close(markup);
    }
    markup_close(markup);
    markup_close(markup);
    markup_close(markup);
}

/* --- the machine --- */

/* The picture in words, for who can't see it. Owned by the caller. */
static char *picture_text(struct json_object *testcase)
{
    const char *machine = text_member(testcase, "machine");
    char *text = xasprintf("State machine of %s, %s%s",
                           text_member(json_member(testcase, "suite"), "name"),
                           *machine != '\0' ? "in state " : "not begun", machine);
    char *visible = text_visible(text, 0);

    free(text);
    return visible;
}

static void put_picture(struct markup *markup, struct json_object *testcase)
{
    static const char *const links[][2] = {
        {"statemachine.svg", "SVG"},
        {"statemachine.png", "PNG"},
        {"statemachine.dot", "DOT"},
        {"context.svg", "only what is one step around the current state"}};
    char *alt = picture_text(testcase);

    open_section(markup, "Machine", "machine");
    markup_open(markup, "figure", NULL);
    markup_open(markup, "div", "class", "picture", "tabindex", "0", "role", "region",
                "aria-labelledby", "machine", NULL);
    markup_open(markup, "img", "src", "statemachine.svg", NULL);
    markup_attributef(markup, "alt", "%s", alt);
    markup_close(markup);
    markup_close(markup);
    markup_open(markup, "figcaption", NULL);
    markup_text(markup, "The picture as");
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        markup_text(markup, i == 0 ? " " : i == 3 ? "; " : ", ");
        markup_element(markup, "a", links[i][1], "href", links[i][0], NULL);
    }
    markup_close(markup);
    markup_close(markup);
    markup_close(markup);
    free(alt);
}

/* --- what happened --- */

static void put_details(struct markup *markup, struct json_object *testcase)
{
    const char *details = text_member(testcase, "details");

    if (*details == '\0')
        return;
    open_section(markup, "Details", "details");
    markup_open(markup, "pre", "tabindex", "0", NULL);
    text_put(markup, details, 0);
    markup_close(markup);
    markup_close(markup);
}

static void put_files(struct markup *markup, struct json_object *testcase)
{
    size_t count = text_count(testcase, "files");

    if (count == 0)
        return;
    open_section(markup, "Files", "files");
    markup_open(markup, "ul", NULL);
    for (size_t i = 0; i < count; i++) {
        struct json_object *file = text_element(testcase, "files", i);
        const char *name = json_is_text(file) ? json_object_get_string(file) : "";
        char *segment = text_segment(name);
        markup_open(markup, "li", NULL);
        markup_open(markup, "a", NULL);
        markup_attributef(markup, "href", "files/%s", segment);
        text_put(markup, name, 0);
        markup_close(markup);
        markup_close(markup);
        free(segment);
    }
    markup_close(markup);
    markup_close(markup);
}

static void put_line(struct markup *markup, struct json_object *line, size_t number)
{
    markup_open(markup, "tr", NULL);
    markup_attributef(markup, "id", "line-%zu", number);
    markup_attributef(markup, "data-kind", "%s", text_member(line, "kind"));
    markup_open(markup, "td", "class", "when", NULL);
    markup_open(markup, "a", NULL);
    markup_attributef(markup, "href", "#line-%zu", number);
    text_put_clock(markup, text_member(line, "time"));
    markup_close(markup);
    markup_close(markup);
    text_put_in(markup, "td", "role", text_member(line, "role"));
    text_put_in(markup, "td", "kind", text_member(line, "kind"));
    markup_open(markup, "td", "class", "text", NULL);
    text_put(markup, text_member(line, "text"), 0);
    markup_close(markup);
    markup_close(markup);
    markup_text(markup, "\n");
}

static void put_transcript(struct markup *markup, struct json_object *testcase)
{
    static const char *const columns[] = {"Time", "Role", "What", "Text", NULL};
    size_t count = text_count(testcase, "transcript");
    int64_t dropped = json_object_get_int64(json_member(testcase, "transcript_dropped"));

    open_section(markup, "Transcript", "transcript");
    if (count > 0) {
        part_open_table(markup, "plain transcript", "What happened, times in UTC",
                        columns);
        for (size_t i = 0; i < count; i++)
            put_line(markup, text_element(testcase, "transcript", i), i + 1);
        markup_close(markup);
        markup_close(markup);
    } else {
        markup_element(markup, "p", "Nothing has happened yet.", "class", "empty", NULL);
    }
    if (dropped > 0) {
        markup_open(markup, "p", "class", "more", NULL);
        markup_textf(markup,
                     "The transcript was full: it lacks %lld %s that would come later.",
                     (long long)dropped, dropped == 1 ? "line" : "lines");
        markup_close(markup);
    }
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
                               !part_state_is_end(state)};
    struct markup *markup = part_begin(&frame);

    free(title);
    return markup;
}

static void put_path(struct markup *markup, struct json_object *suite)
{
    markup_open(markup, "nav", "class", "path", "aria-label", "Where this is", NULL);
    markup_element(markup, "a", "Status", "href", "/status", NULL);
    markup_text(markup, " › ");
    part_open_link(markup, text_member(suite, "id"), "suitestatus");
    text_put(markup, text_member(suite, "name"), 0);
    markup_close(markup);
    markup_close(markup);
}

char *pages_case(struct json_object *testcase, size_t *size)
{
    struct markup *markup = begin(testcase);

    put_path(markup, json_member(testcase, "suite"));
    markup_open(markup, "h1", NULL);
    text_put(markup, text_member(testcase, "name"), 0);
    markup_close(markup);
    put_verdict(markup, testcase);
    put_facts(markup, testcase);
    put_attempts(markup, testcase);
    put_roles(markup, testcase);
    put_servers(markup, testcase);
    put_details(markup, testcase);
    put_picture(markup, testcase);
    put_files(markup, testcase);
    put_transcript(markup, testcase);
    return part_finish(markup, NULL, size);
}
