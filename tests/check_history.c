/* SPDX-License-Identifier: Apache-2.0 */
/* The history: what is written is read back, only whole runs are seen, and old ones
 * go. */
#include "folder.h"
#include "history.h"
#include "json.h"
#include "now.h"
#include "worker.h"
#include "xalloc.h"

#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_MS (INT64_C(24) * 3600 * 1000)

static struct event_base *base;
static struct workers *workers;
static struct history *history;
static struct history_settings settings;
static char folder[64], files[80], outside[80]; /* all below /tmp */
static bool is_inside;                          /* of history_…(): no done() may come */

/* --- the loop --- */

static void open_history(void)
{
    char *cause = NULL;

    workers = workers_new(base);
    history = history_open(workers, &settings, &cause);
    ck_assert_msg(history != NULL, "%s", cause);
}

static void close_history(void)
{
    ck_assert(workers_free(workers, 10000));
    history_free(history);
    workers = NULL;
    history = NULL;
}

static void reopen(void)
{
    close_history();
    open_history();
}

static void make_folder(const char *path)
{
    ck_assert_msg(mkdir(path, 0700) == 0, "%s: %s", path, strerror(errno));
}

static void setup(void)
{
    ck_assert_int_eq(evthread_use_pthreads(), 0);
    base = event_base_new();
    strcpy(folder, "/tmp/check_history.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(files, sizeof files, "%s/files", folder);
    snprintf(outside, sizeof outside, "%s/outside", folder);
    make_folder(files);
    make_folder(outside);
    settings = (struct history_settings){.folder = folder, .files = files};
    open_history();
}

static void teardown(void)
{
    close_history();
    event_base_free(base);
    libevent_global_shutdown();
    ck_assert_int_eq(folder_remove("/tmp", folder + strlen("/tmp/")), 0);
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

/* --- writing --- */

static int written_count;  /* done() so far */
static char *latest_cause; /* of the latest one, owned */

static void written_cb(void *argument, const char *cause)
{
    ck_assert(!is_inside);
    ck_assert_ptr_eq(argument, &written_count);
    written_count++;
    free(latest_cause);
    latest_cause = cause != NULL ? xstrdup(cause) : NULL;
}

/* JSON with ' for ". */
static struct json_object *json(const char *text)
{
    struct json_object *value = NULL;
    char *copy = xstrdup(text), *cause = NULL;

    for (char *p = copy; (p = strchr(p, '\'')) != NULL;)
        *p = '"';
    int result = json_read(copy, strlen(copy), 32, &value, &cause);
    ck_assert_msg(result == 0, "%s", cause);
    free(copy);
    return value;
}

/* A case of the test "t" that ended `ended` ms after a moment of old. */
static struct json_object *a_case(const char *id, const char *name, const char *state,
                                  int64_t ended)
{
    struct json_object *testcase =
        json("{'test': 't', 'types': 'web', 'flaky': false,"
             " 'attempts': 1, 'duration': 1.5, 'message': ''}");
    struct json_object *document = json_new_object();

    json_put_text(document, "says", id);
    json_put(testcase, "document", document);
    json_put_text(testcase, "machine", "digraph machine {}");
    json_put_text(testcase, "context", "digraph context {}");
    json_put_text(testcase, "id", id);
    json_put_text(testcase, "name", name);
    json_put_text(testcase, "state", state);
    json_put_int(testcase, "ended", 1000000000000 + ended);
    return testcase;
}

static void submit_cases(const char *run, struct json_object *cases)
{
    is_inside = true;
    history_add_cases(history, run, cases, written_cb, &written_count);
    is_inside = false;
}

/* Wait for it; gives the cause, borrowed until the next one. */
static const char *add_cases(const char *run, struct json_object *cases)
{
    submit_cases(run, cases);
    run_until_idle();
    return latest_cause;
}

static const char *add_case(const char *run, struct json_object *testcase)
{
    struct json_object *cases = json_new_array();

    json_append(cases, testcase);
    return add_cases(run, cases);
}

/* A run that ended at this wall time. */
static struct json_object *a_run(const char *id, int64_t ended)
{
    struct json_object *run = json("{'label': null, 'state': 'done', 'junit': '<x/>',"
                                   " 'totals': {'cases': 3}}");
    struct json_object *status = json("{'suites': [{'id': 'other'}, {'name': 'Waltz'}]}");
    struct json_object *suite =
        json_object_array_get_idx(json_member(status, "suites"), 1);

    char *suite_id = xasprintf("%s-suite", id);
    json_put_text(suite, "id", suite_id);
    json_put_text(run, "id", id);
    json_put_int(run, "started", ended - 1000);
    json_put_int(run, "ended", ended);
    json_put(run, "status", status);
    free(suite_id);
    return run;
}

static void submit_run(struct json_object *run, const char *living)
{
    is_inside = true;
    history_add_run(history, run, living, written_cb, &written_count);
    is_inside = false;
}

static const char *add_run(const char *id, int64_t ended, const char *living)
{
    submit_run(a_run(id, ended), living);
    run_until_idle();
    return latest_cause;
}

/* --- reading --- */

struct answer {
    int count;                    /* calls of done() */
    struct json_object *document; /* owned */
    char *cause;                  /* owned */
};

static void answer_cb(void *argument, struct json_object *document, const char *cause)
{
    struct answer *answer = argument;

    ck_assert(!is_inside);
    answer->count++;
    answer->document = document;
    answer->cause = cause != NULL ? xstrdup(cause) : NULL;
}

static uint64_t ask(enum history_document what, const char *id, struct answer *answer)
{
    is_inside = true;
    uint64_t ticket = history_find(history, what, id, answer_cb, answer);
    is_inside = false;
    ck_assert_uint_ne(ticket, 0);
    return ticket;
}

/* The document, owned by the caller, or NULL. */
static struct json_object *find(enum history_document what, const char *id)
{
    struct answer answer = {0};

    ask(what, id, &answer);
    run_until_idle();
    ck_assert_int_eq(answer.count, 1);
    ck_assert_msg(answer.cause == NULL, "%s", answer.cause);
    return answer.document;
}

/* What is found is this JSON (with ' for "), or nothing where that is NULL. */
static void finds(enum history_document what, const char *id, const char *expected)
{
    struct json_object *found = find(what, id);
    struct json_object *wanted = expected != NULL ? json(expected) : NULL;

    ck_assert_msg(json_object_equal(found, wanted), "%s: %s", id,
                  found != NULL ? json_text(found) : "nothing");
    json_object_put(found);
    json_object_put(wanted);
}

/* The kept runs, newest first, with a space after each. */
static void runs_are(const char *expected)
{
    struct json_object *runs = find(HISTORY_RUNS, NULL);
    char ids[200] = "";

    for (size_t i = 0; i < json_object_array_length(runs); i++) {
        strcat(ids, json_member_text(json_object_array_get_idx(runs, i), "id"));
        strcat(ids, " ");
    }
    ck_assert_str_eq(ids, expected);
    json_object_put(runs);
}

/* --- documents --- */

START_TEST(every_document_is_read_back)
{
    ck_assert_ptr_null(add_case("r", a_case("c", "n", "success", 0)));
    submit_run(json("{'id': 'r', 'label': 'nightly \xc2\xbd', 'state': 'done', 'totals': "
                    "{'cases': 1},"
                    " 'started': 1000, 'ended': 2500, 'junit': '<a>\\u0000</a>',"
                    " 'status': {'suites': [{'id': 'x', 'n': 1}, {'id': 'y', 'n': 2}]}}"),
               NULL);
    run_until_idle();
    ck_assert_ptr_null(latest_cause);
    ck_assert_int_eq(written_count, 2);
    finds(
        HISTORY_RUNS, NULL,
        "[{'id': 'r', 'label': 'nightly \xc2\xbd', 'state': 'done', 'totals': {'cases': "
        "1},"
        " 'started': '1970-01-01T00:00:01.000Z', 'ended': '1970-01-01T00:00:02.500Z'}]");
    finds(HISTORY_STATUS, "r", "{'suites': [{'id': 'x', 'n': 1}, {'id': 'y', 'n': 2}]}");
    finds(HISTORY_JUNIT, "r", "'<a>\\u0000</a>'");
    finds(HISTORY_SUITE, "y", "{'id': 'y', 'n': 2}");
    finds(HISTORY_CASE, "c", "{'says': 'c'}");
    finds(HISTORY_MACHINE, "c", "'digraph machine {}'");
    finds(HISTORY_CONTEXT, "c", "'digraph context {}'");
    for (int what = HISTORY_STATUS; what <= HISTORY_CONTEXT; what++)
        finds((enum history_document)what, "nobody", NULL);
}
END_TEST

START_TEST(an_empty_history_says_so)
{
    finds(HISTORY_RUNS, NULL, "[]");
    struct json_object *trends = find(HISTORY_TRENDS, NULL);
    ck_assert_int_eq(json_object_get_int(json_member(trends, "runs")), 0);
    ck_assert_uint_eq(json_object_array_length(json_member(trends, "tests")), 0);
    json_object_put(trends);
}
END_TEST

/* What a client said stays as it was, even what would not be read as JSON from
 * outside. */
START_TEST(odd_documents_are_read_back)
{
    struct json_object *testcase = a_case("c'; --", "n", "success", 0);
    struct json_object *document = json_member(testcase, "document");

    json_put_text(document, "bytes", "\xff\xfe\x01 \\ \"");
    for (int i = 0; i < 100; i++) {
        struct json_object *inner = json_new_object();
        json_put(document, "in", inner);
        document = inner;
    }
    struct json_object *wanted = json_copy(json_member(testcase, "document"));
    add_case("r", testcase);
    add_run("r", 1, NULL);
    struct json_object *found = find(HISTORY_CASE, "c'; --");
    ck_assert(json_object_equal(found, wanted));
    json_object_put(found);
    json_object_put(wanted);
}
END_TEST

START_TEST(a_run_is_seen_once_it_is_added)
{
    add_case("r", a_case("c", "n", "success", 0));
    finds(HISTORY_CASE, "c", NULL);
    finds(HISTORY_MACHINE, "c", NULL);
    finds(HISTORY_RUNS, NULL, "[]");
    struct json_object *trends = find(HISTORY_TRENDS, NULL);
    ck_assert_uint_eq(json_object_array_length(json_member(trends, "tests")), 0);
    json_object_put(trends);
    add_run("r", 1, NULL);
    finds(HISTORY_CASE, "c", "{'says': 'c'}");
}
END_TEST

START_TEST(what_is_there_is_replaced)
{
    struct json_object *again = a_case("c", "n", "failed", 0);

    add_case("r", a_case("c", "n", "success", 0));
    add_case("r", a_case("d", "n", "success", 0));
    add_run("r", 5000, NULL);
    json_put_text(again, "document", "later");
    ck_assert_ptr_null(add_case("r", again));
    ck_assert_ptr_null(add_run("r", 7000, NULL));
    finds(HISTORY_CASE, "c", "'later'");
    finds(HISTORY_CASE, "d", "{'says': 'd'}");
    finds(
        HISTORY_RUNS, NULL,
        "[{'id': 'r', 'label': null, 'state': 'done', 'totals': {'cases': 3},"
        " 'started': '1970-01-01T00:00:06.000Z', 'ended': '1970-01-01T00:00:07.000Z'}]");
    struct json_object *trends = find(HISTORY_TRENDS, NULL);
    struct json_object *entry =
        json_object_array_get_idx(json_member(trends, "tests"), 0);
    ck_assert_int_eq(json_object_get_int(json_member(entry, "runs")), 2);
    json_object_put(trends);
}
END_TEST

/* A process that ended between the cases and their run. */
START_TEST(half_a_run_goes_with_the_next_start)
{
    add_case("whole", a_case("a", "n", "success", 0));
    add_run("whole", 1, NULL);
    add_case("half", a_case("c", "n", "success", 0));
    reopen();
    add_case("half", a_case("d", "n", "success", 0));
    add_run("half", 2, NULL);
    finds(HISTORY_CASE, "a", "{'says': 'a'}");
    finds(HISTORY_CASE, "c", NULL);
    finds(HISTORY_CASE, "d", "{'says': 'd'}");
}
END_TEST

START_TEST(it_is_there_after_a_start)
{
    add_case("r", a_case("c", "n", "success", 0));
    add_run("r", 1, NULL);
    reopen();
    runs_are("r ");
    finds(HISTORY_CASE, "c", "{'says': 'c'}");
    finds(HISTORY_SUITE, "r-suite", "{'id': 'r-suite', 'name': 'Waltz'}");
}
END_TEST

START_TEST(many_cases_at_once)
{
    struct json_object *cases = json_new_array();
    char id[32];

    for (int i = 0; i < 1234; i++) {
        snprintf(id, sizeof id, "c%d", i);
        json_append(cases, a_case(id, "n", "success", i));
    }
    ck_assert_ptr_null(add_cases("r", cases));
    add_run("r", 1, NULL);
    finds(HISTORY_CASE, "c0", "{'says': 'c0'}");
    finds(HISTORY_CASE, "c1233", "{'says': 'c1233'}");
    settings.keep_runs = 1;
    history_configure(history, &settings);
    add_run("s", 2, NULL);
    runs_are("s ");
    finds(HISTORY_CASE, "c700", NULL);
}
END_TEST

/* Parts of a document may belong to others, who go on counting who has them. */
START_TEST(documents_may_share_parts)
{
    struct json_object *shared = json("['hs1', {'name': 'hs2'}]");
    struct json_object *cases = json_new_array();

    for (int i = 0; i < 200; i++) {
        char id[32];
        snprintf(id, sizeof id, "c%d", i);
        struct json_object *testcase = a_case(id, "n", "success", 0);
        json_put(json_member(testcase, "document"), "servers", json_object_get(shared));
        json_append(cases, testcase);
    }
    submit_cases("r", cases);
    while (workers_are_busy(workers)) {
        json_object_put(json_object_get(shared));
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
    ck_assert_int_eq(json_object_put(shared), 1);
}
END_TEST

/* --- who is told --- */

START_TEST(every_write_is_done)
{
    for (int i = 0; i < 20; i++) {
        struct json_object *cases = json_new_array();
        json_append(cases, a_case(i % 2 ? "c" : "d", "n", "success", i));
        submit_cases("r", cases);
        submit_run(a_run("r", i), NULL);
        submit_cases("s", json_new_array());
    }
    ck_assert_int_eq(written_count, 0);
    run_until_idle();
    ck_assert_int_eq(written_count, 60);
    ck_assert_ptr_null(latest_cause);
    finds(HISTORY_CASE, "c", "{'says': 'c'}");
}
END_TEST

START_TEST(a_stop_is_told)
{
    struct answer answer = {0};

    run_until_idle();
    workers_stop(workers);
    submit_run(a_run("r", 1), "r");
    ask(HISTORY_RUNS, NULL, &answer);
    run_until_idle();
    ck_assert_int_eq(written_count, 1);
    ck_assert_ptr_nonnull(strstr(latest_cause, "history.sqlite was not written"));
    ck_assert_int_eq(answer.count, 1);
    ck_assert_ptr_null(answer.document);
    ck_assert_ptr_nonnull(strstr(answer.cause, "trafficlight is stopping"));
    free(answer.cause);
}
END_TEST

START_TEST(who_has_left_is_not_told)
{
    struct answer gone = {0}, there = {0};

    add_run("r", 1, NULL);
    uint64_t first = ask(HISTORY_STATUS, "r", &gone);
    uint64_t second = ask(HISTORY_TRENDS, NULL, &gone);
    ask(HISTORY_JUNIT, "r", &there);
    history_cancel(history, first);
    history_cancel(history, second);
    history_cancel(history, second);
    history_cancel(history, 12345);
    run_until_idle();
    ck_assert_int_eq(gone.count, 0);
    ck_assert_int_eq(there.count, 1);
    json_object_put(there.document);
}
END_TEST

START_TEST(damage_is_a_sentence)
{
    char *path = xasprintf("%s/history.sqlite", folder), *cause = NULL;

    close_history();
    ck_assert_int_eq(truncate(path, 0), 0);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq(write(fd, "no database, this", 17), 17);
    close(fd);
    workers = workers_new(base);
    ck_assert_ptr_null(history_open(workers, &settings, &cause));
    ck_assert_ptr_nonnull(strstr(cause, path));
    free(cause);
    free(path);
}
END_TEST

/* --- what stays --- */

/* A file of this many bytes for the run. */
static void put_file(const char *run, const char *testcase, size_t size)
{
    char *place = xasprintf("%s/%s", files, run), *data = xcalloc(1, size + 1);

    ck_assert(mkdir(place, 0700) == 0 || errno == EEXIST);
    char *deeper = xasprintf("%s/%s", place, testcase);
    ck_assert(mkdir(deeper, 0700) == 0 || errno == EEXIST);
    char *path = xasprintf("%s/red_picture.png", deeper);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_eq(write(fd, data, size), (ssize_t)size);
    close(fd);
    free(path);
    free(deeper);
    free(place);
    free(data);
}

static bool has_files(const char *run)
{
    char *place = xasprintf("%s/%s", files, run);
    struct stat about;
    bool is_there = lstat(place, &about) == 0;

    free(place);
    return is_there;
}

static void configure(size_t keep_runs, int64_t keep_ms, uint64_t files_bytes)
{
    settings.keep_runs = keep_runs;
    settings.keep_ms = keep_ms;
    settings.files_bytes = files_bytes;
    history_configure(history, &settings);
}

START_TEST(so_many_runs_stay)
{
    configure(2, 0, 0);
    add_case("a", a_case("a-case", "n", "success", 0));
    add_run("a", 1000, NULL);
    add_run("c", 3000, NULL);
    put_file("a", "case", 10);
    put_file("c", "case", 10);
    runs_are("c a ");
    ck_assert_ptr_null(add_run("b", 2000, NULL)); /* it is not the newest */
    runs_are("c b ");
    finds(HISTORY_CASE, "a-case", NULL);
    finds(HISTORY_SUITE, "a-suite", NULL);
    finds(HISTORY_SUITE, "b-suite", "{'id': 'b-suite', 'name': 'Waltz'}");
    ck_assert(!has_files("a"));
    ck_assert(has_files("c"));
    configure(1, 0, 0);
    runs_are("c b ");
    add_run("d", 4000, NULL);
    runs_are("d ");
    configure(0, 0, 0);
    add_run("e", 1, NULL);
    runs_are("d e ");
}
END_TEST

START_TEST(so_long_runs_stay)
{
    int64_t today = now().wall_ms;

    add_run("old", today - 9 * DAY_MS, NULL);
    add_run("older", today - 30 * DAY_MS, NULL);
    configure(0, 7 * DAY_MS, 0);
    add_run("new", today - 5 * DAY_MS, NULL);
    runs_are("new ");
    add_run("late", today - 8 * DAY_MS, NULL);
    runs_are("new ");
}
END_TEST

START_TEST(the_living_run_stays)
{
    configure(1, DAY_MS, 1);
    put_file("living", "case", 100);
    add_case("living", a_case("c", "n", "success", 0));
    add_run("living", 1000, "living");
    add_run("new", now().wall_ms, "living");
    runs_are("new living ");
    ck_assert(has_files("living"));
    finds(HISTORY_CASE, "c", "{'says': 'c'}");
    add_run("newer", now().wall_ms, NULL);
    runs_are("newer ");
    ck_assert(!has_files("living"));
}
END_TEST

START_TEST(links_lead_nowhere)
{
    char *kept = xasprintf("%s/kept", outside);
    char *link = xasprintf("%s/a/case/link", files);
    char *run_link = xasprintf("%s/b", files);

    make_folder(kept);
    put_file("a", "case", 10);
    ck_assert_int_eq(symlink(outside, link), 0);
    ck_assert_int_eq(symlink(outside, run_link), 0);
    configure(1, 0, 0);
    add_run("a", 1, NULL);
    add_run("b", 2, NULL);
    add_run("..", 3, NULL); /* its folder is not one of ours */
    ck_assert_ptr_null(add_run("c", 4, NULL));
    runs_are("c ");
    ck_assert(!has_files("a"));
    ck_assert(!has_files("b"));
    ck_assert_int_eq(access(kept, F_OK), 0);
    ck_assert_int_eq(access(files, F_OK), 0);
    free(kept);
    free(link);
    free(run_link);
}
END_TEST

START_TEST(files_have_a_budget)
{
    put_file("a", "case", 1000);
    put_file("b", "case", 1000);
    put_file("b", "other", 1000);
    put_file("c", "case", 1000);
    put_file("going", "case", 1000);
    add_run("a", 1, NULL);
    add_run("b", 2, NULL);
    configure(0, 0, 5000);
    add_run("c", 3, NULL);
    ck_assert(has_files("a"));
    configure(0, 0, 4999);
    add_run("c", 3, "a");
    ck_assert(has_files("a"));
    ck_assert(!has_files("b"));
    ck_assert(has_files("c"));
    configure(0, 0, 1);
    add_run("c", 3, NULL);
    ck_assert(!has_files("a") && !has_files("c"));
    ck_assert(has_files("going"));
    runs_are("c b a ");
    finds(HISTORY_STATUS, "a",
          "{'suites': [{'id': 'other'}, {'id': 'a-suite', 'name': 'Waltz'}]}");
}
END_TEST

/* --- trends --- */

/* Add outcomes of "web" one after the other, each with its run: 's', 'f', 'e', and 'r'
 * for one that passed after a retry. */
static void play(const char *test, const char *outcomes)
{
    for (int i = 0; outcomes[i] != '\0'; i++) {
        char run[16], *id = xasprintf("%s-%d", test, i);
        struct json_object *testcase = a_case(id, "web",
                                              outcomes[i] == 'f'   ? "failed"
                                              : outcomes[i] == 'e' ? "error"
                                                                   : "success",
                                              i * 1000);
        snprintf(run, sizeof run, "run%d", i);
        json_put_text(testcase, "test", test);
        json_put_bool(testcase, "flaky", outcomes[i] == 'r');
        json_put_number(testcase, "duration", i + 1);
        add_case(run, testcase);
        add_run(run, i + 1, NULL);
        free(id);
    }
}

/* The only entry; owned by the caller. */
static struct json_object *trend_of(const char *outcomes)
{
    play("t", outcomes);
    struct json_object *trends = find(HISTORY_TRENDS, NULL);
    struct json_object *tests = json_member(trends, "tests");
    ck_assert_uint_eq(json_object_array_length(tests), 1);
    ck_assert_uint_eq(json_object_get_uint64(json_member(trends, "runs")),
                      strlen(outcomes));
    struct json_object *entry = json_object_get(json_object_array_get_idx(tests, 0));
    json_object_put(trends);
    return entry;
}

static void check_trend(const char *outcomes, const char *expected)
{
    struct json_object *entry = trend_of(outcomes), *wanted = json(expected);

    ck_assert_msg(json_object_equal(entry, wanted), "%s", json_text(entry));
    json_object_put(entry);
    json_object_put(wanted);
}

START_TEST(a_trend)
{
    check_trend(
        "sfsf",
        "{'test': 't', 'name': 'web', 'types': 'web', 'runs': 4, 'passed': 2,"
        " 'failed': 2, 'errors': 0, 'flaky': 0, 'pass_rate': 0.5, 'is_flaky': true,"
        " 'last': {'run': 'run3', 'case': 't-3', 'state': 'failed',"
        "          'ended': '2001-09-09T01:46:43.000Z'},"
        " 'changed': {'run': 'run3', 'case': 't-3', 'from': 'success', 'to': 'failed',"
        "             'ended': '2001-09-09T01:46:43.000Z'},"
        " 'durations': {'median': 2.5, 'p95': 4.0, 'latest': [1.0, 2.0, 3.0, 4.0]},"
        " 'outcomes': ["
        " {'run': 'run3', 'case': 't-3', 'state': 'failed', 'flaky': false,"
        "  'duration': 4.0, 'ended': '2001-09-09T01:46:43.000Z'},"
        " {'run': 'run2', 'case': 't-2', 'state': 'success', 'flaky': false,"
        "  'duration': 3.0, 'ended': '2001-09-09T01:46:42.000Z'},"
        " {'run': 'run1', 'case': 't-1', 'state': 'failed', 'flaky': false,"
        "  'duration': 2.0, 'ended': '2001-09-09T01:46:41.000Z'},"
        " {'run': 'run0', 'case': 't-0', 'state': 'success', 'flaky': false,"
        "  'duration': 1.0, 'ended': '2001-09-09T01:46:40.000Z'}]}");
}
END_TEST

START_TEST(a_trend_of_one)
{
    struct json_object *entry = trend_of("e");
    struct json_object *durations = json_member(entry, "durations");

    ck_assert_int_eq(json_object_get_int(json_member(entry, "errors")), 1);
    ck_assert(json_object_get_double(json_member(entry, "pass_rate")) == 0);
    ck_assert_ptr_null(json_member(entry, "changed"));
    ck_assert(json_object_get_double(json_member(durations, "median")) == 1);
    ck_assert(json_object_get_double(json_member(durations, "p95")) == 1);
    json_object_put(entry);
}
END_TEST

static const struct {
    const char *outcomes; /* oldest first */
    bool is_flaky;        /* is expected */
    int flaky;            /* the same */
    const char *changed;  /* the run of it, NULL for none */
} flakiness[] = {
    {"ssss", false, 0, NULL},
    {"ssrs", true, 1, NULL},
    {"rssssssssssssssssssssssssssssss", false, 1, NULL}, /* 30 outcomes ago */
    {"rsssssssssssssssssssssssssssss", true, 1, NULL},
    {"ssff", false, 0, "run2"},
    {"sffs", true, 0, "run3"},
    {"feff", true, 0, "run2"},
    {"sfsssssssssssssssssssssssssssssss", false, 0, "run2"}, /* its changes are too old */
};

START_TEST(what_is_flaky)
{
    struct json_object *entry = trend_of(flakiness[_i].outcomes);
    const char *changed = json_member_text(json_member(entry, "changed"), "run");

    ck_assert_int_eq(json_object_get_boolean(json_member(entry, "is_flaky")),
                     flakiness[_i].is_flaky);
    ck_assert_int_eq(json_object_get_int(json_member(entry, "flaky")),
                     flakiness[_i].flaky);
    ck_assert_str_eq(changed != NULL ? changed : "none",
                     flakiness[_i].changed != NULL ? flakiness[_i].changed : "none");
    json_object_put(entry);
}
END_TEST

START_TEST(thirty_outcomes_are_told)
{
    struct json_object *entry =
        trend_of("fffffffffssssssssssssssssssssssssssssssss"); /* 9, 32 */
    struct json_object *outcomes = json_member(entry, "outcomes");
    struct json_object *durations = json_member(entry, "durations");
    struct json_object *latest = json_member(durations, "latest");

    ck_assert_int_eq(json_object_get_int(json_member(entry, "runs")), 41);
    ck_assert_int_eq(json_object_get_int(json_member(entry, "passed")), 32);
    ck_assert_int_eq(json_object_get_int(json_member(entry, "failed")), 9);
    ck_assert_uint_eq(json_object_array_length(outcomes), 30);
    ck_assert_str_eq(json_member_text(json_object_array_get_idx(outcomes, 29), "run"),
                     "run11");
    ck_assert_uint_eq(json_object_array_length(latest), 30);
    ck_assert(json_object_get_double(json_object_array_get_idx(latest, 0)) == 12);
    ck_assert(json_object_get_double(json_object_array_get_idx(latest, 29)) == 41);
    ck_assert(json_object_get_double(json_member(durations, "median")) == 26.5);
    ck_assert(json_object_get_double(json_member(durations, "p95")) == 40);
    ck_assert_str_eq(json_member_text(json_member(entry, "changed"), "run"), "run9");
    json_object_put(entry);
}
END_TEST

START_TEST(repeated_cases_count_together)
{
    static const char *const names[] = {"web",   "web #2", "web #13",
                                        "web #", "web#2",  "x"};
    static const char *const expected[] = {"web", "web #", "web#2", "x"};

    for (int i = 0; i < 6; i++) {
        char id[32];
        snprintf(id, sizeof id, "c%d", i);
        add_case("r", a_case(id, names[i], "success", i));
    }
    add_case("r", a_case("stopped", "web", "waiting", 9)); /* no outcome */
    add_run("r", 1, NULL);
    struct json_object *trends = find(HISTORY_TRENDS, NULL);
    struct json_object *tests = json_member(trends, "tests");
    ck_assert_uint_eq(json_object_array_length(tests), 4);
    for (size_t i = 0; i < 4; i++) {
        struct json_object *entry = json_object_array_get_idx(tests, i);
        ck_assert_str_eq(json_member_text(entry, "name"), expected[i]);
        ck_assert_int_eq(json_object_get_int(json_member(entry, "runs")), i == 0 ? 3 : 1);
    }
    json_object_put(trends);
}
END_TEST

START_TEST(what_calls_for_attention_comes_first)
{
    static const char *const expected[] = {"fine-r", "odd", "z-failed", "a-fine",
                                           "b-fine"};

    play("b-fine", "sss");
    play("z-failed", "ssf");
    play("odd", "sfs");
    play("a-fine", "fss");
    play("fine-r", "srs");
    struct json_object *trends = find(HISTORY_TRENDS, NULL);
    for (size_t i = 0; i < 5; i++)
        ck_assert_str_eq(
            json_member_text(json_object_array_get_idx(json_member(trends, "tests"), i),
                             "test"),
            expected[i]);
    json_object_put(trends);
}
END_TEST

/* --- a full disk --- */

/* A small file system of this process alone, so that it is gone with it; false where we
 * may not. */
static bool mount_small(const char *path)
{
    return unshare(CLONE_NEWNS) == 0 &&
           mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", path, "tmpfs", 0, "size=1m") == 0;
}

static struct json_object *big_case(const char *id)
{
    struct json_object *testcase = a_case(id, "n", "success", 0);
    char *text = xcalloc(1, 200001);

    memset(text, 'x', 200000);
    json_put_text(testcase, "machine", text);
    free(text);
    return testcase;
}

static void check_full(const char *small)
{
    char id[32];

    settings.folder = small;
    reopen();
    ck_assert_ptr_null(add_case("good", a_case("c", "n", "success", 0)));
    ck_assert_ptr_null(add_run("good", 1, NULL));
    for (int i = 0; i < 100 && latest_cause == NULL; i++) {
        snprintf(id, sizeof id, "big%d", i);
        add_case("big", big_case(id));
    }
    ck_assert_ptr_nonnull(latest_cause);
    ck_assert_ptr_nonnull(strstr(latest_cause, "can't be written: the disk is full"));
    int written = written_count;
    ck_assert_ptr_nonnull(add_case("big", big_case("more")));
    ck_assert_int_eq(written_count, written + 1);
    runs_are("good ");
    finds(HISTORY_CASE, "big0", NULL);
    finds(HISTORY_CASE, "c", "{'says': 'c'}");
    ck_assert_int_eq(mount("none", small, NULL, MS_REMOUNT, "size=16m"), 0);
    ck_assert_ptr_null(add_case("big", big_case(id)));
    ck_assert_ptr_null(add_run("big", 2, NULL));
    runs_are("big good ");
    finds(HISTORY_CASE, "big0", "{'says': 'big0'}");
    settings.folder = folder;
    reopen();
}

START_TEST(a_full_disk)
{
    char *small = xasprintf("%s/small", folder);

    make_folder(small);
    if (mount_small(small)) {
        check_full(small);
        ck_assert_int_eq(umount(small), 0);
    } else {
        printf("not done: a full disk (%s)\n", strerror(errno));
    }
    free(small);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("history");
    TCase *tcase = tcase_create("documents");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, every_document_is_read_back);
    tcase_add_test(tcase, an_empty_history_says_so);
    tcase_add_test(tcase, odd_documents_are_read_back);
    tcase_add_test(tcase, a_run_is_seen_once_it_is_added);
    tcase_add_test(tcase, what_is_there_is_replaced);
    tcase_add_test(tcase, half_a_run_goes_with_the_next_start);
    tcase_add_test(tcase, it_is_there_after_a_start);
    tcase_add_test(tcase, many_cases_at_once);
    tcase_add_test(tcase, documents_may_share_parts);
    tcase_add_test(tcase, every_write_is_done);
    tcase_add_test(tcase, a_stop_is_told);
    tcase_add_test(tcase, who_has_left_is_not_told);
    tcase_add_test(tcase, damage_is_a_sentence);
    tcase_add_test(tcase, a_full_disk);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("what stays");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, so_many_runs_stay);
    tcase_add_test(tcase, so_long_runs_stay);
    tcase_add_test(tcase, the_living_run_stays);
    tcase_add_test(tcase, links_lead_nowhere);
    tcase_add_test(tcase, files_have_a_budget);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("trends");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_trend);
    tcase_add_test(tcase, a_trend_of_one);
    tcase_add_loop_test(tcase, what_is_flaky, 0,
                        (int)(sizeof flakiness / sizeof *flakiness));
    tcase_add_test(tcase, thirty_outcomes_are_told);
    tcase_add_test(tcase, repeated_cases_count_together);
    tcase_add_test(tcase, what_calls_for_attention_comes_first);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
