/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages: what people need is on them, whatever clients say stays text, and a parser that
 * is not ours has nothing to complain of.
 */
#include "data.h"
#include "engine.h"
#include "json.h"
#include "looking.h"
#include "pages.h"
#include "pages_parts.h"
#include "pages_text.h"
#include "run.h"
#include "status.h"
#include "xalloc.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))
#define CASE          "11111111-2222-4333-8444-555555555555"
#define SUITE         "66666666-7777-4888-9999-aaaaaaaaaaaa"
#define RUN           "12121212-3434-4565-8787-909090909090"

static const char status_text[] =
    "{'server': {'version': '9.8', 'started': '2026-11-22T20:17:00.000Z',"
    "            'now': '2026-11-22T20:19:00.000Z', 'done': false, 'run': 'abcdef'},"
    " 'run': {'id': '" RUN "', 'label': 'nightly', 'state': 'running',"
    "         'totals': {'cases': 3, 'flaky': 0}, 'started': '2026-11-22T20:17:05.000Z',"
    "         'ended': null},"
    " 'totals': {'cases': 3},"
    " 'suites': [{'id': '" SUITE "', 'run': '" RUN "', 'name': 'Waltz', 'folder': 'ball',"
    "   'file': 'ball/waltz_test.json', 'description': 'Two dance.', 'cases': ["
    "   {'id': '" CASE "', 'name': 'red=web green=phone', 'state': 'running',"
    "    'machine': 'floor', 'message': '', 'started': '2026-11-22T20:17:05.250Z',"
    "    'ended': null, 'duration': 83.5, 'servers': [], 'files': [], 'roles': {"
    "    'red': {'type': 'web', 'client': 'r', 'action': 'twirl'},"
    "    'green': {'type': 'phone', 'client': 'g', 'action': null}}},"
    "   {'id': 'b', 'name': 'red=web green=web', 'state': 'failed', 'machine': 'stairs',"
    "    'message': 'red fell', 'started': '2026-11-22T20:17:05Z', 'duration': 2},"
    "   {'id': 'c', 'name': 'red=web green=tv', 'state': 'waiting', 'machine': null,"
    "    'message': 'green needs tv: 0 free of 0', 'started': null, 'duration': 0}]}],"
    " 'clients': [{'id': 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee', 'type': 'web',"
    "   'state': 'playing', 'case': '" CASE "', 'role': 'red',"
    "   'registered': '2026-11-22T20:17:00.000Z', 'last_polled': null,"
    "   'last_reported': '2026-11-22T20:18:48.000Z',"
    "   'registration': {'type': 'web', 'version': '1.2-develop'}},"
    "  {'id': 'w', 'type': 'phone', 'state': 'waiting', 'case': null, 'role': null,"
    "   'registered': '2026-11-22T20:17:00.000Z', 'last_polled': null,"
    "   'last_reported': null, 'registration': {'type': 'phone'}}]}";

static struct json_object *first_suite(void)
{
    struct json_object *status = document(status_text);
    struct json_object *suite = json_object_get(text_element(status, "suites", 0));

    json_object_put(status);
    return suite;
}

/* The case at `index`, as status_case() gives it. */
static struct json_object *first_case(size_t index)
{
    struct json_object *suite = first_suite();
    struct json_object *testcase = json_object_get(text_element(suite, "cases", index));

    json_put(testcase, "suite",
             document("{'id': '" SUITE "', 'name': 'Waltz', 'folder': 'ball',"
                      " 'file': 'ball/waltz'}"));
    json_put_text(testcase, "run", RUN);
    json_put_text(testcase, "details", NULL);
    json_put(testcase, "transcript", json_new_array());
    json_put_int(testcase, "transcript_dropped", 0);
    json_object_put(suite);
    return testcase;
}

/* --- what is on them --- */

START_TEST(test_board)
{
    char *page = page_of(pages_status, document(status_text));

    has(page, "<!DOCTYPE html>");
    has(page, "<html lang=\"en\">");
    has(page, "<title>1/3 done, 1 failed – trafficlight</title>");
    has(page, "http-equiv=\"refresh\" content=\"10\"");
    has(page, "href=\"/static/style.css\"");
    has(page, "1 of 3 cases done");
    has(page, "<bdi>ball.Waltz</bdi>");
    has(page, "Two dance.");
    has(page, "href=\"/status/" SUITE "/suitestatus\"");
    has(page, "href=\"/status/" CASE "/status\"");
    has(page, "red=web");
    has(page, "<code class=\"machine\">floor</code>");
    has(page, ">twirl<");
    has(page, ">idle<");
    has(page, "red fell");
    has(page, "1 min 23 s");
    has(page, "green needs tv: 0 free of 0");
    has(page, "<bdi>9.8</bdi>");
    free(page);
}
END_TEST

START_TEST(test_board_clients)
{
    char *page = page_of(pages_status, document(status_text));

    has(page, "2, 1 waiting, 1 playing");
    has(page, "aaaaaaaa<span class=\"rest\">-bbbb-4ccc-8ddd-eeeeeeeeeeee</span>");
    has(page, "title=\"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee\"");
    has(page, "<bdi>ball.Waltz</bdi></a> as <bdi>red</bdi>: ");
    has(page, "1.2-develop");
    has(page, "<time datetime=\"2026-11-22T20:18:48.000Z\" "
              "title=\"22 Nov 2026, 20:18:48 UTC\">12 s ago</time>");
    has(page, ">2 min ago<");
    free(page);
}
END_TEST

