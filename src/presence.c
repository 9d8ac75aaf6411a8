/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who was heard when, and polls that are held. One heap orders the held polls by when
 * their wait is over, one timer stands for its first; a janitor looks for silent clients
 * once a second. Where thousands of held polls have their answer at once some go out in
 * each turn of the loop: what is written gives its memory to what comes next, and others
 * are served in between.
 */
#include "presence.h"

#include "heap.h"
#include "http.h"
#include "ids.h"
#include "now.h"
#include "xalloc.h"

#include "hash.h"
#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define REPEATS_AT_ONCE  4    /* polls again for a delivery that are answered at once */
#define REPEAT_WITHIN_MS 500  /* a poll this soon after the answer is one without pause */
#define SPIN_DELAY_MS    1000 /* and is answered after this from then on */
#define RELEASED_REASON  "the server is started again: ask once more"
#define IDLE_DELAY_MS    5000 /* what a client that would not wait is asked to sleep */
#define ANSWERS_AT_ONCE  64   /* held polls that are answered in one turn of the loop */

/* A client as the front end knows it. */
struct visitor {
    char *id;                  /* owned */
    struct presence *presence; /* whose; borrowed */
    int64_t quiet_since_ms; /* monotonic: when it was heard, or got something new to do */
    int64_t polled_ms;      /* wall time of its latest poll; 0: none */
    int64_t answered_ms;    /* monotonic: when its latest poll was answered */
    char delivery[ID_SIZE]; /* what its latest poll was given; "" if no action */
    unsigned repeats;       /* polls for that delivery again, without pause */
    bool exit_fetched;      /* it was told to exit */
    bool restored;          /* another process knew it; it has not polled since */
    bool told_lost;         /* it was silent for too long, and the owner knows */
    struct http_exchange *held; /* its poll that waits for something to say, or NULL */
    struct heap_entry wait;     /* of the held poll, by the end of its wait */
    TAILQ_ENTRY(visitor) link;  /* in order of quiet_since_ms */
    UT_hash_handle hh;          /* by id */
};

TAILQ_HEAD(visitor_list, visitor);

struct presence {
    struct presence_settings settings; /* patience */
    void (*lost)(void *context, const char *client,
                 const char *reason); /* tells the owner */
    void *context;                    /* for lost; borrowed */
    const struct engine *engine;      /* what clients are to do; borrowed */
    struct visitor *visitors;         /* by id; owned */
    struct visitor_list by_silence;   /* all, the longest silent first */
    struct heap waits;                /* held polls */
    struct event *wait_timer;         /* the first held poll's wait is over; owned */
    struct event *janitor;            /* once a second; owned */
    bool released;                    /* polls are not held any more */
    struct event *turn;               /* the next turn of the loop begins; owned */
    size_t answered;                  /* held polls in this turn of the loop */
};

static struct visitor *find(const struct presence *presence, const char *client)
{
    struct visitor *visitor = NULL;

    HASH_FIND_STR(presence->visitors, client, visitor);
    return visitor;
}

static void touch(struct visitor *visitor)
{
    struct presence *presence = visitor->presence;

    TAILQ_REMOVE(&presence->by_silence, visitor, link);
    TAILQ_INSERT_TAIL(&presence->by_silence, visitor, link);
    visitor->quiet_since_ms = now().mono_ms;
    visitor->told_lost = false;
}

static struct visitor *find_or_make(struct presence *presence, const char *client)
{
    struct visitor *visitor = find(presence, client);

    if (visitor == NULL) {
        visitor = xcalloc(1, sizeof *visitor);
        visitor->id = xstrdup(client);
        visitor->presence = presence;
        visitor->wait.owner = visitor;
        HASH_ADD_KEYPTR(hh, presence->visitors, visitor->id, strlen(visitor->id),
                        visitor);
        TAILQ_INSERT_TAIL(&presence->by_silence, visitor, link);
    }
    touch(visitor);
    return visitor;
}

/* --- holding --- */

