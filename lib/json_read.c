/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading JSON in one walk over the text, into json-c's values. json-c has a reader of its
 * own; that one takes several times as long, and much that RFC 8259 does not allow.
 */
#include "json.h"

#include "utf8.h"
#include "xalloc.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHORT_DIGITS 18 /* a number with so many fits into 64 bits */

/* A text that is being read. */
struct reading {
    const char *text; /* borrowed; a NUL stands at its end */
    const char *end;  /* of the text */
    const char *at;   /* how far it is read */
    int depth;        /* how deep values may be nested */
    char *scratch;    /* names and strings without their escapes; owned */
    size_t used;      /* bytes of scratch that are still needed */
    size_t room;      /* allocated length of scratch */
    char *cause;      /* what is wrong, or NULL; owned */
};

/* Note what is wrong at the place that was reached, and where that is. Gives false. */
static bool __attribute__((format(printf, 2, 3)))
refuse(struct reading *reading, const char *format, ...)
{
    va_list arguments;
    int line = 1;

    va_start(arguments, format);
    char *wrong = xvasprintf(format, arguments);
    va_end(arguments);
    for (const char *p = reading->text; p < reading->at; p++)
        line += *p == '\n';
    reading->cause = xasprintf("line %d: %s", line, wrong);
    free(wrong);
    return false;
}

/* Something else than what can stand here. `wanted` says what would be right. */
static bool refuse_character(struct reading *reading, const char *wanted)
{
    unsigned char c = (unsigned char)*reading->at;

    if (reading->at == reading->end)
        return refuse(reading, "the text ends in the middle of a value");
    if (c < 0x20)
        return refuse(reading, "a control character (0x%02x) is not allowed in JSON", c);
    if (c == '\'')
        return refuse(reading, "strings and names stand between double quotes");
    return refuse(reading, "%s", wanted);
}

static char skip_space(struct reading *reading)
{
    while (*reading->at == ' ' || *reading->at == '\n' || *reading->at == '\t' ||
           *reading->at == '\r')
        reading->at++;
    return *reading->at;
}

/* --- numbers --- */

/* Past the number at p, or NULL when it is none (RFC 8259, section 6). */
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

/* Beyond 64 bits it becomes the largest, or the smallest, that there is. */
static struct json_object *whole_number(const char *text, size_t length)
{
    bool is_negative = *text == '-';
    int64_t number = 0;

    if (is_negative && length > SHORT_DIGITS)
        return json_object_new_int64(strtoll(text, NULL, 10));
    if (length > SHORT_DIGITS) {
        uint64_t large = strtoull(text, NULL, 10);
        return large > INT64_MAX ? json_object_new_uint64(large)
                                 : json_object_new_int64((int64_t)large);
    }
    for (size_t i = is_negative; i < length; i++)
        number = 10 * number + (text[i] - '0');
    return json_object_new_int64(is_negative ? -number : number);
}

static bool read_number(struct reading *reading, struct json_object **value)
{
    const char *text = reading->at;
    const char *end = skip_number(text);
    size_t length = end != NULL ? (size_t)(end - text) : 0;

    if (end == NULL)
        return refuse(reading, "not a number as JSON writes them");
    reading->at = end;
    if (strcspn(text, ".eE") >= length) {
        *value = xcheck(whole_number(text, length));
        return true;
    }
    double number = strtod(text, NULL);
    if (!isfinite(number)) {
        reading->cause =
            xstrdup("NaN, Infinity and numbers beyond a double are not JSON");
        return false;
    }
    char *written = xstrndup(text, length); /* it stays as somebody wrote it */
    *value = xcheck(json_object_new_double_s(number, written));
    free(written);
    return true;
}

/* --- strings --- */

static char *make_room(struct reading *reading, size_t size)
{
    if (reading->room - reading->used <= size) {
        reading->room = 2 * (reading->room + size);
        reading->scratch = xreallocarray(reading->scratch, reading->room, 1);
    }
    return reading->scratch + reading->used;
}

static void add_bytes(struct reading *reading, const char *bytes, size_t size)
{
    memcpy(make_room(reading, size), bytes, size);
    reading->used += size;
}

