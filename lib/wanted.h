/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which clients the cases that wait could do with, for people who might be one. Only
 * reads. Same thread as the engine.
 */
#ifndef TL_WANTED_H
#define TL_WANTED_H

#include "engine.h"

#include <json-c/json.h>
#include <stddef.h>

/* The client types of the cases that wait in the run that is going, those that are
 * lacking first, then what most cases want: [{name, type, match, cases, lacking}]. `name`
 * is the one of definitions, `type` what such a client registers as, `match` the other
 * members that it must register with, as globs; `cases` want one, `lacking` more would be
 * needed for one of them to start. Owned by the caller. */
struct json_object *wanted_types(const struct engine *engine);

/* The first `limit` cases that wait for clients and could take one that registered as
 * this type, in the order of the files: [{test, id, name, message}], where message says
 * why the case has not started. Owned by the caller. */
struct json_object *wanted_cases(const struct engine *engine, const char *type,
                                 size_t limit);

#endif
