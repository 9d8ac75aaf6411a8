/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The front end between clients and engine, as the daemon has it: an input is written to
 * the journal, then applied, then answered. Between these the process may die; another
 * one reads the journal back.
 */
#ifndef SIM_FRONT_H
#define SIM_FRONT_H

#include "engine.h"
#include "ids.h"
#include "sim.h"

#include <json-c/json.h>
#include <sys/queue.h>

/* What an asker hears: a status as of HTTP. Called once, unless the process dies before.
 */
typedef void answering(struct sim *sim, void *asker, int64_t number, int status);

/* An input on its way. */
struct pending {
    struct json_object *input; /* owned */
    struct instant at;         /* its moment */
    int64_t number;            /* in the journal, once it is safe */
    bool keep;                 /* it is written again where a write is refused */
    answering *answered;       /* NULL: nobody hears of it */
    void *asker;               /* for answered; borrowed */
    int64_t request;           /* for answered */
    TAILQ_ENTRY(pending) link; /* in the queue, then in safe */
};

TAILQ_HEAD(pending_list, pending);

/* An input that is safe. */
struct written {
    char *text;           /* as JSON; owned */
    struct instant at;    /* its moment */
    int64_t number;       /* they grow */
    char brings[ID_SIZE]; /* id of the run that it brings, or "" */
    char begins[ID_SIZE]; /* of the run that it begins, or "" */
};

struct front {
    struct engine *engine;     /* NULL while there is no process; owned */
    bool is_open;              /* clients are served: the start is done */
    struct pending_list queue; /* asked, not yet safe */
    struct pending_list safe;  /* not yet applied */
    size_t queued;             /* length of queue */
    size_t under_way;          /* answers that are not yet given */
    bool commits;              /* a commit is under way */
    bool applies;              /* inputs are about to be applied */
    bool time_asked;           /* an input of time is under way */
    int64_t timer_ms;          /* when the timer strikes; INT64_MAX: it does not */
    struct written *journal;   /* owned */
    size_t journal_count;      /* length of journal */
    size_t journal_room;       /* allocated length of journal */
    int64_t last_number;       /* of the latest input that was written */
    int64_t applied;           /* number of the latest input that was applied */
    bool is_cut;               /* the journal does not begin at the beginning */
    bool has_snapshot;         /* but with a snapshot */
    unsigned refusal;          /* thousandths of commits that are refused */
    bool resuming;             /* engine_resume() is being applied */
    bool stopping;             /* it was told to stop, and ends by itself */
    unsigned crash_odds;       /* 1 of so many events is the last of a process; 0: none */
    unsigned crashes_left;     /* how many more there may be */
};

/* Make the first process, and end the last one. */
void front_begin(struct sim *sim);
void front_free(struct sim *sim);

/* Write an input, have it applied, answer. Takes the input. */
void front_submit(struct sim *sim, struct json_object *input, bool keep,
                  answering *answered, void *asker, int64_t request);

/* To be called after whatever may have changed the engine. */
void front_settle(struct sim *sim);

/* What was on its way is lost with the process. */
void front_forget(struct front *front);

/* Nothing is on its way. */
bool front_is_idle(const struct front *front);

#endif
