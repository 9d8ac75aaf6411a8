/* SPDX-License-Identifier: Apache-2.0 */
/* Which files paths lead to: folders, links, globs, and names that look like globs. */
#include "fixture.h"
#include "mistakes.h"
#include "suites.h"
#include "xalloc.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char top[64];              /* a folder for each test, which is the current one */
static char *names;               /* of the tests that were read, "A B "; owned */
static struct mistakes *mistakes; /* of the last load(); owned */

static void setup(void)
{
    strcpy(top, "/tmp/check_suites.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(top));
    ck_assert_int_eq(chdir(top), 0);
}

static void teardown(void)
{
    char *command = xasprintf("rm -rf '%s'", top);

    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(system(command), 0);
    free(command);
    free(names);
    names = NULL;
    mistakes_free(mistakes);
    mistakes = NULL;
}

/* --- making --- */

static void folder(const char *path)
{
    ck_assert_int_eq(mkdir(path, 0700), 0);
}

static void link_to(const char *target, const char *path)
{
    ck_assert_int_eq(symlink(target, path), 0);
}

/* A test of this name. */
static void test(const char *path, const char *name)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    fprintf(file,
            "{\"name\": \"%s\", \"clients\": {\"red\": [\"web\"]},"
            " \"steps\": [{\"red\": \"logout\"}]}",
            name);
    ck_assert_int_eq(fclose(file), 0);
}

static void text(const char *path, const char *content)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    fputs(content, file);
    ck_assert_int_eq(fclose(file), 0);
}

/* --- loading --- */

static void note_name(struct definition *definition, void *argument)
{
    char *longer = xasprintf("%s%s ", names, definition->name);

    (void)argument;
    free(names);
    names = longer;
    definition_free(definition);
}

/* Load what one or two paths name; the second may be NULL. */
static void load(const char *one, const char *two)
{
    struct suites_source source = {
        .paths = (char *[]){(char *)one, (char *)two},
        .path_count = two != NULL ? 2 : 1,
        .file_limit = 10000,
    };
    struct dictionary *dictionary = suites_dictionary();

    free(names);
    names = xstrdup("");
    mistakes_free(mistakes);
    mistakes = mistakes_new();
    suites_load(&source, dictionary, NULL, mistakes, note_name, NULL);
    fixture_print(mistakes);
    dictionary_free(dictionary);
}

static void check_read(const char *wanted)
{
    ck_assert_str_eq(names, wanted);
    ck_assert_uint_eq(mistakes_errors(mistakes), 0);
}

static void check_mistake(const char *wanted)
{
    ck_assert_uint_eq(mistakes_errors(mistakes), 1);
    ck_assert_msg(fixture_has(mistakes, true, wanted), "%s", wanted);
}

/* --- several ways to a file --- */

static void make_chat(void)
{
    folder("s1");
    folder("s1/chat");
    test("s1/chat/a_test.json", "A");
    test("s1/chat/b_test.json", "B");
}

static const char *const ways[] = {
    "s1",   "s1/",          "s1//chat", "./s1/chat/a_test.json", "s1/../s1",
    "s1/*", "s?/chat/*_t*", "linked",   "linked/chat",           "a_test.json"};

START_TEST(a_path_within_an_earlier_one)
{
    make_chat();
    link_to("s1", "linked");
    link_to("s1/chat/a_test.json", "a_test.json");
    load("s1", ways[_i]);
    check_read("A B ");
}
END_TEST

START_TEST(a_file_before_its_folder)
{
    make_chat();
    load("s1//chat/b_test.json", "s1");
    check_read("B A ");
}
END_TEST

START_TEST(copies_are_files_of_their_own)
{
    make_chat();
    folder("s1/far");
    ck_assert_int_eq(link("s1/chat/a_test.json", "s1/far/a_test.json"), 0);
    load("s1", NULL);
    check_read("A B A ");
}
END_TEST

START_TEST(a_path_without_tests)
{
    make_chat();
    folder("s1/none");
    load("s1", "s1/none");
    check_mistake("s1/none: there is no *_test.json in it");
    load("s1", "s2");
    check_mistake("s2: there is no such file or folder");
    ck_assert_str_eq(names, "A B ");
}
END_TEST

/* --- folders within folders --- */

START_TEST(links_to_folders_around)
{
    make_chat();
    link_to(".", "s1/again");
    link_to(".", "s1/loop");
    link_to("..", "s1/chat/up");
    link_to("../../s1", "s1/chat/zz");
    load("s1", NULL);
    check_read("A B ");
}
END_TEST

START_TEST(links_to_each_other)
{
    make_chat();
    folder("s2");
    test("s2/c_test.json", "C");
    link_to("../s2", "s1/other");
    link_to("../s1", "s2/other");
    load("s1", "s2");
    check_read("A B C ");
}
END_TEST

