/* SPDX-License-Identifier: Apache-2.0 */
/* Steps: which machine they become, and what is told of their mistakes. */
#include "fixture.h"
#include "json.h"
#include "xalloc.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(table) (int)(sizeof(table) / sizeof *(table))
#define FILE_NAME   "folder/a_test.json"

/* The beginning of a definition; its steps follow. */
#define HEAD                                                                             \
    "{'name': 'N', 'clients': {'red': ['web'], 'green': ['web']},\n"                     \
    " 'servers': {'type': 'fixed', 'names': ['server', 'other']},\n"                     \
    " 'variables': {'room': 'lobby', 'nothing': null},\n"
#define STEPS(steps) HEAD " 'steps': [\n" steps "]}"

/* What the fixture's dictionary does not have: actions that only some types can do. */
static const char emulated[] =
    "{'actions': {'enrol': {'data': {'username': {'type': 'string'}},"
    "   'template': {'username': '${me.localpart}'}, 'responses': ['enrolled'],"
    "   'for': {'phone': {'emulate': 'enrol_over_http'}, 'radio': {'emulate': 'gone'},"
    "           'robot': {'emulate': 'enrol_twice'}}}},"
    " 'flows': {'enrol_over_http': ["
    "   {'http': {'url': '${on.cs_api}/users/${me.localpart}'}, 'save': 'made_${me}'},"
    "   {'${me}': 'login', 'data': {'localpart': 'L-${me}'}}],"
    "  'enrol_twice': [{'${me}': 'enrol'}, {'${me}': 'look'}]}}";

/* Compile the first case. Files that it includes are `included`, NULL: none. */
static struct machine *compile(const char *text, const char *included,
                               const struct settings *settings, struct mistakes *mistakes)
{
    struct dictionary *dictionary = fixture_dictionary();
    struct json_object *more = fixture_json(emulated);
    struct json_object *root = fixture_json(text);
    char *plain = fixture_text(text);
    struct machine *machine = NULL;

    dictionary_add(dictionary, more, mistakes);
    mistakes_set_file(mistakes, FILE_NAME, plain);
    struct definition *definition =
        definition_read(root, FILE_NAME, "folder", dictionary, settings, mistakes);
    if (definition != NULL && included != NULL)
        definition_include(definition, "flows.json", fixture_text(included),
                           fixture_json(included), mistakes);
    if (definition != NULL)
        machine = compile_case(definition, 0, settings, mistakes);
    definition_free(definition);
    json_object_put(root);
    json_object_put(more);
    dictionary_free(dictionary);
    mistakes_set_file(mistakes, FILE_NAME, NULL);
    free(plain);
    return machine;
}

static struct machine *compile_well(const char *text, const char *included,
                                    const struct settings *settings)
{
    struct mistakes *mistakes = mistakes_new();
    struct machine *machine = compile(text, included, settings, mistakes);

    fixture_print(mistakes);
    ck_assert_uint_eq(mistakes_count(mistakes), 0);
    mistakes_free(mistakes);
    return machine;
}

/* --- which machine --- */

static void tell_action(FILE *out, const struct machine *machine,
                        const struct machine_action *action)
{
    char *accepts = machine_action_accepts(action);

    fprintf(out, "  %s: %s %s", machine->roles[action->role], action->name,
            json_text(action->data));
    if (strstr(accepts, "any name") == NULL)
        fprintf(out, " expects %s", accepts);
    if (action->save != NULL)
        fprintf(out, " saved %s", action->save);
    if (action->timeout_ms != 180000)
        fprintf(out, " within %d", (int)action->timeout_ms);
    fputc('\n', out);
    free(accepts);
}

/* Its states in a row as text, with ' for ". Owned. */
static char *story(const struct machine *machine)
{
    char *text = NULL;
    size_t size;
    FILE *out = xcheck(open_memstream(&text, &size));

    for (int at = machine->initial; !machine_is_end(machine, at);
         at = machine->states[at].next) {
        const struct machine_state *state = &machine->states[at];
        fprintf(out, "%s\n", state->name);
        if (state->body != NULL)
            fprintf(out, "  %s\n", json_text(state->body));
        for (size_t i = 0; i < state->action_count; i++)
            tell_action(out, machine, &state->actions[i]);
    }
    fclose(out);
    for (char *p = text; *p != '\0'; p++)
        *p = *p == '"' ? '\'' : *p;
    return text;
}

