/* SPDX-License-Identifier: Apache-2.0 */
/* Cases and clients together: who is asked what, in which order; that servers are made
 * and destroyed once, however a case ends; engines driven by chance. */
#include "fixture.h"
#include "json.h"
#include "xalloc.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_RUN "8e0f1c3e-5b8a-4f0e-9c2d-2f6d1a3b4c5d"

static struct world world;

static void setup(void)
{
    world_init(&world);
}

static void teardown(void)
{
    world_clear(&world);
}

/* One role that looks; so many of them. */
#define LOOK(name, type)                                                                 \
    "{'name': '" name "', 'clients': {'red': ['" type "']}, 'initial': 'one', 'states':" \
    " {'one': {'actions': {'red': {'action': 'look'}}, 'next': 'complete'}}}"

#define TWO(name, servers, types)                                                        \
    "{'name': '" name "', 'clients': {'red': [" types "], 'green': ['web']}, " servers   \
    " 'initial': 'one', 'states': {"                                                     \
    "  'one': {'actions': {'red': {'action': 'login', 'responses': {"                    \
    "     'logged_in': 'two'}}}},"                                                       \
    "  'two': {'actions': {'red': {'action': 'look'}, 'green': {'action': 'look'}},"     \
    "          'next': 'complete'}}}"

#define MADE  "'servers': {'type': 'made', 'names': ['server', 'other', 'third']},"
#define FIXED "'servers': {'type': 'fixed', 'names': ['server', 'other']},"

static const char *message(size_t index)
{
    return testcase_verdict(world_case(&world, index))->message;
}

/* Clients a, b, c … */
static void register_webs(int count)
{
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(
            world_register(&world, (const char[]){(char)('a' + i), '\0'}, "web"),
            ENGINE_OK);
}

/* --- starting --- */

START_TEST(nothing_starts_before_the_beginning)
{
    world_add(&world, LOOK("A", "web"), 1);
    world_add_run(&world, FIXTURE_RUN);
    ck_assert_int_eq(world_register(&world, "a", "web"), ENGINE_OK);
    ck_assert_str_eq(world_told(&world, 0), "waiting");
    ck_assert_str_eq(world_poll(&world, "a"), "idle");
    world_begin_next(&world);
    ck_assert_str_eq(world_told(&world, 0), "running a");
    ck_assert_str_eq(world_poll(&world, "a"), "look");
    ck_assert(!engine_is_done(world.engine));
    world_report(&world, "a", "seen");
    ck_assert_str_eq(world_told(&world, 0), "success a");
    ck_assert_str_eq(world_poll(&world, "a"), "exit");
    ck_assert(engine_is_done(world.engine) && engine_succeeded(world.engine));
    ck_assert_str_eq(world_notes(&world), "wake a\nwake a\n");
    ck_assert_int_ge(world.lines, 2);
}
END_TEST

#define DETAILS_BYTES 20000

START_TEST(details_of_an_adapter_error_are_shortened)
{
    char *details = xmalloc(1000001);

    memset(details, 'x', 1000000);
    details[1000000] = '\0';
    world_add(&world, LOOK("A", "web"), 1);
    world_add(&world,
              "{'name': 'B', " MADE " 'clients': {'red': ['web']},"
              " 'steps': [{'red': 'look'}]}",
              1);
    world_begin(&world);
    register_webs(2);
    ck_assert_str_eq(world_told(&world, 0), "running a");
    ck_assert_str_eq(world_told(&world, 1), "preparing b");
    for (size_t i = 0; i < 2; i++) {
        world_apply(&world, input_client_error(i == 0 ? "a" : "b", false, details, ""),
                    NULL);
        const char *kept = testcase_verdict(world_case(&world, i))->details;
        ck_assert_uint_le(strlen(kept), DETAILS_BYTES + strlen("…"));
        ck_assert_uint_ge(strlen(kept), DETAILS_BYTES - strlen("…"));
    }
    world_destroyed(&world, 0);
    free(details);
}
END_TEST

START_TEST(who_comes_before_the_tests_counts)
{
    world_register(&world, "early", "web");
    world_add(&world, LOOK("A", "web"), 1);
    world_begin(&world);
    ck_assert_str_eq(world_told(&world, 0), "running early");
}
END_TEST

