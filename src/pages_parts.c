/* SPDX-License-Identifier: Apache-2.0 */
/* What all pages are made of. */
#include "pages_parts.h"

#include "json.h"
#include "utf8.h"
#include "xalloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REFRESH_SECONDS "5"
#define ID_SHOWN        8 /* characters of an id */

/* --- states
 * ------------------------------------------------------------------------------------------- */

static const struct {
    const char *word; /* as status.json has it, and the class */
    const char *sign; /* inside of the lamp */
} states[] = {
#define PART_STATE_ROW(name, word, sign) {word, sign},
    PART_STATES(PART_STATE_ROW)
#undef PART_STATE_ROW
};

enum part_state part_state(const char *word)
{
    for (int i = 0; word != NULL && i < PART_STATE_COUNT; i++) {
        if (strcmp(states[i].word, word) == 0)
            return (enum part_state)i;
    }
    return PART_WAITING;
}

const char *part_state_word(enum part_state state)
{
    return states[state].word;
}

bool part_state_is_end(enum part_state state)
{
    return state == PART_SUCCESS || state == PART_FAILED || state == PART_ERROR ||
           state == PART_DONE || state == PART_LOST;
}

void part_lamp(struct markup *markup, enum part_state state)
{
    markup_open(markup, "span", "class", "lamp", NULL);
    markup_attributef(markup, "data-state", "%s", states[state].word);
    markup_element(markup, "span", states[state].sign, "class", "sign", "aria-hidden",
                   "true", NULL);
    markup_textf(markup, " %s", states[state].word);
    markup_close(markup);
}

void part_none(struct markup *markup)
{
    markup_element(markup, "span", "–", "class", "none", NULL);
}

/* --- the frame
 * ---------------------------------------------------------------------------------------- */

/* The traffic light in the browser's tab, in the colours of the lit lamps. */
static char *icon(unsigned lights)
{
    return xasprintf(
        "data:image/svg+xml,"
        "%%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%%3E"
        "%%3Crect x='4' width='8' height='16' rx='3' fill='%%23222'/%%3E"
        "%%3Ccircle cx='8' cy='3.2' r='2' fill='%%23%s'/%%3E"
        "%%3Ccircle cx='8' cy='8' r='2' fill='%%23%s'/%%3E"
        "%%3Ccircle cx='8' cy='12.8' r='2' fill='%%23%s'/%%3E%%3C/svg%%3E",
        lights & PART_RED ? "ff5a4d" : "555", lights & PART_AMBER ? "ffc233" : "555",
        lights & PART_GREEN ? "4bd07f" : "555");
}

static void put_head(struct markup *markup, const struct part_frame *frame)
{
    char *href = icon(frame->lights);

    markup_open(markup, "head", NULL);
    markup_open(markup, "meta", "charset", "utf-8", NULL);
    markup_close(markup);
    markup_element(markup, "title", frame->title, NULL);
    markup_open(markup, "meta", "name", "viewport", "content",
                "width=device-width, initial-scale=1", NULL);
    markup_close(markup);
    markup_open(markup, "meta", "name", "color-scheme", "content", "light dark", NULL);
    markup_close(markup);
    if (frame->is_live) {
        markup_open(markup, "meta", "http-equiv", "refresh", "content", REFRESH_SECONDS,
                    NULL);
        markup_close(markup);
    }
    markup_open(markup, "link", "rel", "stylesheet", "href", "/static/style.css", NULL);
    markup_close(markup);
    markup_open(markup, "link", "rel", "icon", "href", href, NULL);
    markup_close(markup);
    markup_close(markup);
    free(href);
}

static void put_light(struct markup *markup, unsigned lights)
{
    static const char *const classes[][2] = {
        {"red", "red lit"}, {"amber", "amber lit"}, {"green", "green lit"}};

    markup_open(markup, "span", "class", "light", "aria-hidden", "true", NULL);
    for (unsigned i = 0; i < 3; i++)
        markup_element(markup, "span", "", "class", classes[i][lights >> i & 1], NULL);
    markup_close(markup);
}

static void put_header(struct markup *markup, unsigned lights)
{
    static const char *const links[][2] = {{"/status", "Status"},
                                           {"/status/junit.xml", "JUnit XML"},
                                           {"/status.json", "JSON"}};

    markup_open(markup, "header", NULL);
    markup_open(markup, "a", "class", "brand", "href", "/status", NULL);
    put_light(markup, lights);
    markup_text(markup, "trafficlight");
    markup_close(markup);
    markup_text(markup, " ");
    markup_open(markup, "nav", "aria-label", "Views", NULL);
    markup_open(markup, "ul", NULL);
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        markup_open(markup, "li", NULL);
        markup_element(markup, "a", links[i][1], "href", links[i][0], NULL);
        markup_close(markup);
    }
    markup_close(markup);
    markup_close(markup);
    markup_close(markup);
}

