/* SPDX-License-Identifier: Apache-2.0 */
/* Cases that are tried again: how often, with whom, on which servers, and what is told of
 * it. */
#include "fixture.h"
#include "json.h"
#include "junit.h"
#include "status.h"
#include "xalloc.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* One role that looks at the nonce; `more` are members of the test. */
#define LOOK(name, more)                                                                 \
    "{'name': '" name "', 'clients': {'red': ['web']}, " more                            \
    " 'steps': [{'red': 'look', 'data': {'at': '${case.nonce} ${case.attempt}'}}]}"
#define MADE "'servers': {'type': 'made', 'names': ['server']},"

static struct world world;

static void setup(void)
{
    world_init(&world);
}

static void teardown(void)
{
    world_clear(&world);
}

static void begin(const char *text, unsigned retries)
{
    world.retries = retries;
    world_add(&world, text, 1);
    world_begin(&world);
}

/* A client "a", "b" … that has not been there yet. */
static const char *register_next(void)
{
    static char id[2] = "`";

    if (engine_client_count(world.engine) == 0)
        *id = '`';
    ++*id;
    ck_assert_int_eq(world_register(&world, id, "web"), ENGINE_OK);
    return id;
}

static struct json_object *case_document(void)
{
    struct status_view view = {"1.0", fixture_at(world.ms), NULL, NULL, NULL};

    return status_case(world.engine, world_case(&world, 0)->id, &view);
}

/* The value at a path in what is told of the case, as text. Valid until the next call. */
static const char *at(const char *path)
{
    static char text[3000];
    struct json_object *document = case_document(), *value = NULL;

    if (json_pointer_get(document, path, &value) != 0)
        snprintf(text, sizeof text, "(none)");
    else
        snprintf(text, sizeof text, "%s",
                 json_object_is_type(value, json_type_string)
                     ? json_object_get_string(value)
                     : json_text(value));
    json_object_put(document);
    return text;
}

/* How many cases succeeded after another attempt. */
static int64_t flaky(void)
{
    struct json_object *run = status_run_head(world.engine, FIXTURE_RUN);
    int64_t count =
        json_object_get_int64(json_member(json_member(run, "totals"), "flaky"));

    json_object_put(run);
    return count;
}

/* --- how often --- */

static const struct {
    const char *text;
    unsigned retries;  /* of the run */
    unsigned attempts; /* that there are, if none succeeds */
} counts[] = {
    {LOOK("A", ""), 0, 1},
    {LOOK("A", ""), 2, 3},
    {LOOK("A", "'retries': 0,"), 2, 1},
    {LOOK("A", "'retries': 1,"), 0, 2},
    {LOOK("A", "'retries': 3,"), 1, 4},
};

START_TEST(the_definition_says_how_often)
{
    begin(counts[_i].text, counts[_i].retries);
    for (unsigned i = 0; i < counts[_i].attempts; i++) {
        ck_assert(!engine_is_done(world.engine));
        world_report(&world, register_next(), "failed");
    }
    ck_assert(engine_is_done(world.engine));
    ck_assert_int_eq(world_case(&world, 0)->state, CASE_FAILED);
    ck_assert_uint_eq(world_case(&world, 0)->turn_count, counts[_i].attempts);
    ck_assert_int_eq(flaky(), 0);
    register_next();
    ck_assert_str_eq(at("/state"), "failed");
    ck_assert_str_eq(at("/attempts/0/state"),
                     counts[_i].attempts > 1 ? "failed" : "(none)");
}
END_TEST

START_TEST(success_is_the_end)
{
    begin(LOOK("A", ""), 5);
    world_report(&world, register_next(), "failed");
    world_error(&world, register_next(), false);
    world_report(&world, register_next(), NULL);
    ck_assert(engine_is_done(world.engine) && engine_succeeded(world.engine));
    ck_assert_str_eq(world_told(&world, 0), "success c");
    ck_assert_str_eq(at("/message"), "");
    ck_assert_str_eq(at("/flaky"), "true");
    ck_assert_str_eq(at("/attempts/0/state"), "failed");
    ck_assert_str_eq(at("/attempts/1/state"), "error");
    ck_assert_str_eq(at("/attempts/2/state"), "success");
    ck_assert_int_eq(flaky(), 1);
    register_next();
    ck_assert_str_eq(world_told(&world, 0), "success c");
}
END_TEST

