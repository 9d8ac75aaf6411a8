/* SPDX-License-Identifier: Apache-2.0 */
/* Strict JSON, comments, lines, doubled members, and UTF-8 below them all. */
#include "fixture.h"
#include "json.h"
#include "jsonscan.h"
#include "utf8.h"
#include "xalloc.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* Read text of this size, which ends in a NUL as json_read() wants it. Gives the value as
 * text, or the reason with a "!" before it. Owned. */
static char *read_sized(const char *text, size_t size, int depth)
{
    struct json_object *value = NULL;
    char *cause = NULL;
    char *copy = xcalloc(size + 1, 1); /* not one byte more: sanitizers look on */
    char *result;

    memcpy(copy, text, size);
    if (json_read(copy, size, depth, &value, &cause) == 0) {
        ck_assert_ptr_null(cause);
        result = xstrdup(json_text(value));
    } else {
        ck_assert_ptr_null(value);
        ck_assert_ptr_nonnull(cause);
        result = xasprintf("!%s", cause);
    }
    json_object_put(value);
    free(cause);
    free(copy);
    return result;
}

static char *read_text(const char *text)
{
    return read_sized(text, strlen(text), 32);
}

/* --- what JSON is and what it is not --- */

static const struct {
    const char *text;
    const char *value; /* as json_text() gives it */
} good[] = {
    {"{}", "{}"},
    {"[]", "[]"},
    {"null", "null"},
    {"true", "true"},
    {"false", "false"},
    {"0", "0"},
    {"-0", "0"},
    {"12", "12"},
    {"12 ", "12"},
    {"-1", "-1"},
    {"1.5", "1.5"},
    {"-1.25e-3", "-1.25e-3"},
    {"1e5", "1e5"},
    {"1E+5", "1E+5"},
    {"9223372036854775807", "9223372036854775807"},
    {" \t\r\n{ \"a\" : 1 } \t\r\n", "{\"a\":1}"},
    {"\"\"", "\"\""},
    {"\"a/b\"", "\"a/b\""},
    {"\"a\\/b\"", "\"a/b\""},
    {"\"\\\"\\\\\\b\\f\\n\\r\\t\"", "\"\\\"\\\\\\b\\f\\n\\r\\t\""},
    {"\"\\u0041\"", "\"A\""},
    {"\"\\u00e9\"", "\"\xc3\xa9\""},
    {"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\""},
    {"\"\xf0\x9f\x98\x80\"", "\"\xf0\x9f\x98\x80\""},
    {"\"\x7f\"", "\"\x7f\""},
    {"\"-01 1. .5 NaN // /* */\"", "\"-01 1. .5 NaN // /* */\""},
    {"\"\\\\\"", "\"\\\\\""},
    {"[\"\\\"-01\",2]", "[\"\\\"-01\",2]"},
    {"[1,[2,[3]],{\"a\":{\"b\":null}}]", "[1,[2,[3]],{\"a\":{\"b\":null}}]"},
    {"{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}"},
    {"{\"a\\nb\":{\"\\u00e9\":1},\"\":2}", "{\"a\\nb\":{\"\xc3\xa9\":1},\"\":2}"},
    {"\"a\\u0000b\"", "\"a\\u0000b\""},
    /* halves of characters */
    {"\"\\ud800\"", "\"\xef\xbf\xbd\""},
    {"\"\\udc00\\ud83d\\ude00\"", "\"\xef\xbf\xbd\xf0\x9f\x98\x80\""},
    {"\"\\ud800\\u0041\"", "\"\xef\xbf\xbd"
                           "A\""},
    /* whole numbers have 64 bits */
    {"999999999999999999", "999999999999999999"},
    {"-999999999999999999", "-999999999999999999"},
    {"-9223372036854775808", "-9223372036854775808"},
    {"-9223372036854775809", "-9223372036854775808"},
    {"9223372036854775808", "9223372036854775808"},
    {"18446744073709551616", "18446744073709551615"},
};

START_TEST(json_is_read)
{
    char *value = read_text(good[_i].text);

    ck_assert_str_eq(value, good[_i].value);
    free(value);
}
END_TEST

