/* SPDX-License-Identifier: Apache-2.0 */
/* What a role is asked: its data, the responses that are accepted, its time. */
#include "compile_internal.h"
#include "json.h"
#include "soundness.h"
#include "value.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

int compile_target(struct compiler *compiler, struct json_object *value,
                   const struct where *where)
{
    int target = json_is_text(value)
                     ? machine_find(compiler->machine, json_object_get_string(value))
                     : MACHINE_NO_STATE;

    if (target == MACHINE_NO_STATE)
        mistake_error(compiler->mistakes, where,
                      "%.100s is no state of this test (nor complete, failure or error)",
                      json_text(value));
    return target;
}

static void accept_name(struct compiler *compiler, struct machine_action *action,
                        const char *name, int target, const struct where *where)
{
    bool is_any = strcmp(name, "*") == 0;
    bool known = is_any || strcmp(name, "failed") == 0 || strcmp(name, "error") == 0;

    for (size_t i = 0; i < action->name_count; i++)
        known = known || strcmp(action->names[i], name) == 0;
    if (!known)
        mistake_warning(compiler->mistakes, where,
                        "the dictionary knows no response \"%.80s\" of %s", name,
                        action->name);
    machine_action_accept(action, is_any ? NULL : name, target);
}

static void accept_list(struct compiler *compiler, struct machine_action *action,
                        struct json_object *list, const struct where *where)
{
    if (json_object_array_length(list) == 0)
        mistake_error(compiler->mistakes, where,
                      "name at least one response, or leave it out");
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct where here = {where, NULL, i};
        struct json_object *name = json_object_array_get_idx(list, i);
        if (json_is_text(name))
            accept_name(compiler, action, json_object_get_string(name), MACHINE_STAYS,
                        &here);
        else
            mistake_error(compiler->mistakes, &here, "must be the name of a response");
    }
}

static void accept_map(struct compiler *compiler, struct machine_action *action,
                       struct json_object *map, const struct where *where)
{
    if (json_object_object_length(map) == 0)
        mistake_error(compiler->mistakes, where,
                      "name at least one response, or leave it out");
    json_object_object_foreach (map, name, value) {
        struct where here = {where, name, 0};
        accept_name(compiler, action, name, compile_target(compiler, value, &here),
                    &here);
    }
}

static void read_responses(struct compiler *compiler, struct machine_action *action,
                           struct json_object *spec, const struct where *where)
{
    struct json_object *responses = json_member(spec, "responses");
    struct json_object *expect = json_member(spec, "expect");
    struct where here = {where, responses != NULL ? "responses" : "expect", 0};
    struct json_object *given = responses != NULL ? responses : expect;

    if (responses != NULL && expect != NULL)
        mistake_error(compiler->mistakes, where,
                      "give \"responses\" or \"expect\", not both");
    if (given == NULL)
        machine_action_accept(action, NULL, MACHINE_STAYS);
    else if (json_object_is_type(given, json_type_array))
        accept_list(compiler, action, given, &here);
    else if (json_is_text(given))
        accept_name(compiler, action, json_object_get_string(given), MACHINE_STAYS,
                    &here);
    else if (responses != NULL && json_object_is_type(given, json_type_object))
        accept_map(compiler, action, given, &here);
    else
        mistake_error(
            compiler->mistakes, &here,
            responses != NULL
                ? "must be names of responses: an object of names and states, or a list"
                : "must be names of responses: one, or a list");
}

/* Put the members (NULL: none) over those that are there; null leaves one out. */
static void put_over(struct json_object *merged, struct json_object *members)
{
    if (members == NULL)
        return;
    json_object_object_foreach (members, name, value) {
        if (value == NULL)
            json_object_object_del(merged, name);
        else
            json_put(merged, name, json_object_get(value));
    }
}

/* Replace `${me}` and `${on}` in the data: the template, over it what the last step of an
 * emulation has, over it the given members. */
static struct json_object *merge_data(const struct compiler *compiler, size_t role,
                                      const char *on, struct json_object *template,
                                      struct json_object *emulation,
                                      struct json_object *given)
{
    struct json_object *parameters = json_new_object();
    struct json_object *merged = json_new_object();

    json_put_text(parameters, "me", compiler->definition->roles[role].name);
    if (on != NULL)
        json_put_text(parameters, "on", on);
    put_over(merged, template);
    put_over(merged, emulation);
    put_over(merged, given);
    struct json_object *bound = value_bind(merged, parameters);
    json_object_put(parameters);
    json_object_put(merged);
    return bound;
}

/* The server or role that `on` names; the first server by default; NULL if there is none.
 */
