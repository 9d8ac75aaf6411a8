/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as a small line. Any thread. */
#ifndef TL_PAGES_SPARK_H
#define TL_PAGES_SPARK_H

#include "markup.h"

#include <json-c/json.h>

/* Draw an array of durations in seconds, the oldest first, the last one marked; in words
 * for those who do not see it. Nothing where there are fewer than two. */
void spark_put(struct markup *markup, struct json_object *durations);

#endif