static const struct {
    const char *text;
    const char *reason; /* a part of it; "": any */
} bad[] = {
    /* nothing, or not all of it */
    {"", "the text is empty"},
    {" ", "ends in the middle"},
    {"{", "ends in the middle"},
    {"[1", "ends in the middle"},
    {"[1,", "ends in the middle"},
    {"\"abc", "ends in the middle"},
    {"tru", "ends in the middle"},
    {"{\"a\":", "ends in the middle"},
    /* too much */
    {"1 2", "line 1"},
    {"{} {}", "line 1"},
    {"{}\n\n{}", "line 3"},
    {"{}]", "line 1"},
    {"{}x", "line 1"},
    {"null null", "line 1"},
    /* numbers */
    {"-", "not a number"},
    {"+1", ""},
    {"01", "not a number"},
    {"-01", "not a number"},
    {"[00]", "not a number"},
    {"1.", "not a number"},
    {".5", ""},
    {"-.5", "not a number"},
    {"1.e3", "not a number"},
    {"1e", "not a number"},
    {"1e+", "not a number"},
    {"0x10", "line 1"},
    {"1_000", "line 1"},
    {"1a", "line 1"},
    {"--1", "not a number"},
    {"NaN", ""},
    {"[NaN]", ""},
    {"Infinity", ""},
    {"-Infinity", "not a number"},
    {"{\"a\":[Infinity]}", ""},
    {"1e999", "beyond a double"},
    {"[-1e999]", "beyond a double"},
    {"{\"a\":{\"b\":1e999}}", "beyond a double"},
    /* literals and names */
    {"True", ""},
    {"NULL", ""},
    {"nULL", ""},
    {"nullnull", "line 1"},
    {"undefined", ""},
    {"{a:1}", ""},
    {"{1:1}", ""},
    /* marks */
    {"{\"a\" 1}", ""},
    {"{\"a\":1,}", ""},
    {"{,}", ""},
    {"[1,]", ""},
    {"[,1]", ""},
    {"[1 2]", ""},
    {"[1}", ""},
    {"{\"a\"}", ""},
    {"{\"a\":1 \"b\":2}", ""},
    /* strings */
    {"'a'", ""},
    {"{'a':1}", ""},
    {"\"\\x\"", ""},
    {"\"\\u12\"", ""},
    {"\"\\u12g4\"", ""},
    {"\"\\", ""},
    {"\"a\nb\"", "control character (0x0a)"},
    {"\"a\tb\"", "control character (0x09)"},
    {"{\n\"a\":\"\x1f\"}", "line 2: a control character (0x1f)"},
    {"\f1", "control character (0x0c)"},
    {"\xc2\xa0"
     "1",
     ""},
    /* bytes that are no UTF-8 */
    {"\"\xff\"", "not UTF-8"},
    {"\"\x80\"", "not UTF-8"},
    {"\"\xc3\"", "not UTF-8"},
    {"\"\xc0\xaf\"", "not UTF-8"},
    {"\"\xe0\x80\xaf\"", "not UTF-8"},
    {"\"\xed\xa0\x80\"", "not UTF-8"},
    {"\"\xf4\x90\x80\x80\"", "not UTF-8"},
    {"{\n\n\"\xe2\x82\":1}", "line 3: the text is not UTF-8"},
    {"\xef\xbb\xbf{}", "line 1"},
    /* comments are for files, not for the wire */
    {"{} // end", "line 1"},
    {"/* a */ {}", "line 1"},
    {"[1, /* a */ 2]", "line 1"},
};

START_TEST(what_is_no_json_is_refused)
{
    char *value = read_text(bad[_i].text);

    ck_assert_msg(*value == '!', "%s was taken for %s", bad[_i].text, value);
    ck_assert_msg(strstr(value, bad[_i].reason) != NULL, "%s: %s", bad[_i].text, value);
    free(value);
}
END_TEST

START_TEST(a_nul_is_no_end)
{
    static const char *const texts[] = {"{}\0{}", "\"a\0b\"", "1\0\0\0\0", "\0{}  "};

    for (size_t i = 0; i < 4; i++) {
        char *value = read_sized(texts[i], 5, 32);
        ck_assert_msg(*value == '!', "%zu: %s", i, value);
        free(value);
    }
}
END_TEST

