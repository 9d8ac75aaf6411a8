/* SPDX-License-Identifier: Apache-2.0 */
/* The dictionary of actions. Entries keep the JSON they were made from; it is checked
 * once. */
#include "dictionary.h"

#include "hash.h"
#include "json.h"
#include "value.h"
#include "xalloc.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct action_entry {
    char *name;               /* as definitions and adapters name it; owned */
    struct json_object *json; /* its description, checked; owned */
    UT_hash_handle hh;        /* by name */
};

struct dictionary {
    struct action_entry *actions; /* by name, in the order of the files; owned */
    struct json_object *flows;    /* emulations by name; owned */
};

struct dictionary *dictionary_new(void)
{
    struct dictionary *dictionary = xcalloc(1, sizeof *dictionary);

    dictionary->flows = json_new_object();
    return dictionary;
}

void dictionary_free(struct dictionary *dictionary)
{
    struct action_entry *entry, *next;

    if (dictionary == NULL)
        return;
    HASH_ITER (hh, dictionary->actions, entry, next) {
        HASH_DEL(dictionary->actions, entry);
        json_object_put(entry->json);
        free(entry->name);
        free(entry);
    }
    json_object_put(dictionary->flows);
    free(dictionary);
}

/* --- reading --- */

/* The members that an entry may have, and their types. */
static const struct {
    const char *name;
    enum json_type type;
    bool in_for; /* may differ by registration type */
} entry_members[] = {
    {"description", json_type_string, true}, {"data", json_type_object, true},
    {"template", json_type_object, true},    {"responses", json_type_array, true},
    {"report", json_type_object, true},      {"types", json_type_array, false},
    {"emulate", json_type_string, true},     {"for", json_type_object, false},
    {"ask", json_type_string, true},
};

static void check_members(struct json_object *entry, bool in_for,
                          const struct where *where, struct mistakes *mistakes)
{
    size_t count = sizeof entry_members / sizeof *entry_members;

    json_object_object_foreach (entry, name, member) {
        struct where here = {where, name, 0};
        size_t i = 0;
        while (i < count && (strcmp(entry_members[i].name, name) != 0 ||
                             (in_for && !entry_members[i].in_for)))
            i++;
        if (i == count)
            mistake_error(mistakes, &here, "an action has no member of this name");
        else if (!json_object_is_type(member, entry_members[i].type))
            mistake_error(mistakes, &here, "must be of type %s",
                          json_type_to_name(entry_members[i].type));
    }
}

static void check_texts(struct json_object *array, const struct where *where,
                        struct mistakes *mistakes)
{
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        struct where here = {where, NULL, i};
        if (!json_is_text(json_object_array_get_idx(array, i)))
            mistake_error(mistakes, &here, "must be a string");
    }
}

static void check_fields(struct json_object *data, const struct where *where,
                         struct mistakes *mistakes)
{
    static const char *const types[] = {"string", "number", "boolean", "object", "array"};
    size_t count = sizeof types / sizeof *types;

    json_object_object_foreach (data, name, field) {
        struct where here = {where, name, 0};
        const char *type = json_member_text(field, "type");
        size_t i = 0;
        while (i < count && type != NULL && strcmp(types[i], type) != 0)
            i++;
        if (type == NULL || i == count)
            mistake_error(mistakes, &here,
                          "needs a type: string, number, boolean, object or array");
    }
}

static void check_entry(struct json_object *entry, bool in_for, const struct where *where,
                        struct mistakes *mistakes)
{
    struct where data = {where, "data", 0};
    struct where responses = {where, "responses", 0};
    struct where types = {where, "types", 0};
    struct where variants = {where, "for", 0};

    if (!json_object_is_type(entry, json_type_object)) {
        mistake_error(mistakes, where, "an action is described by an object");
        return;
    }
    size_t before = mistakes_noted(mistakes);
    check_members(entry, in_for, where, mistakes);
    if (mistakes_noted(mistakes) > before)
        return;
    if (json_member(entry, "data") != NULL)
        check_fields(json_member(entry, "data"), &data, mistakes);
    if (json_member(entry, "responses") != NULL)
        check_texts(json_member(entry, "responses"), &responses, mistakes);
    if (json_member(entry, "types") != NULL)
        check_texts(json_member(entry, "types"), &types, mistakes);
    if (json_member(entry, "for") == NULL)
        return;
    json_object_object_foreach (json_member(entry, "for"), type, variant) {
        struct where here = {&variants, type, 0};
        check_entry(variant, true, &here, mistakes);
    }
}

