/* SPDX-License-Identifier: Apache-2.0 */
/* Runs one after another: who serves which, cancelling, time-outs of cases that nobody
 * fills, stopping. */
#include "fixture.h"
#include "json.h"
#include "status.h"
#include "xalloc.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_RUN "8e0f1c3e-5b8a-4f0e-9c2d-2f6d1a3b4c5d"
#define THIRD_RUN  "9f0f1c3e-5b8a-4f0e-9c2d-2f6d1a3b4c5d"

#define LOOK(name, type)                                                                 \
    "{'name': '" name "', 'clients': {'red': ['" type "']}, 'steps': [{'red': 'look'}]}"
#define MADE(name)                                                                       \
    "{'name': '" name "', 'clients': {'red': ['web']}, 'steps': [{'red': 'look'}],"      \
    " 'servers': {'type': 'made', 'names': ['server']}}"

static struct world world;

static void setup(void)
{
    world_init(&world);
}

static void teardown(void)
{
    world_clear(&world);
}

static struct testcase *case_of(const char *run_id, size_t index)
{
    struct run *run = engine_find_run(world.engine, run_id);
    struct suite *suite;

    ck_assert_ptr_nonnull(run);
    TAILQ_FOREACH (suite, &run->suites, link) {
        if (index < suite->case_count)
            return &suite->cases[index];
        index -= suite->case_count;
    }
    ck_abort_msg("there is no such case");
    return NULL;
}

/* Whether what people are told of a case has this in it. */
static bool case_says(const struct testcase *testcase, const char *fragment)
{
    char *message = status_message(world.engine, testcase);
    bool says = strstr(message, fragment) != NULL;

    if (!says)
        printf("%s\n", message);
    free(message);
    return says;
}

static enum engine_result cancel_run(const char *id)
{
    char *cause = NULL;
    enum engine_result result =
        world_apply(&world, input_cancel_run(id, "by me"), &cause);

    ck_assert_int_eq(result != ENGINE_OK, cause != NULL);
    free(cause);
    return result;
}

static enum engine_result cancel_case(const char *id)
{
    char *cause = NULL;
    enum engine_result result =
        world_apply(&world, input_cancel_case(id, "by me"), &cause);

    ck_assert_int_eq(result != ENGINE_OK, cause != NULL);
    free(cause);
    return result;
}

/* --- one after another --- */

START_TEST(runs_queue)
{
    struct status_view view = {"1.0", fixture_at(0), NULL, NULL, NULL};

    ck_assert_ptr_null(engine_next_run(world.engine));
    ck_assert_int_eq(engine_run_standing(world.engine, FIXTURE_RUN), RUN_IS_UNKNOWN);
    ck_assert(engine_is_done(world.engine));
    world_add(&world, LOOK("A", "web"), 1);
    world_begin(&world);
    world_add(&world, LOOK("A", "web"), 2);
    world_add_run(&world, SECOND_RUN);
    world_add(&world, LOOK("A", "web"), 1);
    world_add_run(&world, THIRD_RUN);
    world_add_run(&world, THIRD_RUN); /* its id is known */
    ck_assert_ptr_null(engine_next_run(world.engine));
    ck_assert_int_eq(engine_run_standing(world.engine, FIXTURE_RUN), RUN_IS_GOING);
    ck_assert_int_eq(engine_run_standing(world.engine, SECOND_RUN), RUN_IS_QUEUED);
    struct json_object *nothing = engine_checkpoint(world.engine);
    world_apply(&world, input_begin_run(SECOND_RUN, nothing), NULL); /* one is going */
    json_object_put(nothing);
    ck_assert_int_eq(engine_run_standing(world.engine, SECOND_RUN), RUN_IS_QUEUED);
    ck_assert(case_says(case_of(SECOND_RUN, 0), "its run is queued: another one"));
    world_register(&world, "a", "web");
    world_report(&world, "a", NULL);
    ck_assert_int_eq(engine_run_standing(world.engine, FIXTURE_RUN), RUN_IS_OVER);
    ck_assert_str_eq(engine_next_run(world.engine), SECOND_RUN);
    ck_assert(!engine_is_done(world.engine));
    struct json_object *runs = status_runs(world.engine);
    ck_assert_uint_eq(json_object_array_length(runs), 3);
    ck_assert_str_eq(json_member_text(json_object_array_get_idx(runs, 0), "id"),
                     THIRD_RUN);
    ck_assert_str_eq(json_member_text(json_object_array_get_idx(runs, 2), "state"),
                     "ended");
    json_object_put(runs);
    ck_assert_ptr_null(status_run(world.engine, "nobody", &view));
    ck_assert_ptr_null(status_run_head(world.engine, "nobody"));
    ck_assert_str_eq(engine_shown_run(world.engine)->id, FIXTURE_RUN);
    world_begin_next(&world);
    ck_assert_str_eq(engine_shown_run(world.engine)->id, SECOND_RUN);
    ck_assert_str_eq(world_told(&world, 0), "waiting"); /* a has played */
}
END_TEST

