/* SPDX-License-Identifier: Apache-2.0 */
/* What definitions say, and everything that can be wrong with them. */
#include "fixture.h"
#include "json.h"
#include "xalloc.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(table) (int)(sizeof(table) / sizeof *(table))

/* The beginning of a definition in which nothing is wrong. */
#define HEAD                                                                             \
    "{'name': 'Name', 'clients': {'red': ['web'], 'green': ['web']},\n"                  \
    " 'initial': 'one',\n"

#define ONE_STATE                                                                        \
    " 'states': {'one': {'actions': {'red': {'action': 'look'}}, 'next': 'complete'}}}"

/* A definition of one state in which red's action is this. */
#define ACTION(spec)                                                                     \
    HEAD " 'states': {'one': {'actions': {\n'red': " spec "}, 'next': 'complete'}}}"

struct row {
    const char *text;
    const char *mistake; /* a part of it; with "?" before it: of a warning */
};

static const char good[] = HEAD ONE_STATE;

START_TEST(nothing_wrong)
{
    struct mistakes *mistakes = fixture_mistakes(good, NULL);

    fixture_print(mistakes);
    ck_assert_uint_eq(mistakes_count(mistakes), 0);
    mistakes_free(mistakes);
}
END_TEST

static void assert_told(const struct row *row, const struct settings *settings)
{
    struct mistakes *mistakes = fixture_mistakes(row->text, settings);
    bool is_warning = *row->mistake == '?';

    fixture_print(mistakes);
    ck_assert_msg(fixture_has(mistakes, !is_warning, row->mistake + is_warning), "%s: %s",
                  row->text, row->mistake);
    mistakes_free(mistakes);
}

/* --- the head --- */

