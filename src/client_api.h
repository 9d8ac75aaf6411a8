/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The endpoints for adapters: register, poll, report, error; the one for uploads is in
 * src/upload.c. Handlers of src/http.h; their context is the struct daemon. Loop thread
 * only.
 */
#ifndef TL_CLIENT_API_H
#define TL_CLIENT_API_H

#include "engine.h"
#include "http.h"

http_handler client_register;
http_handler client_poll;
http_handler client_report;
http_handler client_error;

struct daemon;
struct json_object;

/* Whether a text can be a client's id. */
bool client_is_id(const char *text);

/* The client's id, or NULL: then the exchange has been answered. Borrowed from it. */
const char *client_read_id(struct http_exchange *exchange);

/* How an endpoint answers with what came of its input. Takes cause. */
typedef void client_answer(struct http_exchange *exchange, struct daemon *daemon,
                           const char *client, enum engine_result result, char *cause);

/* The answer that adapters get. */
client_answer client_reply;

/* Take an input (owned by this) of this client, and answer with what comes of it: that it
 * could not be written down as adapters hear it, anything else by answer(). */
void client_take(struct http_exchange *exchange, struct daemon *daemon, const char *id,
                 struct json_object *input, client_answer *answer);

/* Whether the body is one that a client can register with now; else the exchange has been
 * answered. */
bool client_may_register(struct http_exchange *exchange, const struct daemon *daemon,
                         const char *id, struct json_object *body);

/* Answer that there is no room for it now. */
void client_reply_full(struct http_exchange *exchange, const char *cause);

#endif
