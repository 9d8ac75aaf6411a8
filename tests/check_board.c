/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boards and histories as they are asked for: what fits is shown, in the order and part
 * that was asked for, and what was asked for stays text.
 */
#include "json.h"
#include "looking.h"
#include "pages.h"
#include "pages_select.h"
#include "pages_text.h"
#include "xalloc.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

static const char status_text[] =
    "{'server': {'version': '9.8', 'now': '2026-11-22T20:19:00.000Z', 'done': false},"
    " 'run': {'id': 'r', 'label': '', 'state': 'running', 'totals': {},"
    "         'started': '2026-11-22T20:18:00.000Z', 'ended': null},"
    " 'suites': ["
    "  {'id': 's1', 'name': 'Waltz', 'folder': 'ball', 'description': 'Two dance.',"
    "   'cases': ["
    "   {'id': 'w1', 'name': 'red=web green=ios', 'state': 'running', 'machine': 'floor',"
    "    'message': '', 'started': '2026-11-22T20:18:10.000Z', 'duration': 40,"
    "    'roles': {'red': {'type': 'web', 'client': 'c1', 'action': 'twirl'},"
    "              'green': {'type': 'ios', 'client': 'c2', 'action': null}}},"
    "   {'id': 'w2', 'name': 'red=web green=web', 'state': 'failed', 'duration': 20,"
    "    'message': 'red fell over', 'started': '2026-11-22T20:18:05.000Z'},"
    "   {'id': 'w3', 'name': 'red=web green=ios #2', 'state': 'waiting', 'duration': 0,"
    "    'message': 'green needs ios: 0 free of 1', 'started': null},"
    "   {'id': 'w4', 'name': 'red=web green=web #2', 'state': 'success', 'duration': 30,"
    "    'message': '', 'flaky': true, 'started': '2026-11-22T20:18:20.000Z'}]},"
    "  {'id': 's2', 'name': 'Tango', 'folder': 'ball', 'cases': ["
    "   {'id': 't1', 'name': 'red=web', 'state': 'error', 'duration': 30,"
    "    'message': 'the floor broke', 'started': '2026-11-22T20:18:01.000Z'}]}],"
    " 'clients': ["
    "  {'id': 'c1', 'type': 'web', 'state': 'playing', 'case': 'w1', 'role': 'red',"
    "   'registered': '2026-11-22T20:10:00.000Z',"
    "   'last_reported': '2026-11-22T20:15:00.000Z', 'registration': {'version': '7.1'}},"
    "  {'id': 'c2', 'type': 'ios', 'state': 'playing', 'case': 'w1', 'role': 'green',"
    "   'registered': '2026-11-22T20:10:00.000Z',"
    "   'last_polled': '2026-11-22T20:17:30.000Z', 'registration': {}},"
    "  {'id': 'c3', 'type': 'web', 'state': 'waiting', 'case': null, 'role': null,"
    "   'registered': '2026-11-22T20:12:00.000Z',"
    "   'last_polled': '2026-11-22T20:18:50.000Z', 'registration': {}},"
    "  {'id': 'c4', 'type': 'tv', 'state': 'done', 'case': 't1', 'role': 'red',"
    "   'registered': '2026-11-22T20:11:00.000Z', 'registration': {}}]}";

/* The board of a document (taken) when this is asked for. Owned. */
static char *asked(struct json_object *status, const char *what)
{
    json_put(status, "asked", document(what));
    return page_of(pages_status, status);
}

static char *board(const char *what)
{
    return asked(document(status_text), what);
}

/* The rows of these cases are there, in this order, and no others; ended by NULL. */
static void has_rows(const char *page, const char *const *ids)
{
    const char *at = page;
    size_t rows = 0;

    for (; *ids != NULL; ids++, rows++) {
        char *row = xasprintf("id=\"case-%s\"", *ids);
        at = strstr(at, row);
        ck_assert_msg(at != NULL, "no row of %s, or not here, in:\n%.3000s", *ids, page);
        free(row);
    }
    ck_assert_uint_eq(count(page, "id=\"case-"), rows);
}

/* --- filters --- */

