/* SPDX-License-Identifier: Apache-2.0 */
/* What can be known wrong of a machine before it runs: three walks over its graph. */
#include "soundness.h"

#include "json.h"
#include "value.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

bool soundness_check_saved_name(const struct definition *definition, const char *name,
                                const struct where *where, struct mistakes *mistakes)
{
    if (!definition_check_name(name, where, mistakes))
        return false;
    if (definition_role(definition, name) < 0 && definition_server(definition, name) < 0)
        return true;
    mistake_error(mistakes, where, "\"%s\" is the name of a role or a server already",
                  name);
    return false;
}

/* --- reaching and leaving
 * ----------------------------------------------------------------------- */

static void mark_reachable(const struct machine *machine, int state, bool *reached)
{
    int *stack = xcalloc(machine->state_count, sizeof *stack);
    size_t depth = 0;

    reached[state] = true;
    stack[depth++] = state;
    while (depth > 0) {
        const struct machine_state *from = &machine->states[stack[--depth]];
        for (size_t i = from->first_edge; i < from->first_edge + from->edge_count; i++) {
            int to = machine->edges[i].to;
            if (!reached[to]) {
                reached[to] = true;
                stack[depth++] = to;
            }
        }
    }
    free(stack);
}

static bool moves_by_response(const struct machine_state *state)
{
    for (size_t a = 0; a < state->action_count; a++) {
        for (size_t r = 0; r < state->actions[a].response_count; r++) {
            if (state->actions[a].responses[r].target != MACHINE_STAYS)
                return true;
        }
    }
    return false;
}

static void check_ways(const struct machine *machine, struct mistakes *mistakes)
{
    bool *reached = xcalloc(machine->state_count, sizeof *reached);

    mark_reachable(machine, machine->initial, reached);
    for (size_t i = 0; i < machine->state_count; i++) {
        const struct machine_state *state = &machine->states[i];
        if (machine_is_end(machine, (int)i))
            continue;
        if (!reached[i])
            mistake_error(mistakes, state->place, "nothing leads to the state %s",
                          state->name);
        if (state->next == MACHINE_NO_STATE && !moves_by_response(state))
            mistake_error(
                mistakes, state->place,
                "the state %s has no way out: give it \"next\", or a response that "
                "leads to another state",
                state->name);
    }
    if (!reached[machine_find(machine, "complete")])
        mistake_warning(mistakes, NULL,
                        "no way leads to complete: the test can't succeed");
    free(reached);
}

/* --- loops that never rest
 * -------------------------------------------------------------------------- */

static bool rests(const struct machine_state *state)
{
    return state->kind == STATE_ACTIONS || state->kind == STATE_WAIT ||
           state->kind == STATE_HTTP || state->kind >= STATE_COMPLETE;
}

/* Restless states have only `next`, so following it long enough shows every loop. */
static void check_rest(const struct machine *machine, struct mistakes *mistakes)
{
    for (size_t i = 0; i < machine->state_count; i++) {
        int at = (int)i;
        size_t steps = 0;
        while (at != MACHINE_NO_STATE && !rests(&machine->states[at]) &&
               steps <= machine->state_count) {
            at = machine->states[at].next;
            steps++;
        }
        if (steps > machine->state_count)
            mistake_error(mistakes, machine->states[i].place,
                          "from the state %s the test would run in a circle without ever "
                          "waiting for anybody",
                          machine->states[i].name);
    }
}

/* --- values that can never be there
 * -------------------------------------------------------------------- */

/* Looking at one reference. */
struct reference_check {
    const struct definition *definition; /* whose names count */
    struct json_object *known;           /* variables and saved names that may be there */
    const struct where *where;           /* the place of the reference */
    struct mistakes *mistakes;           /* is filled */
};

static bool is_member_of(const char *path, const char *const *members, size_t count)
{
    size_t size = strcspn(path, ".");

    for (size_t i = 0; i < count; i++) {
        if (strlen(members[i]) == size && strncmp(members[i], path, size) == 0)
            return true;
    }
    return false;
}

/* What a path of two parts can begin with, and go on with. */
static bool is_known_path(const struct definition *definition, struct json_object *known,
                          const char *head, const char *rest)
{
    static const char *const of_role[] = {"name",         "localpart",    "password",
                                          "type",         "registration", "cs_api",
                                          "cs_api_docker"};
    static const char *const of_server[] = {"server_name", "cs_api", "cs_api_docker"};
    static const char *const of_case[] = {"id", "name", "attempt", "nonce"};
    static const char *const of_run[] = {"id", "started"};

    if (definition_role(definition, head) >= 0)
        return rest == NULL || is_member_of(rest, of_role, 7);
    if (definition_server(definition, head) >= 0)
        return rest == NULL || is_member_of(rest, of_server, 3);
    if (strcmp(head, "case") == 0)
        return rest == NULL || is_member_of(rest, of_case, 4);
    if (strcmp(head, "run") == 0)
        return rest == NULL || is_member_of(rest, of_run, 2);
    return json_object_object_get_ex(known, head, NULL);
}

