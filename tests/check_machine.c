/* SPDX-License-Identifier: Apache-2.0 */
/* The dictionary, and machines as they come out of definitions. */
#include "fixture.h"
#include "json.h"
#include "xalloc.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(table) (int)(sizeof(table) / sizeof *(table))

/* --- the dictionary --- */

static const struct {
    const char *text;
    const char *mistake; /* NULL: none */
} dictionaries[] = {
    {"[]", "a dictionary is an object with \"actions\" in it"},
    {"{}", NULL},
    {"{'actions': {}, 'flows': {}}", NULL},
    {"{'action': {}}", "$.action: a dictionary has only \"actions\" and \"flows\""},
    {"{'actions': []}", "$.actions: must be an object"},
    {"{'actions': {'a': []}}", "$.actions.a: an action is described by an object"},
    {"{'actions': {'a': {'reports': {}}}}",
     "$.actions.a.reports: an action has no member"},
    {"{'actions': {'a': {'description': 5}}}", "a.description: must be of type string"},
    {"{'actions': {'a': {'responses': 'x'}}}", "a.responses: must be of type array"},
    {"{'actions': {'a': {'responses': ['x', 5]}}}", "a.responses[1]: must be a string"},
    {"{'actions': {'a': {'types': [5]}}}", "a.types[0]: must be a string"},
    {"{'actions': {'a': {'data': {'x': {}}}}}", "a.data.x: needs a type"},
    {"{'actions': {'a': {'data': {'x': 'string'}}}}", "a.data.x: needs a type"},
    {"{'actions': {'a': {'data': {'x': {'type': 'text'}}}}}", "a.data.x: needs a type"},
    {"{'actions': {'a': {'data': {'x': {'type': 'object', 'required': true}}}}}", NULL},
    {"{'actions': {'a': {'for': {'t': {'types': []}}}}}",
     "a.for.t.types: an action has no member"},
    {"{'actions': {'a': {'for': {'t': {'for': {}}}}}}", "a.for.t.for: an action has no"},
    {"{'actions': {'a': {'for': {'t': 5}}}}", "a.for.t: an action is described by an"},
    {"{'actions': {'a': {'for': {'t': {'data': {'x': {}}}}}}}",
     "$.actions.a.for.t.data.x: needs a type"},
    {"{'flows': []}", "$.flows: must be an object"},
    {"{'flows': {'f': {}}}", "$.flows.f: a flow is an array of steps"},
};

START_TEST(dictionaries_are_checked)
{
    struct dictionary *dictionary = dictionary_new();
    struct mistakes *mistakes = mistakes_new();
    struct json_object *root = fixture_json(dictionaries[_i].text);

    dictionary_add(dictionary, root, mistakes);
    fixture_print(mistakes);
    if (dictionaries[_i].mistake == NULL)
        ck_assert_uint_eq(mistakes_count(mistakes), 0);
    else
        ck_assert(fixture_has(mistakes, true, dictionaries[_i].mistake));
    json_object_put(root);
    mistakes_free(mistakes);
    dictionary_free(dictionary);
}
END_TEST

START_TEST(what_has_no_mistake_is_added)
{
    struct dictionary *dictionary = fixture_dictionary();
    struct mistakes *mistakes = mistakes_new();
    struct json_object *root =
        fixture_json("{'actions': {'good': {}, 'bad': {'x': 1}, 'look': {}},"
                     " 'flows': {'f': [], 'g': []}}");
    struct json_object *again = fixture_json("{'flows': {'g': []}}");
    size_t before = dictionary_size(dictionary);

    dictionary_add(dictionary, root, mistakes);
    dictionary_add(dictionary, again, mistakes);
    ck_assert_uint_eq(mistakes_errors(mistakes), 3);
    ck_assert_uint_eq(dictionary_size(dictionary), before + 1);
    ck_assert_ptr_nonnull(dictionary_find(dictionary, "good"));
    ck_assert_ptr_null(dictionary_find(dictionary, "bad"));
    ck_assert_str_eq(action_entry_canonical(dictionary_find(dictionary, "look"), "web"),
                     "seen");
    json_object_put(root);
    json_object_put(again);
    mistakes_free(mistakes);
    dictionary_free(dictionary);
}
END_TEST

