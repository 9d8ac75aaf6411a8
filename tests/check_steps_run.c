/* SPDX-License-Identifier: Apache-2.0 */
/* Attempts through steps: conditions, finds, requests, waits; time is handed in. */
#include "attempt.h"
#include "fixture.h"
#include "json.h"
#include "xalloc.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define STEPS(steps)                                                                     \
    "{'name': 'N', 'clients': {'red': ['web'], 'green': ['web']},"                       \
    " 'servers': {'type': 'any', 'names': ['server']},"                                  \
    " 'variables': {'room': 'lobby', 'nothing': null, 'pause': '4s',"                    \
    "   'people': [{'name': 'a', 'age': 1}, {'name': 'b', 'age': 1}]},"                  \
    " 'steps': [" steps "]}"

enum { RED, GREEN };
static struct machine *machine;
static struct attempt *attempt;
static struct settings settings;
static int64_t ms; /* what time it is */

static struct machine *compile(const char *text)
{
    struct mistakes *mistakes = mistakes_new();
    struct definition *definition = fixture_definition(text, NULL);
    struct machine *compiled = compile_case(definition, 0, &settings, mistakes);

    fixture_print(mistakes);
    ck_assert_uint_eq(mistakes_count(mistakes), 0);
    mistakes_free(mistakes);
    definition_free(definition);
    return compiled;
}

/* Begin an attempt of these steps. */
static void begin(const char *text)
{
    struct json_object *registration = fixture_json("{'type': 'web'}");
    struct json_object *root = fixture_json(text);
    struct json_object *servers = fixture_json("[{'name': 'server', 'server_name': 'hs1',"
                                               "  'cs_api': 'http://localhost:8008/'}]");
    struct json_object *colours = fixture_json("{'red_7.png': 'blue'}");
    struct player players[] = {{"red", "client-r", "web", registration},
                               {"green", "client-g", "web", registration}};
    struct scope_parts parts = {
        .attempt_id = "0123abcd-1111-4111-8111-111111111111",
        .case_id = "22222222-1111-4111-8111-111111111111",
        .case_name = "red=web green=web",
        .attempt_number = 1,
        .run_id = FIXTURE_RUN,
        .players = players,
        .player_count = 2,
        .servers = servers,
        .colours = colours,
        .variables = json_member(root, "variables"),
    };
    struct instant now = fixture_at(ms);

    machine = compile(text);
    attempt = attempt_new(machine, &parts, 1000000, 1000, &now);
    json_object_put(colours);
    json_object_put(servers);
    json_object_put(root);
    json_object_put(registration);
}

static void setup(void)
{
    ms = 0;
    machine = NULL;
    attempt = NULL;
    settings_init(&settings);
}

static void teardown(void)
{
    attempt_free(attempt);
    machine_release(machine);
    settings_clear(&settings);
}

static void report(size_t seat, const char *body)
{
    struct instant now = fixture_at(ms);
    struct json_object *object = fixture_json(body);
    char delivery[ID_SIZE];

    memcpy(delivery, attempt->seats[seat].delivery, ID_SIZE);
    ck_assert_int_eq(attempt_report(attempt, seat, delivery, object, false, &now),
                     REPORT_TAKEN);
    json_object_put(object);
}

static void pass(int64_t more)
{
    ms += more;
    struct instant now = fixture_at(ms);
    attempt_time(attempt, &now);
}

/* A reply (NULL: none, for this cause) to the request with this ticket. */
static void answer(const char *ticket, const char *reply, const char *cause)
{
    struct instant now = fixture_at(ms);
    struct json_object *object = reply != NULL ? fixture_json(reply) : NULL;

    attempt_http_answered(attempt, ticket, object, cause, &now);
    json_object_put(object);
}

static void answer_now(const char *reply, const char *cause)
{
    char ticket[ID_SIZE];

    memcpy(ticket, attempt->ticket, ID_SIZE);
    ck_assert_uint_eq(strlen(ticket), ID_SIZE - 1);
    answer(ticket, reply, cause);
}

static const char *state(void)
{
    return machine->states[attempt->state].name;
}

