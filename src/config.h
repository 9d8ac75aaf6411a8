/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server was told to be: trafficlight.ini(5), read into plain values. There are
 * three layers: the defaults (config_init), the file (config_load), the command line
 * (config_set). The first value that a layer gives to a list replaces what came from the
 * layers below; further ones in the same layer are added. A struct config belongs to one
 * thread at a time; the one that the daemon runs with is the loop's, and changes only in
 * config_adopt().
 *
 * The build's own config.h is another file: outside of src/ write the path to this one.
 */
#ifndef TL_CONFIG_H
#define TL_CONFIG_H

#include "journal.h"
#include "log.h"
#include "settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The values of a key that may have several. */
struct config_list {
    char **items;   /* in the order of the file; owned, each and all */
    size_t count;   /* length of items */
    bool inherited; /* from a lower layer: the next value replaces them all */
};

/* [limits], but for those that the engine keeps (struct settings). */
struct config_limits {
    size_t body;                /* bytes of a request's body */
    size_t upload;              /* bytes of an upload's body */
    size_t json_depth;          /* levels of nesting of a JSON body */
    size_t header;              /* bytes of request line and headers */
    size_t header_lines;        /* how many header lines */
    size_t clients;             /* known at once */
    size_t runs;                /* in the engine at once */
    size_t cases;               /* of one run */
    size_t connections;         /* open at once; 0: as many as descriptors allow */
    size_t subscribers;         /* who may follow the events at once */
    size_t definition;          /* bytes of one definition file */
    int64_t request_timeout_ms; /* from a request's first byte to its last */
    int64_t idle_connection_ms; /* a connection between two requests */
};

/* [history]: what stays of runs that have ended. */
struct config_history {
    size_t keep;  /* at most so many runs; 0: all */
    size_t days;  /* none that ended longer ago; 0: however old */
    size_t files; /* bytes of all uploaded files together; 0: no limit */
};

enum config_switch { CONFIG_NO, CONFIG_YES };

struct config {
    struct config_list listen;    /* [server] listen, as http_server_listen() wants */
    char *state_dir;              /* [server] state-dir; owned */
    enum durability durability;   /* [server] durability */
    size_t compact_after;         /* [server] compact-after; 0: never */
    struct config_list paths;     /* [tests] path: files, folders or globs */
    struct config_list only;      /* [tests] only: globs; none: everything */
    struct config_list actions;   /* [tests] actions: further dictionaries */
    enum config_switch strict;    /* [tests] strict */
    char *wait_scale;             /* [tests] wait-scale: a decimal number; owned */
    size_t repeat;                /* [tests] repeat: how often each case runs */
    enum config_switch autostart; /* [tests] autostart: run at the start, unasked */
    size_t retries;               /* [tests] retries: of a case that failed */
    struct config_list homerunner_urls; /* [homerunner] url: without trailing slashes */
    size_t homerunner_limit;       /* [homerunner] limit: deployments at once, of each */
    int64_t homerunner_timeout_ms; /* [homerunner] timeout: one create, connect too */
    int64_t homerunner_connect_ms; /* [homerunner] connect-timeout */
    size_t worker_threads;         /* [workers] threads */
    size_t worker_queue;           /* [workers] queue: jobs that may wait */
    int64_t idle_client_ms;        /* a waiting client not heard of for so long */
    int64_t active_client_ms;      /* the same for a client that plays a role */
    int64_t long_poll_ms;          /* a poll that names no wait of its own */
    int64_t long_poll_max_ms;      /* no poll is held for longer */
    int64_t heartbeat_ms;          /* how often who follows the events hears something */
    enum log_level log_level;      /* [log] level */
    struct config_history history; /* [history] */
    struct config_limits limits;   /* [limits] */
    struct settings settings;      /* what the engine is told */
};

/* A value of the command line, which wins over the file's. Its texts are there for as
 * long as the process. */
struct config_override {
    const char *section; /* "server" */
    const char *key;     /* "listen" */
    const char *value;   /* as the file would have it */
};

/* Where a configuration comes from: all that is needed to read it anew. */
struct config_origin {
    const char
        *file; /* there for as long as the process; NULL: the default one, if any */
    struct config_override *overrides; /* in their order; owned by who made it */
    size_t override_count;             /* length of overrides */
};

/* Fill in the defaults; the folder of state is systemd's $STATE_DIRECTORY where that is
 * set. Whatever follows, config_clear() frees it. */
void config_init(struct config *config);

/* Free what the configuration owns, not the struct itself, and zero it. */
void config_clear(struct config *config);

/* Read `file` over what the configuration holds; NULL reads nothing. Then check what must
 * hold between settings. Gives 0, or -1 with *mistakes: one sentence a line, each with
 * file, line, section and key (no newline after the last). All mistakes are told at once,
 * up to a bound. After -1 the configuration can only be cleared. */
int config_load(struct config *config, const char *file, char **mistakes);

/* Set one key from text, as the file would, but comments are not known here: meant for
 * options of the command line. [client-type NAME] and [server-type NAME] can't be set.
 * Gives 0, or -1 with *cause and nothing changed. After the last one, config_check(). */
int config_set(struct config *config, const char *section, const char *key,
               const char *value, char **cause);

/* Check what must hold between settings. Gives 0, or -1 with *mistakes, one a line. */
int config_check(const struct config *config, char **mistakes);

/* The file that an origin means at this moment: NULL where it names none and the default
 * one is not there. Borrowed. */
const char *config_origin_file(const struct config_origin *origin);

/* Read all layers of an origin: defaults, file, command line. Gives 0, or -1 with
 * *mistakes, one a line. Either way config_clear() frees it. */
int config_read(struct config *config, const struct config_origin *origin,
                char **mistakes);

/* Have the running configuration take over from a fresh one what may change while the
 * server runs, by exchange: then `fresh` holds the old values, for config_clear() once
 * nobody borrows them any more. *changed gets a list of the keys that are new now, and
 * *restart a sentence for each that takes a restart, one a line; both are owned, and
 * NULL where there are none. */
void config_adopt(struct config *running, struct config *fresh, char **changed,
                  char **restart);

/* End a layer: the next value of a list replaces what is there. config_init() and
 * config_load() do so themselves. */
void config_inherit(struct config *config);

/* The folder below which the journal, the history and uploaded files lie. Returns
 * owned. */
char *config_state_folder(const struct config *config);

/* Write a line for each key: section, key, default, help, and "reload" or "restart"
 * for what a change takes, with tabs between them. The default of a key that has none
 * is empty. Where any key is allowed, key is "*". */
void config_describe(FILE *out);

#endif
