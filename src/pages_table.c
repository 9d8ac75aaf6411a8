/* SPDX-License-Identifier: Apache-2.0 */
/* Cases as a table: one row each, in one body for each test where they are grouped. */
#include "pages_table.h"

#include "json.h"
#include "pages_parts.h"
#include "pages_tally.h"
#include "pages_text.h"
#include "xalloc.h"

#include <math.h>
#include <stdlib.h>

/* A table that is being written. */
struct table {
    struct markup *markup;           /* where it goes; borrowed */
    const struct table_style *style; /* borrowed */
    struct json_object *known;       /* ids of elements; owned */
};

/* --- what goes on --- */

static void put_role(struct markup *markup, const char *name, struct json_object *role)
{
    const char *action = text_member(role, "action");

    markup_open(markup, "li", NULL);
    text_put_in(markup, "b", NULL, name);
    markup_text(markup, " ");
    if (*action != '\0')
        text_put_in(markup, "span", "doing", action);
    else
        markup_element(markup, "span", "idle", "class", "none", NULL);
    markup_close(markup);
}

static void put_roles(struct markup *markup, struct json_object *testcase)
{
    struct json_object *roles = json_member(testcase, "roles");

    if (!json_object_is_type(roles, json_type_object) ||
        json_object_object_length(roles) == 0)
        return;
    markup_open(markup, "ul", "class", "roles", NULL);
    json_object_object_foreach (roles, name, role) {
        put_role(markup, name, role);
    }
    markup_close(markup);
}

/* Where it is and who does what while it goes on, else why it waits or how it ended. */
static void put_doing(struct markup *markup, struct json_object *testcase,
                      enum part_state state)
{
    const char *machine = text_member(testcase, "machine");
    const char *message = text_member(testcase, "message");

    markup_open(markup, "td", "class", "message", NULL);
    if (state == PART_RUNNING) {
        if (*machine != '\0') {
            markup_text(markup, "in ");
            text_put_in(markup, "code", "machine", machine);
        }
        put_roles(markup, testcase);
    }
    if (*message != '\0')
        text_put(markup, message, TEXT_BOARD_BYTES);
    else if (state != PART_RUNNING)
        text_put_none(markup);
    markup_close(markup);
}

/* No more exact than it is known. Owned. */
static char *roughly(double seconds)
{
    return seconds < 59.5 ? xasprintf("about %.0f s", seconds > 1 ? seconds : 1)
                          : xasprintf("about %.0f min", seconds / 60);
}

/* How long it took, or goes on; and how long that should be. */
static void put_duration(struct markup *markup, struct json_object *testcase)
{
    struct json_object *expected = json_member(testcase, "expected");
    bool has_started = *text_member(testcase, "started") != '\0';
    char *took = text_duration(json_object_get_double(json_member(testcase, "duration")));
    char *takes = roughly(fmin(json_object_get_double(expected), 1e9));

    markup_open(markup, "td", "class", "number", NULL);
    if (has_started)
        markup_textf(markup, "%s ", took);
    if (expected != NULL) {
        markup_open(markup, "small", "title", "how long it took in earlier runs", NULL);
        markup_textf(markup, "%s%s", has_started ? "of " : "", takes);
        markup_close(markup);
    } else if (!has_started) {
        text_put_none(markup);
    }
    markup_close(markup);
    free(takes);
    free(took);
}

/* --- rows --- */

static void put_name(const struct table *table, const struct selected *selected)
{
    struct markup *markup = table->markup;

    markup_open(markup, "th", "scope", "row", NULL);
    if (table->style->names_tests) {
        text_put_in(markup, "span", "of-test", selected->test);
        markup_text(markup, " ");
    }
    part_open_link(markup, text_member(selected->testcase, "id"), "status");
    text_put_words(markup, text_member(selected->testcase, "name"), TEXT_BOARD_BYTES);
    markup_close(markup);
    markup_close(markup);
}