static void ended(enum outcome outcome, const char *type, const char *message)
{
    ck_assert_int_eq(attempt->verdict.outcome, outcome);
    ck_assert_str_eq(attempt->verdict.message, message);
    ck_assert_str_eq(attempt->verdict.type, type);
    ck_assert_int_eq(attempt_deadline(attempt), INT64_MAX);
}

#define SUCCEEDED() ended(OUTCOME_SUCCESS, "complete", "")
#define GOES_ON()   ck_assert_int_eq(attempt->verdict.outcome, OUTCOME_NONE)

/* Whether the transcript has a line with this in it. */
static bool told(const char *fragment)
{
    for (size_t i = 0; i < attempt->transcript.count; i++) {
        if (strstr(attempt->transcript.lines[i].text, fragment) != NULL)
            return true;
    }
    return false;
}

/* --- conditions --- */

START_TEST(an_assert_that_holds_goes_on)
{
    begin(STEPS("{'assert': {'equals': ['${room}', 'lobby']}},"
                "{'assert': {'colour': ['red_7.png', 'blue']}}, {'red': 'look'}"));
    ck_assert_str_eq(state(), "3 red look");
    report(RED, "{}");
    SUCCEEDED();
}
END_TEST

START_TEST(an_assert_that_does_not_hold_is_a_failure)
{
    begin(STEPS("{'red': 'look', 'save': 'lobby'},"
                "{'assert': {'equals': ['${lobby.data.call_name}', '${room}']},"
                " 'name': 'the same lobby'}, {'red': 'look'}"));
    report(RED, "{'data': {'call_name': 'other'}}");
    ended(OUTCOME_FAILED, "assertion",
          "in state 2 the same lobby: expected call_name to be \"lobby\", red reported "
          "\"other\"");
    ck_assert_ptr_null(attempt_answer(attempt, RED));
}
END_TEST

START_TEST(an_assert_of_what_is_missing_is_a_failure)
{
    begin(STEPS("{'red': 'look', 'save': 'lobby'},"
                "{'assert': {'not': {'equals': ['${lobby.data.x}', 1]}}}"));
    report(RED, "{}");
    ended(OUTCOME_FAILED, "assertion", "in state 2 assert: ${lobby.data.x} has no value");
}
END_TEST

START_TEST(checks_are_gathered)
{
    begin(STEPS("{'check': {'equals': ['${room}', 'a']}},"
                "{'check': {'equals': ['${room}', 'lobby']}},"
                "{'check': {'exists': '${server.cs_api}'}},"
                "{'check': {'less': [2, 1]}, 'name': 'numbers'}, {'red': 'look'}"));
    GOES_ON();
    ck_assert(told("a check does not hold in state 1 check: expected room to be \"a\""));
    report(RED, "{}");
    ended(OUTCOME_FAILED, "check",
          "2 checks do not hold; the first: in state 1 check: expected room to be \"a\", "
          "found \"lobby\"");
    ck_assert_str_eq(attempt->verdict.details,
                     "in state 1 check: expected room to be \"a\", found \"lobby\"\n"
                     "in state 4 numbers: expected 2 to be less than 1, found 2\n");
}
END_TEST

START_TEST(one_check_that_does_not_hold)
{
    begin(STEPS("{'check': {'less': [2, 1]}}"));
    ended(OUTCOME_FAILED, "check",
          "1 check does not hold; the first: in state 1 check: expected 2 to be less "
          "than 1, found 2");
}
END_TEST

START_TEST(an_assert_comes_before_the_checks)
{
    begin(STEPS("{'check': {'less': [2, 1]}}, {'assert': {'less': [3, 1]}}"));
    ended(OUTCOME_FAILED, "assertion",
          "in state 2 assert: expected 3 to be less than 1, found 3");
}
END_TEST

/* --- finds --- */

START_TEST(a_find_finds_one)
{
    begin(STEPS("{'find': '${people}', 'where': {'name': 'b'}, 'save': 'one'},"
                "{'assert': {'equals': ['${one}', {'age': 1, 'name': 'b'}]}},"
                "{'set': {'by_name': {'x': {'n': 1}, 'y': {'n': 2}}, 'n': 2}},"
                "{'find': '${by_name}', 'where': {'n': '${n}'}, 'save': 'one'},"
                "{'assert': {'equals': ['${one.n}', 2]}},"
                "{'find': '${one}', 'save': 'one'}," /* out of what had its name */
                "{'assert': {'equals': ['${one}', 2]}}"));
    SUCCEEDED();
}
END_TEST

