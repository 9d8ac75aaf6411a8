/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rooms of the HTTP front end (http*.c) know of each other; nobody else includes
 * this. Loop thread only.
 *
 *   http.c             the server: its making, its listeners, its end
 *   http_connection.c  connections: hooks into evhttp, states, deadlines
 *   http_guard.c       the bytes of a request, as they arrive
 *   http_head.c        the parsed headers of a request
 *   http_route.c       from a target to a row of the route table
 *   http_exchange.c    one request for its handler, and its answer
 *   http_stream.c      answers whose body comes bit by bit
 *   http_problem.c     reason phrases and problem documents
 *   http_range.c       the part of a file that is asked for
 *   http_room.c        large bodies, and the memory that they may take in all
 */
#ifndef TL_HTTP_INTERNAL_H
#define TL_HTTP_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>

#include "http.h"
#include "listen.h"

enum { HTTP_SEGMENTS = 12 }; /* a path with more segments is on no route */

/* What a connection waits for. Every connection is in the queue of its state; since each
 * state has one time-out, a queue is sorted by deadline without being sorted. */
enum http_state {
    HTTP_IDLE,      /* the first byte of a request; until idle_ms */
    HTTP_READING,   /* the rest of a request; until request_ms */
    HTTP_PAUSED,    /* room for the rest of a large body; no deadline, it is not read from
                      */
    HTTP_ANSWERING, /* the client, to read its answer; until request_ms without progress
                      */
    HTTP_HELD,      /* a held exchange's answer; no deadline, the probe watches */
    HTTP_HELD_BLIND, /* the same, with bytes before a possible FIN: the janitor polls */
    HTTP_STREAMING,  /* more of its answer; until request_ms without progress, if it has
                       something to read */
    HTTP_LINGERING,  /* a refused client, to end; it is read from but not heard */
    HTTP_STATES
};

/* One piece of a path, between two slashes. */
struct http_segment {
    const char *text; /* decoded and NUL-terminated; NULL if that cannot be done */
    size_t length;    /* bytes of text */
};

/* A row of the route table, cut up once. */
struct http_compiled {
    const struct http_route *row; /* borrowed */
    size_t count;                 /* how many segments */
    bool blamed; /* that its handler did not answer was logged; once is enough */
    struct {
        const char *text;      /* borrowed from the row; after the ':' of a parameter */
        size_t length;         /* bytes of text */
        bool parameter;        /* any segment fits, and gets this name */
    } segments[HTTP_SEGMENTS]; /* the first `count` are set */
};

/* How large a body may be. */
struct http_bound {
    size_t body;     /* bytes of it */
    size_t discard;  /* how large a refused one is still read to its end */
    char *too_large; /* owned; the sentence for 413 */
};

/* What a large body has gathered so far. */
struct http_gathered {
    char *data;      /* owned */
    size_t size;     /* bytes of it */
    size_t capacity; /* what is allocated */
};

/* Why a request is refused. */
struct http_verdict {
    int status;         /* 0: it is not */
    const char *detail; /* the sentence for the client; static or the server's */
};

/* How far the request line and headers of the request being read have been looked at. */
struct http_head {
    size_t bytes;       /* seen so far, line ends included */
    size_t lines;       /* finished ones that were not empty */
    size_t line_length; /* bytes of the line that is unfinished */
    size_t blank;       /* bytes of an empty line before the request line */
    uint64_t tail;      /* the last eight bytes of the request line */
    bool carriage;      /* the last byte was a CR */
    bool done;          /* the empty line that ends the headers was seen */
};

