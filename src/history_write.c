/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs and cases into the history. The loop hands in jobs, one for each call; the only
 * thread of the write lane does them in their order. JSON objects go back to the loop to
 * be freed: what they share with others is counted there.
 */
#include "history_internal.h"

#include "casename.h"
#include "database.h"
#include "json.h"
#include "log.h"
#include "xalloc.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* A transaction ends after so many cases or so many bytes of them. */
#define BATCH_CASES 100
#define BATCH_BYTES ((size_t)4 * 1024 * 1024)

/* A write on its way. run() uses the history's connection, paths and pool, which stay. */
struct write {
    struct job job;               /* must be first */
    struct history *history;      /* for done(); run() reads what never changes */
    char *run;                    /* id, of cases; owned */
    char *living;                 /* id of the run that stays, may be NULL; owned */
    struct json_object *content;  /* cases or run; freed on the loop */
    struct history_limits limits; /* as they were when the job was made */
    history_written *done;        /* NULL: nobody waits */
    void *argument;               /* for done */
    char *cause;                  /* why nothing was written, owned */
    char *untidy;                 /* why old runs could not be removed, owned */
};

/* --- binding; on the worker --- */

/* Text is borrowed until the statement is reset. */
static void bind_text(struct sqlite3_stmt *statement, int column, const char *text,
                      size_t size)
{
    int result = text == NULL ? sqlite3_bind_null(statement, column)
                              : sqlite3_bind_text64(statement, column, text, size,
                                                    SQLITE_STATIC, SQLITE_UTF8);

    assert(result == SQLITE_OK); /* the engine's limits are far below SQLite's */
}

/* A member that is a string, or none. Gives the bytes. */
static size_t bind_string(struct sqlite3_stmt *statement, int column,
                          struct json_object *object, const char *name)
{
    struct json_object *member = json_member(object, name);
    bool is_string = json_object_is_type(member, json_type_string);
    size_t size = is_string ? (size_t)json_object_get_string_len(member) : 0;

    bind_text(statement, column, is_string ? json_object_get_string(member) : NULL, size);
    return size;
}

/* A member as JSON, NULL where there is none. Gives the bytes. */
static size_t bind_json(struct sqlite3_stmt *statement, int column,
                        struct json_object *object, const char *name)
{
    struct json_object *member = json_member(object, name);
    const char *text = member != NULL ? json_text(member) : NULL;
    size_t size = text != NULL ? strlen(text) : 0;

    bind_text(statement, column, text, size);
    return size;
}

static void bind_number(struct sqlite3_stmt *statement, int column,
                        struct json_object *object, const char *name)
{
    sqlite3_bind_int64(statement, column,
                       json_object_get_int64(json_member(object, name)));
}

/* Step once, and be ready for the next row. Gives 0, or -1 with *cause in words. */
static int step(struct sqlite3 *database, struct sqlite3_stmt *statement, char **cause)
{
    bool is_done = sqlite3_step(statement) == SQLITE_DONE;

    if (!is_done && *cause == NULL)
        *cause = database_error(database);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return is_done ? 0 : -1;
}

/* End the transaction: as a whole if result is 0, else as if it had never been. Gives the
 * result, or -1 with *cause. */
static int finish(struct sqlite3 *database, int result, char **cause)
{
    if (result == 0)
        result = database_run(database, "COMMIT", cause);
    /* where the disk is full SQLite may have rolled it back by itself */
    if (result != 0 && !sqlite3_get_autocommit(database))
        database_run(database, "ROLLBACK", NULL);
    return result;
}

/* --- cases --- */

static const char case_sql[] =
    "INSERT OR REPLACE INTO cases (run, id, test, name, types, state, message, machine,"
    " context, document, series, flaky, attempts, duration, ended)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";

