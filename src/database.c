/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite files. What is there is looked at before SQLite may touch it, since SQLite mends
 * what it opens: it would roll back, check in or delete what belongs to somebody else. On
 * the thread that the connection belongs to.
 */
#include "database.h"

#include "log.h"
#include "xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HEADER_SIZE = 100,   /* bytes that every SQLite file begins with */
    VERSION_AT = 60,     /* where user_version is in them */
    APPLICATION_AT = 68, /* where application_id is */
    BUSY_MS = 5000       /* for somebody's sqlite3 shell to let go */
};

static const char magic[16] = "SQLite format 3";

/* --- sentences --- */

/* The path as a word of the shell. Owned. */
static char *shell_word(const char *path, const char *ending)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789/._-+:@%,";
    char *word = NULL;
    size_t size;

    if (path[strspn(path, plain)] == '\0')
        return xasprintf("%s%s", path, ending);
    FILE *out = xcheck(open_memstream(&word, &size));
    fputc('\'', out);
    for (; *path != '\0'; path++)
        fputs(*path == '\'' ? "'\\''" : (const char[]){*path, '\0'}, out);
    fprintf(out, "%s'", ending);
    if (fclose(out) != 0)
        xcheck(NULL);
    return word;
}

char *database_way_to_move(const char *path)
{
    char *from = shell_word(path, ""), *to = shell_word(path, ".old");
    char *wal = shell_word(path, "-wal"), *to_wal = shell_word(path, ".old-wal");
    char *wal_path = xasprintf("%s-wal", path);
    struct stat about;
    bool has_wal = stat(wal_path, &about) == 0 && about.st_size > 0;
    char *way = has_wal ? xasprintf("mv %s %s && mv %s %s", from, to, wal, to_wal)
                        : xasprintf("mv %s %s", from, to);

    free(wal_path);
    free(to_wal);
    free(wal);
    free(to);
    free(from);
    return way;
}

/* "The journal /x is WRONG: ADVICE mv /x /x.old". */
static void refuse(const char *path, const struct database_kind *kind, const char *wrong,
                   const char *advice, char **cause)
{
    char *way = database_way_to_move(path);

    cause_set(cause, "the %s %s %s: %s: %s", kind->what, path, wrong, advice, way);
    free(way);
}

static void refuse_damaged(const char *path, const struct database_kind *kind,
                           char **cause)
{
    refuse(path, kind, "is damaged",
           "put back a copy of it, or move it away to start with an empty one", cause);
}

static void refuse_errno(const char *path, const struct database_kind *kind, int error,
                         char **cause)
{
    const char *advice = "";

    if (error == EACCES || error == EPERM)
        advice = "; it and its folder must be writable for the user that runs this";
    else if (error == ENOENT || error == ENOTDIR)
        advice = "; its folder must be there";
    cause_set(cause, "the %s %s can't be opened for reading and writing: %s%s",
              kind->what, path, strerror(error), advice);
}

/* --- errors --- */

/* What the system said, where that is the better word; else NULL. Returns static. */
static const char *system_words(struct sqlite3 *database)
{
    int error = sqlite3_system_errno(database);

    if (error == ENOSPC || error == EDQUOT)
        return "the disk is full";
    return error != 0 ? strerrordesc_np(error) : NULL;
}

char *database_error(struct sqlite3 *database)
{
    int code = sqlite3_extended_errcode(database);
    const char *said = NULL;

    if (code == SQLITE_IOERR_SHMSIZE) /* the one write that leaves no errno */
        return xstrdup("the disk is full");
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        xcheck(NULL);
        break;
    case SQLITE_FULL:
        return xstrdup("the disk is full");
    case SQLITE_CORRUPT:
        return xstrdup("the file is damaged");
    case SQLITE_NOTADB:
        return xstrdup("the file is not a database");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return xstrdup("another program has it locked");
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return xstrdup("it may not be written to");
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
        said = system_words(database);
        break;
    }
    return xasprintf("%s%s%s", sqlite3_errmsg(database), said != NULL ? ": " : "",
                     said != NULL ? said : "");
}

/* The connection's latest error as a sentence about the file. */
static void refuse_error(struct sqlite3 *database, const char *path,
                         const struct database_kind *kind, char **cause)
{
    int code = sqlite3_errcode(database) & 0xff, error = sqlite3_system_errno(database);

    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
        refuse_damaged(path, kind, cause);
    } else if (error == EACCES || error == EPERM || error == ENOENT) {
        refuse_errno(path, kind, error, cause);
    } else {
        char *words = database_error(database);
        cause_set(cause, "the %s %s can't be opened: %s", kind->what, path, words);
        free(words);
    }
}

/* --- what is there, before SQLite sees it --- */

