/* SPDX-License-Identifier: Apache-2.0 */
/* Uploaded files on a page: pictures and videos to be seen, all of them to be fetched. */
#ifndef TL_PAGES_FILES_H
#define TL_PAGES_FILES_H

#include "markup.h"

#include <json-c/json.h>
#include <stddef.h>

/* Write the list of an attempt's files; of this attempt, or (0) of the one that the case
 * shows anyway. */
void files_put(struct markup *markup, struct json_object *attempt, size_t number);

#endif
