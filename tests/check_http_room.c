/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Large bodies over real sockets: what arrives, and who waits when there are many. The
 * server runs on a thread of its own, the clients have blocking sockets, whose buffers
 * hold all that the server does not read.
 */
#include "http.h"
#include "xalloc.h"

#include <arpa/inet.h>
#include <check.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BODY = 100000,     /* a large body may have so many bytes */
    BODIES = 150000,   /* all of them together, before they wait */
    SLACK = 64 * 1024, /* what one read of each connection may bring */
    PATIENCE_S = 60
};

static struct event_base *base;
static struct http_server *server;
static pthread_t loop;
static int port;
static char bytes[BODY + 1]; /* what bodies are made of */

/* A body that was taken; loop thread. */
static void *taken;
static size_t taken_size;

static void whole(struct http_exchange *exchange, void *context)
{
    size_t size;
    const char *body = http_body(exchange, &size);
    char text[64];

    (void)context;
    snprintf(text, sizeof text, "%zu %s", size,
             memcmp(body, bytes, size) == 0 ? "right" : "wrong");
    http_reply(exchange, 200, "text/plain", text, strlen(text));
}

static void take(struct http_exchange *exchange, void *context)
{
    (void)context;
    ck_assert_ptr_null(taken);
    taken = http_take_body(exchange, &taken_size);
    http_reply_json(exchange, "{}");
}

static void give_back(struct http_exchange *exchange, void *context)
{
    (void)context;
    free(taken);
    taken = NULL;
    http_server_return_room(server, taken_size);
    http_reply_json(exchange, "{}");
}

static void room(struct http_exchange *exchange, void *context)
{
    char text[32];

    (void)context;
    snprintf(text, sizeof text, "%zu", http_server_room(server));
    http_reply(exchange, 200, "text/plain", text, strlen(text));
}

static const struct http_route routes[] = {
    {"POST", "/whole", whole, HTTP_LARGE_BODY, "tells what came"},
    {"POST", "/take", take, HTTP_LARGE_BODY, "keeps what came"},
    {"POST", "/give-back", give_back, 0, "frees what was kept"},
    {"POST", "/small", whole, 0, "has the limit of most"},
    {"GET", "/room", room, 0, "tells how much is in memory"},
};

static void *run_loop(void *argument)
{
    event_base_loop(argument, EVLOOP_NO_EXIT_ON_EMPTY);
    return NULL;
}

static void setup(void)
{
    struct http_limits limits = {.body = 1000,
                                 .large_body = BODY,
                                 .large_bodies = BODIES,
                                 .headers = 2048,
                                 .header_lines = 20,
                                 .connections = 100,
                                 .request_ms = PATIENCE_S * 1000,
                                 .idle_ms = PATIENCE_S * 1000};
    char *cause = NULL;

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7 + i / 256);
    taken = NULL;
    evthread_use_pthreads();
    base = event_base_new();
    server = http_server_new(base, routes, sizeof routes / sizeof *routes, &limits, NULL);
    ck_assert_int_eq(http_server_listen(server, "127.0.0.1:0", &cause), 0);
    ck_assert_int_eq(sscanf(http_server_address(server, 0), "http://127.0.0.1:%d", &port),
                     1);
    ck_assert_int_eq(pthread_create(&loop, NULL, run_loop, base), 0);
}

static void teardown(void)
{
    event_base_loopexit(base, NULL);
    pthread_join(loop, NULL);
    http_server_free(server);
    event_base_free(base);
    free(taken);
    libevent_global_shutdown();
}

/* --- clients --- */

static int dial(void)
{
    struct timeval patience = {.tv_sec = PATIENCE_S};
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int buffer = 4 * BODY;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void say(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, text, size, MSG_NOSIGNAL);
        ck_assert_int_gt(sent, 0);
        text += sent;
        size -= (size_t)sent;
    }
}

/* Begin a request with a body of that size; 0 chunk: by its length, else in chunks. */
static void begin(int fd, const char *path, size_t size, size_t chunk)
{
    char head[200];

    snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: a\r\n%s: ", path,
             chunk ? "Transfer-Encoding" : "Content-Length");
    say(fd, head, strlen(head));
    snprintf(head, sizeof head, chunk ? "chunked\r\n\r\n" : "%zu\r\n\r\n", size);
    say(fd, head, strlen(head));
}

static void send_body(int fd, size_t size, size_t chunk)
{
    char line[32];

    for (size_t at = 0; chunk > 0 && at < size; at += chunk) {
        size_t part = size - at < chunk ? size - at : chunk;
        snprintf(line, sizeof line, "%zx\r\n", part);
        say(fd, line, strlen(line));
        say(fd, bytes + at, part);
        say(fd, "\r\n", 2);
    }
    if (chunk > 0)
        say(fd, "0\r\n\r\n", 5);
    else
        say(fd, bytes, size);
}

/* Read an answer; gives its status, and its body in text (100 bytes). */
static int hear(int fd, char *text)
{
    char head[2000] = "";
    size_t have = 0, size;
    int status;

    while (strstr(head, "\r\n\r\n") == NULL) {
        ck_assert_int_eq(recv(fd, head + have, 1, 0), 1);
        ck_assert_uint_lt(++have, sizeof head - 1);
    }
    ck_assert_int_eq(sscanf(head, "HTTP/1.1 %d", &status), 1);
    const char *length = strstr(head, "Content-Length: ");
    ck_assert_ptr_nonnull(length);
    size = strtoul(length + strlen("Content-Length: "), NULL, 10);
    char *body = xcalloc(1, size + 1);
    ck_assert_int_eq(recv(fd, body, size, MSG_WAITALL), (ssize_t)size);
    snprintf(text, 100, "%s", body);
    free(body);
    return status;
}

