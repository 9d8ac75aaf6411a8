/* SPDX-License-Identifier: Apache-2.0 */
/* The clients on the board. */
#include "pages_clients.h"

#include "json.h"
#include "pages_parts.h"
#include "pages_select.h"
#include "pages_text.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define SOME_CLIENTS 20  /* on the board */
#define PAGE_CLIENTS 200 /* of all of them on one page */
#define SILENT_S     60  /* no poll is held for so long, unless the settings say so */

const char *const clients_states[] = {"playing", "waiting", "silent",
                                      "lost",    "done",    NULL};
const char *const clients_sorts[] = {"name", "start", "heard", NULL};

/* A client that is to be shown. */
struct present {
    struct json_object *client; /* borrowed */
    enum part_state state;      /* of it */
    const char *heard;          /* when it was heard last; borrowed */
    bool is_silent;             /* it should have been heard since */
    size_t order;               /* in which it registered */
};

/* Those of a page. */
struct presents {
    struct markup *markup;     /* where they go; borrowed */
    const char *now;           /* of the server; "": long ago; borrowed */
    struct json_object *cases; /* id -> [name of the test, case]; owned */
    struct present *clients;   /* owned */
    size_t count;              /* how many those are */
    struct json_object *known; /* ids of elements; owned */
};

/* --- who is there --- */

/* Moments of one form are in the order of their text. */
static const char *latest(struct json_object *client)
{
    static const char *const names[] = {"registered", "last_polled", "last_reported"};
    const char *last = "";

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *moment = text_member(client, names[i]);
        last = strcmp(moment, last) > 0 ? moment : last;
    }
    return last;
}

/* The case that the client plays in, and the name of its test; NULL. Borrowed. */
static struct json_object *case_of(const struct presents *presents,
                                   struct json_object *client, const char **test)
{
    struct json_object *pair = json_member(presents->cases, text_member(client, "case"));

    *test =
        pair != NULL ? json_object_get_string(json_object_array_get_idx(pair, 0)) : "";
    return pair != NULL ? json_object_array_get_idx(pair, 1) : NULL;
}

/* What it is to do; "". Borrowed. */
static const char *action_of(const struct presents *presents, struct json_object *client)
{
    const char *test;
    struct json_object *testcase = case_of(presents, client, &test);
    struct json_object *roles = json_member(testcase, "roles");

    return text_member(json_member(roles, text_member(client, "role")), "action");
}

/* Who is at work on an action need not poll. */
static bool is_silent(const struct presents *presents, const struct present *present)
{
    bool is_to_poll =
        present->state == PART_WAITING ||
        (present->state == PART_PLAYING && *action_of(presents, present->client) == '\0');

    return is_to_poll && *presents->now != '\0' &&
           text_seconds_between(present->heard, presents->now) > SILENT_S;
}

/* Those that some client plays in. Owned. */
static struct json_object *cases_by_id(struct json_object *status)
{
    struct json_object *cases = json_new_object();

    for (size_t i = 0, count = text_count(status, "clients"); i < count; i++)
        json_put(cases, text_member(text_element(status, "clients", i), "case"), NULL);
    size_t suites =
        json_object_object_length(cases) > 0 ? text_count(status, "suites") : 0;
    for (size_t i = 0; i < suites; i++) {
        struct json_object *suite = text_element(status, "suites", i);
        char *test = select_test_name(suite);
        for (size_t j = 0, count = text_count(suite, "cases"); j < count; j++) {
            struct json_object *testcase = text_element(suite, "cases", j);
            if (!json_object_object_get_ex(cases, text_member(testcase, "id"), NULL))
                continue;
            struct json_object *pair = json_new_array();
            json_append(pair, json_new_text(test));
            json_append(pair, json_object_get(testcase));
            json_put(cases, text_member(testcase, "id"), pair);
        }
        free(test);
    }
    return cases;
}

static void gather(struct presents *presents, struct markup *markup,
                   struct json_object *status, const char *now)
{
    size_t count = text_count(status, "clients");

    *presents = (struct presents){.markup = markup,
                                  .now = now,
                                  .cases = cases_by_id(status),
                                  .clients = xcalloc(count + 1, sizeof(struct present)),
                                  .count = count,
                                  .known = json_new_object()};
    for (size_t i = 0; i < count; i++) {
        struct present *present = &presents->clients[i];
        struct json_object *client = text_element(status, "clients", i);
        *present = (struct present){.client = client,
                                    .state = part_state(text_member(client, "state")),
                                    .heard = latest(client),
                                    .order = i};
        present->is_silent = is_silent(presents, present);
    }
}

static void clear(struct presents *presents)
{
    json_object_put(presents->cases);
    json_object_put(presents->known);
    free(presents->clients);
}

/* --- which of them, in which order --- */