START_TEST(test_filters)
{
    static const struct {
        const char *what;   /* is asked for */
        const char *ids[6]; /* of the cases that fit */
    } rows[] = {
        {"{}", {"w1", "w2", "w3", "w4", "t1"}},
        {"{'state': 'failed'}", {"w2"}},
        {"{'state': 'bad'}", {"w2", "t1"}},
        {"{'state': 'open'}", {"w1", "w3"}},
        {"{'state': 'flaky'}", {"w4"}},
        {"{'state': 'preparing'}", {NULL}},
        {"{'test': 'ball.Tango'}", {"t1"}},
        {"{'test': 'Tango'}", {"t1"}},
        {"{'test': 'ball.Tan'}", {NULL}},
        {"{'client': 'ios'}", {"w1", "w3"}},
        {"{'client': 'io'}", {NULL}},
        {"{'q': 'FELL'}", {"w2"}},
        {"{'q': ' green=web  waltz '}", {"w2", "w4"}},
        {"{'q': 'floor'}", {"w1", "t1"}},
        {"{'q': 'twirl c2'}", {"w1"}},
        {"{'q': 'w4'}", {"w4"}},
        {"{'q': 'action'}", {NULL}},
        {"{'client': 'ios', 'state': 'waiting', 'q': 'free'}", {"w3"}},
        {"{'state': '', 'test': '', 'client': '', 'q': '', 'page': ''}",
         {"w1", "w2", "w3", "w4", "t1"}},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        char *page = board(rows[i].what);
        has_rows(page, rows[i].ids);
        has_not(page, "id=\"ignored\"");
        free(page);
    }
}
END_TEST

START_TEST(test_counts)
{
    char *all = board("{}"), *some = board("{'client': 'ios'}");
    char *none = board("{'q': 'nowhere'}");

    has(all, ">5 cases<");
    has_not(all, ">Clear<");
    has(some, ">2 cases that fit, of 5<");
    has(some, "<a href=\"?\">Clear</a>");
    has(some, "3 of 5 cases done"); /* of the run, not of what fits */
    has(none, "None of the 5 cases fits.");
    has_not(none, "<table");
    free(all);
    free(some);
    free(none);
}
END_TEST

/* The form stands as it was sent, and knows all tests and types. */
START_TEST(test_form)
{
    char *page = board("{'test': 'ball.Tango', 'client': 'fax', 'q': 'a &b <c>',"
                       " 'sort': 'name', 'state': 'bad'}");

    has(page, "<option value=\"ball.Waltz\">ball.Waltz</option>");
    has(page, "<option value=\"ball.Tango\" selected=\"selected\">");
    has(page, "<option value=\"fax\" selected=\"selected\">fax</option>");
    has(page, "<option value=\"ios\">ios</option>");
    has(page, "name=\"q\" value=\"a &amp;b &lt;c&gt;\"");
    has(page, "<option value=\"name\" selected=\"selected\">");
    has(page, "<option value=\"bad\" selected=\"selected\">failed or error</option>");
    free(page);
}
END_TEST

START_TEST(test_ignored)
{
    char *page = board("{'stat': 'failed', 'state': 'sad', 'sort': 'colour',"
                       " 'view': 'film'}");
    const char *all[] = {"w1", "w2", "w3", "w4", "t1", NULL};

    has_rows(page, all);
    has(page, "<code>stat</code> is nothing that can be asked for here");
    has(page, "<code>state</code> can't be <bdi>sad</bdi>, only running, ");
    has(page, "<code>sort</code> can't be <bdi>colour</bdi>, only state, name, ");
    has(page, "<code>view</code> can't be <bdi>film</bdi>, only list, matrix, clients");
    free(page);
    page = board("{'a': '1', 'b': '', 'c': '', 'd': '', 'e': '', 'f': '', 'g': ''}");
    has(page, "<li>and 2 more</li>");
    free(page);
}
END_TEST

/* --- order --- */

START_TEST(test_orders)
{
    static const struct {
        const char *what;   /* is asked for */
        const char *ids[6]; /* in which order */
    } rows[] = {
        {"{'sort': 'state'}", {"w1", "t1", "w2", "w3", "w4"}},
        {"{'sort': 'name'}", {"t1", "w1", "w3", "w2", "w4"}},
        {"{'sort': 'duration'}", {"w1", "w4", "t1", "w2", "w3"}},
        {"{'sort': 'start'}", {"w4", "w1", "w2", "t1", "w3"}},
        {"{'sort': 'duration', 'client': 'ios'}", {"w1", "w3"}},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        char *page = board(rows[i].what);
        has_rows(page, rows[i].ids);
        has_not(page, "class=\"group\""); /* each row names its test */
        has(page, "<span class=\"of-test\">ball.Waltz</span>");
        free(page);
    }
    char *page = board("{'client': 'ios'}");
    ck_assert_uint_eq(count(page, "class=\"group\""), 1);
    has(page, "id=\"test-s1\"");
    has(page, "2/4 done, 1 failed, 1 flaky"); /* of the test, not of what fits */
    has(page, "<a href=\"?client=ios&amp;sort=duration\">Time</a>");
    free(page);
    page = board("{'sort': 'duration'}");
    has(page, "aria-sort=\"descending\"><a href=\"?\">Time</a>");
    free(page);
}
END_TEST

