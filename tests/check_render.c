/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures, drawn by a shell script in place of dot: it notes each run down, and what it
 * does depends on the graph.
 */
#include "render.h"
#include "worker.h"
#include "xalloc.h"

#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char script[] = "#!/bin/sh\n"
                             "echo run >> \"$0.runs\"\n"
                             "graph=$(cat)\n"
                             "case $graph in\n"
                             "*fail*) echo 'syntax error' >&2; exit 1;;\n"
                             "*hold*) cat \"$0.gate\" >/dev/null;;\n"
                             "*hang*) sleep 600;;\n"
                             "esac\n"
                             "printf '%s %s' \"$1\" \"$graph\"\n";

static struct event_base *base;
static struct workers *workers;
static struct renderer *renderer;
static char folder[] = "/tmp/check_render.XXXXXX";
static char dot[64], runs[64], gate[64]; /* paths in the folder */
static int done_count;                   /* calls of done_cb() */
static uint64_t ticket;                  /* the last one */

/* Who asks: what they were told. */
struct asker {
    char *told;       /* the picture or the cause, owned */
    bool asks_again;  /* done() asks for the same again */
    uint64_t cancels; /* done() cancels this ticket, if not 0 */
};

static struct asker askers[8];

static void done_cb(void *arg, const char *data, size_t size, const char *cause)
{
    struct asker *asker = arg;

    ck_assert((data == NULL) == (cause != NULL));
    done_count++;
    free(asker->told);
    asker->told = cause != NULL ? xstrdup(cause) : xstrndup(data, size);
    if (asker->cancels != 0)
        render_cancel(renderer, asker->cancels);
    if (asker->asks_again) {
        asker->asks_again = false;
        ck_assert_int_eq(
            render_picture(renderer, "again", PICTURE_SVG, done_cb, arg, &ticket), 0);
    }
}

static int ask(int who, const char *graph, enum picture_format format)
{
    return render_picture(renderer, graph, format, done_cb, &askers[who], &ticket);
}

static void wait_done(int count)
{
    ck_assert_int_le(done_count, count);
    while (done_count < count)
        event_base_loop(base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
}

/* How often the script was run. */
static int count_runs(void)
{
    struct stat status;

    return stat(runs, &status) == 0 ? (int)status.st_size / 4 : 0;
}

static void open_gate(void)
{
    FILE *file = fopen(gate, "w"); /* waits for the script to open it */

    ck_assert_ptr_nonnull(file);
    fclose(file);
}

static void start(const struct renderer_settings *more)
{
    struct renderer_settings settings = *more;

    settings.dot_program = dot;
    settings.threads = 1;
    settings.queue = 1;
    if (settings.timeout_ms == 0)
        settings.timeout_ms = 60000;
    renderer = renderer_new(workers, &settings);
}

static void setup(void)
{
    ck_assert_int_eq(evthread_use_pthreads(), 0);
    base = event_base_new();
    workers = workers_new(base);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(dot, sizeof dot, "%s/dot", folder);
    snprintf(runs, sizeof runs, "%s/dot.runs", folder);
    snprintf(gate, sizeof gate, "%s/dot.gate", folder);
    FILE *file = fopen(dot, "w");
    fputs(script, file);
    fclose(file);
    chmod(dot, 0700);
    ck_assert_int_eq(mkfifo(gate, 0600), 0);
}

static void teardown(void)
{
    ck_assert(workers_free(workers, 20000));
    renderer_free(renderer);
    event_base_free(base);
    libevent_global_shutdown();
    for (size_t i = 0; i < sizeof askers / sizeof *askers; i++)
        free(askers[i].told);
    unlink(dot);
    unlink(runs);
    unlink(gate);
    rmdir(folder);
}

static const struct renderer_settings usual = {0};

START_TEST(a_picture_is_drawn_once_and_kept)
{
    start(&usual);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(ask(i, "graph", PICTURE_SVG), 0);
    ck_assert_int_eq(done_count, 0);
    wait_done(3);
    for (int i = 0; i < 3; i++)
        ck_assert_str_eq(askers[i].told, "-Tsvg graph");
    ck_assert_int_eq(count_runs(), 1);
    ck_assert_int_eq(ask(3, "graph", PICTURE_SVG), 0);
    ck_assert_int_eq(done_count, 3); /* never inside the call */
    wait_done(4);
    ck_assert_str_eq(askers[3].told, "-Tsvg graph");
    ck_assert_int_eq(count_runs(), 1);
    ck_assert_int_eq(ask(4, "graph", PICTURE_PNG), 0);
    wait_done(5);
    ck_assert_str_eq(askers[4].told, "-Tpng graph");
    ck_assert_int_eq(count_runs(), 2);
}
END_TEST

START_TEST(the_one_used_longest_ago_is_dropped)
{
    start(&(struct renderer_settings){.cache_entries = 2});
    static const char *const graphs[] = {"a", "b", "a", "c", "a", "b"};
    static const int runs_after[] = {1, 2, 2, 3, 3, 4};

    for (int i = 0; i < 6; i++) {
        ck_assert_int_eq(ask(0, graphs[i], PICTURE_SVG), 0);
        wait_done(i + 1);
        ck_assert_int_eq(count_runs(), runs_after[i]);
    }
}
END_TEST

START_TEST(what_is_too_large_is_not_kept)
{
    start(&(struct renderer_settings){.cache_bytes = 10, .picture_limit = 20});
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(ask(0, "large", PICTURE_SVG), 0);
        wait_done(i + 1);
        ck_assert_str_eq(askers[0].told, "-Tsvg large");
    }
    ck_assert_int_eq(count_runs(), 2);
    ck_assert_int_eq(ask(0, "larger than it may be", PICTURE_SVG), 0);
    wait_done(3);
    ck_assert_ptr_nonnull(strstr(askers[0].told, "more than 20 bytes"));
}
END_TEST

