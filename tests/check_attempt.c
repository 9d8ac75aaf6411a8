/* SPDX-License-Identifier: Apache-2.0 */
/* One go of a case through its machine, step by step, at times that are handed in. */
#include "attempt.h"
#include "fixture.h"
#include "json.h"
#include "xalloc.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define HEAD                                                                             \
    "{'name': 'Name', 'clients': {'red': ['web'], 'green': ['web']}, 'initial': 'one',"  \
    " 'variables': {'room': 'lobby'},"

enum { RED, GREEN };
static struct machine *machine;
static struct attempt *attempt;
static int64_t ms; /* what time it is */

/* Begin the attempt of a definition; time-out of the case, lines of transcript. */
static void begin_with(const char *text, int64_t timeout_ms, size_t lines)
{
    struct json_object *registration = fixture_json("{'type': 'web', 'version': '1'}");
    struct json_object *variables = fixture_json("{'room': 'lobby'}");
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
        .variables = variables,
    };
    struct instant now = fixture_at(ms);

    machine = fixture_machine(text);
    attempt = attempt_new(machine, &parts, timeout_ms, lines, &now);
    json_object_put(registration);
    json_object_put(variables);
}

static void begin(const char *text)
{
    begin_with(text, 1000000, 1000);
}

static void setup(void)
{
    ms = 0;
    machine = NULL;
    attempt = NULL;
}

static void teardown(void)
{
    attempt_free(attempt);
    machine_release(machine);
}

static const char *state(void)
{
    return machine->states[attempt->state].name;
}

static const char *asked(size_t seat)
{
    return attempt->seats[seat].action ? attempt->seats[seat].action->name : "-";
}

static enum report_result report_json(size_t seat, const char *delivery, const char *body,
                                      bool strict)
{
    struct instant now = fixture_at(ms);
    struct json_object *object = fixture_json(body);
    enum report_result result =
        attempt_report(attempt, seat, delivery, object, strict, &now);

    json_object_put(object);
    return result;
}

/* A report about what is outstanding; NULL: without a name. */
static enum report_result report(size_t seat, const char *name)
{
    char delivery[ID_SIZE];
    char *body = name ? xasprintf("{'response': '%s'}", name) : xstrdup("{}");

    memcpy(delivery, attempt->seats[seat].delivery, ID_SIZE);
    enum report_result result = report_json(seat, delivery, body, false);
    free(body);
    return result;
}

static void pass(int64_t more)
{
    ms += more;
    struct instant now = fixture_at(ms);
    attempt_time(attempt, &now);
}

/* Whether the transcript has a line with this in it. */
static bool told(const char *fragment)
{
    for (size_t i = 0; i < attempt->transcript.count; i++) {
        if (strstr(attempt->transcript.lines[i].text, fragment) != NULL)
            return true;
    }
    return false;
}

static void ended(enum outcome outcome, const char *why)
{
    const char *message = attempt->verdict.message;

    ck_assert_int_eq(attempt->verdict.outcome, outcome);
    ck_assert_ptr_nonnull(message);
    ck_assert_msg(strstr(message, why) != NULL, "%s", message);
    ck_assert_int_eq(attempt_deadline(attempt), INT64_MAX);
}

#define GOES_ON() ck_assert_int_eq(attempt->verdict.outcome, OUTCOME_NONE)

/* --- answers --- */

static const char two_looks[] =
    HEAD " 'states': {'one': {'actions': {"
         "   'red': {'action': 'login', 'responses': {'logged_in': 'two'}},"
         "   'green': {'action': 'look'}}},"
         " 'two': {'actions': {"
         "   'red': {'action': 'say', 'data': {'message': 'in ${case.nonce}'},"
         "           'responses': {'said': 'complete', '*': 'failure'}},"
         "   'green': {'action': 'look'}}}}}";

