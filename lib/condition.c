/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions: a table of what can be asked, each with its test and its words. */
#include "condition.h"

#include "json.h"
#include "utf8.h"
#include "value.h"
#include "xalloc.h"

#include <regex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_BYTES 200 /* of a value in a sentence */

/* --- comparing --- */

static bool is_number(struct json_object *value)
{
    return json_object_is_type(value, json_type_int) ||
           json_object_is_type(value, json_type_double);
}

/* Less than, equal to or greater than 0, as a is to b. Whole numbers are compared as
 * such: a double does not have room for all of them. */
static int compare_numbers(struct json_object *a, struct json_object *b)
{
    if (json_object_is_type(a, json_type_int) && json_object_is_type(b, json_type_int)) {
        int64_t x = json_object_get_int64(a), y = json_object_get_int64(b);
        uint64_t large_x = json_object_get_uint64(a), large_y = json_object_get_uint64(b);
        return x != y ? (x > y) - (x < y) : (large_x > large_y) - (large_x < large_y);
    }
    double x = json_object_get_double(a), y = json_object_get_double(b);
    return (x > y) - (x < y);
}

static bool are_equal(struct json_object *a, struct json_object *b);

static bool arrays_are_equal(struct json_object *a, struct json_object *b)
{
    size_t length = json_object_array_length(a);

    if (json_object_array_length(b) != length)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!are_equal(json_object_array_get_idx(a, i), json_object_array_get_idx(b, i)))
            return false;
    }
    return true;
}

static bool objects_are_equal(struct json_object *a, struct json_object *b)
{
    if (json_object_object_length(a) != json_object_object_length(b))
        return false;
    json_object_object_foreach (a, name, value) {
        struct json_object *other = NULL;
        if (!json_object_object_get_ex(b, name, &other) || !are_equal(value, other))
            return false;
    }
    return true;
}

static bool are_equal(struct json_object *a, struct json_object *b)
{
    if (is_number(a) && is_number(b))
        return compare_numbers(a, b) == 0;
    if (json_object_get_type(a) != json_object_get_type(b))
        return false;
    if (json_object_is_type(a, json_type_array))
        return arrays_are_equal(a, b);
    if (json_object_is_type(a, json_type_object))
        return objects_are_equal(a, b);
    return json_object_equal(a, b);
}

bool condition_is_subset(struct json_object *part, struct json_object *whole)
{
    if (!json_object_is_type(part, json_type_object) ||
        !json_object_is_type(whole, json_type_object))
        return are_equal(part, whole);
    json_object_object_foreach (part, name, value) {
        struct json_object *other = NULL;
        if (!json_object_object_get_ex(whole, name, &other) ||
            !condition_is_subset(value, other))
            return false;
    }
    return true;
}

static bool holds_equals(struct json_object *found, struct json_object *expected)
{
    return are_equal(found, expected);
}

static bool holds_not_equals(struct json_object *found, struct json_object *expected)
{
    return !are_equal(found, expected);
}

static bool holds_contains(struct json_object *found, struct json_object *expected)
{
    if (json_object_is_type(found, json_type_string))
        return json_object_is_type(expected, json_type_string) &&
               strstr(json_object_get_string(found), json_object_get_string(expected));
    if (json_object_is_type(found, json_type_object))
        return condition_is_subset(expected, found);
    if (!json_object_is_type(found, json_type_array))
        return false;
    for (size_t i = 0; i < json_object_array_length(found); i++) {
        if (condition_is_subset(expected, json_object_array_get_idx(found, i)))
            return true;
    }
    return false;
}

static bool holds_matches(struct json_object *found, struct json_object *expected)
{
    regex_t pattern;

    if (!json_object_is_type(found, json_type_string) || !json_is_text(expected) ||
        regcomp(&pattern, json_object_get_string(expected), REG_EXTENDED | REG_NOSUB) !=
            0)
        return false;
    bool matches = regexec(&pattern, json_object_get_string(found), 0, NULL, 0) == 0;
    regfree(&pattern);
    return matches;
}

static bool holds_length(struct json_object *found, struct json_object *expected)
{
    double length = -1;

    if (json_object_is_type(found, json_type_array))
        length = (double)json_object_array_length(found);
    else if (json_object_is_type(found, json_type_object))
        length = json_object_object_length(found);
    else if (json_object_is_type(found, json_type_string))
        length = (double)utf8_count(json_object_get_string(found));
    return length >= 0 && is_number(expected) &&
           json_object_get_double(expected) == length;
}

static bool holds_less(struct json_object *found, struct json_object *expected)
{
    return is_number(found) && is_number(expected) &&
           compare_numbers(found, expected) < 0;
}

