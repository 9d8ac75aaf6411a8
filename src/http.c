/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server as a whole: how it is made, where it listens, how it ends. Loop thread.
 */
#include "http.h"

#include <assert.h>
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/listener.h>

#include "http_internal.h"
#include "log.h"
#include "xalloc.h"

enum {
    BACKOFF_MS = 200,      /* how long not to accept() when descriptors are used up */
    WARN_EVERY_MS = 60000, /* how often to say so */
    JANITOR_MAX_MS = 1000, /* how seldom the janitor may come */
    JANITOR_MIN_MS = 10,   /* and how often */
    DISCARD_FACTOR = 8,    /* a body this many times over the limit is still read */
    DISCARD_MIN = 1 << 20, /* and so is one of this many bytes */
};

/* evhttp's hooks are handed nothing but the evhttp, so all servers are found here. */
static LIST_HEAD(, http_server) the_servers = LIST_HEAD_INITIALIZER(the_servers);

struct http_server *http_server_find(const void *evhttp)
{
    struct http_server *server;
    LIST_FOREACH(server, &the_servers, link)
    if (server->evhttp == evhttp)
        return server;
    return NULL;
}

int64_t http_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct timeval milliseconds(int count)
{
    return (struct timeval){count / 1000, count % 1000 * 1000};
}

void http_server_update_accepting(struct http_server *server)
{
    bool wanted = !server->stopped && server->connections < server->limits.connections &&
                  !evtimer_pending(server->backoff, NULL);
    if (wanted == server->accepting || server->closing)
        return;
    server->accepting = wanted;
    for (size_t i = 0; i < server->listener_count; i++) {
        struct evhttp_bound_socket *bound = server->listeners[i].bound;
        if (bound && wanted)
            evconnlistener_enable(evhttp_bound_socket_get_listener(bound));
        else if (bound)
            evconnlistener_disable(evhttp_bound_socket_get_listener(bound));
    }
}

static void backoff_over_cb(evutil_socket_t fd, short what, void *server)
{
    (void)fd;
    (void)what;
    http_server_update_accepting(server);
}

/* accept() failed, most likely for want of descriptors: the listener would report that
 * again at once, and for ever. */
static void accept_failed_cb(struct evconnlistener *listener, void *evhttp)
{
    const char *why = strerror(EVUTIL_SOCKET_ERROR());
    struct http_server *server = http_server_find(evhttp);
    struct timeval pause = milliseconds(BACKOFF_MS);
    int64_t now = http_now_ms();
    (void)listener;
    if (now - server->warned_ms >= WARN_EVERY_MS) {
        server->warned_ms = now;
        log_warning("cannot accept connections with %zu open: %s; trying again, raise "
                    "the limit of open files if this lasts",
                    server->connections, why);
    }
    evtimer_add(server->backoff, &pause);
    http_server_update_accepting(server);
}

static void server_start_janitor(struct http_server *server)
{
    const struct http_limits *limits = &server->limits;
    int shorter =
        limits->request_ms < limits->idle_ms ? limits->request_ms : limits->idle_ms;
    int period = shorter / 4;
    if (period > JANITOR_MAX_MS)
        period = JANITOR_MAX_MS;
    if (period < JANITOR_MIN_MS)
        period = JANITOR_MIN_MS;
    struct timeval pause = milliseconds(period);
    server->janitor = xcheck(
        event_new(server->base, -1, EV_PERSIST, http_connection_janitor_cb, server));
    evtimer_add(server->janitor, &pause);
}

static struct http_bound bound_of(size_t body)
{
    struct http_bound bound = {.body = body, .discard = body * DISCARD_FACTOR};
    if (bound.discard < DISCARD_MIN)
        bound.discard = DISCARD_MIN;
    bound.too_large = xasprintf("The body is larger than the %zu bytes that are "
                                "allowed: send less.",
                                body);
    return bound;
}

static void server_make_evhttp(struct http_server *server)
{
    server->evhttp = xcheck(evhttp_new(server->base));
    /* Bodies are measured in http_guard.c; this is only a second wall for headers. */
    evhttp_set_max_headers_size(server->evhttp, (ev_ssize_t)server->limits.headers);
    evhttp_set_default_content_type(server->evhttp, NULL);
    evhttp_set_allowed_methods(server->evhttp, 0xffff);
    http_connection_hook(server);
}

