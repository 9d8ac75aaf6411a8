/* SPDX-License-Identifier: Apache-2.0 */
/* JSON beyond what json-c gives. */
#include "json.h"

#include "utf8.h"
#include "xalloc.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static int line_at(const char *text, size_t offset)
{
    int line = 1;

    for (size_t i = 0; i < offset; i++)
        line += text[i] == '\n';
    return line;
}

/* Past the number at p, or NULL when it is none (RFC 8259, section 6). The text ends in a
 * NUL. */
static const char *skip_number(const char *p)
{
    static const char digits[] = "0123456789";
    size_t length;

    p += *p == '-';
    length = *p == '0' ? 1 : strspn(p, digits);
    if (length == 0 || strspn(p, digits) != length)
        return NULL;
    p += length;
    if (*p == '.') {
        length = strspn(++p, digits);
        if (length == 0)
            return NULL;
        p += length;
    }
    if (*p == 'e' || *p == 'E') {
        p++;
        p += *p == '+' || *p == '-';
        length = strspn(p, digits);
        if (length == 0)
            return NULL;
        p += length;
    }
    return p;
}

/* What a string is checked for as the text goes by. */
struct string_scan {
    bool inside;  /* between quotes */
    bool has_nul; /* an escaped NUL was in it */
};

/* One character of a string at text[*i]; an escape is taken whole. Gives what is wrong,
 * or NULL. */
static const char *scan_in_string(struct string_scan *scan, const char *text, size_t *i)
{
    if (text[*i] == '\\') {
        scan->has_nul = scan->has_nul || strncmp(text + *i, "\\u0000", 6) == 0;
        ++*i;
    } else if (text[*i] == '"') {
        scan->inside = false;
        const char *after = text + *i + 1;
        if (scan->has_nul && after[strspn(after, " \t\r\n")] == ':')
            return "a member's name has a NUL in it"; /* json-c would cut it there */
    }
    return NULL;
}

/* The same outside of strings; a number is taken whole. */
static const char *scan_outside(struct string_scan *scan, const char *text, size_t *i)
{
    char c = text[*i];

    if (c == '"')
        *scan = (struct string_scan){.inside = true};
    if (c == '\'')
        return "strings and names stand between double quotes";
    if (c != '-' && (c < '0' || c > '9'))
        return NULL;
    const char *end = skip_number(text + *i);
    if (end == NULL)
        return "not a number as JSON writes them";
    *i = (size_t)(end - text) - 1;
    return NULL;
}

/* Refuse what json-c lets through and RFC 8259 does not: control characters in strings
 * (section 7), names in single quotes (section 4), numbers like 1. and -01 (section 6),
 * UTF-8 that is none (section 8.1). The text ends in a NUL. */
static int refuse_what_json_c_takes(const char *text, size_t size, char **cause)
{
    struct string_scan scan = {0};
    size_t i = utf8_valid_length(text, size);

    if (i < size) {
        cause_set(cause, "line %d: the text is not UTF-8", line_at(text, i));
        return -1;
    }
    for (i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        bool is_space = c == '\n' || c == '\r' || c == '\t';
        size_t start = i;
        if (c < 0x20 && (scan.inside || !is_space)) {
            cause_set(cause,
                      "line %d: a control character (0x%02x) is not allowed in JSON",
                      line_at(text, i), c);
            return -1;
        }
        const char *wrong =
            scan.inside ? scan_in_string(&scan, text, &i) : scan_outside(&scan, text, &i);
        if (wrong != NULL) {
            cause_set(cause, "line %d: %s", line_at(text, start), wrong);
            return -1;
        }
    }
    return 0;
}

/* json-c takes NaN, Infinity and 1e999 for numbers; RFC 8259 (section 6) has no such
 * numbers. */
static bool is_finite(struct json_object *value)
{
    switch (json_object_get_type(value)) {
    case json_type_double:
        return isfinite(json_object_get_double(value));
    case json_type_array:
        for (size_t i = 0; i < json_object_array_length(value); i++) {
            if (!is_finite(json_object_array_get_idx(value, i)))
                return false;
        }
        return true;
    case json_type_object: {
        json_object_object_foreach (value, name, member) {
            (void)name;
            if (!is_finite(member))
                return false;
        }
        return true;
    }
    default:
        return true;
    }
}

static const char *parse_error_text(enum json_tokener_error error, int depth,
                                    char buffer[64])
{
    switch (error) {
    case json_tokener_continue:
        return "the text ends in the middle of a value";
    case json_tokener_error_depth:
        snprintf(buffer, 64, "it is nested more than %d deep", depth);
        return buffer;
    case json_tokener_error_parse_utf8_string:
        return "a string is not UTF-8";
    default:
        return json_tokener_error_desc(error);
    }
}

int json_read(const char *text, size_t size, int depth, struct json_object **value,
              char **cause)
{
    char buffer[64];

    *value = NULL;
    if (size == 0 || size > INT_MAX / 2) {
        cause_set(cause, size == 0 ? "the text is empty" : "the text is too long");
        return -1;
    }
    if (refuse_what_json_c_takes(text, size, cause) < 0)
        return -1;
    struct json_tokener *tokener = xcheck(json_tokener_new_ex(depth));
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    *value = json_tokener_parse_ex(tokener, text, (int)size);
    enum json_tokener_error error = json_tokener_get_error(tokener);
    if (error ==
        json_tokener_continue) { /* a number at the very end waits for its delimiter */
        *value = json_tokener_parse_ex(tokener, "", 1);
        error = json_tokener_get_error(tokener);
        if (error != json_tokener_success)
            error = json_tokener_continue;
    }
    size_t end = json_tokener_get_parse_end(tokener);
    json_tokener_free(tokener);
    if (error == json_tokener_success && is_finite(*value))
        return 0;
    json_object_put(*value);
    *value = NULL;
    if (error == json_tokener_success)
        cause_set(cause, "NaN, Infinity and numbers beyond a double are not JSON");
    else
        cause_set(cause, "line %d: %s", line_at(text, end < size ? end : size),
                  parse_error_text(error, depth, buffer));
    return -1;
}

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
