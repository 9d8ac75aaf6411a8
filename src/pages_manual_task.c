/* SPDX-License-Identifier: Apache-2.0 */
/* What a person who is a client is asked to do. */
#include "pages_manual_task.h"

#include "json.h"
#include "pages_form.h"
#include "pages_text.h"
#include "value.h"
#include "xalloc.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_BYTES 65536 /* of one value that is shown */
#define VALUES_MAX  200   /* values that are shown */
#define DEPTH_MAX   4     /* objects in objects that are taken apart */

static struct json_object *data_of(struct json_object *playing)
{
    return json_member(json_member(playing, "poll"), "data");
}

static struct json_object *entry_of(struct json_object *playing)
{
    return json_member(json_member(playing, "task"), "entry");
}

static const char *value_text(struct json_object *value)
{
    return json_is_text(value) ? json_object_get_string(value) : json_text(value);
}

char *task_words(const char *name)
{
    char *words = NULL;
    size_t size;
    FILE *out = xcheck(open_memstream(&words, &size));

    for (const char *at = name; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;
        if (at > name && isupper(byte) && islower((unsigned char)at[-1]))
            fprintf(out, " %c", tolower(byte));
        else
            fputc(byte == '_' || byte == '-' ? ' '
                  : at == name               ? toupper(byte)
                                             : byte,
                  out);
    }
    if (fclose(out) != 0)
        xcheck(NULL);
    return words;
}

/* --- the sentence --- */

/* A piece of a sentence with `${path}` in it. */
struct piece {
    const char *text;          /* plain, of this length; borrowed */
    size_t length;             /* bytes of text */
    struct json_object *value; /* of a path; NULL: it is text; borrowed */
};

/* Take the next one. False at the end, and where a value is missing (*is_whole says
 * so). */
static bool next_piece(const char **at, struct json_object *data, struct piece *piece,
                       bool *is_whole)
{
    const char *end = strstr(*at, "${");
    const char *close = end == *at ? strchr(end, '}') : NULL;

    *piece = (struct piece){.text = *at, .length = strlen(*at)};
    if (**at == '\0')
        return false;
    if (close != NULL) {
        char *path = xstrndup(*at + 2, (size_t)(close - *at) - 2);
        *is_whole = value_find(data, path, &piece->value) && piece->value != NULL;
        free(path);
        *at = close + 1;
        return *is_whole;
    }
    if (end > *at)
        piece->length = (size_t)(end - *at);
    *at += piece->length;
    return true;
}

/* The dictionary's words for it: as a request where all its values are there, else as the
 * description; the bare name where there is none. *is_request tells. Borrowed from
 * playing; NULL: the bare name. */
static const char *choose_words(struct json_object *playing, bool *is_request)
{
    struct json_object *entry = entry_of(playing);
    const char *ask = text_member(entry, "ask"), *at = ask;
    const char *description = text_member(entry, "description");
    struct piece piece;

    *is_request = *ask != '\0';
    while (next_piece(&at, data_of(playing), &piece, is_request))
        ;
    return *is_request ? ask : *description != '\0' ? description : NULL;
}

static char *bare_words(struct json_object *playing)
{
    return task_words(text_member(json_member(playing, "poll"), "action"));
}

char *task_sentence(struct json_object *playing)
{
    bool is_request, is_whole = true;
    const char *at = choose_words(playing, &is_request);
    struct piece piece;
    char *sentence = NULL;
    size_t size;

    if (at == NULL || !is_request)
        return at == NULL ? bare_words(playing) : xstrdup(at);
    FILE *out = xcheck(open_memstream(&sentence, &size));
    while (next_piece(&at, data_of(playing), &piece, &is_whole)) {
        if (piece.value != NULL)
            fputs(value_text(piece.value), out);
        else
            fwrite(piece.text, 1, piece.length, out);
    }
    if (fclose(out) != 0)
        xcheck(NULL);
    return sentence;
}

void task_put_sentence(struct markup *markup, struct json_object *playing)
{
    bool is_request, is_whole = true;
    const char *at = choose_words(playing, &is_request);
    struct piece piece;

    if (at == NULL || !is_request) {
        char *words = at == NULL ? bare_words(playing) : xstrdup(at);
        text_put(markup, words, 0);
        free(words);
        return;
    }
    while (next_piece(&at, data_of(playing), &piece, &is_whole)) {
        if (piece.value != NULL)
            text_put_in(markup, "mark", NULL, value_text(piece.value));
        else
            markup_textf(markup, "%.*s", (int)piece.length, piece.text);
    }
}

/* --- data --- */

/* One value with what it is called and means, and a button that scripts show. */
static void put_value(struct markup *markup, const char *path, const char *meaning,
                      struct json_object *value)
{
    markup_open(markup, "div", NULL);
    markup_open(markup, "dt", NULL);
    text_put(markup, path, TEXT_BOARD_BYTES);
    if (*meaning != '\0') {
        markup_text(markup, " ");
        text_put_in(markup, "small", NULL, meaning);
    }
    markup_close(markup);
    markup_open(markup, "dd", NULL);
    markup_open(markup, "code", NULL);
    text_put(markup, value_text(value), VALUE_BYTES);
    markup_close(markup);
    markup_open(markup, "button", "type", "button", "class", "copy", "hidden", "hidden",
                NULL);
    markup_text(markup, "Copy ");
    markup_open(markup, "span", "class", "spoken", NULL);
    text_put(markup, path, TEXT_BOARD_BYTES);
    markup_close(markup);
    markup_close(markup);
    markup_close(markup);
    markup_close(markup);
}

