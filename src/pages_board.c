/* SPDX-License-Identifier: Apache-2.0 */
/* The board: how a run stands, its cases, and the clients. */
#include "pages.h"

#include "json.h"
#include "pages_cases.h"
#include "pages_clients.h"
#include "pages_outlook.h"
#include "pages_runs.h"
#include "pages_tally.h"
#include "pages_text.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

static const struct query_field client_fields[] = {
    {"view", cases_views}, {"state", clients_states}, {"test", NULL}, {"client", NULL},
    {"q", NULL},           {"sort", clients_sorts},   {"page", NULL}, {NULL, NULL}};

/* A board that is being written. */
struct board {
    struct markup *markup;      /* where it goes; borrowed */
    struct json_object *status; /* its document; borrowed */
    struct json_object *suites; /* the array in that; NULL if it has none; borrowed */
    const char *now;            /* of the server; "": long ago; borrowed */
    struct tally cases;         /* all of the run */
    struct query list;          /* what is asked, of each view */
    struct query matrix;        /* the same */
    struct query clients;       /* the same */
};

/* --- above all views --- */

static void put_progress(const struct board *board, struct json_object *run)
{
    struct markup *markup = board->markup;
    const struct tally *cases = &board->cases;
    size_t ended = tally_ended(cases);

    markup_open(markup, "h1", NULL);
    if (cases->total == 0)
        markup_text(markup, run == NULL ? "No run yet" : "No cases");
    else if (ended < cases->total || tally_bad(cases) > 0)
        markup_textf(markup, "%zu of %zu %s done", ended, cases->total,
                     cases->total == 1 ? "case" : "cases");
    else
        markup_textf(markup, "All done: %zu of %zu succeeded", cases->of[PART_SUCCESS],
                     cases->total);
    if (run != NULL && !runs_has_ended(run)) {
        markup_text(markup, " ");
        outlook_put_time(markup, board->status);
    }
    markup_close(markup);
}

static void put_view(const struct board *board, const struct query *query,
                     const char *view, const char *name)
{
    bool is_this = query_is(&board->list, "view", view);
    char *link = query_link(query, "view", view);

    markup_open(board->markup, "li", NULL);
    markup_element(board->markup, "a", name, "href", link, "aria-current",
                   is_this ? "page" : NULL, NULL);
    markup_close(board->markup);
    markup_text(board->markup, " ");
    free(link);
}

static void put_views(const struct board *board)
{
    markup_open(board->markup, "nav", "class", "views", "aria-label", "Of this run",
                NULL);
    markup_open(board->markup, "ul", NULL);
    put_view(board, &board->list, "", "Cases");
    put_view(board, &board->matrix, "matrix", "Matrix");
    put_view(board, &board->clients, "clients", "Clients");
    markup_close(board->markup);
    markup_close(board->markup);
}

/* --- the views --- */

static void put_no_cases(const struct board *board)
{
    bool is_run = json_member(board->status, "run") != NULL;

    markup_element(board->markup, "p",
                   is_run ? "No test was found: [tests] path in the settings says where "
                            "they are looked for."
                          : "There is no run yet: POST /runs asks for one, and [tests] "
                            "autostart in the settings lets one begin with the server.",
                   "class", "empty", NULL);
}

/* Whether the list is shown whole, from its beginning. */
static bool is_plain(const struct query *query)
{
    char *link = query_link(query, "view", "");
    bool is_plain = strcmp(link, "?") == 0 && query_is(query, "page", "");

    free(link);
    return is_plain;
}

static void put_list(const struct board *board)
{
    if (is_plain(&board->list))
        outlook_put_reasons(board->markup, board->status, &board->list);
    part_open_section(board->markup, "h2", "Cases", "cases");
    if (board->suites != NULL && board->cases.total > 0)
        cases_put_list(board->markup, board->suites, &board->list);
    else
        put_no_cases(board);
    markup_close(board->markup);
    if (is_plain(&board->list))
        clients_put_some(board->markup, board->status, board->now, &board->clients);
}

static void put_matrix(const struct board *board)
{
    part_open_section(board->markup, "h2", "Matrix", "cases");
    if (board->suites != NULL && board->cases.total > 0)
        cases_put_matrix(board->markup, board->suites, &board->matrix);
    else
        put_no_cases(board);
    markup_close(board->markup);
}

static void put_asked(const struct board *board)
{
    if (query_is(&board->list, "view", "matrix")) {
        query_put_ignored(board->markup, &board->matrix);
        put_matrix(board);
    } else if (query_is(&board->list, "view", "clients")) {
        query_put_ignored(board->markup, &board->clients);
        clients_put_all(board->markup, board->status, board->now, &board->clients);
    } else {
        query_put_ignored(board->markup, &board->list);
        put_list(board);
    }
}

/* --- the page --- */

static struct board look(struct json_object *status)
{
    struct json_object *asked = json_member(status, "asked");
    struct json_object *suites = json_member(status, "suites");
    struct board board = {.status = status,
                          .now = text_member(json_member(status, "server"), "now"),
                          .list = {asked, cases_list_fields},
                          .matrix = {asked, cases_matrix_fields},
                          .clients = {asked, client_fields}};

    if (json_object_is_type(suites, json_type_array))
        board.suites = suites;
    for (size_t i = 0; i < text_count(status, "suites"); i++)
        tally_add(&board.cases, text_element(status, "suites", i), "cases");
    return board;
}

static struct markup *begin(const struct board *board, bool on_board)
{
    struct json_object *server = json_member(board->status, "server");
    bool is_done = json_object_get_boolean(json_member(server, "done"));
    char *name = on_board ? xstrdup("") : runs_name(json_member(board->status, "run"));
    char *cases = tally_title(&board->cases);
    char *title = xasprintf("%s – %s%strafficlight", cases, name, *name ? " – " : "");
    struct part_frame frame = {title, tally_lights(&board->cases),
                               !is_done   ? PART_FORM
                               : on_board ? PART_LATER
                                          : 0,
                               on_board ? PART_BOARD : PART_RUNS};
    const char *run = text_member(json_member(board->status, "run"), "id");
    struct markup *markup = part_begin_about(&frame, on_board ? "" : run);

    if (!on_board) {
        part_open_path(markup, "");
        text_put(markup, name, 0);
        markup_close(markup);
    }
    free(title);
    free(cases);
    free(name);
    return markup;
}

static char *write_board(struct json_object *status, bool on_board, size_t *size)
{
    struct json_object *run = json_member(status, "run");
    struct board board = look(status);

    board.markup = begin(&board, on_board);
    put_progress(&board, run);
    if (run != NULL)
        runs_put_head(board.markup, run, board.now, on_board);
    tally_put_bar(board.markup, &board.cases, &(struct query){NULL, cases_list_fields});
    put_views(&board);
    /* What is kept says how things stood then, and that is not now. */
    if (!on_board && runs_has_ended(run))
        board.now = "";
    put_asked(&board);
    return part_finish(board.markup, json_member(status, "server"), size);
}

char *pages_status(struct json_object *status, size_t *size)
{
    return write_board(status, true, size);
}

char *pages_run(struct json_object *status, size_t *size)
{
    return write_board(status, false, size);
}