static bool holds_greater(struct json_object *found, struct json_object *expected)
{
    return holds_less(expected, found);
}

/* Conditions with two operands. */
static const struct comparison {
    const char *name;
    bool (*holds)(struct json_object *found, struct json_object *expected);
    const char *words; /* between the two sides, in a sentence */
} comparisons[] = {
    {"equals", holds_equals, "to be"},
    {"not_equals", holds_not_equals, "to be anything but"},
    {"contains", holds_contains, "to contain"},
    {"matches", holds_matches, "to match"},
    {"length", holds_length, "to have the length"},
    {"less", holds_less, "to be less than"},
    {"greater", holds_greater, "to be greater than"},
};

static const struct comparison *find_comparison(const char *name)
{
    for (size_t i = 0; i < sizeof comparisons / sizeof *comparisons; i++) {
        if (strcmp(comparisons[i].name, name) == 0)
            return &comparisons[i];
    }
    return NULL;
}

/* --- sentences --- */

/* The path of a string that is nothing but `${path}`; NULL if it is another. Owned. */
static char *only_path(struct json_object *operand)
{
    const char *text = json_is_text(operand) ? json_object_get_string(operand) : "";
    size_t size = strlen(text);

    if (size < 4 || strncmp(text, "${", 2) != 0 || strchr(text, '}') != text + size - 1)
        return NULL;
    return xstrndup(text + 2, size - 3);
}

/* The role whose report the path begins with, or NULL. */
static const char *reporter(const struct condition_world *world, const char *path)
{
    char *head = xstrndup(path, strcspn(path, "."));
    const char *role = json_member_text(world->reporters, head);

    free(head);
    return role;
}

/* `expected call_name to be "a", alice reported "b"` */
static char *sentence(const struct condition_world *world, const char *words,
                      struct json_object *operand, struct json_object *found,
                      struct json_object *expected)
{
    char *path = only_path(operand);
    const char *role = path != NULL ? reporter(world, path) : NULL;
    const char *dot = path != NULL ? strrchr(path, '.') : NULL;
    char *shown_found = utf8_shorten(json_text(found), SHOWN_BYTES);
    char *shown_expected = utf8_shorten(json_text(expected), SHOWN_BYTES);
    char *subject = utf8_shorten(path == NULL          ? json_text(operand)
                                 : role != NULL && dot ? dot + 1
                                                       : path,
                                 SHOWN_BYTES);
    char *reply = role != NULL ? xasprintf("%s reported", role) : xstrdup("found");
    char *text = xasprintf("expected %s %s %s, %s %s", subject, words, shown_expected,
                           reply, shown_found);

    free(reply);
    free(subject);
    free(shown_expected);
    free(shown_found);
    free(path);
    return text;
}

char *condition_explain_missing(struct json_object *missing, char *cause)
{
    const char *open = strstr(cause, "${");
    const char *path = open != NULL ? open + 2 : cause;
    char *head = xstrndup(path, strcspn(path, ".}"));
    const char *reason = json_member_text(missing, head);
    char *text = reason != NULL ? xasprintf("%s: %s", cause, reason) : xstrdup(cause);

    free(head);
    free(cause);
    return text;
}

/* --- holding --- */

/* What came of a condition. One that asks for what is not there does not hold, and
 * neither does its contrary: a misspelt path must not make a `not` succeed. */
enum answer { HOLDS, FAILS, MISSING };

static enum answer ask(struct json_object *condition, const struct condition_world *world,
                       char **why);

static enum answer compare(const struct comparison *comparison,
                           struct json_object *operands,
                           const struct condition_world *world, char **why)
{
    struct json_object *template = json_object_array_get_idx(operands, 0);
    struct json_object *found = NULL;
    struct json_object *expected = NULL;
    char *cause = NULL;
    enum answer answer = MISSING;

    if (value_expand(template, world->scope, &found, &cause) < 0 ||
        value_expand(json_object_array_get_idx(operands, 1), world->scope, &expected,
                     &cause) < 0) {
        *why = condition_explain_missing(world->missing, cause);
    } else {
        answer = comparison->holds(found, expected) ? HOLDS : FAILS;
        if (answer == FAILS)
            *why = sentence(world, comparison->words, template, found, expected);
    }
    json_object_put(found);
    json_object_put(expected);
    return answer;
}

static enum answer exists(struct json_object *operand,
                          const struct condition_world *world, char **why)
{
    char *path = only_path(operand);
    struct json_object *value = NULL;
    bool found = value_find(
        world->scope, path != NULL ? path : json_object_get_string(operand), &value);

    if (!found)
        *why = condition_explain_missing(
            world->missing,
            xasprintf("${%s} has no value",
                      path != NULL ? path : json_object_get_string(operand)));
    free(path);
    return found ? HOLDS : FAILS;
}

