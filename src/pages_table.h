/* SPDX-License-Identifier: Apache-2.0 */
/* A suite as a section with a table of its cases. Any thread. */
#ifndef TL_PAGES_TABLE_H
#define TL_PAGES_TABLE_H

#include "pages_tally.h"

/* Write the table of those cases of the suite (lib/status.h) that `room` has room for.
 * Takes from room what it shows, and gives how many cases it left out. */
size_t table_put_cases(struct markup *markup, struct json_object *suite,
                       struct tally *room);

/* The suite under a heading, with its description and its cases. */
void table_put_suite(struct markup *markup, struct json_object *suite,
                     struct tally *room);

#endif
