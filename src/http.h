/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP front end: listeners, the route table, limits, answers. Everything here runs
 * on the loop thread. A handler answers its exchange at once, or holds it and answers
 * later; whatever is wrong with a request before a handler sees it is answered here, as
 * application/problem+json (RFC 9457) unless it is to be shown otherwise.
 */
#ifndef TL_HTTP_H
#define TL_HTTP_H

#include <stdbool.h>
#include <stddef.h>

struct evbuffer;
struct event_base;
struct http_server;
struct listen_socket;

/* One request and its answer. Valid until it is answered, or until its `gone` was called.
 */
struct http_exchange;

typedef void http_handler(struct http_exchange *exchange, void *context);

enum http_route_flags {
    HTTP_NO_HEAD =
        1, /* HEAD is not offered here though GET is (a poll has side effects) */
    HTTP_LARGE_BODY = 2, /* bodies are gathered as src/http_room.c says */
    HTTP_NO_PAGE = 4,    /* problems are never shown as pages: only programs ask */
};

/* A row of the route table. The same rows give dispatch, 404, 405 with Allow. */
struct http_route {
    const char *method; /* "GET" (HEAD comes with it) or "POST" */
    const char
        *path; /* "/client/:id/poll": a segment that begins with : is a parameter */
    http_handler *handle; /* is called on the loop */
    unsigned flags;       /* enum http_route_flags */
    const char *help;     /* one line for people */
};

struct http_limits {
    size_t body;         /* bytes of a request's body */
    size_t large_body;   /* the same on routes with HTTP_LARGE_BODY; 0: there are none */
    size_t large_bodies; /* bytes that all large bodies may have before they wait */
    size_t headers;      /* bytes of request line and headers */
    size_t header_lines; /* how many header lines */
    size_t connections;  /* open at once; further ones wait in the listen queue */
    int request_ms; /* a request must have arrived whole this long after its first byte */
    int idle_ms;    /* a kept-alive connection without a request is closed after this */
};

/* Make a server without listeners. Borrows routes and context for its whole life. Where
 * several rows fit a path, the first one serves. The process ignores SIGPIPE from here
 * on. All servers of a process belong to one loop thread. */
struct http_server *http_server_new(struct event_base *base,
                                    const struct http_route *routes, size_t route_count,
                                    const struct http_limits *limits, void *context);

/* Answer with a problem in another form, and give true; or leave it, and give false: then
 * it is answered as JSON. `title` is the reason phrase. The exchange may be of a request
 * that fits no route, or was not understood. */
typedef bool http_problem_show(struct http_exchange *exchange, int status,
                               const char *title, const char *detail);

/* Have all problems shown so. */
void http_server_show_problems(struct http_server *server, http_problem_show *show);

/* Listen on "host:port", "[v6]:port" or "unix:/path" (port 0: any free one). A stale unix
 * socket is replaced, any other file there is not. Numeric hosts and "localhost" only: no
 * DNS. Gives 0, or -1 with *cause. */
int http_server_listen(struct http_server *server, const char *address, char **cause);

/* Serve what comes to this socket, too. Gives 0 and takes the socket, which is closed
 * with the others; or -1 with *cause, and it is still the caller's. */
int http_server_adopt(struct http_server *server, struct listen_socket *socket,
                      char **cause);

/* The address of listener `index` as it is really bound ("http://127.0.0.1:41234" or
 * "unix:/path"), or NULL past the last one. Borrowed from the server. */
const char *http_server_address(const struct http_server *server, size_t index);

/* Close the listeners; what is connected goes on. */
void http_server_stop_accepting(struct http_server *server);

/* Whether an answer is still being written, or a request read. */
bool http_server_is_busy(const struct http_server *server);

/* How many connections are open now. */
size_t http_server_connections(const struct http_server *server);

/* Close everything. Exchanges that are held are dropped without an answer (their `gone`
 * is not called). */
void http_server_free(struct http_server *server);

/* --- the request --- */

/* The value of path parameter `name` of the route, percent-decoded. NULL if the decoded
 * segment is empty or has a NUL, or there is no such parameter. Borrowed from the
 * exchange. */
const char *http_parameter(const struct http_exchange *exchange, const char *name);

