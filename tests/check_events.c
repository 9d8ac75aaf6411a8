/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What changes as messages, and who is sent them, over real sockets. Server and clients
 * are on one thread: the loop is turned until what must come has come.
 */
#include "changes.h"
#include "engine.h"
#include "events.h"
#include "http.h"
#include "json.h"
#include "now.h"
#include "xalloc.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 60000
#define HOUR_MS     3600000
#define EPOCH       0xabc
#define READ_BUFFER (64 * 1024) /* of who does not read: its size stays */

/* --- an engine, of which nothing is needed but who is there --- */

static struct engine *engine;
static struct events *events; /* NULL: nobody is told */

static void changed_cb(void *context, enum engine_thing thing, const char *id)
{
    (void)context;
    if (events != NULL)
        events_note(events, thing, id);
}

static void text_cb(void *context, const char *text)
{
    (void)context, (void)text;
}

static void make_engine(void)
{
    static const struct engine_ops ops = {
        .wake = text_cb, .log = text_cb, .changed = changed_cb};
    struct instant moment = now();

    engine = engine_new(&ops, NULL, &moment);
}

static void add_client(const char *id)
{
    struct json_object *registration = json_new_object();
    struct instant moment = now();
    char *cause = NULL;

    json_put_text(registration, "type", "web");
    ck_assert_int_eq(engine_register(engine, id, registration, &moment, &cause),
                     ENGINE_OK);
    json_object_put(registration);
}

static void lose_client(const char *id)
{
    struct instant moment = now();

    engine_lost(engine, id, "silent", &moment);
}

/* --- messages --- */

static struct changes *changes;

static void setup_changes(void)
{
    events = NULL;
    make_engine();
    changes = changes_new(engine, EPOCH);
}

static void teardown_changes(void)
{
    changes_free(changes);
    engine_free(engine);
}

static void note_number(enum engine_thing thing, int number)
{
    char id[16];

    snprintf(id, sizeof id, "%d", number);
    changes_note(changes, thing, id);
}

/* One message about one thing. */
static void gather_one(void)
{
    changes_note(changes, ENGINE_CASE, "one");
    ck_assert(changes_gather(changes, 1000));
}

/* The data of the latest message; owned by the caller. */
static struct json_object *latest_data(void)
{
    const struct changes_message *message = changes_get(changes, changes_latest(changes));
    struct json_object *data = NULL;
    const char *text = strstr(message->text, "data: ") + strlen("data: ");

    ck_assert_uint_eq(message->size, strlen(message->text));
    ck_assert_int_eq(json_read(text, strlen(text), 9, &data, NULL), 0);
    return data;
}

START_TEST(test_message)
{
    add_client("here");
    ck_assert(!changes_gather(changes, 1000));
    ck_assert_uint_eq(changes_latest(changes), 0);
    ck_assert_ptr_null(changes_get(changes, 0));
    changes_note(changes, ENGINE_CLIENT, "here");
    changes_note(changes, ENGINE_CASE, "away");
    changes_note(changes, ENGINE_CLIENT, "here");
    changes_note(changes, ENGINE_RUN, "away");
    ck_assert(changes_gather(changes, 1234));
    ck_assert_str_eq(changes_get(changes, 1)->text,
                     "id: abc-1\nevent: change\n"
                     "data: {\"runs\":[{\"id\":\"away\",\"state\":\"gone\"}],"
                     "\"cases\":[{\"id\":\"away\",\"state\":\"gone\"}],"
                     "\"clients\":[{\"id\":\"here\",\"state\":\"waiting\"}],"
                     "\"more\":false,\"pace\":1234}\n\n");
    ck_assert(!changes_gather(changes, 1000));
    ck_assert_ptr_null(changes_get(changes, 2));
}
END_TEST

START_TEST(test_reset)
{
    size_t size;

    gather_one();
    char *text = changes_reset(changes, 77, &size);
    ck_assert_str_eq(text, "id: abc-1\nevent: reset\ndata: {\"pace\":77}\n\n");
    ck_assert_uint_eq(size, strlen(text));
    free(text);
}
END_TEST

