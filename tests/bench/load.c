/* SPDX-License-Identifier: Apache-2.0 */
/* The load: links on epoll. */
#include "load.h"

#include "connect.h"
#include "cpu.h"
#include "interrupt.h"
#include "xalloc.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define ASK_MS     10000 /* how long load_ask() waits */
#define TICK_MS    100   /* how seldom load_run() looks at the time */
#define TICKS_LATE 10    /* that are made up for; longer ago nobody was there to call */
#define EVENTS     256   /* that are taken from epoll at once */
#define TIMER      UINT64_MAX /* what epoll calls the timer; links have their numbers */
#define SPILL      65536      /* bytes of an answer that nobody keeps, read at once */

struct link {
    int fd;                 /* its socket, or -1 */
    bool waits;             /* for an answer */
    size_t head;            /* bytes of the answer's head; 0: it is not whole */
    size_t kept;            /* bytes in `in` */
    size_t got;             /* bytes of this answer so far */
    size_t body;            /* Content-Length */
    size_t unsent;          /* bytes in `out` that the socket did not take */
    char in[LOAD_ANSWER];   /* the answer, from its beginning */
    char out[LOAD_REQUEST]; /* the end of a request */
};

struct load {
    struct link *links;          /* owned */
    size_t count;                /* of links */
    int epoll;                   /* knows all sockets; data is the link's number */
    load_answered_cb *answered;  /* the row */
    void *context;               /* its argument */
    int timer;                   /* of load_every(), or -1 */
    void (*tick)(void *context); /* what it calls */
    void *ticks;                 /* its argument; borrowed */
    bool stopped;                /* the row wants load_run() to end */
    struct load_answer *asked;   /* where load_ask() wants the answer; NULL otherwise */
    int64_t began_ns;            /* when load_run() was called */
    struct histogram noted;      /* since then */
    char *failure;               /* why it cannot go on; owned */
    char spill[SPILL];           /* what is read and thrown away */
};

void load_fail(struct load *load, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    if (load->failure == NULL)
        load->failure = xvasprintf(format, arguments);
    va_end(arguments);
}

/* -1, and the failure becomes the cause, if there is one. */
static int load_judge(struct load *load, char **cause)
{
    if (load->failure == NULL)
        return 0;
    cause_set(cause, "%s", load->failure);
    free(load->failure);
    load->failure = NULL;
    return -1;
}

/* --- connecting --- */

static int link_connect(struct load *load, size_t number, const char *url)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = number};
    int fd = connect_to(url, number);

    load->links[number].fd = fd;
    return fd >= 0 ? epoll_ctl(load->epoll, EPOLL_CTL_ADD, fd, &event) : -1;
}

struct load *load_new(const char *url, size_t count, load_answered_cb *answered,
                      void *context, char **cause)
{
    struct load *load = xcalloc(1, sizeof *load);

    load->answered = answered;
    load->context = context;
    load->timer = -1;
    load->links = xcalloc(count, sizeof *load->links);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    while (load->count < count && link_connect(load, load->count, url) == 0)
        load->count++;
    if (load->count == count)
        return load;
    cause_set(cause, "connection %zu of %zu to %s: %s", load->count + 1, count, url,
              strerror(errno));
    load->count++; /* the one that failed may have a socket */
    load_free(load);
    return NULL;
}

void load_free(struct load *load)
{
    if (load == NULL)
        return;
    for (size_t i = 0; i < load->count; i++) {
        if (load->links[i].fd > 0)
            close(load->links[i].fd);
    }
    if (load->timer >= 0)
        close(load->timer);
    if (load->epoll >= 0)
        close(load->epoll);
    free(load->failure);
    free(load->links);
    free(load);
}

size_t load_links(const struct load *load)
{
    return load->count;
}

/* --- sending --- */

static void link_want(struct load *load, size_t number, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u64 = number};

    epoll_ctl(load->epoll, EPOLL_CTL_MOD, load->links[number].fd, &event);
}

