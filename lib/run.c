/* SPDX-License-Identifier: Apache-2.0 */
/* From a plan to cases: the sources, the product of client types, the filters, the
 * repeats. */
#include "run.h"

#include "compile.h"
#include "json.h"
#include "matching.h"
#include "model.h"
#include "sources.h"
#include "xalloc.h"

#include <fnmatch.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SHIPPED_DEPTH 64 /* nesting of the shipped dictionary */

const struct server_type *run_server_type(const struct run *run,
                                          const struct definition *definition)
{
    return definition->server_type == NULL
               ? NULL
               : settings_server_type(&run->settings, definition->server_type);
}

/* --- suites --- */

/* The machine of each case of one round; NULL with mistakes. */
static struct machine **compile_cases(const struct run *run,
                                      const struct definition *definition,
                                      struct mistakes *mistakes)
{
    size_t count = definition_cases(definition);
    struct machine **machines = xcalloc(count, sizeof(struct machine *));
    size_t i = 0;

    while (i < count &&
           (machines[i] = compile_case(definition, i, &run->settings, mistakes)))
        i++;
    if (i == count)
        return machines;
    while (i-- > 0)
        machine_release(machines[i]);
    free(machines);
    return NULL;
}

/* Whether the filters let this case run. */
static bool is_wanted(const struct run *run, const struct definition *definition,
                      const char *case_name)
{
    size_t count = json_object_array_length(run->only);
    char *test = xasprintf("%s.%s", definition->folder, definition->name);
    char *full = xasprintf("%s/%s", test, case_name);
    bool wanted = count == 0;

    for (size_t i = 0; i < count && !wanted; i++) {
        const char *glob =
            json_object_get_string(json_object_array_get_idx(run->only, i));
        wanted = fnmatch(glob, test, 0) == 0 || fnmatch(glob, full, 0) == 0;
    }
    free(full);
    free(test);
    return wanted;
}

/* The name of case `index`, where the first round goes through all of them, then the
 * next. Owned. */
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
static void add_case(struct suite *suite, size_t index, char *name,
                     struct machine *machine)
{
    struct run *run = suite->run;
    struct testcase *testcase = &suite->cases[suite->case_count++];

    testcase->name = name;
    id_derive(testcase->id, suite->id, "case %s", testcase->name);
    testcase->suite = suite;
    testcase->order = run->case_count++;
    testcase->index = index % definition_cases(suite->definition);
    testcase->machine = machine_hold(machine);
    testcase->due.owner = testcase;
    TAILQ_INIT(&testcase->turns);
    run->totals[CASE_WAITING]++;
    HASH_ADD_STR(run->cases_by_id, id, testcase);
}

/* A suite of the cases that are wanted; NULL if none is. Takes the definition. */
static struct suite *make_suite(struct run *run, struct definition *definition,
                                struct machine **machines)
{
    size_t count = definition_cases(definition);
    struct suite *suite = xcalloc(1, sizeof *suite);

