/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A journal that has grown long is made shorter: a snapshot of the engine takes the place
 * of the inputs that led to it, so that the next start has less to read. For the start,
 * before the loop.
 */
#ifndef TL_COMPACTION_H
#define TL_COMPACTION_H

#include "clock.h"

#include <stddef.h>

struct daemon;

/* What a journal has, besides what brings runs. */
struct compaction_tally {
    size_t inputs;         /* that came after its snapshot, or all where it has none */
    size_t bytes;          /* of their texts */
    size_t snapshot_bytes; /* of the texts of its snapshot; 0: it has none */
};

/* The engine stands where the journal ends, at this moment: make the journal shorter if
 * that is worth it. Blocks. */
void compaction_look(struct daemon *daemon, const struct compaction_tally *tally,
                     const struct instant *last);

#endif