START_TEST(cases_start_in_the_order_of_the_files)
{
    world_add(&world, LOOK("A", "web"), 2);
    world_add(&world, LOOK("B", "phone"), 1);
    world_add(&world, LOOK("C", "web"), 1);
    world_begin(&world);
    world_register(&world, "b", "phone");
    ck_assert_str_eq(world_told(&world, 2), "running b");
    world_register(&world, "x", "web");
    world_register(&world, "y", "web");
    world_register(&world, "z", "web");
    world_register(&world, "late", "web");
    ck_assert_str_eq(world_told(&world, 0), "running x");
    ck_assert_str_eq(world_told(&world, 1), "running y");
    ck_assert_str_eq(world_told(&world, 3), "running z");
    ck_assert_str_eq(world_case(&world, 0)->name, "red=web");
    ck_assert_str_eq(world_case(&world, 1)->name, "red=web #2");
    ck_assert_int_eq(engine_client_standing(world.engine, "late"), CLIENT_IS_WAITING);
}
END_TEST

START_TEST(roles_are_filled_in_order)
{
    world_add(&world, TWO("A", "", "'web-red', 'web'"), 1);
    world_begin(&world);
    world_register(&world, "plain", "web");
    world_register(&world, "red-1", "{'type': 'web', 'colour': 'red'}");
    /* the first case takes red-1 for red; the longest waiting for green is plain */
    ck_assert_str_eq(world_told(&world, 0), "running red-1 plain");
    world_register(&world, "red-2", "{'type': 'web', 'colour': 'red'}");
    ck_assert_str_eq(world_told(&world, 1), "waiting");
    world_register(&world, "red-3", "{'type': 'web', 'colour': 'red'}");
    ck_assert_str_eq(world_told(&world, 1), "running red-2 red-3");
    /* red is asked first, green has nothing to do */
    ck_assert_str_eq(world_poll(&world, "red-1"), "login");
    ck_assert_str_eq(world_poll(&world, "plain"), "idle");
    world_report(&world, "red-1", NULL);
    ck_assert_str_eq(world_poll(&world, "plain"), "look");
}
END_TEST

START_TEST(a_client_counts_as_all_that_it_is)
{
    world_add(&world, LOOK("A", "web-new"), 1);
    world_add(&world, LOOK("B", "web-red"), 1);
    world_begin(&world);
    world_register(&world, "old", "{'type': 'web', 'version': '1', 'colour': 'pink'}");
    world_register(&world, "other", "{'type': 'web-new'}");
    ck_assert_str_eq(world_told(&world, 0), "waiting");
    world_register(&world, "both", "{'type': 'web', 'version': '2', 'colour': 'red'}");
    ck_assert_str_eq(world_told(&world, 0), "running both");
    ck_assert_str_eq(world_told(&world, 1), "waiting");
    world_register(&world, "red", "{'type': 'web', 'version': '1', 'colour': 'red'}");
    ck_assert_str_eq(world_told(&world, 1), "running red");
}
END_TEST

/* --- registering --- */

START_TEST(who_waits_may_register_again)
{
    world_add(&world, LOOK("A", "phone"), 1);
    world_begin(&world);
    ck_assert_int_eq(world_register(&world, "a", "web"), ENGINE_OK);
    ck_assert_int_eq(world_register(&world, "a", "web"), ENGINE_OK);
    ck_assert_uint_eq(engine_client_count(world.engine), 1);
    ck_assert_int_eq(world_register(&world, "a", "phone"), ENGINE_OK);
    ck_assert_str_eq(world_told(&world, 0), "running a");
    ck_assert_int_eq(world_register(&world, "a", "phone"), ENGINE_WRONG_MOMENT);
    world_report(&world, "a", NULL);
    ck_assert_int_eq(world_register(&world, "a", "phone"), ENGINE_WRONG_MOMENT);
    ck_assert_int_eq(engine_client_standing(world.engine, "a"), CLIENT_IS_OVER);
}
END_TEST

START_TEST(a_stop_ends_all)
{
    world_add(&world, LOOK("A", "web"), 2);
    world_begin(&world);
    world_register(&world, "a", "web");
    world_register(&world, "p", "phone");
    world_stop(&world);
    world_stop(&world);
    ck_assert_str_eq(world_told(&world, 0), "error a");
    ck_assert_str_eq(message(0), "the server stops");
    ck_assert_str_eq(world_poll(&world, "a"), "exit");
    ck_assert_str_eq(world_poll(&world, "p"), "exit");
    world_register(&world, "b", "web"); /* too late */
    ck_assert_str_eq(world_told(&world, 1), "waiting");
    ck_assert_str_eq(world_poll(&world, "b"), "exit");
}
END_TEST

