/* SPDX-License-Identifier: Apache-2.0 */
/* The worker pool. The test's thread is the loop thread. */
#include "worker.h"
#include "xalloc.h"

#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct event_base *base;
static struct workers *workers;
static pthread_t loop_thread;
static int done_count, cancelled_count; /* loop thread only */
static atomic_int run_count;
static sem_t entered, gate; /* a blocking job has begun; it may end */

struct test_job {
    struct job job;
    struct lane *again;      /* done() submits a copy here, `left` times */
    int left;                /* see above */
    pid_t thread;            /* which thread ran it */
    pthread_barrier_t *meet; /* run() waits for others here */
};

static pid_t last_thread; /* of the job that was done last */

static void run_count_cb(struct job *job)
{
    struct test_job *own = (struct test_job *)job;

    ck_assert(!pthread_equal(pthread_self(), loop_thread));
    own->thread = gettid();
    if (own->meet != NULL)
        pthread_barrier_wait(own->meet);
    atomic_fetch_add(&run_count, 1);
}

static void run_block_cb(struct job *job)
{
    sem_post(&entered);
    while (sem_wait(&gate) != 0)
        continue;
    run_count_cb(job);
}

static struct test_job *job_new(const struct job_ops *ops)
{
    struct test_job *job = xcalloc(1, sizeof *job);

    job->job.ops = ops;
    return job;
}

static void done_cb(struct job *job)
{
    struct test_job *own = (struct test_job *)job;

    ck_assert(pthread_equal(pthread_self(), loop_thread));
    done_count++;
    cancelled_count += job->cancelled;
    last_thread = own->thread;
    if (own->left > 0) {
        struct test_job *next = job_new(job->ops);
        next->again = own->again;
        next->left = own->left - 1;
        if (job_submit(own->again, &next->job) != 0)
            job_submit_cancelled(own->again, &next->job);
    }
    free(own);
}

static const struct job_ops count_ops = {"count", run_count_cb, done_cb};
static const struct job_ops block_ops = {"block", run_block_cb, done_cb};

static void submit(struct lane *lane, const struct job_ops *ops)
{
    ck_assert_int_eq(job_submit(lane, &job_new(ops)->job), 0);
}

