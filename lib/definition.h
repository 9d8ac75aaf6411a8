/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One test as its file says it: who takes part, on which servers, and the body (states)
 * that lib/compile.h turns into a machine. Any thread, one at a time.
 */
#ifndef TL_DEFINITION_H
#define TL_DEFINITION_H

#include "dictionary.h"
#include "mistakes.h"
#include "settings.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One role and the client types that may play it. */
struct role {
    char *name;        /* "red"; owned */
    char **types;      /* client types, in the order of the file; owned */
    size_t type_count; /* length of types, at least 1 */
};

/* A piece of a story that several tests share. */
struct flow {
    char *name;                /* owned */
    struct json_object *steps; /* an array; owned */
    struct where *place;       /* where it stands; owned */
};

/* A file of flows that a definition includes. */
struct included_file {
    char *file;               /* as the mistakes name it; owned */
    char *text;               /* for lines in messages; owned */
    struct json_object *root; /* its document; owned */
};

struct definition {
    char *name;                    /* "VerifyClient"; owned */
    char *folder;                  /* the folder's name, "" if none; owned */
    char *file;                    /* as the mistakes name it; owned */
    char *description;             /* for people, "" if none; owned */
    struct role *roles;            /* in allocation order; owned */
    size_t role_count;             /* length of roles, at least 1 */
    char *server_type;             /* NULL for a test without servers; owned */
    char **servers;                /* names of its servers; owned */
    size_t server_count;           /* length of servers */
    struct json_object *variables; /* expanded when a case starts; an object; owned */
    int64_t timeout_ms;            /* the whole case; 0: the settings' */
    int retries;                   /* tries after one that failed; -1: the run's */
    char **includes;             /* names of files of flows, as they are written; owned */
    size_t include_count;        /* length of includes */
    struct included_file *files; /* those that were given; owned */
    size_t file_count;           /* length of files */
    struct flow *flows;          /* its own and the included ones; owned */
    size_t flow_count;           /* length of flows */
    struct dictionary *dictionary; /* the shipped actions and its own; owned */
    struct json_object *root;      /* the whole file; owned */
};

/* A case is tried again at most so often. */
#define DEFINITION_RETRIES_MAX 100

/* A file makes at most this many cases. */
#define DEFINITION_CASES_MAX 10000

/* Read a definition from its document. Borrows root and dictionary, copies what it keeps.
 * Settings may be NULL: then server types are taken as they come. Notes every mistake;
 * NULL if one of them is an error of this part of the file. */
struct definition *definition_read(struct json_object *root, const char *file,
                                   const char *folder,
                                   const struct dictionary *dictionary,
                                   const struct settings *settings,
                                   struct mistakes *mistakes);
void definition_free(struct definition *definition);

/* Give a file that definition->includes names: {"NAME": [steps], …}. Takes text and root;
 * copies the file's name. Notes every mistake. */
void definition_include(struct definition *definition, const char *file, char *text,
                        struct json_object *root, struct mistakes *mistakes);

/* The flow of that name, or NULL. Borrowed. */
const struct flow *definition_flow(const struct definition *definition, const char *name);

/* How many cases the roles' types make (at most DEFINITION_CASES_MAX). */
size_t definition_cases(const struct definition *definition);

/* The client type of each role in case `index`: fills types[role_count] with borrowed
 * names. */
void definition_case_types(const struct definition *definition, size_t index,
                           const char **types);

/* "red=element-web green=element-android", owned by the caller. */
char *definition_case_name(const struct definition *definition, size_t index);

/* The role's or server's index by name, or -1. */
int definition_role(const struct definition *definition, const char *name);
int definition_server(const struct definition *definition, const char *name);

/* Whether a name has the form of one ([a-z][a-z0-9_]*, at most 64 bytes) and is not
 * reserved; if not, notes why. */
bool definition_check_name(const char *name, const struct where *where,
                           struct mistakes *mistakes);

/* Read a duration ("5s", 5) that stands at `where` into *ms. Notes a mistake and gives
 * false if it is none. */
bool definition_read_duration(struct json_object *value, const struct where *where,
                              int64_t *ms, struct mistakes *mistakes);

#endif