static void add_character(struct reading *reading, unsigned c)
{
    char bytes[4];
    size_t size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = size - 1; i > 0; i--, c >>= 6)
        bytes[i] = (char)(0x80 | (c & 0x3f));
    bytes[0] = (char)(size == 1 ? c : (0xf00u >> size & 0xff) | c);
    add_bytes(reading, bytes, size);
}

/* The four digits of a \u at p; -1: they are not there. */
static int hexadecimal(const char *p)
{
    int value = 0;

    for (size_t i = 0; i < 4; i++) {
        const char *digits = "0123456789abcdef0123456789ABCDEF";
        const char *digit = p[i] != '\0' ? strchr(digits, p[i]) : NULL;
        if (digit == NULL)
            return -1;
        value = value << 4 | (int)((digit - digits) & 0xf);
    }
    return value;
}

/* A \u escape at the place that was reached, with its second half, if it has one. Half a
 * character becomes U+FFFD. */
static bool read_unicode(struct reading *reading)
{
    int high = hexadecimal(reading->at + 2);

    if (high < 0)
        return false;
    reading->at += 6;
    if (high >= 0xd800 && high < 0xdc00 && strncmp(reading->at, "\\u", 2) == 0) {
        int low = hexadecimal(reading->at + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            reading->at += 6;
            add_character(reading, 0x10000 + ((unsigned)(high - 0xd800) << 10) +
                                       (unsigned)(low - 0xdc00));
            return true;
        }
    }
    add_character(reading, high >= 0xd800 && high < 0xe000 ? 0xfffd : (unsigned)high);
    return true;
}

