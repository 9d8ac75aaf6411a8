/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine of a case, compiled. */
#include "machine.h"

#include "json.h"
#include "xalloc.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct machine *machine_new(const char *name, size_t role_count)
{
    struct machine *machine = xcalloc(1, sizeof *machine);

    machine->references = 1;
    machine->name = xstrdup(name);
    machine->roles = xcalloc(role_count, sizeof *machine->roles);
    machine->role_count = role_count;
    machine->initial = MACHINE_NO_STATE;
    machine->wait_scale = 1;
    machine_add_state(machine, "complete", STATE_COMPLETE, NULL);
    machine_add_state(machine, "failure", STATE_FAILURE, NULL);
    machine_add_state(machine, "error", STATE_ERROR, NULL);
    return machine;
}

struct machine *machine_hold(struct machine *machine)
{
    machine->references++;
    return machine;
}

static void action_clear(struct machine_action *action)
{
    for (size_t i = 0; i < action->response_count; i++)
        free(action->responses[i].name);
    for (size_t i = 0; i < action->name_count; i++)
        free(action->names[i]);
    free(action->responses);
    free(action->names);
    free(action->name);
    free(action->save);
    json_object_put(action->data);
    where_free(action->place);
}

static void state_clear(struct machine_state *state)
{
    for (size_t i = 0; i < state->action_count; i++)
        action_clear(&state->actions[i]);
    free(state->actions);
    free(state->name);
    json_object_put(state->body);
    where_free(state->place);
}

void machine_release(struct machine *machine)
{
    if (machine == NULL || --machine->references > 0)
        return;
    for (size_t i = 0; i < machine->state_count; i++)
        state_clear(&machine->states[i]);
    for (size_t i = 0; i < machine->role_count; i++)
        free(machine->roles[i]);
    free(machine->states);
    free(machine->edges);
    free(machine->roles);
    free(machine->name);
    free(machine);
}

/* Room for one more member of an array; the room doubles whenever it is used up, which it
 * is at each power of two. */
static void *make_room(void *array, size_t count, size_t size)
{
    bool is_full = (count & (count - 1)) == 0;

    return is_full ? xreallocarray(array, count > 0 ? 2 * count : 1, size) : array;
}

int machine_add_state(struct machine *machine, const char *name, enum state_kind kind,
                      const struct where *place)
{
    machine->states =
        make_room(machine->states, machine->state_count, sizeof *machine->states);
    machine->states[machine->state_count] = (struct machine_state){
        .name = xstrdup(name),
        .kind = kind,
        .next = MACHINE_NO_STATE,
        .place = where_copy(place),
    };
    return (int)machine->state_count++;
}

struct machine_action *machine_add_action(struct machine *machine, int state, size_t role,
                                          const char *name, const struct where *place)
{
    struct machine_state *to = &machine->states[state];

    assert(to->kind == STATE_ACTIONS && role < machine->role_count);
    to->actions = xreallocarray(to->actions, to->action_count + 1, sizeof *to->actions);
    struct machine_action *action = &to->actions[to->action_count++];
    *action = (struct machine_action){
        .role = role,
        .name = xstrdup(name),
        .place = where_copy(place),
    };
    return action;
}

void machine_action_accept(struct machine_action *action, const char *name, int target)
{
    action->responses = xreallocarray(action->responses, action->response_count + 1,
                                      sizeof *action->responses);
    action->responses[action->response_count++] = (struct machine_response){
        .name = name != NULL ? xstrdup(name) : NULL,
        .target = target,
    };
}

int machine_find(const struct machine *machine, const char *name)
{
    for (size_t i = 0; i < machine->state_count; i++) {
        if (strcmp(machine->states[i].name, name) == 0)
            return (int)i;
    }
    return MACHINE_NO_STATE;
}

static void add_edge(struct machine *machine, int from, int to, int action, int response)
{
    if (to < 0)
        return;
    machine->edges =
        make_room(machine->edges, machine->edge_count, sizeof *machine->edges);
    machine->edges[machine->edge_count++] =
        (struct machine_edge){from, to, action, response};
}

void machine_finish(struct machine *machine)
{
    for (size_t s = 0; s < machine->state_count; s++) {
        struct machine_state *state = &machine->states[s];
        state->first_edge = machine->edge_count;
        for (size_t a = 0; a < state->action_count; a++) {
            for (size_t r = 0; r < state->actions[a].response_count; r++)
                add_edge(machine, (int)s, state->actions[a].responses[r].target, (int)a,
                         (int)r);
        }
        add_edge(machine, (int)s, state->next, -1, -1);
        state->edge_count = machine->edge_count - state->first_edge;
    }
}

int machine_edge(const struct machine *machine, int from, int action, int response)
{
    const struct machine_state *state = &machine->states[from];

    for (size_t i = state->first_edge; i < state->first_edge + state->edge_count; i++) {
        const struct machine_edge *edge = &machine->edges[i];
        if (edge->action == action && edge->response == response)
            return (int)i;
    }
    return -1;
}

bool machine_is_end(const struct machine *machine, int state)
{
    return machine->states[state].kind >= STATE_COMPLETE;
}

bool machine_state_rests(const struct machine_state *state)
{
    return state->kind == STATE_ACTIONS || state->kind == STATE_WAIT ||
           state->kind == STATE_HTTP || state->kind >= STATE_COMPLETE;
}

/* --- which name was reported --- */

static int find_response(const struct machine_action *action, const char *name)
{
    for (size_t i = 0; i < action->response_count; i++) {
        const char *accepted = action->responses[i].name;
        if (accepted == NULL ? name == NULL : name != NULL && strcmp(accepted, name) == 0)
            return (int)i;
    }
    return -1;
}

static bool is_one_of_its_names(const struct machine_action *action, const char *name)
{
    for (size_t i = 0; i < action->name_count; i++) {
        if (strcmp(action->names[i], name) == 0)
            return true;
    }
    return false;
}

int machine_action_match(const struct machine_action *action, const char *reported,
                         const char **meant)
{
    const char *name = reported != NULL ? reported : action->names[0];
    int found = find_response(action, name);

    *meant = name;
    if (found < 0 && is_one_of_its_names(action, name)) {
        for (size_t i = 0; found < 0 && i < action->name_count; i++) {
            found = find_response(action, action->names[i]);
            *meant = found < 0 ? name : action->names[i];
        }
    }
    if (found < 0 && strcmp(name, "failed") != 0 && strcmp(name, "error") != 0)
        found = find_response(action, NULL);
    return found;
}

char *machine_action_accepts(const struct machine_action *action)
{
    char *text = NULL;
    size_t size;
    FILE *out = xcheck(open_memstream(&text, &size));

    for (size_t i = 0; i < action->response_count; i++) {
        const char *name = action->responses[i].name;
        fprintf(out, "%s%s", i > 0 ? ", " : "",
                name != NULL ? name : "any name but failed and error");
    }
    if (fclose(out) != 0)
        xcheck(NULL);
    return text;
}
