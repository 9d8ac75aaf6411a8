/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many free clients of a kind there are, and what the cases need of them: counted, as
 * sets of bits, so that 64 cases are ruled out at once. Cases are numbered by their
 * order. One thread at a time.
 */
#ifndef TL_SUPPLY_H
#define TL_SUPPLY_H

#include "bits.h"

#include <stdbool.h>
#include <sys/queue.h>

/* All zero: nobody is free, nobody is needed. */
struct supply {
    size_t free;       /* how many are free */
    struct bits *more; /* more[n]: cases that need more than n; owned */
    size_t most;       /* length of more: no case needs more */
    struct bits spent; /* cases that can't have those that are free */
    size_t noted;      /* for the caller: of the case whose needs it counts just now */
    bool scarce;       /* a case may lack it: it is in the list of such */
    TAILQ_ENTRY(supply) link; /* in there */
};

/* Supplies that a case may lack: those that must be looked at. */
TAILQ_HEAD(supply_list, supply);

/* The case needs more than `count` of them. */
void supply_need(struct supply *supply, struct supply_list *scarce, size_t count,
                 size_t order);

/* One more is free: gives whether a case may have lacked just this one. One less is. */
bool supply_grow(struct supply *supply, struct supply_list *scarce);
void supply_shrink(struct supply *supply, struct supply_list *scarce);

/* Those that are free are none for this case, until there is one more. */
void supply_spend(struct supply *supply, struct supply_list *scarce, size_t order);

/* Those of `cases`, bits of this word (see lib/bits.h), that lack none of these
 * supplies. */
uint64_t supply_suffices(const struct supply_list *scarce, size_t word, uint64_t cases);

/* Free what it owns. It must not be looked at any more. */
void supply_clear(struct supply *supply);

#endif