static const struct row heads[] = {
    {"[]", "folder/a_test.json:1: a test definition is an object"},
    {"{}", "folder/a_test.json:1: the test has no \"name\""},
    {"{}", "the test has no \"clients\""},
    {"{}", "the test has no \"states\" and no \"steps\""},
    {"{'states': {}}", "the test has no \"initial\""},
    {"{'states': {}, 'steps': []}", "never both"},
    {"{'name': 'a b'}", "a_test.json:1: $.name: \"a b\" is not a test's name"},
    {"{'name': ''}", "is not a test's name"},
    {"{'name': 5}", "5 is not a test's name"},
    {"{'name': 'a/b'}", "is not a test's name"},
    {"{'name': 'a\\u0000b'}", "is not a test's name"},
    {"{\n'description': 5}", "a_test.json:2: $.description: must be a string"},
    {"{\n\n'colour': []}", "a_test.json:3: $.colour: a test has no member of this name"},
    {"{\n'retries': -1}",
     "a_test.json:2: $.retries: must be a whole number from 0 to 100"},
    {"{'retries': 101}", "$.retries: must be a whole number"},
    {"{'retries': 1.5}", "$.retries: must be a whole number"},
    {"{'retries': '1'}", "$.retries: must be a whole number"},
    {"{'retries': null}", "$.retries: must be a whole number"},
    {"{'retry': 1}", "$.retry: a test has no member of this name"},
    {"{'include': []}", "$.include: must be a list of at least one name of a file"},
    {"{'flows': []}", "$.flows: must be an object: names of flows and their steps"},
    {"{'flows': {'f': {}}}", "$.flows.f: a flow is a list of steps"},
    {"{'Name': 'x'}", "$.Name: a test has no member of this name"},
    /* clients */
    {"{'clients': {}}", "$.clients: must be an object of at least one role"},
    {"{'clients': ['web']}", "$.clients: must be an object of at least one role"},
    {"{'clients': {'red': []}}", "$.clients.red: must be a list of at least one"},
    {"{'clients': {'red': 'web'}}", "$.clients.red: must be a list of at least one"},
    {"{'clients': {'red': ['web #2']}}", "$.clients.red: \"web #2\" is no client type"},
    {"{'clients': {'red': [5]}}", "$.clients.red[0]: must be a name of a client type"},
    {"{'clients': {'red': ['']}}", "$.clients.red[0]: must be a name of a client type"},
    {"{'clients': {'red': ['web',\n'web']}}",
     "a_test.json:2: $.clients.red[1]: \"web\" is there twice"},
    {"{'clients': {'Red': ['web']}}", "$.clients.Red: \"Red\" is not a name"},
    {"{'clients': {'1red': ['web']}}", "\"1red\" is not a name"},
    {"{'clients': {'red one': ['web']}}", "$.clients['red one']: \"red one\" is not"},
    {"{'clients': {'': ['web']}}", "\"\" is not a name"},
    {"{'clients': {'me': ['web']}}", "$.clients.me: the name \"me\" is reserved"},
    {"{'clients': {'on': ['web']}}", "the name \"on\" is reserved"},
    {"{'clients': {'run': ['web']}}", "the name \"run\" is reserved"},
    {"{'clients': {'case': ['web']}}", "the name \"case\" is reserved"},
    {"{'clients': {'parallel': ['web']}}", "the name \"parallel\" is reserved"},
    {"{'clients': {'red': ['web'], 'red': ['web']}}",
     "$.clients.red: the member \"red\" is there twice"},
    /* servers */
    {"{'servers': 'made'}", "$.servers: must be an object"},
    {"{'servers': {'names': ['a']}}", "$.servers.type: must name a server type"},
    {"{'servers': {'type': 'made'}}", "$.servers.names: must be a list of at least one"},
    {"{'servers': {'type': 'made', 'names': []}}", "$.servers.names: must be a list"},
    {"{'servers': {'type': 'made', 'names': ['a', 'a']}}", "\"a\" is there twice"},
    {"{'servers': {'type': 'made', 'names': ['A']}}",
     "$.servers.names[0]: \"A\" is not a name"},
    {"{'servers': {'type': 'made', 'names': ['a'], 'count': 2}}",
     "$.servers.count: servers have only \"type\" and \"names\""},
    {"{'servers': {'type': 'mead', 'names': ['a']}}",
     "$.servers.type: there is no server type \"mead\": add a section [server-type "
     "mead]"},
    {"{'servers': {'type': 'fixed', 'names': ['a', 'b', 'c']}}",
     "3 servers are named, but [server-type fixed] has only 2"},
    {"{'clients': {'a': ['web']}, 'servers': {'type': 'made', 'names': ['b', 'a']}}",
     "$.servers.names[1]: \"a\" is the name of a role already"},
    /* variables */
    {"{'variables': []}", "$.variables: must be an object"},
    {"{'variables': {'A': 1}}", "$.variables.A: \"A\" is not a name"},
    {"{'variables': {'wait': 1}}", "the name \"wait\" is reserved"},
    {"{'clients': {'a': ['web']}, 'variables': {'a': 1}}",
     "$.variables.a: \"a\" is the name of a role or a server already"},
    {"{'servers': {'type': 'made', 'names': ['s']}, 'variables': {'s': 1}}",
     "$.variables.s: \"s\" is the name of a role or a server already"},
    /* the rest */
    {"{'timeout': 'soon'}", "$.timeout: \"soon\" is not a duration"},
    {"{'timeout': 0}", "$.timeout: a case needs some time"},
    {"{'timeout': -5}", "$.timeout: \"-5\" is not a duration"},
    {"{'timeout': null}", "$.timeout: \"null\" is not a duration"},
    {"{'timeout': '100000000h'}", "is not a duration"},
    {"{'actions': []}", "$.actions: must be an object"},
    {"{'actions': {'look': {}}}",
     "$.actions.look: the action \"look\" is in the dictionary already"},
    {"{'actions': {'new': {'dat': {}}}}",
     "$.actions.new.dat: an action has no member of this name"},
};

START_TEST(a_broken_head_is_told)
{
    struct world world;

    world_init(&world);
    assert_told(&heads[_i], &world.settings);
    world_clear(&world);
}
END_TEST

/* --- states --- */

