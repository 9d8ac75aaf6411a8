/* SPDX-License-Identifier: Apache-2.0 */
/* What a state or a step holds: one row for each kind. */
#include "compile_internal.h"
#include "condition.h"
#include "json.h"
#include "soundness.h"
#include "value.h"

#include <string.h>

static void read_actions(struct compiler *compiler, int state, struct json_object *spec,
                         struct json_object *body, const struct where *where)
{
    (void)spec;
    if (!json_object_is_type(body, json_type_object) ||
        json_object_object_length(body) == 0) {
        mistake_error(compiler->mistakes, where,
                      "must be an object: at least one role and its action");
        return;
    }
    json_object_object_foreach (body, role, action) {
        struct where here = {where, role, 0};
        compile_action(compiler, state, role, action, &here);
    }
}

static void read_wait(struct compiler *compiler, int state, struct json_object *spec,
                      struct json_object *body, const struct where *where)
{
    (void)spec;
    int64_t ms;

    compiler->machine->states[state].body = json_object_get(body);
    if (value_is_constant(body))
        definition_read_duration(body, where, &ms, compiler->mistakes);
}

static void read_set(struct compiler *compiler, int state, struct json_object *spec,
                     struct json_object *body, const struct where *where)
{
    (void)spec;
    compiler->machine->states[state].body = json_object_get(body);
    if (!json_object_is_type(body, json_type_object)) {
        mistake_error(compiler->mistakes, where, "must be an object of names and values");
        return;
    }
    json_object_object_foreach (body, name, value) {
        struct where here = {where, name, 0};
        (void)value;
        soundness_check_saved_name(compiler->definition, name, &here, compiler->mistakes);
    }
}

static void read_condition(struct compiler *compiler, int state, struct json_object *spec,
                           struct json_object *body, const struct where *where)
{
    (void)spec;
    compiler->machine->states[state].body = json_object_get(body);
    condition_check(body, where, compiler->mistakes);
}

static void read_find(struct compiler *compiler, int state, struct json_object *spec,
                      struct json_object *body, const struct where *where)
{
    struct where at_where = {where->up, "where", 0};
    struct where at_save = {where->up, "save", 0};
    const char *save = json_member_text(spec, "save");
    struct json_object *filter = json_member(spec, "where");

    compiler->machine->states[state].body = json_object_get(spec);
    if (!json_is_text(body) || value_is_constant(body))
        mistake_error(compiler->mistakes, where,
                      "must say where to look, as \"${call.data.videos}\"");
    if (filter != NULL && !json_object_is_type(filter, json_type_object))
        mistake_error(compiler->mistakes, &at_where, "must be an object");
    if (save == NULL)
        mistake_error(compiler->mistakes, &at_save, "what is found needs a name");
    else
        soundness_check_saved_name(compiler->definition, save, &at_save,
                                   compiler->mistakes);
}

/* What of a request is written out; the rest is checked when its values are known. */
static void check_url(struct compiler *compiler, struct json_object *url,
                      const struct where *where)
{
    const char *text = json_is_text(url) ? json_object_get_string(url) : "";

    if (!json_is_text(url) || *text == '\0')
        mistake_error(compiler->mistakes, where, "must be a URL");
    else if (strncmp(text, "${", 2) != 0 && strncmp(text, "http://", 7) != 0 &&
             strncmp(text, "https://", 8) != 0)
        mistake_error(compiler->mistakes, where,
                      "must begin with http:// or https://, or with a value that does");
}

static void check_method(struct compiler *compiler, struct json_object *method,
                         const struct where *where)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const char *text = json_is_text(method) ? json_object_get_string(method) : "";

    if (*text == '\0' ||
        (value_is_constant(method) && text[strspn(text, letters)] != '\0'))
        mistake_error(compiler->mistakes, where,
                      "must be a method in capital letters, as \"POST\"");
}

static void check_headers(struct compiler *compiler, struct json_object *headers,
                          const struct where *where)
{
    if (!json_object_is_type(headers, json_type_object)) {
        mistake_error(compiler->mistakes, where,
                      "must be an object of names and strings");
        return;
    }
    json_object_object_foreach (headers, name, value) {
        struct where here = {where, name, 0};
        if (!json_is_text(value))
            mistake_error(compiler->mistakes, &here, "must be a string");
    }
}

