/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps: each becomes a state that leads to the next one. Flows and loops are unrolled on
 * the way, their parameters replaced; where a client type needs an emulation, its steps
 * come before.
 */
#include "compile_internal.h"
#include "json.h"
#include "soundness.h"
#include "utf8.h"
#include "value.h"
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATES_MAX 10000 /* of one case */
#define DEPTH_MAX  16    /* flows and loops within each other */
#define WALK_MAX   30000 /* steps that are looked at, of one case */
#define LABEL_MAX  80    /* bytes of a state's name, but for its number */

/* States in a row. */
struct chain {
    struct compiler *compiler; /* for all of them */
    size_t number;             /* of the latest step */
    int first;                 /* the first state; MACHINE_NO_STATE: none yet */
    int last;                  /* the latest one, whose next is not yet known */
    size_t walked;             /* steps that were looked at */
    size_t depth;              /* flows and loops around the step */
    bool full;                 /* there are too many: the rest is left out */
};

static void chain_steps(struct chain *chain, struct json_object *steps,
                        struct json_object *parameters, bool has_places,
                        const struct where *where);

/* Add a state after the latest one. */
static int chain_add(struct chain *chain, enum state_kind kind, const char *label,
                     const struct where *where)
{
    struct machine *machine = chain->compiler->machine;
    char *brief = utf8_shorten(label, LABEL_MAX);
    char *name = xasprintf("%zu %s", ++chain->number, brief);
    int state = machine_add_state(machine, name, kind, where);

    if (chain->last != MACHINE_NO_STATE)
        machine->states[chain->last].next = state;
    else
        chain->first = state;
    chain->last = state;
    free(name);
    free(brief);
    return state;
}

/* --- role steps --- */

/* The role that a step is for, or NULL. */
static const char *role_of(const struct compiler *compiler, struct json_object *step)
{
    json_object_object_foreach (step, name, value) {
        (void)value;
        if (definition_role(compiler->definition, name) >= 0)
            return name;
    }
    return NULL;
}

/* A role step in the form that a state's action has. Owned by the caller. */
static struct json_object *action_of(struct compiler *compiler, struct json_object *step,
                                     const char *role, const struct where *where)
{
    static const char *const members[] = {"data",   "on",      "save",
                                          "expect", "timeout", NULL};
    const char *const known[] = {role,      "data", "on",        "save", "expect",
                                 "timeout", "name", "responses", NULL};
    struct where at_responses = {where, "responses", 0};
    struct json_object *spec = json_new_object();

    if (json_object_object_get_ex(step, "responses", NULL))
        mistake_error(compiler->mistakes, &at_responses,
                      "only states branch by responses: a step says by \"expect\" which "
                      "of them it takes");
    compile_refuse_unknown(compiler, step, where, "a step of a role", known);
    json_put(spec, "action", json_object_get(json_member(step, role)));
    for (size_t i = 0; members[i] != NULL; i++) {
        struct json_object *value = NULL;
        if (json_object_object_get_ex(step, members[i], &value))
            json_put(spec, members[i], json_object_get(value));
    }
    return spec;
}

/* What has to be done before, where the client type can't do the action by itself. */
static void chain_emulation(struct chain *chain, const char *role,
                            struct json_object *spec, const struct where *where)
{
    struct json_object *steps = compile_emulation(chain->compiler, role, spec, where);
    struct json_object *nothing = json_new_object();

    if (steps != NULL)
        chain_steps(chain, steps, nothing, false, where);
    json_object_put(nothing);
    json_object_put(steps);
}

/* A state for one or several role steps, each at its own place. */
static void chain_roles(struct chain *chain, struct json_object **steps, size_t count,
                        const struct where *places, const char *name,
                        const struct where *where)
{
    struct compiler *compiler = chain->compiler;
    struct json_object **specs = xcalloc(count, sizeof *specs);
    const char **roles = xcalloc(count, sizeof *roles);
    char *label = name != NULL ? xstrdup(name) : xstrdup("");

    for (size_t i = 0; i < count; i++) {
        roles[i] = role_of(compiler, steps[i]);
        specs[i] = action_of(compiler, steps[i], roles[i], &places[i]);
        chain_emulation(chain, roles[i], specs[i], &places[i]);
        if (name != NULL)
            continue;
        char *longer = xasprintf("%s%s%s %s", label, i > 0 ? ", " : "", roles[i],
                                 json_object_get_string(json_member(specs[i], "action")));
        free(label);
        label = longer;
    }
    int state = chain_add(chain, STATE_ACTIONS, label, where);
    for (size_t i = 0; i < count; i++) {
        compile_action(compiler, state, roles[i], specs[i], &places[i]);
        json_object_put(specs[i]);
    }
    free(specs);
    free(roles);
    free(label);
}

