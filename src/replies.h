/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that several endpoints for people and tools give. Loop thread only. */
#ifndef TL_REPLIES_H
#define TL_REPLIES_H

#include "http.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

/* Whether a page is wanted rather than JSON, as browsers say it. */
bool reply_wants_page(const struct http_exchange *exchange);

/* What the query asks of a page: {name: value}, the first of each name. Owned. */
struct json_object *reply_asked(const struct http_exchange *exchange);

/* Answer 200 with the page that write_page() makes of the document (see src/pages.h).
 * Borrows it. Pages load nothing from elsewhere, scripts included. */
void reply_page(struct http_exchange *exchange, struct json_object *document,
                char *(*write_page)(struct json_object *document, size_t *size));

/* The same with another status. */
void reply_page_as(struct http_exchange *exchange, int status,
                   struct json_object *document,
                   char *(*write_page)(struct json_object *document, size_t *size));

/* Answer 303: what was posted is done, and the browser is to get this path of ours. */
void reply_see_other(struct http_exchange *exchange, const char *path);

/* Answer 200 with the document itself. Borrows it. */
void reply_json(struct http_exchange *exchange, struct json_object *document);

/* The same with what was written already: a page, JSON, XML. Copied. */
void reply_page_text(struct http_exchange *exchange, const char *html, size_t size);
void reply_json_text(struct http_exchange *exchange, const char *json, size_t size);
void reply_xml_text(struct http_exchange *exchange, const char *xml, size_t size);

/* Answer 404: there is no such thing ("case") of the id that was asked for. */
void reply_missing(struct http_exchange *exchange, const char *what);

/* How problems are shown where a page is wanted; see http_server_show_problems(). */
http_problem_show reply_problem_page;

#endif
