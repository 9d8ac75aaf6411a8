/* SPDX-License-Identifier: Apache-2.0 */
/* Which of many things comes first: a binary heap. */
#include "heap.h"

#include "xalloc.h"

#include <stdlib.h>

static void place(struct heap *heap, struct heap_entry *entry, size_t position)
{
    heap->entries[position] = entry;
    entry->position = position;
}

/* Let an entry rise or sink from a free position to where it belongs. */
static void settle(struct heap *heap, struct heap_entry *entry, size_t at)
{
    struct heap_entry **entries = heap->entries;

    for (; at > 1 && entries[at / 2]->key > entry->key; at /= 2)
        place(heap, entries[at / 2], at);
    for (;;) {
        size_t child = 2 * at;
        if (child < heap->count && entries[child + 1]->key < entries[child]->key)
            child++;
        if (child > heap->count || entries[child]->key >= entry->key)
            break;
        place(heap, entries[child], at);
        at = child;
    }
    place(heap, entry, at);
}

void heap_remove(struct heap *heap, struct heap_entry *entry)
{
    size_t hole = entry->position;

    if (hole == 0)
        return;
    struct heap_entry *last = heap->entries[heap->count--];
    entry->position = 0;
    if (last != entry)
        settle(heap, last, hole);
}

void heap_put(struct heap *heap, struct heap_entry *entry, int64_t key)
{
    if (entry->position != 0 && entry->key == key)
        return;
    heap_remove(heap, entry);
    entry->key = key;
    if (heap->count + 2 > heap->capacity) {
        heap->capacity = heap->capacity ? 2 * heap->capacity : 4;
        heap->entries = xreallocarray(heap->entries, heap->capacity, sizeof(void *));
    }
    heap->count++;
    settle(heap, entry, heap->count);
}

struct heap_entry *heap_first(const struct heap *heap)
{
    return heap->count > 0 ? heap->entries[1] : NULL;
}

void heap_clear(struct heap *heap)
{
    free(heap->entries);
    *heap = (struct heap){0};
}
