/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sides that are compared: each is measured in every round, one after the other, so that
 * whatever else the machine does meets all of them.
 */
#ifndef TL_BENCH_COMPARE_H
#define TL_BENCH_COMPARE_H

#include "bench.h"
#include "load.h"
#include "server.h"

#include <stddef.h>

#define ROUNDS_MAX 99 /* rounds of one comparison */

enum metric {
    METRIC_RATE,   /* how often it happened in a second */
    METRIC_MEDIAN, /* how long it took, microseconds */
    METRIC_P99,    /* likewise, all but one in a hundred */
    METRIC_MOST,   /* likewise, the longest */
    METRIC_CPU,    /* CPU time of the server for each, microseconds */
    METRIC_LOAD,   /* the load's share of its CPU, 0 to 1 */
    METRIC_TOOK,   /* how long something took that happens once, milliseconds */
    METRIC_FIRST,  /* from its beginning until the first was served, milliseconds */
    METRIC_MEMORY, /* memory of the server, KiB */
    METRIC_DISK,   /* files of the server, MiB */
    METRICS
};

/* One of what is compared. A row whose measure is not a load gives a measure() of its
 * own, and fills those of the metrics that it tells. */
struct side {
    const char *name;      /* for the reader of the JSON; borrowed */
    struct load *load;     /* that goes on while it is measured; borrowed */
    struct server *server; /* that answers it; borrowed */
    void *context;         /* of a row's own measure(); borrowed */
    /* Fill `sample` after measuring for so long; NULL: run the load. -1 and a cause. */
    int (*measure)(struct side *side, double seconds, double sample[METRICS],
                   char **cause);
    double samples[METRICS][ROUNDS_MAX]; /* one for each round */
    int rounds;                          /* how many those are */
};

/* Make it the side of a load at a server; nothing has been measured. */
void side_begin(struct side *side, const char *name, struct load *load,
                struct server *server);

/* Measure all sides in turn, bench->rounds times, after a short round that does not
 * count. -1 and a cause if one of them fails. */
int compare_sides(const struct bench *bench, struct side *sides, size_t count,
                  char **cause);

/* The same at most `rounds` times and without a short round: for what takes long, and
 * begins anew each time. */
int compare_few(const struct bench *bench, int rounds, struct side *sides, size_t count,
                char **cause);

/* Run the load of a side and fill its sample, as is done where a side has no measure() of
 * its own; for one that does something before or after. */
int compare_load(struct side *side, double seconds, double sample[METRICS], char **cause);

/* The middle of what the rounds gave, and how far they are apart, as a share of it. */
double compare_median(const double *samples, int count);
double compare_spread(const double *samples, int count);

#endif
