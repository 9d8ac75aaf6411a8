/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sequence diagrams: who has a lane, which row a line of the transcript becomes, what is
 * said of time in which nothing happens; and the drawing, which is sound whatever it is
 * made of.
 */
#include "fixture.h"
#include "json.h"
#include "pages_text.h"
#include "sequence.h"
#include "sequence_rows.h"
#include "xalloc.h"

#include <check.h>
#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

/* A whole little story: two roles, two servers of which one is asked. */
static const char story[] =
    "{'state': 'failed', 'started': '2026-11-22T20:00:00.000Z', 'duration': 9.5,"
    " 'roles': {'red': {'type': 'web', 'client': 'r', 'action': null},"
    "           'green': {'type': 'phone', 'client': 'g', 'action': null}},"
    " 'servers': [{'name': 'one', 'server_name': 'hs1', 'cs_api': 'http://h:1'},"
    "             {'name': 'two', 'server_name': 'hs2', 'cs_api': 'http://h:2'}],"
    " 'transcript': ["
    "{'time': '2026-11-22T20:00:00.000Z', 'kind': 'note', 'role': 'red',"
    " 'text': 'is played by r (web)'},"
    "{'time': '2026-11-22T20:00:00.250Z', 'kind': 'state', 'role': null, 'text': 'hall'},"
    "{'time': '2026-11-22T20:00:00.250Z', 'kind': 'action', 'role': 'red',"
    " 'text': 'login {\\'user\\':\\'r\\',\\'room\\':{\\'a\\':1}}'},"
    "{'time': '2026-11-22T20:00:00.250Z', 'kind': 'action', 'role': 'green',"
    " 'text': 'look {}'},"
    "{'time': '2026-11-22T20:00:03.750Z', 'kind': 'response', 'role': 'red',"
    " 'text': 'login: logged_in {\\'response\\':\\'logged_in\\',\\'id\\':\\'7\\',"
    "\\'token\\':\\'t\\'}'},"
    "{'time': '2026-11-22T20:00:03.750Z', 'kind': 'state', 'role': null, 'text': 'ask'},"
    "{'time': '2026-11-22T20:00:03.750Z', 'kind': 'note', 'role': 'green',"
    " 'text': 'is not asked for look any more'},"
    "{'time': '2026-11-22T20:00:03.751Z', 'kind': 'server', 'role': null,"
    " 'text': 'asks GET http://h:2/rooms'},"
    "{'time': '2026-11-22T20:00:05.751Z', 'kind': 'server', 'role': null,"
    " 'text': 'answered {\\'status\\':200}'},"
    "{'time': '2026-11-22T20:00:06.000Z', 'kind': 'upload', 'role': 'green',"
    " 'text': 'green_a.png, 5 bytes'},"
    "{'time': '2026-11-22T20:00:06.000Z', 'kind': 'error', 'role': 'green',"
    " 'text': 'it broke'},"
    "{'time': '2026-11-22T20:00:06.500Z', 'kind': 'end', 'role': null,"
    " 'text': 'failed: green gave up: it broke'},"
    "{'time': '2026-11-22T20:01:06.500Z', 'kind': 'note', 'role': 'stranger',"
    " 'text': 'came late'}]}";

/* JSON with ' for "; takes nothing, returns owned. */
static struct json_object *document(const char *text)
{
    return fixture_json(text);
}

static void check_row(const struct sequence *sequence, size_t index,
                      enum sequence_kind kind, size_t lane, const char *name,
                      const char *words, size_t line)
{
    ck_assert_uint_lt(index, sequence->row_count);
    const struct sequence_row *row = &sequence->rows[index];

    ck_assert_str_eq(sequence_kind_text(row->kind), sequence_kind_text(kind));
    ck_assert_str_eq(row->name, name);
    ck_assert_str_eq(row->words, words);
    ck_assert_uint_eq(row->lane, lane);
    ck_assert_uint_eq(row->line, line);
}

/* --- what is read --- */

START_TEST(everybody_has_a_lane)
{
    static const char *const names[] = {"hs1", "hs2", "trafficlight", "red", "green"};
    static const char *const abouts[] = {"one", "two", "", "web", "phone"};
    static const bool speak[] = {false, true, false, true, true};
    struct json_object *attempt = document(story);
    struct sequence *sequence = sequence_read(attempt, 100);

    ck_assert_uint_eq(sequence->lane_count, LENGTH(names));
    ck_assert_uint_eq(sequence->home, 2);
    for (size_t i = 0; i < LENGTH(names); i++) {
        ck_assert_str_eq(sequence->lanes[i].name, names[i]);
        ck_assert_str_eq(sequence->lanes[i].about, abouts[i]);
        ck_assert_int_eq(sequence->lanes[i].speaks, speak[i]);
    }
    sequence_free(sequence);
    json_object_put(attempt);
}
END_TEST