static const char included_flows[] =
    "{'greeting': [{'${who}': 'say', 'data': {'message': '${what} ${who.name}'}}],\n"
    " 'both': [{'flow': 'greeting', 'with': {'who': '${one}', 'what': 'hi'}},\n"
    "          {'flow': 'greeting', 'with': {'who': '${two}', 'what': '${room}'}}]}";

static const struct {
    const char *steps;
    const char *story;
} stories[] = {
    /* a role's step */
    {"{'red': 'register'}, {'red': 'login', 'name': 'red again'}",
     "1 red register\n  red: register {'username':'${red.localpart}'}\n"
     "2 red again\n  red: login {'username':'${red.localpart}'}\n"},
    {"{'red': 'login', 'data': {'passphrase': 'p', 'username': '${green.name}'}}",
     "1 red login\n  red: login {'username':'${green.name}','passphrase':'p'}\n"},
    {"{'red': 'connect'}, {'red': 'connect', 'on': 'other'},"
     "{'red': 'connect', 'on': 'green'}",
     "1 red connect\n  red: connect {'url':'${server.cs_api}'}\n"
     "2 red connect\n  red: connect {'url':'${other.cs_api}'}\n"
     "3 red connect\n  red: connect {'url':'${green.cs_api}'}\n"},
    {"{'red': 'login', 'expect': 'loggedin', 'save': 'seen', 'timeout': '30s'}",
     "1 red login\n  red: login {'username':'${red.localpart}'} expects loggedin "
     "saved seen within 30000\n"},
    {"{'red': 'login', 'expect': ['logged_in', 'failed'], 'data': {}, 'timeout': 1.5}",
     "1 red login\n  red: login {'username':'${red.localpart}'} expects logged_in, "
     "failed "
     "within 1500\n"},
    {"{'red': 'login', 'data': {'passphrase': null}}",
     "1 red login\n  red: login {'username':'${red.localpart}'}\n"},
    /* in parallel */
    {"{'parallel': [{'green': 'look', 'save': 'a'}, {'red': 'look'}]},"
     "{'parallel': [{'green': 'look'}], 'name': 'one'}",
     "1 green look, red look\n  green: look {} saved a\n  red: look {}\n"
     "2 one\n  green: look {}\n"},
    /* the other kinds */
    {"{'wait': '5s'}, {'set': {'x': 1}, 'name': 'say x'}, {'assert': {'equals': [1, 1]}},"
     "{'check': {'exists': '${x}'}}, {'find': '${x}', 'where': {'a': 1}, 'save': 'y'},"
     "{'http': {'url': '${server.cs_api}/a'}, 'save': 'z', 'name': 'ask'}",
     "1 wait\n  '5s'\n2 say x\n  {'x':1}\n3 assert\n  {'equals':[1,1]}\n"
     "4 check\n  {'exists':'${x}'}\n5 find\n  "
     "{'find':'${x}','where':{'a':1},'save':'y'}\n"
     "6 ask\n  {'http':{'url':'${server.cs_api}/a'},'save':'z','name':'ask'}\n"},
    /* flows */
    {"{'flow': 'greeting', 'with': {'who': 'red', 'what': 'ho'}}",
     "1 red say\n  red: say {'message':'ho ${red.name}'}\n"},
    {"{'flow': 'both', 'with': {'one': 'green', 'two': 'red'}}",
     "1 green say\n  green: say {'message':'hi ${green.name}'}\n"
     "2 red say\n  red: say {'message':'${room} ${red.name}'}\n"},
    {"{'set': {'what': 1}}, {'for_each': ['red', 'green'], 'as': 'one', 'steps': ["
     "  {'flow': 'greeting', 'with': {'who': '${one}', 'what': '${what}'}}]}",
     "1 set\n  {'what':1}\n2 red say\n  red: say {'message':'${what} ${red.name}'}\n"
     "3 green say\n  green: say {'message':'${what} ${green.name}'}\n"},
    /* loops */
    {"{'for_each': [{'a': 'red', 'n': [1]}, {'a': 'green', 'n': null}], 'as': 'round',"
     " 'steps': [{'${round.a}': 'look', 'name': '${round.a}s turn'},"
     "           {'set': {'x_${round.a}': '${round.n}', 'y': '${round}'}}]}",
     "1 reds turn\n  red: look {}\n2 set\n  {'x_red':[1],'y':{'a':'red','n':[1]}}\n"
     "3 greens turn\n  green: look {}\n"
     "4 set\n  {'x_green':null,'y':{'a':'green','n':null}}\n"},
    {"{'repeat': 2, 'as': 'i', 'steps': [{'set': {'x': '${i}', 'y': 'bob${i}'}}]}",
     "1 set\n  {'x':1,'y':'bob1'}\n2 set\n  {'x':2,'y':'bob2'}\n"},
    {"{'repeat': 2, 'as': 'i', 'steps': [{'repeat': 2, 'as': 'j', 'steps': ["
     "  {'set': {'x${i}_${j}': ['${i}', '${j}']}}]}, {'wait': '${i}'}]}",
     "1 set\n  {'x1_1':[1,1]}\n2 set\n  {'x1_2':[1,2]}\n3 wait\n  1\n"
     "4 set\n  {'x2_1':[2,1]}\n5 set\n  {'x2_2':[2,2]}\n6 wait\n  2\n"},
    {"{'for_each': [[1, 2], [3]], 'as': 'row', 'steps': ["
     "  {'for_each': '${row}', 'as': 'cell', 'steps': [{'set': {'x': '${cell}'}}]}]}",
     "1 set\n  {'x':1}\n2 set\n  {'x':2}\n3 set\n  {'x':3}\n"},
    {"{'for_each': [null, 'p'], 'as': 'word', 'steps': ["
     "  {'red': 'login', 'data': {'passphrase': '${word}'}}]}",
     "1 red login\n  red: login {'username':'${red.localpart}'}\n"
     "2 red login\n  red: login {'username':'${red.localpart}','passphrase':'p'}\n"},
    /* what is written literally stays so for the end */
    {"{'repeat': 1, 'as': 'i', 'steps': [{'set': {'x': '$${i} ${i}'}}]}",
     "1 set\n  {'x':'$${i} 1'}\n"},
};

