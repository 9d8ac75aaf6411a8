/* SPDX-License-Identifier: Apache-2.0 */
/* The drawings of a case on its page: its machine, and the sequence of what happened. */
#ifndef TL_PAGES_DRAWINGS_H
#define TL_PAGES_DRAWINGS_H

#include "markup.h"

#include <json-c/json.h>

/* The machine, as a section with a heading of this level ("h2"). Its links are relative
 * to /status/<case>/. */
void drawings_put_machine(struct markup *markup, struct json_object *testcase,
                          const char *level);

/* The sequence of an attempt, or of the one that the case shows, as such a section. */
void drawings_put_sequence(struct markup *markup, struct json_object *testcase,
                           const char *level);

/* The same folded, of an attempt whose lines have this before their ids. */
void drawings_put_folded(struct markup *markup, struct json_object *attempt,
                         const char *prefix);

#endif
