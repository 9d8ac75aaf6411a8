/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker pool: whatever may block runs here, off the loop. A job belongs to a lane; a
 * lane is a queue with threads of its own, started when they are needed, so that a slow
 * lane (homerunner) can't hold up another (pictures). Finished jobs come back through one
 * list and one wake-up.
 *
 * Everything is for the loop thread (the one that called workers_new()), except where a
 * function says otherwise.
 */
#ifndef TL_WORKER_H
#define TL_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

struct event_base;
struct lane;
struct job;
struct workers;

struct job_ops {
    const char *name; /* for the log */
    /* On a worker: may block, touches only the job's own memory. */
    void (*run)(struct job *job);
    /* On the loop, exactly once for each job taken; frees the job. */
    void (*done)(struct job *job);
};

/* The head of every job; a kind of job embeds it as its first member. */
struct job {
    const struct job_ops *ops; /* set by the submitter */
    bool cancelled;        /* in done(): run() was never called, the pool was stopping */
    TAILQ_ENTRY(job) link; /* in the lane's queue, then in the list of finished jobs */
    struct lane *lane;     /* set by job_submit() */
};

/* Make a pool that hands finished jobs back on `base`'s loop. Needs
 * evthread_use_pthreads(). */
struct workers *workers_new(struct event_base *base);

/* The loop that finished jobs come back on. Borrowed. */
struct event_base *workers_base(const struct workers *workers);

/* Add a lane of at most `threads` threads and `queue` jobs that wait while all of them
 * are busy (0: no limit). Borrows name; its first 15 bytes name the threads. The lane
 * lives as long as the pool. */
struct lane *workers_add_lane(struct workers *workers, const char *name, size_t threads,
                              size_t queue);

/* Hand a job in. Gives 0, and done() will be called, never before this returns; or
 * -EAGAIN when the lane is full, the pool is stopping or the lane's first thread can't be
 * started: then the job is still the caller's. */
int job_submit(struct lane *lane, struct job *job) __attribute__((warn_unused_result));

/* Hand in a job that is not to be run: its done() is called, later, from the loop, with
 * `cancelled` set. Works while the pool is stopping too, so that a submitter who was
 * given -EAGAIN has one way only to report how a job ended. */
void job_submit_cancelled(struct lane *lane, struct job *job);

/* Jobs waiting and running in this lane. */
size_t lane_load(struct lane *lane);

/* True once run() of a job may want to give up early: the pool is stopping. Any thread.
 */
bool workers_are_stopping(const struct workers *workers);

/* Wait `ms` milliseconds, for use in a job's run(). Gives true if the wait was cut short
 * because the pool is stopping. Any thread. */
bool workers_pause(struct workers *workers, int ms);

/* Take no more jobs; jobs still queued are finished with `cancelled` set. Running ones go
 * on. */
void workers_stop(struct workers *workers);

/* Whether any job is queued, running or waiting for its done(). */
bool workers_are_busy(const struct workers *workers);

/* Stop, and free the pool; not to be called from a done(). Waits up to `wait_ms` for
 * running jobs and calls their done(); threads that still block after that are abandoned
 * together with their jobs (the process is ending): their done() is never called and
 * nobody touches those jobs once run() has returned. Gives true if nothing had to be
 * abandoned. */
bool workers_free(struct workers *workers, int wait_ms);

#endif
