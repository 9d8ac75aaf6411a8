/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs, settings, sources and plans as JSON: all survive being written down, and what
 * is none of them changes nothing. */
#include "fixture.h"
#include "json.h"
#include "sources.h"
#include "utf8.h"
#include "xalloc.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))
#define SECOND_RUN    "8e0f1c3e-5b8a-4f0e-9c2d-2f6d1a3b4c5d"

static struct world world;

static void setup(void)
{
    world_init(&world);
}

static void teardown(void)
{
    world_clear(&world);
}

/* --- plans --- */

static const char dictionary[] =
    "// what all know\n{\"actions\": {\"look\": {\"responses\": [\"seen\"]}}}";

static void add(struct json_object *sources, const char *path, bool is_test,
                const char *text)
{
    char *plain = fixture_text(text);

    sources_add(sources, path, is_test ? "ball" : "", is_test);
    sources_set_text(sources, path, plain, NULL);
    free(plain);
}

/* Two tests, a dictionary, and flows that the first test includes. Owned. */
static struct json_object *make_sources(void)
{
    struct json_object *sources = sources_new();
    char *flows = fixture_text("{'twice': [{'red': 'look'}, {'red': 'dance'}]}");

    add(sources, "/s/ball/mine.actions.json", false, "{'actions': {'dance': {}}}");
    add(sources, "/s/ball/a_test.json", true,
        "{'name': 'A', 'clients': {'red': ['web', 'phone']}, 'include': ['f.flows.json'],"
        " /* both */ 'steps': [{'flow': 'twice'}]}");
    add(sources, "/s/ball/b_test.json", true,
        "{'name': 'B', 'clients': {'red': ['web']}, 'retries': 1,"
        " 'servers': {'type': 'made', 'names': ['server']}, 'steps': [{'red': 'look'}]}");
    sources_set_text(sources, "/s/ball/f.flows.json", flows, NULL);
    free(flows);
    return sources;
}

/* Takes the sources. Owned. */
static struct json_object *make_plan(const char *id, struct json_object *sources,
                                     const char *only)
{
    struct json_object *plan = json_new_object();

    json_put_text(plan, "id", id);
    json_put_text(plan, "label", "for \"people\"");
    json_put(plan, "only", fixture_json(only));
    json_put_int(plan, "repeat", 2);
    json_put_int(plan, "retries", 0);
    json_put(plan, "settings", settings_json(&world.settings));
    json_put_text(plan, "dictionary", dictionary);
    json_put(plan, "sources", sources);
    return plan;
}

/* The same after it was text. Owned. */
static struct json_object *reread(struct json_object *value)
{
    const char *text = json_text(value);
    struct json_object *again = NULL;
    char *cause = NULL;

    ck_assert_msg(json_read(text, strlen(text), 64, &again, &cause) == 0, "%s", cause);
    ck_assert_str_eq(json_text(again), text);
    return again;
}

/* "id/name id/name ", for all cases. Owned. */
static char *cases_of(const struct run *run)
{
    char *all = xstrdup("");
    struct suite *suite;

    TAILQ_FOREACH (suite, &run->suites, link) {
        for (size_t i = 0; i < suite->case_count; i++) {
            char *longer = xasprintf("%s%s/%s.%s/%s ", all, suite->cases[i].id,
                                     suite->definition->folder, suite->definition->name,
                                     suite->cases[i].name);
            free(all);
            all = longer;
        }
    }
    return all;
}

START_TEST(the_same_plan_gives_the_same_run)
{
    struct json_object *plan = make_plan(FIXTURE_RUN, make_sources(), "[]");
    struct json_object *again = reread(plan);
    struct mistakes *mistakes = mistakes_new();
    struct run *one = run_read(plan, mistakes), *two = run_read(again, mistakes);
    char *cases = cases_of(one), *same = cases_of(two);

    fixture_print(mistakes);
    ck_assert_uint_eq(mistakes_count(mistakes), 0);
    ck_assert_str_eq(cases, same);
    ck_assert_uint_eq(run_case_count(one), 6);
    ck_assert_str_eq(run_id(one), FIXTURE_RUN);
    ck_assert_str_eq(one->label, "for \"people\"");
    ck_assert_ptr_nonnull(run_dictionary(one));
    ck_assert_ptr_nonnull(strstr(cases, "/ball.A/red=phone #2 "));
    free(cases);
    free(same);
    run_free(one);
    run_free(two);
    mistakes_free(mistakes);
    json_object_put(plan);
    json_object_put(again);
}
END_TEST

