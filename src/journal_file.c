/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal.sqlite. Two tables: the inputs, and one row of what must outlive them: the
 * number that the next one gets (numbers are never used again), up to which number they
 * are forgotten (deleting may take its time; a replay must not meet half of it), and the
 * moment the process was last known to live. For one thread at a time.
 */
#include "journal_file.h"

#include "database.h"
#include "xalloc.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_BYTES     4120 /* a page in the -wal and what stands before it */
#define CHECKPOINT_BUSY 200 /* ms that a checkpoint waits for writers and holds them up */
#define SWEEP_ROWS      "500"
#define BUSY_MS         5000 /* that a commit waits for somebody's sqlite3 shell */
#define EMPTY_BUSY_MS   200  /* that a checkpoint does */

static const struct database_kind kind = {
    .what = "journal",
    .application = 0x746c6a6e, /* "tljn" */
    .version = 1,
    .tables = "CREATE TABLE inputs(number INTEGER PRIMARY KEY, mono INTEGER NOT NULL,"
              " wall INTEGER NOT NULL, run TEXT, text TEXT NOT NULL) STRICT;"
              "CREATE INDEX runs ON inputs(run) WHERE run IS NOT NULL;"
              "CREATE TABLE state(one INTEGER PRIMARY KEY CHECK (one = 1),"
              " next INTEGER NOT NULL, forgotten INTEGER NOT NULL, mono INTEGER NOT NULL,"
              " wall INTEGER NOT NULL) STRICT;"
              "INSERT INTO state VALUES (1, 1, 0, 0, 0)"};

/* A connection and its statements. */
struct journal_file {
    char *path;                  /* for people, owned */
    struct sqlite3 *database;    /* the connection, owned */
    struct sqlite3_stmt *begin;  /* this and the following: statements, owned */
    struct sqlite3_stmt *commit; /* see begin */
    struct sqlite3_stmt *insert; /* of one input */
    struct sqlite3_stmt *alive;  /* sets the moment, never back */
    struct sqlite3_stmt *forget; /* sets the state's numbers and moment */
    struct sqlite3_stmt *end;    /* deletes what brought a run */
    struct sqlite3_stmt *amend;  /* gives an input another text */
    struct sqlite3_stmt *sweep;  /* deletes some of what was forgotten */
    int64_t next;                /* number of the next input */
    int frames;                  /* in the -wal, as of the last commit */
};

/* --- opening --- */

static int frames_cb(void *context, struct sqlite3 *database, const char *name,
                     int frames)
{
    struct journal_file *file = context;

    (void)database;
    (void)name;
    file->frames = frames;
    return SQLITE_OK;
}

/* The connection's latest error as a sentence for the start. What is damaged stays as it
 * is: a checkpoint would write to it. */
static void refuse_error(struct journal_file *file, char **cause)
{
    int code = sqlite3_errcode(file->database) & 0xff;
    char *words = database_error(file->database);
    char *way = database_way_to_move(file->path);

    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
        sqlite3_db_config(file->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
                          (int *)NULL);
        cause_set(cause,
                  "the journal %s is damaged: put back a copy of it, or move it away to "
                  "start with an empty one: %s",
                  file->path, way);
    } else {
        cause_set(cause, "the journal %s can't be read: %s", file->path, words);
    }
    free(way);
    free(words);
}