START_TEST(a_copy_goes_its_own_way)
{
    struct dictionary *dictionary = fixture_dictionary();
    struct dictionary *copy = dictionary_copy(dictionary);
    struct mistakes *mistakes = mistakes_new();
    struct json_object *actions = fixture_json("{'dance': {}}");

    dictionary_add_actions(copy, actions, NULL, mistakes);
    ck_assert_uint_eq(mistakes_count(mistakes), 0);
    ck_assert_uint_eq(dictionary_size(copy), dictionary_size(dictionary) + 1);
    ck_assert_ptr_null(dictionary_find(dictionary, "dance"));
    dictionary_free(dictionary);
    ck_assert_ptr_nonnull(dictionary_find(copy, "login"));
    struct json_object *all = dictionary_json(copy);
    ck_assert_ptr_nonnull(json_member(json_member(all, "actions"), "dance"));
    ck_assert_ptr_nonnull(json_member(all, "flows"));
    json_object_put(all);
    json_object_put(actions);
    mistakes_free(mistakes);
    dictionary_free(copy);
}
END_TEST

START_TEST(entries_differ_by_type)
{
    struct dictionary *dictionary = fixture_dictionary();
    const struct action_entry *login = dictionary_find(dictionary, "login");
    const struct action_entry *paint = dictionary_find(dictionary, "paint");

    ck_assert_ptr_nonnull(
        json_member(action_entry_member(login, "web", "data"), "passphrase"));
    ck_assert_ptr_null(
        json_member(action_entry_member(login, "phone", "data"), "passphrase"));
    ck_assert_ptr_nonnull(action_entry_member(login, "phone", "responses"));
    ck_assert_ptr_null(action_entry_member(paint, "web", "responses"));
    ck_assert_str_eq(action_entry_canonical(login, "phone"), "logged_in");
    ck_assert_str_eq(action_entry_canonical(paint, "web"), "paint");
    ck_assert(action_entry_supports(login, "web"));
    ck_assert(action_entry_supports(login, "phone"));
    ck_assert(!action_entry_supports(login, "fridge"));
    ck_assert(action_entry_supports(paint, "fridge"));
    dictionary_free(dictionary);
}
END_TEST

static const struct {
    const char *given;
    const char *nearest; /* NULL: none */
} spellings[] = {
    {"lok", "look"},
    {"Login", "login"},
    {"log_in", "login"},
    {"regsiter", "register"},
    {"xyz", NULL},
    {"", NULL},
    {"registered_user", NULL},
    {"paints", "paint"},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL},
};

START_TEST(the_nearest_name_is_found)
{
    struct dictionary *dictionary = fixture_dictionary();
    const char *nearest = dictionary_nearest(dictionary, spellings[_i].given);

    if (spellings[_i].nearest == NULL)
        ck_assert_ptr_null(nearest);
    else
        ck_assert_pstr_eq(nearest, spellings[_i].nearest);
    dictionary_free(dictionary);
}
END_TEST

/* --- compiled --- */

#define HEAD                                                                             \
    "{'name': 'Name', 'clients': {'red': ['web'], 'green': ['web']},"                    \
    " 'servers': {'type': 'any', 'names': ['first', 'second']}, 'initial': 'one',"

#define ACTION(spec)                                                                     \
    HEAD " 'states': {'one': {'actions': {'red': " spec "}, 'next': 'complete'}}}"

static const struct {
    const char *spec;
    const char *data; /* of the compiled action */
} data[] = {
    {ACTION("{'action': 'look'}"), "{}"},
    {ACTION("{'action': 'login'}"), "{'username':'${red.localpart}'}"},
    {ACTION("{'action': 'login', 'data': {'username': 'x'}}"), "{'username':'x'}"},
    {ACTION("{'action': 'login', 'data': {'passphrase': '${me.name}'}}"),
     "{'username':'${red.localpart}','passphrase':'${red.name}'}"},
    {ACTION("{'action': 'connect'}"), "{'url':'${first.cs_api}'}"},
    {ACTION("{'action': 'connect', 'on': 'second'}"), "{'url':'${second.cs_api}'}"},
    {ACTION("{'action': 'connect', 'on': 'green'}"), "{'url':'${green.cs_api}'}"},
    {ACTION("{'action': 'connect', 'data': {'url': '${on.server_name}'}}"),
     "{'url':'${first.server_name}'}"},
    {ACTION("{'action': 'look', 'data': {'a': null, 'b': [null]}}"), "{'b':[null]}"},
};

START_TEST(data_is_merged)
{
    struct machine *machine = fixture_machine(data[_i].spec);
    int state = machine_find(machine, "one");
    char *expected = fixture_text(data[_i].data);

    ck_assert_str_eq(json_text(machine->states[state].actions[0].data), expected);
    free(expected);
    machine_release(machine);
}
END_TEST