static const struct {
    const char *only;
    size_t count;
} chosen[] = {{"[]", 6},
              {"['ball.*']", 6},
              {"['ball.A']", 4},
              {"['ball.A/*=web']", 1},
              {"['ball.A/red=phone*']", 2},
              {"['ball.B/*#2', 'ball.A/red=phone']", 2},
              {"['A', 'ball.C']", 0}};

START_TEST(a_plan_chooses)
{
    struct json_object *plan = make_plan(FIXTURE_RUN, make_sources(), chosen[_i].only);
    struct mistakes *mistakes = mistakes_new();
    struct run *run = run_read(plan, mistakes);

    ck_assert_uint_eq(run_case_count(run), chosen[_i].count);
    ck_assert_uint_eq(mistakes_count(mistakes), 0);
    run_free(run);
    mistakes_free(mistakes);
    json_object_put(plan);
}
END_TEST

/* Files with a mistake each, and what is told of it. */
static const struct {
    const char *text;    /* NULL: it could not be read */
    const char *mistake; /* a part of it */
} wrong[] = {
    {NULL, "/s/ball/c_test.json: can't be read: Permission denied"},
    {"{", "/s/ball/c_test.json"},
    {"[]", "ball/c_test.json:1: a test definition is an object"},
    {"{'name': 'B', 'clients': {'red': ['web']}, 'steps': [{'red': 'look'}]}",
     "$.name: ball.B is the name of a test already"},
    {"{'name': 'C', 'clients': {'red': ['web']},\n'steps': [{'red': 'lok'}]}",
     "ball/c_test.json:2: $.steps[0].red: no dictionary knows the action \"lok\""},
    {"{'name': 'C', 'name': 'D', 'clients': {'red': ['web']}, 'steps': [{'red': "
     "'look'}]}",
     "the member \"name\" is there twice"},
    {"{'name': 'C', 'clients': {'red': ['web']},\n'include': ['gone.json'],"
     " 'steps': [{'red': 'look'}]}",
     "$.include[0]: gone.json can't be included"},
};

START_TEST(a_mistake_in_one_file_leaves_the_others)
{
    struct json_object *sources = make_sources();
    struct mistakes *mistakes = mistakes_new();
    const char *path = "/s/ball/c_test.json";

    if (wrong[_i].text != NULL) {
        add(sources, path, true, wrong[_i].text);
    } else {
        sources_add(sources, path, "ball", true);
        sources_set_text(sources, path, NULL, "can't be read: Permission denied");
    }
    ck_assert(sources_has(sources, path));
    struct json_object *plan = make_plan(FIXTURE_RUN, sources, "[]");
    struct json_object *again = reread(plan);
    struct run *run = run_read(again, mistakes);
    ck_assert_uint_eq(run_case_count(run), 6);
    ck_assert_uint_ge(mistakes_errors(mistakes), 1);
    if (!fixture_has(mistakes, true, wrong[_i].mistake)) {
        fixture_print(mistakes);
        ck_abort_msg("%s", wrong[_i].mistake);
    }
    run_free(run);
    mistakes_free(mistakes);
    json_object_put(again);
    json_object_put(plan);
}
END_TEST

static void count_one(struct definition *definition, void *argument)
{
    ++*(size_t *)argument;
    definition_free(definition);
}

