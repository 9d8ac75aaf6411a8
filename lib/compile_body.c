/* SPDX-License-Identifier: Apache-2.0 */
/* What a state or a step holds: one row for each kind. */
#include "compile_internal.h"
#include "condition.h"
#include "json.h"
#include "soundness.h"
#include "value.h"

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
    if (!json_is_text(body))
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

/* What a worker is to ask another server. The request is checked when its values are known. */
static void read_http(struct compiler *compiler, int state, struct json_object *spec,
                      struct json_object *body, const struct where *where)
{
    static const char *const known[] = {"method", "url",    "headers", "json",
                                        "text",   "status", "timeout", NULL};
    struct where at_url = {where, "url", 0};
    struct where at_timeout = {where, "timeout", 0};
    struct where at_save = {where->up, "save", 0};
    struct json_object *save = json_member(spec, "save");
    struct json_object *timeout = json_member(body, "timeout");
    int64_t ms;

    compiler->machine->states[state].body = json_object_get(spec);
    if (!json_object_is_type(body, json_type_object)) {
        mistake_error(compiler->mistakes, where,
                      "must be an object with method and url, as {\"method\": \"GET\", "
                      "\"url\": \"${server.cs_api}/_matrix/client/versions\"}");
        return;
    }
    compile_refuse_unknown(compiler, body, where, "http", known);
    if (!json_is_text(json_member(body, "url")))
        mistake_error(compiler->mistakes, &at_url, "must be a URL");
    if (json_member(body, "json") != NULL && json_member(body, "text") != NULL)
        mistake_error(compiler->mistakes, where, "give \"json\" or \"text\", not both");
    if (timeout != NULL && value_is_constant(timeout))
        definition_read_duration(timeout, &at_timeout, &ms, compiler->mistakes);
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

void compile_read_body(struct compiler *compiler, int state,
                       const struct compile_body *body, struct json_object *spec,
                       const struct where *where)
{
    struct where here = {where, body->member, 0};

    body->read(compiler, state, spec, json_member(spec, body->member), &here);
}
