/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that an engine knows, as JSON in parts of moderate size: an engine that is restored
 * from them shows the same, and does the same with all that comes. What runs are made of
 * is not among it: the inputs that brought them are kept. Same thread as the engine.
 *
 * The parts, in their order, by their member "what":
 *   engine       version of all this, what goes on
 *   clients      some of them, in the order in which they first registered
 *   runs         how all of them stand
 *   case         one that is not as it was made, with its attempts
 *   lines        some of the transcript of one of its attempts
 *   deployments  all of them
 *   due          some time-outs, in the order in which the engine has them
 *   matching     the run that is going: who plays in it is seated, cases wait in line
 *   line         some clients that wait, in the order in which they stand in line
 *   end
 */
#ifndef TL_SNAPSHOT_H
#define TL_SNAPSHOT_H

#include "engine.h"

#include <json-c/json.h>

struct snapshot;

/* Begin one. Borrows the engine, which may not change until the end. */
struct snapshot *snapshot_new(const struct engine *engine);

/* The next part, owned by the caller; it may share things with the engine. NULL: that was
 * all. */
struct json_object *snapshot_next(struct snapshot *snapshot);
void snapshot_free(struct snapshot *snapshot);

/* Have an engine that has no clients and all runs as they were asked for take what parts
 * say; the last one ends that. */
void snapshot_begin_restoring(struct engine *engine);

/* Take a part, in their order. Runs that the engine does not have were forgotten later:
 * what is said of them is left out but for who played in them; those that it has and no
 * part names had been forgotten, too. ENGINE_UNREADABLE with *cause if it does not fit,
 * or is of another version: the engine is of no use then. Nothing for an engine that
 * restores nothing: what comes before the parts has led to the same. */
enum engine_result snapshot_restore(struct engine *engine, struct json_object *part,
                                    const struct instant *now, char **cause);

#endif
