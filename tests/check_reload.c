/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration that is read again while the server runs: what is taken over, what
 * is told. */
#include "../src/config.h" /* not the build's own config.h */
#include "reload.h"
#include "settings.h"
#include "supervisor.h"
#include "worker.h"
#include "xalloc.h"

#include <check.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char file[] = "/tmp/check_reload.XXXXXX";
static struct config_override overrides[2]; /* of the command line */
static struct config_origin origin;
static struct config running;
static char *changed, *restart; /* of the latest adoption */

static void write_file(const char *text)
{
    FILE *stream = xcheck(fopen(file, "w"));

    fputs(text, stream);
    ck_assert_int_eq(fclose(stream), 0);
}

static void read_into(struct config *config)
{
    char *mistakes = NULL;

    ck_assert_msg(config_read(config, &origin, &mistakes) == 0, "%s", mistakes);
}

static void set_up(void)
{
    int descriptor = mkstemp(file);

    ck_assert_int_ge(descriptor, 0);
    close(descriptor);
    origin = (struct config_origin){.file = file, .overrides = overrides};
}

static void tear_down(void)
{
    config_clear(&running);
    free(changed);
    free(restart);
    unlink(file);
}

/* Run with one file, and adopt another. What was retired is cleared by the caller. */
static struct config exchange(const char *before, const char *after)
{
    struct config fresh;

    write_file(before);
    read_into(&running);
    write_file(after);
    read_into(&fresh);
    config_adopt(&running, &fresh, &changed, &restart);
    return fresh;
}

/* --- taking over --- */

START_TEST(test_same)
{
    struct config old = exchange("[server-type s]\nimages = a b\n"
                                 "[client-type c]\ntype = t\nversion = 1*\n",
                                 "[client-type c]\ntype = t\nversion = 1* ; the same\n"
                                 "[server-type s]\nimages = a\nimages = b\n");

    ck_assert_ptr_null(changed);
    ck_assert_ptr_null(restart);
    config_clear(&old);
}
END_TEST

START_TEST(test_adopted)
{
    struct config old = exchange("[tests]\npath = /a\nwait-scale = 2\nonly = x.*\n",
                                 "[tests]\npath = /b /c\nwait-scale = 0.5\nrepeat = 2\n"
                                 "strict = yes\nonly = y.* z.*\n"
                                 "[timeouts]\nlong-poll = 1\nidle-client = 2\ncase = 3\n"
                                 "[history]\nkeep = 7\n[limits]\ntranscript = 8\n"
                                 "[log]\nlevel = debug\n");

    ck_assert_str_eq(changed,
                     "[tests] path, [tests] only, [tests] strict, [tests] wait-scale, "
                     "[tests] repeat, [timeouts] idle-client, [timeouts] case, "
                     "[timeouts] long-poll, [history] keep, [log] level, "
                     "[limits] transcript");
    ck_assert_ptr_null(restart);
    ck_assert_uint_eq(running.paths.count, 2);
    ck_assert_str_eq(running.paths.items[1], "/c");
    ck_assert_uint_eq(running.only.count, 2);
    ck_assert_str_eq(running.only.items[0], "y.*");
    ck_assert(running.settings.wait_scale > 0.49 && running.settings.wait_scale < 0.51);
    ck_assert_uint_eq(running.repeat, 2);
    ck_assert_int_eq(running.strict, CONFIG_YES);
    ck_assert_int_eq(running.long_poll_ms, 1000);
    ck_assert_int_eq(running.idle_client_ms, 2000);
    ck_assert_int_eq(running.settings.case_timeout_ms, 3000);
    ck_assert_uint_eq(running.history.keep, 7);
    ck_assert_uint_eq(running.settings.transcript, 8);
    ck_assert_int_eq(running.log_level, LOG_LEVEL_DEBUG);
    ck_assert_str_eq(old.only.items[0], "x.*"); /* for whoever has borrowed it */
    ck_assert_str_eq(old.paths.items[0], "/a");
    config_clear(&old);
}
END_TEST

