/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How tests fared from run to run: counts, the latest outcomes, what is flaky. One pass
 * over the index of cases, which has them in the order that is needed; only the latest
 * outcomes of one series are held at a time. On the read lane's thread.
 */
#include "history_internal.h"

#include "database.h"
#include "json.h"
#include "now.h"
#include "xalloc.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define OUTCOMES_MAX 30 /* latest ones of a series that are told */

/* A case that came to an end in some run. */
struct outcome {
    char *run;       /* id, owned */
    char *testcase;  /* id, owned */
    char *state;     /* owned */
    bool is_flaky;   /* passed only after a retry */
    double duration; /* seconds */
    int64_t ended;   /* wall time in ms */
};

/* The outcomes of one test and case name, newest first, as they are read. */
struct series {
    char *test;                           /* full name, owned */
    char *name;                           /* of the case, without its number; owned */
    char *types;                          /* of the newest, owned */
    size_t passed, failed, errors, flaky; /* of all outcomes */
    struct outcome latest[OUTCOMES_MAX];  /* the newest ones */
    size_t latest_count;                  /* of those */
    size_t changes;                       /* of the state within the latest */
    struct outcome before;       /* the outcome read last: one after it, in time */
    struct json_object *changed; /* the newest change, NULL before it is met; owned */
};

/* A finished series, and what it is sorted by. */
struct entry {
    struct json_object *json; /* owned */
    const char *test;         /* borrowed from json */
    const char *name;         /* the same */
    bool is_flaky;            /* as the json says */
    bool failed_last;         /* its newest outcome is no success */
};

struct trends {
    struct entry *entries; /* owned */
    size_t count;          /* how many those are */
    size_t room;           /* for how many there is memory */
    struct series series;  /* that is being read; test is NULL before the first */
};

/* --- outcomes --- */

static void outcome_clear(struct outcome *outcome)
{
    free(outcome->run);
    free(outcome->testcase);
    free(outcome->state);
    *outcome = (struct outcome){0};
}

static struct outcome outcome_copy(const struct outcome *outcome)
{
    struct outcome copy = *outcome;

    copy.run = xstrdup(outcome->run);
    copy.testcase = xstrdup(outcome->testcase);
    copy.state = xstrdup(outcome->state);
    return copy;
}

static bool outcome_is_pass(const struct outcome *outcome)
{
    return strcmp(outcome->state, "success") == 0;
}

/* Columns from "run" on, see outcomes_sql. */
static struct outcome outcome_read(struct sqlite3_stmt *row)
{
    struct outcome outcome = {.run = xstrdup(history_column(row, 3)),
                              .testcase = xstrdup(history_column(row, 4)),
                              .state = xstrdup(history_column(row, 5)),
                              .is_flaky = sqlite3_column_int(row, 6) != 0,
                              .duration = sqlite3_column_double(row, 7),
                              .ended = sqlite3_column_int64(row, 8)};

    outcome.is_flaky = outcome.is_flaky && outcome_is_pass(&outcome);
    return outcome;
}

static struct json_object *outcome_json(const struct outcome *outcome)
{
    struct json_object *json = json_new_object();

    json_put_text(json, "run", outcome->run);
    json_put_text(json, "case", outcome->testcase);
    json_put_text(json, "state", outcome->state);
    history_put_time(json, "ended", outcome->ended);
    return json;
}

/* --- a series as JSON --- */