static bool fits_state(const struct present *present, const char *wanted)
{
    if (strcmp(wanted, "silent") == 0)
        return present->is_silent;
    return *wanted == '\0' || strcmp(part_state_word(present->state), wanted) == 0;
}

static bool fits(const struct presents *presents, const struct present *present,
                 const struct query *query)
{
    struct json_object *client = present->client;
    const char *type = query_value(query, "client"), *test = query_value(query, "test");
    const char *played;

    case_of(presents, client, &played);
    const char *texts[] = {text_member(client, "id"),
                           text_member(client, "type"),
                           text_member(client, "role"),
                           text_member(client, "registration"),
                           action_of(presents, client),
                           played,
                           NULL};
    return fits_state(present, query_value(query, "state")) &&
           (*type == '\0' || select_names(text_member(client, "type"), type)) &&
           (*test == '\0' || select_names(played, test)) &&
           select_finds(query_value(query, "q"), texts);
}

static void keep_those_that_fit(struct presents *presents, const struct query *query)
{
    size_t kept = 0;

    for (size_t i = 0; i < presents->count; i++) {
        if (fits(presents, &presents->clients[i], query))
            presents->clients[kept++] = presents->clients[i];
    }
    presents->count = kept;
}

static int compare_order(const void *a, const void *b)
{
    size_t left = ((const struct present *)a)->order;
    size_t right = ((const struct present *)b)->order;

    return (left > right) - (left < right);
}

/* Silent ones first, then what plays, is lost, waits; who is done only piles up. */
static int compare_states(const void *a, const void *b)
{
    const struct present *left = a, *right = b;

    if (left->is_silent != right->is_silent)
        return left->is_silent ? -1 : 1;
    return left->state != right->state ? (int)left->state - (int)right->state
                                       : compare_order(a, b);
}

static int compare_names(const void *a, const void *b)
{
    int types = strcmp(text_member(((const struct present *)a)->client, "type"),
                       text_member(((const struct present *)b)->client, "type"));

    return types != 0 ? types : compare_order(a, b);
}

/* The latest first. */
static int compare_starts(const void *a, const void *b)
{
    return compare_order(b, a);
}

/* The longest silent first. */
static int compare_heard(const void *a, const void *b)
{
    int moments =
        strcmp(((const struct present *)a)->heard, ((const struct present *)b)->heard);

    return moments != 0 ? moments : compare_order(a, b);
}

static void sort(struct presents *presents, const struct query *query)
{
    static int (*const compare[])(const void *, const void *) = {
        compare_names, compare_starts, compare_heard};
    int (*by)(const void *, const void *) = compare_states;

    for (size_t i = 0; clients_sorts[i] != NULL; i++)
        by = query_is(query, "sort", clients_sorts[i]) ? compare[i] : by;
    if (presents->count > 0)
        qsort(presents->clients, presents->count, sizeof *presents->clients, by);
}

/* --- rows --- */

static void put_part(const struct presents *presents, struct json_object *client)
{
    struct markup *markup = presents->markup;
    const char *id = text_member(client, "case"), *test;
    const char *action = action_of(presents, client);

    case_of(presents, client, &test);
    markup_open(markup, "td", "class", "part", NULL);
    if (*id != '\0') {
        part_open_link(markup, id, "status");
        text_put(markup, *test != '\0' ? test : id, TEXT_BOARD_BYTES);
        markup_close(markup);
        markup_text(markup, " as ");
        text_put(markup, text_member(client, "role"), TEXT_BOARD_BYTES);
        if (*action != '\0') {
            markup_text(markup, ": ");
            text_put_in(markup, "span", "doing", action);
        }
    } else {
        text_put_none(markup);
    }
    markup_close(markup);
}

static void put_when(const struct presents *presents, const char *when, const char *label)
{
    struct markup *markup = presents->markup;

    markup_open(markup, "td", "data-label", label, "class", "number", NULL);
    if (*presents->now != '\0')
        text_put_ago(markup, when, presents->now);
    else
        text_put_clock(markup, when);
    markup_close(markup);
}

static void put_who(const struct presents *presents, struct json_object *client)
{
    struct markup *markup = presents->markup;
    const char *version = text_member(json_member(client, "registration"), "version");

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
}

static void put_client(const struct presents *presents, const struct present *present)
{
    struct markup *markup = presents->markup;
    struct json_object *client = present->client;

    markup_open(markup, "tr", NULL);
    part_put_id(markup, presents->known, "client", text_member(client, "id"));
    markup_open(markup, "td", "class", "state", NULL);
    part_lamp(markup, present->state);
    if (present->is_silent) {
        markup_text(markup, " ");
        markup_element(markup, "span", "silent", "class", "silent", NULL);
    }
    markup_close(markup);
    put_who(presents, client);
    put_part(presents, client);
    put_when(presents, text_member(client, "registered"), "registered");
    put_when(presents, present->heard, "heard");
    markup_close(markup);
    markup_text(markup, "\n");
}

