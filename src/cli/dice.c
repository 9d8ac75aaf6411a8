/* SPDX-License-Identifier: Apache-2.0 */
/* Chance from a counter: it goes up in steps of 2^64 over the golden ratio, and what is
 * thrown is the counter with its bits mixed. */
#include "dice.h"

#define STEP UINT64_C(0x9e3779b97f4a7c15)

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
    x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return x ^ x >> 32;
}

static uint64_t next(struct dice *dice)
{
    dice->state += STEP;
    return mix(dice->state);
}

struct dice dice_of(uint64_t seed, uint64_t player)
{
    return (struct dice){mix(seed) ^ mix(player + STEP)};
}

int64_t dice_between(struct dice *dice, int64_t low, int64_t high)
{
    uint64_t span = (uint64_t)high - (uint64_t)low + 1;

    return (int64_t)((uint64_t)low + next(dice) % span);
}

bool dice_chance(struct dice *dice, double probability)
{
    return (double)(next(dice) >> 11) * 0x1p-53 < probability;
}
