/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite as the journal and the history use it: a file that is opened, made where it
 * is new, and refused with a way on where it is not ours to touch. A connection
 * belongs to one thread at a time.
 */
#ifndef TL_DATABASE_H
#define TL_DATABASE_H

#include <stdbool.h>
#include <stdint.h>

struct sqlite3;
struct sqlite3_stmt;

/* What a kind of file is. */
struct database_kind {
    const char *what;     /* for people: "journal" */
    uint32_t application; /* PRAGMA application_id: whose file it is */
    int version;          /* PRAGMA user_version: of the tables below */
    const char *tables;   /* SQL that makes them in a new file; no ; at its end */
};

/* Open the file of this kind, in WAL mode, and make it if it is not there (or is
 * empty). A file that is something else, of another version, lacks tables, or can't be
 * written is left as it is, and so is a -wal whose database is gone: NULL with *cause,
 * a sentence that names the file and says what to do. Damage that lies deeper shows
 * when it is read. The folder must exist. `synchronous` is SQLite's: "OFF", "NORMAL",
 * "FULL". A lock of somebody else is waited for, a few seconds. A process may open a
 * file more than once, but must not open() and close() it by other means: that would
 * end SQLite's locks. Blocks. */
struct sqlite3 *database_open(const char *path, const struct database_kind *kind,
                              const char *synchronous, char **cause);
/* Its statements must be finalized before. NULL is fine. */
void database_close(struct sqlite3 *database);

/* Prepare a statement that is known to be right; aborts if it is not. To be finalized
 * by the caller. */
struct sqlite3_stmt *database_prepare(struct sqlite3 *database, const char *sql);

/* Run SQL without results. Gives 0, or -1 with *cause in words ("the disk is full"). */
int database_run(struct sqlite3 *database, const char *sql, char **cause);

/* The latest error of the connection in words, for the sentence "… can't be written:
 * WORDS". Owned by the caller. */
char *database_error(struct sqlite3 *database);

/* The shell command that moves this file out of the way, together with what belongs to
 * it; for the end of a sentence about damage. Owned by the caller. */
char *database_way_to_move(const char *path);

#endif
