/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person who is a client gets to see: what the engine says of the part, and the
 * pages that are made of it; and the dictionary as a page.
 */
#include "fixture.h"
#include "json.h"
#include "pages.h"
#include "pages_manual_task.h"
#include "playing.h"
#include "usage.h"
#include "wanted.h"
#include "xalloc.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define EVIL "<script>alert(1)</script>"

static struct world world;

static void setup(void)
{
    world_init(&world);
}

static void teardown(void)
{
    world_clear(&world);
}

static void has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "no \"%s\" in:\n%.3000s", part, text);
}

static void has_not(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) == NULL, "\"%s\" is in:\n%.3000s", part, text);
}

/* The page of a document; takes the document, returns owned. */
static char *page_of(char *(*make)(struct json_object *document, size_t *size),
                     struct json_object *made)
{
    size_t size = 0;
    char *page = make(made, &size);

    ck_assert_uint_eq(strlen(page), size);
    json_object_put(made);
    return page;
}

/* --- the task in words --- */

static struct json_object *task(const char *entry, const char *data)
{
    char *text = xasprintf("{'id': 'me', 'type': 'web', 'poll': {'action': 'paint_wall', "
                           "'data': %s, 'id': 'd1', 'responses': ['done']}, "
                           "'task': {'entry': %s, 'left': 75}, 'part': null}",
                           data, entry);
    struct json_object *playing = fixture_json(text);

    free(text);
    return playing;
}

static const struct {
    const char *entry;
    const char *data;
    const char *sentence;
} sentences[] = {
    {"null", "{}", "Paint wall"},
    {"{}", "{}", "Paint wall"},
    {"{'description': 'Paints it.'}", "{}", "Paints it."},
    {"{'description': 'Paints it.', 'ask': 'Paint it.'}", "{}", "Paint it."},
    {"{'ask': 'Paint it ${a.b}, ${n} times.'}", "{'a': {'b': 'red'}, 'n': 3}",
     "Paint it red, 3 times."},
    {"{'ask': '${a}'}", "{'a': [1]}", "[1]"},
    {"{'ask': 'Paint it ${a}', 'description': 'Paints it.'}", "{}", "Paints it."},
    {"{'ask': '${a}${b}', 'description': 'Paints it.'}", "{'a': 1}", "Paints it."},
    {"{'ask': 'Paint it ${a'}", "{'a': 1}", "Paint it ${a"},
};

START_TEST(the_task_is_a_sentence)
{
    struct json_object *playing = task(sentences[_i].entry, sentences[_i].data);
    char *sentence = task_sentence(playing);

    ck_assert_str_eq(sentence, sentences[_i].sentence);
    free(sentence);
    json_object_put(playing);
}
END_TEST

START_TEST(names_become_words)
{
    static const char *const pairs[][2] = {{"logged_in", "Logged in"},
                                           {"room-opened", "Room opened"},
                                           {"proxyToSet", "Proxy to set"},
                                           {"OK", "OK"},
                                           {"", ""}};
    char *words = task_words(pairs[_i][0]);

    ck_assert_str_eq(words, pairs[_i][1]);
    free(words);
}
END_TEST

/* --- the page of a person --- */

START_TEST(a_task_has_its_data_and_answers)
{
    char *page = page_of(
        pages_manual, task("{'ask': 'Paint it ${colour}.', 'report': {'seen': 'array'}, "
                           "'data': {'colour': {'meaning': 'in fashion'}}}",
                           "{'colour': 'red', 'deep': {'er': {'x': true}}}"));

    has(page, "Paint it <mark>red</mark>.");
    has(page, "in fashion");
    has(page, "deep.er.x");
    has(page, "data-delivery=\"d1\"");
    has(page, "data-left=\"75\"");
    has(page, "name=\"id\" value=\"d1\"");
    has(page, "name=\"array:seen\"");
    has(page, "name=\"response\" value=\"done\">Done</button>");
    has(page, "value=\"failed\"");
    has(page, "<noscript><meta http-equiv=\"refresh\" content=\"77\"/></noscript>");
    free(page);
}
END_TEST

START_TEST(who_waits_is_told_what_for)
{
    char *page = page_of(
        pages_manual,
        fixture_json("{'id': 'me', 'type': 'web', 'poll': {'action': 'idle', 'data': "
                     "{'reason': 'waiting for a test'}}, 'task': null, 'part': null, "
                     "'waits': [{'test': 'Waltz', 'id': 'c', 'name': 'red=web', "
                     "'message': 'green needs phone: 0 free of 0'}]}"));

    has(page, "Waiting for a test");
    has(page, "green needs phone: 0 free of 0");
    has(page, "<noscript><meta http-equiv=\"refresh\"");
    has_not(page, "/upload\"");
    has(page, "/manual/me/leave");
    free(page);
}
END_TEST

