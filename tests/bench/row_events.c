/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it costs polls that many follow the events: clients poll as in row_poll.c, beside
 * them one reports again and again, so that there is always something new, and a thousand
 * subscribers read of it on a thread of their own. The yardstick is the same without the
 * thousand.
 */
#include "compare.h"
#include "connect.h"
#include "daemons.h"
#include "players.h"
#include "pollers.h"
#include "xalloc.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define POLLERS     64      /* and as many connections */
#define MOVER       POLLERS /* the link of the one who reports */
#define WAIT        60      /* seconds that its poll waits; the action is there at once */
#define SUBSCRIBERS 1000
#define READS       256 /* that are taken from epoll at once */
#define ANSWER_S    10  /* how long the server has to answer a subscriber */
#define TICK_MS     100 /* how seldom the thread looks whether it is to end */

/* Two states, since every one has to be left. */
static const char definition[] =
    "{\"name\":\"Events\",\"clients\":{\"red\":[\"red\"]}," PLAYER_DICTIONARY
    ",\"initial\":\"left\",\"states\":{"
    "\"left\":{\"actions\":{\"red\":{\"action\":\"pass\",\"responses\":"
    "{\"passed\":\"right\",\"over\":\"complete\"}}}},"
    "\"right\":{\"actions\":{\"red\":{\"action\":\"pass\",\"responses\":"
    "{\"passed\":\"left\"}}}}}}";

/* --- subscribers --- */

/* All of them, on a thread that throws away what they are sent. */
struct audience {
    int fds[SUBSCRIBERS];      /* their sockets; -1: not there */
    size_t bytes[SUBSCRIBERS]; /* what each has been sent; the thread's */
    int epoll;                 /* knows all sockets; data is the number */
    pthread_t thread;          /* reads */
    bool runs;                 /* the thread was begun */
    atomic_bool over;          /* it is to end */
    atomic_size_t ended;       /* streams that the server has ended */
};

static void *read_all(void *argument)
{
    struct audience *audience = argument;
    struct epoll_event ready[READS];
    static char piece[65536];

    while (!atomic_load(&audience->over)) {
        int count = epoll_wait(audience->epoll, ready, READS, TICK_MS);
        for (int i = 0; i < count; i++) {
            size_t number = ready[i].data.u64;
            ssize_t got = recv(audience->fds[number], piece, sizeof piece, MSG_DONTWAIT);
            if (got > 0)
                audience->bytes[number] += (size_t)got;
            else if (got == 0 || errno != EAGAIN)
                atomic_fetch_add(&audience->ended, 1);
        }
    }
    return NULL;
}

/* -1 and a cause if it is not answered with a stream. */
static int await_answer(int fd, char **cause)
{
    struct timeval patience = {.tv_sec = ANSWER_S};
    char answer[256] = "";

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ssize_t got = recv(fd, answer, sizeof answer - 1, 0);
    if (got > 0 && strncmp(answer, "HTTP/1.1 200 ", 13) == 0)
        return 0;
    cause_set(cause, "a subscriber was answered: %.100s",
              got > 0 ? answer : strerror(errno));
    return -1;
}

static int subscribe(struct audience *audience, size_t number, const char *url,
                     char **cause)
{
    static const char request[] = "GET /status/events HTTP/1.1\r\nHost: bench\r\n\r\n";
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = number};
    int fd = audience->fds[number] = connect_to(url, number);

    if (fd >= 0 && send(fd, request, sizeof request - 1, MSG_NOSIGNAL) > 0 &&
        epoll_ctl(audience->epoll, EPOLL_CTL_ADD, fd, &event) == 0)
        return await_answer(fd, cause);
    cause_set(cause, "a subscriber can't connect: %s", strerror(errno));
    return -1;
}

static void audience_free(struct audience *audience)
{
    if (audience == NULL)
        return;
    atomic_store(&audience->over, true);
    if (audience->runs)
        pthread_join(audience->thread, NULL);
    for (size_t i = 0; i < SUBSCRIBERS; i++) {
        if (audience->fds[i] >= 0)
            close(audience->fds[i]);
    }
    close(audience->epoll);
    free(audience);
}

/* NULL and a cause. Returns owned. */
static struct audience *audience_new(const struct server *server, char **cause)
{
    struct audience *audience = xcalloc(1, sizeof *audience);