/* --- what a step does --- */

/* A step that other steps are in. */
struct structure {
    const char *member; /* its name */
    void (*chain)(struct chain *chain, struct json_object *step,
                  const struct where *where); /* adds the states it comes to */
};

static const struct structure *find_structure(const char *member);

/* Note the first parameter among the step's members that nobody gave; false if there is
 * none. */
static bool note_open_parameter(struct chain *chain, struct json_object *step,
                                const struct where *where)
{
    json_object_object_foreach (step, name, value) {
        (void)value;
        if (strstr(name, "${") != NULL) {
            mistake_error(chain->compiler->mistakes, where,
                          "nobody gives %.80s a value: a flow needs its parameters in "
                          "\"with\"",
                          name);
            return true;
        }
    }
    return false;
}

/* Whether the step is an object that does exactly one thing; notes what is wrong. */
static bool check_step(struct chain *chain, struct json_object *step,
                       const struct where *where)
{
    struct compiler *compiler = chain->compiler;
    struct where at_name = {where, "name", 0};
    const char *first = NULL;
    struct json_object *label;

    if (!json_object_is_type(step, json_type_object)) {
        mistake_error(compiler->mistakes, where, "a step is an object");
        return false;
    }
    if (json_object_object_get_ex(step, "name", &label) && !json_is_text(label))
        mistake_error(compiler->mistakes, &at_name, "must be a string");
    json_object_object_foreach (step, name, value) {
        (void)value;
        if (definition_role(compiler->definition, name) < 0 &&
            find_structure(name) == NULL && !compile_is_body(name))
            continue;
        if (first != NULL) {
            mistake_error(compiler->mistakes, where,
                          "a step does one thing, and this one has both %s and %s: make "
                          "two steps of it; roles can be in one \"parallel\"",
                          first, name);
            return false;
        }
        first = name;
    }
    if (first != NULL && strcmp(first, "actions") != 0)
        return true;
    if (!note_open_parameter(chain, step, where))
        mistake_error(
            compiler->mistakes, where,
            "a step has a role of this test, or one of parallel, wait, set, assert, "
            "check, find, http, flow, for_each and repeat; this is %.100s",
            json_text(step));
    return false;
}

/* --- parallel --- */

/* Whether a step may stand beside those before it; notes what is wrong. */
static bool check_side(struct chain *chain, struct json_object **steps, size_t i,
                       const struct where *where)
{
    struct compiler *compiler = chain->compiler;
    struct where at_name = {where, "name", 0};
    struct where at_save = {where, "save", 0};

    if (!check_step(chain, steps[i], where))
        return false;
    const char *role = role_of(compiler, steps[i]);
    const char *save = json_member_text(steps[i], "save");
    if (role == NULL) {
        mistake_error(compiler->mistakes, where, "must be a step of a role");
        return false;
    }
    if (json_object_object_get_ex(steps[i], "name", NULL))
        mistake_error(compiler->mistakes, &at_name,
                      "what is done at once has one name: put it beside \"parallel\"");
    for (size_t j = 0; j < i; j++) {
        const char *other = json_member_text(steps[j], "save");
        if (strcmp(role, role_of(compiler, steps[j])) == 0)
            mistake_error(compiler->mistakes, where,
                          "%s is there twice: each role can do one thing at a time",
                          role);
        if (save != NULL && other != NULL && strcmp(save, other) == 0)
            mistake_error(compiler->mistakes, &at_save,
                          "\"%.80s\" is saved twice at once: only one would be left",
                          save);
    }
    return true;
}

static void chain_parallel(struct chain *chain, struct json_object *step,
                           const struct where *where)
{
    struct compiler *compiler = chain->compiler;
    static const char *const known[] = {"parallel", "name", NULL};
    struct json_object *list = json_member(step, "parallel");
    struct where at_list = {where, "parallel", 0};
    size_t count =
        json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    struct json_object **steps = xcalloc(count, sizeof *steps);
    struct where *places = xcalloc(count, sizeof *places);
    bool good = count > 0;

    compile_refuse_unknown(compiler, step, where, "parallel", known);
    if (!good)
        mistake_error(compiler->mistakes, &at_list, "must be a list of role steps");
    for (size_t i = 0; i < count && good; i++) {
        steps[i] = json_object_array_get_idx(list, i);
        places[i] = (struct where){&at_list, NULL, i};
        good = check_side(chain, steps, i, &places[i]);
    }
    if (good)
        chain_roles(chain, steps, count, places, json_member_text(step, "name"), where);
    free(places);
    free(steps);
}

/* --- flows and loops --- */

