/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of the engine's state: JSON, JUnit XML, graphs. */
#include "fixture.h"
#include "graph.h"
#include "json.h"
#include "junit.h"
#include "markup.h"
#include "status.h"
#include "xalloc.h"

#include <check.h>
#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <libxml/xmlschemastypes.h>
#include <libxml/xpath.h>
#include <stdlib.h>
#include <string.h>

static struct world world;

/* What a client may say to break a document: controls, markup, what is no XML. */
#define HOSTILE                                                                          \
    "<&>\\\"' ]]> \\u001b[31m \\u0001 \\ufffe \\uffff \\ud83d\\ude00 --> <!-- %s %n"

/* Cases of two tests, in every state there is: success, failed, error, running, preparing
 * and waiting. */
static void setup(void)
{
    world_init(&world);
    world_add(&world,
              "{'name': 'A', 'description': 'What <A> is.', 'clients': {'red': ['web']},"
              " 'initial': 'one', 'states': {'one': {'actions': {'red': {"
              "   'action': 'look', 'responses': {'seen': 'complete'}}}}}}",
              5);
    world_add(&world,
              "{'name': 'B', 'clients': {'red': ['phone'], 'green': ['phone']},"
              " 'servers': {'type': 'made', 'names': ['server']}, 'initial': 'one',"
              " 'states': {'one': {'wait': 1, 'next': 'complete'}}}",
              2);
    world_begin(&world);
    world.ms = 1000;
    for (int i = 0; i < 4; i++)
        world_register(&world, (const char *[]){"a", "b", "c", "d"}[i],
                       "{'type': 'web', 'version': '1'}");
    world_register(&world, "p", "phone");
    world_register(&world, "q", "phone");
    world_register(&world, "r", "phone");
    world.ms = 2500;
    world_report(&world, "a", NULL);
    world_report(&world, "b", "failed");
    world_error(&world, "c", false);
}

static void teardown(void)
{
    world_clear(&world);
}

/* --- the status as JSON --- */

/* The value at a path in the status, as text. Valid until the next call. */
static const char *at(struct json_object *status, const char *path)
{
    static char text[2000];
    struct json_object *value = NULL;

    if (json_pointer_get(status, path, &value) != 0)
        return "(none)";
    snprintf(text, sizeof text, "%s",
             json_object_is_type(value, json_type_string) ? json_object_get_string(value)
                                                          : json_text(value));
    return text;
}

static struct json_object *get_status(void)
{
    char *text = world_status(&world);
    struct json_object *status = NULL;
    char *cause = NULL;

    ck_assert_int_eq(json_read(text, strlen(text), 32, &status, &cause), 0);
    free(text);
    return status;
}

static const struct {
    const char *path;
    const char *value;
} told[] = {
    {"/server/version", "1.0"},
    {"/server/started", "2027-01-15T08:00:00.000Z"},
    {"/server/now", "2027-01-15T08:00:02.500Z"},
    {"/server/done", "false"},
    {"/totals", "{\"cases\":7,\"waiting\":2,\"preparing\":1,\"running\":1,\"success\":1,"
                "\"failed\":1,\"error\":1,\"flaky\":0}"},
    {"/suites/0/name", "A"},
    {"/suites/0/folder", "folder"},
    {"/suites/0/file", "folder/a_test.json"},
    {"/suites/0/cases/0/name", "red=web"},
    {"/suites/0/cases/1/name", "red=web #2"},
    {"/suites/0/cases/0/state", "success"},
    {"/suites/0/cases/0/machine", "complete"},
    {"/suites/0/cases/0/message", ""},
    {"/suites/0/cases/0/started", "2027-01-15T08:00:01.000Z"},
    {"/suites/0/cases/0/ended", "2027-01-15T08:00:02.500Z"},
    {"/suites/0/cases/0/duration", "1.500"},
    {"/suites/0/cases/0/roles/red/client", "a"},
    {"/suites/0/cases/0/roles/red/type", "web"},
    {"/suites/0/cases/0/roles/red/action", "null"},
    {"/suites/0/cases/0/servers", "[]"},
    {"/suites/0/cases/1/state", "failed"},
    {"/suites/0/cases/1/message", "red reported that look failed in state one"},
    {"/suites/0/cases/2/state", "error"},
    {"/suites/0/cases/3/state", "running"},
    {"/suites/0/cases/3/machine", "one"},
    {"/suites/0/cases/3/ended", "null"},
    {"/suites/0/cases/3/roles/red/action", "look"},
    {"/suites/0/cases/4/state", "waiting"},
    {"/suites/0/cases/4/message", "red needs web: 0 free of 1"},
    {"/suites/0/cases/4/started", "null"},
    {"/suites/0/cases/4/duration", "0.000"},
    {"/suites/0/cases/4/roles", "{}"},
    {"/suites/1/cases/0/state", "preparing"},
    {"/suites/1/cases/0/machine", "null"},
    {"/suites/1/cases/1/message", "green needs phone: 0 free of 3"},
    {"/clients/0/id", "a"},
    {"/clients/0/state", "done"},
    {"/clients/0/role", "red"},
    {"/clients/0/last_reported", "2027-01-15T08:00:02.500Z"},
    {"/clients/0/last_polled", "2027-01-15T08:00:00.001Z"},
    {"/clients/0/registration/version", "1"},
    {"/clients/3/state", "playing"},
    {"/clients/3/last_reported", "null"},
    {"/clients/6/state", "waiting"},
    {"/clients/6/case", "null"},
    {"/clients/6/role", "null"},
    {"/clients/7", "(none)"},
};

