/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal on a real disk, a small one and a broken one. The test's thread is the
 * loop thread. Failures of the disk are made with a limit for the size of files, or on
 * a tmpfs.
 */
#include "journal.h"

#include "worker.h"
#include "xalloc.h"

#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT 4000 /* inputs in a test */

#define FOLDER "/tmp/check_journal.XXXXXX"

static char folder[] = FOLDER;
static char *path, *wal; /* of the journal's files, owned */
static struct event_base *base;
static struct workers *workers;
static struct journal *journal;

/* --- a journal that can be started again --- */

static void start_workers(void)
{
    ck_assert_int_eq(evthread_use_pthreads(), 0);
    base = event_base_new();
    workers = workers_new(base);
}

static void start_with(enum durability durability)
{
    char *cause = NULL;

    start_workers();
    journal = journal_open(workers, folder, durability, &cause);
    ck_assert_msg(journal != NULL, "%s", cause);
}

static void start(void)
{
    start_with(DURABILITY_PROCESS);
}

static void stop(void)
{
    ck_assert(workers_free(workers, 60000));
    journal_free(journal);
    event_base_free(base);
    workers = NULL;
    journal = NULL;
    base = NULL;
}

static void setup(void)
{
    strcpy(folder, FOLDER);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    path = xasprintf("%s/journal.sqlite", folder);
    wal = xasprintf("%s-wal", path);
}

static int remove_cb(const char *name, const struct stat *about, int what,
                     struct FTW *where)
{
    (void)about;
    (void)what;
    (void)where;
    return remove(name);
}

static void teardown(void)
{
    if (workers != NULL)
        stop();
    umount2(folder, MNT_DETACH); /* a small disk, if there is one */
    nftw(folder, remove_cb, 8, FTW_DEPTH | FTW_PHYS);
    free(path);
    free(wal);
    libevent_global_shutdown();
}