static const struct {
    const char *find;
    const char *why; /* after "${one.age} has no value: " */
} not_one[] = {
    {"'${people}', 'where': {'name': 'c'}",
     "find in ${people} where {\"name\":\"c\"} gave 0, not one"},
    {"'${people}', 'where': {'age': 1}",
     "find in ${people} where {\"age\":1} gave 2, not one"},
    {"'${people}'", "find in ${people} gave 2, not one"},
    {"'${room}'", "find in ${room} gave 0, not one"},
    {"'${nothing}'", "find in ${nothing} gave 0, not one"},
    {"'${red.registration.x}'", "${red.registration.x} has no value"},
    {"'${people}', 'where': {'name': 'z'}, 'save': 'gone'}, {'find': '${gone.x}'",
     "${gone.x} has no value: find in ${people} where {\"name\":\"z\"} gave 0, not one"},
    {"'${people}', 'where': {'name': '${red.registration.y}'}",
     "${red.registration.y} has no value"},
};

enum { LATER = 6 }; /* the row in which one find needs another */

START_TEST(a_find_that_does_not_find_one)
{
    char *find = xasprintf("{'set': {'one': {'age': 1}}}, {'find': %s, 'save': 'one'},",
                           not_one[_i].find);
    char *checked =
        xasprintf(STEPS("%s {'assert': {'equals': ['${one.age}', 1]}}"), find);
    char *used = xasprintf(STEPS("%s {'set': {'x': '${one.age}'}}"), find);
    char *why = xasprintf("in state %d assert: ${one.age} has no value: %s",
                          _i == LATER ? 4 : 3, not_one[_i].why);

    begin(checked);
    ended(OUTCOME_FAILED, "assertion", why);
    ck_assert(told(not_one[_i].why));
    teardown();
    setup();
    begin(used);
    ck_assert_int_eq(attempt->verdict.outcome, OUTCOME_ERROR);
    ck_assert_ptr_nonnull(
        strstr(attempt->verdict.message, "set: ${one.age} has no value: "));
    ck_assert_ptr_nonnull(strstr(attempt->verdict.message, not_one[_i].why));
    free(why);
    free(used);
    free(checked);
    free(find);
}
END_TEST

START_TEST(what_is_saved_anew_is_no_longer_what_it_was)
{
    begin(STEPS("{'red': 'look', 'save': 'one'},"
                "{'set': {'one': {'a': 1}}},"
                "{'check': {'equals': ['${one.a}', 2]}},"
                "{'find': '${people}', 'save': 'one'},"
                "{'set': {'one': {}}},"
                "{'check': {'exists': '${one.a}'}},"
                "{'green': 'look', 'save': 'one'},"
                "{'check': {'equals': ['${one.response}', 'x']}}"));
    report(RED, "{}");
    report(GREEN, "{}");
    ck_assert_str_eq(attempt->verdict.details,
                     "in state 3 check: expected one.a to be 2, found 1\n"
                     "in state 6 check: ${one.a} has no value\n"
                     "in state 8 check: expected response to be \"x\", green reported "
                     "\"seen\"\n");
}
END_TEST

START_TEST(values_do_not_nest_for_ever)
{
    begin(STEPS("{'set': {'x': 1}},"
                "{'repeat': 200, 'as': 'i', 'steps': [{'set': {'x': ['${x}']}}]}"));
    ck_assert_int_eq(attempt->verdict.outcome, OUTCOME_ERROR);
    ck_assert_ptr_nonnull(strstr(attempt->verdict.message, "nested more than 100 deep"));
}
END_TEST

/* --- requests --- */

#define ASK(more)                                                                        \
    STEPS("{'http': {'method': 'POST', 'url': '${server.cs_api}/a//b', 'json':"          \
          " {'user': '${red.localpart}'}, 'headers': {'X': 'a ${room}'}" more            \
          "}, 'save': 'reply', 'name': 'ask'},"                                          \
          "{'red': 'say', 'data': {'message': '${reply.status} ${reply.json.a.0} "       \
          "${reply.headers.x-y} ${reply.text}'}}")

