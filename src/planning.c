/* SPDX-License-Identifier: Apache-2.0 */
/* From the configuration and a wish to a run. */
#include "planning.h"

#include "config.h"
#include "json.h"
#include "run.h"
#include "suites.h"
#include "xalloc.h"

#include <stdlib.h>
#include <uuid/uuid.h>

static struct json_object *texts(const struct config_list *list)
{
    struct json_object *array = json_new_array();

    for (size_t i = 0; i < list->count; i++)
        json_append(array, json_new_text(list->items[i]));
    return array;
}

struct json_object *planning_begin(const struct config *config,
                                   const struct planning_wish *wish)
{
    struct json_object *plan = json_new_object();
    char *dictionary = suites_dictionary_text();
    uuid_t id;
    char text[UUID_STR_LEN];

    uuid_generate_random(id);
    uuid_unparse_lower(id, text);
    json_put_text(plan, "id", text);
    json_put_text(plan, "label", wish->label != NULL ? wish->label : "");
    json_put(plan, "only",
             wish->only != NULL ? json_copy(wish->only) : texts(&config->only));
    json_put_int(plan, "repeat",
                 (int64_t)(wish->repeat > 0 ? wish->repeat : config->repeat));
    json_put_int(plan, "retries", (int64_t)config->retries);
    json_put_int(plan, "case_limit", (int64_t)config->limits.cases);
    json_put(plan, "settings", settings_json(&config->settings));
    json_put_text(plan, "dictionary", dictionary);
    json_put(plan, "paths", texts(&config->paths));
    json_put(plan, "actions", texts(&config->actions));
    json_put_int(plan, "file_limit", (int64_t)config->limits.definition);
    free(dictionary);
    return plan;
}

/* The items of an array of texts: the array is the caller's, the texts are borrowed. */
static char **items(struct json_object *array, size_t *count)
{
    *count = json_object_array_length(array);
    char **list = xcalloc(*count, sizeof *list);

    for (size_t i = 0; i < *count; i++)
        list[i] = (char *)json_object_get_string(json_object_array_get_idx(array, i));
    return list;
}

static size_t count_tests(struct json_object *sources)
{
    struct json_object *files = json_member(sources, "files");
    size_t count = 0;

    for (size_t i = 0; i < json_object_array_length(files); i++)
        count += (size_t)json_object_get_boolean(
            json_member(json_object_array_get_idx(files, i), "is_test"));
    return count;
}

struct run *planning_finish(struct json_object *plan, size_t *files,
                            struct mistakes *mistakes)
{
    struct suites_source source = {
        .file_limit = (size_t)json_object_get_int64(json_member(plan, "file_limit")),
    };
    char **paths = items(json_member(plan, "paths"), &source.path_count);
    char **actions = items(json_member(plan, "actions"), &source.action_count);

    source.paths = paths;
    source.actions = actions;
    json_put(plan, "sources", suites_collect(&source, mistakes));
    *files = count_tests(json_member(plan, "sources"));
    free(actions);
    free(paths);
    return run_read(plan, mistakes);
}
