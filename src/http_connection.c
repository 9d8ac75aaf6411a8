/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections. Loop thread.
 *
 * evhttp owns them, reads and parses; it gives no way to see a connection before a
 * request on it is whole. Two hooks do: it asks us for each connection's bufferevent, and
 * it makes each request by calling evhttp_request_new() through the dynamic linker, so
 * that the one in this file is called. In a request we set the callbacks that evhttp
 * otherwise keeps for itself. Which connection a request is for is not said, but is
 * known: it is always the one that was just accepted, or just finished its last answer.
 *
 *                 first byte            handler            http_hold()
 *      IDLE ----------------> READING ----------> ANSWERING <------> HELD, HELD_BLIND
 *        ^                                          |   ^                   |
 *        +------------------------------------------+   +---- STREAMING <---+
 *                                     all is written
 *
 * A request that cannot be understood goes from READING to LINGERING, and to its end. One
 * with a large body may go from READING to PAUSED and back (http_room.c).
 */
#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "http_internal.h"
#include "log.h"
#include "xalloc.h"

typedef void request_callback(struct evhttp_request *, void *);
typedef struct evhttp_request *request_maker(request_callback *callback, void *argument);

enum { LINGER_MS = 2000 }; /* how long a refused client may go on sending */

static const char TOO_SLOW[] =
    "The request did not arrive whole in the time that is allowed: send it faster.";

static int state_ms(const struct http_limits *limits, enum http_state state)
{
    if (state == HTTP_IDLE)
        return limits->idle_ms;
    return state == HTTP_LINGERING ? LINGER_MS : limits->request_ms;
}

void http_connection_set_state(struct http_connection *connection, enum http_state state)
{
    struct http_server *server = connection->server;
    TAILQ_REMOVE(&server->queues[connection->state], connection, link);
    TAILQ_INSERT_TAIL(&server->queues[state], connection, link);
    connection->state = state;
    connection->deadline_ms = http_now_ms() + state_ms(&server->limits, state);
    if (state == HTTP_ANSWERING || state == HTTP_STREAMING)
        connection->unsent =
            evbuffer_get_length(bufferevent_get_output(connection->bufferevent));
}

/* --- the life of a connection --- */

static void throw_away(struct http_connection *connection, struct evbuffer *input)
{
    size_t length = evbuffer_get_length(input);
    connection->lingered += length;
    evbuffer_drain(input, length);
    if (connection->lingered > connection->bound->discard)
        bufferevent_disable(connection->bufferevent, EV_READ);
}

static void input_cb(struct evbuffer *input, const struct evbuffer_cb_info *info,
                     void *arg)
{
    struct http_connection *connection = arg;
    if (info->n_added > 0 && connection->state == HTTP_LINGERING)
        throw_away(connection, input);
    if (info->n_added == 0 || connection->verdict.status ||
        connection->state == HTTP_LINGERING)
        return;
    if (connection->state == HTTP_IDLE)
        http_connection_set_state(connection, HTTP_READING);
    if (!connection->head.done)
        http_guard_scan(connection, evbuffer_get_length(input) - info->n_added);
    else if (connection->exchange)
        http_guard_body(connection, info->orig_size);
}

/* evhttp is about to free the connection, for whatever reason. */
static void closed_cb(struct evhttp_connection *evhttp, void *arg)
{
    struct http_connection *connection = arg;
    struct http_server *server = connection->server;
    struct http_exchange *exchange = connection->exchange;
    void (*gone)(void *) = exchange && exchange->held ? exchange->gone : NULL;
    void *gone_arg = exchange ? exchange->gone_arg : NULL;
    (void)evhttp;
    if (server->next == connection)
        server->next = NULL;
    /* A bufferevent may outlive its connection by a turn. */
    evbuffer_remove_cb_entry(bufferevent_get_input(connection->bufferevent),
                             connection->watch);
    if (connection->probe)
        event_free(connection->probe);
    /* evhttp lets go of a request that a handler still holds. */
    if (connection->request && !connection->request->evcon)
        evhttp_request_free(connection->request);
    TAILQ_REMOVE(&server->queues[connection->state], connection, link);
    server->connections--;
    if (exchange)
        http_exchange_free(exchange);
    free(connection);
    http_server_update_accepting(server);
    if (gone && !server->closing)
        gone(gone_arg);
}

/* The last byte of the answer is with the kernel. What follows in the same turn is either
 * closed_cb() or the connection's next request. */
static void completed_cb(struct evhttp_request *request, void *arg)
{
    struct http_connection *connection = arg;
    (void)request;
    connection->request = NULL;
    connection->server->next = connection;
}

