/* SPDX-License-Identifier: Apache-2.0 */
/* `${…}`: finding, replacing and binding; what a case's names hold; durations. */
#include "clock.h"
#include "fixture.h"
#include "json.h"
#include "scope.h"
#include "value.h"
#include "xalloc.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(table) (int)(sizeof(table) / sizeof *(table))

static const char scope_text[] =
    "{'red': {'name': 'red', 'localpart': 'user_red', 'registration': {'v': 1}},"
    " 'list': ['zero', 1, {'two': 2.50}, null, [true]],"
    " 'n': 7, 'real': 1.50, 'yes': true, 'none': null, 'empty': '', 'object': {},"
    " 'dollar': '$', 'tricky': '${n}'}";

/* Gives what the template becomes, as text; the reason, with a "!" before it, if it can't
 * be had. Owned. */
static char *expand(const char *template)
{
    struct json_object *scope = fixture_json(scope_text);
    struct json_object *from = fixture_json(template);
    struct json_object *to = NULL;
    char *cause = NULL;
    char *result;

    if (value_expand(from, scope, &to, &cause) == 0) {
        ck_assert_ptr_null(cause);
        result = xstrdup(json_text(to));
    } else {
        ck_assert_ptr_null(to);
        result = xasprintf("!%s", cause);
    }
    json_object_put(to);
    json_object_put(from);
    json_object_put(scope);
    free(cause);
    return result;
}

static const struct {
    const char *template;
    const char *result; /* ' for "; with "!" a part of the reason */
} expansions[] = {
    /* text */
    {"'plain'", "'plain'"},
    {"''", "''"},
    {"'${red.localpart}'", "'user_red'"},
    {"'@${red.localpart}:x'", "'@user_red:x'"},
    {"'${red.name}${red.name}'", "'redred'"},
    {"'a ${n} b ${yes} c ${real} d'", "'a 7 b true c 1.50 d'"},
    {"'<${none}>'", "'<null>'"},
    {"'<${empty}>'", "'<>'"},
    {"'<${object}>'", "'<{}>'"},
    {"'no $ and no } and { and $x'", "'no $ and no } and { and $x'"},
    /* the value itself */
    {"'${n}'", "7"},
    {"'${real}'", "1.50"},
    {"'${yes}'", "true"},
    {"'${none}'", "null"},
    {"'${object}'", "{}"},
    {"'${list}'", "['zero',1,{'two':2.50},null,[true]]"},
    {"' ${n}'", "' 7'"},
    /* arrays */
    {"'${list.0}'", "'zero'"},
    {"'${list.2.two}'", "2.50"},
    {"'${list.3}'", "null"},
    {"'${list.4.0}'", "true"},
    {"'${list.5}'", "!${list.5} has no value"},
    {"'${list.-1}'", "!has no value"},
    {"'${list.x}'", "!has no value"},
    {"'${list.99999999999999999999999}'", "!has no value"},
    /* escapes: what comes out is not looked at again */
    {"'$${n}'", "'${n}'"},
    {"'$${n} ${n}'", "'${n} 7'"},
    {"'$$${n}'", "'$${n}'"},
    {"'$${'", "'${'"},
    {"'${dollar}{n}'", "'${n}'"},
    {"'${tricky}'", "'${n}'"},
    {"'x${tricky}'", "'x${n}'"},
    /* nothing there */
    {"'${blue}'", "!${blue} has no value"},
    {"'${red.shoes}'", "!${red.shoes} has no value"},
    {"'${n.x}'", "!has no value"},
    {"'${none.x}'", "!has no value"},
    {"'a${red.name.x}b'", "!${red.name.x} has no value"},
    {"'${red.}'", "!has no value"},
    {"'${}'", "!has no value"},
    /* everywhere in a value */
    {"{'a': ['${n}', {'b': '${red.name}'}], 'c': 1, 'd': null}",
     "{'a':[7,{'b':'red'}],'c':1,'d':null}"},
    {"{'${red.name}': 1, 'x${n}': 2}", "{'red':1,'x7':2}"},
    {"{'a': {'b': ['${blue}']}}", "!${blue}"},
    {"{'${blue}': 1}", "!${blue}"},
    {"[1, true, null, 2.5]", "[1,true,null,2.5]"},
    {"null", "null"},
};

