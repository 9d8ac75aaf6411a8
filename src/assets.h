/* SPDX-License-Identifier: Apache-2.0 */
/* The style sheet and the scripts of the pages, which are built in. Loop thread only. */
#ifndef TL_ASSETS_H
#define TL_ASSETS_H

#include "http.h"

/* GET /static/:name */
http_handler assets_get;

#endif
