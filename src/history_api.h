/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the history has to say over HTTP: the list of runs, the trends, and the documents
 * of runs that the engine has forgotten. Handlers of src/http.h; their context is the
 * struct daemon. Loop thread only.
 */
#ifndef TL_HISTORY_API_H
#define TL_HISTORY_API_H

#include "history.h"
#include "http.h"

struct daemon;

/* GET /runs, /history, /history.json. */
http_handler history_runs;
http_handler history_page;
http_handler history_json;

/* Answer the exchange with the document. May hold it once more. Takes the document. */
typedef void history_reply(struct http_exchange *exchange, struct daemon *daemon,
                           struct json_object *document);

/* Find a document in the history, and answer with it by reply(); 404 where there is none,
 * naming `what` is missing ("case"). Copies id, which may be NULL: then nothing is
 * found. */
void history_answer(struct http_exchange *exchange, struct daemon *daemon,
                    enum history_document document, const char *id, const char *what,
                    history_reply *reply);

#endif