START_TEST(references_are_replaced)
{
    char *result = expand(expansions[_i].template);

    if (*expansions[_i].result == '!') {
        ck_assert_msg(*result == '!' && strstr(result, expansions[_i].result + 1),
                      "%s: %s", expansions[_i].template, result);
    } else {
        char *expected = fixture_text(expansions[_i].result);
        ck_assert_str_eq(result, expected);
        free(expected);
    }
    free(result);
}
END_TEST

START_TEST(text_is_had_of_any_type)
{
    struct json_object *scope = fixture_json(scope_text);
    char *text = NULL, *cause = NULL;

    ck_assert_int_eq(value_expand_text("${list.2}", scope, &text, &cause), 0);
    ck_assert_str_eq(text, "{\"two\":2.50}");
    free(text);
    ck_assert_int_eq(value_expand_text("", scope, &text, &cause), 0);
    ck_assert_str_eq(text, "");
    free(text);
    ck_assert_int_eq(value_expand_text("a${blue}", scope, &text, &cause), -1);
    ck_assert_ptr_null(text);
    ck_assert_str_eq(cause, "${blue} has no value");
    free(cause);
    json_object_put(scope);
}
END_TEST

START_TEST(what_is_replaced_is_a_copy)
{
    struct json_object *scope = fixture_json(scope_text);
    struct json_object *from = fixture_json("{'x': '${red}'}");
    struct json_object *to = NULL;
    char *cause = NULL;

    ck_assert_int_eq(value_expand(from, scope, &to, &cause), 0);
    json_put_text(json_member(to, "x"), "name", "blue");
    ck_assert_str_eq(json_member_text(json_member(scope, "red"), "name"), "red");
    json_object_put(to);
    json_object_put(from);
    json_object_put(scope);
}
END_TEST

START_TEST(strings_do_not_grow_for_ever)
{
    struct json_object *scope = json_new_object();
    char *long_text = xcalloc(VALUE_TEXT_MAX / 2 + 2, 1);
    struct json_object *value = NULL;
    char *cause = NULL;

    memset(long_text, 'x', VALUE_TEXT_MAX / 2 + 1);
    json_put_text(scope, "long", long_text);
    struct json_object *once = fixture_json("'${long} '");
    struct json_object *twice = fixture_json("'${long}${long}'");
    ck_assert_int_eq(value_expand(once, scope, &value, &cause), 0);
    json_object_put(value);
    ck_assert_int_eq(value_expand(twice, scope, &value, &cause), -1);
    ck_assert_ptr_nonnull(strstr(cause, "more than 1048576 bytes"));
    free(cause);
    free(long_text);
    json_object_put(once);
    json_object_put(twice);
    json_object_put(scope);
}
END_TEST

/* --- parameters --- */

static const struct {
    const char *template;
    const char *bound; /* with me = red, on = server, i = 3, o = {'k': 'v'} */
} bindings[] = {
    {"'${me}'", "'red'"},
    {"'${me.password}'", "'${red.password}'"},
    {"'a ${me.password} b'", "'a ${red.password} b'"},
    {"'a ${me} b'", "'a red b'"},
    {"'${on.cs_api}/x'", "'${server.cs_api}/x'"},
    {"'${other.x}'", "'${other.x}'"},
    {"'${other}'", "'${other}'"},
    {"'${i}'", "3"},
    {"'bob${i}'", "'bob3'"},
    {"'${o.k}'", "'v'"},
    {"'${o}'", "{'k':'v'}"},
    {"'$${me}'", "'$${me}'"},
    {"'$${me} ${me}'", "'$${me} red'"},
    {"'${me'", "'${me'"},
    {"{'${me}': ['${me}', {'x': '${me.name}'}]}", "{'red':['red',{'x':'${red.name}'}]}"},
    {"[1, null]", "[1,null]"},
    {"'${mean}'", "'${mean}'"},
};

START_TEST(parameters_are_bound)
{
    struct json_object *parameters =
        fixture_json("{'me': 'red', 'on': 'server', 'i': 3, 'o': {'k': 'v'}}");
    struct json_object *from = fixture_json(bindings[_i].template);
    struct json_object *bound = value_bind(from, parameters);
    char *expected = fixture_text(bindings[_i].bound);

    ck_assert_str_eq(json_text(bound), expected);
    free(expected);
    json_object_put(bound);
    json_object_put(from);
    json_object_put(parameters);
}
END_TEST

/* --- finding references --- */

static void note_path(const char *path, void *argument)
{
    char **paths = argument;
    char *before = *paths;

    *paths = xasprintf("%s%s ", before, path);
    free(before);
}