START_TEST(every_line_has_its_row)
{
    struct json_object *attempt = document(story);
    struct sequence *sequence = sequence_read(attempt, 100);

    check_row(sequence, 0, SEQUENCE_STATE, 2, "hall", "", 2);
    check_row(sequence, 1, SEQUENCE_ACTION, 3, "login", "user: r, room: {\"a\":1}", 3);
    check_row(sequence, 2, SEQUENCE_ACTION, 4, "look", "", 4);
    check_row(sequence, 3, SEQUENCE_PAUSE, 2, "3.5 s", "waits for red, green", 0);
    check_row(sequence, 4, SEQUENCE_REPORT, 3, "logged_in", "token: t", 5);
    check_row(sequence, 5, SEQUENCE_STATE, 2, "ask", "", 6);
    check_row(sequence, 6, SEQUENCE_NOTE, 4, "", "is not asked for look any more", 7);
    check_row(sequence, 7, SEQUENCE_ACTION, 1, "GET ", "/rooms", 8);
    check_row(sequence, 8, SEQUENCE_PAUSE, 2, "2.0 s", "waits for hs2", 0);
    check_row(sequence, 9, SEQUENCE_REPORT, 1, "answered", "status: 200", 9);
    check_row(sequence, 10, SEQUENCE_UPLOAD, 4, "", "green_a.png, 5 bytes", 10);
    check_row(sequence, 11, SEQUENCE_ERROR, 4, "", "it broke", 11);
    check_row(sequence, 12, SEQUENCE_END, 2, "failed", "green gave up: it broke", 12);
    check_row(sequence, 13, SEQUENCE_NOTE, 2, "stranger", "came late", 13);
    ck_assert_uint_eq(sequence->row_count, 14);
    ck_assert(sequence->rows[0].seconds > 0.24 && sequence->rows[0].seconds < 0.26);
    ck_assert(sequence->rows[6].frees && sequence->rows[4].frees);
    ck_assert(!sequence->rows[10].frees);
    ck_assert_str_eq(sequence->rows[11].full, "it broke");
    sequence_free(sequence);
    json_object_put(attempt);
}
END_TEST

START_TEST(only_the_last_lines_are_drawn)
{
    struct json_object *attempt = document(story);
    struct sequence *sequence = sequence_read(attempt, 3);

    ck_assert_uint_eq(sequence->hidden, 10);
    check_row(sequence, 0, SEQUENCE_ERROR, 4, "", "it broke", 11);
    ck_assert(sequence->rows[0].seconds > 5.9); /* from the beginning still */
    ck_assert_uint_eq(sequence->row_count, 3);
    sequence_free(sequence);
    json_object_put(attempt);
}
END_TEST

START_TEST(who_is_waited_for_now_is_said)
{
    struct json_object *attempt = document(
        "{'state': 'running', 'duration': 60.5, 'roles':"
        " {'red': {'type': 'web', 'action': null},"
        "  'green': {'type': 'web', 'action': 'look'}}, 'transcript': ["
        " {'time': '2026-11-22T20:00:00.000Z', 'kind': 'action', 'role': 'green',"
        "  'text': 'look {}'}]}");
    struct sequence *sequence = sequence_read(attempt, 100);

    check_row(sequence, 1, SEQUENCE_PAUSE, 0, "1 min 00 s", "waits for green until now",
              0);
    sequence_free(sequence);
    json_object_put(attempt);
}
END_TEST

/* What is no line of ours is shown as it is. */
START_TEST(odd_lines_are_no_mistake)
{
    static const char *const lines[] = {
        "{'kind': 'response', 'role': 'red', 'text': 'nothing that we would write'}",
        "{'kind': 'action', 'role': 'red', 'text': ''}",
        "{'kind': 'action', 'role': 'nobody', 'text': 'login {}'}",
        "{'kind': 'server', 'text': 'asks '}",
        "{'kind': 'server', 'text': 'asks GET http://elsewhere/'}",
        "{'kind': 'server', 'text': 'answered {}'}",
        "{'kind': 'end', 'text': ''}",
        "{'kind': 7, 'text': ['a'], 'time': 'never', 'role': {}}",
        "{}",
        "null",
        "5",
    };

    for (size_t i = 0; i < LENGTH(lines); i++) {
        char *text = xasprintf("{'state': 'running', 'roles': {'red': {}},"
                               " 'transcript': [%s, %s]}",
                               lines[i], lines[i]);
        struct json_object *attempt = document(text);
        struct sequence *sequence = sequence_read(attempt, 100);
        ck_assert_uint_eq(sequence->row_count, 2);
        sequence_free(sequence);
        json_object_put(attempt);
        free(text);
    }
}
END_TEST

/* --- what is drawn --- */

/* The drawing, which is sound XML; takes the attempt, returns owned. */
static char *drawing(struct json_object *attempt)
{
    size_t size;
    char *svg = sequence_svg(attempt, &size);
    xmlDocPtr parsed = xmlReadMemory(svg, (int)size, NULL, NULL, XML_PARSE_NONET);

    ck_assert_msg(parsed != NULL, "%s", svg);
    ck_assert_str_eq((const char *)xmlDocGetRootElement(parsed)->name, "svg");
    xmlFreeDoc(parsed);
    json_object_put(attempt);
    return svg;
}

static size_t count(const char *text, const char *part)
{
    size_t found = 0;

    for (; (text = strstr(text, part)) != NULL; text++)
        found++;
    return found;
}