static bool read_escape(struct reading *reading)
{
    static const char marks[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    char c = reading->at[1];
    const char *mark = c != '\0' ? strchr(marks, c) : NULL;

    if (mark != NULL) {
        add_bytes(reading, &meant[mark - marks], 1);
        reading->at += 2;
        return true;
    }
    if (c == 'u' && read_unicode(reading))
        return true;
    if (reading->at + 1 == reading->end)
        reading->at++;
    return refuse_character(reading, "there is no such escape in a string");
}

/* Past what stands for itself in a string. */
static void skip_plain(struct reading *reading)
{
    const unsigned char *p = (const unsigned char *)reading->at;

    while (*p >= 0x20 && *p != '"' && *p != '\\')
        p++;
    reading->at = (const char *)p;
}

/* The string at the place that was reached: *size bytes at *string, which are borrowed
 * from the text or, where it has escapes, from scratch. */
static bool read_string(struct reading *reading, const char **string, size_t *size)
{
    const char *begin = ++reading->at;
    size_t before = reading->used;

    skip_plain(reading);
    *string = begin;
    *size = (size_t)(reading->at - begin);
    while (*reading->at == '\\') {
        add_bytes(reading, begin, (size_t)(reading->at - begin));
        if (!read_escape(reading))
            return false;
        begin = reading->at;
        skip_plain(reading);
        if (*reading->at == '\\')
            continue;
        add_bytes(reading, begin, (size_t)(reading->at - begin));
        *string = reading->scratch + before;
        *size = reading->used - before;
    }
    reading->used = before;
    if (*reading->at != '"')
        return refuse_character(reading, "");
    reading->at++;
    return true;
}

/* --- values --- */

static bool read_value(struct reading *reading, int level, struct json_object **value);

/* The name of a member with the colon after it, as text at the end of scratch. */
static bool read_name(struct reading *reading)
{
    const char *name;
    size_t size;

    if (skip_space(reading) != '"')
        return refuse_character(reading, "the name of a member is missing");
    if (!read_string(reading, &name, &size))
        return false;
    if (memchr(name, '\0', size) != NULL)
        return refuse(reading, "a member's name has a NUL in it");
    bool is_there = name == reading->scratch + reading->used;
    char *kept = make_room(reading, size + 1);
    if (!is_there)
        memcpy(kept, name, size);
    kept[size] = '\0';
    reading->used += size + 1;
    if (skip_space(reading) != ':')
        return refuse_character(reading, "a : is missing after a member's name");
    reading->at++;
    return true;
}

/* Whether another item follows; else past the closing bracket, or something is wrong. */
static bool goes_on(struct reading *reading, char bracket, const char *wanted)
{
    char c = skip_space(reading);

    if (c != ',' && c != bracket)
        return refuse_character(reading, wanted);
    reading->at++;
    return c == ',';
}

static bool read_object(struct reading *reading, int level, struct json_object **value)
{
    bool more = true;

    *value = json_new_object();
    reading->at++;
    if (skip_space(reading) == '}') {
        reading->at++;
        return true;
    }
    while (more) {
        struct json_object *member = NULL;
        size_t before = reading->used;
        if (!read_name(reading) || !read_value(reading, level + 1, &member))
            return false;
        json_put(*value, reading->scratch + before, member);
        reading->used = before;
        more = goes_on(reading, '}', "a , or } is missing after a member");
    }
    return reading->cause == NULL;
}

static bool read_array(struct reading *reading, int level, struct json_object **value)
{
    bool more = true;

    *value = json_new_array();
    reading->at++;
    if (skip_space(reading) == ']') {
        reading->at++;
        return true;
    }
    while (more) {
        struct json_object *item = NULL;
        if (!read_value(reading, level + 1, &item))
            return false;
        json_append(*value, item);
        more = goes_on(reading, ']', "a , or ] is missing after an item");
    }
    return reading->cause == NULL;
}

static bool read_text(struct reading *reading, struct json_object **value)
{
    const char *string;
    size_t size;

    if (!read_string(reading, &string, &size))
        return false;
    *value = xcheck(json_object_new_string_len(string, (int)size));
    return true;
}

static bool read_word(struct reading *reading, struct json_object **value)
{
    static const char *const words[] = {"true", "false", "null"};

    for (size_t i = 0; i < 3; i++) {
        size_t length = strlen(words[i]), left = (size_t)(reading->end - reading->at);
        if (left < length && left > 0 && strncmp(reading->at, words[i], left) == 0)
            reading->at = reading->end;
        if (strncmp(reading->at, words[i], length) != 0)
            continue;
        reading->at += length;
        *value = i < 2 ? xcheck(json_object_new_boolean(i == 0)) : NULL;
        return true;
    }
    return refuse_character(reading, "unexpected character");
}

/* What was read of a value is freed with what it is part of, or was to be. */
static bool read_value(struct reading *reading, int level, struct json_object **value)
{
    char c = skip_space(reading);
    bool good;

    *value = NULL;
    if (level > reading->depth && reading->at < reading->end)
        return refuse(reading, "it is nested more than %d deep", reading->depth);
    if (c == '{')
        good = read_object(reading, level, value);
    else if (c == '[')
        good = read_array(reading, level, value);
    else if (c == '"')
        good = read_text(reading, value);
    else if (c == '-' || (c >= '0' && c <= '9'))
        good = read_number(reading, value);
    else
        good = read_word(reading, value);
    if (good)
        return true;
    json_object_put(*value);
    *value = NULL;
    return false;
}

static bool read_all(struct reading *reading, struct json_object **value)
{
    size_t size = (size_t)(reading->end - reading->text);
    size_t valid = utf8_valid_length(reading->text, size);

    if (valid < size) {
        reading->at = reading->text + valid;
        return refuse(reading, "the text is not UTF-8");
    }
    if (!read_value(reading, 1, value))
        return false;
    skip_space(reading);
    return reading->at == reading->end ||
           refuse_character(reading, "something stands after the end of the value");
}

int json_read(const char *text, size_t size, int depth, struct json_object **value,
              char **cause)
{
    struct reading reading = {
        .text = text, .end = text + size, .at = text, .depth = depth};

    *value = NULL;
    if (size == 0 || size > INT_MAX / 2) {
        cause_set(cause, size == 0 ? "the text is empty" : "the text is too long");
        return -1;
    }
    bool good = read_all(&reading, value);
    if (!good) {
        json_object_put(*value);
        *value = NULL;
        cause_set(cause, "%s", reading.cause);
    }
    free(reading.cause);
    free(reading.scratch);
    return good ? 0 : -1;
}
