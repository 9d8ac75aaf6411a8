/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names that `${…}` can begin with when a case starts: roles, servers, run, case,
 * variables. Any thread.
 */
#ifndef TL_SCOPE_H
#define TL_SCOPE_H

#include "clock.h"

#include <json-c/json.h>
#include <stddef.h>

/* A client that plays a role. */
struct player {
    const char *role;                 /* "red" */
    const char *client;               /* the client's id */
    const char *type;                 /* the type that it registered with */
    struct json_object *registration; /* all that it registered with */
};

/* All that a scope is made of; everything is borrowed. */
struct scope_parts {
    const char *attempt_id; /* id of this attempt of the case; the nonce comes from it */
    const char *case_id;    /* id of the case */
    const char *case_name;  /* name of the case */
    int attempt_number;     /* from 1 */
    const char *run_id;     /* id of the run */
    int64_t run_started_ms; /* wall time */
    const struct player *players;  /* in the order of the roles */
    size_t player_count;           /* length of players */
    struct json_object *servers;   /* array of {name, server_name, cs_api}, or NULL */
    struct json_object *colours;   /* file name -> colour, or NULL: none yet */
    struct json_object *variables; /* of the definition; expanded here, in their order */
};

/* Make the scope: a JSON object, owned by the caller; or NULL and *cause. */
struct json_object *scope_new(const struct scope_parts *parts, char **cause);

#endif
