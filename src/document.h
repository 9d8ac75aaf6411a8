/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The document of a run as an answer, however large it is: gathered from the engine in small steps,
 * between which the loop serves others, and written by a worker. A small one is answered at once.
 * Loop thread only, but for the writing.
 */
#ifndef TL_DOCUMENT_H
#define TL_DOCUMENT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

struct daemon;
struct documents;
struct http_exchange;

/* Make the room. Adds its lane to the workers of the daemon. */
struct documents *documents_new(struct daemon *daemon);
/* After workers_free(); documents that are being gathered are dropped. NULL is fine. */
void documents_free(struct documents *documents);

/* How a document is written: any thread, owned by the caller. */
typedef char *document_write(struct json_object *document, size_t *size);

/* Answer with the document of a run (NULL: the one that people look at): as JSON, where `write` is NULL, else as a
 * page, which finds what the query asks of it (see src/pages_query.h) as the member
 * "asked" of the document. Gives false, and does nothing, if the engine does not know the run. */
bool document_reply(struct documents *documents, struct http_exchange *exchange,
                    const char *run, document_write *write);

/* Answer with a page of a document that came from elsewhere (taken). */
void document_reply_page(struct documents *documents, struct http_exchange *exchange,
                         struct json_object *document, document_write *write);

/* The same as JUnit XML. */
bool document_reply_junit(struct documents *documents, struct http_exchange *exchange,
                          const char *run);

#endif