static const struct row bodies[] = {
    {HEAD " 'states': []}", "a_test.json:3: $.states: must be an object of states"},
    {HEAD " 'states': {}}", "$.initial: \"one\" is no state of this test"},
    {HEAD " 'states': {'one': []}}", "the state one must be an object with exactly one"},
    {HEAD " 'states': {'one': {}}}", "exactly one of actions, wait, set, assert"},
    {HEAD " 'states': {\n'one': {'wait': 1, 'set': {}}}}",
     "a_test.json:4: $.states.one: the state one must be an object with exactly one"},
    {HEAD " 'states': {'one': {'steps': []}}}", "exactly one of"},
    {HEAD " 'states': {'one': {'wait': 1, 'nxt': 'complete'}}}",
     "$.states.one.nxt: such a state has no member of this name"},
    {HEAD " 'states': {'one': {'wait': 1, 'next': 'two'}}}",
     "$.states.one.next: \"two\" is no state of this test (nor complete, failure or "
     "error)"},
    {HEAD " 'states': {'one': {'wait': 1, 'next': null}}}",
     "null is no state of this test"},
    {HEAD " 'states': {'one': {'wait': 1, 'next': ['complete']}}}",
     "is no state of this test"},
    {HEAD " 'states': {'complete': {'wait': 1, 'next': 'error'}}}",
     "$.states.complete: the end state complete is not written down"},
    {HEAD " 'states': {'': {'wait': 1, 'next': 'error'}}}",
     "$.states['']: a state's name has 1-100 bytes"},
    {"{'name': 'N', 'clients': {'red': ['web']}, 'initial': 5,\n" ONE_STATE,
     "$.initial: 5 is no state of this test"},
    /* wait */
    {HEAD " 'states': {'one': {'wait': 'soon', 'next': 'complete'}}}",
     "$.states.one.wait: \"soon\" is not a duration"},
    {HEAD " 'states': {'one': {'wait': null, 'next': 'complete'}}}",
     "$.states.one.wait: \"null\" is not a duration"},
    /* set */
    {HEAD " 'states': {'one': {'set': [], 'next': 'complete'}}}",
     "$.states.one.set: must be an object of names and values"},
    {HEAD " 'states': {'one': {'set': {'red': 1}, 'next': 'complete'}}}",
     "$.states.one.set.red: \"red\" is the name of a role or a server already"},
    {HEAD " 'states': {'one': {'set': {'X': 1}, 'next': 'complete'}}}",
     "$.states.one.set.X: \"X\" is not a name"},
    /* actions */
    {HEAD " 'states': {'one': {'actions': {}, 'next': 'complete'}}}",
     "$.states.one.actions: must be an object: at least one role and its action"},
    {HEAD " 'states': {'one': {'actions': [], 'next': 'complete'}}}",
     "$.states.one.actions: must be an object: at least one role"},
    {HEAD " 'states': {'one': {'actions': {'blue': {'action': 'look'}},"
          " 'next': 'complete'}}}",
     "$.states.one.actions.blue: \"blue\" is no role of this test"},
    {ACTION("{}"), "$.states.one.actions.red.action: must be the name of an action"},
    {ACTION("{'action': 5}"), "red.action: must be the name of an action"},
    {ACTION("'look'"), "red.action: must be the name of an action"},
    {ACTION("{'action': 'look', 'respones': {}}"),
     "a_test.json:4: $.states.one.actions.red.respones: an action has no member"},
    {ACTION("{'action':\n'lok'}"),
     "a_test.json:5: $.states.one.actions.red.action: no dictionary knows the action "
     "\"lok\": is it look?"},
    {ACTION("{'action': 'Log_In'}"), "\"Log_In\": is it login?"},
    {ACTION("{'action': 'dance_wildly'}"),
     "no dictionary knows the action \"dance_wildly\""},
    {ACTION("{'action': 'look', 'timeout': '3x'}"),
     "red.timeout: \"3x\" is not a duration"},
    {ACTION("{'action': 'look', 'save': 5}"), "red.save: must be a name"},
    {ACTION("{'action': 'look', 'save': 'Seen'}"), "red.save: \"Seen\" is not a name"},
    {ACTION("{'action': 'look', 'save': 'green'}"),
     "red.save: \"green\" is the name of a role or a server already"},
    {ACTION("{'action': 'connect', 'on': 'blue'}"),
     "red.on: must be a server or a role of this test"},
    {ACTION("{'action': 'connect', 'on': 5}"), "red.on: must be a server or a role"},
    /* data */
    {ACTION("{'action': 'say'}"),
     "$.states.one.actions.red: say needs data.message for web"},
    {ACTION("{'action': 'say', 'data': {'message': null}}"), "say needs data.message"},
    {ACTION("{'action': 'login', 'data': {'username': null}}"),
     "login needs data.username"},
    {ACTION("{'action': 'say', 'data': 'hi'}"), "red.data: must be an object"},
    {ACTION("{'action': 'say', 'data': {'message': 5}}"),
     "red.data.message: must be of type string, not int"},
    {ACTION("{'action': 'count', 'data': {'number': '5'}}"),
     "red.data.number: must be of type number, not string"},
    {ACTION("{'action': 'paint', 'data': {'colour': 'green'}}"),
     "red.data.colour: must be one of [\"red\",\"blue\"]"},
    {ACTION("{'action': 'look', 'data': {'closely': true}}"),
     "?red.data.closely: the dictionary knows no such data of look"},
    /* responses */
    {ACTION("{'action': 'look', 'responses': {}}"), "red.responses: name at least one"},
    {ACTION("{'action': 'look', 'responses': []}"), "red.responses: name at least one"},
    {ACTION("{'action': 'look', 'responses': 5}"),
     "red.responses: must be names of responses"},
    {ACTION("{'action': 'look', 'responses': [5]}"),
     "red.responses[0]: must be the name of a response"},
    {ACTION("{'action': 'look', 'responses': {'seen': 'two'}}"),
     "red.responses.seen: \"two\" is no state of this test"},
    {ACTION("{'action': 'look', 'expect': {'seen': 'complete'}}"),
     "red.expect: must be names of responses"},
    {ACTION("{'action': 'look', 'expect': 'seen', 'responses': ['seen']}"),
     "red: give \"responses\" or \"expect\", not both"},
    {ACTION("{'action': 'look', 'responses': ['sene']}"),
     "?red.responses[0]: the dictionary knows no response \"sene\" of look"},
    {ACTION("{'action': 'look', 'expect': 'sene'}"),
     "?red.expect: the dictionary knows no response \"sene\" of look"},
};