START_TEST(success_at_once_is_not_flaky)
{
    begin(LOOK("A", ""), 5);
    world_report(&world, register_next(), NULL);
    ck_assert_str_eq(at("/flaky"), "(none)");
    ck_assert_str_eq(at("/attempts"), "(none)");
    ck_assert_int_eq(flaky(), 0);
}
END_TEST

/* Every way not to succeed. */
enum ending { FAIL, GIVE_UP, LOSE, TIME_OUT, REFUSED, EARLY, ENDINGS };

START_TEST(whatever_went_wrong_is_tried_again)
{
    begin(LOOK("A", MADE), 1);
    const char *id = register_next();
    if (_i < REFUSED)
        world_created(&world, 0);
    if (_i == FAIL)
        world_report(&world, id, "failed");
    else if (_i == GIVE_UP || _i == EARLY)
        world_error(&world, id, _i == GIVE_UP);
    else if (_i == LOSE)
        world_lost(&world, id);
    else if (_i == TIME_OUT)
        world_pass(&world, 40 * 60 * 1000);
    else
        world_not_created(&world, 0, "docker is not there");
    ck_assert_str_eq(world_told(&world, 0), "waiting");
    ck_assert_str_eq(world_poll(&world, id), "exit");
    ck_assert_int_eq(world.deployments[0].destroyed, 1);
    id = register_next();
    ck_assert_str_eq(world_told(&world, 0), "preparing b");
    world_created(&world, 1);
    world_report(&world, id, NULL);
    ck_assert_str_eq(world_told(&world, 0), "success b");
    ck_assert_int_eq(flaky(), 1);
}
END_TEST

/* --- anew --- */

START_TEST(everything_is_new)
{
    char first[300];

    begin(LOOK("A", MADE), 1);
    world_register(&world, "a", "web");
    world_created(&world, 0);
    snprintf(first, sizeof first, "%s", engine_poll(world.engine, "a").answer);
    world.ms += 1000;
    world_report(&world, "a", "failed");
    ck_assert_str_eq(world_told(&world, 0), "waiting");
    ck_assert_str_eq(at("/state"), "waiting");
    ck_assert_str_eq(at("/message"),
                     "is tried again after attempt 1 ended (failed: red reported that "
                     "look failed in state 1 red look): red needs web: 0 free of 0");
    ck_assert_str_eq(at("/started"), "null");
    ck_assert_str_eq(at("/roles"), "{}");
    ck_assert_str_eq(at("/attempts/0/roles/red/client"), "a");
    ck_assert_str_eq(at("/attempts/1"), "(none)");
    world.ms += 1000;
    world_register(&world, "b", "web");
    ck_assert_str_eq(world_told(&world, 0), "preparing b");
    ck_assert_uint_eq(world.deployment_count, 2);
    ck_assert_str_ne(world.deployments[0].id, world.deployments[1].id);
    world_destroyed(&world, 0); /* which changes nothing of the others */
    world_created(&world, 0);
    ck_assert_str_eq(world_told(&world, 0), "preparing b");
    world_created(&world, 1);
    const char *second = engine_poll(world.engine, "b").answer;
    ck_assert_str_ne(first, second);
    ck_assert_ptr_nonnull(strstr(first, " 1\"}"));
    ck_assert_ptr_nonnull(strstr(second, " 2\"}"));
    ck_assert_int_ne(strncmp(strstr(first, "\"at\""), strstr(second, "\"at\""), 15), 0);
    ck_assert_int_eq(world.deployments[1].destroyed, 0);
    world.ms += 1500;
    world_report(&world, "b", NULL);
    ck_assert_str_eq(world_told(&world, 0), "success b");
    ck_assert_int_eq(world.deployments[0].destroyed, 1);
    ck_assert_int_eq(world.deployments[1].destroyed, 1);
}
END_TEST