START_TEST(the_end_says_how_and_leads_on)
{
    char *page = page_of(
        pages_manual,
        fixture_json(
            "{'id': 'me', 'next': 'new-id', 'type': 'web', 'registration': "
            "{'version': '7'}, 'poll': {'action': 'exit', 'data': {'reason': 'the "
            "case ended: failed'}}, 'task': null, 'waits': [], 'part': {'state': "
            "'failed', 'case': 'c', 'test': 'Waltz', 'role': 'red', 'others': [], "
            "'files': ['red_a.png'], 'machine': 'failure'}}"));

    has(page, "the case ended: failed");
    has(page, "data-state=\"failed\"");
    has(page, "value=\"new-id\"");
    has(page, "name=\"version\" value=\"7\"");
    has(page, "/status/c/files/red_a.png");
    has_not(page, "http-equiv=\"refresh\"");
    has_not(page, "/manual/me/leave");
    free(page);
}
END_TEST

START_TEST(hostile_words_stay_text)
{
    char *page = page_of(
        pages_manual,
        fixture_json(
            "{'id': '" EVIL "', 'type': '" EVIL "', 'notice': '" EVIL
            "', 'registration': {'version': '" EVIL "'}, 'poll': {'action': '" EVIL
            "', 'id': '" EVIL "', 'data': {'" EVIL "': '" EVIL "'}, 'responses': ['" EVIL
            "']}, 'task': {'left': 1, 'entry': {'ask': "
            "'" EVIL "${" EVIL "}', 'report': {'" EVIL "': '" EVIL
            "'}}}, 'waits': [], 'part': {'state': '" EVIL "', 'role': '" EVIL
            "', 'test': '" EVIL "', 'others': [{'role': '" EVIL "', 'type': '" EVIL
            "', 'action': '" EVIL "'}], 'files': ['" EVIL "']}}"));

    has_not(page, "<script>alert");
    free(page);
}
END_TEST

START_TEST(joining_offers_what_is_wanted)
{
    char *page = page_of(
        pages_manual_join,
        fixture_json(
            "{'id': 'new', 'going': true, 'notice': 'Say more.', 'given': {'type': "
            "'b', 'other': '" EVIL "'}, 'known': {'kettle': true}, 'wanted': ["
            "{'name': 'a', 'type': 'a', 'match': {}, 'cases': 2, 'lacking': 1}, "
            "{'name': 'b-next', 'type': 'b', 'match': {'version': '*next*'}, "
            "'cases': 1, 'lacking': 0}]}"));

    has(page, "2 cases wait for it, one is lacking");
    has(page, "*next*");
    has(page, "checked=\"checked\" id=\"type1\" value=\"b\"");
    has(page, "<option value=\"kettle\"");
    has(page, "Say more.");
    has_not(page, "<script>alert");
    free(page);
}
END_TEST

/* --- what the engine says --- */

#define DUET                                                                             \
    "{'name': 'Duet', 'clients': {'red': ['web'], 'green': ['web', 'phone']}, "          \
    "'steps': [{'red': 'look'}, {'green': 'look'}]}"

static void begin(void)
{
    world_add(&world, DUET, 1);
    world_begin(&world);
}

static struct json_object *playing(const char *client)
{
    struct instant now = fixture_at(world.ms);

    return playing_json(world.engine, client, &now);
}

static struct json_object *at(struct json_object *array, size_t index)
{
    return json_object_array_get_idx(array, index);
}

START_TEST(types_that_are_lacking_come_first)
{
    begin();
    world_register(&world, "w1", "web");

    struct json_object *wanted = wanted_types(world.engine);
    ck_assert_uint_eq(json_object_array_length(wanted), 2);
    ck_assert_str_eq(json_member_text(at(wanted, 0), "name"), "web");
    ck_assert_int_eq(json_object_get_int(json_member(at(wanted, 0), "cases")), 2);
    ck_assert_int_eq(json_object_get_int(json_member(at(wanted, 0), "lacking")), 1);
    ck_assert_str_eq(json_member_text(at(wanted, 1), "name"), "phone");
    json_object_put(wanted);

    struct json_object *waits = wanted_cases(world.engine, "phone", 5);
    ck_assert_uint_eq(json_object_array_length(waits), 1);
    has(json_member_text(at(waits, 0), "message"), "needs phone");
    json_object_put(waits);
    waits = wanted_cases(world.engine, "web", 1);
    ck_assert_uint_eq(json_object_array_length(waits), 1);
    json_object_put(waits);
}
END_TEST

