/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client of Complement's homerunner. The loop keeps one entry for each deployment
 * from its create to the end of its destroy; a request is a job with copies of all it
 * needs. An entry is looked up by name when its job is done. Creates that nobody has room
 * for wait here, since who has room first makes them.
 *
 * Creates and destroys have lanes of their own: a destroy frees what a create may need,
 * so it must never wait behind one.
 */
#include "homerunner.h"

#include "fetch.h"
#include "hash.h"
#include "homerunner_call.h"
#include "homerunner_places.h"
#include "json.h"
#include "now.h"
#include "worker.h"
#include "xalloc.h"

#include <assert.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define REPLY_LIMIT        (1024 * 1024)
#define CONNECT_TIMEOUT_MS 10000
#define RETRY_MS           1000
#define PAUSE_MS           1000

enum deployment_state {
    DEPLOYMENT_WAITS,      /* for a homerunner to make it */
    DEPLOYMENT_IS_MADE,    /* its create is under way */
    DEPLOYMENT_IS_THERE,   /* its create has ended, well or not */
    DEPLOYMENT_IS_REMOVED, /* its destroy is under way */
};

/* A deployment that is there, or may be. */
struct deployment {
    char *name;                  /* key, owned */
    enum deployment_state state; /* see above */
    bool destroy_wanted;         /* asked for while it waits or is being made */
    bool is_nowhere;             /* all is known of it: nobody made it */
    bool is_late;                /* its homerunner may still be making it */
    struct place *place;         /* where it counts; NULL: nowhere; borrowed */
    unsigned begun;              /* of its create, from place_begin() */
    bool *tried;       /* by position: places that could not be reached; owned */
    char *causes;      /* why those could not; NULL: there are none; owned */
    struct call *call; /* DEPLOYMENT_WAITS: its create; owned */
    TAILQ_ENTRY(deployment) waiting; /* DEPLOYMENT_WAITS: in the client's list */
    UT_hash_handle hh;               /* in the client's table, by name */
};

struct homerunner {
    struct workers *workers;             /* borrowed */
    struct lane *create_lane;            /* for creates, the pool's */
    struct lane *destroy_lane;           /* for destroys, the pool's */
    struct lane *lost_lane;              /* for destroys that may take long, the pool's */
    struct places *places;               /* who can be asked, owned */
    struct event *timer;                 /* a pause ends while a create waits, owned */
    struct homerunner_settings settings; /* defaults filled in; urls is NULL */
    struct homerunner_callbacks callbacks; /* where to report */
    struct deployment *deployments;        /* uthash by name, owned */
    TAILQ_HEAD(, deployment) waiting;      /* creates that wait, in their order */
};

static struct deployment *find(const struct homerunner *homerunner, const char *name)
{
    struct deployment *deployment = NULL;

    HASH_FIND_STR(homerunner->deployments, name, deployment);
    return deployment;
}

static struct deployment *add(struct homerunner *homerunner, const char *name)
{
    struct deployment *deployment = xcalloc(1, sizeof *deployment);

    deployment->name = xstrdup(name);
    deployment->tried =
        xcalloc(places_count(homerunner->places), sizeof *deployment->tried);
    HASH_ADD_KEYPTR(hh, homerunner->deployments, deployment->name,
                    strlen(deployment->name), deployment);
    return deployment;
}

static void forget(struct homerunner *homerunner, struct deployment *deployment)
{
    HASH_DELETE(hh, homerunner->deployments, deployment);
    if (deployment->place != NULL)
        place_release(deployment->place);
    if (deployment->call != NULL)
        call_free(deployment->call);
    free(deployment->causes);
    free(deployment->tried);
    free(deployment->name);
    free(deployment);
}

static void count_at(struct deployment *deployment, struct place *place)
{
    if (deployment->place != NULL)
        place_release(deployment->place);
    if (place != NULL)
        place_take(place);
    deployment->place = place;
}

static void submit(struct lane *lane, struct call *call)
{
    if (job_submit(lane, &call->job) != 0)
        job_submit_cancelled(lane, &call->job);
}

/* --- making --- */