START_TEST(attempts_are_told)
{
    begin(LOOK("A", ""), 1);
    world_register(&world, "a", "web");
    world.ms += 1000;
    world_report(&world, "a", "failed");
    world.ms += 1000;
    world_register(&world, "b", "web");
    world.ms += 1500;
    world_report(&world, "b", "failed");
    ck_assert_str_eq(at("/state"), "failed");
    ck_assert_str_eq(at("/roles/red/client"), "b");
    ck_assert_str_eq(at("/duration"), "1.500");
    ck_assert_str_eq(at("/attempts/0/number"), "1");
    ck_assert_str_eq(at("/attempts/0/started"), "2027-01-15T08:00:00.000Z");
    ck_assert_str_eq(at("/attempts/0/ended"), "2027-01-15T08:00:01.000Z");
    ck_assert_str_eq(at("/attempts/0/duration"), "1.000");
    ck_assert_str_eq(at("/attempts/0/message"),
                     "red reported that look failed in state 1 red look");
    ck_assert_str_eq(at("/attempts/0/details"), "{\"response\":\"failed\"}");
    ck_assert_str_eq(at("/attempts/0/transcript/0/text"), "is played by a (web)");
    ck_assert_str_eq(at("/attempts/1/transcript/0/text"), "is played by b (web)");
    ck_assert_str_eq(at("/transcript/0/text"), "is played by b (web)");
    ck_assert_str_eq(at("/attempts/1/number"), "2");
    ck_assert_str_eq(at("/attempts/2"), "(none)");
}
END_TEST

START_TEST(a_case_keeps_its_place)
{
    world.retries = 1;
    world_add(&world, LOOK("A", ""), 3);
    world_begin(&world);
    world_register(&world, "a", "web");
    world_register(&world, "b", "web");
    world_report(&world, "b", "failed");
    world_report(&world, "a", "failed");
    world_register(&world, "c", "web");
    ck_assert_str_eq(world_told(&world, 0), "running c");
    world_register(&world, "d", "web");
    ck_assert_str_eq(world_told(&world, 1), "running d");
    world_register(&world, "e", "web");
    ck_assert_str_eq(world_told(&world, 2), "running e");
}
END_TEST

START_TEST(who_waits_already_plays_at_once)
{
    begin(LOOK("A", ""), 2);
    world_register(&world, "a", "web");
    world_register(&world, "b", "web");
    world_register(&world, "c", "web");
    world_lost(&world, "a");
    ck_assert_str_eq(world_told(&world, 0), "running b");
    world_error(&world, "b", false);
    ck_assert_str_eq(world_told(&world, 0), "running c");
}
END_TEST

START_TEST(deployments_have_a_limit_over_attempts)
{
    world.settings.deployments = 1;
    begin(LOOK("A", MADE), 1);
    world_register(&world, "a", "web");
    world_register(&world, "b", "web");
    world_not_created(&world, 0, "no such image");
    ck_assert_str_eq(world_told(&world, 0), "waiting");
    ck_assert_str_eq(at("/message"),
                     "is tried again after attempt 1 ended (error: no such "
                     "image): waits for a free homerunner deployment");
    world_destroyed(&world, 0);
    ck_assert_str_eq(world_told(&world, 0), "preparing b");
}
END_TEST

/* --- late words --- */

