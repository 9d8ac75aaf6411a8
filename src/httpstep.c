/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP steps of tests. The loop turns the request into plain strings, a worker sends it and reads the
 * answer into JSON, the loop hands that on.
 */
#include "httpstep.h"

#include "clock.h"
#include "fetch.h"
#include "json.h"
#include "utf8.h"
#include "worker.h"
#include "xalloc.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define REPLY_DEPTH 64 /* nesting of a JSON answer */

struct httpsteps {
    struct httpstep_settings settings; /* limits */
    struct workers *workers;           /* borrowed */
    struct lane *lane;                 /* of the pool; borrowed */
    httpstep_answered *answered;       /* who is told */
    void *context;                     /* for answered; borrowed */
};

/* One request. The worker sees only what is in here. */
struct call {
    struct job job;               /* its head */
    struct httpsteps *steps;      /* whose; touched on the loop only */
    char *ticket;                 /* of the asker; owned */
    struct fetch_request request; /* its strings are those below */
    char *method;                 /* owned */
    char *url;                    /* owned */
    char **headers;               /* NULL after the last; owned */
    size_t header_count;          /* length of headers */
    char *body;                   /* NULL: none; owned */
    struct json_object *reply;    /* what came back; owned */
    char *cause;                  /* why nothing did; owned */
};

/* --- from JSON to a request ------------------------------------------------------------------ */

static void add_header(struct call *call, char *line)
{
    call->headers =
        xreallocarray(call->headers, call->header_count + 2, sizeof *call->headers);
    call->headers[call->header_count++] = line;
    call->headers[call->header_count] = NULL;
}

static void add_headers(struct call *call, struct json_object *headers)
{
    if (!json_object_is_type(headers, json_type_object))
        return;
    json_object_object_foreach (headers, name, value) {
        const char *text = json_object_is_type(value, json_type_string)
                               ? json_object_get_string(value)
                               : json_text(value);
        if (strpbrk(name, "\r\n:") != NULL || strpbrk(text, "\r\n") != NULL)
            cause_set(&call->cause, "the header %.80s has a line end or a colon in it",
                      name);
        add_header(call, xasprintf("%s: %s", name, text));
    }
}

static void add_body(struct call *call, struct json_object *request)
{
    struct json_object *json = NULL;
    const char *text = json_member_text(request, "text");

    if (json_object_object_get_ex(request, "json", &json)) {
        call->body = xstrdup(json_text(json));
        add_header(call, xstrdup("Content-Type: application/json"));
    } else if (text != NULL) {
        call->body = xstrdup(text);
        add_header(call, xstrdup("Content-Type: text/plain; charset=utf-8"));
    }
}

static void read_method(struct call *call, struct json_object *request)
{
    const char *method = json_member_text(request, "method");

    call->method = xstrdup(method != NULL ? method : "GET");
    if (*call->method == '\0' ||
        strspn(call->method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != strlen(call->method))
        cause_set(&call->cause, "\"%.40s\" is no HTTP method", call->method);
}

static void read_request(struct call *call, struct json_object *request)
{
    const struct httpstep_settings *settings = &call->steps->settings;
    struct json_object *timeout = json_member(request, "timeout");
    int64_t timeout_ms = settings->timeout_ms;

    read_method(call, request);
    call->url = xstrdup(json_member_text(request, "url"));
    add_header(call, xstrdup("Accept: application/json, */*"));
    add_headers(call, json_member(request, "headers"));
    add_body(call, request);
    if (timeout != NULL)
        duration_parse(json_object_get_string(timeout), &timeout_ms, &call->cause);
    call->request = (struct fetch_request){
        .method = call->method,
        .url = call->url,
        .headers = (const char *const *)call->headers,
        .body = call->body,
        .connect_timeout_ms = settings->connect_timeout_ms < timeout_ms
                                  ? settings->connect_timeout_ms
                                  : timeout_ms,
        .timeout_ms = timeout_ms,
        .reply_limit = settings->reply_limit,
        .workers = call->steps->workers,
    };
}

/* --- from an answer to JSON -------------------------------------------------------------------- */

static struct json_object *read_headers(const char *lines)
{
    struct json_object *headers = json_new_object();

    for (const char *line = lines; *line != '\0'; line += strcspn(line, "\n") + 1) {
        size_t size = strcspn(line, "\r\n");
        const char *colon = memchr(line, ':', size);
        if (colon != NULL && utf8_valid_length(line, size) == size) {
            char *name = xstrndup(line, (size_t)(colon - line));
            const char *start = colon + 1 + strspn(colon + 1, " \t");
            char *value = xstrndup(start, (size_t)(line + size - start));
            for (char *p = name; *p != '\0'; p++)
                *p = (char)tolower((unsigned char)*p);
            json_put_text(headers, name, value);
            free(value);
            free(name);
        }
        if (line[strcspn(line, "\n")] == '\0')
            break;
    }
    return headers;
}

static struct json_object *read_reply(const struct fetch_reply *reply)
{
    struct json_object *object = json_new_object();
    struct json_object *json = NULL;
    char *ignored = NULL;

    json_put_int(object, "status", reply->status);
    json_put(object, "headers", read_headers(reply->headers));
    if (json_read(reply->body, reply->size, REPLY_DEPTH, &json, &ignored) == 0)
        json_put(object, "json", json);
    if (strlen(reply->body) == reply->size &&
        utf8_valid_length(reply->body, reply->size) == reply->size)
        json_put_text(object, "text", reply->body);
    free(ignored);
    return object;
}

/* --- the job ------------------------------------------------------------------------------------- */

static void run_call(struct job *job)
{
    struct call *call = (struct call *)job;
    struct fetch_reply reply;

    fetch_send(&call->request, &reply);
    if (reply.result == FETCH_ANSWERED) {
        call->reply = read_reply(&reply);
    } else {
        char *shown = fetch_url_shown(call->url);
        cause_set(&call->cause, "%s %s", shown, reply.cause);
        free(shown);
    }
    fetch_reply_clear(&reply);
}

static void free_call(struct call *call)
{
    for (size_t i = 0; i < call->header_count; i++)
        free(call->headers[i]);
    free(call->headers);
    free(call->ticket);
    free(call->method);
    free(call->url);
    free(call->body);
    free(call->cause);
    json_object_put(call->reply);
    free(call);
}

static void done_call(struct job *job)
{
    struct call *call = (struct call *)job;
    const struct httpsteps *steps = call->steps;

    if (job->cancelled)
        cause_set(&call->cause,
                  "too many requests are waiting, or the server is stopping");
    steps->answered(steps->context, call->ticket, call->reply, call->cause);
    free_call(call);
}

void httpstep_send(struct httpsteps *steps, const char *ticket,
                   struct json_object *request)
{
    static const struct job_ops ops = {"http step", run_call, done_call};
    struct call *call = xcalloc(1, sizeof *call);

    call->job.ops = &ops;
    call->steps = steps;
    call->ticket = xstrdup(ticket);
    read_request(call, request);
    if (call->cause != NULL || job_submit(steps->lane, &call->job) < 0)
        job_submit_cancelled(steps->lane, &call->job);
}

struct httpsteps *httpstep_new(struct workers *workers,
                               const struct httpstep_settings *settings,
                               httpstep_answered *answered, void *context)
{
    struct httpsteps *steps = xcalloc(1, sizeof *steps);

    steps->settings = *settings;
    steps->workers = workers;
    steps->lane = workers_add_lane(workers, "http", settings->threads, settings->queue);
    steps->answered = answered;
    steps->context = context;
    return steps;
}

void httpstep_free(struct httpsteps *steps)
{
    free(steps);
}