START_TEST(each_row_leads_to_its_line)
{
    char *svg = drawing(document(story));

    ck_assert_uint_eq(count(svg, "<a id=\"step-"), 12);
    ck_assert_ptr_nonnull(strstr(svg, "href=\"status#line-2\""));
    ck_assert_ptr_nonnull(strstr(svg, "class=\"row end failed\""));
    ck_assert_uint_eq(count(svg, "class=\"lane\""), 5);
    ck_assert_uint_eq(count(svg, "class=\"arrow\""), 7);
    ck_assert_uint_eq(count(svg, "class=\"work\""), 3);
    ck_assert_uint_eq(count(svg, "stroke-dasharray=\"5 3\""), 2); /* upload, error */
    ck_assert_ptr_nonnull(strstr(svg, "0:03.750"));
    ck_assert_uint_eq(count(svg, "style="), 0); /* the policy of pages forbids it */
    free(svg);
}
END_TEST

START_TEST(nothing_is_a_drawing_too)
{
    free(drawing(document("{}")));
    free(drawing(document("{'roles': 5, 'servers': {}, 'transcript': 'x'}")));
}
END_TEST

START_TEST(many_lanes_and_rows_stay_bounded)
{
    struct json_object *attempt = document("{'roles': {}, 'servers': []}");
    struct json_object *lines = json_new_array();

    for (int i = 0; i < 1000; i++) {
        char *name = xasprintf("role%d", i);
        json_put(json_member(attempt, "roles"), name, json_new_object());
        json_append(json_member(attempt, "servers"), json_new_object());
        struct json_object *line = document("{'kind': 'action', 'text': 'go {}'}");
        json_put_text(line, "role", name);
        json_append(lines, line);
        free(name);
    }
    json_put(attempt, "transcript", lines);
    char *svg = drawing(attempt);
    ck_assert_uint_eq(count(svg, "class=\"lane\""), 8 + 1 + 24);
    ck_assert_uint_eq(count(svg, "<a id=\"step-"), SEQUENCE_LINES);
    free(svg);
}
END_TEST

START_TEST(hostile_words_stay_words)
{
    static const char *const hostile[] = {
        "</text></svg><script>alert(1)</script>",
        "\"><a href=javascript:alert(1)>",
        "]]> <![CDATA[ <?php &lt; &#0;",
        "\xe2\x80\xaegnp.exe\x01\x1b[31m\x7f\xef\xbf\xbf\xff",
        "login: a {'response': }",
    };

    for (size_t i = 0; i < LENGTH(hostile); i++) {
        struct json_object *attempt = document("{'state': 'failed', 'transcript': []}");
        struct json_object *roles = json_new_object(), *role = json_new_object();
        static const char *const kinds[] = {"state",  "action", "response", "error",
                                            "server", "upload", "note",     "end"};
        json_put_text(role, "type", hostile[i]);
        json_put(roles, hostile[i], role);
        json_put(attempt, "roles", roles);
        for (size_t j = 0; j < LENGTH(kinds); j++) {
            struct json_object *line = json_new_object();
            json_put_text(line, "kind", kinds[j]);
            json_put_text(line, "role", hostile[i]);
            json_put_text(line, "text", hostile[i]);
            json_put_text(line, "time", hostile[i]);
            json_append(json_member(attempt, "transcript"), line);
        }
        char *svg = drawing(attempt);
        ck_assert_ptr_null(strstr(svg, "<script"));
        ck_assert_ptr_null(strstr(svg, "href=javascript:alert(1)>\""));
        ck_assert_ptr_null(strstr(svg, "\xe2\x80\xae"));
        ck_assert_uint_eq(count(svg, "<a "), LENGTH(kinds));
        free(svg);
    }
}
END_TEST

START_TEST(long_words_are_shortened)
{
    char *text = xasprintf("{'roles': {'red': {}}, 'transcript': ["
                           "{'kind': 'action', 'role': 'red', 'text': 'go {\\'a\\':"
                           "\\'%0*d\\'}'}]}",
                           500, 0);
    char *svg = drawing(document(text));

    ck_assert_uint_eq(count(svg, "0000…</tspan>"), 1);
    ck_assert_uint_eq(count(svg, "0000&quot;}</title>"),
                      1); /* whole where it does not stand */
    free(svg);
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sequence");
    TCase *read = tcase_create("what is read"), *drawn = tcase_create("what is drawn");

    tcase_add_test(read, everybody_has_a_lane);
    tcase_add_test(read, every_line_has_its_row);
    tcase_add_test(read, only_the_last_lines_are_drawn);
    tcase_add_test(read, who_is_waited_for_now_is_said);
    tcase_add_test(read, odd_lines_are_no_mistake);
    suite_add_tcase(suite, read);
    tcase_add_test(drawn, each_row_leads_to_its_line);
    tcase_add_test(drawn, nothing_is_a_drawing_too);
    tcase_add_test(drawn, many_lanes_and_rows_stay_bounded);
    tcase_add_test(drawn, hostile_words_stay_words);
    tcase_add_test(drawn, long_words_are_shortened);
    suite_add_tcase(suite, drawn);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