static int headers_cb(struct evhttp_request *request, void *arg)
{
    struct http_connection *connection = arg;
    (void)request;
    connection->exchange = http_exchange_new(connection);
    http_head_judge(connection->exchange);
    return 0;
}

/* The request is whole, or evhttp will read no more of it. */
static void request_cb(struct evhttp_request *request, void *arg)
{
    struct http_connection *connection = arg;
    struct http_exchange *exchange = connection->exchange;
    if (!exchange)
        exchange = connection->exchange = http_exchange_new(connection);
    if (!request->uri) { /* this is how evhttp says so */
        exchange->verdict = http_guard_explain(connection);
        exchange->closes = exchange->lingers = true;
    }
    if (connection->state == HTTP_PAUSED) /* its end was read with what was too much */
        http_connection_set_state(connection, HTTP_READING);
    request->userdone = 0;
    http_exchange_run(exchange);
}

void http_connection_linger(struct http_connection *connection)
{
    struct bufferevent *bufferevent = connection->bufferevent;
    struct evbuffer *output = bufferevent_get_output(bufferevent);
    struct evbuffer *input = bufferevent_get_input(bufferevent);
    int fd = bufferevent_getfd(bufferevent);
    connection->request->userdone = 1; /* it ends with the connection */
    evbuffer_drain(input, evbuffer_get_length(input));
    evbuffer_unfreeze(output, 1);
    evbuffer_write(output, fd);
    evbuffer_freeze(output, 1);
    bufferevent_enable(bufferevent, EV_READ); /* it may have been paused */
    /* So small an answer fits; if not, what is left follows without this. */
    if (evbuffer_get_length(output) == 0)
        shutdown(fd, SHUT_WR);
    http_connection_set_state(connection, HTTP_LINGERING);
}

/* --- hooks --- */

static struct bufferevent *accepted_cb(struct event_base *base, void *arg)
{
    struct http_server *server = arg;
    free(server->next); /* NULL unless evhttp could not make the connection after all */
    struct http_connection *connection = xcalloc(1, sizeof(*connection));
    connection->server = server;
    connection->bufferevent = xcheck(bufferevent_socket_new(base, -1, 0));
    server->next = connection;
    return connection->bufferevent;
}

/* Take up a connection that evhttp has made around our bufferevent. */
static void connection_adopt(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    void *evhttp = NULL;
    bufferevent_getcb(connection->bufferevent, NULL, NULL, NULL, &evhttp);
    connection->evhttp = evhttp;
    evhttp_connection_set_closecb(evhttp, closed_cb, connection);
    connection->watch = xcheck(evbuffer_add_cb(
        bufferevent_get_input(connection->bufferevent), input_cb, connection));
    TAILQ_INSERT_TAIL(&server->queues[HTTP_IDLE], connection, link);
    server->connections++;
    http_server_update_accepting(server);
}

static void connection_begin(struct http_server *server, struct evhttp_request *request)
{
    struct http_connection *connection = server->next;
    assert(connection);
    server->next = NULL;
    if (!connection->evhttp)
        connection_adopt(connection);
    connection->request = request;
    memset(&connection->head, 0, sizeof(connection->head));
    connection->bound = &server->bound;
    request->cb = request_cb;
    request->cb_arg = connection;
    request->header_cb = headers_cb;
    evhttp_request_set_on_complete_cb(request, completed_cb, connection);
    if (evbuffer_get_length(bufferevent_get_input(connection->bufferevent)) == 0) {
        http_connection_set_state(connection, HTTP_IDLE);
        return;
    }
    http_connection_set_state(connection, HTTP_READING);
    http_guard_scan(connection, 0);
}

static request_maker *libevent_request_new(void)
{
    static _Atomic(request_maker *) found;
    request_maker *maker = atomic_load_explicit(&found, memory_order_relaxed);
    if (!maker) {
        void *symbol = dlsym(RTLD_NEXT, "evhttp_request_new");
        if (!symbol) {
            log_error("libevent's evhttp_request_new is not in a shared library");
            abort();
        }
        memcpy(&maker, &symbol, sizeof(maker));
        atomic_store_explicit(&found, maker, memory_order_relaxed);
    }
    return maker;
}

/* Takes the place of libevent's function of this name in the whole program: does the
 * same, and sees the requests of our servers as they are made. */
__attribute__((visibility("default"), used)) struct evhttp_request *evhttp_request_new(
    void (*cb)(struct evhttp_request *, void *), void *arg)
{
    struct evhttp_request *request = libevent_request_new()(cb, arg);
    struct http_server *server = http_server_find(arg);
    if (request && server)
        connection_begin(server, request);
    return request;
}