/* The path of so many folders within one another, made. Owned. */
static char *make_deep(int count)
{
    char *path = xstrdup("d");

    folder(path);
    for (int i = 1; i < count; i++) {
        char *longer = xasprintf("%s/d", path);
        free(path);
        path = longer;
        folder(path);
    }
    return path;
}

START_TEST(folders_have_a_depth)
{
    char *path = make_deep(17);
    char *deep = xasprintf("%s/deep_test.json", path);
    char *last = xasprintf("%.*s/last_test.json", (int)strlen(path) - 2, path);

    test(deep, "Deep");
    test(last, "Last");
    load("d", NULL);
    ck_assert_str_eq(names, "Last ");
    check_mistake("only 16 folders within one another");
    ck_assert(fixture_has(mistakes, true, path));
    load("d/d", NULL);
    check_read("Deep Last ");
    free(last);
    free(deep);
    free(path);
}
END_TEST

/* --- globs --- */

START_TEST(names_like_globs)
{
    folder("s1");
    folder("s[1]");
    test("s1/a_test.json", "Other");
    test("s[1]/a_test.json", "Wanted");
    load("s[1]/a_test.json", NULL);
    check_read("Wanted ");
    load("s[1]", NULL);
    check_read("Wanted ");
    load("s[1]/*", NULL);
    check_read("Other ");
    load("s\\[1\\]/*", NULL);
    check_read("Wanted ");
}
END_TEST

START_TEST(a_link_to_nowhere_is_a_name)
{
    folder("s1");
    test("s1_test.json", "Other");
    link_to("/nowhere/at/all", "s[1]_test.json");
    load("s[1]_test.json", NULL);
    ck_assert_str_eq(names, "");
    check_mistake("s[1]_test.json: can't be read");
}
END_TEST

START_TEST(globs_take_files_of_our_forms)
{
    make_chat();
    text("s1/chat/README", "Hello");
    text("s1/chat/notes.json", "{}");
    text("s1/chat/mine.actions.json", "{}");
    load("s1/chat/*", NULL);
    check_read("A B ");
    load("s1/chat/R*", NULL);
    check_mistake("s1/chat/R*: there is no *_test.json in it");
    load("s1/gone*", NULL);
    check_mistake("s1/gone*: there is no such file or folder");
}
END_TEST

START_TEST(a_file_that_is_named_may_have_any_name)
{
    test("draft.json", "Draft");
    load("draft.json", NULL);
    check_read("Draft ");
}
END_TEST

/* --- what is no object --- */

static const char *const no_objects[] = {
    "null", " null\n", "// nothing\nnull", "[]", "3", "\"A\"", ""};

START_TEST(a_definition_that_is_no_object)
{
    make_chat();
    text("s1/chat/c_test.json", no_objects[_i]);
    load("s1", NULL);
    ck_assert_str_eq(names, "A B ");
    check_mistake("c_test.json");
}
END_TEST

START_TEST(a_dictionary_that_is_no_object)
{
    make_chat();
    text("s1/chat/mine.actions.json", no_objects[_i]);
    load("s1", NULL);
    check_mistake("mine.actions.json");
}
END_TEST

START_TEST(flows_that_are_no_object)
{
    folder("s1");
    text("s1/a.flows.json", no_objects[_i]);
    text("s1/a_test.json",
         "{\"name\": \"A\", \"clients\": {\"red\": [\"web\"]},"
         " \"include\": [\"a.flows.json\"], \"steps\": [{\"red\": \"logout\"}]}");
    load("s1", NULL);
    ck_assert_str_eq(names, "");
    ck_assert(fixture_has(mistakes, true, "a.flows.json"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("suites");
    TCase *tcase = tcase_create("suites");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, a_path_within_an_earlier_one, 0,
                        sizeof ways / sizeof *ways);
    tcase_add_test(tcase, a_file_before_its_folder);
    tcase_add_test(tcase, copies_are_files_of_their_own);
    tcase_add_test(tcase, a_path_without_tests);
    tcase_add_test(tcase, links_to_folders_around);
    tcase_add_test(tcase, links_to_each_other);
    tcase_add_test(tcase, folders_have_a_depth);
    tcase_add_test(tcase, names_like_globs);
    tcase_add_test(tcase, a_link_to_nowhere_is_a_name);
    tcase_add_test(tcase, globs_take_files_of_our_forms);
    tcase_add_test(tcase, a_file_that_is_named_may_have_any_name);
    tcase_add_loop_test(tcase, a_definition_that_is_no_object, 0,
                        sizeof no_objects / sizeof *no_objects);
    tcase_add_loop_test(tcase, a_dictionary_that_is_no_object, 0,
                        sizeof no_objects / sizeof *no_objects);
    tcase_add_loop_test(tcase, flows_that_are_no_object, 0,
                        sizeof no_objects / sizeof *no_objects);
    suite_add_tcase(suite, tcase);
    return fixture_run(suite);
}
