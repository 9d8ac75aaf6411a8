/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets that were made elsewhere: which are taken, and what becomes of them. */
#include "http.h"
#include "listen.h"
#include "xalloc.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int make(int family, int type)
{
    int descriptor = socket(family, type, 0);

    ck_assert_int_ge(descriptor, 0);
    return descriptor;
}

/* As systemd might make it: blocking, inherited by all. */
static int make_tcp(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET,
                              .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int descriptor = make(AF_INET, SOCK_STREAM);

    ck_assert_int_eq(bind(descriptor, (struct sockaddr *)&any, sizeof any), 0);
    ck_assert_int_eq(listen(descriptor, 5), 0);
    return descriptor;
}

static struct sockaddr_un unix_address(void)
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};

    snprintf(where.sun_path, sizeof where.sun_path, "/tmp/check_listen.%d",
             (int)getpid());
    return where;
}

static int make_unix(const struct sockaddr_un *where, size_t size)
{
    int descriptor = make(AF_UNIX, SOCK_STREAM);

    ck_assert_int_eq(bind(descriptor, (const struct sockaddr *)where, (socklen_t)size),
                     0);
    ck_assert_int_eq(listen(descriptor, 5), 0);
    return descriptor;
}

static struct listen_socket *adopt(int descriptor)
{
    char *cause = NULL;
    struct listen_socket *taken = listen_adopt(descriptor, "web", &cause);

    ck_assert_msg(taken != NULL, "%s", cause);
    ck_assert_int_eq(listen_descriptor(taken), descriptor);
    return taken;
}

START_TEST(test_tcp)
{
    int descriptor = make_tcp(), no_delay = 0;
    socklen_t size = sizeof no_delay;
    struct listen_socket *taken = adopt(descriptor);

    ck_assert_int_eq(strncmp(listen_address(taken), "http://127.0.0.1:", 17), 0);
    ck_assert_int_ne(atoi(listen_address(taken) + 17), 0);
    ck_assert(fcntl(descriptor, F_GETFL) & O_NONBLOCK);
    ck_assert(fcntl(descriptor, F_GETFD) & FD_CLOEXEC);
    getsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &no_delay, &size);
    ck_assert_int_ne(no_delay, 0);
    listen_free(taken);
    ck_assert_int_eq(close(descriptor), 0);
}
END_TEST

START_TEST(test_unix)
{
    struct sockaddr_un where = unix_address();
    struct listen_socket *taken = adopt(make_unix(&where, sizeof where));
    char *expected = xasprintf("unix:%s", where.sun_path);

    ck_assert_str_eq(listen_address(taken), expected);
    listen_unlink(taken);
    int descriptor = listen_descriptor(taken);
    listen_free(taken);
    ck_assert_int_eq(access(where.sun_path, F_OK), 0);
    unlink(where.sun_path);
    close(descriptor);
    free(expected);
}
END_TEST

START_TEST(test_abstract)
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    int length = snprintf(where.sun_path + 1, sizeof where.sun_path - 1,
                          "check_listen.%d", (int)getpid());
    struct listen_socket *taken = adopt(
        make_unix(&where, offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length));
    char *expected = xasprintf("unix:@check_listen.%d", (int)getpid());

    ck_assert_str_eq(listen_address(taken), expected);
    close(listen_descriptor(taken));
    listen_free(taken);
    free(expected);
}
END_TEST

/* Takes the descriptor. */
static void assert_refused(int descriptor, const char *why)
{
    char *cause = NULL;

    ck_assert_ptr_null(listen_adopt(descriptor, "web", &cause));
    char *expected =
        xasprintf("descriptor %d (web), which was handed over, %s", descriptor, why);
    ck_assert_str_eq(cause, expected);
    ck_assert_int_eq(close(descriptor), 0);
    free(expected);
    free(cause);
}

