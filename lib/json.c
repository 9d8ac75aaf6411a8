/* SPDX-License-Identifier: Apache-2.0 */
/* JSON beyond what json-c gives. */
#include "json.h"

#include "xalloc.h"

#include <stdio.h>
#include <string.h>

void json_blank_comments(char *text, size_t size)
{
    bool in_string = false;

    for (size_t i = 0; i + 1 < size; i++) {
        if (in_string && text[i] == '\\') {
            i++;
        } else if (text[i] == '"') {
            in_string = !in_string;
        } else if (!in_string && text[i] == '/' && text[i + 1] == '/') {
            while (i < size && text[i] != '\n')
                text[i++] = ' ';
        } else if (!in_string && text[i] == '/' && text[i + 1] == '*') {
            const char *end = memmem(text + i + 2, size - i - 2, "*/", 2);
            if (end == NULL)
                return; /* never closed: left for the parser to complain of */
            for (; text + i < end + 2; i++) {
                if (text[i] != '\n')
                    text[i] = ' ';
            }
            i--;
        }
    }
}

const char *json_text(struct json_object *value)
{
    return value == NULL
               ? "null"
               : xcheck((void *)json_object_to_json_string_ext(
                     value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

bool json_is_text(struct json_object *value)
{
    return json_object_is_type(value, json_type_string) &&
           strlen(json_object_get_string(value)) ==
               (size_t)json_object_get_string_len(value);
}

struct json_object *json_member(struct json_object *object, const char *name)
{
    struct json_object *member = NULL;

    if (json_object_is_type(object, json_type_object))
        json_object_object_get_ex(object, name, &member);
    return member;
}

const char *json_member_text(struct json_object *object, const char *name)
{
    struct json_object *member = json_member(object, name);

    return json_is_text(member) ? json_object_get_string(member) : NULL;
}

void json_put(struct json_object *object, const char *name, struct json_object *value)
{
    if (json_object_object_add(object, name, value) != 0)
        xcheck(NULL);
}

void json_put_text(struct json_object *object, const char *name, const char *text)
{
    json_put(object, name, text != NULL ? json_new_text(text) : NULL);
}

void json_put_int(struct json_object *object, const char *name, int64_t number)
{
    json_put(object, name, xcheck(json_object_new_int64(number)));
}

void json_put_number(struct json_object *object, const char *name, double number)
{
    char text[32];

    snprintf(text, sizeof text, "%.3f", number);
    json_put(object, name, xcheck(json_object_new_double_s(number, text)));
}

void json_put_bool(struct json_object *object, const char *name, bool value)
{
    json_put(object, name, xcheck(json_object_new_boolean(value)));
}

struct json_object *json_new_object(void)
{
    return xcheck(json_object_new_object());
}

struct json_object *json_new_array(void)
{
    return xcheck(json_object_new_array());
}

struct json_object *json_new_text(const char *text)
{
    return xcheck(json_object_new_string(text));
}

void json_append(struct json_object *array, struct json_object *value)
{
    if (json_object_array_add(array, value) != 0)
        xcheck(NULL);
}

bool json_is_deeper(struct json_object *value, int limit)
{
    if (limit < 0)
        return true;
    if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++) {
            if (json_is_deeper(json_object_array_get_idx(value, i), limit - 1))
                return true;
        }
    }
    if (json_object_is_type(value, json_type_object)) {
        json_object_object_foreach (value, name, member) {
            (void)name;
            if (json_is_deeper(member, limit - 1))
                return true;
        }
    }
    return false;
}

struct json_object *json_copy(struct json_object *value)
{
    struct json_object *copy = NULL;

    if (value != NULL && json_object_deep_copy(value, &copy, NULL) != 0)
        xcheck(NULL);
    return copy;
}