static enum answer has_colour(struct json_object *operands,
                              const struct condition_world *world, char **why)
{
    struct json_object *expanded = NULL;
    char *cause = NULL;
    enum answer answer = FAILS;

    if (value_expand(operands, world->scope, &expanded, &cause) < 0) {
        *why = condition_explain_missing(world->missing, cause);
        return MISSING;
    }
    const char *file = json_object_get_string(json_object_array_get_idx(expanded, 0));
    const char *wanted = json_object_get_string(json_object_array_get_idx(expanded, 1));
    const char *colour = json_member_text(world->colours, file ? file : "");
    if (colour == NULL)
        *why = xasprintf(
            "expected the picture %s to be %s, but no such picture was uploaded",
            file ? file : "null", wanted ? wanted : "null");
    else if (wanted == NULL || strcmp(colour, wanted) != 0)
        *why = xasprintf("expected the picture %s to be %s, it is %s", file,
                         wanted ? wanted : "null", colour);
    else
        answer = HOLDS;
    json_object_put(expanded);
    return colour != NULL ? answer : MISSING;
}

/* Add one reason to those that are there. Takes it. */
static void add_reason(char **reasons, char *reason)
{
    char *both = *reasons != NULL ? xasprintf("%s; %s", *reasons, reason) : NULL;

    if (both == NULL) {
        *reasons = reason;
        return;
    }
    free(*reasons);
    free(reason);
    *reasons = both;
}

/* All of them hold; if not, every one that does not is named. */
static enum answer all_hold(struct json_object *conditions,
                            const struct condition_world *world, char **why)
{
    enum answer all = HOLDS;

    for (size_t i = 0; i < json_object_array_length(conditions); i++) {
        char *one = NULL;
        enum answer answer = ask(json_object_array_get_idx(conditions, i), world, &one);
        if (answer == HOLDS)
            continue;
        add_reason(why, one);
        all = answer == FAILS || all == FAILS ? FAILS : MISSING;
    }
    return all;
}

static enum answer any_holds(struct json_object *conditions,
                             const struct condition_world *world, char **why)
{
    enum answer any = FAILS;
    char *reasons = NULL;

    for (size_t i = 0; any != HOLDS && i < json_object_array_length(conditions); i++) {
        char *one = NULL;
        enum answer answer = ask(json_object_array_get_idx(conditions, i), world, &one);
        if (answer != FAILS)
            any = answer;
        if (answer != HOLDS)
            add_reason(&reasons, one);
    }
    if (any != HOLDS)
        *why = xasprintf("none of these holds: %s",
                         reasons != NULL ? reasons : "(there are none)");
    free(reasons);
    return any;
}

static enum answer not_holds(struct json_object *condition,
                             const struct condition_world *world, char **why)
{
    char *reason = NULL;
    enum answer answer = ask(condition, world, &reason);

    if (answer == MISSING) {
        *why = reason;
        return MISSING;
    }
    free(reason);
    if (answer == FAILS)
        return HOLDS;
    char *shown = utf8_shorten(json_text(condition), SHOWN_BYTES);
    *why = xasprintf("expected that not %s", shown);
    free(shown);
    return FAILS;
}

/* The one member of a condition: its name, and its operand in *operand. */
static const char *only_member(struct json_object *condition,
                               struct json_object **operand)
{
    const char *only = NULL;

    *operand = NULL;
    json_object_object_foreach (condition, name, value) {
        only = name;
        *operand = value;
    }
    return only;
}

static enum answer ask(struct json_object *condition, const struct condition_world *world,
                       char **why)
{
    struct json_object *operand;
    const char *name = only_member(condition, &operand);
    const struct comparison *comparison = find_comparison(name);

    if (comparison != NULL)
        return compare(comparison, operand, world, why);
    if (strcmp(name, "exists") == 0)
        return exists(operand, world, why);
    if (strcmp(name, "colour") == 0)
        return has_colour(operand, world, why);
    if (strcmp(name, "all") == 0)
        return all_hold(operand, world, why);
    if (strcmp(name, "any") == 0)
        return any_holds(operand, world, why);
    return not_holds(operand, world, why);
}

bool condition_holds(struct json_object *condition, const struct condition_world *world,
                     char **why)
{
    return ask(condition, world, why) == HOLDS;
}

/* --- the form --- */

static void check_list(struct json_object *conditions, const struct where *where,
                       struct mistakes *mistakes)
{
    if (!json_object_is_type(conditions, json_type_array) ||
        json_object_array_length(conditions) == 0) {
        mistake_error(mistakes, where, "must be a list of at least one condition");
        return;
    }
    for (size_t i = 0; i < json_object_array_length(conditions); i++) {
        struct where here = {where, NULL, i};
        condition_check(json_object_array_get_idx(conditions, i), &here, mistakes);
    }
}

