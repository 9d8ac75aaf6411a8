/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What /status.json says, for a person at a terminal: totals, a bar, a table. Any thread.
 */
#ifndef TL_PROGRESS_H
#define TL_PROGRESS_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* How many cases are in which state. */
struct tally {
    size_t cases;     /* in all */
    size_t waiting;   /* for clients */
    size_t preparing; /* their servers are being made */
    size_t running;   /* go through their machine */
    size_t success;   /* ended well */
    size_t failed;    /* ended, the software under test is to blame */
    size_t error;     /* ended in any other way */
    size_t flaky;     /* of those that ended well: only when they were tried again */
    bool done;        /* none of this will change any more */
};

/* Read the state of a server. Gives false if the document is none. */
bool tally_read(struct tally *tally, struct json_object *status);

bool tally_is_equal(const struct tally *one, const struct tally *other);

/* "4 cases: 1 waiting, 3 success, 1 of them flaky": what there is none of is left out.
 * Owned by the caller. */
char *tally_text(const struct tally *tally);

/* One line of at most `columns`: a bar of what has ended, and the totals. Owned by the
 * caller. */
char *progress_line(const struct tally *tally, size_t columns);

/* Write a table of all cases, its last column cut so that lines have at most `columns`
 * where that can be had. */
void progress_table(struct json_object *status, size_t columns, FILE *out);

#endif