START_TEST(a_stop_before_the_beginning_holds)
{
    world_add(&world, LOOK("A", "web"), 1);
    world_register(&world, "a", "web");
    world_stop(&world);
    world_add_run(&world, FIXTURE_RUN);
    ck_assert_ptr_null(engine_next_run(world.engine));
    world_register(&world, "b", "web");
    ck_assert_str_eq(world_told(&world, 0), "waiting");
    ck_assert_str_eq(world_poll(&world, "a"), "exit");
    ck_assert_str_eq(world_poll(&world, "b"), "exit");
}
END_TEST

START_TEST(who_is_unknown_is_told_to_exit)
{
    struct json_object *body = json_new_object();
    char *cause = NULL;

    world_begin(&world);
    ck_assert_str_eq(world_poll(&world, "nobody"), "exit");
    ck_assert_int_eq(engine_client_standing(world.engine, "nobody"), CLIENT_IS_UNKNOWN);
    ck_assert_int_eq(world_apply(&world, input_report("nobody", "", false, body), &cause),
                     ENGINE_UNKNOWN);
    ck_assert_ptr_nonnull(cause);
    ck_assert_int_eq(
        world_apply(&world, input_client_error("nobody", true, "", ""), NULL),
        ENGINE_UNKNOWN);
    world_lost(&world, "nobody");
    free(cause);
    json_object_put(body);
}
END_TEST

/* --- reports, as an adapter that names deliveries sees them --- */

static enum engine_result strict(const char *id, const char *delivery, const char *body)
{
    struct json_object *object = fixture_json(body);
    char *cause = NULL;
    enum engine_result result =
        world_apply(&world, input_report(id, delivery, true, object), &cause);

    ck_assert_int_eq(result != ENGINE_OK, cause != NULL);
    json_object_put(object);
    free(cause);
    return result;
}

START_TEST(strict_reports_are_told_what_is_wrong)
{
    char first[ID_SIZE];

    world_add(&world, TWO("A", "", "'web'"), 1);
    world_begin(&world);
    world_register(&world, "a", "web");
    ck_assert_int_eq(strict("a", FIXTURE_RUN, "{}"), ENGINE_WRONG_MOMENT);
    world_report(&world, "a", NULL); /* without an id nobody complains */
    world_register(&world, "b", "web");
    memcpy(first, engine_poll(world.engine, "a").delivery, ID_SIZE);
    ck_assert_int_eq(strict("b", first, "{}"), ENGINE_WRONG_MOMENT);
    ck_assert_int_eq(strict("a", first, "{'response': 'x'}"), ENGINE_INVALID);
    ck_assert_int_eq(strict("a", first, "{'response': 'loggedin'}"), ENGINE_OK);
    ck_assert_int_eq(strict("a", first, "{'response': 'x'}"), ENGINE_OK); /* repeated */
    ck_assert_str_eq(world_told(&world, 0), "running a b");
    world_report(&world, "a", "seen");
    world_report(&world, "b", "seen");
    ck_assert_str_eq(world_told(&world, 0), "success a b");
    ck_assert_int_eq(strict("b", first, "{}"), ENGINE_WRONG_MOMENT);
    world_report(&world, "b", "late");
    ck_assert_str_eq(world_told(&world, 0), "success a b");
}
END_TEST

/* --- clients that give up --- */

START_TEST(who_gives_up_while_waiting_is_retired)
{
    world_add(&world, LOOK("A", "web"), 1);
    world_register(&world, "a", "web");
    world_error(&world, "a", false);
    world_error(&world, "a", true);
    ck_assert_str_eq(world_poll(&world, "a"), "exit");
    ck_assert_int_eq(world_register(&world, "a", "web"), ENGINE_WRONG_MOMENT);
    world_begin(&world); /* who gave up before it is forgotten */
    ck_assert_str_eq(world_told(&world, 0), "waiting");
    ck_assert_int_eq(engine_client_standing(world.engine, "a"), CLIENT_IS_UNKNOWN);
    world_register(&world, "p", "phone");
    world_error(&world, "p", false);
    ck_assert_int_eq(world_register(&world, "p", "web"), ENGINE_WRONG_MOMENT);
    world_lost(&world, "p");
    ck_assert_int_eq(world_register(&world, "p", "web"), ENGINE_OK);
    ck_assert_str_eq(world_told(&world, 0), "running p");
}
END_TEST

