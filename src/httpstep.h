/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP steps of tests: requests to other servers, sent by workers. Loop thread only.
 */
#ifndef TL_HTTPSTEP_H
#define TL_HTTPSTEP_H

#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>

struct httpsteps;
struct workers;

struct httpstep_settings {
    size_t threads;             /* requests at once */
    size_t queue;               /* further ones that may wait */
    int64_t timeout_ms;         /* of a request that names no time-out */
    int64_t connect_timeout_ms; /* of that, to reach the server at all */
    size_t reply_limit;         /* bytes of an answer */
};

/* Is called from the loop, exactly once for each request, never inside httpstep_send():
 * the reply ({status, headers, json, text}; borrowed; headers by lower-case name), or
 * NULL and the cause. */
typedef void httpstep_answered(void *context, const char *ticket,
                               struct json_object *reply, const char *cause);

/* Make it. Adds a lane to `workers`; copies settings, borrows context. */
struct httpsteps *httpstep_new(struct workers *workers,
                               const struct httpstep_settings *settings,
                               httpstep_answered *answered, void *context);

/* Send a request: {method, url, headers, json or text, timeout}, all but url optional;
 * borrowed. */
void httpstep_send(struct httpsteps *steps, const char *ticket,
                   struct json_object *request);

/* Free it, after workers_free(). */
void httpstep_free(struct httpsteps *steps);

#endif