/* Its call is on its way; the entry has it no more. */
static struct call *take_call(struct homerunner *homerunner,
                              struct deployment *deployment)
{
    struct call *call = deployment->call;

    TAILQ_REMOVE(&homerunner->waiting, deployment, waiting);
    deployment->state = DEPLOYMENT_IS_MADE;
    deployment->call = NULL;
    return call;
}

static void send_create(struct homerunner *homerunner, struct deployment *deployment,
                        struct place *place)
{
    struct call *call = take_call(homerunner, deployment);

    count_at(deployment, place);
    deployment->begun = place_begin(place);
    call_aim(call, place_url(place), place_name(place));
    submit(homerunner->create_lane, call);
}

/* Its create ends without anybody being asked. */
static void drop_create(struct homerunner *homerunner, struct deployment *deployment)
{
    job_submit_cancelled(homerunner->create_lane,
                         &take_call(homerunner, deployment)->job);
}

static void wait_for_pause(struct homerunner *homerunner, int64_t now_ms)
{
    int64_t next_ms = places_next_ms(homerunner->places, now_ms);
    int64_t ms = next_ms - now_ms;
    struct timeval time = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    if (next_ms == INT64_MAX || TAILQ_EMPTY(&homerunner->waiting))
        evtimer_del(homerunner->timer);
    else
        evtimer_add(homerunner->timer, &time);
}

/* Send every create that somebody has room for. */
static void send_waiting(struct homerunner *homerunner)
{
    struct deployment *deployment, *next;
    int64_t now_ms = now().mono_ms;

    for (deployment = TAILQ_FIRST(&homerunner->waiting); deployment != NULL;
         deployment = next) {
        next = TAILQ_NEXT(deployment, waiting);
        struct place *place =
            places_choose(homerunner->places, deployment->tried, now_ms);
        if (workers_are_stopping(homerunner->workers))
            drop_create(homerunner, deployment);
        else if (place != NULL)
            send_create(homerunner, deployment, place);
    }
    wait_for_pause(homerunner, now_ms);
}

static void timer_cb(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    send_waiting(context);
}

static enum place_news news_of(enum call_outcome outcome)
{
    return outcome == CALL_WENT_WELL                               ? PLACE_WENT_WELL
           : outcome == CALL_FAILED || outcome == CALL_UNREACHABLE ? PLACE_FAILED
                                                                   : PLACE_NO_NEWS;
}

/* Its homerunner could not be reached: have another one asked. Takes the call, and gives
 * true; false: there is none, or nobody wants that. */
static bool try_next(struct homerunner *homerunner, struct deployment *deployment,
                     struct call *call)
{
    size_t left = 0;

    deployment->tried[place_index(homerunner->places, deployment->place)] = true;
    for (size_t i = 0; i < places_count(homerunner->places); i++)
        left += !deployment->tried[i];
    if (left == 0 || deployment->destroy_wanted ||
        workers_are_stopping(homerunner->workers))
        return false;
    call_add_cause(&deployment->causes, call->cause);
    call_reset(call);
    count_at(deployment, NULL);
    deployment->state = DEPLOYMENT_WAITS;
    deployment->call = call;
    TAILQ_INSERT_HEAD(&homerunner->waiting, deployment, waiting);
    return true;
}

/* Why nobody was asked. */
static void explain_cancelled(const struct homerunner *homerunner, struct call *call)
{
    const char *who = call->target_count == 1 ? call->targets->shown : NULL;

    cause_set(&call->cause, "homerunner%s%s was not asked: %s", who != NULL ? " at " : "",
              who != NULL ? who : "",
              workers_are_stopping(homerunner->workers) ? "trafficlight is stopping"
                                                        : "nobody wants the servers now");
}

/* The entry is there before anybody is told, so that they may ask for the destroy. */
static void report_created(struct homerunner *homerunner, struct deployment *deployment,
                           struct call *call)
{
    const struct homerunner_callbacks *callbacks = &homerunner->callbacks;
    struct json_object *servers = call->servers;
    char *cause = deployment->causes;