/* --- parts --- */

/* A run of one test with so many cases, and one at the end that failed. */
static struct json_object *long_status(size_t amount)
{
    struct json_object *status =
        document("{'run': {'id': 'r', 'state': 'running'}, 'suites': [{'id': 's',"
                 " 'name': 'S', 'folder': ''}]}");
    struct json_object *suite = text_element(status, "suites", 0);
    struct json_object *cases = json_new_array();

    for (size_t i = 0; i < amount; i++) {
        struct json_object *testcase = json_new_object();
        char *id = xasprintf("%zu", i);
        json_put_text(testcase, "id", id);
        json_put_text(testcase, "name", "red=web");
        json_put_text(testcase, "state", "success");
        json_append(cases, testcase);
        free(id);
    }
    json_append(cases, document("{'id': 'z', 'name': 'red=tv', 'state': 'failed',"
                                " 'message': 'fell'}"));
    json_put(suite, "cases", cases);
    return status;
}

START_TEST(test_parts)
{
    static const struct {
        const char *what;  /* is asked for */
        const char *range; /* what that is */
        const char *first; /* case of it */
        size_t rows;       /* how many it has */
    } rows[] = {
        {"{}", "1 to 200 of 450 cases", "case-0", 200},
        {"{'page': '2'}", "201 to 400 of 450 cases", "case-200", 200},
        {"{'page': '3'}", "401 to 450 of 450 cases", "case-400", 50},
        {"{'page': '99999999999999999999'}", "401 to 450 of", "case-400", 50},
        {"{'page': '0'}", "1 to 200 of", "case-0", 200},
        {"{'page': '-1'}", "1 to 200 of", "case-0", 200},
        {"{'page': 'two'}", "1 to 200 of", "case-0", 200},
        {"{'state': 'failed'}", ">1 case that fit, of 450<", "case-z", 1},
        {"{'q': 'fell', 'page': '2'}", ">1 case that fit, of 450<", "case-z", 1},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        char *page = asked(long_status(449), rows[i].what);
        const char *first = strstr(page, "id=\"case-");
        has(page, rows[i].range);
        ck_assert_ptr_nonnull(first);
        ck_assert_int_eq(strncmp(first + 4, rows[i].first, strlen(rows[i].first)), 0);
        ck_assert_uint_eq(count(page, "id=\"case-"), rows[i].rows);
        free(page);
    }
}
END_TEST

START_TEST(test_links_between_parts)
{
    char *page = asked(long_status(449), "{'page': '2', 'client': 'web', 'sort': 'state',"
                                         " 'q': 'r&d #'}");
    has_not(page, "aria-label=\"Pages of the list\""); /* nothing fits */
    free(page);
    page = asked(long_status(449), "{'page': '2', 'client': 'web', 'q': 'red=web'}");
    has(page, "Page 2 of 3");
    has(page, "<a href=\"?client=web&amp;q=red%3Dweb\">‹ Previous</a>");
    has(page, "<a href=\"?client=web&amp;q=red%3Dweb&amp;page=3\">Next ›</a>");
    has(page, "<a href=\"?client=web&amp;q=red%3Dweb&amp;sort=state\">State</a>");
    has(page, "<a href=\"?view=matrix&amp;client=web&amp;q=red%3Dweb\">Matrix</a>");
    has(page, "href=\"?state=success\""); /* the number of all of them */
    free(page);
}
END_TEST

/* However large the run, a page stays a page. */
START_TEST(test_large_run)
{
    static const char *const asks[] = {"{}", "{'view': 'matrix'}", "{'view': 'clients'}",
                                       "{'sort': 'duration', 'page': '17'}"};
    struct json_object *status = long_status(9999);

    json_put(status, "clients",
             many(20000, "{'id': 'c', 'type': 't', 'state': 'waiting',"
                         " 'registration': {'version': '1'}}"));
    for (size_t i = 0; i < LENGTH(asks); i++) {
        char *page = asked(json_object_get(status), asks[i]);
        ck_assert_uint_lt(strlen(page), 256 * 1024);
        has(page, "10000/10000 done, 1 failed");
        free(page);
    }
    json_object_put(status);
}
END_TEST

