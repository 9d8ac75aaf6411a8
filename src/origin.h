/* SPDX-License-Identifier: Apache-2.0 */
/* Which page a browser's request comes from. Loop thread only. */
#ifndef TL_ORIGIN_H
#define TL_ORIGIN_H

#include "http.h"

#include <stdbool.h>

/* Whether a request that a browser sent comes from one of our own pages, as it says
 * itself (RFC 6454, 7): any page in the world can have a browser post here. Else it has
 * been answered. */
bool origin_is_ours(struct http_exchange *exchange);

#endif
