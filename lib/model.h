/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine's things: suites, cases, clients. Shared by the rooms that change them
 * (engine, matching) and those that only show them (status, junit, graph). Not for the
 * daemon.
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

#include <sys/queue.h>

struct matching;
struct signature;

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
    struct testcase *testcase; /* the case it plays or played in; NULL: none; borrowed */
    size_t seat;               /* which role it has there */
    int64_t registered_ms;     /* wall time */
    int64_t reported_ms;       /* wall time of the latest report; 0: none */
    char *exit_answer;         /* what a poll is told when all is over; owned */
    struct membership *memberships; /* the client types that it counts as; owned */
    size_t membership_count;        /* length of memberships */
    size_t mark;                    /* matching: the trial that took it last */
    UT_hash_handle hh;              /* by id */
};

/* One case of a suite: a test with one choice of client types. */
struct testcase {
    char id[ID_SIZE];              /* the same for the same run, suite and name */
    char *name;                    /* "red=element-web green=element-web #2"; owned */
    struct suite *suite;           /* whose; borrowed */
    size_t order;                  /* position among all cases of the run */
    struct machine *machine;       /* held */
    struct signature *signature;   /* what it needs; owned by matching */
    TAILQ_ENTRY(testcase) waiting; /* in its signature's queue, while CASE_WAITING */
    enum case_state state;   /* see CASE_STATES; testcase_set_state() alone changes it */
    struct client **players; /* by role, once it has them; owned array */
    struct attempt *attempt; /* its go through the machine; NULL before; owned */
    struct verdict verdict;  /* of a case that ended before its machine ran */
    char deployment[ID_SIZE + 8]; /* its homerunner deployment; "" if none */
    bool deployed; /* the deployment was asked for, and is to be destroyed */
    struct json_object
        *servers;              /* array of {name, server_name, cs_api}, or NULL; owned */
    struct json_object *files; /* name -> size of what was uploaded, or NULL; owned */
    struct json_object
        *colours; /* name -> colour, until its machine runs; or NULL; owned */
    struct transcript prelude; /* what happened before the machine ran */
    struct instant taken;      /* when it got its clients; mono_ms 0: not yet */
    struct instant ended;      /* when it ended; mono_ms 0: not yet */
    struct heap_entry due;     /* its next time-out */
    UT_hash_handle hh;         /* by id */
};

/* One test and its cases. */
struct suite {
    char id[ID_SIZE];              /* the same for the same run, folder and name */
    struct definition *definition; /* owned */
    struct testcase *cases;        /* owned */
    size_t case_count;             /* length of cases */
    TAILQ_ENTRY(suite) link;       /* in the engine's list */
    UT_hash_handle hh;             /* by id */
};

TAILQ_HEAD(suite_list, suite);
TAILQ_HEAD(testcase_list, testcase);

struct engine {
    const struct settings *settings; /* borrowed */
    struct engine_ops ops;           /* how it reaches the world */
    void *context;                   /* for the ops; borrowed */
    char run_id[ID_SIZE];            /* all ids derive from it */
    struct instant started;          /* when it was made */
    struct suite_list suites;        /* in the order of the files */
    struct suite *suites_by_id;      /* uthash */
    struct testcase *cases_by_id;    /* uthash */
    size_t case_count;               /* of all suites */
    size_t totals[CASE_STATE_COUNT]; /* how many cases are in each state */
    struct client *clients;          /* uthash by id, in the order of registration */
    struct matching *matching;       /* who is free, which case can start; owned */
    struct heap due;                 /* time-outs of cases, by monotonic ms */
    size_t deployments;              /* asked for and not yet destroyed */
    bool begun;                      /* all suites are there: cases may start */
    char *stopping; /* why no case may start any more; NULL: it goes on; owned */
};

/* Move the case to a state, counting it there. */
void testcase_set_state(struct engine *engine, struct testcase *testcase,
                        enum case_state state);

/* "waiting", "preparing" … */
const char *case_state_text(enum case_state state);
const char *client_state_text(enum client_state state);

/* Whether the case can't change any more. */
bool testcase_has_ended(const struct testcase *testcase);

/* How long it took since it had its clients, until now if it still goes on, in seconds. */
double testcase_seconds(const struct testcase *testcase, const struct instant *now);

/* How it ended, from its attempt or from before; outcome is OUTCOME_NONE while it goes
 * on. */
const struct verdict *testcase_verdict(const struct testcase *testcase);

#endif