START_TEST(steps_become_states)
{
    char *text =
        xasprintf(HEAD "'include': ['flows.json'], 'steps': [%s]}", stories[_i].steps);
    struct machine *machine = compile_well(text, included_flows, NULL);
    char *told = story(machine);

    ck_assert_str_eq(told, stories[_i].story);
    free(told);
    machine_release(machine);
    free(text);
}
END_TEST

START_TEST(long_names_are_shortened)
{
    char *name = xcalloc(1, 501);
    memset(name, 'n', 500);
    char *text = xasprintf(STEPS("{'wait': 1, 'name': '%s'}"), name);
    struct machine *machine = compile_well(text, NULL, NULL);

    ck_assert_uint_lt(strlen(machine->states[machine->initial].name), 90);
    machine_release(machine);
    free(text);
    free(name);
}
END_TEST

/* --- emulation --- */

/* green is a phone here */
#define PHONE(steps)                                                                     \
    "{'name': 'N', 'clients': {'red': ['web'], 'green': ['phone']},"                     \
    " 'servers': {'type': 'fixed', 'names': ['server', 'other']}, 'steps': [" steps "]}"

static const struct {
    const char *text;
    const char *story;
} emulations[] = {
    {PHONE("{'green': 'enrol', 'save': 'a', 'name': 'green comes'}"),
     "1 http\n  {'http':{'url':'${server.cs_api}/users/${green.localpart}'},"
     "'save':'made_green'}\n"
     "2 green comes\n  green: login {'localpart':'L-green'} saved a\n"},
    {PHONE("{'green': 'enrol', 'on': 'other', 'data': {'localpart': 'mine'}}"),
     "1 http\n  {'http':{'url':'${other.cs_api}/users/${green.localpart}'},"
     "'save':'made_green'}\n"
     "2 green enrol\n  green: login {'localpart':'mine'}\n"},
    /* before all that is done at once */
    {PHONE("{'parallel': [{'red': 'enrol'}, {'green': 'enrol'}]}"),
     "1 http\n  {'http':{'url':'${server.cs_api}/users/${green.localpart}'},"
     "'save':'made_green'}\n"
     "2 red enrol, green enrol\n  red: enrol {'username':'${red.localpart}'}\n"
     "  green: login {'localpart':'L-green'}\n"},
    {PHONE("{'repeat': 2, 'as': 'i', 'steps': [{'green': 'enrol'}]}"),
     "1 http\n  {'http':{'url':'${server.cs_api}/users/${green.localpart}'},"
     "'save':'made_green'}\n2 green enrol\n  green: login {'localpart':'L-green'}\n"
     "3 http\n  {'http':{'url':'${server.cs_api}/users/${green.localpart}'},"
     "'save':'made_green'}\n4 green enrol\n  green: login {'localpart':'L-green'}\n"},
};

