/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker pool. One mutex guards every queue and the list of finished jobs; it is held
 * only for a few instructions, never while run() or done() is called. A worker that
 * finishes a job wakes the loop only if the list was empty before, and the loop takes the
 * whole list at once: under load one wake-up serves many jobs.
 */
#include "worker.h"

#include "log.h"
#include "xalloc.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

TAILQ_HEAD(job_list, job);

/* One worker thread. Its fields are guarded by the pool's mutex. */
struct thread {
    pthread_t id;             /* for joining */
    struct lane *lane;        /* whose queue it serves */
    bool busy;                /* it is in some job's run() */
    TAILQ_ENTRY(thread) link; /* in its lane */
};

/* A queue and its threads. The first three never change, the rest is guarded by the
 * pool's mutex. */
struct lane {
    struct workers *workers;      /* the pool it belongs to */
    char name[16];                /* of its threads, as long as Linux allows */
    size_t thread_limit;          /* threads there may be */
    size_t load_limit;            /* jobs waiting and running there may be */
    struct job_list queue;        /* jobs that wait, oldest first */
    size_t queued;                /* how many those are */
    size_t running;               /* jobs in run() */
    size_t idle;                  /* threads that wait for a job */
    pthread_cond_t work;          /* a job was queued, or the pool is going away */
    TAILQ_HEAD(, thread) threads; /* all of them, owned */
    size_t thread_count;          /* how many those are */
    TAILQ_ENTRY(lane) link;       /* in the pool */
};

struct workers {
    struct event_base *base;  /* the loop, borrowed */
    struct event *wake_up;    /* made active when there are finished jobs */
    pthread_t loop_thread;    /* who may call the functions for the loop thread */
    TAILQ_HEAD(, lane) lanes; /* all of them, owned; changed on the loop thread only */
    size_t taken;             /* jobs taken whose done() is still to come; loop only */
    atomic_bool stopping;     /* no more jobs are taken */
    pthread_mutex_t mutex;    /* guards what follows, and the lanes */
    pthread_cond_t changed;   /* a job has finished, or the pool is stopping */
    struct job_list finished; /* jobs that wait for their done() */
    size_t running;           /* jobs in run(), in all lanes */
    bool leaving;             /* threads without a job end */
    bool abandoned;           /* threads in run() keep their jobs and end */
    size_t users;             /* once abandoned: those and the loop; the last frees */
};

static void lock(struct workers *workers)
{
    int error = pthread_mutex_lock(&workers->mutex);
    assert(error == 0);
    (void)error;
}

static void unlock(struct workers *workers)
{
    int error = pthread_mutex_unlock(&workers->mutex);
    assert(error == 0);
    (void)error;
}

static void assert_loop_thread(const struct workers *workers)
{
    assert(pthread_equal(workers->loop_thread, pthread_self()));
}

/* A condition variable whose time-outs use the clock that never jumps. */
static void condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

static struct timespec time_after(int ms)
{
    struct timespec when;

    clock_gettime(CLOCK_MONOTONIC, &when);
    when.tv_sec += ms / 1000;
    when.tv_nsec += (long)(ms % 1000) * 1000000;
    if (when.tv_nsec >= 1000000000) {
        when.tv_sec++;
        when.tv_nsec -= 1000000000;
    }
    return when;
}

/* --- finished jobs --- */

/* Called with the mutex held, so that the event can't be freed meanwhile. */
static void finish_locked(struct workers *workers, struct job *job)
{
    bool was_empty = TAILQ_EMPTY(&workers->finished);

    TAILQ_INSERT_TAIL(&workers->finished, job, link);
    if (was_empty)
        event_active(workers->wake_up, EV_READ, 0);
    pthread_cond_broadcast(&workers->changed);
}

/* Call done() of every job that has finished. Gives whether there was any. */
static bool drain(struct workers *workers)
{
    struct job_list finished = TAILQ_HEAD_INITIALIZER(finished);
    struct job *job;

    lock(workers);
    TAILQ_CONCAT(&finished, &workers->finished, link);
    unlock(workers);
    bool any = !TAILQ_EMPTY(&finished);
    while ((job = TAILQ_FIRST(&finished)) != NULL) {
        TAILQ_REMOVE(&finished, job, link);
        workers->taken--;
        job->ops->done(job);
    }
    return any;
}

static void wake_up_cb(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    drain(context);
}

/* --- threads --- */