START_TEST(the_next_run_is_served_by_who_waits)
{
    world_add(&world, LOOK("A", "web"), 1);
    world_add_run(&world, FIXTURE_RUN);
    world_add(&world, LOOK("B", "web"), 4);
    world_add_run(&world, SECOND_RUN);
    world_register(&world, "before", "web");
    world_register(&world, "left", "web");
    world_begin_next(&world);
    world_register(&world, "during", "web");
    world_error(&world, "during", true);
    world_register(&world, "during2", "web");
    ck_assert_str_eq(world_told(&world, 0), "running before");
    ck_assert_str_eq(world_poll(&world, "left"), "idle");
    world_report(&world, "before", NULL);
    ck_assert_str_eq(world_poll(&world, "left"), "idle"); /* there may be another run */
    world_register(&world, "after", "web");
    world_begin_next(&world);
    world_register(&world, "late", "web");
    ck_assert_str_eq(world_told(&world, 0), "running left");
    ck_assert_str_eq(world_told(&world, 1), "running during2");
    ck_assert_str_eq(world_told(&world, 2), "running after");
    ck_assert_str_eq(world_told(&world, 3), "running late");
    ck_assert_int_eq(engine_client_standing(world.engine, "before"), CLIENT_IS_OVER);
    ck_assert_int_eq(engine_client_standing(world.engine, "during"), CLIENT_IS_UNKNOWN);
    ck_assert_int_eq(world_register(&world, "before", "web"), ENGINE_WRONG_MOMENT);
}
END_TEST

START_TEST(each_run_has_its_own_client_types)
{
    world_add(&world, LOOK("A", "web-new"), 1);
    world_begin(&world);
    world_register(&world, "three", "{'type': 'web', 'version': '3'}");
    ck_assert_str_eq(world_told(&world, 0), "waiting");
    free(world.settings.client_types[0].globs[0].glob);
    world.settings.client_types[0].globs[0].glob = xstrdup("3*");
    world_add(&world, LOOK("A", "web-new"), 2);
    world_add_run(&world, SECOND_RUN);
    world_register(&world, "two", "{'type': 'web', 'version': '2'}");
    ck_assert_str_eq(world_told(&world, 0), "running two");
    world_report(&world, "two", NULL);
    world_begin_next(&world);
    ck_assert_str_eq(world_told(&world, 0), "running three");
    world_register(&world, "two2", "{'type': 'web', 'version': '2'}");
    ck_assert_str_eq(world_told(&world, 1), "waiting");
}
END_TEST

/* Gives how many cases of the run that goes are running. */
static size_t running(void)
{
    return engine_shown_run(world.engine)->totals[CASE_RUNNING];
}

START_TEST(very_many_start_bit_by_bit)
{
    enum { MANY = 450 };
    char name[20];

    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "client%d", i);
        world_register(&world, name, "web");
    }
    world_add(&world, LOOK("A", "web"), MANY);
    world_begin(&world);
    size_t at_once = running();
    ck_assert_uint_gt(at_once, 0);
    ck_assert_uint_lt(at_once, MANY / 2);
    ck_assert_int_eq(engine_deadline(world.engine), 0);
    world_register(&world, "one more", "web");
    ck_assert_uint_eq(running(), 2 * at_once);
    world_pass(&world, 0);
    ck_assert_uint_eq(running(), MANY);
    ck_assert_int_gt(engine_deadline(world.engine), 0);
    ck_assert_str_eq(world_told(&world, 0), "running client0");
    ck_assert_str_eq(world_told(&world, MANY - 1), "running client449");
    ck_assert_str_eq(world_poll(&world, "one more"), "idle");
}
END_TEST

