/* SPDX-License-Identifier: Apache-2.0 */
/* One test as its file says it. A table says which members there are and who reads each.
 */
#include "definition.h"

#include "clock.h"
#include "json.h"
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the readers of members share. */
struct reader {
    struct definition *definition;   /* is filled */
    const struct settings *settings; /* may be NULL */
    struct mistakes *mistakes;       /* is filled */
};

bool definition_read_duration(struct json_object *value, const struct where *where,
                              int64_t *ms, struct mistakes *mistakes)
{
    char *cause = NULL;
    bool is_number = json_object_is_type(value, json_type_int) ||
                     json_object_is_type(value, json_type_double);
    const char *text = is_number || json_is_text(value) ? json_object_get_string(value)
                                                        : json_text(value);

    if (duration_parse(text, ms, &cause) < 0) {
        mistake_error(mistakes, where, "%s", cause);
        free(cause);
        return false;
    }
    return true;
}

bool definition_check_name(const char *name, const struct where *where,
                           struct mistakes *mistakes)
{
    static const char *const reserved[] = {
        "parallel", "wait",   "set",     "assert", "check",  "find",  "http", "flow",
        "for_each", "repeat", "as",      "steps",  "with",   "where", "save", "data",
        "name",     "expect", "timeout", "on",     "action", "run",   "case", "me"};
    size_t size = strlen(name);

    if (size == 0 || size > 64 || name[0] < 'a' || name[0] > 'z' ||
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != size) {
        mistake_error(
            mistakes, where,
            "\"%.80s\" is not a name: at most 64 of a-z, 0-9 and _, a letter first",
            name);
        return false;
    }
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        if (strcmp(name, reserved[i]) == 0) {
            mistake_error(mistakes, where, "the name \"%s\" is reserved", name);
            return false;
        }
    }
    return true;
}

/* --- the members --- */

static void read_name(struct reader *reader, struct json_object *value,
                      const struct where *where)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        "_.-";
    const char *name = json_is_text(value) ? json_object_get_string(value) : "";

    if (*name == '\0' || strlen(name) > 100 || strspn(name, allowed) != strlen(name))
        mistake_error(reader->mistakes, where,
                      "%.120s is not a test's name: 1 to 100 of A-Z, a-z, 0-9 and _.-",
                      json_text(value));
    free(reader->definition->name);
    reader->definition->name = xstrdup(name);
}

static void read_description(struct reader *reader, struct json_object *value,
                             const struct where *where)
{
    if (!json_is_text(value)) {
        mistake_error(reader->mistakes, where, "must be a string");
        return;
    }
    free(reader->definition->description);
    reader->definition->description = xstrdup(json_object_get_string(value));
}

/* Read a list of at least one string, none twice, into an owned array. */
static char **read_texts(struct reader *reader, struct json_object *value,
                         const struct where *where, const char *what, size_t *count)
{
    size_t length =
        json_object_is_type(value, json_type_array) ? json_object_array_length(value) : 0;
    char **texts = xcalloc(length, sizeof *texts);

    *count = 0;
    if (length == 0)
        mistake_error(reader->mistakes, where, "must be a list of at least one %s", what);
    for (size_t i = 0; i < length; i++) {
        struct where here = {where, NULL, i};
        struct json_object *item = json_object_array_get_idx(value, i);
        if (!json_is_text(item) || json_object_get_string_len(item) == 0) {
            mistake_error(reader->mistakes, &here, "must be a %s", what);
            continue;
        }
        for (size_t j = 0; j < *count; j++) {
            if (strcmp(texts[j], json_object_get_string(item)) == 0)
                mistake_error(reader->mistakes, &here, "\"%s\" is there twice", texts[j]);
        }
        texts[(*count)++] = xstrdup(json_object_get_string(item));
    }
    return texts;
}

/* Types are part of the names of cases, where blanks and = stand between. */
static void check_types(struct reader *reader, const struct role *role,
                        const struct where *where)
{
    for (size_t i = 0; i < role->type_count; i++) {
        if (strpbrk(role->types[i], " \t\n=#/") != NULL || strlen(role->types[i]) > 64)
            mistake_error(
                reader->mistakes, where,
                "\"%.80s\" is no client type: at most 64 bytes, no blanks, none of "
                "=#/",
                role->types[i]);
    }
}