/* A row that SQLite could read, but nobody could have written. */
static void refuse_row(struct journal_file *file, const char *what, char **cause)
{
    char *way = database_way_to_move(file->path);

    sqlite3_db_config(file->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
    cause_set(cause,
              "the journal %s is damaged (%s): put back a copy of it, or move it away to "
              "start with an empty one: %s",
              file->path, what, way);
    free(way);
}

/* The index is read because nothing else would tell at the start that it is damaged. */
static int read_next(struct journal_file *file, char **cause)
{
    struct sqlite3_stmt *statement = database_prepare(
        file->database,
        "SELECT max(next, forgotten, coalesce((SELECT max(number) + 1 FROM inputs), 1)), "
        "(SELECT count(*) FROM inputs INDEXED BY runs WHERE run IS NOT NULL) FROM state");
    int step = sqlite3_step(statement);

    if (step == SQLITE_ROW)
        file->next = sqlite3_column_int64(statement, 0);
    if (step == SQLITE_DONE)
        refuse_row(file, "its state is missing", cause);
    else if (step != SQLITE_ROW)
        refuse_error(file, cause);
    sqlite3_finalize(statement);
    return step == SQLITE_ROW ? 0 : -1;
}

static void prepare(struct journal_file *file)
{
    struct sqlite3 *database = file->database;

    file->begin = database_prepare(database, "BEGIN IMMEDIATE");
    file->commit = database_prepare(database, "COMMIT");
    file->insert =
        database_prepare(database, "INSERT INTO inputs(number, mono, wall, run, text) "
                                   "VALUES (?1, ?2, ?3, ?4, ?5)");
    file->alive = database_prepare(
        database,
        "UPDATE state SET wall = iif(?1 >= mono, ?2, wall), mono = max(mono, ?1)");
    /* Where there are no inputs, nothing is to be noted. */
    file->forget = database_prepare(
        database,
        "UPDATE state SET next = ?1, forgotten = max(forgotten, ?2), "
        "wall = iif(latest.mono >= state.mono, latest.wall, state.wall), "
        "mono = max(latest.mono, state.mono) FROM "
        "(SELECT mono, wall FROM inputs ORDER BY number DESC LIMIT 1) AS latest");
    file->end = database_prepare(database, "DELETE FROM inputs WHERE run = ?1");
    file->amend =
        database_prepare(database, "UPDATE inputs SET text = ?2 WHERE number = ?1");
    file->sweep = database_prepare(
        database, "DELETE FROM inputs WHERE number IN (SELECT number FROM inputs NOT "
                  "INDEXED WHERE number < (SELECT forgotten FROM state) AND run IS NULL "
                  "ORDER BY number LIMIT " SWEEP_ROWS ")");
}

struct journal_file *journal_file_open(const char *path, const char *synchronous,
                                       char **cause)
{
    struct sqlite3 *database = database_open(path, &kind, synchronous, cause);

    if (database == NULL)
        return NULL;
    struct journal_file *file = xcalloc(1, sizeof *file);
    file->path = xstrdup(path);
    file->database = database;
    prepare(file);
    /* What is deleted here is no secret from whoever can read the file. */
    if (database_run(database,
                     "PRAGMA wal_autocheckpoint = 0; PRAGMA secure_delete = OFF",
                     NULL) != 0 ||
        read_next(file, cause) != 0) {
        refuse_error(file, cause);
        journal_file_close(file);
        return NULL;
    }
    sqlite3_wal_hook(database, frames_cb, file);
    return file;
}

void journal_file_close(struct journal_file *file)
{
    if (file == NULL)
        return;
    sqlite3_finalize(file->begin);
    sqlite3_finalize(file->commit);
    sqlite3_finalize(file->insert);
    sqlite3_finalize(file->alive);
    sqlite3_finalize(file->forget);
    sqlite3_finalize(file->amend);
    sqlite3_finalize(file->end);
    sqlite3_finalize(file->sweep);
    database_close(file->database);
    free(file->path);
    free(file);
}

/* --- reading --- */

/* A text that ends early was torn: nobody writes a NUL. */
static bool row_reads_well(struct sqlite3_stmt *row)
{
    if (sqlite3_column_type(row, 1) != SQLITE_INTEGER ||
        sqlite3_column_type(row, 2) != SQLITE_INTEGER ||
        sqlite3_column_type(row, 3) != SQLITE_TEXT)
        return false;
    const char *text = xcheck((void *)sqlite3_column_text(row, 3));
    return strlen(text) == (size_t)sqlite3_column_bytes(row, 3);
}

/* Columns 1 and 2 of the row. */
static struct instant row_moment(struct sqlite3_stmt *row)
{
    return (struct instant){.mono_ms = sqlite3_column_int64(row, 1),
                            .wall_ms = sqlite3_column_int64(row, 2)};
}

/* Also of those inputs that were forgotten, or that nobody wanted to hear. */
static int read_last(struct journal_file *file, struct instant *last, char **cause)
{
    struct sqlite3_stmt *rows = database_prepare(
        file->database,
        "SELECT 0, mono, wall FROM state UNION ALL SELECT * FROM (SELECT number, mono, "
        "wall FROM inputs ORDER BY number DESC LIMIT 1)");
    int step;

    *last = (struct instant){0};
    while ((step = sqlite3_step(rows)) == SQLITE_ROW) {
        struct instant at = row_moment(rows);
        if (at.mono_ms >= last->mono_ms)
            *last = at;
    }
    if (step != SQLITE_DONE)
        refuse_error(file, cause);
    sqlite3_finalize(rows);
    return step == SQLITE_DONE ? 0 : -1;
}

int journal_file_replay(struct journal_file *file,
                        bool (*each)(void *context, int64_t number, const char *text,
                                     const struct instant *at),
                        void *context, struct instant *last, char **cause)
{
    struct sqlite3_stmt *rows = database_prepare(
        file->database,
        "SELECT number, mono, wall, text FROM inputs NOT INDEXED WHERE number >= "
        "(SELECT forgotten FROM state) OR run IS NOT NULL ORDER BY number");
    int step = SQLITE_DONE;
    bool more = true;

    while (more && (step = sqlite3_step(rows)) == SQLITE_ROW) {
        int64_t number = sqlite3_column_int64(rows, 0);
        if (!row_reads_well(rows)) {
            char *what = xasprintf("input %lld does not read well", (long long)number);
            refuse_row(file, what, cause);
            free(what);
            break;
        }
        struct instant at = row_moment(rows);
        more = each(context, number, (const char *)sqlite3_column_text(rows, 3), &at);
    }
    bool fine = !more || step == SQLITE_DONE;
    if (more && step != SQLITE_DONE && step != SQLITE_ROW)
        refuse_error(file, cause);
    sqlite3_finalize(rows);
    return fine ? read_last(file, last, cause) : -1;
}

/* --- writing --- */

static bool run_statement(struct sqlite3_stmt *statement)
{
    sqlite3_step(statement);
    return sqlite3_reset(statement) == SQLITE_OK;
}

static bool insert(struct journal_file *file, const struct input *input, int64_t number)
{
    struct sqlite3_stmt *row = file->insert;

    sqlite3_bind_int64(row, 1, number);
    sqlite3_bind_int64(row, 2, input->at.mono_ms);
    sqlite3_bind_int64(row, 3, input->at.wall_ms);
    sqlite3_bind_text(row, 4, input->run, -1, SQLITE_STATIC);
    return sqlite3_bind_text64(row, 5, input->text, input->size, SQLITE_STATIC,
                               SQLITE_UTF8) == SQLITE_OK &&
           run_statement(row);
}

static bool insert_all(struct journal_file *file, const struct input_list *inputs,
                       int64_t *next)
{
    const struct input *input;
    bool written = true;

    TAILQ_FOREACH (input, inputs, link)
        written = written && insert(file, input, (*next)++);
    return written;
}

static bool write_alive(struct journal_file *file, const struct instant *alive)
{
    sqlite3_bind_int64(file->alive, 1, alive->mono_ms);
    sqlite3_bind_int64(file->alive, 2, alive->wall_ms);
    return run_statement(file->alive);
}

/* Give up what was begun; the connection's latest error becomes the words. */
static void roll_back(struct journal_file *file, char **words)
{
    if (words != NULL && *words == NULL)
        *words = database_error(file->database);
    if (!sqlite3_get_autocommit(file->database))
        database_run(file->database, "ROLLBACK", NULL);
}

int journal_file_write(struct journal_file *file, const struct input_list *inputs,
                       const struct instant *alive, int64_t *first, char **words)
{
    int64_t next = file->next;
    bool written = run_statement(file->begin) && insert_all(file, inputs, &next) &&
                   (alive == NULL || write_alive(file, alive)) &&
                   run_statement(file->commit);

    if (!written) {
        roll_back(file, words);
        return -1;
    }
    *first = file->next;
    file->next = next;
    return 0;
}

size_t journal_file_wal(const struct journal_file *file)
{
    return (size_t)file->frames * FRAME_BYTES;
}

/* --- forgetting --- */

/* The next input gets the number `next`. */
static bool forget_before(struct journal_file *file, int64_t before, int64_t next)
{
    sqlite3_bind_int64(file->forget, 1, next);
    sqlite3_bind_int64(file->forget, 2, before);
    return run_statement(file->forget);
}

static bool forget_runs(struct journal_file *file, char *const *runs, size_t count)
{
    bool done = true;

    for (size_t i = 0; i < count && done; i++) {
        sqlite3_bind_text(file->end, 1, runs[i], -1, SQLITE_STATIC);
        done = run_statement(file->end);
    }
    return done;
}

static bool amend(struct journal_file *file, int64_t number, const char *text)
{
    if (text == NULL)
        return true;
    sqlite3_bind_int64(file->amend, 1, number);
    sqlite3_bind_text(file->amend, 2, text, -1, SQLITE_STATIC);
    return run_statement(file->amend);
}

int journal_file_forget(struct journal_file *file, int64_t before, const char *text,
                        char *const *runs, size_t count, char **words)
{
    /* The state first: it takes over the moment of the latest input. */
    if (run_statement(file->begin) &&
        forget_before(file, before < file->next ? before : file->next, file->next) &&
        forget_runs(file, runs, count) && amend(file, before, text) &&
        run_statement(file->commit))
        return 0;
    roll_back(file, words);
    return -1;
}

/* Write all texts that there are, from number *number on. */
static bool insert_texts(struct journal_file *file,
                         bool (*next)(void *context, char **text), void *context,
                         const struct instant *at, int64_t *number)
{
    struct input input = {.at = *at};
    bool good;

    while ((good = next(context, &input.text)) && input.text != NULL) {
        input.size = strlen(input.text);
        good = insert(file, &input, (*number)++);
        free(input.text);
        if (!good)
            break;
    }
    return good;
}

int journal_file_replace(struct journal_file *file,
                         bool (*next)(void *context, char **text), void *context,
                         const struct instant *at, int64_t *first, char **words)
{
    int64_t number = file->next;

    if (run_statement(file->begin) && insert_texts(file, next, context, at, &number) &&
        forget_before(file, file->next, number) && run_statement(file->commit)) {
        *first = file->next;
        file->next = number;
        return 0;
    }
    roll_back(file, words);
    return -1;
}

bool journal_file_sweep(struct journal_file *file)
{
    if (!run_statement(file->sweep)) {
        roll_back(file, NULL);
        return false;
    }
    return sqlite3_changes(file->database) == atoi(SWEEP_ROWS);
}

/* --- checkpoints --- */

int journal_file_checkpoint(struct journal_file *file, bool empty, size_t *wal,
                            char **words)
{
    int mode = empty ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
    int frames = 0;

    if (empty) /* commits wait for this one; for once it may fail */
        sqlite3_busy_timeout(file->database, EMPTY_BUSY_MS);
    int result = sqlite3_wal_checkpoint_v2(file->database, NULL, mode, &frames, NULL);
    if (empty)
        sqlite3_busy_timeout(file->database, BUSY_MS);
    *wal = frames > 0 ? (size_t)frames * FRAME_BYTES : 0;
    if (result == SQLITE_OK || (result & 0xff) == SQLITE_BUSY)
        return 0;
    *words = database_error(file->database);
    return -1;
}
