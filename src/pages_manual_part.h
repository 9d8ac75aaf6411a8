/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person who is a client is in: blocks of the page in src/pages_manual.c, of
 * playing_json() in lib/playing.h. Any thread.
 */
#ifndef TL_PAGES_MANUAL_PART_H
#define TL_PAGES_MANUAL_PART_H

#include "markup.h"

#include <json-c/json.h>

/* Role, kind of client, test, and what the others are and do; as far as there is a
 * part. */
void manual_put_part(struct markup *markup, struct json_object *playing);

/* The files that were uploaded in the part, and a form for more. */
void manual_put_files(struct markup *markup, struct json_object *playing);

#endif