static void put_case(const struct table *table, const struct selected *selected)
{
    struct markup *markup = table->markup;
    struct json_object *testcase = selected->testcase;
    enum part_state state = part_state(text_member(testcase, "state"));

    markup_open(markup, "tr", "data-state", part_state_word(state), NULL);
    part_put_id(markup, table->known, "case", text_member(testcase, "id"));
    markup_open(markup, "td", "class", "state", NULL);
    part_lamp(markup, state);
    part_put_attempt(markup, testcase);
    markup_close(markup);
    put_name(table, selected);
    put_doing(markup, testcase, state);
    put_duration(markup, testcase);
    markup_close(markup);
    markup_text(markup, "\n");
}

/* --- groups --- */

/* The row above the cases of a test; how they stand, also those that are not shown. */
static void put_group(const struct table *table, const struct selected *first)
{
    struct markup *markup = table->markup;
    const char *description = text_member(first->suite, "description");
    struct tally cases = {0};

    tally_add(&cases, first->suite, "cases");
    char *title = tally_title(&cases);
    markup_open(markup, "tr", "class", "group", NULL);
    part_put_id(markup, table->known, "test", text_member(first->suite, "id"));
    markup_open(markup, "th", "colspan", "4", "scope", "rowgroup", NULL);
    part_open_link(markup, text_member(first->suite, "id"), "suitestatus");
    text_put(markup, first->test, TEXT_BOARD_BYTES);
    markup_close(markup);
    markup_text(markup, " ");
    markup_element(markup, "small", title, NULL);
    if (*description != '\0') {
        markup_text(markup, " ");
        text_put_in(markup, "span", "about", description);
    }
    markup_close(markup);
    markup_close(markup);
    markup_text(markup, "\n");
    free(title);
}

static void put_bodies(const struct table *table, const struct selected *cases,
                       size_t count)
{
    struct markup *markup = table->markup;

    for (size_t i = 0; i < count; i++) {
        bool is_new = i == 0 || cases[i].suite != cases[i - 1].suite;
        if (is_new && table->style->is_grouped) {
            if (i > 0)
                markup_close(markup);
            markup_open(markup, "tbody", NULL);
            put_group(table, &cases[i]);
        } else if (i == 0) {
            markup_open(markup, "tbody", NULL);
        }
        put_case(table, &cases[i]);
    }
    markup_close(markup);
}

/* --- the head --- */

/* A column that the table can be sorted by, or is ("sort" is NULL: it can't). */
static void put_column(const struct table *table, const char *name, const char *sort,
                       const char *direction)
{
    struct markup *markup = table->markup;
    const struct query *query = table->style->query;
    bool is_sorted = sort != NULL && query_is(query, "sort", sort);

    markup_open(markup, "th", "scope", "col", "aria-sort", is_sorted ? direction : NULL,
                NULL);
    if (sort != NULL) {
        query_open_link(markup, query, "sort", is_sorted ? "" : sort);
        markup_text(markup, name);
        markup_close(markup);
    } else {
        markup_text(markup, name);
    }
    markup_close(markup);
}

static void put_head(const struct table *table)
{
    struct markup *markup = table->markup;

    text_put_in(markup, "caption", NULL, table->style->caption);
    markup_open(markup, "thead", NULL);
    markup_open(markup, "tr", NULL);
    put_column(table, "State", "state", "other");
    put_column(table, "Case", "name", "ascending");
    put_column(table, "What goes on", NULL, NULL);
    put_column(table, "Time", "duration", "descending");
    markup_close(markup);
    markup_close(markup);
}

void table_put_cases(struct markup *markup, const struct selected *cases, size_t count,
                     const struct table_style *style)
{
    struct table table = {markup, style, json_new_object()};

    markup_open(markup, "table", "class", "board cases", NULL);
    put_head(&table);
    put_bodies(&table, cases, count);
    markup_close(markup);
    json_object_put(table.known);
}
