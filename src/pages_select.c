/* SPDX-License-Identifier: Apache-2.0 */
/* The cases of a run that a page is asked to show. */
#include "pages_select.h"

#include "casename.h"
#include "json.h"
#include "pages_parts.h"
#include "pages_text.h"
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r\n\v\f"

const char *const select_states[] = {"running", "preparing", "waiting", "failed", "error",
                                     "success", "bad",       "open",    "flaky",  NULL};
const char *const select_sorts[] = {"state", "name", "duration", "start", NULL};

/* --- names of cases --- */

/* The next client type in `*name`, which goes on after it; NULL after the last one.
 * Owned. */
static char *next_type(const char **name, const char *end)
{
    while (*name < end) {
        const char *word = *name;
        size_t length = strcspn(word, " ");
        if (length > (size_t)(end - word))
            length = (size_t)(end - word);
        const char *equals = memchr(word, '=', length);
        *name = word + length + 1;
        if (equals != NULL)
            return xstrndup(equals + 1, (size_t)(word + length - equals) - 1);
    }
    return NULL;
}

void select_add_types(struct json_object *types, const char *name)
{
    const char *end = name + casename_length(name);
    char *type;

    while ((type = next_type(&name, end)) != NULL) {
        if (!json_object_object_get_ex(types, type, NULL))
            json_put_bool(types, type, true);
        free(type);
    }
}

/* Add a type that there is so many times in a row to the list, which is taken. */
static char *add_to_pair(char *pair, const char *type, size_t times)
{
    char *longer = times > 1
                       ? xasprintf("%s%s%s ×%zu", pair, *pair ? " + " : "", type, times)
                       : xasprintf("%s%s%s", pair, *pair ? " + " : "", type);

    free(pair);
    return longer;
}

char *select_pair(const char *name)
{
    const char *end = name + casename_length(name);
    char *pair = xstrdup(""), *type = next_type(&name, end), *next;

    for (size_t times = 1; type != NULL; times++) {
        next = next_type(&name, end);
        if (next == NULL || strcmp(next, type) != 0) {
            pair = add_to_pair(pair, type, times);
            times = 0;
        }
        free(type);
        type = next;
    }
    return pair;
}

char *select_test_name(struct json_object *suite)
{
    const char *folder = text_member(suite, "folder");

    return xasprintf("%s%s%s", folder, *folder != '\0' ? "." : "",
                     text_member(suite, "name"));
}

/* --- what fits --- */

static bool finds_word(const char *word, size_t length, const char *const *texts)
{
    char *wanted = xstrndup(word, length);
    bool is_found = false;

    for (; *texts != NULL && !is_found; texts++)
        is_found = strcasestr(*texts, wanted) != NULL;
    free(wanted);
    return is_found;
}

bool select_finds(const char *wanted, const char *const *texts)
{
    for (wanted += strspn(wanted, BLANKS); *wanted != '\0';
         wanted += strspn(wanted, BLANKS)) {
        size_t length = strcspn(wanted, BLANKS);
        if (!finds_word(wanted, length, texts))
            return false;
        wanted += length;
    }
    return true;
}

bool select_names(const char *word, const char *sent)
{
    char *visible = text_visible(word, 0);
    bool is_same = strcmp(word, sent) == 0 || strcmp(visible, sent) == 0;

    free(visible);
    return is_same;
}

static bool fits_state(struct json_object *testcase, const char *wanted)
{
    enum part_state state = part_state(text_member(testcase, "state"));

    if (strcmp(wanted, "bad") == 0)
        return state == PART_FAILED || state == PART_ERROR;
    if (strcmp(wanted, "open") == 0)
        return !part_state_is_end(state);
    if (strcmp(wanted, "flaky") == 0)
        return json_object_get_boolean(json_member(testcase, "flaky"));
    return *wanted == '\0' || strcmp(part_state_word(state), wanted) == 0;
}

static bool fits_client(const char *name, const char *wanted)
{
    struct json_object *types;
    bool fits = *wanted == '\0';

    if (fits)
        return true;
    types = json_new_object();
    select_add_types(types, name);
    json_object_object_foreach (types, type, member) {
        (void)member;
        fits = fits || select_names(type, wanted);
    }
    json_object_put(types);
    return fits;
}

/* Who plays, and does what. Owned. */
static char *players(struct json_object *testcase)
{
    struct json_object *roles = json_member(testcase, "roles");
    char *text = NULL;
    size_t size;
    FILE *out = xcheck(open_memstream(&text, &size));

    if (json_object_is_type(roles, json_type_object)) {
        json_object_object_foreach (roles, name, role) {
            (void)name;
            fprintf(out, "%s %s ", text_member(role, "client"),
                    text_member(role, "action"));
        }
    }
    if (fclose(out) != 0)
        xcheck(NULL);
    return text;
}

