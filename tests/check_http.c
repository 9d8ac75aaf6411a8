/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP front end, over real sockets: a server with a few routes runs on a thread of
 * its own, and each test is a client with blocking sockets. Nothing here sleeps for a
 * fixed time: what must come is waited for, with a limit that is far away.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/thread.h>
#include <json-c/json.h>

#include "http.h"
#include "xalloc.h"

enum { BODY_LIMIT = 1000, HEADERS_LIMIT = 2048, LINES_LIMIT = 20, PATIENCE_S = 60 };

/* --- the server under test --- */

static struct event_base *base;
static struct http_server *server;
static pthread_t loop;
static int port;
static struct http_exchange *held; /* loop thread */
static atomic_int gone_count;
static atomic_int handled_count;
static char unix_path[64];

static void reply_text(struct http_exchange *exchange, const char *text)
{
    http_reply(exchange, 200, "text/plain", text, strlen(text));
}

static void hello(struct http_exchange *exchange, void *context)
{
    ck_assert_str_eq(context, "context");
    atomic_fetch_add(&handled_count, 1);
    http_add_header(exchange, "X-Extra", "yes");
    reply_text(exchange, "hello");
}

static void echo(struct http_exchange *exchange, void *context)
{
    size_t size;
    const char *body = http_body(exchange, &size);
    (void)context;
    http_reply(exchange, 200, "application/octet-stream", body, size);
}

static void parameters(struct http_exchange *exchange, void *context)
{
    const char *id = http_parameter(exchange, "id"), *a = http_query(exchange, "a"),
               *b = http_query(exchange, "b"), *host = http_header(exchange, "hOST");
    char *text = xasprintf("id=%s a=%s b=%s host=%s closes=%d none=%s", id ? id : "NULL",
                           a ? a : "NULL", b ? b : "NULL", host ? host : "NULL",
                           http_closes(exchange),
                           http_parameter(exchange, "nonesuch") ? "?" : "NULL");
    (void)context;
    reply_text(exchange, text);
    free(text);
}

static void refuse(struct http_exchange *exchange, void *context)
{
    (void)context;
    http_add_header(exchange, "Retry-After", "3");
    http_problem(exchange, 422, "no \"%s\" \xff here", "such thing");
}

static void empty(struct http_exchange *exchange, void *context)
{
    (void)context;
    http_reply(exchange, 204, NULL, NULL, 0);
}

static void json(struct http_exchange *exchange, void *context)
{
    (void)context;
    http_reply_json(exchange, "{\"a\":1}");
}

static void gone(void *arg)
{
    ck_assert_ptr_eq(arg, &held);
    held = NULL;
    atomic_fetch_add(&gone_count, 1);
}

static void hold(struct http_exchange *exchange, void *context)
{
    (void)context;
    ck_assert_ptr_null(held);
    held = exchange;
    http_hold(exchange, gone, &held);
}

static void release(struct http_exchange *exchange, void *context)
{
    struct http_exchange *late = held;
    (void)context;
    held = NULL;
    if (late)
        reply_text(late, "late");
    reply_text(exchange, late ? "released" : "nobody");
}

static void forget(struct http_exchange *exchange, void *context)
{
    (void)exchange;
    (void)context;
}

static void big(struct http_exchange *exchange, void *context)
{
    size_t size = 16 << 20;
    char *bytes = xcalloc(1, size);
    (void)context;
    http_reply(exchange, 200, "application/octet-stream", bytes, size);
    free(bytes);
}

static void count(struct http_exchange *exchange, void *context)
{
    char *text =
        xasprintf("%zu %s", http_server_connections(server), held ? "held" : "free");
    (void)context;
    reply_text(exchange, text);
    free(text);
}

static const struct http_route routes[] = {
    {"GET", "/", hello, 0, "the root"},
    {"GET", "/hello", hello, 0, "greets"},
    {"GET", "/hello/", hello, 0, "greets, too"},
    {"POST", "/echo", echo, 0, "gives back"},
    {"GET", "/client/:id/poll", parameters, HTTP_NO_HEAD, "shows parameters"},
    {"POST", "/client/:id/poll", parameters, 0, "shows parameters"},
    {"GET", "/refuse", refuse, 0, "is a problem"},
    {"GET", "/empty", empty, 0, "has nothing"},
    {"GET", "/json", json, 0, "gives JSON"},
    {"GET", "/hold", hold, HTTP_NO_HEAD, "holds"},
    {"POST", "/hold", hold, 0, "holds"},
    {"POST", "/release", release, 0, "answers what is held"},
    {"GET", "/forget", forget, 0, "has a bug"},
    {"GET", "/big", big, 0, "is large"},
    {"GET", "/count", count, 0, "counts connections"},
};

static void *run_loop(void *arg)
{
    event_base_loop(arg, EVLOOP_NO_EXIT_ON_EMPTY);
    return NULL;
}