START_TEST(an_emulation_comes_before)
{
    struct machine *machine = compile_well(emulations[_i].text, NULL, NULL);
    char *told = story(machine);

    ck_assert_str_eq(told, emulations[_i].story);
    free(told);
    machine_release(machine);
}
END_TEST

START_TEST(an_emulation_has_the_names_of_both)
{
    static const struct {
        const char *reported;
        const char *meant; /* NULL: is not accepted */
    } rows[] = {{"enrolled", "enrolled"}, {"logged_in", "enrolled"},
                {"loggedin", "enrolled"}, {NULL, "enrolled"},
                {"seen", NULL},           {"failed", NULL}};
    struct machine *machine =
        compile_well(PHONE("{'green': 'enrol', 'expect': 'enrolled'}"), NULL, NULL);
    const struct machine_state *http = &machine->states[machine->initial];
    const struct machine_action *action = &machine->states[http->next].actions[0];

    for (int i = 0; i < ROWS(rows); i++) {
        const char *meant;
        int found = machine_action_match(action, rows[i].reported, &meant);
        ck_assert_int_eq(found >= 0, rows[i].meant != NULL);
        if (rows[i].meant != NULL)
            ck_assert_str_eq(meant, rows[i].meant);
    }
    machine_release(machine);
}
END_TEST

/* --- mistakes --- */