START_TEST(test_kinds)
{
    struct config old = exchange("[server-type s]\nservers = a=http://b\n"
                                 "[client-type c]\ntype = t\nversion = 1*\n",
                                 "[server-type s]\nservers = a=http://c\n"
                                 "[client-type c]\ntype = t\nversion = 2*\n"
                                 "[client-type d]\ntype = t\n");
    const struct server_type *type = settings_server_type(&running.settings, "s");

    ck_assert_str_eq(changed, "[client-type NAME], [server-type NAME]");
    ck_assert_str_eq(type->servers[0].cs_api, "http://c");
    ck_assert_uint_eq(running.settings.client_type_count, 2);
    ck_assert_str_eq(running.settings.client_types[0].globs[0].glob, "2*");
    ck_assert_str_eq(old.settings.server_types[0].servers[0].cs_api, "http://b");
    config_clear(&old);
}
END_TEST

static const struct {
    const char *before, *after; /* sections of server types or client types */
} kinds[] = {
    {"[server-type s]\nimages = a\n", ""},
    {"[server-type s]\nimages = a\n", "[server-type t]\nimages = a\n"},
    {"[server-type s]\nimages = a\n", "[server-type s]\nimages = a a\n"},
    {"[server-type s]\nimages = a\n", "[server-type s]\nimages = b\n"},
    {"[server-type s]\nimages = a\n", "[server-type s]\nservers = a=http://a\n"},
    {"[server-type s]\nservers = b=http://a\n",
     "[server-type s]\nservers = a=http://a\n"},
    {"", "[client-type c]\ntype = t\n"},
    {"[client-type c]\ntype = t\n", "[client-type c]\ntype = u\n"},
    {"[client-type c]\ntype = t\n", "[client-type d]\ntype = t\n"},
    {"[client-type c]\ntype = t\n", "[client-type c]\ntype = t\na = b\n"},
    {"[client-type c]\ntype = t\na = b\n", "[client-type c]\ntype = t\nc = b\n"},
};

START_TEST(test_kinds_that_differ)
{
    struct config old = exchange(kinds[_i].before, kinds[_i].after);

    ck_assert_msg(changed != NULL, "not seen: %s -> %s", kinds[_i].before,
                  kinds[_i].after);
    config_clear(&old);
}
END_TEST

/* How many deployments there may be follows from the configuration that holds. */
START_TEST(test_homerunners)
{
    struct config old = exchange("[homerunner]\nurl = http://a http://b\nurl = http://c\n"
                                 "limit = 5\n",
                                 "[homerunner]\nurl = http://a\nlimit = 7\n");

    ck_assert_ptr_null(changed);
    ck_assert_ptr_nonnull(strstr(restart, "[homerunner] url: has changed"));
    ck_assert_uint_eq(running.settings.homerunners, 3);
    ck_assert_uint_eq(running.settings.deployments, 15);
    ck_assert_uint_eq(old.settings.deployments, 7);
    config_clear(&old);
}
END_TEST

START_TEST(test_restart)
{
    struct config old = exchange("", "[server]\nlisten = localhost:1\nstate-dir = /s\n"
                                     "durability = none\n[workers]\nthreads = 9\n"
                                     "[homerunner]\nlimit = 9\n[limits]\nbody = 2M\n"
                                     "[log]\nlevel = error\n");

    ck_assert_str_eq(changed, "[log] level");
    for (const char *const *key =
             (const char *const[]){"[server] listen", "[server] state-dir",
                                   "[server] durability", "[workers] threads",
                                   "[homerunner] limit", "[limits] body", NULL};
         *key != NULL; key++) {
        char *sentence = xasprintf("%s: has changed, which takes a restart", *key);
        ck_assert_msg(strstr(restart, sentence) != NULL, "%s: %s", *key, restart);
        free(sentence);
    }
    ck_assert_str_eq(running.listen.items[0], "127.0.0.1:5000");
    ck_assert_uint_eq(running.worker_threads, 4);
    ck_assert_uint_eq(running.settings.deployments, 8);
    ck_assert_uint_eq(running.homerunner_limit, 8);
    ck_assert_uint_eq(running.limits.body, 1 << 20);
    ck_assert_int_eq(running.durability, DURABILITY_PROCESS);
    config_clear(&old);
}
END_TEST

START_TEST(test_command_line_wins)
{
    overrides[0] = (struct config_override){"tests", "only", "mine.*"};
    overrides[1] = (struct config_override){"server", "listen", "localhost:7"};
    origin.override_count = 2;
    struct config old =
        exchange("[tests]\nonly = a\n", "[tests]\nonly = b\n"
                                        "[server]\nlisten = localhost:8\n");

    ck_assert_ptr_null(changed);
    ck_assert_ptr_null(restart);
    ck_assert_uint_eq(running.only.count, 1);
    ck_assert_str_eq(running.only.items[0], "mine.*");
    ck_assert_str_eq(running.listen.items[0], "localhost:7");
    config_clear(&old);
}
END_TEST