START_TEST(late_words_are_of_their_attempt)
{
    struct upload_target target;
    char delivery[ID_SIZE];
    struct json_object *body = json_new_object();

    begin(LOOK("A", ""), 1);
    world_register(&world, "a", "web");
    memcpy(delivery, engine_poll(world.engine, "a").delivery, ID_SIZE);
    world_error(&world, "a", true);
    world_register(&world, "b", "web");
    ck_assert_int_eq(world_apply(&world, input_report("a", delivery, true, body), NULL),
                     ENGINE_WRONG_MOMENT);
    ck_assert_int_eq(world_apply(&world, input_report("a", "", false, body), NULL),
                     ENGINE_OK);
    world_error(&world, "a", false);
    world_lost(&world, "a");
    ck_assert_int_eq(
        world_apply(&world, input_uploaded("a", "red_a.mp4", 7, "green"), NULL),
        ENGINE_OK);
    ck_assert_str_eq(world_told(&world, 0), "running b");
    ck_assert_str_eq(world_poll(&world, "b"), "look");
    ck_assert_str_eq(at("/attempts/0/state"), "failed");
    ck_assert_str_eq(at("/attempts/0/files"), "[\"red_a.mp4\"]");
    ck_assert_str_eq(at("/files"), "[]");
    ck_assert_int_eq(engine_upload_target(world.engine, "a", &target, NULL), ENGINE_OK);
    ck_assert_uint_eq(target.attempt, 1);
    ck_assert_int_eq(engine_upload_target(world.engine, "b", &target, NULL), ENGINE_OK);
    ck_assert_uint_eq(target.attempt, 2);
    ck_assert_uint_eq(target.room, 1000);
    json_object_put(body);
}
END_TEST

START_TEST(files_are_of_their_attempt)
{
    struct upload_target target;
    const char *id;

    begin(LOOK("A", ""), 1);
    id = world_case(&world, 0)->id;
    world_register(&world, "a", "web");
    world_apply(&world, input_uploaded("a", "red_x", 1, NULL), NULL);
    world_apply(&world, input_uploaded("a", "red_y", 2, NULL), NULL);
    world_report(&world, "a", "failed");
    ck_assert(engine_find_file(world.engine, id, 0, "red_y", &target));
    world_register(&world, "b", "web");
    world_apply(&world, input_uploaded("b", "red_x", 3, NULL), NULL);
    ck_assert(engine_find_file(world.engine, id, 0, "red_x", &target));
    ck_assert_uint_eq(target.attempt, 2);
    ck_assert(engine_find_file(world.engine, id, 1, "red_x", &target));
    ck_assert_uint_eq(target.attempt, 1);
    ck_assert(engine_find_file(world.engine, id, 0, "red_y", &target));
    ck_assert_uint_eq(target.attempt, 1);
    ck_assert(!engine_find_file(world.engine, id, 2, "red_y", &target));
    ck_assert(!engine_find_file(world.engine, id, 3, "red_x", &target));
    ck_assert_str_eq(at("/attempts/0/files"), "[\"red_x\",\"red_y\"]");
    ck_assert_str_eq(at("/files"), "[\"red_x\"]");
}
END_TEST

START_TEST(a_late_answer_is_of_its_attempt)
{
    char ticket[100];
    struct json_object *reply = fixture_json("{'status': 200, 'headers': {}}");

    begin("{'name': 'A', 'clients': {'red': ['web']}, 'steps': ["
          " {'http': {'url': 'http://x/'}}, {'red': 'look'}]}",
          1);
    world_register(&world, "a", "web");
    ck_assert_int_eq(sscanf(world_notes(&world), "http %99s", ticket), 1);
    world_error(&world, "a", false);
    world_apply(&world, input_http_answered(ticket, reply, NULL), NULL);
    ck_assert_str_eq(world_told(&world, 0), "waiting");
    world_register(&world, "b", "web");
    world_apply(&world, input_http_answered(ticket, reply, NULL), NULL);
    ck_assert_str_eq(world_poll(&world, "b"), "idle");
    ck_assert_int_eq(sscanf(strstr(world_notes(&world), "http "), "http %99s", ticket),
                     1);
    world_apply(&world, input_http_answered(ticket, reply, NULL), NULL);
    ck_assert_str_eq(world_poll(&world, "b"), "look");
    json_object_put(reply);
}
END_TEST

/* --- no more attempts --- */

START_TEST(who_cancels_means_it)
{
    begin(LOOK("A", ""), 3);
    world_report(&world, register_next(), "failed");
    ck_assert_int_eq(
        world_apply(&world, input_cancel_case(world_case(&world, 0)->id, "by me"), NULL),
        ENGINE_OK);
    ck_assert_str_eq(at("/state"), "error");
    ck_assert_str_eq(at("/message"), "the case was cancelled by me");
    ck_assert_str_eq(at("/attempts/0/state"), "failed");
    ck_assert(engine_is_done(world.engine));
    register_next();
    ck_assert_str_eq(world_told(&world, 0), "error");
}
END_TEST

