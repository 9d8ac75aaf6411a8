/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold whatever happens, and the memory by which one sees that it does. */
#ifndef SIM_INVARIANTS_H
#define SIM_INVARIANTS_H

#include "engine.h"
#include "fleet.h"
#include "sim.h"

#include <json-c/json.h>

/* --- ledger.c: what became of reports --- */

void ledger_begin(struct sim *sim);
void ledger_free(struct sim *sim);

/* An input is about to be applied for the first time, and was. */
void ledger_before(struct sim *sim, struct json_object *input);
void ledger_after(struct sim *sim, struct json_object *input, enum engine_result result,
                  const char *cause);

/* The robot heard that its report was received. */
void ledger_acknowledged(struct sim *sim, struct robot *robot);

/* The engine has every report that was taken, and each once. */
void ledger_check(struct sim *sim);

/* --- memory.c: what has happened stays --- */

void memory_begin(struct sim *sim);
void memory_free(struct sim *sim);

/* Outcomes are as they were seen first. */
void memory_check_outcomes(struct sim *sim);

/* Runs that have ended say so where anything is to be seen of them anew. */
void memory_check_changes(struct sim *sim);

/* Count what became of the cases. */
void memory_count(struct sim *sim);

/* --- invariants.c --- */

/* After every input. */
void invariants_check(struct sim *sim);

/* A deployment is asked for, which is not yet counted by the engine's limit. */
void invariants_check_create(struct sim *sim, const char *deployment);

/* Another engine from the journal is as this one; the reports are in it. */
void invariants_check_replay(struct sim *sim);

/* All is over. */
void invariants_check_end(struct sim *sim);

#endif