START_TEST(the_status_tells)
{
    struct json_object *status = get_status();

    ck_assert_str_eq(at(status, told[_i].path), told[_i].value);
    json_object_put(status);
}
END_TEST

START_TEST(one_thing_can_be_asked_for)
{
    struct json_object *all = get_status();
    struct status_view view = {"1.0", fixture_at(0), NULL, NULL, NULL};
    char *suite_id = xstrdup(at(all, "/suites/0/id"));
    char *case_id = xstrdup(at(all, "/suites/0/cases/1/id"));
    struct json_object *suite = status_suite(world.engine, suite_id, &view);
    struct json_object *one = status_case(world.engine, case_id, &view);

    ck_assert_str_eq(at(suite, "/cases/1/id"), case_id);
    ck_assert_str_eq(at(one, "/suite/name"), "A");
    ck_assert_str_eq(at(one, "/suite/id"), suite_id);
    ck_assert_str_eq(at(one, "/details"), "{\"response\":\"failed\"}");
    ck_assert_str_eq(at(one, "/transcript/0/kind"), "note");
    ck_assert_str_eq(at(one, "/transcript/0/role"), "red");
    ck_assert_str_eq(at(one, "/transcript/1/kind"), "state");
    ck_assert_str_eq(at(one, "/transcript/1/text"), "one");
    ck_assert_str_eq(at(one, "/transcript_dropped"), "0");
    ck_assert_ptr_null(status_suite(world.engine, case_id, &view));
    ck_assert_ptr_null(status_case(world.engine, "", &view));
    char *line = status_line(world.engine);
    ck_assert_str_eq(line, "3 of 7 cases done, 1 client waiting");
    free(line);
    json_object_put(one);
    json_object_put(suite);
    json_object_put(all);
    free(suite_id);
    free(case_id);
}
END_TEST

/* --- JUnit --- */

static xmlDoc *junit(void)
{
    struct instant now = fixture_at(world.ms);
    size_t size = 0;
    char *text = junit_document(world.engine, NULL, "host", &now, &size);

    ck_assert_uint_eq(strlen(text), size);
    xmlDoc *document = xmlReadMemory(text, (int)size, "junit.xml", NULL, XML_PARSE_NONET);
    ck_assert_msg(document != NULL, "%s", text);
    free(text);
    return document;
}

/* The value of an XPath expression. Owned by xmlFree(). */
static char *xpath(xmlDoc *document, const char *expression)
{
    xmlXPathContext *context = xmlXPathNewContext(document);
    xmlXPathObject *result = xmlXPathEvalExpression(BAD_CAST expression, context);

    ck_assert_ptr_nonnull(result);
    char *text = (char *)xmlXPathCastToString(result);
    xmlXPathFreeObject(result);
    xmlXPathFreeContext(context);
    return text;
}

#define CASE(suite, number) "//testsuite[" #suite "]/testcase[" #number "]"

