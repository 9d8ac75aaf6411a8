/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `${path}` in strings. Everything rests on next_piece(), which cuts a string into
 * literal text and references; binding and expanding only differ in what they put in a
 * reference's place.
 */
#include "value.h"

#include "json.h"
#include "xalloc.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A stretch of a string: literal text, or one reference. */
struct piece {
    const char *start; /* of the literal text, or of the path */
    size_t size;       /* its length in bytes */
    bool is_reference; /* else literal */
    bool is_open;      /* literal, since its `${` is never closed */
};

/* Cut the next piece off *rest. False at the end. `$${` is the literal `${`. */
static bool next_piece(const char **rest, struct piece *piece)
{
    const char *p = *rest;

    if (*p == '\0')
        return false;
    if (strncmp(p, "$${", 3) == 0) {
        *piece = (struct piece){p + 1, 2, false, false};
        *rest = p + 3;
        return true;
    }
    const char *close = strncmp(p, "${", 2) == 0 ? strchr(p, '}') : NULL;
    if (close != NULL) {
        *piece = (struct piece){p + 2, (size_t)(close - p) - 2, true, false};
        *rest = close + 1;
        return true;
    }
    const char *end = p + 1;
    while (*end != '\0' && strncmp(end, "${", 2) != 0 && strncmp(end, "$${", 3) != 0)
        end++;
    *piece = (struct piece){p, (size_t)(end - p), false, strncmp(p, "${", 2) == 0};
    *rest = end;
    return true;
}

/* --- looking up --- */

static bool step_into(struct json_object *value, const char *name, size_t size,
                      struct json_object **inner)
{
    char key[256];

    if (size == 0 || size >= sizeof key)
        return false;
    memcpy(key, name, size);
    key[size] = '\0';
    if (json_object_is_type(value, json_type_object))
        return json_object_object_get_ex(value, key, inner);
    if (!json_object_is_type(value, json_type_array) || strspn(key, "0123456789") != size)
        return false;
    size_t index = strtoull(key, NULL, 10);
    if (index >= json_object_array_length(value))
        return false;
    *inner = json_object_array_get_idx(value, index);
    return true;
}

bool value_find(struct json_object *scope, const char *path, struct json_object **value)
{
    *value = scope;
    for (;;) {
        size_t size = strcspn(path, ".");
        if (!step_into(*value, path, size, value))
            return false;
        if (path[size] == '\0')
            return true;
        path += size + 1;
    }
}

/* --- rebuilding a template --- */

/* Gives the value for a string of the template, owned; -1 with *cause. */
typedef int text_fn(const char *text, struct json_object *names,
                    struct json_object **result, char **cause);

static int rebuild(struct json_object *template, struct json_object *names,
                   text_fn *replace, struct json_object **result, char **cause);

static int rebuild_name(const char *name, struct json_object *names, text_fn *replace,
                        char **result, char **cause)
{
    struct json_object *value = NULL;

    if (replace(name, names, &value, cause) < 0)
        return -1;
    *result = xstrdup(json_object_is_type(value, json_type_string)
                          ? json_object_get_string(value)
                          : json_text(value));
    json_object_put(value);
    return 0;
}

static int rebuild_object(struct json_object *template, struct json_object *names,
                          text_fn *replace, struct json_object *result, char **cause)
{
    json_object_object_foreach (template, name, member) {
        struct json_object *value = NULL;
        char *new_name = NULL;
        if (rebuild_name(name, names, replace, &new_name, cause) < 0)
            return -1;
        int failed = rebuild(member, names, replace, &value, cause);
        if (failed == 0)
            json_put(result, new_name, value);
        free(new_name);
        if (failed < 0)
            return -1;
    }
    return 0;
}