START_TEST(test_board_without_tests)
{
    static const char text[] = "{'server': {'done': true, 'version': '1'}, 'run': null,"
                               " 'totals': {}, 'suites': [], 'clients': []}";
    struct json_object *status = document(text);
    char *page = page_of(pages_status, document(text));

    has(page, "<h1>No run yet</h1>");
    has(page, "POST /runs asks for one");
    has(page, "No client has registered");
    has_not(page, "<table");
    free(page);
    json_put(status, "run", document("{'id': 'r', 'state': 'ended', 'totals': {}}"));
    page = page_of(pages_status, status);
    has(page, "<h1>No cases</h1>");
    has(page, "No test was found");
    free(page);
}
END_TEST

/* Nobody is left without a way on. */
static void has_views(const char *page)
{
    static const char *const views[] = {"/status", "/runs", "/history", "/actions",
                                        "/manual"};

    for (size_t i = 0; i < LENGTH(views); i++) {
        char *link = xasprintf("<li><a href=\"%s\"", views[i]);
        has(page, link);
        free(link);
    }
}

START_TEST(test_views)
{
    static const struct {
        page_fn *make;       /* a page */
        const char *current; /* the view it belongs to */
    } rows[] = {{pages_status, "/status\" aria-current=\"true\">Board"},
                {pages_run, "/runs\" aria-current=\"true\">Runs"},
                {pages_suite, "/runs\" aria-current=\"true\">Runs"},
                {pages_case, "/runs\" aria-current=\"true\">Runs"},
                {pages_runs, "/runs\" aria-current=\"true\">Runs"},
                {pages_history, "/history\" aria-current=\"true\">History"},
                {pages_actions, "/actions\" aria-current=\"true\">Actions"}};

    for (size_t i = 0; i < LENGTH(rows); i++) {
        char *page = page_of(rows[i].make, document("{'actions': {}}"));
        has_views(page);
        has(page, rows[i].current);
        ck_assert_uint_eq(count(page, "aria-current=\"true\""), 1);
        free(page);
    }
}
END_TEST

/* --- the run --- */

/* The board of a run in this state, with these totals. */
static struct json_object *status_of_run(const char *state, const char *totals)
{
    struct json_object *status = document(status_text);
    struct json_object *run = json_member(status, "run");
    bool has_ended = strcmp(state, "ended") == 0;

    json_put_text(run, "state", state);
    json_put(run, "totals", document(totals));
    if (has_ended)
        json_put_text(run, "ended", "2026-11-22T20:18:06.500Z");
    json_put_bool(json_member(status, "server"), "done", has_ended);
    return status;
}

START_TEST(test_run_that_is_going)
{
    char *board = page_of(pages_status, status_of_run("running", "{'cases': 3}"));
    char *run = page_of(pages_run, status_of_run("running", "{'cases': 3}"));

    for (int i = 0; i < 2; i++) {
        const char *page = i == 0 ? board : run;
        has(page, "<a href=\"/runs/" RUN "/status\"><bdi>nightly</bdi></a>");
        has(page, "href=\"/runs/" RUN "/junit.xml\"");
        has(page, "href=\"/runs/" RUN "/status.json\"");
        has(page, "began <time datetime=\"2026-11-22T20:17:05.000Z\">");
        has(page, ">115 s ago<");
        has_not(page, "has ended");
        has_not(page, "href=\"/status.json\"");
        has_not(page, "/status/junit.xml");
        has(page, "content=\"10\"");
    }
    has(run, "<title>1/3 done, 1 failed – nightly – trafficlight</title>");
    has(run, "<a href=\"/runs\">Runs</a> › <bdi>nightly</bdi>");
    free(board);
    free(run);
}
END_TEST

/* The board waits for what comes next; the page of a run has nothing to wait for. */
START_TEST(test_run_that_has_ended)
{
    const char *totals = "{'cases': 3, 'success': 2, 'failed': 1, 'flaky': 1}";
    char *board = page_of(pages_status, status_of_run("ended", totals));
    char *run = page_of(pages_run, status_of_run("ended", totals));

    has(board, "This run has ended. The next one is shown here");
    has(board, "content=\"30\"");
    has(run, "This run has ended. <a href=\"/status\">The board</a>");
    has_not(run, "refresh");
    has(run, "ended <time datetime=\"2026-11-22T20:18:06.500Z\">");
    has(run, "after 1 min 01 s");
    has(board, ">12 s ago<");
    has_not(run, " ago<");
    has(run, ">20:18:48.000<");
    has(run, "class=\"run\"><span class=\"lamp\" data-state=\"failed\">");
    free(board);
    free(run);
    run = page_of(pages_run, status_of_run("ended", "{'cases': 3, 'waiting': 1}"));
    has(run, "This run has ended; it was broken off, and 1 case is no longer tried.");
    has(run, "</span> ended</span>");
    free(run);
}
END_TEST

START_TEST(test_run_that_is_queued)
{
    struct json_object *status = status_of_run("queued", "{'cases': 3, 'waiting': 3}");
    struct json_object *run = json_member(status, "run");

    json_put_text(run, "started", NULL);
    json_put_text(run, "label", "");
    char *page = page_of(pages_run, status);
    has(page, "</span> queued</span>");
    has(page, "This run is queued");
    has(page, "<title>1/3 done, 1 failed – run 12121212 – trafficlight</title>");
    has(page, "content=\"10\"");
    has_not(page, "began <time");
    has_not(page, "ended <time");
    free(page);
}
END_TEST