static void check_reference(const char *path, void *argument)
{
    const struct reference_check *check = argument;
    size_t size = strcspn(path, ".");
    char *head = xstrndup(path, size);
    const char *rest = path[size] == '.' ? path + size + 1 : NULL;

    if (strcmp(head, "on") == 0)
        mistake_error(check->mistakes, check->where,
                      "${%.80s} can never have a value: the test has no servers, and no "
                      "\"on\" is given",
                      path);
    else if (!is_known_path(check->definition, check->known, head, rest))
        mistake_error(check->mistakes, check->where,
                      "${%.80s} can never have a value here", path);
    free(head);
}

/* Check the references of one string. */
static void check_text(struct reference_check *check, struct json_object *text,
                       const struct where *where)
{
    char *cause = NULL;

    check->where = where;
    if (value_references(text, check_reference, check, &cause) < 0)
        mistake_error(check->mistakes, where, "%s", cause);
    free(cause);
}

/* Check all references, each at its own place. */
static void check_all(struct reference_check *check, struct json_object *template,
                      const struct where *where)
{
    if (json_object_is_type(template, json_type_string))
        check_text(check, template, where);
    if (json_object_is_type(template, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(template); i++) {
            struct where here = {where, NULL, i};
            check_all(check, json_object_array_get_idx(template, i), &here);
        }
    }
    if (json_object_is_type(template, json_type_object)) {
        json_object_object_foreach (template, name, member) {
            struct where here = {where, name, 0};
            struct json_object *name_text = json_new_text(name);
            check_text(check, name_text, &here);
            check_all(check, member, &here);
            json_object_put(name_text);
        }
    }
}

static void check_references(const struct definition *definition,
                             struct json_object *known, struct json_object *template,
                             const struct where *where, struct mistakes *mistakes)
{
    struct reference_check check = {definition, known, where, mistakes};

    check_all(&check, template, where);
}

/* The same for what a state holds besides actions: its place is that of the member which has it. */
static void check_body(const struct definition *definition, struct json_object *known,
                       const struct machine_state *state, struct mistakes *mistakes)
{
    static const char *const members[] = {
        [STATE_WAIT] = "wait",
        [STATE_SET] = "set",
        [STATE_ASSERT] = "assert",
        [STATE_CHECK] = "check",
    };
    bool is_member = state->kind < sizeof members / sizeof *members;
    struct where at_member = {state->place, is_member ? members[state->kind] : NULL, 0};

    if (state->body != NULL)
        check_references(definition, known, state->body,
                         at_member.member != NULL ? &at_member : state->place, mistakes);
}

/* Add what leaving this state saves. True if that is news. */
static bool add_saved(struct json_object *names, const struct machine_state *state,
                      struct json_object *before)
{
    int count = json_object_object_length(names);

    json_object_object_foreach (before, name, value) {
        (void)value;
        json_put(names, name, NULL);
    }
    for (size_t i = 0; i < state->action_count; i++) {
        if (state->actions[i].save != NULL)
            json_put(names, state->actions[i].save, NULL);
    }
    if ((state->kind == STATE_FIND || state->kind == STATE_HTTP) &&
        json_member_text(state->body, "save") != NULL)
        json_put(names, json_member_text(state->body, "save"), NULL);
    if (state->kind == STATE_SET) {
        json_object_object_foreach (state->body, set, ignored) {
            (void)ignored;
            json_put(names, set, NULL);
        }
    }
    return json_object_object_length(names) > count;
}

/* For each state, the variables and the names that may have been saved on some way to it.
 */
static struct json_object **known_before(const struct definition *definition,
                                         const struct machine *machine)
{
    struct json_object **known = xcalloc(machine->state_count, sizeof *known);
    bool news = true;

    for (size_t i = 0; i < machine->state_count; i++) {
        known[i] = json_new_object();
        json_object_object_foreach (definition->variables, name, value) {
            (void)value;
            json_put(known[i], name, NULL);
        }
    }
    while (news) {
        news = false;
        for (size_t i = 0; i < machine->edge_count; i++) {
            const struct machine_edge *edge = &machine->edges[i];
            if (add_saved(known[edge->to], &machine->states[edge->from],
                          known[edge->from]))
                news = true;
        }
    }
    return known;
}

static void check_values(const struct definition *definition,
                         const struct machine *machine, struct mistakes *mistakes)
{
    struct json_object **known = known_before(definition, machine);
    struct json_object *before = json_new_object();
    struct where variables = {NULL, "variables", 0};

    json_object_object_foreach (definition->variables, name, value) {
        struct where here = {&variables, name, 0};
        check_references(definition, before, value, &here, mistakes);
        json_put(before, name, NULL); /* a variable may use those above it */
    }
    for (size_t i = 0; i < machine->state_count; i++) {
        const struct machine_state *state = &machine->states[i];
        for (size_t a = 0; a < state->action_count; a++) {
            struct where at_data = {state->actions[a].place, "data", 0};
            check_references(definition, known[i], state->actions[a].data, &at_data,
                             mistakes);
        }
        check_body(definition, known[i], state, mistakes);
        json_object_put(known[i]);
    }
    json_object_put(before);
    free(known);
}

void soundness_check(const struct definition *definition, const struct machine *machine,
                     struct mistakes *mistakes)
{
    check_ways(machine, mistakes);
    check_rest(machine, mistakes);
    check_values(definition, machine, mistakes);
}
