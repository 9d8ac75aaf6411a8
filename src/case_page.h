/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page of a case: what the engine or the history has of it, and how the same case
 * fared in other runs. The handler's context is the struct daemon. Loop thread only.
 */
#ifndef TL_CASE_PAGE_H
#define TL_CASE_PAGE_H

#include "http.h"

#include <json-c/json.h>

struct daemon;

/* Answer with the page of the case, a document of lib/status.h that nobody else needs
 * unchanged. Takes it. */
void case_page_show(struct http_exchange *exchange, struct daemon *daemon,
                    struct json_object *testcase);

#endif
