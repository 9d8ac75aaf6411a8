/* SPDX-License-Identifier: Apache-2.0 */
/* A state machine as a graph. Marks are made by shape and weight as well as by colour. */
#include "graph.h"

#include "json.h"
#include "markup.h"
#include "model.h"
#include "trace.h"
#include "utf8.h"
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Widely there, or fonts that are as wide: the drawing is measured here, and shown there. */
#define FONT "Helvetica,Arial,sans-serif"

#define ROW_BYTES 80 /* of a line of a label */

/* What is drawn. */
struct drawing {
    FILE *out;                     /* the DOT text grows here */
    const struct machine *machine; /* what is drawn */
    const struct attempt *attempt; /* its run, or NULL */
    struct trace *trace;           /* where that is in the transcript, or NULL; owned */
    bool context;                  /* only the current state's neighbourhood */
    bool on_page;                  /* it is a case's, and has the colours of its page */
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

/* Text within one of DOT's labels like HTML, which are XML. */
static void put_escaped(FILE *out, const char *text)
{
    char *brief = utf8_shorten(text, ROW_BYTES), *clean = markup_clean(brief);

    for (const char *p = clean; *p != '\0'; p++) {
        switch (*p) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        default:
            fputc((unsigned char)*p < 0x20 || *p == 0x7f ? ' ' : *p, out);
        }
    }
    free(clean);
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

/* --- labels --- */

/* A row of a label, which leads to a line of the transcript (0: to none). Takes text. */
static void put_row(const struct drawing *drawing, size_t line, bool is_title, char *text)
{
    fputs("<TR><TD", drawing->out);
    if (line > 0)
        fprintf(drawing->out,
                " HREF=\"status#line-%zu\" TARGET=\"_parent\" "
                "TITLE=\"line %zu of the transcript\"",
                line, line);
    fputs(is_title ? "><B>" : ">", drawing->out);
    put_escaped(drawing->out, text);
    fputs(is_title ? "</B></TD></TR>" : "</TD></TR>", drawing->out);
    free(text);
}

/* What a state does by itself; NULL for one that asks roles. Owned. */
static char *deed_text(const struct machine_state *state)
{
    switch (state->kind) {
    case STATE_WAIT:
        return xasprintf("wait %s", json_object_get_string(state->body));
    case STATE_SET:
        return xasprintf("set %s", json_text(state->body));
    case STATE_ASSERT:
        return xasprintf("assert %s", json_text(state->body));
    case STATE_CHECK:
        return xasprintf("check %s", json_text(state->body));
    case STATE_HTTP: {
        const char *url = json_member_text(json_member(state->body, "http"), "url");
        return xstrdup(url != NULL ? url : "http");
    }
    case STATE_FIND: {
        const char *save = json_member_text(state->body, "save");
        return xasprintf("find %s", save != NULL ? save : "");
    }
    default:
        return NULL;
    }
}

/* "3.2 s" and the like. Owned. */
static char *spent_text(int64_t ms)
{
    int64_t seconds = ms / 1000;

    if (seconds < 60)
        return xasprintf("%.1f s", (double)ms / 1000);
    if (seconds < 3600)
        return xasprintf("%d min %02d s", (int)(seconds / 60), (int)(seconds % 60));
    return xasprintf("%d h %02d min", (int)(seconds / 3600), (int)(seconds / 60 % 60));
}

/* How long it lasted in all, and whether that goes on; NULL if nothing is known. Owned. */
static char *stay_text(const struct drawing *drawing, int state)
{
    const struct attempt *attempt = drawing->attempt;
    unsigned visits = attempt != NULL ? attempt->visits[state] : 0;
    char since[CLOCK_TEXT_SIZE];

    if (visits == 0)
        return NULL;
    if (is_current(drawing, state) && attempt->verdict.outcome == OUTCOME_NONE) {
        clock_format(attempt->entered.wall_ms, since);
        return xasprintf("now, since %.8s UTC", strchr(since, 'T') + 1);
    }
    if (is_current(drawing, state) && machine_is_end(drawing->machine, state))
        return xstrdup("ended here");
    char *spent = spent_text(drawing->trace->spent_ms[state]);
    char *times = visits > 1 ? xasprintf("%u times, ", visits) : xstrdup("");
    char *text = xasprintf("%s%s%s", times, spent,
                           is_current(drawing, state) ? ", ended here" : "");
    free(times);
    free(spent);
    return text;
}

/* The node's text: the state's name, how long it lasted, what each role does in it. */
static void put_state_label(const struct drawing *drawing, int index)
{
    const struct machine_state *state = &drawing->machine->states[index];
    const struct trace *trace = drawing->trace;
    char *stay = stay_text(drawing, index), *deed = deed_text(state);

    fputs("label=<<TABLE BORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"1\">",
          drawing->out);
    put_row(drawing, trace != NULL ? trace->states[index] : 0, true,
            xstrdup(state->name));
    if (stay != NULL)
        put_row(drawing, 0, false, stay);
    if (deed != NULL)
        put_row(drawing, 0, false, deed);
    for (size_t i = 0; i < state->action_count; i++)
        put_row(drawing, trace != NULL ? trace->actions[trace->first[index] + i] : 0,
                false,
                xasprintf("%s: %s", drawing->machine->roles[state->actions[i].role],
                          state->actions[i].name));
    fputs("</TABLE>>", drawing->out);
}

/* --- nodes and edges --- */

static const char *fill_colour(const struct drawing *drawing, int state)
{
    const struct attempt *attempt = drawing->attempt;

    if (attempt == NULL || attempt->visits[state] == 0)
        return "#ffffff";
    if (!is_current(drawing, state))
        return "#e3ecf7";
    return attempt->verdict.outcome == OUTCOME_NONE      ? "#ffe9a8"
           : attempt->verdict.outcome == OUTCOME_SUCCESS ? "#bfe8c8"
                                                         : "#f6c6c0";
}

static const char *state_class(const struct drawing *drawing, int state)
{
    const struct attempt *attempt = drawing->attempt;

    if (attempt == NULL || attempt->visits[state] == 0)
        return "state";
    if (!is_current(drawing, state))
        return "taken";
    return attempt->verdict.outcome == OUTCOME_NONE      ? "current"
           : attempt->verdict.outcome == OUTCOME_SUCCESS ? "current success"
                                                         : "current failed";
}

static void put_state(const struct drawing *drawing, int state)
{
    fputs("  ", drawing->out);
    put_quoted(drawing->out, drawing->machine->states[state].name);
    fputs(" [", drawing->out);
    put_state_label(drawing, state);
    fprintf(drawing->out, ", class=\"%s\", fillcolor=\"%s\", penwidth=%d%s];\n",
            state_class(drawing, state), fill_colour(drawing, state),
            is_current(drawing, state) ? 3 : 1,
            machine_is_end(drawing->machine, state) ? ", shape=doubleoctagon" : "");
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
        /* the blanks keep it from what is beside it */
        char *label = xasprintf(" %s: %s ", drawing->machine->roles[action->role],
                                response != NULL ? response : "*");
        fputs(", label=", drawing->out);
        put_quoted(drawing->out, label);
        free(label);
    }
    if (drawing->trace != NULL && drawing->trace->edges[index] > 0)
        fprintf(drawing->out,
                ", href=\"status#line-%zu\", target=\"_parent\", "
                "tooltip=\"line %zu of the transcript\"",
                drawing->trace->edges[index], drawing->trace->edges[index]);
    fputs("];\n", drawing->out);
}

