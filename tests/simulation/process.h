/* SPDX-License-Identifier: Apache-2.0 */
/* Processes of the server: one dies at any moment, and another one goes on from the
 * journal. */
#ifndef SIM_PROCESS_H
#define SIM_PROCESS_H

#include "front.h"
#include "sim.h"

/* Make the engine of the first one. */
void process_begin(struct sim *sim);

/* The process ends now; another one starts after a while. */
void process_end(struct sim *sim, const char *why);

/* The process may die after this event. */
void process_tempt(struct sim *sim);

/* Another engine from the journal as far as it was applied. Owned by the caller. */
struct engine *process_replay(struct sim *sim);

#endif
