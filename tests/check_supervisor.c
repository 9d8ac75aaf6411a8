/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What systemd is told. The test is systemd: it has the socket that $NOTIFY_SOCKET
 * names. The test's thread is the loop thread.
 */
#include "autoconf.h"
#include "supervisor.h"
#include "xalloc.h"

#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#ifdef HAVE_LIBSYSTEMD
#define KNOWS_SYSTEMD true
#else
#define KNOWS_SYSTEMD false
#endif

#define PATIENCE_MS 60000

static struct event_base *base;
static struct supervisor *supervisor;
static int systemd = -1; /* the socket */
static struct sockaddr_un where;
static char heard[8192]; /* the datagram that came last */

static int64_t monotonic_us(void)
{
    struct timespec moment;

    clock_gettime(CLOCK_MONOTONIC, &moment);
    return (int64_t)moment.tv_sec * 1000000 + moment.tv_nsec / 1000;
}

/* --- systemd --- */

static void listen_at(size_t size)
{
    systemd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(systemd, 0);
    ck_assert_int_eq(bind(systemd, (struct sockaddr *)&where, (socklen_t)size), 0);
}

static void set_up(void)
{
    where = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(where.sun_path, sizeof where.sun_path, "/tmp/check_supervisor.%d",
             (int)getpid());
    listen_at(sizeof where);
    setenv("NOTIFY_SOCKET", where.sun_path, 1);
    base = xcheck(event_base_new());
}

static void tear_down(void)
{
    supervisor_free(supervisor);
    supervisor = NULL;
    event_base_free(base);
    close(systemd);
    unlink(where.sun_path);
}

/* Whether a datagram is there; then it is in `heard`. */
static bool hears(void)
{
    ssize_t size = recv(systemd, heard, sizeof heard - 1, 0);

    if (size < 0)
        ck_assert_int_eq(errno, EAGAIN);
    else
        heard[size] = '\0';
    return size >= 0;
}

static void assert_nothing_heard(void)
{
    ck_assert_msg(!hears(), "heard: %s", heard);
}

static void assert_heard(const char *expected)
{
    ck_assert_msg(hears(), "not heard: %s", expected);
    ck_assert_str_eq(heard, expected);
}

static void tick_cb(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    (void)argument;
}

/* Turn the loop until a datagram is there; into `heard`. */
static void await(void)
{
    int64_t deadline = monotonic_us() + PATIENCE_MS * 1000;
    struct event *tick = xcheck(event_new(base, -1, EV_PERSIST, tick_cb, NULL));
    struct timeval pause = {.tv_usec = 5000};

    event_add(tick, &pause);
    while (!hears()) {
        ck_assert_msg(monotonic_us() < deadline, "nothing was heard");
        event_base_loop(base, EVLOOP_ONCE);
    }
    event_free(tick);
}

/* --- how the service stands --- */

START_TEST(test_states)
{
    int64_t before = monotonic_us(), moment;

    supervisor = supervisor_new(base);
    assert_nothing_heard();
    supervisor_ready(supervisor);
    assert_heard("READY=1");
    supervisor_reloading(supervisor);
    ck_assert(hears());
    ck_assert_int_eq(sscanf(heard, "RELOADING=1\nMONOTONIC_USEC=%" SCNd64, &moment), 1);
    ck_assert_int_ge(moment, before);
    ck_assert_int_le(moment, monotonic_us());
    supervisor_ready(supervisor);
    assert_heard("READY=1");
    supervisor_extend(supervisor, 1500);
    assert_heard("EXTEND_TIMEOUT_USEC=1500000");
    supervisor_stopping(supervisor);
    supervisor_stopping(supervisor);
    assert_heard("STOPPING=1");
    supervisor_ready(supervisor);
    supervisor_reloading(supervisor);
    assert_nothing_heard();
}
END_TEST

START_TEST(test_children_inherit_nothing)
{
    setenv("WATCHDOG_USEC", "1000000", 1);
    supervisor = supervisor_new(base);
    ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
    ck_assert_ptr_null(getenv("WATCHDOG_USEC"));
}
END_TEST

