/* SPDX-License-Identifier: Apache-2.0 */
/* What adapters and the server say to each other, to be copied. Any thread. */
#ifndef TL_PAGES_EXAMPLE_H
#define TL_PAGES_EXAMPLE_H

#include "markup.h"

#include <json-c/json.h>

/* How a client registers, polls and goes on. `base` is the server's address
 * ("http://localhost:5000"). */
void example_put_joining(struct markup *markup, const char *base);

/* The answer of a poll that asks for the action, and the command that reports about
 * it; `entry` is the dictionary's. */
void example_put(struct markup *markup, const char *action, struct json_object *entry,
                 const char *base);

/* JSON, on as many lines as it needs. */
void example_put_json(struct markup *markup, struct json_object *value);

#endif
