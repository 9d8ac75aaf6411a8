/* SPDX-License-Identifier: Apache-2.0 */
/* The attempts of a case on its page. */
#include "pages_attempt.h"

#include "json.h"
#include "pages_drawings.h"
#include "pages_files.h"
#include "pages_parts.h"
#include "pages_text.h"
#include "pages_verdict.h"
#include "xalloc.h"

#include <stdint.h>
#include <stdlib.h>

/* So many lines the transcripts of earlier attempts show together; each of them some. */
#define EARLIER_LINES     5000
#define EARLIER_LINES_MIN 50

bool attempt_is_there(struct json_object *testcase)
{
    return *text_member(testcase, "started") != '\0';
}

size_t attempt_count_earlier(struct json_object *testcase)
{
    size_t count = text_count(testcase, "attempts");

    return count > 0 && attempt_is_there(testcase) ? count - 1 : count;
}

struct json_object *attempt_shown(struct json_object *testcase)
{
    size_t earlier = attempt_count_earlier(testcase);

    return attempt_is_there(testcase) || earlier == 0
               ? testcase
               : text_element(testcase, "attempts", earlier - 1);
}

static enum part_state state_of(struct json_object *object)
{
    return part_state(text_member(object, "state"));
}

/* --- links --- */

void attempt_put_links(struct markup *markup, struct json_object *testcase)
{
    size_t count = text_count(testcase, "attempts");

    markup_open(markup, "ul", "class", "attempts", NULL);
    for (size_t i = 0; i < count; i++) {
        markup_open(markup, "li", NULL);
        markup_open(markup, "a", NULL);
        markup_attributef(markup, "href", "#attempt-%zu", i + 1);
        markup_textf(markup, "%zu", i + 1);
        markup_close(markup);
        markup_text(markup, " ");
        part_lamp(markup, state_of(text_element(testcase, "attempts", i)));
        markup_close(markup);
        markup_text(markup, " ");
    }
    markup_close(markup);
}

/* --- who and where --- */

static bool has_roles(struct json_object *attempt)
{
    struct json_object *roles = json_member(attempt, "roles");

    return json_object_is_type(roles, json_type_object) &&
           json_object_object_length(roles) > 0;
}

static void put_role(struct markup *markup, const char *name, struct json_object *role)
{
    const char *action = text_member(role, "action");

    char *segment = text_segment(name);

    markup_open(markup, "tr", NULL);
    markup_attributef(markup, "id", "role-%s", segment);
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
    free(segment);
}