    suite->run = run;
    suite->definition = definition;
    suite->cases = xcalloc(count * run->repeat, sizeof *suite->cases);
    id_derive(suite->id, run->id, "test %s.%s", definition->folder, definition->name);
    for (size_t i = 0; i < count * run->repeat; i++) {
        char *name = case_name(definition, i);
        if (is_wanted(run, definition, name))
            add_case(suite, i, name, machines[i % count]);
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

bool run_add_suite(struct run *run, struct definition *definition,
                   struct mistakes *mistakes)
{
    char id[ID_SIZE];
    struct suite *suite = NULL;
    struct where at_name = {NULL, "name", 0};
    size_t count = definition_cases(definition);

    id_derive(id, run->id, "test %s.%s", definition->folder, definition->name);
    HASH_FIND_STR(run->suites_by_id, id, suite);
    if (suite != NULL)
        mistake_error(mistakes, &at_name, "%s.%s is the name of a test already, in %s",
                      definition->folder, definition->name, suite->definition->file);
    else if (count * run->repeat > run->case_limit - run->case_count)
        mistake_error(mistakes, NULL,
                      "has %zu cases, with which the run would have more than %zu "
                      "([limits] cases)",
                      count * run->repeat, run->case_limit);
    bool fits = suite == NULL && count * run->repeat <= run->case_limit - run->case_count;
    run->is_cut = run->is_cut || (suite == NULL && !fits);
    struct machine **machines = fits ? compile_cases(run, definition, mistakes) : NULL;
    if (machines == NULL) {
        definition_free(definition);
        return false;
    }
    suite = make_suite(run, definition, machines);
    if (suite != NULL) {
        TAILQ_INSERT_TAIL(&run->suites, suite, link);
        HASH_ADD_STR(run->suites_by_id, id, suite);
    }
    for (size_t i = 0; i < count; i++)
        machine_release(machines[i]);
    free(machines);
    return true;
}

/* --- life --- */

struct run *run_new(const char *id, struct settings *settings)
{
    struct run *run = xcalloc(1, sizeof *run);

    memcpy(run->id, id, ID_SIZE);
    run->label = xstrdup("");
    run->settings = *settings;
    *settings = (struct settings){0};
    run->only = json_new_array();
    run->repeat = 1;
    run->case_limit = SIZE_MAX;
    TAILQ_INIT(&run->suites);
    return run;
}

void run_choose(struct run *run, struct json_object *only, size_t repeat,
                unsigned retries)
{
    json_object_put(run->only);
    run->only = json_object_get(only);
    run->repeat = repeat;
    run->retries = retries;
}

void run_limit(struct run *run, size_t cases)
{
    run->case_limit = cases;
}

static struct dictionary *read_dictionary(const char *shipped, struct mistakes *mistakes)
{
    struct dictionary *dictionary = dictionary_new();
    struct json_object *root = NULL;
    char *text = xstrdup(shipped);

    json_blank_comments(text, strlen(text));
    mistakes_set_file(mistakes, "the shipped dictionary", NULL);
    if (json_read(text, strlen(text), SHIPPED_DEPTH, &root, NULL) == 0)
        dictionary_add(dictionary, root, mistakes);
    json_object_put(root);
    free(text);
    return dictionary;
}

static void add_definition(struct definition *definition, void *argument)
{
    struct run *run = ((void **)argument)[0];

    run_add_suite(run, definition, ((void **)argument)[1]);
}

struct run *run_read(struct json_object *plan, struct mistakes *mistakes)
{
    struct settings settings;

    settings_read(&settings, json_member(plan, "settings"));
    struct run *run = run_new(json_member_text(plan, "id"), &settings);
    void *argument[] = {run, mistakes};
    if (json_member_text(plan, "label") != NULL) {
        free(run->label);
        run->label = xstrdup(json_member_text(plan, "label"));
    }
    run_choose(run, json_member(plan, "only"),
               (size_t)json_object_get_int64(json_member(plan, "repeat")),
               (unsigned)json_object_get_int64(json_member(plan, "retries")));
    if (json_member(plan, "case_limit") != NULL)
        run_limit(run, (size_t)json_object_get_int64(json_member(plan, "case_limit")));
    run->dictionary = read_dictionary(json_member_text(plan, "dictionary"), mistakes);
    sources_load(json_member(plan, "sources"), run->dictionary, &run->settings, mistakes,
                 add_definition, argument);
    return run;
}

static void free_turn(struct turn *turn)
{
    attempt_free(turn->attempt);
    transcript_clear(&turn->prelude);
    json_object_put(turn->servers);
    json_object_put(turn->files);
    json_object_put(turn->colours);
    verdict_clear(&turn->verdict);
    free(turn->players);
    free(turn);
}

static void clear_case(struct testcase *testcase)
{
    struct turn *turn;

    while ((turn = TAILQ_FIRST(&testcase->turns)) != NULL) {
        TAILQ_REMOVE(&testcase->turns, turn, link);
        free_turn(turn);
    }
    machine_release(testcase->machine);
    verdict_clear(&testcase->verdict);
    free(testcase->name);
}

void run_free(struct run *run)
{
    struct suite *suite;

    if (run == NULL)
        return;
    HASH_CLEAR(hh, run->cases_by_id);
    HASH_CLEAR(hh, run->suites_by_id);
    while ((suite = TAILQ_FIRST(&run->suites)) != NULL) {
        TAILQ_REMOVE(&run->suites, suite, link);
        for (size_t i = 0; i < suite->case_count; i++)
            clear_case(&suite->cases[i]);
        free(suite->cases);
        definition_free(suite->definition);
        free(suite);
    }
    if (run->matching != NULL)
        matching_free(run->matching);
    dictionary_free(run->dictionary);
    settings_clear(&run->settings);
    json_object_put(run->only);
    json_object_put(run->checkpoint);
    free(run->broken_off);
    free(run->label);
    free(run);
}

const char *run_id(const struct run *run)
{
    return run->id;
}

bool run_is_cut(const struct run *run)
{
    return run->is_cut;
}

size_t run_case_count(const struct run *run)
{
    return run->case_count;
}

const struct dictionary *run_dictionary(const struct run *run)
{
    return run->dictionary;
}