/* Gives 0 and adds to *bytes, or -1 with *cause. */
static int add_case(struct sqlite3 *database, struct sqlite3_stmt *statement,
                    const char *run, struct json_object *testcase, size_t *bytes,
                    char **cause)
{
    static const char *const texts[] = {"id",    "test",    "name",    "types",
                                        "state", "message", "machine", "context"};
    const char *name = json_member_text(testcase, "name");

    bind_text(statement, 1, run, strlen(run));
    for (int i = 0; i < (int)(sizeof texts / sizeof *texts); i++)
        *bytes += bind_string(statement, i + 2, testcase, texts[i]);
    *bytes += bind_json(statement, 10, testcase, "document");
    bind_text(statement, 11, name, name != NULL ? casename_length(name) : 0);
    sqlite3_bind_int(statement, 12,
                     json_object_get_boolean(json_member(testcase, "flaky")));
    bind_number(statement, 13, testcase, "attempts");
    sqlite3_bind_double(statement, 14,
                        json_object_get_double(json_member(testcase, "duration")));
    bind_number(statement, 15, testcase, "ended");
    return step(database, statement, cause);
}

/* Add cases from `first` on in one transaction. Gives where the next one begins; 0 with
 * *cause. */
static size_t add_batch(const struct write *write, struct sqlite3_stmt *statement,
                        size_t first, char **cause)
{
    struct sqlite3 *database = write->history->writer;
    size_t at = first, bytes = 0;
    int result = database_run(database, "BEGIN IMMEDIATE", cause);

    while (result == 0 && at < json_object_array_length(write->content) &&
           at - first < BATCH_CASES && bytes < BATCH_BYTES) {
        struct json_object *testcase = json_object_array_get_idx(write->content, at++);
        result = add_case(database, statement, write->run, testcase, &bytes, cause);
    }
    return finish(database, result, cause) == 0 ? at : 0;
}

/* Why nothing was written, as a sentence; takes the words. */
static void set_cause(struct write *write, char *words)
{
    cause_set(&write->cause, "the history in %s can't be written: %s",
              write->history->path,
              words != NULL ? words : "the database gave no reason");
    free(words);
}

static void run_add_cases(struct job *job)
{
    struct write *write = (struct write *)job;
    size_t count = json_object_array_length(write->content);
    struct sqlite3_stmt *statement = database_prepare(write->history->writer, case_sql);
    char *words = NULL;

    for (size_t at = 0; at < count && write->cause == NULL;) {
        at = add_batch(write, statement, at, &words);
        if (at == 0)
            set_cause(write, words);
    }
    sqlite3_finalize(statement);
}

/* --- runs --- */

static int add_run_row(struct sqlite3 *database, struct json_object *run, char **cause)
{
    static const char *const texts[] = {"id", "label", "state", "junit"};
    struct sqlite3_stmt *statement = database_prepare(
        database, "INSERT OR REPLACE INTO runs (id, label, state, junit, totals, status,"
                  " started, ended) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");

    for (int i = 0; i < (int)(sizeof texts / sizeof *texts); i++)
        bind_string(statement, i + 1, run, texts[i]);
    bind_json(statement, 5, run, "totals");
    bind_json(statement, 6, run, "status");
    bind_number(statement, 7, run, "started");
    bind_number(statement, 8, run, "ended");
    int result = step(database, statement, cause);
    sqlite3_finalize(statement);
    return result;
}

/* Where in the run's status which suite is found. */
static int add_suites(struct sqlite3 *database, struct json_object *run, char **cause)
{
    struct json_object *suites = json_member(json_member(run, "status"), "suites");
    size_t count = json_object_is_type(suites, json_type_array)
                       ? json_object_array_length(suites)
                       : 0;
    struct sqlite3_stmt *statement = database_prepare(
        database, "INSERT OR REPLACE INTO suites (id, run, place) VALUES (?1, ?2, ?3)");
    int result = 0;

    for (size_t i = 0; i < count && result == 0; i++) {
        bind_string(statement, 1, json_object_array_get_idx(suites, i), "id");
        bind_string(statement, 2, run, "id");
        sqlite3_bind_int64(statement, 3, (int64_t)i);
        result = step(database, statement, cause);
    }
    sqlite3_finalize(statement);
    return result;
}

