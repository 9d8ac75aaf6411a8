/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cases on a page as they are asked for: a form that asks, and a list or a matrix.
 * Any thread.
 */
#ifndef TL_PAGES_CASES_H
#define TL_PAGES_CASES_H

#include "pages_query.h"

/* The views of a run, as the parameter "view" names them. */
extern const char *const cases_views[];

/* What a list of cases, a matrix of them, and the page of one test can be asked. */
extern const struct query_field cases_list_fields[];
extern const struct query_field cases_matrix_fields[];
extern const struct query_field cases_test_fields[];

/* The cases of an array of suites (lib/status.h), a part at a time. */
void cases_put_list(struct markup *markup, struct json_object *suites,
                    const struct query *query);
void cases_put_matrix(struct markup *markup, struct json_object *suites,
                      const struct query *query);

/* The same of one suite, on its own page. */
void cases_put_test(struct markup *markup, struct json_object *suite,
                    const struct query *query);

#endif