START_TEST(a_part_is_told)
{
    begin();
    ck_assert_ptr_null(playing("w1"));
    world_register(&world, "w1", "web");
    struct json_object *one = playing("w1");
    ck_assert_ptr_null(json_member(one, "part"));
    ck_assert_ptr_null(json_member(one, "task"));
    ck_assert_uint_eq(json_object_array_length(json_member(one, "waits")), 2);
    ck_assert_str_eq(json_member_text(json_member(one, "poll"), "action"), "idle");
    json_object_put(one);

    world_register(&world, "p1", "phone");
    one = playing("w1");
    ck_assert_str_eq(json_member_text(json_member(one, "part"), "role"), "red");
    ck_assert_str_eq(json_member_text(json_member(one, "poll"), "action"), "look");
    ck_assert_int_gt(json_object_get_int(json_member(json_member(one, "task"), "left")),
                     0);
    json_object_put(one);
    one = playing("p1");
    struct json_object *part = json_member(one, "part");
    ck_assert_str_eq(json_member_text(at(json_member(part, "others"), 0), "action"),
                     "look");
    ck_assert_ptr_null(json_member(one, "task"));
    json_object_put(one);
}
END_TEST

START_TEST(tests_are_told_that_use_an_action)
{
    begin();

    struct json_object *usage = usage_json(world.engine);
    ck_assert_uint_eq(json_object_array_length(json_member(usage, "look")), 1);
    ck_assert_str_eq(json_member_text(at(json_member(usage, "look"), 0), "name"), "Duet");
    json_object_put(usage);
}
END_TEST

/* --- the dictionary --- */

START_TEST(an_action_has_an_example_to_be_copied)
{
    char *page = page_of(
        pages_actions,
        fixture_json(
            "{'base': 'http://lab:5000', 'usage': {'paint': [{'id': 's1', 'name': "
            "'Waltz'}]}, 'actions': {'paint': {'description': 'Paints.', 'ask': "
            "'Paint.', 'data': {'who': {'type': 'string', 'required': true}, "
            "'hue': {'type': 'string', 'required': true, 'one_of': ['red']}, 'no': "
            "{'type': 'number'}}, 'template': {'who': '${me.localpart}'}, "
            "'responses': ['painted'], 'report': {'sure': 'boolean'}, 'types': "
            "['web'], 'for': {'phone': {'emulate': 'smear'}}}}, 'flows': {'smear': "
            "[{'${me}': 'wait'}]}}"));

    has(page, "href=\"#paint\"");
    has(page, "id=\"paint\"");
    has(page, "/status/s1/suitestatus");
    has(page, "href=\"#flow-smear\"");
    has(page, "id=\"flow-smear\"");
    has(page,
        "&quot;who&quot;: &quot;user_red_1a2b&quot;, &quot;hue&quot;: &quot;red&quot; }");
    has(page, "&quot;response&quot;: &quot;painted&quot;, &quot;sure&quot;: true }'");
    has(page, "http://lab:5000/client/");
    free(page);
}
END_TEST

START_TEST(an_example_can_be_typed_whatever_is_in_it)
{
    char *page =
        page_of(pages_actions,
                fixture_json("{'base': 'http://lab', 'actions': {'a': {'responses': "
                             "['it\\u0027s " EVIL "'], 'data': {'x': {'type': 'string'"
                             ", 'required': true}}, 'template': {'x': '${gone}'}}}}"));

    has(page, "it'\\''s ");
    has(page, "&quot;x&quot;: &quot;x&quot;");
    has_not(page, "<script>alert");
    free(page);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("manual");
    TCase *words = tcase_create("words"), *engine = tcase_create("engine");

    tcase_add_loop_test(words, the_task_is_a_sentence, 0,
                        (int)(sizeof sentences / sizeof *sentences));
    tcase_add_loop_test(words, names_become_words, 0, 5);
    tcase_add_test(words, a_task_has_its_data_and_answers);
    tcase_add_test(words, who_waits_is_told_what_for);
    tcase_add_test(words, the_end_says_how_and_leads_on);
    tcase_add_test(words, hostile_words_stay_text);
    tcase_add_test(words, joining_offers_what_is_wanted);
    tcase_add_test(words, an_action_has_an_example_to_be_copied);
    tcase_add_test(words, an_example_can_be_typed_whatever_is_in_it);
    suite_add_tcase(suite, words);
    tcase_add_checked_fixture(engine, setup, teardown);
    tcase_add_test(engine, types_that_are_lacking_come_first);
    tcase_add_test(engine, a_part_is_told);
    tcase_add_test(engine, tests_are_told_that_use_an_action);
    suite_add_tcase(suite, engine);
    return fixture_run(suite);
}
