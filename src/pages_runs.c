/* SPDX-License-Identifier: Apache-2.0 */
/* A run as a line on its own board, and the page that lists them all. */
#include "pages_runs.h"

#include "json.h"
#include "pages.h"
#include "pages_parts.h"
#include "pages_text.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

/* So much a page shows; what is beyond is only counted. */
#define RUNS_SHOWN 1000

#define NAME_ID_BYTES 8 /* of an id in a name */

static bool is_in_state(struct json_object *run, const char *state)
{
    return strcmp(text_member(run, "state"), state) == 0;
}

bool runs_has_ended(struct json_object *run)
{
    return is_in_state(run, "ended");
}

char *runs_name(struct json_object *run)
{
    const char *label = text_member(run, "label"), *id = text_member(run, "id");
    char *name = *label != '\0'
                     ? xstrdup(label)
                     : xasprintf("run %.*s", (int)strnlen(id, NAME_ID_BYTES), id);
    char *visible = text_visible(name, TEXT_BOARD_BYTES);

    free(name);
    return visible;
}

/* What became of a run that has ended; PART_DONE: broken off before anything failed. */
static enum part_state outcome(struct json_object *totals)
{
    size_t cases = text_amount(totals, "cases");

    return text_amount(totals, "failed") > 0                      ? PART_FAILED
           : text_amount(totals, "error") > 0                     ? PART_ERROR
           : cases > 0 && text_amount(totals, "success") == cases ? PART_SUCCESS
                                                                  : PART_DONE;
}

/* How it stands: its outcome as soon as it has one. */
static void put_state(struct markup *markup, struct json_object *run)
{
    const char *word = text_member(run, "state");
    enum part_state end = outcome(json_member(run, "totals"));

    if (runs_has_ended(run))
        part_lamp_saying(markup, end, end == PART_DONE ? word : part_state_word(end));
    else if (is_in_state(run, "queued"))
        part_lamp_saying(markup, PART_WAITING, word);
    else if (is_in_state(run, "running"))
        part_lamp(markup, PART_RUNNING);
    else if (*word != '\0')
        text_put(markup, word, TEXT_BOARD_BYTES);
    else
        text_put_none(markup);
}

/* How long it took; "" while it is going. Owned by the caller. */
static char *took(struct json_object *run)
{
    double seconds =
        text_seconds_between(text_member(run, "started"), text_member(run, "ended"));

    return seconds >= 0 ? text_duration(seconds) : xstrdup("");
}

static void put_run_link(struct markup *markup, const char *id, const char *page,
                         const char *text)
{
    part_open_run_link(markup, id, page);
    text_put(markup, text, TEXT_BOARD_BYTES);
    markup_close(markup);
}

/* --- the line on its board --- */

static void put_times(struct markup *markup, struct json_object *run, const char *now)
{
    const char *started = text_member(run, "started"), *ended = text_member(run, "ended");
    char *duration = took(run);

    if (*started != '\0') {
        markup_text(markup, "began ");
        text_put_moment(markup, started);
        if (!runs_has_ended(run) && *now != '\0') {
            markup_text(markup, ", ");
            text_put_ago(markup, started, now);
        }
        markup_text(markup, " · ");
    }
    if (*ended != '\0') {
        markup_text(markup, "ended ");
        text_put_moment(markup, ended);
        markup_textf(markup, "%s%s · ", *duration != '\0' ? " after " : "", duration);
    }
    free(duration);
}

/* Why nothing moves. */
static void put_standstill(struct markup *markup, struct json_object *run, bool on_board)
{
    if (is_in_state(run, "queued")) {
        markup_element(markup, "p",
                       "This run is queued: it begins when those before it "
                       "have ended.",
                       "class", "notice", NULL);
        return;
    }
    if (!runs_has_ended(run))
        return;
    size_t waiting = text_amount(json_member(run, "totals"), "waiting");
    markup_open(markup, "p", "class", "notice", NULL);
    markup_text(markup, "This run has ended");
    if (waiting > 0)
        markup_textf(markup, "; it was broken off, and %zu %s no longer tried", waiting,
                     waiting == 1 ? "case is" : "cases are");
    markup_text(markup, ". ");
    if (on_board) {
        markup_text(markup, "The next one is shown here as soon as it begins.");
    } else {
        markup_element(markup, "a", "The board", "href", "/status", NULL);
        markup_text(markup, " has the latest one.");
    }
    markup_close(markup);
}

void runs_put_head(struct markup *markup, struct json_object *run, const char *now,
                   bool on_board)
{
    const char *id = text_member(run, "id");
    const char *label = text_member(run, "label");

    markup_open(markup, "p", "class", "run", NULL);
    put_state(markup, run);
    markup_text(markup, " ");
    put_run_link(markup, id, "status", *label != '\0' ? label : "run");
    markup_text(markup, " ");
    text_put_id(markup, id);
    markup_text(markup, " · ");
    put_times(markup, run, now);
    put_run_link(markup, id, "junit.xml", "JUnit");
    markup_text(markup, " · ");
    put_run_link(markup, id, "status.json", "JSON");
    markup_close(markup);
    put_standstill(markup, run, on_board);
}

