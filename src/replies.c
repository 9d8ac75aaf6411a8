/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that several endpoints for people and tools give. */
#include "replies.h"

#include "json.h"
#include "pages.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define HTML "text/html; charset=utf-8"

bool reply_wants_page(const struct http_exchange *exchange)
{
    const char *accept = http_header(exchange, "Accept");

    return accept != NULL && strstr(accept, "text/html") != NULL;
}

static void reply_html(struct http_exchange *exchange, int status, const char *html,
                       size_t size)
{
    http_add_header(
        exchange, "Content-Security-Policy",
        "default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'self'; "
        "script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'");
    http_add_header(exchange, "X-Content-Type-Options", "nosniff");
    http_add_header(exchange, "Cache-Control", "no-store");
    http_reply(exchange, status, HTML, html, size);
}

void reply_page_text(struct http_exchange *exchange, const char *html, size_t size)
{
    reply_html(exchange, 200, html, size);
}

void reply_page_as(struct http_exchange *exchange, int status,
                   struct json_object *document,
                   char *(*write_page)(struct json_object *document, size_t *size))
{
    size_t size;
    char *html = write_page(document, &size);

    reply_html(exchange, status, html, size);
    free(html);
}

void reply_page(struct http_exchange *exchange, struct json_object *document,
                char *(*write_page)(struct json_object *document, size_t *size))
{
    reply_page_as(exchange, 200, document, write_page);
}

void reply_see_other(struct http_exchange *exchange, const char *path)
{
    http_add_header(exchange, "Location", path);
    http_add_header(exchange, "Cache-Control", "no-store");
    http_reply(exchange, 303, "text/plain", path, strlen(path));
}

void reply_json(struct http_exchange *exchange, struct json_object *document)
{
    const char *text = json_text(document);

    reply_json_text(exchange, text, strlen(text));
}

void reply_json_text(struct http_exchange *exchange, const char *json, size_t size)
{
    http_add_header(exchange, "Cache-Control", "no-store");
    http_reply(exchange, 200, "application/json", json, size);
}

void reply_xml_text(struct http_exchange *exchange, const char *xml, size_t size)
{
    http_add_header(exchange, "Cache-Control", "no-store");
    http_reply(exchange, 200, "application/xml", xml, size);
}

void reply_missing(struct http_exchange *exchange, const char *what)
{
    char *detail = xasprintf("there is no %s of this id: /status lists all of the latest "
                             "run, /runs the earlier ones",
                             what);
    size_t size;

    if (reply_wants_page(exchange)) {
        char *html = pages_problem(404, "Not Found", detail, &size);
        reply_html(exchange, 404, html, size);
        free(html);
    } else {
        http_problem(exchange, 404, "%s", detail);
    }
    free(detail);
}