/* --- the matrix --- */

START_TEST(test_matrix)
{
    char *page = board("{'view': 'matrix'}");

    ck_assert_uint_eq(count(page, "scope=\"col\""), 4);
    has(page, "<span class=\"across\">web</span>");
    has(page, "<span class=\"across\">web + ios</span>");
    has(page, "<span class=\"across\">web ×2</span>");
    has(page, "<td></td><td><a href=\"/status/w1/status\" id=\"lamp-w1\" "
              "class=\"outcome\" data-state=\"running\" title=\"running: ball.Waltz, "
              "red=web green=ios\" aria-label=\"running: ball.Waltz, red=web green=ios\">"
              "<span aria-hidden=\"true\">▸</span></a> <a href=\"/status/w3/status\"");
    has(page, "class=\"outcome retried\" data-state=\"success\" "
              "title=\"success after a retry: ball.Waltz, red=web green=web #2\"");
    has(page, "role=\"region\" tabindex=\"0\"");
    has(page, "<a href=\"?view=matrix\" aria-current=\"page\">Matrix</a>");
    has_not(page, "id=\"case-");
    free(page);
    page = board("{'view': 'matrix', 'state': 'bad'}");
    ck_assert_uint_eq(count(page, "class=\"outcome"), 2);
    has(page, "2 cases that fit, of 5");
    has(page, "<input type=\"hidden\" name=\"view\" value=\"matrix\"/>");
    free(page);
}
END_TEST

/* A case that is repeated very often has numbers in its cell. */
START_TEST(test_matrix_of_repeats)
{
    char *page = asked(long_status(500), "{'view': 'matrix'}");

    has(page, "<a class=\"lamp\" href=\"?state=success&amp;test=S&amp;q=red%3Dweb\" "
              "data-state=\"success\">✓ 500 <span class=\"unseen\">success</span></a>");
    ck_assert_uint_eq(count(page, "class=\"outcome"), 1);
    free(page);
}
END_TEST

/* Tests of one case each; every one has a client type of its own, if it is `wide`. */
static struct json_object *tall_status(size_t amount, bool wide)
{
    struct json_object *status = document("{'run': {'id': 'r'}, 'suites': []}");

    for (size_t i = 0; i < amount; i++) {
        char *text = xasprintf("{'id': 's%zu', 'name': 'S%zu', 'folder': '', 'cases': "
                               "[{'id': 'x%zu', 'name': 'red=t%zu', 'state': 'failed'}]}",
                               i, i, i, wide ? i : 0);
        json_append(json_member(status, "suites"), document(text));
        free(text);
    }
    return status;
}

START_TEST(test_matrix_beyond_a_page)
{
    char *page = asked(tall_status(2500, false), "{'view': 'matrix', 'page': '3'}");

    has(page, "Page 3 of 3");
    ck_assert_uint_eq(count(page, "class=\"outcome"), 500);
    has(page, "id=\"lamp-x2499\"");
    has(page, "<a href=\"?view=matrix&amp;page=2\">‹ Previous</a>");
    free(page);
    page = asked(tall_status(61, true), "{'view': 'matrix'}");
    ck_assert_uint_eq(count(page, "class=\"across\""), 60);
    has(page, "1 more column is not shown here");
    free(page);
}
END_TEST

/* --- clients --- */

START_TEST(test_clients_on_the_board)
{
    char *page = board("{}");
    const char *playing = strstr(page, "id=\"client-c2\"");

    has(page, "4, 1 waiting, 2 playing, 1 done, 1 silent");
    has(page, "<bdi>7.1</bdi>");
    has(page, "<bdi>ball.Waltz</bdi></a> as <bdi>red</bdi>: "
              "<span class=\"doing\">twirl</span>");
    ck_assert_ptr_nonnull(playing); /* c1 is at work, and need not be heard */
    ck_assert(playing < strstr(page, "id=\"client-c1\""));
    ck_assert_uint_eq(count(page, ">silent</span>"), 1);
    has(page, "title=\"22 Nov 2026, 20:15:00 UTC\">4 min ago<");
    has_not(page, "id=\"client-c4\"");
    has(page, "<a href=\"?view=clients\">All 4 clients</a>");
    free(page);
}
END_TEST

