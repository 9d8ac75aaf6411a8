/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it costs polls that many follow the events: clients poll as in row_poll.c, beside
 * them one reports again and again, so that there is always something new, and a thousand
 * subscribers read of it on a thread of their own. The yardstick is the same without the
 * thousand.
 */
#include "compare.h"
#include "daemons.h"
#include "players.h"
#include "xalloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define POLLERS     64      /* and as many connections */
#define MOVER       POLLERS /* the link of the one who reports */
#define CLIENTS     (MOVER + 1)
#define SUBSCRIBERS 1000
#define BACKLOG     50  /* connections at once */
#define READS       256 /* that are taken from epoll at once */
#define ANSWER_S    10  /* how long the server has to answer a subscriber */
#define TICK_MS     100 /* how seldom the thread looks whether it is to end */

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

static int subscribe(struct audience *audience, size_t number, int port, char **cause)
{
    static const char request[] = "GET /status/events HTTP/1.1\r\nHost: bench\r\n\r\n";
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = number};
    int fd = audience->fds[number] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0 ||
        send(fd, request, sizeof request - 1, MSG_NOSIGNAL) < 0 ||
        epoll_ctl(audience->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
        cause_set(cause, "a subscriber can't connect: %s", strerror(errno));
        return -1;
    }
    return 0;
}

/* Connect a few at a time: the server's queue is short. */
static int subscribe_all(struct audience *audience, int port, char **cause)
{
    for (size_t first = 0; first < SUBSCRIBERS; first += BACKLOG) {
        for (size_t i = first; i < first + BACKLOG; i++) {
            if (subscribe(audience, i, port, cause) < 0)
                return -1;
        }
        for (size_t i = first; i < first + BACKLOG; i++) {
            if (await_answer(audience->fds[i], cause) < 0)
                return -1;
        }
    }
    return 0;
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
    int port = atoi(strrchr(server_url(server), ':') + 1);

    memset(audience->fds, -1, sizeof audience->fds);
    audience->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (subscribe_all(audience, port, cause) < 0) {
        audience_free(audience);
        return NULL;
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
    struct server *server;          /* owned */
    struct load *load;              /* their links; owned */
    struct audience *audience;      /* NULL: nobody follows; owned */
    struct player players[CLIENTS]; /* one for each link */
    bool reports;                   /* the mover's link has sent a report */
    int64_t sent_ns[CLIENTS];       /* when the link's poll was sent */
};

static void send_poll(struct stage *stage, size_t link)
{
    stage->sent_ns[link] = cpu_clock_ns();
    player_send_poll(&stage->players[link], 0, stage->load, link);
}

/* The mover reports what its poll gave, and polls once that was taken. */
static void move_on(struct stage *stage)
{
    if (stage->reports)
        send_poll(stage, MOVER);
    else
        player_send_report(&stage->players[MOVER], stage->load, MOVER);
    stage->reports = !stage->reports;
}

static void answered_cb(void *context, size_t link, const struct load_answer *answer)
{
    struct stage *stage = context;
    bool is_report = link == MOVER && stage->reports;

    if (answer->status != 200 ||
        (!is_report && !player_take(&stage->players[link], answer))) {
        load_fail(stage->load, "%s was answered %d %.200s", stage->players[link].id,
                  answer->status, answer->body);
    } else if (link == MOVER) {
        move_on(stage);
    } else {
        load_note(stage->load, stage->sent_ns[link]);
        send_poll(stage, link);
    }
}

/* Register them all, and let them begin. */
static int begin_clients(struct stage *stage, char **cause)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        struct player *player = &stage->players[i];
        if (player_register(player, "red", i, stage->load, i, cause) < 0)
            return -1;
        char *answer = player_await(player, stage->load, i, cause);
        if (answer == NULL)
            return -1;
        free(answer);
    }
    for (size_t i = 0; i < MOVER; i++)
        send_poll(stage, i);
    move_on(stage);
    return 0;
}

static void stage_free(struct stage *stage)
{
    if (stage == NULL)
        return;
    audience_free(stage->audience);
    load_free(stage->load);
    server_stop(stage->server);
    free(stage);
}

/* NULL and a cause. Returns owned. */
static struct stage *stage_new(const struct bench *bench, const char *name,
                               bool is_followed, char **cause)
{
    struct daemon_setup setup = {
        .name = name, .definition = definition, .cases = CLIENTS};
    struct stage *stage = xcalloc(1, sizeof *stage);

    stage->server = daemons_start(bench, &setup, cause);
    if (stage->server != NULL && is_followed)
        stage->audience = audience_new(stage->server, cause);
    if (stage->server != NULL && (stage->audience != NULL || !is_followed))
        stage->load =
            load_new(server_url(stage->server), CLIENTS, answered_cb, stage, cause);
    if (stage->load == NULL || begin_clients(stage, cause) < 0) {
        stage_free(stage);
        return NULL;
    }
    return stage;
}

static void tell(struct table *table, const struct side *sides)
{
    static const int told[] = {METRIC_RATE, METRIC_CPU, METRIC_MEDIAN, METRIC_P99};

    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        table_compare(table, "polls, 1000 follow", told[i], &sides[0], &sides[1]);
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
    side_begin(&sides[0], "1000 subscribers", followed->load, followed->server);
    side_begin(&sides[1], "none", alone->load, alone->server);
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