static const struct {
    const char *text;
    const char *mistake;
} mistaken[] = {
    {HEAD "'steps': {}}", "$.steps: must be a list of at least one step"},
    {HEAD "'steps': []}", "$.steps: must be a list of at least one step"},
    {HEAD "'steps': null}", "$.steps: must be a list of at least one step"},
    {HEAD "'steps': [], 'states': {}}", "never both"},
    {STEPS("5"), "5: $.steps[0]: a step is an object"},
    {STEPS("{'red': 'look'},\n{}"), "6: $.steps[1]: a step has a role of this test"},
    {STEPS("{'blue': 'look'}"), "this is {\"blue\":\"look\"}"},
    {STEPS("{'actions': {'red': {'action': 'look'}}}"), "a step has a role of this test"},
    {STEPS("{'red': 'lok'}"), "$.steps[0].red: no dictionary knows the action \"lok\""},
    {STEPS("{'red': ['look']}"), "$.steps[0].red: must be the name of an action"},
    {STEPS("{'red': 'say'}"), "$.steps[0]: say needs data.message"},
    {STEPS("{'red': 'look', 'green': 'look'}"), "has both red and green"},
    {STEPS("{'red': 'look', 'wait': 5}"), "has both red and wait"},
    {STEPS("{'set': {'x': 1}, 'assert': {'equals': [1, 1]}}"), "both set and assert"},
    {STEPS("{'red': 'look', 'next': 'x'}"), "$.steps[0].next: "},
    {STEPS("{'red': 'look', 'on': 'blue'}"), "$.steps[0].on: must be a server or a role"},
    {STEPS("{'red': 'look', 'save': 'green'}"), "$.steps[0].save: \"green\" is the name"},
    {STEPS("{'red': 'look', 'save': 5}"), "$.steps[0].save: must be a name"},
    {STEPS("{'red': 'look', 'timeout': 'x'}"), "$.steps[0].timeout: \"x\" is not a dur"},
    {STEPS("{'red': 'look', 'data': []}"), "$.steps[0].data: must be an object"},
    {STEPS("{'red': 'look', 'responses': ['seen']}"),
     "$.steps[0].responses: only states"},
    {STEPS("{'red': 'look', 'expect': {'seen': 'x'}}"), "$.steps[0].expect: must be"},
    {STEPS("{'wait': 'x'}"), "$.steps[0].wait: "},
    {STEPS("{'wait': 1, 'save': 'x'}"), "$.steps[0].save: wait has no member"},
    {STEPS("{'set': {'red': 1}}"), "$.steps[0].set.red: \"red\" is the name of a role"},
    {STEPS("{'assert': {'equals': [1]}}"), "$.steps[0].assert.equals: must be two"},
    {STEPS("{'find': '${room}'}"), "$.steps[0].save: what is found needs a name"},
    {STEPS("{'find': '${room}', 'save': 'x', 'where': 5}"), "$.steps[0].where: must be"},
    {STEPS("{'http': {'method': 'GET'}}"), "$.steps[0].http: has no \"url\""},
    {STEPS("{'http': {'url': 'http://a', 'status': 200}}"), "$.steps[0].http.status: "},
    {STEPS("{'http': {'url': 'http://a', 'jsn': {}}}"), "$.steps[0].http.jsn: "},
    {STEPS("{'red': 'look', 'save': 'a'}, {'set': {'x': '${b.c}'}}"),
     "${b.c} can never have a value here"},
    /* in parallel */
    {STEPS("{'parallel': []}"), "$.steps[0].parallel: must be a list of role steps"},
    {STEPS("{'parallel': {'red': 'look'}}"), "$.steps[0].parallel: must be a list"},
    {STEPS("{'parallel': [{'red': 'look'},\n{'wait': 5}]}"),
     "6: $.steps[0].parallel[1]: must be a step of a role"},
    {STEPS("{'parallel': [{'red': 'look'}, {'red': 'look'}]}"),
     "$.steps[0].parallel[1]: red is there twice"},
    {STEPS("{'parallel': [{'red': 'look'}, {'green': 'lok'}]}"),
     "$.steps[0].parallel[1].green: no dictionary"},
    {STEPS("{'parallel': [{'red': 'look'}], 'save': 'x'}"), "$.steps[0].save: parallel"},
    /* flows */
    {STEPS("{'flow': 'gone'}"), "$.steps[0].flow: there is no flow \"gone\""},
    {STEPS("{'flow': 5}"), "$.steps[0].flow: there is no flow 5"},
    {HEAD "'flows': {'f': [{'red': 'look'}]}, 'steps': [{'flow': 'f', 'with': []}]}",
     "$.steps[0].with: must be an object"},
    {HEAD "'flows': {'f': [{'red': 'look'}]}, 'steps': [{'flow': 'f', 'as': 1}]}",
     "$.steps[0].as: flow has no member"},
    {HEAD "'flows': {'f': [{'red': 'look'}, {'${who}': 'look'}]},"
          " 'steps': [{'flow': 'f'}]}",
     "$.flows.f[1]: nobody gives ${who} a value"},
    {HEAD "'flows': {'f': [{'red': 'look'},\n{'red': 'lok'}]},"
          " 'steps': [{'flow': 'f'}, {'flow': 'f'}]}",
     "5: $.flows.f[1].red: no dictionary knows"},
    {HEAD "'flows': {'f': [{'flow': 'g'}], 'g': [{'flow': 'f'}]},"
          " 'steps': [{'flow': 'f'}]}",
     ": flows and loops are more than 16 deep here: does a flow call itself?"},
    {HEAD "'flows': {'greeting': [{'wait': 1}]}, 'steps': [{'wait': 1}]}",
     "flows.json:1: $.greeting: there is a flow greeting already"},
    /* loops */
    {STEPS("{'for_each': 5, 'as': 'x', 'steps': [{'wait': 1}]}"),
     "$.steps[0].for_each: must be a list"},
    {STEPS("{'for_each': [1], 'steps': [{'wait': 1}]}"), "$.steps[0].as: must be a name"},
    {STEPS("{'for_each': [1], 'as': 'X', 'steps': [{'wait': 1}]}"),
     "\"X\" is not a name"},
    {STEPS("{'repeat': 1, 'as': 'red', 'steps': [{'wait': 1}]}"),
     "$.steps[0].as: \"red\" is the name of a role"},
    {STEPS("{'repeat': 1, 'as': 'i'}"), "$.steps[0].steps: must be a list"},
    {STEPS("{'repeat': 0, 'as': 'i', 'steps': [{'wait': 1}]}"),
     "$.steps[0].repeat: must be a number from 1"},
    {STEPS("{'repeat': '2', 'as': 'i', 'steps': [{'wait': 1}]}"),
     "$.steps[0].repeat: must be a number from 1"},
    {STEPS("{'repeat': 2, 'as': 'i', 'steps': [{'wait': 1},\n{'red': 'lok'}]}"),
     "6: $.steps[0].steps[1].red: no dictionary"},
    /* too many */
    {STEPS("{'repeat': 1000000, 'as': 'i', 'steps': [{'wait': 1}]}"),
     "$.steps[0].steps[0]: the steps make more than 10000 states"},
    {STEPS("{'repeat': 101, 'as': 'i', 'steps': ["
           " {'repeat': 100, 'as': 'j', 'steps': [{'wait': 1}]}]}"),
     "$.steps[0].steps[0].steps[0]: the steps make more than 10000 states"},
    {STEPS("{'repeat': 1000000000000, 'as': 'i', 'steps': [{'blue': 'look'}]}"),
     "a step has a role of this test"},
    /* emulation */
    {"{'name': 'N', 'clients': {'red': ['radio']}, 'steps': [{'red': 'enrol'}]}",
     "$.steps[0].red: the dictionary says that the flow gone does this for radio"},
    {"{'name': 'N', 'clients': {'red': ['robot']}, 'steps': [{'red': 'enrol'}]}",
     "$.steps[0]: flows and loops are more than 16 deep here"},
    {"{'name': 'N', 'clients': {'red': ['phone']}, 'steps': [{'red': 'enrol'}]}",
     "$.steps[0].http.url: ${on.cs_api} can never have a value: the test has no servers"},
};