START_TEST(a_poll_is_told_what_to_do)
{
    begin(two_looks);
    struct seat *red = &attempt->seats[RED];
    char *expected =
        xasprintf("{\"action\":\"login\",\"data\":{\"username\":\"user_red_0123abcd\"},"
                  "\"id\":\"%s\",\"responses\":[\"logged_in\"]}",
                  red->delivery);
    char *any =
        xasprintf("{\"action\":\"look\",\"data\":{},\"id\":\"%s\",\"responses\":[]}",
                  attempt->seats[GREEN].delivery);

    ck_assert_str_eq(attempt_answer(attempt, RED), expected);
    ck_assert_str_eq(attempt_answer(attempt, GREEN), any);
    ck_assert_str_ne(red->delivery, attempt->seats[GREEN].delivery);
    ck_assert(red->changed && attempt->seats[GREEN].changed);
    free(expected);
    free(any);
}
END_TEST

START_TEST(a_map_moves_at_once)
{
    char green[ID_SIZE];

    begin(two_looks);
    memcpy(green, attempt->seats[GREEN].delivery, ID_SIZE);
    attempt->seats[RED].changed = attempt->seats[GREEN].changed = false;
    ck_assert_int_eq(report(RED, "logged_in"), REPORT_TAKEN);
    ck_assert_str_eq(state(), "two");
    ck_assert_str_eq(asked(RED), "say");
    ck_assert_ptr_nonnull(strstr(attempt_answer(attempt, RED), "in 0123abcd"));
    ck_assert(attempt->seats[RED].changed);
    /* the same work goes on under its id, and nobody is woken for it */
    ck_assert_str_eq(attempt->seats[GREEN].delivery, green);
    ck_assert(!attempt->seats[GREEN].changed);
    ck_assert_int_eq(report(RED, "said"), REPORT_TAKEN);
    ended(OUTCOME_SUCCESS, "");
    ck_assert_str_eq(asked(GREEN), "-");
    ck_assert(attempt->seats[GREEN].changed);
    ck_assert(told("success"));
}
END_TEST

