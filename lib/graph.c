/* SPDX-License-Identifier: Apache-2.0 */
/* A state machine as a graph. Marks are made by shape and weight as well as by colour. */
#include "graph.h"

#include "json.h"
#include "model.h"
#include "utf8.h"
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>

/* What is drawn. */
struct drawing {
    FILE *out;                     /* the DOT text grows here */
    const struct machine *machine; /* what is drawn */
    const struct attempt *attempt; /* its run, or NULL */
    bool context;                  /* only the current state's neighbourhood */
};

/* A DOT string (quoted); control characters become blanks. */
static void put_quoted(FILE *out, const char *text)
{
    char *brief = utf8_shorten(text, 200);

    fputc('"', out);
    for (const char *p = brief; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\')
            fputc('\\', out);
        fputc((unsigned char)*p < 0x20 || *p == 0x7f ? ' ' : *p, out);
    }
    fputc('"', out);
    free(brief);
}

static bool is_current(const struct drawing *drawing, int state)
{
    return drawing->attempt != NULL && drawing->attempt->state == state;
}

static bool was_taken(const struct drawing *drawing, size_t edge)
{
    return drawing->attempt != NULL && drawing->attempt->taken_edges[edge] > 0;
}

static bool edge_is_drawn(const struct drawing *drawing, const struct machine_edge *edge)
{
    return !drawing->context || is_current(drawing, edge->from) ||
           is_current(drawing, edge->to);
}

static bool state_is_drawn(const struct drawing *drawing, int state)
{
    bool has_edge = false;

    for (size_t i = 0; i < drawing->machine->edge_count; i++) {
        const struct machine_edge *edge = &drawing->machine->edges[i];
        if ((edge->from == state || edge->to == state) && edge_is_drawn(drawing, edge))
            has_edge = true;
    }
    return has_edge || is_current(drawing, state) ||
           (!drawing->context && state == drawing->machine->initial);
}

/* The node's text: the state's name, then what each role does in it. */
static void put_state_label(const struct drawing *drawing,
                            const struct machine_state *state)
{
    char *label = NULL;
    size_t size;
    FILE *out = xcheck(open_memstream(&label, &size));

    fprintf(out, "%s", state->name);
    if (state->kind == STATE_WAIT)
        fprintf(out, " | wait %s", json_object_get_string(state->body));
    if (state->kind == STATE_SET)
        fprintf(out, " | set %s", json_text(state->body));
    if (state->kind == STATE_ASSERT || state->kind == STATE_CHECK)
        fprintf(out, " | %s %s", state->kind == STATE_ASSERT ? "assert" : "check",
                json_text(state->body));
    if (state->kind == STATE_HTTP)
        fprintf(out, " | %s", json_member_text(json_member(state->body, "http"), "url"));
    if (state->kind == STATE_FIND)
        fprintf(out, " | find %s", json_member_text(state->body, "save"));
    if (fclose(out) != 0)
        xcheck(NULL);
    fputs("label=", drawing->out);
    put_quoted(drawing->out, label);
    free(label);
    for (size_t i = 0; i < state->action_count; i++) {
        char *line = xasprintf("%s: %s", drawing->machine->roles[state->actions[i].role],
                               state->actions[i].name);
        fputs(" + \"\\n\" + ", drawing->out);
        put_quoted(drawing->out, line);
        free(line);
    }
}

static const char *fill_colour(const struct drawing *drawing, int state)
{
    enum state_kind kind = drawing->machine->states[state].kind;

    if (!is_current(drawing, state))
        return drawing->attempt && drawing->attempt->visits[state] ? "#e3ecf7"
                                                                   : "#ffffff";
    switch (kind) {
    case STATE_COMPLETE:
        return "#bfe8c8";
    case STATE_FAILURE:
    case STATE_ERROR:
        return "#f6c6c0";
    default:
        return "#ffe9a8";
    }
}

static const char *where_label(const struct attempt *attempt)
{
    return attempt->verdict.outcome == OUTCOME_NONE ? ", xlabel=\"now\""
                                                    : ", xlabel=\"ended here\"";
}

static void put_state(const struct drawing *drawing, int state)
{
    bool visited = drawing->attempt != NULL && drawing->attempt->visits[state] > 0;
    bool current = is_current(drawing, state);

    fputs("  ", drawing->out);
    put_quoted(drawing->out, drawing->machine->states[state].name);
    fputs(" [", drawing->out);
    put_state_label(drawing, &drawing->machine->states[state]);
    fprintf(drawing->out, ", class=\"%s\", fillcolor=\"%s\", penwidth=%d%s%s];\n",
            current   ? "current"
            : visited ? "taken"
                      : "state",
            fill_colour(drawing, state), current ? 3 : 1,
            machine_is_end(drawing->machine, state) ? ", shape=doubleoctagon" : "",
            current ? where_label(drawing->attempt) : "");
}

static void put_edge(const struct drawing *drawing, size_t index)
{
    const struct machine_edge *edge = &drawing->machine->edges[index];
    const struct machine_state *from = &drawing->machine->states[edge->from];
    bool taken = was_taken(drawing, index);

    fputs("  ", drawing->out);
    put_quoted(drawing->out, from->name);
    fputs(" -> ", drawing->out);
    put_quoted(drawing->out, drawing->machine->states[edge->to].name);
    fprintf(drawing->out, " [class=\"%s\", penwidth=%s, color=\"%s\"",
            taken ? "taken" : "edge", taken ? "2.5" : "1", taken ? "#1f5fa8" : "#777777");
    if (edge->action >= 0) {
        const struct machine_action *action = &from->actions[edge->action];
        const char *response = action->responses[edge->response].name;
        char *label = xasprintf("%s: %s", drawing->machine->roles[action->role],
                                response != NULL ? response : "*");
        fputs(", label=", drawing->out);
        put_quoted(drawing->out, label);
        free(label);
    }
    fputs("];\n", drawing->out);
}

static char *draw(const struct machine *machine, const struct attempt *attempt,
                  bool context)
{
    char *dot = NULL;
    size_t size;
    struct drawing drawing = {xcheck(open_memstream(&dot, &size)), machine, attempt,
                              context};

    fputs("digraph ", drawing.out);
    put_quoted(drawing.out, machine->name);
    fputs(" {\n  graph [rankdir=TB, fontname=\"sans-serif\"];\n"
          "  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\"];\n"
          "  edge [fontname=\"sans-serif\", fontsize=11];\n",
          drawing.out);
    for (size_t i = 0; i < machine->state_count; i++) {
        if (state_is_drawn(&drawing, (int)i))
            put_state(&drawing, (int)i);
    }
    for (size_t i = 0; i < machine->edge_count; i++) {
        if (edge_is_drawn(&drawing, &machine->edges[i]))
            put_edge(&drawing, i);
    }
    fputs("}\n", drawing.out);
    if (fclose(drawing.out) != 0)
        xcheck(NULL);
    return dot;
}

char *graph_machine(const struct machine *machine)
{
    return draw(machine, NULL, false);
}

char *graph_case(const struct engine *engine, const char *case_id, bool context)
{
    struct testcase *testcase = NULL;

    HASH_FIND_STR(engine->cases_by_id, case_id, testcase);
    if (testcase == NULL)
        return NULL;
    /* between two attempts the last one is looked at */
    const struct turn *turn = TAILQ_LAST(&testcase->turns, turn_list);
    const struct attempt *attempt = turn != NULL ? turn->attempt : NULL;
    return draw(testcase->machine, attempt, context && attempt != NULL);
}