static void read_clients(struct reader *reader, struct json_object *value,
                         const struct where *where)
{
    struct definition *definition = reader->definition;

    if (!json_object_is_type(value, json_type_object) ||
        json_object_object_length(value) == 0) {
        mistake_error(
            reader->mistakes, where,
            "must be an object of at least one role and its client types, as in "
            "{\"red\": [\"element-web\"]}");
        return;
    }
    definition->roles =
        xcalloc((size_t)json_object_object_length(value), sizeof *definition->roles);
    json_object_object_foreach (value, name, types) {
        struct where here = {where, name, 0};
        struct role *role = &definition->roles[definition->role_count++];
        definition_check_name(name, &here, reader->mistakes);
        role->name = xstrdup(name);
        role->types =
            read_texts(reader, types, &here, "name of a client type", &role->type_count);
        check_types(reader, role, &here);
    }
}

static void check_server_type(struct reader *reader, const struct where *where)
{
    struct definition *definition = reader->definition;
    const struct server_type *type;

    if (reader->settings == NULL || definition->server_type == NULL)
        return;
    type = settings_server_type(reader->settings, definition->server_type);
    if (type == NULL)
        mistake_error(
            reader->mistakes, where,
            "there is no server type \"%s\": add a section [server-type %s] with "
            "images or servers to the configuration",
            definition->server_type, definition->server_type);
    else if (type->image_count == 0 && type->server_count < definition->server_count)
        mistake_error(reader->mistakes, where,
                      "%zu servers are named, but [server-type %s] has only %zu",
                      definition->server_count, type->name, type->server_count);
}

static void read_servers(struct reader *reader, struct json_object *value,
                         const struct where *where)
{
    struct definition *definition = reader->definition;
    struct where names = {where, "names", 0};
    struct where type = {where, "type", 0};

    if (!json_object_is_type(value, json_type_object)) {
        mistake_error(
            reader->mistakes, where,
            "must be an object, as in {\"type\": \"synapse\", \"names\": [\"server\"]}");
        return;
    }
    json_object_object_foreach (value, name, member) {
        struct where here = {where, name, 0};
        (void)member;
        if (strcmp(name, "type") != 0 && strcmp(name, "names") != 0)
            mistake_error(reader->mistakes, &here,
                          "servers have only \"type\" and \"names\"");
    }
    if (json_member_text(value, "type") == NULL)
        mistake_error(reader->mistakes, &type, "must name a server type");
    else
        definition->server_type = xstrdup(json_member_text(value, "type"));
    definition->servers = read_texts(reader, json_member(value, "names"), &names,
                                     "name of a server", &definition->server_count);
    for (size_t i = 0; i < definition->server_count; i++) {
        struct where here = {&names, NULL, i};
        definition_check_name(definition->servers[i], &here, reader->mistakes);
    }
    check_server_type(reader, &type);
}

static void read_variables(struct reader *reader, struct json_object *value,
                           const struct where *where)
{
    if (!json_object_is_type(value, json_type_object)) {
        mistake_error(reader->mistakes, where, "must be an object of names and values");
        return;
    }
    json_object_object_foreach (value, name, variable) {
        struct where here = {where, name, 0};
        (void)variable;
        definition_check_name(name, &here, reader->mistakes);
    }
    json_object_put(reader->definition->variables);
    reader->definition->variables = json_object_get(value);
}

static void read_retries(struct reader *reader, struct json_object *value,
                         const struct where *where)
{
    int64_t retries = json_object_get_int64(value);

    if (!json_object_is_type(value, json_type_int) || retries < 0 ||
        retries > DEFINITION_RETRIES_MAX)
        mistake_error(
            reader->mistakes, where,
            "must be a whole number from 0 to %d: how often a case that did not "
            "succeed is tried again",
            DEFINITION_RETRIES_MAX);
    else
        reader->definition->retries = (int)retries;
}

static void read_timeout(struct reader *reader, struct json_object *value,
                         const struct where *where)
{
    int64_t *ms = &reader->definition->timeout_ms;

    if (definition_read_duration(value, where, ms, reader->mistakes) && *ms == 0)
        mistake_error(reader->mistakes, where, "a case needs some time: more than 0");
}

static void read_actions(struct reader *reader, struct json_object *value,
                         const struct where *where)
{
    dictionary_add_actions(reader->definition->dictionary, value, where,
                           reader->mistakes);
}

/* --- flows --- */

const struct flow *definition_flow(const struct definition *definition, const char *name)
{
    for (size_t i = 0; i < definition->flow_count; i++) {
        if (strcmp(definition->flows[i].name, name) == 0)
            return &definition->flows[i];
    }
    return NULL;
}