static const char *read_on(struct compiler *compiler, struct json_object *spec,
                           const struct where *where)
{
    const struct definition *definition = compiler->definition;
    struct where here = {where, "on", 0};
    struct json_object *value = json_member(spec, "on");
    const char *on = json_is_text(value) ? json_object_get_string(value) : "";

    if (value == NULL)
        return definition->server_count > 0 ? definition->servers[0] : NULL;
    if (definition_server(definition, on) >= 0 || definition_role(definition, on) >= 0)
        return on;
    mistake_error(compiler->mistakes, &here, "must be a server or a role of this test");
    return NULL;
}

static void read_data(struct compiler *compiler, struct machine_action *action,
                      const struct action_entry *entry, struct json_object *emulation,
                      struct json_object *spec, const struct where *where)
{
    const char *type = compiler->types[action->role];
    struct json_object *given = json_member(spec, "data");
    struct where here = {where, "data", 0};
    const char *on = read_on(compiler, spec, where);

    if (given != NULL && !json_object_is_type(given, json_type_object)) {
        mistake_error(compiler->mistakes, &here, "must be an object");
        given = NULL;
    }
    action->data = merge_data(compiler, action->role, on,
                              entry ? action_entry_member(entry, type, "template") : NULL,
                              json_member(emulation, "data"), given);
    if (entry != NULL)
        action_entry_check_data(entry, type, action->data, where, compiler->mistakes);
}

static const struct action_entry *find_entry(struct compiler *compiler, const char *name,
                                             const char *type, const struct where *where)
{
    const struct dictionary *dictionary = compiler->definition->dictionary;
    const struct action_entry *entry = dictionary_find(dictionary, name);
    const char *nearest = entry == NULL ? dictionary_nearest(dictionary, name) : NULL;

    if (entry == NULL)
        mistake_error(compiler->mistakes, where,
                      nearest ? "no dictionary knows the action \"%.80s\": is it %s?"
                              : "no dictionary knows the action \"%.80s\"%s",
                      name, nearest ? nearest : "");
    else if (!action_entry_supports(entry, type))
        mistake_warning(compiler->mistakes, where, "%s is not known to support %s", type,
                        name);
    return entry;
}

void compile_read_timeout(struct compiler *compiler, struct json_object *value,
                          const struct where *where, int64_t *ms)
{
    if (definition_read_duration(value, where, ms, compiler->mistakes) && *ms == 0)
        mistake_error(compiler->mistakes, where,
                      "nothing is done in no time: give it more than 0");
}

static void read_save_and_timeout(struct compiler *compiler,
                                  struct machine_action *action, struct json_object *spec,
                                  const struct where *where)
{
    struct json_object *save = json_member(spec, "save");
    struct json_object *timeout = json_member(spec, "timeout");
    struct where at_save = {where, "save", 0};
    struct where at_timeout = {where, "timeout", 0};

    action->timeout_ms = compiler->timeout_ms;
    if (timeout != NULL)
        compile_read_timeout(compiler, timeout, &at_timeout, &action->timeout_ms);
    if (save != NULL && !json_is_text(save))
        mistake_error(compiler->mistakes, &at_save, "must be a name");
    else if (save != NULL && soundness_check_saved_name(compiler->definition,
                                                        json_object_get_string(save),
                                                        &at_save, compiler->mistakes))
        action->save = xstrdup(json_object_get_string(save));
}

/* --- emulation: what a client type can't do by itself --- */

/* The flow that does the action for this type, or NULL. `where` is for a mistake. */
static struct json_object *find_emulation(struct compiler *compiler,
                                          const struct action_entry *entry,
                                          const char *type, const struct where *where)
{
    struct json_object *name = entry != NULL && compiler->emulates
                                   ? action_entry_member(entry, type, "emulate")
                                   : NULL;
    struct json_object *flow = name != NULL
                                   ? dictionary_flow(compiler->definition->dictionary,
                                                     json_object_get_string(name))
                                   : NULL;

    if (name != NULL && (flow == NULL || json_object_array_length(flow) == 0)) {
        mistake_error(
            compiler->mistakes, where,
            "the dictionary says that the flow %s does this for %s, but has no such "
            "flow",
            json_object_get_string(name), type);
        return NULL;
    }
    return flow;
}

/* The flow with `${me}` and `${on}` replaced. Owned by the caller. */
static struct json_object *bind_emulation(struct compiler *compiler,
                                          struct json_object *flow, const char *role,
                                          struct json_object *spec,
                                          const struct where *where)
{
    struct json_object *parameters = json_new_object();
    const char *on = read_on(compiler, spec, where);

    json_put_text(parameters, "me", role);
    if (on != NULL)
        json_put_text(parameters, "on", on);
    struct json_object *bound = value_bind(flow, parameters);
    json_object_put(parameters);
    return bound;
}