static void server_start(const struct http_limits *limits)
{
    char *cause = NULL;
    evthread_use_pthreads();
    base = event_base_new();
    held = NULL;
    atomic_store(&gone_count, 0);
    atomic_store(&handled_count, 0);
    snprintf(unix_path, sizeof(unix_path), "/tmp/check_http.%d", (int)getpid());
    static char context[] = "context";
    server =
        http_server_new(base, routes, sizeof(routes) / sizeof(*routes), limits, context);
    ck_assert_int_eq(http_server_listen(server, "127.0.0.1:0", &cause), 0);
    ck_assert_int_eq(sscanf(http_server_address(server, 0), "http://127.0.0.1:%d", &port),
                     1);
    ck_assert_int_gt(port, 0);
}

static void server_run(void)
{
    ck_assert_int_eq(pthread_create(&loop, NULL, run_loop, base), 0);
}

static void server_stop(void)
{
    event_base_loopexit(base, NULL); /* holds even before the loop has begun */
    pthread_join(loop, NULL);
    http_server_free(server);
    event_base_free(base);
    libevent_global_shutdown();
}

static struct http_limits patient_limits(void)
{
    return (struct http_limits){.body = BODY_LIMIT,
                                .headers = HEADERS_LIMIT,
                                .header_lines = LINES_LIMIT,
                                .connections = 100,
                                .request_ms = PATIENCE_S * 1000,
                                .idle_ms = PATIENCE_S * 1000};
}

static void setup(void)
{
    struct http_limits limits = patient_limits();
    server_start(&limits);
    char *address = xasprintf("unix:%s", unix_path);
    ck_assert_int_eq(http_server_listen(server, address, NULL), 0);
    free(address);
    server_run();
}

static void setup_hasty(void)
{
    struct http_limits limits = patient_limits();
    limits.request_ms = limits.idle_ms = 500;
    server_start(&limits);
    server_run();
}

static void setup_narrow(void)
{
    struct http_limits limits = patient_limits();
    limits.connections = 2;
    server_start(&limits);
    server_run();
}

/* --- the client --- */

struct response {
    int status;       /* 0: the connection ended instead */
    char head[4096];  /* status line and headers */
    char body[65536]; /* NUL-terminated */
    size_t size;      /* bytes of it */
};

static int connect_to(const struct sockaddr *address, socklen_t size)
{
    struct timeval patience = {.tv_sec = PATIENCE_S};
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    ck_assert_msg(connect(fd, address, size) == 0, "connect: %s", strerror(errno));
    return fd;
}

static int dial(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return connect_to((struct sockaddr *)&address, sizeof(address));
}

/* Send; gives false if the server has cut the connection. */
static bool say_bytes(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0) {
        ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);
        if (sent < 0) {
            ck_assert(errno == EPIPE || errno == ECONNRESET);
            return false;
        }
        at += sent;
        size -= (size_t)sent;
    }
    return true;
}

static void say(int fd, const char *text)
{
    say_bytes(fd, text, strlen(text));
}

/* Read up to size bytes; fewer at the end of the connection. */
static size_t hear_bytes(int fd, char *to, size_t size)
{
    size_t have = 0;
    while (have < size) {
        ssize_t got = recv(fd, to + have, size - have, 0);
        if (got == 0 || (got < 0 && errno == ECONNRESET))
            break;
        ck_assert_msg(got > 0, "recv: %s", strerror(errno));
        have += (size_t)got;
    }
    return have;
}

static const char *find_header(const struct response *response, const char *name)
{
    static char value[256];
    const char *line = response->head;
    size_t length = strlen(name);
    while ((line = strstr(line, "\r\n")) != NULL) {
        line += 2;
        if (!strncasecmp(line, name, length) && line[length] == ':') {
            snprintf(value, sizeof(value), "%.*s",
                     (int)strcspn(line + length + 2, "\r\n"), line + length + 2);
            return value;
        }
    }
    return NULL;
}

static struct response hear(int fd, bool has_body)
{
    struct response response = {0};
    size_t length = 0;
    while (length < sizeof(response.head) - 1 && !strstr(response.head, "\r\n\r\n")) {
        if (hear_bytes(fd, response.head + length, 1) == 0)
            return (struct response){0};
        length++;
    }
    ck_assert_int_eq(sscanf(response.head, "HTTP/1.%*d %d", &response.status), 1);
    if (response.status == 100) /* the real one follows */
        return hear(fd, has_body);
    const char *size = find_header(&response, "Content-Length");
    response.size = size && has_body ? strtoul(size, NULL, 10) : 0;
    ck_assert_uint_lt(response.size, sizeof(response.body));
    ck_assert_uint_eq(hear_bytes(fd, response.body, response.size), response.size);
    return response;
}

static struct response ask(int fd, const char *request)
{
    say(fd, request);
    return hear(fd, strncmp(request, "HEAD", 4) != 0);
}

#define REQUEST(line) line " HTTP/1.1\r\nHost: a\r\n\r\n"

static bool is_closed(int fd)
{
    char byte;
    return hear_bytes(fd, &byte, 1) == 0;
}

static struct response ask_once(const char *request)
{
    int fd = dial();
    struct response response = ask(fd, request);
    close(fd);
    return response;
}

