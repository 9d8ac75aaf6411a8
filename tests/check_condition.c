/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions: which hold, what is said of those that do not, which have no good form. */
#include "condition.h"
#include "fixture.h"
#include "json.h"
#include "xalloc.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(table) (int)(sizeof(table) / sizeof *(table))

/* What the conditions below are about. */
static const char scope_text[] =
    "{'lobby': {'data': {'call_name': 'tl_chat_2', 'none': null, 'on': true}},"
    " 'call': {'data': {'count': 3, 'share': 0.5, 'names': ['alice', 'bob'],"
    "   'videos': [{'caption': 'alice', 'size': {'w': 1, 'h': 2}, 'tags': ['a', 'b']},"
    "              {'caption': 'bob', 'muted': false}]}},"
    " 'tile': {'snapshot': '7.png'}, 'room': 'café', 'zero': 0, 'empty': '', 'list': [],"
    " 'object': {}, 'big': 9007199254740993, 'vast': 18446744073709551615,"
    " 'least': -9223372036854775807}";
static const char reporters_text[] = "{'lobby': 'alice', 'call': 'bob'}";
static const char missing_text[] =
    "{'carol_tile': 'find in ${call.data.videos} gave 0, not one'}";
static const char colours_text[] = "{'alice_7.png': 'red', 'bob_7.png': 'initial'}";

static struct json_object *scope, *reporters, *missing, *colours;

static void setup(void)
{
    scope = fixture_json(scope_text);
    reporters = fixture_json(reporters_text);
    missing = fixture_json(missing_text);
    colours = fixture_json(colours_text);
}

static void teardown(void)
{
    json_object_put(scope);
    json_object_put(reporters);
    json_object_put(missing);
    json_object_put(colours);
}

/* Ask; gives the sentence, or "" if it holds. Owned. */
static char *ask(const char *text)
{
    const struct condition_world world = {scope, reporters, missing, colours};
    struct json_object *condition = fixture_json(text);
    char *why = NULL;
    bool holds = condition_holds(condition, &world, &why);

    ck_assert_msg(holds == (why == NULL), "%s: %s", text, why ? why : "(nothing)");
    json_object_put(condition);
    return why != NULL ? why : xstrdup("");
}

/* --- which hold --- */

