/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From states as a file has them to a machine. First every state gets its index, then
 * each is filled in, so that states may name each other in any order.
 */
#include "compile.h"

#include "condition.h"
#include "json.h"
#include "soundness.h"
#include "value.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

/* What the functions here share. */
struct compiler {
    const struct definition *definition; /* what is compiled */
    const char **types;        /* registration type of each role; owned, names borrowed */
    int64_t timeout_ms;        /* for actions without one */
    struct machine *machine;   /* is filled */
    struct mistakes *mistakes; /* is filled */
};

const char *compile_registration_type(const struct settings *settings,
                                      const char *client_type)
{
    for (size_t i = 0; settings != NULL && i < settings->client_type_count; i++) {
        if (strcmp(settings->client_types[i].name, client_type) == 0)
            return settings->client_types[i].type;
    }
    return client_type;
}

static void refuse_unknown_members(struct compiler *compiler, struct json_object *object,
                                   const struct where *where, const char *what,
                                   const char *const *known, size_t count)
{
    json_object_object_foreach (object, name, value) {
        struct where here = {where, name, 0};
        size_t i = 0;
        (void)value;
        while (i < count && strcmp(known[i], name) != 0)
            i++;
        if (i == count)
            mistake_error(compiler->mistakes, &here, "%s has no member of this name",
                          what);
    }
}

/* The state that a value names, or MACHINE_NO_STATE with a mistake. */
static int read_target(struct compiler *compiler, struct json_object *value,
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

/* --- responses
 * ------------------------------------------------------------------------------------ */

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
        accept_name(compiler, action, name, read_target(compiler, value, &here), &here);
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
            "must be names of responses: an object of names and states, or a list");
}

/* --- data
 * ------------------------------------------------------------------------------------------
 */

/* Replace `${me}` and `${on}` in the data, which is the template with the given members
 * over it. */
static struct json_object *merge_data(const struct compiler *compiler, size_t role,
                                      const char *on, struct json_object *template,
                                      struct json_object *given)
{
    struct json_object *parameters = json_new_object();
    struct json_object *merged = json_new_object();

    json_put_text(parameters, "me", compiler->definition->roles[role].name);
    if (on != NULL)
        json_put_text(parameters, "on", on);
    if (template != NULL) {
        json_object_object_foreach (template, name, value) {
            json_put(merged, name, json_object_get(value));
        }
    }
    if (given != NULL) {
        json_object_object_foreach (given, name, value) {
            if (value == NULL) /* null leaves a member out */
                json_object_object_del(merged, name);
            else
                json_put(merged, name, json_object_get(value));
        }
    }
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
                      const struct action_entry *entry, struct json_object *spec,
                      const struct where *where)
{
    const char *type = compiler->types[action->role];
    struct json_object *given = json_member(spec, "data");
    struct where here = {where, "data", 0};
    const char *on = read_on(compiler, spec, where);

    if (given != NULL && !json_object_is_type(given, json_type_object)) {
        mistake_error(compiler->mistakes, &here, "must be an object");
        given = NULL;
    }
    action->data =
        merge_data(compiler, action->role, on,
                   entry ? action_entry_member(entry, type, "template") : NULL, given);
    if (entry != NULL)
        action_entry_check_data(entry, type, action->data, where, compiler->mistakes);
}

/* --- actions
 * -----------------------------------------------------------------------------------------
 */

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

static void fill_names(struct machine_action *action, const struct action_entry *entry,
                       const char *type)
{
    struct json_object *names =
        entry ? action_entry_member(entry, type, "responses") : NULL;
    size_t count = names != NULL ? json_object_array_length(names) : 0;

    action->name_count = count > 0 ? count : 1;
    action->names = xcalloc(action->name_count, sizeof *action->names);
    for (size_t i = 0; i < count; i++)
        action->names[i] =
            xstrdup(json_object_get_string(json_object_array_get_idx(names, i)));
    if (count == 0)
        action->names[0] = xstrdup(action->name);
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
        definition_read_duration(timeout, &at_timeout, &action->timeout_ms,
                                 compiler->mistakes);
    if (save != NULL && !json_is_text(save))
        mistake_error(compiler->mistakes, &at_save, "must be a name");
    else if (save != NULL && soundness_check_saved_name(compiler->definition,
                                                        json_object_get_string(save),
                                                        &at_save, compiler->mistakes))
        action->save = xstrdup(json_object_get_string(save));
}

static void read_action(struct compiler *compiler, int state, const char *role_name,
                        struct json_object *spec, const struct where *where)
{
    static const char *const known[] = {"action", "data",   "responses", "on",
                                        "save",   "expect", "timeout"};
    int role = definition_role(compiler->definition, role_name);
    struct where here = {where, "action", 0};
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
    refuse_unknown_members(compiler, spec, where, "an action", known,
                           sizeof known / sizeof *known);
    const char *type = compiler->types[role];
    const struct action_entry *entry = find_entry(compiler, name, type, &here);
    struct machine_action *action =
        machine_add_action(compiler->machine, state, (size_t)role, name, where);
    fill_names(action, entry, type);
    read_data(compiler, action, entry, spec, where);
    read_responses(compiler, action, spec, where);
    read_save_and_timeout(compiler, action, spec, where);
}

