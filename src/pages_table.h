/* SPDX-License-Identifier: Apache-2.0 */
/* Cases as a table. Any thread. */
#ifndef TL_PAGES_TABLE_H
#define TL_PAGES_TABLE_H

#include "pages_select.h"

/* What the rows of a table of cases have in common. */
struct table_style {
    const char *caption;       /* for those who do not see it; borrowed */
    const struct query *query; /* of the page; the heads of columns sort; borrowed */
    bool is_grouped;           /* the cases of a test stand under its name */
    bool names_tests;          /* else: each row names its test */
};

/* Write the table of `count` cases, at least one. */
void table_put_cases(struct markup *markup, const struct selected *cases, size_t count,
                     const struct table_style *style);

#endif