struct http_server *http_server_new(struct event_base *base,
                                    const struct http_route *routes, size_t route_count,
                                    const struct http_limits *limits, void *context)
{
    assert(limits->connections > 0 && limits->request_ms > 0 && limits->idle_ms > 0);
    struct http_server *server = xcalloc(1, sizeof(*server));
    server->base = base;
    server->limits = *limits;
    server->bound = bound_of(limits->body);
    server->large = bound_of(limits->large_body);
    server->context = context;
    server->routes = http_route_compile(routes, route_count);
    server->route_count = route_count;
    server->accepting = true;
    server->warned_ms = -WARN_EVERY_MS;
    server->too_long = xasprintf("Request line and headers are limited to %zu bytes and "
                                 "%zu header lines: send less.",
                                 limits->headers, limits->header_lines);
    for (size_t i = 0; i < HTTP_STATES; i++)
        TAILQ_INIT(&server->queues[i]);
    server->backoff = xcheck(evtimer_new(base, backoff_over_cb, server));
    signal(SIGPIPE, SIG_IGN);
    server_make_evhttp(server);
    LIST_INSERT_HEAD(&the_servers, server, link);
    server_start_janitor(server);
    return server;
}

/* The libevent of Debian 12 before deb12u1 ends the process when certain clients connect
 * to a unix socket. The fixed one has this function. */
static bool unix_is_safe(char **cause)
{
    if (dlsym(RTLD_DEFAULT, "evhttp_check_transfer_encoding_"))
        return true;
    cause_set(cause, "unix sockets cannot be served with this libevent: install "
                     "2.1.12-stable-8+deb12u1 or later");
    return false;
}

/* Takes the socket. */
static void server_add(struct http_server *server, struct listen_socket *socket)
{
    struct evconnlistener *listener = xcheck(evconnlistener_new(
        server->base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC,
        0, /* it listens already */
        listen_descriptor(socket)));
    evconnlistener_set_error_cb(listener, accept_failed_cb);
    struct evhttp_bound_socket *bound =
        xcheck(evhttp_bind_listener(server->evhttp, listener));
    if (!server->accepting)
        evconnlistener_disable(listener);
    server->listeners = xreallocarray(server->listeners, server->listener_count + 1,
                                      sizeof(*server->listeners));
    server->listeners[server->listener_count++] = (struct http_listener){socket, bound};
}

static bool is_unix(const char *address)
{
    return !strncmp(address, "unix:", strlen("unix:"));
}

void http_server_show_problems(struct http_server *server, http_problem_show *show)
{
    server->show = show;
}

int http_server_listen(struct http_server *server, const char *address, char **cause)
{
    if (is_unix(address) && !unix_is_safe(cause))
        return -1;
    struct listen_socket *socket = listen_open(address, cause);
    if (!socket)
        return -1;
    server_add(server, socket);
    return 0;
}

int http_server_adopt(struct http_server *server, struct listen_socket *socket,
                      char **cause)
{
    if (is_unix(listen_address(socket)) && !unix_is_safe(cause))
        return -1;
    server_add(server, socket);
    return 0;
}

const char *http_server_address(const struct http_server *server, size_t index)
{
    return index < server->listener_count
               ? listen_address(server->listeners[index].socket)
               : NULL;
}

void http_server_stop_accepting(struct http_server *server)
{
    server->stopped = true;
    server->accepting = false;
    for (size_t i = 0; i < server->listener_count; i++) {
        struct http_listener *listener = &server->listeners[i];
        /* The file goes first: nobody should find a socket that refuses. */
        listen_unlink(listener->socket);
        if (listener->bound)
            evhttp_del_accept_socket(server->evhttp, listener->bound);
        listener->bound = NULL;
    }
}

bool http_server_is_busy(const struct http_server *server)
{
    return !TAILQ_EMPTY(&server->queues[HTTP_ANSWERING]) ||
           !TAILQ_EMPTY(&server->queues[HTTP_READING]);
}

size_t http_server_connections(const struct http_server *server)
{
    return server->connections;
}

void http_server_free(struct http_server *server)
{
    if (!server)
        return;
    server->closing = true;
    http_server_stop_accepting(server);
    evhttp_free(server->evhttp);
    assert(server->connections == 0);
    LIST_REMOVE(server, link);
    event_free(server->janitor);
    event_free(server->backoff);
    for (size_t i = 0; i < server->listener_count; i++)
        listen_free(server->listeners[i].socket);
    free(server->listeners);
    free(server->routes);
    free(server->bound.too_large);
    free(server->large.too_large);
    free(server->too_long);
    free(server->next); /* only if evhttp gave up on a connection while it was made */
    free(server);
}
