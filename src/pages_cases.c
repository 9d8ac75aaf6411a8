/* SPDX-License-Identifier: Apache-2.0 */
/* Cases on a page as they are asked for. */
#include "pages_cases.h"

#include "json.h"
#include "pages_matrix.h"
#include "pages_select.h"
#include "pages_table.h"
#include "pages_text.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_CASES 200 /* of a list on one page */

const char *const cases_views[] = {"list", "matrix", "clients", NULL};

const struct query_field cases_list_fields[] = {
    {"view", cases_views}, {"state", select_states}, {"test", NULL}, {"client", NULL},
    {"q", NULL},           {"sort", select_sorts},   {"page", NULL}, {NULL, NULL}};

const struct query_field cases_matrix_fields[] = {
    {"view", cases_views}, {"state", select_states}, {"test", NULL}, {"client", NULL},
    {"q", NULL},           {"page", NULL},           {NULL, NULL}};

const struct query_field cases_test_fields[] = {
    {"state", select_states}, {"client", NULL}, {"q", NULL},
    {"sort", select_sorts},   {"page", NULL},   {NULL, NULL}};

/* --- the form --- */

/* All tests and client types that there are, as the keys of objects. */
static void gather_names(struct json_object *suites, struct json_object *tests,
                         struct json_object *types)
{
    for (size_t i = 0; i < json_object_array_length(suites); i++) {
        struct json_object *suite = json_object_array_get_idx(suites, i);
        char *test = select_test_name(suite);
        json_put_bool(tests, test, true);
        free(test);
        for (size_t j = 0, count = text_count(suite, "cases"); j < count; j++)
            select_add_types(types, text_member(text_element(suite, "cases", j), "name"));
    }
}

static bool can_ask(const struct query *query, const char *name)
{
    const struct query_field *field = query->fields;

    while (field->name != NULL && strcmp(field->name, name) != 0)
        field++;
    return field->name != NULL;
}

static void put_form(struct markup *markup, struct json_object *suites,
                     const struct query *query)
{
    static const char *const kept[] = {"view", NULL};
    static const char *const cleared[] = {"state", "test", "client", "q", "sort", NULL};
    static const char *const states[] = {
        "",        "any",     "bad",       "failed or error", "open",    "not ended",
        "running", "running", "preparing", "preparing",       "waiting", "waiting",
        "failed",  "failed",  "error",     "error",           "success", "success",
        "flaky",   "flaky",   NULL};
    bool is_board = can_ask(query, "test");
    const char *const sorts[] = {"",         is_board ? "test" : "as written",
                                 "state",    "state",
                                 "name",     "name",
                                 "duration", "longest first",
                                 "start",    "latest first",
                                 NULL};
    struct json_object *tests = json_new_object(), *types = json_new_object();

    gather_names(suites, tests, types);
    query_open_form(markup, query, "Cases", kept);
    query_put_choice(markup, query, "state", "State", states);
    if (is_board)
        query_put_names(markup, query, "test", "Test", "all", tests);
    query_put_names(markup, query, "client", "Client", "any", types);
    query_put_text(markup, query, "q", "Text");
    if (can_ask(query, "sort"))
        query_put_choice(markup, query, "sort", "Order", sorts);
    query_close_form(markup, query, cleared);
    json_object_put(tests);
    json_object_put(types);
}

/* --- what was asked for --- */

static size_t count_all(struct json_object *suites)
{
    size_t count = 0;

    for (size_t i = 0; i < json_object_array_length(suites); i++)
        count += text_count(json_object_array_get_idx(suites, i), "cases");
    return count;
}

static void put_list(struct markup *markup, struct json_object *suites,
                     const struct query *query, bool is_board)
{
    bool by_test = query_is(query, "sort", "");
    struct table_style style = {"Cases", query, is_board && by_test,
                                is_board && !by_test};
    struct selection selection;

    select_cases(&selection, suites, query);
    struct query_part part = query_part(query, selection.count, PAGE_CASES);
    put_form(markup, suites, query);
    query_put_range(markup, &part, count_all(suites), "case");
    if (part.count > 0)
        table_put_cases(markup, selection.cases + part.first, part.count, &style);
    query_put_parts(markup, query, &part);
    select_clear(&selection);
}

void cases_put_list(struct markup *markup, struct json_object *suites,
                    const struct query *query)
{
    put_list(markup, suites, query, true);
}

void cases_put_test(struct markup *markup, struct json_object *suite,
                    const struct query *query)
{
    struct json_object *suites = json_new_array();

    json_append(suites, json_object_get(suite));
    put_list(markup, suites, query, false);
    json_object_put(suites);
}

void cases_put_matrix(struct markup *markup, struct json_object *suites,
                      const struct query *query)
{
    struct selection selection;

    select_cases(&selection, suites, query);
    struct query_part whole = {
        .count = selection.count, .total = selection.count, .page = 1, .pages = 1};
    put_form(markup, suites, query);
    query_put_range(markup, &whole, count_all(suites), "case");
    if (selection.count > 0)
        matrix_put(markup, &selection, query);
    select_clear(&selection);
}
