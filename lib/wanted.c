/* SPDX-License-Identifier: Apache-2.0 */
/* Which clients the cases that wait could do with. */
#include "wanted.h"

#include "json.h"
#include "matching.h"
#include "model.h"
#include "status.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

/* A client type that waiting cases have roles for. */
struct want {
    const char *name; /* as definitions name it; borrowed */
    size_t cases;     /* that have a role for it */
    size_t lacking;   /* clients more than are free, that one of the cases needs */
};

struct wants {
    struct want *items; /* owned */
    size_t count;       /* length of items */
};

static const struct client_type_rule *find_rule(const struct settings *settings,
                                                const char *name)
{
    for (size_t i = 0; i < settings->client_type_count; i++) {
        if (strcmp(settings->client_types[i].name, name) == 0)
            return &settings->client_types[i];
    }
    return NULL;
}

/* What clients of this client type register as. */
static const char *registered_as(const struct settings *settings, const char *name)
{
    const struct client_type_rule *rule = find_rule(settings, name);

    return rule != NULL ? rule->type : name;
}

/* --- types --- */

static struct want *find_want(struct wants *wants, const char *name)
{
    for (size_t i = 0; i < wants->count; i++) {
        if (strcmp(wants->items[i].name, name) == 0)
            return &wants->items[i];
    }
    wants->items = xreallocarray(wants->items, wants->count + 1, sizeof(struct want));
    wants->items[wants->count] = (struct want){.name = name};
    return &wants->items[wants->count++];
}

static void add_case(struct wants *wants, const struct matching *matching,
                     const char **types, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t before = 0, needed = 0;
        for (size_t k = 0; k < count; k++) {
            bool same = strcmp(types[k], types[i]) == 0;
            needed += same;
            before += same && k < i;
        }
        if (before > 0) /* the type was counted with an earlier role */
            continue;
        struct want *want = find_want(wants, types[i]);
        size_t free_count = matching_free_of(matching, types[i]);
        want->cases++;
        if (needed > free_count && needed - free_count > want->lacking)
            want->lacking = needed - free_count;
    }
}

/* Call `each` for every case of the run that waits, with the types of its roles, until it
 * gives false. */
static void each_waiting(const struct run *run,
                         bool (*each)(void *argument, const struct testcase *testcase,
                                      const char **types),
                         void *argument)
{
    const struct suite *suite;
    bool more = true;

    TAILQ_FOREACH (suite, &run->suites, link) {
        const char **types = xcalloc(suite->definition->role_count, sizeof *types);
        for (size_t i = 0; i < suite->case_count && more; i++) {
            if (suite->cases[i].state != CASE_WAITING)
                continue;
            definition_case_types(suite->definition, suite->cases[i].index, types);
            more = each(argument, &suite->cases[i], types);
        }
        free(types);
    }
}

static bool count_case(void *argument, const struct testcase *testcase,
                       const char **types)
{
    add_case(argument, testcase->suite->run->matching, types,
             testcase->suite->definition->role_count);
    return true;
}

/* Those that are lacking first, then what most cases want. */
static int compare(const void *left, const void *right)
{
    const struct want *a = left, *b = right;

    if ((a->lacking > 0) != (b->lacking > 0))
        return a->lacking > 0 ? -1 : 1;
    if (a->cases != b->cases)
        return a->cases > b->cases ? -1 : 1;
    return strcmp(a->name, b->name);
}

static struct json_object *want_json(const struct settings *settings,
                                     const struct want *want)
{
    const struct client_type_rule *rule = find_rule(settings, want->name);
    struct json_object *object = json_new_object();
    struct json_object *match = json_new_object();

    for (size_t i = 0; rule != NULL && i < rule->glob_count; i++)
        json_put_text(match, rule->globs[i].member, rule->globs[i].glob);
    json_put_text(object, "name", want->name);
    json_put_text(object, "type", registered_as(settings, want->name));
    json_put(object, "match", match);
    json_put_int(object, "cases", (int64_t)want->cases);
    json_put_int(object, "lacking", (int64_t)want->lacking);
    return object;
}

struct json_object *wanted_types(const struct engine *engine)
{
    struct json_object *array = json_new_array();
    struct wants wants = {NULL, 0};

    if (engine->going == NULL)
        return array;
    each_waiting(engine->going, count_case, &wants);
    if (wants.count > 0)
        qsort(wants.items, wants.count, sizeof *wants.items, compare);
    for (size_t i = 0; i < wants.count; i++)
        json_append(array, want_json(&engine->going->settings, &wants.items[i]));
    free(wants.items);
    return array;
}

/* --- cases --- */

/* A search for cases that could take a client. */
struct search {
    const struct engine *engine; /* borrowed */
    const char *type;            /* as the client registered; borrowed */
    size_t limit;                /* so many are enough */
    struct json_object *found;   /* what is searched for; owned */
};

static bool add_if_fit(void *argument, const struct testcase *testcase,
                       const char **types)
{
    struct search *search = argument;
    const struct suite *suite = testcase->suite;
    size_t i = 0;

    while (i < suite->definition->role_count &&
           strcmp(registered_as(&suite->run->settings, types[i]), search->type) != 0)
        i++;
    if (i < suite->definition->role_count) {
        struct json_object *object = json_new_object();
        char *message = status_message(search->engine, testcase);
        json_put_text(object, "test", suite->definition->name);
        json_put_text(object, "id", testcase->id);
        json_put_text(object, "name", testcase->name);
        json_put_text(object, "message", message);
        json_append(search->found, object);
        free(message);
    }
    return json_object_array_length(search->found) < search->limit;
}

struct json_object *wanted_cases(const struct engine *engine, const char *type,
                                 size_t limit)
{
    struct search search = {engine, type, limit, json_new_array()};

    if (engine->going != NULL)
        each_waiting(engine->going, add_if_fit, &search);
    return search.found;
}
