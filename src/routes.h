/* SPDX-License-Identifier: Apache-2.0 */
/* The table of all endpoints: see src/http.h for what a row says. Constant; any
 * thread. */
#ifndef TL_ROUTES_H
#define TL_ROUTES_H

#include "http.h"

#include <stddef.h>

/* All rows. Their handlers want the struct daemon as context. Static. */
const struct http_route *routes_all(size_t *count);

#endif
