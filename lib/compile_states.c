/* SPDX-License-Identifier: Apache-2.0 */
/*
 * States as a file has them. First every state gets its index, then each is filled in, so that
 * states may name each other in any order.
 */
#include "compile_internal.h"
#include "json.h"

#include <string.h>

static void declare_state(struct compiler *compiler, const char *name,
                          struct json_object *spec, const struct where *where)
{
    const struct compile_body *body = compile_find_body(spec);

    if (machine_find(compiler->machine, name) != MACHINE_NO_STATE)
        mistake_error(compiler->mistakes, where, "the end state %s is not written down",
                      name);
    if (*name == '\0' || strlen(name) > 100)
        mistake_error(compiler->mistakes, where, "a state's name has 1-100 bytes");
    if (body == NULL)
        mistake_error(
            compiler->mistakes, where,
            "the state %.100s must be an object with exactly one of actions, wait "
            "and set",
            name);
    machine_add_state(compiler->machine, name, body != NULL ? body->kind : STATE_SET,
                      where);
}

static void fill_state(struct compiler *compiler, int state, struct json_object *spec,
                       const struct where *where)
{
    const struct compile_body *body = compile_find_body(spec);
    struct where at_next = {where, "next", 0};

    if (body == NULL)
        return;
    const char *const known[] = {body->member, "next", body->also[0], body->also[1],
                                 NULL};
    compile_refuse_unknown(compiler, spec, where, "such a state", known);
    compile_read_body(compiler, state, body, spec, where);
    if (json_object_object_get_ex(spec, "next", NULL)) {
        int next = compile_target(compiler, json_member(spec, "next"), &at_next);
        compiler->machine->states[state].next = next;
    }
}

/* --- emulations */

/* Let all that led to a state lead to another one. */
static void redirect(struct machine *machine, int from, int to)
{
    for (size_t i = 0; i < machine->state_count; i++) {
        struct machine_state *state = &machine->states[i];
        if (state->next == from)
            state->next = to;
        for (size_t a = 0; a < state->action_count; a++) {
            for (size_t r = 0; r < state->actions[a].response_count; r++) {
                if (state->actions[a].responses[r].target == from)
                    state->actions[a].responses[r].target = to;
            }
        }
    }
    if (machine->initial == from)
        machine->initial = to;
}

/* Put the steps that emulate an action of this state before it, as states of their own. */
static void emulate_actions(struct compiler *compiler, int state,
                            struct json_object *spec, const struct where *where)
{
    struct json_object *actions = json_member(spec, "actions");
    struct where at_actions = {where, "actions", 0};

    if (!json_object_is_type(actions, json_type_object))
        return;
    json_object_object_foreach (actions, role, action) {
        struct where here = {&at_actions, role, 0};
        struct json_object *steps = compile_emulation(compiler, role, action, &here);
        int first, last;
        if (steps != NULL &&
            compile_chain(compiler, steps, compiler->machine->states[state].name, &here,
                          &first, &last)) {
            redirect(compiler->machine, state, first);
            compiler->machine->states[last].next = state;
        }
        json_object_put(steps);
    }
}

void compile_states(struct compiler *compiler)
{
    struct json_object *root = compiler->definition->root;
    struct json_object *states = json_member(root, "states");
    struct where at_states = {NULL, "states", 0};
    struct where at_initial = {NULL, "initial", 0};
    const int first = STATE_ERROR - STATE_COMPLETE + 1; /* the end states come before */
    int index = first;

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
        compile_target(compiler, json_member(root, "initial"), &at_initial);
    index = first;
    json_object_object_foreach (states, name_again, spec_again) {
        struct where here = {&at_states, name_again, 0};
        emulate_actions(compiler, index++, spec_again, &here);
    }
}