START_TEST(machines_differ_by_type)
{
    struct mistakes *mistakes = mistakes_new();
    struct definition *definition = fixture_definition(
        "{'name': 'N', 'clients': {'red': ['web', 'phone', 'fridge']}, 'initial': 'one',"
        " 'states': {'one': {'actions': {'red': {'action': 'login'}},"
        "                    'next': 'complete'}}}",
        NULL);
    static const char *const expected[] = {"username", "localpart", "username"};

    for (size_t i = 0; i < 3; i++) {
        struct machine *machine = compile_case(definition, i, NULL, mistakes);
        struct json_object *given = machine->states[machine->initial].actions[0].data;
        ck_assert_ptr_nonnull(json_member(given, expected[i]));
        ck_assert_int_eq(json_object_object_length(given), 1);
        machine_release(machine);
    }
    ck_assert_uint_eq(mistakes_count(mistakes), 1);
    ck_assert(fixture_has(mistakes, false, "fridge is not known to support login"));
    mistakes_free(mistakes);
    definition_free(definition);
}
END_TEST

/* The registration type behind a client type decides which data an action takes. */
START_TEST(client_types_are_looked_through)
{
    struct client_type_rule rule = {(char *)"tiny", (char *)"phone", NULL, 0};
    struct settings settings;
    struct mistakes *mistakes = mistakes_new();

    settings_init(&settings);
    settings.client_types = &rule;
    settings.client_type_count = 1;
    settings.step_timeout_ms = 1234;
    struct definition *definition =
        fixture_definition("{'name': 'N', 'clients': {'red': ['tiny']}, 'initial': 'one',"
                           " 'states': {'one': {'actions': {'red': {'action': 'login'}},"
                           "                    'next': 'complete'}}}",
                           &settings);
    struct machine *machine = compile_case(definition, 0, &settings, mistakes);
    const struct machine_action *action = machine->states[machine->initial].actions;
    ck_assert_ptr_nonnull(json_member(action->data, "localpart"));
    ck_assert_int_eq(action->timeout_ms, 1234);
    ck_assert_str_eq(compile_registration_type(&settings, "tiny"), "phone");
    ck_assert_str_eq(compile_registration_type(&settings, "web"), "web");
    ck_assert_str_eq(compile_registration_type(NULL, "tiny"), "tiny");
    machine_release(machine);
    mistakes_free(mistakes);
    definition_free(definition);
}
END_TEST

START_TEST(edges_are_numbered)
{
    struct machine *machine = fixture_machine(
        HEAD
        " 'states': {"
        "  'one': {'actions': {"
        "     'red': {'action': 'look', 'responses': {'seen': 'two', '*': 'failure'}},"
        "     'green': {'action': 'look', 'responses': {'seen': 'complete'}}}},"
        "  'two': {'wait': 1, 'next': 'complete'}}}");
    int one = machine_find(machine, "one");
    int two = machine_find(machine, "two");

    ck_assert_int_eq(machine->initial, one);
    ck_assert_uint_eq(machine->edge_count, 4);
    ck_assert_int_eq(machine->edges[machine_edge(machine, one, 0, 0)].to, two);
    ck_assert_int_eq(machine->edges[machine_edge(machine, one, 0, 1)].to,
                     machine_find(machine, "failure"));
    ck_assert_int_eq(machine->edges[machine_edge(machine, two, -1, -1)].to,
                     machine_find(machine, "complete"));
    ck_assert_int_eq(machine_edge(machine, one, -1, -1), -1);
    ck_assert_int_eq(machine_edge(machine, two, 0, 0), -1);
    ck_assert_int_eq(machine_find(machine, "three"), MACHINE_NO_STATE);
    ck_assert(machine_is_end(machine, machine_find(machine, "error")));
    ck_assert(!machine_is_end(machine, one));
    machine_release(machine_hold(machine));
    ck_assert_str_eq(machine->states[one].name, "one");
    machine_release(machine);
    machine_release(NULL);
}
END_TEST

/* --- which name was reported --- */

