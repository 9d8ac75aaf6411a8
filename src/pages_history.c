/* SPDX-License-Identifier: Apache-2.0 */
/* The page of what has been: how the tests fared from run to run. */
#include "pages.h"

#include "json.h"
#include "pages_parts.h"
#include "pages_select.h"
#include "pages_text.h"
#include "pages_trend.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_TRENDS 100 /* on one page */

static const char *const states[] = {"flaky", "bad", "success", NULL};
static const char *const sorts[] = {"name", "rate", "duration", "changed", NULL};
static const struct query_field fields[] = {
    {"state", states}, {"test", NULL}, {"client", NULL}, {"q", NULL},
    {"sort", sorts},   {"page", NULL}, {NULL, NULL}};

/* A test and its clients that are to be shown. */
struct trend {
    struct json_object *entry; /* borrowed */
    size_t order;              /* its place in the document: flaky ones come first */
};

/* --- which ones --- */

static bool is_flaky(struct json_object *entry)
{
    return json_object_get_boolean(json_member(entry, "is_flaky"));
}

/* Whether it did not succeed last. */
static bool is_bad(struct json_object *entry)
{
    const char *state = text_member(json_member(entry, "last"), "state");

    return part_state(state) != PART_SUCCESS;
}

static bool fits_state(struct json_object *entry, const char *wanted)
{
    if (strcmp(wanted, "flaky") == 0)
        return is_flaky(entry);
    return *wanted == '\0' || is_bad(entry) == (strcmp(wanted, "bad") == 0);
}

static bool fits_client(struct json_object *entry, const char *wanted)
{
    struct json_object *types = json_new_object();
    bool fits = *wanted == '\0';

    select_add_types(types, text_member(entry, "name"));
    json_object_object_foreach (types, type, member) {
        (void)member;
        fits = fits || select_names(type, wanted);
    }
    json_object_put(types);
    return fits;
}

static bool fits(struct json_object *entry, const struct query *query)
{
    const char *test = text_member(entry, "test"), *wanted = query_value(query, "test");
    const char *texts[] = {test, text_member(entry, "name"), NULL};

    return fits_state(entry, query_value(query, "state")) &&
           (*wanted == '\0' || select_names(test, wanted)) &&
           fits_client(entry, query_value(query, "client")) &&
           select_finds(query_value(query, "q"), texts);
}

/* --- in which order --- */

static int compare_order(const void *a, const void *b)
{
    size_t left = ((const struct trend *)a)->order;
    size_t right = ((const struct trend *)b)->order;

    return (left > right) - (left < right);
}

static const char *member(const void *trend, const char *name)
{
    return text_member(((const struct trend *)trend)->entry, name);
}

static int compare_names(const void *a, const void *b)
{
    int tests = strcmp(member(a, "test"), member(b, "test"));
    int names = tests != 0 ? tests : strcmp(member(a, "name"), member(b, "name"));

    return names != 0 ? names : compare_order(a, b);
}

static double number(struct json_object *object, const char *name)
{
    return json_object_get_double(json_member(object, name));
}

/* The lowest first. */
static int compare_rates(const void *a, const void *b)
{
    double left = number(((const struct trend *)a)->entry, "pass_rate");
    double right = number(((const struct trend *)b)->entry, "pass_rate");

    return left != right ? (left > right) - (left < right) : compare_order(a, b);
}

/* The longest first. */
static int compare_durations(const void *a, const void *b)
{
    const struct trend *left = a, *right = b;
    double x = number(json_member(left->entry, "durations"), "median");
    double y = number(json_member(right->entry, "durations"), "median");

    return x != y ? (x < y) - (x > y) : compare_order(a, b);
}

/* The latest first, those that never changed last. */
static int compare_changes(const void *a, const void *b)
{
    const struct trend *left = a, *right = b;
    int changes = strcmp(text_member(json_member(right->entry, "changed"), "ended"),
                         text_member(json_member(left->entry, "changed"), "ended"));

    return changes != 0 ? changes : compare_order(a, b);
}

/* Those that are asked for, in the order that is asked for. Owned. */
static struct trend *select_trends(struct json_object *document,
                                   const struct query *query, size_t *count)
{
    static int (*const compare[])(const void *, const void *) = {
        compare_names, compare_rates, compare_durations, compare_changes};
    size_t all = text_count(document, "tests");
    struct trend *trends = xcalloc(all + 1, sizeof *trends);

    *count = 0;
    for (size_t i = 0; i < all; i++) {
        struct json_object *entry = text_element(document, "tests", i);
        if (fits(entry, query))
            trends[(*count)++] = (struct trend){entry, i};
    }
    for (size_t i = 0; sorts[i] != NULL && *count > 0; i++) {
        if (query_is(query, "sort", sorts[i]))
            qsort(trends, *count, sizeof *trends, compare[i]);
    }
    return trends;
}