void dictionary_add_actions(struct dictionary *dictionary, struct json_object *actions,
                            const struct where *where, struct mistakes *mistakes)
{
    if (!json_object_is_type(actions, json_type_object)) {
        mistake_error(mistakes, where,
                      "must be an object: action names and what they are");
        return;
    }
    json_object_object_foreach (actions, name, description) {
        struct where here = {where, name, 0};
        size_t before = mistakes_noted(mistakes);
        check_entry(description, false, &here, mistakes);
        if (dictionary_find(dictionary, name) != NULL)
            mistake_error(mistakes, &here,
                          "the action \"%s\" is in the dictionary already", name);
        if (mistakes_noted(mistakes) > before)
            continue;
        struct action_entry *entry = xcalloc(1, sizeof *entry);
        entry->name = xstrdup(name);
        entry->json = json_object_get(description);
        HASH_ADD_KEYPTR(hh, dictionary->actions, entry->name, strlen(entry->name), entry);
    }
}

static void add_flows(struct dictionary *dictionary, struct json_object *flows,
                      const struct where *where, struct mistakes *mistakes)
{
    if (!json_object_is_type(flows, json_type_object)) {
        mistake_error(mistakes, where,
                      "must be an object: names of flows and their steps");
        return;
    }
    json_object_object_foreach (flows, name, steps) {
        struct where here = {where, name, 0};
        if (!json_object_is_type(steps, json_type_array))
            mistake_error(mistakes, &here, "a flow is an array of steps");
        else if (json_member(dictionary->flows, name) != NULL)
            mistake_error(mistakes, &here, "the flow \"%s\" is in the dictionary already",
                          name);
        else
            json_put(dictionary->flows, name, json_object_get(steps));
    }
}

void dictionary_add(struct dictionary *dictionary, struct json_object *root,
                    struct mistakes *mistakes)
{
    if (!json_object_is_type(root, json_type_object)) {
        mistake_error(mistakes, NULL, "a dictionary is an object with \"actions\" in it");
        return;
    }
    json_object_object_foreach (root, name, member) {
        struct where here = {NULL, name, 0};
        if (strcmp(name, "actions") == 0)
            dictionary_add_actions(dictionary, member, &here, mistakes);
        else if (strcmp(name, "flows") == 0)
            add_flows(dictionary, member, &here, mistakes);
        else
            mistake_error(mistakes, &here,
                          "a dictionary has only \"actions\" and \"flows\"");
    }
}

struct dictionary *dictionary_copy(const struct dictionary *dictionary)
{
    struct dictionary *copy = xcalloc(1, sizeof *copy);

    copy->flows = json_copy(dictionary->flows);
    for (struct action_entry *entry = dictionary->actions; entry != NULL;
         entry = entry->hh.next) {
        struct action_entry *twin = xcalloc(1, sizeof *twin);
        twin->name = xstrdup(entry->name);
        twin->json = json_object_get(entry->json);
        HASH_ADD_KEYPTR(hh, copy->actions, twin->name, strlen(twin->name), twin);
    }
    return copy;
}

/* --- asking --- */

const struct action_entry *dictionary_find(const struct dictionary *dictionary,
                                           const char *action)
{
    struct action_entry *entry = NULL;

    HASH_FIND_STR(dictionary->actions, action, entry);
    return entry;
}

struct json_object *dictionary_flow(const struct dictionary *dictionary, const char *name)
{
    return json_member(dictionary->flows, name);
}

size_t dictionary_size(const struct dictionary *dictionary)
{
    return HASH_COUNT(dictionary->actions);
}

#define NAME_MAX_COMPARED 48

/* How many letters must be changed, added or taken away (Levenshtein), ignoring case. */
static size_t distance(const char *a, const char *b)
{
    size_t row[NAME_MAX_COMPARED + 1];
    size_t length = strlen(b);

    if (length > NAME_MAX_COMPARED || strlen(a) > NAME_MAX_COMPARED)
        return NAME_MAX_COMPARED;
    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= length; j++) {
            bool differs =
                tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1]);
            size_t best = diagonal + differs;
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[length];
}

