/* SPDX-License-Identifier: Apache-2.0 */
/* The end of the process: who is to hear of it, and how long that may take. */
#include "ending.h"

#include "daemon.h"
#include "events.h"
#include "homerunner.h"
#include "http.h"
#include "input.h"
#include "inputs.h"
#include "keeping.h"
#include "log.h"
#include "now.h"
#include "presence.h"
#include "reload.h"
#include "runs.h"
#include "supervisor.h"
#include "upload.h"
#include "xalloc.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define END_REASON      "all tests have ended"
#define STOP_REASON     "the server is shutting down"
#define LAST_WORDS_MS   5000  /* --once: how long clients have to fetch their exit */
#define WATCHED_MS      5000  /* --once: who asked for status.json so lately looks on */
#define LAST_LOOK_MS    2500  /* --once: how long it has to look once more */
#define LAST_ANSWERS_MS 2000  /* at the end: how long answers have to be written */
#define DESTROY_MS      10000 /* at the end: how long servers have to be destroyed */
#define TICK_MS         20    /* how often it is looked whether that is done */

enum stage {
    GOES_ON, /* there is no end in sight */
    SAYS,    /* --once: the cases have ended; all are told, and may fetch and upload */
    STOPS,   /* clients have been told, servers are destroyed, answers written */
    LEAVES,  /* only answers are written: the next process goes on */
};

struct ending {
    struct daemon *daemon;    /* borrowed */
    enum stage stage;         /* see there */
    bool told;                /* the engine has heard that it is to stop */
    int64_t since_ms;         /* monotonic: when the stage began */
    struct event *tick;       /* looks whether the stage is over; owned */
    struct event *signals[3]; /* SIGTERM, SIGINT, SIGUSR1; owned */
};

/* --- stages --- */

static void wait_a_tick(struct ending *ending)
{
    struct timeval time = {.tv_usec = TICK_MS * 1000};

    evtimer_add(ending->tick, &time);
}

static void begin_stage(struct ending *ending, enum stage stage)
{
    ending->stage = stage;
    ending->since_ms = now().mono_ms;
    wait_a_tick(ending);
}

static void told(void *argument, bool written, int64_t number, enum engine_result result,
                 char *cause)
{
    struct ending *ending = argument;

    (void)number, (void)result;
    ending->told = written;
    free(cause);
}

/* Nobody new; the rooms that would begin something are told. */
static void close_doors(struct daemon *daemon)
{
    daemon->stopping = true;
    supervisor_stopping(daemon->supervisor);
    reload_stop(daemon->reload);
    http_server_stop_accepting(daemon->http);
    events_close(daemon->events);
    supervisor_changed(daemon->supervisor);
}

/* Begin to stop: whoever is there is told to exit, servers are destroyed. */
static void stop(struct ending *ending, const char *reason)
{
    close_doors(ending->daemon);
    if (ending->stage == GOES_ON)
        inputs_keep(ending->daemon->inputs, input_stop(reason), told, ending);
    begin_stage(ending, STOPS);
}

/* Begin to leave: all stays as it is, and who waits is to ask again. */
static void leave(struct ending *ending)
{
    close_doors(ending->daemon);
    presence_release(ending->daemon->presence);
    begin_stage(ending, LEAVES);
}

/* --- what is waited for --- */

/* --once: whether all has been said. Who has been looking on gets the time to look once
 * more. */
static bool has_said_all(const struct ending *ending, int64_t waited_ms)
{
    const struct daemon *daemon = ending->daemon;
    bool watched = daemon->watched_ms + WATCHED_MS > ending->since_ms ||
                   events_subscribers(daemon->events) > 0;

    if (waited_ms >= LAST_WORDS_MS)
        return true;
    return ending->told && presence_all_left(daemon->presence) &&
           uploads_outstanding(daemon->uploads) == 0 &&
           http_server_room(daemon->http) == 0 && (!watched || waited_ms >= LAST_LOOK_MS);
}

