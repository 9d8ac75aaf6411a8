/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A person as a client: the pages below /manual speak for one who has no adapter. To the
 * engine it is a client like any other, but for "by": "hand" in its registration; only
 * such clients are served here, so that a look at a page never takes an action away from
 * an adapter. Handlers of src/http.h; their context is the struct daemon. Loop thread
 * only.
 *
 * A page that is looked at counts as a poll that was answered. Forms name the delivery
 * that they report about, so that one that is sent twice counts once.
 */
#ifndef TL_MANUAL_H
#define TL_MANUAL_H

#include "http.h"

/* GET and POST /manual: choose what to be, and register. */
http_handler manual_join_page;
http_handler manual_join;

/* GET /manual/<id>, and what is posted below it: see src/routes.c. */
http_handler manual_page;
http_handler manual_report;
http_handler manual_upload;
http_handler manual_leave;

#endif
