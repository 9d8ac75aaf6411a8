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

/* The client's id, or NULL: then the exchange has been answered. Borrowed from it. */
const char *client_read_id(struct http_exchange *exchange);

/* Answer with what came of an input. Takes cause. */
void client_reply(struct http_exchange *exchange, enum engine_result result, char *cause);

/* Answer that there is no room for it now. */
void client_reply_full(struct http_exchange *exchange, const char *cause);

#endif
