/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Large bodies, and the memory that they may take in all. Loop thread.
 *
 * Such a body is gathered in one piece of memory of its own, from its first byte to the
 * handler and on to a job (http_take_body()). All of them are counted together. Once they
 * have more than limits.large_bodies, connections whose body is not whole are not read
 * from any more: their clients wait, as they would for a slow network, and go on when
 * others were answered. Nobody is refused for want of room.
 *
 * Those that wait hold what they have gathered. So that they can't wait for each other,
 * one of them is let on when no body is with a job: it is allowed limits.large_body, and
 * has to arrive in limits.request_ms like any request. So there are never more bytes than
 * both limits together, and what one read of each connection brings.
 *
 * Small uploads thus never wait behind large ones that are slow, unless room is short; a
 * fixed number of places could be taken by as many clients that only begin to send.
 */
#include <assert.h>
#include <stdlib.h>

#include "http_internal.h"
#include "xalloc.h"

enum { GATHER_MIN = 16 << 10 }; /* the first piece of memory; it doubles then */

static bool room_is_short(const struct http_server *server)
{
    return server->room_used > server->limits.large_bodies;
}

static void connection_pause(struct http_connection *connection)
{
    if (connection->state != HTTP_READING)
        return;
    bufferevent_disable(connection->bufferevent, EV_READ);
    http_connection_set_state(connection, HTTP_PAUSED);
}

static void connection_resume(struct http_connection *connection)
{
    bufferevent_enable(connection->bufferevent, EV_READ);
    http_connection_set_state(connection, HTTP_READING);
}

/* Let on whoever may go on. */
static void room_settle(struct http_server *server)
{
    struct http_connection *connection;
    if (server->closing)
        return;
    while (!room_is_short(server) &&
           (connection = TAILQ_FIRST(&server->queues[HTTP_PAUSED])) != NULL)
        connection_resume(connection);
    connection = TAILQ_FIRST(&server->queues[HTTP_PAUSED]);
    if (connection && server->room_lent == 0 && !server->first) {
        server->first = connection;
        connection_resume(connection);
    }
}

static void gathered_add(struct http_gathered *gathered, struct evbuffer *from,
                         size_t length)
{
    while (gathered->capacity - gathered->size < length) {
        gathered->capacity = gathered->capacity ? 2 * gathered->capacity : GATHER_MIN;
        gathered->data = xreallocarray(gathered->data, gathered->capacity, 1);
    }
    int removed = evbuffer_remove(from, gathered->data + gathered->size, length);
    assert(removed >= 0 && (size_t)removed == length);
    gathered->size += length;
}

void http_room_take(struct http_exchange *exchange, struct evbuffer *from, size_t length)
{
    struct http_connection *connection = exchange->connection;
    struct http_server *server = connection->server;
    if (!exchange->gathers) {
        evbuffer_drain(from, length);
        return;
    }
    gathered_add(&exchange->gathered, from, length);
    server->room_used += length;
    if (room_is_short(server) && connection != server->first) {
        connection_pause(connection);
        room_settle(server);
    }
}

static void gather_cb(struct evhttp_request *request, void *arg)
{
    const struct http_connection *connection = arg;
    struct evbuffer *body = request->input_buffer;
    http_room_take(connection->exchange, body, evbuffer_get_length(body));
}

void http_room_open(struct http_exchange *exchange)
{
    assert(exchange->connection->server->limits.large_body > 0);
    exchange->gathers = true;
    exchange->request->chunk_cb = gather_cb;
}

/* The body is gathered no more; what it has is not its own any longer. */
static void room_leave(struct http_exchange *exchange)
{
    struct http_server *server = exchange->connection->server;
    exchange->gathers = false;
    exchange->gathered = (struct http_gathered){NULL, 0, 0};
    if (server->first == exchange->connection)
        server->first = NULL;
    room_settle(server);
}

void http_room_drop(struct http_exchange *exchange)
{
    if (!exchange->gathers)
        return;
    free(exchange->gathered.data);
    exchange->connection->server->room_used -= exchange->gathered.size;
    room_leave(exchange);
}

void *http_take_body(struct http_exchange *exchange, size_t *size)
{
    void *data = exchange->gathered.data;
    assert(exchange->gathers);
    *size = exchange->gathered.size;
    exchange->connection->server->room_lent++;
    room_leave(exchange);
    return data;
}

void http_server_return_room(struct http_server *server, size_t size)
{
    assert(server->room_lent > 0 && server->room_used >= size);
    server->room_lent--;
    server->room_used -= size;
    room_settle(server);
}

size_t http_server_room(const struct http_server *server)
{
    return server->room_used;
}
