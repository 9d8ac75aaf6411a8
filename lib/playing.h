/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client and the part that it plays, as a person who is that client needs to see it.
 * Only reads. Same thread as the engine.
 */
#ifndef TL_PLAYING_H
#define TL_PLAYING_H

#include "clock.h"
#include "engine.h"

#include <json-c/json.h>

/* What the client with this id is about, NULL if it is unknown; owned by the caller:
 *
 *   id, type, state, registration   as in status.json
 *   poll      what a poll answers: {action, data, id, responses}; where that would be
 *             held, the action is "idle" and data.reason says why there is nothing to do
 *   task      of an action: {entry, left}: what the dictionary says of it for this type
 *             (NULL: nothing), and the seconds until its time-out or the case's
 *   waits     of a client without a part: wanted_cases(), at most 5
 *   part      NULL before it plays: {test, description, case, name, state, message, role,
 *             machine, others: [{role, type, action}], files: [name]}, of the attempt
 *             that it plays or played in
 */
struct json_object *playing_json(const struct engine *engine, const char *id,
                                 const struct instant *now);

#endif
