/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page of a case: what it waits for in words, buttons where something can be done,
 * drawings, previews of what is safe to be seen, the same case in other runs; and
 * problems as pages.
 */
#include "files.h"
#include "fixture.h"
#include "json.h"
#include "pages.h"
#include "xalloc.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

static const char case_text[] =
    "{'id': 'c1', 'name': 'red=web green=web #2', 'state': 'running', 'machine': 'hall',"
    " 'message': '', 'started': '2026-11-22T20:17:05.250Z', 'duration': 3.5,"
    " 'run': 'r1', 'suite': {'id': 's1', 'name': 'Waltz*', 'folder': 'ball'},"
    " 'roles': {'red': {'type': 'web', 'client': 'r', 'action': 'twirl'},"
    "           'green': {'type': 'web', 'client': 'g', 'action': 'bow'},"
    "           'blue': {'type': 'web', 'client': 'b', 'action': null}},"
    " 'servers': [], 'files': [], 'transcript': ["
    "  {'time': '2026-11-22T20:17:05.250Z', 'kind': 'state', 'text': 'hall'}]}";

/* The case with one member changed, as JSON. Owned. */
static struct json_object *case_with(const char *name, const char *value)
{
    struct json_object *testcase = fixture_json(case_text);

    if (name != NULL)
        json_put(testcase, name, fixture_json(value));
    return testcase;
}

/* Takes the case, returns owned. */
static char *page_of(struct json_object *testcase)
{
    size_t size = 0;
    char *page = pages_case(testcase, &size);

    ck_assert_uint_eq(strlen(page), size);
    json_object_put(testcase);
    return page;
}

static void has(const char *page, const char *text)
{
    ck_assert_msg(strstr(page, text) != NULL, "no \"%s\" in:\n%.3000s", text, page);
}

static void has_not(const char *page, const char *text)
{
    ck_assert_msg(strstr(page, text) == NULL, "\"%s\" is in:\n%.3000s", text, page);
}

/* --- in words --- */

START_TEST(who_is_waited_for_is_said)
{
    char *page = page_of(case_with(NULL, NULL));

    has(page, "Waits for <b>red</b> to do <span class=\"doing\">twirl</span>, for "
              "<b>green</b> to do <span class=\"doing\">bow</span>.");
    has_not(page, "<b>blue</b>");
    free(page);
    page = page_of(case_with("roles", "{'red': {'action': null}}"));
    has(page, "Nobody is asked for anything");
    free(page);
}
END_TEST

START_TEST(an_outcome_is_told_in_words)
{
    char *page = page_of(case_with("state", "'success'"));

    has(page, "came to its end");
    free(page);
    page = page_of(case_with("message", "'red fell'"));
    has(page, "<p class=\"reason\"><bdi>red fell</bdi></p>");
    has_not(page, "Waits for");
    free(page);
}
END_TEST

/* --- buttons --- */

/* A glob of fnmatch(3) that fits this case alone, whatever its name has in it, and the
 * number that repeating gave it does not count. */
START_TEST(a_case_can_be_run_again)
{
    char *page = page_of(case_with("state", "'failed'"));

    has(page, "<form method=\"post\" action=\"/runs\"><input type=\"hidden\" "
              "name=\"only\" value=\"ball.Waltz\\*/red=web green=web\"/><input "
              "type=\"hidden\" name=\"repeat\" value=\"1\"/><button>Run this case again");
    has(page, "value=\"ball.Waltz\\*\"/><button>Run the whole test");
    has_not(page, "cancel");
    free(page);
}
END_TEST

START_TEST(what_goes_on_can_be_cancelled)
{
    static const char *const states[] = {"'running'", "'waiting'", "'preparing'"};

    for (size_t i = 0; i < LENGTH(states); i++) {
        char *page = page_of(case_with("state", states[i]));
        has(page, "<form method=\"post\" action=\"cancel\">");
        has(page, "<form method=\"post\" action=\"/runs/r1/cancel\">");
        free(page);
    }
}
END_TEST

