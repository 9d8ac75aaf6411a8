/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Buckets that grow: the first HISTOGRAM_FINE hold one value each, every further
 * HISTOGRAM_FINE / 2 of them the values up to the next power of two.
 */
#include "histogram.h"

#include <string.h>

#define HALF (HISTOGRAM_FINE / 2)

void histogram_clear(struct histogram *histogram)
{
    memset(histogram, 0, sizeof *histogram);
}

static unsigned bucket_shift(uint64_t value)
{
    unsigned shift = 0;

    if (value >= HISTOGRAM_FINE)
        shift = 63 - (unsigned)__builtin_clzll(value / HALF);
    return shift;
}

void histogram_add(struct histogram *histogram, int64_t value)
{
    uint64_t positive = value > 0 ? (uint64_t)value : 0;
    unsigned shift = bucket_shift(positive);
    size_t bucket = shift * HALF + (size_t)(positive >> shift);

    if (bucket >= HISTOGRAM_BUCKETS)
        bucket = HISTOGRAM_BUCKETS - 1;
    histogram->buckets[bucket]++;
    histogram->count++;
}

/* The middle of what a bucket holds. */
static double bucket_value(size_t bucket)
{
    if (bucket < HISTOGRAM_FINE)
        return (double)bucket;
    size_t shift = bucket / HALF - 1;
    double width = (double)((uint64_t)1 << shift);

    return ((double)(bucket - shift * HALF) + 0.5) * width;
}

double histogram_quantile(const struct histogram *histogram, double share)
{
    double wanted = share * (double)histogram->count;
    uint64_t seen = 0;

    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (seen > 0 && (double)seen >= wanted)
            return bucket_value(i);
    }
    return 0;
}
