/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state machine of a case, compiled: what every role is asked in every state, which
 * reports are accepted, where they lead. It never changes once built; cases of the same
 * kind share one.
 */
#ifndef TL_MACHINE_H
#define TL_MACHINE_H

#include "mistakes.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum state_kind {
    STATE_ACTIONS,  /* roles are asked to do something */
    STATE_WAIT,     /* some time passes */
    STATE_SET,      /* names get values */
    STATE_ASSERT,   /* a condition holds, or the case has failed */
    STATE_CHECK,    /* a condition holds, or the case fails at its end */
    STATE_FIND,     /* a name gets the one value among many that is wanted */
    STATE_HTTP,     /* a worker asks another server */
    STATE_COMPLETE, /* end: success */
    STATE_FAILURE,  /* end: failed */
    STATE_ERROR,    /* end: error */
};

/* A name that a report may give, and where it leads. */
struct machine_response {
    char *name; /* NULL: every name but failed and error; owned */
    int target; /* the state's index; MACHINE_STAYS: it only counts as reported */
};

#define MACHINE_STAYS    (-1)
#define MACHINE_NO_STATE (-1)

/* What a role is asked in a state. */
struct machine_action {
    size_t role;              /* whose it is */
    char *name;               /* "login"; owned */
    struct json_object *data; /* with `${…}`, template and given members merged; owned */
    struct machine_response *responses; /* what is accepted; owned */
    size_t response_count;              /* length of responses */
    char **names;        /* the dictionary's response names, canonical first; owned */
    size_t name_count;   /* length of names, at least 1 */
    char *save;          /* the name under which a report is kept, or NULL; owned */
    int64_t timeout_ms;  /* from entering the state */
    struct where *place; /* where it stands in the definition; owned */
};

struct machine_state {
    char *name;                     /* unique in the machine; owned */
    enum state_kind kind;           /* which of the members below count */
    struct machine_action *actions; /* STATE_ACTIONS, in the order of the file; owned */
    size_t action_count;            /* length of actions */
    struct json_object
        *body;           /* STATE_WAIT: duration; STATE_SET: names and values; owned */
    int next;            /* where it goes when it is done; MACHINE_NO_STATE if nowhere */
    struct where *place; /* where it stands in the definition; owned */
    size_t first_edge;   /* index of the first edge that leaves it */
    size_t edge_count;   /* how many leave it; they stand side by side */
};

/* An arrow of the drawing. */
struct machine_edge {
    int from;     /* state index */
    int to;       /* state index */
    int action;   /* index of the state's action; -1 for `next` */
    int response; /* index of the action's response; -1 for `next` */
};

struct machine {
    size_t references;            /* who shares it; see machine_hold() */
    char *name;                   /* of the test; owned */
    char **roles;                 /* role names; owned */
    size_t role_count;            /* length of roles */
    struct machine_state *states; /* owned */
    size_t state_count; /* length of states; the three end states are the first three */
    struct machine_edge *edges; /* owned, made by machine_finish() */
    size_t edge_count;          /* length of edges */
    int initial;                /* index of the first state */
    double wait_scale;          /* waits last this many times as long as they say */
};

/* A machine with the end states complete, failure and error (indices 0, 1, 2). The caller
 * has the one reference. Copies names. */
struct machine *machine_new(const char *name, size_t role_count);

/* Share it, and give a share back; the last one frees. NULL is fine. */
struct machine *machine_hold(struct machine *machine);
void machine_release(struct machine *machine);

/* Add a state; gives its index. Copies name and place. Pointers to states move. */
int machine_add_state(struct machine *machine, const char *name, enum state_kind kind,
                      const struct where *place);

/* Add an action to a state of kind STATE_ACTIONS. Copies name and place; gives the action
 * to fill in, borrowed until the next one is added. */
struct machine_action *machine_add_action(struct machine *machine, int state, size_t role,
                                          const char *name, const struct where *place);

/* Add a response that the action accepts. Copies name (may be NULL). */
void machine_action_accept(struct machine_action *action, const char *name, int target);

/* The state's index by name, or MACHINE_NO_STATE. */
int machine_find(const struct machine *machine, const char *name);

/* Number the edges, once all states are there. */
void machine_finish(struct machine *machine);

/* The edge that leaves `from` by this action and response (-1, -1: by `next`); -1 if
 * none. */
int machine_edge(const struct machine *machine, int from, int action, int response);

/* Whether a state ends the case. */
bool machine_is_end(const struct machine *machine, int state);

/* Whether a case stays in such a state until something happens, or for good; from the
 * others it goes on to `next` at once. */
bool machine_state_rests(const struct machine_state *state);

/* Find what a reported name means for the action: the index of the response that takes
 * it, or -1. NULL stands for the canonical name; other names of the same action are
 * tried, then "any name". Gives the name that was understood in *meant (borrowed). */
int machine_action_match(const struct machine_action *action, const char *reported,
                         const char **meant);

/* The accepted names as a list for people: `started_crosssign, done`, or "any name but
 * failed and error". Owned by the caller. */
char *machine_action_accepts(const struct machine_action *action);

#endif
