/* SPDX-License-Identifier: Apache-2.0 */
/* What a page says of a run as a whole. Any thread. */
#ifndef TL_PAGES_RUNS_H
#define TL_PAGES_RUNS_H

#include "markup.h"

#include <json-c/json.h>
#include <stdbool.h>

/* Whether it has ended. */
bool runs_has_ended(struct json_object *run);

/* What people call it: its label, else "run" and the beginning of its id. Made visible;
 * owned by the caller. */
char *runs_name(struct json_object *run);

/* A paragraph about the run (the member of status.json): its name, how it stands, when it
 * began and ended, where its reports are. On the board another run may follow it. */
void runs_put_head(struct markup *markup, struct json_object *run, const char *now,
                   bool on_board);

#endif