static int rebuild_array(struct json_object *template, struct json_object *names,
                         text_fn *replace, struct json_object *result, char **cause)
{
    for (size_t i = 0; i < json_object_array_length(template); i++) {
        struct json_object *value = NULL;
        if (rebuild(json_object_array_get_idx(template, i), names, replace, &value,
                    cause) < 0)
            return -1;
        json_append(result, value);
    }
    return 0;
}

static int rebuild(struct json_object *template, struct json_object *names,
                   text_fn *replace, struct json_object **result, char **cause)
{
    bool is_object = json_object_is_type(template, json_type_object);
    int failed;

    if (json_is_text(template))
        return replace(json_object_get_string(template), names, result, cause);
    if (!is_object && !json_object_is_type(template, json_type_array)) {
        *result = json_object_get(template);
        return 0;
    }
    *result = is_object ? json_new_object() : json_new_array();
    failed = is_object ? rebuild_object(template, names, replace, *result, cause)
                       : rebuild_array(template, names, replace, *result, cause);
    if (failed < 0) {
        json_object_put(*result);
        *result = NULL;
    }
    return failed;
}

/* --- expanding --- */

static int find_piece(const struct piece *piece, struct json_object *scope,
                      struct json_object **value, char **cause)
{
    char *path = xstrndup(piece->start, piece->size);
    bool found = value_find(scope, path, value);

    if (!found)
        cause_set(cause, "${%.200s} has no value", path);
    free(path);
    return found ? 0 : -1;
}

static int write_piece(FILE *out, const struct piece *piece, struct json_object *scope,
                       char **cause)
{
    struct json_object *value = NULL;

    if (!piece->is_reference) {
        fwrite(piece->start, 1, piece->size, out);
        return 0;
    }
    if (find_piece(piece, scope, &value, cause) < 0)
        return -1;
    fputs(json_object_is_type(value, json_type_string) ? json_object_get_string(value)
                                                       : json_text(value),
          out);
    if (ftell(out) > VALUE_TEXT_MAX) {
        cause_set(cause, "replacing ${…} makes a string of more than %d bytes",
                  VALUE_TEXT_MAX);
        return -1;
    }
    return 0;
}

int value_expand_text(const char *text, struct json_object *scope, char **result,
                      char **cause)
{
    struct piece piece;
    size_t size;
    int failed = 0;
    FILE *out = xcheck(open_memstream(result, &size));

    while (failed == 0 && next_piece(&text, &piece))
        failed = write_piece(out, &piece, scope, cause);
    if (fclose(out) != 0)
        xcheck(NULL);
    if (failed < 0) {
        free(*result);
        *result = NULL;
    }
    return failed;
}

static int expand_string(const char *text, struct json_object *scope,
                         struct json_object **result, char **cause)
{
    const char *rest = text;
    struct piece piece;
    char *expanded = NULL;

    if (next_piece(&rest, &piece) && piece.is_reference && *rest == '\0') {
        struct json_object *value = NULL;
        if (find_piece(&piece, scope, &value, cause) < 0)
            return -1;
        *result = json_copy(value);
        return 0;
    }
    if (value_expand_text(text, scope, &expanded, cause) < 0)
        return -1;
    *result = json_new_text(expanded);
    free(expanded);
    return 0;
}

int value_expand(struct json_object *template, struct json_object *scope,
                 struct json_object **result, char **cause)
{
    return rebuild(template, scope, expand_string, result, cause);
}

/* --- binding parameters --- */

/* Write a reference with its parameter replaced, or as it stood. */
static void write_bound(FILE *out, const struct piece *piece,
                        struct json_object *parameters)
{
    char *path = xstrndup(piece->start, piece->size);
    size_t head = strcspn(path, ".");
    char *name = xstrndup(path, head);
    struct json_object *value = NULL;

    if (value_find(parameters, path, &value) &&
        !json_object_is_type(value, json_type_object))
        fputs(json_object_is_type(value, json_type_string) ? json_object_get_string(value)
                                                           : json_text(value),
              out);
    else if (value_find(parameters, name, &value) && json_is_text(value))
        fprintf(out, "${%s%s}", json_object_get_string(value), path + head);
    else
        fprintf(out, "${%s}", path);
    free(name);
    free(path);
}

