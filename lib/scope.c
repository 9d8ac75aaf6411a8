/* SPDX-License-Identifier: Apache-2.0 */
/* The names that `${…}` can begin with when a case starts. */
#include "scope.h"

#include "ids.h"
#include "json.h"
#include "value.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define NONCE_DIGITS 8

/* The address under which an Android emulator finds its host's localhost. */
#define EMULATOR_HOST "10.0.2.2"

static void put_cs_api(struct json_object *object, const char *cs_api)
{
    static const char *const local[] = {"://localhost", "://127.0.0.1"};
    char *docker = NULL;

    for (size_t i = 0; docker == NULL && i < sizeof local / sizeof *local; i++) {
        const char *at = strstr(cs_api, local[i]);
        const char *end = at != NULL ? at + strlen(local[i]) : NULL;
        if (end != NULL && (*end == ':' || *end == '/' || *end == '\0'))
            docker =
                xasprintf("%.*s://" EMULATOR_HOST "%s", (int)(at - cs_api), cs_api, end);
    }
    json_put_text(object, "cs_api", cs_api);
    json_put_text(object, "cs_api_docker", docker != NULL ? docker : cs_api);
    free(docker);
}

static struct json_object *role_object(const struct scope_parts *parts,
                                       const struct player *player)
{
    struct json_object *role = json_new_object();
    const char *endpoint = json_member_text(player->registration, "endpoint");
    char secret[ID_SIZE];

    id_derive(secret, parts->attempt_id, "password %s", player->role);
    char *localpart =
        xasprintf("user_%s_%.*s", player->role, NONCE_DIGITS, parts->attempt_id);
    json_put_text(role, "name", player->role);
    json_put_text(role, "localpart", localpart);
    json_put_text(role, "password", secret);
    json_put_text(role, "type", player->type);
    json_put(role, "registration", json_copy(player->registration));
    if (endpoint != NULL)
        put_cs_api(role, endpoint);
    free(localpart);
    return role;
}

static struct json_object *case_object(const struct scope_parts *parts)
{
    struct json_object *object = json_new_object();
    char nonce[NONCE_DIGITS + 1];

    memcpy(nonce, parts->attempt_id, NONCE_DIGITS);
    nonce[NONCE_DIGITS] = '\0';
    json_put_text(object, "id", parts->case_id);
    json_put_text(object, "name", parts->case_name);
    json_put_int(object, "attempt", parts->attempt_number);
    json_put_text(object, "nonce", nonce);
    return object;
}

static void add_servers(struct json_object *scope, struct json_object *servers)
{
    size_t count = servers != NULL ? json_object_array_length(servers) : 0;

    for (size_t i = 0; i < count; i++) {
        struct json_object *server = json_object_array_get_idx(servers, i);
        struct json_object *object = json_new_object();
        json_put_text(object, "server_name", json_member_text(server, "server_name"));
        put_cs_api(object, json_member_text(server, "cs_api"));
        json_put(scope, json_member_text(server, "name"), object);
    }
}

static int add_variables(struct json_object *scope, struct json_object *variables,
                         char **cause)
{
    json_object_object_foreach (variables, name, template) {
        struct json_object *value = NULL;
        if (value_expand(template, scope, &value, cause) < 0)
            return -1;
        json_put(scope, name, value);
    }
    return 0;
}

struct json_object *scope_new(const struct scope_parts *parts, char **cause)
{
    struct json_object *scope = json_new_object();
    struct json_object *run = json_new_object();
    char started[CLOCK_TEXT_SIZE];

    json_put_text(run, "id", parts->run_id);
    json_put_text(run, "started", clock_format(parts->run_started_ms, started));
    json_put(scope, "run", run);
    json_put(scope, "case", case_object(parts));
    for (size_t i = 0; i < parts->player_count; i++)
        json_put(scope, parts->players[i].role, role_object(parts, &parts->players[i]));
    add_servers(scope, parts->servers);
    if (add_variables(scope, parts->variables, cause) < 0) {
        json_object_put(scope);
        return NULL;
    }
    return scope;
}
