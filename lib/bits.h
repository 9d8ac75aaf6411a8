/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of small numbers as bits, 64 to a word, so that what several sets say of 64
 * numbers is found out at once. A set has memory only for the words from its smallest
 * number to its largest. Any thread, one at a time.
 */
#ifndef TL_BITS_H
#define TL_BITS_H

#include <stddef.h>
#include <stdint.h>

#define BITS_PER_WORD 64

/* All zero: empty. */
struct bits {
    uint64_t *words; /* owned */
    size_t first;    /* which word of all words[0] is */
    size_t count;    /* length of words */
    size_t capacity; /* allocated length of words */
};

/* Put the number in, or take it out. */
void bits_add(struct bits *bits, size_t number);
void bits_remove(struct bits *bits, size_t number);

/* Take all out, and free the memory. */
void bits_clear(struct bits *bits);

/* The numbers from BITS_PER_WORD * word on, the smallest in the lowest bit. */
static inline uint64_t bits_word(const struct bits *bits, size_t word)
{
    /* where word is less than first the difference is huge */
    return word - bits->first < bits->count ? bits->words[word - bits->first] : 0;
}

#endif