static void put_table(const struct presents *presents, size_t first, size_t count)
{
    static const char *const columns[] = {
        "State", "Client", "Version", "Plays in", "Registered", "Last heard", NULL};

    part_open_table(presents->markup, "board clients", "Clients", columns);
    for (size_t i = first; i < first + count; i++)
        put_client(presents, &presents->clients[i]);
    markup_close(presents->markup);
    markup_close(presents->markup);
}

/* --- some of them --- */

/* How many are in each state, and how many of them are silent. */
static void put_counts(const struct presents *presents)
{
    static const enum part_state states[] = {PART_WAITING, PART_PLAYING, PART_LOST,
                                             PART_DONE};
    size_t of[PART_STATE_COUNT] = {0}, silent = 0;

    for (size_t i = 0; i < presents->count; i++) {
        of[presents->clients[i].state]++;
        silent += presents->clients[i].is_silent;
    }
    markup_open(presents->markup, "small", NULL);
    markup_textf(presents->markup, "%zu", presents->count);
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        if (of[states[i]] > 0)
            markup_textf(presents->markup, ", %zu %s", of[states[i]],
                         part_state_word(states[i]));
    }
    if (silent > 0)
        markup_textf(presents->markup, ", %zu silent", silent);
    markup_close(presents->markup);
}

static void put_heading(const struct presents *presents)
{
    markup_open(presents->markup, "h2", "id", "clients", NULL);
    markup_text(presents->markup, "Clients ");
    if (presents->count > 0)
        put_counts(presents);
    markup_close(presents->markup);
    if (presents->count == 0)
        markup_element(presents->markup, "p", "No client has registered yet.", "class",
                       "empty", NULL);
}

/* Who is lost or done only piles up. */
static void keep_those_that_are_there(struct presents *presents)
{
    size_t kept = 0;

    for (size_t i = 0; i < presents->count; i++) {
        enum part_state state = presents->clients[i].state;
        if (state == PART_WAITING || state == PART_PLAYING)
            presents->clients[kept++] = presents->clients[i];
    }
    presents->count = kept;
}

void clients_put_some(struct markup *markup, struct json_object *status, const char *now,
                      const struct query *query)
{
    struct presents presents;

    gather(&presents, markup, status, now);
    markup_open(markup, "section", "aria-labelledby", "clients", NULL);
    put_heading(&presents);
    size_t total = presents.count;
    keep_those_that_are_there(&presents);
    sort(&presents, query);
    size_t shown = presents.count < SOME_CLIENTS ? presents.count : SOME_CLIENTS;
    if (shown > 0)
        put_table(&presents, 0, shown);
    if (shown < total) {
        markup_open(markup, "p", "class", "more", NULL);
        query_open_link(markup, query, "view", "clients");
        markup_textf(markup, "All %zu clients", total);
        markup_close(markup);
        markup_close(markup);
    }
    markup_close(markup);
    clear(&presents);
}

/* --- all of them --- */

static void put_form(struct markup *markup, struct json_object *status,
                     const struct query *query)
{
    static const char *const kept[] = {"view", "test", NULL};
    static const char *const cleared[] = {"state", "client", "test", "q", "sort", NULL};
    static const char *const states[] = {
        "",       "any",  "playing", "playing", "waiting", "waiting", "silent",
        "silent", "lost", "lost",    "done",    "done",    NULL};
    static const char *const sorts[] = {"",      "state",          "name",
                                        "name",  "start",          "latest first",
                                        "heard", "longest silent", NULL};
    struct json_object *types = json_new_object();

    for (size_t i = 0, count = text_count(status, "clients"); i < count; i++)
        json_put_bool(types, text_member(text_element(status, "clients", i), "type"),
                      true);
    query_open_form(markup, query, "Clients", kept);
    query_put_choice(markup, query, "state", "State", states);
    query_put_names(markup, query, "client", "Type", "any", types);
    query_put_text(markup, query, "q", "Text");
    query_put_choice(markup, query, "sort", "Order", sorts);
    query_close_form(markup, query, cleared);
    json_object_put(types);
}

void clients_put_all(struct markup *markup, struct json_object *status, const char *now,
                     const struct query *query)
{
    struct presents presents;

    gather(&presents, markup, status, now);
    markup_open(markup, "section", "aria-labelledby", "clients", NULL);
    put_heading(&presents);
    size_t total = presents.count;
    if (total > 0)
        put_form(markup, status, query);
    keep_those_that_fit(&presents, query);
    sort(&presents, query);
    struct query_part part = query_part(query, presents.count, PAGE_CLIENTS);
    if (total > 0)
        query_put_range(markup, &part, total, "client");
    if (part.count > 0)
        put_table(&presents, part.first, part.count);
    query_put_parts(markup, query, &part);
    markup_close(markup);
    clear(&presents);
}
