/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the history share. See history.h for what it is. */
#ifndef TL_HISTORY_INTERNAL_H
#define TL_HISTORY_INTERNAL_H

#include "hash.h"
#include "history.h"
#include "worker.h"

struct reading;
struct sqlite3;
struct sqlite3_stmt;

/* What stays; a copy goes with each job. */
struct history_limits {
    size_t runs;    /* see struct history_settings */
    int64_t age_ms; /* the same */
    uint64_t files; /* bytes */
};

struct history {
    struct workers *workers;      /* borrowed */
    struct lane *write_lane;      /* of one thread, the pool's */
    struct lane *read_lane;       /* of one thread, the pool's */
    struct sqlite3 *writer;       /* only for jobs of the write lane, owned */
    struct sqlite3 *reader;       /* only for jobs of the read lane, owned */
    char *path;                   /* of the database, for people; owned */
    char *files;                  /* folder of uploaded files, owned */
    struct history_limits limits; /* from now on */
    size_t writes;                /* jobs whose done() has not been called */
    size_t reads;                 /* the same */
    bool is_failing;              /* the latest write failed */
    bool is_untidy;               /* the latest removal of old runs failed */
    struct reading *askers;       /* uthash by ticket; their jobs own them */
    uint64_t last_ticket;         /* of history_find() */
};

/* --- on the write lane --- */

/* What old runs are removed by. Borrows everything. */
struct history_tidying {
    struct sqlite3 *database;            /* the writer */
    const struct workers *workers;       /* to give up early */
    const char *files;                   /* folder of uploaded files */
    const char *living;                  /* this run stays; may be NULL */
    const struct history_limits *limits; /* beyond which runs go */
};

/* Remove what is beyond the limits. Gives 0, or -1 with *cause; then it has done what it
 * could. */
int history_tidy(const struct history_tidying *tidying, char **cause);

/* Remove the cases of runs that were never added. Gives 0, or -1 with *cause. */
int history_sweep(struct sqlite3 *database, const struct workers *workers, char **cause);

/* Hand in the job that sweeps. To be called before any other write. */
void history_start_sweep(struct history *history);

/* --- on the read lane --- */

/* HISTORY_TRENDS; NULL with *cause in words if it can't be read. */
struct json_object *history_trends(struct sqlite3 *database, char **cause);

/* HISTORY_DURATIONS; NULL with *cause in words if it can't be read. */
struct json_object *history_durations(struct sqlite3 *database, char **cause);

/* "2026-11-22T20:17:00.123Z" as a member, null for 0. */
void history_put_time(struct json_object *object, const char *name, int64_t wall_ms);

/* The column as text, "" for NULL. Borrowed until the next row. */
const char *history_column(struct sqlite3_stmt *statement, int column);

#endif
