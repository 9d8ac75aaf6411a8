/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of small numbers as bits. */
#include "bits.h"

#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

static uint64_t mask(size_t number)
{
    return UINT64_C(1) << number % BITS_PER_WORD;
}

/* Have memory for this word, too. */
static void cover(struct bits *bits, size_t word)
{
    if (bits->count == 0)
        bits->first = word;
    size_t before = word < bits->first ? bits->first - word : 0;
    size_t count = before + bits->count;

    if (word - (bits->first - before) >= count)
        count = word - (bits->first - before) + 1;
    if (count > bits->capacity) {
        bits->capacity = count > 2 * bits->capacity ? count : 2 * bits->capacity;
        bits->words = xreallocarray(bits->words, bits->capacity, sizeof *bits->words);
    }
    memmove(bits->words + before, bits->words, bits->count * sizeof *bits->words);
    memset(bits->words, 0, before * sizeof *bits->words);
    memset(bits->words + before + bits->count, 0,
           (count - before - bits->count) * sizeof *bits->words);
    bits->first -= before;
    bits->count = count;
}

void bits_add(struct bits *bits, size_t number)
{
    size_t word = number / BITS_PER_WORD;

    if (word - bits->first >= bits->count)
        cover(bits, word);
    bits->words[word - bits->first] |= mask(number);
}

void bits_remove(struct bits *bits, size_t number)
{
    size_t word = number / BITS_PER_WORD;

    if (word - bits->first < bits->count)
        bits->words[word - bits->first] &= ~mask(number);
}

void bits_clear(struct bits *bits)
{
    free(bits->words);
    *bits = (struct bits){0};
}
