/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a case stands, in words, and what may be done about it. Any thread.
 */
#ifndef TL_PAGES_VERDICT_H
#define TL_PAGES_VERDICT_H

#include "markup.h"

#include <json-c/json.h>

/* The outcome of a case or of an attempt (`object`), and the reason; while it goes on,
 * what it waits for. The mark of the attempt (part_put_attempt()) is that of `testcase`,
 * which may be NULL. */
void verdict_put(struct markup *markup, struct json_object *object,
                 struct json_object *testcase);

/* The buttons: run it again, cancel it. They post to the endpoints of src/runs.h, as a
 * program would. */
void verdict_put_buttons(struct markup *markup, struct json_object *testcase);

#endif