START_TEST(a_broken_state_is_told)
{
    assert_told(&bodies[_i], NULL);
}
END_TEST

/* --- what hangs together --- */

static const struct row unsound[] = {
    {HEAD " 'states': {'one': {'wait': 1, 'next': 'complete'},\n"
          "            'two': {'wait': 1, 'next': 'complete'}}}",
     "a_test.json:4: $.states.two: nothing leads to the state two"},
    {HEAD " 'states': {'one': {'wait': 1, 'next': 'complete'},"
          "            'two': {'wait': 1, 'next': 'three'},"
          "            'three': {'wait': 1, 'next': 'two'}}}",
     "nothing leads to the state three"},
    {HEAD " 'states': {'one': {'wait': 1}}}",
     "$.states.one: the state one has no way out"},
    {HEAD " 'states': {'one': {'set': {}}}}", "the state one has no way out"},
    {HEAD " 'states': {'one': {'actions': {'red': {'action': 'look',"
          " 'responses': ['seen']}}}}}",
     "the state one has no way out: give it \"next\", or a response that leads"},
    {HEAD " 'states': {'one': {'actions': {'red': {'action': 'look'}}}}}",
     "the state one has no way out"},
    {HEAD " 'states': {'one': {'wait': 1, 'next': 'failure'}}}",
     "?no way leads to complete: the test can't succeed"},
    {HEAD " 'states': {'one': {'wait': 1, 'next': 'one'}}}", "?no way leads to complete"},
    /* circles without rest */
    {HEAD " 'states': {'one': {'set': {'x': 1}, 'next': 'one'}}}",
     "from the state one the test would run in a circle"},
    {HEAD " 'states': {'one': {'wait': 1, 'next': 'two'},"
          "            'two': {'set': {'x': 1}, 'next': 'three'},\n"
          "            'three': {'set': {'x': 2}, 'next': 'two'}}}",
     "a_test.json:4: $.states.three: from the state three the test would run in a "
     "circle"},
    /* values that can never be there */
    {ACTION("{'action': 'say',\n'data': {'message': 'I am ${blue.name}'}}"),
     "$.states.one.actions.red.data.message: ${blue.name} can never have a value here"},
    {ACTION("{'action': 'say', 'data': {'message': '${red.shoes}'}}"),
     "${red.shoes} can never have a value here"},
    {ACTION("{'action': 'say', 'data': {'message': '${case.colour}'}}"),
     "${case.colour} can never"},
    {ACTION("{'action': 'say', 'data': {'message': '${run.name}'}}"),
     "${run.name} can never"},
    {ACTION("{'action': 'say', 'data': {'message': '${open'}}"), "never closed"},
    {ACTION("{'action': 'say', 'data': {'message': '${}'}}"), "is not a path"},
    {ACTION("{'action': 'connect'}"),
     "${on.cs_api} can never have a value: the test has no servers"},
    {ACTION("{'action': 'look', 'save': 'seen', 'data': {'x': '${seen.what}'}}"),
     "${seen.what} can never have a value here"},
    {HEAD " 'states': {'one': {'wait': '${pause}', 'next': 'complete'}}}",
     "$.states.one.wait: ${pause} can never"},
    {HEAD " 'states': {'one': {'set': {'x': '${y}'}, 'next': 'complete'}}}",
     "${y} can never"},
    {HEAD " 'states': {'one': {'set': {'x': 1, 'y': '${x}'}, 'next': 'complete'}}}",
     "${x} can never have a value here"},
    {HEAD " 'states': {'one': {'actions': {'red': {'action': 'say',"
          "   'data': {'message': '${later}'}}}, 'next': 'two'},"
          "  'two': {'set': {'later': 1}, 'next': 'complete'}}}",
     "$.states.one.actions.red.data.message: ${later} can never have a value here"},
    {HEAD " 'variables': {'a': '${blue}'}," ONE_STATE,
     "$.variables.a: ${blue} can never have a value here"},
    {HEAD " 'variables': {'a': '${a}'}," ONE_STATE, "$.variables.a: ${a} can never"},
    {HEAD " 'variables': {'a': '${b}', 'b': 1}," ONE_STATE,
     "$.variables.a: ${b} can never"},
    {HEAD " 'variables': {'a': '${x}'}, 'states': {"
          "  'one': {'set': {'x': 1}, 'next': 'complete'}}}",
     "$.variables.a: ${x} can never"},
};

