/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which tests ask for which actions, for people who read the dictionary. Only reads. Same
 * thread as the engine.
 */
#ifndef TL_USAGE_H
#define TL_USAGE_H

#include "engine.h"

#include <json-c/json.h>

/* The tests of the run that people look at, by the actions that some role of them is
 * asked to do: {action: [{id, name}]}, where id is the suite's. Owned by the caller. */
struct json_object *usage_json(const struct engine *engine);

#endif
