/* SPDX-License-Identifier: Apache-2.0 */
/* A process that goes on where another one stopped or was killed, and one that reads back
 * only what was since the oldest run began. */
#include "fixture.h"
#include "json.h"
#include "status.h"
#include "xalloc.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_RUN "8e0f1c3e-5b8a-4f0e-9c2d-2f6d1a3b4c5d"
#define THIRD_RUN  "9f0f1c3e-5b8a-4f0e-9c2d-2f6d1a3b4c5d"
#define FOURTH_RUN "af0f1c3e-5b8a-4f0e-9c2d-2f6d1a3b4c5d"

#define LOOK(name, type)                                                                 \
    "{'name': '" name "', 'clients': {'red': ['" type "']}, 'steps': [{'red': 'look'}]}"
#define MADE(name)                                                                       \
    "{'name': '" name "', 'clients': {'red': ['web']}, 'steps': [{'red': 'look'}],"      \
    " 'servers': {'type': 'made', 'names': ['server']}}"
#define ASKS(method)                                                                     \
    "{'name': 'H', 'clients': {'red': ['web']}, 'steps': ["                              \
    " {'http': {" method "'url': 'http://x/'}}, {'red': 'look'}]}"

static struct world world;

static void setup(void)
{
    world_init(&world);
}

static void teardown(void)
{
    world_clear(&world);
}

static void resume(void)
{
    world_notes(&world);
    world_apply(&world, input_resume(), NULL);
}

static void forget(const char *run)
{
    world_apply(&world, input_forget_run(run), NULL);
}

static void begin(const char *text)
{
    world_add(&world, text, 1);
    world_begin(&world);
    world_register(&world, "a", "web");
}

/* --- after a stop --- */

START_TEST(a_new_run_after_a_stop)
{
    world_add(&world, LOOK("A", "web"), 2);
    world_begin(&world);
    world_register(&world, "a", "web");
    world_register(&world, "p", "phone");
    world_error(&world, "p", false);
    world_register(&world, "q", "phone");
    world_stop(&world);
    world_register(&world, "late", "phone");
    ck_assert_str_eq(world_poll(&world, "q"), "exit");
    ck_assert_str_eq(world_poll(&world, "late"), "exit");
    resume();
    ck_assert_str_eq(world_notes(&world), "");
    ck_assert_int_eq(engine_client_standing(world.engine, "a"), CLIENT_IS_OVER);
    ck_assert_int_eq(engine_client_standing(world.engine, "p"), CLIENT_IS_UNKNOWN);
    ck_assert_int_eq(engine_client_standing(world.engine, "q"), CLIENT_IS_UNKNOWN);
    ck_assert_int_eq(engine_client_standing(world.engine, "late"), CLIENT_IS_UNKNOWN);
    ck_assert_str_eq(world_told(&world, 0), "error a");
    ck_assert_str_eq(world_told(&world, 1), "waiting"); /* for ever */
    ck_assert_ptr_null(engine_next_run(world.engine));
    world_register(&world, "b", "web");
    ck_assert_str_eq(world_told(&world, 1), "waiting");
    world_add(&world, LOOK("A", "web"), 1);
    world_begin_run(&world, SECOND_RUN);
    ck_assert_str_eq(world_told(&world, 0), "running b");
}
END_TEST

START_TEST(a_run_that_was_asked_for_after_a_stop)
{
    world_add(&world, LOOK("A", "web"), 1);
    world_begin(&world);
    world_stop(&world);
    world_add(&world, LOOK("A", "web"), 1);
    world_add_run(&world, SECOND_RUN);
    ck_assert_ptr_null(engine_next_run(world.engine));
    resume();
    ck_assert_str_eq(engine_next_run(world.engine), SECOND_RUN);
    world_register(&world, "a", "web");
    world_begin_next(&world);
    ck_assert_str_eq(world_told(&world, 0), "running a");
}
END_TEST