/* The mark is in words and has a sign: it does not need colour. */
START_TEST(test_flaky)
{
    struct json_object *status = document(
        "{'run': {'id': 'r', 'state': 'running'}, 'suites': [{'id': 's', 'name': 'S',"
        " 'cases': ["
        "  {'id': 'a', 'name': 'n', 'state': 'success', 'flaky': true,"
        "   'attempts': [{'state': 'failed'}, {'state': 'success'}]},"
        "  {'id': 'b', 'name': 'm', 'state': 'success'},"
        "  {'id': 'c', 'name': 'o', 'state': 'waiting', 'attempts': [{}, {}]},"
        "  {'id': 'd', 'name': 'p', 'state': 'error', 'attempts': [{}]}]}]}");
    char *page = page_of(pages_status, status);

    has(page, "<title>3/4 done, 1 error, 1 flaky – trafficlight</title>");
    has(page, ">≈ 1 flaky</span>");
    ck_assert_uint_eq(count(page, ">≈ 2nd attempt</span>"), 1);
    ck_assert_uint_eq(count(page, ">for its 3rd attempt</span>"), 1);
    ck_assert_uint_eq(count(page, " attempt</span>"), 2);
    free(page);
}
END_TEST

START_TEST(test_ordinals)
{
    static const struct {
        size_t number;    /* of attempts */
        const char *word; /* how the last one is called */
    } rows[] = {{2, "2nd"},   {3, "3rd"},   {4, "4th"},     {11, "11th"},
                {12, "12th"}, {21, "21st"}, {101, "101st"}, {112, "112th"}};

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct json_object *testcase = first_case(1);
        char *mark = xasprintf(">%s attempt<", rows[i].word);
        json_put(testcase, "attempts", many(rows[i].number, "{'state': 'failed'}"));
        char *page = page_of(pages_case, testcase);
        has(page, mark);
        free(page);
        free(mark);
    }
}
END_TEST

/* Green is lit only when all have succeeded. */
START_TEST(test_all_succeeded)
{
    struct json_object *status = document(
        "{'server': {'done': true}, 'clients': [], 'suites': [{'id': 's',"
        " 'name': 'S', 'cases': [{'id': 'a', 'name': 'n', 'state': 'success'},"
        "                        {'id': 'b', 'name': 'm', 'state': 'success'}]}]}");
    char *page = page_of(pages_status, status);

    has(page, "All done: 2 of 2 succeeded");
    has(page, "green lit");
    has_not(page, "red lit");
    has_not(page, "amber lit");
    free(page);
    page = page_of(pages_status, document(status_text));
    has(page, "red lit");
    has(page, "amber lit");
    has_not(page, "green lit");
    free(page);
}
END_TEST

START_TEST(test_suite)
{
    char *page = page_of(pages_suite, first_suite());

    has(page, "<title>1/3 done, 1 failed – Waltz – trafficlight</title>");
    has(page, "<h1>Waltz</h1>");
    has(page, "Two dance.");
    has(page, "ball/waltz_test.json");
    has(page, "href=\"/status/" CASE "/status\"");
    ck_assert_uint_eq(count(page, "<tr data-state="), 3);
    has(page, "http-equiv=\"refresh\"");
    has(page, "href=\"/runs/" RUN "/status\"");
    free(page);
}
END_TEST

START_TEST(test_case)
{
    char *page = page_of(pages_case, first_case(0));

    has(page, "<title>running – red=web green=phone – Waltz – trafficlight</title>");
    has(page, "http-equiv=\"refresh\"");
    has(page, " for 1 min 23 s");
    has(page, "in state <code>floor</code>");
    has(page, "aria-label=\"State machine of Waltz, in state floor\"");
    has(page, "data=\"statemachine.svg?at=");
    has(page, "href=\"statemachine.png\"");
    has(page, "href=\"statemachine.dot\"");
    has(page, "href=\"context.svg\"");
    has(page, "href=\"/status/" SUITE "/suitestatus\"");
    has(page, "22 Nov 2026, 20:17:05 UTC");
    has(page, ">twirl<");
    has(page, "Nothing has happened yet.");
    has(page, "href=\"/runs/" RUN "/status\"");
    has(page, "href=\"/history#ball.Waltz%2Fred%3Dweb%20green%3Dphone\"");
    has(page, "href=\"status.json\"");
    has_not(page, "<pre");
    has_not(page, "ttempt");
    has_not(page, "<summary>Details");
    free(page);
    page = page_of(pages_case, first_case(1));
    has(page, " after 2.0 s");
    has(page, "red fell");
    has_not(page, "refresh");
    free(page);
}
END_TEST

