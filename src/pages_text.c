/* SPDX-License-Identifier: Apache-2.0 */
/* Words, identifiers, members and times on a page. */
#include "pages_text.h"

#include "json.h"
#include "utf8.h"
#include "xalloc.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ID_SHOWN 8 /* bytes of an id */

void text_put_none(struct markup *markup)
{
    markup_element(markup, "span", "–", "class", "none", NULL);
}

/* --- other people's words --- */

/* Embeddings, overrides and isolates (Unicode UAX 9): they reorder what comes after. */
static bool is_direction(uint32_t c)
{
    return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static void put_visible(FILE *out, const char *text, size_t length, uint32_t c)
{
    bool is_space = c == '\t' || c == '\n' || c == '\r';

    if (c < 0x20 && !is_space)
        fprintf(out, "\xe2\x90%c", (int)(0x80 + c)); /* its picture, U+2400 and on */
    else if (c == 0x7f)
        fputs("\xe2\x90\xa1", out);
    else if ((c >= 0x80 && c < 0xa0) || is_direction(c))
        fputs("\xef\xbf\xbd", out);
    else
        fwrite(text, 1, length, out);
}

char *text_visible(const char *text, size_t limit)
{
    char *cut = limit > 0 ? utf8_shorten(text, limit) : xstrdup(text);
    char *visible = NULL;
    size_t visible_size, size = strlen(cut);
    FILE *out = xcheck(open_memstream(&visible, &visible_size));

    for (size_t at = 0; at < size;) {
        uint32_t character = 0xfffd;
        size_t length = utf8_read(cut + at, size - at, &character);
        if (length > 0)
            put_visible(out, cut + at, length, character);
        else
            fputs("\xef\xbf\xbd", out);
        at += length > 0 ? length : 1;
    }
    if (fclose(out) != 0)
        xcheck(NULL);
    free(cut);
    return visible;
}

void text_put(struct markup *markup, const char *text, size_t limit)
{
    char *visible = text_visible(text, limit);

    markup_element(markup, "bdi", visible, NULL);
    free(visible);
}

void text_put_in(struct markup *markup, const char *element, const char *class,
                 const char *text)
{
    char *visible = text_visible(text, 0);

    markup_element(markup, element, visible, "class", class, NULL);
    free(visible);
}

void text_put_words(struct markup *markup, const char *text, size_t limit)
{
    char *visible = text_visible(text, limit);

    markup_open(markup, "bdi", NULL);
    for (char *word = visible; *word != '\0';) {
        size_t length = strcspn(word, " ");
        markup_open(markup, "span", "class", "word", NULL);
        markup_textf(markup, "%.*s", (int)length, word);
        markup_close(markup);
        word += length;
        if (*word == ' ') {
            markup_text(markup, " ");
            word++;
        }
    }
    markup_close(markup);
    free(visible);
}

void text_put_id(struct markup *markup, const char *id)
{
    char *visible = text_visible(id, 0);
    size_t shown = ID_SHOWN;

    while (shown > 0 && strlen(visible) > ID_SHOWN &&
           ((unsigned char)visible[shown] & 0xc0) == 0x80)
        shown--;
    if (strlen(visible) > ID_SHOWN + 4) {
        markup_open(markup, "code", "class", "id", "title", visible, NULL);
        markup_textf(markup, "%.*s", (int)shown, visible);
        markup_element(markup, "span", visible + shown, "class", "rest", NULL);
        markup_close(markup);
    } else {
        markup_element(markup, "code", visible, "class", "id", NULL);
    }
    free(visible);
}

const char *text_member(struct json_object *object, const char *name)
{
    struct json_object *member = json_member(object, name);

    if (member == NULL)
        return "";
    return json_is_text(member) ? json_object_get_string(member) : json_text(member);
}

size_t text_amount(struct json_object *object, const char *name)
{
    int64_t amount = json_object_get_int64(json_member(object, name));

    return amount > 0 ? (size_t)amount : 0;
}

size_t text_count(struct json_object *object, const char *name)
{
    struct json_object *array = json_member(object, name);

    return json_object_is_type(array, json_type_array) ? json_object_array_length(array)
                                                       : 0;
}

struct json_object *text_element(struct json_object *object, const char *name,
                                 size_t index)
{
    struct json_object *array = json_member(object, name);

    return json_object_is_type(array, json_type_array)
               ? json_object_array_get_idx(array, index)
               : NULL;
}

/* --- times --- */

static bool read_time(const char *when, struct tm *parts)
{
    *parts = (struct tm){0};
    return strptime(when, "%Y-%m-%dT%H:%M:%S", parts) != NULL;
}

static char *full_text(const struct tm *parts)
{
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

    return xasprintf("%d %s %d, %02d:%02d:%02d UTC", parts->tm_mday,
                     months[parts->tm_mon], parts->tm_year + 1900, parts->tm_hour,
                     parts->tm_min, parts->tm_sec);
}

/* `text`: what is shown, NULL for the moment in full; taken. */
static void put_time(struct markup *markup, const char *when, const struct tm *parts,
                     char *text)
{
    char *full = full_text(parts);

    markup_element(markup, "time", text != NULL ? text : full, "datetime", when, "title",
                   text != NULL ? full : NULL, NULL);
    free(full);
    free(text);
}

static void put_no_time(struct markup *markup, const char *when)
{
    if (*when == '\0')
        text_put_none(markup);
    else
        text_put(markup, when, TEXT_BOARD_BYTES);
}

void text_put_moment(struct markup *markup, const char *when)
{
    struct tm parts;

    if (read_time(when, &parts))
        put_time(markup, when, &parts, NULL);
    else
        put_no_time(markup, when);
}

void text_put_clock(struct markup *markup, const char *when)
{
    struct tm parts;

    if (read_time(when, &parts)) /* what stands between T and Z */
        put_time(markup, when, &parts,
                 xasprintf("%.*s", (int)strcspn(strchr(when, 'T') + 1, "Zz+-"),
                           strchr(when, 'T') + 1));
    else
        put_no_time(markup, when);
}

static char *ago_text(long seconds)
{
    if (seconds < 1)
        return xstrdup("just now");
    if (seconds < 120)
        return xasprintf("%ld s ago", seconds);
    if (seconds < 2 * 3600)
        return xasprintf("%ld min ago", seconds / 60);
    if (seconds < 48 * 3600)
        return xasprintf("%ld h ago", seconds / 3600);
    return xasprintf("%ld days ago", seconds / 86400);
}

void text_put_ago(struct markup *markup, const char *when, const char *now)
{
    struct tm parts, end;

    if (read_time(when, &parts) && read_time(now, &end))
        put_time(markup, when, &parts, ago_text((long)(timegm(&end) - timegm(&parts))));
    else
        text_put_moment(markup, when);
}

char *text_moment(const char *when)
{
    struct tm parts;

    return read_time(when, &parts) ? full_text(&parts)
                                   : text_visible(when, TEXT_BOARD_BYTES);
}

/* Of a second, of a time that could be read. */
static double fraction(const char *when)
{
    const char *point = strchr(when, '.');
    double seconds = 0, unit = 0.1;

    for (; point != NULL && point[1] >= '0' && point[1] <= '9'; point++, unit /= 10)
        seconds += (point[1] - '0') * unit;
    return seconds;
}

double text_seconds_between(const char *from, const char *to)
{
    struct tm start, end;

    return read_time(from, &start) && read_time(to, &end)
               ? (double)(timegm(&end) - timegm(&start)) + fraction(to) - fraction(from)
               : -1;
}

char *text_duration(double seconds)
{
    long whole = seconds < 1e9 ? (long)(seconds < 60 ? 60 : seconds) : 1000000000;

    if (seconds < 59.95) /* what is shown as less than 60.0 */
        return xasprintf("%.1f s", seconds > 0 ? seconds : 0);
    if (whole < 3600)
        return xasprintf("%ld min %02ld s", whole / 60, whole % 60);
    return xasprintf("%ld h %02ld min", whole / 3600, whole / 60 % 60);
}

char *text_segment(const char *name)
{
    static const char unreserved[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
        "0123456789-._~";
    char *segment = xmalloc(3 * strlen(name) + 1);
    char *end = segment;

    for (const char *p = name; *p != '\0'; p++) {
        if (strchr(unreserved, *p) != NULL)
            *end++ = *p;
        else
            end += sprintf(end, "%%%02X", (unsigned char)*p);
    }
    *end = '\0';
    return segment;
}
