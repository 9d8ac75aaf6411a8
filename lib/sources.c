/* SPDX-License-Identifier: Apache-2.0 */
/* The files that tests are made of, as text, and reading them. */
#include "sources.h"

#include "compile.h"
#include "json.h"
#include "jsonscan.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define JSON_DEPTH 64 /* nesting of a definition */

/* --- making --- */

struct json_object *sources_new(void)
{
    struct json_object *sources = json_new_object();

    json_put(sources, "files", json_new_array());
    json_put(sources, "texts", json_new_object());
    json_put(sources, "errors", json_new_object());
    return sources;
}

void sources_add(struct json_object *sources, const char *path, const char *folder,
                 bool is_test)
{
    struct json_object *file = json_new_object();

    json_put_text(file, "path", path);
    json_put_text(file, "folder", folder);
    json_put_bool(file, "is_test", is_test);
    json_append(json_member(sources, "files"), file);
}

bool sources_has(struct json_object *sources, const char *path)
{
    return json_member(json_member(sources, "texts"), path) != NULL ||
           json_member(json_member(sources, "errors"), path) != NULL;
}

void sources_set_text(struct json_object *sources, const char *path, const char *text,
                      const char *error)
{
    if (!sources_has(sources, path))
        json_put_text(json_member(sources, text != NULL ? "texts" : "errors"), path,
                      text != NULL ? text : error);
}

/* The path of a file that stands in `path` under this name. Owned. */
static char *beside(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');

    return xasprintf("%.*s%s", slash != NULL ? (int)(slash - path) + 1 : 0, path, name);
}

struct json_object *sources_includes(const char *path, const char *text)
{
    struct json_object *paths = json_new_array();
    struct json_object *root = NULL;
    char *copy = xstrdup(text);

    json_blank_comments(copy, strlen(copy));
    if (json_read(copy, strlen(copy), JSON_DEPTH, &root, NULL) == 0) {
        struct json_object *names = json_member(root, "include");
        size_t count = json_object_is_type(names, json_type_array)
                           ? json_object_array_length(names)
                           : 0;
        for (size_t i = 0; i < count; i++) {
            struct json_object *name = json_object_array_get_idx(names, i);
            char *file =
                json_is_text(name) ? beside(path, json_object_get_string(name)) : NULL;
            if (file != NULL)
                json_append(paths, json_new_text(file));
            free(file);
        }
    }
    json_object_put(root);
    free(copy);
    return paths;
}

/* --- reading --- */

/* The document of a path and its text (comments blanked), for lines in messages; both
 * owned, NULL with a mistake. */
static struct json_object *read_json(struct json_object *sources, const char *path,
                                     char **text, struct mistakes *mistakes)
{
    struct json_object *given = json_member(json_member(sources, "texts"), path);
    const char *error = json_member_text(json_member(sources, "errors"), path);
    struct json_object *root = NULL;
    char *cause = NULL;

    mistakes_set_file(mistakes, path, NULL);
    *text = NULL;
    if (!json_is_text(given)) {
        mistake_error(mistakes, NULL, "%s", error != NULL ? error : "was not read");
        return NULL;
    }
    size_t size = (size_t)json_object_get_string_len(given);
    *text = xmalloc(size + 1);
    memcpy(*text, json_object_get_string(given), size + 1);
    json_blank_comments(*text, size);
    if (json_read(*text, size, JSON_DEPTH, &root, &cause) == 0) {
        mistakes_set_file(mistakes, path, *text);
        jsonscan_duplicates(*text, mistakes);
        if (root == NULL)
            mistake_error(mistakes, NULL, "is null: an object ({…}) is wanted");
    } else {
        mistake_error(mistakes, NULL, "%s", cause);
    }
    free(cause);
    return root;
}

static void read_dictionary(struct json_object *sources, const char *path,
                            struct dictionary *dictionary, struct mistakes *mistakes)
{
    char *text = NULL;
    struct json_object *root = read_json(sources, path, &text, mistakes);

    if (root != NULL)
        dictionary_add(dictionary, root, mistakes);
    mistakes_set_file(mistakes, path, NULL);
    json_object_put(root);
    free(text);
}

/* Read the files of flows that the definition includes, relative to its own. */
static void read_includes(struct json_object *sources, struct definition *definition,
                          const char *path, struct mistakes *mistakes, const char *text)
{
    for (size_t i = 0; i < definition->include_count; i++) {
        char *file = beside(path, definition->includes[i]);
        char *included = NULL;
        struct json_object *root = read_json(sources, file, &included, mistakes);
        mistakes_set_file(mistakes, path, text);
        if (root != NULL) {
            definition_include(definition, file, included, root, mistakes);
        } else {
            struct where list = {NULL, "include", 0};
            struct where here = {&list, NULL, i};
            mistake_error(mistakes, &here, "%.200s can't be included",
                          definition->includes[i]);
            free(included);
        }
        free(file);
    }
}

/* "chat/verify_client_test.json": the file as people know it. Owned. */
static char *short_name(const char *path, const char *folder)
{
    const char *slash = strrchr(path, '/');

    return xasprintf("%s%s%s", folder, *folder ? "/" : "",
                     slash != NULL ? slash + 1 : path);
}

/* The definition, owned; NULL, and every mistake in the file is noted. */
static struct definition *read_definition(struct json_object *sources, const char *path,
                                          const char *folder,
                                          const struct dictionary *dictionary,
                                          const struct settings *settings,
                                          struct mistakes *mistakes, char **text)
{
    size_t before = mistakes_noted(mistakes);
    struct json_object *root = read_json(sources, path, text, mistakes);
    char *name = short_name(path, folder);
    struct definition *definition = NULL;

    if (root != NULL)
        definition = definition_read(root, name, folder, dictionary, settings, mistakes);
    if (definition != NULL)
        read_includes(sources, definition, path, mistakes, *text);
    if (definition != NULL && mistakes_noted(mistakes) > before) {
        /* it will not run, but its author is to hear of what is wrong further down,
         * too */
        machine_release(compile_case(definition, 0, settings, mistakes));
        definition_free(definition);
        definition = NULL;
    }
    json_object_put(root);
    free(name);
    return definition;
}

size_t sources_load(struct json_object *sources, struct dictionary *dictionary,
                    const struct settings *settings, struct mistakes *mistakes,
                    void (*each)(struct definition *definition, void *argument),
                    void *argument)
{
    struct json_object *files = json_member(sources, "files");
    size_t count = json_object_array_length(files), tests = 0;

    for (size_t i = 0; i < count; i++) {
        struct json_object *file = json_object_array_get_idx(files, i);
        if (!json_object_get_boolean(json_member(file, "is_test")))
            read_dictionary(sources, json_member_text(file, "path"), dictionary,
                            mistakes);
    }
    for (size_t i = 0; i < count; i++) {
        struct json_object *file = json_object_array_get_idx(files, i);
        const char *path = json_member_text(file, "path");
        char *text = NULL;
        if (!json_object_get_boolean(json_member(file, "is_test")))
            continue;
        tests++;
        struct definition *definition =
            read_definition(sources, path, json_member_text(file, "folder"), dictionary,
                            settings, mistakes, &text);
        if (definition != NULL)
            each(definition, argument);
        mistakes_set_file(mistakes, path, NULL);
        free(text);
    }
    return tests;
}