static const struct {
    const char *expression;
    const char *value;
} written[] = {
    {"count(//testsuite)", "2"},
    {"//testsuites/@tests", "7"},
    {"//testsuites/@failures", "1"},
    {"//testsuites/@errors", "3"},
    {"count(//testsuites/@skipped)", "0"},
    {"//testsuite[1]/@name", "folder.A"},
    {"//testsuite[1]/@hostname", "host"},
    {"//testsuite[1]/@timestamp", "2027-01-15T08:00:01"},
    {"//testsuite[1]/@tests", "5"},
    {"//testsuite[1]/@skipped", "1"},
    {"//testsuite[1]/@errors", "2"},
    {"//testsuite[1]/@time", "6.000"},
    {CASE(1, 1) "/@classname", "folder.A"},
    {CASE(1, 1) "/@name", "red=web"},
    {CASE(1, 2) "/@name", "red=web #2"},
    {CASE(1, 1) "/@time", "1.500"},
    {"count(" CASE(1, 1) "/*)", "1"}, /* system-out */
    {CASE(1, 2) "/failure/@type", "failed"},
    {CASE(1, 2) "/failure/@message", "red reported that look failed in state one"},
    {"contains(" CASE(1, 2) "/failure, 'in state one')", "true"},
    {CASE(1, 3) "/error/@type", "adapter-error"},
    {"contains(" CASE(1, 3) "/error, 'at a.js:1')", "true"},
    {CASE(1, 4) "/error/@message", "the case has not ended: it is in state one"},
    {CASE(1, 5) "/skipped/@message", "waiting for clients: red needs web: 0 free of 1"},
    {CASE(2, 1) "/error/@type", "running"},
    {CASE(2, 2) "/skipped/@message",
     "waiting for clients: green needs phone: 0 free of 3"},
    {"contains(" CASE(1, 1) "/system-out, 'red response: look: seen')", "true"},
    {"count(//properties)", "0"},
};

START_TEST(junit_tells)
{
    xmlDoc *document = junit();
    char *value = xpath(document, written[_i].expression);

    ck_assert_str_eq(value, written[_i].value);
    xmlFree(value);
    xmlFreeDoc(document);
}
END_TEST

/* Whatever clients and adapters say, the document can be read. */
static void say_hostile_things(void)
{
    struct json_object *report = fixture_json("{}");
    struct json_object *text = NULL;
    char *cause = NULL;

    ck_assert_int_eq(
        json_read("\"" HOSTILE "\"", strlen("\"" HOSTILE "\""), 32, &text, &cause), 0);
    json_put(report, "response", json_object_get(text));
    const char *delivery = engine_poll(world.engine, "d").delivery;
    world_apply(&world, input_report("d", delivery, false, report), NULL);
    world_register(&world, "bad", "{'type': 'web', 'version': '\\u001b]0;<b>&'}");
    world_apply(&world,
                input_client_error("bad", true, json_object_get_string(text),
                                   "\xff\xfe\x80 \x01 \xed\xa0\x80"),
                NULL);
    json_object_put(report);
    json_object_put(text);
}

static void validate(xmlDoc *document)
{
    const char *folder = getenv("top_srcdir") ? getenv("top_srcdir") : ".";
    char *path = xasprintf("%s/tests/junit.xsd", folder);
    xmlSchemaParserCtxt *parser = xmlSchemaNewParserCtxt(path);
    xmlSchema *schema = xmlSchemaParse(parser);

    ck_assert_msg(schema != NULL, "%s can't be read", path);
    xmlSchemaValidCtxt *context = xmlSchemaNewValidCtxt(schema);
    ck_assert_int_eq(xmlSchemaValidateDoc(context, document), 0);
    xmlSchemaFreeValidCtxt(context);
    xmlSchemaFree(schema);
    xmlSchemaFreeParserCtxt(parser);
    free(path);
}

START_TEST(junit_is_valid)
{
    xmlDoc *document = junit();

    validate(document);
    xmlFreeDoc(document);
    world_stop(&world);
    document = junit();
    validate(document);
    xmlFreeDoc(document);
}
END_TEST

