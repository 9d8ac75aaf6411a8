/* SPDX-License-Identifier: Apache-2.0 */
/* From definitions to cases: the product of client types, the filters, the repeats. */
#include "compile.h"
#include "engine_internal.h"
#include "matching.h"
#include "xalloc.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

const struct server_type *engine_server_type(const struct engine *engine,
                                             const struct definition *definition)
{
    return definition->server_type == NULL
               ? NULL
               : settings_server_type(engine->settings, definition->server_type);
}

/* The machine of each case of one round; NULL with mistakes. */
static struct machine **compile_cases(struct engine *engine,
                                      struct definition *definition,
                                      struct mistakes *mistakes)
{
    size_t count = definition_cases(definition);
    struct machine **machines = xcalloc(count, sizeof(struct machine *));
    size_t i = 0;

    while (i < count &&
           (machines[i] = compile_case(definition, i, engine->settings, mistakes)))
        i++;
    if (i == count)
        return machines;
    while (i-- > 0)
        machine_release(machines[i]);
    free(machines);
    return NULL;
}

/* Whether the filters let this case run. */
static bool is_wanted(const struct engine *engine, const struct definition *definition,
                      const char *case_name)
{
    char *test = xasprintf("%s.%s", definition->folder, definition->name);
    char *full = xasprintf("%s/%s", test, case_name);
    bool wanted = engine->settings->only_count == 0;

    for (size_t i = 0; i < engine->settings->only_count; i++) {
        const char *glob = engine->settings->only[i];
        wanted = wanted || fnmatch(glob, test, 0) == 0 || fnmatch(glob, full, 0) == 0;
    }
    free(full);
    free(test);
    return wanted;
}

/* The name of case `index`, where the first round goes through all of them, then the next. Owned. */
static char *case_name(const struct definition *definition, size_t index)
{
    size_t count = definition_cases(definition);
    size_t round = index / count + 1;
    char *name = definition_case_name(definition, index % count);
    char *numbered = round > 1 ? xasprintf("%s #%zu", name, round) : xstrdup(name);

    free(name);
    return numbered;
}

/* Make case `index` of the definition the next one of the suite. Takes name. */
static void add_case(struct engine *engine, struct suite *suite, size_t index, char *name,
                     struct machine *machine)
{
    const struct definition *definition = suite->definition;
    const struct server_type *type = engine_server_type(engine, definition);
    struct testcase *testcase = &suite->cases[suite->case_count++];
    const char **types = xcalloc(definition->role_count, sizeof *types);

    testcase->name = name;
    id_derive(testcase->id, suite->id, "case %s", testcase->name);
    testcase->suite = suite;
    testcase->order = engine->case_count++;
    testcase->machine = machine_hold(machine);
    testcase->due.owner = testcase;
    testcase->prelude.limit = engine->settings->transcript;
    engine->totals[CASE_WAITING]++;
    HASH_ADD_STR(engine->cases_by_id, id, testcase);
    definition_case_types(definition, index % definition_cases(definition), types);
    matching_add_case(engine->matching, testcase, types, definition->role_count,
                      type != NULL && type->image_count > 0);
    free(types);
}

/* A suite of the cases that are wanted; NULL if none is. Takes the definition. */
static struct suite *make_suite(struct engine *engine, struct definition *definition,
                                size_t repeat, struct machine **machines)
{
    size_t count = definition_cases(definition);
    struct suite *suite = xcalloc(1, sizeof *suite);

    suite->definition = definition;
    suite->cases = xcalloc(count * repeat, sizeof *suite->cases);
    id_derive(suite->id, engine->run_id, "test %s.%s", definition->folder,
              definition->name);
    for (size_t i = 0; i < count * repeat; i++) {
        char *name = case_name(definition, i);
        if (is_wanted(engine, definition, name))
            add_case(engine, suite, i, name, machines[i % count]);
        else
            free(name);
    }
    if (suite->case_count > 0)
        return suite;
    free(suite->cases);
    free(suite);
    definition_free(definition);
    return NULL;
}

bool engine_add_suite(struct engine *engine, struct definition *definition, size_t repeat,
                      struct mistakes *mistakes)
{
    char id[ID_SIZE];
    struct suite *suite = NULL;
    struct where at_name = {NULL, "name", 0};
    size_t count = definition_cases(definition);

    id_derive(id, engine->run_id, "test %s.%s", definition->folder, definition->name);
    HASH_FIND_STR(engine->suites_by_id, id, suite);
    if (suite != NULL)
        mistake_error(mistakes, &at_name, "%s.%s is the name of a test already, in %s",
                      definition->folder, definition->name, suite->definition->file);
    struct machine **machines =
        suite == NULL ? compile_cases(engine, definition, mistakes) : NULL;
    if (machines == NULL) {
        definition_free(definition);
        return false;
    }
    suite = make_suite(engine, definition, repeat, machines);
    if (suite != NULL) {
        TAILQ_INSERT_TAIL(&engine->suites, suite, link);
        HASH_ADD_STR(engine->suites_by_id, id, suite);
    }
    for (size_t i = 0; i < count; i++)
        machine_release(machines[i]);
    free(machines);
    return true;
}

static void clear_case(struct engine *engine, struct testcase *testcase)
{
    HASH_DEL(engine->cases_by_id, testcase);
    heap_remove(&engine->due, &testcase->due);
    attempt_free(testcase->attempt);
    transcript_clear(&testcase->prelude);
    machine_release(testcase->machine);
    json_object_put(testcase->servers);
    json_object_put(testcase->files);
    json_object_put(testcase->colours);
    free(testcase->verdict.message);
    free(testcase->verdict.details);
    free(testcase->players);
    free(testcase->name);
}

void engine_free_suite(struct engine *engine, struct suite *suite)
{
    HASH_DEL(engine->suites_by_id, suite);
    for (size_t i = 0; i < suite->case_count; i++)
        clear_case(engine, &suite->cases[i]);
    free(suite->cases);
    definition_free(suite->definition);
    free(suite);
}