START_TEST(who_is_lost_ends_its_case)
{
    world_add(&world, TWO("A", "", "'web'"), 1);
    world_begin(&world);
    register_webs(2);
    world_notes(&world);
    world_lost(&world, "b");
    ck_assert_str_eq(world_told(&world, 0), "error a b");
    ck_assert_str_eq(message(0), "green (web, client b) was lost: it fell silent");
    ck_assert_str_eq(world_notes(&world), "wake a\nwake b\n");
    ck_assert_str_eq(world_poll(&world, "a"), "exit");
    world_lost(&world, "a"); /* its case is over: it stays known */
    ck_assert_int_eq(engine_client_standing(world.engine, "a"), CLIENT_IS_OVER);
}
END_TEST

START_TEST(who_gives_up_ends_its_case)
{
    world_add(&world, TWO("A", "", "'web'"), 2);
    world_begin(&world);
    register_webs(4);
    world_error(&world, "b", true);
    world_error(&world, "c", false);
    ck_assert_str_eq(world_told(&world, 0), "failed a b");
    ck_assert_str_eq(world_told(&world, 1), "error c d");
    world_error(&world, "a", false);
    ck_assert_str_eq(world_told(&world, 0), "failed a b");
    ck_assert(engine_is_done(world.engine) && !engine_succeeded(world.engine));
}
END_TEST

START_TEST(time_outs_strike)
{
    world_add(&world, TWO("A", "'timeout': '4m',", "'web'"), 2);
    world_begin(&world);
    ck_assert_int_eq(engine_deadline(world.engine), INT64_MAX);
    register_webs(4);
    world_pass(&world, 120000);
    world_report(&world, "a", NULL);
    world_pass(&world, 59999);
    ck_assert_str_eq(world_told(&world, 1), "running c d");
    world_pass(&world, 1);
    ck_assert_str_eq(world_told(&world, 1), "error c d");
    ck_assert_str_eq(world_told(&world, 0), "running a b");
    world_pass(&world, 60000);
    ck_assert_str_eq(world_told(&world, 0), "error a b");
    ck_assert_ptr_nonnull(strstr(message(0), "the case did not end within 4m"));
    ck_assert_int_eq(engine_deadline(world.engine), INT64_MAX);
}
END_TEST

/* --- servers --- */

START_TEST(fixed_servers_are_there_at_once)
{
    world_add(&world, TWO("A", FIXED, "'web'"), 1);
    world_begin(&world);
    register_webs(2);
    ck_assert_str_eq(world_told(&world, 0), "running a b");
    ck_assert_uint_eq(world.deployment_count, 0);
    ck_assert_str_eq(
        json_text(world_case(&world, 0)->turn->servers),
        "[{\"name\":\"server\",\"server_name\":\"hs1\",\"cs_api\":\"http://"
        "localhost:8008\"},{\"name\":\"other\",\"server_name\":\"hs2\",\"cs_api\":"
        "\"http://hs2.example\"}]");
}
END_TEST

START_TEST(servers_are_made_for_a_case_that_has_its_clients)
{
    world_add(&world, TWO("A", MADE, "'web'"), 1);
    world_begin(&world);
    world_register(&world, "a", "web");
    ck_assert_uint_eq(world.deployment_count, 0);
    world_register(&world, "b", "web");
    ck_assert_str_eq(world_told(&world, 0), "preparing a b");
    ck_assert_str_eq(world_poll(&world, "a"), "idle");
    ck_assert_str_eq(world.deployments[0].servers,
                     "server=image-one other=image-two third=image-two");
    ck_assert_uint_eq(engine_deployments(world.engine), 1);
    world_created(&world, 0);
    world_created(&world, 0);
    ck_assert_str_eq(world_told(&world, 0), "running a b");
    world_report(&world, "a", NULL);
    world_report(&world, "a", NULL);
    ck_assert_int_eq(world.deployments[0].destroyed, 0);
    world_report(&world, "b", NULL);
    ck_assert_str_eq(world_told(&world, 0), "success a b");
    ck_assert_int_eq(world.deployments[0].destroyed, 1);
    ck_assert_uint_eq(engine_deployments(world.engine), 1);
    world_destroyed(&world, 0);
    world_destroyed(&world, 0);
    ck_assert_uint_eq(engine_deployments(world.engine), 0);
}
END_TEST

