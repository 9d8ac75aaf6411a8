/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who follows what changes. Every subscriber is in one of three queues:
 *
 *     even     has been sent everything
 *     behind   is to be sent something in one of the next turns of the loop
 *     slow     is to be sent something once it has read what it was sent
 */
#include "events.h"

#include "changes.h"
#include "http.h"
#include "now.h"
#include "xalloc.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define TURN_MOST   50          /* subscribers that are sent to in one turn of the loop */
#define UNSENT_MOST (64 * 1024) /* bytes that wait for a subscriber to read */
#define PACE_MS     1000 /* between two pages that a subscriber fetches, at least */
#define FETCHES_S   50   /* pages that all of them may fetch in a second */
#define RETRY_LATER "10" /* seconds, for who is one too many */

#define GREETING  "retry: 2000\n\n" /* milliseconds until a client connects again */
#define HEARTBEAT ":\n\n"

TAILQ_HEAD(subscriber_list, subscriber);

struct subscriber {
    struct events *events;          /* borrowed */
    struct http_exchange *exchange; /* streams; borrowed */
    uint64_t next;                  /* number of the message that it is to be sent next */
    struct subscriber_list *queue;  /* in which it is: even, behind or slow */
    TAILQ_ENTRY(subscriber) link;   /* there */
};

struct events {
    struct events_settings settings; /* a copy */
    struct changes *changes;         /* messages; owned */
    struct subscriber_list even;     /* see above; these own the subscribers */
    struct subscriber_list behind;   /* likewise */
    struct subscriber_list slow;     /* likewise */
    size_t count;                    /* subscribers in all three */
    struct event *gather;            /* changes become a message; owned */
    struct event *turn;              /* sends to some of those that are behind; owned */
    struct event *heartbeat;         /* owned */
    bool spoke;                      /* there was a message since the latest heartbeat */
    bool closed;                     /* nobody is taken any more */
};

/* --- when --- */

static void arm(struct event *timer, int64_t ms)
{
    struct timeval time = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    if (!evtimer_pending(timer, NULL))
        evtimer_add(timer, &time);
}

/* One subscriber more a millisecond: so what is sent in a second is bounded, however many
 * there are. */
static int64_t gather_ms(const struct events *events)
{
    int64_t least = events->settings.gather_ms;

    return (int64_t)events->count > least ? (int64_t)events->count : least;
}

static int64_t pace_ms(const struct events *events)
{
    int64_t share = (int64_t)events->count * 1000 / FETCHES_S;

    return share > PACE_MS ? share : PACE_MS;
}

/* --- one subscriber --- */

static void move(struct subscriber *subscriber, struct subscriber_list *queue)
{
    TAILQ_REMOVE(subscriber->queue, subscriber, link);
    TAILQ_INSERT_TAIL(queue, subscriber, link);
    subscriber->queue = queue;
}

static void forget(struct subscriber *subscriber)
{
    TAILQ_REMOVE(subscriber->queue, subscriber, link);
    subscriber->events->count--;
    free(subscriber);
}

static void gone_cb(void *argument)
{
    forget(argument);
}

/* It has missed messages that nobody has any more. */
static void send_reset(struct subscriber *subscriber)
{
    const struct events *events = subscriber->events;
    size_t size;
    char *text = changes_reset(events->changes, pace_ms(events), &size);

    http_stream_write(subscriber->exchange, text, size);
    free(text);
    subscriber->next = changes_latest(events->changes) + 1;
}

static void send_next(struct subscriber *subscriber)
{
    const struct changes_message *message =
        changes_get(subscriber->events->changes, subscriber->next);

    if (message == NULL) {
        send_reset(subscriber);
        return;
    }
    http_stream_write(subscriber->exchange, message->text, message->size);
    subscriber->next++;
}

static bool has_all(const struct subscriber *subscriber)
{
    return subscriber->next > changes_latest(subscriber->events->changes);
}

static bool reads(const struct subscriber *subscriber)
{
    return http_stream_unsent(subscriber->exchange) < UNSENT_MOST;
}

/* Send it what it lacks, as far as it reads; where that is nothing, a sign of life. */
static void serve(struct subscriber *subscriber)
{
    struct events *events = subscriber->events;

    if (has_all(subscriber) && reads(subscriber))
        http_stream_write(subscriber->exchange, HEARTBEAT, strlen(HEARTBEAT));
    while (!has_all(subscriber) && reads(subscriber))
        send_next(subscriber);
    move(subscriber, has_all(subscriber) ? &events->even : &events->slow);
}

/* --- all of them --- */

static void move_all(struct subscriber_list *from, struct subscriber_list *to)
{
    while (!TAILQ_EMPTY(from))
        move(TAILQ_FIRST(from), to);
}