/* --- the room --- */

static struct event_base *base;
static struct workers *workers;
static struct supervisor *supervisor;
static struct reload *reload;
static int adopted; /* how often */

static bool adopted_cb(void *context)
{
    ck_assert_ptr_eq(context, &adopted);
    adopted++;
    return adopted % 2 == 0; /* kept by somebody, then not */
}

static void room_set_up(void)
{
    set_up();
    evthread_use_pthreads();
    base = xcheck(event_base_new());
    workers = workers_new(base);
    supervisor = supervisor_new(base);
    write_file("[tests]\npath = /a\n");
    read_into(&running);
    reload = reload_new(workers, supervisor, &running, &origin, adopted_cb, &adopted);
    reload_stop(NULL);
}

static void room_tear_down(void)
{
    ck_assert(workers_free(workers, 60000));
    reload_free(reload);
    supervisor_free(supervisor);
    event_base_free(base);
    tear_down();
}

/* Turn the loop until all jobs are done. */
static void settle(void)
{
    while (workers_are_busy(workers))
        event_base_loop(base, EVLOOP_ONCE);
}

START_TEST(test_signal)
{
    write_file("[tests]\npath = /b\n");
    raise(SIGHUP);
    event_base_loop(base, EVLOOP_ONCE);
    settle();
    ck_assert_int_eq(adopted, 1);
    ck_assert_str_eq(running.paths.items[0], "/b");
}
END_TEST

START_TEST(test_mistakes_change_nothing)
{
    write_file("[tests]\npath = /b\nrepeat = 0\nrepeet = 1\n");
    reload_begin(reload);
    settle();
    ck_assert_int_eq(adopted, 0);
    ck_assert_str_eq(running.paths.items[0], "/a");
    unlink(file);
    reload_begin(reload);
    settle();
    ck_assert_int_eq(adopted, 0);
    ck_assert_str_eq(running.paths.items[0], "/a");
}
END_TEST

/* However many come while a file is read: the last one's state of the file holds. */
START_TEST(test_many)
{
    for (int i = 0; i < 10; i++) {
        char *text = xasprintf("[tests]\npath = /%d\n", i);
        write_file(text);
        free(text);
        reload_begin(reload);
    }
    settle();
    ck_assert_str_eq(running.paths.items[0], "/9");
    ck_assert_int_ge(adopted, 1);
    ck_assert_int_le(adopted, 2);
    for (int i = 0; i < 4; i++) {
        reload_begin(reload);
        settle();
    }
    ck_assert_str_eq(running.paths.items[0], "/9");
}
END_TEST

START_TEST(test_stopped)
{
    write_file("[tests]\npath = /b\n");
    reload_begin(reload);
    reload_stop(reload);
    settle();
    reload_begin(reload);
    settle();
    ck_assert_int_eq(adopted, 0);
    ck_assert_str_eq(running.paths.items[0], "/a");
}
END_TEST

/* The pool goes while a job is there. */
START_TEST(test_cut_short)
{
    workers_stop(workers);
    reload_begin(reload);
    ck_assert_int_eq(adopted, 0);
}
END_TEST

static Suite *reload_suite(void)
{
    Suite *suite = suite_create("reload");
    TCase *adopting = tcase_create("adopting");
    TCase *room = tcase_create("room");

    tcase_add_checked_fixture(adopting, set_up, tear_down);
    tcase_add_test(adopting, test_same);
    tcase_add_test(adopting, test_adopted);
    tcase_add_test(adopting, test_kinds);
    tcase_add_loop_test(adopting, test_kinds_that_differ, 0,
                        sizeof kinds / sizeof *kinds);
    tcase_add_test(adopting, test_homerunners);
    tcase_add_test(adopting, test_restart);
    tcase_add_test(adopting, test_command_line_wins);
    tcase_add_checked_fixture(room, room_set_up, room_tear_down);
    tcase_set_timeout(room, 60);
    tcase_add_test(room, test_signal);
    tcase_add_test(room, test_mistakes_change_nothing);
    tcase_add_test(room, test_many);
    tcase_add_test(room, test_stopped);
    tcase_add_test(room, test_cut_short);
    suite_add_tcase(suite, adopting);
    suite_add_tcase(suite, room);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(reload_suite());

    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