START_TEST(unwanted_servers_are_destroyed_again)
{
    world_add(&world, MADE("A"), 3);
    world_begin(&world);
    world_register(&world, "a", "web");
    world_register(&world, "b", "web");
    world_register(&world, "c", "web");
    world_created(&world, 0);
    world_report(&world, "a", NULL); /* its servers were made, are to go */
    world_error(&world, "b", true);  /* never heard whether they were made */
    world_created(&world, 2);
    world_report(&world, "c", NULL);
    world_destroyed(&world, 2); /* are gone */
    resume();
    char *wanted = xasprintf("destroy %s\ndestroy %s lost\n", world.deployments[0].id,
                             world.deployments[1].id);
    ck_assert_str_eq(world_notes(&world), wanted);
    free(wanted);
    ck_assert_uint_eq(engine_deployments(world.engine), 2);
    ck_assert_uint_eq(world.deployment_count, 3);
    world_destroyed(&world, 0);
    world_destroyed(&world, 1);
    ck_assert_uint_eq(engine_deployments(world.engine), 0);
    resume();
    ck_assert_str_eq(world_notes(&world), "");
}
END_TEST

/* --- after a kill --- */

START_TEST(outstanding_actions_stay)
{
    char before[ID_SIZE];

    begin(MADE("A"));
    world_register(&world, "w", "phone");
    world_created(&world, 0);
    memcpy(before, engine_poll(world.engine, "a").delivery, ID_SIZE);
    world.ms += 5000;
    resume();
    ck_assert_str_eq(world_notes(&world), "");
    ck_assert_str_eq(world_poll(&world, "a"), "look");
    ck_assert_str_eq(engine_poll(world.engine, "a").delivery, before);
    ck_assert_str_eq(world_poll(&world, "w"), "idle");
    ck_assert_int_eq(world.deployments[0].destroyed, 0);
    world_report(&world, "a", NULL);
    ck_assert_str_eq(world_told(&world, 0), "success a");
    ck_assert_int_eq(world.deployments[0].destroyed, 1);
}
END_TEST

START_TEST(servers_that_were_being_made_are_made_anew)
{
    begin(MADE("A"));
    resume();
    ck_assert_uint_eq(world.deployment_count, 2);
    ck_assert_str_ne(world.deployments[0].id, world.deployments[1].id);
    char *wanted = xasprintf("destroy %s lost\ncreate %s\n", world.deployments[0].id,
                             world.deployments[1].id);
    ck_assert_str_eq(world_notes(&world), wanted);
    free(wanted);
    ck_assert_str_eq(world.deployments[1].servers, "server=image-one");
    ck_assert_str_eq(world_told(&world, 0), "preparing a");
    ck_assert_uint_eq(engine_deployments(world.engine), 2);
    world_created(&world, 0); /* if they appear: they are not the ones */
    ck_assert_str_eq(world_told(&world, 0), "preparing a");
    resume(); /* and once more */
    ck_assert_uint_eq(world.deployment_count, 3);
    wanted =
        xasprintf("destroy %s\ndestroy %s lost\ncreate %s\n", world.deployments[0].id,
                  world.deployments[1].id, world.deployments[2].id);
    ck_assert_str_eq(world_notes(&world), wanted);
    free(wanted);
    world_destroyed(&world, 0);
    world_created(&world, 2);
    ck_assert_str_eq(world_told(&world, 0), "running a");
    world_destroyed(&world, 1);
    ck_assert_str_eq(world_told(&world, 0), "running a");
    world_report(&world, "a", NULL);
    ck_assert_int_eq(world.deployments[2].destroyed, 1);
    world_destroyed(&world, 2);
    ck_assert_uint_eq(engine_deployments(world.engine), 0);
}
END_TEST

/* Three servers: one is to go, one that nobody heard of, one that is used. */
START_TEST(servers_are_destroyed_where_they_were_made)
{
    world_add(&world, MADE("A"), 3);
    world_begin(&world);
    world_register(&world, "a", "web");
    world_register(&world, "b", "web");
    world_register(&world, "c", "web");
    world.where = "http://one:54321";
    world_created(&world, 0);
    world.where = "http://two:54321";
    world_created(&world, 2);
    world_notes(&world);
    world_report(&world, "a", NULL);
    char *wanted = xasprintf("destroy %s on http://one:54321\n", world.deployments[0].id);
    ck_assert_ptr_nonnull(strstr(world_notes(&world), wanted));
    free(wanted);
    world_check_replay(&world);
    resume();
    wanted = xasprintf("destroy %s on http://one:54321\ndestroy %s lost\ncreate %s\n",
                       world.deployments[0].id, world.deployments[1].id,
                       world.deployments[3].id);
    ck_assert_str_eq(world_notes(&world), wanted);
    free(wanted);
    world_report(&world, "c", NULL);
    wanted = xasprintf("destroy %s on http://two:54321\n", world.deployments[2].id);
    ck_assert_ptr_nonnull(strstr(world_notes(&world), wanted));
    free(wanted);
}
END_TEST

