/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said of a thing in a line: which it is, and how it stands. Only reads. Same
 * thread as the engine.
 */
#ifndef TL_BRIEF_H
#define TL_BRIEF_H

#include "engine.h"

#include <json-c/json.h>

/* {"id", "state"}, of a case with its "run" as well; the state is "gone" if there is no
 * such thing any more. Owned by the caller. */
struct json_object *brief_of(const struct engine *engine, enum engine_thing thing,
                             const char *id);

#endif