static bool has_answered_all(const struct ending *ending, int64_t waited_ms)
{
    const struct daemon *daemon = ending->daemon;

    return waited_ms >= LAST_ANSWERS_MS ||
           (inputs_pending(daemon->inputs) == 0 && !runs_are_coming(daemon->runs) &&
            uploads_outstanding(daemon->uploads) == 0 &&
            presence_held(daemon->presence) == 0 && !http_server_is_busy(daemon->http));
}

/* Whether the servers are destroyed, and the results written. */
static bool has_put_away_all(const struct ending *ending, int64_t waited_ms)
{
    const struct daemon *daemon = ending->daemon;
    size_t left = engine_deployments(daemon->engine);

    if (!ending->told) /* the journal does not take it: waiting would not help */
        return waited_ms >= LAST_ANSWERS_MS;
    if (left > 0 && waited_ms >= DESTROY_MS)
        log_warning(
            "%zu deployments could not be destroyed in time: the next start tries "
            "again, else homerunner lets them expire",
            left);
    return waited_ms >= DESTROY_MS || (left == 0 && keeping_is_done(daemon->keeping));
}

/* The stage is over, or goes on. */
static bool is_over(struct ending *ending)
{
    int64_t waited_ms = now().mono_ms - ending->since_ms;

    if (ending->stage == LEAVES)
        return has_answered_all(ending, waited_ms);
    return has_put_away_all(ending, waited_ms) && has_answered_all(ending, waited_ms);
}

static void tick_cb(evutil_socket_t fd, short what, void *argument)
{
    struct ending *ending = argument;
    struct daemon *daemon = ending->daemon;

    (void)fd, (void)what;
    keeping_look(daemon->keeping);
    if (ending->stage == SAYS) {
        if (has_said_all(ending, now().mono_ms - ending->since_ms))
            stop(ending, END_REASON);
    } else if (is_over(ending)) {
        if (ending->stage == STOPS && !ending->told)
            log_error(
                "the journal can't be written, so nobody was told to exit: the next "
                "start goes on where this one stood");
        daemon->over = true;
        event_base_loopexit(daemon->base, NULL);
        return;
    }
    wait_a_tick(ending);
}

void ending_settle(struct ending *ending)
{
    struct daemon *daemon = ending->daemon;

    if (!daemon->once || ending->stage != GOES_ON || runs_are_coming(daemon->runs) ||
        !engine_is_done(daemon->engine))
        return;
    daemon->saying = true;
    inputs_keep(daemon->inputs, input_stop(END_REASON), told, ending);
    begin_stage(ending, SAYS);
}

/* --- signals --- */

static void signal_cb(evutil_socket_t signal_number, short what, void *argument)
{
    struct ending *ending = argument;

    (void)what;
    if (ending->stage == STOPS || ending->stage == LEAVES) {
        log_warning("%s again: exits at once", strsignal(signal_number));
        _exit(EXIT_FAILURE);
    }
    if (signal_number == SIGUSR1) {
        log_info("%s: leaves all as it stands; the next start goes on",
                 strsignal(signal_number));
        leave(ending);
    } else {
        log_info("%s: tells clients to exit, destroys servers", strsignal(signal_number));
        stop(ending, STOP_REASON);
    }
}

/* --- the room --- */

struct ending *ending_new(struct daemon *daemon)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGUSR1};
    struct ending *ending = xcalloc(1, sizeof *ending);

    ending->daemon = daemon;
    ending->tick = xcheck(evtimer_new(daemon->base, tick_cb, ending));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        ending->signals[i] =
            xcheck(evsignal_new(daemon->base, numbers[i], signal_cb, ending));
        evsignal_add(ending->signals[i], NULL);
    }
    return ending;
}

void ending_free(struct ending *ending)
{
    if (ending == NULL)
        return;
    event_free(ending->tick);
    for (size_t i = 0; i < sizeof ending->signals / sizeof *ending->signals; i++)
        event_free(ending->signals[i]);
    free(ending);
}
