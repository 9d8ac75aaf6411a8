/* SPDX-License-Identifier: Apache-2.0 */
/* What adapters and the server say to each other, to be copied. */
#include "pages_example.h"

#include "json.h"
#include "pages_text.h"
#include "value.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define CLIENT   "8c1f6a52-client"
#define DELIVERY "5b2e9d04-delivery"
#define TYPE     "Content-Type: application/json"

/* --- made-up data --- */

/* What `${…}` of templates may stand for. Owned. */
static struct json_object *sample_scope(void)
{
    static const char text[] =
        "{\"me\": {\"name\": \"red\", \"localpart\": \"user_red_1a2b\", "
        "\"password\": \"a-password\"}, \"on\": {\"cs_api\": \"http://localhost:8008\", "
        "\"cs_api_docker\": \"http://10.0.2.2:8008\"}}";

    return json_tokener_parse(text);
}

/* A value of this type. Owned. */
static struct json_object *sample_of(const char *type, const char *name)
{
    if (strcmp(type, "number") == 0)
        return json_object_new_int(1000);
    if (strcmp(type, "boolean") == 0)
        return json_object_new_boolean(true);
    if (strcmp(type, "array") == 0)
        return json_new_array();
    return strcmp(type, "object") == 0 ? json_new_object() : json_new_text(name);
}

/* What the template makes of it; NULL if it has values that are not made up. Owned. */
static struct json_object *expand(struct json_object *template)
{
    struct json_object *scope = sample_scope(), *value = NULL;
    char *cause = NULL;
    int result = value_expand(template, scope, &value, &cause);

    json_object_put(scope);
    free(cause);
    return result == 0 ? value : NULL;
}

/* The data that a client could be given: what is required. Owned. */
static struct json_object *sample_data(struct json_object *entry)
{
    struct json_object *fields = json_member(entry, "data");
    struct json_object *template = json_member(entry, "template");
    struct json_object *data = json_new_object();

    if (fields == NULL)
        return data;
    json_object_object_foreach (fields, name, field) {
        struct json_object *given = json_member(template, name);
        struct json_object *choices = json_member(field, "one_of");
        struct json_object *value = given != NULL ? expand(given) : NULL;
        if (!json_object_get_boolean(json_member(field, "required")) && given == NULL)
            continue;
        if (value == NULL && json_object_is_type(choices, json_type_array))
            value = json_copy(json_object_array_get_idx(choices, 0));
        json_put(data, name,
                 value != NULL ? value : sample_of(text_member(field, "type"), name));
    }
    return data;
}

/* What a poll answers. Owned. */
static struct json_object *sample_answer(const char *action, struct json_object *entry)
{
    struct json_object *responses = json_member(entry, "responses");
    struct json_object *answer = json_new_object();

    json_put_text(answer, "action", action);
    json_put(answer, "data", sample_data(entry));
    json_put_text(answer, "id", DELIVERY);
    json_put(answer, "responses",
             responses != NULL ? json_object_get(responses) : json_new_array());
    return answer;
}

/* What is reported about it. Owned. */
static struct json_object *sample_report(const char *action, struct json_object *entry)
{
    struct json_object *members = json_member(entry, "report");
    struct json_object *first = text_element(entry, "responses", 0);
    struct json_object *report = json_new_object();

    json_put_text(report, "id", DELIVERY);
    json_put_text(report, "response",
                  first != NULL ? json_object_get_string(first) : action);
    if (members != NULL) {
        json_object_object_foreach (members, name, type) {
            json_put(report, name, sample_of(json_object_get_string(type), name));
        }
    }
    return report;
}

/* --- on the page --- */

/* Text in '…' for a shell. Owned. */
static char *quote(const char *text)
{
    char *quoted = xmalloc(4 * strlen(text) + 3), *to = quoted;

    *to++ = '\'';
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            to = stpcpy(to, "'\\''");
        else
            *to++ = *text;
    }
    strcpy(to, "'");
    return quoted;
}

static void put_block(struct markup *markup, const char *title, const char *text)
{
    markup_open(markup, "figure", "class", "example", NULL);
    markup_element(markup, "figcaption", title, NULL);
    markup_open(markup, "pre", "tabindex", "0", NULL);
    text_put_in(markup, "code", NULL, text);
    markup_close(markup);
    markup_close(markup);
}

void example_put_json(struct markup *markup, struct json_object *value)
{
    markup_open(markup, "pre", "tabindex", "0", NULL);
    text_put_in(markup, "code", NULL,
                json_object_to_json_string_ext(
                    value, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
                               JSON_C_TO_STRING_NOSLASHESCAPE));
    markup_close(markup);
}

void example_put_joining(struct markup *markup, const char *base)
{
    char *text = xasprintf("curl -H '" TYPE "' -d '{\"type\": \"element-web\"}' \\\n"
                           "    %s/client/" CLIENT "/register\n"
                           "curl '%s/client/" CLIENT "/poll?wait=20'",
                           base, base);

    markup_open(markup, "details", NULL);
    markup_element(markup, "summary", "Before all of them: register, and poll", NULL);
    put_block(markup, "To be typed in a terminal", text);
    markup_element(markup, "p",
                   "A poll answers \"idle\" until there is something to do, and \"exit\" "
                   "when all is over.",
                   NULL);
    markup_close(markup);
    free(text);
}

void example_put(struct markup *markup, const char *action, struct json_object *entry,
                 const char *base)
{
    struct json_object *answer = sample_answer(action, entry);
    struct json_object *report = sample_report(action, entry);
    char *quoted = quote(json_object_to_json_string_ext(
        report, JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE));
    char *command = xasprintf(
        "curl -H '" TYPE "' -d %s \\\n    %s/client/" CLIENT "/report", quoted, base);
    const char *text = json_object_to_json_string_ext(
        answer, JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE);

    markup_open(markup, "details", NULL);
    markup_element(markup, "summary", "Example", NULL);
    put_block(markup, "What a poll answers", text);
    put_block(markup, "What is reported then", command);
    markup_close(markup);
    free(command);
    free(quoted);
    json_object_put(report);
    json_object_put(answer);
}
