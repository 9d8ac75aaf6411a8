/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is behind the engine: homerunner with its deployments, which go on without the
 * process that asked for them, and servers that answer the requests of tests.
 */
#ifndef SIM_HOMES_H
#define SIM_HOMES_H

#include "engine.h"
#include "sim.h"

#include <json-c/json.h>

void homes_begin(struct sim *sim);
void homes_free(struct sim *sim);

/* What the engine asks for; see struct engine_ops. */
void homes_create(struct sim *sim, const char *deployment,
                  const struct server_wanted *servers, size_t count);
void homes_destroy(struct sim *sim, const char *deployment, const char *where, bool lost);
void homes_request(struct sim *sim, const char *ticket, struct json_object *request);

/* The process died: nobody hears of what is under way. */
void homes_forget_process(struct sim *sim);

/* Whether the answer to this request is yet to come; it has come to the engine. */
bool homes_is_asked(const struct sim *sim, const char *ticket);
void homes_answered(struct sim *sim, const char *ticket);

/* Requests of tests that are under way. */
size_t homes_requests(const struct sim *sim);

/* How many deployments there are, or may be yet, but for those that nobody could destroy.
 */
size_t homes_left(const struct sim *sim);

#endif