static uint32_t read_u32(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Whether these are the kind's own; false with *cause. */
static bool ids_are_ours(const char *path, const struct database_kind *kind,
                         uint32_t application, int64_t version, char **cause)
{
    char *wrong = NULL;

    if (application == kind->application && version == kind->version)
        return true;
    if (application != kind->application) {
        wrong = xasprintf("is another program's (its application_id is 0x%08x)",
                          (unsigned)application);
        refuse(path, kind, wrong, "move the file away", cause);
    } else {
        wrong = xasprintf("has version %lld, this program knows version %d",
                          (long long)version, kind->version);
        const char *advice = version > kind->version
                                 ? "start the newer trafficlightd, or move the file away"
                                 : "start the older trafficlightd, or move the file away";
        refuse(path, kind, wrong, advice, cause);
    }
    free(wrong);
    return false;
}

/* Whose it is by its header. Read through SQLite, which takes no lock for that: a
 * descriptor of our own would, when closed, end the locks that other connections of this
 * process hold. */
static bool header_is_ours(struct sqlite3 *database, const char *path,
                           const struct database_kind *kind, char **cause)
{
    unsigned char header[HEADER_SIZE] = {0};
    struct sqlite3_file *file = NULL;

    sqlite3_file_control(database, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    int result = file->pMethods->xRead(file, header, sizeof header, 0);
    if (result != SQLITE_OK && result != SQLITE_IOERR_SHORT_READ) {
        cause_set(cause, "the %s %s can't be read: %s", kind->what, path,
                  sqlite3_errstr(result));
        return false;
    }
    if (result != SQLITE_OK || memcmp(header, magic, sizeof magic) != 0) {
        refuse(path, kind, "is not a database", "move it away to start with an empty one",
               cause);
        return false;
    }
    return ids_are_ours(path, kind, read_u32(header + APPLICATION_AT),
                        (int32_t)read_u32(header + VERSION_AT), cause);
}

/* SQLite deletes a -wal whose database is not there or empty, and with it what is in it.
 * Gives false with *cause if there is such a one. */
static bool wal_is_no_orphan(const char *path, const struct database_kind *kind,
                             char **cause)
{
    char *wal = xasprintf("%s-wal", path);
    struct stat about;
    bool orphan = stat(wal, &about) == 0 && about.st_size > 0;

    if (orphan)
        cause_set(cause,
                  "the %s %s is missing or empty, but %s is there, which belongs to it: "
                  "put back the one, or move the other away: mv %s %s.old-wal",
                  kind->what, path, wal, wal, path);
    free(wal);
    return !orphan;
}

/* Gives 0 and whether the file is to be filled, or -1 with *cause. */
static int look_for(const char *path, const struct database_kind *kind, bool *is_new,
                    char **cause)
{
    struct stat about = {0};
    int error = stat(path, &about) != 0 ? errno : 0;

    *is_new = error == ENOENT || about.st_size == 0;
    if (error == 0 && S_ISDIR(about.st_mode)) {
        refuse(path, kind, "is a folder", "move it away", cause);
        return -1;
    }
    if (error == 0 && !S_ISREG(about.st_mode)) {
        refuse(path, kind, "is not a file", "move it away", cause);
        return -1;
    }
    if (error == 0 && access(path, R_OK | W_OK) != 0)
        error = errno;
    if (error != 0 && error != ENOENT) {
        refuse_errno(path, kind, error, cause);
        return -1;
    }
    return !*is_new || wal_is_no_orphan(path, kind, cause) ? 0 : -1;
}

/* --- opening --- */

/* Give the first number of the first row; false on an error. */
static bool read_number(struct sqlite3 *database, const char *sql, int64_t *number)
{
    struct sqlite3_stmt *statement = NULL;
    bool read = sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK &&
                sqlite3_step(statement) == SQLITE_ROW;

    if (read)
        *number = sqlite3_column_int64(statement, 0);
    return sqlite3_finalize(statement) == SQLITE_OK && read;
}

/* All tables at once, and in the file itself, not in a -wal: whoever opens it next can
 * tell by its header whose it is. */
static int make_tables(struct sqlite3 *database, const struct database_kind *kind,
                       char **cause)
{
    char *sql = xasprintf("BEGIN IMMEDIATE; PRAGMA application_id = %d; "
                          "PRAGMA user_version = %d; %s; COMMIT",
                          (int)kind->application, kind->version, kind->tables);
    int result = database_run(database, sql, cause);

    if (result != 0 && !sqlite3_get_autocommit(database))
        database_run(database, "ROLLBACK", NULL);
    free(sql);
    return result;
}

/* A file of a program that was newer may say so in its -wal only. */
static int check_ids(struct sqlite3 *database, const char *path,
                     const struct database_kind *kind, char **cause)
{
    int64_t application, version;

    if (!read_number(database, "PRAGMA application_id", &application) ||
        !read_number(database, "PRAGMA user_version", &version)) {
        refuse_error(database, path, kind, cause);
        return -1;
    }
    return ids_are_ours(path, kind, (uint32_t)application, version, cause) ? 0 : -1;
}

/* Give 1 if the file has everything that `model` has, 0 if not, -1 on an error. */
static int has_tables(struct sqlite3 *database, struct sqlite3 *model)
{
    struct sqlite3_stmt *all = database_prepare(
        model, "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL");
    struct sqlite3_stmt *one = NULL;
    int found = 1;

    if (sqlite3_prepare_v2(database,
                           "SELECT 1 FROM sqlite_schema WHERE name = ?1 AND sql = ?2", -1,
                           &one, NULL) != SQLITE_OK)
        found = -1;
    while (found == 1 && sqlite3_step(all) == SQLITE_ROW) {
        sqlite3_bind_value(one, 1, sqlite3_column_value(all, 0));
        sqlite3_bind_value(one, 2, sqlite3_column_value(all, 1));
        int step = sqlite3_step(one);
        found = step == SQLITE_ROW ? 1 : step == SQLITE_DONE ? 0 : -1;
        sqlite3_reset(one);
    }
    sqlite3_finalize(all);
    sqlite3_finalize(one);
    return found;
}

/* That its tables are there, so that every statement can be prepared later. */
static int check_tables(struct sqlite3 *database, const char *path,
                        const struct database_kind *kind, char **cause)
{
    struct sqlite3 *model = NULL;
    char *why = NULL;

    if (sqlite3_open(":memory:", &model) != SQLITE_OK ||
        database_run(model, kind->tables, &why) != 0) {
        log_error("the tables of the %s: %s", kind->what, why != NULL ? why : "?");
        abort();
    }
    int found = has_tables(database, model);
    if (found < 0)
        refuse_error(database, path, kind, cause);
    else if (found == 0)
        refuse_damaged(path, kind, cause);
    sqlite3_close(model);
    return found == 1 ? 0 : -1;
}

/* Whether it went well; SQLite gives back the mode that it has now. */
static bool set_wal(struct sqlite3 *database)
{
    struct sqlite3_stmt *statement = NULL;
    bool set = sqlite3_prepare_v2(database, "PRAGMA journal_mode = WAL", -1, &statement,
                                  NULL) == SQLITE_OK &&
               sqlite3_step(statement) == SQLITE_ROW &&
               strcmp((const char *)sqlite3_column_text(statement, 0), "wal") == 0;

    return sqlite3_finalize(statement) == SQLITE_OK && set;
}

static int set_modes(struct sqlite3 *database, const char *path,
                     const struct database_kind *kind, const char *synchronous,
                     char **cause)
{
    char *sql =
        xasprintf("PRAGMA synchronous = %s; PRAGMA cell_size_check = ON", synchronous);
    int result = database_run(database, sql, NULL);

    free(sql);
    if (result == 0 && set_wal(database))
        return 0;
    if (sqlite3_errcode(database) == SQLITE_OK)
        cause_set(cause,
                  "the %s %s can't have a write-ahead log on this file system: choose a "
                  "folder on a local disk",
                  kind->what, path);
    else
        refuse_error(database, path, kind, cause);
    return -1;
}

/* All that needs a connection. Gives 0, or -1 with *cause. */
static int take_file(struct sqlite3 *database, const char *path,
                     const struct database_kind *kind, const char *synchronous,
                     bool is_new, char **cause)
{
    if (!is_new && !header_is_ours(database, path, kind, cause))
        return -1;
    if (is_new && make_tables(database, kind, NULL) != 0) {
        refuse_error(database, path, kind, cause);
        return -1;
    }
    if (check_ids(database, path, kind, cause) != 0 ||
        check_tables(database, path, kind, cause) != 0)
        return -1;
    return set_modes(database, path, kind, synchronous, cause);
}

/* A close must leave a file that we refuse as it is, its -wal too. */
static void keep_wal(struct sqlite3 *database, bool keep)
{
    sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, (int)keep, (int *)NULL);
}

/* There are passwords of test users in it. Its -wal gets the same mode; where it can't be
 * made, SQLite says why. */
static void make_private(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

    if (fd >= 0)
        close(fd);
}

struct sqlite3 *database_open(const char *path, const struct database_kind *kind,
                              const char *synchronous, char **cause)
{
    struct sqlite3 *database = NULL;
    bool is_new = false;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                SQLITE_OPEN_EXRESCODE;

    if (look_for(path, kind, &is_new, cause) != 0)
        return NULL;
    if (is_new)
        make_private(path);
    int result = sqlite3_open_v2(path, &database, flags, NULL);
    xcheck(database);
    keep_wal(database, true);
    sqlite3_busy_timeout(database, BUSY_MS);
    if (result != SQLITE_OK)
        refuse_error(database, path, kind, cause);
    else if (take_file(database, path, kind, synchronous, is_new, cause) == 0) {
        keep_wal(database, false);
        return database;
    }
    database_close(database);
    return NULL;
}

void database_close(struct sqlite3 *database)
{
    sqlite3_close(database);
}

/* --- statements --- */

struct sqlite3_stmt *database_prepare(struct sqlite3 *database, const char *sql)
{
    struct sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement,
                           NULL) != SQLITE_OK) {
        log_error("can't prepare \"%s\": %s", sql, sqlite3_errmsg(database));
        abort();
    }
    return statement;
}

int database_run(struct sqlite3 *database, const char *sql, char **cause)
{
    if (sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK)
        return 0;
    if (cause != NULL && *cause == NULL)
        *cause = database_error(database);
    return -1;
}