/* Takes the trace; the rest of the drawing is filled in but for where it goes. */
static char *draw(struct drawing drawing)
{
    const struct machine *machine = drawing.machine;
    char *dot = NULL;
    size_t size;

    drawing.out = xcheck(open_memstream(&dot, &size));
    fputs("digraph ", drawing.out);
    put_quoted(drawing.out, machine->name);
    fprintf(drawing.out,
            " {\n  graph [rankdir=TB, ranksep=0.35, nodesep=0.3, "
            "fontname=\"" FONT "\"%s];\n"
            "  node [shape=box, style=\"rounded,filled\", fontname=\"" FONT "\", "
            "fontsize=12];\n"
            "  edge [fontname=\"" FONT "\", fontsize=11];\n",
            drawing.on_page ? ", stylesheet=\"/static/style.css\"" : "");
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
    trace_free(drawing.trace);
    return dot;
}

char *graph_machine(const struct machine *machine)
{
    return draw((struct drawing){.machine = machine});
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
    struct trace *trace =
        attempt != NULL ? trace_new(attempt, turn->prelude.count) : NULL;
    return draw((struct drawing){.machine = testcase->machine,
                                 .attempt = attempt,
                                 .trace = trace,
                                 .context = context && attempt != NULL,
                                 .on_page = true});
}