static const struct {
    const char *template;
    const char *paths; /* or "!" and a part of the reason */
} references[] = {
    {"'plain'", ""},
    {"'${a} ${b.c}'", "a b.c "},
    {"{'${a}': ['${b.0.c}', {'x': 'y${c}'}]}", "a b.0.c c "},
    {"'$${a}'", ""},
    {"'${a'", "!never closed"},
    {"'a ${'", "!never closed"},
    {"'${'", "!never closed"},
    {"'${a} ${b'", "!never closed"},
    {"'$${'", ""},
    {"'${}'", "!not a path"},
    {"'${A}'", "!not a path"},
    {"'${0}'", "!not a path"},
    {"'${a.}'", "!not a path"},
    {"'${a..b}'", "!not a path"},
    {"'${.a}'", "!not a path"},
    {"'${a b}'", "!not a path"},
    {"'${a.${b}}'", "!not a path"},
    {"5", ""},
};

START_TEST(references_are_found)
{
    struct json_object *template = fixture_json(references[_i].template);
    char *paths = xstrdup("");
    char *cause = NULL;
    int failed = value_references(template, note_path, &paths, &cause);

    if (*references[_i].paths == '!') {
        ck_assert_msg(failed < 0, "%s: nothing wrong", references[_i].template);
        ck_assert_msg(strstr(cause, references[_i].paths + 1) != NULL, "%s", cause);
    } else {
        ck_assert_msg(failed == 0, "%s", cause);
        ck_assert_str_eq(paths, references[_i].paths);
        ck_assert_int_eq(value_is_constant(template), *paths == '\0');
    }
    free(cause);
    free(paths);
    json_object_put(template);
}
END_TEST

/* --- the names of a case --- */

static struct json_object *make_scope(const char *registration, const char *servers,
                                      const char *variables, char **cause)
{
    struct json_object *body = fixture_json(registration);
    struct player player = {"red", "client-1", "web", body};
    struct scope_parts parts = {
        .attempt_id = "0123abcd-1111-4111-8111-111111111111",
        .case_id = "22222222-1111-4111-8111-111111111111",
        .case_name = "red=web",
        .attempt_number = 1,
        .run_id = FIXTURE_RUN,
        .run_started_ms = 1800000000000,
        .players = &player,
        .player_count = 1,
        .servers = fixture_json(servers),
        .variables = fixture_json(variables),
    };
    struct json_object *scope = scope_new(&parts, cause);

    json_object_put(parts.servers);
    json_object_put(parts.variables);
    json_object_put(body);
    return scope;
}

static const char *at(struct json_object *scope, const char *path)
{
    struct json_object *value = NULL;

    return value_find(scope, path, &value) ? json_object_get_string(value) : "(none)";
}

START_TEST(a_case_has_its_names)
{
    char *cause = NULL;
    struct json_object *scope = make_scope(
        "{'type': 'web', 'version': '1.2', 'flags': {'x': 1}}",
        "[{'name': 'server', 'server_name': 'hs1', 'cs_api': 'http://localhost:8008'}]",
        "{'room': 'room of ${red.name}', 'again': '${room}!', 'list': ['${case.nonce}']}",
        &cause);

    ck_assert_str_eq(at(scope, "red.name"), "red");
    ck_assert_str_eq(at(scope, "red.localpart"), "user_red_0123abcd");
    ck_assert_uint_ge(strlen(at(scope, "red.password")), 32);
    ck_assert_str_eq(at(scope, "red.type"), "web");
    ck_assert_str_eq(at(scope, "red.registration.flags.x"), "1");
    ck_assert_str_eq(at(scope, "red.cs_api"), "(none)");
    ck_assert_str_eq(at(scope, "server.server_name"), "hs1");
    ck_assert_str_eq(at(scope, "server.cs_api_docker"), "http://10.0.2.2:8008");
    ck_assert_str_eq(at(scope, "case.nonce"), "0123abcd");
    ck_assert_str_eq(at(scope, "case.attempt"), "1");
    ck_assert_str_eq(at(scope, "case.name"), "red=web");
    ck_assert_str_eq(at(scope, "run.id"), FIXTURE_RUN);
    ck_assert_str_eq(at(scope, "run.started"), "2027-01-15T08:00:00.000Z");
    ck_assert_str_eq(at(scope, "again"), "room of red!");
    ck_assert_str_eq(at(scope, "list.0"), "0123abcd");
    json_object_put(scope);
}
END_TEST