START_TEST(a_run_without_cases_ends_at_once)
{
    world_register(&world, "a", "web");
    world_begin(&world);
    ck_assert_int_eq(engine_run_standing(world.engine, FIXTURE_RUN), RUN_IS_OVER);
    ck_assert(engine_is_done(world.engine) && engine_succeeded(world.engine));
    world_add(&world, LOOK("A", "web"), 1);
    world_begin_run(&world, SECOND_RUN);
    ck_assert_str_eq(world_told(&world, 0), "running a");
}
END_TEST

static void note_end(void *argument, const char *run, bool shown, size_t changes,
                     const struct instant *ended)
{
    char **text = argument, *before = *text;

    ck_assert_int_ne(ended->mono_ms, 0);
    *text = xasprintf("%s%.1s%s%zu ", before, run, shown ? "*" : "", changes);
    free(before);
}

/* "7*1 82 ": the first digit of each run's id, * if it is shown, how much changed. Valid
 * until the next call. */
static const char *ended_runs(void)
{
    static char *text;

    free(text);
    text = xstrdup("");
    engine_ended_runs(world.engine, note_end, &text);
    return text;
}

static void note_client(void *argument, const char *client)
{
    strcat(argument, client);
}

START_TEST(what_comes_after_the_end_is_told)
{
    char clients[20] = "";
    size_t changes;
    struct json_object *records;
    struct status_view view = {"1.0", fixture_at(0), NULL, NULL, NULL};

    world_add(&world, LOOK("A", "web"), 2);
    world_begin(&world);
    world_register(&world, "a", "web");
    world_register(&world, "b", "web");
    world_register(&world, "c", "web");
    ck_assert_str_eq(ended_runs(), "");
    world_report(&world, "a", NULL);
    world_report(&world, "b", "failed");
    changes = engine_shown_run(world.engine)->changes;
    ck_assert_int_eq(strncmp(ended_runs(), "7*", 2), 0);
    world_report(&world, "a",
                 NULL); /* as an adapter without delivery ids says it again */
    ck_assert_uint_gt(engine_shown_run(world.engine)->changes, changes);
    changes = engine_shown_run(world.engine)->changes;
    world_error(&world, "b", false);
    ck_assert_uint_gt(engine_shown_run(world.engine)->changes, changes);
    changes = engine_shown_run(world.engine)->changes;
    world_apply(&world, input_uploaded("b", "red_late.mp4", 7, NULL), NULL);
    ck_assert_uint_gt(engine_shown_run(world.engine)->changes, changes);
    world_lost(&world, "a");
    ck_assert_str_eq(world_told(&world, 0), "success a");
    ck_assert_str_eq(world_told(&world, 1), "failed b");
    engine_clients(world.engine, note_client, clients);
    ck_assert_str_eq(clients, "abc");
    records = status_record(world.engine, FIXTURE_RUN, 1, 5, &view);
    ck_assert_uint_eq(json_object_array_length(records), 1);
    ck_assert_ptr_nonnull(strstr(json_text(records), "red_late.mp4"));
    json_object_put(records);
    records = status_record(world.engine, FIXTURE_RUN, 2, 5, &view);
    ck_assert_uint_eq(json_object_array_length(records), 0);
    json_object_put(records);
}
END_TEST

/* --- cancelling --- */

/* Cases: 0 running (a), 1 preparing (b), 2 success (c), 3 waiting. */
static void begin_all_states(void)
{
    world_add(&world, LOOK("A", "web"), 1);
    world_add(&world, MADE("B"), 1);
    world_add(&world, LOOK("C", "phone"), 2);
    world_begin(&world);
    world_register(&world, "a", "web");
    world_register(&world, "b", "web");
    world_register(&world, "c", "phone");
    world_register(&world, "w", "web");
    world_report(&world, "c", NULL);
    ck_assert_str_eq(world_told(&world, 0), "running a");
    ck_assert_str_eq(world_told(&world, 1), "preparing b");
    ck_assert_str_eq(world_told(&world, 2), "success c");
    ck_assert_str_eq(world_told(&world, 3), "waiting");
    world_notes(&world);
}

