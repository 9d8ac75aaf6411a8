/* SPDX-License-Identifier: Apache-2.0 */
/* What the rooms of the fixture share: the inputs of a world, given to another engine. */
#ifndef TL_FIXTURE_REPLAY_H
#define TL_FIXTURE_REPLAY_H

#include "fixture.h"

/* Give a noted input to this engine; gives what came of it. */
enum engine_result replay_one(struct world *world, struct engine *engine,
                              struct json_object *noted, bool *fresh);

/* Whether this input brings a run that the engine has. */
bool replay_brings_run(const struct engine *engine, struct json_object *noted);

/* Everything that is to be seen of an engine. Owned. */
char *world_seen(const struct engine *engine, int64_t ms);

#endif