START_TEST(what_can_not_work_is_told)
{
    assert_told(&unsound[_i], NULL);
}
END_TEST

/* What looks much the same and is right. */
static const char *const sound[] = {
    "{'name': 'N', 'clients': {'red': ['web']}, 'initial': 'complete', 'states': {}}",
    HEAD
    " 'states': {'one': {'wait': 1, 'next': 'two'},"
    "  'two': {'set': {'x': 1}, 'next': 'three'},"
    "  'three': {'actions': {'red': {'action': 'look', 'responses':"
    "     {'seen': 'complete', '*': 'one', 'failed': 'one', 'error': 'failure'}}}}}}",
    HEAD " 'states': {'one': {'actions': {'red': {'action': 'look', 'save': 'a'}},"
         "   'next': 'two'},"
         "  'two': {'actions': {'green': {'action': 'say',"
         "     'data': {'message': '${a.what} ${b} ${case.nonce} ${run.started}'}}},"
         "   'next': 'complete'}},"
         " 'variables': {'b': '${red.registration.x}', 'c': '${b} ${green.name}'}}",
    /* saved on one of the ways, at least */
    HEAD " 'states': {'one': {'actions': {'red': {'action': 'look', 'responses':"
         "     {'seen': 'two', '*': 'three'}}}},"
         "  'two': {'set': {'a': 1}, 'next': 'three'},"
         "  'three': {'set': {'b': '${a}'}, 'next': 'complete'}}}",
    ACTION("{'action': 'connect', 'on': 'green'}"),
    ACTION("{'action': 'look', 'expect': ['seen', '*'], 'timeout': 1.5}"),
    ACTION("{'action': 'say', 'data': {'message': '$${literally} ${green}'}}"),
    ACTION("{'action': 'paint', 'data': {'colour': '${case.name}'}}"),
    HEAD " 'actions': {'dance': {'data': {'how': {'type': 'string'}},"
         "                       'responses': ['danced']}},"
         " 'states': {'one': {'actions': {'red': {'action': 'dance',"
         "   'data': {'how': 'wildly'}, 'responses': {'danced': 'complete'}}}}}}",
};

