/* SPDX-License-Identifier: Apache-2.0 */
/* Polls that are held, and clients that are silent, as src/presence.h has them. */
#ifndef SIM_POLLS_H
#define SIM_POLLS_H

#include "fleet.h"
#include "sim.h"

/* A process has started: it knows the clients from its engine alone. */
void polls_begin(struct sim *sim);

/* The robot polls; it is answered by fleet_polled(), sooner or later. */
void polls_poll(struct sim *sim, struct robot *robot, int64_t request);

/* The robot was heard. */
void polls_heard(struct sim *sim, struct robot *robot);

/* The engine says that there is something to say; after the input it is said. */
void polls_wake(struct sim *sim, const char *client);
void polls_answer_woken(struct sim *sim);

/* Wall time of the latest poll; 0: none. */
int64_t polls_last(const struct sim *sim, const char *client);

#endif