static const char *const holding[] = {
    "{'equals': ['${lobby.data.call_name}', 'tl_chat_2']}",
    "{'equals': ['${lobby.data.call_name}', '${lobby.data.call_name}']}",
    "{'equals': ['tl_chat_${call.data.count}', 'tl_chat_3']}",
    "{'equals': ['${call.data.count}', 3]}",
    "{'equals': ['${call.data.count}', 3.0]}",
    "{'equals': [1, 1.0]}",
    "{'equals': [[1, {'a': 1.0}], [1.0, {'a': 1}]]}",
    "{'equals': ['${big}', 9007199254740993]}",
    "{'equals': ['${vast}', 18446744073709551615]}",
    "{'equals': ['${lobby.data.none}', null]}",
    "{'equals': ['${lobby.data.on}', true]}",
    "{'equals': [{'a': 1, 'b': 2}, {'b': 2, 'a': 1}]}",
    "{'equals': ['$${x}', '$${x}']}",
    "{'not_equals': ['${call.data.count}', 4]}",
    "{'not_equals': ['${call.data.count}', '3']}",
    "{'not_equals': ['${lobby.data.none}', false]}",
    "{'not_equals': ['${big}', 9007199254740992]}",
    "{'not_equals': ['${vast}', 18446744073709551614]}",
    "{'not_equals': [[1, 2], [2, 1]]}",
    "{'not_equals': [[1], [1, 1]]}",
    "{'not_equals': [{'a': null}, {}]}",
    "{'not_equals': [{}, []]}",
    "{'not_equals': ['', null]}",
    /* strings, members of arrays, parts of objects */
    "{'contains': ['${lobby.data.call_name}', '_chat_']}",
    "{'contains': ['${lobby.data.call_name}', '']}",
    "{'contains': ['${call.data.names}', 'bob']}",
    "{'contains': [[1, 2.0], 2]}",
    "{'contains': [[null], null]}",
    "{'contains': ['${call.data.videos}', {'caption': 'bob'}]}",
    "{'contains': ['${call.data.videos}', {'size': {'h': 2}, 'caption': 'alice'}]}",
    "{'contains': ['${call.data.videos}', {'tags': ['a', 'b']}]}",
    "{'contains': ['${call.data.videos.1}', {'muted': false}]}",
    "{'contains': ['${call}', {'data': {'share': 0.5}}]}",
    "{'contains': ['${call}', {}]}",
    "{'matches': ['${lobby.data.call_name}', '^tl_(chat|call)_[0-9]+$']}",
    "{'matches': ['${lobby.data.call_name}', 'chat']}",
    "{'matches': ['${lobby.data.call_name}', '^tl_chat_[${call.data.count}2]$']}",
    /* characters, members */
    "{'length': ['${room}', 4]}",
    "{'length': ['${empty}', 0]}",
    "{'length': ['${call.data.names}', 2]}",
    "{'length': ['${list}', 0]}",
    "{'length': ['${call.data.videos.0}', 3]}",
    "{'length': ['${call.data.names}', '${call.data.videos.0.size.h}']}",
    "{'less': ['${call.data.count}', 4]}",
    "{'less': ['${call.data.share}', 1]}",
    "{'less': ['${least}', '${vast}']}",
    "{'less': [9007199254740992, '${big}']}",
    "{'less': [18446744073709551614, '${vast}']}",
    "{'greater': ['${call.data.count}', 2.5]}",
    "{'greater': ['${big}', 9007199254740992]}",
    "{'exists': '${lobby.data.call_name}'}",
    "{'exists': '${lobby.data.none}'}",
    "{'exists': '${call.data.videos.1.caption}'}",
    "{'colour': ['alice_${tile.snapshot}', 'red']}",
    "{'colour': ['bob_7.png', 'initial']}",
    "{'all': [{'equals': [1, 1]}, {'exists': '${call}'}]}",
    "{'any': [{'equals': [1, 2]}, {'equals': ['${nothing}', 1]}, {'equals': [1, 1]}]}",
    "{'not': {'equals': ['${zero}', 1]}}",
    "{'not': {'exists': '${nothing}'}}",
    "{'not': {'any': [{'equals': [1, 2]}, {'not': {'equals': [1, 1]}}]}}",
    "{'not': {'all': [{'equals': [1, 2]}, {'equals': ['${nothing}', 1]}]}}",
    "{'not': {'colour': ['alice_7.png', 'blue']}}",
};

START_TEST(a_condition_holds)
{
    char *why = ask(holding[_i]);

    ck_assert_msg(*why == '\0', "%s: %s", holding[_i], why);
    free(why);
}
END_TEST

/* --- which do not, and why --- */