struct markup *part_begin(const struct part_frame *frame)
{
    struct markup *markup = markup_new_html();

    markup_open(markup, "html", "lang", "en", NULL);
    put_head(markup, frame);
    markup_open(markup, "body", NULL);
    put_header(markup, frame->lights);
    markup_open(markup, "main", NULL);
    return markup;
}

char *part_finish(struct markup *markup, struct json_object *server, size_t *size)
{
    markup_close(markup);
    markup_open(markup, "footer", NULL);
    markup_open(markup, "p", NULL);
    markup_textf(markup, "trafficlight %s", part_member(server, "version"));
    if (server != NULL) {
        markup_text(markup, " · run ");
        part_id(markup, part_member(server, "run"));
        markup_text(markup, " · started ");
        part_time_full(markup, part_member(server, "started"));
        markup_text(markup, " · as of ");
        part_time_full(markup, part_member(server, "now"));
    }
    markup_close(markup);
    return markup_finish(markup, size);
}

/* --- other people's words
 * ----------------------------------------------------------------------------- */

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

char *part_visible(const char *text, size_t limit)
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

void part_words(struct markup *markup, const char *text, size_t limit)
{
    char *visible = part_visible(text, limit);

    markup_element(markup, "bdi", visible, NULL);
    free(visible);
}

void part_id(struct markup *markup, const char *id)
{
    char *visible = part_visible(id, 0);
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

const char *part_member(struct json_object *object, const char *name)
{
    struct json_object *member = json_member(object, name);

    if (member == NULL)
        return "";
    return json_is_text(member) ? json_object_get_string(member) : json_text(member);
}

size_t part_count(struct json_object *object, const char *name)
{
    struct json_object *array = json_member(object, name);

    return json_object_is_type(array, json_type_array) ? json_object_array_length(array)
                                                       : 0;
}

struct json_object *part_element(struct json_object *object, const char *name,
                                 size_t index)
{
    return index < part_count(object, name)
               ? json_object_array_get_idx(json_member(object, name), index)
               : NULL;
}

/* --- times
 * -------------------------------------------------------------------------------------------- */

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
        part_none(markup);
    else
        part_words(markup, when, PART_BOARD_BYTES);
}

void part_time_full(struct markup *markup, const char *when)
{
    struct tm parts;

    if (read_time(when, &parts))
        put_time(markup, when, &parts, NULL);
    else
        put_no_time(markup, when);
}

void part_time_clock(struct markup *markup, const char *when)
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

void part_time_ago(struct markup *markup, const char *when, const char *now)
{
    struct tm parts, end;

    if (read_time(when, &parts) && read_time(now, &end))
        put_time(markup, when, &parts, ago_text((long)(timegm(&end) - timegm(&parts))));
    else
        part_time_full(markup, when);
}

char *part_duration(double seconds)
{
    long whole = seconds < 1e9 ? (long)seconds : 1000000000;

    if (seconds < 60)
        return xasprintf("%.1f s", seconds > 0 ? seconds : 0);
    if (whole < 3600)
        return xasprintf("%ld min %02ld s", whole / 60, whole % 60);
    return xasprintf("%ld h %02ld min", whole / 3600, whole / 60 % 60);
}

/* --- links
 * -------------------------------------------------------------------------------------------- */

char *part_segment(const char *name)
{
    static const char unreserved[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
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

void part_open_link(struct markup *markup, const char *id, const char *page)
{
    char *segment = part_segment(id);

    markup_open(markup, "a", NULL);
    markup_attributef(markup, "href", "/status/%s/%s", segment, page);
    free(segment);
}

void part_open_table(struct markup *markup, const char *class, const char *caption,
                     const char *const *columns)
{
    markup_open(markup, "table", "class", class, NULL);
    markup_element(markup, "caption", caption, NULL);
    markup_open(markup, "thead", NULL);
    markup_open(markup, "tr", NULL);
    for (; *columns != NULL; columns++)
        markup_element(markup, "th", *columns, "scope", "col", NULL);
    markup_close(markup);
    markup_close(markup);
    markup_open(markup, "tbody", NULL);
}