static const struct action_entry *entry_of(const struct compiler *compiler,
                                           const char *role, struct json_object *spec)
{
    const char *name = json_member_text(spec, "action");

    return name != NULL && definition_role(compiler->definition, role) >= 0
               ? dictionary_find(compiler->definition->dictionary, name)
               : NULL;
}

struct json_object *compile_emulation(struct compiler *compiler, const char *role,
                                      struct json_object *spec, const struct where *where)
{
    const struct action_entry *entry = entry_of(compiler, role, spec);
    int index = definition_role(compiler->definition, role);
    struct where here = {where, role, 0};
    struct json_object *flow =
        entry != NULL ? find_emulation(compiler, entry, compiler->types[index], &here)
                      : NULL;

    if (flow == NULL)
        return NULL;
    struct json_object *steps = bind_emulation(compiler, flow, role, spec, where);
    json_object_array_del_idx(steps, json_object_array_length(steps) - 1, 1);
    return steps;
}

/* The action that the client is really asked for: that of the last step of the
 * emulation. */
static const char *last_action(struct compiler *compiler, struct json_object *last,
                               const struct where *where)
{
    const char *name = json_member_text(last, "${me}");

    if (name == NULL)
        mistake_error(compiler->mistakes, where,
                      "the last step of an emulation must be an action of ${me}");
    return name;
}

/* --- the action --- */

static void add_names(struct machine_action *action, const struct action_entry *entry,
                      const char *type)
{
    struct json_object *names = action_entry_member(entry, type, "responses");
    size_t count = names != NULL ? json_object_array_length(names) : 0;

    action->names = xreallocarray(action->names, action->name_count + count + 1,
                                  sizeof *action->names);
    for (size_t i = 0; i < count; i++)
        action->names[action->name_count++] =
            xstrdup(json_object_get_string(json_object_array_get_idx(names, i)));
    if (count == 0)
        action->names[action->name_count++] =
            xstrdup(action_entry_canonical(entry, type));
}

/* The member that has the action's name: a step says {"red": "login"}. */
static const char *name_member(const struct compiler *compiler, size_t role)
{
    bool in_steps = json_object_object_get_ex(compiler->definition->root, "steps", NULL);

    return in_steps ? compiler->definition->roles[role].name : "action";
}

/* Add the action to its state: the one that is asked for, or that which emulates it. A
 * report of the latter counts as one of the former, so it has the names of both. */
static struct machine_action *add_action(struct compiler *compiler, int state,
                                         size_t role, const char *name,
                                         struct json_object *spec,
                                         const struct where *where)
{
    const char *type = compiler->types[role];
    struct where here = {where, name_member(compiler, role), 0};
    const struct action_entry *entry = find_entry(compiler, name, type, &here);
    struct json_object *flow = find_emulation(compiler, entry, type, &here);
    struct json_object *last =
        flow != NULL ? json_object_array_get_idx(flow, json_object_array_length(flow) - 1)
                     : NULL;
    const char *asked = flow != NULL ? last_action(compiler, last, &here) : name;
    const struct action_entry *asked_entry =
        flow != NULL && asked != NULL ? find_entry(compiler, asked, type, &here) : entry;
    struct machine_action *action = machine_add_action(
        compiler->machine, state, role, asked != NULL ? asked : name, where);

    if (entry == NULL) {
        action->names = xcalloc(1, sizeof *action->names);
        action->names[action->name_count++] = xstrdup(name);
    } else {
        add_names(action, entry, type);
    }
    if (asked_entry != NULL && asked_entry != entry)
        add_names(action, asked_entry, type);
    read_data(compiler, action, asked_entry, last, spec, where);
    return action;
}

void compile_action(struct compiler *compiler, int state, const char *role_name,
                    struct json_object *spec, const struct where *where)
{
    static const char *const known[] = {"action", "data",   "responses", "on",
                                        "save",   "expect", "timeout",   NULL};
    int role = definition_role(compiler->definition, role_name);
    struct where here = {where, role >= 0 ? name_member(compiler, (size_t)role) : NULL,
                         0};
    const char *name = json_member_text(spec, "action");

    if (role < 0) {
        mistake_error(compiler->mistakes, where, "\"%.80s\" is no role of this test",
                      role_name);
        return;
    }
    if (name == NULL) {
        mistake_error(compiler->mistakes, &here, "must be the name of an action");
        return;
    }
    compile_refuse_unknown(compiler, spec, where, "an action", known);
    struct machine_action *action =
        add_action(compiler, state, (size_t)role, name, spec, where);
    read_responses(compiler, action, spec, where);
    read_save_and_timeout(compiler, action, spec, where);
}
