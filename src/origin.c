/* SPDX-License-Identifier: Apache-2.0 */
/* Which page a browser's request comes from. */
#include "origin.h"

#include <string.h>

bool origin_is_ours(struct http_exchange *exchange)
{
    const char *origin = http_header(exchange, "Origin");
    const char *host = http_header(exchange, "Host");
    const char *authority = origin != NULL ? strstr(origin, "://") : NULL;

    if (origin == NULL ||
        (authority != NULL && host != NULL && strcmp(authority + 3, host) == 0))
        return true;
    http_problem(exchange, 403,
                 "a page of %.200s may not ask for this: use a page of this server, or a "
                 "program",
                 origin);
    return false;
}
