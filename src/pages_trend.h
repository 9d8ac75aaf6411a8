/* SPDX-License-Identifier: Apache-2.0 */
/* How a test fared from run to run, as a row of a table. Any thread. */
#ifndef TL_PAGES_TREND_H
#define TL_PAGES_TREND_H

#include "markup.h"

#include <json-c/json.h>

/* Write the row of an entry of HISTORY_TRENDS (src/history.h): its latest outcome, test
 * and clients, pass rate, outcomes, durations, last change. `now` is when that was;
 * `known` has the ids of the rows before it. */
void trend_put_row(struct markup *markup, struct json_object *entry, const char *now,
                   struct json_object *known);

#endif