START_TEST(test_clients_asked_for)
{
    static const struct {
        const char *what;   /* is asked for */
        const char *ids[5]; /* of the clients, in order */
    } rows[] = {
        {"{'view': 'clients'}", {"c2", "c1", "c3", "c4"}},
        {"{'view': 'clients', 'state': 'silent'}", {"c2"}},
        {"{'view': 'clients', 'state': 'done'}", {"c4"}},
        {"{'view': 'clients', 'client': 'web'}", {"c1", "c3"}},
        {"{'view': 'clients', 'test': 'ball.Tango'}", {"c4"}},
        {"{'view': 'clients', 'q': 'twirl'}", {"c1"}},
        {"{'view': 'clients', 'q': '7.1'}", {"c1"}},
        {"{'view': 'clients', 'sort': 'name'}", {"c2", "c4", "c1", "c3"}},
        {"{'view': 'clients', 'sort': 'start'}", {"c4", "c3", "c2", "c1"}},
        {"{'view': 'clients', 'sort': 'heard'}", {"c4", "c1", "c2", "c3"}},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        char *page = board(rows[i].what);
        const char *at = page;
        size_t wanted = 0;
        for (; wanted < 5 && rows[i].ids[wanted] != NULL; wanted++) {
            char *row = xasprintf("id=\"client-%s\"", rows[i].ids[wanted]);
            at = strstr(at, row);
            ck_assert_msg(at != NULL, "%s: no row of %s, or not here", rows[i].what,
                          rows[i].ids[wanted]);
            free(row);
        }
        ck_assert_uint_eq(count(page, "id=\"client-"), wanted);
        has_not(page, "id=\"ignored\"");
        free(page);
    }
}
END_TEST

START_TEST(test_very_many_clients)
{
    struct json_object *status = document(status_text);

    json_put(status, "clients", many(20000, "{'id': 'c', 'state': 'waiting'}"));
    char *some = asked(json_object_get(status), "{}");
    char *part = asked(status, "{'view': 'clients', 'page': '100'}");
    ck_assert_uint_eq(count(some, "<code class=\"id\">c<"), 20);
    has(some, "All 20000 clients");
    has(part, "19801 to 20000 of 20000 clients");
    ck_assert_uint_eq(count(part, "<code class=\"id\">c<"), 200);
    free(some);
    free(part);
}
END_TEST

/* What is kept of a run says nothing of silence. */
START_TEST(test_clients_of_long_ago)
{
    struct json_object *status = document(status_text);

    json_put_text(json_member(status, "run"), "state", "ended");
    json_put(status, "asked", document("{'view': 'clients'}"));
    char *page = page_of(pages_run, status);
    has_not(page, "silent</span>");
    has(page, ">20:15:00.000<");
    free(page);
}
END_TEST

/* --- time left, and reasons --- */

/* A run that is going for 60 s, with these cases. */
static char *outlook(const char *cases)
{
    char *text =
        xasprintf("{'server': {'now': '2026-11-22T20:19:00.000Z'}, 'run': {'id': 'r',"
                  " 'state': 'running', 'started': '2026-11-22T20:18:00.000Z'},"
                  " 'suites': [{'id': 's', 'name': 'S', 'cases': [%s]}]}",
                  cases);
    char *page = page_of(pages_status, document(text));

    free(text);
    return page;
}