    if (call->outcome == CALL_NOT_ASKED || call->outcome == CALL_UNREACHABLE) {
        count_at(deployment, NULL);
        deployment->is_nowhere = true;
    }
    deployment->state = DEPLOYMENT_IS_THERE;
    deployment->is_late = call->is_late;
    deployment->causes = NULL;
    call->servers = NULL;
    if (servers == NULL)
        call_add_cause(&cause, call->cause);
    callbacks->created(callbacks->context, deployment->name,
                       deployment->place != NULL ? place_name(deployment->place) : NULL,
                       servers, servers == NULL ? cause : NULL);
    free(cause);
}

static void done_create(struct job *job)
{
    struct call *call = (struct call *)job;
    struct homerunner *homerunner = call->homerunner;
    struct deployment *deployment = find(homerunner, call->deployment);

    assert(deployment != NULL);
    if (call->job.cancelled)
        explain_cancelled(homerunner, call);
    if (deployment->place != NULL)
        place_end(homerunner->places, deployment->place, deployment->begun,
                  news_of(call->outcome), call->cause, now().mono_ms);
    if (call->outcome != CALL_UNREACHABLE || !try_next(homerunner, deployment, call)) {
        bool destroy_wanted = deployment->destroy_wanted;
        report_created(homerunner, deployment, call);
        if (destroy_wanted)
            homerunner_destroy(homerunner, call->deployment, NULL);
        call_free(call);
    }
    send_waiting(homerunner);
}

static const struct job_ops create_ops = {"create servers", call_run_create, done_create};

void homerunner_create(struct homerunner *homerunner, const char *name,
                       const struct homerunner_server *servers, size_t count)
{
    assert(count > 0);
    assert(find(homerunner, name) == NULL);
    struct deployment *deployment = add(homerunner, name);
    deployment->state = DEPLOYMENT_WAITS;
    deployment->call =
        call_new_create(homerunner, homerunner->workers, &homerunner->settings,
                        &create_ops, name, servers, count);
    TAILQ_INSERT_TAIL(&homerunner->waiting, deployment, waiting);
    send_waiting(homerunner);
}

void homerunner_known(struct homerunner *homerunner, const char *name, const char *where)
{
    if (find(homerunner, name) != NULL)
        return;
    struct deployment *deployment = add(homerunner, name);
    deployment->state = DEPLOYMENT_IS_THERE;
    count_at(deployment, places_find(homerunner->places, where));
}

/* --- destroying --- */

static void done_destroy(struct job *job)
{
    struct call *call = (struct call *)job;
    struct homerunner *homerunner = call->homerunner;
    const struct homerunner_callbacks *callbacks = &homerunner->callbacks;
    struct deployment *deployment = find(homerunner, call->deployment);

    assert(deployment != NULL);
    if (call->job.cancelled && !deployment->is_nowhere)
        explain_cancelled(homerunner, call);
    forget(homerunner, deployment);
    callbacks->destroyed(callbacks->context, call->deployment, call->cause);
    call_free(call);
    send_waiting(homerunner);
}

static const struct job_ops destroy_ops = {"destroy servers", call_run_destroy,
                                           done_destroy};

/* Those that answer sooner come first. */
static void aim_everywhere(const struct homerunner *homerunner, struct call *call)
{
    int64_t now_ms = now().mono_ms;

    for (int well = 1; well >= 0; well--) {
        for (size_t i = 0; i < places_count(homerunner->places); i++) {
            const struct place *place = places_at(homerunner->places, i);
            if (place_is_well(place, now_ms) == (well == 1))
                call_aim(call, place_url(place), place_name(place));
        }
    }
}

/* At the place where it counts; else at the URL that was handed back, though nobody makes
 * anything there any more. */
static void aim_destroy(const struct homerunner *homerunner,
                        const struct deployment *deployment, const char *where,
                        struct call *call)
{
    char *url = where != NULL ? fetch_url_base(where) : NULL;

    if (deployment->place != NULL)
        call_aim(call, place_url(deployment->place), place_name(deployment->place));
    else if (url != NULL)
        call_aim(call, url, where);
    else
        aim_everywhere(homerunner, call);
    free(url);
}