START_TEST(junit_stands_hostile_text)
{
    say_hostile_things();
    xmlDoc *document = junit();
    char *message = xpath(document, CASE(1, 4) "/error/@message");
    char *details = xpath(document, CASE(1, 5) "/failure");

    validate(document);
    ck_assert_ptr_nonnull(strstr(message, "<&>\"' ]]> \xef\xbf\xbd[31m"));
    ck_assert_ptr_nonnull(strstr(details, "\xf0\x9f\x98\x80 --> <!-- %s %n"));
    ck_assert_ptr_nonnull(strstr(details, "\xef\xbf\xbd"));
    xmlFree(message);
    xmlFree(details);
    xmlFreeDoc(document);
    char *status = world_status(&world);
    struct json_object *value = NULL;
    char *cause = NULL;
    ck_assert_msg(json_read(status, strlen(status), 32, &value, &cause) == 0, "%s",
                  cause);
    json_object_put(value);
    free(status);
}
END_TEST

/* Cases that were tried again: 0 success, 1 failed, 2 waits once more, 3 cancelled
 * meanwhile, 4 goes on, 5 success at once. */
static void setup_retried(void)
{
    static const char *const clients[] = {"a", "b", "c", "d", "e", "f"};

    world_init(&world);
    world.retries = 2;
    world_add(&world,
              "{'name': 'A', 'clients': {'red': ['web']}, 'steps': [{'red': 'look'}]}",
              6);
    world_begin(&world);
    for (size_t i = 0; i < 6; i++)
        world_register(&world, clients[i], "web");
    world.ms = 1000;
    world_apply(&world, input_uploaded("a", "red_x", 7, NULL), NULL);
    world_report(&world, "a", "failed");
    world_register(&world, "a2", "web");
    world_error(&world, "a2", false);
    world_register(&world, "a3", "web");
    world_apply(&world, input_uploaded("a3", "red_x", 8, NULL), NULL);
    world_report(&world, "b", "failed");
    world_register(&world, "b2", "web");
    world_error(&world, "b2", false);
    world_register(&world, "b3", "web");
    world.ms = 3500;
    world_report(&world, "a3", NULL);
    world_report(&world, "b3", "failed");
    world_report(&world, "f", NULL);
    world_report(&world, "e", "failed");
    world_register(&world, "e2", "web");
    world_report(&world, "d", "failed");
    world_apply(&world, input_cancel_case(world_case(&world, 3)->id, "by me"), NULL);
    world_lost(&world, "c");
}

static const struct {
    const char *expression;
    const char *value;
} rewritten[] = {
    {"//testsuites/@tests", "6"},
    {"//testsuites/@failures", "1"},
    {"//testsuites/@errors", "2"},
    {"//testsuite/@skipped", "1"},
    {CASE(1, 1) "/@time", "2.500"},
    {"count(" CASE(1, 1) "/*)", "3"},
    {"name(" CASE(1, 1) "/*[1])", "flakyFailure"},
    {"name(" CASE(1, 1) "/*[2])", "flakyError"},
    {"name(" CASE(1, 1) "/*[3])", "system-out"},
    {CASE(1, 1) "/flakyFailure/@type", "failed"},
    {CASE(1, 1) "/flakyError/@type", "adapter-error"},
    {"starts-with(" CASE(1, 1) "/flakyFailure/stackTrace, 'attempt 1: red reported')",
     "true"},
    {"contains(" CASE(1, 1) "/flakyError/stackTrace, 'at a.js:1')", "true"},
    {"contains(" CASE(1, 1) "/flakyFailure/system-out, 'is played by a (web)')", "true"},
    {"contains(" CASE(1, 1) "/flakyFailure/system-out, 'red_x?attempt=1 (7 bytes)')",
     "true"},
    {"contains(" CASE(1, 1) "/flakyError/system-out, 'is played by a2 (web)')", "true"},
    {"contains(" CASE(1, 1) "/system-out, 'is played by a3 (web)')", "true"},
    {"contains(" CASE(1, 1) "/system-out, 'files/red_x (8 bytes)')", "true"},
    {"contains(" CASE(1, 1) "/system-out, 'played by a ')", "false"},
    {"name(" CASE(1, 2) "/*[1])", "failure"},
    {"name(" CASE(1, 2) "/*[2])", "rerunFailure"},
    {"name(" CASE(1, 2) "/*[3])", "rerunError"},
    {"name(" CASE(1, 2) "/*[4])", "system-out"},
    {"count(" CASE(1, 2) "/*)", "4"},
    {"name(" CASE(1, 3) "/*[1])", "skipped"},
    {"starts-with(" CASE(
         1, 3) "/skipped/@message, 'waiting for clients: is tried again "
               "after attempt 1 ended (error: red (web, client c) was lost')",
     "true"},
    {"name(" CASE(1, 3) "/*[2])", "rerunError"},
    {"count(" CASE(1, 3) "/*)", "2"},
    {CASE(1, 3) "/@time", "0.000"},
    {CASE(1, 4) "/error/@type", "cancelled"},
    {"name(" CASE(1, 4) "/*[2])", "rerunFailure"},
    {"count(" CASE(1, 4) "/*)", "2"},
    {"name(" CASE(1, 5) "/*[1])", "error"},
    {"name(" CASE(1, 5) "/*[2])", "rerunFailure"},
    {"count(" CASE(1, 6) "/*)", "1"},
};