/* The first query parameter of that name, percent-decoded ('+' is a space); "" where it
 * has no value, NULL where it is absent. Borrowed from the exchange. */
const char *http_query(const struct http_exchange *exchange, const char *name);

/* Call each(argument, name, value) for every query parameter that has a name, in order,
 * decoded likewise. Both are borrowed from the exchange. */
void http_each_query(const struct http_exchange *exchange,
                     void (*each)(void *argument, const char *name, const char *value),
                     void *argument);

/* A request header's value, or NULL. Names ignore case. Borrowed. */
const char *http_header(const struct http_exchange *exchange, const char *name);

/* The whole body; *size gets its length. Never NULL. Borrowed, not NUL-terminated. */
const char *http_body(struct http_exchange *exchange, size_t *size);

/* The body of a route with HTTP_LARGE_BODY, to be kept beyond the answer; *size gets its
 * length. Returns owned, NULL if it is empty. Until http_server_return_room() is called
 * with that size, its room is not given to others. */
void *http_take_body(struct http_exchange *exchange, size_t *size);

/* The taken body of this size was freed. */
void http_server_return_room(struct http_server *server, size_t size);

/* Bytes of large bodies that are in memory: arriving, arrived, or taken. */
size_t http_server_room(const struct http_server *server);

/* Whether the request is a HEAD, come to the handler of GET. Answer it alike: the body is
 * left out here. */
bool http_is_head(const struct http_exchange *exchange);

/* Whether the request is a POST. */
bool http_is_post(const struct http_exchange *exchange);

/* Whether the connection ends with this answer (client asked for it, or HTTP/1.0). */
bool http_closes(const struct http_exchange *exchange);

/* --- the answer; each of these ends the exchange --- */

/* Add a header to the answer that follows. */
void http_add_header(struct http_exchange *exchange, const char *name, const char *value);

/* Answer with these bytes (copied). For HEAD only the headers go out. */
void http_reply(struct http_exchange *exchange, int status, const char *content_type,
                const void *data, size_t size);

/* Answer 200 with the first `size` bytes of a file that does not shrink, or 206 with the
 * part of them that the header Range asks for. Takes fd. */
void http_reply_file(struct http_exchange *exchange, const char *content_type, int fd,
                     size_t size);

/* Answer 200 application/json with this text. */
void http_reply_json(struct http_exchange *exchange, const char *json);

/* Answer with a problem whose `detail` is the formatted sentence: a document, or as
 * http_server_show_problems() has it. */
void http_problem(struct http_exchange *exchange, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* --- holding --- */

/* Keep the exchange open after the handler has returned. If the client goes away before
 * it is answered, `gone(arg)` is called once, from the loop, and the exchange must not be
 * touched any more. Answering a held exchange ends the watch; `gone` is then not called.
 * May be called again, by who takes over the answer. */
void http_hold(struct http_exchange *exchange, void (*gone)(void *arg), void *arg);

/* The same, at less cost, where the answer comes in a moment: that the client went away
 * may be noticed a second late. */
void http_await(struct http_exchange *exchange, void (*gone)(void *arg), void *arg);

/* --- streaming: an answer that goes on for as long as the client stays --- */

/* Begin a 200 whose body comes bit by bit. `gone` is called as with http_hold(); it may
 * be in any later turn of the loop. Gives false for HEAD: then all was said, and the
 * exchange is over. A client that reads nothing for request_ms, though there is something
 * to be read, is cut off. */
bool http_stream_begin(struct http_exchange *exchange, const char *content_type,
                       void (*gone)(void *arg), void *arg);

/* Send these bytes (copied) after what was sent before. */
void http_stream_write(struct http_exchange *exchange, const void *data, size_t size);

/* How many bytes the client has not taken yet, besides some that the kernel keeps. Who
 * writes on and on must look. */
size_t http_stream_unsent(const struct http_exchange *exchange);

/* End it, and the connection; `gone` is not called. Ends the exchange. Nobody waits for a
 * client that has not taken everything: it is cut off. */
void http_stream_end(struct http_exchange *exchange);

/* Who sent the request, for people: "127.0.0.1", or "a local user" on a unix socket.
 * Borrowed. */
const char *http_peer(const struct http_exchange *exchange);

#endif
