/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request as its handler sees it, and the answer to it. Loop thread.
 */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "http_internal.h"
#include "log.h"
#include "xalloc.h"

/* --- the request --- */

struct http_exchange *http_exchange_new(struct http_connection *connection)
{
    struct evhttp_request *request = connection->request;
    const char *target = request->uri ? http_route_target(request->uri) : NULL;
    struct http_exchange *exchange =
        xcalloc(1, sizeof(*exchange) + (target ? http_route_room(target) : 1));
    exchange->connection = connection;
    exchange->request = request;
    exchange->query = exchange->text;
    if (target)
        http_route_split(exchange, target);
    return exchange;
}

void http_exchange_free(struct http_exchange *exchange)
{
    http_room_drop(exchange);
    free(exchange);
}

const char *http_parameter(const struct http_exchange *exchange, const char *name)
{
    const struct http_compiled *route = exchange->route;
    size_t length = strlen(name);
    for (size_t i = 0; i < route->count; i++) {
        if (route->segments[i].parameter && route->segments[i].length == length &&
            !memcmp(route->segments[i].text, name, length))
            return exchange->segments[i].length > 0 ? exchange->segments[i].text : NULL;
    }
    return NULL;
}

const char *http_query(const struct http_exchange *exchange, const char *name)
{
    const char *at = exchange->query;
    while (*at) {
        const char *value = at + strlen(at) + 1;
        if (!strcmp(at, name))
            return value;
        at = value + strlen(value) + 1;
    }
    return NULL;
}

void http_each_query(const struct http_exchange *exchange,
                     void (*each)(void *argument, const char *name, const char *value),
                     void *argument)
{
    for (const char *at = exchange->query; *at;) {
        const char *value = at + strlen(at) + 1;
        each(argument, at, value);
        at = value + strlen(value) + 1;
    }
}

const char *http_header(const struct http_exchange *exchange, const char *name)
{
    return evhttp_find_header(exchange->request->input_headers, name);
}

const char *http_body(struct http_exchange *exchange, size_t *size)
{
    struct evbuffer *body = exchange->request->input_buffer;
    if (exchange->gathers) {
        *size = exchange->gathered.size;
        return *size > 0 ? exchange->gathered.data : "";
    }
    *size = evbuffer_get_length(body);
    return *size > 0 ? xcheck(evbuffer_pullup(body, -1)) : "";
}

bool http_is_head(const struct http_exchange *exchange)
{
    return exchange->request->type == EVHTTP_REQ_HEAD;
}

bool http_is_post(const struct http_exchange *exchange)
{
    return exchange->request->type == EVHTTP_REQ_POST;
}

bool http_closes(const struct http_exchange *exchange)
{
    return exchange->closes;
}

const char *http_peer(const struct http_exchange *exchange)
{
    char *address = NULL;
    ev_uint16_t port;

    evhttp_connection_get_peer(exchange->connection->evhttp, &address, &port);
    return address != NULL && *address != '\0' ? address : "a local user";
}

/* --- the answer --- */

void http_add_header(struct http_exchange *exchange, const char *name, const char *value)
{
    if (evhttp_add_header(exchange->request->output_headers, name, value))
        log_error("a header %s with a line end in it was left out of an answer", name);
}

/* evhttp would print the date anew for each answer. */
static void answer_date(struct http_exchange *exchange)
{
    struct http_server *server = exchange->connection->server;
    time_t now = time(NULL);
    struct tm parts;
    if (now != server->date_second && gmtime_r(&now, &parts)) {
        evutil_date_rfc1123(server->date, sizeof(server->date), &parts);
        server->date_second = now;
    }
    http_add_header(exchange, "Date", server->date);
}

static void answer_close(struct http_exchange *exchange)
{
    struct evhttp_request *request = exchange->request;
    /* evhttp would answer a request to keep alive as well. */
    while (evhttp_remove_header(request->input_headers, "Connection") == 0)
        ;
    evhttp_remove_header(request->output_headers, "Connection");
    http_add_header(exchange, "Connection", "close");
}

static void answer_body(struct http_exchange *exchange, const char *content_type,
                        size_t size)
{
    char length[24];
    snprintf(length, sizeof(length), "%zu", size);
    if (content_type)
        http_add_header(exchange, "Content-Type", content_type);
    http_add_header(exchange, "Content-Length", length);
    /* evhttp writes whatever is in this buffer, to HEAD as well. */
    struct evbuffer *body = exchange->request->output_buffer;
    if (http_is_head(exchange))
        evbuffer_drain(body, evbuffer_get_length(body));
}

/* The headers that every answer has. */
static void answer_head(struct http_exchange *exchange)
{
    struct http_connection *connection = exchange->connection;
    struct evhttp_request *request = exchange->request;
    assert(connection->exchange == exchange);
    if (request->major == 0) /* it was not understood so far */
        request->major = request->minor = 1;
    if (connection->server->stopped)
        exchange->closes = true;
    answer_date(exchange);
    if (exchange->closes)
        answer_close(exchange);
}

void http_exchange_start(struct http_exchange *exchange, int status)
{
    answer_head(exchange);
    evhttp_send_reply_start(exchange->request, status, http_problem_phrase(status));
}

void http_exchange_answer(struct http_exchange *exchange, int status)
{
    struct http_connection *connection = exchange->connection;
    struct evhttp_request *request = exchange->request;
    if (connection->probe)
        event_del(connection->probe);
    answer_head(exchange);
    bool lingers = exchange->lingers;
    connection->exchange = NULL;
    http_exchange_free(exchange);
    if (lingers) {
        /* This sends the body, too, but does not end the connection. */
        evhttp_send_reply_start(request, status, http_problem_phrase(status));
        http_connection_linger(connection);
        return;
    }
    evhttp_send_reply(request, status, http_problem_phrase(status), NULL);
    /* What the client sends next, its end included, waits until it has its answer. */
    bufferevent_disable(connection->bufferevent, EV_READ);
    http_connection_set_state(connection, HTTP_ANSWERING);
}