START_TEST(test_refused)
{
    int pair[2];

    assert_refused(make(AF_INET, SOCK_DGRAM),
                   "is not a stream socket: use ListenStream=");
    assert_refused(make(AF_UNIX, SOCK_SEQPACKET),
                   "is not a stream socket: use ListenStream=");
    assert_refused(open("/dev/null", O_RDONLY),
                   "is not a socket: use ListenStream= only");
    assert_refused(make(AF_INET, SOCK_STREAM),
                   "is a connection, not a socket that listens: use Accept=no");
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_refused(pair[0], "is a connection, not a socket that listens: use Accept=no");
    close(pair[1]);
}
END_TEST

START_TEST(test_nothing_was_handed_over)
{
    struct listen_socket **sockets;
    size_t count;

    unsetenv("LISTEN_FDS");
    ck_assert_int_eq(listen_inherited(&sockets, &count, NULL), 0);
    ck_assert_uint_eq(count, 0);
    ck_assert_ptr_null(sockets);
    setenv("LISTEN_FDS", "1", 1);
    setenv("LISTEN_PID", "1", 1); /* meant for another process */
    ck_assert_int_eq(listen_inherited(&sockets, &count, NULL), 0);
    ck_assert_uint_eq(count, 0);
}
END_TEST

/* --- served --- */

static void hello(struct http_exchange *exchange, void *context)
{
    (void)context;
    http_reply(exchange, 200, "text/plain", "hello", 5);
}

static int connect_to(const struct sockaddr_un *where)
{
    static const char request[] = "GET / HTTP/1.0\r\n\r\n";
    int client = make(AF_UNIX, SOCK_STREAM);

    ck_assert_int_eq(connect(client, (const struct sockaddr *)where, sizeof *where), 0);
    ck_assert_int_eq(write(client, request, strlen(request)), (ssize_t)strlen(request));
    return client;
}

/* Turn the loop until the answer is there; whether it is a good one. */
static void await_answer(struct event_base *base, int client)
{
    char answer[1024] = "";
    size_t size = 0;
    ssize_t more;

    while ((more = recv(client, answer + size, sizeof answer - 1 - size, MSG_DONTWAIT)) !=
           0) {
        if (more > 0)
            size += (size_t)more;
        else
            ck_assert_int_eq(errno, EAGAIN);
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
    ck_assert_ptr_nonnull(strstr(answer, "200"));
    ck_assert_ptr_nonnull(strstr(answer, "hello"));
    close(client);
}

/* Who came before the server did is served; after its end the socket is there still. */
START_TEST(test_served)
{
    static const struct http_route routes[] = {{"GET", "/", hello, 0, "greets"}};
    const struct http_limits limits = {.body = 1000,
                                       .headers = 1000,
                                       .header_lines = 10,
                                       .connections = 10,
                                       .request_ms = 60000,
                                       .idle_ms = 60000};
    struct sockaddr_un where = unix_address();
    struct event_base *base = xcheck(event_base_new());
    int held = make_unix(&where, sizeof where); /* by systemd, in another process */
    int early = connect_to(&where);
    struct http_server *server = http_server_new(base, routes, 1, &limits, NULL);
    char *cause = NULL;

    ck_assert_msg(http_server_adopt(server, adopt(dup(held)), &cause) == 0, "%s", cause);
    ck_assert_int_eq(strncmp(http_server_address(server, 0), "unix:/tmp/", 10), 0);
    await_answer(base, early);
    await_answer(base, connect_to(&where));
    http_server_free(server);
    close(connect_to(&where)); /* it waits for the next server */
    event_base_free(base);
    close(held);
    unlink(where.sun_path);
}
END_TEST

static Suite *listen_suite(void)
{
    Suite *suite = suite_create("listen");
    TCase *adopting = tcase_create("adopting");

    tcase_set_timeout(adopting, 60);
    tcase_add_test(adopting, test_tcp);
    tcase_add_test(adopting, test_unix);
    tcase_add_test(adopting, test_abstract);
    tcase_add_test(adopting, test_refused);
    tcase_add_test(adopting, test_nothing_was_handed_over);
    tcase_add_test(adopting, test_served);
    suite_add_tcase(suite, adopting);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(listen_suite());

    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
