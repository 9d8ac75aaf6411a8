/* SPDX-License-Identifier: Apache-2.0 */
/* The endpoints for people and tools. They only read the engine. */
#include "status_api.h"

#include "daemon.h"
#include "data.h"
#include "dictionary.h"
#include "graph.h"
#include "json.h"
#include "junit.h"
#include "now.h"
#include "pages.h"
#include "render.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define HTML "text/html; charset=utf-8"

/* Answer with a page; takes html. Pages have no scripts and load nothing from elsewhere. */
static void reply_html(struct http_exchange *exchange, int status, char *html,
                       size_t size)
{
    http_add_header(
        exchange, "Content-Security-Policy",
        "default-src 'none'; img-src 'self' data:; style-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'");
    http_add_header(exchange, "X-Content-Type-Options", "nosniff");
    http_add_header(exchange, "Cache-Control", "no-store");
    http_reply(exchange, status, HTML, html, size);
    free(html);
}

static void reply_document(struct http_exchange *exchange, struct json_object *document,
                           char *(*write_page)(struct json_object *document,
                                               size_t *size))
{
    size_t size;
    char *html = write_page(document, &size);

    reply_html(exchange, 200, html, size);
}

/* Nothing is there: a page for a browser that asks for one, else a problem document. */
static void reply_missing(struct http_exchange *exchange, const char *what)
{
    const char *accept = http_header(exchange, "Accept");
    char *detail =
        xasprintf("there is no %s of this id: /status lists all that there are", what);
    size_t size;

    if (accept != NULL && strstr(accept, "text/html") != NULL) {
        char *html = pages_problem(404, "Not Found", detail, &size);
        reply_html(exchange, 404, html, size);
    } else {
        http_problem(exchange, 404, "%s", detail);
    }
    free(detail);
}

static void reply_object(struct http_exchange *exchange, struct json_object *object)
{
    const char *text = json_text(object);

    http_add_header(exchange, "Cache-Control", "no-store");
    http_reply(exchange, 200, "application/json", text, strlen(text));
    json_object_put(object);
}

/* --- everything --- */

void status_root(struct http_exchange *exchange, void *context)
{
    (void)context;
    http_add_header(exchange, "Location", "/status");
    http_reply(exchange, 302, "text/plain", "see /status\n", strlen("see /status\n"));
}

void status_page(struct http_exchange *exchange, void *context)
{
    struct daemon *daemon = context;
    struct status_view view = daemon_view(daemon);
    struct json_object *status = status_all(daemon->engine, &view);

    reply_document(exchange, status, pages_status);
    json_object_put(status);
}

void status_json(struct http_exchange *exchange, void *context)
{
    struct daemon *daemon = context;
    struct status_view view = daemon_view(daemon);

    daemon->watched_ms = view.now.mono_ms;
    reply_object(exchange, status_all(daemon->engine, &view));
}

void status_junit(struct http_exchange *exchange, void *context)
{
    struct daemon *daemon = context;
    struct instant moment = now();
    size_t size;
    char *document = junit_document(daemon->engine, daemon->hostname, &moment, &size);

    http_add_header(exchange, "Cache-Control", "no-store");
    http_reply(exchange, 200, "application/xml", document, size);
    free(document);
}

void status_actions_json(struct http_exchange *exchange, void *context)
{
    struct daemon *daemon = context;

    reply_object(exchange, dictionary_json(daemon->dictionary));
}

void status_actions_page(struct http_exchange *exchange, void *context)
{
    struct daemon *daemon = context;
    struct json_object *dictionary = dictionary_json(daemon->dictionary);

    reply_document(exchange, dictionary, pages_actions);
    json_object_put(dictionary);
}

void status_style(struct http_exchange *exchange, void *context)
{
    (void)context;
    http_add_header(exchange, "X-Content-Type-Options", "nosniff");
    http_add_header(exchange, "Cache-Control", "max-age=3600");
    http_reply(exchange, 200, "text/css; charset=utf-8", data_style, data_style_size);
}

void status_health(struct http_exchange *exchange, void *context)
{
    (void)context;
    http_reply_json(exchange, "{\"status\":\"ok\"}");
}

/* --- one suite, one case --- */

typedef struct json_object *find_fn(const struct engine *engine, const char *id,
                                    const struct status_view *view);

