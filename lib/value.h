/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `${path}` in the strings of definitions: finding, binding and replacing it. A scope is
 * a JSON object whose members are the names that have values. Paths are dotted, numbers
 * index arrays. Any thread.
 */
#ifndef TL_VALUE_H
#define TL_VALUE_H

#include <json-c/json.h>
#include <stdbool.h>

/* A string never grows beyond this by replacing (bytes). */
#define VALUE_TEXT_MAX (1024 * 1024)

/* Nor is what is kept under a name ever nested deeper. */
#define VALUE_DEPTH_MAX 100

/* Look a path up. True if it has a value; *value borrows it (NULL: a JSON null). */
bool value_find(struct json_object *scope, const char *path, struct json_object **value);

/* A copy of `template` with every `${path}` replaced; a string that is nothing but one
 * `${path}` becomes the value itself. 0 and *result (owned), or -1 and *cause naming the
 * path that has no value. */
int value_expand(struct json_object *template, struct json_object *scope,
                 struct json_object **result, char **cause)
    __attribute__((warn_unused_result));

/* The same for one string; the result is text, whatever type the value has. */
int value_expand_text(const char *text, struct json_object *scope, char **result,
                      char **cause) __attribute__((warn_unused_result));

/* Replace parameters only, in member names too, and leave every other `${…}` as it
 * stands. A parameter whose value is a name may begin a path: `${me.password}` becomes
 * `${red.password}`. Returns the copy, owned. */
struct json_object *value_bind(struct json_object *template,
                               struct json_object *parameters);

/* Call visit for the path of each `${…}` in the strings and member names of `template`.
 * 0, or -1 and *cause when a `${` is not closed or holds no path. */
int value_references(struct json_object *template,
                     void (*visit)(const char *path, void *argument), void *argument,
                     char **cause) __attribute__((warn_unused_result));

/* Whether there is a `${…}` anywhere in it. */
bool value_is_constant(struct json_object *template);

#endif