/* POST /runs would refuse it. */
START_TEST(a_name_that_is_too_long_has_no_button)
{
    struct json_object *testcase = case_with("state", "'failed'");
    char *name = xasprintf("%0*d", 300, 0);

    json_put_text(testcase, "name", name);
    char *page = page_of(testcase);
    has_not(page, "Run this case again");
    has(page, "Run the whole test");
    free(page);
    free(name);
}
END_TEST

/* --- drawings --- */

/* The address of the machine changes with what is to be seen of it, and only then. */
START_TEST(the_machine_is_shown_anew_when_it_changes)
{
    char *page = page_of(case_with(NULL, NULL));

    has(page, "<object type=\"image/svg+xml\" id=\"machine-picture\"");
    has(page, "data=\"statemachine.svg?at=1.1\"");
    free(page);
    page = page_of(case_with("transcript", "[{'kind': 'state'}, {'kind': 'end'}]"));
    has(page, "data=\"statemachine.svg?at=1.2\"");
    free(page);
}
END_TEST

START_TEST(the_sequence_leads_to_the_lines)
{
    char *page = page_of(case_with(NULL, NULL));

    has(page, "<h2 id=\"sequence\">");
    has(page, "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"sequence\"");
    has(page, "href=\"#line-1\"");
    has(page, "<tr id=\"line-1\"");
    has_not(page, "style=");
    free(page);
    page = page_of(case_with("transcript", "[]"));
    has_not(page, "id=\"sequence\"");
    free(page);
}
END_TEST

START_TEST(an_earlier_attempt_has_its_own)
{
    struct json_object *testcase = case_with(
        "attempts", "[{'number': 1, 'state': 'failed', 'roles': {}, 'transcript': ["
                    "  {'kind': 'note', 'text': 'x'}]}, {'number': 2}]");
    char *page = page_of(testcase);

    has(page, "<details id=\"attempt-1-sequence\">");
    has(page, "href=\"#attempt-1-line-1\"");
    has(page, "<tr id=\"attempt-1-line-1\"");
    has(page, "href=\"#line-1\"");
    free(page);
}
END_TEST

START_TEST(what_a_long_diagram_leaves_out_is_counted)
{
    struct json_object *testcase = case_with(NULL, NULL), *lines = json_new_array();

    for (int i = 0; i < 1000; i++)
        json_append(lines, fixture_json("{'kind': 'note', 'text': 'x'}"));
    json_put(testcase, "transcript", lines);
    char *page = page_of(testcase);
    has(page, "700 more lines of the transcript, all before these.");
    has(page, "<a id=\"step-701\"");
    has_not(page, "<a id=\"step-700\"");
    has(page, "<tr id=\"line-1\"");
    free(page);
}
END_TEST

/* --- files --- */

START_TEST(pictures_and_videos_are_seen_and_nothing_else)
{
    static const char *const shown[] = {"a.png", "a.JPG", "a.jpeg", "a.gif", "a.webp"};
    static const char *const videos[] = {"a.webm", "a.mp4"};
    static const char *const hidden[] = {"a.svg", "a.html", "a.xhtml", "a.pdf",
                                         "a.txt", "png",    "a.png.",  "a.png.html"};

    for (size_t i = 0; i < LENGTH(shown); i++)
        ck_assert_str_eq(file_element(shown[i]), "img");
    for (size_t i = 0; i < LENGTH(videos); i++)
        ck_assert_str_eq(file_element(videos[i]), "video");
    for (size_t i = 0; i < LENGTH(hidden); i++)
        ck_assert_ptr_null(file_element(hidden[i]));
}
END_TEST

START_TEST(files_have_previews)
{
    char *page = page_of(case_with("files", "['r_a b.png', 'r.webm', 'r.svg']"));

    has(page,
        "<a href=\"files/r_a%20b.png?view=1\"><img "
        "src=\"files/r_a%20b.png?view=1\" alt=\"r_a b.png\" loading=\"lazy\"/></a>");
    has(page, "<a href=\"files/r_a%20b.png\" download=\"\">");
    has(page, "<video src=\"files/r.webm?view=1\" controls=\"\" preload=\"metadata\"");
    has(page, "<a href=\"files/r.svg\" download=\"\">");
    has_not(page, "r.svg?view");
    free(page);
}
END_TEST

