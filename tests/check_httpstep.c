/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP steps against a server that plays from a script. The test's thread is the loop
 * thread.
 */
#include "fetch.h"
#include "httpstep.h"
#include "json.h"
#include "scripted.h"
#include "worker.h"
#include "xalloc.h"

#include <check.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(table)   (int)(sizeof(table) / sizeof *(table))
#define LIMIT         2000 /* bytes of an answer */
#define ANSWER(start) "HTTP/1.1 " start "Content-Length: -\r\n\r\n"
#define OK(body)      ANSWER("200 X\r\n") body

static struct scripted *server;
static struct event_base *base;
static struct workers *workers;
static struct httpsteps *steps;
static int answered_count;
static struct json_object *reply;     /* the latest one, owned */
static char *cause, *answered_ticket; /* likewise */

static void answered(void *context, const char *ticket, struct json_object *answer,
                     const char *why)
{
    ck_assert_ptr_eq(context, &answered_count);
    ck_assert((answer == NULL) == (why != NULL));
    answered_count++;
    json_object_put(reply);
    free(cause);
    free(answered_ticket);
    reply = json_object_get(answer);
    cause = why != NULL ? xstrdup(why) : NULL;
    answered_ticket = xstrdup(ticket);
}

static void start(size_t threads, size_t queue, int64_t timeout_ms, int64_t connect_ms)
{
    const struct httpstep_settings settings = {.threads = threads,
                                               .queue = queue,
                                               .timeout_ms = timeout_ms,
                                               .connect_timeout_ms = connect_ms,
                                               .reply_limit = LIMIT};

    steps = httpstep_new(workers, &settings, answered, &answered_count);
}

static void setup(void)
{
    ck_assert_int_eq(evthread_use_pthreads(), 0);
    fetch_prepare();
    base = event_base_new();
    workers = workers_new(base);
    server = scripted_new();
}

static void teardown(void)
{
    ck_assert(workers_free(workers, 20000));
    httpstep_free(steps);
    event_base_free(base);
    scripted_free(server);
    json_object_put(reply);
    free(cause);
    free(answered_ticket);
    libevent_global_shutdown();
}

/* A request with ' for " in it, and "URL" for the address of the server. */
static void send_it(const char *ticket, const char *text)
{
    char *copy = xstrdup(text);
    struct json_object *request = NULL;
    char *why = NULL;

    for (char *p = copy; *p != '\0'; p++)
        *p = *p == '\'' ? '"' : *p;
    ck_assert_msg(json_read(copy, strlen(copy), 32, &request, &why) == 0, "%s", why);
    const char *url = json_member_text(request, "url");
    if (strncmp(url, "URL", 3) == 0) {
        char *whole = xasprintf("http://127.0.0.1:%d%s", scripted_port(server), url + 3);
        json_put_text(request, "url", whole);
        free(whole);
    }
    httpstep_send(steps, ticket, request);
    json_object_put(request);
    free(copy);
}