START_TEST(a_run_is_cancelled)
{
    static const char *const told[] = {"error a", "error b", "success c", "error"};

    world.retries = 2; /* which it does not use */
    world.settings.unfilled_timeout_ms = 60000;
    begin_all_states();
    world.ms += 1000;
    ck_assert_int_eq(cancel_run(FIXTURE_RUN), ENGINE_OK);
    for (size_t i = 0; i < 4; i++)
        ck_assert_str_eq(world_told(&world, i), told[i]);
    ck_assert(case_says(world_case(&world, 0), "the run was cancelled by me"));
    ck_assert(case_says(world_case(&world, 3), "the run was cancelled by me"));
    ck_assert_str_eq(testcase_verdict(world_case(&world, 3))->type, "cancelled");
    ck_assert_int_eq(world_case(&world, 3)->ended.mono_ms, fixture_at(1000).mono_ms);
    ck_assert_str_eq(world_poll(&world, "a"), "exit");
    ck_assert_str_eq(world_poll(&world, "b"), "exit");
    ck_assert_str_eq(world_poll(&world, "w"), "idle"); /* it may serve the next run */
    ck_assert_int_eq(world.deployments[0].destroyed, 1);
    ck_assert_int_eq(engine_run_standing(world.engine, FIXTURE_RUN), RUN_IS_OVER);
    ck_assert(engine_is_done(world.engine) && !engine_succeeded(world.engine));
    ck_assert_int_eq(engine_deadline(world.engine), INT64_MAX);
    ck_assert_int_eq(cancel_run(FIXTURE_RUN), ENGINE_WRONG_MOMENT);
    ck_assert_int_eq(cancel_run("nobody"), ENGINE_UNKNOWN);
    ck_assert_int_eq(cancel_case(world_case(&world, 0)->id), ENGINE_WRONG_MOMENT);
    world_created(&world, 0); /* too late */
    world_report(&world, "a", NULL);
    ck_assert_str_eq(world_told(&world, 0), "error a");
    ck_assert_str_eq(world_told(&world, 1), "error b");
    world_add(&world, LOOK("A", "web"), 1);
    world_begin_run(&world, SECOND_RUN);
    ck_assert_str_eq(world_told(&world, 0), "running w");
}
END_TEST

START_TEST(a_case_is_cancelled)
{
    static const char *const told[] = {"error a", "error b", "success c", "error"};

    world.retries = 2;
    begin_all_states();
    for (size_t i = 0; i < 4; i++) {
        enum engine_result result = cancel_case(world_case(&world, i)->id);
        ck_assert_int_eq(result, i == 2 ? ENGINE_WRONG_MOMENT : ENGINE_OK);
        ck_assert_str_eq(world_told(&world, i), told[i]);
        ck_assert_int_eq(engine_is_done(world.engine), i == 3);
        ck_assert_int_eq(cancel_case(world_case(&world, i)->id), ENGINE_WRONG_MOMENT);
    }
    ck_assert(case_says(world_case(&world, 3), "the case was cancelled by me"));
    ck_assert_int_eq(world.deployments[0].destroyed, 1);
    ck_assert_int_eq(cancel_case("nobody"), ENGINE_UNKNOWN);
    ck_assert_int_eq(cancel_run(FIXTURE_RUN), ENGINE_WRONG_MOMENT);
}
END_TEST

START_TEST(the_others_of_a_cancelled_case_start)
{
    world_add(&world, LOOK("A", "phone"), 1);
    world_add(&world, LOOK("B", "phone"), 1);
    world_begin(&world);
    ck_assert_int_eq(cancel_case(world_case(&world, 0)->id), ENGINE_OK);
    world_register(&world, "p", "phone");
    ck_assert_str_eq(world_told(&world, 0), "error");
    ck_assert_str_eq(world_told(&world, 1), "running p");
}
END_TEST