static void turn(void)
{
    event_base_loop(base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
}

static void run_until_idle(void)
{
    while (workers_are_busy(workers))
        turn();
}

static void wait_entered(int count)
{
    while (count > 0)
        count -= sem_wait(&entered) == 0;
}

static void open_gate(int count)
{
    while (count-- > 0)
        sem_post(&gate);
}

static void setup(void)
{
    ck_assert_int_eq(evthread_use_pthreads(), 0);
    base = event_base_new();
    workers = workers_new(base);
    loop_thread = pthread_self();
    sem_init(&entered, 0, 0);
    sem_init(&gate, 0, 0);
}

static void teardown(void)
{
    if (workers != NULL)
        ck_assert(workers_free(workers, 10000));
    event_base_free(base);
    libevent_global_shutdown();
}

START_TEST(every_job_is_done_once)
{
    struct lane *a = workers_add_lane(workers, "a", 4, 0);
    struct lane *b = workers_add_lane(workers, "b", 2, 0);

    for (int i = 0; i < 2000; i++)
        submit(i % 3 ? a : b, &count_ops);
    ck_assert_int_eq(done_count, 0); /* never inside job_submit() */
    run_until_idle();
    ck_assert_int_eq(done_count, 2000);
    ck_assert_int_eq(atomic_load(&run_count), 2000);
    ck_assert_int_eq(cancelled_count, 0);
    ck_assert_uint_eq(lane_load(a) + lane_load(b), 0);
}
END_TEST

START_TEST(a_lane_runs_as_many_at_once_as_it_may)
{
    struct lane *lane = workers_add_lane(workers, "lane", 3, 0);
    pthread_barrier_t barrier;

    pthread_barrier_init(&barrier, NULL, 3);
    for (int i = 0; i < 3; i++) {
        struct test_job *job = job_new(&count_ops);
        job->meet = &barrier;
        ck_assert_int_eq(job_submit(lane, &job->job), 0);
    }
    run_until_idle();
    ck_assert_int_eq(done_count, 3);
    pthread_barrier_destroy(&barrier);
}
END_TEST

START_TEST(an_idle_thread_is_used_before_another_is_started)
{
    struct lane *lane = workers_add_lane(workers, "lane", 8, 0);
    pid_t first = 0;

    for (int i = 0; i < 50; i++) {
        submit(lane, &count_ops);
        run_until_idle();
        first = first ? first : last_thread;
        ck_assert_int_eq(last_thread, first);
    }
}
END_TEST

START_TEST(a_full_lane_refuses)
{
    struct lane *lane = workers_add_lane(workers, "lane", 2, 3);
    struct test_job *extra = job_new(&block_ops);

    for (int i = 0; i < 5; i++)
        submit(lane, &block_ops);
    ck_assert_int_eq(job_submit(lane, &extra->job), -EAGAIN);
    ck_assert_uint_eq(lane_load(lane), 5);
    wait_entered(2);
    ck_assert_int_eq(job_submit(lane, &extra->job), -EAGAIN);
    open_gate(5);
    run_until_idle();
    ck_assert_int_eq(job_submit(lane, &extra->job), 0);
    open_gate(1);
    run_until_idle();
    ck_assert_int_eq(done_count, 6);
}
END_TEST

START_TEST(a_slow_lane_holds_up_nobody)
{
    struct lane *slow = workers_add_lane(workers, "slow", 1, 0);
    struct lane *fast = workers_add_lane(workers, "fast", 1, 0);

    submit(slow, &block_ops);
    submit(slow, &block_ops);
    submit(fast, &count_ops);
    while (done_count < 1)
        turn();
    ck_assert_int_eq(atomic_load(&run_count), 1);
    ck_assert_uint_eq(lane_load(slow), 2);
    open_gate(2);
    run_until_idle();
}
END_TEST

START_TEST(done_may_submit)
{
    struct lane *lane = workers_add_lane(workers, "lane", 2, 0);
    struct test_job *job = job_new(&count_ops);

    job->again = lane;
    job->left = 100;
    ck_assert_int_eq(job_submit(lane, &job->job), 0);
    run_until_idle();
    ck_assert_int_eq(done_count, 101);
}
END_TEST

START_TEST(stop_cancels_what_waits)
{
    struct lane *lane = workers_add_lane(workers, "lane", 1, 0);
    struct test_job *late = job_new(&count_ops);

    for (int i = 0; i < 10; i++)
        submit(lane, &block_ops);
    wait_entered(1);
    ck_assert(!workers_are_stopping(workers));
    workers_stop(workers);
    ck_assert(workers_are_stopping(workers));
    ck_assert_int_eq(job_submit(lane, &late->job), -EAGAIN);
    job_submit_cancelled(lane, &late->job);
    ck_assert_int_eq(done_count, 0);
    while (done_count < 10)
        turn();
    ck_assert_int_eq(cancelled_count, 10);
    ck_assert(workers_are_busy(workers));
    open_gate(1);
    run_until_idle();
    ck_assert_int_eq(done_count, 11);
    ck_assert_int_eq(atomic_load(&run_count), 1);
}
END_TEST

START_TEST(free_waits_for_what_runs)
{
    struct lane *lane = workers_add_lane(workers, "lane", 2, 0);
    struct test_job *job = job_new(&block_ops);

    job->again = lane;
    job->left = 5; /* refused one after the other, and handed in as cancelled */
    ck_assert_int_eq(job_submit(lane, &job->job), 0);
    wait_entered(1);
    open_gate(1);
    ck_assert(workers_free(workers, 10000));
    workers = NULL;
    ck_assert_int_eq(done_count, 6);
    ck_assert_int_eq(cancelled_count, 5);
}
END_TEST

/* A job that outlives its pool, and the test knows when it has ended. */
static sem_t ended;

static void run_outlive_cb(struct job *job)
{
    run_block_cb(job);
    sem_post(&ended);
}

START_TEST(free_abandons_what_does_not_end)
{
    static const struct job_ops ops = {"outlive", run_outlive_cb, done_cb};
    struct lane *lane = workers_add_lane(workers, "lane", 2, 0);
    struct test_job *jobs[2] = {job_new(&ops), job_new(&ops)};

    sem_init(&ended, 0, 0);
    submit(lane, &count_ops);
    run_until_idle();
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(job_submit(lane, &jobs[i]->job), 0);
    submit(lane, &count_ops);
    wait_entered(2);
    ck_assert(!workers_free(workers, 20));
    workers = NULL;
    ck_assert_int_eq(done_count, 2);
    ck_assert_int_eq(cancelled_count, 1);
    open_gate(2);
    for (int i = 0; i < 2; i++) {
        while (sem_wait(&ended) != 0)
            continue;
    }
    for (int i = 0; i < 2; i++)
        free(jobs[i]);
}
END_TEST

static void run_pause_cb(struct job *job)
{
    sem_post(&entered);
    ck_assert(workers_pause(workers, 600000));
    run_count_cb(job);
}

START_TEST(stop_ends_a_pause)
{
    static const struct job_ops ops = {"pause", run_pause_cb, done_cb};
    struct lane *lane = workers_add_lane(workers, "lane", 1, 0);

    ck_assert(!workers_pause(workers, 5));
    submit(lane, &ops);
    wait_entered(1);
    workers_stop(workers);
    run_until_idle();
    ck_assert_int_eq(done_count, 1);
    ck_assert(workers_pause(workers, 600000));
}
END_TEST

static void run_identity_cb(struct job *job)
{
    char name[16];
    sigset_t blocked;

    ck_assert_int_eq(pthread_getname_np(pthread_self(), name, sizeof name), 0);
    ck_assert_str_eq(name, "a-name-of-more-");
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    ck_assert(sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGPIPE));
    ck_assert(!sigismember(&blocked, SIGSEGV));
    run_count_cb(job);
}

START_TEST(threads_are_named_and_block_signals)
{
    static const struct job_ops ops = {"identity", run_identity_cb, done_cb};
    sigset_t blocked;

    submit(workers_add_lane(workers, "a-name-of-more-than-15", 1, 0), &ops);
    run_until_idle();
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    ck_assert(!sigismember(&blocked, SIGTERM));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("worker");
    TCase *tcase = tcase_create("pool");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, every_job_is_done_once);
    tcase_add_test(tcase, a_lane_runs_as_many_at_once_as_it_may);
    tcase_add_test(tcase, an_idle_thread_is_used_before_another_is_started);
    tcase_add_test(tcase, a_full_lane_refuses);
    tcase_add_test(tcase, a_slow_lane_holds_up_nobody);
    tcase_add_test(tcase, done_may_submit);
    tcase_add_test(tcase, stop_cancels_what_waits);
    tcase_add_test(tcase, free_waits_for_what_runs);
    tcase_add_test(tcase, free_abandons_what_does_not_end);
    tcase_add_test(tcase, stop_ends_a_pause);
    tcase_add_test(tcase, threads_are_named_and_block_signals);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