START_TEST(test_abstract_name)
{
    char *name = xasprintf("@check_supervisor.%d", (int)getpid());

    close(systemd);
    unlink(where.sun_path);
    memset(where.sun_path, 0, sizeof where.sun_path);
    memcpy(where.sun_path + 1, name + 1, strlen(name) - 1);
    listen_at(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    setenv("NOTIFY_SOCKET", name, 1);
    supervisor = supervisor_new(base);
    supervisor_ready(supervisor);
    assert_heard("READY=1");
    free(name);
}
END_TEST

static char *describe_never(void *context)
{
    (void)context;
    ck_abort_msg("made for nobody");
}

static const char *const deaf[] = {NULL, "", "relative", "vsock:2:9999", "/", "@"};

START_TEST(test_nobody_listens)
{
    if (deaf[_i] != NULL)
        setenv("NOTIFY_SOCKET", deaf[_i], 1);
    else
        unsetenv("NOTIFY_SOCKET");
    supervisor = supervisor_new(base);
    supervisor_describe(supervisor, describe_never, NULL);
    supervisor_ready(supervisor);
    supervisor_changed(supervisor);
    supervisor_status(supervisor, "fine");
    supervisor_reloading(supervisor);
    supervisor_stopping(supervisor);
    assert_nothing_heard();
}
END_TEST

/* A socket that is full must not hold up the loop, nor lose what was said, nor its
 * order. */
START_TEST(test_full_socket)
{
    int count = 0, seen = 0;
    struct sockaddr_un filler = where;
    int other = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    while (sendto(other, "x", 1, 0, (struct sockaddr *)&filler, sizeof filler) == 1)
        count++;
    ck_assert_int_gt(count, 0);
    supervisor = supervisor_new(base);
    supervisor_ready(supervisor);
    supervisor_status(supervisor, "first");
    supervisor_status(supervisor, "latest");
    supervisor_stopping(supervisor);
    while (seen < count && hears()) {
        ck_assert_str_eq(heard, "x");
        seen++;
    }
    ck_assert_int_eq(seen, count);
    await();
    ck_assert_str_eq(heard, "READY=1");
    await();
    ck_assert_str_eq(heard, "STOPPING=1");
    await();
    ck_assert_str_eq(heard, "STATUS=latest");
    close(other);
}
END_TEST

START_TEST(test_systemd_has_gone)
{
    supervisor = supervisor_new(base);
    unlink(where.sun_path);
    supervisor_ready(supervisor);
    supervisor_status(supervisor, "still here");
    close(systemd);
    listen_at(sizeof where);
    supervisor_stopping(supervisor);
    assert_heard("STOPPING=1");
}
END_TEST

/* --- the watchdog --- */

START_TEST(test_watchdog)
{
    char *pid = xasprintf("%d", (int)getpid());

    setenv("WATCHDOG_USEC", "200000", 1);
    setenv("WATCHDOG_PID", pid, 1);
    free(pid);
    int64_t begun = monotonic_us();
    supervisor = supervisor_new(base);
    assert_nothing_heard(); /* only a loop that turns says so */
    for (int i = 1; i <= 3; i++) {
        await();
        ck_assert_str_eq(heard, "WATCHDOG=1");
        ck_assert_int_ge(monotonic_us() - begun, i * 90000);
    }
}
END_TEST

START_TEST(test_watchdog_of_another_process)
{
    setenv("WATCHDOG_USEC", "2000", 1);
    setenv("WATCHDOG_PID", "1", 1);
    supervisor = supervisor_new(base);
    supervisor_status(supervisor, "one");
    supervisor_status(supervisor, "two");
    await();
    ck_assert_str_eq(heard, "STATUS=one");
    await(); /* a second later */
    ck_assert_str_eq(heard, "STATUS=two");
}
END_TEST

/* --- the status --- */

START_TEST(test_status)
{
    supervisor = supervisor_new(base);
    supervisor_status(supervisor, "one");
    int64_t begun = monotonic_us();
    assert_heard("STATUS=one");
    supervisor_status(supervisor, "two");
    supervisor_status(supervisor, "three\nlines\rhere");
    assert_nothing_heard();
    await();
    ck_assert_str_eq(heard, "STATUS=three lines here");
    ck_assert_int_ge(monotonic_us() - begun, 900000);
    supervisor_status(supervisor, "four");
    supervisor_status(supervisor, "three lines here"); /* as systemd has it */
    supervisor_free(supervisor);
    supervisor = NULL;
    assert_nothing_heard();
}
END_TEST

START_TEST(test_last_status)
{
    supervisor = supervisor_new(base);
    supervisor_status(supervisor, "one");
    supervisor_status(supervisor, "two");
    supervisor_free(supervisor);
    supervisor = NULL;
    assert_heard("STATUS=one");
    assert_heard("STATUS=two");
}
END_TEST

START_TEST(test_long_status)
{
    char text[6002] = "";

    for (int i = 0; i < 2000; i++)
        strcat(text, "ä");
    supervisor = supervisor_new(base);
    supervisor_status(supervisor, text);
    ck_assert(hears());
    ck_assert_uint_le(strlen(heard), 1100);
    ck_assert_uint_ge(strlen(heard), 900);
}
END_TEST

static int described; /* how often */

static char *describe(void *context)
{
    ck_assert_ptr_eq(context, &described);
    return xasprintf("%d", ++described);
}

START_TEST(test_described_when_due)
{
    supervisor = supervisor_new(base);
    supervisor_describe(supervisor, describe, &described);
    supervisor_changed(supervisor);
    assert_heard("STATUS=1");
    for (int i = 0; i < 100; i++)
        supervisor_changed(supervisor);
    ck_assert_int_eq(described, 1);
    await();
    ck_assert_str_eq(heard, "STATUS=2");
    ck_assert_int_eq(described, 2);
}
END_TEST

static Suite *supervisor_suite(void)
{
    Suite *suite = suite_create("supervisor");
    TCase *told = tcase_create("told");
    TCase *silent = tcase_create("silent");

    tcase_add_checked_fixture(told, set_up, tear_down);
    tcase_add_checked_fixture(silent, set_up, tear_down);
    tcase_set_timeout(told, 120);
    tcase_add_test(told, test_states);
    tcase_add_test(told, test_children_inherit_nothing);
    tcase_add_test(told, test_abstract_name);
    tcase_add_test(told, test_full_socket);
    tcase_add_test(told, test_systemd_has_gone);
    tcase_add_test(told, test_watchdog);
    tcase_add_test(told, test_watchdog_of_another_process);
    tcase_add_test(told, test_status);
    tcase_add_test(told, test_last_status);
    tcase_add_test(told, test_long_status);
    tcase_add_test(told, test_described_when_due);
    tcase_add_loop_test(silent, test_nobody_listens, 0, sizeof deaf / sizeof *deaf);
    suite_add_tcase(suite, silent);
    if (KNOWS_SYSTEMD)
        suite_add_tcase(suite, told);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(supervisor_suite());

    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