/* Whether a parameter may have this name; notes what is wrong. */
static bool check_parameter(struct chain *chain, const char *name,
                            const struct where *where)
{
    struct compiler *compiler = chain->compiler;

    if (!soundness_check_saved_name(compiler->definition, name, where,
                                    compiler->mistakes))
        return false;
    if (!json_object_object_get_ex(compiler->definition->variables, name, NULL))
        return true;
    mistake_error(compiler->mistakes, where, "\"%s\" is the name of a variable already",
                  name);
    return false;
}

/* Looking for a name among references. */
struct search {
    const char *name; /* what is looked for; borrowed */
    bool found;       /* it is there */
};

static void look(const char *path, void *argument)
{
    struct search *search = argument;
    size_t size = strcspn(path, ".");

    if (strlen(search->name) == size && strncmp(path, search->name, size) == 0)
        search->found = true;
}

/* Note what is given to a flow that can't be meant for it. */
static void check_parameters(struct chain *chain, struct json_object *with,
                             const struct flow *flow, const struct where *where)
{
    json_object_object_foreach (with, name, value) {
        struct where here = {where, name, 0};
        struct search search = {name, false};
        char *cause = NULL;
        (void)value;
        if (!check_parameter(chain, name, &here))
            continue;
        if (value_references(flow->steps, look, &search, &cause) == 0 && !search.found)
            mistake_error(chain->compiler->mistakes, &here,
                          "the flow %s has no ${%s} that this could be for", flow->name,
                          name);
        free(cause);
    }
}

static void chain_flow(struct chain *chain, struct json_object *step,
                       const struct where *where)
{
    struct compiler *compiler = chain->compiler;
    static const char *const known[] = {"flow", "with", "name", NULL};
    struct where at_flow = {where, "flow", 0};
    struct where at_with = {where, "with", 0};
    const char *name = json_member_text(step, "flow");
    const struct flow *flow = name ? definition_flow(compiler->definition, name) : NULL;
    struct json_object *with = json_member(step, "with");
    struct json_object *nothing = json_new_object();

    compile_refuse_unknown(compiler, step, where, "flow", known);
    if (flow == NULL)
        mistake_error(compiler->mistakes, &at_flow, "there is no flow %.80s",
                      json_text(json_member(step, "flow")));
    else if (with != NULL && !json_object_is_type(with, json_type_object))
        mistake_error(compiler->mistakes, &at_with,
                      "must be an object: parameters and values");
    else {
        if (with != NULL)
            check_parameters(chain, with, flow, &at_with);
        chain_steps(chain, flow->steps, with != NULL ? with : nothing, true, flow->place);
    }
    json_object_put(nothing);
}

/* One round of a loop: the steps with the loop's name set. */
static void chain_round(struct chain *chain, struct json_object *step,
                        struct json_object *value, const struct where *where)
{
    struct where at_steps = {where, "steps", 0};
    struct json_object *parameters = json_new_object();

    json_put(parameters, json_member_text(step, "as"), json_object_get(value));
    chain_steps(chain, json_member(step, "steps"), parameters, true, &at_steps);
    json_object_put(parameters);
}

/* Whether the loop has a good name and steps; notes what is wrong. */
static bool check_loop(struct chain *chain, struct json_object *step, const char *kind,
                       const struct where *where)
{
    struct mistakes *mistakes = chain->compiler->mistakes;
    const char *const known[] = {kind, "as", "steps", "name", NULL};
    struct where at_as = {where, "as", 0};
    struct where at_steps = {where, "steps", 0};
    const char *as = json_member_text(step, "as");
    struct json_object *steps = json_member(step, "steps");
    bool has_steps = json_object_is_type(steps, json_type_array) &&
                     json_object_array_length(steps) > 0;

    compile_refuse_unknown(chain->compiler, step, where, kind, known);
    if (as == NULL)
        mistake_error(mistakes, &at_as,
                      "must be a name for what changes from round to round");
    if (!has_steps)
        mistake_error(mistakes, &at_steps, "must be a list of at least one step");
    return as != NULL && check_parameter(chain, as, &at_as) && has_steps;
}

static void chain_for_each(struct chain *chain, struct json_object *step,
                           const struct where *where)
{
    struct json_object *list = json_member(step, "for_each");
    struct where at_list = {where, "for_each", 0};

    if (!check_loop(chain, step, "for_each", where))
        return;
    if (!json_object_is_type(list, json_type_array) ||
        json_object_array_length(list) == 0) {
        mistake_error(chain->compiler->mistakes, &at_list,
                      "must be a list of at least one value");
        return;
    }
    for (size_t i = 0; i < json_object_array_length(list) && !chain->full; i++)
        chain_round(chain, step, json_object_array_get_idx(list, i), where);
}

