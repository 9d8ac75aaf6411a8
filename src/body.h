/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of requests as JSON objects, whichever way they were sent. Loop thread only. */
#ifndef TL_BODY_H
#define TL_BODY_H

#include <json-c/json.h>
#include <stddef.h>

struct http_exchange;

/* Read the request's body as an object, at most `depth` deep; an empty body is {}. A form
 * becomes an object of strings, unless it begins with `{`: then it is JSON with a wrong
 * label. Gives the object, owned by the caller; or NULL, and the exchange has been
 * answered with what was wrong. */
struct json_object *body_read_object(struct http_exchange *exchange, int depth);

#endif