START_TEST(a_request_is_made_once)
{
    begin(ASK(""));
    ck_assert_str_eq(state(), "1 ask");
    ck_assert_str_eq(json_text(attempt->request),
                     "{\"method\":\"POST\",\"url\":\"http://localhost:8008/a//b\","
                     "\"json\":{\"user\":\"user_red_0123abcd\"},"
                     "\"headers\":{\"X\":\"a lobby\"}}");
    ck_assert(told("asks POST http://localhost:8008/a//b"));
    answer("another", "{'status': 200}", NULL);
    answer("", "{'status': 200}", NULL);
    ck_assert_str_eq(state(), "1 ask");
    answer_now("{'status': 200, 'headers': {'x-y': 'z'}, 'json': {'a': [5]},"
               " 'text': 't'}",
               NULL);
    ck_assert_str_eq(state(), "2 red say");
    ck_assert_ptr_nonnull(strstr(attempt_answer(attempt, RED), "\"200 5 z t\""));
    ck_assert_str_eq(attempt->ticket, "");
    report(RED, "{}");
    SUCCEEDED();
}
END_TEST

START_TEST(each_request_has_its_ticket)
{
    char first[ID_SIZE];

    begin(STEPS("{'repeat': 2, 'as': 'i', 'steps': ["
                " {'http': {'url': 'https://a/${i}'}}]}"));
    memcpy(first, attempt->ticket, ID_SIZE);
    answer_now("{'status': 204}", NULL);
    ck_assert_str_eq(state(), "2 http");
    ck_assert_str_ne(attempt->ticket, first);
    ck_assert_str_eq(json_member_text(attempt->request, "url"), "https://a/2");
    answer(first, "{'status': 500}", NULL);
    answer(first, NULL, "it is late");
    GOES_ON();
    answer_now("{'status': 299}", NULL);
    SUCCEEDED();
}
END_TEST