START_TEST(what_is_queued_is_cancelled)
{
    world_add(&world, LOOK("A", "web"), 1);
    world_begin(&world);
    world_add(&world, LOOK("A", "web"), 2);
    world_add_run(&world, SECOND_RUN);
    world_add(&world, LOOK("A", "web"), 2);
    world_add_run(&world, THIRD_RUN);
    world.ms += 500;
    ck_assert_int_eq(cancel_run(SECOND_RUN), ENGINE_OK);
    ck_assert_int_eq(cancel_run(SECOND_RUN), ENGINE_WRONG_MOMENT);
    ck_assert_int_eq(cancel_case(case_of(THIRD_RUN, 0)->id), ENGINE_OK);
    ck_assert_int_eq(engine_run_standing(world.engine, SECOND_RUN), RUN_IS_OVER);
    ck_assert_int_eq(engine_run_standing(world.engine, THIRD_RUN), RUN_IS_QUEUED);
    ck_assert_int_eq(case_of(SECOND_RUN, 1)->state, CASE_ERROR);
    world_register(&world, "a", "web");
    world_report(&world, "a", NULL);
    ck_assert_str_eq(engine_next_run(world.engine), THIRD_RUN);
    world_begin_next(&world);
    world_register(&world, "b", "web");
    ck_assert_str_eq(world_told(&world, 0), "error");
    ck_assert_str_eq(world_told(&world, 1), "running b");
    world_report(&world, "b", NULL);
    ck_assert(engine_is_done(world.engine));
}
END_TEST

/* What was cancelled in the queue stays so, when all that was before the next beginning
 * is left. */
START_TEST(what_was_cancelled_in_the_queue_never_runs)
{
    world_add(&world, LOOK("A", "web"), 1);
    world_begin(&world);
    world_add(&world, LOOK("A", "web"), 2);
    world_add_run(&world, SECOND_RUN);
    world_add(&world, LOOK("A", "web"), 2);
    world_add_run(&world, THIRD_RUN);
    world.ms += 500;
    cancel_run(SECOND_RUN);
    cancel_case(case_of(THIRD_RUN, 1)->id);
    world_register(&world, "a", "web");
    world_report(&world, "a", NULL);
    world_begin_next(&world);
    world_apply(&world, input_forget_run(FIXTURE_RUN), NULL);
    world_check_cut(&world);
    ck_assert_int_eq(engine_run_standing(world.engine, SECOND_RUN), RUN_IS_OVER);
    ck_assert_str_eq(world_told(&world, 1), "error");
}
END_TEST

START_TEST(a_queued_run_is_shown_before_one_that_never_began)
{
    world_add(&world, LOOK("A", "web"), 1);
    world_add_run(&world, FIXTURE_RUN);
    ck_assert_str_eq(engine_shown_run(world.engine)->id, FIXTURE_RUN);
    cancel_run(FIXTURE_RUN);
    ck_assert_str_eq(engine_shown_run(world.engine)->id, FIXTURE_RUN);
    world_add(&world, LOOK("A", "web"), 1);
    world_add_run(&world, SECOND_RUN);
    ck_assert_str_eq(engine_shown_run(world.engine)->id, SECOND_RUN);
    world_begin_next(&world);
    ck_assert_str_eq(engine_shown_run(world.engine)->id, SECOND_RUN);
    world_add(&world, LOOK("A", "web"), 1);
    world_add_run(&world, THIRD_RUN);
    cancel_run(SECOND_RUN);
    ck_assert_str_eq(engine_shown_run(world.engine)->id, SECOND_RUN);
}
END_TEST

/* --- nobody comes --- */