static int compare_numbers(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

/* The numbers are as many as there are outcomes, at least one. */
static struct json_object *durations_json(const struct series *series)
{
    struct json_object *json = json_new_object(), *latest = json_new_array();
    size_t count = series->latest_count;
    double sorted[OUTCOMES_MAX];

    for (size_t i = 0; i < count; i++) {
        sorted[i] = series->latest[count - 1 - i].duration;
        json_append(latest, xcheck(json_object_new_double(sorted[i])));
    }
    qsort(sorted, count, sizeof *sorted, compare_numbers);
    json_put_number(json, "median", (sorted[(count - 1) / 2] + sorted[count / 2]) / 2);
    json_put_number(json, "p95",
                    sorted[(count * 95 + 99) / 100 - 1]); /* the nearest rank */
    json_put(json, "latest", latest);
    return json;
}

static struct json_object *outcomes_json(const struct series *series)
{
    struct json_object *outcomes = json_new_array();

    for (size_t i = 0; i < series->latest_count; i++) {
        const struct outcome *outcome = &series->latest[i];
        struct json_object *json = outcome_json(outcome);
        json_put_bool(json, "flaky", outcome->is_flaky);
        json_put_number(json, "duration", outcome->duration);
        json_append(outcomes, json);
    }
    return outcomes;
}

static void put_counts(struct json_object *json, const struct series *series)
{
    size_t runs = series->passed + series->failed + series->errors;

    json_put_int(json, "runs", (int64_t)runs);
    json_put_int(json, "passed", (int64_t)series->passed);
    json_put_int(json, "failed", (int64_t)series->failed);
    json_put_int(json, "errors", (int64_t)series->errors);
    json_put_int(json, "flaky", (int64_t)series->flaky);
    json_put_number(json, "pass_rate", (double)series->passed / (double)runs);
}

static bool series_is_flaky(const struct series *series)
{
    bool was_retried = false;

    for (size_t i = 0; i < series->latest_count; i++)
        was_retried = was_retried || series->latest[i].is_flaky;
    return was_retried || series->changes >= 2;
}

static struct json_object *series_json(const struct series *series)
{
    struct json_object *json = json_new_object();

    json_put_text(json, "test", series->test);
    json_put_text(json, "name", series->name);
    json_put_text(json, "types", series->types);
    put_counts(json, series);
    json_put_bool(json, "is_flaky", series_is_flaky(series));
    json_put(json, "last", outcome_json(&series->latest[0]));
    json_put(json, "changed",
             series->changed != NULL ? json_object_get(series->changed) : NULL);
    json_put(json, "durations", durations_json(series));
    json_put(json, "outcomes", outcomes_json(series));
    return json;
}

/* --- reading --- */

/* Close the series that was being read; a new one may begin. */
static void series_end(struct trends *trends)
{
    struct series *series = &trends->series;

    if (series->test != NULL) {
        if (trends->count == trends->room) {
            trends->room = trends->room > 0 ? trends->room * 2 : 64;
            trends->entries =
                xreallocarray(trends->entries, trends->room, sizeof *trends->entries);
        }
        struct json_object *json = series_json(series);
        trends->entries[trends->count++] =
            (struct entry){.json = json,
                           .test = json_member_text(json, "test"),
                           .name = json_member_text(json, "name"),
                           .is_flaky = series_is_flaky(series),
                           .failed_last = !outcome_is_pass(&series->latest[0])};
    }
    for (size_t i = 0; i < series->latest_count; i++)
        outcome_clear(&series->latest[i]);
    outcome_clear(&series->before);
    json_object_put(series->changed);
    free(series->test);
    free(series->name);
    free(series->types);
    *series = (struct series){0};
}

static void series_begin(struct trends *trends, struct sqlite3_stmt *row)
{
    struct series *series = &trends->series;

    series_end(trends);
    series->test = xstrdup(history_column(row, 0));
    series->name = xstrdup(history_column(row, 1));
    series->types = xstrdup(history_column(row, 2));
}

/* The later outcome differs from the one that was read now. */
static void series_change(struct series *series, const struct outcome *outcome)
{
    if (series->latest_count < OUTCOMES_MAX)
        series->changes++;
    if (series->changed == NULL) {
        series->changed = outcome_json(&series->before);
        json_object_object_del(series->changed, "state");
        json_put_text(series->changed, "from", outcome->state);
        json_put_text(series->changed, "to", series->before.state);
    }
}

/* Takes what is in the outcome. */
static void series_add(struct series *series, struct outcome *outcome)
{
    series->passed += outcome_is_pass(outcome);
    series->failed += strcmp(outcome->state, "failed") == 0;
    series->errors += strcmp(outcome->state, "error") == 0;
    series->flaky += outcome->is_flaky;
    if (series->before.state != NULL && strcmp(series->before.state, outcome->state) != 0)
        series_change(series, outcome);
    if (series->latest_count < OUTCOMES_MAX)
        series->latest[series->latest_count++] = outcome_copy(outcome);
    outcome_clear(&series->before);
    series->before = *outcome;
}

/* The order is that of the index case_series, which has all of this. It is named, since
 * SQLite would rather go run by run: through every case with its documents, and sort them
 * after that. */
static const char outcomes_sql[] =
    "SELECT test, series, types, run, id, state, flaky, duration, ended"
    " FROM cases INDEXED BY case_series"
    " WHERE run IN (SELECT id FROM runs) AND state IN ('success', 'failed', 'error')"
    " ORDER BY test, series, ended DESC, id";

/* Gives 0, or -1 with *cause. */
static int read_outcomes(struct trends *trends, struct sqlite3 *database, char **cause)
{
    struct sqlite3_stmt *row = database_prepare(database, outcomes_sql);
    struct series *series = &trends->series;
    int result;

    while ((result = sqlite3_step(row)) == SQLITE_ROW) {
        struct outcome outcome = outcome_read(row);
        if (series->test == NULL || strcmp(series->test, history_column(row, 0)) != 0 ||
            strcmp(series->name, history_column(row, 1)) != 0)
            series_begin(trends, row);
        series_add(series, &outcome);
    }
    if (result != SQLITE_DONE)
        *cause = database_error(database);
    series_end(trends);
    sqlite3_finalize(row);
    return result == SQLITE_DONE ? 0 : -1;
}

static int64_t count_runs(struct sqlite3 *database)
{
    struct sqlite3_stmt *row = database_prepare(database, "SELECT count(*) FROM runs");
    int64_t count = sqlite3_step(row) == SQLITE_ROW ? sqlite3_column_int64(row, 0) : 0;

    sqlite3_finalize(row);
    return count;
}

/* --- all together --- */

static int compare_entries(const void *a, const void *b)
{
    const struct entry *left = a, *right = b;

    if (left->is_flaky != right->is_flaky)
        return left->is_flaky ? -1 : 1;
    if (left->failed_last != right->failed_last)
        return left->failed_last ? -1 : 1;
    int order = strcmp(left->test, right->test);
    return order != 0 ? order : strcmp(left->name, right->name);
}

struct json_object *history_trends(struct sqlite3 *database, char **cause)
{
    struct trends trends = {0};
    struct json_object *json = json_new_object(), *tests = json_new_array();

    database_run(database, "BEGIN", NULL); /* both questions see the same runs */
    int result = read_outcomes(&trends, database, cause);
    history_put_time(json, "now", now().wall_ms);
    json_put_int(json, "runs", count_runs(database));
    database_run(database, "COMMIT", NULL);
    if (trends.count > 0)
        qsort(trends.entries, trends.count, sizeof *trends.entries, compare_entries);
    for (size_t i = 0; i < trends.count; i++)
        json_append(tests, trends.entries[i].json);
    free(trends.entries);
    json_put(json, "tests", tests);
    if (result == 0)
        return json;
    json_object_put(json);
    return NULL;
}