START_TEST(test_more_than_named)
{
    for (int i = 0; i < 100; i++)
        note_number(ENGINE_CASE, i);
    ck_assert(changes_gather(changes, 1000));
    struct json_object *data = latest_data();
    ck_assert(!json_object_get_boolean(json_member(data, "more")));
    ck_assert_uint_eq(json_object_array_length(json_member(data, "cases")), 100);
    json_object_put(data);
    for (int i = 0; i < 101; i++)
        note_number(ENGINE_CASE, i);
    ck_assert(changes_gather(changes, 1000));
    data = latest_data();
    ck_assert(json_object_get_boolean(json_member(data, "more")));
    ck_assert_uint_eq(json_object_array_length(json_member(data, "cases")), 100);
    json_object_put(data);
    gather_one(); /* the next one is whole again */
    data = latest_data();
    ck_assert(!json_object_get_boolean(json_member(data, "more")));
    json_object_put(data);
}
END_TEST

START_TEST(test_find)
{
    static const char *const wrong[] = {"",
                                        "x",
                                        "abc",
                                        "abc-",
                                        "abd-1",
                                        "abc-3",
                                        "abc--",
                                        "abc-1x",
                                        "abc-1, 2",
                                        "abc-x",
                                        "abc--1",
                                        "-1",
                                        "1",
                                        "\xff",
                                        "abc 1",
                                        "-abc1",
                                        "abc-99999999999",
                                        "ffffffffffffffffff-1"};
    uint64_t next = 0;

    gather_one();
    gather_one();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_msg(!changes_find(changes, wrong[i], &next), "%s", wrong[i]);
    ck_assert(!changes_find(changes, NULL, &next));
    ck_assert(changes_find(changes, "abc-0", &next));
    ck_assert_uint_eq(next, 1);
    ck_assert(changes_find(changes, "abc-2", &next));
    ck_assert_uint_eq(next, 3);
}
END_TEST

START_TEST(test_old_ones_go)
{
    uint64_t next;

    for (int i = 0; i < 1000; i++)
        gather_one();
    ck_assert_uint_eq(changes_latest(changes), 1000);
    ck_assert_ptr_null(changes_get(changes, 1000 - 256));
    ck_assert_ptr_nonnull(changes_get(changes, 1000 - 255));
    ck_assert(changes_find(changes, "abc-744", &next));
    ck_assert(!changes_find(changes, "abc-743", &next));
}
END_TEST

START_TEST(test_large_ones_push_out_more)
{
    size_t kept = 0, bytes = 0;

    for (int i = 0; i < 200; i++) {
        for (int number = 0; number < 100; number++)
            note_number(ENGINE_CLIENT, 1000000 + number);
        ck_assert(changes_gather(changes, 1000));
    }
    for (uint64_t i = 1; i <= 200; i++) {
        const struct changes_message *message = changes_get(changes, i);
        kept += message != NULL;
        bytes += message != NULL ? message->size : 0;
    }
    ck_assert_uint_lt(kept, 200);
    ck_assert_uint_gt(kept, 0);
    ck_assert_uint_le(bytes, 256 * 1024);
    ck_assert_ptr_nonnull(changes_get(changes, 200));
}
END_TEST

START_TEST(test_what_waits_is_freed)
{
    note_number(ENGINE_CLIENT, 1);
    note_number(ENGINE_RUN, 2);
}
END_TEST

/* --- a server --- */

static struct event_base *base;
static struct http_server *server;
static int port;

static void follow(struct http_exchange *exchange, void *context)
{
    (void)context;
    events_subscribe(events, exchange);
}

static const struct http_route routes[] = {{"GET", "/events", follow, 0, "streams"}};

static void start_server(struct events_settings settings, int request_ms)
{
    struct http_limits limits = {.body = 1000,
                                 .headers = 2000,
                                 .header_lines = 20,
                                 .connections = 100,
                                 .request_ms = request_ms,
                                 .idle_ms = HOUR_MS};
    char *cause = NULL;

    base = event_base_new();
    make_engine();
    events = events_new(base, engine, &settings);
    server = http_server_new(base, routes, 1, &limits, NULL);
    ck_assert_int_eq(http_server_listen(server, "127.0.0.1:0", &cause), 0);
    ck_assert_int_eq(sscanf(http_server_address(server, 0), "http://127.0.0.1:%d", &port),
                     1);
}

static struct events_settings quiet(void)
{
    return (struct events_settings){
        .subscribers = 10, .gather_ms = 1, .heartbeat_ms = HOUR_MS};
}

static void setup(void)
{
    start_server(quiet(), HOUR_MS);
}

static void setup_for_two(void)
{
    struct events_settings settings = quiet();

    settings.subscribers = 2;
    start_server(settings, HOUR_MS);
}

static void setup_beating(void)
{
    struct events_settings settings = quiet();

    settings.heartbeat_ms = 10;
    start_server(settings, HOUR_MS);
}