static void arm_wait_timer(struct presence *presence)
{
    const struct heap_entry *first = heap_first(&presence->waits);
    int64_t ms = first != NULL ? first->key - now().mono_ms : 0;

    if (first == NULL) {
        evtimer_del(presence->wait_timer);
        return;
    }
    if (ms < 0 || presence->released)
        ms = 0;
    struct timeval time = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    evtimer_add(presence->wait_timer, &time);
}

/* End the hold: the exchange is the caller's again. */
static struct http_exchange *release(struct visitor *visitor)
{
    struct http_exchange *exchange = visitor->held;

    visitor->held = NULL;
    heap_remove(&visitor->presence->waits, &visitor->wait);
    return exchange;
}

static void gone_cb(void *argument)
{
    struct visitor *visitor = argument;

    touch(visitor); /* it was there until now */
    release(visitor);
}

static void hold(struct visitor *visitor, struct http_exchange *exchange,
                 int64_t until_ms)
{
    visitor->held = exchange;
    heap_put(&visitor->presence->waits, &visitor->wait, until_ms);
    http_hold(exchange, gone_cb, visitor);
    if (heap_first(&visitor->presence->waits) == &visitor->wait)
        arm_wait_timer(visitor->presence);
}

/* --- answering --- */

/* Whether one held poll more may be answered in this turn of the loop. */
static bool has_turn(struct presence *presence)
{
    static const struct timeval at_once = {0};

    if (presence->answered == 0)
        evtimer_add(presence->turn, &at_once); /* a timer never ends in its own turn */
    return presence->answered++ < ANSWERS_AT_ONCE;
}

static void turn_cb(evutil_socket_t fd, short what, void *argument)
{
    struct presence *presence = argument;

    (void)fd, (void)what;
    presence->answered = 0;
}

static void answer_idle(struct http_exchange *exchange, int delay_ms, const char *reason)
{
    char *text =
        xasprintf("{\"action\":\"idle\",\"data\":{\"delay\":%d,\"reason\":\"%s\"}}",
                  delay_ms, reason);

    http_reply_json(exchange, text);
    free(text);
}

/* The client has what there is to say. */
static void note_fetched(struct visitor *visitor, const struct poll *poll)
{
    visitor->delivery[0] = '\0';
    if (poll->delivery != NULL)
        memcpy(visitor->delivery, poll->delivery, ID_SIZE);
    visitor->answered_ms = now().mono_ms;
    visitor->exit_fetched = visitor->exit_fetched || poll->is_exit;
}

static void answer(struct visitor *visitor, struct http_exchange *exchange,
                   const struct poll *poll)
{
    note_fetched(visitor, poll);
    http_reply_json(exchange, poll->answer);
}

/* Count this poll if it asks without pause for what the latest one was given; whether
 * that went on for long enough to be slowed. */
static bool is_spinning(struct visitor *visitor, const struct poll *poll)
{
    bool repeats = poll->delivery != NULL &&
                   strcmp(visitor->delivery, poll->delivery) == 0 &&
                   visitor->answered_ms + REPEAT_WITHIN_MS > now().mono_ms;

    visitor->repeats = repeats ? visitor->repeats + 1 : 0;
    return visitor->repeats > REPEATS_AT_ONCE;
}

static struct visitor *note_polled(struct presence *presence, const char *client)
{
    struct visitor *visitor = find_or_make(presence, client);

    visitor->polled_ms = now().wall_ms;
    visitor->restored = false;
    return visitor;
}

struct poll presence_show(struct presence *presence, const char *client)
{
    struct poll poll = engine_poll(presence->engine, client);

    if (engine_client_standing(presence->engine, client) == CLIENT_IS_UNKNOWN)
        return poll;
    struct visitor *visitor = note_polled(presence, client);
    if (poll.kind == POLL_ANSWER)
        note_fetched(visitor, &poll);
    return poll;
}

void presence_poll(struct presence *presence, const char *client,
                   struct http_exchange *exchange, int64_t wait_ms, bool named)
{
    struct poll poll = engine_poll(presence->engine, client);