/* --- the page --- */

/* How many of the entries are flaky, and how many did not succeed last. */
static void count_trends(struct json_object *trends, size_t *flaky, size_t *bad)
{
    *flaky = *bad = 0;
    for (size_t i = 0; i < text_count(trends, "tests"); i++) {
        struct json_object *entry = text_element(trends, "tests", i);
        *flaky += is_flaky(entry);
        *bad += is_bad(entry);
    }
}

static void put_summary(struct markup *markup, struct json_object *trends)
{
    size_t count = text_count(trends, "tests"), runs = text_amount(trends, "runs");
    size_t flaky, bad;

    count_trends(trends, &flaky, &bad);
    markup_open(markup, "p", "class", "about", NULL);
    if (count > 0)
        markup_textf(
            markup, "%zu %s of tests and clients in %zu %s: %zu flaky, %zu failed last. ",
            count, count == 1 ? "pair" : "pairs", runs, runs == 1 ? "run" : "runs", flaky,
            bad);
    markup_element(markup, "a", "All runs", "href", "/runs", NULL);
    markup_text(markup, " · ");
    markup_element(markup, "a", "as JSON", "href", "/history.json", NULL);
    markup_close(markup);
}

static void put_form(struct markup *markup, struct json_object *trends,
                     const struct query *query)
{
    static const char *const kept[] = {NULL};
    static const char *const cleared[] = {"state", "test", "client", "q", "sort", NULL};
    static const char *const kinds[] = {"",        "all",         "flaky",
                                        "flaky",   "bad",         "failed last",
                                        "success", "passed last", NULL};
    static const char *const orders[] = {
        "",        "flaky first",      "name",     "test",
        "rate",    "lowest pass rate", "duration", "longest first",
        "changed", "latest change",    NULL};
    struct json_object *tests = json_new_object(), *types = json_new_object();

    for (size_t i = 0; i < text_count(trends, "tests"); i++) {
        struct json_object *entry = text_element(trends, "tests", i);
        json_put_bool(tests, text_member(entry, "test"), true);
        select_add_types(types, text_member(entry, "name"));
    }
    query_open_form(markup, query, "Tests", kept);
    query_put_choice(markup, query, "state", "Outcome", kinds);
    query_put_names(markup, query, "test", "Test", "all", tests);
    query_put_names(markup, query, "client", "Client", "any", types);
    query_put_text(markup, query, "q", "Text");
    query_put_choice(markup, query, "sort", "Order", orders);
    query_close_form(markup, query, cleared);
    json_object_put(types);
    json_object_put(tests);
}

static void put_table(struct markup *markup, const struct trend *trends, size_t count,
                      const char *now)
{
    static const char *const columns[] = {
        "Last",      "Test and clients", "Pass rate", "Outcomes, newest first",
        "Durations", "Last change",      NULL};
    struct json_object *known = json_new_object();

    part_open_table(markup, "board trends", "Tests from run to run", columns);
    for (size_t i = 0; i < count; i++)
        trend_put_row(markup, trends[i].entry, now, known);
    markup_close(markup);
    markup_close(markup);
    json_object_put(known);
}

static void put_trends(struct markup *markup, struct json_object *document)
{
    struct query query = {json_member(document, "asked"), fields};
    size_t count;
    struct trend *trends = select_trends(document, &query, &count);
    struct query_part part = query_part(&query, count, PAGE_TRENDS);

    query_put_ignored(markup, &query);
    put_form(markup, document, &query);
    query_put_range(markup, &part, text_count(document, "tests"), "pair");
    if (part.count > 0)
        put_table(markup, trends + part.first, part.count, text_member(document, "now"));
    query_put_parts(markup, &query, &part);
    free(trends);
}

char *pages_history(struct json_object *trends, size_t *size)
{
    struct part_frame frame = {"History – trafficlight", 0, 0, PART_HISTORY};
    size_t flaky, bad;

    count_trends(trends, &flaky, &bad);
    if (text_count(trends, "tests") > 0)
        frame.lights =
            (bad > 0 ? PART_RED : PART_GREEN) | (flaky > 0 ? (unsigned)PART_AMBER : 0);
    struct markup *markup = part_begin(&frame);
    markup_element(markup, "h1", "History", NULL);
    put_summary(markup, trends);
    if (text_count(trends, "tests") > 0)
        put_trends(markup, trends);
    else
        markup_element(markup, "p", "No run has ended yet.", "class", "empty", NULL);
    return part_finish(markup, NULL, size);
}