START_TEST(junit_tells_of_earlier_attempts)
{
    xmlDoc *document = junit();
    char *value = xpath(document, rewritten[_i].expression);

    ck_assert_str_eq(value, rewritten[_i].value);
    validate(document);
    xmlFree(value);
    xmlFreeDoc(document);
}
END_TEST

START_TEST(junit_of_an_unknown_run)
{
    struct instant now = fixture_at(0);
    size_t size;

    ck_assert_ptr_null(junit_document(world.engine, "nobody", "host", &now, &size));
    char *text = junit_document(world.engine, FIXTURE_RUN, "host", &now, &size);
    ck_assert_ptr_nonnull(text);
    free(text);
}
END_TEST

static const struct {
    const char *text;
    const char *clean;
} cleaned[] = {
    {"", ""},
    {"plain\ttext\r\n", "plain\ttext\r\n"},
    {"a\x01z\x1f", "a\xef\xbf\xbdz\xef\xbf\xbd"},
    {"\x7f\xc2\x85", "\x7f\xc2\x85"},
    {"\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd"},
    {"\xef\xbf\xbe", "\xef\xbf\xbd"},
    {"\xef\xbf\xbf!", "\xef\xbf\xbd!"},
    {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
    {"\xf0\x9f\x98", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
};

START_TEST(text_is_cleaned)
{
    char *clean = markup_clean(cleaned[_i].text);

    ck_assert_str_eq(clean, cleaned[_i].clean);
    free(clean);
}
END_TEST

/* --- graphs --- */

/* Whether dot takes the text; true if there is no dot. */
static bool dot_takes(const char *dot)
{
    if (system("command -v dot >/dev/null 2>&1") != 0)
        return true;
    FILE *pipe = popen("dot -Tdot >/dev/null 2>&1", "w");
    ck_assert_ptr_nonnull(pipe);
    fputs(dot, pipe);
    return pclose(pipe) == 0;
}

START_TEST(a_machine_is_drawn)
{
    struct machine *machine = fixture_machine(
        "{'name': 'N', 'clients': {'red': ['web']}, 'initial': "
        "'x\\\\\\\"y\\n<z>',"
        " 'states': {'x\\\\\\\"y\\n<z>': {'actions': {'red': {'action': 'look',"
        "   'responses': {'*': 'set'}}}},"
        " 'set': {'set': {'s': '<b>\\\"\\\\N'}, 'next': 'wait'},"
        " 'wait': {'wait': 1.5, 'next': 'complete'}}}");
    char *dot = graph_machine(machine);

    ck_assert_msg(dot_takes(dot), "%s", dot);
    ck_assert_ptr_nonnull(strstr(dot, "<B>wait</B></TD></TR><TR><TD>wait 1.5</TD>"));
    ck_assert_ptr_nonnull(strstr(dot, "<TD>red: look</TD>"));
    ck_assert_ptr_nonnull(strstr(dot, "label=\" red: * \""));
    ck_assert_ptr_nonnull(strstr(dot, "\"complete\" ["));
    ck_assert_ptr_null(strstr(dot, "class=\"current\""));
    ck_assert_ptr_null(strstr(dot, "class=\"taken\""));
    free(dot);
    machine_release(machine);
}
END_TEST

static size_t count_of(const char *text, const char *fragment)
{
    size_t count = 0;

    for (const char *p = text; (p = strstr(p, fragment)) != NULL; p++)
        count++;
    return count;
}

START_TEST(a_case_is_drawn_where_it_stands)
{
    char *whole = graph_case(world.engine, world_case(&world, 0)->id, false);
    char *context = graph_case(world.engine, world_case(&world, 3)->id, true);
    char *waiting = graph_case(world.engine, world_case(&world, 4)->id, true);

    ck_assert(dot_takes(whole) && dot_takes(context) && dot_takes(waiting));
    ck_assert_uint_eq(count_of(whole, "class=\"current"), 1);
    ck_assert_uint_eq(count_of(whole, "class=\"taken\""), 2); /* a state and an edge */
    ck_assert_uint_eq(count_of(context, "class=\"current"), 1);
    ck_assert_uint_eq(count_of(context, "class=\"taken\""), 0);
    ck_assert_ptr_null(strstr(waiting, "class=\"current\""));
    ck_assert_ptr_nonnull(strstr(waiting, "stylesheet=")); /* it is on a page, too */
    ck_assert_ptr_null(graph_case(world.engine, FIXTURE_RUN, false));
    ck_assert_ptr_nonnull(strstr(whole, "class=\"current success\""));
    ck_assert_ptr_nonnull(strstr(context, "class=\"current\""));
    free(whole);
    free(context);
    free(waiting);
}
END_TEST

/* Client a was asked at 1.0 s and answered at 2.5 s; its transcript begins with who plays. */
START_TEST(a_drawn_case_leads_to_its_transcript)
{
    char *won = graph_case(world.engine, world_case(&world, 0)->id, false);
    char *lost = graph_case(world.engine, world_case(&world, 1)->id, false);
    char *going = graph_case(world.engine, world_case(&world, 3)->id, false);

    ck_assert_ptr_nonnull(
        strstr(won, "HREF=\"status#line-2\" TARGET=\"_parent\" TITLE=\"line 2 of the "
                    "transcript\"><B>one</B></TD></TR><TR><TD>1.5 s</TD>"));
    ck_assert_ptr_nonnull(strstr(won, "line-3\" TARGET=\"_parent\" TITLE=\"line 3 of the "
                                      "transcript\">red: look</TD>"));
    ck_assert_ptr_nonnull(strstr(won, "href=\"status#line-4\", target=\"_parent\""));
    ck_assert_ptr_nonnull(strstr(won, "<B>complete</B></TD></TR><TR><TD>ended here<"));
    ck_assert_ptr_nonnull(strstr(lost, "<TD>1.5 s, ended here</TD>"));
    ck_assert_ptr_nonnull(strstr(lost, "class=\"current failed\""));
    ck_assert_ptr_nonnull(strstr(going, "<TD>now, since "));
    ck_assert_ptr_null(strstr(going, "ended here"));
    free(going);
    free(lost);
    free(won);
}
END_TEST

START_TEST(a_case_between_attempts_is_drawn)
{
    for (size_t i = 0; i < 6; i++) {
        char *whole = graph_case(world.engine, world_case(&world, i)->id, false);
        char *context = graph_case(world.engine, world_case(&world, i)->id, true);
        ck_assert(whole != NULL && context != NULL);
        ck_assert_uint_eq(count_of(whole, "class=\"current"), 1); /* of the last one */
        free(context);
        free(whole);
    }
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof *(table))

int main(void)
{
    Suite *suite = suite_create("reports");
    TCase *tcase = tcase_create("reports");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, the_status_tells, 0, ROWS(told));
    tcase_add_test(tcase, one_thing_can_be_asked_for);
    tcase_add_loop_test(tcase, junit_tells, 0, ROWS(written));
    tcase_add_test(tcase, junit_is_valid);
    tcase_add_test(tcase, junit_stands_hostile_text);
    tcase_add_loop_test(tcase, text_is_cleaned, 0, ROWS(cleaned));
    tcase_add_test(tcase, a_machine_is_drawn);
    tcase_add_test(tcase, a_case_is_drawn_where_it_stands);
    tcase_add_test(tcase, a_drawn_case_leads_to_its_transcript);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("retried");
    tcase_add_checked_fixture(tcase, setup_retried, teardown);
    tcase_add_loop_test(tcase, junit_tells_of_earlier_attempts, 0, ROWS(rewritten));
    tcase_add_test(tcase, junit_of_an_unknown_run);
    tcase_add_test(tcase, a_case_between_attempts_is_drawn);
    suite_add_tcase(suite, tcase);
    int failed = fixture_run(suite);
    xmlSchemaCleanupTypes();
    xmlCleanupParser();
    return failed;
}