/* red logs in: the names of login are logged_in and loggedin. */
static const struct {
    const char *spec;     /* what the state accepts */
    const char *reported; /* NULL: no name */
    const char *meant;    /* "!": it is not accepted */
} reports[] = {
    /* a map, canonical name */
    {"'responses': {'logged_in': 'complete'}", "logged_in", "logged_in"},
    {"'responses': {'logged_in': 'complete'}", NULL, "logged_in"},
    {"'responses': {'logged_in': 'complete'}", "loggedin", "logged_in"},
    {"'responses': {'logged_in': 'complete'}", "LOGGED_IN", "!"},
    {"'responses': {'logged_in': 'complete'}", "login", "!"},
    {"'responses': {'logged_in': 'complete'}", "", "!"},
    {"'responses': {'logged_in': 'complete'}", "*", "!"},
    {"'responses': {'logged_in': 'complete'}", "failed", "!"},
    {"'responses': {'logged_in': 'complete'}", "error", "!"},
    /* the state knows the other name */
    {"'responses': {'loggedin': 'complete'}", "logged_in", "loggedin"},
    {"'responses': {'loggedin': 'complete'}", NULL, "loggedin"},
    /* both: each is itself */
    {"'responses': {'loggedin': 'complete', 'logged_in': 'failure'}", "loggedin",
     "loggedin"},
    {"'responses': {'loggedin': 'complete', 'logged_in': 'failure'}", NULL, "logged_in"},
    /* any name */
    {"'responses': {'*': 'complete'}", "whatever", "whatever"},
    {"'responses': {'*': 'complete'}", NULL, "logged_in"},
    {"'responses': {'*': 'complete'}", "", ""},
    {"'responses': {'*': 'complete'}", "failed", "!"},
    {"'responses': {'*': 'complete'}", "error", "!"},
    {"'responses': {'logged_in': 'complete', '*': 'failure'}", "loggedin", "logged_in"},
    {"'responses': {'logged_in': 'complete', '*': 'failure'}", "other", "other"},
    {"'expect': '*'", "other", "other"},
    {"'save': 'x'", "other", "other"},
    {"'save': 'x'", "failed", "!"},
    {"'save': 'x'", NULL, "logged_in"},
    /* failed and error, when the state names them */
    {"'responses': {'failed': 'complete'}", "failed", "failed"},
    {"'responses': {'failed': 'complete'}", "error", "!"},
    {"'responses': {'failed': 'complete'}", NULL, "!"},
    {"'responses': {'*': 'complete', 'error': 'failure'}", "error", "error"},
    {"'responses': ['logged_in', 'failed']", "failed", "failed"},
    /* lists */
    {"'responses': ['logged_in']", "loggedin", "logged_in"},
    {"'responses': ['logged_in']", "other", "!"},
    {"'responses': ['*']", "other", "other"},
    {"'expect': 'loggedin'", "logged_in", "loggedin"},
    {"'expect': ['loggedin']", "other", "!"},
};

START_TEST(names_are_matched)
{
    char *text = xasprintf(HEAD " 'states': {'one': {'actions': {'red': {'action': "
                                "'login', %s}}, 'next': 'complete'}}}",
                           reports[_i].spec);
    struct machine *machine = fixture_machine(text);
    const struct machine_action *action = machine->states[machine->initial].actions;
    const char *meant = NULL;
    int found = machine_action_match(action, reports[_i].reported, &meant);

    if (*reports[_i].meant == '!') {
        ck_assert_int_lt(found, 0);
        ck_assert_ptr_nonnull(meant);
    } else {
        ck_assert_int_ge(found, 0);
        ck_assert_str_eq(meant, reports[_i].meant);
    }
    machine_release(machine);
    free(text);
}
END_TEST

START_TEST(what_is_accepted_can_be_told)
{
    struct machine *machine = fixture_machine(
        ACTION("{'action': 'login', 'responses': ['logged_in', 'failed']}"));
    char *text = machine_action_accepts(machine->states[machine->initial].actions);

    ck_assert_str_eq(text, "logged_in, failed");
    free(text);
    machine_release(machine);
    machine = fixture_machine(ACTION("{'action': 'login'}"));
    text = machine_action_accepts(machine->states[machine->initial].actions);
    ck_assert_str_eq(text, "any name but failed and error");
    free(text);
    machine_release(machine);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("machine");
    TCase *tcase = tcase_create("machine");

    tcase_add_loop_test(tcase, dictionaries_are_checked, 0, ROWS(dictionaries));
    tcase_add_test(tcase, what_has_no_mistake_is_added);
    tcase_add_test(tcase, a_copy_goes_its_own_way);
    tcase_add_test(tcase, entries_differ_by_type);
    tcase_add_loop_test(tcase, the_nearest_name_is_found, 0, ROWS(spellings));
    tcase_add_loop_test(tcase, data_is_merged, 0, ROWS(data));
    tcase_add_test(tcase, machines_differ_by_type);
    tcase_add_test(tcase, client_types_are_looked_through);
    tcase_add_test(tcase, edges_are_numbered);
    tcase_add_loop_test(tcase, names_are_matched, 0, ROWS(reports));
    tcase_add_test(tcase, what_is_accepted_can_be_told);
    suite_add_tcase(suite, tcase);
    return fixture_run(suite);
}