/* Ask /count until it gives this, which must happen. */
static void await_count(const char *wanted)
{
    struct response response;
    for (int i = 0; i < PATIENCE_S * 100; i++) {
        response = ask_once(REQUEST("GET /count"));
        if (!strcmp(response.body, wanted))
            return;
        usleep(10000);
    }
    ck_abort_msg("it stays at %s", response.body);
}

static void await_gone(int wanted)
{
    for (int i = 0; i < PATIENCE_S * 100 && atomic_load(&gone_count) < wanted; i++)
        usleep(10000);
    await_count("1 free");
    ck_assert_int_eq(atomic_load(&gone_count), wanted);
}

static void check_problem(const struct response *response, int status)
{
    struct json_object *problem = json_tokener_parse(response->body);
    struct json_object *member;
    const char *type = find_header(response, "Content-Type");
    ck_assert_int_eq(response->status, status);
    ck_assert_msg(type && !strcmp(type, "application/problem+json"), "type %s", type);
    ck_assert(json_object_object_get_ex(problem, "status", &member));
    ck_assert_int_eq(json_object_get_int(member), status);
    ck_assert(json_object_object_get_ex(problem, "type", &member));
    ck_assert(json_object_object_get_ex(problem, "title", &member));
    ck_assert(json_object_get_string_len(member) > 0);
    ck_assert(json_object_object_get_ex(problem, "detail", &member));
    ck_assert(json_object_get_string_len(member) > 10);
    json_object_put(problem);
}

/* --- what is wrong with a request --- */

