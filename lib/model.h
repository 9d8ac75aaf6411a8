/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine's things: runs, suites, cases and their turns, clients. Shared by the rooms
 * that change them (engine, matching) and those that only show them (status, junit,
 * graph). Not for the daemon.
 */
#ifndef TL_MODEL_H
#define TL_MODEL_H

#include "attempt.h"
#include "definition.h"
#include "engine.h"
#include "hash.h"
#include "heap.h"
#include "ids.h"
#include "machine.h"
#include "settings.h"

#include <sys/queue.h>

struct matching;
struct signature;
struct testcase;
struct turn;

/* X-macro: the states of a case. */
#define CASE_STATES(X)                                                                   \
    X(WAITING, "waiting")     /* for clients, or for a free deployment */                \
    X(PREPARING, "preparing") /* has its clients; its servers are being made */          \
    X(RUNNING, "running")     /* its machine runs */                                     \
    X(SUCCESS, "success")                                                                \
    X(FAILED, "failed")                                                                  \
    X(ERROR, "error")

enum case_state {
#define CASE_STATE_ENUM(name, text) CASE_##name,
    CASE_STATES(CASE_STATE_ENUM)
#undef CASE_STATE_ENUM
        CASE_STATE_COUNT
};

/* X-macro: the states of a client. */
#define CLIENT_STATES(X)                                                                 \
    X(WAITING, "waiting") /* for a case */                                               \
    X(PLAYING, "playing") /* a role */                                                   \
    X(DONE, "done")       /* its case has ended */                                       \
    X(LOST, "lost")       /* gave up, or was not heard of any more */

enum client_state {
#define CLIENT_STATE_ENUM(name, text) CLIENT_##name,
    CLIENT_STATES(CLIENT_STATE_ENUM)
#undef CLIENT_STATE_ENUM
};

/* A client's place among the free clients of one client type. */
struct membership {
    struct client *client;        /* whose; borrowed */
    struct client_type *type;     /* in whose list; borrowed */
    TAILQ_ENTRY(membership) link; /* the list is in the order of registration */
};

/* One program under test with its adapter. */
struct client {
    char *id;                         /* as it names itself; owned */
    char *type;                       /* registration's `type`; owned */
    struct json_object *registration; /* all that it said; owned */
    enum client_state state;          /* see CLIENT_STATES */
    struct turn *turn;     /* in which it plays or played; NULL: none; borrowed */
    size_t seat;           /* which role it has there */
    int64_t registered_ms; /* wall time */
    int64_t reported_ms;   /* wall time of the latest report; 0: none */
    char *exit_answer;     /* what a poll is told when all is over; owned */
    struct membership *memberships; /* the client types that it counts as; owned */
    size_t membership_count;        /* length of memberships */
    size_t mark;                    /* matching: the trial that took it last */
    size_t joined;     /* while it stands in line: the smallest number came first */
    UT_hash_handle hh; /* by id */
};

/* One attempt of a case: its clients, its servers, its files, its go through the
 * machine. */
struct turn {
    unsigned number;               /* from 1 */
    struct testcase *testcase;     /* whose; borrowed */
    struct client **players;       /* by role; owned array */
    struct attempt *attempt;       /* its go through the machine; NULL before; owned */
    enum case_state state;         /* CASE_PREPARING or CASE_RUNNING, then its outcome */
    struct verdict verdict;        /* of one that ended before its machine ran */
    struct deployment *deployment; /* its homerunner deployment; NULL: none; borrowed */
    struct json_object
        *servers;              /* array of {name, server_name, cs_api}, or NULL; owned */
    struct json_object *files; /* name -> size of what was uploaded, or NULL; owned */
    struct json_object
        *colours; /* name -> colour, until its machine runs; or NULL; owned */
    struct transcript prelude; /* what happened before the machine ran */
    struct instant taken;      /* when it got its clients */
    struct instant ended;      /* when it ended; mono_ms 0: not yet */
    TAILQ_ENTRY(turn) link;    /* in its case's list */
};

TAILQ_HEAD(turn_list, turn);

/* One case of a suite: a test with one choice of client types. */
struct testcase {
    char id[ID_SIZE];            /* the same for the same run, suite and name */
    char *name;                  /* "red=element-web green=element-web #2"; owned */
    struct suite *suite;         /* whose; borrowed */
    size_t order;                /* position among all cases of the run */
    size_t index;                /* which choice of client types of its definition */
    struct machine *machine;     /* held */
    struct signature *signature; /* what it needs; owned by matching */
    struct heap_entry waiting;   /* in its signature's queue, while it waits */
    enum case_state state; /* see CASE_STATES; testcase_set_state() alone changes it */
    struct turn *turn; /* that goes on, or brought the outcome; NULL: none; borrowed */
    struct turn_list turns; /* all of them, the first one first; owned */
    unsigned turn_count;    /* length of turns */
    unsigned deployments;   /* how many were asked for: names the next one */
    struct verdict verdict; /* of a case that ended while it waited */
    struct instant ended;   /* when it ended; mono_ms 0: not yet */
    struct heap_entry due;  /* its next time-out */
    UT_hash_handle hh;      /* by id */
};

