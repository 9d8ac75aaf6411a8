/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telling systemd how the service stands. sd_notify() waits while systemd's socket is
 * full, and would hold up the loop for as long: so the datagrams leave through a socket
 * of our own, which never waits. Loop thread only.
 */
#include "supervisor.h"

#include "autoconf.h"
#include "log.h"
#include "utf8.h"
#include "xalloc.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#ifdef HAVE_LIBSYSTEMD
#include <systemd/sd-daemon.h>
#define KNOWS_SYSTEMD true
#else
#define KNOWS_SYSTEMD false
#endif

#define STATUS_EVERY_S 1
#define STATUS_MOST    1000   /* bytes; systemd takes 4096 in all */
#define RETRY_US       100000 /* what systemd did not take is sent again after this */

/* A message that systemd did not take yet. */
struct unsent {
    char *text; /* owned */
    TAILQ_ENTRY(unsent) link;
};

struct supervisor {
    int socket;                       /* that we send from; -1: nobody listens */
    struct sockaddr_un where;         /* systemd's socket */
    socklen_t where_size;             /* of its address */
    bool stopping;                    /* systemd was told */
    TAILQ_HEAD(, unsent) unsent;      /* in order */
    struct event *retry;              /* sends them; owned */
    struct event *watchdog;           /* says that the loop turns; owned, may be NULL */
    struct event *status_timer;       /* pending: no status may be sent yet; owned */
    char *status;                     /* to be told; owned, "" before any */
    char *told;                       /* the one systemd has; owned */
    char *(*describe)(void *context); /* makes a status; may be NULL */
    void *context;                    /* of describe() */
    bool changed;                     /* describe() is to be called */
};

/* --- datagrams --- */

/* Gives 0, or the errno. */
static int send_text(const struct supervisor *supervisor, const char *text)
{
    ssize_t sent =
        sendto(supervisor->socket, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
               (const struct sockaddr *)&supervisor->where, supervisor->where_size);

    return sent < 0 ? errno : 0;
}

/* Whether the same may succeed later. */
static bool is_passing(int error)
{
    return error == EAGAIN || error == EINTR || error == ENOBUFS || error == ENOMEM;
}

static void arm_retry(struct supervisor *supervisor)
{
    struct timeval pause = {.tv_usec = RETRY_US};

    evtimer_add(supervisor->retry, &pause);
}

static void drop(struct supervisor *supervisor, struct unsent *unsent)
{
    TAILQ_REMOVE(&supervisor->unsent, unsent, link);
    free(unsent->text);
    free(unsent);
}

static void flush(struct supervisor *supervisor)
{
    struct unsent *first;

    while ((first = TAILQ_FIRST(&supervisor->unsent)) != NULL) {
        int error = send_text(supervisor, first->text);
        if (is_passing(error)) {
            arm_retry(supervisor);
            return;
        }
        if (error != 0)
            log_warning("systemd could not be told how the service stands: %s",
                        strerror(error));
        drop(supervisor, first);
    }
}

static void retry_cb(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    flush(argument);
}

/* Takes text; it gets there before all that is told later. */
static void tell(struct supervisor *supervisor, char *text)
{
    struct unsent *last = xcalloc(1, sizeof *last);

    last->text = text;
    TAILQ_INSERT_TAIL(&supervisor->unsent, last, link);
    flush(supervisor);
}

static bool is_heard(const struct supervisor *supervisor)
{
    return supervisor->socket >= 0;
}

/* --- where systemd listens --- */

/* Take the address as the environment has it. Gives false, after a line in the log, where
 * it is none of ours. */
static bool take_address(struct supervisor *supervisor, const char *path)
{
    struct sockaddr_un *where = &supervisor->where;
    size_t length = strlen(path);

    if ((*path != '/' && *path != '@') || length < 2 ||
        length >= sizeof where->sun_path) {
        log_warning(
            "NOTIFY_SOCKET is \"%.120s\", which is no unix socket: systemd will not "
            "be told how the service stands",
            path);
        return false;
    }
    where->sun_family = AF_UNIX;
    memcpy(where->sun_path, path, length);
    if (*path == '@') /* a name in the abstract namespace, which begins with a NUL */
        where->sun_path[0] = '\0';
    supervisor->where_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    return true;
}

/* Gives the socket to send from, or -1 where nobody listens. */
static int find_socket(struct supervisor *supervisor)
{
    const char *path = KNOWS_SYSTEMD ? getenv("NOTIFY_SOCKET") : NULL;
    int descriptor = -1;

    if (path == NULL || *path == '\0')
        return -1;
    if (take_address(supervisor, path)) {
        descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (descriptor < 0)
            log_warning("systemd can't be told how the service stands: %s",
                        strerror(errno));
    }
    unsetenv("NOTIFY_SOCKET");
    return descriptor;
}

/* How often systemd wants to hear of us, in microseconds; 0: it does not. */
static uint64_t watchdog_period(void)
{
    uint64_t period = 0;

#ifdef HAVE_LIBSYSTEMD
    if (sd_watchdog_enabled(1, &period) <= 0)
        period = 0;
#endif
    return period;
}

/* --- the watchdog --- */