static const struct junk {
    const char *request;
    int status;
    bool stays; /* the connection can be used again */
} junk[] = {
    {"\r\n\r\n\r\n", 400, false},
    {"hello\r\n\r\n", 400, false},
    {"GET /hello\r\n\r\n", 400, false},
    {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400, false},
    {"GET /  HTTP/1.1x\r\nHost: a\r\n\r\n", 400, false},
    {"GET / HTTP/-1.5\r\nHost: a\r\n\r\n", 400, false},
    {"GET / http/1.1\r\nHost: a\r\n\r\n", 400, false},
    {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, false},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, false},
    {"GET / HTTP/0.9\r\n\r\n", 505, false},
    {"\x16\x03\x01\x02\x01\x01\xfc\x03\x03 TLS\r\n", 400, false},
    {"GET /he llo HTTP/1.1\r\nHost: a\r\n\r\n", 400, false},
    {"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400, false},
    {"GET /\tx HTTP/1.1\r\nHost: a\r\n\r\n", 400, false},
    {"GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", 400, false},
    {"GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", 400, false},
    {"GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", 400, false},
    {"GET hello HTTP/1.1\r\nHost: a\r\n\r\n", 400, false},
    {"GET ftp://a/hello HTTP/1.1\r\nHost: a\r\n\r\n", 400, false},
    {"GET http:///hello HTTP/1.1\r\nHost: a\r\n\r\n", 400, false},
    {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400, false},
    {"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400, false},
    {"GET /hello?a=%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400, false},
    {"GET / HTTP/1.1\r\n\r\n", 400, false},
    {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, false},
    {"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400, false},
    {"GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", 400, false},
    {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, false},
    {"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n folded\r\n\r\n", 400, false},
    {"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400, false},
    {"GET / HTTP/1.1\r\nHost: a\r\nX: \x02\r\n\r\n", 400, false},
    {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length : 1\r\n\r\na", 400, false},
    {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na", 400, false},
    {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\na", 400, false},
    {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\na", 400, false},
    {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\na", 400, false},
    {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\na", 400, false},
    {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
     400, false},
    {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\ncontent-length: 1\r\n\r\na",
     400, false},
    {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked"
     "\r\n\r\n0\r\n\r\n",
     400, false},
    {"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, false},
    {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\na", 501, false},
    {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\na", 501,
     false},
    {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\na", 400,
     false},
    {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400,
     false},
    {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", 400,
     false},
    {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nbad\r\n",
     400, false},
    {"HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", 400, false},
    {"TRACE / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", 400, false},
    {"BREW / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
     false},
    {"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: 1\r\n\r\na", 417,
     false},
    {"GET /hello HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", 417, true},
    {REQUEST("GET /nothing"), 404, true},
    {REQUEST("POST /nothing"), 404, true},
    {REQUEST("BREW /nothing"), 404, true},
    {REQUEST("GET //hello"), 404, true},
    {REQUEST("GET /hello//"), 404, true},
    {REQUEST("GET /HELLO"), 404, true},
    {REQUEST("GET /hel%6"), 404, true},
    {REQUEST("GET /%00"), 404, true},
    {REQUEST("GET /hello%2F"), 404, true},
    {REQUEST("GET /a/a/a/a/a/a/a/a/a/a/a/a/a/a/a"), 404, true},
    {REQUEST("GET /echo"), 405, true},
    {REQUEST("PUT /echo"), 405, true},
    {REQUEST("DELETE /hello"), 405, true},
    {REQUEST("OPTIONS /hello"), 405, true},
    {REQUEST("PATCH /hello"), 405, true},
    {REQUEST("TRACE /hello"), 405, true},
    {REQUEST("BREW /hello"), 405, true},
    {REQUEST("get /hello"), 405, true},
    {"PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", 405, true},
    {"POST /none HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
     "0\r\n\r\n",
     404, true},
    {REQUEST("GET /refuse"), 422, true},
    {REQUEST("GET /forget"), 500, true},
};

START_TEST(junk_is_answered)
{
    const struct junk *row = &junk[_i];
    int fd = dial();
    bool head = !strncmp(row->request, "HEAD", 4);
    struct response response = ask(fd, row->request);
    if (head)
        ck_assert_int_eq(response.status, row->status);
    else
        check_problem(&response, row->status);
    if (row->stays) {
        ck_assert_ptr_null(find_header(&response, "Connection"));
        ck_assert_int_eq(ask(fd, REQUEST("GET /hello")).status, 200);
    } else {
        ck_assert_str_eq(find_header(&response, "Connection"), "close");
        ck_assert(is_closed(fd));
    }
    close(fd);
    ck_assert_int_eq(ask_once(REQUEST("GET /hello")).status, 200);
}
END_TEST

/* Every request, good or bad, also when it comes byte by byte. */
START_TEST(junk_may_trickle)
{
    const struct junk *row = &junk[_i];
    int fd = dial();
    for (const char *at = row->request; *at; at++)
        if (!say_bytes(fd, at, 1))
            break;
    ck_assert_int_eq(hear(fd, strncmp(row->request, "HEAD", 4) != 0).status, row->status);
    close(fd);
}
END_TEST

START_TEST(nul_is_refused)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n";
    int fd = dial();
    say_bytes(fd, request, sizeof(request) - 1);
    struct response response = hear(fd, true);
    check_problem(&response, 400);
    close(fd);
}
END_TEST

START_TEST(allow_lists_methods)
{
    struct response response = ask_once(REQUEST("DELETE /client/a/poll"));
    check_problem(&response, 405);
    ck_assert_str_eq(find_header(&response, "Allow"), "GET, POST");
    response = ask_once(REQUEST("POST /hello"));
    ck_assert_str_eq(find_header(&response, "Allow"), "GET, HEAD");
    response = ask_once(REQUEST("HEAD /echo"));
    ck_assert_int_eq(response.status, 405);
    ck_assert_str_eq(find_header(&response, "Allow"), "POST");
    ck_assert_int_eq(ask_once(REQUEST("HEAD /client/a/poll")).status, 405);
}
END_TEST

/* --- what goes right --- */

START_TEST(keep_alive_reuses)
{
    int fd = dial();
    for (int i = 0; i < 5; i++) {
        struct response response = ask(fd, REQUEST("GET /hello"));
        ck_assert_int_eq(response.status, 200);
        ck_assert_str_eq(response.body, "hello");
        ck_assert_str_eq(find_header(&response, "X-Extra"), "yes");
        ck_assert_str_eq(find_header(&response, "Content-Type"), "text/plain");
        ck_assert_ptr_nonnull(strstr(find_header(&response, "Date"), " GMT"));
        ck_assert_int_eq(ask(fd, REQUEST("\r\nGET /hello/")).status, 200);
    }
    ck_assert_int_eq(atomic_load(&handled_count), 10);
    struct response response =
        ask(fd, "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade, CLOSE\r\n\r\n");
    ck_assert_str_eq(find_header(&response, "Connection"), "close");
    ck_assert(is_closed(fd));
    close(fd);
}
END_TEST

START_TEST(old_version_closes)
{
    int fd = dial();
    struct response response =
        ask(fd, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    ck_assert_str_eq(find_header(&response, "Connection"), "keep-alive");
    response = ask(fd, "GET / HTTP/1.0\r\n\r\n");
    ck_assert_str_eq(response.body, "hello");
    ck_assert(is_closed(fd));
    close(fd);
    ck_assert_int_eq(ask_once("GET / HTTP/1.7\r\nHost: a\r\n\r\n").status, 200);
}
END_TEST

START_TEST(pipelined_are_answered_in_order)
{
    int fd = dial();
    say(fd, REQUEST("GET /hello") REQUEST("GET /nothing") REQUEST("HEAD /hello")
                REQUEST("GET /json") "POST /echo HTTP/1.1\r\nHost: a\r\n"
                                     "Content-Length: 4\r\n\r\n\n\n\n\n" REQUEST(
                                         "GET /empty") "\x01 junk\r\n");
    ck_assert_str_eq(hear(fd, true).body, "hello");
    ck_assert_int_eq(hear(fd, true).status, 404);
    struct response response = hear(fd, false);
    ck_assert_str_eq(find_header(&response, "Content-Length"), "5");
    ck_assert_str_eq(hear(fd, true).body, "{\"a\":1}");
    ck_assert_str_eq(hear(fd, true).body, "\n\n\n\n");
    response = hear(fd, true);
    ck_assert_int_eq(response.status, 204);
    ck_assert_ptr_null(find_header(&response, "Content-Length"));
    ck_assert_int_eq(hear(fd, true).status, 400);
    ck_assert(is_closed(fd));
    close(fd);
}
END_TEST

START_TEST(half_closed_client_gets_its_answer)
{
    int fd = dial();
    say(fd, REQUEST("GET /hello"));
    shutdown(fd, SHUT_WR);
    ck_assert_str_eq(hear(fd, true).body, "hello");
    ck_assert(is_closed(fd));
    close(fd);
}
END_TEST

START_TEST(expect_continue)
{
    char answer[26] = "";
    int fd = dial();
    say(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
            "Content-Length: 2\r\n\r\n");
    hear_bytes(fd, answer, 25);
    ck_assert_str_eq(answer, "HTTP/1.1 100 Continue\r\n\r\n");
    ck_assert_str_eq(ask(fd, "hi").body, "hi");
    /* Who asks first is told so without sending it. */
    struct response response =
        ask(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                "Content-Length: 5000\r\n\r\n");
    check_problem(&response, 413);
    ck_assert(is_closed(fd));
    close(fd);
}
END_TEST

static const struct decoding {
    const char *target, *expected;
} decodings[] = {
    {"/client/x/poll", "id=x a=NULL b=NULL"},
    {"/client/%61%2Fb/poll?a=1", "id=a/b a=1 b=NULL"},
    {"/%63lient/x/poll?a=1+2%2B%263&b", "id=x a=1 2+&3 b="},
    {"/client/a+b/poll?&&b=&=z&a==&a=2", "id=a+b a== b="},
    {"/client/a%00b/poll?a=%zz%4", "id=NULL a=%zz%4 b=NULL"},
    {"/client/%zz/poll?", "id=NULL a=NULL b=NULL"},
    {"/client/%/poll?b=?", "id=NULL a=NULL b=?"},
    {"/client//poll?%61=x", "id=NULL a=x b=NULL"},
    {"http://a:1/client/x/poll?b=1", "id=x a=NULL b=1"},
    {"HTTPS://a/client/x/poll", "id=x a=NULL b=NULL"},
};

START_TEST(target_is_decoded)
{
    char *request =
        xasprintf("GET %s HTTP/1.1\r\nHost: a:1\r\n\r\n", decodings[_i].target);
    char *expected = xasprintf("%s host=a:1 closes=0 none=NULL", decodings[_i].expected);
    struct response response = ask_once(request);
    ck_assert_str_eq(response.body, expected);
    free(request);
    free(expected);
}
END_TEST

START_TEST(body_arrives)
{
    int fd = dial();
    ck_assert_str_eq(
        ask(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello").body,
        "hello");
    ck_assert_str_eq(ask(fd, "POST /echo HTTP/1.1\r\nHost: a\r\n"
                             "Transfer-Encoding: Chunked\r\n\r\n"
                             "3\r\nhel\r\n2\r\nlo\r\n0\r\nX: y\r\n\r\n")
                         .body,
                     "hello");
    close(fd);
}
END_TEST

START_TEST(largest_body_fits)
{
    char body[BODY_LIMIT + 1];
    memset(body, 'a', BODY_LIMIT);
    body[BODY_LIMIT] = '\0';
    char *request =
        xasprintf("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s",
                  BODY_LIMIT, body);
    ck_assert_str_eq(ask_once(request).body, body);
    free(request);
}
END_TEST

/* --- too much --- */

/* Send a body of that many bytes, in one chunk or many or none. */
static struct response post_large(int fd, size_t size, size_t chunk)
{
    static const char bytes[4096];
    char *head = chunk ? xstrdup("POST /echo HTTP/1.1\r\nHost: a\r\n"
                                 "Transfer-Encoding: chunked\r\n\r\n")
                       : xasprintf("POST /echo HTTP/1.1\r\nHost: a\r\n"
                                   "Content-Length: %zu\r\n\r\n",
                                   size);
    bool going = say_bytes(fd, head, strlen(head));
    size_t in_chunk = 0;
    free(head);
    while (going && size > 0) {
        char line[32];
        if (chunk && in_chunk == 0) {
            in_chunk = size < chunk ? size : chunk;
            snprintf(line, sizeof(line), "%zx\r\n", in_chunk);
            going = say_bytes(fd, line, strlen(line));
        }
        size_t part = chunk ? in_chunk : size;
        part = part < sizeof(bytes) ? part : sizeof(bytes);
        going = going && say_bytes(fd, bytes, part);
        size -= part;
        in_chunk -= chunk ? part : 0;
        if (chunk && in_chunk == 0)
            going = going && say_bytes(fd, "\r\n", 2);
    }
    if (chunk && going)
        say(fd, "0\r\n\r\n");
    return hear(fd, true);
}

static const struct {
    size_t size, chunk;
} large[] = {
    {BODY_LIMIT + 1, 0},   {BODY_LIMIT + 1, BODY_LIMIT + 1},
    {BODY_LIMIT + 1, 100}, {900000, 0},
    {900000, 900000},      {900000, 3333},
};

START_TEST(large_body_is_read_and_refused)
{
    int fd = dial();
    struct response response = post_large(fd, large[_i].size, large[_i].chunk);
    check_problem(&response, 413);
    ck_assert(is_closed(fd));
    close(fd);
}
END_TEST

START_TEST(endless_body_is_cut)
{
    int fd = dial();
    post_large(fd, 256 << 20, _i == 0 ? 0 : _i == 1 ? 256 << 20 : 65536);
    ck_assert(is_closed(fd));
    close(fd);
    ck_assert_int_eq(ask_once(REQUEST("GET /hello")).status, 200);
}
END_TEST

/* A line of a chunk's size that never ends. */
START_TEST(endless_chunk_line_is_cut)
{
    char dull[1024];
    int fd = dial();
    memset(dull, '0', sizeof(dull));
    say(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 1 << 16 && say_bytes(fd, dull, sizeof(dull)); i++)
        ;
    close(fd);
    await_count("1 free");
}
END_TEST

/* Request line, one header, many headers; all of it in one go, or after a request. */
START_TEST(long_head_is_refused)
{
    static char filler[65536];
    memset(filler, 'a', sizeof(filler) - 1);
    char *lines = xcalloc(1, 4096);
    for (int i = 0; i < LINES_LIMIT + 5; i++)
        strcat(lines, "a:\r\n");
    const char *before = _i % 2 ? REQUEST("GET /hello") : "";
    char *request = _i < 2 ? xasprintf("%sGET /%s HTTP/1.1\r\n\r\n", before, filler)
                    : _i < 4
                        ? xasprintf("%sGET / HTTP/1.1\r\nA: %s\r\n\r\n", before, filler)
                        : xasprintf("%sGET / HTTP/1.1\r\nHost: a\r\n%s", before, lines);
    int fd = dial();
    say(fd, request);
    if (_i % 2)
        ck_assert_int_eq(hear(fd, true).status, 200);
    struct response response = hear(fd, true);
    check_problem(&response, 431);
    ck_assert(is_closed(fd));
    close(fd);
    free(request);
    free(lines);
}
END_TEST

START_TEST(connections_are_limited)
{
    int first = dial(), second = dial();
    ck_assert_int_eq(ask(first, REQUEST("GET /hello")).status, 200);
    ck_assert_str_eq(ask(second, REQUEST("GET /count")).body, "2 free");
    int third = dial(); /* the kernel takes it */
    say(third, REQUEST("GET /count"));
    for (int i = 0; i < 20; i++)
        ck_assert_str_eq(ask(second, REQUEST("GET /count")).body, "2 free");
    close(first);
    ck_assert_str_eq(hear(third, true).body, "2 free");
    close(second);
    close(third);
    await_count("1 free");
}
END_TEST

/* With no descriptor left, what is open still works, and later all does. */
START_TEST(no_descriptors_is_survived)
{
    struct rlimit limit, none;
    int fd = dial();
    ck_assert_int_eq(ask(fd, REQUEST("GET /hello")).status, 200);
    int waiting = dial();
    ck_assert_int_eq(ask(waiting, REQUEST("GET /hello")).status, 200);
    int late = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    getrlimit(RLIMIT_NOFILE, &limit);
    none = limit;
    none.rlim_cur = 3;
    setrlimit(RLIMIT_NOFILE, &none);
    ck_assert_int_eq(connect(late, (struct sockaddr *)&address, sizeof(address)), 0);
    for (int i = 0; i < 20; i++)
        ck_assert_str_eq(ask(fd, REQUEST("GET /count")).body, "2 free");
    setrlimit(RLIMIT_NOFILE, &limit);
    ck_assert_str_eq(ask(late, REQUEST("GET /count")).body, "3 free");
    close(fd);
    close(waiting);
    close(late);
}
END_TEST

/* --- holding --- */

START_TEST(held_is_answered_later)
{
    int fd = dial();
    for (int i = 0; i < 3; i++) {
        say(fd, REQUEST("GET /hold"));
        await_count("2 held");
        ck_assert_str_eq(ask_once(REQUEST("POST /release")).body, "released");
        ck_assert_str_eq(hear(fd, true).body, "late");
        ck_assert_str_eq(ask(fd, REQUEST("GET /hello")).body, "hello");
    }
    close(fd);
    await_count("1 free");
    ck_assert_int_eq(atomic_load(&gone_count), 0);
}
END_TEST

/* How a client may leave; with a body before, with a request behind, or plainly. */
START_TEST(held_client_leaves)
{
    static const char *const requests[] = {
        REQUEST("GET /hold"),
        "POST /hold HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
        REQUEST("GET /hold") REQUEST("GET /hello"),
        REQUEST("GET /hold") "x",
    };
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    int how = _i % 3, fd = dial();
    say(fd, requests[_i / 3]);
    await_count("2 held");
    if (_i / 3 == 3) /* this arrives when the request is held already */
        say(fd, "yz");
    if (how == 0) {
        shutdown(fd, SHUT_WR);
    } else {
        if (how == 1)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(fd);
    }
    await_gone(1);
    ck_assert_str_eq(ask_once(REQUEST("POST /release")).body, "nobody");
    if (how == 0)
        close(fd);
}
END_TEST

START_TEST(held_with_pipelined_request)
{
    int fd = dial();
    say(fd, REQUEST("GET /hold"));
    await_count("2 held");
    say(fd, "GET /client/x/poll?a=1 HTT");
    await_count("2 held");
    say(fd, "P/1.1\r\nHost: a\r\n\r\n");
    await_count("2 held");
    ck_assert_str_eq(ask_once(REQUEST("POST /release")).body, "released");
    ck_assert_str_eq(hear(fd, true).body, "late");
    ck_assert_ptr_nonnull(strstr(hear(fd, true).body, "id=x a=1"));
    close(fd);
    ck_assert_int_eq(atomic_load(&gone_count), 0);
}
END_TEST

START_TEST(held_is_dropped_at_the_end)
{
    int fd = dial();
    say(fd, REQUEST("GET /hold"));
    await_count("2 held");
    /* The tear-down frees the server; it must not call gone(). */
    (void)fd;
}
END_TEST

static void check_no_gone(void)
{
    server_stop();
    ck_assert_int_eq(atomic_load(&gone_count), 0);
}

/* --- being slow --- */

START_TEST(slow_request_is_cut)
{
    static const char *const parts[] = {
        "G",
        "GET / HTTP/1.1\r\nHost",
        "\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX",
        "POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello",
    };
    int fd = dial();
    struct response response = ask(fd, parts[_i]);
    if (_i == 6)
        ck_assert(response.status == 404 || response.status == 408);
    else
        check_problem(&response, 408);
    ck_assert(is_closed(fd));
    close(fd);
}
END_TEST

/* One byte at a time for ever does not help. */
START_TEST(trickle_is_cut)
{
    int fd = dial();
    say(fd, "GET / HTTP/1.1\r\nHost: ");
    while (say_bytes(fd, "a", 1))
        usleep(2000);
    close(fd);
}
END_TEST

START_TEST(idle_is_cut)
{
    int silent = dial(), used = dial();
    ck_assert_int_eq(ask(used, REQUEST("GET /hello")).status, 200);
    ck_assert(is_closed(silent));
    ck_assert(is_closed(used));
    close(silent);
    close(used);
}
END_TEST

START_TEST(held_is_not_cut)
{
    int fd = dial();
    say(fd, REQUEST("GET /hold"));
    await_count("2 held");
    for (int i = 0; i < 3; i++) { /* time passes */
        int silent = dial();
        ck_assert(is_closed(silent));
        close(silent);
    }
    ck_assert_str_eq(ask_once(REQUEST("POST /release")).body, "released");
    ck_assert_str_eq(hear(fd, true).body, "late");
    close(fd);
}
END_TEST

START_TEST(slow_reader_is_cut)
{
    int fd = dial();
    say(fd, REQUEST("GET /big"));
    await_count("1 free");
    close(fd);
}
END_TEST

START_TEST(steady_reader_is_not_cut)
{
    static char piece[65536];
    size_t have = 0, got;
    int fd = dial();
    say(fd, REQUEST("GET /big"));
    while (have < 16 << 20 && (got = hear_bytes(fd, piece, sizeof(piece))) > 0) {
        have += got;
        usleep(1000);
    }
    ck_assert_uint_ge(have, 16 << 20);
    close(fd);
}
END_TEST

/* --- listening --- */

START_TEST(unix_socket_serves)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", unix_path);
    for (int i = 0; i < 2; i++) {
        int fd = connect_to((struct sockaddr *)&address, sizeof(address));
        ck_assert_str_eq(ask(fd, REQUEST("GET /hello")).body, "hello");
        say(fd, REQUEST("GET /hold"));
        await_count("2 held");
        close(fd);
        await_gone(i + 1);
    }
    char *expected = xasprintf("unix:%s", unix_path);
    ck_assert_str_eq(http_server_address(server, 1), expected);
    ck_assert_ptr_null(http_server_address(server, 2));
    free(expected);
}
END_TEST

static void check_refuses(const char *address, const char *why)
{
    char *cause = NULL;
    ck_assert_int_eq(http_server_listen(server, address, &cause), -1);
    ck_assert_msg(cause && strstr(cause, why), "%s: %s", address, cause);
    free(cause);
}

/* The loop does not run here. */
START_TEST(addresses_are_checked)
{
    struct http_limits limits = patient_limits();
    char *cause = NULL;
    server_start(&limits);
    check_refuses("5000", "host:port");
    check_refuses("127.0.0.1:", "host:port");
    check_refuses("127.0.0.1:x", "host:port");
    check_refuses("127.0.0.1:65536", "host:port");
    check_refuses("::1:5000", "host:port");
    check_refuses("example.org:80", "numeric");
    check_refuses("unix:relative", "absolute");
    check_refuses("unix:/nonesuch/socket", "No such file");
    check_refuses("unix:/etc/passwd", "not a socket");
    check_refuses(http_server_address(server, 0) + 7, "in use");
    ck_assert_int_eq(http_server_listen(server, "localhost:0", NULL), 0);
    ck_assert_ptr_nonnull(strstr(http_server_address(server, 1), "http://127.0.0.1:"));
    if (http_server_listen(server, "[::1]:0", &cause) == 0)
        ck_assert_ptr_nonnull(strstr(http_server_address(server, 2), "http://[::1]:"));
    free(cause);
    server_run();
    server_stop();
}
END_TEST

START_TEST(unix_socket_is_replaced_and_removed)
{
    struct http_limits limits = patient_limits();
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    struct stat file;
    char *address = xasprintf("unix:/tmp/check_http.%d", (int)getpid());
    snprintf(where.sun_path, sizeof(where.sun_path), "%s", address + 5);
    int stale = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(stale, (struct sockaddr *)&where, sizeof(where)), 0);
    server_start(&limits);
    close(stale);
    ck_assert_int_eq(http_server_listen(server, address, NULL), 0);
    check_refuses(address, "another program listens");
    ck_assert_int_eq(stat(address + 5, &file), 0);
    http_server_stop_accepting(server);
    ck_assert_int_eq(stat(address + 5, &file), -1);
    ck_assert_str_eq(http_server_address(server, 1), address);
    server_run();
    server_stop();
    free(address);
}
END_TEST

static void stop_cb(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    http_server_stop_accepting(server);
}

/* What is connected goes on, but each answer is the last on its connection. */
START_TEST(stopped_server_finishes)
{
    int fd = dial(), idle = dial();
    say(fd, REQUEST("GET /hold"));
    await_count("3 held");
    ck_assert_int_eq(ask(idle, REQUEST("GET /hello")).status, 200);
    event_base_once(base, -1, EV_TIMEOUT, stop_cb, NULL, NULL);
    struct response response = {0};
    /* The stop may come after this one. */
    for (int i = 0; i < PATIENCE_S * 100 && !find_header(&response, "Connection"); i++)
        response = ask(idle, REQUEST("GET /count"));
    ck_assert_str_eq(response.body, "2 held");
    ck_assert(is_closed(idle));
    close(idle);
    close(fd);
    for (int i = 0; i < PATIENCE_S * 100 && atomic_load(&gone_count) < 1; i++)
        usleep(10000);
    ck_assert_int_eq(atomic_load(&gone_count), 1);
}
END_TEST

/* --- all of it --- */

static TCase *add_case(Suite *suite, const char *name, void (*before)(void),
                       void (*after)(void))
{
    TCase *tcase = tcase_create(name);
    tcase_set_timeout(tcase, 3 * PATIENCE_S);
    tcase_add_checked_fixture(tcase, before, after);
    suite_add_tcase(suite, tcase);
    return tcase;
}

#define COUNT(table) (int)(sizeof(table) / sizeof(*(table)))

static void add_requests(Suite *suite)
{
    TCase *tcase = add_case(suite, "requests", setup, server_stop);
    tcase_add_loop_test(tcase, junk_is_answered, 0, COUNT(junk));
    tcase_add_loop_test(tcase, junk_may_trickle, 0, COUNT(junk));
    tcase_add_test(tcase, nul_is_refused);
    tcase_add_test(tcase, allow_lists_methods);
    tcase_add_test(tcase, keep_alive_reuses);
    tcase_add_test(tcase, old_version_closes);
    tcase_add_test(tcase, pipelined_are_answered_in_order);
    tcase_add_test(tcase, half_closed_client_gets_its_answer);
    tcase_add_test(tcase, expect_continue);
    tcase_add_loop_test(tcase, target_is_decoded, 0, COUNT(decodings));
    tcase_add_test(tcase, body_arrives);
    tcase_add_test(tcase, largest_body_fits);
    tcase_add_loop_test(tcase, large_body_is_read_and_refused, 0, COUNT(large));
    tcase_add_loop_test(tcase, endless_body_is_cut, 0, 3);
    tcase_add_test(tcase, endless_chunk_line_is_cut);
    tcase_add_loop_test(tcase, long_head_is_refused, 0, 6);
    tcase_add_test(tcase, unix_socket_serves);
    tcase_add_test(tcase, no_descriptors_is_survived);
    tcase_add_test(tcase, stopped_server_finishes);
}

static Suite *http_suite(void)
{
    Suite *suite = suite_create("http");
    TCase *tcase;
    add_requests(suite);
    tcase = add_case(suite, "holding", setup, server_stop);
    tcase_add_test(tcase, held_is_answered_later);
    tcase_add_loop_test(tcase, held_client_leaves, 0, 12);
    tcase_add_test(tcase, held_with_pipelined_request);
    tcase = add_case(suite, "dropping", setup, check_no_gone);
    tcase_add_test(tcase, held_is_dropped_at_the_end);
    tcase = add_case(suite, "slowness", setup_hasty, server_stop);
    tcase_add_loop_test(tcase, slow_request_is_cut, 0, 7);
    tcase_add_test(tcase, trickle_is_cut);
    tcase_add_test(tcase, idle_is_cut);
    tcase_add_test(tcase, held_is_not_cut);
    tcase_add_test(tcase, slow_reader_is_cut);
    tcase_add_test(tcase, steady_reader_is_not_cut);
    tcase = add_case(suite, "limit", setup_narrow, server_stop);
    tcase_add_test(tcase, connections_are_limited);
    tcase = tcase_create("listening");
    tcase_set_timeout(tcase, 3 * PATIENCE_S);
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, addresses_are_checked);
    tcase_add_test(tcase, unix_socket_is_replaced_and_removed);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(http_suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
