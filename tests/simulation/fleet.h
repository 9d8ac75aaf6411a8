/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Simulated clients: they register, poll, work, report, and do so badly at times. Each
 * has one id for its life; who goes on under a new id is a new one.
 */
#ifndef SIM_FLEET_H
#define SIM_FLEET_H

#include "ids.h"
#include "sim.h"

#include <json-c/json.h>

/* What a client wants next. */
enum errand {
    ERRAND_REGISTER,
    ERRAND_POLL,
    ERRAND_REPORT,
    ERRAND_ERROR,
    ERRAND_UPLOAD,
    ERRAND_NONE, /* it is gone, or silent for good */
};

/* What the front end knows of a client; gone with the process. */
struct presence {
    int64_t polled_ms;      /* wall time of its latest poll; 0: none */
    int64_t heard_ms;       /* when it was heard last */
    char delivery[ID_SIZE]; /* that its latest poll was given; "" if none */
    bool holds;             /* it has a poll that waits for something to say */
    bool woken;             /* there is something to say */
    int64_t hold;           /* number of the held poll */
};

struct robot {
    char id[24];                /* as it names itself */
    size_t index;               /* in the fleet */
    bool strict;                /* it names deliveries in its reports */
    enum errand errand;         /* what it wants */
    enum errand after;          /* what it wants then: poll or none */
    bool leaves;                /* it was told to exit */
    int64_t request;            /* number of the latest one */
    bool awaits;                /* its answer is not there yet */
    unsigned tries;             /* of this errand, so far */
    char delivery[ID_SIZE];     /* that it works on; "" if none */
    struct json_object *names;  /* responses that are accepted; owned */
    struct json_object *report; /* that it gives; owned */
    char reported[ID_SIZE];     /* delivery that the report is about; "" for none */
    char latest[ID_SIZE];       /* delivery whose report the engine took last */
    char asked[ID_SIZE]; /* delivery that the engine has outstanding for it; "" if none */
    char *work;          /* what that is: action and data; NULL if nothing; owned */
    unsigned clumsiness; /* thousandths of what it does wrong */
    struct presence presence; /* what the front end knows of it */
};

struct fleet {
    struct robot **robots; /* owned */
    size_t count;          /* length of robots */
    size_t most;           /* how many there may ever be */
    size_t wanted;         /* how many are about at once */
    int64_t requests;      /* numbers that were given */
};

void fleet_begin(struct sim *sim);
void fleet_free(struct sim *sim);

/* The robot of this id, or NULL. */
struct robot *fleet_find(const struct sim *sim, const char *id);

/* A poll of the robot is answered: with the engine's answer, or NULL: idle. */
void fleet_polled(struct sim *sim, struct robot *robot, int64_t request,
                  const char *answer);

/* The process died: all that was asked is without an answer. */
void fleet_forget_process(struct sim *sim);

#endif
