/* SPDX-License-Identifier: Apache-2.0 */
/* What every row is handed, and the rows. */
#ifndef TL_BENCH_BENCH_H
#define TL_BENCH_BENCH_H

#include "cpu.h"
#include "table.h"

struct bench {
    const char *program; /* path of trafficlightd */
    const char *bare;    /* path of the yardstick */
    const char *nginx;   /* path of another one, which may not be there */
    const char *suites;  /* folder of the shipped tests */
    long inputs;         /* of the journal that is read back */
    char *folder;        /* for all files of this time; owned, removed at the end */
    struct cpus cpus;    /* where what runs */
    int rounds;          /* how often each side is measured */
    double seconds;      /* how long each time */
    struct table *table; /* takes the results; owned */
};

/* A row by its name: measure, and tell the table. 0, or -1 and a cause. */
struct row {
    const char *name;  /* what `make bench BENCH=…` matches */
    const char *about; /* what it measures, for --list */
    int (*run)(struct bench *bench, char **cause);
};

int row_report(struct bench *bench, char **cause);
int row_poll(struct bench *bench, char **cause);
int row_baton(struct bench *bench, char **cause);
int row_events(struct bench *bench, char **cause);
int row_held(struct bench *bench, char **cause);
int row_flat(struct bench *bench, char **cause);
int row_status(struct bench *bench, char **cause);
int row_create(struct bench *bench, char **cause);
int row_bad(struct bench *bench, char **cause);
int row_start(struct bench *bench, char **cause);
int row_replay(struct bench *bench, char **cause);
int row_idle(struct bench *bench, char **cause);

#endif