START_TEST(test_case_that_ended)
{
    struct json_object *testcase = first_case(1);
    char *text = xasprintf("begin%0*dend", 5000, 0);

    json_put_text(testcase, "details", text);
    json_put(testcase, "files", document("['red_a b#1?.txt', 'green_ä%.png']"));
    json_put(testcase, "servers",
             document("[{'name': 's', 'server_name': 'hs1', 'cs_api': 'http://h:1'}]"));
    json_put(testcase, "transcript",
             document("[{'time': '2026-11-22T20:17:05.250Z', 'kind': 'action',"
                      "  'role': 'red', 'text': 'twirl {}'},"
                      " {'time': null, 'kind': 'end', 'role': null, 'text': 'fell'}]"));
    json_put_int(testcase, "transcript_dropped", 7);
    char *page = page_of(pages_case, testcase);
    has(page, text);
    has(page, "href=\"files/red_a%20b%231%3F.txt\"");
    has(page, "href=\"files/green_%C3%A4%25.png\"");
    has(page, "http://h:1");
    has(page, "<tr id=\"line-2\"");
    has(page, ">20:17:05.250</time>");
    has(page, "it lacks 7 lines");
    free(page);
    free(text);
}
END_TEST

/* --- attempts --- */

static const char earlier_text[] =
    "{'number': 1, 'state': 'failed', 'message': 'the first go', 'machine': 'stairs',"
    " 'started': '2026-11-22T20:16:01.000Z', 'ended': '2026-11-22T20:16:03.000Z',"
    " 'duration': 2.0, 'roles': {'red': {'type': 'web', 'client': 'early', 'action': "
    "null}},"
    " 'servers': [{'name': 's', 'server_name': 'hs9', 'cs_api': 'http://h:9'}],"
    " 'files': ['red_a b.txt'], 'details': 'line 7 of it', 'transcript_dropped': 3,"
    " 'transcript': [{'time': '2026-11-22T20:16:02.000Z', 'kind': 'action', 'role': "
    "'red',"
    "                 'text': 'twirl {}'}]}";

/* A case of which an earlier attempt failed; the second one goes on. */
static struct json_object *tried_case(void)
{
    struct json_object *testcase = first_case(0);
    struct json_object *attempts = json_new_array();

    json_put(testcase, "files", document("['red_now.txt']"));
    json_append(attempts, document(earlier_text));
    json_append(attempts, document("{'number': 2, 'state': 'running'}"));
    json_put(testcase, "attempts", attempts);
    return testcase;
}

START_TEST(test_attempts)
{
    char *page = page_of(pages_case, tried_case());

    has(page, ">2nd attempt</span> for 1 min 23 s");
    has(page, "<a href=\"#attempt-1\">1</a>");
    has(page, "<h2 id=\"attempt-1\">Attempt 1</h2>");
    has(page, "<h2 id=\"attempt-2\">Attempt 2</h2>");
    ck_assert_uint_eq(count(page, "<h2 id=\"attempt-"), 2);
    has(page, "<bdi>the first go</bdi>");
    has(page, "22 Nov 2026, 20:16:01 UTC");
    has(page, "22 Nov 2026, 20:16:03 UTC");
    has(page, "early");
    has(page, "hs9");
    has(page, "line 7 of it");
    has(page, "href=\"files/red_a%20b.txt?attempt=1\"");
    has(page, "href=\"files/red_now.txt\"");
    has(page, "<details id=\"attempt-1-transcript\"><summary>Transcript: 1 line<");
    has(page, "<tr id=\"attempt-1-line-1\"");
    has(page, "it lacks 3 lines");
    has(page, "<h3 id=\"transcript\">Transcript</h3>");
    has(page, "content=\"30\""); /* nobody likes what he reads to be folded */
    free(page);
}
END_TEST

START_TEST(test_between_attempts)
{
    struct json_object *testcase = first_case(2);

    json_put(testcase, "attempts", json_new_array());
    json_append(json_member(testcase, "attempts"), document(earlier_text));
    json_put_text(testcase, "message", "is tried again after attempt 1 ended");
    char *page = page_of(pages_case, testcase);
    has(page, "</span> waiting</span> <span class=\"attempt-mark\">for its 2nd attempt<");
    has(page, "is tried again after attempt 1 ended");
    has(page, "<h2 id=\"attempt-1\">Attempt 1</h2>");
    has(page, "aria-label=\"State machine of Waltz, in state stairs\"");
    has_not(page, "Attempt 2");
    has_not(page, "No client plays");
    free(page);
}
END_TEST

/* However often it was tried, a page stays a page. */
START_TEST(test_long_attempts)
{
    struct json_object *testcase = first_case(1);
    struct json_object *attempt = document("{'state': 'failed'}");

    json_put(attempt, "transcript", many(6000, "{'kind': 'note', 'text': 'x'}"));
    json_put(testcase, "attempts", json_new_array());
    for (int i = 0; i < 11; i++)
        json_append(json_member(testcase, "attempts"), json_object_get(attempt));
    json_object_put(attempt);
    char *page = page_of(pages_case, testcase);
    ck_assert_uint_eq(count(page, "<tr id="), 5000);
    has(page, "Transcript: 6000 lines");
    has(page, "5500 more lines before these are not shown here");
    has(page, "id=\"attempt-1-line-6000\"");
    has_not(page, "id=\"attempt-1-line-5500\"");
    free(page);
}
END_TEST

START_TEST(test_problem)
{
    size_t size;
    char *page = pages_problem(404, "Not Found", "No case <x> & \"y\".", NULL, &size);

    check_sound(page, size);
    has(page, "<title>404 Not Found – trafficlight</title>");
    has(page, "No case &lt;x&gt; &amp;");
    has_views(page);
    free(page);
    page = pages_problem(500, "Error", NULL, "/back", &size);
    check_sound(page, size);
    free(page);
}
END_TEST

/* --- what clients say --- */

/* --- from run to run --- */

