/* SPDX-License-Identifier: Apache-2.0 */
/* The results: a table for people, line by line as they come, and JSON for programs. */
#ifndef TL_BENCH_TABLE_H
#define TL_BENCH_TABLE_H

struct bench;
struct side;
struct table;

struct table *table_new(void);
void table_free(struct table *table);

/* Print what holds for all lines. */
void table_begin(struct table *table, const struct bench *bench);

/* The lines from here on belong to this row. Borrows the name. */
void table_begin_row(struct table *table, const char *row);

/* What a line should say. */
enum goal_kind {
    GOAL_NONE,           /* nobody said */
    GOAL_AT_MOST,        /* ours, in the metric's unit */
    GOAL_RATIO_AT_MOST,  /* ours / yardstick */
    GOAL_RATIO_AT_LEAST, /* likewise */
};

struct goal {
    enum goal_kind kind; /* what is bounded */
    double bound;        /* and by what */
};

#define NO_GOAL                                                                          \
    (struct goal)                                                                        \
    {                                                                                    \
        GOAL_NONE, 0                                                                     \
    }

/* One line: this metric (enum metric) of ours and of the yardstick, which may be NULL. */
void table_compare(struct table *table, const char *what, int metric,
                   const struct side *ours, const struct side *yardstick,
                   struct goal goal);

/* A line without figures, and why there are none. */
void table_skip(struct table *table, const char *what, const char *why);

/* Write all lines as JSON. -1 and a cause. */
int table_write(const struct table *table, const char *path, char **cause);

#endif