static void chain_repeat(struct chain *chain, struct json_object *step,
                         const struct where *where)
{
    struct json_object *count = json_member(step, "repeat");
    struct where at_count = {where, "repeat", 0};

    if (!check_loop(chain, step, "repeat", where))
        return;
    if (!json_object_is_type(count, json_type_int) || json_object_get_int64(count) < 1) {
        mistake_error(chain->compiler->mistakes, &at_count, "must be a number from 1");
        return;
    }
    for (int64_t i = 1; i <= json_object_get_int64(count) && !chain->full; i++) {
        struct json_object *number = xcheck(json_object_new_int64(i));
        chain_round(chain, step, number, where);
        json_object_put(number);
    }
}

/* --- every step --- */

static void chain_body(struct chain *chain, struct json_object *step,
                       const struct compile_body *body, const struct where *where)
{
    const char *const known[] = {body->member, "name",
                                 body->also[0] ? body->also[0] : "name", body->also[1],
                                 NULL};
    const char *name = json_member_text(step, "name");
    int state = chain_add(chain, body->kind, name != NULL ? name : body->member, where);

    compile_refuse_unknown(chain->compiler, step, where, body->member, known);
    compile_read_body(chain->compiler, state, body, step, where);
}

static const struct structure structures[] = {
    {"parallel", chain_parallel},
    {"flow", chain_flow},
    {"for_each", chain_for_each},
    {"repeat", chain_repeat},
};

static const struct structure *find_structure(const char *member)
{
    for (size_t i = 0; i < sizeof structures / sizeof *structures; i++) {
        if (strcmp(structures[i].member, member) == 0)
            return &structures[i];
    }
    return NULL;
}

static void chain_step(struct chain *chain, struct json_object *step,
                       const struct where *where)
{
    if (!check_step(chain, step, where))
        return;
    for (size_t i = 0; i < sizeof structures / sizeof *structures; i++) {
        if (json_object_object_get_ex(step, structures[i].member, NULL)) {
            structures[i].chain(chain, step, where);
            return;
        }
    }
    if (role_of(chain->compiler, step) != NULL)
        chain_roles(chain, &step, 1, where, json_member_text(step, "name"), where);
    else
        chain_body(chain, step, compile_find_body(step), where);
}

/* Add all that these steps come to. They stand in a list at `where`; those of the
 * dictionary do not (no has_places): what is wrong with them is told of the step that
 * needs them. */
static void chain_steps(struct chain *chain, struct json_object *steps,
                        struct json_object *parameters, bool has_places,
                        const struct where *where)
{
    struct mistakes *mistakes = chain->compiler->mistakes;

    if (chain->depth == DEPTH_MAX) {
        mistake_error(
            mistakes, where,
            "flows and loops are more than %d deep here: does a flow call itself?",
            DEPTH_MAX);
        chain->full = true;
        return;
    }
    chain->depth++;
    for (size_t i = 0; i < json_object_array_length(steps) && !chain->full; i++) {
        const struct where in_list = {where, NULL, i};
        const struct where *here = has_places ? &in_list : where;
        struct json_object *step =
            value_bind(json_object_array_get_idx(steps, i), parameters);
        chain_step(chain, step, here);
        json_object_put(step);
        if (chain->compiler->machine->state_count > STATES_MAX && !chain->full) {
            mistake_error(mistakes, here, "the steps make more than %d states",
                          STATES_MAX);
            chain->full = true;
        }
        if (++chain->walked > WALK_MAX && !chain->full) {
            mistake_error(mistakes, here,
                          "flows and loops make more than %d steps of these", WALK_MAX);
            chain->full = true;
        }
    }
    chain->depth--;
}

void compile_steps(struct compiler *compiler)
{
    struct chain chain = {
        .compiler = compiler, .first = MACHINE_NO_STATE, .last = MACHINE_NO_STATE};
    struct json_object *steps = json_member(compiler->definition->root, "steps");
    struct json_object *nothing = json_new_object();
    struct where here = {NULL, "steps", 0};
    int complete = machine_find(compiler->machine, "complete");

    compiler->emulates = true;
    if (!json_object_is_type(steps, json_type_array) ||
        json_object_array_length(steps) == 0)
        mistake_error(compiler->mistakes, &here, "must be a list of at least one step");
    else
        chain_steps(&chain, steps, nothing, true, &here);
    if (chain.last != MACHINE_NO_STATE)
        compiler->machine->states[chain.last].next = complete;
    compiler->machine->initial = chain.first != MACHINE_NO_STATE ? chain.first : complete;
    json_object_put(nothing);
}
