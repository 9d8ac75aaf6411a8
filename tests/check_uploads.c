/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads as the engine hears of them: who may, what is listed, what conditions see. */
#include "fixture.h"
#include "json.h"
#include "junit.h"
#include "xalloc.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define PAINTING                                                                         \
    "{'name': 'Painting', 'clients': {'red': ['web']}, 'steps': ["                       \
    " {'red': 'look', 'save': 'seen'},"                                                  \
    " {'assert': {'colour': ['red_${seen.snapshot}', 'green']}}, {'red': 'look'}]}"
#define DEPLOYED                                                                         \
    "{'name': 'Deployed', 'clients': {'red': ['web']},"                                  \
    " 'servers': {'type': 'made', 'names': ['s']}, 'steps': ["                           \
    " {'assert': {'colour': ['red_a.png', 'green']}}, {'red': 'look'}]}"

static struct world world;

static void setup(void)
{
    world_init(&world);
}

static void teardown(void)
{
    world_clear(&world);
}

static enum engine_result tell(const char *client, const char *name, const char *colour,
                               char **cause)
{
    return world_apply(&world, input_uploaded(client, name, 5, colour), cause);
}

/* The files that the status lists, as "a b ". Owned. */
static char *listed(void)
{
    char *text = xstrdup("");

    if (world_case(&world, 0)->turn->files == NULL)
        return text;
    json_object_object_foreach (world_case(&world, 0)->turn->files, name, size) {
        char *longer = xasprintf("%s%s ", text, name);
        (void)size;
        free(text);
        text = longer;
    }
    return text;
}

static void begin(const char *text)
{
    world_add(&world, text, 1);
    world_begin(&world);
    ck_assert_int_eq(world_register(&world, "a", "web"), ENGINE_OK);
}

/* Report `look` with the name of a snapshot. */
static void report(const char *snapshot)
{
    struct json_object *body = json_new_object();
    char *delivery = xstrdup(engine_poll(world.engine, "a").delivery);

    json_put_text(body, "response", "seen");
    json_put_text(body, "snapshot", snapshot);
    ck_assert_int_eq(world_apply(&world, input_report("a", delivery, true, body), NULL),
                     ENGINE_OK);
    json_object_put(body);
    free(delivery);
}

START_TEST(who_may_upload)
{
    struct upload_target target;
    char *cause = NULL;

    ck_assert_int_eq(engine_upload_target(world.engine, "a", &target, &cause),
                     ENGINE_UNKNOWN);
    ck_assert_int_eq(tell("a", "red_a", NULL, &cause), ENGINE_UNKNOWN);
    free(cause);
    cause = NULL;
    world_add(&world, PAINTING, 1);
    world_begin(&world);
    world_register(&world, "other", "phone");
    ck_assert_int_eq(engine_upload_target(world.engine, "other", &target, &cause),
                     ENGINE_WRONG_MOMENT);
    ck_assert_ptr_nonnull(strstr(cause, "plays no role yet"));
    free(cause);
    world_register(&world, "a", "web");
    ck_assert_int_eq(engine_upload_target(world.engine, "a", &target, NULL), ENGINE_OK);
    ck_assert_str_eq(target.run, FIXTURE_RUN);
    ck_assert_str_eq(target.testcase, world_case(&world, 0)->id);
    ck_assert_uint_eq(target.attempt, 1);
    ck_assert_str_eq(target.role, "red");
    ck_assert_uint_eq(target.room, 1000);
}
END_TEST

START_TEST(a_colour_that_is_expected)
{
    begin(PAINTING);
    ck_assert_int_eq(tell("a", "red_a.png", "red", NULL), ENGINE_OK);
    ck_assert_int_eq(tell("a", "red_a.png", "green", NULL), ENGINE_OK);
    report("a.png");
    ck_assert_str_eq(world_told(&world, 0), "running a");
    report("a.png");
    ck_assert_str_eq(case_state_text(world_case(&world, 0)->state), "success");
}
END_TEST

static const struct {
    const char *colour;  /* that is uploaded */
    const char *message; /* what the failure says of it */
} others[] = {{"(12,34,56,255)", "to be green, it is (12,34,56,255)"},
              {"red", "to be green, it is red"},
              {NULL, "red_a.png"}};