static const char trends_text[] =
    "{'now': '2026-11-22T20:19:00.000Z', 'runs': 4, 'tests': ["
    "  {'test': 'ball.Waltz', 'name': 'red=web green=phone', 'types': 'web, phone',"
    "   'runs': 8, 'passed': 5, 'failed': 2, 'errors': 1, 'flaky': 1, 'pass_rate': 0.625,"
    "   'is_flaky': true,"
    "   'last': {'run': 'r2', 'case': 'c2', 'state': 'failed',"
    "            'ended': '2026-11-22T20:17:00.000Z'},"
    "   'changed': {'run': 'r2', 'case': 'c2', 'from': 'success', 'to': 'failed',"
    "               'ended': '2026-11-22T20:17:00.000Z'},"
    "   'durations': {'median': 75.5, 'p95': 80.0, 'latest': [71.0, 80.0]},"
    "   'outcomes': [{'run': 'r2', 'case': 'c2', 'state': 'failed', 'flaky': false,"
    "                 'duration': 80.0, 'ended': '2026-11-22T20:17:00.000Z'},"
    "                {'run': 'r1', 'case': 'c1', 'state': 'success', 'flaky': true,"
    "                 'duration': 71.0, 'ended': '2026-11-21T20:17:00.000Z'}]},"
    "  {'test': 'Tango', 'name': 'red=web', 'runs': 1, 'passed': 1, 'failed': 0,"
    "   'errors': 0, 'flaky': 0, 'pass_rate': 1.0, 'is_flaky': false,"
    "   'last': {'run': 'r2', 'case': 't2', 'state': 'success',"
    "            'ended': '2026-11-22T20:17:00.000Z'},"
    "   'changed': null, 'durations': {'median': 2.0, 'p95': 2.0, 'latest': [2.0]},"
    "   'outcomes': [{'run': 'r2', 'case': 't2', 'state': 'success', 'flaky': false,"
    "                 'duration': 2.0, 'ended': '2026-11-22T20:17:00.000Z'}]}]}";

static const char runs_text[] =
    "[{'id': 'q', 'label': '', 'state': 'queued', 'totals': {'cases': 2, 'waiting': 2},"
    "  'started': null, 'ended': null},"
    " {'id': 'g', 'label': 'now', 'state': 'running', 'totals': {'cases': 2, 'running': "
    "2},"
    "  'started': '2026-11-22T20:19:00.000Z', 'ended': null},"
    " {'id': 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee', 'label': 'nightly',"
    "  'state': 'ended',"
    "  'totals': {'cases': 12, 'waiting': 0, 'success': 10, 'failed': 2, 'flaky': 3},"
    "  'started': '2026-11-22T20:17:00.000Z', 'ended': '2026-11-22T20:18:30.000Z'},"
    " {'id': '../../x?y', 'label': null, 'state': 'of its own', 'totals': {'cases': 1},"
    "  'started': null, 'ended': '2026-11-22T20:18:30.000Z'}]";

START_TEST(test_trends)
{
    char *page = page_of(pages_history, document(trends_text));

    has(page, "<title>History – trafficlight</title>");
    has(page, "2 pairs of tests and clients in 4 runs: 1 flaky, 1 failed last.");
    has(page, "<bdi>ball.Waltz</bdi>");
    has(page, "<tr id=\"ball.Waltz%2Fred%3Dweb%20green%3Dphone\">");
    has(page, "title=\"passed only after a retry: 1 of 8 times\">≈ flaky</span>");
    ck_assert_uint_eq(count(page, "≈ flaky"), 1);
    has(page, "<strong>63 %</strong> <small>5 of 8 passed</small>");
    has(page, "viewBox=\"0 0 8 1\"><rect data-state=\"success\" height=\"1\" x=\"0\" "
              "width=\"5\"></rect><rect data-state=\"failed\" height=\"1\" x=\"5\" "
              "width=\"2\"></rect><rect data-state=\"error\" height=\"1\" x=\"7\" "
              "width=\"1\"></rect></svg>");
    has(page, "<a href=\"/status/c2/status\"><time datetime=\"2026-11-22T20:17:00.000Z\" "
              "title=\"22 Nov 2026, 20:17:00 UTC\">2 min ago</time></a>");
    has(page, "<bdi>success</bdi> → <bdi>failed</bdi>");
    has(page, "<a href=\"/status/c2/status\" class=\"outcome\" data-state=\"failed\" "
              "title=\"failed, 22 Nov 2026, 20:17:00 UTC, 1 min 20 s\"");
    has(page, "<a href=\"/status/c1/status\" class=\"outcome retried\" "
              "data-state=\"success\" title=\"success after a retry, 21 Nov 2026, "
              "20:17:00 UTC, 1 min 11 s\"");
    has(page, "1 min 15 s");
    has(page, "<strong>100 %</strong>");
    has_not(page, "http-equiv");
    free(page);
}
END_TEST

/* Only what always passed is at 100 %, and only what never did at 0 %. */
START_TEST(test_rates)
{
    static const struct {
        const char *rate;  /* as JSON */
        const char *shown; /* on the page */
    } rates[] = {{"0.9999", ">99 %<"}, {"0.0001", ">1 %<"}, {"0.0", ">0 %<"},
                 {"1.0", ">100 %<"},   {"0.505", ">51 %<"}, {"-7.0", ">0 %<"},
                 {"1e300", ">100 %<"}, {"null", ">0 %<"}};

    for (size_t i = 0; i < LENGTH(rates); i++) {
        char *text =
            xasprintf("{'tests': [{'test': 'T', 'pass_rate': %s}]}", rates[i].rate);
        char *page = page_of(pages_history, document(text));
        has(page, rates[i].shown);
        free(page);
        free(text);
    }
}
END_TEST

