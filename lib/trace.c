/* SPDX-License-Identifier: Apache-2.0 */
/* Where the transcript has what the machine shows. */
#include "trace.h"

#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

/* How far the transcript was read. */
struct reading {
    const struct machine *machine; /* borrowed */
    struct trace *trace;           /* what is filled in */
    int state;                     /* entered last; MACHINE_NO_STATE before the first */
    int64_t entered_ms;            /* when; wall time */
};

static void leave(struct reading *reading, int64_t now_ms)
{
    if (reading->state != MACHINE_NO_STATE && now_ms > reading->entered_ms)
        reading->trace->spent_ms[reading->state] += now_ms - reading->entered_ms;
    reading->state = MACHINE_NO_STATE;
}

static void enter(struct reading *reading, const struct transcript_line *line,
                  size_t number)
{
    leave(reading, line->wall_ms);
    reading->state = machine_find(reading->machine, line->text);
    reading->entered_ms = line->wall_ms;
    if (reading->state != MACHINE_NO_STATE)
        reading->trace->states[reading->state] = number;
}

/* The action of the current state that the line is about: it begins with the action's
 * name and `after`. NULL if it is about none. */
static const struct machine_action *find_action(const struct reading *reading,
                                                const struct transcript_line *line,
                                                char after)
{
    const struct machine_state *state = &reading->machine->states[reading->state];

    for (size_t i = 0; line->role != NULL && i < state->action_count; i++) {
        const struct machine_action *action = &state->actions[i];
        size_t length = strlen(action->name);
        if (strcmp(reading->machine->roles[action->role], line->role) == 0 &&
            strncmp(line->text, action->name, length) == 0 && line->text[length] == after)
            return action;
    }
    return NULL;
}

static void note_action(struct reading *reading, const struct transcript_line *line,
                        size_t number)
{
    const struct machine_action *action = find_action(reading, line, ' ');
    const struct machine_state *state = &reading->machine->states[reading->state];

    if (action != NULL)
        reading->trace->actions[reading->trace->first[reading->state] +
                                (size_t)(action - state->actions)] = number;
}

/* Whether the response with this name (NULL: any) is what the line has after the action's
 * name. */
static bool is_response(const char *name, const char *text)
{
    size_t length = name != NULL ? strlen(name) : 0;

    return name == NULL || (strncmp(text, name, length) == 0 && text[length] == ' ');
}

static void note_report(struct reading *reading, const struct transcript_line *line,
                        size_t number)
{
    const struct machine_action *action = find_action(reading, line, ':');
    const struct machine_state *state = &reading->machine->states[reading->state];

    for (size_t i = 0; action != NULL && i < action->response_count; i++) {
        const char *answer = line->text + strlen(action->name) + strlen(": ");
        int edge = machine_edge(reading->machine, reading->state,
                                (int)(action - state->actions), (int)i);
        if (edge >= 0 && is_response(action->responses[i].name, answer)) {
            reading->trace->edges[edge] = number;
            return;
        }
    }
}

static void read_line(struct reading *reading, const struct transcript_line *line,
                      size_t number)
{
    bool is_in_state = reading->state != MACHINE_NO_STATE;

    if (line->kind == TRANSCRIPT_STATE)
        enter(reading, line, number);
    else if (line->kind == TRANSCRIPT_END)
        leave(reading, line->wall_ms);
    else if (line->kind == TRANSCRIPT_ACTION && is_in_state)
        note_action(reading, line, number);
    else if (line->kind == TRANSCRIPT_RESPONSE && is_in_state)
        note_report(reading, line, number);
}

struct trace *trace_new(const struct attempt *attempt, size_t offset)
{
    const struct machine *machine = attempt->machine;
    struct trace *trace = xcalloc(1, sizeof *trace);
    struct reading reading = {machine, trace, MACHINE_NO_STATE, 0};
    size_t actions = 0;

    trace->states = xcalloc(machine->state_count, sizeof *trace->states);
    trace->spent_ms = xcalloc(machine->state_count, sizeof *trace->spent_ms);
    trace->first = xcalloc(machine->state_count, sizeof *trace->first);
    trace->edges = xcalloc(machine->edge_count + 1, sizeof *trace->edges);
    for (size_t i = 0; i < machine->state_count; i++) {
        trace->first[i] = actions;
        actions += machine->states[i].action_count;
    }
    trace->actions = xcalloc(actions + 1, sizeof *trace->actions);
    for (size_t i = 0; i < attempt->transcript.count; i++)
        read_line(&reading, &attempt->transcript.lines[i], offset + i + 1);
    return trace;
}

void trace_free(struct trace *trace)
{
    if (trace == NULL)
        return;
    free(trace->states);
    free(trace->spent_ms);
    free(trace->actions);
    free(trace->first);
    free(trace->edges);
    free(trace);
}
