/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions to the history. Each is a job of the read lane that belongs to itself; the
 * loop knows it by its ticket for as long as somebody waits.
 */
#include "history_internal.h"

#include "database.h"
#include "json.h"
#include "xalloc.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>

#define JSON_DEPTH    1200 /* nesting of a document: of the deepest body, and around it */
#define STEPS_AT_ONCE 10000 /* of SQLite's machine, before it asks whether to go on */

/* A question on its way. */
struct reading {
    struct job job;             /* must be first */
    struct history *history;    /* for done(); run() reads what never changes */
    enum history_document what; /* is asked for */
    char *id;                   /* of what, may be NULL; owned */
    history_read *done;         /* who asked */
    void *argument;             /* for done */
    uint64_t ticket;            /* key */
    atomic_bool is_gone;        /* nobody waits any more: it is in no table */
    struct json_object *answer; /* NULL: there is none; owned */
    char *cause;                /* why it can't be read, owned */
    UT_hash_handle hh;          /* in the history's table of askers, by ticket */
};

/* --- on the worker --- */

const char *history_column(struct sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);

    return text != NULL ? (const char *)text : "";
}

void history_put_time(struct json_object *object, const char *name, int64_t wall_ms)
{
    char text[CLOCK_TEXT_SIZE];

    json_put_text(object, name, wall_ms != 0 ? clock_format(wall_ms, text) : NULL);
}

/* The document in a column, or NULL with a cause if it is none. As lenient as json-c is:
 * what was shown when the run ended is shown again. */
static struct json_object *column_json(struct reading *reading, struct sqlite3_stmt *row,
                                       int column)
{
    const char *text = history_column(row, column);
    int size = sqlite3_column_bytes(row, column);
    struct json_tokener *tokener = xcheck(json_tokener_new_ex(JSON_DEPTH));
    struct json_object *value = json_tokener_parse_ex(tokener, text, size);

    if (json_tokener_get_error(tokener) != json_tokener_success) {
        cause_set(
            &reading->cause,
            "the history in %s has a document that is damaged: its run can't be shown "
            "(%s)",
            reading->history->path,
            json_tokener_error_desc(json_tokener_get_error(tokener)));
        json_object_put(value);
        value = NULL;
    }
    json_tokener_free(tokener);
    return value;
}

static struct json_object *column_text(struct sqlite3_stmt *row, int column)
{
    const char *text = history_column(row, column);

    return xcheck(json_object_new_string_len(text, sqlite3_column_bytes(row, column)));
}

static struct json_object *answer_run(struct reading *reading, struct sqlite3_stmt *row)
{
    static const char *const texts[] = {"id", "label", "state"};
    struct json_object *run = json_new_object();

    for (int i = 0; i < (int)(sizeof texts / sizeof *texts); i++)
        json_put(run, texts[i],
                 sqlite3_column_type(row, i) != SQLITE_NULL ? column_text(row, i) : NULL);
    json_put(run, "totals",
             sqlite3_column_type(row, 3) != SQLITE_NULL ? column_json(reading, row, 3)
                                                        : NULL);
    history_put_time(run, "started", sqlite3_column_int64(row, 4));
    history_put_time(run, "ended", sqlite3_column_int64(row, 5));
    return run;
}

static struct json_object *answer_case(struct sqlite3_stmt *row)
{
    static const char *const texts[] = {"run", "case", "state", "message"};
    struct json_object *testcase = json_new_object();

    for (int i = 0; i < (int)(sizeof texts / sizeof *texts); i++)
        json_put(testcase, texts[i], column_text(row, i));
    json_put_bool(testcase, "flaky", sqlite3_column_int(row, 4) != 0);
    json_put_number(testcase, "duration", sqlite3_column_double(row, 5));
    history_put_time(testcase, "ended", sqlite3_column_int64(row, 6));
    return testcase;
}

/* The suite at the place in the status that the row says. */
static struct json_object *answer_suite(struct reading *reading, struct sqlite3_stmt *row)
{
    struct json_object *status = column_json(reading, row, 0);
    struct json_object *suites = json_member(status, "suites");
    size_t place = (size_t)sqlite3_column_int64(row, 1);
    struct json_object *suite = NULL;

    if (json_object_is_type(suites, json_type_array))
        suite = json_object_get(json_object_array_get_idx(suites, place));
    json_object_put(status);
    return suite;
}

/* A question's SQL, with ?1 for the id, and how a row is turned into the answer; lists
 * come first. */
static const struct {
    const char *sql;
    enum { LIST_OF_RUNS, LIST_OF_CASES, DOCUMENT, TEXT, MEMBER } form;
} questions[] = {
    [HISTORY_RUNS] = {"SELECT id, label, state, totals, started, ended FROM runs"
                      " ORDER BY ended DESC, rowid DESC",
                      LIST_OF_RUNS},
    [HISTORY_STATUS] = {"SELECT status FROM runs WHERE id = ?1", DOCUMENT},
    [HISTORY_JUNIT] = {"SELECT junit FROM runs WHERE id = ?1", TEXT},
    [HISTORY_SUITE] = {"SELECT status, place FROM suites JOIN runs ON runs.id = run"
                       " WHERE suites.id = ?1",
                       MEMBER},
    [HISTORY_CASE] = {"SELECT document FROM cases JOIN runs ON runs.id = run"
                      " WHERE cases.id = ?1",
                      DOCUMENT},
    [HISTORY_MACHINE] = {"SELECT machine FROM cases JOIN runs ON runs.id = run"
                         " WHERE cases.id = ?1",
                         TEXT},
    [HISTORY_CONTEXT] = {"SELECT context FROM cases JOIN runs ON runs.id = run"
                         " WHERE cases.id = ?1",
                         TEXT},
    [HISTORY_OTHERS] = {"SELECT run, cases.id, cases.state, message, flaky, duration,"
                        " cases.ended FROM cases JOIN runs ON runs.id = run"
                        " WHERE test = substr(?1, 1, instr(?1, char(10)) - 1)"
                        " AND series = substr(?1, instr(?1, char(10)) + 1)"
                        " ORDER BY cases.ended DESC, cases.id LIMIT 30",
                        LIST_OF_CASES},
};

