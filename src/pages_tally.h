/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many cases or clients are in which state: counted, said in words, drawn as a bar.
 * Any thread.
 */
#ifndef TL_PAGES_TALLY_H
#define TL_PAGES_TALLY_H

#include "pages_parts.h"
#include "pages_query.h"

struct tally {
    size_t of[PART_STATE_COUNT]; /* how many are in each state */
    size_t total;                /* the sum of these */
    size_t flaky;                /* how many succeeded only after a failed attempt */
};

/* Count the elements of the array that is this member of the object. */
void tally_add(struct tally *tally, struct json_object *object, const char *name);

/* How many have ended; how many of these did not succeed. */
size_t tally_ended(const struct tally *tally);
size_t tally_bad(const struct tally *tally);

/* Which lamps these cases light. */
unsigned tally_lights(const struct tally *tally);

/* "3/12 done, 1 failed". Owned by the caller. */
char *tally_title(const struct tally *tally);

/* A bar with a segment for each state, and under it the numbers, each with a link to the
 * cases in that state (the field "state" of this query). */
void tally_put_bar(struct markup *markup, const struct tally *tally,
                   const struct query *query);

#endif