START_TEST(test_runs)
{
    char *page = page_of(pages_runs, document(runs_text));

    has(page, "4 runs, 1 running, 1 queued. ");
    has(page, "content=\"5\"");
    has(page, "</span> queued</span>");
    has(page, "</span> running</span>");
    has(page, "≈ 3 flaky");
    has(page, "<a href=\"/runs/aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee/status\">"
              "<bdi>nightly</bdi></a>");
    has(page, "<a href=\"/runs/aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee/junit.xml\">");
    has(page, "12 cases: 10 success, 2 failed ");
    has(page, "<a href=\"/runs/g/status.json\">");
    has(page, "22 Nov 2026, 20:17:00 UTC");
    has(page, "1 min 30 s");
    has(page, "data-state=\"failed\"");
    has(page, "/runs/..%2F..%2Fx%3Fy/status");
    has(page, "<bdi>of its own</bdi>");
    has(page, "1 case<");
    ck_assert_uint_eq(count(page, "class=\"lamp\""), 3);
    free(page);
}
END_TEST

START_TEST(test_no_history)
{
    char *trends = page_of(pages_history, document("{'runs': 0, 'tests': []}"));
    char *runs = page_of(pages_runs, document("[]"));

    has(trends, "No run has ended yet.");
    has_not(trends, "<table");
    has(runs, "There is no run yet");
    has_views(runs);
    free(trends);
    free(runs);
}
END_TEST

START_TEST(test_long_list_of_runs)
{
    char *runs = page_of(pages_runs, many(1002, "{'id': 'r', 'label': 'dull'}"));

    has(runs, "2 more are not shown here");
    ck_assert_uint_eq(count(runs, ">dull<"), 1000);
    free(runs);
}
END_TEST

static const char *const hostile[] = {
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</title></td></table></pre></bdi>",
    "<!-- ]]> <![CDATA[ <?php",
    "&lt;b&gt;&#0;&amp;amp; &",
    "\x1b[31mred\x1b[0m \x01\x02\x08\x0b\x0c\x7f \xc2\x80\xc2\x9b\r\n\t",
    "\xe2\x80\xaegnp.exe\xe2\x81\xa9\xe2\x81\xa6\xe2\x80\xad",
    "\xef\xbf\xbe\xef\xbf\xbf \xf0\x9f\x92\xa5 \xcc\x81\xcc\x81\xcc\x81",
    "javascript:alert(1)",
    "%s%n${red.password}",
};

/* Put the text wherever a document has text. */
static struct json_object *poison(struct json_object *value, const char *text)
{
    if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++)
            poison(json_object_array_get_idx(value, i), text);
    }
    if (json_object_is_type(value, json_type_object)) {
        json_object_object_foreach (value, name, member) {
            bool is_text = json_is_text(member) && strcmp(name, "state") != 0 &&
                           strcmp(name, "kind") != 0;
            if (is_text)
                json_object_set_string(member, text);
            else
                poison(member, text);
        }
    }
    return value;
}

static void check_harmless(char *page)
{
    static const char *const never[] = {
        "<script>", "<img src=x",   "<!--",         "<![CDATA",         "<?php",
        "\xc2\x80", "\xe2\x80\xae", "\xe2\x81\xa9", "href=\"javascript"};

    for (size_t i = 0; i < LENGTH(never); i++)
        has_not(page, never[i]);
    ck_assert_uint_eq(count(page, "</title>"), count(page, "<title>"));
    free(page);
}

START_TEST(test_hostile)
{
    const char *text = hostile[_i];
    struct json_object *testcase = tried_case();
    size_t size;

    check_harmless(page_of(pages_case, poison(tried_case(), text)));
    json_put(testcase, "files", document("['x', 'y']"));
    json_put_text(testcase, "details", "x");
    json_put(testcase, "transcript",
             document("[{'time': 't', 'kind': 'k', 'role': 'r', 'text': 'x'}]"));
    json_put(testcase, "servers",
             document("[{'name': 's', 'server_name': 'n', 'cs_api': 'a'}]"));
    check_harmless(page_of(pages_case, poison(testcase, text)));
    check_harmless(page_of(pages_suite, poison(first_suite(), text)));
    check_harmless(page_of(pages_status, poison(document(status_text), text)));
    check_harmless(page_of(pages_run, poison(status_of_run("ended", "{}"), text)));
    check_harmless(page_of(pages_history, poison(document(trends_text), text)));
    check_harmless(page_of(pages_runs, poison(document(runs_text), text)));
    char *page = pages_problem(400, text, text, NULL, &size);
    check_sound(page, size);
    check_harmless(page);
}
END_TEST

/* The board stays a board, whatever length a message has. */
START_TEST(test_long_texts)
{
    char *text = xasprintf("%0*d", 100000, 0);
    char *page = page_of(pages_status, poison(document(status_text), text));
    char *limit = xstrndup(text, TEXT_BOARD_BYTES);
    char *message = xasprintf("<bdi>%s…</bdi>", limit);

    has(page, message);
    free(page);
    free(message);
    free(limit);
    free(text);
}
END_TEST

