/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is old goes: runs beyond the limits with their files, files beyond the budget,
 * cases of runs that never came. On the write lane's thread; small steps, so that a stop
 * need not wait for long.
 */
#include "history_internal.h"

#include "database.h"
#include "folder.h"
#include "now.h"
#include "xalloc.h"

#include <assert.h>
#include <json-c/json.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* --- lists of runs --- */

/* Ids that a query gave, so that what it reads may be changed while they are gone
 * through. */
struct ids {
    char **of;    /* each owned */
    size_t count; /* how many those are */
};

/* Run the query and finalize it. Gives 0, or -1 with *cause. */
static int ids_read(struct ids *ids, struct sqlite3 *database, struct sqlite3_stmt *query,
                    char **cause)
{
    int result;

    *ids = (struct ids){0};
    while ((result = sqlite3_step(query)) == SQLITE_ROW) {
        ids->of = xreallocarray(ids->of, ids->count + 1, sizeof *ids->of);
        ids->of[ids->count++] = xstrdup(history_column(query, 0));
    }
    if (result != SQLITE_DONE && cause != NULL && *cause == NULL)
        *cause = database_error(database);
    sqlite3_finalize(query);
    return result == SQLITE_DONE ? 0 : -1;
}

static void ids_clear(struct ids *ids)
{
    for (size_t i = 0; i < ids->count; i++)
        free(ids->of[i]);
    free(ids->of);
}

/* --- away from the database --- */

/* Run a statement about this run and finalize it. Gives how many rows it changed, or -1
 * with *cause. */
static int change(struct sqlite3 *database, const char *sql, const char *run,
                  char **cause)
{
    struct sqlite3_stmt *statement = database_prepare(database, sql);

    sqlite3_bind_text(statement, 1, run, -1, SQLITE_STATIC);
    bool is_done = sqlite3_step(statement) == SQLITE_DONE;
    if (!is_done && *cause == NULL)
        *cause = database_error(database);
    sqlite3_finalize(statement);
    return is_done ? sqlite3_changes(database) : -1;
}

/* Remove the run's cases, so many at a time that the log of the database stays small. */
static int forget_cases(struct sqlite3 *database, const struct workers *workers,
                        const char *run, char **cause)
{
    int changed;

    do {
        changed = change(database,
                         "DELETE FROM cases WHERE rowid IN"
                         " (SELECT rowid FROM cases WHERE run = ?1 LIMIT 100)",
                         run, cause);
    } while (changed > 0 && !workers_are_stopping(workers));
    return changed >= 0 ? 0 : -1;
}

/* Nobody sees the run from its first step on; the last ones are caught up by a sweep. */
static int forget_run(const struct history_tidying *tidying, const char *run,
                      char **cause)
{
    struct sqlite3 *database = tidying->database;

    if (change(database, "DELETE FROM runs WHERE id = ?1", run, cause) < 0 ||
        change(database, "DELETE FROM suites WHERE run = ?1", run, cause) < 0)
        return -1;
    return forget_cases(database, tidying->workers, run, cause);
}

int history_sweep(struct sqlite3 *database, const struct workers *workers, char **cause)
{
    struct ids runs;
    int result =
        ids_read(&runs, database,
                 database_prepare(database, "SELECT DISTINCT run FROM cases"
                                            " WHERE run NOT IN (SELECT id FROM runs)"),
                 cause);

    for (size_t i = 0; i < runs.count && result == 0; i++)
        result = forget_cases(database, workers, runs.of[i], cause);
    ids_clear(&runs);
    return result;
}

/* --- away from the disk --- */

/* Gives 0, or -1 with *cause. */
static int remove_files(const struct history_tidying *tidying, const char *run,
                        char **cause)
{
    bool is_name = *run != '\0' && strchr(run, '/') == NULL && strcmp(run, ".") != 0 &&
                   strcmp(run, "..") != 0;
    int error = is_name ? folder_remove(tidying->files, run) : 0;

    if (error != 0)
        cause_set(cause, "%s/%s can't be removed: %s", tidying->files, run,
                  strerror(error));
    return error == 0 ? 0 : -1;
}

/* --- what goes --- */

static int64_t limit_or_all(size_t limit)
{
    return limit > 0 && limit < INT64_MAX ? (int64_t)limit : INT64_MAX;
}

/* Runs that are too many or too old, oldest first. */
static struct sqlite3_stmt *beyond_limits(const struct history_tidying *tidying)
{
    const struct history_limits *limits = tidying->limits;
    struct sqlite3_stmt *query = database_prepare(
        tidying->database,
        "SELECT id FROM runs WHERE id IS NOT ?1 AND (ended < ?2 OR id IN"
        " (SELECT id FROM runs ORDER BY ended DESC, rowid DESC LIMIT -1 OFFSET ?3))"
        " ORDER BY ended, rowid");

    sqlite3_bind_text(query, 1, tidying->living, -1, SQLITE_STATIC);
    sqlite3_bind_int64(query, 2,
                       limits->age_ms > 0 ? now().wall_ms - limits->age_ms : INT64_MIN);
    sqlite3_bind_int64(query, 3, limit_or_all(limits->runs));
    return query;
}

/* A run whose files can't be removed stays, so that it is tried again: nobody else knows
 * of them. */
static int tidy_runs(const struct history_tidying *tidying, char **cause)
{
    struct ids runs;
    int result = ids_read(&runs, tidying->database, beyond_limits(tidying), cause);

    for (size_t i = 0; i < runs.count && !workers_are_stopping(tidying->workers); i++) {
        if (remove_files(tidying, runs.of[i], cause) != 0 ||
            forget_run(tidying, runs.of[i], cause) != 0)
            result = -1;
    }
    ids_clear(&runs);
    return result;
}

static int tidy_files(const struct history_tidying *tidying, char **cause)
{
    struct ids runs;
    uint64_t budget = tidying->limits->files;
    uint64_t total = budget > 0 ? folder_size_below(tidying->files) : 0;

    if (total <= budget)
        return 0;
    struct sqlite3_stmt *query =
        database_prepare(tidying->database,
                         "SELECT id FROM runs WHERE id IS NOT ?1 ORDER BY ended, rowid");
    sqlite3_bind_text(query, 1, tidying->living, -1, SQLITE_STATIC);
    int result = ids_read(&runs, tidying->database, query, cause);
    for (size_t i = 0; i < runs.count && total > budget; i++) {
        if (workers_are_stopping(tidying->workers))
            break;
        uint64_t size = folder_size(tidying->files, runs.of[i]);
        if (size > 0 && remove_files(tidying, runs.of[i], cause) == 0)
            total -= size < total ? size : total;
        else if (size > 0)
            result = -1;
    }
    ids_clear(&runs);
    return result;
}

int history_tidy(const struct history_tidying *tidying, char **cause)
{
    int runs = tidy_runs(tidying, cause);
    int files = tidy_files(tidying, cause);

    return runs == 0 && files == 0 ? 0 : -1;
}