START_TEST(cases_that_nobody_fills_end)
{
    world_add(&world, LOOK("A", "web"), 1);
    world_begin(&world); /* which waits for ever */
    world.settings.unfilled_timeout_ms = 60000;
    world_add(&world, LOOK("A", "web"), 2);
    world_add_run(&world, SECOND_RUN);
    world_pass(&world, 1000000);
    ck_assert_str_eq(world_told(&world, 0), "waiting");
    world_register(&world, "a", "web");
    world_report(&world, "a", NULL);
    world_begin_next(&world);
    world_pass(&world, 30000);
    world_register(&world, "b", "web");
    world_pass(&world, 29999);
    ck_assert_str_eq(world_told(&world, 1), "waiting");
    world_pass(&world, 1);
    ck_assert_str_eq(world_told(&world, 0), "running b");
    ck_assert_str_eq(world_told(&world, 1), "error");
    ck_assert_str_eq(testcase_verdict(world_case(&world, 1))->type, "unfilled");
    ck_assert(case_says(world_case(&world, 1),
                        "the case waited for its clients for 1m: red needs web: 0 free "
                        "of 1"));
    world_report(&world, "b", NULL);
    ck_assert(engine_is_done(world.engine));
}
END_TEST

/* --- stopping --- */

START_TEST(a_stop_breaks_off_all_runs)
{
    world.retries = 3;
    world.settings.unfilled_timeout_ms = 60000;
    world_add(&world, LOOK("A", "web"), 2);
    world_add(&world, MADE("B"), 1);
    world_begin(&world);
    world_add(&world, LOOK("A", "web"), 1);
    world_add_run(&world, SECOND_RUN);
    world_register(&world, "a", "web");
    world_register(&world, "b", "web");
    world_register(&world, "c", "web");
    world_report(&world, "b", "failed"); /* is to be tried again */
    world_register(&world, "p", "phone");
    world_stop(&world);
    ck_assert_str_eq(world_told(&world, 0), "error a");
    ck_assert_int_eq(world_case(&world, 1)->state, CASE_FAILED);
    ck_assert_str_eq(world_told(&world, 2), "error c");
    ck_assert_str_eq(testcase_verdict(world_case(&world, 0))->type, "shutdown");
    ck_assert(case_says(world_case(&world, 1), "red reported that look failed"));
    ck_assert(case_says(case_of(SECOND_RUN, 0), "the server stops"));
    ck_assert_int_eq(engine_run_standing(world.engine, FIXTURE_RUN), RUN_IS_OVER);
    ck_assert_int_eq(engine_run_standing(world.engine, SECOND_RUN), RUN_IS_OVER);
    ck_assert_ptr_null(engine_next_run(world.engine));
    ck_assert_int_eq(cancel_case(world_case(&world, 1)->id), ENGINE_WRONG_MOMENT);
    ck_assert_int_eq(cancel_run(FIXTURE_RUN), ENGINE_WRONG_MOMENT);
    ck_assert_int_eq(engine_deadline(world.engine), INT64_MAX);
    world_pass(&world, 100000); /* no case can change any more */
    ck_assert_int_eq(world_case(&world, 1)->state, CASE_FAILED);
    world_apply(&world, input_forget_run(FIXTURE_RUN), NULL);
    world_apply(&world, input_forget_run(SECOND_RUN), NULL);
    world_pass(&world, 100000);
    ck_assert_uint_eq(engine_client_count(world.engine), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("runs");
    TCase *tcase = tcase_create("runs");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, runs_queue);
    tcase_add_test(tcase, very_many_start_bit_by_bit);
    tcase_add_test(tcase, the_next_run_is_served_by_who_waits);
    tcase_add_test(tcase, each_run_has_its_own_client_types);
    tcase_add_test(tcase, a_run_without_cases_ends_at_once);
    tcase_add_test(tcase, what_comes_after_the_end_is_told);
    tcase_add_test(tcase, a_run_is_cancelled);
    tcase_add_test(tcase, a_case_is_cancelled);
    tcase_add_test(tcase, the_others_of_a_cancelled_case_start);
    tcase_add_test(tcase, what_is_queued_is_cancelled);
    tcase_add_test(tcase, what_was_cancelled_in_the_queue_never_runs);
    tcase_add_test(tcase, a_queued_run_is_shown_before_one_that_never_began);
    tcase_add_test(tcase, cases_that_nobody_fills_end);
    tcase_add_test(tcase, a_stop_breaks_off_all_runs);
    suite_add_tcase(suite, tcase);
    return fixture_run(suite);
}