START_TEST(a_colour_that_is_not)
{
    begin(PAINTING);
    ck_assert_int_eq(tell("a", "red_a.png", "green", NULL), ENGINE_OK);
    ck_assert_int_eq(tell("a", "red_a.png", others[_i].colour, NULL), ENGINE_OK);
    report("a.png");
    ck_assert_int_eq(world_case(&world, 0)->state, CASE_FAILED);
    const char *message = testcase_verdict(world_case(&world, 0))->message;
    ck_assert_msg(strstr(message, others[_i].message), "%s", message);
}
END_TEST

START_TEST(before_the_machine_runs)
{
    begin(DEPLOYED);
    ck_assert_ptr_null(world_case(&world, 0)->turn->attempt);
    ck_assert_int_eq(tell("a", "red_a.png", "green", NULL), ENGINE_OK);
    world_created(&world, 0);
    ck_assert_str_eq(world_told(&world, 0), "running a");
    ck_assert_str_eq(world_poll(&world, "a"), "look");
}
END_TEST

START_TEST(after_the_end)
{
    begin(PAINTING);
    world_error(&world, "a", true);
    ck_assert_int_eq(tell("a", "red_a.mp4", NULL, NULL), ENGINE_OK);
    char *files = listed(), *status = world_status(&world);
    ck_assert_str_eq(files, "red_a.mp4 ");
    ck_assert_ptr_nonnull(strstr(status, "\"files\":[\"red_a.mp4\"]"));
    ck_assert_int_eq(world_case(&world, 0)->state, CASE_FAILED);
    free(files);
    free(status);
}
END_TEST

START_TEST(files_are_listed)
{
    const char *id;
    struct upload_target target;
    struct instant now;
    size_t size;

    begin(PAINTING);
    id = world_case(&world, 0)->id;
    ck_assert(!engine_find_file(world.engine, id, 0, "red_b", &target));
    tell("a", "red_b", NULL, NULL);
    tell("a", "red_a", "red", NULL);
    tell("a", "red_b", NULL, NULL);
    char *files = listed();
    ck_assert_str_eq(files, "red_b red_a ");
    ck_assert(engine_find_file(world.engine, id, 0, "red_b", &target));
    ck_assert_str_eq(target.run, FIXTURE_RUN);
    ck_assert_str_eq(target.testcase, id);
    ck_assert_uint_eq(target.attempt, 1);
    ck_assert(engine_find_file(world.engine, id, 1, "red_b", &target));
    ck_assert(!engine_find_file(world.engine, id, 2, "red_b", &target));
    ck_assert(!engine_find_file(world.engine, id, 0, "red_c", &target));
    ck_assert(!engine_find_file(world.engine, "nobody", 0, "red_b", &target));
    now = fixture_at(world.ms);
    char *junit = junit_document(world.engine, NULL, "here", &now, &size);
    char *path = xasprintf("/status/%s/files/red_a (5 bytes)\n", id);
    ck_assert_ptr_nonnull(strstr(junit, path));
    ck_assert_ptr_nonnull(strstr(junit, "red upload: red_a, 5 bytes, colour red"));
    free(path);
    free(junit);
    free(files);
}
END_TEST

START_TEST(a_case_has_room_for_a_thousand)
{
    struct upload_target target;
    char *cause = NULL;

    begin(PAINTING);
    for (int i = 0; i < 1000; i++) {
        char *name = xasprintf("red_%d", i);
        ck_assert_int_eq(tell("a", name, NULL, NULL), ENGINE_OK);
        free(name);
    }
    ck_assert_int_eq(engine_upload_target(world.engine, "a", &target, NULL), ENGINE_OK);
    ck_assert_uint_eq(target.room, 0);
    ck_assert_int_eq(tell("a", "red_7", NULL, NULL), ENGINE_OK);
    ck_assert_int_eq(tell("a", "red_1000", NULL, &cause), ENGINE_WRONG_MOMENT);
    ck_assert_ptr_nonnull(strstr(cause, "1000 files"));
    ck_assert(!engine_find_file(world.engine, world_case(&world, 0)->id, 0, "red_1000",
                                &target));
    free(cause);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("uploads");
    TCase *tcase = tcase_create("uploads");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, who_may_upload);
    tcase_add_test(tcase, a_colour_that_is_expected);
    tcase_add_loop_test(tcase, a_colour_that_is_not, 0, sizeof others / sizeof *others);
    tcase_add_test(tcase, before_the_machine_runs);
    tcase_add_test(tcase, after_the_end);
    tcase_add_test(tcase, files_are_listed);
    tcase_add_test(tcase, a_case_has_room_for_a_thousand);
    suite_add_tcase(suite, tcase);
    return fixture_run(suite);
}