START_TEST(sources_keep_what_they_know)
{
    struct json_object *sources = sources_new();
    struct mistakes *mistakes = mistakes_new();
    struct dictionary *known = dictionary_new();
    size_t count = 0;

    ck_assert(!sources_has(sources, "x"));
    sources_set_text(sources, "x", NULL, "is gone");
    sources_set_text(sources, "x", "[]", NULL);
    sources_add(sources, "x", "", true);
    sources_add(sources, "never", "", true);
    ck_assert_uint_eq(sources_load(sources, known, NULL, mistakes, count_one, &count), 2);
    ck_assert_uint_eq(count, 0);
    ck_assert(fixture_has(mistakes, true, "x: is gone"));
    ck_assert(fixture_has(mistakes, true, "never: was not read"));
    ck_assert_uint_eq(mistakes_count(mistakes), 2);
    json_object_put(sources);
    sources = make_sources();
    ck_assert_uint_eq(sources_load(sources, known, NULL, mistakes, count_one, &count), 2);
    dictionary_free(known);
    mistakes_free(mistakes);
    json_object_put(sources);
}
END_TEST

static const struct {
    const char *path, *text, *includes;
} including[] = {
    {"/s/a_test.json", "{'include': ['b', '../c/d.json']}",
     "[\"/s/b\",\"/s/../c/d.json\"]"},
    {"a_test.json", "{'include': ['b'] /* so */ }", "[\"b\"]"},
    {"/a", "{'include': [5, 'b', null, 'x\\u0000y']}", "[\"/b\"]"},
    {"/a", "{'include': 'b'}", "[]"},
    {"/a", "{}", "[]"},
    {"/a", "[", "[]"},
    {"/a", "['include']", "[]"},
};

START_TEST(includes_are_found)
{
    char *text = fixture_text(including[_i].text);
    struct json_object *paths = sources_includes(including[_i].path, text);

    ck_assert_str_eq(json_text(paths), including[_i].includes);
    json_object_put(paths);
    free(text);
}
END_TEST

/* --- settings --- */

START_TEST(settings_are_kept)
{
    struct settings again;
    struct json_object *nothing = json_new_object();

    world.settings.wait_scale = 0.00001;
    world.settings.unfilled_timeout_ms = INT64_C(9000000000000);
    world.settings.step_timeout_ms = 17;
    world.settings.deployments = 3;
    world.settings.homerunners = 2;
    world.settings.transcript = 5;
    struct json_object *json = settings_json(&world.settings);
    struct json_object *text = reread(json);
    settings_read(&again, text);
    struct json_object *same = settings_json(&again);
    ck_assert_str_eq(json_text(same), json_text(json));
    ck_assert(again.wait_scale > 0.0000099999 && again.wait_scale < 0.0000100001);
    ck_assert_int_eq(again.unfilled_timeout_ms, INT64_C(9000000000000));
    ck_assert_uint_eq(again.server_type_count, 2);
    ck_assert_str_eq(again.server_types[0].images[1], "image-two");
    ck_assert_str_eq(again.server_types[1].servers[1].cs_api, "http://hs2.example");
    ck_assert_str_eq(again.client_types[1].globs[0].glob, "red");
    settings_clear(&again);
    json_object_put(same);
    json_object_put(text);
    json_object_put(json);
    settings_read(&again, nothing);
    json = settings_json(&again);
    struct settings preset;
    settings_init(&preset);
    same = settings_json(&preset);
    ck_assert_str_eq(json_text(json), json_text(same));
    settings_clear(&again);
    settings_clear(&preset);
    json_object_put(same);
    json_object_put(json);
    json_object_put(nothing);
}
END_TEST

/* --- inputs --- */

static enum engine_result apply(struct json_object *input)
{
    return world_apply(&world, input, NULL);
}

static void begin_plan(const char *id)
{
    struct json_object *plan = make_plan(id, make_sources(), "[]");

    ck_assert_int_eq(apply(input_add_run(plan)), ENGINE_OK);
    ck_assert_int_eq(apply(input_add_run(plan)), ENGINE_WRONG_MOMENT);
    world_begin_next(&world);
    json_object_put(plan);
}