/* One that systemd does not take now is not kept: the next one says the same. */
static void watchdog_cb(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    send_text(argument, "WATCHDOG=1");
}

static void start_watchdog(struct supervisor *supervisor, struct event_base *base,
                           uint64_t period_us)
{
    uint64_t half = period_us / 2 > 0 ? period_us / 2 : 1;
    struct timeval pause = {.tv_sec = (time_t)(half / 1000000),
                            .tv_usec = (suseconds_t)(half % 1000000)};

    supervisor->watchdog =
        xcheck(event_new(base, -1, EV_PERSIST, watchdog_cb, supervisor));
    event_add(supervisor->watchdog, &pause);
}

/* --- the status --- */

/* Take it as one line of bounded length. */
static void set_status(struct supervisor *supervisor, const char *text)
{
    free(supervisor->status);
    supervisor->status = utf8_shorten(text, STATUS_MOST);
    for (char *p = supervisor->status; *p != '\0'; p++) {
        if (*p == '\n' || *p == '\r')
            *p = ' ';
    }
}

/* Tell systemd the latest status. What it doesn't take is the latest still when the
 * timer comes. */
static void send_status(struct supervisor *supervisor)
{
    const struct timeval pause = {.tv_sec = STATUS_EVERY_S};

    if (supervisor->changed && supervisor->describe != NULL) {
        char *text = supervisor->describe(supervisor->context);
        set_status(supervisor, text);
        free(text);
    }
    supervisor->changed = false;
    if (strcmp(supervisor->status, supervisor->told) == 0)
        return;
    char *message = xasprintf("STATUS=%s", supervisor->status);
    if (send_text(supervisor, message) == 0) {
        free(supervisor->told);
        supervisor->told = xstrdup(supervisor->status);
    }
    free(message);
    evtimer_add(supervisor->status_timer, &pause);
}

static void status_timer_cb(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    send_status(argument);
}

static void send_status_if_due(struct supervisor *supervisor)
{
    if (!evtimer_pending(supervisor->status_timer, NULL))
        send_status(supervisor);
}

void supervisor_status(struct supervisor *supervisor, const char *text)
{
    if (!is_heard(supervisor))
        return;
    set_status(supervisor, text);
    supervisor->changed = false;
    send_status_if_due(supervisor);
}

void supervisor_describe(struct supervisor *supervisor, char *(*describe)(void *context),
                         void *context)
{
    supervisor->describe = describe;
    supervisor->context = context;
}

void supervisor_changed(struct supervisor *supervisor)
{
    if (!is_heard(supervisor))
        return;
    supervisor->changed = true;
    send_status_if_due(supervisor);
}

/* --- how the service stands --- */

void supervisor_ready(struct supervisor *supervisor)
{
    /* after STOPPING=1 systemd would take the service for one that serves again */
    if (is_heard(supervisor) && !supervisor->stopping)
        tell(supervisor, xstrdup("READY=1"));
}

void supervisor_reloading(struct supervisor *supervisor)
{
    struct timespec moment;

    if (!is_heard(supervisor) || supervisor->stopping)
        return;
    clock_gettime(CLOCK_MONOTONIC, &moment);
    tell(supervisor, xasprintf("RELOADING=1\nMONOTONIC_USEC=%" PRId64,
                               (int64_t)moment.tv_sec * 1000000 + moment.tv_nsec / 1000));
}

void supervisor_stopping(struct supervisor *supervisor)
{
    if (is_heard(supervisor) && !supervisor->stopping)
        tell(supervisor, xstrdup("STOPPING=1"));
    supervisor->stopping = true;
}

void supervisor_extend(struct supervisor *supervisor, int64_t ms)
{
    if (is_heard(supervisor))
        tell(supervisor, xasprintf("EXTEND_TIMEOUT_USEC=%" PRId64, ms * 1000));
}

/* --- life --- */

struct supervisor *supervisor_new(struct event_base *base)
{
    struct supervisor *supervisor = xcalloc(1, sizeof *supervisor);
    uint64_t period_us = watchdog_period();

    TAILQ_INIT(&supervisor->unsent);
    supervisor->socket = find_socket(supervisor);
    supervisor->retry = xcheck(evtimer_new(base, retry_cb, supervisor));
    supervisor->status_timer = xcheck(evtimer_new(base, status_timer_cb, supervisor));
    supervisor->status = xstrdup("");
    supervisor->told = xstrdup("");
    if (is_heard(supervisor) && period_us > 0)
        start_watchdog(supervisor, base, period_us);
    return supervisor;
}

void supervisor_free(struct supervisor *supervisor)
{
    struct unsent *first;

    if (supervisor == NULL)
        return;
    if (is_heard(supervisor)) {
        flush(supervisor);
        supervisor->describe = NULL; /* what it would look at may be gone */
        send_status(supervisor);
        close(supervisor->socket);
    }
    while ((first = TAILQ_FIRST(&supervisor->unsent)) != NULL)
        drop(supervisor, first); /* systemd does not listen, and we don't wait */
    event_free(supervisor->retry);
    event_free(supervisor->status_timer);
    if (supervisor->watchdog != NULL)
        event_free(supervisor->watchdog);
    free(supervisor->status);
    free(supervisor->told);
    free(supervisor);
}
