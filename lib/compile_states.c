/* SPDX-License-Identifier: Apache-2.0 */
/*
 * States as a file has them. First every state gets its index, then each is filled in, so
 * that states may name each other in any order.
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
            "the state %.100s must be an object with exactly one of actions, wait, set, "
            "assert, check, find and http",
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

void compile_states(struct compiler *compiler)
{
    struct json_object *root = compiler->definition->root;
    struct json_object *states = json_member(root, "states");
    struct where at_states = {NULL, "states", 0};
    struct where at_initial = {NULL, "initial", 0};
    int index = STATE_ERROR - STATE_COMPLETE + 1; /* the end states come before */

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
}
