/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The history as a whole: its file, its lanes, its limits. history_write.c fills it,
 * history_tidy.c empties it, history_read.c and history_trends.c ask it.
 */
#include "history_internal.h"

#include "database.h"
#include "xalloc.h"

#include <stdlib.h>

/* A run is seen once it has a row in `runs`; its cases come before. `series` is the name
 * of a case without its number: what is compared over runs. The index case_series has all
 * that the trends read, so that they never go through documents. */
static const struct database_kind kind = {
    .what = "history",
    .application = 0x746c6869, /* "tlhi" */
    .version = 1,
    .tables =
        "CREATE TABLE runs (id TEXT PRIMARY KEY NOT NULL, label TEXT, state TEXT, totals "
        "TEXT,"
        " started INTEGER, ended INTEGER NOT NULL, status TEXT, junit TEXT);"
        "CREATE INDEX run_ended ON runs (ended);"
        "CREATE TABLE suites (id TEXT PRIMARY KEY NOT NULL, run TEXT NOT NULL,"
        " place INTEGER NOT NULL) WITHOUT ROWID;"
        "CREATE INDEX suite_run ON suites (run);"
        "CREATE TABLE cases (id TEXT PRIMARY KEY NOT NULL, run TEXT NOT NULL, test TEXT "
        "NOT NULL,"
        " name TEXT NOT NULL, series TEXT NOT NULL, types TEXT, state TEXT NOT NULL,"
        " flaky INTEGER NOT NULL, attempts INTEGER, duration REAL, ended INTEGER NOT "
        "NULL,"
        " message TEXT, document TEXT, machine TEXT, context TEXT);"
        "CREATE INDEX case_run ON cases (run);"
        "CREATE INDEX case_series ON cases (test, series, ended DESC, id, run, state, "
        "flaky,"
        " duration, types)",
};

void history_configure(struct history *history, const struct history_settings *settings)
{
    history->limits = (struct history_limits){.runs = settings->keep_runs,
                                              .age_ms = settings->keep_ms,
                                              .files = settings->files_bytes};
}

struct history *history_open(struct workers *workers,
                             const struct history_settings *settings, char **cause)
{
    char *path = xasprintf("%s/history.sqlite", settings->folder);
    struct history *history = NULL;
    struct sqlite3 *reader = NULL;
    struct sqlite3 *writer = database_open(path, &kind, "NORMAL", cause);

    if (writer != NULL)
        reader = database_open(path, &kind, "NORMAL", cause);
    if (reader == NULL) {
        database_close(writer);
        goto out;
    }
    history = xcalloc(1, sizeof *history);
    history->workers = workers;
    history->write_lane = workers_add_lane(workers, "history write", 1, 0);
    history->read_lane = workers_add_lane(workers, "history read", 1, 0);
    history->writer = writer;
    history->reader = reader;
    history->path = xstrdup(path);
    history->files = xstrdup(settings->files);
    history_configure(history, settings);
    history_start_sweep(history);
out:
    free(path);
    return history;
}

void history_free(struct history *history)
{
    if (history == NULL)
        return;
    /* The thread of an abandoned job still has its hands on all of this; the process is
     * ending. */
    if (history->writes > 0 || history->reads > 0)
        return;
    database_close(history->writer);
    database_close(history->reader);
    free(history->path);
    free(history->files);
    free(history);
}