/* One test and its cases. */
struct suite {
    char id[ID_SIZE];              /* the same for the same run, folder and name */
    struct run *run;               /* whose; borrowed */
    struct definition *definition; /* owned */
    struct testcase *cases;        /* owned */
    size_t case_count;             /* length of cases */
    TAILQ_ENTRY(suite) link;       /* in the run's list */
    UT_hash_handle hh;             /* by id */
};

TAILQ_HEAD(suite_list, suite);

/* X-macro: the states of a run. */
#define RUN_STATES(X)                                                                    \
    X(QUEUED, "queued")   /* another one is going */                                     \
    X(RUNNING, "running") /* its cases start, play and end */                            \
    X(ENDED, "ended")     /* no case of it can change any more */

enum run_state {
#define RUN_STATE_ENUM(name, text) RUN_##name,
    RUN_STATES(RUN_STATE_ENUM)
#undef RUN_STATE_ENUM
};

/* One go through the chosen tests. */
struct run {
    char id[ID_SIZE];                /* all ids of its suites and cases derive from it */
    char *label;                     /* for people, "" if none; owned */
    enum run_state state;            /* see RUN_STATES */
    struct settings settings;        /* of the world when it was made; owned */
    struct dictionary *dictionary;   /* the actions that it knows; NULL: none; owned */
    struct json_object *only;        /* array of globs: what it was to run; owned */
    size_t repeat;                   /* how often each case is there */
    unsigned retries;                /* of tests that do not say themselves */
    struct suite_list suites;        /* in the order of the files; owned */
    struct suite *suites_by_id;      /* uthash; the engine's from engine_add_run() on */
    struct testcase *cases_by_id;    /* the same */
    size_t case_count;               /* of all suites */
    size_t case_limit;               /* case_count never exceeds this */
    bool is_cut;                     /* for that, a test was left out */
    size_t totals[CASE_STATE_COUNT]; /* how many cases are in each state */
    size_t flaky;                    /* cases that succeeded after one that did not */
    struct matching
        *matching;        /* who is free, which case can start; while it runs; owned */
    struct instant added; /* when it was asked for */
    struct instant begun; /* when it began; mono_ms 0: not yet */
    struct instant ended; /* when it ended; mono_ms 0: not yet */
    struct json_object *checkpoint; /* engine_checkpoint() just before it began; owned */
    char *broken_off;      /* why cases that wait never start; NULL: it goes on; owned */
    size_t changes;        /* grows with all that is to be seen of it after its end */
    bool is_restored;      /* a snapshot named it; see lib/snapshot.h */
    TAILQ_ENTRY(run) link; /* in the engine's list */
};

TAILQ_HEAD(run_list, run);

/* Servers that homerunner was asked for. */
struct deployment {
    char name[ID_SIZE + 12]; /* the case's id and a number that is used once */
    struct turn *turn;       /* for which; NULL: it is forgotten; borrowed */
    char *where;             /* as engine_created() had it; NULL: not known; owned */
    bool answered;           /* homerunner has answered the request to make it */
    bool unwanted;           /* it was asked to destroy it */
    UT_hash_handle hh;       /* by name */
};

struct engine {
    struct engine_ops ops;          /* how it reaches the world */
    void *context;                  /* for the ops; borrowed */
    struct instant started;         /* when it was made */
    struct run_list runs;           /* in the order in which they were asked for; owned */
    struct run *going;              /* the one that runs, or NULL; borrowed */
    struct suite *suites_by_id;     /* uthash, of all runs */
    struct testcase *cases_by_id;   /* uthash, of all runs */
    struct client *clients;         /* uthash by id, in the order of registration */
    struct heap due;                /* time-outs of cases, by monotonic ms */
    struct deployment *deployments; /* uthash by name; owned */
    char *stopping; /* why no case may start any more; NULL: it goes on; owned */
    struct json_object *
        former; /* id -> run of clients that played before the restored beginning; owned */
    bool has_task;     /* a run was asked for since it was made, or told to stop */
    bool unsettled;    /* more cases may be able to start: engine_time() looks */
    bool is_restoring; /* it takes the parts of a snapshot; see lib/snapshot.h */
    size_t joined;     /* numbers clients as they join the line */
};

/* Move the case to a state, counting it there. */
void testcase_set_state(struct testcase *testcase, enum case_state state);

/* "waiting", "preparing" … */
const char *case_state_text(enum case_state state);
const char *client_state_text(enum client_state state);
const char *run_state_text(enum run_state state);

/* Whether the case can't change any more. */
bool testcase_has_ended(const struct testcase *testcase);

/* Whether it succeeded, but not at once. */
bool testcase_is_flaky(const struct testcase *testcase);

/* How long the turn took since it had its clients, until now if it still goes on, in
 * seconds; 0 for NULL. */
double turn_seconds(const struct turn *turn, const struct instant *now);

/* How a turn ended, and how a case did; outcome is OUTCOME_NONE while it goes on. */
const struct verdict *turn_verdict(const struct turn *turn);
const struct verdict *testcase_verdict(const struct testcase *testcase);

/* Where a line about the turn goes now. */
struct transcript *turn_transcript(struct turn *turn);

/* The state that goes with an outcome that there is. */
enum case_state case_state_of(enum outcome outcome);

/* The run of this id, or NULL; and the one that people look at: that is going, else the
 * last that began, else the first that is queued; NULL: there is none. */
struct run *engine_find_run(const struct engine *engine, const char *id);
struct run *engine_shown_run(const struct engine *engine);

#endif
