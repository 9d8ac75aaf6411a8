/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many durations in little room: buckets whose width grows with the value, so that each
 * knows its values to 3 %. Adding is a few instructions and allocates nothing.
 */
#ifndef TL_BENCH_HISTOGRAM_H
#define TL_BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_FINE    64 /* so many hold one value each; then half of it a doubling */
#define HISTOGRAM_BUCKETS (HISTOGRAM_FINE / 2 * 32) /* the last ends at a minute in ns */

struct histogram {
    uint64_t count;                      /* of all values */
    uint64_t buckets[HISTOGRAM_BUCKETS]; /* how many are in each */
};

void histogram_clear(struct histogram *histogram);

/* Negative values count as 0, those beyond the last bucket as being in it. */
void histogram_add(struct histogram *histogram, int64_t value);

/* The value below which this share (0 to 1) of all is; 0 if there is none. */
double histogram_quantile(const struct histogram *histogram, double share);

#endif