static void add_flows(struct definition *definition, struct json_object *flows,
                      const struct where *where, struct mistakes *mistakes)
{
    if (!json_object_is_type(flows, json_type_object)) {
        mistake_error(mistakes, where,
                      "must be an object: names of flows and their steps");
        return;
    }
    json_object_object_foreach (flows, name, steps) {
        struct where here = {where, name, 0};
        if (!json_object_is_type(steps, json_type_array) ||
            json_object_array_length(steps) == 0) {
            mistake_error(mistakes, &here, "a flow is a list of steps, of one at least");
            continue;
        }
        if (definition_flow(definition, name) != NULL)
            mistake_error(mistakes, &here, "there is a flow %s already", name);
        definition->flows = xreallocarray(definition->flows, definition->flow_count + 1,
                                          sizeof *definition->flows);
        definition->flows[definition->flow_count++] = (struct flow){
            .name = xstrdup(name),
            .steps = json_object_get(steps),
            .place = where_copy(&here),
        };
    }
}

static void read_flows(struct reader *reader, struct json_object *value,
                       const struct where *where)
{
    add_flows(reader->definition, value, where, reader->mistakes);
}

static void read_include(struct reader *reader, struct json_object *value,
                         const struct where *where)
{
    reader->definition->includes =
        read_texts(reader, value, where, "name of a file of flows",
                   &reader->definition->include_count);
}

void definition_include(struct definition *definition, const char *file, char *text,
                        struct json_object *root, struct mistakes *mistakes)
{
    definition->files = xreallocarray(definition->files, definition->file_count + 1,
                                      sizeof *definition->files);
    struct included_file *included = &definition->files[definition->file_count++];
    *included = (struct included_file){xstrdup(file), text, root};
    struct where_file place = {{NULL, WHERE_FILE, 0}, included->file, text};
    add_flows(definition, root, &place.where, mistakes);
}

/* initial, states and steps are read by lib/compile.h */
static void read_later(struct reader *reader, struct json_object *value,
                       const struct where *where)
{
    (void)reader, (void)value, (void)where;
}

static const struct {
    const char *name;
    void (*read)(struct reader *reader, struct json_object *value,
                 const struct where *where);
    bool required;
} members[] = {
    {"name", read_name, true},
    {"description", read_description, false},
    {"clients", read_clients, true},
    {"servers", read_servers, false},
    {"variables", read_variables, false},
    {"timeout", read_timeout, false},
    {"retries", read_retries, false},
    {"actions", read_actions, false},
    {"include", read_include, false},
    {"flows", read_flows, false},
    {"initial", read_later, false},
    {"states", read_later, false},
    {"steps", read_later, false},
};

enum { MEMBER_COUNT = sizeof members / sizeof *members };

/* --- names that must differ --- */

int definition_role(const struct definition *definition, const char *name)
{
    for (size_t i = 0; i < definition->role_count; i++) {
        if (strcmp(definition->roles[i].name, name) == 0)
            return (int)i;
    }
    return -1;
}

int definition_server(const struct definition *definition, const char *name)
{
    for (size_t i = 0; i < definition->server_count; i++) {
        if (strcmp(definition->servers[i], name) == 0)
            return (int)i;
    }
    return -1;
}

static void check_namespace(struct reader *reader)
{
    const struct definition *definition = reader->definition;
    struct where servers = {NULL, "servers", 0};
    struct where names = {&servers, "names", 0};
    struct where variables = {NULL, "variables", 0};

    for (size_t i = 0; i < definition->server_count; i++) {
        struct where here = {&names, NULL, i};
        if (definition_role(definition, definition->servers[i]) >= 0)
            mistake_error(reader->mistakes, &here, "\"%s\" is the name of a role already",
                          definition->servers[i]);
    }
    json_object_object_foreach (definition->variables, name, value) {
        struct where here = {&variables, name, 0};
        (void)value;
        if (definition_role(definition, name) >= 0 ||
            definition_server(definition, name) >= 0)
            mistake_error(reader->mistakes, &here,
                          "\"%s\" is the name of a role or a server already", name);
    }
}

static void check_case_count(struct reader *reader)
{
    struct where clients = {NULL, "clients", 0};
    size_t cases = 1;

    for (size_t i = 0; i < reader->definition->role_count; i++) {
        if (reader->definition->roles[i].type_count > 0)
            cases *= reader->definition->roles[i].type_count;
        if (cases > DEFINITION_CASES_MAX) {
            mistake_error(reader->mistakes, &clients,
                          "the client types make more than %d cases: split the test up",
                          DEFINITION_CASES_MAX);
            return;
        }
    }
}

/* --- the whole --- */

static void read_member(struct reader *reader, const char *name,
                        struct json_object *value)
{
    struct where here = {NULL, name, 0};

    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        if (strcmp(members[i].name, name) == 0) {
            members[i].read(reader, value, &here);
            return;
        }
    }
    mistake_error(reader->mistakes, &here, "a test has no member of this name");
}

