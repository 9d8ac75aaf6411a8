/* SPDX-License-Identifier: Apache-2.0 */
/* Sides that are compared. */
#include "compare.h"

#include "interrupt.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP  0.3                  /* the first, uncounted round's share of a round */
#define PAUSE_NS ((long)50 * 1000000) /* for what was under way when a measure ended */

void side_begin(struct side *side, const char *name, struct load *load,
                struct server *server)
{
    memset(side, 0, sizeof *side);
    side->name = name;
    side->load = load;
    side->server = server;
}

int compare_load(struct side *side, double seconds, double sample[METRICS], char **cause)
{
    int64_t used = server_used_ns(side->server), own = cpu_used_ns(getpid());
    int64_t began = cpu_clock_ns();

    if (load_run(side->load, seconds, cause) < 0)
        return -1;
    const struct histogram *noted = load_noted(side->load);
    double took = (double)(cpu_clock_ns() - began);
    double count = (double)noted->count;
    used = server_used_ns(side->server) - used;
    sample[METRIC_RATE] = count * 1e9 / took;
    sample[METRIC_MEDIAN] = histogram_quantile(noted, 0.5) / 1e3;
    sample[METRIC_P99] = histogram_quantile(noted, 0.99) / 1e3;
    sample[METRIC_MOST] = histogram_quantile(noted, 1) / 1e3;
    sample[METRIC_CPU] = count > 0 ? (double)used / count / 1e3 : 0;
    sample[METRIC_LOAD] = (double)(cpu_used_ns(getpid()) - own) / took;
    return 0;
}

/* Measure one side once, after what others left under way has been done. */
static int measure(struct side *side, double seconds, double sample[METRICS],
                   char **cause)
{
    struct timespec pause = {.tv_nsec = PAUSE_NS};

    memset(sample, 0, METRICS * sizeof *sample);
    nanosleep(&pause, NULL);
    if (interrupt_came(cause))
        return -1;
    return side->measure != NULL ? side->measure(side, seconds, sample, cause)
                                 : compare_load(side, seconds, sample, cause);
}

/* Measure all sides in turn, so many times. */
static int go_round(const struct bench *bench, int rounds, struct side *sides,
                    size_t count, char **cause)
{
    double sample[METRICS];

    for (size_t i = 0; i < count; i++)
        sides[i].rounds = 0;
    for (int round = 0; round < rounds; round++) {
        for (size_t i = 0; i < count; i++) {
            /* each round begins with another side: who comes first has no advantage */
            struct side *side = &sides[(i + (size_t)round) % count];
            if (measure(side, bench->seconds, sample, cause) < 0)
                return -1;
            for (size_t m = 0; m < METRICS; m++)
                side->samples[m][round] = sample[m];
            side->rounds = round + 1;
        }
    }
    return 0;
}

int compare_sides(const struct bench *bench, struct side *sides, size_t count,
                  char **cause)
{
    double sample[METRICS];

    for (size_t i = 0; i < count; i++) {
        if (measure(&sides[i], bench->seconds * WARM_UP, sample, cause) < 0)
            return -1;
    }
    return go_round(bench, bench->rounds, sides, count, cause);
}

int compare_few(const struct bench *bench, int rounds, struct side *sides, size_t count,
                char **cause)
{
    return go_round(bench, rounds < bench->rounds ? rounds : bench->rounds, sides, count,
                    cause);
}

static int compare_numbers(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

double compare_median(const double *samples, int count)
{
    double sorted[ROUNDS_MAX];
    size_t size = (size_t)count;

    if (count == 0)
        return 0;
    memcpy(sorted, samples, size * sizeof *samples);
    qsort(sorted, size, sizeof *sorted, compare_numbers);
    return (sorted[(size - 1) / 2] + sorted[size / 2]) / 2;
}

double compare_spread(const double *samples, int count)
{
    double median = compare_median(samples, count);
    double least = median, most = median;

    for (int i = 0; i < count; i++) {
        least = samples[i] < least ? samples[i] : least;
        most = samples[i] > most ? samples[i] : most;
    }
    return median > 0 ? (most - least) / median : 0;
}