static void put_roles(struct markup *markup, struct json_object *testcase,
                      const char *level)
{
    static const char *const columns[] = {"Role", "Type", "Client", "Doing now", NULL};

    part_open_section(markup, level, "Roles", "roles");
    if (has_roles(testcase)) {
        part_open_table(markup, "plain", "Roles and the clients that play them", columns);
        json_object_object_foreach (json_member(testcase, "roles"), name, role) {
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

static const char *const server_members[] = {"name", "server_name", "cs_api"};

#define SERVER_MEMBERS (sizeof server_members / sizeof *server_members)

static void put_servers(struct markup *markup, struct json_object *testcase,
                        const char *level)
{
    static const char *const columns[] = {"Name", "Server name", "Client-server API",
                                          NULL};
    size_t count = text_count(testcase, "servers");

    if (count == 0)
        return;
    part_open_section(markup, level, "Servers", "servers");
    part_open_table(markup, "plain", "Homeservers of this case", columns);
    for (size_t i = 0; i < count; i++) {
        struct json_object *server = text_element(testcase, "servers", i);
        markup_open(markup, "tr", NULL);
        for (size_t j = 0; j < SERVER_MEMBERS; j++) {
            markup_open(markup, j == 0 ? "th" : "td", "scope", j == 0 ? "row" : NULL,
                        NULL);
            text_put(markup, text_member(server, server_members[j]), 0);
            markup_close(markup);
        }
        markup_close(markup);
    }
    markup_close(markup);
    markup_close(markup);
    markup_close(markup);
}

/* --- files --- */

static void put_files(struct markup *markup, struct json_object *testcase,
                      const char *level)
{
    if (text_count(testcase, "files") == 0)
        return;
    part_open_section(markup, level, "Files", "files");
    files_put(markup, testcase, 0);
    markup_close(markup);
}

/* --- what happened --- */

static void put_details_text(struct markup *markup, struct json_object *attempt)
{
    markup_open(markup, "pre", "tabindex", "0", NULL);
    text_put(markup, text_member(attempt, "details"), 0);
    markup_close(markup);
}

static void put_details(struct markup *markup, struct json_object *testcase,
                        const char *level)
{
    if (*text_member(testcase, "details") == '\0')
        return;
    part_open_section(markup, level, "Details", "details");
    put_details_text(markup, testcase);
    markup_close(markup);
}

/* Its id: "line-7", with what stands before it in `prefix`. */
static void put_line(struct markup *markup, struct json_object *line, const char *prefix,
                     size_t number)
{
    markup_open(markup, "tr", NULL);
    markup_attributef(markup, "id", "%sline-%zu", prefix, number);
    markup_attributef(markup, "data-kind", "%s", text_member(line, "kind"));
    markup_open(markup, "td", "class", "when", NULL);
    markup_open(markup, "a", NULL);
    markup_attributef(markup, "href", "#%sline-%zu", prefix, number);
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

/* The last `limit` lines, and how many there are before and after them. */
static void put_lines(struct markup *markup, struct json_object *attempt,
                      const char *prefix, size_t limit)
{
    static const char *const columns[] = {"Time", "Role", "What", "Text", NULL};
    size_t count = text_count(attempt, "transcript");
    size_t first = count > limit ? count - limit : 0;
    size_t dropped = text_amount(attempt, "transcript_dropped");

    if (first > 0) {
        markup_open(markup, "p", "class", "more", NULL);
        markup_textf(markup, "%zu more %s not shown here: ", first,
                     first == 1 ? "line is" : "lines before these are");
        markup_element(markup, "a", "everything as JSON", "href", "status.json", NULL);
        markup_close(markup);
    }
    part_open_table(markup, "plain transcript", "What happened, times in UTC", columns);
    for (size_t i = first; i < count; i++)
        put_line(markup, text_element(attempt, "transcript", i), prefix, i + 1);
    markup_close(markup);
    markup_close(markup);
    if (dropped > 0) {
        markup_open(markup, "p", "class", "more", NULL);
        markup_textf(markup,
                     "The transcript was full: it lacks %zu %s that would come later.",
                     dropped, dropped == 1 ? "line" : "lines");
        markup_close(markup);
    }
}

static void put_transcript(struct markup *markup, struct json_object *testcase,
                           const char *level)
{
    part_open_section(markup, level, "Transcript", "transcript");
    if (text_count(testcase, "transcript") > 0)
        put_lines(markup, testcase, "", SIZE_MAX);
    else
        markup_element(markup, "p", "Nothing has happened yet.", "class", "empty", NULL);
    markup_close(markup);
}

/* --- earlier ones --- */

/* Open a fact: its title, and the place of what it says. */
static void open_fact(struct markup *markup, const char *title)
{
    markup_element(markup, "dt", title, NULL);
    markup_open(markup, "dd", NULL);
}

static void put_role_facts(struct markup *markup, struct json_object *attempt)
{
    if (!has_roles(attempt))
        return;
    open_fact(markup, "Clients");
    markup_open(markup, "ul", "class", "roles", NULL);
    json_object_object_foreach (json_member(attempt, "roles"), name, role) {
        markup_open(markup, "li", NULL);
        text_put_in(markup, "b", NULL, name);
        markup_text(markup, " ");
        text_put(markup, text_member(role, "type"), 0);
        markup_text(markup, " ");
        text_put_id(markup, text_member(role, "client"));
        markup_close(markup);
    }
    markup_close(markup);
    markup_close(markup);
}

static void put_server_facts(struct markup *markup, struct json_object *attempt)
{
    size_t count = text_count(attempt, "servers");

    if (count == 0)
        return;
    open_fact(markup, "Servers");
    markup_open(markup, "ul", "class", "roles", NULL);
    for (size_t i = 0; i < count; i++) {
        struct json_object *server = text_element(attempt, "servers", i);
        markup_open(markup, "li", NULL);
        for (size_t j = 0; j < SERVER_MEMBERS; j++) {
            text_put_in(markup, j == 0 ? "b" : "bdi", NULL,
                        text_member(server, server_members[j]));
            markup_text(markup, " ");
        }
        markup_close(markup);
    }
    markup_close(markup);
    markup_close(markup);
}

static void put_facts(struct markup *markup, struct json_object *attempt, size_t number)
{
    markup_open(markup, "dl", "class", "facts", NULL);
    put_role_facts(markup, attempt);
    put_server_facts(markup, attempt);
    if (text_count(attempt, "files") > 0) {
        open_fact(markup, "Files");
        files_put(markup, attempt, number);
        markup_close(markup);
    }
    markup_close(markup);
}

static void put_folded(struct markup *markup, struct json_object *attempt, size_t number,
                       size_t limit)
{
    size_t lines = text_count(attempt, "transcript");

    if (*text_member(attempt, "details") != '\0') {
        markup_open(markup, "details", NULL);
        markup_element(markup, "summary", "Details", NULL);
        put_details_text(markup, attempt);
        markup_close(markup);
    }
    if (lines > 0) {
        char *prefix = xasprintf("attempt-%zu-", number);
        drawings_put_folded(markup, attempt, prefix);
        markup_open(markup, "details", NULL);
        markup_attributef(markup, "id", "%stranscript", prefix);
        markup_open(markup, "summary", NULL);
        markup_textf(markup, "Transcript: %zu %s", lines, lines == 1 ? "line" : "lines");
        markup_close(markup);
        put_lines(markup, attempt, prefix, limit);
        markup_close(markup);
        free(prefix);
    }
}

void attempt_open(struct markup *markup, struct json_object *object, size_t number)
{
    const char *ended = text_member(object, "ended");
    char *id = xasprintf("attempt-%zu", number),
         *title = xasprintf("Attempt %zu", number);

    part_open_section(markup, "h2", title, id);
    verdict_put(markup, object, NULL);
    markup_open(markup, "p", "class", "about", NULL);
    markup_text(markup, "began ");
    text_put_moment(markup, text_member(object, "started"));
    if (*ended != '\0') {
        markup_text(markup, ", ended ");
        text_put_moment(markup, ended);
    }
    markup_close(markup);
    free(title);
    free(id);
}

static void put_attempt(struct markup *markup, struct json_object *attempt, size_t number,
                        size_t limit)
{
    attempt_open(markup, attempt, number);
    put_facts(markup, attempt, number);
    put_folded(markup, attempt, number, limit);
    markup_close(markup);
}

void attempt_put_earlier(struct markup *markup, struct json_object *testcase)
{
    size_t count = attempt_count_earlier(testcase);
    size_t limit = count > 0 ? EARLIER_LINES / count : 0;

    if (limit < EARLIER_LINES_MIN)
        limit = EARLIER_LINES_MIN;
    for (size_t i = 0; i < count; i++)
        put_attempt(markup, text_element(testcase, "attempts", i), i + 1, limit);
}

/* --- the one that counts --- */

void attempt_put_players(struct markup *markup, struct json_object *testcase,
                         const char *level)
{
    put_roles(markup, testcase, level);
    put_servers(markup, testcase, level);
    put_details(markup, testcase, level);
}

void attempt_put_story(struct markup *markup, struct json_object *testcase,
                       const char *level)
{
    drawings_put_sequence(markup, testcase, level);
    put_files(markup, testcase, level);
    put_transcript(markup, testcase, level);
}
