/* SPDX-License-Identifier: Apache-2.0 */
/* The sections that have a name. */
#include "config_kind.h"

#include "config_value.h"
#include "settings.h"
#include "xalloc.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The array with room for one more, zeroed. */
static void *array_grow(void *array, size_t count, size_t size)
{
    char *grown = xreallocarray(array, count + 1, size);

    memset(grown + count * size, 0, size);
    return grown;
}

static struct client_type_rule *client_type_last(struct settings *settings)
{
    return &settings->client_types[settings->client_type_count - 1];
}

static int client_type_open(struct settings *settings, const char *name, char **cause)
{
    for (size_t i = 0; i < settings->client_type_count; i++) {
        if (strcmp(settings->client_types[i].name, name) == 0) {
            cause_set(cause, "the section is there twice: one client type, one section");
            return -1;
        }
    }
    settings->client_types =
        array_grow(settings->client_types, settings->client_type_count,
                   sizeof(struct client_type_rule));
    settings->client_type_count++;
    client_type_last(settings)->name = xstrdup(name);
    return 0;
}

static int client_type_set_type(struct client_type_rule *rule, const char *value,
                                char **cause)
{
    if (rule->type != NULL) {
        cause_set(cause, "is there twice: a client type has one type");
        return -1;
    }
    char *type = value_text(value, cause);
    if (type == NULL)
        return -1;
    if (*type == '\0') {
        cause_set(cause, "is empty: give the type that clients register with");
        free(type);
        return -1;
    }
    rule->type = type;
    return 0;
}

static int client_type_set(struct settings *settings, const char *key, const char *value,
                           char **cause)
{
    struct client_type_rule *rule = client_type_last(settings);

    if (strcmp(key, "type") == 0)
        return client_type_set_type(rule, value, cause);
    for (size_t i = 0; i < rule->glob_count; i++) {
        if (strcmp(rule->globs[i].member, key) == 0) {
            cause_set(cause, "is there twice: a member is matched by one glob");
            return -1;
        }
    }
    char *glob = value_text(value, cause);
    if (glob == NULL)
        return -1;
    rule->globs = array_grow(rule->globs, rule->glob_count, sizeof *rule->globs);
    rule->globs[rule->glob_count++] = (struct client_glob){xstrdup(key), glob};
    return 0;
}

static int client_type_close(struct settings *settings, char **cause)
{
    if (client_type_last(settings)->type != NULL)
        return 0;
    cause_set(cause, "has no type: add \"type = \" and the type that clients register "
                     "with");
    return -1;
}

static struct server_type *server_type_last(struct settings *settings)
{
    return &settings->server_types[settings->server_type_count - 1];
}

static int server_type_open(struct settings *settings, const char *name, char **cause)
{
    if (settings_server_type(settings, name) != NULL) {
        cause_set(cause, "the section is there twice: one server type, one section");
        return -1;
    }
    settings->server_types = array_grow(
        settings->server_types, settings->server_type_count, sizeof(struct server_type));
    settings->server_type_count++;
    server_type_last(settings)->name = xstrdup(name);
    return 0;
}

static int server_type_add_image(struct server_type *type, const char *word, char **cause)
{
    if (*word == '\0') {
        cause_set(cause, "an image without a name: give the name of a docker image");
        return -1;
    }
    type->images = array_grow(type->images, type->image_count, sizeof *type->images);
    type->images[type->image_count++] = xstrdup(word);
    return 0;
}

/* Take "name=url". */
static int server_type_add_server(struct server_type *type, const char *word,
                                  char **cause)
{
    size_t length = strcspn(word, "=");

    if (length == 0 || word[length] == '\0') {
        cause_set(cause, "\"%.60s\" is not name=url, as hs1=http://localhost:8008", word);
        return -1;
    }
    char *url = value_url(word + length + 1, cause);
    if (url == NULL)
        return -1;
    struct fixed_server server = {.server_name = xstrndup(word, length), .cs_api = url};
    for (size_t i = 0; i < type->server_count; i++) {
        if (strcmp(type->servers[i].server_name, server.server_name) != 0)
            continue;
        cause_set(cause, "the server %.60s is there twice", server.server_name);
        free(server.server_name);
        free(server.cs_api);
        return -1;
    }
    type->servers = array_grow(type->servers, type->server_count, sizeof *type->servers);
    type->servers[type->server_count++] = server;
    return 0;
}

static int server_type_set(struct settings *settings, const char *key, const char *value,
                           char **cause)
{
    struct server_type *type = server_type_last(settings);
    bool images = strcmp(key, "images") == 0;
    const char *rest = value;
    char *word, *reason = NULL;
    int result = 0, words = 0;

    if (images ? type->server_count > 0 : type->image_count > 0) {
        cause_set(cause, "a server type has either images or servers, not both");
        return -1;
    }
    while (result == 0 && (word = value_word(&rest, &reason)) != NULL) {
        result = images ? server_type_add_image(type, word, &reason)
                        : server_type_add_server(type, word, &reason);
        free(word);
        words++;
    }
    if (words == 0)
        cause_set(&reason, "has no value: give it one or leave the line out");
    if (reason == NULL)
        return 0;
    cause_set(cause, "%s", reason);
    free(reason);
    return -1;
}

static int server_type_close(struct settings *settings, char **cause)
{
    const struct server_type *type = server_type_last(settings);

    if (type->image_count + type->server_count > 0)
        return 0;
    cause_set(cause, "has no servers: add images (homerunner makes them) or servers "
                     "(they exist already)");
    return -1;
}

static const struct config_kind kinds[] = {
    {"client-type", client_type_open, client_type_set, client_type_close},
    {"server-type", server_type_open, server_type_set, server_type_close},
};

const struct config_kind *config_kind_find(const char *section)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].section, section) == 0)
            return &kinds[i];
    }
    return NULL;
}

/* --- whether they have changed --- */

static bool client_type_equals(const struct client_type_rule *one,
                               const struct client_type_rule *other)
{
    if (strcmp(one->name, other->name) != 0 || strcmp(one->type, other->type) != 0 ||
        one->glob_count != other->glob_count)
        return false;
    for (size_t i = 0; i < one->glob_count; i++) {
        if (strcmp(one->globs[i].member, other->globs[i].member) != 0 ||
            strcmp(one->globs[i].glob, other->globs[i].glob) != 0)
            return false;
    }
    return true;
}

bool config_client_types_equal(const struct settings *one, const struct settings *other)
{
    if (one->client_type_count != other->client_type_count)
        return false;
    for (size_t i = 0; i < one->client_type_count; i++) {
        if (!client_type_equals(&one->client_types[i], &other->client_types[i]))
            return false;
    }
    return true;
}

static bool server_type_equals(const struct server_type *one,
                               const struct server_type *other)
{
    if (strcmp(one->name, other->name) != 0 || one->image_count != other->image_count ||
        one->server_count != other->server_count)
        return false;
    for (size_t i = 0; i < one->image_count; i++) {
        if (strcmp(one->images[i], other->images[i]) != 0)
            return false;
    }
    for (size_t i = 0; i < one->server_count; i++) {
        if (strcmp(one->servers[i].server_name, other->servers[i].server_name) != 0 ||
            strcmp(one->servers[i].cs_api, other->servers[i].cs_api) != 0)
            return false;
    }
    return true;
}

bool config_server_types_equal(const struct settings *one, const struct settings *other)
{
    if (one->server_type_count != other->server_type_count)
        return false;
    for (size_t i = 0; i < one->server_type_count; i++) {
        if (!server_type_equals(&one->server_types[i], &other->server_types[i]))
            return false;
    }
    return true;
}