/* Let the loop turn until so many were answered; and once more, for one too many. */
static void run_until(int count)
{
    while (answered_count < count)
        event_base_loop(base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
    event_base_loop(base, EVLOOP_NONBLOCK);
    ck_assert_int_eq(answered_count, count);
}

static void send_and_wait(const char *text)
{
    int before = answered_count;

    send_it("ticket-1", text);
    ck_assert_int_eq(answered_count, before); /* never inside the call */
    run_until(before + 1);
    ck_assert_str_eq(answered_ticket, "ticket-1");
}

/* --- what is sent --- */

static const char *const fine[] = {OK("{}"), NULL};

static const struct {
    const char *request;
    const char *line;    /* how it begins */
    const char *has;     /* further lines, with " | " between them */
    const char *body;    /* how it ends */
    const char *without; /* what is not in it */
} requests[] = {
    {"{'url': 'URL/a?b=c%20d'}", "GET /a?b=c%20d HTTP/1.1",
     "Accept: application/json, */*", "", "Content-"},
    {"{'method': 'DELETE', 'url': 'URL/a'}", "DELETE /a HTTP/1.1", "", "", "Content-"},
    {"{'method': 'POST', 'url': 'URL/a'}", "POST /a HTTP/1.1", "Content-Length: 0", "",
     "Content-Type"},
    {"{'method': 'PUT', 'url': 'URL/a', 'json': {'b': [1, 'é/\\n']}}", "PUT /a HTTP/1.1",
     "Content-Type: application/json | Content-Length: 17", "{\"b\":[1,\"é/\\n\"]}",
     "Expect"},
    {"{'method': 'POST', 'url': 'URL/a', 'json': null}", "POST /a",
     "Content-Type: application/json", "null", "text/plain"},
    {"{'method': 'POST', 'url': 'URL/a', 'json': {}}", "POST /a", "Content-Length: 2",
     "{}", "urlencoded"},
    {"{'method': 'GET', 'url': 'URL/a', 'json': {}}", "GET /a", "Content-Length: 2", "{}",
     "urlencoded"},
    {"{'method': 'POST', 'url': 'URL/a', 'text': 'one\\ntwo'}", "POST /a",
     "Content-Type: text/plain; charset=utf-8 | Content-Length: 7", "one\ntwo", "json\r"},
    {"{'method': 'POST', 'url': 'URL/a', 'text': [1, true]}", "POST /a",
     "Content-Type: text/plain", "[1,true]", "Expect"},
    {"{'method': 'POST', 'url': 'URL/a', 'headers': {'Authorization': 'Bearer x',"
     "  'X-Number': 5, 'X-Empty': ''}}",
     "POST /a", "Authorization: Bearer x | X-Number: 5 | X-Empty:", "", "Expect"},
    /* what the request says itself is not said twice */
    {"{'method': 'POST', 'url': 'URL/a', 'json': {}, 'headers': {"
     "  'content-type': 'application/merge-patch+json', 'ACCEPT': 'text/html'}}",
     "POST /a", "content-type: application/merge-patch+json | ACCEPT: text/html", "{}",
     "Content-Type"},
    {"{'method': 'POST', 'url': 'URL/a', 'headers': {'Accept': 'text/html'}}", "POST /a",
     "Accept: text/html", "", "*/*"},
};

START_TEST(a_request_is_sent)
{
    scripted_start(server, fine, fine);
    start(2, 10, 20000, 20000);
    setenv("http_proxy", "http://127.0.0.1:1", 1); /* not for loopback */
    send_and_wait(requests[_i].request);
    ck_assert_msg(cause == NULL, "%s", cause);
    ck_assert_int_eq(scripted_count(server), 1);
    const char *whole = scripted_whole(server, 0);
    const char *body = strstr(whole, "\r\n\r\n");
    ck_assert_msg(strncmp(whole, requests[_i].line, strlen(requests[_i].line)) == 0, "%s",
                  whole);
    ck_assert_ptr_nonnull(body);
    ck_assert_str_eq(body + 4, requests[_i].body);
    ck_assert_msg(strstr(whole, requests[_i].without) == NULL, "%s", whole);
    char *lines = xstrdup(requests[_i].has);
    char *rest = lines;
    for (char *line; (line = strstr(rest, " | ")) != NULL; rest = line + 3) {
        *line = '\0';
        ck_assert_msg(strstr(whole, rest) != NULL, "%s in %s", rest, whole);
    }
    ck_assert_msg(strstr(whole, rest) != NULL, "%s in %s", rest, whole);
    free(lines);
}
END_TEST

START_TEST(a_head_has_no_body)
{
    static const char *const head[] = {"HTTP/1.1 200 X\r\nContent-Length: 50\r\n\r\n",
                                       NULL};

    scripted_start(server, head, head);
    start(2, 10, 20000, 20000);
    send_and_wait("{'method': 'HEAD', 'url': 'URL/a'}");
    ck_assert_int_eq(strncmp(scripted_whole(server, 0), "HEAD /a", 7), 0);
    ck_assert_str_eq(json_member_text(reply, "text"), "");
    ck_assert_str_eq(json_member_text(json_member(reply, "headers"), "content-length"),
                     "50");
}
END_TEST

/* --- what is not sent --- */

static const struct {
    const char *request;
    const char *cause;
} refused[] = {
    {"{'method': 'get', 'url': 'URL'}", "\"get\" is no HTTP method"},
    {"{'method': '', 'url': 'URL'}", "\"\" is no HTTP method"},
    {"{'method': 'GET /b HTTP/1.1\\r\\nX:', 'url': 'URL'}", "is no HTTP method"},
    {"{'url': 'URL', 'headers': ['a']}", "the headers must be an object"},
    {"{'url': 'URL', 'headers': {'A:': 'b'}}", "\"A:\" is no name of a header"},
    {"{'url': 'URL', 'headers': {'A b': 'b'}}", "\"A b\" is no name of a header"},
    {"{'url': 'URL', 'headers': {'': 'b'}}", "\"\" is no name of a header"},
    {"{'url': 'URL', 'headers': {'A\\r\\nB': 'b'}}", "is no name of a header"},
    {"{'url': 'URL', 'headers': {'A': 'b\\r\\nC: d'}}",
     "the header A has a line end or a NUL in it"},
    {"{'url': 'URL', 'headers': {'A': 'b\\nc'}}", "the header A has a line end"},
    {"{'url': 'URL', 'headers': {'A': 'b\\u0000c'}}", "a NUL in it"},
    {"{'url': 'URL', 'method': 'POST', 'text': 'b\\u0000c'}", "the text has a NUL in it"},
    {"{'url': 'URL', 'timeout': 'soon'}", "\"soon\" is not a duration"},
    {"{'url': 'URL', 'timeout': ['1s']}", "is not a duration"},
    {"{'url': 'URL', 'timeout': {}}", "is not a duration"},
};

START_TEST(a_bad_request_is_not_sent)
{
    scripted_start(server, fine, fine);
    start(2, 10, 20000, 20000);
    send_and_wait(refused[_i].request);
    ck_assert_ptr_nonnull(cause);
    ck_assert_msg(strstr(cause, refused[_i].cause) != NULL, "%s", cause);
    ck_assert_int_eq(scripted_count(server), 0);
}
END_TEST

/* --- what comes back --- */

static const struct {
    const char *answer;
    const char *reply;
} replies[] = {
    {"HTTP/1.1 201 Made: so\r\nContent-Length: 11\r\nX-ONE:  a b \r\nX-Two:\r\n\r\n"
     "{\"a\": [1.5]}",
     "{\"status\":201,\"headers\":{\"content-length\":\"11\",\"x-one\":\"a b\","
     "\"x-two\":\"\"},\"text\":\"{\\\"a\\\": [1.5]\"}"},
    {OK("{\"a\": [1.5, \"é\"]}"), "{\"status\":200,\"headers\":{\"content-length\":"
                                  "\"18\"},\"json\":{\"a\":[1.5,\"é\"]},"
                                  "\"text\":\"{\\\"a\\\": [1.5, \\\"é\\\"]}\"}"},
    {OK("null"), "{\"status\":200,\"headers\":{\"content-length\":\"4\"},\"json\":null,"
                 "\"text\":\"null\"}"},
    {OK("<p>"),
     "{\"status\":200,\"headers\":{\"content-length\":\"3\"},\"text\":\"<p>\"}"},
    {OK("{} x"),
     "{\"status\":200,\"headers\":{\"content-length\":\"4\"},\"text\":\"{} x\"}"},
    {OK(""), "{\"status\":200,\"headers\":{\"content-length\":\"0\"},\"text\":\"\"}"},
    {OK("\xff\xfe"), "{\"status\":200,\"headers\":{\"content-length\":\"2\"}}"},
    {ANSWER("404 X\r\n") "{}", "{\"status\":404,\"headers\":{\"content-length\":\"2\"},"
                               "\"json\":{},\"text\":\"{}\"}"},
    {ANSWER("500 X\r\nA: 1\r\na: 2\r\nB: \xff\r\n"),
     "{\"status\":500,\"headers\":{\"a\":\"1, 2\",\"content-length\":\"0\"},"
     "\"text\":\"\"}"},
    {ANSWER("302 X\r\nLocation: /elsewhere\r\n"),
     "{\"status\":302,\"headers\":{\"location\":\"/elsewhere\",\"content-length\":\"0\"},"
     "\"text\":\"\"}"},
    {"HTTP/1.1 204 X\r\n\r\n", "{\"status\":204,\"headers\":{},\"text\":\"\"}"},
    {"HTTP/1.0 200 X\r\n\r\nuntil the end",
     "{\"status\":200,\"headers\":{},\"text\":\"until the end\"}"},
    {"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
     "{\"status\":200,\"headers\":{\"transfer-encoding\":\"chunked\"},\"json\":{},"
     "\"text\":\"{}\"}"},
};

START_TEST(a_reply_becomes_json)
{
    const char *const script[] = {replies[_i].answer, NULL};

    scripted_start(server, script, script);
    start(2, 10, 20000, 20000);
    send_and_wait("{'url': 'URL/a'}");
    ck_assert_msg(cause == NULL, "%s", cause);
    ck_assert_str_eq(json_text(reply), replies[_i].reply);
    ck_assert_int_eq(scripted_count(server), 1); /* no redirect is followed */
}
END_TEST

/* --- what does not come back --- */

#define MANY                                                                             \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345"
#define MORE MANY MANY MANY MANY MANY MANY MANY

static const struct {
    const char *answer;
    const char *cause;
} broken[] = {
    {"", "closed the connection without an answer"},
    {"HTTP/1.1 200 X\r\nContent-Length: 500\r\n\r\n{}", "broke off in the middle"},
    {"SSH-2.0-x\r\n", "gave an answer that is not HTTP"},
    {OK(MORE MORE MORE MORE), "gave an answer of more than 2000 bytes"},
    {NULL, "gave no answer within 300ms"},
};

START_TEST(what_is_no_answer_is_told)
{
    const char *const script[] = {broken[_i].answer, NULL};

    scripted_start(server, script, script);
    start(2, 10, 20000, 20000);
    send_and_wait(broken[_i].answer == NULL
                      ? "{'url': 'URL/a?secret=1', 'timeout': '300ms'}"
                      : "{'url': 'URL/a?secret=1'}");
    ck_assert_ptr_null(reply);
    char *begin =
        xasprintf("http://127.0.0.1:%d/a %s", scripted_port(server), broken[_i].cause);
    ck_assert_msg(strncmp(cause, begin, strlen(begin)) == 0, "%s", cause);
    free(begin);
}
END_TEST

START_TEST(a_time_out_of_the_settings)
{
    static const char *const never[] = {NULL};

    scripted_start(server, never, never);
    start(2, 10, 200, 20000);
    send_and_wait("{'url': 'URL/a'}");
    ck_assert_ptr_nonnull(strstr(cause, "gave no answer within 200ms"));
    send_and_wait("{'url': 'URL/a', 'timeout': 0}"); /* is not for ever */
    ck_assert_ptr_nonnull(strstr(cause, "1ms"));
    send_and_wait("{'url': 'URL/a', 'timeout': 0.25}");
    ck_assert_ptr_nonnull(strstr(cause, "gave no answer within 250ms"));
}
END_TEST

START_TEST(nobody_there)
{
    start(2, 10, 20000, 20000); /* the server has its port and does not listen */
    send_and_wait("{'url': 'URL/a'}");
    ck_assert_ptr_nonnull(strstr(cause, "/a can't be reached: Connection refused"));
    send_and_wait("{'url': 'http://'}");
    ck_assert_ptr_nonnull(strstr(cause, "can't be reached"));
    send_and_wait("{'url': 'file:///etc/passwd'}");
    ck_assert_ptr_nonnull(strstr(cause, "can't be reached"));
}
END_TEST

START_TEST(no_connection_in_time)
{
    scripted_start_deaf(server);
    start(2, 10, 20000, 100);
    send_and_wait("{'url': 'URL/a'}");
    ck_assert_ptr_nonnull(strstr(cause, "can't be reached within 100ms"));
}
END_TEST

/* --- many at once, and the end --- */

START_TEST(each_is_answered_once)
{
    static const char *const held[] = {SCRIPT_HOLD OK("{}"), NULL};

    scripted_start(server, held, held);
    start(1, 1, 20000, 20000);
    send_it("first", "{'url': 'URL/a'}");
    scripted_wait(server);
    send_it("second", "{'url': 'URL/a'}");
    send_it("third", "{'url': 'URL/a'}");
    ck_assert_int_eq(answered_count, 0);
    run_until(1);
    ck_assert_str_eq(answered_ticket, "third");
    ck_assert_ptr_nonnull(strstr(cause, "too many requests are waiting"));
    scripted_release(server);
    run_until(2);
    ck_assert_str_eq(answered_ticket, "first");
    ck_assert_ptr_null(cause);
    scripted_release(server);
    run_until(3);
    ck_assert_str_eq(answered_ticket, "second");
    ck_assert_ptr_null(cause);
}
END_TEST

START_TEST(a_stop_ends_everything)
{
    static const char *const never[] = {NULL};

    scripted_start(server, never, never);
    start(1, 10, 60000, 60000);
    send_it("first", "{'url': 'URL/a'}");
    scripted_wait(server);
    send_it("second", "{'url': 'URL/a'}");
    workers_stop(workers);
    send_it("third", "{'url': 'URL/a'}");
    send_it("bad", "{'url': 'URL/a', 'method': 'x'}");
    ck_assert_int_eq(answered_count, 0);
    run_until(4);
    ck_assert_str_eq(answered_ticket, "first");
    ck_assert_ptr_nonnull(strstr(cause, "trafficlight is stopping"));
    ck_assert_int_eq(scripted_count(server), 1);
}
END_TEST

START_TEST(freeing_the_pool_answers_what_is_left)
{
    static const char *const never[] = {NULL};

    scripted_start(server, never, never);
    start(1, 10, 60000, 60000);
    send_it("first", "{'url': 'URL/a'}");
    send_it("second", "{'url': 'URL/a'}");
    scripted_wait(server);
    teardown(); /* the loop doesn't turn any more */
    ck_assert_int_eq(answered_count, 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("httpstep");
    TCase *tcase = tcase_create("steps"), *freed = tcase_create("freed");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 50);
    tcase_add_loop_test(tcase, a_request_is_sent, 0, ROWS(requests));
    tcase_add_test(tcase, a_head_has_no_body);
    tcase_add_loop_test(tcase, a_bad_request_is_not_sent, 0, ROWS(refused));
    tcase_add_loop_test(tcase, a_reply_becomes_json, 0, ROWS(replies));
    tcase_add_loop_test(tcase, what_is_no_answer_is_told, 0, ROWS(broken));
    tcase_add_test(tcase, a_time_out_of_the_settings);
    tcase_add_test(tcase, nobody_there);
    tcase_add_test(tcase, no_connection_in_time);
    tcase_add_test(tcase, each_is_answered_once);
    tcase_add_test(tcase, a_stop_ends_everything);
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(freed, setup, NULL);
    tcase_set_timeout(freed, 50);
    tcase_add_test(freed, freeing_the_pool_answers_what_is_left);
    suite_add_tcase(suite, freed);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