/* Every kind of input once or more; world_clear() reads them back. */
START_TEST(all_kinds_are_read_back)
{
    struct json_object *body = fixture_json("{'response': 'seen', 'n': 1.50, 'x': null}");
    struct json_object *polled = fixture_json("{'a': 1800000000000}");

    world_register(&world, "early", "web");
    world_error(&world, "early", true);
    begin_plan(FIXTURE_RUN);
    world_register(&world, "a", "{'type': 'web', 'name': 'ä\\u0001😀', 'list': [{}]}");
    ck_assert_str_eq(world_poll(&world, "a"), "look");
    ck_assert_int_eq(apply(input_report("a", NULL, false, body)), ENGINE_OK);
    ck_assert_int_eq(apply(input_report("a", FIXTURE_RUN, true, body)),
                     ENGINE_WRONG_MOMENT);
    ck_assert_int_eq(
        apply(input_report("a", engine_poll(world.engine, "a").delivery, true, body)),
        ENGINE_OK);
    ck_assert_int_eq(apply(input_uploaded("a", "red_x", 1u << 31, NULL)), ENGINE_OK);
    ck_assert_int_eq(apply(input_uploaded("a", "red_y", 0, "green")), ENGINE_OK);
    world_register(&world, "b", "web");
    world_register(&world, "c", "web");
    world_created(&world, 0);
    ck_assert_int_eq(apply(input_client_error("c", true, "\xff \x01 \xed\xa0\x80", "")),
                     ENGINE_OK); /* what is no UTF-8 is none of a file either */
    ck_assert_int_eq(apply(input_destroyed(world.deployments[0].id, "docker \xfe")),
                     ENGINE_OK);
    world_register(&world, "d", "web");
    world.where = "http://\xc3 one";
    world_not_created(&world, 1, "no \xc3 image");
    ck_assert_int_eq(apply(input_lost("b", "it \x80")), ENGINE_OK);
    ck_assert_int_eq(apply(input_time(polled)), ENGINE_OK);
    ck_assert_int_eq(apply(input_time(NULL)), ENGINE_OK);
    ck_assert_int_eq(apply(input_http_answered("x", body, NULL)), ENGINE_OK);
    ck_assert_int_eq(apply(input_http_answered("x", NULL, "cause \xff")), ENGINE_OK);
    ck_assert_int_eq(apply(input_cancel_case(world_case(&world, 3)->id, "by \xff")),
                     ENGINE_OK);
    ck_assert_int_eq(apply(input_cancel_run(FIXTURE_RUN, "by me")), ENGINE_OK);
    begin_plan(SECOND_RUN);
    ck_assert_int_eq(apply(input_forget_run(FIXTURE_RUN)), ENGINE_OK);
    world_check_cut(&world);
    ck_assert_int_eq(apply(input_stop("the \xff end")), ENGINE_OK);
    ck_assert_int_eq(apply(input_resume()), ENGINE_OK);
    json_object_put(polled);
    json_object_put(body);
}
END_TEST

#define PLAN                                                                             \
    "'plan': {'id': '" SECOND_RUN "', 'dictionary': '{}', 'only': [], 'settings': {},"   \
    " 'repeat': 1, 'retries': 0, 'sources': {'files': [{'path': 'x', 'folder': 'y'}],"   \
    " 'texts': {}, 'errors': {}}}"
#define CHECKPOINT                                                                       \
    "'checkpoint': {'clients': [{'id': 'x', 'registration': {'type': 'web'}}],"          \
    " 'deployments': [{'name': 'x'}], 'former': {},"                                     \
    " 'cancelled': [{'id': 'x', 'cases': [{'id': 'y', 'message': 'z'}]}]}"