START_TEST(depth_has_a_limit)
{
    static const struct {
        const char *text;
        bool taken; /* where 3 is the limit */
    } rows[] = {{"1", true},           {"[1]", true},         {"[[1]]", true},
                {"[[[1]]]", false},    {"{\"a\":[1]}", true}, {"{\"a\":[[1]]}", false},
                {"[[[[[[[[[]", false}, {"[[],[],[1]]", true}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *value = read_sized(rows[i].text, strlen(rows[i].text), 3);
        ck_assert_msg((*value != '!') == rows[i].taken, "%s: %s", rows[i].text, value);
        ck_assert(rows[i].taken || strstr(value, "more than 3 deep") != NULL);
        free(value);
    }
}
END_TEST

START_TEST(a_name_is_whole_or_refused)
{
    char *value = read_text("{\"type\\u0000x\":1}");

    /* cut at its NUL, the name would be another one */
    ck_assert_msg(strstr(value, "\"type\":") == NULL, "%s", value);
    free(value);
}
END_TEST

/* --- as json-c reads it --- */

/* What json-c makes of it, as text; NULL: it refuses it. Owned. */
static char *read_by_json_c(const char *text)
{
    struct json_tokener *tokener = xcheck(json_tokener_new_ex(32));

    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *value =
        json_tokener_parse_ex(tokener, text, (int)strlen(text) + 1);
    bool read = json_tokener_get_error(tokener) == json_tokener_success;
    json_tokener_free(tokener);
    char *result = read ? xstrdup(json_text(value)) : NULL;
    json_object_put(value);
    return result;
}

/* A piece of a text that may be JSON, or nearly. */
static const char *piece(uint64_t *seed)
{
    static const char *const pieces[] = {
        "{",     "}",         "[",     "]",  ",",        ":",       "\"a\"",
        "\"b\"", "\"a\":",    "{}",    "[]", "1",        "-0.5",    "2e3",
        "null",  "true",      "false", " ",  "\n",       "\"\\n\"", "\"\\u",
        "d83d",  "\"\\u00e9", "\"",    "\\", "\xc3\xa9", "\"x\":1"};

    return pieces[fixture_random(seed, sizeof pieces / sizeof *pieces)];
}

START_TEST(it_is_read_as_json_c_reads_it)
{
    uint64_t seed = 1;
    size_t taken = 0;

    for (size_t i = 0; i < 20000; i++) {
        char text[200] = "";
        for (unsigned left = 1 + fixture_random(&seed, 8); left > 0; left--)
            strcat(text, piece(&seed));
        char *ours = read_text(text), *theirs = read_by_json_c(text);
        if (*ours != '!') {
            ck_assert_msg(theirs != NULL, "%s was taken for %s", text, ours);
            ck_assert_str_eq(ours, theirs);
            taken++;
        } else if (theirs != NULL) { /* these are ours to refuse */
            ck_assert_msg(strchr(text, '\n') != NULL || strstr(ours, "beyond a double"),
                          "%s: %s", text, ours);
        }
        free(ours);
        free(theirs);
    }
    ck_assert_uint_gt(taken, 500);
}
END_TEST

/* --- comments --- */

static const struct {
    const char *text;
    const char *blanked;
} comments[] = {
    {"{} // a", "{}     "},
    {"// a\n{}", "    \n{}"},
    {"{/* a */}", "{       }"},
    {"{/* a\nb */}", "{    \n    }"},
    {"{/**/}", "{    }"},
    {"\"// a\"", "\"// a\""},
    {"\"/* a */\"", "\"/* a */\""},
    {"\"\\\"// a\" // b", "\"\\\"// a\"     "},
    {"\"\\\\\" // b", "\"\\\\\"     "},
    {"/* // */ 1", "         1"},
    {"// /*\n1 // */", "     \n1      "},
    {"/* never closed", "/* never closed"},
    {"/*/ 1", "/*/ 1"},
    {"1 /", "1 /"},
    {"/", "/"},
    {"", ""},
    {"// a", "    "},
};

START_TEST(comments_become_blanks)
{
    char *text = xstrdup(comments[_i].text);

    json_blank_comments(text, strlen(text));
    ck_assert_str_eq(text, comments[_i].blanked);
    free(text);
}
END_TEST

/* --- values --- */

