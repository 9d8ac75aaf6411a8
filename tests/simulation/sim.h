/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rooms of the simulation share: one seed's world with its virtual time and its
 * chance, what is told of a failure, what is counted. One thread.
 */
#ifndef SIM_H
#define SIM_H

#include "clock.h"
#include "heap.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X-macro: what is counted, and shown at the end. `must`: a long go without any is
 * vacuous. */
#define TALLY(X)                                                                         \
    X(seeds, true, "seeds")                                                              \
    X(inputs, true, "inputs")                                                            \
    X(polls, true, "polls")                                                              \
    X(runs, true, "runs")                                                                \
    X(cases, true, "cases")                                                              \
    X(success, true, "success")                                                          \
    X(failed, true, "failed")                                                            \
    X(error, true, "error")                                                              \
    X(never, true, "never started")                                                      \
    X(retries, true, "retries")                                                          \
    X(flaky, true, "flaky")                                                              \
    X(clients, true, "clients")                                                          \
    X(lost, true, "clients lost")                                                        \
    X(adapter_errors, true, "adapter errors")                                            \
    X(reports, true, "reports acknowledged")                                             \
    X(taken, true, "reports taken")                                                      \
    X(repeated, true, "repeats acknowledged")                                            \
    X(stale, true, "reports refused")                                                    \
    X(not_accepted, true, "responses not accepted")                                      \
    X(answers_lost, true, "answers lost")                                                \
    X(refused, true, "writes refused")                                                   \
    X(uploads, true, "uploads")                                                          \
    X(late_uploads, true, "late uploads")                                                \
    X(created, true, "deployments made")                                                 \
    X(not_created, true, "creates failed")                                               \
    X(remade, true, "deployments made anew")                                             \
    X(destroyed, true, "deployments destroyed")                                          \
    X(found_late, true, "lost servers found")                                            \
    X(never_came, true, "lost servers that never came")                                  \
    X(not_destroyed, true, "destroys given up")                                          \
    X(requests, true, "http requests")                                                   \
    X(crashes, true, "crashes")                                                          \
    X(crash_asked, true, "with inputs not yet safe")                                     \
    X(crash_safe, true, "with inputs safe, not applied")                                 \
    X(crash_applied, true, "with answers under way")                                     \
    X(crash_preparing, true, "while preparing")                                          \
    X(crash_http, true, "during http")                                                   \
    X(crash_between, true, "between runs")                                               \
    X(cuts, true, "journals cut")                                                        \
    X(snapshots, true, "snapshots")                                                      \
    X(cut_replays, true, "replays of a cut journal")                                     \
    X(stops, true, "stops")                                                              \
    X(cancelled_runs, true, "runs cancelled")                                            \
    X(cancelled_queued, true, "cancelled in the queue")                                  \
    X(cancelled_cases, true, "cases cancelled")                                          \
    X(cancelled_early, true, "cases cancelled in the queue")                             \
    X(forgotten, true, "runs forgotten")                                                 \
    X(replays, true, "replays compared")                                                 \
    X(documents, true, "JUnit documents")

struct tally {
#define TALLY_MEMBER(name, must, text) size_t name;
    TALLY(TALLY_MEMBER)
#undef TALLY_MEMBER
};

#define TRACE_LINES 40
#define TRACE_SIZE  200

/* What is known of a worker outside of it, whatever becomes of it. */
struct report {
    uint64_t seed;                       /* that it is at */
    struct tally tally;                  /* of the seeds that it has done */
    char trace[TRACE_LINES][TRACE_SIZE]; /* its latest events, a ring */
    size_t trace_count;                  /* how many there were */
};

struct front;
struct fleet;
struct homes;
struct ledger;
struct memory;
struct people;

/* One seed. */
struct sim {
    uint64_t random;      /* state of the chance */
    struct heap agenda;   /* struct event, by moment and order */
    uint64_t event_count; /* events so far: their order */
    int64_t ms;           /* what time it is, since the beginning */
    int64_t lag_ms;    /* by how much the clock for time-outs is behind, of dead times */
    unsigned process;  /* number of the process that is alive, or was */
    bool crash_wanted; /* it is to die after this event */
    bool quiet;        /* no client does anything any more */
    bool over;         /* that was all */
    bool verbose;      /* events are printed */
    struct report *report; /* for those outside; borrowed */
    struct front *front;   /* owned, as the others */
    struct fleet *fleet;
    struct homes *homes;
    struct memory *memory;
    struct ledger *ledger;
    struct people *people;
};

/* Something that happens. */
typedef void happening(struct sim *sim, void *about, int64_t number);

/* Have it happen so many milliseconds from now. The second one does not outlive the
 * process. */
void sim_after(struct sim *sim, int64_t ms, happening *happen, void *about,
               int64_t number);
void sim_after_here(struct sim *sim, int64_t ms, happening *happen, void *about,
                    int64_t number);

/* The same as the first one; takes `about`, which is freed after it. */
void sim_after_with(struct sim *sim, int64_t ms, happening *happen, void *about);

/* Go to the next event and have it happen. False: there is none. */
bool sim_step(struct sim *sim);

/* Free what has not happened. */
void sim_clear(struct sim *sim);

/* The moment as the process has it. */
struct instant sim_now(const struct sim *sim);

/* The same for any number on the clock for time-outs, as time of the simulation. */
int64_t sim_of_mono(const struct sim *sim, int64_t mono_ms);

/* A number from 0 to below - 1; and from first to last. */
unsigned sim_random(struct sim *sim, unsigned below);
int64_t sim_between(struct sim *sim, int64_t first, int64_t last);

/* True so many times of a thousand. */
bool sim_chance(struct sim *sim, unsigned thousandths);

/* Note what happens, for the story of a failure. */
void sim_trace(struct sim *sim, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What must never be: tell the story and end the process. */
void sim_fail(struct sim *sim, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/* The story of a failure, on stdout: the seed, its latest events, how to see it again. */
void report_print(const struct report *report);

#define COUNT(sim, name) ((sim)->report->tally.name++)

#endif