    memset(audience->fds, -1, sizeof audience->fds);
    audience->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < SUBSCRIBERS; i++) {
        if (subscribe(audience, i, server_url(server), cause) < 0) {
            audience_free(audience);
            return NULL;
        }
    }
    audience->runs = pthread_create(&audience->thread, NULL, read_all, audience) == 0;
    return audience;
}

/* End the thread, and see whether it was what the row says: -1 and a cause if not. */
static int audience_judge(struct audience *audience, char **cause)
{
    size_t deaf = 0;

    atomic_store(&audience->over, true);
    if (audience->runs)
        pthread_join(audience->thread, NULL);
    audience->runs = false;
    for (size_t i = 0; i < SUBSCRIBERS; i++)
        deaf += audience->bytes[i] == 0;
    if (deaf == 0 && atomic_load(&audience->ended) == 0)
        return 0;
    cause_set(cause, "of %d subscribers %zu heard nothing, %zu were cut off", SUBSCRIBERS,
              deaf, atomic_load(&audience->ended));
    return -1;
}

/* --- clients --- */

/* Those of one server. */
struct stage {
    struct server *server;     /* owned */
    struct audience *audience; /* NULL: nobody follows; owned */
    struct pollers *pollers;   /* their last link is the mover's; owned */
    struct player mover;       /* who reports */
    bool polls;                /* what the mover has sent last is a poll */
};

/* The mover has its answer: it reports what a poll gave, and polls after all else. */
static void moved_cb(void *context, size_t link, const struct load_answer *answer)
{
    struct stage *stage = context;
    struct load *load = pollers_load(stage->pollers);
    bool has_action = stage->polls && player_take(&stage->mover, answer);

    if (answer->status != 200)
        load_fail(load, "%s was answered %d %.200s", stage->mover.id, answer->status,
                  answer->body);
    else if (has_action)
        player_send_report(&stage->mover, load, link);
    else
        player_send_poll(&stage->mover, WAIT, load, link);
    stage->polls = !has_action;
}

static void stage_free(struct stage *stage)
{
    if (stage == NULL)
        return;
    audience_free(stage->audience);
    pollers_free(stage->pollers);
    server_stop(stage->server);
    free(stage);
}

/* NULL and a cause. Returns owned. */
static struct stage *stage_new(const struct bench *bench, const char *name,
                               bool is_followed, char **cause)
{
    struct daemon_setup setup = {
        .name = name, .definition = definition, .cases = POLLERS + 1};
    struct stage *stage = xcalloc(1, sizeof *stage);

    stage->server = daemons_start(bench, &setup, cause);
    if (stage->server != NULL && is_followed)
        stage->audience = audience_new(stage->server, cause);
    if (stage->server != NULL && (stage->audience != NULL || !is_followed))
        stage->pollers = pollers_new(stage->server, POLLERS, 1, moved_cb, stage, cause);
    if (stage->pollers == NULL) {
        stage_free(stage);
        return NULL;
    }
    player_name(&stage->mover, "red", MOVER);
    player_send_register(&stage->mover, "red", pollers_load(stage->pollers), MOVER);
    return stage;
}

static void tell(struct table *table, const struct side *sides)
{
    static const int told[] = {METRIC_RATE, METRIC_CPU, METRIC_MEDIAN, METRIC_P99};
    struct goal same = {GOAL_RATIO_AT_MOST, 1.1};

    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        table_compare(table, "polls, 1000 follow", told[i], &sides[0], &sides[1],
                      told[i] == METRIC_CPU ? same : NO_GOAL);
}

int row_events(struct bench *bench, char **cause)
{
    struct stage *followed = stage_new(bench, "events", true, cause);
    struct stage *alone =
        followed != NULL ? stage_new(bench, "events-none", false, cause) : NULL;
    struct side *sides = xcalloc(2, sizeof *sides);
    int result = -1;

    if (followed == NULL || alone == NULL)
        goto out;
    side_begin(&sides[0], "1000 subscribers", pollers_load(followed->pollers),
               followed->server);
    side_begin(&sides[1], "none", pollers_load(alone->pollers), alone->server);
    result = compare_sides(bench, sides, 2, cause);
    if (result == 0)
        result = audience_judge(followed->audience, cause);
    if (result == 0)
        tell(bench->table, sides);
out:
    stage_free(followed);
    stage_free(alone);
    free(sides);
    return result;
}