/* Where servers were made is told where that could be several places. */
START_TEST(who_made_servers_is_told)
{
    static const char *const ends[] = {"9000\"}]", "9000\"}] on http://two:54321",
                                       "9000\"}]"};

    world.settings.homerunners = _i > 0 ? 2 : 1;
    world.where = _i < 2 ? "http://two:54321" : NULL; /* as in an old journal */
    world_add(&world, TWO("A", MADE, "'web'"), 1);
    world_begin(&world);
    world_register(&world, "a", "web");
    world_register(&world, "b", "web");
    world_created(&world, 0);
    const struct transcript *prelude = &world_case(&world, 0)->turn->prelude;
    const char *text = prelude->lines[prelude->count - 1].text;
    size_t size = strlen(ends[_i]);
    ck_assert_msg(strncmp(text, "made [", 6) == 0, "%s", text);
    ck_assert_str_eq(text + strlen(text) - size, ends[_i]);
    world_report(&world, "a", "failed");
    char *wanted = xasprintf("destroy %s%s%s\n", world.deployments[0].id,
                             _i < 2 ? " on " : "", _i < 2 ? world.where : "");
    ck_assert_ptr_nonnull(strstr(world_notes(&world), wanted));
    free(wanted);
}
END_TEST

START_TEST(who_gives_up_while_servers_are_made_ends_its_case)
{
    world_add(&world, TWO("A", MADE, "'web'"), 2);
    world_begin(&world);
    register_webs(4);
    world_error(&world, "b", true);
    world_error(&world, "c", false);
    ck_assert_str_eq(world_told(&world, 0), "failed a b");
    ck_assert_str_eq(world_told(&world, 1), "error c d");
    ck_assert_str_eq(testcase_verdict(world_case(&world, 0))->details,
                     "it broke\nat a.js:1");
    ck_assert_ptr_nonnull(strstr(message(0), "green's adapter gave up"));
    ck_assert_int_eq(world.deployments[0].destroyed, 1);
    world_error(&world, "a", false); /* too late to change anything */
    ck_assert_str_eq(world_told(&world, 0), "failed a b");
}
END_TEST

START_TEST(deployments_have_a_limit)
{
    world.settings.deployments = 1;
    world_add(&world, TWO("A", MADE, "'web'"), 2);
    world_add(&world, LOOK("B", "web"), 1);
    world_begin(&world);
    register_webs(5);
    ck_assert_str_eq(world_told(&world, 2), "running a");
    ck_assert_str_eq(world_told(&world, 0), "preparing b c");
    ck_assert_str_eq(world_told(&world, 1), "waiting"); /* and takes no clients */
    world_not_created(&world, 0, "no such image");
    ck_assert_str_eq(world_told(&world, 0), "error b c");
    ck_assert_str_eq(message(0), "no such image");
    ck_assert_str_eq(world_told(&world, 1), "waiting");
    world_destroyed(&world, 0);
    ck_assert_str_eq(world_told(&world, 1), "preparing d e");
    ck_assert_str_ne(world.deployments[0].id, world.deployments[1].id);
}
END_TEST

/* Every way in which a case with servers can end. */
enum ending { DONE, FAIL, GIVE_UP, LOSE, TIME_OUT, STOP, REFUSED, ENDINGS };

static void end(enum ending ending)
{
    switch (ending) {
    case DONE:
        world_report(&world, "a", NULL);
        world_report(&world, "a", NULL);
        world_report(&world, "b", NULL);
        break;
    case FAIL:
        world_report(&world, "a", "failed");
        break;
    case GIVE_UP:
        world_error(&world, "b", false);
        break;
    case LOSE:
        world_lost(&world, "b");
        break;
    case TIME_OUT:
        world_pass(&world, 40 * 60 * 1000);
        break;
    case STOP:
        world_stop(&world);
        break;
    default:
        world_not_created(&world, 0, "docker is not there");
    }
}