START_TEST(test_time_left)
{
    static const char by_history[] = "title=\"if cases take as long as in earlier runs\"";
    static const char by_run[] = "title=\"if cases take as long as others of this run\"";
    static const struct {
        const char *cases; /* of the run */
        const char *text;  /* what is said */
        const char *title; /* by what */
    } rows[] = {
        {"{'state': 'success', 'duration': 60},"
         "{'state': 'waiting', 'duration': 0, 'expected': 240}",
         ">about 4 min left<", by_history},
        {"{'state': 'success', 'duration': 60}, {'state': 'success', 'duration': 60},"
         "{'state': 'waiting', 'expected': 240}, {'state': 'waiting', 'expected': 240}",
         ">about 4 min left<", by_history},
        {"{'state': 'running', 'duration': 60, 'expected': 90}",
         ">less than a minute left<", by_history},
        {"{'state': 'running', 'duration': 60, 'expected': 30}",
         ">less than a minute left<", by_history},
        {"{'state': 'success', 'duration': 60}, {'state': 'waiting'}, {'state': "
         "'waiting'},"
         " {'state': 'waiting'}",
         ">about 3 min left<", by_run},
        {"{'state': 'success', 'duration': 0.01}, {'state': 'waiting', 'expected': 36}",
         ">about 2 days left<", by_history}, /* nothing moves */
        {"{'state': 'success', 'duration': 60}, {'state': 'waiting', 'expected': 240},"
         " {'state': 'waiting', 'lacks_clients': true, 'expected': 9000}",
         ">about 4 min left, 1 case lacks clients<", by_history},
        {"{'state': 'waiting', 'lacks_clients': true},"
         " {'state': 'waiting', 'lacks_clients': true}",
         ">2 cases lack clients<", by_history},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        char *page = outlook(rows[i].cases);
        has(page, rows[i].text);
        has(page, rows[i].title);
        free(page);
    }
}
END_TEST

START_TEST(test_no_time_left)
{
    static const char *const cases[] = {"", "{'state': 'waiting'}",
                                        "{'state': 'waiting', 'expected': 9}",
                                        "{'state': 'success', 'duration': 60}"};

    for (size_t i = 0; i < LENGTH(cases); i++) {
        char *page = outlook(cases[i]);
        has_not(page, " left<");
        free(page);
    }
}
END_TEST

START_TEST(test_expected)
{
    char *page = outlook("{'state': 'running', 'started': 'x', 'duration': 7,"
                         " 'expected': 31.7},"
                         "{'state': 'waiting', 'started': null, 'expected': 200}");

    has(page, ">7.0 s <small title=\"how long it took in earlier runs\">of about 32 s<");
    has(page, "><small title=\"how long it took in earlier runs\">about 3 min<");
    free(page);
}
END_TEST

START_TEST(test_reasons)
{
    char *page = outlook(
        "{'id': 'a', 'state': 'waiting', 'message': 'red needs web: 0 free of 3'},"
        "{'id': 'b', 'state': 'waiting', 'message': 'red needs web: 0 free of 3'},"
        "{'id': 'c', 'state': 'waiting', 'message': 'tv?', 'lacks_clients': true},"
        "{'id': 'd', 'state': 'failed', 'message': 'fell & broke'},"
        "{'id': 'e', 'state': 'success', 'message': 'well'}");
    const char *failed = strstr(page, "<a href=\"/status/d/status\"><bdi>S</bdi></a>: "
                                      "<bdi>fell &amp; broke</bdi>");
    const char *lacking = strstr(page, "<a href=\"/status/c/status\">");
    const char *busy = strstr(page, "<a href=\"?state=waiting&amp;q=red%20needs%20web"
                                    "%3A%200%20free%20of%203\">2 cases</a>: ");

    has(page, ">What broke, what waits<");
    ck_assert_ptr_nonnull(failed);
    ck_assert_ptr_nonnull(busy);
    ck_assert(failed < lacking && lacking < busy);
    free(page);
    page = outlook("{'state': 'success', 'message': 'well'}");
    has_not(page, "id=\"reasons\"");
    free(page);
    page = board("{'state': 'failed'}"); /* who asked for something has chosen */
    has_not(page, "id=\"reasons\"");
    free(page);
}
END_TEST

START_TEST(test_many_reasons)
{
    char *cases = NULL;
    size_t size;
    FILE *out = xcheck(open_memstream(&cases, &size));

    for (int i = 0; i < 20; i++)
        fprintf(out, "%s{'id': '%d', 'state': 'error', 'message': 'reason %d'}",
                i > 0 ? "," : "", i, i);
    fclose(out);
    char *page = outlook(cases);
    ck_assert_uint_eq(count(page, "<li data-state=\"error\">"), 6);
    has(page, "<a href=\"?state=bad\">14 more reasons</a>");
    free(page);
    free(cases);
}
END_TEST

/* --- one test --- */

START_TEST(test_suite_asked)
{
    struct json_object *status = document(status_text);
    struct json_object *suite = json_object_get(text_element(status, "suites", 0));
    const char *ids[] = {"w4", "w2", NULL};

    json_put(suite, "asked",
             document("{'q': 'green=web', 'sort': 'duration',"
                      " 'test': 'x'}"));
    char *page = page_of(pages_suite, suite);
    has_rows(page, ids);
    has(page, "<code>test</code> is nothing that can be asked for here");
    has_not(page, "of-test");
    has_not(page, "name=\"test\"");
    free(page);
    json_object_put(status);
}
END_TEST