START_TEST(what_can_work_is_taken)
{
    struct mistakes *mistakes = fixture_mistakes(sound[_i], NULL);

    fixture_print(mistakes);
    ck_assert_uint_eq(mistakes_errors(mistakes), 0);
    mistakes_free(mistakes);
}
END_TEST

START_TEST(all_mistakes_are_told_at_once)
{
    static const char text[] =
        "{ 'name': 'not a name',\n"
        "  'colour': 'red',\n"
        "  'clients': { 'red': ['web'], 'Blue': ['web'] },\n"
        "  'timeout': 'soon',\n"
        "  'initial': 'nowhere',\n"
        "  'states': {\n"
        "    'a': { 'wait': 'x', 'next': 'gone' },\n"
        "    'b': { 'actions': { 'red': { 'action': 'lok' },\n"
        "                        'pink': { 'action': 'look' } } },\n"
        "    'c': {},\n"
        "    'd': { 'actions': { 'red': { 'action': 'say', 'expects': 'said',\n"
        "                                 'timeout': 'y' } }, 'next': 'complete' } } }";
    static const char *const expected[] = {
        ":1: $.name: ",
        ":2: $.colour: ",
        ":3: $.clients.Blue: ",
        ":4: $.timeout: ",
        ":5: $.initial: ",
        ":7: $.states.a.wait: ",
        ":7: $.states.a.next: ",
        ":8: $.states.b.actions.red.action: ",
        ":9: $.states.b.actions.pink: ",
        ":10: $.states.c: ",
        ":11: $.states.d.actions.red: say needs data.message",
        ":11: $.states.d.actions.red.expects: ",
        ":12: $.states.d.actions.red.timeout: ",
    };
    struct mistakes *mistakes = fixture_mistakes(text, NULL);

    fixture_print(mistakes);
    for (int i = 0; i < ROWS(expected); i++)
        ck_assert_msg(fixture_has(mistakes, true, expected[i]), "%s", expected[i]);
    ck_assert_uint_eq(mistakes_errors(mistakes), ROWS(expected));
    mistakes_free(mistakes);
}
END_TEST

/* --- cases --- */

START_TEST(cases_are_the_product_of_the_types)
{
    static const char *const names[] = {
        "red=web green=web blue=phone",     "red=web green=phone blue=phone",
        "red=web green=other blue=phone",   "red=phone green=web blue=phone",
        "red=phone green=phone blue=phone", "red=phone green=other blue=phone",
    };
    struct definition *definition = fixture_definition(
        "{'name': 'N', 'clients': {'red': ['web', 'phone'],"
        "  'green': ['web', 'phone', 'other'], 'blue': ['phone']}, 'initial': 'complete',"
        " 'states': {}}",
        NULL);

    ck_assert_uint_eq(definition_cases(definition), 6);
    for (size_t i = 0; i < 6; i++) {
        char *name = definition_case_name(definition, i);
        ck_assert_str_eq(name, names[i]);
        free(name);
    }
    ck_assert_int_eq(definition_role(definition, "blue"), 2);
    ck_assert_int_eq(definition_role(definition, "server"), -1);
    definition_free(definition);
}
END_TEST