static const struct {
    const char *condition;
    const char *why;
} failing[] = {
    /* who reported it, and the last part of the path */
    {"{'equals': ['${lobby.data.call_name}', 'tl_chat_1']}",
     "expected call_name to be 'tl_chat_1', alice reported 'tl_chat_2'"},
    {"{'equals': ['${call.data.videos.1}', null]}",
     "expected 1 to be null, bob reported {'caption':'bob','muted':false}"},
    {"{'equals': ['${lobby}', 1]}", "expected lobby to be 1, alice reported {'data':"
                                    "{'call_name':'tl_chat_2','none':null,'on':true}}"},
    /* nobody did */
    {"{'equals': ['${tile.snapshot}', '8.png']}",
     "expected tile.snapshot to be '8.png', found '7.png'"},
    {"{'equals': ['room ${room}', 'room']}",
     "expected 'room ${room}' to be 'room', found 'room café'"},
    {"{'equals': [1, '1']}", "expected 1 to be '1', found 1"},
    {"{'equals': [1, '${call.data.count}']}", "expected 1 to be 3, found 1"},
    {"{'equals': ['${zero}', false]}", "expected zero to be false, found 0"},
    {"{'equals': ['${zero}', null]}", "expected zero to be null, found 0"},
    {"{'equals': ['${big}', 9007199254740992]}",
     "expected big to be 9007199254740992, found 9007199254740993"},
    {"{'equals': [{'a': 1}, {'a': 1, 'b': 2}]}",
     "expected {'a':1} to be {'a':1,'b':2}, found {'a':1}"},
    {"{'not_equals': ['${call.data.count}', 3.0]}",
     "expected count to be anything but 3.0, bob reported 3"},
    {"{'contains': ['${lobby.data.call_name}', 'Chat']}",
     "expected call_name to contain 'Chat', alice reported 'tl_chat_2'"},
    {"{'contains': ['${lobby.data.call_name}', 2]}",
     "expected call_name to contain 2, alice reported 'tl_chat_2'"},
    {"{'contains': ['${call.data.names}', 'ali']}",
     "expected names to contain 'ali', bob reported ['alice','bob']"},
    {"{'contains': ['${call.data.videos.0}', {'tags': ['a']}]}",
     "expected 0 to contain {'tags':['a']}, bob reported {'caption':'alice',"
     "'size':{'w':1,'h':2},'tags':['a','b']}"},
    {"{'contains': ['${call.data.videos.1}', {'muted': null}]}",
     "expected 1 to contain {'muted':null}, bob reported {'caption':'bob',"
     "'muted':false}"},
    {"{'contains': ['${object}', 'a']}", "expected object to contain 'a', found {}"},
    {"{'contains': ['${zero}', 0]}", "expected zero to contain 0, found 0"},
    {"{'contains': ['${list}', null]}", "expected list to contain null, found []"},
    {"{'matches': ['${lobby.data.call_name}', '^chat']}",
     "expected call_name to match '^chat', alice reported 'tl_chat_2'"},
    {"{'matches': ['${call.data.count}', '3']}",
     "expected count to match '3', bob reported 3"},
    {"{'matches': ['${room}', '(']}", "expected room to match '(', found 'café'"},
    {"{'length': ['${room}', 5]}", "expected room to have the length 5, found 'café'"},
    {"{'length': ['${call.data.names}', 3]}",
     "expected names to have the length 3, bob reported ['alice','bob']"},
    {"{'length': ['${call.data.count}', 3]}",
     "expected count to have the length 3, bob reported 3"},
    {"{'length': ['${call.data.names}', '2']}",
     "expected names to have the length '2', bob reported ['alice','bob']"},
    {"{'length': ['${lobby.data.none}', 0]}",
     "expected none to have the length 0, alice reported null"},
    {"{'less': ['${call.data.count}', 3]}",
     "expected count to be less than 3, bob reported 3"},
    {"{'less': ['${lobby.data.call_name}', 'zzz']}",
     "expected call_name to be less than 'zzz', alice reported 'tl_chat_2'"},
    {"{'less': [false, true]}", "expected false to be less than true, found false"},
    {"{'less': ['${vast}', '${least}']}", "expected vast to be less than "
                                          "-9223372036854775807, found "
                                          "18446744073709551615"},
    {"{'greater': ['${zero}', 0]}", "expected zero to be greater than 0, found 0"},
    {"{'greater': ['${list}', 0]}", "expected list to be greater than 0, found []"},
    /* what is not there */
    {"{'equals': ['${lobby.data.name}', 1]}", "${lobby.data.name} has no value"},
    {"{'not_equals': ['${lobby.data.name}', 1]}", "${lobby.data.name} has no value"},
    {"{'equals': [1, '${lobby.x}']}", "${lobby.x} has no value"},
    {"{'equals': ['${call.data.videos.2.caption}', 'x']}",
     "${call.data.videos.2.caption} has no value"},
    {"{'equals': ['${carol_tile.caption}', 'carol']}",
     "${carol_tile.caption} has no value: find in ${call.data.videos} gave 0, not one"},
    {"{'exists': '${carol_tile}'}",
     "${carol_tile} has no value: find in ${call.data.videos} gave 0, not one"},
    {"{'exists': '${lobby.data.gone}'}", "${lobby.data.gone} has no value"},
    {"{'colour': ['alice_${carol_tile.snapshot}', 'red']}",
     "${carol_tile.snapshot} has no value: find in ${call.data.videos} gave 0, not one"},
    {"{'colour': ['alice_${tile.snapshot}', 'green']}",
     "expected the picture alice_7.png to be green, it is red"},
    {"{'colour': ['carol_${tile.snapshot}', 'red']}",
     "expected the picture carol_7.png to be red, but no such picture was uploaded"},
    {"{'colour': ['${lobby.data.none}', 'red']}",
     "expected the picture null to be red, but no such picture was uploaded"},
    /* several */
    {"{'all': [{'equals': [1, 2]}, {'equals': [1, 1]}, {'exists': '${x.y}'},"
     "         {'less': [2, 1]}]}",
     "expected 1 to be 2, found 1; ${x.y} has no value; "
     "expected 2 to be less than 1, found 2"},
    {"{'any': [{'equals': [1, 2]}, {'equals': ['${x}', 2]}]}",
     "none of these holds: expected 1 to be 2, found 1; ${x} has no value"},
    {"{'not': {'equals': ['${zero}', 0]}}", "expected that not {'equals':['${zero}',0]}"},
    {"{'not': {'not': {'equals': [1, 2]}}}",
     "expected that not {'not':{'equals':[1,2]}}"},
    /* the contrary of what is missing does not hold either */
    {"{'not': {'equals': ['${lobby.data.nmae}', 'x']}}",
     "${lobby.data.nmae} has no value"},
    {"{'not': {'colour': ['carol_7.png', 'red']}}",
     "expected the picture carol_7.png to be red, but no such picture was uploaded"},
    {"{'not': {'not': {'contains': ['${x}', 'x']}}}", "${x} has no value"},
    {"{'not': {'any': [{'equals': [1, 2]}, {'equals': ['${x}', 1]}]}}",
     "none of these holds: expected 1 to be 2, found 1; ${x} has no value"},
    {"{'not': {'all': [{'equals': [1, 1]}, {'equals': ['${x}', 1]}]}}",
     "${x} has no value"},
};