static bool fits_text(const struct selected *selected, const char *wanted)
{
    struct json_object *testcase = selected->testcase;

    if (*wanted == '\0')
        return true;
    char *playing = players(testcase);
    const char *texts[] = {selected->test,
                           text_member(testcase, "name"),
                           text_member(testcase, "message"),
                           text_member(testcase, "machine"),
                           text_member(testcase, "id"),
                           playing,
                           NULL};
    bool fits = select_finds(wanted, texts);
    free(playing);
    return fits;
}

static bool fits(const struct selected *selected, const struct query *query)
{
    return fits_state(selected->testcase, query_value(query, "state")) &&
           fits_client(text_member(selected->testcase, "name"),
                       query_value(query, "client")) &&
           fits_text(selected, query_value(query, "q"));
}

/* --- in which order --- */

static int compare_text(const struct selected *a, const struct selected *b,
                        const char *name)
{
    return strcmp(text_member(a->testcase, name), text_member(b->testcase, name));
}

static int compare_order(const void *a, const void *b)
{
    size_t left = ((const struct selected *)a)->order;
    size_t right = ((const struct selected *)b)->order;

    return (left > right) - (left < right);
}

/* What calls for attention first. */
static int compare_states(const void *a, const void *b)
{
    int left =
        (int)part_state(text_member(((const struct selected *)a)->testcase, "state"));
    int right =
        (int)part_state(text_member(((const struct selected *)b)->testcase, "state"));

    return left != right ? left - right : compare_order(a, b);
}

static int compare_names(const void *a, const void *b)
{
    int tests =
        strcmp(((const struct selected *)a)->test, ((const struct selected *)b)->test);
    int names = tests != 0 ? tests : compare_text(a, b, "name");

    return names != 0 ? names : compare_order(a, b);
}

static double duration(const struct selected *selected)
{
    return json_object_get_double(json_member(selected->testcase, "duration"));
}

/* The longest first. */
static int compare_durations(const void *a, const void *b)
{
    double left = duration(a), right = duration(b);

    return left != right ? (left < right) - (left > right) : compare_order(a, b);
}

/* The latest first, and those that have not begun last. */
static int compare_starts(const void *a, const void *b)
{
    int starts = compare_text(b, a, "started");

    return starts != 0 ? starts : compare_order(a, b);
}

static void sort(struct selection *selection, const char *by)
{
    static int (*const compare[])(const void *, const void *) = {
        compare_states, compare_names, compare_durations, compare_starts};

    for (size_t i = 0; select_sorts[i] != NULL && selection->count > 0; i++) {
        if (strcmp(select_sorts[i], by) == 0)
            qsort(selection->cases, selection->count, sizeof *selection->cases,
                  compare[i]);
    }
}

/* --- all together --- */

static size_t count_cases(struct json_object *suites, size_t suite_count)
{
    size_t count = 0;

    for (size_t i = 0; i < suite_count; i++)
        count += text_count(json_object_array_get_idx(suites, i), "cases");
    return count;
}

/* The cases of one suite; `order` is the place of its first one. */
static void add_suite(struct selection *selection, struct json_object *suite,
                      size_t order, const struct query *query)
{
    char *test = select_test_name(suite);
    const char *wanted = query_value(query, "test");
    bool is_wanted = *wanted == '\0' || select_names(test, wanted) ||
                     select_names(text_member(suite, "name"), wanted);

    selection->tests[selection->test_count++] = test;
    size_t count = is_wanted ? text_count(suite, "cases") : 0;
    for (size_t i = 0; i < count; i++) {
        struct selected *next = &selection->cases[selection->count];
        *next =
            (struct selected){text_element(suite, "cases", i), suite, test, order + i};
        selection->count += fits(next, query);
    }
}

void select_cases(struct selection *selection, struct json_object *suites,
                  const struct query *query)
{
    size_t count = json_object_is_type(suites, json_type_array)
                       ? json_object_array_length(suites)
                       : 0;
    size_t order = 0;

    *selection = (struct selection){
        .cases = xcalloc(count_cases(suites, count) + 1, sizeof *selection->cases),
        .tests = xcalloc(count + 1, sizeof *selection->tests),
    };
    for (size_t i = 0; i < count; i++) {
        struct json_object *suite = json_object_array_get_idx(suites, i);
        add_suite(selection, suite, order, query);
        order += text_count(suite, "cases");
    }
    sort(selection, query_value(query, "sort"));
}

void select_clear(struct selection *selection)
{
    for (size_t i = 0; i < selection->test_count; i++)
        free(selection->tests[i]);
    free(selection->tests);
    free(selection->cases);
    *selection = (struct selection){0};
}