START_TEST(servers_are_destroyed_once)
{
    enum ending ending = (enum ending)(_i % ENDINGS);
    bool prepared = _i / ENDINGS > 0; /* else it ends while they are being made */

    world_add(&world, TWO("A", MADE, "'web'"), 1);
    world_begin(&world);
    register_webs(2);
    if (prepared)
        world_created(&world, 0);
    end(ending);
    bool has_ended = testcase_has_ended(world_case(&world, 0));
    ck_assert_int_eq(world.deployments[0].destroyed, has_ended);
    if (!prepared && ending != REFUSED)
        world_created(&world, 0); /* too late, if it has ended */
    world_lost(&world, "a");
    world_error(&world, "b", false);
    world_stop(&world);
    ck_assert(testcase_has_ended(world_case(&world, 0)));
    ck_assert_int_eq(world.deployments[0].created, 1);
    ck_assert_int_eq(world.deployments[0].destroyed, 1);
    world_destroyed(&world, 0);
    ck_assert_uint_eq(engine_deployments(world.engine), 0);
    ck_assert_uint_eq(world.deployment_count, 1);
    ck_assert_str_eq(world_poll(&world, "a"), "exit");
    ck_assert_str_eq(world_poll(&world, "b"), "exit");
}
END_TEST

/* --- driven by chance --- */

static const char *const registrations[] = {
    "web",
    "phone",
    "{'type': 'web', 'version': '2.0'}",
    "{'type': 'web', 'colour': 'red'}",
    "{'type': 'web', 'colour': 'red', 'version': '2'}",
};

static const char *const responses[] = {NULL, NULL, NULL, "seen", "logged_in", "failed"};

static void must(bool holds, const char *what)
{
    if (!holds) /* ck_assert() would take most of the time */
        ck_abort_msg("%s", what);
}

static int resumed; /* how often another process went on */

/* No client plays twice; what was made is destroyed once, by each process. */
static void check_invariants(void)
{
    size_t open = 0, wanted = 0;

    for (size_t i = 0; i < engine_shown_run(world.engine)->case_count; i++) {
        struct testcase *testcase = world_case(&world, i);
        struct turn *turn;
        TAILQ_FOREACH (turn, &testcase->turns, link) {
            must(turn == testcase->turn || turn->ended.mono_ms != 0, "two turns go on");
            for (size_t j = 0; j < testcase->machine->role_count; j++) {
                must(turn->players[j]->turn == turn, "a client plays twice");
                must(turn->players[j]->seat == j, "a client has two seats");
            }
        }
        must(testcase->state != CASE_WAITING || testcase->turn == NULL, "it waits");
    }
    for (size_t i = 0; i < world.deployment_count; i++) {
        must(world.deployments[i].created == 1, "servers are made once");
        must(world.deployments[i].destroyed <= 1 + resumed, "servers are destroyed once");
        open += !world.deployments[i].over;
        wanted += !world.deployments[i].over && world.deployments[i].destroyed == 0;
    }
    must(engine_deployments(world.engine) == open, "deployments are counted");
    must(wanted <= world.settings.deployments, "deployments have a limit");
    must(resumed || open <= world.settings.deployments, "deployments have a limit");
}

static void serve_any(uint64_t *seed)
{
    for (size_t i = 0; i < world.deployment_count; i++) {
        struct world_deployment *deployment = &world.deployments[i];
        if (!deployment->answered && fixture_random(seed, 2) == 0) {
            if (fixture_random(seed, 5) == 0)
                world_not_created(&world, i, "it went wrong");
            else
                world_created(&world, i);
            return;
        }
        if (deployment->destroyed && !deployment->over && fixture_random(seed, 2) == 0) {
            world_destroyed(&world, i);
            return;
        }
    }
}

static void do_anything(uint64_t *seed)
{
    char id[20];
    unsigned dice = fixture_random(seed, 100);

    snprintf(id, sizeof id, "c%u", fixture_random(seed, 60));
    bool known = engine_client_standing(world.engine, id) != CLIENT_IS_UNKNOWN;
    if (dice < 40)
        world_register(&world, id, registrations[fixture_random(seed, 5)]);
    else if (dice < 80 && known)
        world_report(&world, id, responses[fixture_random(seed, 6)]);
    else if (dice < 92)
        serve_any(seed);
    else if (dice < 94 && known)
        world_error(&world, id, fixture_random(seed, 2) == 0);
    else if (dice < 96)
        world_lost(&world, id);
    else
        world_pass(&world, fixture_random(seed, 60000));
}