static void send_destroy(struct homerunner *homerunner, struct deployment *deployment,
                         const char *where, int64_t patience_ms)
{
    struct call *call =
        call_new_destroy(homerunner, homerunner->workers, &homerunner->settings,
                         &destroy_ops, deployment->name);

    call->patience_ms = patience_ms;
    deployment->state = DEPLOYMENT_IS_REMOVED;
    if (deployment->is_nowhere) {
        job_submit_cancelled(homerunner->destroy_lane, &call->job);
        return;
    }
    aim_destroy(homerunner, deployment, where, call);
    submit(patience_ms > 0 ? homerunner->lost_lane : homerunner->destroy_lane, call);
}

static void destroy(struct homerunner *homerunner, const char *name, const char *where,
                    int64_t patience_ms)
{
    struct deployment *deployment = find(homerunner, name);

    if (deployment == NULL) {
        deployment = add(homerunner, name);
        deployment->state = DEPLOYMENT_IS_THERE;
        if (where != NULL)
            count_at(deployment, places_find(homerunner->places, where));
    }
    switch (deployment->state) {
    case DEPLOYMENT_WAITS:
        deployment->destroy_wanted = true;
        drop_create(homerunner, deployment);
        break;
    case DEPLOYMENT_IS_MADE:
        deployment->destroy_wanted = true;
        break;
    case DEPLOYMENT_IS_THERE:
        if (deployment->is_late)
            patience_ms = homerunner->settings.timeout_ms;
        send_destroy(homerunner, deployment, where, patience_ms);
        break;
    case DEPLOYMENT_IS_REMOVED:
        break;
    }
}

void homerunner_destroy(struct homerunner *homerunner, const char *name,
                        const char *where)
{
    destroy(homerunner, name, where, 0);
}

void homerunner_destroy_lost(struct homerunner *homerunner, const char *name)
{
    destroy(homerunner, name, NULL, homerunner->settings.timeout_ms);
}

/* --- life --- */

static void fill_in(struct homerunner_settings *settings)
{
    if (settings->reply_limit == 0)
        settings->reply_limit = REPLY_LIMIT;
    if (settings->retry_ms <= 0)
        settings->retry_ms = RETRY_MS;
    if (settings->pause_ms <= 0)
        settings->pause_ms = PAUSE_MS;
    if (settings->connect_timeout_ms <= 0)
        settings->connect_timeout_ms = CONNECT_TIMEOUT_MS;
}

struct homerunner *homerunner_new(struct workers *workers,
                                  const struct homerunner_settings *settings,
                                  const struct homerunner_callbacks *callbacks)
{
    struct homerunner *homerunner = xcalloc(1, sizeof *homerunner);
    size_t threads = settings->limit * settings->url_count;

    fetch_prepare();
    homerunner->workers = workers;
    homerunner->create_lane = workers_add_lane(workers, "create", threads, 0);
    homerunner->destroy_lane = workers_add_lane(workers, "destroy", threads, 0);
    homerunner->lost_lane = workers_add_lane(workers, "lost", threads, 0);
    homerunner->callbacks = *callbacks;
    homerunner->settings = *settings;
    homerunner->settings.urls = NULL;
    fill_in(&homerunner->settings);
    homerunner->places = places_new(settings->urls, settings->url_count, settings->limit,
                                    homerunner->settings.pause_ms);
    homerunner->timer = xcheck(evtimer_new(workers_base(workers), timer_cb, homerunner));
    TAILQ_INIT(&homerunner->waiting);
    return homerunner;
}

size_t homerunner_outstanding(const struct homerunner *homerunner)
{
    const struct deployment *deployment;
    size_t count = 0;

    for (deployment = homerunner->deployments; deployment != NULL;
         deployment = deployment->hh.next)
        count += deployment->state != DEPLOYMENT_IS_THERE;
    return count;
}

void homerunner_free(struct homerunner *homerunner)
{
    struct deployment *deployment, *next;

    if (homerunner == NULL)
        return;
    HASH_ITER (hh, homerunner->deployments, deployment, next)
        forget(homerunner, deployment);
    event_free(homerunner->timer);
    places_free(homerunner->places);
    free(homerunner);
}