/* A test is written as states or as steps. */
static void check_form(struct reader *reader, struct json_object *root)
{
    bool steps = json_object_object_get_ex(root, "steps", NULL);
    bool states = json_object_object_get_ex(root, "states", NULL);
    bool initial = json_object_object_get_ex(root, "initial", NULL);

    if (steps && (states || initial))
        mistake_error(
            reader->mistakes, NULL,
            "a test is written as \"steps\", or as \"states\" with an \"initial\" "
            "one; never both");
    else if (!steps && !states)
        mistake_error(reader->mistakes, NULL,
                      "the test has no \"states\" and no \"steps\"");
    else if (states && !initial)
        mistake_error(reader->mistakes, NULL, "the test has no \"initial\" state");
}

static void read_all(struct reader *reader, struct json_object *root)
{
    json_object_object_foreach (root, name, value) {
        read_member(reader, name, value);
    }
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        if (members[i].required &&
            !json_object_object_get_ex(root, members[i].name, NULL))
            mistake_error(reader->mistakes, NULL, "the test has no \"%s\"",
                          members[i].name);
    }
    check_form(reader, root);
    check_namespace(reader);
    check_case_count(reader);
}

/* Whether it has what compiling needs: roles with types. */
static bool is_usable(const struct definition *definition)
{
    bool usable = definition->role_count > 0;

    for (size_t i = 0; i < definition->role_count; i++)
        usable = usable && definition->roles[i].type_count > 0;
    return usable;
}

struct definition *definition_read(struct json_object *root, const char *file,
                                   const char *folder,
                                   const struct dictionary *dictionary,
                                   const struct settings *settings,
                                   struct mistakes *mistakes)
{
    if (!json_object_is_type(root, json_type_object)) {
        mistake_error(mistakes, NULL, "a test definition is an object");
        return NULL;
    }
    struct definition *definition = xcalloc(1, sizeof *definition);
    definition->retries = -1;
    definition->file = xstrdup(file);
    definition->folder = xstrdup(folder);
    definition->name = xstrdup("");
    definition->description = xstrdup("");
    definition->variables = json_new_object();
    definition->dictionary = dictionary_copy(dictionary);
    definition->root = json_object_get(root);
    struct reader reader = {definition, settings, mistakes};
    read_all(&reader, root);
    if (!is_usable(definition)) {
        definition_free(definition);
        return NULL;
    }
    return definition;
}

static void free_texts(char **texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    free(texts);
}

void definition_free(struct definition *definition)
{
    if (definition == NULL)
        return;
    for (size_t i = 0; i < definition->role_count; i++) {
        free(definition->roles[i].name);
        free_texts(definition->roles[i].types, definition->roles[i].type_count);
    }
    free(definition->roles);
    free_texts(definition->servers, definition->server_count);
    free(definition->server_type);
    free(definition->name);
    free(definition->folder);
    free(definition->file);
    free(definition->description);
    for (size_t i = 0; i < definition->flow_count; i++) {
        free(definition->flows[i].name);
        json_object_put(definition->flows[i].steps);
        where_free(definition->flows[i].place);
    }
    for (size_t i = 0; i < definition->file_count; i++) {
        free(definition->files[i].file);
        free(definition->files[i].text);
        json_object_put(definition->files[i].root);
    }
    free_texts(definition->includes, definition->include_count);
    free(definition->flows);
    free(definition->files);
    json_object_put(definition->variables);
    dictionary_free(definition->dictionary);
    json_object_put(definition->root);
    free(definition);
}

/* --- cases: the product of the roles' types --- */

size_t definition_cases(const struct definition *definition)
{
    size_t cases = 1;

    for (size_t i = 0; i < definition->role_count; i++)
        cases *= definition->roles[i].type_count;
    return cases;
}

void definition_case_types(const struct definition *definition, size_t index,
                           const char **types)
{
    for (size_t i = definition->role_count; i-- > 0;) {
        const struct role *role = &definition->roles[i];
        types[i] = role->types[index % role->type_count];
        index /= role->type_count;
    }
}

char *definition_case_name(const struct definition *definition, size_t index)
{
    const char **types = xcalloc(definition->role_count, sizeof *types);
    char *name = NULL;
    size_t size;
    FILE *out = xcheck(open_memstream(&name, &size));

    definition_case_types(definition, index, types);
    for (size_t i = 0; i < definition->role_count; i++)
        fprintf(out, "%s%s=%s", i > 0 ? " " : "", definition->roles[i].name, types[i]);
    if (fclose(out) != 0)
        xcheck(NULL);
    free(types);
    return name;
}
