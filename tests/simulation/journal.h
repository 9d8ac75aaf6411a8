/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: the inputs that are safe, as texts with their moments. */
#ifndef SIM_JOURNAL_H
#define SIM_JOURNAL_H

#include "front.h"

/* The input is safe from now on, and gets its number. */
void journal_append(struct front *front, struct pending *pending);

/* Leave out what nobody needs any more: all before the beginning of the oldest run that
 * has begun and is still there, but for inputs that bring runs which are there. */
void journal_trim(struct sim *sim);

/* Have a snapshot take the place of what led to it. */
void journal_take_snapshot(struct sim *sim);

/* An input as it is read back. Owned by the caller. */
struct json_object *journal_read(struct sim *sim, const struct written *written);

#endif
