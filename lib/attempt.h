/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One go of a case through its machine: the current state, what each role is to do, what
 * was reported, how it ended. Knows nothing of other cases, of clients that wait, or of
 * HTTP. Any thread, one at a time.
 */
#ifndef TL_ATTEMPT_H
#define TL_ATTEMPT_H

#include "clock.h"
#include "ids.h"
#include "machine.h"
#include "scope.h"
#include "transcript.h"
#include "verdict.h"

/* What one role is doing. */
struct seat {
    const char *role; /* its name; borrowed from the machine */
    char *client;     /* id of the client that plays it; owned */
    char *type;       /* that client's registration type; owned */
    const struct machine_action
        *action;              /* outstanding, or NULL: nothing to do; of the machine */
    struct json_object *data; /* of the outstanding action, `${…}` replaced; owned */
    char delivery[ID_SIZE];   /* id of the outstanding delivery; "" if none */
    char taken[ID_SIZE];      /* id of the latest delivery whose report was taken */
    char *answer;             /* see attempt_answer(); NULL: not asked for; owned */
    struct instant asked;     /* when the outstanding action was given */
    int64_t deadline_ms;      /* its end on the monotonic clock */
    bool changed;             /* what a poll is told has changed; the engine resets it */
    int64_t
        polled_ms; /* wall time of the client's latest poll, set before time-outs; 0: none */
};

struct attempt {
    const struct machine *machine; /* what it runs; borrowed */
    char id[ID_SIZE];              /* deliveries and the nonce derive from it */
    struct seat *seats;            /* one for each role; owned */
    struct json_object *scope;     /* what `${…}` finds; owned */
    struct json_object *reporters; /* saved name -> role that reported it; owned */
    struct json_object *missing;   /* name -> why a find gave it no value; owned */
    struct json_object *colours;   /* file name -> colour of its centre pixel; owned */
    struct json_object *checks;    /* array: checks that did not hold; owned */
    int state;                     /* current state's index */
    struct instant entered;        /* when it was entered */
    unsigned *visits;              /* how often each state was entered; owned */
    unsigned *taken_edges;         /* how often each edge was taken; owned */
    unsigned deliveries;           /* how many were made: names the next one */
    struct json_object *request; /* STATE_HTTP: to be sent; the engine takes it; owned */
    char ticket[ID_SIZE];     /* STATE_HTTP: of the request that is under way; else "" */
    int64_t wait_until_ms;    /* STATE_WAIT: its end on the monotonic clock */
    int64_t case_deadline_ms; /* the end of all patience */
    int64_t case_timeout_ms;  /* the same as a duration, for messages */
    struct verdict verdict;   /* how it ended */
    struct transcript transcript; /* what happened */
};

/* How a report was received. */
enum report_result {
    REPORT_TAKEN,        /* it counted */
    REPORT_REPEATED,     /* its delivery was reported before: nothing changed */
    REPORT_STALE,        /* its delivery is not the outstanding one: nothing changed */
    REPORT_NOT_ACCEPTED, /* the state does not accept the name: nothing changed (strict
                            only) */
};

/* Begin: makes the scope and enters the machine's first state. Copies the parts; borrows
 * machine for the attempt's life. An attempt whose values can't be had has ended when
 * this returns. */
struct attempt *attempt_new(const struct machine *machine,
                            const struct scope_parts *parts, int64_t case_timeout_ms,
                            size_t transcript_limit, const struct instant *now);
void attempt_free(struct attempt *attempt);

/* What a poll of this seat is told, as JSON text; NULL: there is nothing to do. Made when
 * it is first asked for. Borrowed until the attempt changes. */
const char *attempt_answer(const struct attempt *attempt, size_t seat);

/* A report of this seat, about this delivery (NULL or "": the seat was given none).
 * Borrows body, an object. `strict`: a name that is not accepted changes nothing, instead
 * of ending the case. */
enum report_result attempt_report(struct attempt *attempt, size_t seat,
                                  const char *delivery, struct json_object *body,
                                  bool strict, const struct instant *now);

/* The adapter of this seat says that it is broken. `is_action`: the action itself failed.
 */
void attempt_adapter_error(struct attempt *attempt, size_t seat, bool is_action,
                           const char *details, const char *path,
                           const struct instant *now);

/* End it from outside. Does nothing if it has ended. `details` may be NULL. */
void attempt_end(struct attempt *attempt, enum outcome outcome, const char *type,
                 const char *message, const char *details, const struct instant *now);

/* The same with the message formatted. */
void attempt_endf(struct attempt *attempt, enum outcome outcome, const char *type,
                  const char *details, const struct instant *now, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* End it as an error because a value that its current state needs can't be had. Takes
 * cause. */
void attempt_end_without_value(struct attempt *attempt, char *cause,
                               const struct instant *now);

/* Give a name its value (takes it): from now on it is what `role` reported, or NULL. */
void attempt_save(struct attempt *attempt, const char *name, struct json_object *value,
                  const char *role);

/* The current state. Borrowed from the machine. */
const struct machine_state *attempt_current(const struct attempt *attempt);

/* What became of the request with this ticket: a reply ({status, headers, json, text};
 * borrowed), or the cause why there is none. One that nobody waits for any more changes
 * nothing. */
void attempt_http_answered(struct attempt *attempt, const char *ticket,
                           struct json_object *reply, const char *cause,
                           const struct instant *now);

/* The moment on the monotonic clock at which attempt_time() has something to do;
 * INT64_MAX once it has ended. */
int64_t attempt_deadline(const struct attempt *attempt);

/* Time has passed: waits end, time-outs strike. */
void attempt_time(struct attempt *attempt, const struct instant *now);

/* All of it as JSON but for the lines of its transcript, owned by the caller; between two
 * inputs, when nothing of it is left for the engine to do. And one from such JSON, which
 * goes on as that one; NULL if it is none of an attempt of this machine. Borrows machine
 * for the attempt's life. lib/attempt_snapshot.c. */
struct json_object *attempt_snapshot(const struct attempt *attempt);
struct attempt *attempt_restore(const struct machine *machine, size_t transcript_limit,
                                struct json_object *json);

#endif
