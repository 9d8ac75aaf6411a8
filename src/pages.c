/* SPDX-License-Identifier: Apache-2.0 */
/* The board, and the page of a suite. */
#include "pages.h"

#include "json.h"
#include "pages_runs.h"
#include "pages_table.h"
#include "pages_text.h"
#include "xalloc.h"

#include <stdlib.h>

/* So much a page shows; what is beyond is only counted. */
#define BOARD_CASES   500
#define BOARD_CLIENTS 500
#define SUITE_CASES   2000

/* `run` is the id of the run they are in, or "". */
static void put_beyond(struct markup *markup, size_t count, const char *what,
                       const char *run)
{
    if (count == 0)
        return;
    markup_open(markup, "p", "class", "more", NULL);
    markup_textf(markup, "%zu more %s not shown here: ", count, what);
    if (*run != '\0')
        part_open_run_link(markup, run, "status.json");
    else
        markup_open(markup, "a", "href", "/status.json", NULL);
    markup_text(markup, "everything as JSON");
    markup_close(markup);
    markup_close(markup);
}

static const char *run_id_of(struct json_object *status)
{
    return text_member(json_member(status, "run"), "id");
}

static struct markup *begin(const char *title, const char *name,
                            const struct tally *cases, enum part_view view,
                            unsigned refresh)
{
    char *full = xasprintf("%s – %s%strafficlight", title, name, *name ? " – " : "");
    struct part_frame frame = {full, tally_lights(cases), refresh, view};
    struct markup *markup = part_begin(&frame);

    free(full);
    return markup;
}

/* --- cases --- */

static void put_progress(struct markup *markup, struct json_object *run,
                         const struct tally *cases)
{
    size_t ended = tally_ended(cases);

    if (cases->total == 0)
        markup_element(markup, "h1", run == NULL ? "No run yet" : "No cases", NULL);
    else if (ended < cases->total || tally_bad(cases) > 0) {
        markup_open(markup, "h1", NULL);
        markup_textf(markup, "%zu of %zu %s done", ended, cases->total,
                     cases->total == 1 ? "case" : "cases");
        markup_close(markup);
    } else {
        markup_open(markup, "h1", NULL);
        markup_textf(markup, "All done: %zu of %zu succeeded", cases->of[PART_SUCCESS],
                     cases->total);
        markup_close(markup);
    }
}

static void put_tests(struct markup *markup, struct json_object *status,
                      const struct tally *cases)
{
    struct tally room = *cases;
    size_t count = text_count(status, "suites");

    tally_limit(&room, BOARD_CASES);
    markup_open(markup, "section", "aria-labelledby", "tests", NULL);
    markup_element(markup, "h2", "Tests", "id", "tests", NULL);
    if (count == 0 && json_member(status, "run") == NULL)
        markup_element(markup, "p",
                       "There is no run yet: POST /runs asks for one, and [tests] "
                       "autostart in the settings lets one begin with the server.",
                       "class", "empty", NULL);
    else if (count == 0)
        markup_element(markup, "p",
                       "No test was found: [tests] path in the settings says where they "
                       "are looked for.",
                       "class", "empty", NULL);
    put_beyond(markup, cases->total - room.total,
               cases->total - room.total == 1 ? "case is" : "cases are",
               run_id_of(status));
    for (size_t i = 0; i < count; i++)
        table_put_suite(markup, text_element(status, "suites", i), &room);
    markup_close(markup);
}

char *pages_suite(struct json_object *suite, size_t *size)
{
    struct tally cases = {0}, room;
    const char *name = text_member(suite, "name"), *run = text_member(suite, "run");
    const char *description = text_member(suite, "description");

    tally_add(&cases, suite, "cases");
    room = cases;
    tally_limit(&room, SUITE_CASES);
    char *title = tally_title(&cases);
    struct markup *markup = begin(title, name, &cases, PART_RUNS,
                                  tally_ended(&cases) < cases.total ? PART_SOON : 0);
    part_open_path(markup, run);
    text_put(markup, name, TEXT_BOARD_BYTES);
    markup_close(markup);
    text_put_in(markup, "h1", NULL, name);
    if (*description != '\0')
        text_put_in(markup, "p", "about", description);
    markup_open(markup, "p", "class", "file", NULL);
    markup_textf(markup, "%s, from ", title);
    text_put_in(markup, "code", NULL, text_member(suite, "file"));
    markup_close(markup);
    tally_put_bar(markup, &cases);
    size_t hidden = table_put_cases(markup, suite, &room);
    put_beyond(markup, hidden, hidden == 1 ? "case is" : "cases are", run);
    free(title);
    return part_finish(markup, NULL, size);
}

/* --- clients --- */

/* What the rows of clients have in common. */
struct rows {
    struct markup *markup;     /* where they go; borrowed */
    const char *now;           /* of the server; "": long ago; borrowed */
    struct json_object *cases; /* case id to the name of its suite; owned */
};

static struct json_object *suite_names(struct json_object *status)
{
    struct json_object *names = json_new_object();

    for (size_t i = 0; i < text_count(status, "suites"); i++) {
        struct json_object *suite = text_element(status, "suites", i);
        for (size_t j = 0; j < text_count(suite, "cases"); j++)
            json_put(names, text_member(text_element(suite, "cases", j), "id"),
                     json_object_get(json_member(suite, "name")));
    }
    return names;
}