static void pool_destroy(struct workers *workers)
{
    struct lane *lane;
    struct thread *thread;

    while ((lane = TAILQ_FIRST(&workers->lanes)) != NULL) {
        TAILQ_REMOVE(&workers->lanes, lane, link);
        while ((thread = TAILQ_FIRST(&lane->threads)) != NULL) {
            TAILQ_REMOVE(&lane->threads, thread, link);
            free(thread);
        }
        pthread_cond_destroy(&lane->work);
        free(lane);
    }
    pthread_cond_destroy(&workers->changed);
    pthread_mutex_destroy(&workers->mutex);
    free(workers);
}

/* Wait for a job of this lane and take it; NULL when the thread is to end. Called with
 * the mutex held. */
static struct job *take_job_locked(struct lane *lane)
{
    struct job *job;

    lane->idle++;
    while ((job = TAILQ_FIRST(&lane->queue)) == NULL && !lane->workers->leaving)
        pthread_cond_wait(&lane->work, &lane->workers->mutex);
    lane->idle--;
    if (job != NULL) {
        TAILQ_REMOVE(&lane->queue, job, link);
        lane->queued--;
        lane->running++;
        lane->workers->running++;
    }
    return job;
}

/* Run a job; called and returns with the mutex held. Gives false if the thread was
 * abandoned meanwhile: the job is then nobody's. */
static bool run_job_locked(struct thread *thread, struct job *job)
{
    struct workers *workers = thread->lane->workers;

    thread->busy = true;
    unlock(workers);
    job->ops->run(job);
    lock(workers);
    if (workers->abandoned)
        return false;
    thread->busy = false;
    thread->lane->running--;
    workers->running--;
    finish_locked(workers, job);
    return true;
}

static void *thread_main(void *context)
{
    struct thread *thread = context;
    struct lane *lane = thread->lane;
    struct workers *workers = lane->workers;
    struct job *job;
    bool abandoned = false;

    pthread_setname_np(pthread_self(), lane->name);
    lock(workers);
    while (!abandoned && (job = take_job_locked(lane)) != NULL)
        abandoned = !run_job_locked(thread, job);
    bool last = abandoned && --workers->users == 0;
    unlock(workers);
    if (last)
        pool_destroy(workers);
    return NULL;
}

/* Signals belong to the loop thread; only what a thread does to itself may reach it. */
static void block_signals(sigset_t *before)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP};
    sigset_t blocked;

    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset(&blocked, faults[i]);
    pthread_sigmask(SIG_SETMASK, &blocked, before);
}

/* Called with the mutex held. Gives 0 or an errno. */
static int start_thread_locked(struct lane *lane)
{
    struct thread *thread = xcalloc(1, sizeof *thread);
    sigset_t before;

    thread->lane = lane;
    block_signals(&before);
    int error = pthread_create(&thread->id, NULL, thread_main, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        free(thread);
        return error;
    }
    TAILQ_INSERT_TAIL(&lane->threads, thread, link);
    lane->thread_count++;
    return 0;
}

/* --- jobs --- */

/* Make sure that somebody will take the job that comes next. Called with the mutex held.
 * Gives false if there is no thread and none could be started. */
static bool have_thread_locked(struct lane *lane)
{
    if (lane->queued < lane->idle || lane->thread_count >= lane->thread_limit)
        return true;
    int error = start_thread_locked(lane);
    if (error != 0)
        log_warning("can't start a thread for %s (%s), %zu are there", lane->name,
                    strerrordesc_np(error), lane->thread_count);
    return lane->thread_count > 0;
}

int job_submit(struct lane *lane, struct job *job)
{
    struct workers *workers = lane->workers;

    assert_loop_thread(workers);
    lock(workers);
    bool taken = !workers->stopping && lane->queued + lane->running < lane->load_limit &&
                 have_thread_locked(lane);
    if (taken) {
        job->cancelled = false;
        job->lane = lane;
        TAILQ_INSERT_TAIL(&lane->queue, job, link);
        lane->queued++;
        workers->taken++;
        pthread_cond_signal(&lane->work);
    }
    unlock(workers);
    return taken ? 0 : -EAGAIN;
}

void job_submit_cancelled(struct lane *lane, struct job *job)
{
    struct workers *workers = lane->workers;

    assert_loop_thread(workers);
    job->cancelled = true;
    job->lane = lane;
    workers->taken++;
    lock(workers);
    finish_locked(workers, job);
    unlock(workers);
}

size_t lane_load(struct lane *lane)
{
    lock(lane->workers);
    size_t load = lane->queued + lane->running;
    unlock(lane->workers);
    return load;
}

/* --- the pool --- */

