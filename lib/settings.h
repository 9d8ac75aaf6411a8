/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run is told of the world it works in: kinds of clients, kinds of homeservers,
 * time-outs, limits. Filled from the configuration; each run keeps those that it began
 * with.
 */
#ifndef TL_SETTINGS_H
#define TL_SETTINGS_H

#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>

/* One condition of a client type: a member of the registration and the glob it must
 * match. */
struct client_glob {
    char *member; /* name of the registration's member; owned */
    char *glob;   /* fnmatch(3) pattern; owned */
};

/* [client-type NAME]: which registrations count as this type. */
struct client_type_rule {
    char *name;                /* as definitions name it; owned */
    char *type;                /* the registration's `type`, literally; owned */
    struct client_glob *globs; /* all must match; owned */
    size_t glob_count;         /* length of globs */
};

/* One homeserver that exists outside. */
struct fixed_server {
    char *server_name; /* "hs1", the domain of user ids; owned */
    char *cs_api;      /* "http://localhost:8008", without a trailing slash; owned */
};

/* [server-type NAME]: homeservers made by homerunner (images) or fixed ones (servers). */
struct server_type {
    char *name;         /* as definitions name it; owned */
    char **images;      /* one image for each server in order, the last repeated; owned */
    size_t image_count; /* length of images; 0 for a type with fixed servers */
    struct fixed_server *servers; /* owned */
    size_t server_count;          /* length of servers; 0 for a type with images */
};

struct settings {
    struct client_type_rule *client_types; /* owned */
    size_t client_type_count;              /* length of client_types */
    struct server_type *server_types;      /* owned */
    size_t server_type_count;              /* length of server_types */
    int64_t step_timeout_ms;               /* an action without a time-out of its own */
    int64_t case_timeout_ms;               /* a case without a time-out of its own */
    int64_t unfilled_timeout_ms; /* a case that waits longer for clients; 0: never */
    double wait_scale;           /* waits of definitions last this many times as long */
    size_t deployments;          /* homerunner deployments that may exist at once */
    size_t homerunners;          /* how many make them, from 1 */
    size_t transcript;           /* lines of transcript kept for each case */
};

/* Fill in the defaults of the manual; frees nothing. */
void settings_init(struct settings *settings);

/* Free what the settings own, not the struct itself. */
void settings_clear(struct settings *settings);

/* All of them as JSON, owned by the caller; and settings from such JSON, into a struct
 * that owns nothing yet. Whatever is missing there has its default. */
struct json_object *settings_json(const struct settings *settings);
void settings_read(struct settings *settings, struct json_object *json);

/* The server type of that name, or NULL. Borrowed from settings. */
const struct server_type *settings_server_type(const struct settings *settings,
                                               const char *name);

#endif
