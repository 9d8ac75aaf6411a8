/* SPDX-License-Identifier: Apache-2.0 */
/* A start that finds a journal: the engine stands where it stood. For the start, before
 * the loop. */
#ifndef TL_RESTART_H
#define TL_RESTART_H

#include <stdbool.h>

struct daemon;

/* Give the engine all inputs of the journal, have the clock go on where it stood, and ask
 * again for what was under way. Nothing without a journal, or with an empty one. False
 * after it has logged what is wrong with it. Blocks. */
bool restart_replay(struct daemon *daemon);

#endif