static void setup_hasty(void)
{
    start_server(quiet(), 100);
}

static void teardown(void)
{
    http_server_free(server);
    events_free(events);
    events = NULL;
    engine_free(engine);
    event_base_free(base);
    libevent_global_shutdown();
}

/* --- its clients --- */

struct peer {
    int fd;      /* of its connection; does not block */
    char *heard; /* all that came; NUL-terminated */
    size_t size; /* bytes of it */
    bool ended;  /* the server has ended the connection */
};

static struct peer dial(const char *request, int buffer)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct peer peer = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                        .heard = xstrdup("")};

    if (buffer > 0)
        setsockopt(peer.fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    ck_assert_int_eq(connect(peer.fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(send(peer.fd, request, strlen(request), 0),
                     (ssize_t)strlen(request));
    return peer;
}

static void hang_up(struct peer *peer)
{
    close(peer->fd);
    free(peer->heard);
}

/* Read what there is. */
static void listen_to(struct peer *peer)
{
    static char piece[65536];
    ssize_t got;

    while ((got = recv(peer->fd, piece, sizeof piece, MSG_DONTWAIT)) > 0) {
        peer->heard = xreallocarray(peer->heard, peer->size + (size_t)got + 1, 1);
        memcpy(peer->heard + peer->size, piece, (size_t)got);
        peer->size += (size_t)got;
        peer->heard[peer->size] = '\0';
    }
    peer->ended = got == 0 || (got < 0 && errno != EAGAIN);
}

static int64_t deadline_ms;

static void begin_patience(void)
{
    deadline_ms = now().mono_ms + PATIENCE_MS;
}

static void turn(const char *what)
{
    struct timeval soon = {.tv_usec = 1000};

    ck_assert_msg(now().mono_ms < deadline_ms, "%s did not come", what);
    event_base_loopexit(base, &soon);
    event_base_dispatch(base);
}

static void await_text(struct peer *peer, const char *text)
{
    begin_patience();
    for (listen_to(peer); strstr(peer->heard, text) == NULL; listen_to(peer))
        turn(text);
}

static void await_end(struct peer *peer)
{
    begin_patience();
    for (listen_to(peer); !peer->ended; listen_to(peer))
        turn("the end");
}

static void await_subscribers(size_t count)
{
    begin_patience();
    while (events_subscribers(events) != count)
        turn("the right number of subscribers");
}

#define REQUEST(more) "GET /events HTTP/1.1\r\nHost: a\r\n" more "\r\n"

static struct peer subscribe(void)
{
    struct peer peer = dial(REQUEST(""), 0);

    await_text(&peer, "event: reset");
    return peer;
}

static struct peer subscribe_after(const char *id)
{
    char *request = xasprintf(REQUEST("Last-Event-ID: %s\r\n"), id);
    struct peer peer = dial(request, 0);

    free(request);
    await_text(&peer, "retry: ");
    return peer;
}

/* The id of the last message that came. Owned by the caller. */
static char *last_id(const struct peer *peer)
{
    const char *last = NULL, *at = peer->heard;

    while ((at = strstr(at, "id: ")) != NULL)
        last = at = at + strlen("id: ");
    return xstrndup(last, strcspn(last, "\n"));
}

/* --- what they hear --- */

START_TEST(test_follow)
{
    struct peer peer = subscribe();

    ck_assert_ptr_nonnull(strstr(peer.heard, "HTTP/1.1 200 OK\r\n"));
    ck_assert_ptr_nonnull(strstr(peer.heard, "Content-Type: text/event-stream\r\n"));
    ck_assert_ptr_nonnull(strstr(peer.heard, "Cache-Control: no-store\r\n"));
    ck_assert_ptr_nonnull(strstr(peer.heard, "retry: 2000\n\n"));
    add_client("red");
    await_text(&peer, "\"clients\":[{\"id\":\"red\",\"state\":\"waiting\"}]");
    lose_client("red");
    await_text(&peer, "\"clients\":[{\"id\":\"red\",\"state\":\"gone\"}]");
    hang_up(&peer);
    await_subscribers(0);
}
END_TEST

START_TEST(test_go_on)
{
    struct peer peer = subscribe();

    add_client("red");
    await_text(&peer, "red");
    char *id = last_id(&peer);
    add_client("green");
    await_text(&peer, "green");
    struct peer again = subscribe_after(id);
    await_text(&again, "green");
    ck_assert_ptr_null(strstr(again.heard, "reset"));
    ck_assert_ptr_null(strstr(again.heard, "red"));
    hang_up(&again);
    free(id);
    id = last_id(&peer);
    again = subscribe_after(id);
    add_client("blue");
    await_text(&again, "blue");
    ck_assert_ptr_null(strstr(again.heard, "reset"));
    ck_assert_ptr_null(strstr(again.heard, "green"));
    hang_up(&again);
    hang_up(&peer);
    free(id);
}
END_TEST

START_TEST(test_gap)
{
    struct peer peer = subscribe(), again;
    char *id = last_id(&peer), text[32];

    again = subscribe_after("1-1");
    await_text(&again, "event: reset");
    hang_up(&again);
    for (int i = 0; i < 300; i++) {
        snprintf(text, sizeof text, "client-%d", i);
        add_client(text);
        await_text(&peer, text);
    }
    again = subscribe_after(id);
    await_text(&again, "event: reset");
    ck_assert_ptr_null(strstr(again.heard, "client-"));
    hang_up(&again);
    hang_up(&peer);
    free(id);
}
END_TEST

START_TEST(test_heartbeat)
{
    struct peer peer = subscribe();

    await_text(&peer, ":\n\n\r\n3\r\n:\n\n\r\n3\r\n:\n\n");
    hang_up(&peer);
}
END_TEST

START_TEST(test_old_protocol)
{
    struct peer peer = dial("GET /events HTTP/1.0\r\n\r\n", 0);

    await_text(&peer, "event: reset");
    add_client("red");
    await_text(&peer, "red");
    ck_assert_ptr_null(strstr(peer.heard, "chunked"));
    ck_assert_ptr_nonnull(strstr(peer.heard, "\r\n\r\nretry: 2000\n\nid: "));
    events_close(events);
    await_end(&peer);
    ck_assert_int_eq(peer.heard[peer.size - 1], '\n');
    hang_up(&peer);
}
END_TEST

START_TEST(test_head)
{
    struct peer peer = dial("HEAD /events HTTP/1.1\r\nHost: a\r\n\r\n", 0);

    await_end(&peer);
    ck_assert_ptr_nonnull(strstr(peer.heard, "Content-Type: text/event-stream\r\n"));
    ck_assert_ptr_null(strstr(peer.heard, "Content-Length"));
    ck_assert_str_eq(strstr(peer.heard, "\r\n\r\n"), "\r\n\r\n");
    ck_assert_uint_eq(events_subscribers(events), 0);
    hang_up(&peer);
}
END_TEST

START_TEST(test_limit)
{
    struct peer one = subscribe(), two = subscribe(), three = dial(REQUEST(""), 0);

    await_text(&three, "[limits] subscribers");
    ck_assert_ptr_nonnull(strstr(three.heard, "HTTP/1.1 503 "));
    ck_assert_ptr_nonnull(strstr(three.heard, "Retry-After: "));
    hang_up(&three);
    hang_up(&one);
    await_subscribers(1);
    three = subscribe();
    hang_up(&three);
    hang_up(&two);
}
END_TEST

START_TEST(test_many)
{
    struct peer peers[10];

    for (int i = 0; i < 10; i++)
        peers[i] = subscribe();
    for (int i = 0; i < 10; i += 2)
        hang_up(&peers[i]); /* whether it is noticed before the next message or not */
    add_client("red");
    for (int i = 1; i < 10; i += 2) {
        await_text(&peers[i], "red");
        hang_up(&peers[i]);
    }
    await_subscribers(0);
}
END_TEST

START_TEST(test_close)
{
    struct peer peer = subscribe(), late;

    events_close(events);
    ck_assert_uint_eq(events_subscribers(events), 0);
    await_end(&peer);
    ck_assert_str_eq(peer.heard + peer.size - 5, "0\r\n\r\n");
    late = dial(REQUEST(""), 0);
    await_text(&late, "HTTP/1.1 503 ");
    hang_up(&late);
    hang_up(&peer);
}
END_TEST

START_TEST(test_server_ends_meanwhile)
{
    struct peer peer = subscribe();

    hang_up(&peer); /* which is not heard any more */
}
END_TEST

START_TEST(test_client_says_more)
{
    struct peer peer = subscribe();

    ck_assert_int_eq(send(peer.fd, "GET / HTTP/1.1\r\n\r\n", 18, 0), 18);
    add_client("red");
    await_text(&peer, "red");
    ck_assert_uint_eq(events_subscribers(events), 1);
    hang_up(&peer);
    begin_patience(); /* what it said hides its end, until it can't be sent to */
    for (int i = 0; events_subscribers(events) > 0; i++) {
        char text[32];
        snprintf(text, sizeof text, "client-%d", i);
        add_client(text);
        turn("the end");
    }
}
END_TEST

/* --- who does not read --- */

/* Make many messages; a second subscriber hears them all. Gives their bytes. */
static size_t make_noise(struct peer *reader)
{
    size_t before = reader->size;

    for (int i = 0; i < 200; i++) {
        char text[64];
        for (int k = 0; k < 90; k++) {
            snprintf(text, sizeof text, "a-client-with-a-long-id-%d", k);
            events_note(events, ENGINE_CLIENT, text);
        }
        snprintf(text, sizeof text, "noise-%d-", i);
        events_note(events, ENGINE_CASE, text);
        await_text(reader, text);
    }
    return reader->size - before;
}

/* The first one was its greeting. */
static void await_second_reset(struct peer *peer)
{
    static const char reset[] = "event: reset";

    begin_patience();
    for (;;) {
        const char *first = strstr(peer->heard, reset);
        if (first != NULL && strstr(first + 1, reset) != NULL)
            return;
        turn("a second reset");
        listen_to(peer);
    }
}

START_TEST(test_slow_reader)
{
    struct peer slow = dial(REQUEST(""), READ_BUFFER), reader = subscribe();

    await_subscribers(2);
    size_t noise = make_noise(&reader);
    ck_assert_uint_eq(events_subscribers(events), 2);
    await_text(&slow, "event: change");
    await_second_reset(&slow);
    ck_assert_uint_lt(slow.size, noise / 2); /* the rest was not kept for it */
    add_client("the-last-word");
    await_text(&slow, "the-last-word");
    hang_up(&slow);
    hang_up(&reader);
}
END_TEST

START_TEST(test_stuck_reader)
{
    struct peer stuck = dial(REQUEST(""), READ_BUFFER), reader = subscribe();

    await_subscribers(2);
    make_noise(&reader);
    await_subscribers(1);
    await_end(&stuck);
    hang_up(&stuck);
    hang_up(&reader);
}
END_TEST

START_TEST(test_idle_reader)
{
    struct peer idle = subscribe();

    for (int i = 0; i < 3; i++) { /* so long that requests time out */
        struct peer late = dial("GET /ev", 0);
        await_end(&late);
        hang_up(&late);
    }
    add_client("red");
    await_text(&idle, "red");
    hang_up(&idle);
}
END_TEST

START_TEST(test_close_while_slow)
{
    struct peer slow = dial(REQUEST(""), READ_BUFFER), reader = subscribe();

    await_subscribers(2);
    make_noise(&reader);
    events_close(events);
    ck_assert_uint_eq(events_subscribers(events), 0);
    await_end(&reader);
    begin_patience();
    while (http_server_is_busy(server)) /* the slow one is not read from here */
        turn("the end of all answers");
    await_end(&slow);
    hang_up(&slow);
    hang_up(&reader);
}
END_TEST

/* --- all --- */

static void add(Suite *suite, const char *name, SFun before, SFun after,
                const TTest *const *tests)
{
    TCase *tcase = tcase_create(name);

    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, before, after);
    for (; *tests != NULL; tests++)
        tcase_add_test(tcase, *tests);
    suite_add_tcase(suite, tcase);
}

int main(void)
{
    const TTest *const messages[] = {test_message,
                                     test_reset,
                                     test_more_than_named,
                                     test_find,
                                     test_old_ones_go,
                                     test_large_ones_push_out_more,
                                     test_what_waits_is_freed,
                                     NULL};
    const TTest *const streams[] = {test_follow,
                                    test_go_on,
                                    test_gap,
                                    test_old_protocol,
                                    test_head,
                                    test_many,
                                    test_close,
                                    test_server_ends_meanwhile,
                                    test_client_says_more,
                                    test_slow_reader,
                                    test_close_while_slow,
                                    NULL};
    const TTest *const two[] = {test_limit, NULL};
    const TTest *const beating[] = {test_heartbeat, NULL};
    const TTest *const hasty[] = {test_stuck_reader, test_idle_reader, NULL};
    Suite *suite = suite_create("events");

    add(suite, "messages", setup_changes, teardown_changes, messages);
    add(suite, "streams", setup, teardown, streams);
    add(suite, "a limit", setup_for_two, teardown, two);
    add(suite, "heartbeats", setup_beating, teardown, beating);
    add(suite, "who is stuck", setup_hasty, teardown, hasty);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