struct workers *workers_new(struct event_base *base)
{
    struct workers *workers = xcalloc(1, sizeof *workers);

    workers->base = base;
    workers->wake_up = xcheck(event_new(base, -1, EV_PERSIST, wake_up_cb, workers));
    workers->loop_thread = pthread_self();
    TAILQ_INIT(&workers->lanes);
    TAILQ_INIT(&workers->finished);
    atomic_init(&workers->stopping, false);
    pthread_mutex_init(&workers->mutex, NULL);
    condition_init(&workers->changed);
    return workers;
}

struct event_base *workers_base(const struct workers *workers)
{
    return workers->base;
}

struct lane *workers_add_lane(struct workers *workers, const char *name, size_t threads,
                              size_t queue)
{
    struct lane *lane = xcalloc(1, sizeof *lane);

    assert_loop_thread(workers);
    assert(threads > 0);
    lane->workers = workers;
    snprintf(lane->name, sizeof lane->name, "%s", name);
    lane->thread_limit = threads;
    lane->load_limit =
        queue > 0 && queue < SIZE_MAX - threads ? threads + queue : SIZE_MAX;
    TAILQ_INIT(&lane->queue);
    TAILQ_INIT(&lane->threads);
    condition_init(&lane->work);
    TAILQ_INSERT_TAIL(&workers->lanes, lane, link);
    return lane;
}

bool workers_are_stopping(const struct workers *workers)
{
    return atomic_load(&workers->stopping);
}

bool workers_pause(struct workers *workers, int ms)
{
    struct timespec until = time_after(ms);
    int error = 0;

    lock(workers);
    while (!workers->stopping && error != ETIMEDOUT)
        error = pthread_cond_timedwait(&workers->changed, &workers->mutex, &until);
    bool stopping = workers->stopping;
    unlock(workers);
    return stopping;
}

void workers_stop(struct workers *workers)
{
    struct lane *lane;
    struct job *job;

    assert_loop_thread(workers);
    lock(workers);
    atomic_store(&workers->stopping, true);
    pthread_cond_broadcast(&workers->changed);
    TAILQ_FOREACH (lane, &workers->lanes, link) {
        while ((job = TAILQ_FIRST(&lane->queue)) != NULL) {
            TAILQ_REMOVE(&lane->queue, job, link);
            lane->queued--;
            job->cancelled = true;
            finish_locked(workers, job);
        }
    }
    unlock(workers);
}

bool workers_are_busy(const struct workers *workers)
{
    assert_loop_thread(workers);
    return workers->taken > 0;
}

/* Call done() for what finishes until nothing runs any more or it is `until`. */
static void finish_what_runs(struct workers *workers, const struct timespec *until)
{
    int error = 0;

    do {
        while (drain(workers))
            continue; /* a done() may have handed in a cancelled job */
        lock(workers);
        while (workers->running > 0 && TAILQ_EMPTY(&workers->finished) && error == 0)
            error = pthread_cond_timedwait(&workers->changed, &workers->mutex, until);
        unlock(workers);
    } while (drain(workers));
}

/* Let every thread end; those in run() keep what they have and are not waited for. */
static void leave(struct workers *workers)
{
    struct lane *lane;
    struct thread *thread;

    lock(workers);
    workers->leaving = true;
    workers->users = 1;
    TAILQ_FOREACH (lane, &workers->lanes, link) {
        pthread_cond_broadcast(&lane->work);
        TAILQ_FOREACH (thread, &lane->threads, link)
            workers->users += thread->busy;
    }
    workers->abandoned = workers->users > 1;
    unlock(workers);
}

static void part_from_threads(struct workers *workers)
{
    struct lane *lane;
    struct thread *thread;

    TAILQ_FOREACH (lane, &workers->lanes, link) {
        TAILQ_FOREACH (thread, &lane->threads, link) {
            if (thread->busy) /* doesn't change any more */
                pthread_detach(thread->id);
            else
                pthread_join(thread->id, NULL);
        }
    }
}

bool workers_free(struct workers *workers, int wait_ms)
{
    struct timespec until = time_after(wait_ms > 0 ? wait_ms : 0);

    if (workers == NULL)
        return true;
    workers_stop(workers);
    finish_what_runs(workers, &until);
    leave(workers);
    while (drain(workers))
        continue; /* a job may have finished just before leave() */
    part_from_threads(workers);
    event_free(workers->wake_up);
    lock(workers);
    bool clean = !workers->abandoned;
    bool last = --workers->users == 0;
    unlock(workers);
    if (last)
        pool_destroy(workers);
    return clean;
}