START_TEST(members_are_had_in_a_line)
{
    struct json_object *object =
        fixture_json("{'a': 'text', 'b': 1, 'c': null, 'd': 'a\\u0000b', 'e': ''}");

    ck_assert_str_eq(json_member_text(object, "a"), "text");
    ck_assert_str_eq(json_member_text(object, "e"), "");
    ck_assert_ptr_null(json_member_text(object, "b"));
    ck_assert_ptr_null(json_member_text(object, "c"));
    ck_assert_ptr_null(json_member_text(object, "d")); /* would be cut */
    ck_assert_ptr_null(json_member_text(object, "f"));
    ck_assert_ptr_null(json_member(NULL, "a"));
    ck_assert_ptr_null(json_member(json_member(object, "a"), "a"));
    json_object_put(object);
}
END_TEST

START_TEST(values_are_built_in_a_line)
{
    struct json_object *object = json_new_object();
    struct json_object *array = json_new_array();

    json_append(array, json_new_text("x/y"));
    json_append(array, NULL);
    json_put(object, "array", array);
    json_put_text(object, "text", "a\"b");
    json_put_text(object, "none", NULL);
    json_put_int(object, "int", INT64_MIN);
    json_put_number(object, "number", 1.0 / 3);
    json_put_bool(object, "bool", true);
    ck_assert_str_eq(json_text(object), "{\"array\":[\"x/y\",null],\"text\":\"a\\\"b\","
                                        "\"none\":null,\"int\":-9223372036854775808,"
                                        "\"number\":0.333,\"bool\":true}");
    struct json_object *copy = json_copy(object);
    json_append(json_member(object, "array"), json_new_text("new"));
    ck_assert_uint_eq(json_object_array_length(json_member(copy, "array")), 2);
    ck_assert_ptr_null(json_copy(NULL));
    json_object_put(copy);
    json_object_put(object);
}
END_TEST

/* --- lines and doubled members --- */

static const char document[] = "{ 'name': 'a',\n"
                               "  'clients': {\n"
                               "    'red': ['{', 'b\\'c',\n"
                               "            'd'], // }\n"
                               "    'green':\n"
                               "      [1, -2.5e3, true, {'x': {}},\n"
                               "       'last'] },\n"
                               "  'end': null }\n";