const char *dictionary_nearest(const struct dictionary *dictionary, const char *action)
{
    const char *nearest = NULL;
    size_t best = strlen(action) / 3 + 2;

    for (struct action_entry *entry = dictionary->actions; entry != NULL;
         entry = entry->hh.next) {
        size_t far = distance(action, entry->name);
        if (far < best) {
            best = far;
            nearest = entry->name;
        }
    }
    return nearest;
}

struct json_object *action_entry_member(const struct action_entry *entry,
                                        const char *type, const char *member)
{
    struct json_object *variant = json_member(json_member(entry->json, "for"), type);
    struct json_object *value = json_member(variant, member);

    return value != NULL ? value : json_member(entry->json, member);
}

const char *action_entry_canonical(const struct action_entry *entry, const char *type)
{
    struct json_object *responses = action_entry_member(entry, type, "responses");

    if (responses == NULL || json_object_array_length(responses) == 0)
        return entry->name;
    return json_object_get_string(json_object_array_get_idx(responses, 0));
}

bool action_entry_supports(const struct action_entry *entry, const char *type)
{
    struct json_object *types = json_member(entry->json, "types");

    if (types == NULL || json_member(json_member(entry->json, "for"), type) != NULL)
        return true;
    for (size_t i = 0; i < json_object_array_length(types); i++) {
        struct json_object *known = json_object_array_get_idx(types, i);
        if (json_is_text(known) && strcmp(json_object_get_string(known), type) == 0)
            return true;
    }
    return false;
}

/* --- checking data --- */

static bool has_type(struct json_object *value, const char *type)
{
    if (strcmp(type, "number") == 0)
        return json_object_is_type(value, json_type_int) ||
               json_object_is_type(value, json_type_double);
    return strcmp(json_type_to_name(json_object_get_type(value)), type) == 0;
}

static bool is_one_of(struct json_object *value, struct json_object *choices)
{
    for (size_t i = 0; i < json_object_array_length(choices); i++) {
        if (json_object_equal(value, json_object_array_get_idx(choices, i)))
            return true;
    }
    return false;
}

static void check_value(struct json_object *value, struct json_object *field,
                        const struct where *where, struct mistakes *mistakes)
{
    const char *type = json_member_text(field, "type");
    struct json_object *choices = json_member(field, "one_of");

    if (!value_is_constant(value)) /* known only when the case runs */
        return;
    if (!has_type(value, type))
        mistake_error(mistakes, where, "must be of type %s, not %s", type,
                      json_type_to_name(json_object_get_type(value)));
    else if (json_object_is_type(choices, json_type_array) && !is_one_of(value, choices))
        mistake_error(mistakes, where, "must be one of %s", json_text(choices));
}

void action_entry_check_data(const struct action_entry *entry, const char *type,
                             struct json_object *data, const struct where *where,
                             struct mistakes *mistakes)
{
    struct json_object *fields = action_entry_member(entry, type, "data");
    struct where place = {where, "data", 0};

    if (fields != NULL) {
        json_object_object_foreach (fields, name, field) {
            bool required = json_object_get_boolean(json_member(field, "required"));
            if (required && json_member(data, name) == NULL)
                mistake_error(mistakes, where, "%s needs data.%s for %s", entry->name,
                              name, type);
        }
    }
    json_object_object_foreach (data, given, value) {
        struct where here = {&place, given, 0};
        struct json_object *field = json_member(fields, given);
        if (field != NULL)
            check_value(value, field, &here, mistakes);
        else
            mistake_warning(mistakes, &here, "the dictionary knows no such data of %s",
                            entry->name);
    }
}

struct json_object *dictionary_json(const struct dictionary *dictionary)
{
    struct json_object *root = json_new_object();
    struct json_object *actions = json_new_object();

    for (struct action_entry *entry = dictionary->actions; entry != NULL;
         entry = entry->hh.next)
        json_put(actions, entry->name, json_object_get(entry->json));
    json_put(root, "actions", actions);
    json_put(root, "flows", json_object_get(dictionary->flows));
    return root;
}