/* Members that are missing or of the wrong kind leave gaps, nothing worse. */
START_TEST(test_odd_documents)
{
    static page_fn *const makers[] = {pages_status, pages_run,     pages_suite,
                                      pages_case,   pages_history, pages_runs};
    static const char *const documents[] = {
        "{}",
        "[]",
        "{'suites': {}, 'clients': 3, 'server': []}",
        "{'suites': [null, 1, {}], 'clients': [null, {}, []], 'server': null}",
        "{'cases': [null, {'state': 'odd', 'roles': [], 'started': 'yesterday'}]}",
        "{'state': 7, 'roles': 1, 'servers': [0], 'files': [null], 'transcript': [[]]}",
        "{'name': {'a': 'b'}, 'message': 'a\\u0000b', 'attempts': [{}, null]}",
        "{'now': 1, 'runs': -3, 'tests': [null, {'outcomes': [7, null], 'changed': 'yes',"
        " 'last': [], 'durations': {'median': 'long'}, 'passed': -1, 'failed': 1e300}]}",
        "[null, 3, {'id': [], 'totals': 'many', 'started': 'once', 'ended': {}}]",
        "{'run': 7, 'flaky': 'yes', 'attempts': [null, {'number': -1, 'files': 3}, 5]}",
        "{'run': {'id': [], 'label': {}, 'state': 'ended', 'started': 'then', 'ended': "
        "0}}",
        "{'started': 'x', 'attempts': 'many', 'transcript_dropped': -4, 'suite': 1}",
    };

    for (size_t i = 0; i < LENGTH(makers); i++)
        free(page_of(makers[i], document(documents[_i])));
}
END_TEST

/* --- from an engine --- */

static void nobody_cb(void *context, const char *text)
{
    (void)context;
    (void)text;
}

static void create_cb(void *context, const char *deployment,
                      const struct server_wanted *servers, size_t server_count)
{
    (void)context;
    (void)deployment;
    (void)servers;
    (void)server_count;
}

static int64_t polled_cb(void *context, const char *client)
{
    (void)context;
    (void)client;
    return 0;
}

static const struct instant begin = {1000, INT64_C(1795378620000)};
static const struct status_view view = {
    "1.0", {2000, INT64_C(1795378621000)}, polled_cb, NULL, NULL};

static void add_waltz(struct engine *engine)
{
    struct dictionary *dictionary = dictionary_new();
    struct mistakes *mistakes = mistakes_new();
    struct settings settings;
    struct json_object *actions = document("{'actions': {'dance': {}}}");
    struct json_object *root =
        document("{'name': 'Waltz', 'clients': {'red': ['<b>web']}, 'initial': 'floor',"
                 " 'states': {'floor': {'actions': {'red': {'action': 'dance',"
                 "                     'responses': {'danced': 'complete'}}}}}}");

    settings_init(&settings);
    dictionary_add(dictionary, actions, mistakes);
    struct run *run = run_new("7d0f1c3e-5b8a-4f0e-9c2d-2f6d1a3b4c5d", &settings);
    struct definition *definition =
        definition_read(root, "ball/waltz_test.json", "ball", dictionary, NULL, mistakes);
    ck_assert_ptr_nonnull(definition);
    ck_assert(run_add_suite(run, definition, mistakes));
    ck_assert_int_eq(engine_add_run(engine, run, &begin), ENGINE_OK);
    engine_begin_run(engine, engine_next_run(engine), &begin);
    json_object_put(root);
    json_object_put(actions);
    mistakes_free(mistakes);
    dictionary_free(dictionary);
}

static char *case_page(const struct engine *engine)
{
    struct json_object *all = status_all(engine, &view);
    const char *id =
        text_member(text_element(text_element(all, "suites", 0), "cases", 0), "id");
    char *page = page_of(pages_case, status_case(engine, id, &view));

    json_object_put(all);
    return page;
}

static void destroy_cb(void *context, const char *deployment, const char *where,
                       bool lost)
{
    (void)context, (void)deployment, (void)where, (void)lost;
}

START_TEST(test_engine)
{
    static const struct engine_ops ops = {
        .wake = nobody_cb,
        .create = create_cb,
        .destroy = destroy_cb,
        .log = nobody_cb,
    };
    struct json_object *registration = document("{'type': '<b>web', 'version': '<i>2'}");

    struct engine *engine = engine_new(&ops, NULL, &begin);
    add_waltz(engine);
    char *page = case_page(engine);
    has(page, "waiting");
    has(page, "No client plays in this case yet.");
    free(page);
    ck_assert_int_eq(engine_register(engine, "r-1", registration, &begin, NULL), 0);
    page = page_of(pages_status, status_all(engine, &view));
    has(page, ">dance<");
    has(page, "&lt;i&gt;2");
    free(page);
    engine_client_error(engine, "r-1", false, "it <b>broke", "a.py:7", &begin);
    page = case_page(engine);
    has(page, "it &lt;b&gt;broke");
    has(page, "a.py:7");
    has(page, "<title>error – ");
    has_not(page, "<b>web");
    free(page);
    json_object_put(registration);
    engine_free(engine);
}
END_TEST

/* --- words and times --- */