/* The document of what the path names; NULL: the exchange has been answered. */
static struct json_object *find_document(struct http_exchange *exchange,
                                         struct daemon *daemon, find_fn *find,
                                         const char *what)
{
    const char *id = http_parameter(exchange, "id");
    struct status_view view = daemon_view(daemon);
    struct json_object *found = id != NULL ? find(daemon->engine, id, &view) : NULL;

    if (found == NULL)
        reply_missing(exchange, what);
    return found;
}

void status_suite_page(struct http_exchange *exchange, void *context)
{
    struct json_object *suite = find_document(exchange, context, status_suite, "test");

    if (suite != NULL)
        reply_document(exchange, suite, pages_suite);
    json_object_put(suite);
}

void status_case_page(struct http_exchange *exchange, void *context)
{
    struct json_object *testcase = find_document(exchange, context, status_case, "case");

    if (testcase != NULL)
        reply_document(exchange, testcase, pages_case);
    json_object_put(testcase);
}

void status_case_json(struct http_exchange *exchange, void *context)
{
    struct json_object *testcase = find_document(exchange, context, status_case, "case");

    if (testcase != NULL)
        reply_object(exchange, testcase);
}

/* --- pictures --- */

/* A picture that somebody waits for while a worker draws it. */
struct picture {
    struct http_exchange *exchange; /* is held; NULL once the client has left */
    struct renderer *renderer;      /* draws it; borrowed */
    enum picture_format format;     /* of the picture */
    uint64_t ticket;                /* to cancel the drawing */
};

static void picture_done(void *argument, const char *data, size_t size, const char *cause)
{
    static const char *const types[] = {"image/png", "image/svg+xml"};
    struct picture *picture = argument;

    if (cause != NULL) {
        http_problem(picture->exchange, 500, "the picture could not be drawn: %s", cause);
    } else {
        http_add_header(picture->exchange, "Cache-Control", "no-store");
        http_add_header(picture->exchange, "X-Content-Type-Options", "nosniff");
        http_add_header(picture->exchange, "Content-Security-Policy",
                        "default-src 'none'; style-src 'unsafe-inline'");
        http_reply(picture->exchange, 200, types[picture->format], data, size);
    }
    free(picture);
}

static void picture_gone_cb(void *argument)
{
    struct picture *picture = argument;

    render_cancel(picture->renderer, picture->ticket);
    free(picture);
}

/* The graph of the case that the path names, owned; NULL: the exchange has been answered. */
static char *find_graph(struct http_exchange *exchange, struct daemon *daemon,
                        bool context)
{
    const char *id = http_parameter(exchange, "id");
    char *dot = id != NULL ? graph_case(daemon->engine, id, context) : NULL;

    if (dot == NULL)
        reply_missing(exchange, "case");
    return dot;
}

static void reply_picture(struct http_exchange *exchange, struct daemon *daemon,
                          bool context, enum picture_format format)
{
    char *dot = find_graph(exchange, daemon, context);

    if (dot == NULL)
        return;
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
    free(dot);
}

static void reply_dot(struct http_exchange *exchange, struct daemon *daemon, bool context)
{
    char *dot = find_graph(exchange, daemon, context);

    if (dot == NULL)
        return;
    http_add_header(exchange, "Cache-Control", "no-store");
    http_reply(exchange, 200, "text/vnd.graphviz; charset=utf-8", dot, strlen(dot));
    free(dot);
}

void status_machine_png(struct http_exchange *exchange, void *context)
{
    reply_picture(exchange, context, false, PICTURE_PNG);
}

void status_machine_svg(struct http_exchange *exchange, void *context)
{
    reply_picture(exchange, context, false, PICTURE_SVG);
}

void status_machine_dot(struct http_exchange *exchange, void *context)
{
    reply_dot(exchange, context, false);
}

void status_context_png(struct http_exchange *exchange, void *context)
{
    reply_picture(exchange, context, true, PICTURE_PNG);
}

void status_context_svg(struct http_exchange *exchange, void *context)
{
    reply_picture(exchange, context, true, PICTURE_SVG);
}

void status_context_dot(struct http_exchange *exchange, void *context)
{
    reply_dot(exchange, context, true);
}