void http_connection_hook(struct http_server *server)
{
    request_maker *ours = evhttp_request_new;
    void *called = dlsym(RTLD_DEFAULT, "evhttp_request_new");
    if (memcmp(&called, &ours, sizeof(called)) != 0) {
        log_error("this program is linked wrongly: its evhttp_request_new is not in its "
                  "dynamic symbol table, or libevent is linked statically");
        abort();
    }
    evhttp_set_bevcb(server->evhttp, accepted_cb, server);
}

/* --- clients that leave --- */

static bool client_has_left(const struct http_connection *connection)
{
    struct pollfd one = {.fd = bufferevent_getfd(connection->bufferevent),
                         .events = POLLRDHUP};
    return poll(&one, 1, 0) > 0;
}

/* Something came from a client that waits for an answer: its end, or a next request. The
 * latter stays in the kernel until its turn comes, and hides an end behind it. */
static void probe_cb(evutil_socket_t fd, short what, void *arg)
{
    struct http_connection *connection = arg;
    (void)fd;
    (void)what;
    if (client_has_left(connection))
        evhttp_connection_free(connection->evhttp);
    else if (connection->state == HTTP_HELD) /* a stream's writes will fail, if it left */
        http_connection_set_state(connection, HTTP_HELD_BLIND);
}

void http_connection_watch(struct http_connection *connection)
{
    struct bufferevent *bufferevent = connection->bufferevent;
    /* Bytes that evhttp read now would end the process. */
    bufferevent_disable(bufferevent, EV_READ);
    if (!connection->probe)
        connection->probe =
            xcheck(event_new(connection->server->base, bufferevent_getfd(bufferevent),
                             EV_READ, probe_cb, connection));
    event_add(connection->probe, NULL);
    http_connection_set_state(connection, HTTP_HELD);
}

void http_connection_leave(struct http_connection *connection)
{
    bufferevent_disable(connection->bufferevent, EV_READ);
    http_connection_set_state(connection, HTTP_HELD_BLIND);
}

/* --- the janitor --- */

/* The first of a queue, if its time is over. */
static struct http_connection *overdue(struct http_server *server, enum http_state state,
                                       int64_t now_ms)
{
    struct http_connection *first = TAILQ_FIRST(&server->queues[state]);
    return first && first->deadline_ms <= now_ms ? first : NULL;
}

static void end_slow_request(struct http_connection *connection)
{
    http_guard_condemn(connection, 408, TOO_SLOW);
    bufferevent_trigger(connection->bufferevent, EV_READ, BEV_TRIG_IGNORE_WATERMARKS);
    assert(connection->state == HTTP_LINGERING);
}

static void end_slow_reader(struct http_connection *connection)
{
    size_t left = evbuffer_get_length(bufferevent_get_output(connection->bufferevent));
    bool reads_all = connection->state == HTTP_STREAMING && left == 0;
    if (reads_all || left < connection->unsent)
        http_connection_set_state(connection, connection->state);
    else
        evhttp_connection_free(connection->evhttp);
}

/* A client that is told its answers are over may change the queue, so the walk goes by
 * turning the queue round once and holds on to nothing. */
static void end_blind_ones(struct http_server *server)
{
    struct http_queue *queue = &server->queues[HTTP_HELD_BLIND];
    struct http_connection *connection;
    size_t count = 0;
    TAILQ_FOREACH (connection, queue, link)
        count++;
    for (; count > 0 && (connection = TAILQ_FIRST(queue)) != NULL; count--) {
        http_connection_set_state(connection, HTTP_HELD_BLIND);
        if (client_has_left(connection))
            evhttp_connection_free(connection->evhttp);
    }
}

void http_connection_janitor_cb(evutil_socket_t fd, short what, void *arg)
{
    struct http_server *server = arg;
    struct http_connection *connection;
    int64_t now_ms = http_now_ms();
    (void)fd;
    (void)what;
    while ((connection = overdue(server, HTTP_IDLE, now_ms)) != NULL)
        evhttp_connection_free(connection->evhttp);
    while ((connection = overdue(server, HTTP_READING, now_ms)) != NULL)
        end_slow_request(connection);
    while ((connection = overdue(server, HTTP_ANSWERING, now_ms)) != NULL)
        end_slow_reader(connection);
    while ((connection = overdue(server, HTTP_STREAMING, now_ms)) != NULL)
        end_slow_reader(connection);
    while ((connection = overdue(server, HTTP_LINGERING, now_ms)) != NULL)
        evhttp_connection_free(connection->evhttp);
    end_blind_ones(server);
}