/* Send the answer, whose body is in the request's output. */
static void answer(struct http_exchange *exchange, int status, const char *content_type)
{
    if (status != 204 && status != 304)
        answer_body(exchange, content_type,
                    evbuffer_get_length(exchange->request->output_buffer));
    http_exchange_answer(exchange, status);
}

void http_reply(struct http_exchange *exchange, int status, const char *content_type,
                const void *data, size_t size)
{
    if (size > 0 && status != 204 && status != 304 &&
        evbuffer_add(exchange->request->output_buffer, data, size))
        abort();
    answer(exchange, status, content_type);
}

/* The part of a file that the client asks for. A condition (If-Range) can't be judged, so
 * then it is all of it. */
static int read_range(struct http_exchange *exchange, size_t size,
                      struct http_range *range)
{
    bool counts = !http_is_head(exchange) && !http_header(exchange, "If-Range");
    const char *header = counts ? http_header(exchange, "Range") : NULL;
    int status = http_range_read(header, size, range);
    char text[80];
    if (status == 206)
        snprintf(text, sizeof(text), "bytes %zu-%zu/%zu", range->first,
                 range->first + range->length - 1, size);
    else
        snprintf(text, sizeof(text), "bytes */%zu", size);
    if (status == 416) /* what was added is about the file */
        evhttp_clear_headers(exchange->request->output_headers);
    if (status != 200)
        http_add_header(exchange, "Content-Range", text);
    return status;
}

void http_reply_file(struct http_exchange *exchange, const char *content_type, int fd,
                     size_t size)
{
    struct evbuffer *body = exchange->request->output_buffer;
    struct http_range range;
    int status = read_range(exchange, size, &range);
    http_add_header(exchange, "Accept-Ranges", "bytes");
    if (status == 416) {
        close(fd);
        http_problem(exchange, 416, "The file has %zu bytes.", size);
        return;
    }
    /* Of an empty file nothing could be mapped. */
    if (size == 0 ||
        evbuffer_add_file(body, fd, (ev_off_t)range.first, (ev_off_t)range.length)) {
        close(fd);
        size > 0 ? http_problem(exchange, 500, "The file could not be read: %s.",
                                strerror(errno))
                 : http_reply(exchange, 200, content_type, "", 0);
        return;
    }
    answer(exchange, status, content_type);
}

void http_reply_json(struct http_exchange *exchange, const char *json)
{
    http_reply(exchange, 200, "application/json", json, strlen(json));
}

static void answer_problem(struct http_exchange *exchange, int status, const char *detail)
{
    http_problem_show *show = exchange->connection->server->show;
    bool pages = !exchange->route || !(exchange->route->row->flags & HTTP_NO_PAGE);
    if (show && pages && show(exchange, status, http_problem_phrase(status), detail))
        return;
    char *text = http_problem_text(status, detail);
    http_reply(exchange, status, "application/problem+json", text, strlen(text));
    free(text);
}

void http_problem(struct http_exchange *exchange, int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *detail = xvasprintf(format, arguments);
    va_end(arguments);
    answer_problem(exchange, status, detail);
    free(detail);
}

/* --- from the whole request to its handler --- */

/* A chunked body says only at its end how large it is. */
static void exchange_judge_size(struct http_exchange *exchange)
{
    const struct http_bound *bound = exchange->connection->bound;
    if (exchange->verdict.status || exchange->request->body_size <= bound->body)
        return;
    exchange->verdict = (struct http_verdict){413, bound->too_large};
    exchange->closes = true;
}

static void exchange_refuse(struct http_exchange *exchange)
{
    char allow[64];
    if (exchange->verdict.status == 405) {
        http_route_allow(exchange, allow, sizeof(allow));
        http_add_header(exchange, "Allow", allow);
    }
    answer_problem(exchange, exchange->verdict.status, exchange->verdict.detail);
}

/* The handler has a bug. Serving on is safer than to stop, if the client is told. */
static void exchange_blame(struct http_exchange *exchange)
{
    const struct http_server *server = exchange->connection->server;
    struct http_compiled *route = &server->routes[exchange->route - server->routes];
    if (!route->blamed)
        log_error("the handler of %s %s does not answer: a bug; further times are not "
                  "logged",
                  route->row->method, route->row->path);
    route->blamed = true;
    http_problem(exchange, 500,
                 "The server has failed to answer this; its log tells more.");
}

void http_exchange_run(struct http_exchange *exchange)
{
    struct http_connection *connection = exchange->connection;
    exchange_judge_size(exchange);
    if (exchange->verdict.status) {
        exchange_refuse(exchange);
        return;
    }
    exchange->route->row->handle(exchange, connection->server->context);
    if (connection->exchange && !connection->exchange->held)
        exchange_blame(connection->exchange);
}

static void hold(struct http_exchange *exchange, void (*gone)(void *arg), void *arg)
{
    assert(exchange->connection->exchange == exchange);
    exchange->held = true;
    exchange->gone = gone;
    exchange->gone_arg = arg;
}

void http_hold(struct http_exchange *exchange, void (*gone)(void *arg), void *arg)
{
    hold(exchange, gone, arg);
    http_connection_watch(exchange->connection);
}

void http_await(struct http_exchange *exchange, void (*gone)(void *arg), void *arg)
{
    hold(exchange, gone, arg);
    http_connection_leave(exchange->connection);
}