    if (engine_client_standing(presence->engine, client) == CLIENT_IS_UNKNOWN) {
        http_reply_json(exchange, poll.answer);
        return;
    }
    struct visitor *visitor = note_polled(presence, client);
    struct instant moment = now();
    if (visitor->held != NULL)
        answer_idle(release(visitor), 0, "a newer poll of this client took its place");
    bool spinning = is_spinning(visitor, &poll);
    if (poll.kind == POLL_ANSWER && !named && spinning)
        hold(visitor, exchange, moment.mono_ms + SPIN_DELAY_MS);
    else if (poll.kind == POLL_ANSWER)
        answer(visitor, exchange, &poll);
    else if (presence->released)
        answer_idle(exchange, 0, RELEASED_REASON);
    else if (wait_ms == 0)
        answer_idle(exchange, IDLE_DELAY_MS, poll.reason);
    else
        hold(visitor, exchange, moment.mono_ms + wait_ms);
}

void presence_wake(struct presence *presence, const char *client)
{
    struct visitor *visitor = find(presence, client);
    struct poll poll = engine_poll(presence->engine, client);

    if (visitor == NULL)
        return;
    touch(visitor);
    if (visitor->held == NULL || poll.kind != POLL_ANSWER)
        return;
    if (has_turn(presence)) {
        answer(visitor, release(visitor), &poll);
    } else { /* its wait ends now, and with it the answer comes */
        heap_put(&presence->waits, &visitor->wait, now().mono_ms);
        arm_wait_timer(presence);
    }
}

/* Answer this held poll with what there is to say. */
static void end_wait(struct visitor *visitor)
{
    struct presence *presence = visitor->presence;
    struct poll poll = engine_poll(presence->engine, visitor->id);
    struct http_exchange *exchange = release(visitor);

    touch(visitor);
    if (poll.kind == POLL_ANSWER)
        answer(visitor, exchange, &poll);
    else
        answer_idle(exchange, 0, presence->released ? RELEASED_REASON : poll.reason);
}

static void wait_over_cb(evutil_socket_t fd, short what, void *argument)
{
    struct presence *presence = argument;
    struct heap_entry *first;

    (void)fd, (void)what;
    while ((first = heap_first(&presence->waits)) != NULL &&
           (first->key <= now().mono_ms || presence->released) && has_turn(presence))
        end_wait(first->owner);
    arm_wait_timer(presence);
}

/* --- silence --- */

static void forget(struct visitor *visitor)
{
    struct presence *presence = visitor->presence;

    if (visitor->held != NULL)
        answer_idle(release(visitor), 0, "this client is forgotten");
    HASH_DEL(presence->visitors, visitor);
    TAILQ_REMOVE(&presence->by_silence, visitor, link);
    free(visitor->id);
    free(visitor);
}

/* It works on an action that it fetched: only the action's own time-out counts. */
static bool is_working(const struct visitor *visitor)
{
    struct poll poll = engine_poll(visitor->presence->engine, visitor->id);

    return poll.delivery != NULL &&
           (visitor->restored || strcmp(poll.delivery, visitor->delivery) == 0);
}

static void tell_lost(struct visitor *visitor, int64_t silence_ms, bool forgotten)
{
    struct presence *presence = visitor->presence;
    char *client = xstrdup(visitor->id);
    char *reason =
        xasprintf("it did not poll for %" PRId64 " seconds", silence_ms / 1000);

    visitor->told_lost = true;
    if (forgotten)
        forget(visitor);
    presence->lost(presence->context, client, reason);
    free(reason);
    free(client);
}

static void look_after(struct visitor *visitor, int64_t silence_ms)
{
    const struct presence *presence = visitor->presence;

    switch (engine_client_standing(presence->engine, visitor->id)) {
    case CLIENT_IS_UNKNOWN:
        forget(visitor);
        break;
    case CLIENT_IS_WAITING:
        if (silence_ms >= presence->settings.idle_client_ms)
            tell_lost(visitor, silence_ms, true);
        break;
    case CLIENT_IS_PLAYING:
        if (silence_ms >= presence->settings.active_client_ms && !visitor->told_lost &&
            !is_working(visitor))
            tell_lost(visitor, silence_ms, false);
        break;
    case CLIENT_IS_OVER:
        break;
    }
}

