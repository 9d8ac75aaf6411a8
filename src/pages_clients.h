/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clients on the board: who waits, who plays what, who went silent. Any thread.
 */
#ifndef TL_PAGES_CLIENTS_H
#define TL_PAGES_CLIENTS_H

#include "pages_query.h"

/* What the fields "state" and "sort" of such a query may be. */
extern const char *const clients_states[];
extern const char *const clients_sorts[];

/* A section with those that wait or play, the first ones of them. `now` is the time of
 * the server, "" where all of this was long ago. The query is that of all clients. */
void clients_put_some(struct markup *markup, struct json_object *status, const char *now,
                      const struct query *query);

/* All clients that the query asks for, a part at a time, and a form that asks. */
void clients_put_all(struct markup *markup, struct json_object *status, const char *now,
                     const struct query *query);

#endif
