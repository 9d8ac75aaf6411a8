/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP steps of tests. The loop turns the request into plain strings, a worker sends it
 * and reads the answer into JSON, the loop hands that on.
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
#include <strings.h>

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

/* --- from JSON to a request --- */

static void add_header(struct call *call, char *line)
{
    call->headers =
        xreallocarray(call->headers, call->header_count + 2, sizeof *call->headers);
    call->headers[call->header_count++] = line;
    call->headers[call->header_count] = NULL;
}

/* A string as it is, anything else as JSON; NULL if it has a NUL in it. */
static const char *text_of(struct json_object *value)
{
    if (!json_object_is_type(value, json_type_string))
        return json_text(value);
    return json_is_text(value) ? json_object_get_string(value) : NULL;
}

static void read_header(struct call *call, const char *name, struct json_object *value)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const char *text = text_of(value);

    if (*name == '\0' || name[strspn(name, token)] != '\0')
        cause_set(&call->cause, "\"%.80s\" is no name of a header", name);
    else if (text == NULL || strpbrk(text, "\r\n") != NULL)
        cause_set(&call->cause, "the header %.80s has a line end or a NUL in it", name);
    else if (text[strspn(text, " \t")] == '\0')
        add_header(call, xasprintf("%s;", name)); /* so libcurl sends it, though empty */
    else
        add_header(call, xasprintf("%s: %s", name, text));
}

/* The request's headers, and before them ours that it does not have itself. */
static void add_headers(struct call *call, struct json_object *request)
{
    struct json_object *headers = json_member(request, "headers");
    const char *type = json_object_object_get_ex(request, "json", NULL)
                           ? "application/json"
                       : json_object_object_get_ex(request, "text", NULL)
                           ? "text/plain; charset=utf-8"
                           : ""; /* takes away what libcurl says of an empty body */
    bool has_type = false, has_accept = false;

    if (headers != NULL && !json_object_is_type(headers, json_type_object)) {
        cause_set(&call->cause, "the headers must be an object of names and values");
        return;
    }
    if (headers != NULL) {
        json_object_object_foreach (headers, name, value) {
            (void)value;
            has_type = has_type || strcasecmp(name, "Content-Type") == 0;
            has_accept = has_accept || strcasecmp(name, "Accept") == 0;
        }
    }
    if (!has_accept)
        add_header(call, xstrdup("Accept: application/json, */*"));
    if (!has_type)
        add_header(call, xasprintf("Content-Type: %s", type));
    if (headers != NULL) {
        json_object_object_foreach (headers, given, text) {
            read_header(call, given, text);
        }
    }
}

static void read_body(struct call *call, struct json_object *request)
{
    struct json_object *body = NULL;
    bool is_json = json_object_object_get_ex(request, "json", &body);
    const char *text = NULL;

    if (is_json)
        text = json_text(body);
    else if (!json_object_object_get_ex(request, "text", &body))
        text = strcmp(call->method, "POST") == 0 || strcmp(call->method, "PUT") == 0 ||
                       strcmp(call->method, "PATCH") == 0
                   ? "" /* some servers want to hear that there is nothing */
                   : NULL;
    else if ((text = text_of(body)) == NULL)
        cause_set(&call->cause, "the text has a NUL in it");
    call->body = text != NULL ? xstrdup(text) : NULL;
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
    add_headers(call, request);
    read_body(call, request);
    if (timeout != NULL)
        duration_parse(json_object_is_type(timeout, json_type_string)
                           ? json_object_get_string(timeout)
                           : json_text(timeout),
                       &timeout_ms, &call->cause);
    if (timeout_ms < 1)
        timeout_ms = 1; /* 0 means for ever to libcurl */
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

/* --- from an answer to JSON --- */

/* Add one line: names in lower case, values of a name that comes again after a comma. */
static void put_header(struct json_object *headers, const char *line, size_t size)
{
    const char *colon = memchr(line, ':', size);

    if (colon == NULL || strncmp(line, "HTTP/", 5) == 0 ||
        utf8_valid_length(line, size) != size)
        return;
    char *name = xstrndup(line, (size_t)(colon - line));
    const char *start = colon + 1 + strspn(colon + 1, " \t");
    const char *end = line + size;
    while (end > start && strchr(" \t", end[-1]) != NULL)
        end--;
    char *value = end > start ? xstrndup(start, (size_t)(end - start)) : xstrdup("");
    for (char *p = name; *p != '\0'; p++)
        *p = (char)tolower((unsigned char)*p);
    const char *before = json_member_text(headers, name);
    char *both = before != NULL ? xasprintf("%s, %s", before, value) : xstrdup(value);
    json_put_text(headers, name, both);
    free(both);
    free(value);
    free(name);
}

static struct json_object *read_headers(const char *lines)
{
    struct json_object *headers = json_new_object();

    while (*lines != '\0') {
        size_t size = strcspn(lines, "\n");
        put_header(headers, lines, strcspn(lines, "\r\n"));
        lines += size + (lines[size] == '\n');
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

/* --- the job --- */

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