struct http_connection {
    TAILQ_ENTRY(http_connection) link; /* in server->queues[state] */
    struct http_server *server;        /* borrowed */
    struct bufferevent *bufferevent;   /* belongs to evhttp */
    struct evhttp_connection *evhttp;  /* belongs to evhttp; NULL before it is adopted */
    struct evhttp_request *request;    /* the one read or answered; belongs to evhttp */
    struct evbuffer_cb_entry *watch;   /* our callback on the input */
    struct event *probe; /* one-shot EV_READ while held; made when first needed */
    struct http_exchange *exchange; /* owned; from the end of the headers to its answer */
    enum http_state state;          /* names the queue that it is in */
    int64_t deadline_ms;            /* monotonic; without meaning while held */
    size_t unsent; /* bytes of output when the deadline was set, and those added since */
    size_t lingered;                /* bytes thrown away since it was refused */
    const struct http_bound *bound; /* of `request`; the server's */
    struct http_head head;          /* of `request` */
    struct http_verdict verdict;    /* of `request`, when the parser is to fail */
};

TAILQ_HEAD(http_queue, http_connection);

struct http_listener {
    struct listen_socket *socket;      /* owned */
    struct evhttp_bound_socket *bound; /* belongs to evhttp; NULL once closed */
};

struct http_server {
    LIST_ENTRY(http_server) link;  /* in the list that the hook searches */
    struct event_base *base;       /* borrowed */
    struct evhttp *evhttp;         /* owned */
    struct http_limits limits;     /* as given */
    struct http_bound bound;       /* of most bodies */
    struct http_bound large;       /* of those on routes with HTTP_LARGE_BODY */
    size_t room_used;              /* bytes of large bodies, also taken ones */
    size_t room_lent;              /* how many bodies were taken and are not returned */
    struct http_connection *first; /* the one that may gather though room is short */
    void *context;                 /* borrowed; for the handlers */
    http_problem_show *show;       /* how problems are shown, or NULL */
    struct http_compiled *routes;  /* owned */
    size_t route_count;            /* rows of it */
    struct http_queue queues[HTTP_STATES]; /* every connection, by state */
    size_t connections;                    /* in all queues together */
    struct http_connection *next;    /* whose request evhttp is about to make, or NULL */
    struct http_listener *listeners; /* owned array */
    size_t listener_count;           /* entries of it */
    bool accepting;                  /* the listeners are enabled */
    bool stopped;                    /* they are closed for good */
    bool closing;                    /* within http_server_free() */
    struct event *backoff;           /* owned; pending: accept() had no descriptor left */
    int64_t warned_ms;               /* when that was last logged, monotonic */
    struct event *janitor;           /* owned; looks at the deadlines */
    char *too_long;                  /* owned; the sentence for 431 */
    int64_t date_second;             /* which second `date` is of, Unix time */
    char date[40];                   /* the Date header of that second */
};

struct http_exchange {
    struct http_connection *connection; /* borrowed; it owns this */
    struct evhttp_request *request;     /* belongs to evhttp */
    const struct http_compiled *route;  /* NULL until one fits */
    struct http_verdict verdict;        /* set: it is refused once its body is read */
    bool gathers;                       /* its body goes to `gathered` */
    struct http_gathered gathered;      /* that body */
    bool closes;                        /* the connection ends with the answer */
    bool lingers;         /* more of the request may come after the answer */
    bool held;            /* http_hold() was called */
    void (*gone)(void *); /* what to call if the client leaves, or NULL */
    void *gone_arg;       /* its argument, borrowed */
    size_t count;         /* segments of the path */
    struct http_segment segments[HTTP_SEGMENTS]; /* the first `count`; into text[] */
    const char *query; /* into text[]: name, NUL, value, NUL and so on; empty name ends */
    char text[];       /* decoded path, then query */
};

/* --- http.c --- */

/* The server that this evhttp is of, or NULL: evhttp's hooks are given nothing else. */
struct http_server *http_server_find(const void *evhttp);

/* Enable or disable the listeners, as the number of connections wants. */
void http_server_update_accepting(struct http_server *server);

int64_t http_now_ms(void);

/* --- http_connection.c --- */

/* Make evhttp tell us of this server's connections. Aborts if the program is linked so
 * that its evhttp_request_new() is not the one that libevent calls. */
void http_connection_hook(struct http_server *server);

/* Move to that state and start its time. To the same state: start it anew. */
void http_connection_set_state(struct http_connection *connection, enum http_state state);