/* --- all of them --- */

/* "12 cases: 10 success, 2 failed, 1 flaky" of {"cases": 12, "success": 10, …}. */
static void put_totals(struct markup *markup, struct json_object *totals)
{
    size_t cases = text_amount(totals, "cases"), flaky = text_amount(totals, "flaky");
    const char *before = ": ";

    markup_open(markup, "td", "class", "totals", NULL);
    markup_textf(markup, "%zu %s", cases, cases == 1 ? "case" : "cases");
    for (int state = PART_STATE_COUNT - 1; state >= 0; state--) {
        const char *word = part_state_word((enum part_state)state);
        size_t count = text_amount(totals, word);
        if (count == 0)
            continue;
        markup_textf(markup, "%s%zu %s", before, count, word);
        before = ", ";
    }
    if (flaky > 0) {
        markup_text(markup, " ");
        markup_open(markup, "span", "class", "flaky", NULL);
        markup_textf(markup, "≈ %zu flaky", flaky);
        markup_close(markup);
    }
    markup_close(markup);
}

static void put_run(struct markup *markup, struct json_object *run)
{
    const char *id = text_member(run, "id"), *label = text_member(run, "label");
    char *duration = took(run);

    markup_open(markup, "tr", NULL);
    markup_open(markup, "td", "class", "state", NULL);
    put_state(markup, run);
    markup_close(markup);
    markup_open(markup, "th", "scope", "row", NULL);
    put_run_link(markup, id, "status", *label != '\0' ? label : "run");
    markup_text(markup, " ");
    text_put_id(markup, id);
    markup_close(markup);
    put_totals(markup, json_member(run, "totals"));
    markup_open(markup, "td", "class", "number", "data-label", "began", NULL);
    text_put_moment(markup, text_member(run, "started"));
    markup_close(markup);
    markup_open(markup, "td", "class", "number", "data-label", "took", NULL);
    if (*duration != '\0')
        markup_text(markup, duration);
    else
        text_put_none(markup);
    markup_close(markup);
    markup_open(markup, "td", "class", "reports", NULL);
    put_run_link(markup, id, "junit.xml", "JUnit");
    markup_text(markup, " · ");
    put_run_link(markup, id, "status.json", "JSON");
    markup_close(markup);
    markup_close(markup);
    markup_text(markup, "\n");
    free(duration);
}

static size_t count_in_state(struct json_object *runs, size_t count, const char *state)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++)
        found += is_in_state(json_object_array_get_idx(runs, i), state);
    return found;
}

static void put_summary(struct markup *markup, size_t count, size_t going, size_t queued)
{
    markup_open(markup, "p", "class", "about", NULL);
    if (count > 0) {
        markup_textf(markup, "%zu %s", count, count == 1 ? "run" : "runs");
        if (going > 0)
            markup_textf(markup, ", %zu running", going);
        if (queued > 0)
            markup_textf(markup, ", %zu queued", queued);
        markup_text(markup, ". ");
    }
    markup_element(markup, "a", "Tests from run to run", "href", "/history", NULL);
    markup_close(markup);
}

static void put_table(struct markup *markup, struct json_object *runs, size_t count)
{
    static const char *const columns[] = {"State", "Run",     "Cases", "Began",
                                          "Time",  "Reports", NULL};
    size_t shown = count < RUNS_SHOWN ? count : RUNS_SHOWN;

    part_open_table(markup, "board runs", "All runs, the newest first", columns);
    for (size_t i = 0; i < shown; i++)
        put_run(markup, json_object_array_get_idx(runs, i));
    markup_close(markup);
    markup_close(markup);
    if (count == shown)
        return;
    markup_open(markup, "p", "class", "more", NULL);
    markup_textf(markup, "%zu more %s not shown here: ", count - shown,
                 count - shown == 1 ? "is" : "are");
    markup_text(markup, "a program that asks for this page gets all of them as JSON.");
    markup_close(markup);
}

char *pages_runs(struct json_object *runs, size_t *size)
{
    size_t count =
        json_object_is_type(runs, json_type_array) ? json_object_array_length(runs) : 0;
    size_t going = count_in_state(runs, count, "running");
    size_t queued = count_in_state(runs, count, "queued");
    struct part_frame frame = {"Runs – trafficlight", going + queued > 0 ? PART_AMBER : 0,
                               going + queued > 0 ? PART_SOON : PART_LATER, PART_RUNS};
    struct markup *markup = part_begin(&frame);

    markup_element(markup, "h1", "Runs", NULL);
    put_summary(markup, count, going, queued);
    if (count > 0)
        put_table(markup, runs, count);
    else
        markup_element(markup, "p",
                       "There is no run yet: POST /runs asks for one, and [tests] "
                       "autostart in the settings lets one begin with the server.",
                       "class", "empty", NULL);
    return part_finish(markup, NULL, size);
}
