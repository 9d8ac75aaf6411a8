/* SPDX-License-Identifier: Apache-2.0 */
/* What happened in a case, line by line. */
#include "transcript.h"

#include "json.h"
#include "utf8.h"
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 2000

/* Takes the text. There is room for it. */
static void append(struct transcript *transcript, int64_t wall_ms,
                   enum transcript_kind kind, const char *role, char *text)
{
    if (transcript->count == transcript->capacity) {
        transcript->capacity = transcript->capacity ? 2 * transcript->capacity : 16;
        transcript->lines = xreallocarray(transcript->lines, transcript->capacity,
                                          sizeof *transcript->lines);
    }
    transcript->lines[transcript->count++] =
        (struct transcript_line){wall_ms, kind, role, text};
}

void transcript_add(struct transcript *transcript, const struct instant *now,
                    enum transcript_kind kind, const char *role, const char *format, ...)
{
    char text[LINE_BYTES + 2]; /* one byte more than fits, so that it shows */
    va_list arguments;

    if (transcript->count == transcript->limit) {
        transcript->dropped++;
        return;
    }
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    append(transcript, now->wall_ms, kind, role, utf8_shorten(text, LINE_BYTES));
}

void transcript_clear(struct transcript *transcript)
{
    for (size_t i = 0; i < transcript->count; i++)
        free(transcript->lines[i].text);
    free(transcript->lines);
    transcript->lines = NULL;
    transcript->count = transcript->capacity = 0;
}

const char *transcript_kind_text(enum transcript_kind kind)
{
    static const char *const texts[] = {
#define TRANSCRIPT_TEXT(name, text) text,
        TRANSCRIPT_KINDS(TRANSCRIPT_TEXT)
#undef TRANSCRIPT_TEXT
    };

    return texts[kind];
}

/* --- as JSON: wall time, kind, place of the role, text, and so on --- */

#define LINE_ITEMS 4

static int place_of(const char *role, char *const *roles, size_t role_count)
{
    for (size_t i = 0; role != NULL && i < role_count; i++) {
        if (strcmp(roles[i], role) == 0)
            return (int)i;
    }
    return -1;
}

struct json_object *transcript_json(const struct transcript *transcript, size_t first,
                                    size_t count, char *const *roles, size_t role_count)
{
    struct json_object *json = json_new_array();

    for (size_t i = first; i < transcript->count && i - first < count; i++) {
        const struct transcript_line *line = &transcript->lines[i];
        int place = place_of(line->role, roles, role_count);
        json_append(json, xcheck(json_object_new_int64(line->wall_ms)));
        json_append(json, json_new_text(transcript_kind_text(line->kind)));
        json_append(json, xcheck(json_object_new_int(place)));
        json_append(json, json_new_text(line->text));
    }
    return json;
}

/* The kind of this name; -1: there is none. */
static int find_kind(const char *text)
{
    for (int kind = TRANSCRIPT_STATE; kind <= TRANSCRIPT_END; kind++) {
        if (strcmp(transcript_kind_text((enum transcript_kind)kind), text) == 0)
            return kind;
    }
    return -1;
}

static bool read_line(struct transcript *transcript, struct json_object *json, size_t at,
                      char *const *roles, size_t role_count)
{
    struct json_object *kind_json = json_object_array_get_idx(json, at + 1);
    struct json_object *text = json_object_array_get_idx(json, at + 3);
    int place = json_object_get_int(json_object_array_get_idx(json, at + 2));
    int kind =
        json_is_text(kind_json) ? find_kind(json_object_get_string(kind_json)) : -1;

    if (kind < 0 || place < -1 || place >= (int)role_count || !json_is_text(text) ||
        transcript->count == transcript->limit)
        return false;
    append(transcript, json_object_get_int64(json_object_array_get_idx(json, at)),
           (enum transcript_kind)kind, place >= 0 ? roles[place] : NULL,
           xstrdup(json_object_get_string(text)));
    return true;
}

bool transcript_read(struct transcript *transcript, struct json_object *json,
                     char *const *roles, size_t role_count)
{
    bool good = json_object_is_type(json, json_type_array) &&
                json_object_array_length(json) % LINE_ITEMS == 0;

    for (size_t at = 0; good && at < json_object_array_length(json); at += LINE_ITEMS)
        good = read_line(transcript, json, at, roles, role_count);
    return good;
}
