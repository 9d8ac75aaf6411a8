/* SPDX-License-Identifier: Apache-2.0 */
/* What can be known wrong of a machine before it runs: three walks over its graph. */
#include "soundness.h"

#include "json.h"
#include "value.h"
#include "xalloc.h"

#include <stdint.h>
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

/* --- reaching and leaving --- */

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

/* --- loops that never rest --- */

/* Restless states have only `next`, so following it long enough shows every loop. */
static void check_rest(const struct machine *machine, struct mistakes *mistakes)
{
    for (size_t i = 0; i < machine->state_count; i++) {
        int at = (int)i;
        size_t steps = 0;
        while (at != MACHINE_NO_STATE && !machine_state_rests(&machine->states[at]) &&
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

/* --- values that can never be there --- */

/* Every variable and saved name has a number, and what may have a value is a set of
 * these. */
struct names {
    struct json_object *numbers; /* name -> its number; owned */
    size_t words;                /* length of a set */
};

/* Looking at one reference. */
struct reference_check {
    const struct definition *definition; /* whose names count */
    const struct names *names;           /* borrowed */
    const uint64_t *known;               /* the set of those that may have a value here */
    const struct where *where;           /* the place of the reference */
    struct mistakes *mistakes;           /* is filled */
};

static void add_name(struct names *names, const char *name)
{
    if (!json_object_object_get_ex(names->numbers, name, NULL))
        json_put_int(names->numbers, name, json_object_object_length(names->numbers));
}

static void put_in_set(const struct names *names, uint64_t *set, const char *name)
{
    int64_t number = json_object_get_int64(json_member(names->numbers, name));

    set[number / 64] |= UINT64_C(1) << number % 64;
}

static bool is_in_set(const struct names *names, const uint64_t *set, const char *name)
{
    struct json_object *number = json_member(names->numbers, name);
    int64_t n = number != NULL ? json_object_get_int64(number) : -1;

    return n >= 0 && (set[n / 64] >> n % 64 & 1);
}

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
static bool is_known_path(const struct reference_check *check, const char *head,
                          const char *rest)
{
    const struct definition *definition = check->definition;
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
    return is_in_set(check->names, check->known, head);
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
    else if (!is_known_path(check, head, rest))
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

/* The same for what a state holds besides actions: its place is that of the member which
 * has it. */
static void check_body(struct reference_check *check, const struct machine_state *state)
{
    static const char *const members[] = {
        [STATE_WAIT] = "wait",
        [STATE_SET] = "set",
        [STATE_ASSERT] = "assert",
        [STATE_CHECK] = "check",
    };
    bool is_member = state->kind < sizeof members / sizeof *members;
    struct where at_member = {state->place, is_member ? members[state->kind] : NULL, 0};

    check_all(check, state->body, at_member.member != NULL ? &at_member : state->place);
}

/* Call it with each name that leaving this state gives a value to. */
static void each_saved(const struct machine_state *state,
                       void (*visit)(const char *name, void *argument), void *argument)
{
    bool saves = state->kind == STATE_FIND || state->kind == STATE_HTTP;
    const char *save = saves ? json_member_text(state->body, "save") : NULL;

    for (size_t i = 0; i < state->action_count; i++) {
        if (state->actions[i].save != NULL)
            visit(state->actions[i].save, argument);
    }
    if (save != NULL)
        visit(save, argument);
    if (state->kind != STATE_SET)
        return;
    json_object_object_foreach (state->body, name, value) {
        (void)value;
        visit(name, argument);
    }
}

static void number_name(const char *name, void *argument)
{
    add_name(argument, name);
}

static void number_names(struct names *names, const struct definition *definition,
                         const struct machine *machine)
{
    names->numbers = json_new_object();
    json_object_object_foreach (definition->variables, name, value) {
        (void)value;
        add_name(names, name);
    }
    for (size_t i = 0; i < machine->state_count; i++)
        each_saved(&machine->states[i], number_name, names);
    names->words = (size_t)json_object_object_length(names->numbers) / 64 + 1;
}

/* A set that grows. */
struct growing {
    const struct names *names; /* borrowed */
    uint64_t *set;             /* borrowed */
};

static void put_saved(const char *name, void *argument)
{
    const struct growing *growing = argument;

    put_in_set(growing->names, growing->set, name);
}

/* For each state two sets: what may have been saved on some way to it, and what leaving
 * it saves. */
static void fill_sets(const struct names *names, const struct definition *definition,
                      const struct machine *machine, uint64_t *before, uint64_t *saved)
{
    bool news = true;

    for (size_t i = 0; i < machine->state_count; i++) {
        struct growing growing = {names, saved + i * names->words};
        each_saved(&machine->states[i], put_saved, &growing);
        json_object_object_foreach (definition->variables, name, value) {
            (void)value;
            put_in_set(names, before + i * names->words, name);
        }
    }
    while (news) {
        news = false;
        for (size_t i = 0; i < machine->edge_count; i++) {
            const struct machine_edge *edge = &machine->edges[i];
            size_t from = (size_t)edge->from * names->words;
            size_t to = (size_t)edge->to * names->words;
            for (size_t w = 0; w < names->words; w++) {
                uint64_t all = before[to + w] | before[from + w] | saved[from + w];
                news = news || all != before[to + w];
                before[to + w] = all;
            }
        }
    }
}

/* A variable may use those above it. */
static void check_variables(struct reference_check *check)
{
    struct where variables = {NULL, "variables", 0};
    uint64_t *above = xcalloc(check->names->words, sizeof *above);

    check->known = above;
    json_object_object_foreach (check->definition->variables, name, value) {
        struct where here = {&variables, name, 0};
        check_all(check, value, &here);
        put_in_set(check->names, above, name);
    }
    free(above);
}

static void check_values(const struct definition *definition,
                         const struct machine *machine, struct mistakes *mistakes)
{
    struct names names = {0};
    struct reference_check check = {
        .definition = definition, .names = &names, .mistakes = mistakes};

    number_names(&names, definition, machine);
    size_t size = names.words * machine->state_count;
    uint64_t *before = xcalloc(size, sizeof *before);
    uint64_t *saved = xcalloc(size, sizeof *saved);
    fill_sets(&names, definition, machine, before, saved);
    check_variables(&check);
    for (size_t i = 0; i < machine->state_count; i++) {
        const struct machine_state *state = &machine->states[i];
        check.known = before + i * names.words;
        for (size_t a = 0; a < state->action_count; a++) {
            struct where at_data = {state->actions[a].place, "data", 0};
            check_all(&check, state->actions[a].data, &at_data);
        }
        check_body(&check, state);
    }
    free(saved);
    free(before);
    json_object_put(names.numbers);
}

void soundness_check(const struct definition *definition, const struct machine *machine,
                     struct mistakes *mistakes)
{
    check_ways(machine, mistakes);
    check_rest(machine, mistakes);
    check_values(definition, machine, mistakes);
}