/* Inputs, and the members (JSON pointers) that they can't do without. */
static const struct {
    const char *text;
    const char *needs[8];
} whole[] = {
    {"{'input': 'register', 'client': 'x', 'registration': {'type': 'fridge'}}",
     {"/client", "/registration", "/registration/type"}},
    {"{'input': 'report', 'client': 'x', 'delivery': '', 'body': {}}",
     {"/client", "/delivery", "/body"}},
    {"{'input': 'error', 'client': 'x', 'is_action': true, 'details': '', 'path': ''}",
     {"/client", "/details", "/path"}},
    {"{'input': 'uploaded', 'client': 'x', 'name': 'y', 'size': 1}",
     {"/client", "/name", "/size"}},
    {"{'input': 'lost', 'client': 'x', 'reason': 'y'}", {"/client", "/reason"}},
    {"{'input': 'created', 'deployment': 'x', 'servers': [{'name': 'a', 'server_name':"
     " 'b', 'cs_api': 'c'}]}",
     {"/deployment", "/servers", "/servers/0", "/servers/0/name",
      "/servers/0/server_name", "/servers/0/cs_api"}},
    {"{'input': 'created', 'deployment': 'x', 'cause': 'y'}", {"/deployment", "/cause"}},
    {"{'input': 'created', 'deployment': 'x', 'where': 'z', 'cause': 'y'}",
     {"/deployment", "/cause"}},
    {"{'input': 'destroyed', 'deployment': 'x'}", {"/deployment"}},
    {"{'input': 'answered', 'ticket': 'x', 'reply': {}}", {"/ticket", "/reply"}},
    {"{'input': 'answered', 'ticket': 'x', 'cause': 'y'}", {"/ticket", "/cause"}},
    {"{'input': 'time'}", {NULL}},
    {"{'input': 'resume'}", {NULL}},
    {"{'input': 'stop', 'reason': 'x'}", {"/reason"}},
    {"{'input': 'run', " PLAN "}",
     {"/plan", "/plan/id", "/plan/dictionary", "/plan/only", "/plan/sources",
      "/plan/sources/files", "/plan/sources/files/0", "/plan/sources/files/0/folder"}},
    {"{'input': 'begin', 'run': 'x', " CHECKPOINT "}",
     {"/run", "/checkpoint/clients/0/registration/type", "/checkpoint/deployments",
      "/checkpoint/deployments/0/name", "/checkpoint/former",
      "/checkpoint/cancelled/0/cases/0/message", "/checkpoint/cancelled"}},
    {"{'input': 'forget', 'run': 'x'}", {"/run"}},
    {"{'input': 'cancel run', 'run': 'x', 'who': 'y'}", {"/run", "/who"}},
    {"{'input': 'cancel case', 'case': 'x', 'who': 'y'}", {"/case", "/who"}},
};

/* No input: it changes nothing. Takes it. */
static void refuse(struct json_object *input)
{
    char *before = world_status(&world), *cause = NULL;
    struct json_object *checkpoint = engine_checkpoint(world.engine);
    struct instant now = fixture_at(world.ms);
    bool fresh = true;

    ck_assert_msg(input_apply(world.engine, input, &now, &cause) == ENGINE_UNREADABLE,
                  "%s", json_text(input));
    ck_assert_ptr_nonnull(strstr(cause, "is no input of this version"));
    ck_assert_int_eq(input_replay(world.engine, input, &now, &fresh, NULL),
                     ENGINE_UNREADABLE);
    char *after = world_status(&world);
    ck_assert_str_eq(after, before);
    struct json_object *same = engine_checkpoint(world.engine);
    ck_assert_str_eq(json_text(same), json_text(checkpoint));
    json_object_put(same);
    json_object_put(checkpoint);
    json_object_put(input);
    free(before);
    free(after);
    free(cause);
}

