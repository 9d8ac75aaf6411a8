/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON beyond what json-c gives: strict reading with a reason, and building and reading
 * objects in a line. A JSON null is a NULL pointer, as in json-c. Any thread. Reading is
 * lib/json_read.c's.
 */
#ifndef TL_JSON_H
#define TL_JSON_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Read one JSON value (RFC 8259, UTF-8, finite numbers, nothing after it, at most `depth`
 * deep) from `size` bytes with a NUL after them. On success returns 0 and *value, owned
 * by the caller; else -1 and *cause, which has the line. */
int json_read(const char *text, size_t size, int depth, struct json_object **value,
              char **cause) __attribute__((warn_unused_result));

/* Overwrite C and C++ comments outside of strings by spaces, so that lines and columns
 * stay. */
void json_blank_comments(char *text, size_t size);

/* The value as compact text, slashes unescaped. Borrowed from the value. */
const char *json_text(struct json_object *value);

/* Whether it is a string without a NUL in it, which the rest of the program can take as
 * text. */
bool json_is_text(struct json_object *value);

/* The member as text, or NULL when it is missing or no such string. Borrowed. */
const char *json_member_text(struct json_object *object, const char *name);

/* The member, or NULL. Borrowed. */
struct json_object *json_member(struct json_object *object, const char *name);

/* Set a member. json_put takes the value; the others copy theirs. A NULL text becomes
 * null. */
void json_put(struct json_object *object, const char *name, struct json_object *value);
void json_put_text(struct json_object *object, const char *name, const char *text);
void json_put_int(struct json_object *object, const char *name, int64_t number);
void json_put_number(struct json_object *object, const char *name, double number);
void json_put_bool(struct json_object *object, const char *name, bool value);

/* New values, never NULL, owned by the caller. */
struct json_object *json_new_object(void);
struct json_object *json_new_array(void);
struct json_object *json_new_text(const char *text);

/* Append to an array; takes the value. */
void json_append(struct json_object *array, struct json_object *value);

/* Whether values are nested in it more than `limit` deep. */
bool json_is_deeper(struct json_object *value, int limit);

/* A copy that shares nothing with its source. Owned by the caller. */
struct json_object *json_copy(struct json_object *value);

#endif
