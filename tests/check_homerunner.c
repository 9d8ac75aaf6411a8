/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client of homerunner against servers that play from scripts. The test's thread is
 * the loop thread.
 */
#include "fetch.h"
#include "homerunner.h"
#include "json.h"
#include "scripted.h"
#include "worker.h"
#include "xalloc.h"

#include <check.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LONG_MS 60000

/* --- what the server says --- */

#define HOLD              SCRIPT_HOLD
#define OK(body)          "HTTP/1.1 200 OK\r\nContent-Length: -\r\n\r\n" body
#define HS1               "\"hs1\": {\"BaseURL\": \"http://localhost:55278\"}"
#define HS2               "\"hs2\": {\"BaseURL\": \"https://localhost:55279//\"}"
#define MADE              OK("{\"homeservers\": {" HS2 ", " HS1 "}, \"expires\": \"\"}")
#define DESTROYED         OK("{}")
#define BAD(status, body) "HTTP/1.1 " status " X\r\nContent-Length: -\r\n\r\n" body

/* --- the client --- */

#define SERVERS 3

static struct scripted *servers[SERVERS]; /* the first one plays alone in most tests */
static struct scripted *server;           /* that one */
static struct event_base *base;
static struct workers *workers;
static struct homerunner *homerunner;
static int created_count, destroyed_count;
static int destroyed_before;                  /* the last create was reported */
static char *created_where;                   /* of the last one, owned */
static struct json_object *created_servers;   /* of the last one, owned */
static char *created_cause, *destroyed_cause; /* of the last one, owned */
static int64_t connect_ms;                    /* of the next client */
static size_t limit = 1;                      /* likewise */
static int64_t pause_ms = LONG_MS;            /* likewise */
static bool destroy_from_created; /* what a caller does when a create has failed */

static const struct homerunner_server two[] = {{"alice_server", "synapse"},
                                               {"bob_server", "dendrite"}};

static char *copy(const char *text)
{
    return text != NULL ? xstrdup(text) : NULL;
}

static void created_cb(void *context, const char *deployment, const char *where,
                       struct json_object *made, const char *cause)
{
    ck_assert_ptr_eq(context, &created_count);
    ck_assert((made == NULL) == (cause != NULL));
    ck_assert(made == NULL || where != NULL);
    created_count++;
    destroyed_before = destroyed_count;
    json_object_put(created_servers);
    created_servers = made;
    free(created_where);
    created_where = copy(where);
    free(created_cause);
    created_cause = copy(cause);
    if (destroy_from_created)
        homerunner_destroy(homerunner, deployment, where);
}

static void destroyed_cb(void *context, const char *deployment, const char *cause)
{
    (void)context;
    ck_assert(strncmp(deployment, "case-", 5) == 0);
    destroyed_count++;
    free(destroyed_cause);
    destroyed_cause = copy(cause);
}

/* Takes the URLs. */
static void start_client_at(char *urls[], size_t count, int64_t timeout_ms)
{
    const struct homerunner_settings settings = {.urls = (const char *const *)urls,
                                                 .url_count = count,
                                                 .limit = limit,
                                                 .timeout_ms = timeout_ms,
                                                 .connect_timeout_ms = connect_ms,
                                                 .retry_ms = 1,
                                                 .pause_ms = pause_ms,
                                                 .reply_limit = 2000};
    const struct homerunner_callbacks callbacks = {created_cb, destroyed_cb,
                                                   &created_count};

    homerunner = homerunner_new(workers, &settings, &callbacks);
    for (size_t i = 0; i < count; i++)
        free(urls[i]);
}

/* A client of the first so many servers. */
static void start_client_of(size_t count, int64_t timeout_ms)
{
    char *urls[SERVERS];

    for (size_t i = 0; i < count; i++)
        urls[i] = xasprintf("http://127.0.0.1:%d/", scripted_port(servers[i]));
    start_client_at(urls, count, timeout_ms);
}

static void start_client(int64_t timeout_ms)
{
    start_client_of(1, timeout_ms);
}

static void setup(void)
{
    ck_assert_int_eq(evthread_use_pthreads(), 0);
    base = event_base_new();
    workers = workers_new(base);
    for (size_t i = 0; i < SERVERS; i++)
        servers[i] = scripted_new();
    server = servers[0];
}