/* Gives how many bytes the socket took. */
static size_t link_write(struct load *load, size_t number, const char *from, size_t size)
{
    ssize_t sent = send(load->links[number].fd, from, size, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (sent >= 0)
        return (size_t)sent;
    if (errno != EAGAIN && errno != EINTR)
        load_fail(load, "sending on connection %zu: %s", number, strerror(errno));
    return 0;
}

void load_send(struct load *load, size_t number, const char *request, size_t size)
{
    struct link *link = &load->links[number];

    assert(!link->waits && size <= sizeof link->out);
    link->waits = true;
    link->head = link->kept = link->got = 0;
    size_t sent = link_write(load, number, request, size);
    link->unsent = size - sent;
    if (link->unsent == 0)
        return;
    memcpy(link->out, request + sent, link->unsent);
    link_want(load, number, EPOLLIN | EPOLLOUT);
}

static void link_send_rest(struct load *load, size_t number)
{
    struct link *link = &load->links[number];
    size_t sent = link_write(load, number, link->out, link->unsent);

    link->unsent -= sent;
    memmove(link->out, link->out + sent, link->unsent);
    if (link->unsent == 0)
        link_want(load, number, EPOLLIN);
}

/* --- receiving --- */

/* Find the answer's head, and in it the size of the body. False: it can't be read. */
static bool link_read_head(struct link *link)
{
    static const char length[] = "\r\nContent-Length:";
    char *end = memmem(link->in, link->kept, "\r\n\r\n", 4);

    if (end == NULL)
        return link->kept < sizeof link->in - 1;
    *end = '\0';
    const char *found = strcasestr(link->in, length);
    *end = '\r';
    link->head = (size_t)(end - link->in) + 4;
    if (found == NULL || strncmp(link->in, "HTTP/1.1 ", 9) != 0)
        return false;
    link->body = strtoul(found + strlen(length), NULL, 10);
    return true;
}

static void link_finish(struct load *load, size_t number)
{
    struct link *link = &load->links[number];
    struct load_answer answer = {
        .status = atoi(link->in + strlen("HTTP/1.1 ")),
        .body = link->in + link->head,
        .size = link->body,
    };

    link->in[link->kept] = '\0';
    link->waits = false;
    if (load->asked != NULL)
        *load->asked = answer;
    else
        load->answered(load->context, number, &answer);
}

static void link_look(struct load *load, size_t number)
{
    struct link *link = &load->links[number];

    if (!link->waits)
        load_fail(load, "connection %zu got bytes that it did not ask for", number);
    else if (link->head == 0 && !link_read_head(link))
        load_fail(load, "connection %zu got no answer with a Content-Length: %.60s",
                  number, link->in);
    else if (link->head > 0 && link->got > link->head + link->body)
        load_fail(load, "connection %zu got more than one answer", number);
    else if (link->head > 0 && link->got == link->head + link->body)
        link_finish(load, number);
}

static void link_receive(struct load *load, size_t number)
{
    struct link *link = &load->links[number];
    size_t room = link->waits ? sizeof link->in - 1 - link->kept : 0;
    ssize_t got = room > 0 ? recv(link->fd, link->in + link->kept, room, MSG_DONTWAIT)
                           : recv(link->fd, load->spill, SPILL, MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        load_fail(load, "connection %zu was closed: %s", number,
                  got == 0 ? "the server ended it" : strerror(errno));
        return;
    }
    link->got += (size_t)got;
    link->kept += room > 0 ? (size_t)got : 0;
    link_look(load, number);
}

/* --- going on --- */

int load_ask(struct load *load, size_t number, const char *request, size_t size,
             struct load_answer *answer, char **cause)
{
    struct link *link = &load->links[number];
    int64_t end_ns = cpu_clock_ns() + (int64_t)ASK_MS * 1000000;

    load->asked = answer;
    load_send(load, number, request, size);
    while (link->waits && load->failure == NULL) {
        struct pollfd ready = {.fd = link->fd,
                               .events = link->unsent > 0 ? POLLIN | POLLOUT : POLLIN};
        if (poll(&ready, 1, TICK_MS) > 0) {
            if (ready.revents & POLLOUT)
                link_send_rest(load, number);
            if (ready.revents & ~POLLOUT)
                link_receive(load, number);
        }
        if (link->waits && (interrupt_came(cause) || cpu_clock_ns() > end_ns))
            load_fail(load, "connection %zu got no answer in %d ms", number, ASK_MS);
    }
    load->asked = NULL;
    return load_judge(load, cause);
}

void load_every(struct load *load, int64_t period_ns, void (*tick)(void *context),
                void *context)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = TIMER};
    struct timespec period = {.tv_sec = period_ns / 1000000000,
                              .tv_nsec = period_ns % 1000000000};
    struct itimerspec setting = {.it_interval = period, .it_value = period};

    assert(load->timer < 0);
    load->tick = tick;
    load->ticks = context;
    load->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (load->timer < 0 || timerfd_settime(load->timer, 0, &setting, NULL) != 0 ||
        epoll_ctl(load->epoll, EPOLL_CTL_ADD, load->timer, &event) != 0)
        load_fail(load, "a timer: %s", strerror(errno));
}

static void load_tick(struct load *load)
{
    uint64_t count;

    if (read(load->timer, &count, sizeof count) == (ssize_t)sizeof count)
        for (uint64_t i = 0; i < count && i < TICKS_LATE; i++)
            load->tick(load->ticks);
}

static void load_turn(struct load *load, int wait_ms)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(load->epoll, events, EVENTS, wait_ms);

    for (int i = 0; i < count && load->failure == NULL; i++) {
        size_t number = (size_t)events[i].data.u64;
        if (events[i].data.u64 == TIMER) {
            load_tick(load);
            continue;
        }
        if (events[i].events & EPOLLOUT)
            link_send_rest(load, number);
        if (events[i].events & ~(uint32_t)EPOLLOUT)
            link_receive(load, number);
    }
}

int load_run(struct load *load, double seconds, char **cause)
{
    int64_t end_ns;

    histogram_clear(&load->noted);
    load->began_ns = cpu_clock_ns();
    end_ns = load->began_ns + (int64_t)(seconds * 1e9);
    load->stopped = false;
    for (int64_t now_ns; load->failure == NULL && !load->stopped;) {
        now_ns = cpu_clock_ns();
        if (now_ns >= end_ns || interrupt_came(cause))
            break;
        int64_t left_ms = (end_ns - now_ns) / 1000000 + 1;
        load_turn(load, left_ms < TICK_MS ? (int)left_ms : TICK_MS);
    }
    return interrupt_came(cause) ? -1 : load_judge(load, cause);
}

void load_stop(struct load *load)
{
    load->stopped = true;
}

void load_note(struct load *load, int64_t since_ns)
{
    if (since_ns >= load->began_ns)
        histogram_add(&load->noted, cpu_clock_ns() - since_ns);
}

const struct histogram *load_noted(const struct load *load)
{
    return &load->noted;
}
