/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine is told of the world it works in. */
#include "settings.h"

#include "json.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

void settings_init(struct settings *settings)
{
    *settings = (struct settings){
        .step_timeout_ms = 3 * 60 * 1000,
        .case_timeout_ms = 30 * 60 * 1000,
        .wait_scale = 1,
        .deployments = 8,
        .homerunners = 1,
        .transcript = 10000,
    };
}

static void client_type_clear(struct client_type_rule *rule)
{
    for (size_t i = 0; i < rule->glob_count; i++) {
        free(rule->globs[i].member);
        free(rule->globs[i].glob);
    }
    free(rule->globs);
    free(rule->name);
    free(rule->type);
}

static void server_type_clear(struct server_type *type)
{
    for (size_t i = 0; i < type->image_count; i++)
        free(type->images[i]);
    for (size_t i = 0; i < type->server_count; i++) {
        free(type->servers[i].server_name);
        free(type->servers[i].cs_api);
    }
    free(type->images);
    free(type->servers);
    free(type->name);
}

void settings_clear(struct settings *settings)
{
    for (size_t i = 0; i < settings->client_type_count; i++)
        client_type_clear(&settings->client_types[i]);
    for (size_t i = 0; i < settings->server_type_count; i++)
        server_type_clear(&settings->server_types[i]);
    free(settings->client_types);
    free(settings->server_types);
    *settings = (struct settings){0};
}

const struct server_type *settings_server_type(const struct settings *settings,
                                               const char *name)
{
    for (size_t i = 0; i < settings->server_type_count; i++) {
        if (strcmp(settings->server_types[i].name, name) == 0)
            return &settings->server_types[i];
    }
    return NULL;
}

/* --- as JSON --- */

static struct json_object *client_type_json(const struct client_type_rule *rule)
{
    struct json_object *object = json_new_object();
    struct json_object *globs = json_new_array();

    for (size_t i = 0; i < rule->glob_count; i++) {
        struct json_object *glob = json_new_object();
        json_put_text(glob, "member", rule->globs[i].member);
        json_put_text(glob, "glob", rule->globs[i].glob);
        json_append(globs, glob);
    }
    json_put_text(object, "name", rule->name);
    json_put_text(object, "type", rule->type);
    json_put(object, "globs", globs);
    return object;
}

static struct json_object *server_type_json(const struct server_type *type)
{
    struct json_object *object = json_new_object();
    struct json_object *images = json_new_array();
    struct json_object *servers = json_new_array();

    for (size_t i = 0; i < type->image_count; i++)
        json_append(images, json_new_text(type->images[i]));
    for (size_t i = 0; i < type->server_count; i++) {
        struct json_object *server = json_new_object();
        json_put_text(server, "server_name", type->servers[i].server_name);
        json_put_text(server, "cs_api", type->servers[i].cs_api);
        json_append(servers, server);
    }
    json_put_text(object, "name", type->name);
    json_put(object, "images", images);
    json_put(object, "servers", servers);
    return object;
}

struct json_object *settings_json(const struct settings *settings)
{
    struct json_object *object = json_new_object();
    struct json_object *clients = json_new_array();
    struct json_object *servers = json_new_array();

    for (size_t i = 0; i < settings->client_type_count; i++)
        json_append(clients, client_type_json(&settings->client_types[i]));
    for (size_t i = 0; i < settings->server_type_count; i++)
        json_append(servers, server_type_json(&settings->server_types[i]));
    json_put(object, "client_types", clients);
    json_put(object, "server_types", servers);
    json_put_int(object, "step_timeout", settings->step_timeout_ms);
    json_put_int(object, "case_timeout", settings->case_timeout_ms);
    json_put_int(object, "unfilled_timeout", settings->unfilled_timeout_ms);
    json_put(object, "wait_scale", xcheck(json_object_new_double(settings->wait_scale)));
    json_put_int(object, "deployments", (int64_t)settings->deployments);
    json_put_int(object, "homerunners", (int64_t)settings->homerunners);
    json_put_int(object, "transcript", (int64_t)settings->transcript);
    return object;
}

/* The member's items, and how many; 0 where it is no array. */
static size_t items(struct json_object *object, const char *name,
                    struct json_object **array)
{
    *array = json_member(object, name);
    return json_object_is_type(*array, json_type_array) ? json_object_array_length(*array)
                                                        : 0;
}

/* The member as text of its own; "" where it is missing. */
static char *own_text(struct json_object *object, const char *name)
{
    const char *text = json_member_text(object, name);

    return xstrdup(text != NULL ? text : "");
}

static void read_client_type(struct client_type_rule *rule, struct json_object *json)
{
    struct json_object *globs;

    rule->name = own_text(json, "name");
    rule->type = own_text(json, "type");
    rule->glob_count = items(json, "globs", &globs);
    rule->globs = xcalloc(rule->glob_count, sizeof *rule->globs);
    for (size_t i = 0; i < rule->glob_count; i++) {
        struct json_object *glob = json_object_array_get_idx(globs, i);
        rule->globs[i] =
            (struct client_glob){own_text(glob, "member"), own_text(glob, "glob")};
    }
}

static void read_server_type(struct server_type *type, struct json_object *json)
{
    struct json_object *list;

    type->name = own_text(json, "name");
    type->image_count = items(json, "images", &list);
    type->images = xcalloc(type->image_count, sizeof *type->images);
    for (size_t i = 0; i < type->image_count; i++)
        type->images[i] =
            xstrdup(json_object_get_string(json_object_array_get_idx(list, i)));
    type->server_count = items(json, "servers", &list);
    type->servers = xcalloc(type->server_count, sizeof *type->servers);
    for (size_t i = 0; i < type->server_count; i++) {
        struct json_object *server = json_object_array_get_idx(list, i);
        type->servers[i] = (struct fixed_server){own_text(server, "server_name"),
                                                 own_text(server, "cs_api")};
    }
}

static int64_t whole(struct json_object *json, const char *name, int64_t preset)
{
    struct json_object *value = json_member(json, name);

    return value != NULL ? json_object_get_int64(value) : preset;
}

void settings_read(struct settings *settings, struct json_object *json)
{
    struct json_object *list, *scale = json_member(json, "wait_scale");

    settings_init(settings);
    settings->client_type_count = items(json, "client_types", &list);
    settings->client_types =
        xcalloc(settings->client_type_count, sizeof *settings->client_types);
    for (size_t i = 0; i < settings->client_type_count; i++)
        read_client_type(&settings->client_types[i], json_object_array_get_idx(list, i));
    settings->server_type_count = items(json, "server_types", &list);
    settings->server_types =
        xcalloc(settings->server_type_count, sizeof *settings->server_types);
    for (size_t i = 0; i < settings->server_type_count; i++)
        read_server_type(&settings->server_types[i], json_object_array_get_idx(list, i));
    settings->step_timeout_ms = whole(json, "step_timeout", settings->step_timeout_ms);
    settings->case_timeout_ms = whole(json, "case_timeout", settings->case_timeout_ms);
    settings->unfilled_timeout_ms =
        whole(json, "unfilled_timeout", settings->unfilled_timeout_ms);
    settings->wait_scale = scale ? json_object_get_double(scale) : settings->wait_scale;
    settings->deployments =
        (size_t)whole(json, "deployments", (int64_t)settings->deployments);
    settings->homerunners =
        (size_t)whole(json, "homerunners", (int64_t)settings->homerunners);
    settings->transcript =
        (size_t)whole(json, "transcript", (int64_t)settings->transcript);
}