START_TEST(files_of_an_attempt_are_its_own)
{
    struct json_object *testcase = case_with(
        "attempts", "[{'number': 1, 'state': 'failed', 'files': ['r.png']}, {}]");
    char *page = page_of(testcase);

    has(page, "src=\"files/r.png?attempt=1&amp;view=1\"");
    has(page, "href=\"files/r.png?attempt=1\"");
    free(page);
}
END_TEST

START_TEST(previews_are_bounded)
{
    struct json_object *testcase = case_with(NULL, NULL), *files = json_new_array();
    size_t previews = 0;

    for (int i = 0; i < 100; i++)
        json_append(files, json_new_text("a.webm"));
    json_put(testcase, "files", files);
    char *page = page_of(testcase);
    for (const char *at = page; (at = strstr(at, "<video")) != NULL; at++)
        previews++;
    ck_assert_uint_eq(previews, 60);
    free(page);
}
END_TEST

/* --- other runs --- */

START_TEST(other_runs_are_linked)
{
    char *page = page_of(case_with(
        "others", "[{'run': 'r0', 'case': 'c0', 'state': 'failed', 'flaky': false,"
                  "  'duration': 2, 'ended': '2026-11-21T20:00:00.000Z',"
                  "  'message': 'green <fell>'},"
                  " {'run': 'r9', 'case': 'c9', 'state': 'success', 'flaky': true,"
                  "  'duration': 4, 'ended': '2026-11-20T20:00:00.000Z'}]"));

    has(page, "<tr id=\"other-c0\">");
    has(page,
        "<a href=\"/status/c0/status\"><time datetime=\"2026-11-21T20:00:00.000Z\">");
    has(page, "green &lt;fell&gt;");
    has(page, "≈ flaky");
    free(page);
    page = page_of(case_with("others", "[]"));
    has_not(page, "In other runs");
    free(page);
}
END_TEST

/* --- problems --- */

START_TEST(a_problem_has_a_way_back)
{
    size_t size;
    char *page =
        pages_problem(409, "Conflict", "it has <ended>", "/status/c1/status", &size);

    ck_assert_uint_eq(strlen(page), size);
    has(page, "<title>409 Conflict");
    has(page, "it has &lt;ended&gt;");
    has(page, "<a href=\"/status/c1/status\">Back to where you were</a>");
    has(page, "href=\"/status\"");
    has(page, "href=\"/runs\"");
    free(page);
    page = pages_problem(404, "Not Found", NULL, NULL, &size);
    has_not(page, "where you were");
    free(page);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("case page");
    TCase *tcase = tcase_create("case page");

    tcase_add_test(tcase, who_is_waited_for_is_said);
    tcase_add_test(tcase, an_outcome_is_told_in_words);
    tcase_add_test(tcase, a_case_can_be_run_again);
    tcase_add_test(tcase, what_goes_on_can_be_cancelled);
    tcase_add_test(tcase, a_name_that_is_too_long_has_no_button);
    tcase_add_test(tcase, the_machine_is_shown_anew_when_it_changes);
    tcase_add_test(tcase, the_sequence_leads_to_the_lines);
    tcase_add_test(tcase, an_earlier_attempt_has_its_own);
    tcase_add_test(tcase, what_a_long_diagram_leaves_out_is_counted);
    tcase_add_test(tcase, pictures_and_videos_are_seen_and_nothing_else);
    tcase_add_test(tcase, files_have_previews);
    tcase_add_test(tcase, files_of_an_attempt_are_its_own);
    tcase_add_test(tcase, previews_are_bounded);
    tcase_add_test(tcase, other_runs_are_linked);
    tcase_add_test(tcase, a_problem_has_a_way_back);
    suite_add_tcase(suite, tcase);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