static void take_row(struct reading *reading, struct sqlite3_stmt *row)
{
    bool is_null = sqlite3_column_type(row, 0) == SQLITE_NULL;

    switch (questions[reading->what].form) {
    case LIST_OF_RUNS:
        json_append(reading->answer, answer_run(reading, row));
        break;
    case LIST_OF_CASES:
        json_append(reading->answer, answer_case(row));
        break;
    case DOCUMENT:
        reading->answer = is_null ? NULL : column_json(reading, row, 0);
        break;
    case TEXT:
        reading->answer = is_null ? NULL : column_text(row, 0);
        break;
    case MEMBER:
        reading->answer = is_null ? NULL : answer_suite(reading, row);
        break;
    }
}

/* SQLite asks this now and then: true ends what it does. */
static int stop_cb(void *context)
{
    const struct reading *reading = context;

    return atomic_load(&reading->is_gone) ||
           workers_are_stopping(reading->history->workers);
}

/* Give 0, or -1 with *words. */
static int ask(struct reading *reading, char **words)
{
    struct sqlite3 *database = reading->history->reader;
    struct sqlite3_stmt *statement =
        database_prepare(database, questions[reading->what].sql);
    int result;

    if (questions[reading->what].form <= LIST_OF_CASES)
        reading->answer = json_new_array();
    if (questions[reading->what].form != LIST_OF_RUNS)
        sqlite3_bind_text(statement, 1, reading->id, -1, SQLITE_STATIC);
    while ((result = sqlite3_step(statement)) == SQLITE_ROW)
        take_row(reading, statement);
    if (result != SQLITE_DONE)
        *words = database_error(database);
    sqlite3_finalize(statement);
    return result == SQLITE_DONE ? 0 : -1;
}

static void run_reading(struct job *job)
{
    struct reading *reading = (struct reading *)job;
    struct sqlite3 *database = reading->history->reader;
    char *words = NULL;
    int result = 0;

    if (atomic_load(&reading->is_gone))
        return;
    sqlite3_progress_handler(database, STEPS_AT_ONCE, stop_cb, reading);
    if (reading->what == HISTORY_TRENDS)
        reading->answer = history_trends(database, &words);
    else if (reading->what == HISTORY_DURATIONS)
        reading->answer = history_durations(database, &words);
    else
        result = ask(reading, &words);
    sqlite3_progress_handler(database, 0, NULL, NULL);
    if (result != 0 || words != NULL)
        cause_set(&reading->cause, "the history in %s can't be read: %s",
                  reading->history->path,
                  workers_are_stopping(reading->history->workers)
                      ? "trafficlight is stopping"
                  : words != NULL ? words
                                  : "no reason was given");
    if (reading->cause != NULL) {
        json_object_put(reading->answer);
        reading->answer = NULL;
    }
    free(words);
}

/* --- the loop's side --- */

static void done_reading(struct job *job)
{
    struct reading *reading = (struct reading *)job;
    struct history *history = reading->history;

    history->reads--;
    if (job->cancelled)
        cause_set(&reading->cause,
                  "the history in %s was not read: trafficlight is stopping",
                  history->path);
    if (!atomic_load(&reading->is_gone)) {
        HASH_DELETE(hh, history->askers, reading);
        reading->done(reading->argument, reading->answer, reading->cause);
    } else {
        json_object_put(reading->answer);
    }
    free(reading->id);
    free(reading->cause);
    free(reading);
}

uint64_t history_find(struct history *history, enum history_document what, const char *id,
                      history_read *done, void *argument)
{
    static const struct job_ops ops = {"history: read", run_reading, done_reading};
    struct reading *reading = xcalloc(1, sizeof *reading);

    reading->job.ops = &ops;
    reading->history = history;
    reading->what = what;
    reading->id = id != NULL ? xstrdup(id) : NULL;
    reading->done = done;
    reading->argument = argument;
    reading->ticket = ++history->last_ticket;
    HASH_ADD(hh, history->askers, ticket, sizeof reading->ticket, reading);
    history->reads++;
    uint64_t ticket = reading->ticket;
    if (job_submit(history->read_lane, &reading->job) != 0)
        job_submit_cancelled(history->read_lane, &reading->job);
    return ticket;
}

void history_cancel(struct history *history, uint64_t ticket)
{
    struct reading *reading = NULL;

    HASH_FIND(hh, history->askers, &ticket, sizeof ticket, reading);
    if (reading == NULL)
        return;
    HASH_DELETE(hh, history->askers, reading);
    atomic_store(&reading->is_gone, true);
}