static int bind_string(const char *text, struct json_object *parameters,
                       struct json_object **result, char **cause)
{
    const char *rest = text;
    struct piece piece;
    char *bound = NULL;
    size_t size;
    struct json_object *whole = NULL;

    (void)cause;
    if (next_piece(&rest, &piece) && piece.is_reference && *rest == '\0') {
        char *path = xstrndup(piece.start, piece.size);
        bool found = value_find(parameters, path, &whole);
        free(path);
        if (found) {
            *result = json_copy(whole);
            return 0;
        }
    }
    FILE *out = xcheck(open_memstream(&bound, &size));
    while (next_piece(&text, &piece)) {
        if (piece.is_reference)
            write_bound(out, &piece, parameters);
        else /* `$${` stays escaped: binding is not the last replacement */
            fprintf(out, "%s%.*s",
                    strncmp(piece.start, "${", 2) == 0 && !piece.is_open ? "$" : "",
                    (int)piece.size, piece.start);
    }
    if (fclose(out) != 0)
        xcheck(NULL);
    *result = json_new_text(bound);
    free(bound);
    return 0;
}

struct json_object *value_bind(struct json_object *template,
                               struct json_object *parameters)
{
    struct json_object *result = NULL;
    char *cause = NULL;
    int failed = rebuild(template, parameters, bind_string, &result, &cause);

    if (failed < 0)
        abort(); /* bind_string() can't fail */
    return result;
}

/* --- finding references --- */

struct references {
    void (*visit)(const char *path, void *argument); /* the asker's */
    void *argument;                                  /* its argument */
};

static bool is_path(const char *path)
{
    if (!islower((unsigned char)*path))
        return false;
    for (const char *p = path; *p != '\0'; p++) {
        if (*p == '.' ? p[1] == '.' || p[1] == '\0'
                      : *p == '{' || isspace((unsigned char)*p))
            return false;
    }
    return true;
}

static int visit_text(const char *text, const struct references *references, char **cause)
{
    struct piece piece;

    while (next_piece(&text, &piece)) {
        char *path = xstrndup(piece.start, piece.size);
        bool is_bad = piece.is_reference && !is_path(path);
        if (piece.is_open)
            cause_set(cause,
                      "\"%.80s\" has a ${ that is never closed (write $${ for the "
                      "characters themselves)",
                      path);
        else if (is_bad)
            cause_set(cause,
                      "${%.80s} is not a path: names and numbers with dots between, "
                      "as in ${red.localpart}",
                      path);
        else if (piece.is_reference)
            references->visit(path, references->argument);
        free(path);
        if (piece.is_open || is_bad)
            return -1;
    }
    return 0;
}

static int visit_all(struct json_object *value, const struct references *references,
                     char **cause)
{
    if (json_is_text(value))
        return visit_text(json_object_get_string(value), references, cause);
    if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++) {
            if (visit_all(json_object_array_get_idx(value, i), references, cause) < 0)
                return -1;
        }
    }
    if (json_object_is_type(value, json_type_object)) {
        json_object_object_foreach (value, name, member) {
            if (visit_text(name, references, cause) < 0 ||
                visit_all(member, references, cause) < 0)
                return -1;
        }
    }
    return 0;
}

int value_references(struct json_object *template,
                     void (*visit)(const char *path, void *argument), void *argument,
                     char **cause)
{
    struct references references = {visit, argument};

    return visit_all(template, &references, cause);
}

static void note_reference(const char *path, void *argument)
{
    (void)path;
    *(bool *)argument = false;
}

bool value_is_constant(struct json_object *template)
{
    bool constant = true;
    char *cause = NULL;

    if (value_references(template, note_reference, &constant, &cause) < 0)
        constant = false;
    free(cause);
    return constant;
}
