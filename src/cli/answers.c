/* SPDX-License-Identifier: Apache-2.0 */
/* What simulated clients say. */
#include "answers.h"

#include "json.h"
#include "mistakes.h"
#include "suites.h"
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_LIMIT     ((size_t)4 << 20) /* bytes of a dictionary */
#define PROXY_TYPE     "network-proxy"
#define PROXY_ENDPOINT "http://localhost:8008/" /* as real ones: with a slash */

struct answers {
    struct dictionary *dictionary; /* owned */
    struct json_object *responses; /* action: response; owned */
    struct json_object *members;   /* of registrations; owned */
    double failure_rate;           /* from 0 to 1 */
};

struct answers *answers_new(void)
{
    struct answers *answers = xcalloc(1, sizeof *answers);

    answers->dictionary = suites_dictionary();
    answers->responses = json_new_object();
    answers->members = json_new_object();
    return answers;
}

void answers_free(struct answers *answers)
{
    if (answers == NULL)
        return;
    dictionary_free(answers->dictionary);
    json_object_put(answers->responses);
    json_object_put(answers->members);
    free(answers);
}

/* --- what a person wants --- */

static void drop_definition(struct definition *definition, void *argument)
{
    (void)argument;
    definition_free(definition);
}

int answers_add_file(struct answers *answers, const char *path, char **cause)
{
    struct suites_source source = {
        .paths = (char *[]){(char *)path},
        .path_count = 1,
        .file_limit = FILE_LIMIT,
    };
    struct mistakes *mistakes = mistakes_new();
    char *text = NULL;
    size_t size, errors;
    FILE *out = xcheck(open_memstream(&text, &size));

    suites_load(&source, answers->dictionary, NULL, mistakes, drop_definition, NULL);
    for (size_t i = 0; i < mistakes_count(mistakes); i++) {
        bool is_error;
        const char *mistake = mistakes_text(mistakes, i, &is_error);
        if (is_error)
            fprintf(out, "%s%s", ftell(out) > 0 ? "\n" : "", mistake);
    }
    if (fclose(out) != 0)
        xcheck(NULL);
    errors = mistakes_errors(mistakes);
    if (errors > 0)
        cause_set(cause, "%s", text);
    free(text);
    mistakes_free(mistakes);
    return errors == 0 ? 0 : -1;
}

/* Read "NAME=VALUE" into a member. */
static int add_pair(struct json_object *object, const char *text, const char *form,
                    char **cause)
{
    const char *sign = strchr(text, '=');

    if (sign == NULL || sign == text) {
        cause_set(cause, "must have the form %s, not \"%s\"", form, text);
        return -1;
    }
    char *name = xstrndup(text, (size_t)(sign - text));
    json_put_text(object, name, sign + 1);
    free(name);
    return 0;
}

int answers_respond(struct answers *answers, const char *text, char **cause)
{
    return add_pair(answers->responses, text, "ACTION=RESPONSE", cause);
}

int answers_member(struct answers *answers, const char *text, char **cause)
{
    return add_pair(answers->members, text, "NAME=VALUE", cause);
}

void answers_fail(struct answers *answers, double rate)
{
    answers->failure_rate = rate;
}

/* --- what clients say --- */

struct json_object *answers_registration(const struct answers *answers, const char *type)
{
    struct json_object *body = json_new_object();

    json_put_text(body, "type", type);
    json_put_text(body, "version", "simulated");
    if (strcmp(type, PROXY_TYPE) == 0)
        json_put_text(body, "endpoint", PROXY_ENDPOINT);
    json_object_object_foreach (answers->members, name, value)
        json_put(body, name, json_object_get(value));
    return body;
}

/* A value of this type, as good as any other. */
static struct json_object *make_value(const char *name, const char *type,
                                      struct dice *dice)
{
    struct json_object *value;

    if (strcmp(type, "object") == 0)
        return json_new_object();
    if (strcmp(type, "array") == 0)
        return json_new_array();
    if (strcmp(type, "boolean") == 0)
        return xcheck(json_object_new_boolean(dice_chance(dice, 0.5)));
    if (strcmp(type, "number") == 0)
        return xcheck(json_object_new_int64(dice_between(dice, 0, 100)));
    char *text = xasprintf("simulated %s", name);
    value = json_new_text(text);
    free(text);
    return value;
}

/* The members that the dictionary says a report carries: {NAME: TYPE} or {NAME: {"type":
 * TYPE}}. */
static void add_report_members(struct json_object *report, struct json_object *members,
                               struct dice *dice)
{
    if (!json_object_is_type(members, json_type_object))
        return;
    json_object_object_foreach (members, name, member) {
        const char *type = NULL;
        if (json_is_text(member))
            type = json_object_get_string(member);
        else if (json_object_is_type(member, json_type_object))
            type = json_member_text(member, "type");
        json_put(report, name, make_value(name, type != NULL ? type : "string", dice));
    }
}

/* The first name that the state accepts and that does not end the case; NULL if the
 * delivery names none. */
static const char *first_accepted(struct json_object *delivery)
{
    struct json_object *names = json_member(delivery, "responses");

    if (!json_object_is_type(names, json_type_array))
        return NULL;
    for (size_t i = 0; i < json_object_array_length(names); i++) {
        struct json_object *name = json_object_array_get_idx(names, i);
        const char *text = json_is_text(name) ? json_object_get_string(name) : NULL;
        if (text != NULL && strcmp(text, "failed") != 0 && strcmp(text, "error") != 0)
            return text;
    }
    return NULL;
}

struct json_object *answers_report(const struct answers *answers, const char *type,
                                   struct json_object *delivery, struct dice *dice)
{
    const char *action = json_member_text(delivery, "action");
    const struct action_entry *entry = dictionary_find(answers->dictionary, action);
    const char *wanted = json_member_text(answers->responses, action);
    struct json_object *report = json_new_object();
    const char *response = NULL;

    if (dice_chance(dice, answers->failure_rate))
        response = "failed";
    else if (wanted != NULL)
        response = wanted;
    else if (entry != NULL)
        response = action_entry_canonical(entry, type);
    else
        response = first_accepted(delivery);
    if (entry != NULL)
        add_report_members(report, action_entry_member(entry, type, "report"), dice);
    if (response == NULL || response[0] != '\0')
        json_put_text(report, "response", response != NULL ? response : "error");
    if (json_member_text(delivery, "id") != NULL)
        json_put_text(report, "id", json_member_text(delivery, "id"));
    return report;
}