/* --- the history --- */

static const char trends_text[] =
    "{'now': '2026-11-22T20:19:00.000Z', 'runs': 4, 'tests': ["
    "  {'test': 'ball.Waltz', 'name': 'red=web green=ios', 'is_flaky': true,"
    "   'pass_rate': 0.6, 'last': {'state': 'success'},"
    "   'changed': {'ended': '2026-11-22T20:17:00.000Z'},"
    "   'durations': {'median': 60, 'latest': [30, 90, 60.5]}},"
    "  {'test': 'ball.Tango', 'name': 'red=web', 'is_flaky': false, 'pass_rate': 0.0,"
    "   'last': {'state': 'failed'}, 'changed': null,"
    "   'durations': {'median': 90, 'latest': [90]}},"
    "  {'test': 'ball.Polka', 'name': 'red=ios', 'is_flaky': false, 'pass_rate': 1.0,"
    "   'last': {'state': 'success'}, 'changed': {'ended': '2026-11-22T20:18:00.000Z'},"
    "   'durations': {'median': 5, 'latest': []}}]}";

START_TEST(test_history_asked)
{
    static const struct {
        const char *what;     /* is asked for */
        const char *tests[4]; /* in order */
    } rows[] = {
        {"{}", {"Waltz", "Tango", "Polka"}},
        {"{'state': 'flaky'}", {"Waltz"}},
        {"{'state': 'bad'}", {"Tango"}},
        {"{'state': 'success'}", {"Waltz", "Polka"}},
        {"{'test': 'ball.Polka'}", {"Polka"}},
        {"{'client': 'ios'}", {"Waltz", "Polka"}},
        {"{'q': 'tango'}", {"Tango"}},
        {"{'sort': 'name'}", {"Polka", "Tango", "Waltz"}},
        {"{'sort': 'rate'}", {"Tango", "Waltz", "Polka"}},
        {"{'sort': 'duration'}", {"Tango", "Waltz", "Polka"}},
        {"{'sort': 'changed'}", {"Polka", "Waltz", "Tango"}},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct json_object *trends = document(trends_text);
        json_put(trends, "asked", document(rows[i].what));
        char *page = page_of(pages_history, trends);
        const char *at = page;
        size_t wanted = 0;
        for (; rows[i].tests[wanted] != NULL; wanted++) {
            char *row = xasprintf("<bdi>ball.%s</bdi>", rows[i].tests[wanted]);
            at = strstr(at, row);
            ck_assert_msg(at != NULL, "%s: no %s, or not here", rows[i].what,
                          rows[i].tests[wanted]);
            free(row);
        }
        ck_assert_uint_eq(count(page, "<bdi>ball."), wanted);
        free(page);
    }
}
END_TEST

START_TEST(test_history_parts)
{
    struct json_object *trends = json_new_object();

    json_put(trends, "tests", many(250, "{'test': 'T', 'last': {'state': 'success'}}"));
    json_put(trends, "asked", document("{'page': '3', 'state': 'success'}"));
    char *page = page_of(pages_history, trends);
    has(page, "201 to 250 of 250 pairs");
    ck_assert_uint_eq(count(page, "<bdi>T</bdi>"), 50);
    has(page, "<a href=\"?state=success&amp;page=2\">‹ Previous</a>");
    free(page);
}
END_TEST

START_TEST(test_sparkline)
{
    char *page = page_of(pages_history, document(trends_text));

    ck_assert_uint_eq(count(page, "class=\"spark\""), 1); /* one number is no line */
    has(page, "role=\"img\" aria-label=\"the latest 3 took from 30.0 s to 1 min 30 s, "
              "the last one 1 min 00 s\"");
    has(page, "points=\"3.0,19.0 63.0,3.0 123.0,10.9\"");
    has(page, "cx=\"123.0\" cy=\"10.9\"");
    free(page);
}
END_TEST

/* --- words of others --- */

static const char *const hostile[] = {
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'><svg onload=alert(1)>&amp;#",
    "</option></select></form>",
    "\xe2\x80\xaegnp.exe\xe2\x81\xa9 \x1b[31m\x01\xc2\x80\xff\xc3",
    "javascript:alert(1)//?&=%00#",
};

