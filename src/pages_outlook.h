/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What there is to say of a run before all its cases are looked at: how long it still
 * takes, what broke, and what its cases wait for. Any thread.
 */
#ifndef TL_PAGES_OUTLOOK_H
#define TL_PAGES_OUTLOOK_H

#include "pages_query.h"

/* "about 4 min left, 2 cases lack clients" of the run of this document (lib/status.h). Its
 * cases take as long as they did in earlier runs, or as others of this run where that is
 * not known, and as many are played at once as were until now; those for which there are
 * no clients don't count. Nothing where nobody can tell. */
void outlook_put_time(struct markup *markup, struct json_object *status);

/* What cases that failed or wait have to say, the same words only once, with a link to
 * them. The query is that of the list. Nothing where all is well. */
void outlook_put_reasons(struct markup *markup, struct json_object *status,
                         const struct query *query);

#endif