START_TEST(where_nothing_came_of_it_is_known_as_well)
{
    begin(MADE("A"));
    world.where = "http://one:54321";
    world_not_created(&world, 0, "it broke off");
    char *wanted = xasprintf("destroy %s on http://one:54321\n", world.deployments[0].id);
    ck_assert_ptr_nonnull(strstr(world_notes(&world), wanted));
    free(wanted);
}
END_TEST

static void note_made(void *argument, const char *deployment, const char *where)
{
    fprintf(argument, "%s %s\n", deployment, where);
}

/* What is known of where deployments were made. Owned. */
static char *made_deployments(void)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    engine_made_deployments(world.engine, note_made, stream);
    fclose(stream);
    return text;
}

/* The ticket of the request that was sent last. */
static const char *ticket(void)
{
    static char text[100];
    const char *notes = strstr(world_notes(&world), "http ");

    ck_assert_ptr_nonnull(notes);
    ck_assert_int_eq(sscanf(notes, "http %99s", text), 1);
    return text;
}

START_TEST(a_request_is_sent_again)
{
    struct json_object *reply = fixture_json("{'status': 200, 'headers': {}}");
    char first[100];

    begin(ASKS(""));
    strcpy(first, ticket());
    resume();
    const char *second = ticket();
    ck_assert_str_ne(first, second);
    world_apply(&world, input_http_answered(first, reply, NULL), NULL);
    ck_assert_str_eq(world_poll(&world, "a"), "idle");
    world_apply(&world, input_http_answered(second, reply, NULL), NULL);
    ck_assert_str_eq(world_poll(&world, "a"), "look");
    resume();
    ck_assert_str_eq(world_notes(&world), "");
    json_object_put(reply);
}
END_TEST

START_TEST(a_request_that_may_not_be_sent_twice)
{
    world.retries = (unsigned)_i;
    begin(ASKS("'method': 'POST', "));
    world_register(&world, "b", "web");
    resume();
    const struct turn *first = TAILQ_FIRST(&world_case(&world, 0)->turns);
    ck_assert_int_eq(first->state, CASE_ERROR);
    ck_assert_str_eq(turn_verdict(first)->type, "restart");
    ck_assert_ptr_nonnull(
        strstr(turn_verdict(first)->message,
               "the server was started again while a POST request was"));
    ck_assert_str_eq(world_poll(&world, "a"), "exit");
    ck_assert_str_eq(world_told(&world, 0), _i == 0 ? "error a" : "running b");
    ck_assert_int_eq(engine_is_done(world.engine), _i == 0);
}
END_TEST

START_TEST(time_goes_on)
{
    begin(LOOK("A", "web"));
    int64_t deadline = engine_deadline(world.engine);
    world.ms += 1000;
    resume();
    ck_assert_int_eq(engine_deadline(world.engine), deadline);
    world_pass(&world, 10000000);
    ck_assert_str_eq(world_told(&world, 0), "error a");
}
END_TEST

START_TEST(nothing_to_resume)
{
    resume();
    world_register(&world, "a", "web");
    resume();
    ck_assert_str_eq(world_poll(&world, "a"), "idle");
}
END_TEST

/* --- forgetting --- */

/* A run whose servers are still there, then one that goes. */
static void begin_two(void)
{
    world.where = "http://one:54321";
    world_register(&world, "early", "phone");
    world_error(&world, "early", true);
    world_add(&world, MADE("A"), 2);
    world_begin(&world);
    world_register(&world, "a", "web");
    world_register(&world, "b", "web");
    world_register(&world, "w", "{'type': 'web', 'version': '1'}");
    world_created(&world, 0);
    world_apply(&world, input_uploaded("a", "red_x", 1, NULL), NULL);
    world_report(&world, "a", NULL);
    world_error(&world, "b", true);
    ck_assert(engine_is_done(world.engine));
    free(world.settings.client_types[0].globs[0].glob);
    world.settings.client_types[0].globs[0].glob = xstrdup("1*");
    world.ms += 3000;
    world.retries = 1;
    world_add(&world, LOOK("B", "web-new"), 3);
    world_add(&world, LOOK("C", "web"), 1);
    world_begin_run(&world, SECOND_RUN);
    ck_assert_str_eq(world_told(&world, 0), "running w");
}

