/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sequence diagram of an attempt as SVG: a lane for trafficlight, each role and each
 * server, time downwards, every row a link to its line of the transcript. Shapes and
 * words tell apart what colours do; a page's style sheet may change the colours. Any
 * thread.
 */
#ifndef TL_SEQUENCE_H
#define TL_SEQUENCE_H

#include "markup.h"

#include <json-c/json.h>
#include <stddef.h>

/* So many lines of a transcript a diagram should have at most. */
#define SEQUENCE_LINES 300

/* Write the diagram of the last `limit` lines of an attempt or case (lib/status.h) into a
 * page that has them at "#<prefix>line-7". Gives how many lines before them are left
 * out. */
size_t sequence_put(struct markup *markup, struct json_object *attempt,
                    const char *prefix, size_t limit);

/* The diagram as a document; its links lead to the page "status" beside it. Owned by the
 * caller. */
char *sequence_svg(struct json_object *attempt, size_t *size);

#endif
