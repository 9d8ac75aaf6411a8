/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers whose body comes bit by bit, for as long as the client stays. Loop thread.
 *
 * evhttp begins and ends them. What lies between goes past it, to the socket at once:
 * of a few bytes that saves most of the system calls.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "http_internal.h"

enum { SEND_BUFFER = 64 * 1024 }; /* else the kernel keeps megabytes for a slow reader */

static struct evbuffer *output_of(const struct http_exchange *exchange)
{
    return bufferevent_get_output(exchange->connection->bufferevent);
}

bool http_stream_begin(struct http_exchange *exchange, const char *content_type,
                       void (*gone)(void *arg), void *arg)
{
    struct http_connection *connection = exchange->connection;
    int fd = bufferevent_getfd(connection->bufferevent), size = SEND_BUFFER;

    exchange->closes = true;
    if (http_is_head(exchange)) {
        http_add_header(exchange, "Content-Type", content_type);
        http_exchange_answer(exchange, 200);
        return false;
    }
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)); /* only to save memory */
    http_hold(exchange, gone, arg);
    http_add_header(exchange, "Content-Type", content_type);
    http_exchange_start(exchange, 200);
    bufferevent_disable(connection->bufferevent, EV_READ);
    http_connection_set_state(connection, HTTP_STREAMING);
    return true;
}

static void add(struct evbuffer *output, const void *data, size_t size)
{
    if (evbuffer_add(output, data, size))
        abort();
}

static void add_piece(struct http_exchange *exchange, const void *data, size_t size)
{
    struct evbuffer *output = output_of(exchange);
    char head[24];

    if (exchange->request->chunked)
        add(output, head, (size_t)snprintf(head, sizeof(head), "%zx\r\n", size));
    add(output, data, size);
    if (exchange->request->chunked)
        add(output, "\r\n", 2);
}

void http_stream_write(struct http_exchange *exchange, const void *data, size_t size)
{
    struct http_connection *connection = exchange->connection;
    struct bufferevent *bufferevent = connection->bufferevent;
    struct evbuffer *output = output_of(exchange);
    size_t before = evbuffer_get_length(output);

    assert(connection->state == HTTP_STREAMING);
    if (size == 0) /* which would end a chunked body */
        return;
    if (before > 0) { /* it goes when that has gone */
        add_piece(exchange, data, size);
        connection->unsent += evbuffer_get_length(output) - before;
        return;
    }
    bufferevent_disable(bufferevent, EV_WRITE);
    add_piece(exchange, data, size);
    connection->unsent += evbuffer_get_length(output);
    evbuffer_unfreeze(output, 1);
    evbuffer_write(output, bufferevent_getfd(bufferevent));
    evbuffer_freeze(output, 1);
    if (evbuffer_get_length(output) > 0) /* also after an error, of which it then hears */
        bufferevent_enable(bufferevent, EV_WRITE);
}

size_t http_stream_unsent(const struct http_exchange *exchange)
{
    return evbuffer_get_length(output_of(exchange));
}

void http_stream_end(struct http_exchange *exchange)
{
    struct http_connection *connection = exchange->connection;
    struct evhttp_request *request = exchange->request;
    bool chunked = request->chunked;

    exchange->held = false;
    if (http_stream_unsent(exchange) > 0) {
        evhttp_connection_free(connection->evhttp);
        return;
    }
    event_del(connection->probe);
    connection->exchange = NULL;
    http_exchange_free(exchange);
    http_connection_set_state(connection, HTTP_ANSWERING);
    evhttp_send_reply_end(request);
    if (chunked) /* else that was its end */
        bufferevent_disable(connection->bufferevent, EV_READ);
}