/* The outcome is that of the last attempt there was, in every document. */
static void check_failed_at_last(void)
{
    struct instant moment = fixture_at(world.ms);
    size_t size;
    char *junit = junit_document(world.engine, NULL, "host", &moment, &size);
    struct json_object *run = status_run_head(world.engine, FIXTURE_RUN);
    struct json_object *totals = json_member(run, "totals");

    ck_assert_str_eq(at("/state"), "failed");
    ck_assert_ptr_nonnull(
        strstr(at("/message"), "red reported that look failed in state 1 red look"));
    ck_assert_int_eq(json_object_get_int64(json_member(totals, "failed")), 1);
    ck_assert_int_eq(json_object_get_int64(json_member(totals, "waiting")), 0);
    ck_assert_ptr_nonnull(strstr(junit, "failures=\"1\""));
    ck_assert_ptr_nonnull(strstr(junit, "skipped=\"0\""));
    ck_assert_ptr_nonnull(strstr(junit, "<failure "));
    ck_assert_ptr_null(strstr(junit, "<skipped"));
    json_object_put(run);
    free(junit);
}

START_TEST(a_stop_before_another_attempt)
{
    begin(LOOK("A", ""), 3);
    world_report(&world, register_next(), "failed");
    world_stop(&world);
    check_failed_at_last();
    world_apply(&world, input_resume(), NULL);
    check_failed_at_last();
    ck_assert(!engine_succeeded(world.engine));
}
END_TEST

START_TEST(a_stop_before_the_first_attempt)
{
    struct instant moment = fixture_at(0);
    size_t size;

    begin(LOOK("A", ""), 3);
    world_stop(&world);
    ck_assert_str_eq(at("/state"), "waiting");
    char *junit = junit_document(world.engine, NULL, "host", &moment, &size);
    ck_assert_ptr_nonnull(strstr(junit, "skipped=\"1\""));
    free(junit);
}
END_TEST

START_TEST(nobody_comes_to_another_attempt)
{
    world.settings.unfilled_timeout_ms = 60000;
    begin(LOOK("A", ""), 3);
    world_pass(&world, 50000);
    const char *id = register_next();
    world_pass(&world, 20000);
    world_report(&world, id, "failed");
    world_pass(&world, 59999);
    ck_assert_str_eq(at("/state"), "waiting");
    world_pass(&world, 1);
    check_failed_at_last();
    ck_assert_str_eq(at("/attempts/1"), "(none)");
    ck_assert(engine_is_done(world.engine));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("retries");
    TCase *tcase = tcase_create("retries");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, the_definition_says_how_often, 0,
                        sizeof counts / sizeof *counts);
    tcase_add_test(tcase, success_is_the_end);
    tcase_add_test(tcase, success_at_once_is_not_flaky);
    tcase_add_loop_test(tcase, whatever_went_wrong_is_tried_again, 0, ENDINGS);
    tcase_add_test(tcase, everything_is_new);
    tcase_add_test(tcase, attempts_are_told);
    tcase_add_test(tcase, a_case_keeps_its_place);
    tcase_add_test(tcase, who_waits_already_plays_at_once);
    tcase_add_test(tcase, deployments_have_a_limit_over_attempts);
    tcase_add_test(tcase, late_words_are_of_their_attempt);
    tcase_add_test(tcase, files_are_of_their_attempt);
    tcase_add_test(tcase, a_late_answer_is_of_its_attempt);
    tcase_add_test(tcase, who_cancels_means_it);
    tcase_add_test(tcase, a_stop_before_another_attempt);
    tcase_add_test(tcase, a_stop_before_the_first_attempt);
    tcase_add_test(tcase, nobody_comes_to_another_attempt);
    suite_add_tcase(suite, tcase);
    return fixture_run(suite);
}