static void ask(const char *request, char *text)
{
    int fd = dial();

    say(fd, request, strlen(request));
    ck_assert_int_eq(hear(fd, text), 200);
    close(fd);
}

static size_t room_now(void)
{
    char text[100];

    ask("GET /room HTTP/1.1\r\nHost: a\r\n\r\n", text);
    return strtoul(text, NULL, 10);
}

/* Wait until that many bytes are in memory, or about so many. */
static void await_room(size_t least, size_t most)
{
    size_t now = room_now();

    for (int i = 0; i < PATIENCE_S * 100 && (now < least || now > most); i++) {
        usleep(10000);
        now = room_now();
    }
    ck_assert_msg(now >= least && now <= most, "%zu bytes are in memory", now);
}

static bool has_answer(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* --- tests --- */

static const struct {
    size_t size;
    size_t chunk; /* 0: it says its length */
} sizes[] = {{0, 0},        {1, 0},    {1, 1},         {16384, 0},    {16385, 100},
             {50000, 7},    {BODY, 0}, {BODY, 100},    {BODY, BODY},  {BODY, 8192},
             {BODY, 65536}, {0, 1},    {4096, 100000}, {99999, 33333}};

START_TEST(a_body_arrives)
{
    int fd = dial();
    char text[100], wanted[100];

    for (int i = 0; i < 2; i++) { /* the connection is kept */
        begin(fd, "/whole", sizes[_i].size, sizes[_i].chunk);
        send_body(fd, sizes[_i].size, sizes[_i].chunk);
        ck_assert_int_eq(hear(fd, text), 200);
        snprintf(wanted, sizeof wanted, "%zu right", sizes[_i].size);
        ck_assert_str_eq(text, wanted);
    }
    close(fd);
    ck_assert_uint_eq(room_now(), 0);
}
END_TEST

START_TEST(one_that_is_too_large)
{
    static const size_t chunks[] = {0, 1000, BODY + 1};
    char text[100];

    for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
        int fd = dial();
        begin(fd, "/whole", BODY + 1, chunks[i]);
        send_body(fd, BODY + 1, chunks[i]);
        ck_assert_int_eq(hear(fd, text), 413);
        close(fd);
        await_room(0, 0);
    }
    int fd = dial();
    begin(fd, "/small", 1001, 0);
    send_body(fd, 1001, 0);
    ck_assert_int_eq(hear(fd, text), 413);
    close(fd);
}
END_TEST

START_TEST(who_comes_late_waits)
{
    char text[100];
    int first = dial(), second = dial(), small = dial();

    begin(first, "/take", BODY, 0);
    send_body(first, BODY, 0);
    ck_assert_int_eq(hear(first, text), 200);
    ck_assert_uint_eq(room_now(), BODY);
    begin(second, "/whole", BODY, 0);
    send_body(second, BODY, 0);
    await_room(BODIES + 1, BODIES + SLACK);
    begin(small, "/small", 10, 0); /* an ordinary one does not wait */
    send_body(small, 10, 0);
    ck_assert_int_eq(hear(small, text), 200);
    ck_assert(!has_answer(second));
    ask("POST /give-back HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", text);
    ck_assert_int_eq(hear(second, text), 200);
    ck_assert_str_eq(text, "100000 right");
    ck_assert_uint_eq(room_now(), 0);
    close(first);
    close(second);
    close(small);
}
END_TEST

/* None of them can end without more room than there is; one after the other is let on. */
START_TEST(they_do_not_wait_for_each_other)
{
    enum { COUNT = 8 };
    int fds[COUNT];
    char text[100];

    for (int i = 0; i < COUNT; i++) {
        fds[i] = dial();
        begin(fds[i], "/whole", BODY, 0);
        say(fds[i], bytes, BODY - 10000);
    }
    await_room(BODIES + 1, BODIES + BODY + COUNT * SLACK);
    for (int i = 0; i < COUNT; i++)
        say(fds[i], bytes + BODY - 10000, 10000);
    for (int i = 0; i < COUNT; i++) {
        ck_assert_int_eq(hear(fds[i], text), 200);
        ck_assert_str_eq(text, "100000 right");
        close(fds[i]);
    }
    ck_assert_uint_eq(room_now(), 0);
}
END_TEST

START_TEST(clients_that_leave_make_room)
{
    enum { COUNT = 8 };
    int fds[COUNT];

    for (int i = 0; i < COUNT; i++) {
        fds[i] = dial();
        begin(fds[i], "/whole", BODY, i % 2 ? BODY : 0);
        if (i % 2)
            say(fds[i], "186a0\r\n", 7); /* BODY in hexadecimal */
        say(fds[i], bytes, BODY - 10000);
    }
    await_room(BODIES + 1, BODIES + BODY + COUNT * SLACK);
    for (int i = 0; i < COUNT; i++)
        close(fds[i]);
    await_room(0, 0);
}
END_TEST

START_TEST(the_server_ends_with_bodies_in_it)
{
    for (int i = 0; i < 4; i++) {
        int fd = dial();
        begin(fd, "/whole", BODY, 0);
        say(fd, bytes, BODY - 10000);
    }
    await_room(BODIES + 1, BODIES + BODY + 4 * SLACK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http room");
    TCase *tcase = tcase_create("room");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 2 * PATIENCE_S);
    tcase_add_loop_test(tcase, a_body_arrives, 0, sizeof sizes / sizeof *sizes);
    tcase_add_test(tcase, one_that_is_too_large);
    tcase_add_test(tcase, who_comes_late_waits);
    tcase_add_test(tcase, they_do_not_wait_for_each_other);
    tcase_add_test(tcase, clients_that_leave_make_room);
    tcase_add_test(tcase, the_server_ends_with_bodies_in_it);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
