/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chance that can be had again: numbers that follow from a seed. Not for secrets. Any
 * thread, one at a time.
 */
#ifndef TL_DICE_H
#define TL_DICE_H

#include <stdbool.h>
#include <stdint.h>

struct dice {
    uint64_t state; /* where in the sequence */
};

/* The dice of one player: players of the same seed throw different numbers. */
struct dice dice_of(uint64_t seed, uint64_t player);

/* A whole number from `low` to `high`, each as likely as another (low <= high). */
int64_t dice_between(struct dice *dice, int64_t low, int64_t high);

/* True with this probability. */
bool dice_chance(struct dice *dice, double probability);

#endif