START_TEST(a_variable_without_a_value_is_told)
{
    char *cause = NULL;

    ck_assert_ptr_null(
        make_scope("{'type': 'web'}", "null", "{'a': '${red.registration.x}'}", &cause));
    ck_assert_str_eq(cause, "${red.registration.x} has no value");
    free(cause);
}
END_TEST

static const struct {
    const char *endpoint;
    const char *docker; /* as an Android emulator sees it */
} endpoints[] = {
    {"http://localhost:8008", "http://10.0.2.2:8008"},
    {"http://localhost:8008/", "http://10.0.2.2:8008/"},
    {"https://127.0.0.1:1/a", "https://10.0.2.2:1/a"},
    {"http://localhost", "http://10.0.2.2"},
    {"http://localhost/a", "http://10.0.2.2/a"},
    {"http://localhost.example:80", "http://localhost.example:80"},
    {"http://127.0.0.12:80", "http://127.0.0.12:80"},
    {"http://hs1.example:80", "http://hs1.example:80"},
    {"", ""},
};

START_TEST(an_endpoint_is_a_server_too)
{
    char *cause = NULL;
    char *body = xasprintf("{'type': 'web', 'endpoint': '%s'}", endpoints[_i].endpoint);
    struct json_object *scope = make_scope(body, "null", "{}", &cause);

    ck_assert_str_eq(at(scope, "red.cs_api"), endpoints[_i].endpoint);
    ck_assert_str_eq(at(scope, "red.cs_api_docker"), endpoints[_i].docker);
    json_object_put(scope);
    free(body);
}
END_TEST

/* --- time --- */

static const struct {
    const char *text;
    int64_t ms; /* -1: no duration */
} durations[] = {
    {"250ms", 250},     {"5s", 5000},    {"10m", 600000},
    {"1h", 3600000},    {"5", 5000},     {"0", 0},
    {"0.5", 500},       {".5s", 500},    {"1.5m", 90000},
    {"0.0004s", 0},     {"0.6ms", 1},    {"2147483647", DURATION_MAX_MS},
    {"2147483648", -1}, {"596524h", -1}, {"99999999999999999999999999999999h", -1},
    {"", -1},           {"s", -1},       {"-1", -1},
    {"+1", -1},         {" 1", -1},      {"1 ", -1},
    {"1 s", -1},        {"1S", -1},      {"1d", -1},
    {"1e3", -1},        {"0x10", -1},    {"1.2.3", -1},
    {".", -1},          {"5sm", -1},     {"nan", -1},
    {"inf", -1},
};

START_TEST(durations_are_read)
{
    int64_t ms = -1;
    char *cause = NULL;
    int failed = duration_parse(durations[_i].text, &ms, &cause);

    ck_assert_int_eq(failed < 0, durations[_i].ms < 0);
    ck_assert_int_eq(failed < 0, cause != NULL);
    if (failed == 0)
        ck_assert_int_eq(ms, durations[_i].ms);
    else
        ck_assert_ptr_nonnull(strstr(cause, durations[_i].text));
    free(cause);
}
END_TEST

START_TEST(times_are_written)
{
    char text[CLOCK_TEXT_SIZE];

    ck_assert_str_eq(clock_format(0, text), "1970-01-01T00:00:00.000Z");
    ck_assert_str_eq(clock_format(1795378620123, text), "2026-11-22T20:17:00.123Z");
    ck_assert_str_eq(clock_format(951782400007, text), "2000-02-29T00:00:00.007Z");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("value");
    TCase *tcase = tcase_create("value");

    tcase_add_loop_test(tcase, references_are_replaced, 0, ROWS(expansions));
    tcase_add_test(tcase, text_is_had_of_any_type);
    tcase_add_test(tcase, what_is_replaced_is_a_copy);
    tcase_add_test(tcase, strings_do_not_grow_for_ever);
    tcase_add_loop_test(tcase, parameters_are_bound, 0, ROWS(bindings));
    tcase_add_loop_test(tcase, references_are_found, 0, ROWS(references));
    tcase_add_test(tcase, a_case_has_its_names);
    tcase_add_test(tcase, a_variable_without_a_value_is_told);
    tcase_add_loop_test(tcase, an_endpoint_is_a_server_too, 0, ROWS(endpoints));
    tcase_add_loop_test(tcase, durations_are_read, 0, ROWS(durations));
    tcase_add_test(tcase, times_are_written);
    suite_add_tcase(suite, tcase);
    return fixture_run(suite);
}