static void turn_cb(evutil_socket_t fd, short what, void *argument)
{
    struct events *events = argument;

    (void)fd, (void)what;
    for (size_t i = 0; i < TURN_MOST && !TAILQ_EMPTY(&events->behind); i++)
        serve(TAILQ_FIRST(&events->behind));
    if (!TAILQ_EMPTY(&events->behind))
        arm(events->turn, 0);
    else if (!TAILQ_EMPTY(&events->slow))
        arm(events->gather, gather_ms(events));
}

static void gather_cb(evutil_socket_t fd, short what, void *argument)
{
    struct events *events = argument;

    (void)fd, (void)what;
    if (changes_gather(events->changes, pace_ms(events))) {
        move_all(&events->even, &events->behind);
        events->spoke = true;
    }
    move_all(&events->slow, &events->behind);
    if (!TAILQ_EMPTY(&events->behind))
        arm(events->turn, 0);
}

static void heartbeat_cb(evutil_socket_t fd, short what, void *argument)
{
    struct events *events = argument;

    (void)fd, (void)what;
    if (!events->spoke)
        move_all(&events->even, &events->behind);
    if (!TAILQ_EMPTY(&events->behind))
        arm(events->turn, 0);
    events->spoke = false;
    arm(events->heartbeat, events->settings.heartbeat_ms);
}

void events_note(struct events *events, enum engine_thing thing, const char *id)
{
    changes_note(events->changes, thing, id);
    arm(events->gather, gather_ms(events));
}

/* --- coming and going --- */

static void refuse(struct http_exchange *exchange, const char *why)
{
    http_add_header(exchange, "Retry-After", RETRY_LATER);
    http_problem(exchange, 503, "%s", why);
}

static void greet(struct subscriber *subscriber, bool is_known)
{
    http_stream_write(subscriber->exchange, GREETING, strlen(GREETING));
    if (is_known)
        serve(subscriber);
    else
        send_reset(subscriber);
}

void events_subscribe(struct events *events, struct http_exchange *exchange)
{
    const char *last = http_header(exchange, "Last-Event-ID");
    uint64_t next = 0;
    bool is_known = changes_find(events->changes, last, &next);

    if (events->closed || events->count >= events->settings.subscribers) {
        refuse(exchange, events->closed
                             ? "the server is stopping: its next start has the events"
                             : "as many follow the events as [limits] subscribers "
                               "allows: try again later, or ask for /status.json");
        return;
    }
    struct subscriber *subscriber = xcalloc(1, sizeof *subscriber);
    http_add_header(exchange, "Cache-Control", "no-store");
    http_add_header(exchange, "X-Accel-Buffering", "no"); /* nginx would gather them */
    if (!http_stream_begin(exchange, "text/event-stream", gone_cb, subscriber)) {
        free(subscriber);
        return;
    }
    *subscriber =
        (struct subscriber){events, exchange, next, &events->even, {NULL, NULL}};
    TAILQ_INSERT_TAIL(&events->even, subscriber, link);
    events->count++;
    greet(subscriber, is_known);
}

size_t events_subscribers(const struct events *events)
{
    return events->count;
}

static void end(struct subscriber *subscriber)
{
    struct http_exchange *exchange = subscriber->exchange;

    forget(subscriber);
    http_stream_end(exchange);
}

void events_close(struct events *events)
{
    events->closed = true;
    move_all(&events->even, &events->behind);
    move_all(&events->slow, &events->behind);
    while (!TAILQ_EMPTY(&events->behind))
        end(TAILQ_FIRST(&events->behind));
}

/* --- the room --- */

void events_configure(struct events *events, const struct events_settings *settings)
{
    events->settings = *settings;
    evtimer_del(events->heartbeat);
    arm(events->heartbeat, settings->heartbeat_ms);
}

struct events *events_new(struct event_base *base, const struct engine *engine,
                          const struct events_settings *settings)
{
    struct events *events = xcalloc(1, sizeof *events);

    TAILQ_INIT(&events->even);
    TAILQ_INIT(&events->behind);
    TAILQ_INIT(&events->slow);
    events->changes = changes_new(engine, now().wall_ms);
    events->gather = xcheck(evtimer_new(base, gather_cb, events));
    events->turn = xcheck(evtimer_new(base, turn_cb, events));
    events->heartbeat = xcheck(evtimer_new(base, heartbeat_cb, events));
    events_configure(events, settings);
    return events;
}

void events_free(struct events *events)
{
    if (events == NULL)
        return;
    move_all(&events->even, &events->behind);
    move_all(&events->slow, &events->behind);
    while (!TAILQ_EMPTY(&events->behind))
        forget(TAILQ_FIRST(&events->behind));
    event_free(events->gather);
    event_free(events->turn);
    event_free(events->heartbeat);
    changes_free(events->changes);
    free(events);
}
