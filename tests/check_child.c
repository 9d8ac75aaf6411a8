/* SPDX-License-Identifier: Apache-2.0 */
/* Child programs: bounds, ends, and that nothing is left behind. */
#include "child.h"
#include "excerpt.h"
#include "worker.h"
#include "xalloc.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LONG_MS 60000 /* longer than any test may take */

static char *output, *cause;
static size_t output_size;

static int run(const char *const argv[], const char *input, size_t input_size,
               size_t limit, int timeout_ms)
{
    struct child_limits limits = {.output = limit, .timeout_ms = timeout_ms};

    free(output);
    free(cause);
    cause = NULL;
    return child_run(argv, input, input_size, &limits, &output, &output_size, &cause);
}

static int run_shell(const char *script, const char *argument, int timeout_ms)
{
    const char *const argv[] = {"/bin/sh", "-c", script, "sh", argument, NULL};

    return run(argv, "", 0, 100000, timeout_ms);
}

static int open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    ck_assert_ptr_nonnull(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static int descriptors_before;

static void setup(void)
{
    descriptors_before = open_descriptors();
}

/* No test may leave a process or a descriptor behind. */
static void teardown(void)
{
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
    ck_assert_int_eq(open_descriptors(), descriptors_before);
    free(output);
    free(cause);
    output = cause = NULL;
}

START_TEST(what_goes_in_comes_out)
{
    static const char *const argv[] = {"cat", NULL};
    size_t size = 3 * 1000 * 1000; /* much more than a pipe holds */
    char *input = xmalloc(size);

    for (size_t i = 0; i < size; i++)
        input[i] = (char)(i * 31 % 251);
    ck_assert_int_eq(run(argv, input, size, size, LONG_MS), 0);
    ck_assert_uint_eq(output_size, size);
    ck_assert_mem_eq(output, input, size);
    ck_assert_int_eq(output[size], '\0');
    ck_assert_ptr_null(cause);
    free(input);
}
END_TEST

START_TEST(nothing_is_an_answer_too)
{
    static const char *const argv[] = {"true", NULL};

    ck_assert_int_eq(run(argv, NULL, 0, 0, LONG_MS), 0);
    ck_assert_str_eq(output, "");
}
END_TEST

START_TEST(input_may_stay_unread)
{
    static const char *const argv[] = {"true", NULL};
    size_t size = 1000 * 1000;
    char *input = xcalloc(size, 1);

    signal(SIGPIPE, SIG_DFL); /* would end the test */
    ck_assert_int_eq(run(argv, input, size, 10, LONG_MS), 0);
    free(input);
}
END_TEST

START_TEST(one_byte_too_many_is_an_error)
{
    static const char *const argv[] = {"cat", NULL};
    static const char *const endless[] = {"yes", NULL};

    ck_assert_int_eq(run(argv, "12345", 5, 5, LONG_MS), 0);
    ck_assert_int_eq(run(argv, "12345", 5, 4, LONG_MS), -1);
    ck_assert_str_eq(cause, "cat wrote more than 4 bytes and was stopped");
    ck_assert_ptr_null(output);
    ck_assert_int_eq(run(endless, "", 0, 100000, LONG_MS), -1);
}
END_TEST

START_TEST(a_failure_quotes_stderr)
{
    ck_assert_int_eq(run_shell("echo out; echo 'no  good' >&2; exit 3", "", LONG_MS), -1);
    ck_assert_str_eq(cause, "/bin/sh ended with status 3 and said: no good");
    ck_assert_int_eq(run_shell("exit 4", "", LONG_MS), -1);
    ck_assert_str_eq(cause, "/bin/sh ended with status 4 and said: nothing");
    ck_assert_int_eq(run_shell("yes bad | head -c 1000000 >&2; exit 5", "", LONG_MS), -1);
    ck_assert_ptr_nonnull(strstr(cause, "status 5 and said: bad bad"));
    ck_assert_uint_lt(strlen(cause), 400);
}
END_TEST

START_TEST(a_program_that_is_not_there)
{
    static const char *const argv[] = {"/nowhere/to/be/found", NULL};

    ck_assert_int_eq(run(argv, "", 0, 10, LONG_MS), -1);
    ck_assert_str_eq(cause,
                     "can't start /nowhere/to/be/found: No such file or directory");
}
END_TEST

START_TEST(signals_are_as_a_program_expects)
{
    sigset_t all, before;

    sigfillset(&all);
    signal(SIGPIPE, SIG_IGN);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int killed = run_shell("kill -TERM $$; sleep 60", "", LONG_MS);
    char *killed_cause = cause;
    cause = NULL;
    int piped = run_shell("kill -PIPE $$; sleep 60", "", LONG_MS);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    ck_assert_int_eq(killed, -1);
    ck_assert_str_eq(killed_cause, "/bin/sh was killed by signal 15 and said: nothing");
    ck_assert_int_eq(piped, -1);
    ck_assert_str_eq(cause, "/bin/sh was killed by signal 13 and said: nothing");
    free(killed_cause);
}
END_TEST

START_TEST(only_three_descriptors_are_inherited)
{
    int fd = dup2(STDERR_FILENO, 77);

    ck_assert_int_eq(run_shell("ls /proc/self/fd | sort -n | tr '\\n' ' '", "", LONG_MS),
                     0);
    close(fd);
    ck_assert_str_eq(output, "0 1 2 3 "); /* 3 is the folder that ls reads */
}
END_TEST

START_TEST(it_works_without_standard_descriptors)
{
    static const char *const argv[] = {"cat", NULL};
    int in = dup(STDIN_FILENO), out = dup(STDOUT_FILENO);

    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    int result = run(argv, "text", 4, 10, LONG_MS);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    close(in);
    close(out);
    ck_assert_int_eq(result, 0);
    ck_assert_str_eq(output, "text");
}
END_TEST

/* Everybody who had the other end of this FIFO is gone. */
static void expect_end_of_file(int fd)
{
    char piece[16];
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    ssize_t size;

    do {
        ck_assert_int_ne(poll(&poll_fd, 1, 20000), 0);
        size = read(fd, piece, sizeof piece);
    } while (size > 0);
    ck_assert_int_eq(size, 0);
}

static void run_with_fifo(const char *script, int timeout_ms, int expected)
{
    char folder[] = "/tmp/check_child.XXXXXX", path[64];

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/fifo", folder);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    int result = run_shell(script, path, timeout_ms);
    expect_end_of_file(fd);
    close(fd);
    unlink(path);
    rmdir(folder);
    ck_assert_int_eq(result, expected);
}

START_TEST(a_time_out_ends_the_whole_group)
{
    run_with_fifo("exec 3>\"$1\"; echo x >&3; sleep 600 & sleep 600", 300, -1);
    ck_assert_str_eq(cause, "/bin/sh took longer than 300 ms and was stopped");
}
END_TEST

START_TEST(what_stays_behind_in_the_group_ends_too)
{
    run_with_fifo("exec 3>\"$1\"; echo x >&3; sleep 600 >/dev/null 2>&1 & exit 0",
                  LONG_MS, 0);
}
END_TEST

START_TEST(a_closed_stdout_is_no_end)
{
    ck_assert_int_eq(run_shell("exec >&- 2>&-; sleep 600", "", 200), -1);
    ck_assert_int_eq(run_shell("exec >&- 2>&-; sleep 0.1; exit 7", "", LONG_MS), -1);
    ck_assert_ptr_nonnull(strstr(cause, "status 7"));
}
END_TEST

START_TEST(it_ends_when_the_pool_is_stopping)
{
    static const char *const argv[] = {"sleep", "600", NULL};
    struct event_base *base = event_base_new();
    struct child_limits limits = {.output = 10, .timeout_ms = LONG_MS};

    limits.workers = workers_new(base);
    workers_stop(limits.workers);
    free(output);
    ck_assert_int_eq(child_run(argv, "", 0, &limits, &output, &output_size, &cause), -1);
    ck_assert_str_eq(cause, "sleep was stopped because trafficlight is stopping");
    workers_free(limits.workers, 0);
    event_base_free(base);
}
END_TEST

START_TEST(an_excerpt_is_fit_for_a_sentence)
{
    static const struct {
        const char *text;
        size_t limit;
        const char *expected;
    } rows[] = {
        {"", 10, ""},
        {"plain", 5, "plain"},
        {"plainly", 5, "plain…"},
        {" \t a\r\n\033b \n", 20, "a b"},
        {"\xc3\xa9t\xc3\xa9", 5, "été"},
        {"\xc3\xa9t\xc3\xa9", 4, "ét…"},
        {"a\xff\xc3z\xed\xa0\x80", 20, "a??z???"},
        {"x\xef\xbf\xbfy\xe2\x80\xa8z", 20, "x???y z"},
        {"abc", 0, "…"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *shown = excerpt(rows[i].text, strlen(rows[i].text), rows[i].limit);
        ck_assert_str_eq(shown, rows[i].expected);
        free(shown);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("child");
    TCase *tcase = tcase_create("run");

    evthread_use_pthreads();
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 50);
    tcase_add_test(tcase, what_goes_in_comes_out);
    tcase_add_test(tcase, nothing_is_an_answer_too);
    tcase_add_test(tcase, input_may_stay_unread);
    tcase_add_test(tcase, one_byte_too_many_is_an_error);
    tcase_add_test(tcase, a_failure_quotes_stderr);
    tcase_add_test(tcase, a_program_that_is_not_there);
    tcase_add_test(tcase, signals_are_as_a_program_expects);
    tcase_add_test(tcase, only_three_descriptors_are_inherited);
    tcase_add_test(tcase, it_works_without_standard_descriptors);
    tcase_add_test(tcase, a_time_out_ends_the_whole_group);
    tcase_add_test(tcase, what_stays_behind_in_the_group_ends_too);
    tcase_add_test(tcase, a_closed_stdout_is_no_end);
    tcase_add_test(tcase, it_ends_when_the_pool_is_stopping);
    tcase_add_test(tcase, an_excerpt_is_fit_for_a_sentence);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    libevent_global_shutdown();
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