static void put_part(const struct rows *rows, struct json_object *client)
{
    struct markup *markup = rows->markup;
    const char *id = text_member(client, "case");
    const char *suite = text_member(rows->cases, id);

    markup_open(markup, "td", "class", "part", NULL);
    if (*id != '\0') {
        part_open_link(markup, id, "status");
        text_put(markup, *suite != '\0' ? suite : id, TEXT_BOARD_BYTES);
        markup_close(markup);
        markup_text(markup, " as ");
        text_put(markup, text_member(client, "role"), 0);
    } else {
        text_put_none(markup);
    }
    markup_close(markup);
}

static void put_ago(const struct rows *rows, struct json_object *client, const char *name,
                    const char *label)
{
    markup_open(rows->markup, "td", "data-label", label, "class", "number", NULL);
    if (*rows->now != '\0')
        text_put_ago(rows->markup, text_member(client, name), rows->now);
    else
        text_put_clock(rows->markup, text_member(client, name));
    markup_close(rows->markup);
}

static void put_client(const struct rows *rows, struct json_object *client)
{
    struct markup *markup = rows->markup;
    const char *version = text_member(json_member(client, "registration"), "version");

    markup_open(markup, "tr", NULL);
    markup_open(markup, "td", "class", "state", NULL);
    part_lamp(markup, part_state(text_member(client, "state")));
    markup_close(markup);
    markup_open(markup, "th", "scope", "row", NULL);
    text_put(markup, text_member(client, "type"), TEXT_BOARD_BYTES);
    markup_text(markup, " ");
    text_put_id(markup, text_member(client, "id"));
    markup_close(markup);
    markup_open(markup, "td", "class", "version", "data-label", "version", NULL);
    if (*version != '\0')
        text_put(markup, version, TEXT_BOARD_BYTES);
    else
        text_put_none(markup);
    markup_close(markup);
    put_part(rows, client);
    put_ago(rows, client, "registered", "registered");
    put_ago(rows, client, "last_polled", "polled");
    put_ago(rows, client, "last_reported", "reported");
    markup_close(markup);
    markup_text(markup, "\n");
}

static void put_clients_in(const struct rows *rows, struct json_object *status,
                           enum part_state state, struct tally *room)
{
    for (size_t i = 0; i < text_count(status, "clients"); i++) {
        struct json_object *client = text_element(status, "clients", i);
        if (part_state(text_member(client, "state")) == state && tally_take(room, state))
            put_client(rows, client);
    }
}

/* Those that play or wait come first: the others only pile up. */
static void put_client_table(struct markup *markup, struct json_object *status,
                             const char *now, struct tally *room)
{
    static const char *const columns[] = {"State",         "Client",     "Version",
                                          "Plays in",      "Registered", "Last polled",
                                          "Last reported", NULL};
    struct rows rows = {markup, now, suite_names(status)};

    part_open_table(markup, "board clients", "Clients", columns);
    for (int state = 0; state < PART_STATE_COUNT; state++)
        put_clients_in(&rows, status, (enum part_state)state, room);
    markup_close(markup);
    markup_close(markup);
    json_object_put(rows.cases);
}

static void put_clients(struct markup *markup, struct json_object *status,
                        const char *now)
{
    struct tally clients = {0}, room;

    tally_add(&clients, status, "clients");
    room = clients;
    tally_limit(&room, BOARD_CLIENTS);
    size_t hidden = clients.total - room.total;
    markup_open(markup, "section", "aria-labelledby", "clients", NULL);
    markup_open(markup, "h2", "id", "clients", NULL);
    markup_text(markup, "Clients ");
    if (clients.total > 0) {
        markup_open(markup, "small", NULL);
        markup_textf(markup, "%zu, %zu waiting", clients.total, clients.of[PART_WAITING]);
        markup_close(markup);
    }
    markup_close(markup);
    if (clients.total > 0)
        put_client_table(markup, status, now, &room);
    else
        markup_element(markup, "p", "No client has registered yet.", "class", "empty",
                       NULL);
    put_beyond(markup, hidden, hidden == 1 ? "client is" : "clients are",
               run_id_of(status));
    markup_close(markup);
}

/* --- a run, its tests and clients --- */

static struct markup *begin_board(struct json_object *status, const struct tally *cases,
                                  bool on_board)
{
    struct json_object *run = json_member(status, "run");
    bool is_done =
        json_object_get_boolean(json_member(json_member(status, "server"), "done"));
    char *name = on_board ? xstrdup("") : runs_name(run);
    char *title = tally_title(cases);
    struct markup *markup = begin(title, name, cases, on_board ? PART_BOARD : PART_RUNS,
                                  !is_done   ? PART_SOON
                                  : on_board ? PART_LATER
                                             : 0);

    if (!on_board) {
        part_open_path(markup, "");
        text_put(markup, name, 0);
        markup_close(markup);
    }
    free(title);
    free(name);
    return markup;
}

static char *board(struct json_object *status, bool on_board, size_t *size)
{
    struct json_object *server = json_member(status, "server");
    struct json_object *run = json_member(status, "run");
    const char *now = text_member(server, "now");
    struct tally cases = {0};

    for (size_t i = 0; i < text_count(status, "suites"); i++)
        tally_add(&cases, text_element(status, "suites", i), "cases");
    struct markup *markup = begin_board(status, &cases, on_board);
    put_progress(markup, run, &cases);
    if (run != NULL)
        runs_put_head(markup, run, now, on_board);
    tally_put_bar(markup, &cases);
    put_tests(markup, status, &cases);
    /* What is kept says how things stood then, and that is not now. */
    put_clients(markup, status, !on_board && runs_has_ended(run) ? "" : now);
    return part_finish(markup, server, size);
}

char *pages_status(struct json_object *status, size_t *size)
{
    return board(status, true, size);
}

char *pages_run(struct json_object *status, size_t *size)
{
    return board(status, false, size);
}