/* All values of an object, those of objects in it under a name with dots. */
static void put_values(struct markup *markup, struct json_object *object,
                       const char *prefix, struct json_object *fields, int depth,
                       size_t *room)
{
    json_object_object_foreach (object, name, value) {
        char *path = xasprintf("%s%s", prefix, name);
        char *inner = xasprintf("%s.", path);
        if (json_object_is_type(value, json_type_object) && depth < DEPTH_MAX &&
            json_object_object_length(value) > 0)
            put_values(markup, value, inner, NULL, depth + 1, room);
        else if (*room > 0 && (*room)-- > 0)
            put_value(markup, path, text_member(json_member(fields, name), "meaning"),
                      value);
        free(inner);
        free(path);
    }
}

static void put_data(struct markup *markup, struct json_object *playing)
{
    struct json_object *data = data_of(playing);
    size_t room = VALUES_MAX;

    if (data == NULL || json_object_object_length(data) == 0)
        return;
    markup_element(markup, "h2", "With this", NULL);
    markup_open(markup, "dl", "class", "data", NULL);
    put_values(markup, data, "", json_member(entry_of(playing), "data"), 0, &room);
    markup_close(markup);
    if (room == 0)
        markup_element(markup, "p", "What is beyond is not shown.", "class", "more",
                       NULL);
}

/* --- answering --- */

static const char *report_hint(const char *type)
{
    return strcmp(type, "array") == 0     ? "one a line, or a JSON array"
           : strcmp(type, "object") == 0  ? "a JSON object, as in {\"muted\": true}"
           : strcmp(type, "boolean") == 0 ? "true or false"
           : strcmp(type, "number") == 0  ? "a number"
                                          : "";
}

/* A field for each thing that the report is to carry: its name says the type, too. */
static void put_report_fields(struct markup *markup, struct json_object *playing)
{
    struct json_object *report = json_member(entry_of(playing), "report");

    if (report == NULL)
        return;
    json_object_object_foreach (report, name, type) {
        const char *kind = value_text(type);
        char *field = xasprintf("%s:%s", kind, name);
        char *label = task_words(name);
        if (strcmp(kind, "boolean") == 0 || strcmp(kind, "number") == 0)
            form_put_line(markup, field, label, report_hint(kind), "", NULL);
        else
            form_put_lines(markup, field, label, report_hint(kind));
        free(label);
        free(field);
    }
}

/* Whether two names are the same word: "logged_in" and "loggedin". */
static bool is_same_word(const char *a, const char *b)
{
    for (;; a++, b++) {
        while (*a == '_' || *a == '-')
            a++;
        while (*b == '_' || *b == '-')
            b++;
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
        if (*a == '\0')
            return true;
    }
}

/* Whether the response says what one before it said, or what the other form is for. */
static bool is_said_already(struct json_object *asked, size_t index)
{
    const char *name = value_text(text_element(asked, "responses", index));

    for (size_t i = 0; i < index; i++) {
        if (is_same_word(name, value_text(text_element(asked, "responses", i))))
            return true;
    }
    return strcmp(name, "failed") == 0;
}

/* Where any name will do, those of the dictionary are offered; without them, any word. */
static void put_responses(struct markup *markup, struct json_object *playing)
{
    struct json_object *poll = json_member(playing, "poll");
    struct json_object *asked =
        text_count(poll, "responses") > 0 ? poll : entry_of(playing);
    size_t count = text_count(asked, "responses");

    if (count == 0)
        form_put_line(markup, "response", "What came of it",
                      "any word; left empty, that it is done", "", NULL);
    markup_open(markup, "div", "class", "answers", NULL);
    for (size_t i = 0; i < count; i++) {
        const char *name = value_text(text_element(asked, "responses", i));
        char *label = task_words(name);
        if (!is_said_already(asked, i))
            form_put_button(markup, i == 0 ? "primary" : NULL, "response", name, label);
        free(label);
    }
    if (count == 0)
        form_put_button(markup, "primary", NULL, NULL, "Done");
    markup_close(markup);
}

static void put_failure(struct markup *markup, const char *id, const char *delivery)
{
    markup_open(markup, "details", "class", "failure", NULL);
    markup_element(markup, "summary", "It did not work", NULL);
    form_open(markup, id, "report", NULL);
    form_put_hidden(markup, "id", delivery);
    form_put_lines(markup, "message", "What went wrong?",
                   "what you did, what you expected, what you saw");
    form_put_button(markup, "danger", "response", "failed", "Report that it failed");
    markup_close(markup);
    markup_close(markup);
}

void task_put(struct markup *markup, struct json_object *playing)
{
    struct json_object *poll = json_member(playing, "poll");
    const char *id = text_member(playing, "id");
    const char *delivery = text_member(poll, "id");

    put_data(markup, playing);
    markup_element(markup, "h2", "What came of it?", NULL);
    form_open(markup, id, "report", NULL);
    form_put_hidden(markup, "id", delivery);
    put_report_fields(markup, playing);
    put_responses(markup, playing);
    markup_close(markup);
    put_failure(markup, id, delivery);
}