static void run_add_run(struct job *job)
{
    struct write *write = (struct write *)job;
    struct history *history = write->history;
    char *words = NULL;
    int result = database_run(history->writer, "BEGIN IMMEDIATE", &words);

    if (result == 0)
        result = add_run_row(history->writer, write->content, &words);
    if (result == 0)
        result = add_suites(history->writer, write->content, &words);
    if (finish(history->writer, result, &words) != 0) {
        set_cause(write, words);
        return;
    }
    const struct history_tidying tidying = {
        history->writer, history->workers, history->files, write->living, &write->limits};
    history_tidy(&tidying, &write->untidy);
}

static void run_sweep(struct job *job)
{
    struct write *write = (struct write *)job;

    history_sweep(write->history->writer, write->history->workers, &write->untidy);
}

/* --- the loop's side --- */

/* One line for each row of failures, and one when it is over. */
static void log_streak(bool *is_failing, const char *failure, const char *good)
{
    if (failure != NULL && !*is_failing)
        log_warning("%s", failure);
    else if (failure == NULL && *is_failing)
        log_info("%s", good);
    *is_failing = failure != NULL;
}

static void log_write(struct history *history, const struct write *write)
{
    char *untidy = NULL;

    log_streak(&history->is_failing, write->cause, "the history is written again");
    if (write->untidy != NULL)
        untidy =
            xasprintf("the history keeps more than it should, and tries again after the "
                      "next run: %s",
                      write->untidy);
    if (write->cause == NULL && write->run == NULL)
        log_streak(&history->is_untidy, untidy, "the history is within its limits again");
    free(untidy);
}

static void done_write(struct job *job)
{
    struct write *write = (struct write *)job;

    write->history->writes--;
    if (job->cancelled)
        cause_set(&write->cause,
                  "the history in %s was not written: trafficlight is stopping",
                  write->history->path);
    else
        log_write(write->history, write);
    if (write->done != NULL)
        write->done(write->argument, write->cause);
    json_object_put(write->content);
    free(write->run);
    free(write->living);
    free(write->cause);
    free(write->untidy);
    free(write);
}

/* Takes the content. */
static struct write *write_new(struct history *history, const struct job_ops *ops,
                               struct json_object *content)
{
    struct write *write = xcalloc(1, sizeof *write);

    write->job.ops = ops;
    write->history = history;
    write->content = content;
    write->limits = history->limits;
    return write;
}

static void submit(struct write *write)
{
    struct lane *lane = write->history->write_lane;

    write->history->writes++;
    if (job_submit(lane, &write->job) != 0)
        job_submit_cancelled(lane, &write->job);
}

void history_add_cases(struct history *history, const char *run,
                       struct json_object *cases, history_written *done, void *argument)
{
    static const struct job_ops ops = {"history: add cases", run_add_cases, done_write};
    struct write *write = write_new(history, &ops, cases);

    assert(json_object_is_type(cases, json_type_array));
    write->run = xstrdup(run);
    write->done = done;
    write->argument = argument;
    submit(write);
}

void history_add_run(struct history *history, struct json_object *run, const char *living,
                     history_written *done, void *argument)
{
    static const struct job_ops ops = {"history: add a run", run_add_run, done_write};
    struct write *write = write_new(history, &ops, run);

    assert(json_member_text(run, "id") != NULL);
    write->living = living != NULL ? xstrdup(living) : NULL;
    write->done = done;
    write->argument = argument;
    submit(write);
}

void history_start_sweep(struct history *history)
{
    static const struct job_ops ops = {"history: sweep", run_sweep, done_write};

    submit(write_new(history, &ops, NULL));
}