static void check_colour(struct json_object *operands, const struct where *where,
                         struct mistakes *mistakes)
{
    static const char *const colours[] = {"red", "green", "blue", "initial",
                                          "connecting"};
    struct json_object *colour = json_object_array_get_idx(operands, 1);
    struct where here = {where, NULL, 1};

    if (!json_is_text(json_object_array_get_idx(operands, 0)) || !json_is_text(colour)) {
        mistake_error(mistakes, where, "must be [file name, colour]");
        return;
    }
    for (size_t i = 0; i < sizeof colours / sizeof *colours; i++) {
        if (strcmp(colours[i], json_object_get_string(colour)) == 0)
            return;
    }
    if (value_is_constant(colour))
        mistake_error(mistakes, &here,
                      "a colour is red, green, blue, initial or connecting");
}

static void check_pattern(struct json_object *pattern, const struct where *where,
                          struct mistakes *mistakes)
{
    struct where here = {where, NULL, 1};
    char reason[120];
    regex_t compiled;

    if (!json_is_text(pattern)) {
        mistake_error(mistakes, &here, "must be a regular expression");
        return;
    }
    if (!value_is_constant(pattern))
        return;
    int error =
        regcomp(&compiled, json_object_get_string(pattern), REG_EXTENDED | REG_NOSUB);
    if (error != 0) {
        regerror(error, &compiled, reason, sizeof reason);
        mistake_error(mistakes, &here, "is no regular expression (POSIX extended): %s",
                      reason);
        return;
    }
    regfree(&compiled);
}

/* What is compared by size must be a number; a length is a whole one. */
static void check_number(const char *name, struct json_object *operands,
                         const struct where *where, struct mistakes *mistakes)
{
    bool is_length = strcmp(name, "length") == 0;

    for (size_t i = is_length ? 1 : 0; i < 2; i++) {
        struct where here = {where, NULL, i};
        struct json_object *operand = json_object_array_get_idx(operands, i);
        if (!value_is_constant(operand))
            continue;
        if (is_length && (!json_object_is_type(operand, json_type_int) ||
                          json_object_get_int64(operand) < 0))
            mistake_error(mistakes, &here, "a length is a number from 0");
        else if (!is_number(operand))
            mistake_error(mistakes, &here, "must be a number");
    }
}

static void check_pair(const char *name, struct json_object *operands,
                       const struct where *where, struct mistakes *mistakes)
{
    if (!json_object_is_type(operands, json_type_array) ||
        json_object_array_length(operands) != 2)
        mistake_error(mistakes, where, "must be two operands: [found, expected]");
    else if (strcmp(name, "colour") == 0)
        check_colour(operands, where, mistakes);
    else if (strcmp(name, "matches") == 0)
        check_pattern(json_object_array_get_idx(operands, 1), where, mistakes);
    else if (strcmp(name, "length") == 0 || strcmp(name, "less") == 0 ||
             strcmp(name, "greater") == 0)
        check_number(name, operands, where, mistakes);
}

static void check_path(struct json_object *operand, const struct where *where,
                       struct mistakes *mistakes)
{
    char *path = only_path(operand);
    const char *text = json_is_text(operand) ? json_object_get_string(operand) : "";

    if (path == NULL && (*text == '\0' || strpbrk(text, "${} ") != NULL))
        mistake_error(mistakes, where, "must be one path, as \"${lobby.data}\"");
    free(path);
}

void condition_check(struct json_object *condition, const struct where *where,
                     struct mistakes *mistakes)
{
    struct json_object *operand;

    if (!json_object_is_type(condition, json_type_object) ||
        json_object_object_length(condition) != 1) {
        mistake_error(mistakes, where,
                      "a condition is an object with exactly one member");
        return;
    }
    const char *name = only_member(condition, &operand);
    struct where here = {where, name, 0};
    if (find_comparison(name) != NULL || strcmp(name, "colour") == 0)
        check_pair(name, operand, &here, mistakes);
    else if (strcmp(name, "all") == 0 || strcmp(name, "any") == 0)
        check_list(operand, &here, mistakes);
    else if (strcmp(name, "not") == 0)
        condition_check(operand, &here, mistakes);
    else if (strcmp(name, "exists") == 0)
        check_path(operand, &here, mistakes);
    else
        mistake_error(
            mistakes, &here,
            "a condition is one of equals, not_equals, contains, matches, length, "
            "less, greater, exists, colour, all, any and not");
}