START_TEST(test_words)
{
    static const struct {
        const char *text, *visible;
    } rows[] = {
        {"plain\ttext\n", "plain\ttext\n"},
        {"\x1b[1m", "␛[1m"},
        {"\x7f", "␡"},
        {"\xff\xc3", "��"},
        {"\xe2\x80\xae\xc2\x9b", "��"},
        {"\xe2\x80\x8f", "\xe2\x80\x8f"},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        char *visible = text_visible(rows[i].text, 0);
        ck_assert_str_eq(visible, rows[i].visible);
        free(visible);
    }
    char *cut = text_visible("ääää", 3);
    ck_assert_str_eq(cut, "ä…");
    free(cut);
    char *trend = part_trend_id("T", "red=web #12"), *odd = part_trend_id("T", "a # 1#");
    ck_assert_str_eq(trend, "T%2Fred%3Dweb");
    ck_assert_str_eq(odd, "T%2Fa%20%23%201%23");
    free(trend);
    free(odd);
    char *segment = text_segment("../a b/ä");
    ck_assert_str_eq(segment, "..%2Fa%20b%2F%C3%A4");
    free(segment);
}
END_TEST

START_TEST(test_durations)
{
    static const struct {
        double seconds;
        const char *text;
    } rows[] = {{-1, "0.0 s"},
                {0, "0.0 s"},
                {1.25, "1.2 s"},
                {59.94, "59.9 s"},
                {59.96, "1 min 00 s"},
                {60, "1 min 00 s"},
                {125, "2 min 05 s"},
                {3599.9, "59 min 59 s"},
                {3600, "1 h 00 min"},
                {90061, "25 h 01 min"},
                {1e300, "277777 h 46 min"}};

    for (size_t i = 0; i < LENGTH(rows); i++) {
        char *text = text_duration(rows[i].seconds);
        ck_assert_str_eq(text, rows[i].text);
        free(text);
    }
}
END_TEST

START_TEST(test_ago)
{
    static const struct {
        const char *when, *text;
    } rows[] = {{"2026-11-22T20:17:00.900Z", ">just now<"},
                {"2026-11-22T20:17:01Z", ">just now<"},
                {"2026-11-22T20:15:02Z", ">118 s ago<"},
                {"2026-11-22T20:15:00Z", ">2 min ago<"},
                {"2026-11-22T10:17:00Z", ">10 h ago<"},
                {"2026-11-02T10:17:00Z", ">20 days ago<"},
                {"", ">–<"},
                {"soon", "<bdi>soon</bdi>"},
                {"2026-99-02T10:17:00Z", "<bdi>2026-99-02T10:17:00Z</bdi>"}};

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct markup *markup = markup_new_html();
        size_t size;
        markup_open(markup, "p", NULL);
        text_put_ago(markup, rows[i].when, "2026-11-22T20:17:00.100Z");
        char *page = markup_finish(markup, &size);
        has(page, rows[i].text);
        free(page);
    }
}
END_TEST

/* The pages load nothing from elsewhere, and every state has its colour. */
START_TEST(test_style)
{
    static const char *const states[] = {"success", "failed",    "error",
                                         "running", "preparing", "lost"};
    char *style = xstrndup((const char *)data_style, data_style_size);

    ck_assert_uint_eq(count(style, "{"), count(style, "}"));
    has(style, "prefers-color-scheme: dark");
    has_not(style, "@import");
    has_not(style, "url(");
    for (size_t i = 0; i < LENGTH(states); i++) {
        char *selector = xasprintf("[data-state=\"%s\"]", states[i]);
        has(style, selector);
        free(selector);
    }
    free(style);
}
END_TEST

static Suite *pages_checks(void)
{
    Suite *suite = suite_create("pages");
    TCase *shown = tcase_create("what is shown");
    TCase *safe = tcase_create("what clients say");
    TCase *words = tcase_create("words and times");

    tcase_add_test(shown, test_board);
    tcase_add_test(shown, test_board_clients);
    tcase_add_test(shown, test_board_without_tests);
    tcase_add_test(shown, test_all_succeeded);
    tcase_add_test(shown, test_suite);
    tcase_add_test(shown, test_case);
    tcase_add_test(shown, test_case_that_ended);
    tcase_add_test(shown, test_problem);
    tcase_add_test(shown, test_views);
    tcase_add_test(shown, test_run_that_is_going);
    tcase_add_test(shown, test_run_that_has_ended);
    tcase_add_test(shown, test_run_that_is_queued);
    tcase_add_test(shown, test_flaky);
    tcase_add_test(shown, test_ordinals);
    tcase_add_test(shown, test_attempts);
    tcase_add_test(shown, test_between_attempts);
    tcase_add_test(shown, test_long_attempts);
    tcase_add_test(shown, test_engine);
    tcase_add_test(shown, test_trends);
    tcase_add_test(shown, test_rates);
    tcase_add_test(shown, test_runs);
    tcase_add_test(shown, test_no_history);
    tcase_add_test(shown, test_long_list_of_runs);
    tcase_add_loop_test(safe, test_hostile, 0, (int)LENGTH(hostile));
    tcase_add_test(safe, test_long_texts);
    tcase_add_loop_test(safe, test_odd_documents, 0, 12);
    tcase_add_test(words, test_words);
    tcase_add_test(words, test_durations);
    tcase_add_test(words, test_ago);
    tcase_add_test(words, test_style);
    suite_add_tcase(suite, shown);
    suite_add_tcase(suite, safe);
    suite_add_tcase(suite, words);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(pages_checks());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