START_TEST(lines_are_found)
{
    char *text = fixture_text(document);
    struct where name = {NULL, "name", 0};
    struct where clients = {NULL, "clients", 0};
    struct where red = {&clients, "red", 0};
    struct where third = {&red, NULL, 2};
    struct where fourth = {&red, NULL, 3};
    struct where green = {&clients, "green", 0};
    struct where inner = {&green, NULL, 3};
    struct where x = {&inner, "x", 0};
    struct where last = {&green, NULL, 4};
    struct where end = {NULL, "end", 0};
    struct where nowhere = {&green, "data", 0};
    struct where deeper = {&nowhere, "more", 0};
    const struct {
        const struct where *where;
        int line;
    } rows[] = {{NULL, 1},    {&name, 1},    {&clients, 2}, {&red, 3},  {&third, 4},
                {&green, 6},  {&inner, 6},   {&x, 6},       {&last, 7}, {&end, 8},
                {&fourth, 3}, {&nowhere, 6}, {&deeper, 6}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_msg(jsonscan_line(text, rows[i].where) == rows[i].line,
                      "row %zu: line %d", i, jsonscan_line(text, rows[i].where));
    ck_assert_int_eq(jsonscan_line(NULL, &name), 0);
    free(text);
}
END_TEST

static const struct {
    const char *text;
    const char *mistake; /* NULL: none */
} doubles[] = {
    {"{'a': 1, 'b': 2}", NULL},
    {"{'a': 1,\n'a': 2}", "f:2: $.a: the member \"a\" is there twice"},
    {"{'x': [{'a': 1, 'b': {'a': 2}}, {'a': 3}]}", NULL},
    {"{'x': [0, {'a': 1, 'b': {}, 'a': 2}]}", "x[1].a: the member \"a\""},
    {"[[{'a': {}, 'a': {}}]]", "the member \"a\""},
    {"{'a': 1, '\\u0061': 2}", "the member \"a\""},
    {"{'a\\/b': 1, 'a/b': 2}", "the member \"a/b\""},
    {"{'a\\nb': 1, 'a\\\\nb': 2}", NULL},
    {"'text'", NULL},
    {"{'': 1, '': 2}", "the member \"\""},
};

START_TEST(doubled_members_are_found)
{
    struct mistakes *mistakes = mistakes_new();
    char *text = fixture_text(doubles[_i].text);

    mistakes_set_file(mistakes, "f", text);
    jsonscan_duplicates(text, mistakes);
    fixture_print(mistakes);
    if (doubles[_i].mistake == NULL)
        ck_assert_uint_eq(mistakes_count(mistakes), 0);
    else
        ck_assert(fixture_has(mistakes, true, doubles[_i].mistake));
    mistakes_free(mistakes);
    free(text);
}
END_TEST

START_TEST(a_mistake_is_told_once)
{
    struct mistakes *mistakes = mistakes_new();
    struct where here = {NULL, "a", 0};
    struct where there = {&here, NULL, 3};

    mistakes_set_file(mistakes, "f.json", NULL);
    mistake_error(mistakes, &there, "is %s", "bad");
    mistake_error(mistakes, &there, "is %s", "bad");
    mistake_warning(mistakes, &here, "is odd");
    mistake_error(mistakes, NULL, "is empty");
    ck_assert_uint_eq(mistakes_count(mistakes), 3);
    ck_assert_uint_eq(mistakes_errors(mistakes), 2);
    ck_assert(fixture_has(mistakes, true, "f.json: $.a[3]: is bad"));
    ck_assert(fixture_has(mistakes, false, "f.json: $.a: is odd"));
    ck_assert(fixture_has(mistakes, true, "f.json: is empty"));
    mistakes_free(mistakes);
}
END_TEST

/* --- UTF-8 --- */

START_TEST(texts_are_cut_at_characters)
{
    static const struct {
        const char *text;
        size_t limit;
        const char *cut;
    } rows[] = {
        {"abc", 3, "abc"}, {"abcd", 3, "abc…"}, {"aéb", 2, "a…"},
        {"aéb", 3, "aé…"}, {"aéb", 4, "aéb"},   {"😀", 3, "…"},
        {"", 0, ""},       {"a", 0, "…"},       {"\x80\x80", 1, "…"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *cut = utf8_shorten(rows[i].text, rows[i].limit);
        ck_assert_str_eq(cut, rows[i].cut);
        free(cut);
    }
}
END_TEST

/* Every character there is, encoded and read back; every pair of bytes, read without a
 * step beyond its end. */
START_TEST(every_character_is_read)
{
    for (uint32_t c = 0x80; c < 0x110000; c++) {
        char text[4];
        size_t size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        static const unsigned char marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
        uint32_t read = 0;
        uint32_t rest = c;
        for (size_t i = size; --i > 0; rest >>= 6)
            text[i] = (char)(0x80 | (rest & 0x3f));
        text[0] = (char)(marks[size] | rest);
        bool is_surrogate = c >= 0xd800 && c < 0xe000;
        size_t length = utf8_read(text, size, &read);
        if (length != (is_surrogate ? 0 : size) || (!is_surrogate && read != c))
            ck_abort_msg("U+%04X: %zu bytes, U+%04X", c, length, read);
        if (utf8_read(text, size - 1, &read) != 0)
            ck_abort_msg("U+%04X was read without its last byte", c);
    }
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof *(table))

int main(void)
{
    Suite *suite = suite_create("json");
    TCase *tcase = tcase_create("json");

    tcase_add_loop_test(tcase, json_is_read, 0, ROWS(good));
    tcase_add_loop_test(tcase, what_is_no_json_is_refused, 0, ROWS(bad));
    tcase_add_test(tcase, a_nul_is_no_end);
    tcase_add_test(tcase, depth_has_a_limit);
    tcase_add_test(tcase, a_name_is_whole_or_refused);
    tcase_add_test(tcase, it_is_read_as_json_c_reads_it);
    tcase_add_loop_test(tcase, comments_become_blanks, 0, ROWS(comments));
    tcase_add_test(tcase, members_are_had_in_a_line);
    tcase_add_test(tcase, values_are_built_in_a_line);
    tcase_add_test(tcase, lines_are_found);
    tcase_add_loop_test(tcase, doubled_members_are_found, 0, ROWS(doubles));
    tcase_add_test(tcase, a_mistake_is_told_once);
    tcase_add_test(tcase, texts_are_cut_at_characters);
    tcase_add_test(tcase, every_character_is_read);
    suite_add_tcase(suite, tcase);
    return fixture_run(suite);
}