START_TEST(a_run_is_forgotten)
{
    struct upload_target target;
    char case_id[ID_SIZE], suite_id[ID_SIZE];
    struct status_view view = {"1.0", fixture_at(0), NULL, NULL, NULL};

    begin_two();
    const struct run *run = engine_find_run(world.engine, FIXTURE_RUN);
    memcpy(suite_id, TAILQ_FIRST(&run->suites)->id, ID_SIZE);
    memcpy(case_id, TAILQ_FIRST(&run->suites)->cases[0].id, ID_SIZE);
    ck_assert(engine_knows_case(world.engine, case_id));
    ck_assert(engine_find_file(world.engine, case_id, 0, "red_x", &target));
    forget(SECOND_RUN); /* it has not ended */
    forget("nobody");
    ck_assert_int_eq(engine_run_standing(world.engine, SECOND_RUN), RUN_IS_GOING);
    ck_assert_uint_eq(engine_client_count(world.engine), 3);
    forget(FIXTURE_RUN);
    ck_assert_int_eq(engine_run_standing(world.engine, FIXTURE_RUN), RUN_IS_UNKNOWN);
    ck_assert_uint_eq(engine_client_count(world.engine), 1);
    ck_assert(!engine_knows_case(world.engine, case_id));
    ck_assert(!engine_find_file(world.engine, case_id, 0, "red_x", &target));
    ck_assert_ptr_null(status_case(world.engine, case_id, &view));
    ck_assert_ptr_null(status_suite(world.engine, suite_id, &view));
    ck_assert_int_eq(engine_client_standing(world.engine, "a"), CLIENT_IS_UNKNOWN);
    ck_assert_str_eq(world_poll(&world, "a"), "exit");
    ck_assert_int_eq(world_apply(&world, input_cancel_case(case_id, "by me"), NULL),
                     ENGINE_UNKNOWN);
    ck_assert_uint_eq(engine_deployments(world.engine), 2); /* until they are gone */
    world_created(&world, 1);
    resume();
    ck_assert_int_eq(world.deployments[1].destroyed, 2);
    world_destroyed(&world, 0);
    world_destroyed(&world, 1);
    ck_assert_uint_eq(engine_deployments(world.engine), 0);
    ck_assert_str_eq(world_told(&world, 0), "running w");
    ck_assert_int_eq(world_register(&world, "a", "web"), ENGINE_OK); /* as a new one */
    ck_assert_str_eq(world_told(&world, 3), "running a");
}
END_TEST

START_TEST(all_is_forgotten)
{
    begin(LOOK("A", "web"));
    forget(FIXTURE_RUN); /* it goes */
    world_report(&world, "a", NULL);
    forget(FIXTURE_RUN);
    ck_assert_ptr_null(engine_shown_run(world.engine));
    ck_assert(engine_is_done(world.engine) && !engine_succeeded(world.engine));
    ck_assert_ptr_null(engine_dictionary(world.engine));
    world_add(&world, LOOK("A", "web"), 1);
    world_begin_run(&world, FIXTURE_RUN); /* its id may be there again */
    world_register(&world, "a", "web");
    ck_assert_str_eq(world_told(&world, 0), "running a");
}
END_TEST

/* --- reading back only what is needed --- */

START_TEST(what_was_before_the_second_run_is_not_needed)
{
    begin_two();
    char *text = made_deployments();
    char *wanted = xasprintf("%s http://one:54321\n", world.deployments[0].id);
    ck_assert_str_eq(text, wanted);
    free(wanted);
    free(text);
    forget(FIXTURE_RUN);
    world_check_cut(&world); /* while it is there */
    world_destroyed(&world, 0);
    world_check_cut(&world);
    world_register(&world, "x", "{'type': 'web', 'version': '2'}");
    world_register(&world, "y", "{'type': 'web', 'version': '1.2'}");
    ck_assert_str_eq(world_told(&world, 3), "running x");
    world_check_cut(&world);
    world_report(&world, "w", "failed");
    world_register(&world, "z", "{'type': 'web', 'version': '1.2'}");
    world_check_cut(&world);
    world_destroyed(&world, 1);
    world_report(&world, "x", NULL);
    world_pass(&world, 10000000);
    world_check_cut(&world);
}
END_TEST

