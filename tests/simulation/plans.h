/* SPDX-License-Identifier: Apache-2.0 */
/* Random plans of runs: settings, a dictionary, definitions by states or by steps. */
#ifndef SIM_PLANS_H
#define SIM_PLANS_H

#include "sim.h"

#include <json-c/json.h>

/* A plan for a run of this id, in the form of lib/run.h; a mistake in it fails the seed.
 * Owned by the caller. */
struct json_object *plan_make(struct sim *sim, const char *id);

/* A registration by chance: of a type that roles want, mostly. Owned by the caller. */
struct json_object *plan_registration(struct sim *sim);

#endif