START_TEST(a_mistake_is_told)
{
    struct mistakes *mistakes = mistakes_new();
    struct machine *machine = compile(mistaken[_i].text, included_flows, NULL, mistakes);

    fixture_print(mistakes);
    machine_release(machine); /* the flows of a file may be wrong, and not these steps */
    ck_assert_msg(fixture_has(mistakes, true, mistaken[_i].mistake), "%s",
                  mistaken[_i].mistake);
    mistakes_free(mistakes);
}
END_TEST

START_TEST(a_mistake_is_told_at_the_included_file)
{
    static const char flows[] = "{\n'f': [\n{'red': 'look'},\n{'red': 'lok'},\n"
                                "{'set': {'x': '${gone}'}}]}";
    static const char unsound[] = "{\n'f': [\n{'set': {'x': '${gone}'}}]}";
    struct mistakes *mistakes = mistakes_new();

    compile(STEPS("{'flow': 'f'}"), flows, NULL, mistakes);
    compile(STEPS("{'flow': 'f'}, {'flow': 'f'}"), unsound, NULL, mistakes);
    fixture_print(mistakes);
    ck_assert(fixture_has(mistakes, true, "flows.json:4: $.f[1].red: no dictionary"));
    ck_assert(fixture_has(mistakes, true, "flows.json:3: $.f[0].set.x: ${gone} can "));
    ck_assert_uint_eq(mistakes_count(mistakes), 2); /* each once */
    mistakes_free(mistakes);
}
END_TEST

START_TEST(nearly_too_many_states)
{
    struct machine *machine = compile_well(
        STEPS("{'repeat': 9990, 'as': 'i', 'steps': [{'set': {'x': '${i}'}}]}"), NULL,
        NULL);

    ck_assert_uint_eq(machine->state_count, 9993);
    machine_release(machine);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("steps");
    TCase *tcase = tcase_create("steps");

    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, steps_become_states, 0, ROWS(stories));
    tcase_add_test(tcase, long_names_are_shortened);
    tcase_add_loop_test(tcase, an_emulation_comes_before, 0, ROWS(emulations));
    tcase_add_test(tcase, an_emulation_has_the_names_of_both);
    tcase_add_loop_test(tcase, a_mistake_is_told, 0, ROWS(mistaken));
    tcase_add_test(tcase, a_mistake_is_told_at_the_included_file);
    tcase_add_test(tcase, nearly_too_many_states);
    suite_add_tcase(suite, tcase);
    return fixture_run(suite);
}