START_TEST(what_is_no_input_changes_nothing)
{
    static const char *const others[] = {"null", "5", "true", "[]", "{}", "'x\\u0000y'"};
    struct json_object *parent = NULL;

    begin_plan(FIXTURE_RUN);
    world_register(&world, "x", "phone");
    struct json_object *taken = fixture_json(whole[_i].text);
    for (size_t i = 0; i < LENGTH(whole[_i].needs) && whole[_i].needs[i]; i++) {
        const char *path = whole[_i].needs[i];
        struct json_object *value = NULL;
        ck_assert_int_eq(json_pointer_get(taken, path, &value), 0);
        for (size_t k = 0; k < LENGTH(others); k++) {
            struct json_object *broken = json_copy(taken),
                               *other = fixture_json(others[k]);
            struct json_object *root = broken;
            bool is_as_good =
                json_object_get_type(other) == json_object_get_type(value) &&
                !json_object_is_type(value, json_type_string) &&
                !json_object_is_type(value, json_type_object);
            ck_assert_int_eq(json_pointer_set(&root, path, other), 0);
            if (!is_as_good && (strcmp(others[k], "{}") != 0 ||
                                !json_object_is_type(value, json_type_object)))
                refuse(broken);
            else
                json_object_put(broken);
        }
        char *folder = xstrdup(path), *slash = strrchr(folder, '/');
        char *name = xstrdup(slash + 1);
        struct json_object *missing = json_copy(taken);
        *slash = '\0';
        ck_assert_int_eq(json_pointer_get(missing, folder, &parent), 0);
        if (json_object_is_type(parent, json_type_object)) {
            json_object_object_del(parent, name);
            refuse(missing);
        } else {
            json_object_put(missing);
        }
        free(name);
        free(folder);
    }
    ck_assert_int_ne(world_apply(&world, taken, NULL), ENGINE_UNREADABLE);
}
END_TEST

START_TEST(what_is_of_no_kind_changes_nothing)
{
    static const char *const texts[] = {
        "null",
        "5",
        "[]",
        "{}",
        "'register'",
        "{'input': 5}",
        "{'input': 'registr'}",
        "{'input': ''}",
        "{'input': 'time\\u0000'}",
        "{'INPUT': 'time'}",
    };

    begin_plan(FIXTURE_RUN);
    world_register(&world, "x", "phone");
    for (size_t i = 0; i < LENGTH(texts); i++)
        refuse(fixture_json(texts[i]));
}
END_TEST

/* A ticket that nobody gave out, in the form of one. */
START_TEST(a_ticket_must_be_whole)
{
    struct json_object *reply = fixture_json("{'status': 200}");

    begin_plan(FIXTURE_RUN);
    world_register(&world, "a", "web");
    char *ticket = xasprintf("%s/", world_case(&world, 0)->id);
    apply(input_http_answered(ticket, reply, NULL));
    ck_assert_str_eq(world_poll(&world, "a"), "look");
    ticket[strlen(ticket) - 1] = '\0';
    apply(input_http_answered(ticket, reply, NULL));
    ck_assert_str_eq(world_poll(&world, "a"), "look");
    free(ticket);
    json_object_put(reply);
}
END_TEST

static const struct {
    const char *text, *clean;
} cleaned[] = {
    {"", ""},
    {"plain\x01\n", "plain\x01\n"},
    {"ä€😀", "ä€😀"},
    {"\xff"
     "a\xc3",
     "\xef\xbf\xbd"
     "a\xef\xbf\xbd"},
    {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"\xf0\x9f\x98", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
};

START_TEST(text_becomes_utf8)
{
    char *clean = utf8_clean(cleaned[_i].text);

    ck_assert_str_eq(clean, cleaned[_i].clean);
    free(clean);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("input");
    TCase *tcase = tcase_create("input");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_same_plan_gives_the_same_run);
    tcase_add_loop_test(tcase, a_plan_chooses, 0, LENGTH(chosen));
    tcase_add_loop_test(tcase, a_mistake_in_one_file_leaves_the_others, 0, LENGTH(wrong));
    tcase_add_test(tcase, sources_keep_what_they_know);
    tcase_add_loop_test(tcase, includes_are_found, 0, LENGTH(including));
    tcase_add_test(tcase, settings_are_kept);
    tcase_add_test(tcase, all_kinds_are_read_back);
    tcase_add_loop_test(tcase, what_is_no_input_changes_nothing, 0, LENGTH(whole));
    tcase_add_test(tcase, what_is_of_no_kind_changes_nothing);
    tcase_add_test(tcase, a_ticket_must_be_whole);
    tcase_add_loop_test(tcase, text_becomes_utf8, 0, LENGTH(cleaned));
    suite_add_tcase(suite, tcase);
    return fixture_run(suite);
}