static void check_status(struct compiler *compiler, struct json_object *status,
                         const struct where *where)
{
    size_t count = json_object_is_type(status, json_type_array)
                       ? json_object_array_length(status)
                       : 0;

    if (count == 0)
        mistake_error(compiler->mistakes, where,
                      "must be a list of at least one status, as [200]");
    for (size_t i = 0; i < count; i++) {
        struct where here = {where, NULL, i};
        struct json_object *one = json_object_array_get_idx(status, i);
        int64_t number = json_object_get_int64(one);
        if (!json_object_is_type(one, json_type_int) || number < 100 || number > 599)
            mistake_error(compiler->mistakes, &here,
                          "a status is a number from 100 to 599");
    }
}

static void check_text(struct compiler *compiler, struct json_object *text,
                       const struct where *where)
{
    if (!json_is_text(text))
        mistake_error(compiler->mistakes, where,
                      "must be a string; \"json\" sends anything else");
}

static void check_timeout(struct compiler *compiler, struct json_object *timeout,
                          const struct where *where)
{
    int64_t ms;

    if (value_is_constant(timeout))
        compile_read_timeout(compiler, timeout, where, &ms);
}

static void check_request(struct compiler *compiler, struct json_object *request,
                          const struct where *where)
{
    static const struct {
        const char *member;
        void (*check)(struct compiler *compiler, struct json_object *value,
                      const struct where *where);
    } checks[] = {{"method", check_method},   {"headers", check_headers},
                  {"status", check_status},   {"text", check_text},
                  {"timeout", check_timeout}, {"url", check_url}};

    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        struct where here = {where, checks[i].member, 0};
        struct json_object *value = NULL;
        if (json_object_object_get_ex(request, checks[i].member, &value))
            checks[i].check(compiler, value, &here);
        else if (checks[i].check == check_url)
            mistake_error(compiler->mistakes, where, "has no \"url\"");
    }
}

/* What a worker is to ask another server. */
static void read_http(struct compiler *compiler, int state, struct json_object *spec,
                      struct json_object *body, const struct where *where)
{
    static const char *const known[] = {"method", "url",    "headers", "json",
                                        "text",   "status", "timeout", NULL};
    struct where at_save = {where->up, "save", 0};
    struct json_object *save = json_member(spec, "save");

    compiler->machine->states[state].body = json_object_get(spec);
    if (!json_object_is_type(body, json_type_object)) {
        mistake_error(compiler->mistakes, where,
                      "must be an object with method and url, as {\"method\": \"GET\", "
                      "\"url\": \"${server.cs_api}/_matrix/client/versions\"}");
        return;
    }
    compile_refuse_unknown(compiler, body, where, "http", known);
    check_request(compiler, body, where);
    if (json_member(body, "json") != NULL && json_member(body, "text") != NULL)
        mistake_error(compiler->mistakes, where, "give \"json\" or \"text\", not both");
    if (save != NULL && !json_is_text(save))
        mistake_error(compiler->mistakes, &at_save, "must be a name");
    else if (save != NULL)
        soundness_check_saved_name(compiler->definition, json_object_get_string(save),
                                   &at_save, compiler->mistakes);
}

static const struct compile_body bodies[] = {
    {"actions", STATE_ACTIONS, read_actions, {0}},
    {"wait", STATE_WAIT, read_wait, {0}},
    {"set", STATE_SET, read_set, {0}},
    {"assert", STATE_ASSERT, read_condition, {0}},
    {"check", STATE_CHECK, read_condition, {0}},
    {"find", STATE_FIND, read_find, {"where", "save"}},
    {"http", STATE_HTTP, read_http, {"save"}},
};

const struct compile_body *compile_find_body(struct json_object *spec)
{
    const struct compile_body *found = NULL;
    size_t count = 0;

    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        if (json_object_is_type(spec, json_type_object) &&
            json_object_object_get_ex(spec, bodies[i].member, NULL)) {
            found = &bodies[i];
            count++;
        }
    }
    return count == 1 ? found : NULL;
}

bool compile_is_body(const char *member)
{
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        if (strcmp(bodies[i].member, member) == 0)
            return true;
    }
    return false;
}

void compile_read_body(struct compiler *compiler, int state,
                       const struct compile_body *body, struct json_object *spec,
                       const struct where *where)
{
    struct where here = {where, body->member, 0};

    body->read(compiler, state, spec, json_member(spec, body->member), &here);
}