static void janitor_cb(evutil_socket_t fd, short what, void *argument)
{
    struct presence *presence = argument;
    struct visitor *visitor, *next, place;
    int64_t moment = now().mono_ms;
    int64_t patience = presence->settings.idle_client_ms;

    (void)fd, (void)what;
    if (presence->settings.active_client_ms < patience)
        patience = presence->settings.active_client_ms;
    for (visitor = TAILQ_FIRST(&presence->by_silence);
         visitor != NULL && visitor->quiet_since_ms + patience <= moment;
         visitor = next) {
        /* who is looked after may go, and wake others, who then move to the end */
        TAILQ_INSERT_AFTER(&presence->by_silence, visitor, &place, link);
        if (visitor->held == NULL) /* a held poll counts as heard */
            look_after(visitor, moment - visitor->quiet_since_ms);
        next = TAILQ_NEXT(&place, link);
        TAILQ_REMOVE(&presence->by_silence, &place, link);
    }
}

/* --- life, and questions --- */

struct presence *presence_new(
    struct event_base *base, const struct presence_settings *settings,
    void (*lost)(void *context, const char *client, const char *reason), void *context)
{
    struct presence *presence = xcalloc(1, sizeof *presence);
    struct timeval second = {.tv_sec = 1};

    presence->settings = *settings;
    presence->lost = lost;
    presence->context = context;
    TAILQ_INIT(&presence->by_silence);
    presence->wait_timer = xcheck(evtimer_new(base, wait_over_cb, presence));
    presence->turn = xcheck(evtimer_new(base, turn_cb, presence));
    presence->janitor = xcheck(event_new(base, -1, EV_PERSIST, janitor_cb, presence));
    event_add(presence->janitor, &second);
    return presence;
}

void presence_free(struct presence *presence)
{
    struct visitor *visitor, *next;

    HASH_ITER (hh, presence->visitors, visitor, next) {
        HASH_DEL(presence->visitors, visitor);
        free(visitor->id);
        free(visitor);
    }
    heap_clear(&presence->waits);
    event_free(presence->wait_timer);
    event_free(presence->turn);
    event_free(presence->janitor);
    free(presence);
}

void presence_configure(struct presence *presence,
                        const struct presence_settings *settings)
{
    presence->settings = *settings;
}

void presence_set_engine(struct presence *presence, const struct engine *engine)
{
    presence->engine = engine;
}

void presence_heard(struct presence *presence, const char *client)
{
    find_or_make(presence, client);
}

void presence_restore(struct presence *presence, const char *client)
{
    find_or_make(presence, client)->restored = true;
}

void presence_release(struct presence *presence)
{
    presence->released = true;
    arm_wait_timer(presence);
}

const char *presence_delivery(const struct presence *presence, const char *client)
{
    const struct visitor *visitor = find(presence, client);

    if (visitor != NULL && visitor->restored) {
        const char *outstanding = engine_poll(presence->engine, client).delivery;
        return outstanding != NULL ? outstanding : "";
    }
    return visitor != NULL ? visitor->delivery : "";
}

int64_t presence_last_polled(const struct presence *presence, const char *client)
{
    const struct visitor *visitor = find(presence, client);

    return visitor != NULL ? visitor->polled_ms : 0;
}

bool presence_all_left(const struct presence *presence)
{
    for (const struct visitor *visitor = presence->visitors; visitor != NULL;
         visitor = visitor->hh.next) {
        /* of another process' clients nobody knows who heard of the end of their cases */
        bool long_over =
            visitor->restored &&
            engine_client_standing(presence->engine, visitor->id) == CLIENT_IS_OVER;
        if (!visitor->exit_fetched && !long_over)
            return false;
    }
    return true;
}

size_t presence_held(const struct presence *presence)
{
    return presence->waits.count;
}