/* A definition of so many roles with so many types each. Owned. */
static char *many_cases(int roles, int types)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    fputs("{'name': 'N', 'initial': 'complete', 'states': {}, 'clients': {", out);
    for (int i = 0; i < roles; i++) {
        fprintf(out, "%s'r%d': [", i > 0 ? ", " : "", i);
        for (int j = 0; j < types; j++)
            fprintf(out, "%s't%d'", j > 0 ? ", " : "", j);
        fputc(']', out);
    }
    fputs("}}", out);
    fclose(out);
    return text;
}

START_TEST(a_file_makes_10000_cases_and_no_more)
{
    static const struct {
        int roles;
        int types;
        bool taken;
    } rows[] = {{4, 10, true},   {2, 100, true},   {1, 10000, true}, {1, 10001, false},
                {2, 101, false}, {5, 10, false},   {40, 10, false},  {64, 3, false},
                {500, 1, true},  {100, 100, false}};

    for (int i = 0; i < ROWS(rows); i++) {
        char *text = many_cases(rows[i].roles, rows[i].types);
        struct mistakes *mistakes = fixture_mistakes(text, NULL);
        bool told = fixture_has(mistakes, true,
                                "$.clients: the client types make more than 10000 cases");
        ck_assert_int_eq(told, !rows[i].taken);
        ck_assert_int_eq(mistakes_errors(mistakes) == 0, rows[i].taken);
        mistakes_free(mistakes);
        free(text);
    }
}
END_TEST

START_TEST(members_are_kept)
{
    struct definition *definition = fixture_definition(
        "{'name': 'A.b-c_1', 'description': 'What it is.', 'timeout': '90s',"
        " 'retries': 100, 'clients': {'red': ['web']}, 'servers': {'type': 'any', "
        "'names': ['x', 'y']},"
        " 'variables': {'v': [1]}, 'initial': 'complete', 'states': {}}",
        NULL);

    ck_assert_str_eq(definition->name, "A.b-c_1");
    ck_assert_str_eq(definition->folder, "folder");
    ck_assert_str_eq(definition->file, "folder/a_test.json");
    ck_assert_str_eq(definition->description, "What it is.");
    ck_assert_int_eq(definition->timeout_ms, 90000);
    ck_assert_int_eq(definition->retries, 100);
    ck_assert_str_eq(definition->server_type, "any");
    ck_assert_uint_eq(definition->server_count, 2);
    ck_assert_int_eq(definition_server(definition, "y"), 1);
    ck_assert_int_eq(definition_server(definition, "red"), -1);
    ck_assert_str_eq(json_text(definition->variables), "{\"v\":[1]}");
    definition_free(definition);
}
END_TEST

START_TEST(a_test_is_there_once)
{
    struct mistakes *mistakes = mistakes_new();
    struct settings settings;

    settings_init(&settings);
    struct run *run = run_new(FIXTURE_RUN, &settings);
    ck_assert(run_add_suite(run, fixture_definition(good, NULL), mistakes));
    ck_assert(!run_add_suite(run, fixture_definition(good, NULL), mistakes));
    ck_assert(fixture_has(mistakes, true,
                          "$.name: folder.Name is the name of a test already, in "
                          "folder/a_test.json"));
    ck_assert_uint_eq(run_case_count(run), 1);
    mistakes_free(mistakes);
    run_free(run);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("definition");
    TCase *tcase = tcase_create("definition");

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, nothing_wrong);
    tcase_add_loop_test(tcase, a_broken_head_is_told, 0, ROWS(heads));
    tcase_add_loop_test(tcase, a_broken_state_is_told, 0, ROWS(bodies));
    tcase_add_loop_test(tcase, what_can_not_work_is_told, 0, ROWS(unsound));
    tcase_add_loop_test(tcase, what_can_work_is_taken, 0, ROWS(sound));
    tcase_add_test(tcase, all_mistakes_are_told_at_once);
    tcase_add_test(tcase, cases_are_the_product_of_the_types);
    tcase_add_test(tcase, a_file_makes_10000_cases_and_no_more);
    tcase_add_test(tcase, members_are_kept);
    tcase_add_test(tcase, a_test_is_there_once);
    suite_add_tcase(suite, tcase);
    return fixture_run(suite);
}