START_TEST(what_goes_on_is_what_is_the_same)
{
    static const struct {
        const char *then; /* what green is asked in the second state */
        bool same;
    } rows[] = {
        {"{'action': 'say', 'data': {'message': 'a ${room}'}}", true},
        {"{'action': 'say', 'data': {'message': 'a lobby'}, 'responses': ['said']}",
         true},
        {"{'action': 'say', 'data': {'message': 'a lobby'}, 'timeout': 9}", true},
        {"{'action': 'say', 'data': {'message': 'another'}}", false},
        {"{'action': 'say', 'data': {'message': 'a lobby', 'x': 1}}", false},
        {"{'action': 'look', 'data': {'message': 'a lobby'}}", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = xasprintf(
            HEAD " 'states': {"
                 " 'one': {'actions': {"
                 "   'red': {'action': 'look', 'responses': {'seen': 'two'}},"
                 "   'green': {'action': 'say', 'data': {'message': 'a ${room}'}}}},"
                 " 'two': {'actions': {'green': %s}, 'next': 'complete'}}}",
            rows[i].then);
        char before[ID_SIZE];
        begin(text);
        memcpy(before, attempt->seats[GREEN].delivery, ID_SIZE);
        report(RED, "seen");
        ck_assert_msg((strcmp(attempt->seats[GREEN].delivery, before) == 0) ==
                          rows[i].same,
                      "%s", rows[i].then);
        ck_assert_str_eq(asked(RED), "-");
        report(GREEN, NULL);
        ended(OUTCOME_SUCCESS, "");
        teardown();
        free(text);
    }
    setup();
}
END_TEST

START_TEST(a_state_that_comes_back_asks_anew)
{
    char red[ID_SIZE], green[ID_SIZE];

    begin(HEAD " 'states': {'one': {'actions': {"
               "   'red': {'action': 'look', 'responses': {'seen': 'one', '*': "
               "'complete'}},"
               "   'green': {'action': 'look'}}}}}");
    memcpy(red, attempt->seats[RED].delivery, ID_SIZE);
    memcpy(green, attempt->seats[GREEN].delivery, ID_SIZE);
    report(RED, "seen");
    ck_assert_str_ne(attempt->seats[RED].delivery, red);
    ck_assert_str_eq(attempt->seats[GREEN].delivery, green);
    ck_assert_uint_eq(attempt->visits[attempt->state], 2);
    report(GREEN, "seen"); /* stays: red is still to report */
    ck_assert_str_eq(asked(GREEN), "-");
    report(RED, "seen"); /* and green is asked again, since it had reported */
    ck_assert_str_eq(asked(GREEN), "look");
    ck_assert_str_ne(attempt->seats[GREEN].delivery, green);
    ck_assert_uint_eq(attempt->taken_edges[machine_edge(machine, attempt->state, 0, 0)],
                      2);
}
END_TEST

static const char parallel[] =
    HEAD " 'states': {'one': {'actions': {"
         "   'red': {'action': 'login', 'responses': ['logged_in'], 'save': 'a'},"
         "   'green': {'action': 'look', 'save': 'b', 'timeout': '20s'}},"
         "   'next': 'two'},"
         " 'two': {'actions': {'green': {'action': 'say', 'data': {"
         "     'message': '${a.response} ${a.x.y} ${b.response} ${b.list.1}'}}},"
         "   'next': 'complete'}}}";

START_TEST(a_list_waits_for_all)
{
    begin(parallel);
    report_json(GREEN, attempt->seats[GREEN].delivery,
                "{'response': 'anything', 'list': [1, 2]}", false);
    ck_assert_str_eq(state(), "one");
    ck_assert_str_eq(asked(GREEN), "-");
    ck_assert_ptr_null(attempt_answer(attempt, GREEN));
    report_json(RED, attempt->seats[RED].delivery,
                "{'response': 'loggedin', 'x': {'y': true}}", false);
    ck_assert_str_eq(state(), "two");
    ck_assert_str_eq(asked(RED), "-");
    /* what was understood is saved, with what the report carried */
    ck_assert_ptr_nonnull(
        strstr(attempt_answer(attempt, GREEN), "\"logged_in true anything 2\""));
    report(GREEN, "said");
    ended(OUTCOME_SUCCESS, "");
}
END_TEST

/* --- states without actions --- */

START_TEST(a_wait_waits)
{
    begin(HEAD " 'states': {'one': {'wait': '5s', 'next': 'two'},"
               " 'two': {'set': {'pause': '0.5'}, 'next': 'three'},"
               " 'three': {'wait': '${pause}', 'next': 'complete'}}}");
    ck_assert_int_eq(attempt_deadline(attempt), fixture_at(5000).mono_ms);
    ck_assert_str_eq(asked(RED), "-");
    pass(4999);
    ck_assert_str_eq(state(), "one");
    pass(1);
    ck_assert_str_eq(state(), "three");
    ck_assert_int_eq(attempt_deadline(attempt), fixture_at(5500).mono_ms);
    pass(499);
    GOES_ON();
    pass(1);
    ended(OUTCOME_SUCCESS, "");
}
END_TEST

START_TEST(a_wait_takes_some_time)
{
    begin(HEAD " 'states': {'one': {'wait': 0, 'next': 'one'}}}");
    for (int i = 0; i < 100; i++) {
        ck_assert_int_gt(attempt_deadline(attempt), fixture_at(ms).mono_ms);
        pass(attempt_deadline(attempt) - fixture_at(ms).mono_ms);
        GOES_ON();
    }
}
END_TEST

START_TEST(a_wait_withdraws_what_is_outstanding)
{
    begin(HEAD " 'states': {'one': {'actions': {"
               "   'red': {'action': 'look', 'responses': {'*': 'two'}},"
               "   'green': {'action': 'look'}}},"
               " 'two': {'wait': 1, 'next': 'complete'}}}");
    char green[ID_SIZE];
    memcpy(green, attempt->seats[GREEN].delivery, ID_SIZE);
    report(RED, "seen");
    ck_assert_ptr_null(attempt_answer(attempt, GREEN));
    ck_assert_int_eq(report_json(GREEN, green, "{}", true), REPORT_STALE);
    ck_assert_str_eq(state(), "two");
}
END_TEST

START_TEST(set_is_there_from_the_next_state_on)
{
    begin(HEAD " 'states': {'one': {'set': {'x': {'y': [1, '${room}']}}, 'next': 'two'},"
               " 'two': {'set': {'x': '${x.y.1}', 'z': '${x.y}'}, 'next': 'three'},"
               " 'three': {'actions': {'red': {'action': 'say',"
               "    'data': {'message': '${x} ${z}'}}}, 'next': 'complete'}}}");
    ck_assert_str_eq(state(), "three");
    ck_assert_ptr_nonnull(
        strstr(attempt_answer(attempt, RED), "lobby [1,\\\"lobby\\\"]"));
    ck_assert(told("set {\"x\":{\"y\":[1,\"lobby\"]}}"));
}
END_TEST

START_TEST(values_do_not_grow_for_ever)
{
    begin(HEAD " 'states': {'one': {'set': {'x': ['lobby']}, 'next': 'two'},"
               " 'two': {'set': {'x': ['${x}', '${x}']}, 'next': 'three'},"
               " 'three': {'wait': '1s', 'next': 'two'}}}");
    for (int i = 0; i < 30; i++)
        pass(1000);
    ended(OUTCOME_ERROR, "in state two: what is set here has more than 1048576 bytes");
}
END_TEST

START_TEST(a_value_that_is_missing_is_an_error)
{
    begin(HEAD " 'states': {'one': {'actions': {'red': {'action': 'look', 'save': 'a'}},"
               "   'next': 'two'},"
               " 'two': {'actions': {'red': {'action': 'look'},"
               "    'green': {'action': 'say', 'data': {'message': '${a.what}'}}},"
               "   'next': 'complete'}}}");
    report(RED, "seen");
    ended(OUTCOME_ERROR, "in state two: ${a.what} has no value");
    ck_assert_str_eq(attempt->verdict.type, "value");
    ck_assert_str_eq(asked(RED), "-");
    teardown();
    begin(HEAD " 'states': {'one': {'wait': '${red.registration}', 'next': "
               "'complete'}}}");
    ended(OUTCOME_ERROR, "is not a duration");
}
END_TEST

START_TEST(the_ends_are_what_they_say)
{
    static const struct {
        const char *name;
        enum outcome outcome;
    } rows[] = {{"complete", OUTCOME_SUCCESS},
                {"failure", OUTCOME_FAILED},
                {"error", OUTCOME_ERROR}};

    for (size_t i = 0; i < 3; i++) {
        char *text = xasprintf(HEAD " 'states': {'one': {'actions': {'red': {'action': "
                                    "'look', 'responses': {'seen': '%s', 'error': "
                                    "'complete'}}}}}}",
                               rows[i].name);
        begin(text);
        report(RED, "seen");
        ck_assert_int_eq(attempt->verdict.outcome, rows[i].outcome);
        ck_assert_str_eq(state(), rows[i].name);
        teardown();
        free(text);
    }
    setup();
}
END_TEST

/* --- reports that end a case, and those that change nothing --- */

static const struct {
    const char *body;
    enum outcome outcome;
    const char *why;
    const char *type;
} bad_reports[] = {
    {"{'response': 'failed', 'log': 'x'}", OUTCOME_FAILED,
     "red reported that login failed in state one", "failed"},
    {"{'response': 'error'}", OUTCOME_ERROR,
     "red reported an error at login in state one", "error"},
    {"{'response': 'Logged in'}", OUTCOME_ERROR,
     "red answered login with \"Logged in\" in state one, which accepts logged_in",
     "unexpected-response"},
    {"{'response': 5}", OUTCOME_ERROR, "red answered login with \"5\"",
     "unexpected-response"},
    {"{'response': {'a': 1}}", OUTCOME_ERROR, "red answered login with",
     "unexpected-response"},
    {"{'response': 'a\\u0000b'}", OUTCOME_ERROR, "red answered login with",
     "unexpected-response"},
    {"{'response': ''}", OUTCOME_ERROR, "red answered login with \"\"",
     "unexpected-response"},
};

START_TEST(a_bad_report_ends_the_case)
{
    begin(two_looks);
    ck_assert_int_eq(
        report_json(RED, attempt->seats[RED].delivery, bad_reports[_i].body, false),
        REPORT_TAKEN);
    ended(bad_reports[_i].outcome, bad_reports[_i].why);
    ck_assert_str_eq(attempt->verdict.type, bad_reports[_i].type);
    ck_assert_ptr_nonnull(attempt->verdict.details);
}
END_TEST

START_TEST(a_strict_report_is_told_no)
{
    begin(two_looks);
    const char *red = attempt->seats[RED].delivery;

    ck_assert_int_eq(report_json(RED, red, "{'response': 'x'}", true),
                     REPORT_NOT_ACCEPTED);
    GOES_ON();
    ck_assert_str_eq(asked(RED), "login");
    ck_assert(told("refused the response x to login"));
    ck_assert_int_eq(report_json(RED, red, "{'response': 'loggedin'}", true),
                     REPORT_TAKEN);
    ck_assert_str_eq(state(), "two");
    report_json(RED, attempt->seats[RED].delivery, "{'response': 'failed'}", true);
    ended(OUTCOME_FAILED, "red reported that say failed");
}
END_TEST

START_TEST(one_report_is_taken_for_each_delivery)
{
    char red[ID_SIZE];

    begin(two_looks);
    memcpy(red, attempt->seats[RED].delivery, ID_SIZE);
    ck_assert_int_eq(report_json(RED, red, "{}", true), REPORT_TAKEN);
    ck_assert_str_eq(state(), "two");
    ck_assert_int_eq(report_json(RED, red, "{'response': 'failed'}", true),
                     REPORT_REPEATED);
    ck_assert_int_eq(report_json(RED, red, "{}", false), REPORT_REPEATED);
    ck_assert(told("reported again"));
    ck_assert_int_eq(report_json(RED, NULL, "{}", false), REPORT_STALE);
    ck_assert_int_eq(report_json(RED, "", "{}", true), REPORT_STALE);
    ck_assert_int_eq(report_json(RED, attempt->seats[GREEN].delivery, "{}", true),
                     REPORT_STALE);
    ck_assert_int_eq(report_json(RED, FIXTURE_RUN, "{}", true), REPORT_STALE);
    ck_assert(told("reported without being asked"));
    ck_assert_str_eq(state(), "two");
    GOES_ON();
}
END_TEST

START_TEST(after_the_end_nothing_changes)
{
    char red[ID_SIZE];

    begin(two_looks);
    memcpy(red, attempt->seats[RED].delivery, ID_SIZE);
    report(RED, "failed");
    struct instant now = fixture_at(++ms);
    char *message = xstrdup(attempt->verdict.message);
    ck_assert_int_eq(report_json(RED, red, "{}", true), REPORT_REPEATED);
    ck_assert_int_eq(report_json(GREEN, NULL, "{}", true), REPORT_STALE);
    attempt_adapter_error(attempt, GREEN, false, "late", "", &now);
    attempt_end(attempt, OUTCOME_SUCCESS, "x", "y", NULL, &now);
    pass(INT64_C(100000000));
    ended(OUTCOME_FAILED, message);
    ck_assert(told("late"));
    free(message);
}
END_TEST

START_TEST(an_adapter_can_give_up)
{
    for (int is_action = 0; is_action < 2; is_action++) {
        struct instant now = fixture_at(0);
        begin(two_looks);
        attempt_adapter_error(attempt, GREEN, is_action, "no such element", "a.js:12",
                              &now);
        ended(is_action ? OUTCOME_FAILED : OUTCOME_ERROR,
              "green's adapter gave up while doing look in state one: no such element");
        ck_assert_str_eq(attempt->verdict.details, "no such element\nat a.js:12");
        teardown();
    }
    setup();
}
END_TEST

/* --- time --- */

START_TEST(an_action_has_its_time)
{
    begin(parallel);
    ck_assert_int_eq(attempt_deadline(attempt), fixture_at(20000).mono_ms);
    pass(19999);
    GOES_ON();
    pass(1);
    ended(OUTCOME_ERROR, "green (web) was asked to look in state one at "
                         "2027-01-15T08:00:00.000Z and did not report within 20s");
    ck_assert_str_eq(attempt->verdict.type, "timeout");
    teardown();
    begin(parallel);
    report(GREEN, "seen"); /* what is reported has none any more */
    ck_assert_int_eq(attempt_deadline(attempt), fixture_at(ms + 180000).mono_ms);
}
END_TEST

START_TEST(time_runs_from_entering_the_state)
{
    begin(two_looks);
    pass(100000);
    report(RED, "logged_in");
    ck_assert_int_eq(attempt_deadline(attempt), fixture_at(280000).mono_ms);
    pass(179999);
    GOES_ON();
    pass(1);
    ended(OUTCOME_ERROR, "red (web) was asked to say in state two at "
                         "2027-01-15T08:01:40.000Z");
}
END_TEST

START_TEST(a_case_has_its_time)
{
    begin_with(HEAD " 'states': {'one': {'wait': '1h', 'next': 'complete'}}}", 90500, 10);
    ck_assert_int_eq(attempt_deadline(attempt), fixture_at(90500).mono_ms);
    pass(90500);
    ended(OUTCOME_ERROR, "the case did not end within 90500ms; it was in state one");
}
END_TEST

/* --- the transcript --- */

START_TEST(the_transcript_is_bounded)
{
    char *long_text = xcalloc(100001, 1);

    memset(long_text, 'x', 100000);
    begin_with(two_looks, 1000, 10);
    for (int i = 0; i < 100; i++)
        report_json(GREEN, NULL, "{'x': 1}", false);
    ck_assert_uint_eq(attempt->transcript.count, 10);
    ck_assert_uint_ge(attempt->transcript.dropped, 90);
    teardown();
    begin_with(two_looks, 1000, 10);
    char *body = xasprintf("{'response': '%s'}", long_text);
    report_json(RED, attempt->seats[RED].delivery, body, false);
    for (size_t i = 0; i < attempt->transcript.count; i++)
        ck_assert_uint_lt(strlen(attempt->transcript.lines[i].text), 2100);
    ck_assert_uint_lt(strlen(attempt->verdict.message), 1000);
    ck_assert_uint_lt(strlen(attempt->verdict.details), 30000);
    free(body);
    free(long_text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("attempt");
    TCase *tcase = tcase_create("attempt");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_poll_is_told_what_to_do);
    tcase_add_test(tcase, a_map_moves_at_once);
    tcase_add_test(tcase, what_goes_on_is_what_is_the_same);
    tcase_add_test(tcase, a_state_that_comes_back_asks_anew);
    tcase_add_test(tcase, a_list_waits_for_all);
    tcase_add_test(tcase, a_wait_waits);
    tcase_add_test(tcase, a_wait_takes_some_time);
    tcase_add_test(tcase, a_wait_withdraws_what_is_outstanding);
    tcase_add_test(tcase, set_is_there_from_the_next_state_on);
    tcase_add_test(tcase, values_do_not_grow_for_ever);
    tcase_add_test(tcase, a_value_that_is_missing_is_an_error);
    tcase_add_test(tcase, the_ends_are_what_they_say);
    tcase_add_loop_test(tcase, a_bad_report_ends_the_case, 0,
                        (int)(sizeof bad_reports / sizeof *bad_reports));
    tcase_add_test(tcase, a_strict_report_is_told_no);
    tcase_add_test(tcase, one_report_is_taken_for_each_delivery);
    tcase_add_test(tcase, after_the_end_nothing_changes);
    tcase_add_test(tcase, an_adapter_can_give_up);
    tcase_add_test(tcase, an_action_has_its_time);
    tcase_add_test(tcase, time_runs_from_entering_the_state);
    tcase_add_test(tcase, a_case_has_its_time);
    tcase_add_test(tcase, the_transcript_is_bounded);
    suite_add_tcase(suite, tcase);
    return fixture_run(suite);
}
