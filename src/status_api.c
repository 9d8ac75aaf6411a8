/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The endpoints for people and tools. They only read: the engine, and for what it has
 * forgotten the history.
 */
#include "status_api.h"

#include "case_page.h"
#include "daemon.h"
#include "dictionary.h"
#include "document.h"
#include "events.h"
#include "graph.h"
#include "history_api.h"
#include "json.h"
#include "now.h"
#include "pages.h"
#include "pages_attempt.h"
#include "render.h"
#include "replies.h"
#include "sequence.h"
#include "usage.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

/* --- everything --- */

void status_root(struct http_exchange *exchange, void *context)
{
    (void)context;
    http_add_header(exchange, "Location", "/status");
    http_reply(exchange, 302, "text/plain", "see /status\n", strlen("see /status\n"));
}

static void show_run(struct http_exchange *exchange, struct daemon *daemon,
                     struct json_object *status)
{
    document_reply_page(daemon->documents, exchange, status, pages_run);
}

void status_page(struct http_exchange *exchange, void *context)
{
    struct daemon *daemon = context;

    document_reply(daemon->documents, exchange, NULL, pages_status);
}

void status_json(struct http_exchange *exchange, void *context)
{
    struct daemon *daemon = context;

    daemon->watched_ms = now().mono_ms;
    document_reply(daemon->documents, exchange, NULL, NULL);
}

void status_junit(struct http_exchange *exchange, void *context)
{
    struct daemon *daemon = context;

    document_reply_junit(daemon->documents, exchange, NULL);
}

/* The actions of the run that people look at, else the shipped ones. Owned. */
static struct json_object *actions(const struct daemon *daemon)
{
    const struct dictionary *known = engine_dictionary(daemon->engine);

    return dictionary_json(known != NULL ? known : daemon->dictionary);
}

void status_actions_json(struct http_exchange *exchange, void *context)
{
    struct json_object *dictionary = actions(context);

    reply_json(exchange, dictionary);
    json_object_put(dictionary);
}

/* The address under which the server was asked, if it is one that can stand in a command
 * for a shell. Owned. */
static char *base_address(const struct http_exchange *exchange)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789.-:[]";
    const char *host = http_header(exchange, "Host");
    bool is_plain = host != NULL && *host != '\0' && host[strspn(host, plain)] == '\0';

    return xasprintf("http://%s", is_plain ? host : "127.0.0.1:5000");
}

void status_actions_page(struct http_exchange *exchange, void *context)
{
    struct daemon *daemon = context;
    struct json_object *dictionary = actions(daemon);
    char *base = base_address(exchange);

    json_put(dictionary, "usage", usage_json(daemon->engine));
    json_put_text(dictionary, "base", base);
    free(base);
    reply_page(exchange, dictionary, pages_actions);
    json_object_put(dictionary);
}

void status_health(struct http_exchange *exchange, void *context)
{
    (void)context;
    http_reply_json(exchange, "{\"status\":\"ok\"}");
}

void status_events(struct http_exchange *exchange, void *context)
{
    events_subscribe(((struct daemon *)context)->events, exchange);
}

/* --- one run, one suite, one case --- */

typedef struct json_object *find_fn(const struct engine *engine, const char *id,
                                    const struct status_view *view);

/* Answer with what the path names: from the engine, else from the history. */
static void reply_found(struct http_exchange *exchange, struct daemon *daemon,
                        find_fn *find, enum history_document kept, const char *what,
                        history_reply *reply)
{
    const char *id = http_parameter(exchange, "id");
    struct status_view view = daemon_view(daemon);
    struct json_object *found = id != NULL ? find(daemon->engine, id, &view) : NULL;

    if (found != NULL)
        reply(exchange, daemon, found);
    else
        history_answer(exchange, daemon, kept, id, what, reply);
}

static void show_suite(struct http_exchange *exchange, struct daemon *daemon,
                       struct json_object *suite)
{
    document_reply_page(daemon->documents, exchange, suite, pages_suite);
}

static void give(struct http_exchange *exchange, struct daemon *daemon,
                 struct json_object *document)
{
    (void)daemon;
    reply_json(exchange, document);
    json_object_put(document);
}

void status_suite_page(struct http_exchange *exchange, void *context)
{
    reply_found(exchange, context, status_suite, HISTORY_SUITE, "test", show_suite);
}

void status_case_page(struct http_exchange *exchange, void *context)
{
    reply_found(exchange, context, status_case, HISTORY_CASE, "case", case_page_show);
}

void status_case_json(struct http_exchange *exchange, void *context)
{
    reply_found(exchange, context, status_case, HISTORY_CASE, "case", give);
}

void status_run_page(struct http_exchange *exchange, void *context)
{
    struct daemon *daemon = context;
    const char *id = http_parameter(exchange, "id");

    if (id == NULL || !document_reply(daemon->documents, exchange, id, pages_run))
        history_answer(exchange, daemon, HISTORY_STATUS, id, "run", show_run);
}

void status_run_json(struct http_exchange *exchange, void *context)
{
    struct daemon *daemon = context;

    const char *id = http_parameter(exchange, "id");

    daemon->watched_ms = now().mono_ms;
    if (id == NULL || !document_reply(daemon->documents, exchange, id, NULL))
        history_answer(exchange, daemon, HISTORY_STATUS, id, "run", give);
}

