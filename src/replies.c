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

    if (accept == NULL || strstr(accept, "text/html") == NULL)
        return false;
    /* libraries of programs may say so by default; browsers that post say more */
    return !http_is_post(exchange) || strstr(accept, "application/xhtml+xml") != NULL;
}

static void put_asked(void *argument, const char *name, const char *value)
{
    struct json_object *asked = argument;

    if (!json_object_object_get_ex(asked, name, NULL))
        json_put_text(asked, name, value);
}

struct json_object *reply_asked(const struct http_exchange *exchange)
{
    struct json_object *asked = json_new_object();

    http_each_query(exchange, put_asked, asked);
    return asked;
}

static void reply_html(struct http_exchange *exchange, int status, const char *html,
                       size_t size)
{
    http_add_header(
        exchange, "Content-Security-Policy",
        "default-src 'none'; img-src 'self' data:; media-src 'self'; object-src 'self'; "
        "frame-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
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
    http_problem(exchange, 404,
                 "there is no %s of this id: /status lists all of the latest run, /runs "
                 "the earlier ones",
                 what);
}

/* --- problems --- */

/* The path of the page of ours from which the browser came, or NULL. Borrowed. */
static const char *way_back(const struct http_exchange *exchange)
{
    const char *referer = http_header(exchange, "Referer");
    const char *host = http_header(exchange, "Host");
    const char *authority = referer != NULL ? strstr(referer, "://") : NULL;
    size_t length = host != NULL ? strlen(host) : 0;

    if (authority == NULL || length == 0 || strncmp(authority + 3, host, length) != 0)
        return NULL;
    const char *path = authority + 3 + length;
    /* "//" begins another host, and so does what browsers take for it */
    return path[0] == '/' && path[1] != '/' && path[1] != '\\' ? path : NULL;
}

bool reply_problem_page(struct http_exchange *exchange, int status, const char *title,
                        const char *detail)
{
    size_t size;

    if (!reply_wants_page(exchange))
        return false;
    char *html = pages_problem(status, title, detail, way_back(exchange), &size);
    reply_html(exchange, status, html, size);
    free(html);
    return true;
}