static void turn(void)
{
    event_base_loop(base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
}

static void run_until_idle(void)
{
    while (workers_are_busy(workers))
        turn();
}

/* --- what its callers are told --- */

static struct told {
    long id;        /* which input, by the caller's count */
    int64_t number; /* 0: refused */
    char *cause;    /* why, or NULL; owned */
} told[LIMIT];
static size_t told_count;
static bool inside; /* of journal_write() */
static long chain;  /* done() writes so many more */

static void write_input(long id, bool keep);

static void done_cb(void *argument, int64_t number, const char *cause)
{
    ck_assert(!inside);
    ck_assert((cause == NULL) == (number > 0));
    ck_assert_uint_lt(told_count, LIMIT);
    told[told_count++] =
        (struct told){(long)argument, number, cause != NULL ? xstrdup(cause) : NULL};
    if (chain > 0) {
        chain--;
        write_input((long)argument + 1, false);
    }
}

static void forget_told(void)
{
    while (told_count > 0)
        free(told[--told_count].cause);
}

static struct instant moment(long id)
{
    return (struct instant){.mono_ms = 1000 + id, .wall_ms = 1700000000000 + id};
}

static void write_text(long id, char *text, const char *run, bool keep)
{
    struct instant at = moment(id);

    inside = true;
    journal_write(journal, text, &at, run, keep, done_cb, (void *)id);
    inside = false;
}

static char *text_of(long id)
{
    return xasprintf("{\"input\": %ld, \"name\": \"\303\244\"}", id);
}

static void write_input(long id, bool keep)
{
    write_text(id, text_of(id), NULL, keep);
}

static void wait_told(size_t count)
{
    while (told_count < count)
        turn();
}

static void write_and_wait(long first, long last)
{
    size_t before = told_count;

    for (long id = first; id <= last; id++)
        write_input(id, false);
    wait_told(before + (size_t)(last - first + 1));
}

/* --- what comes back --- */

static struct replayed {
    int64_t number;    /* of the input */
    char *text;        /* owned */
    struct instant at; /* when it came */
} replayed[LIMIT];
static size_t replayed_count, replay_limit = LIMIT;

static bool each_cb(void *context, int64_t number, const char *text,
                    const struct instant *at)
{
    ck_assert_ptr_eq(context, &replayed_count);
    replayed[replayed_count++] = (struct replayed){number, xstrdup(text), *at};
    return replayed_count < replay_limit;
}

static void forget_replayed(void)
{
    while (replayed_count > 0)
        free(replayed[--replayed_count].text);
}

/* Gives the latest moment on the clock that never jumps. */
static int64_t replay(void)
{
    struct instant last;
    char *cause = NULL;

    forget_replayed();
    ck_assert_msg(journal_replay(journal, each_cb, &replayed_count, &last, &cause) == 0,
                  "%s", cause);
    return last.mono_ms;
}

static void assert_replayed(size_t index, long id)
{
    char *text = text_of(id);

    ck_assert_uint_lt(index, replayed_count);
    ck_assert_str_eq(replayed[index].text, text);
    ck_assert_int_eq(replayed[index].at.mono_ms, moment(id).mono_ms);
    ck_assert_int_eq(replayed[index].at.wall_ms, moment(id).wall_ms);
    free(text);
}

static void restart(void)
{
    stop();
    start();
}

/* --- files --- */

struct bytes {
    char *data;  /* owned */
    size_t size; /* -1: there is no file */
};

/* Not while a journal is open: a close() ends SQLite's locks. But a -wal has none. */
static struct bytes read_bytes(const char *name)
{
    struct bytes bytes = {NULL, (size_t)-1};
    FILE *file = fopen(name, "rb");
    struct stat about;

    if (file == NULL || fstat(fileno(file), &about) != 0)
        return bytes;
    bytes.size = (size_t)about.st_size;
    bytes.data = xmalloc(bytes.size);
    if (S_ISREG(about.st_mode))
        ck_assert_uint_eq(fread(bytes.data, 1, bytes.size, file), bytes.size);
    fclose(file);
    return bytes;
}

static void assert_unchanged(const char *name, struct bytes before)
{
    struct bytes now = read_bytes(name);
    struct stat about;

    ck_assert_uint_eq(now.size, before.size);
    if (stat(name, &about) == 0 && S_ISREG(about.st_mode))
        ck_assert_mem_eq(now.data, before.data, now.size);
    free(now.data);
    free(before.data);
}

static void write_bytes(const char *name, const char *data, size_t size)
{
    FILE *file = fopen(name, "wb");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(data, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

static off_t size_of(const char *name)
{
    struct stat about;

    return stat(name, &about) == 0 ? about.st_size : -1;
}

static void overwrite(const char *name, off_t at, const char *data)
{
    int fd = open(name, O_WRONLY);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, data, strlen(data), at), (ssize_t)strlen(data));
    close(fd);
}

/* How many commits are in the -wal: frames that say how long the file is then. */
static int commits(void)
{
    struct bytes all = read_bytes(wal);
    int count = 0;

    if (all.data == NULL)
        return 0;
    for (size_t at = 32; at + 24 + 4096 <= all.size; at += 24 + 4096)
        count += memcmp(all.data + at + 4, "\0\0\0\0", 4) != 0;
    free(all.data);
    return count;
}

/* Do something to a file as somebody else's program would. */
static void sql(const char *name, const char *statements)
{
    struct sqlite3 *database = NULL;
    char *error = NULL;

    ck_assert_int_eq(sqlite3_open(name, &database), SQLITE_OK);
    sqlite3_exec(database, statements, NULL, NULL, &error);
    ck_assert_msg(error == NULL, "%s", error);
    sqlite3_close(database);
}

/* --- writing and reading back --- */

static void add_run(long id, const char *run)
{
    write_text(id, text_of(id), run, false);
}

START_TEST(what_is_written_comes_back)
{
    size_t bytes;

    start_with((enum durability)_i);
    ck_assert_int_eq(replay(), 0);
    ck_assert_uint_eq(replayed_count, 0);
    add_run(1, "run");
    write_input(2, true);
    write_input(3, false);
    ck_assert_uint_eq(journal_pending(journal, &bytes), 3);
    ck_assert_uint_eq(bytes, 3 * strlen("{\"input\": 1, \"name\": \"xx\"}"));
    wait_told(3);
    ck_assert_uint_eq(journal_pending(journal, &bytes), 0);
    ck_assert_uint_eq(bytes, 0);
    for (long i = 0; i < 3; i++) {
        ck_assert_int_eq(told[i].id, i + 1);
        ck_assert_int_eq(told[i].number, i + 1);
    }
    restart();
    ck_assert_int_eq(replay(), moment(3).mono_ms);
    ck_assert_uint_eq(replayed_count, 3);
    for (long i = 0; i < 3; i++) {
        ck_assert_int_eq(replayed[i].number, i + 1);
        assert_replayed((size_t)i, i + 1);
    }
    write_and_wait(4, 4);
    ck_assert_int_eq(told[3].number, 4);
    ck_assert_ptr_null(journal_trouble(journal));
}
END_TEST

START_TEST(inputs_that_come_meanwhile_share_a_commit)
{
    start();
    write_and_wait(1, 100);
    ck_assert_int_eq(commits(), 2); /* one that was alone, and all the others */
    for (size_t i = 0; i < 100; i++) {
        ck_assert_int_eq(told[i].id, (long)i + 1);
        ck_assert_int_eq(told[i].number, (long)i + 1);
    }
    chain = 50;
    write_input(101, false);
    wait_told(151);
    restart();
    replay();
    ck_assert_uint_eq(replayed_count, 151);
    for (size_t i = 0; i < 151; i++)
        assert_replayed(i, (long)i + 1);
}
END_TEST

START_TEST(a_replay_may_be_stopped)
{
    start();
    write_and_wait(1, 10);
    restart();
    replay_limit = 4;
    ck_assert_int_eq(replay(), moment(10).mono_ms);
    ck_assert_uint_eq(replayed_count, 4);
}
END_TEST

START_TEST(the_latest_sign_of_life_counts)
{
    struct instant at;

    start();
    write_and_wait(1, 1);
    for (long i = 2; i <= 50; i++) {
        at = moment(i);
        journal_alive(journal, &at);
    }
    run_until_idle();
    ck_assert_int_eq(commits(), 3); /* the input, the first sign, the last one */
    restart();
    ck_assert_int_eq(replay(), moment(50).mono_ms);
    write_and_wait(60, 60);
    restart();
    ck_assert_int_eq(replay(), moment(60).mono_ms);
}
END_TEST

/* --- cuts --- */

START_TEST(a_cut_keeps_what_brings_runs)
{
    start();
    add_run(1, "first");
    write_and_wait(2, 1999);
    add_run(2000, "second");
    write_and_wait(2001, 3000);
    journal_cut(journal, 2501, "first", NULL);
    journal_cut(journal, 100, NULL, NULL); /* less than before */
    write_and_wait(3001, 3001);            /* between its steps */
    run_until_idle();
    restart();
    ck_assert_int_eq(replay(), moment(3001).mono_ms);
    ck_assert_uint_eq(replayed_count, 502);
    assert_replayed(0, 2000);
    ck_assert_int_eq(replayed[0].number, 2000);
    for (long id = 2501; id <= 3001; id++)
        assert_replayed((size_t)(id - 2500), id);
    stop();
    sql(path, "CREATE TABLE t(n CHECK (n = 502));"
              "INSERT INTO t SELECT count(*) FROM inputs");
}
END_TEST

START_TEST(numbers_and_moments_outlive_a_cut_of_everything)
{
    for (long round = 1; round <= 3; round++) {
        start();
        ck_assert_int_eq(replay(), round == 1 ? 0 : moment((round - 1) * 10).mono_ms);
        ck_assert_uint_eq(replayed_count, 0);
        add_run(round * 10 - 9, "run");
        write_and_wait(round * 10 - 8, round * 10);
        ck_assert_int_eq(told[told_count - 1].number, round * 10);
        journal_cut(journal, round * 10 + 1, "run", NULL);
        run_until_idle();
        stop();
    }
}
END_TEST

START_TEST(the_space_of_a_cut_is_used_again)
{
    off_t size = 0;

    for (long round = 0; round < 6; round++) {
        start();
        for (long i = 1; i <= 100; i++) {
            char *text = xmalloc(10001);
            memset(text, 'x', 10000);
            text[10000] = '\0';
            write_text(round * 100 + i, text, NULL, false);
        }
        wait_told(told_count + journal_pending(journal, NULL));
        journal_cut(journal, (round + 1) * 100 + 1, NULL, NULL);
        run_until_idle();
        stop();
        size = round == 0 ? size_of(path) : size;
    }
    ck_assert_int_lt(size_of(path), size * 3 / 2);
}
END_TEST

/* --- texts in the place of inputs --- */

/* No file may grow beyond this size; -1: any. */
static void limit_files(off_t size)
{
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size < 0 ? limit.rlim_max : (rlim_t)size;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* What is to take their place, and what comes to pass on the way. */
struct texts {
    long next, last; /* ids of those that are left */
    long given_up;   /* the one that can't be had; 0: none */
    long killed;     /* the one at which the process dies; 0: none */
};

static bool next_text(void *context, char **text)
{
    struct texts *texts = context;

    if (texts->next == texts->killed)
        kill(getpid(), SIGKILL);
    *text = NULL;
    if (texts->next == texts->given_up)
        return false;
    if (texts->next <= texts->last)
        *text = text_of(texts->next);
    texts->next++;
    return true;
}

/* Gives the number of the first, or -1. */
static int64_t replace(struct texts texts)
{
    struct instant at = moment(texts.next);
    char *words = NULL;
    int64_t first = -1;

    if (journal_replace(journal, next_text, &texts, &at, &first, &words) != 0)
        ck_assert_ptr_nonnull(words);
    free(words);
    return first;
}

static void write_two_runs(void)
{
    start();
    add_run(1, "first");
    write_and_wait(2, 1999);
    add_run(2000, "second");
    write_and_wait(2001, 3000);
    restart();
    replay();
}

static void assert_all_three_thousand(void)
{
    ck_assert_int_eq(replay(), moment(3000).mono_ms);
    ck_assert_uint_eq(replayed_count, 3000);
    for (long id = 1; id <= 3000; id++)
        assert_replayed((size_t)id - 1, id);
}

START_TEST(texts_take_the_place_of_inputs)
{
    write_two_runs();
    ck_assert_int_eq(replace((struct texts){.next = 4000, .last = 4002}), 3001);
    forget_told();
    write_and_wait(5000, 5000);
    ck_assert_int_eq(told[0].number, 3004);
    run_until_idle();
    restart();
    ck_assert_int_eq(replay(), moment(5000).mono_ms);
    ck_assert_uint_eq(replayed_count, 6);
    assert_replayed(0, 1);
    assert_replayed(1, 2000);
    assert_replayed(5, 5000);
    for (size_t i = 2; i < 5; i++) {
        char *text = text_of(4000 + (long)i - 2);
        ck_assert_str_eq(replayed[i].text, text);
        ck_assert_int_eq(replayed[i].at.mono_ms, moment(4000).mono_ms);
        free(text);
    }
    /* and these can be cut again */
    journal_cut(journal, replayed[2].number, "first", NULL);
    journal_cut(journal, replayed[5].number, NULL, NULL);
    run_until_idle();
    restart();
    replay();
    ck_assert_uint_eq(replayed_count, 2);
    assert_replayed(0, 2000);
    assert_replayed(1, 5000);
    stop();
    sql(path, "CREATE TABLE t(n CHECK (n = 2));"
              "INSERT INTO t SELECT count(*) FROM inputs");
}
END_TEST

START_TEST(texts_that_can_t_be_had_change_nothing)
{
    write_two_runs();
    ck_assert_int_eq(
        replace((struct texts){.next = 4000, .last = 4900, .given_up = 4500}), -1);
    write_and_wait(3001, 3001);
    restart();
    replay();
    ck_assert_uint_eq(replayed_count, 3001);
    ck_assert_int_eq(replayed[3000].number, 3001);
}
END_TEST

START_TEST(texts_that_the_disk_does_not_take_change_nothing)
{
    write_two_runs();
    limit_files(size_of(path));
    ck_assert_int_eq(replace((struct texts){.next = 4000, .last = 40000}), -1);
    limit_files(-1);
    restart();
    assert_all_three_thousand();
}
END_TEST

/* The process dies after so many of the texts. */
static const long killed_at[] = {4000, 4001, 9000, 9001};

START_TEST(who_is_killed_meanwhile_has_what_was_there)
{
    int status;

    write_two_runs();
    stop();
    pid_t child = fork();
    if (child == 0) {
        start();
        replay();
        replace((struct texts){.next = 4000, .last = 9000, .killed = killed_at[_i]});
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    start();
    assert_all_three_thousand();
}
END_TEST

/* --- the end of the process --- */

static int pipe_ends[2];

static void chain_cb(void *argument, int64_t number, const char *cause)
{
    struct instant at = moment((long)argument + 1);

    ck_assert_ptr_null(cause);
    ck_assert_int_eq(number, (long)argument);
    ck_assert_int_eq(write(pipe_ends[1], &number, sizeof number), sizeof number);
    journal_write(journal, text_of((long)argument + 1), &at, NULL, false, chain_cb,
                  (void *)((long)argument + 1));
}

/* Have a child write one input after the other and kill it after `count` were safe. Gives
 * the number of the last one that it heard of. */
static int64_t write_and_kill(int64_t count)
{
    int64_t number = 0, last = 0;
    int status;

    ck_assert_int_eq(pipe(pipe_ends), 0);
    pid_t child = fork();
    if (child == 0) {
        struct instant at = moment(1);
        close(pipe_ends[0]);
        start();
        journal_write(journal, text_of(1), &at, NULL, false, chain_cb, (void *)1L);
        for (;;)
            turn();
    }
    close(pipe_ends[1]);
    while (read(pipe_ends[0], &number, sizeof number) == sizeof number) {
        last = number;
        if (number == count)
            kill(child, SIGKILL);
    }
    close(pipe_ends[0]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return last;
}

START_TEST(what_was_safe_survives_a_kill)
{
    int64_t last = write_and_kill(300);

    start();
    ck_assert_int_ge(replay(), moment(last).mono_ms);
    ck_assert_uint_ge(replayed_count, (size_t)last);
    for (size_t i = 0; i < replayed_count; i++) {
        ck_assert_int_eq(replayed[i].number, (int64_t)i + 1);
        assert_replayed(i, (long)i + 1);
    }
    write_and_wait(1, 1);
    ck_assert_int_eq(told[0].number, (int64_t)replayed_count + 1);
}
END_TEST

/* One commit for each input, so that only the last one is torn. */
START_TEST(a_torn_tail_is_dropped)
{
    int64_t last = write_and_kill(50);

    if (_i == 0)
        ck_assert_int_eq(truncate(wal, size_of(wal) - 10), 0);
    else
        overwrite(wal, size_of(wal) - 10, "garbled!");
    start();
    replay();
    ck_assert_uint_ge(replayed_count, (size_t)last - 1);
    for (size_t i = 0; i < replayed_count; i++)
        assert_replayed(i, (long)i + 1);
    write_and_wait((long)replayed_count + 1, (long)replayed_count + 1);
    ck_assert_int_eq(told[0].number, (int64_t)replayed_count + 1);
}
END_TEST

/* --- a disk that says no --- */

static FILE *spoken; /* what was logged, owned */

static void catch_log(void)
{
    spoken = tmpfile();
    ck_assert_ptr_nonnull(spoken);
    dup2(fileno(spoken), STDERR_FILENO);
}

static int count_logged(const char *words)
{
    char line[2000];
    int count = 0;

    rewind(spoken);
    while (fgets(line, sizeof line, spoken) != NULL)
        count += strstr(line, words) != NULL;
    return count;
}

START_TEST(what_must_be_kept_outlives_a_failure)
{
    catch_log();
    start();
    write_and_wait(1, 1);
    forget_told();
    limit_files(size_of(wal));
    write_input(2, true);
    write_input(3, false);
    write_input(4, true);
    write_input(5, false);
    wait_told(2);
    run_until_idle();
    ck_assert_int_eq(told[0].id, 3);
    ck_assert_int_eq(told[1].id, 5);
    ck_assert_ptr_nonnull(strstr(told[0].cause, "can't be written"));
    ck_assert_ptr_nonnull(strstr(told[0].cause, path));
    ck_assert_str_eq(journal_trouble(journal), told[1].cause);
    ck_assert_uint_eq(journal_pending(journal, NULL), 2);
    write_input(6, false);
    wait_told(3);
    ck_assert_int_eq(told[2].id, 6);
    ck_assert_ptr_nonnull(told[2].cause);
    limit_files(-1);
    write_input(7, false);
    wait_told(6);
    ck_assert_ptr_null(journal_trouble(journal));
    for (size_t i = 3; i < 6; i++)
        ck_assert_int_eq(told[i].number, (int64_t)i - 1);
    ck_assert(told[3].id == 2 && told[4].id == 4 && told[5].id == 7);
    restart();
    replay();
    ck_assert_uint_eq(replayed_count, 4);
    assert_replayed(0, 1);
    assert_replayed(1, 2);
    assert_replayed(2, 4);
    assert_replayed(3, 7);
    ck_assert_int_eq(count_logged("can't be written"), 1);
    ck_assert_int_eq(count_logged("can be written again"), 1);
}
END_TEST

START_TEST(it_is_tried_again_by_itself)
{
    start();
    write_and_wait(1, 1);
    limit_files(size_of(wal));
    write_input(2, true);
    while (journal_trouble(journal) == NULL)
        turn();
    limit_files(-1);
    wait_told(2);
    ck_assert_int_eq(told[1].number, 2);
    ck_assert_ptr_null(journal_trouble(journal));

    /* Also where everything was refused, so that nobody takes it for broken. */
    limit_files(size_of(wal));
    write_input(3, false);
    wait_told(3);
    ck_assert_ptr_nonnull(told[2].cause);
    limit_files(-1);
    while (journal_trouble(journal) != NULL)
        turn();
    restart();
    ck_assert_int_eq(replay(), moment(3).mono_ms);
    ck_assert_uint_eq(replayed_count, 2);
}
END_TEST

START_TEST(a_cut_that_failed_is_made_with_the_next)
{
    start();
    add_run(1, "run");
    write_and_wait(2, 10);
    limit_files(size_of(wal));
    journal_cut(journal, 6, "run", NULL);
    run_until_idle();
    limit_files(-1);
    stop();
    start();
    replay();
    ck_assert_uint_eq(replayed_count, 10);
    limit_files(size_of(wal) > 0 ? size_of(wal) : 0);
    journal_cut(journal, 6, "run", NULL);
    run_until_idle();
    limit_files(-1);
    journal_cut(journal, 3, NULL, NULL);
    run_until_idle();
    restart();
    replay();
    ck_assert_uint_eq(replayed_count, 5);
    assert_replayed(0, 6);
}
END_TEST

static void fill(const char *name, size_t size)
{
    char *zeros = xcalloc(1, size);

    write_bytes(name, zeros, size);
    free(zeros);
}

/* A disk of 2 MiB in place of the folder. It is there for this process only, and ends
 * with it at the latest. */
static bool mount_small_disk(void)
{
    if (unshare(CLONE_NEWNS) == 0 &&
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
        mount("small", folder, "tmpfs", 0, "size=2m") == 0)
        return true;
    fprintf(stderr, "skipped: no small disk can be mounted here (%s)\n", strerror(errno));
    return false;
}

/* Write until the disk is full. Gives how many inputs were safe. */
static size_t write_until_full(void)
{
    size_t safe = 0;

    for (long id = 1; told_count == 0 || told[told_count - 1].cause == NULL; id++) {
        char *text = xasprintf("%ld %04000d", id, 0);
        write_text(id, text, NULL, false);
        wait_told((size_t)id);
        safe += told[told_count - 1].cause == NULL;
    }
    return safe;
}

static void assert_all_there(size_t safe)
{
    ck_assert_uint_ge(replayed_count, safe);
    for (size_t i = 0; i < safe; i++) {
        ck_assert_int_eq(replayed[i].number, (int64_t)i + 1);
        ck_assert_int_eq(atol(replayed[i].text), (long)i + 1);
        ck_assert_uint_gt(strlen(replayed[i].text), 4000);
    }
}

START_TEST(a_full_disk_loses_nothing)
{
    if (!mount_small_disk())
        return;
    char *ballast = xasprintf("%s/ballast", folder);
    fill(ballast, 1200 * 1024);
    start();
    size_t safe = write_until_full();
    ck_assert_uint_gt(safe, 20);
    ck_assert_ptr_nonnull(strstr(told[safe].cause, "the disk is full"));
    write_text(3000, xasprintf("3000 %09000d", 0), NULL, true);
    write_text(3001, xasprintf("3001 %09000d", 0), NULL, false);
    wait_told(safe + 2);
    ck_assert_int_eq(told[safe + 1].id, 3001);
    ck_assert_ptr_nonnull(told[safe + 1].cause);

    sql(path, "SELECT sum(length(text)) FROM inputs"); /* it can still be read */
    ck_assert_int_eq(unlink(ballast), 0);
    wait_told(safe + 3); /* it is tried again */
    ck_assert_int_eq(told[safe + 2].id, 3000);
    ck_assert_int_eq(told[safe + 2].number, (int64_t)safe + 1);
    write_text(3002, xasprintf("3002 %04000d", 0), NULL, false);
    wait_told(safe + 4);
    ck_assert_int_eq(told[safe + 3].number, (int64_t)safe + 2);
    restart();
    replay();
    ck_assert_uint_eq(replayed_count, safe + 2);
    assert_all_there(safe);
    ck_assert_int_eq(atol(replayed[safe].text), 3000);
    free(ballast);
}
END_TEST

START_TEST(a_start_on_a_full_disk_loses_nothing)
{
    char *cause = NULL;

    if (!mount_small_disk())
        return;
    char *ballast = xasprintf("%s/ballast", folder);
    fill(ballast, 1200 * 1024);
    start();
    size_t safe = write_until_full();
    stop();
    FILE *rest = fopen(ballast, "ab");
    setvbuf(rest, NULL, _IONBF, 0);
    while (fputc('x', rest) != EOF)
        continue;
    fclose(rest);
    start_workers();
    journal = journal_open(workers, folder, DURABILITY_PROCESS, &cause);
    if (journal == NULL) {
        ck_assert_ptr_nonnull(strstr(cause, "the disk is full"));
        free(cause);
    } else {
        replay();
        assert_all_there(safe);
    }
    stop();
    unlink(ballast);
    start();
    replay();
    ck_assert_uint_eq(replayed_count, safe);
    assert_all_there(safe);
    free(ballast);
}
END_TEST

/* --- checkpoints --- */

static char *long_text(size_t size)
{
    char *text = xmalloc(size + 1);

    memset(text, 'x', size);
    text[size] = '\0';
    return text;
}

START_TEST(what_is_written_reaches_the_file)
{
    start();
    for (long id = 1; id <= 300; id++) {
        write_text(id, long_text(100000), NULL, false);
        wait_told((size_t)id);
    }
    run_until_idle();
    ck_assert_int_gt(size_of(path), 4 << 20);
    restart();
    replay();
    ck_assert_uint_eq(replayed_count, 300);
}
END_TEST

START_TEST(a_long_wal_is_made_empty)
{
    start();
    write_text(1, long_text(70 << 20), NULL, false);
    wait_told(1);
    run_until_idle();
    ck_assert_int_eq(size_of(wal), 0);
    write_and_wait(2, 2);
    restart();
    replay();
    ck_assert_uint_eq(replayed_count, 2);
    ck_assert_uint_eq(strlen(replayed[0].text), 70 << 20);
}
END_TEST

/* --- the end of the server --- */

START_TEST(the_end_refuses_what_waits)
{
    start();
    write_and_wait(1, 1);
    workers_stop(workers);
    write_input(2, false);
    write_input(3, true);
    journal_cut(journal, 1, "run", NULL);
    wait_told(3);
    ck_assert(told[1].id == 2 && told[2].id == 3);
    ck_assert_str_eq(told[1].cause, "the server is stopping");
    ck_assert_str_eq(told[2].cause, "the server is stopping");
    restart();
    forget_told();
    limit_files(0);
    write_input(4, true);
    while (journal_trouble(journal) == NULL)
        turn();
    stop();
    limit_files(-1);
    ck_assert_uint_eq(told_count, 1);
    ck_assert_str_eq(told[0].cause, "the server is stopping");
}
END_TEST

/* --- the lock --- */

START_TEST(one_process_has_the_folder)
{
    char *deep = xasprintf("%s/var/lib/trafficlight", folder), *cause = NULL;
    int ready[2], status;
    char byte;

    ck_assert_int_eq(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        ck_assert_int_eq(journal_lock(deep, &cause), 0);
        ck_assert_int_eq(write(ready[1], "x", 1), 1);
        for (;;)
            pause();
    }
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    ck_assert_int_eq(journal_lock(deep, &cause), -1);
    char *number = xasprintf("process %ld:", (long)child);
    ck_assert_msg(strstr(cause, number) != NULL && strstr(cause, deep) != NULL, "%s",
                  cause);
    free(number);
    free(cause);
    cause = NULL;
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(journal_lock(deep, &cause), 0);
    free(deep);
}
END_TEST

START_TEST(a_folder_that_is_none_can_t_be_locked)
{
    char *file = xasprintf("%s/file", folder), *below = xasprintf("%s/below", file);
    char *cause = NULL;

    fill(file, 1);
    ck_assert_int_eq(journal_lock(file, &cause), -1);
    ck_assert_ptr_nonnull(strstr(cause, file));
    free(cause);
    cause = NULL;
    ck_assert_int_eq(journal_lock(below, &cause), -1);
    ck_assert_ptr_nonnull(strstr(cause, below));
    free(cause);
    free(file);
    free(below);
}
END_TEST

/* --- files that are not ours to touch --- */

/* The journal is refused with these words and a way on, and its bytes stay the same. */
static void assert_refused(const char *words, const char *way)
{
    struct bytes before = read_bytes(path), wal_before = read_bytes(wal);
    char *cause = NULL;
    struct instant last;

    start_workers();
    journal = journal_open(workers, folder, DURABILITY_PROCESS, &cause);
    if (journal != NULL)
        ck_assert_int_eq(journal_replay(journal, each_cb, &replayed_count, &last, &cause),
                         -1);
    ck_assert_ptr_nonnull(cause);
    ck_assert_msg(strstr(cause, words) != NULL && strstr(cause, way) != NULL &&
                      strstr(cause, path) != NULL,
                  "%s", cause);
    free(cause);
    stop();
    assert_unchanged(path, before);
    if (wal_before.size == (size_t)-1 || wal_before.size == 0)
        free(wal_before.data);
    else
        assert_unchanged(wal, wal_before);
}

/* A journal with some pages, at rest. */
static void make_journal(void)
{
    start();
    write_and_wait(1, 1000);
    stop();
}

START_TEST(a_folder_is_refused)
{
    ck_assert_int_eq(mkdir(path, 0700), 0);
    assert_refused("is a folder", "mv ");
}
END_TEST

START_TEST(garbage_is_refused)
{
    write_bytes(path, "hello", 5);
    assert_refused("is not a database", "mv ");
    char *text = long_text(50000);
    write_bytes(path, text, 50000);
    assert_refused("is not a database", "mv ");
    free(text);
}
END_TEST

START_TEST(a_file_that_lost_its_end_is_refused)
{
    make_journal();
    ck_assert_int_eq(truncate(path, size_of(path) - 4096 * _i), 0);
    assert_refused("is damaged", "mv ");
    ck_assert_int_eq(truncate(path, 50), 0);
    assert_refused("is not a database", "mv ");
}
END_TEST

START_TEST(a_file_with_a_hole_is_refused)
{
    char *hole = long_text(4096);

    make_journal();
    overwrite(path, 4096 * _i, hole);
    assert_refused(_i == 0 ? "is not a database" : "is damaged", "mv ");
    free(hole);
}
END_TEST

START_TEST(a_text_that_was_torn_is_refused)
{
    make_journal();
    sql(path, "UPDATE inputs SET text = 'a' || char(0) || 'b' WHERE number = 500");
    assert_refused("input 500 does not read well", "mv ");
    ck_assert_uint_eq(replayed_count, 499);
}
END_TEST

START_TEST(another_program_s_file_is_refused)
{
    sql(path, "PRAGMA application_id = 77; CREATE TABLE theirs(x)");
    assert_refused("another program's", "mv ");
    sql(path, "PRAGMA application_id = 0");
    assert_refused("another program's", "mv ");
}
END_TEST

/* And so is what it wrote last, which SQLite would move to the file. */
START_TEST(another_program_s_wal_is_left_alone)
{
    struct sqlite3 *theirs = NULL;
    int status;

    pid_t child = fork();
    if (child == 0) {
        sqlite3_open(path, &theirs);
        sqlite3_exec(theirs, "PRAGMA journal_mode = WAL; CREATE TABLE theirs(x)", NULL,
                     NULL, NULL);
        kill(getpid(), SIGKILL);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_gt(size_of(wal), 0);
    assert_refused("another program's", "-wal");
}
END_TEST

START_TEST(a_newer_version_is_refused)
{
    make_journal();
    sql(path, "PRAGMA user_version = 9");
    assert_refused("has version 9, this program knows version 1",
                   "start the newer trafficlightd, or move the file away: mv ");
}
END_TEST

START_TEST(a_file_without_its_tables_is_refused)
{
    make_journal();
    sql(path, "DROP INDEX runs");
    assert_refused("is damaged", "mv ");
}
END_TEST

START_TEST(a_wal_that_was_left_alone_is_refused)
{
    int64_t last = write_and_kill(50);
    char *away = xasprintf("%s.away", path);

    ck_assert_int_eq(rename(path, away), 0);
    assert_refused("is missing or empty", "mv ");
    ck_assert_int_eq(size_of(path), -1);
    write_bytes(path, "", 0);
    assert_refused("is missing or empty", "mv ");
    ck_assert_int_eq(rename(away, path), 0);
    start();
    replay();
    ck_assert_uint_ge(replayed_count, (size_t)last);
    free(away);
}
END_TEST

START_TEST(an_empty_file_is_a_new_one)
{
    write_bytes(path, "", 0);
    start();
    replay();
    ck_assert_uint_eq(replayed_count, 0);
    write_and_wait(1, 1);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_refused)
{
    char *keep = xstrdup(folder);

    strcpy(folder + strlen(folder) - 6, "nosuch");
    free(path);
    path = xasprintf("%s/journal.sqlite", folder);
    assert_refused("can't be opened", "its folder must be there");
    fill(folder, 1);
    assert_refused("can't be opened", "its folder must be there");
    unlink(folder);
    strcpy(folder, keep);
    free(keep);
}
END_TEST

/* The superuser may do anything. */
START_TEST(a_file_that_is_not_ours_is_refused)
{
    make_journal();
    ck_assert_int_eq(chmod(path, 0400), 0);
    if (access(path, W_OK) == 0)
        fprintf(stderr, "skipped: the superuser may write to any file\n");
    else
        assert_refused("Permission denied", "must be writable");
}
END_TEST

static void clear(void)
{
    forget_told();
    forget_replayed();
    if (spoken != NULL)
        fclose(spoken);
}

static TCase *add_case(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_checked_fixture(tcase, NULL, clear);
    tcase_set_timeout(tcase, 120);
    suite_add_tcase(suite, tcase);
    return tcase;
}

static void add_writing(Suite *suite)
{
    TCase *tcase = add_case(suite, "writing");

    tcase_add_loop_test(tcase, what_is_written_comes_back, DURABILITY_PROCESS,
                        DURABILITY_NONE + 1);
    tcase_add_test(tcase, inputs_that_come_meanwhile_share_a_commit);
    tcase_add_test(tcase, a_replay_may_be_stopped);
    tcase_add_test(tcase, the_latest_sign_of_life_counts);
    tcase_add_test(tcase, a_cut_keeps_what_brings_runs);
    tcase_add_test(tcase, numbers_and_moments_outlive_a_cut_of_everything);
    tcase_add_test(tcase, the_space_of_a_cut_is_used_again);
    tcase_add_test(tcase, texts_take_the_place_of_inputs);
    tcase_add_test(tcase, texts_that_can_t_be_had_change_nothing);
    tcase_add_test(tcase, texts_that_the_disk_does_not_take_change_nothing);
    tcase_add_loop_test(tcase, who_is_killed_meanwhile_has_what_was_there, 0,
                        sizeof killed_at / sizeof *killed_at);
    tcase_add_test(tcase, what_is_written_reaches_the_file);
    tcase_add_test(tcase, a_long_wal_is_made_empty);
    tcase_add_test(tcase, the_end_refuses_what_waits);
}

static void add_failures(Suite *suite)
{
    TCase *tcase = add_case(suite, "failures");

    tcase_add_test(tcase, what_was_safe_survives_a_kill);
    tcase_add_loop_test(tcase, a_torn_tail_is_dropped, 0, 2);
    tcase_add_test(tcase, what_must_be_kept_outlives_a_failure);
    tcase_add_test(tcase, it_is_tried_again_by_itself);
    tcase_add_test(tcase, a_cut_that_failed_is_made_with_the_next);
    tcase_add_test(tcase, a_full_disk_loses_nothing);
    tcase_add_test(tcase, a_start_on_a_full_disk_loses_nothing);
    tcase_add_test(tcase, one_process_has_the_folder);
    tcase_add_test(tcase, a_folder_that_is_none_can_t_be_locked);
}

static void add_files(Suite *suite)
{
    TCase *tcase = add_case(suite, "files");

    tcase_add_test(tcase, a_folder_is_refused);
    tcase_add_test(tcase, garbage_is_refused);
    tcase_add_loop_test(tcase, a_file_that_lost_its_end_is_refused, 1, 4);
    tcase_add_loop_test(tcase, a_file_with_a_hole_is_refused, 0, 3);
    tcase_add_test(tcase, a_text_that_was_torn_is_refused);
    tcase_add_test(tcase, another_program_s_file_is_refused);
    tcase_add_test(tcase, another_program_s_wal_is_left_alone);
    tcase_add_test(tcase, a_newer_version_is_refused);
    tcase_add_test(tcase, a_file_without_its_tables_is_refused);
    tcase_add_test(tcase, a_wal_that_was_left_alone_is_refused);
    tcase_add_test(tcase, an_empty_file_is_a_new_one);
    tcase_add_test(tcase, a_folder_that_is_not_there_is_refused);
    tcase_add_test(tcase, a_file_that_is_not_ours_is_refused);
}

int main(void)
{
    Suite *suite = suite_create("journal");

    add_writing(suite);
    add_failures(suite);
    add_files(suite);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