static void show_kept_junit(struct http_exchange *exchange, struct daemon *daemon,
                            struct json_object *text)
{
    (void)daemon;
    reply_xml_text(exchange, json_object_get_string(text),
                   (size_t)json_object_get_string_len(text));
    json_object_put(text);
}

void status_run_junit(struct http_exchange *exchange, void *context)
{
    struct daemon *daemon = context;
    const char *id = http_parameter(exchange, "id");

    if (id == NULL || !document_reply_junit(daemon->documents, exchange, id))
        history_answer(exchange, daemon, HISTORY_JUNIT, id, "run", show_kept_junit);
}

/* --- pictures --- */

/* A picture that somebody waits for while a worker draws it. */
struct picture {
    struct http_exchange *exchange; /* is held; NULL once the client has left */
    struct renderer *renderer;      /* draws it; borrowed */
    enum picture_format format;     /* of the picture */
    uint64_t ticket;                /* to cancel the drawing */
};

/* An SVG may be shown by a page of ours, and load nothing but the style sheet. */
static void reply_picture(struct http_exchange *exchange, const char *type,
                          const char *data, size_t size)
{
    http_add_header(exchange, "Cache-Control", "no-store");
    http_add_header(exchange, "X-Content-Type-Options", "nosniff");
    http_add_header(exchange, "Content-Security-Policy",
                    "default-src 'none'; style-src 'self' 'unsafe-inline'; "
                    "frame-ancestors 'self'");
    http_reply(exchange, 200, type, data, size);
}

static void picture_done(void *argument, const char *data, size_t size, const char *cause)
{
    static const char *const types[] = {"image/png", "image/svg+xml"};
    struct picture *picture = argument;

    if (cause != NULL) {
        http_problem(picture->exchange, 500, "the picture could not be drawn: %s", cause);
    } else {
        reply_picture(picture->exchange, types[picture->format], data, size);
    }
    free(picture);
}

static void picture_gone_cb(void *argument)
{
    struct picture *picture = argument;

    render_cancel(picture->renderer, picture->ticket);
    free(picture);
}

static void draw(struct http_exchange *exchange, struct daemon *daemon, const char *dot,
                 enum picture_format format)
{
    struct picture *picture = xcalloc(1, sizeof *picture);

    picture->exchange = exchange;
    picture->renderer = daemon->renderer;
    picture->format = format;
    if (render_picture(daemon->renderer, dot, format, picture_done, picture,
                       &picture->ticket) == 0) {
        http_hold(exchange, picture_gone_cb, picture);
    } else {
        free(picture);
        http_add_header(exchange, "Retry-After", "5");
        http_problem(exchange, 503,
                     "too many pictures are being drawn: ask again in a moment");
    }
}

static void reply_dot(struct http_exchange *exchange, const char *dot)
{
    http_add_header(exchange, "Cache-Control", "no-store");
    http_reply(exchange, 200, "text/vnd.graphviz; charset=utf-8", dot, strlen(dot));
}

static void show_dot(struct http_exchange *exchange, struct daemon *daemon,
                     struct json_object *dot)
{
    (void)daemon;
    reply_dot(exchange, json_object_get_string(dot));
    json_object_put(dot);
}

static void show_png(struct http_exchange *exchange, struct daemon *daemon,
                     struct json_object *dot)
{
    draw(exchange, daemon, json_object_get_string(dot), PICTURE_PNG);
    json_object_put(dot);
}

static void show_svg(struct http_exchange *exchange, struct daemon *daemon,
                     struct json_object *dot)
{
    draw(exchange, daemon, json_object_get_string(dot), PICTURE_SVG);
    json_object_put(dot);
}

/* Answer with the graph of the case that the path names, in the form that reply() gives
 * it. */
static void reply_graph(struct http_exchange *exchange, struct daemon *daemon,
                        bool context, history_reply *reply)
{
    const char *id = http_parameter(exchange, "id");
    char *dot = id != NULL ? graph_case(daemon->engine, id, context) : NULL;

    if (dot != NULL) {
        struct json_object *text = json_new_text(dot);
        reply(exchange, daemon, text);
    } else {
        history_answer(exchange, daemon, context ? HISTORY_CONTEXT : HISTORY_MACHINE, id,
                       "case", reply);
    }
    free(dot);
}

void status_machine_png(struct http_exchange *exchange, void *context)
{
    reply_graph(exchange, context, false, show_png);
}

void status_machine_svg(struct http_exchange *exchange, void *context)
{
    reply_graph(exchange, context, false, show_svg);
}

void status_machine_dot(struct http_exchange *exchange, void *context)
{
    reply_graph(exchange, context, false, show_dot);
}

void status_context_png(struct http_exchange *exchange, void *context)
{
    reply_graph(exchange, context, true, show_png);
}

void status_context_svg(struct http_exchange *exchange, void *context)
{
    reply_graph(exchange, context, true, show_svg);
}

void status_context_dot(struct http_exchange *exchange, void *context)
{
    reply_graph(exchange, context, true, show_dot);
}

static void show_sequence(struct http_exchange *exchange, struct daemon *daemon,
                          struct json_object *testcase)
{
    size_t size;
    char *svg = sequence_svg(attempt_shown(testcase), &size);

    (void)daemon;
    reply_picture(exchange, "image/svg+xml", svg, size);
    json_object_put(testcase);
    free(svg);
}

void status_sequence(struct http_exchange *exchange, void *context)
{
    reply_found(exchange, context, status_case, HISTORY_CASE, "case", show_sequence);
}
