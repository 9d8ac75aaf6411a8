/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's rooms, held together: what the endpoints need to answer. Loop thread only.
 */
#ifndef TL_DAEMON_H
#define TL_DAEMON_H

#include "config.h"
#include "engine.h"
#include "status.h"

#include <stdbool.h>
#include <stdio.h>

struct daemon {
    struct config config;          /* what the configuration says */
    struct event_base *base;       /* the loop; owned */
    struct workers *workers;       /* whatever may block; owned */
    struct homerunner *homerunner; /* homeservers made on demand; owned */
    struct httpsteps *httpsteps;   /* requests of tests to other servers; owned */
    struct renderer *renderer;     /* pictures; owned */
    struct uploads *uploads;       /* files from clients; owned */
    struct lane *downloads;        /* the same files for people; of the pool; borrowed */
    struct presence *presence;     /* who was heard when, held polls; owned */
    struct engine *engine;         /* runs, cases and clients; owned */
    char *state_folder;            /* of journal, history and files; owned */
    struct journal *journal;       /* inputs on the disk; NULL: none are kept; owned */
    struct inputs *inputs;         /* the one way into the engine; owned */
    struct history *history;       /* runs that have ended; owned */
    struct runs *runs;             /* which begins when; owned */
    struct expected *expected;     /* how long cases take; owned */
    struct keeping *keeping;       /* what becomes of ended ones; owned */
    struct ending *ending;         /* the end of the process; owned */
    struct documents *documents;   /* of runs, however large; owned */
    struct events *events;         /* who follows what changes; owned */
    struct http_server *http;      /* the front end; owned */
    struct event *engine_timer;    /* the engine's next deadline; owned */
    struct event *second_timer;    /* once a second; owned */
    struct dictionary *dictionary; /* the shipped actions; owned */
    bool telling_time;             /* the input that says so is under way */
    char hostname[256];            /* for reports */
    bool once;                     /* stop when all cases have ended */
    bool saying;                   /* --once: all has ended, clients are told */
    bool stopping;                 /* on the way out */
    bool over;                     /* nothing is waited for any more */
    int64_t begun_ms;   /* monotonic: when this process took over from the journal */
    int64_t watched_ms; /* monotonic: when a program last asked how things stand */
    int exit_status;    /* of the process */

    const struct config_origin *origin; /* where the configuration is from; borrowed */
    struct supervisor *supervisor;      /* tells systemd how the service stands; owned */
    struct reload *reload;              /* SIGHUP; owned */
};

/* Make all rooms, stand where the journal ends, read the definitions, listen. The
 * daemon's configuration and its origin are there, everything else zero. Gives false
 * after it has logged what went wrong; daemon_free() either way. */
bool daemon_start(struct daemon *daemon);

/* Serve until the end; gives the exit status of the process. */
int daemon_run(struct daemon *daemon);
void daemon_free(struct daemon *daemon);

/* Called after every input of the engine: sets the timer, has the next run begin, notices
 * the end. */
void daemon_settle(struct daemon *daemon);

/* What lib/status.h wants to know of the daemon, as of now. */
struct status_view daemon_view(const struct daemon *daemon);

#endif
