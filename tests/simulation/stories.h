/* SPDX-License-Identifier: Apache-2.0 */
/* Random definitions of tests as text. */
#ifndef SIM_STORIES_H
#define SIM_STORIES_H

#include "sim.h"

/* A definition of this name. Owned by the caller. */
char *story_make(struct sim *sim, const char *name);

#endif