/* The timer that ends what has waited for too long. */
void http_connection_janitor_cb(evutil_socket_t fd, short what, void *server);

/* Send what evhttp was given as the answer, at once, and then only throw away what comes:
 * closing while the client still sends could take the answer away from it. */
void http_connection_linger(struct http_connection *connection);

/* Watch a held exchange's client without reading from it. */
void http_connection_watch(struct http_connection *connection);

/* Leave it to the janitor to notice that a held exchange's client went away. */
void http_connection_leave(struct http_connection *connection);

/* --- http_guard.c --- */

/* Look at the bytes of a request line and headers in the input, from this offset on. May
 * condemn the connection. */
void http_guard_scan(struct http_connection *connection, size_t from);

/* Look at a body that grows; `waiting` bytes of input were there before. May condemn. */
void http_guard_body(struct http_connection *connection, size_t waiting);

/* Throw the input away and make evhttp's parser fail at its next turn, so that the
 * request is answered with this. `detail` must outlive the connection. */
void http_guard_condemn(struct http_connection *connection, int status,
                        const char *detail);

/* Read the body that follows, but keep nothing of it. */
void http_guard_discard(struct evhttp_request *request);

/* Why evhttp gave up on this request. */
struct http_verdict http_guard_explain(const struct http_connection *connection);

/* --- http_head.c --- */

/* Judge a whole head: sets the exchange's route or its verdict, and sees to it that
 * evhttp reads exactly the body that there is. */
void http_head_judge(struct http_exchange *exchange);

/* --- http_route.c --- */

/* Cut the table up. Returns owned. Aborts on a row that cannot be served. */
struct http_compiled *http_route_compile(const struct http_route *routes, size_t count);

/* Split an origin-form target into exchange->segments and exchange->query. The exchange's
 * text has room for http_route_room(target). */
void http_route_split(struct http_exchange *exchange, const char *target);
size_t http_route_room(const char *target);

/* The path and query of a request target, or NULL if it is of no form that we serve. */
const char *http_route_target(const char *uri);

/* Find the row for this exchange: 0, 404 or 405. */
int http_route_find(struct http_exchange *exchange);

/* Write the methods that its path has, for Allow. */
void http_route_allow(const struct http_exchange *exchange, char *list, size_t size);

/* --- http_exchange.c --- */

/* Make the exchange of a connection's request. The connection owns it. */
struct http_exchange *http_exchange_new(struct http_connection *connection);

/* Hand it to its handler, or answer with its verdict. */
void http_exchange_run(struct http_exchange *exchange);

/* Answer without a body, nor a length of one. */
void http_exchange_answer(struct http_exchange *exchange, int status);

/* Send the head of an answer whose body follows; what is not chunked ends with the
 * connection. */
void http_exchange_start(struct http_exchange *exchange, int status);

/* Free it, and what it has gathered. */
void http_exchange_free(struct http_exchange *exchange);

/* --- http_room.c --- */

/* The body that follows is large: gather it. */
void http_room_open(struct http_exchange *exchange);

/* Take that many bytes of a body from where they are: gather them, or throw them away if
 * the exchange is refused. May pause the connection. */
void http_room_take(struct http_exchange *exchange, struct evbuffer *from, size_t length);

/* Free what was gathered. */
void http_room_drop(struct http_exchange *exchange);

/* --- http_problem.c --- */

/* The reason phrase of a status; never NULL. */
const char *http_problem_phrase(int status);

/* A problem document. Returns owned; bytes that are not UTF-8 come out as '?'. */
char *http_problem_text(int status, const char *detail);

/* --- http_range.c --- */

/* A part of a file. */
struct http_range {
    size_t first;  /* offset of its first byte */
    size_t length; /* bytes of it */
};

/* What the header (may be NULL) asks for of so many bytes, and the status to answer with:
 * 200 all of them, 206 that part, 416 none. */
int http_range_read(const char *header, size_t size, struct http_range *range);

#endif