START_TEST(a_failure_is_told_to_all_and_not_kept)
{
    start(&usual);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(ask(i, "fail", PICTURE_SVG), 0);
    wait_done(2);
    for (int i = 0; i < 2; i++)
        ck_assert_ptr_nonnull(strstr(askers[i].told, "status 1 and said: syntax error"));
    ck_assert_int_eq(ask(2, "fail", PICTURE_SVG), 0);
    wait_done(3);
    ck_assert_int_eq(count_runs(), 2);
}
END_TEST

START_TEST(it_may_not_take_too_long)
{
    start(&(struct renderer_settings){.timeout_ms = 300});
    ck_assert_int_eq(ask(0, "hang", PICTURE_SVG), 0);
    wait_done(1);
    ck_assert_ptr_nonnull(strstr(askers[0].told, "took longer than 300 ms"));
}
END_TEST

START_TEST(too_many_are_refused)
{
    start(&usual);
    ck_assert_int_eq(ask(0, "hold", PICTURE_SVG), 0);
    ck_assert_int_eq(ask(1, "next", PICTURE_SVG), 0);
    ck_assert_int_eq(ask(2, "one more", PICTURE_SVG), -EAGAIN);
    ck_assert_int_eq(ask(3, "next", PICTURE_SVG), 0); /* is under way already */
    open_gate();
    wait_done(3);
    ck_assert_ptr_null(askers[2].told);
    ck_assert_int_eq(ask(2, "one more", PICTURE_SVG), 0);
    wait_done(4);
}
END_TEST

START_TEST(who_has_gone_is_not_called)
{
    start(&usual);
    ck_assert_int_eq(ask(0, "hold", PICTURE_SVG), 0);
    uint64_t first = ticket;
    ck_assert_int_eq(ask(1, "hold", PICTURE_SVG), 0);
    ck_assert_int_eq(ask(2, "hold", PICTURE_SVG), 0);
    askers[1].cancels = ticket; /* one asker takes another away */
    render_cancel(renderer, first);
    render_cancel(renderer, first);
    render_cancel(renderer, 0);
    open_gate();
    wait_done(1);
    ck_assert_int_eq(ask(3, "hold", PICTURE_SVG), 0);
    render_cancel(renderer, ticket); /* of a picture that is there */
    ck_assert_int_eq(ask(4, "hold", PICTURE_SVG), 0);
    wait_done(2);
    ck_assert_ptr_nonnull(askers[1].told);
    ck_assert_ptr_nonnull(askers[4].told);
    ck_assert_ptr_null(askers[0].told);
    ck_assert_ptr_null(askers[2].told);
    ck_assert_ptr_null(askers[3].told);
}
END_TEST

START_TEST(done_may_ask_again)
{
    start(&usual);
    for (int i = 0; i < 3; i++) {
        askers[i].asks_again = true;
        ck_assert_int_eq(ask(i, "again", PICTURE_SVG), 0);
    }
    wait_done(6);
    ck_assert_int_eq(count_runs(), 1);
    askers[3].asks_again = true;
    ck_assert_int_eq(ask(3, "fail", PICTURE_SVG), 0);
    wait_done(8);
    ck_assert_str_eq(askers[3].told, "-Tsvg again");
}
END_TEST

START_TEST(a_stop_tells_everybody)
{
    start(&usual);
    ck_assert_int_eq(ask(0, "hang", PICTURE_SVG), 0);
    ck_assert_int_eq(ask(1, "next", PICTURE_SVG), 0);
    workers_stop(workers);
    ck_assert_int_eq(ask(2, "late", PICTURE_SVG), -EAGAIN);
    wait_done(2);
    ck_assert_ptr_nonnull(strstr(askers[0].told, "trafficlight is stopping"));
    ck_assert_ptr_nonnull(strstr(askers[1].told, "trafficlight is stopping"));
}
END_TEST

START_TEST(askers_may_remain_at_the_end)
{
    start(&usual);
    ck_assert_int_eq(ask(0, "graph", PICTURE_SVG), 0);
    wait_done(1);
    ck_assert_int_eq(ask(1, "graph", PICTURE_SVG), 0); /* would be told next turn */
    ck_assert_int_eq(ask(2, "other", PICTURE_SVG), 0); /* is told when the pool goes */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("render");
    TCase *tcase = tcase_create("pictures");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 50);
    tcase_add_test(tcase, a_picture_is_drawn_once_and_kept);
    tcase_add_test(tcase, the_one_used_longest_ago_is_dropped);
    tcase_add_test(tcase, what_is_too_large_is_not_kept);
    tcase_add_test(tcase, a_failure_is_told_to_all_and_not_kept);
    tcase_add_test(tcase, it_may_not_take_too_long);
    tcase_add_test(tcase, too_many_are_refused);
    tcase_add_test(tcase, who_has_gone_is_not_called);
    tcase_add_test(tcase, done_may_ask_again);
    tcase_add_test(tcase, a_stop_tells_everybody);
    tcase_add_test(tcase, askers_may_remain_at_the_end);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