/* A document in which this is asked for, wherever it can be. */
static struct json_object *hostile_request(const char *base, const char *view,
                                           const char *text)
{
    static const char *const names[] = {"state", "test", "client", "q", "sort", "page"};
    struct json_object *status = document(base), *what = json_new_object();

    for (size_t i = 0; i < LENGTH(names); i++)
        json_put_text(what, names[i], text);
    json_put_text(what, text, text);
    json_put_text(what, "view", view);
    json_put(status, "asked", what);
    return status;
}

static void check_harmless(char *page)
{
    static const char *const never[] = {"<script>",         "<img",         "<svg onload",
                                        "alert(1)>",        "\xe2\x80\xae", "\xc2\x80",
                                        "href=\"javascript"};

    for (size_t i = 0; i < LENGTH(never); i++)
        has_not(page, never[i]);
    ck_assert_uint_eq(count(page, "</form>"), 1);
    has(page, "id=\"ignored\"");
    free(page);
}

START_TEST(test_hostile_request)
{
    const char *text = hostile[_i];
    static const char *const views[] = {"list", "matrix", "clients"};

    for (size_t i = 0; i < LENGTH(views); i++)
        check_harmless(
            page_of(pages_status, hostile_request(status_text, views[i], text)));
    check_harmless(page_of(pages_history, hostile_request(trends_text, "list", text)));
}
END_TEST

START_TEST(test_odd_requests)
{
    static const char *const odd[] = {
        "[]", "7", "null", "{'state': 3, 'q': {}, 'page': []}", "{'view': ['matrix']}"};

    for (size_t i = 0; i < LENGTH(odd); i++) {
        struct json_object *trends = document(trends_text);
        free(board(odd[i]));
        json_put(trends, "asked", document(odd[i]));
        free(page_of(pages_history, trends));
    }
}
END_TEST

/* --- names of cases --- */

START_TEST(test_names)
{
    static const struct {
        const char *name; /* of a case */
        const char *pair; /* its client types */
    } rows[] = {
        {"red=web", "web"},
        {"red=web green=ios", "web + ios"},
        {"a=web b=web c=ios d=web", "web ×2 + ios + web"},
        {"a=web b=web #12", "web ×2"},
        {"a=x=y", "x=y"},
        {"", ""},
        {"no types", ""},
        {"a= b=", " ×2"},
        {"a=web #", "web"},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        char *pair = select_pair(rows[i].name);
        ck_assert_str_eq(pair, rows[i].pair);
        free(pair);
    }
}
END_TEST

static Suite *board_checks(void)
{
    Suite *suite = suite_create("board");
    TCase *cases = tcase_create("cases");
    TCase *others = tcase_create("clients, time, history");
    TCase *words = tcase_create("words of others");

    tcase_add_test(cases, test_filters);
    tcase_add_test(cases, test_counts);
    tcase_add_test(cases, test_form);
    tcase_add_test(cases, test_ignored);
    tcase_add_test(cases, test_orders);
    tcase_add_test(cases, test_parts);
    tcase_add_test(cases, test_links_between_parts);
    tcase_add_test(cases, test_large_run);
    tcase_add_test(cases, test_matrix);
    tcase_add_test(cases, test_matrix_of_repeats);
    tcase_add_test(cases, test_matrix_beyond_a_page);
    tcase_add_test(cases, test_suite_asked);
    tcase_add_test(cases, test_names);
    tcase_add_test(others, test_clients_on_the_board);
    tcase_add_test(others, test_clients_asked_for);
    tcase_add_test(others, test_very_many_clients);
    tcase_add_test(others, test_clients_of_long_ago);
    tcase_add_test(others, test_time_left);
    tcase_add_test(others, test_no_time_left);
    tcase_add_test(others, test_expected);
    tcase_add_test(others, test_reasons);
    tcase_add_test(others, test_many_reasons);
    tcase_add_test(others, test_history_asked);
    tcase_add_test(others, test_history_parts);
    tcase_add_test(others, test_sparkline);
    tcase_add_loop_test(words, test_hostile_request, 0, (int)LENGTH(hostile));
    tcase_add_test(words, test_odd_requests);
    tcase_set_timeout(cases, 60);
    tcase_set_timeout(others, 60);
    suite_add_tcase(suite, cases);
    suite_add_tcase(suite, others);
    suite_add_tcase(suite, words);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(board_checks());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
