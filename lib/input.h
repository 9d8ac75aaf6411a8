/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inputs of the engine as JSON, so that they can be written down and read back: the
 * same inputs, given to a new engine in their order with their moments, lead to the same
 * state. One function makes each kind; input_apply() does what it says. Same thread as
 * the engine.
 *
 * The functions that make inputs copy texts (what is no UTF-8 becomes U+FFFD) and keep
 * references to JSON; what they give is owned by the caller.
 */
#ifndef TL_INPUT_H
#define TL_INPUT_H

#include "engine.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

struct json_object *input_register(const char *client, struct json_object *registration);
/* A NULL delivery: the client was given none. */
struct json_object *input_report(const char *client, const char *delivery, bool strict,
                                 struct json_object *body);
struct json_object *input_client_error(const char *client, bool is_action,
                                       const char *details, const char *path);
struct json_object *input_uploaded(const char *client, const char *name, size_t size,
                                   const char *colour);
struct json_object *input_lost(const char *client, const char *reason);
/* A NULL `where`: not known, as in inputs that were written before there was one. */
struct json_object *input_created(const char *deployment, const char *where,
                                  struct json_object *servers, const char *cause);
struct json_object *input_destroyed(const char *deployment, const char *cause);
struct json_object *input_http_answered(const char *ticket, struct json_object *reply,
                                        const char *cause);
struct json_object *input_time(struct json_object *polled);
struct json_object *input_stop(const char *reason);
struct json_object *input_resume(void);

/* A run is asked for: the plan says which; see lib/run.h. */
struct json_object *input_add_run(struct json_object *plan);

/* It begins. `checkpoint`: what led here can't be read back any more, but for runs, and
 * this is what came of it, see engine_run_checkpoint(); else NULL. */
struct json_object *input_begin_run(const char *run, struct json_object *checkpoint);
struct json_object *input_forget_run(const char *run);
struct json_object *input_cancel_run(const char *run, const char *who);
struct json_object *input_cancel_case(const char *testcase, const char *who);

/* A part of a snapshot, see lib/snapshot.h; takes it. Changes nothing but an engine that
 * has had no input but such parts, and those that bring runs. */
struct json_object *input_snapshot(struct json_object *part);

/* Do what the input says. Borrows it. ENGINE_UNREADABLE, with *cause, for one that no
 * function here makes. */
enum engine_result input_apply(struct engine *engine, struct json_object *input,
                               const struct instant *now, char **cause);

/* The same for inputs that are read back from the first one on: a beginning that has a
 * checkpoint, or a snapshot, restores it where it comes first but for runs. `*fresh` is
 * true before the first input, and is kept by the caller from one call to the next. */
enum engine_result input_replay(struct engine *engine, struct json_object *input,
                                const struct instant *now, bool *fresh, char **cause);

#endif