START_TEST(statuses)
{
    static const struct {
        const char *more;
        int status;
        bool accepted;
    } rows[] = {
        {"", 199, false},
        {"", 200, true},
        {"", 299, true},
        {"", 302, false},
        {"", 404, false},
        {", 'status': [404]", 404, true},
        {", 'status': [404, 200]", 200, true},
        {", 'status': [404]", 200, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text =
            xasprintf(STEPS("{'http': {'url': '${server.cs_api}/a'%s}}, {'red': 'look'}"),
                      rows[i].more);
        char *reply = xasprintf("{'status': %d, 'text': 'no'}", rows[i].status);
        char *message = xasprintf("in state 1 http: the server answered with status %d",
                                  rows[i].status);
        begin(text);
        answer_now(reply, NULL);
        if (rows[i].accepted) {
            ck_assert_str_eq(state(), "2 red look");
        } else {
            ended(OUTCOME_FAILED, "http", message);
            ck_assert_ptr_nonnull(strstr(attempt->verdict.details, "\"text\":\"no\""));
        }
        teardown();
        setup();
        free(message);
        free(reply);
        free(text);
    }
}
END_TEST

START_TEST(no_answer_is_an_error)
{
    begin(ASK(""));
    answer_now(NULL, "http://localhost:8008/a can't be reached: Connection refused");
    ended(OUTCOME_ERROR, "http",
          "in state 1 ask: http://localhost:8008/a can't be reached: Connection refused");
}
END_TEST

START_TEST(an_answer_after_the_end_changes_nothing)
{
    char ticket[ID_SIZE];

    begin(ASK(""));
    memcpy(ticket, attempt->ticket, ID_SIZE);
    pass(1000000);
    ended(OUTCOME_ERROR, "timeout",
          "the case did not end within 1000s; it was in state 1 ask");
    answer(ticket, "{'status': 200}", NULL);
    answer(ticket, NULL, "it is late");
    ended(OUTCOME_ERROR, "timeout",
          "the case did not end within 1000s; it was in state 1 ask");
}
END_TEST

START_TEST(a_request_that_can_not_be_made)
{
    static const struct {
        const char *url;
        const char *message;
    } rows[] = {
        {"${room}", "in state 1 http: the url must begin with http:// or https://"},
        {"${people}", "in state 1 http: the url must begin with http:// or https://"},
        {"${nothing}", "in state 1 http: the url must begin with http:// or https://"},
        {"${red.registration.url}",
         "in state 1 http: ${red.registration.url} has no value"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = xasprintf(STEPS("{'http': {'url': '%s'}}"), rows[i].url);
        begin(text);
        ck_assert_int_eq(attempt->verdict.outcome, OUTCOME_ERROR);
        ck_assert_str_eq(attempt->verdict.message, rows[i].message);
        ck_assert_ptr_null(attempt->request);
        teardown();
        setup();
        free(text);
    }
}
END_TEST

/* --- waits --- */

START_TEST(waits_are_scaled)
{
    static const struct {
        double scale;
        const char *wait;
        int64_t lasts; /* ms */
    } rows[] = {
        {1, "5s", 5000},         {0.05, "5s", 250},
        {2, "5s", 10000},        {0, "5s", 1},
        {0.0001, "1ms", 1},      {1, "0", 1},
        {0.5, "${pause}", 2000}, {3, "${people.0.age}", 3000},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = xasprintf(STEPS("{'wait': '%s'}"), rows[i].wait);
        settings.wait_scale = rows[i].scale;
        begin(text);
        ck_assert_int_eq(attempt_deadline(attempt), fixture_at(rows[i].lasts).mono_ms);
        pass(rows[i].lasts - 1);
        GOES_ON();
        pass(1);
        SUCCEEDED();
        teardown();
        setup();
        free(text);
    }
}
END_TEST

START_TEST(a_wait_of_what_is_no_duration)
{
    static const char *const waits[] = {"${nothing}", "${people}", "${room}", "-1",
                                        "${people.0.name}"};
    const char *wait = waits[_i];
    char *text = xasprintf(STEPS("{'set': {'x': '%s'}}, {'wait': '${x}'}"), wait);

    begin(text);
    ck_assert_int_eq(attempt->verdict.outcome, OUTCOME_ERROR);
    ck_assert_ptr_nonnull(strstr(attempt->verdict.message, "in state 2 wait: "));
    ck_assert_ptr_nonnull(strstr(attempt->verdict.message, "is not a duration"));
    free(text);
}
END_TEST

START_TEST(in_parallel_all_report)
{
    begin(STEPS("{'parallel': [{'red': 'look', 'save': 'a'},"
                "              {'green': 'look', 'save': 'b', 'expect': 'seen'}]},"
                "{'assert': {'equals': ['${a.x}${b.x}', '12']}}"));
    report(GREEN, "{'x': 2}");
    GOES_ON();
    report(RED, "{'response': 'whatever', 'x': 1}");
    SUCCEEDED();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("steps run");
    TCase *tcase = tcase_create("attempts");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, an_assert_that_holds_goes_on);
    tcase_add_test(tcase, an_assert_that_does_not_hold_is_a_failure);
    tcase_add_test(tcase, an_assert_of_what_is_missing_is_a_failure);
    tcase_add_test(tcase, checks_are_gathered);
    tcase_add_test(tcase, one_check_that_does_not_hold);
    tcase_add_test(tcase, an_assert_comes_before_the_checks);
    tcase_add_test(tcase, a_find_finds_one);
    tcase_add_loop_test(tcase, a_find_that_does_not_find_one, 0,
                        sizeof not_one / sizeof *not_one);
    tcase_add_test(tcase, what_is_saved_anew_is_no_longer_what_it_was);
    tcase_add_test(tcase, values_do_not_nest_for_ever);
    tcase_add_test(tcase, a_request_is_made_once);
    tcase_add_test(tcase, each_request_has_its_ticket);
    tcase_add_test(tcase, statuses);
    tcase_add_test(tcase, no_answer_is_an_error);
    tcase_add_test(tcase, an_answer_after_the_end_changes_nothing);
    tcase_add_test(tcase, a_request_that_can_not_be_made);
    tcase_add_test(tcase, waits_are_scaled);
    tcase_add_loop_test(tcase, a_wait_of_what_is_no_duration, 0, 5);
    tcase_add_test(tcase, in_parallel_all_report);
    suite_add_tcase(suite, tcase);
    return fixture_run(suite);
}