START_TEST(a_condition_does_not_hold)
{
    char *expected = fixture_text(failing[_i].why);
    char *why = ask(failing[_i].condition);

    ck_assert_str_eq(why, expected);
    free(why);
    free(expected);
}
END_TEST

START_TEST(long_values_are_shortened)
{
    char found[1001], expected[1001];

    memset(found, 'f', 1000);
    memset(expected, 'e', 1000);
    found[1000] = expected[1000] = '\0';
    char *text = xasprintf("{'equals': ['%s', '%s']}", found, expected);
    char *why = ask(text);
    char *start = xasprintf("expected \"%.199s… to be \"%.199s…, found \"%.199s…", found,
                            expected, found);
    ck_assert_str_eq(why, start);
    free(start);
    free(why);
    free(text);
    text = xasprintf("{'not': {'equals': ['%s', '%s']}}", found, found);
    why = ask(text);
    ck_assert_uint_lt(strlen(why), 250);
    free(why);
    free(text);
}
END_TEST

START_TEST(a_value_that_grows_too_long)
{
    char *many = xcalloc(1, 700001);
    memset(many, 'x', 700000);
    json_put_text(scope, "many", many);

    char *why = ask("{'equals': ['${many}${many}', '']}");
    ck_assert_ptr_nonnull(strstr(why, "makes a string of more than"));
    free(why);
    free(many);
}
END_TEST

/* --- parts --- */

static const struct {
    const char *part;
    const char *whole;
    bool is_in;
} parts[] = {
    {"{}", "{}", true},
    {"{}", "[]", false},
    {"{}", "null", false},
    {"null", "null", true},
    {"1", "1.0", true},
    {"'1'", "1", false},
    {"{'a': {'b': 1}}", "{'a': {'b': 1.0, 'c': 2}, 'd': 3}", true},
    {"{'a': {'b': 2}}", "{'a': {'b': 1, 'c': 2}}", false},
    {"{'a': null}", "{}", false},
    {"{'a': null}", "{'a': null, 'b': 1}", true},
    {"['a']", "['a']", true},
    {"['a']", "['a', 'b']", false},
    {"[{'a': 1}]", "[{'a': 1, 'b': 2}]", false},
};

START_TEST(a_part_is_in_the_whole)
{
    struct json_object *part = fixture_json(parts[_i].part);
    struct json_object *whole = fixture_json(parts[_i].whole);

    ck_assert_int_eq(condition_is_subset(part, whole), parts[_i].is_in);
    json_object_put(part);
    json_object_put(whole);
}
END_TEST

/* --- the form --- */