/* Who played in the first run is refused until that is forgotten: reading back must not
 * take it. */
START_TEST(who_played_before_is_still_refused)
{
    struct json_object *body = json_new_object();

    begin_two();
    ck_assert_int_eq(world_register(&world, "a", "web"), ENGINE_WRONG_MOMENT);
    world_error(&world, "b", false);
    ck_assert_int_eq(world_apply(&world, input_report("a", "", false, body), NULL),
                     ENGINE_OK);
    ck_assert_int_eq(world_apply(&world, input_uploaded("b", "red_y", 1, NULL), NULL),
                     ENGINE_OK);
    world_lost(&world, "b");
    ck_assert_str_eq(world_told(&world, 3), "waiting");
    forget(FIXTURE_RUN);
    world_check_cut(&world);
    ck_assert_int_eq(world_register(&world, "a", "web"), ENGINE_OK);
    ck_assert_str_eq(world_told(&world, 3), "running a");
    json_object_put(body);
}
END_TEST

START_TEST(three_runs_of_which_one_is_left)
{
    begin_two();
    world_add(&world, LOOK("A", "web"), 2);
    world_add_run(&world, THIRD_RUN);
    world_apply(&world, input_cancel_run(SECOND_RUN, "by me"), NULL);
    world_register(&world, "v", "web");
    world_begin_next(&world);
    ck_assert_int_eq(world_register(&world, "w", "web"), ENGINE_WRONG_MOMENT);
    forget(FIXTURE_RUN);
    world_check_cut(&world);
    ck_assert_int_eq(world_register(&world, "w", "web"), ENGINE_WRONG_MOMENT);
    forget(SECOND_RUN);
    ck_assert_int_eq(world_register(&world, "w", "web"), ENGINE_OK);
    ck_assert_str_eq(world_told(&world, 0), "running v");
    ck_assert_str_eq(world_told(&world, 1), "running w");
    world_check_cut(&world);
}
END_TEST

START_TEST(a_stop_and_a_kill_are_read_back)
{
    begin_two();
    forget(FIXTURE_RUN);
    world_add(&world, LOOK("A", "web"), 2);
    world_add_run(&world, FOURTH_RUN);
    world_stop(&world); /* which ends it in the queue */
    resume();
    world_check_cut(&world);
    world_add(&world, MADE("A"), 2);
    world_begin_run(&world, THIRD_RUN);
    ck_assert_int_eq(engine_run_standing(world.engine, FOURTH_RUN), RUN_IS_OVER);
    world_register(&world, "m", "web");
    resume();
    world_check_cut(&world);
    forget(SECOND_RUN);
    world_check_cut(&world);
    ck_assert_str_eq(world_told(&world, 0), "preparing m");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("resume");
    TCase *tcase = tcase_create("resume");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_new_run_after_a_stop);
    tcase_add_test(tcase, a_run_that_was_asked_for_after_a_stop);
    tcase_add_test(tcase, unwanted_servers_are_destroyed_again);
    tcase_add_test(tcase, outstanding_actions_stay);
    tcase_add_test(tcase, servers_that_were_being_made_are_made_anew);
    tcase_add_test(tcase, servers_are_destroyed_where_they_were_made);
    tcase_add_test(tcase, where_nothing_came_of_it_is_known_as_well);
    tcase_add_test(tcase, a_request_is_sent_again);
    tcase_add_loop_test(tcase, a_request_that_may_not_be_sent_twice, 0, 2);
    tcase_add_test(tcase, time_goes_on);
    tcase_add_test(tcase, nothing_to_resume);
    tcase_add_test(tcase, a_run_is_forgotten);
    tcase_add_test(tcase, all_is_forgotten);
    tcase_add_test(tcase, what_was_before_the_second_run_is_not_needed);
    tcase_add_test(tcase, who_played_before_is_still_refused);
    tcase_add_test(tcase, three_runs_of_which_one_is_left);
    tcase_add_test(tcase, a_stop_and_a_kill_are_read_back);
    suite_add_tcase(suite, tcase);
    return fixture_run(suite);
}
