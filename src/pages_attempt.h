/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attempts of a case on its page: who played, where, what came of it, what happened.
 * Any thread.
 */
#ifndef TL_PAGES_ATTEMPT_H
#define TL_PAGES_ATTEMPT_H

#include "markup.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

/* How many attempts of the case (lib/status.h) are behind it: all but the one that goes
 * on, or brought the outcome. */
size_t attempt_count_earlier(struct json_object *testcase);

/* Whether there is one that goes on, or brought the outcome. */
bool attempt_is_there(struct json_object *testcase);

/* The attempt that a case shows: that one, else the last one behind it. Borrowed. */
struct json_object *attempt_shown(struct json_object *testcase);

/* A list of links to all of them. */
void attempt_put_links(struct markup *markup, struct json_object *testcase);

/* A section for each of the earlier ones, with what is long folded. */
void attempt_put_earlier(struct markup *markup, struct json_object *testcase);

/* Open the section of attempt `number`, the object: its outcome and time. */
void attempt_open(struct markup *markup, struct json_object *object, size_t number);

/* The one that goes on or brought the outcome, as sections with headings of this level
 * ("h2"), in two halves: the machine's picture may stand between them. */
void attempt_put_players(struct markup *markup, struct json_object *testcase,
                         const char *level);
void attempt_put_story(struct markup *markup, struct json_object *testcase,
                       const char *level);

#endif