static const struct {
    const char *condition;
    const char *mistake;
} bad_forms[] = {
    {"5", "$.assert: a condition is an object with exactly one member"},
    {"{}", "$.assert: a condition is an object with exactly one member"},
    {"[]", "exactly one member"},
    {"null", "exactly one member"},
    {"{'equals': [1, 1], 'less': [1, 2]}", "$.assert: a condition is an object with"},
    {"{'equal': [1, 1]}", "$.assert.equal: a condition is one of equals, not_equals,"},
    {"{'equals': [1]}", "$.assert.equals: must be two operands: [found, expected]"},
    {"{'less': [1, 2, 3]}", "$.assert.less: must be two operands"},
    {"{'contains': 'a'}", "$.assert.contains: must be two operands"},
    {"{'not_equals': {'a': 1}}", "$.assert.not_equals: must be two operands"},
    {"{'matches': ['a', 5]}", "$.assert.matches[1]: must be a regular expression"},
    {"{'matches': ['a', '(']}",
     "$.assert.matches[1]: is no regular expression (POSIX extended): "},
    {"{'matches': ['a', 'a[']}", "$.assert.matches[1]: is no regular expression"},
    {"{'length': ['${a}', 'two']}", "$.assert.length[1]: "},
    {"{'length': ['${a}', -1]}", "$.assert.length[1]: "},
    {"{'less': ['${a}', 'two']}", "$.assert.less[1]: must be a number"},
    {"{'greater': [true, '${a}']}", "$.assert.greater[0]: must be a number"},
    {"{'colour': ['${a}', 'pink']}",
     "$.assert.colour[1]: a colour is red, green, blue, initial or connecting"},
    {"{'colour': ['${a}', 5]}", "$.assert.colour: must be [file name, colour]"},
    {"{'colour': [5, 'red']}", "$.assert.colour: must be [file name, colour]"},
    {"{'colour': ['a']}", "$.assert.colour: must be two operands"},
    {"{'exists': 5}", "$.assert.exists: must be "},
    {"{'exists': 'a ${b}'}", "$.assert.exists: must be "},
    {"{'exists': ['${b}']}", "$.assert.exists: must be "},
    {"{'all': []}", "$.assert.all: must be a list of at least one condition"},
    {"{'any': {}}", "$.assert.any: must be a list of at least one condition"},
    {"{'all': [{'exists': '${a}'}, {'any': [{'equals': [1, 1]}, {'less': 1}]}]}",
     "$.assert.all[1].any[1].less: must be two operands"},
    {"{'any': [5]}", "$.assert.any[0]: a condition is an object"},
    {"{'not': []}", "$.assert.not: a condition is an object"},
    {"{'not': {'not': {'colour': 1}}}", "$.assert.not.not.colour: must be two operands"},
};

static struct mistakes *check_form(const char *text)
{
    const struct where where = {NULL, "assert", 0};
    struct mistakes *mistakes = mistakes_new();
    struct json_object *condition = fixture_json(text);

    condition_check(condition, &where, mistakes);
    json_object_put(condition);
    return mistakes;
}

START_TEST(a_bad_form_is_told)
{
    struct mistakes *mistakes = check_form(bad_forms[_i].condition);

    fixture_print(mistakes);
    ck_assert_uint_eq(mistakes_count(mistakes), 1);
    ck_assert(fixture_has(mistakes, true, bad_forms[_i].mistake));
    mistakes_free(mistakes);
}
END_TEST

static const char *const good_forms[] = {
    "{'matches': ['${a}', '${pattern}']}",
    "{'matches': ['${a}', '^(${a}']}",
    "{'colour': ['alice_${a}', '${colour}']}",
    "{'colour': ['a.png', 'connecting']}",
    "{'length': ['${a}', '${n}']}",
    "{'less': ['${a}', '${n}']}",
    "{'greater': ['${a}', 1.5]}",
};

START_TEST(a_good_form_is_taken)
{
    struct mistakes *mistakes = check_form(
        _i < ROWS(good_forms) ? good_forms[_i] : holding[_i - ROWS(good_forms)]);

    fixture_print(mistakes);
    ck_assert_uint_eq(mistakes_count(mistakes), 0);
    mistakes_free(mistakes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("condition");
    TCase *tcase = tcase_create("condition");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, a_condition_holds, 0, ROWS(holding));
    tcase_add_loop_test(tcase, a_condition_does_not_hold, 0, ROWS(failing));
    tcase_add_test(tcase, long_values_are_shortened);
    tcase_add_test(tcase, a_value_that_grows_too_long);
    tcase_add_loop_test(tcase, a_part_is_in_the_whole, 0, ROWS(parts));
    tcase_add_loop_test(tcase, a_bad_form_is_told, 0, ROWS(bad_forms));
    tcase_add_loop_test(tcase, a_good_form_is_taken, 0, ROWS(good_forms) + ROWS(holding));
    suite_add_tcase(suite, tcase);
    return fixture_run(suite);
}