static void teardown(void)
{
    ck_assert(workers_free(workers, 20000));
    ck_assert_uint_eq(homerunner_outstanding(homerunner), 0);
    homerunner_free(homerunner);
    event_base_free(base);
    for (size_t i = 0; i < SERVERS; i++)
        scripted_free(servers[i]);
    json_object_put(created_servers);
    free(created_where);
    free(created_cause);
    free(destroyed_cause);
    libevent_global_shutdown();
}

static void turn(void)
{
    event_base_loop(base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
}

static void run_until_idle(void)
{
    while (homerunner_outstanding(homerunner) > 0)
        turn();
}

static void create_and_wait(void)
{
    homerunner_create(homerunner, "case-1", two, 2);
    ck_assert_int_eq(created_count, 0); /* never inside the call */
    run_until_idle();
    ck_assert_int_eq(created_count, 1);
}

static void destroy_and_wait_for(int count)
{
    homerunner_destroy(homerunner, "case-1", NULL);
    ck_assert_int_eq(destroyed_count, count - 1);
    run_until_idle();
    ck_assert_int_eq(destroyed_count, count);
}

static void destroy_and_wait(void)
{
    destroy_and_wait_for(1);
}

/* --- tests --- */

static const char *const made[] = {MADE, NULL};
static const char *const destroyed[] = {DESTROYED, NULL};

START_TEST(servers_are_made_and_destroyed)
{
    setenv("http_proxy", "http://127.0.0.1:1", 1); /* not for loopback */
    scripted_start(server, made, destroyed);
    start_client(LONG_MS);
    create_and_wait();
    ck_assert_ptr_null(created_cause);
    ck_assert_str_eq(
        json_text(created_servers),
        "[{\"name\":\"alice_server\",\"server_name\":\"hs1\",\"cs_api\":"
        "\"http://localhost:55278\"},{\"name\":\"bob_server\",\"server_name\":"
        "\"hs2\",\"cs_api\":\"https://localhost:55279\"}]");
    destroy_and_wait();
    ck_assert_ptr_null(destroyed_cause);
    ck_assert_str_eq(
        scripted_request(server, 0),
        "/create {\"base_image_uri\":\"synapse\",\"blueprint\":{\"Name\":"
        "\"case-1\",\"Homeservers\":[{\"Name\":\"hs1\",\"Users\":[],\"Rooms\":"
        "[],\"BaseImageURI\":\"synapse\"},{\"Name\":\"hs2\",\"Users\":[],"
        "\"Rooms\":[],\"BaseImageURI\":\"dendrite\"}]}}");
    ck_assert_str_eq(scripted_request(server, 1),
                     "/destroy {\"blueprint_name\":\"case-1\"}");
    ck_assert_int_eq(scripted_count(server), 2);
}
END_TEST

#define MANY                                                                             \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345"
#define MORE MANY MANY MANY MANY MANY MANY MANY

/* What a create is answered, and the words that the cause must have. */
static const struct {
    const char *answer;
    const char *words;
} refusals[] = {
    {BAD("400", "{\"message\": \"no such\\nimage\"}"),
     "refused to create the servers: no such image"},
    {BAD("500", "<html>Oh <b>no</b></html>"),
     "answered HTTP 500 when asked to create the servers: <html>Oh <b>no</b></html>"},
    {BAD("503", ""), "answered HTTP 503 when asked to create the servers"},
    {BAD("400", "{\"message\": [1]}"), "answered HTTP 400"},
    {BAD("400", "{\"message\": \"" MORE "\"}"), "678901…"},
    {"HTTP/1.1 302 X\r\nLocation: /destroy\r\nContent-Length: 0\r\n\r\n",
     "answered HTTP 302"},
    {"HTTP/1.1 201 X\r\nContent-Length: 2\r\n\r\n{}", "answered HTTP 201"},
    {OK("rubbish \001\377"), "answered HTTP 200 with something that is no JSON object"},
    {OK(""), "no JSON object (the text is empty): nothing"},
    {OK("[]"), "no JSON object"},
    {OK("{\"homeservers\": {"), "no JSON object"},
    {OK("{} {}"), "no JSON object"},
    {OK("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["), "no JSON object"},
    {OK("{}"), "without a list of \"homeservers\""},
    {OK("{\"homeservers\": []}"), "without a list of \"homeservers\""},
    {OK("{\"homeservers\": {" HS1 "}}"), "no address of server hs2 (for bob_server)"},
    {OK("{\"homeservers\": {\"hs1\": [], " HS2 "}}"), "no address of server hs1"},
    {OK("{\"homeservers\": {\"hs1\": {\"BaseURL\": 1}}}"), "no address of server hs1"},
    {OK("{\"homeservers\": {\"hs1\": {\"BaseURL\": \"ftp://x/\"}}}"),
     "gave server hs1 (for alice_server) the address \"ftp://x/\", which is no http URL"},
    {OK("{\"homeservers\": {\"hs1\": {\"BaseURL\": \"localhost:1\"}}}"), "no http URL"},
    {OK("{\"homeservers\": {\"hs1\": {\"BaseURL\": \"http://\"}}}"), "no http URL"},
    {OK("{\"homeservers\": {\"hs1\": {\"BaseURL\": \"http:///a\"}}}"), "no http URL"},
    {OK("{\"homeservers\": {\"hs1\": {\"BaseURL\": \"http://a b/\"}}}"), "no http URL"},
    {OK("{\"homeservers\": {\"hs1\": {\"BaseURL\": \"http://u@a/\"}}}"), "no http URL"},
    {OK("{\"homeservers\": {\"hs1\": {\"BaseURL\": \"http://a/?q\"}}}"), "no http URL"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"homeservers\"",
     "broke off in the middle of its answer"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{", "broke off"},
    {"", "closed the connection without an answer"},
    {"SSH-2.0-OpenSSH_9.2\r\n", "gave an answer that is not HTTP"},
    {OK(MORE MORE MORE MORE), "gave an answer of more than 2000 bytes"},
};

START_TEST(a_refusal_is_told_in_a_sentence)
{
    const char *const script[] = {refusals[_i].answer, NULL};

    scripted_start(server, script, destroyed);
    start_client(LONG_MS);
    create_and_wait();
    ck_assert_ptr_nonnull(created_cause);
    char *start = xasprintf("homerunner at http://127.0.0.1:%d ", scripted_port(server));
    ck_assert_msg(strncmp(created_cause, start, strlen(start)) == 0, "%s", created_cause);
    ck_assert_msg(strstr(created_cause, refusals[_i].words) != NULL, "%s", created_cause);
    ck_assert_uint_lt(strlen(created_cause), 600);
    free(start);
    destroy_and_wait(); /* is asked for all the same */
    ck_assert_ptr_null(destroyed_cause);
}
END_TEST

START_TEST(nobody_there)
{
    start_client(LONG_MS); /* the server has its port and does not listen */
    create_and_wait();
    ck_assert_ptr_nonnull(strstr(created_cause, "can't be reached: Connection refused"));
    ck_assert_ptr_null(created_where);
    destroy_and_wait(); /* of nothing */
    ck_assert_ptr_null(destroyed_cause);
}
END_TEST

START_TEST(nobody_there_to_destroy)
{
    start_client(LONG_MS);
    destroy_and_wait();
    ck_assert_ptr_nonnull(
        strstr(destroyed_cause, "can't be reached: Connection refused"));
}
END_TEST

START_TEST(no_answer_in_time)
{
    static const char *const never[] = {NULL};

    scripted_start(server, never, never);
    start_client(500);
    create_and_wait();
    ck_assert_ptr_nonnull(strstr(created_cause, "gave no answer within 500ms"));
    destroy_and_wait();
    ck_assert_ptr_nonnull(strstr(destroyed_cause, "gave no answer within 500ms"));
    scripted_wait(server);
    scripted_wait(server);
    ck_assert_int_eq(scripted_count(server), 2); /* it is not tried again */
}
END_TEST

START_TEST(no_connection_in_time)
{
    connect_ms = 100;
    scripted_start_deaf(server);
    start_client(LONG_MS);
    create_and_wait();
    ck_assert_ptr_nonnull(strstr(created_cause, "can't be reached within 100ms"));
}
END_TEST

START_TEST(the_password_is_not_told)
{
    char *url = xasprintf("http://user:secret@127.0.0.1:%d", scripted_port(server));

    start_client_at(&url, 1, LONG_MS);
    create_and_wait();
    ck_assert_ptr_nonnull(strstr(created_cause, "can't be reached"));
    ck_assert_ptr_null(strstr(created_cause, "secret"));
}
END_TEST

START_TEST(the_password_is_sent)
{
    char *url = xasprintf("http://user:secret@127.0.0.1:%d", scripted_port(server));
    char *shown = xasprintf("http://127.0.0.1:%d", scripted_port(server));

    scripted_start(server, made, destroyed);
    start_client_at(&url, 1, LONG_MS);
    create_and_wait();
    ck_assert_str_eq(created_where, shown);
    homerunner_destroy(homerunner, "case-2", shown); /* of another process */
    run_until_idle();
    destroy_and_wait_for(2);
    for (int i = 0; i < 3; i++)
        ck_assert_ptr_nonnull(strstr(scripted_whole(server, i), "Authorization: Basic"));
    free(shown);
}
END_TEST

START_TEST(a_destroy_waits_for_its_create)
{
    static const char *const answers[] = {HOLD MADE, HOLD BAD("400", "{}"), HOLD ""};
    const char *const script[] = {answers[_i], NULL};

    scripted_start(server, script, destroyed);
    start_client(LONG_MS);
    homerunner_create(homerunner, "case-1", two, 2);
    scripted_wait(server);
    homerunner_destroy(homerunner, "case-1", NULL);
    homerunner_destroy(homerunner, "case-1", NULL);
    ck_assert_uint_eq(homerunner_outstanding(homerunner), 1);
    destroy_from_created = _i == 1; /* yet another time */
    scripted_release(server);
    run_until_idle();
    ck_assert_int_eq(created_count, 1);
    ck_assert_int_eq(destroyed_count, 1);
    ck_assert_int_eq(destroyed_before, 0);
    ck_assert_ptr_null(destroyed_cause);
    ck_assert_int_eq(scripted_count(server), 2);
}
END_TEST

START_TEST(a_destroy_waits_for_no_other_create)
{
    static const char *const held[] = {HOLD MADE, NULL};

    scripted_start(server, held, destroyed);
    start_client(LONG_MS);
    homerunner_create(homerunner, "case-2", two, 2);
    homerunner_create(homerunner, "case-3", two, 2);
    homerunner_destroy(homerunner, "case-1", NULL);
    while (destroyed_count == 0)
        turn();
    ck_assert_int_eq(created_count, 0);
    homerunner_destroy(homerunner, "case-2", NULL); /* which makes room */
    scripted_release(server);
    scripted_release(server);
    run_until_idle();
    ck_assert_int_eq(created_count, 2);
    ck_assert_int_eq(destroyed_count, 2);
}
END_TEST

START_TEST(a_destroy_is_tried_again)
{
    static const struct {
        const char *const script[5];
        int requests;
        const char *words; /* of the cause, NULL if there should be none */
    } rows[] = {
        {{"", "SSH\r\n", "", DESTROYED}, 4, NULL},
        {{"", NULL}, 4, "without an answer"},
        {{BAD("500", "{\"message\": \"busy\"}"), DESTROYED}, 2, NULL},
        {{BAD("500", "{\"message\": \"busy\"}")},
         2,
         "refused to destroy the servers: busy"},
        {{BAD("400", "{\"message\": \"what\"}")}, 1, "to destroy the servers: what"},
        {{OK("<html>")}, 1, "no JSON object"},
    };

    scripted_start(server, made, rows[_i].script);
    start_client(LONG_MS);
    destroy_and_wait();
    ck_assert_int_eq(scripted_count(server), rows[_i].requests);
    ck_assert((destroyed_cause == NULL) == (rows[_i].words == NULL));
    if (rows[_i].words != NULL)
        ck_assert_ptr_nonnull(strstr(destroyed_cause, rows[_i].words));
}
END_TEST

START_TEST(a_stop_ends_everything)
{
    static const char *const never[] = {NULL};

    scripted_start(server, never, never);
    start_client(LONG_MS);
    homerunner_create(homerunner, "case-1", two, 2);
    homerunner_create(homerunner, "case-2", two, 2); /* waits in its lane */
    scripted_wait(server);
    workers_stop(workers);
    homerunner_create(homerunner, "case-3", two, 2);
    ck_assert_int_eq(created_count, 0);
    run_until_idle();
    ck_assert_int_eq(created_count, 3);
    ck_assert_ptr_nonnull(strstr(created_cause, "trafficlight is stopping"));
    destroy_and_wait();
    ck_assert_ptr_nonnull(strstr(destroyed_cause, "trafficlight is stopping"));
}
END_TEST

START_TEST(freeing_the_pool_reports_what_is_left)
{
    static const char *const never[] = {NULL};

    scripted_start(server, never, never);
    start_client(LONG_MS);
    homerunner_create(homerunner, "case-1", two, 2);
    scripted_wait(server);
    destroy_from_created = true;
    teardown(); /* the loop doesn't turn any more */
    ck_assert_int_eq(created_count, 1);
    ck_assert_int_eq(destroyed_count, 1);
}
END_TEST

/* --- several homerunners --- */

static char *url_of(int index)
{
    static char url[64];

    snprintf(url, sizeof url, "http://127.0.0.1:%d", scripted_port(servers[index]));
    return url;
}

static void start_all(void)
{
    for (size_t i = 0; i < SERVERS; i++)
        scripted_start(servers[i], made, destroyed);
}

static void create(const char *name)
{
    int before = created_count;

    homerunner_create(homerunner, name, two, 2);
    while (created_count == before)
        turn();
}

static void destroy(const char *name, const char *where)
{
    int before = destroyed_count;

    homerunner_destroy(homerunner, name, where);
    while (destroyed_count == before)
        turn();
}

/* Make one, which must come to be at this place. */
static void create_at(const char *name, int index)
{
    create(name);
    ck_assert_msg(created_cause == NULL, "%s", created_cause);
    ck_assert_str_eq(created_where, url_of(index));
}

/* The requests of all servers so far. */
static void assert_requests(int first, int second, int third)
{
    ck_assert_int_eq(scripted_count(servers[0]), first);
    ck_assert_int_eq(scripted_count(servers[1]), second);
    ck_assert_int_eq(scripted_count(servers[2]), third);
}

START_TEST(the_least_loaded_comes_first)
{
    limit = 2;
    start_all();
    start_client_of(3, LONG_MS);
    homerunner_known(homerunner, "case-0", url_of(0)); /* from before */
    homerunner_known(homerunner, "case-0", url_of(1));
    homerunner_known(homerunner, "case-x", "http://elsewhere");
    create_at("case-1", 1);
    create_at("case-2", 2);
    create_at("case-3", 0);
    create_at("case-4", 1);
    destroy("case-3", NULL);
    create_at("case-5", 0);
    destroy("case-0", NULL);
    destroy("case-2", url_of(2));
    create_at("case-6", 2);
    assert_requests(4, 2, 3);
    ck_assert_str_eq(scripted_request(servers[0], 3),
                     "/destroy {\"blueprint_name\":\"case-0\"}");
}
END_TEST

START_TEST(creates_wait_for_room)
{
    start_all();
    start_client_of(2, LONG_MS);
    create_at("case-1", 0);
    create_at("case-2", 1);
    homerunner_create(homerunner, "case-3", two, 2);
    homerunner_create(homerunner, "case-4", two, 2);
    homerunner_create(homerunner, "case-5", two, 2);
    ck_assert_uint_eq(homerunner_outstanding(homerunner), 3);
    destroy("case-4", NULL); /* that waits: nobody hears of it */
    ck_assert_int_eq(created_count, 3);
    ck_assert_ptr_null(created_where);
    ck_assert_ptr_nonnull(strstr(created_cause, "nobody wants the servers now"));
    ck_assert_ptr_null(destroyed_cause);
    assert_requests(1, 1, 0);
    destroy("case-2", NULL);
    while (created_count < 4)
        turn();
    ck_assert_str_eq(created_where, url_of(1));
    destroy("case-1", NULL);
    while (created_count < 5)
        turn();
    ck_assert_str_eq(created_where, url_of(0));
    assert_requests(3, 3, 0);
}
END_TEST

START_TEST(one_that_is_not_there_is_left_out)
{
    limit = 9;
    scripted_start(servers[1], made, destroyed);
    scripted_start(servers[2], made, destroyed);
    start_client_of(3, LONG_MS);
    create_at("case-1", 1); /* the first one was tried before */
    scripted_start(servers[0], made, destroyed);
    create_at("case-2", 2);
    create_at("case-3", 1);
    assert_requests(0, 2, 1);
    destroy("case-1", NULL);
    assert_requests(0, 3, 1);
}
END_TEST

/* What a create is answered, how long it waits, and whether the homerunner is left out. */
static const struct {
    const char *answer;
    int64_t timeout_ms;
    bool is_left_out;
} failures[] = {
    {BAD("500", "{\"message\": \"docker\"}"), LONG_MS, true},
    {BAD("502", "<html>"), LONG_MS, true},
    {BAD("404", "<html>"), LONG_MS, true}, /* some other server */
    {OK("garbage"), LONG_MS, true},
    {OK("{}"), LONG_MS, true},
    {"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"homeservers\"", LONG_MS, true},
    {NULL, 300, true},
    {BAD("400", "{\"message\": \"no such image\"}"), LONG_MS, false},
};

START_TEST(one_that_fails_is_left_out)
{
    const char *const script[] = {failures[_i].answer, MADE, NULL};

    limit = 9;
    scripted_start(servers[0], failures[_i].answer != NULL ? script : script + 2,
                   destroyed);
    scripted_start(servers[1], made, destroyed);
    start_client_of(2, failures[_i].timeout_ms);
    create("case-1");
    ck_assert_ptr_nonnull(
        created_cause); /* it may have been made: nobody else is asked */
    ck_assert_str_eq(created_where, url_of(0));
    assert_requests(1, 0, 0);
    destroy("case-1", NULL); /* at the one that failed */
    assert_requests(2, 0, 0);
    create_at("case-2", failures[_i].is_left_out ? 1 : 0);
    create_at("case-3", 1);
}
END_TEST

START_TEST(one_that_was_left_out_comes_back)
{
    static const char *const script[] = {BAD("500", ""), BAD("500", ""), HOLD MADE, MADE,
                                         NULL};

    limit = 9;
    pause_ms = 1; /* so that it is over when the next create comes */
    scripted_start(servers[0], script, destroyed);
    scripted_start(servers[1], made, destroyed);
    start_client_of(2, LONG_MS);
    create("case-1");
    ck_assert_ptr_nonnull(created_cause);
    destroy("case-1", NULL);
    usleep(10000);
    create("case-2");
    ck_assert_ptr_nonnull(created_cause);
    destroy("case-2", NULL);
    usleep(10000);
    homerunner_create(homerunner, "case-3", two, 2); /* on trial: the next ones go by */
    create_at("case-4", 1);
    create_at("case-5", 1);
    scripted_release(servers[0]);
    run_until_idle();
    ck_assert_str_eq(created_where, url_of(0));
    create_at("case-6", 0);
}
END_TEST

START_TEST(all_are_left_out)
{
    limit = 9;
    start_client_of(3, LONG_MS);
    for (int i = 1; i <= 3; i++) { /* each time all are tried */
        create("case-1");
        ck_assert_ptr_null(created_where);
        for (int k = 0; k < 3; k++)
            ck_assert_msg(strstr(created_cause, url_of(k)) != NULL, "%s", created_cause);
        destroy("case-1", NULL);
        ck_assert_ptr_null(destroyed_cause);
    }
    scripted_start(servers[2], made, destroyed);
    create_at("case-2", 2); /* whatever its pause */
    create_at("case-3", 2);
}
END_TEST

START_TEST(a_pause_ends_while_a_create_waits)
{
    pause_ms = 200;
    scripted_start(servers[1], made, destroyed);
    start_client_of(2, LONG_MS);
    create_at("case-1", 1);
    scripted_start(servers[0], made, destroyed);
    create_at("case-2", 0); /* the other one is full */
}
END_TEST

START_TEST(destroyed_where_it_was_made)
{
    char *urls[] = {xstrdup(url_of(0)), xstrdup(url_of(1))};

    start_all();
    start_client_at(urls, 2, LONG_MS);
    destroy("case-1", url_of(1));
    assert_requests(0, 1, 0);
    destroy("case-2", url_of(2)); /* is not configured any more */
    assert_requests(0, 1, 1);
    destroy("case-3", "no URL");
    assert_requests(1, 2, 1);
    ck_assert_ptr_null(destroyed_cause);
}
END_TEST

START_TEST(lost_ones_are_looked_for_everywhere)
{
    static const char *const unknown[] = {BAD("500", "{\"message\": \"unknown\"}"), NULL};
    static const char *const late[] = {BAD("500", "{\"message\": \"unknown\"}"),
                                       BAD("500", "{\"message\": \"unknown\"}"),
                                       DESTROYED, NULL};

    scripted_start(servers[0], made, unknown);
    scripted_start(servers[1], made, late); /* the third one is not there */
    start_client_of(3, LONG_MS);
    homerunner_destroy_lost(homerunner, "case-1");
    run_until_idle();
    ck_assert_int_eq(destroyed_count, 1);
    ck_assert_ptr_null(destroyed_cause);
    assert_requests(3, 3, 0);
    homerunner_destroy(homerunner, "case-2", NULL); /* is nowhere in question */
    run_until_idle();
    ck_assert_ptr_null(destroyed_cause);
    assert_requests(4, 4, 0);
}
END_TEST

/* A create that took too long goes on at homerunner, which knows the servers only at its end. */
START_TEST(late_ones_are_waited_for)
{
    static const char *const never[] = {NULL};
    static const char *const late[] = {BAD("500", "{\"message\": \"unknown\"}"),
                                       BAD("500", "{\"message\": \"unknown\"}"),
                                       BAD("500", "{\"message\": \"unknown\"}"),
                                       DESTROYED, NULL};

    scripted_start(server, never, late);
    start_client(200);
    create_and_wait();
    ck_assert_ptr_nonnull(created_cause);
    destroy_and_wait();
    ck_assert_ptr_null(destroyed_cause);
    ck_assert_int_eq(scripted_count(server), 5);
}
END_TEST

START_TEST(lost_ones_that_nobody_has)
{
    static const char *const unknown[] = {BAD("500", "{\"message\": \"unknown\"}"), NULL};

    scripted_start(servers[0], made, unknown);
    start_client_of(2, 50);
    homerunner_destroy_lost(homerunner, "case-1");
    run_until_idle();
    ck_assert_int_eq(destroyed_count, 1);
    for (int k = 0; k < 2; k++)
        ck_assert_msg(strstr(destroyed_cause, url_of(k)) != NULL, "%s", destroyed_cause);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("homerunner");
    TCase *tcase = tcase_create("client"), *freed = tcase_create("freed");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 50);
    tcase_add_test(tcase, servers_are_made_and_destroyed);
    tcase_add_loop_test(tcase, a_refusal_is_told_in_a_sentence, 0,
                        sizeof refusals / sizeof *refusals);
    tcase_add_test(tcase, nobody_there);
    tcase_add_test(tcase, nobody_there_to_destroy);
    tcase_add_test(tcase, no_answer_in_time);
    tcase_add_test(tcase, no_connection_in_time);
    tcase_add_test(tcase, the_password_is_not_told);
    tcase_add_test(tcase, the_password_is_sent);
    tcase_add_loop_test(tcase, a_destroy_waits_for_its_create, 0, 3);
    tcase_add_test(tcase, a_destroy_waits_for_no_other_create);
    tcase_add_loop_test(tcase, a_destroy_is_tried_again, 0, 6);
    tcase_add_test(tcase, a_stop_ends_everything);
    tcase_add_test(tcase, the_least_loaded_comes_first);
    tcase_add_test(tcase, creates_wait_for_room);
    tcase_add_test(tcase, one_that_is_not_there_is_left_out);
    tcase_add_loop_test(tcase, one_that_fails_is_left_out, 0,
                        sizeof failures / sizeof *failures);
    tcase_add_test(tcase, one_that_was_left_out_comes_back);
    tcase_add_test(tcase, all_are_left_out);
    tcase_add_test(tcase, a_pause_ends_while_a_create_waits);
    tcase_add_test(tcase, destroyed_where_it_was_made);
    tcase_add_test(tcase, lost_ones_are_looked_for_everywhere);
    tcase_add_test(tcase, late_ones_are_waited_for);
    tcase_add_test(tcase, lost_ones_that_nobody_has);
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(freed, setup, NULL);
    tcase_set_timeout(freed, 50);
    tcase_add_test(freed, freeing_the_pool_reports_what_is_left);
    suite_add_tcase(suite, freed);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
