/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who runs the server: asks for runs, cancels some, stops and starts it, and has it
 * forget runs that have ended. In the end sees that all is over.
 */
#ifndef SIM_PEOPLE_H
#define SIM_PEOPLE_H

#include "sim.h"

void people_begin(struct sim *sim);
void people_free(struct sim *sim);

/* The server has this run: nobody asks for it again, who may not have heard the answer.
 */
void people_note_run(struct sim *sim, const char *id);

/* A process has started. */
void people_begin_process(struct sim *sim);

#endif
