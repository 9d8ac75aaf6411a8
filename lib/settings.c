/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine is told of the world it works in. */
#include "settings.h"

#include <stdlib.h>
#include <string.h>

void settings_init(struct settings *settings)
{
    *settings = (struct settings){
        .step_timeout_ms = 3 * 60 * 1000,
        .case_timeout_ms = 30 * 60 * 1000,
        .wait_scale = 1,
        .deployments = 8,
        .clients = 100000,
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
