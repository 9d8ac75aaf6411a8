/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long cases took: one mean for each test and case name, of its latest outcomes,
 * however they were: what always runs into its time-out is expected to do so again. One
 * pass over the index of cases. On the read lane's thread.
 */
#include "history_internal.h"

#include "database.h"
#include "json.h"
#include "xalloc.h"

#include <sqlite3.h>
#include <stdlib.h>

/* Ten outcomes of each; those that never began say nothing. There is a limit to what the
 * loop is handed at once. The index is named for the reason given in history_trends.c. */
static const char durations_sql[] =
    "SELECT test || '/' || series, avg(duration) FROM"
    " (SELECT test, series, duration,"
    "   row_number() OVER (PARTITION BY test, series ORDER BY ended DESC) AS age"
    "  FROM cases INDEXED BY case_series"
    "  WHERE run IN (SELECT id FROM runs) AND duration > 0)"
    " WHERE age <= 10 GROUP BY test, series LIMIT 20000";

struct json_object *history_durations(struct sqlite3 *database, char **cause)
{
    struct sqlite3_stmt *row = database_prepare(database, durations_sql);
    struct json_object *durations = json_new_object();
    int result;

    while ((result = sqlite3_step(row)) == SQLITE_ROW)
        json_put_number(durations, history_column(row, 0), sqlite3_column_double(row, 1));
    if (result != SQLITE_DONE) {
        *cause = database_error(database);
        json_object_put(durations);
        durations = NULL;
    }
    sqlite3_finalize(row);
    return durations;
}
