/* SPDX-License-Identifier: Apache-2.0 */
/* How many are free, and how many are needed. */
#include "supply.h"

#include "xalloc.h"

#include <stdlib.h>

/* Whether a case may lack it has changed, perhaps. */
static void weigh(struct supply *supply, struct supply_list *scarce)
{
    bool is_scarce = supply->free < supply->most || supply->spent.count > 0;

    if (is_scarce && !supply->scarce)
        TAILQ_INSERT_TAIL(scarce, supply, link);
    else if (!is_scarce && supply->scarce)
        TAILQ_REMOVE(scarce, supply, link);
    supply->scarce = is_scarce;
}

void supply_need(struct supply *supply, struct supply_list *scarce, size_t count,
                 size_t order)
{
    while (count >= supply->most) {
        supply->more =
            xreallocarray(supply->more, supply->most + 1, sizeof *supply->more);
        supply->more[supply->most++] = (struct bits){0};
    }
    bits_add(&supply->more[count], order);
    weigh(supply, scarce);
}

bool supply_grow(struct supply *supply, struct supply_list *scarce)
{
    bool helps = supply->scarce;

    supply->free++;
    bits_clear(&supply->spent);
    weigh(supply, scarce);
    return helps;
}

void supply_shrink(struct supply *supply, struct supply_list *scarce)
{
    supply->free--;
    weigh(supply, scarce);
}

void supply_spend(struct supply *supply, struct supply_list *scarce, size_t order)
{
    bits_add(&supply->spent, order);
    weigh(supply, scarce);
}

static uint64_t lacking(const struct supply *supply, size_t word)
{
    uint64_t cases = bits_word(&supply->spent, word);

    if (supply->free < supply->most)
        cases |= bits_word(&supply->more[supply->free], word);
    return cases;
}

uint64_t supply_suffices(const struct supply_list *scarce, size_t word, uint64_t cases)
{
    const struct supply *supply;

    for (supply = TAILQ_FIRST(scarce); supply != NULL && cases != 0;
         supply = TAILQ_NEXT(supply, link))
        cases &= ~lacking(supply, word);
    return cases;
}

void supply_clear(struct supply *supply)
{
    for (size_t i = 0; i < supply->most; i++)
        bits_clear(&supply->more[i]);
    free(supply->more);
    bits_clear(&supply->spent);
}
