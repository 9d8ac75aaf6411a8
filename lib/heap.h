/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of many things comes first: a binary heap whose entries live inside their owners.
 * Any thread, one at a time.
 */
#ifndef TL_HEAP_H
#define TL_HEAP_H

#include <stddef.h>
#include <stdint.h>

/* Is embedded in what is to be ordered. All zero: not in the heap. */
struct heap_entry {
    int64_t key;     /* the smallest comes first */
    size_t position; /* in the heap, from 1; 0: not in it */
    void *owner;     /* whose entry this is; borrowed */
};

struct heap {
    struct heap_entry **entries; /* entries[1] comes first; owned */
    size_t count;                /* entries in the heap */
    size_t capacity;             /* allocated length of entries */
};

/* Put the entry in, or move it to where its new key belongs. */
void heap_put(struct heap *heap, struct heap_entry *entry, int64_t key);

/* Take the entry out; does nothing if it is not in. */
void heap_remove(struct heap *heap, struct heap_entry *entry);

/* The entry with the smallest key, or NULL. */
struct heap_entry *heap_first(const struct heap *heap);

/* Free the heap, not what is in it. */
void heap_clear(struct heap *heap);

#endif