static void cancel_any(uint64_t *seed)
{
    const struct run *run = engine_shown_run(world.engine);
    unsigned number = fixture_random(seed, (unsigned)run->case_count);

    world_apply(&world, input_cancel_case(world_case(&world, number)->id, "by chance"),
                NULL);
}

/* A run ends, another one begins, the first is forgotten; or the process is another
 * one. */
static void turn_over(uint64_t *seed)
{
    char first[ID_SIZE];

    if (fixture_random(seed, 2) == 0) {
        world_apply(&world, input_resume(), NULL);
        resumed++;
        return;
    }
    memcpy(first, engine_shown_run(world.engine)->id, ID_SIZE);
    world_apply(&world, input_cancel_run(first, "by chance"), NULL);
    if (engine_next_run(world.engine) == NULL)
        return;
    world_begin_next(&world);
    do_anything(seed);
    world_apply(&world, input_forget_run(first), NULL);
}

/* Gives everything that was asked and what came of it. Owned. */
static char *run_by_chance(uint64_t seed)
{
    resumed = 0;
    world_init(&world);
    world.settings.deployments = 2;
    world.settings.unfilled_timeout_ms = fixture_random(&seed, 3) * 300000;
    world.retries = fixture_random(&seed, 3);
    world_add(&world, TWO("A", MADE, "'web-red', 'web', 'phone'"), 2);
    world_add(&world, TWO("B", FIXED, "'web-new', 'web-red'"), 3);
    world_add(&world, TWO("C", "", "'web'"), 6);
    world_begin(&world);
    world_add(&world, TWO("A", MADE, "'web'"), 4);
    world_add_run(&world, SECOND_RUN);
    for (int i = 0; i < 300; i++) {
        unsigned dice = fixture_random(&seed, 200);
        if (dice == 0)
            turn_over(&seed);
        else if (dice < 3)
            cancel_any(&seed);
        else
            do_anything(&seed);
        check_invariants();
    }
    if (fixture_random(&seed, 2) == 0)
        world_stop(&world);
    char *status = world_status(&world);
    char *all = xasprintf("%s%s", world_notes(&world), status);
    world_clear(&world);
    free(status);
    return all;
}

START_TEST(the_same_inputs_give_the_same_state)
{
    for (uint64_t seed = 0; seed < 8; seed++) {
        char *once = run_by_chance((uint64_t)_i * 100 + seed);
        char *again = run_by_chance((uint64_t)_i * 100 + seed);
        ck_assert_str_eq(once, again);
        free(once);
        free(again);
    }
}
END_TEST

static TCase *with_world(void)
{
    TCase *tcase = tcase_create("engine");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, nothing_starts_before_the_beginning);
    tcase_add_test(tcase, cases_start_in_the_order_of_the_files);
    tcase_add_test(tcase, roles_are_filled_in_order);
    tcase_add_test(tcase, a_client_counts_as_all_that_it_is);
    tcase_add_test(tcase, who_waits_may_register_again);
    tcase_add_test(tcase, a_stop_ends_all);
    tcase_add_test(tcase, a_stop_before_the_beginning_holds);
    tcase_add_test(tcase, who_is_unknown_is_told_to_exit);
    tcase_add_test(tcase, strict_reports_are_told_what_is_wrong);
    tcase_add_test(tcase, who_gives_up_while_waiting_is_retired);
    tcase_add_test(tcase, who_is_lost_ends_its_case);
    tcase_add_test(tcase, who_gives_up_ends_its_case);
    tcase_add_loop_test(tcase, who_made_servers_is_told, 0, 3);
    tcase_add_test(tcase, who_gives_up_while_servers_are_made_ends_its_case);
    tcase_add_test(tcase, details_of_an_adapter_error_are_shortened);
    tcase_add_test(tcase, who_comes_before_the_tests_counts);
    tcase_add_test(tcase, time_outs_strike);
    tcase_add_test(tcase, fixed_servers_are_there_at_once);
    tcase_add_test(tcase, servers_are_made_for_a_case_that_has_its_clients);
    tcase_add_test(tcase, deployments_have_a_limit);
    tcase_add_loop_test(tcase, servers_are_destroyed_once, 0, 2 * ENDINGS);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("engine");
    TCase *tcase = tcase_create("chance");

    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, the_same_inputs_give_the_same_state, 0, 10);
    suite_add_tcase(suite, with_world());
    suite_add_tcase(suite, tcase);
    return fixture_run(suite);
}