/* --- states
 * --------------------------------------------------------------------------------------------
 */

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
        read_action(compiler, state, role, action, &here);
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

/* What a state can hold: exactly one of these, and `next`. */
static const struct body {
    const char *member;
    enum state_kind kind;
    void (*read)(struct compiler *compiler, int state, struct json_object *spec,
                 struct json_object *body, const struct where *where);
    const char *also[2]; /* further members */
} bodies[] = {
    {"actions", STATE_ACTIONS, read_actions, {0}},
    {"wait", STATE_WAIT, read_wait, {0}},
    {"set", STATE_SET, read_set, {0}},
    {"assert", STATE_ASSERT, read_condition, {0}},
    {"check", STATE_CHECK, read_condition, {0}},
    {"find", STATE_FIND, read_find, {"where", "save"}},
};

enum { BODY_COUNT = sizeof bodies / sizeof *bodies };

/* The row of `bodies` for a state, or BODY_COUNT if it does not have exactly one of them. */
static size_t find_body(struct json_object *spec)
{
    size_t found = BODY_COUNT;
    size_t count = 0;

    for (size_t i = 0; i < BODY_COUNT; i++) {
        if (json_object_is_type(spec, json_type_object) &&
            json_object_object_get_ex(spec, bodies[i].member, NULL)) {
            found = i;
            count++;
        }
    }
    return count == 1 ? found : BODY_COUNT;
}

static void declare_state(struct compiler *compiler, const char *name,
                          struct json_object *spec, const struct where *where)
{
    size_t body = find_body(spec);

    if (machine_find(compiler->machine, name) != MACHINE_NO_STATE)
        mistake_error(compiler->mistakes, where, "the end state %s is not written down",
                      name);
    if (*name == '\0' || strlen(name) > 100)
        mistake_error(compiler->mistakes, where, "a state's name has 1-100 bytes");
    if (body == BODY_COUNT)
        mistake_error(
            compiler->mistakes, where,
            "the state %.100s must be an object with exactly one of actions, wait "
            "and set",
            name);
    machine_add_state(compiler->machine, name,
                      body < BODY_COUNT ? bodies[body].kind : STATE_SET, where);
}

static void fill_state(struct compiler *compiler, int state, struct json_object *spec,
                       const struct where *where)
{
    size_t body = find_body(spec);

    if (body == BODY_COUNT)
        return;
    const char *const known[] = {bodies[body].member, "next", bodies[body].also[0],
                                 bodies[body].also[1]};
    struct where at_body = {where, bodies[body].member, 0};
    struct where at_next = {where, "next", 0};
    refuse_unknown_members(compiler, spec, where, "such a state", known,
                           bodies[body].also[0] != NULL ? 4 : 2);
    bodies[body].read(compiler, state, spec, json_member(spec, bodies[body].member),
                      &at_body);
    if (json_object_object_get_ex(spec, "next", NULL))
        compiler->machine->states[state].next =
            read_target(compiler, json_member(spec, "next"), &at_next);
}

static void compile_states(struct compiler *compiler)
{
    struct json_object *root = compiler->definition->root;
    struct json_object *states = json_member(root, "states");
    struct where at_states = {NULL, "states", 0};
    struct where at_initial = {NULL, "initial", 0};
    int index = STATE_ERROR - STATE_COMPLETE + 1;

    if (!json_object_is_type(states, json_type_object)) {
        mistake_error(compiler->mistakes, &at_states, "must be an object of states");
        return;
    }
    json_object_object_foreach (states, name, declared) {
        struct where here = {&at_states, name, 0};
        declare_state(compiler, name, declared, &here);
    }
    json_object_object_foreach (states, state_name, spec) {
        struct where here = {&at_states, state_name, 0};
        fill_state(compiler, index++, spec, &here);
    }
    compiler->machine->initial =
        read_target(compiler, json_member(root, "initial"), &at_initial);
}

struct machine *compile_case(const struct definition *definition, size_t index,
                             const struct settings *settings, struct mistakes *mistakes)
{
    size_t before = mistakes_errors(mistakes);
    struct settings defaults;

    settings_init(&defaults);
    struct compiler compiler = {
        .definition = definition,
        .types = xcalloc(definition->role_count, sizeof *compiler.types),
        .timeout_ms = (settings ? settings : &defaults)->step_timeout_ms,
        .machine = machine_new(definition->name, definition->role_count),
        .mistakes = mistakes,
    };
    definition_case_types(definition, index, compiler.types);
    for (size_t i = 0; i < definition->role_count; i++) {
        compiler.types[i] = compile_registration_type(settings, compiler.types[i]);
        compiler.machine->roles[i] = xstrdup(definition->roles[i].name);
    }
    compile_states(&compiler);
    machine_finish(compiler.machine);
    if (mistakes_errors(mistakes) == before)
        soundness_check(definition, compiler.machine, mistakes);
    free(compiler.types);
    if (mistakes_errors(mistakes) > before) {
        machine_release(compiler.machine);
        return NULL;
    }
    return compiler.machine;
}
