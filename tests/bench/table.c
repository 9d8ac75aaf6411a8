/* SPDX-License-Identifier: Apache-2.0 */
/* The results, as a table and as JSON. */
#include "table.h"

#include "compare.h"
#include "json.h"
#include "xalloc.h"

#include <errno.h>
#include <linux/magic.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#define BUSY 0.9 /* share of its CPU from which on the load may be what is measured */

#define COLUMNS "%-46s %11s %11s %7s %7s"

struct table {
    struct json_object *document; /* all of the JSON; owned */
    struct json_object *lines;    /* "results" in it; borrowed */
    const char *row;              /* that lines belong to; borrowed */
};

/* How a metric is written. */
static const struct {
    const char *unit;  /* after the number */
    const char *name;  /* in the JSON */
    const char *where; /* after what was measured */
} metrics[METRICS] = {
    [METRIC_RATE] = {"/s", "per_second", ""},
    [METRIC_MEDIAN] = {"us", "median_us", ", median"},
    [METRIC_P99] = {"us", "p99_us", ", p99"},
    [METRIC_MOST] = {"us", "longest_us", ", longest"},
    [METRIC_CPU] = {"us", "cpu_us", ", CPU of the server"},
    [METRIC_LOAD] = {"", "load_share", ", share of the load"},
    [METRIC_TOOK] = {"ms", "took_ms", ""},
    [METRIC_FIRST] = {"ms", "first_ms", ", the first"},
    [METRIC_MEMORY] = {"KiB", "memory_kib", ", memory"},
    [METRIC_DISK] = {"MiB", "disk_mib", ", on the disk"},
};

struct table *table_new(void)
{
    struct table *table = xcalloc(1, sizeof *table);

    table->document = json_new_object();
    table->lines = json_new_array();
    json_put(table->document, "results", table->lines);
    return table;
}

void table_free(struct table *table)
{
    if (table == NULL)
        return;
    json_object_put(table->document);
    free(table);
}

void table_begin(struct table *table, const struct bench *bench)
{
    struct statfs folder = {0};
    struct json_object *method = json_new_object();

    printf("servers on CPU %d, load on CPU %d; %d rounds of %g s\n", bench->cpus.server,
           bench->cpus.load, bench->rounds, bench->seconds);
    if (bench->cpus.server == bench->cpus.load)
        puts("there is only one CPU: the load slows the servers down");
    if (statfs(bench->folder, &folder) == 0 && folder.f_type == TMPFS_MAGIC)
        puts("the folder is in memory: durability = power costs nothing here");
    printf("\n" COLUMNS "  %s\n", "what", "ours", "yardstick", "ratio", "spread", "goal");
    fflush(stdout);
    json_put_int(method, "server_cpu", bench->cpus.server);
    json_put_int(method, "load_cpu", bench->cpus.load);
    json_put_int(method, "rounds", bench->rounds);
    json_put_number(method, "seconds", bench->seconds);
    json_put(table->document, "method", method);
}

void table_begin_row(struct table *table, const char *row)
{
    table->row = row;
}

/* A line of the JSON, in its place. Borrowed. */
static struct json_object *add_line(struct table *table, const char *what)
{
    struct json_object *line = json_new_object();

    json_put_text(line, "row", table->row);
    json_put_text(line, "what", what);
    json_append(table->lines, line);
    return line;
}

static struct json_object *side_json(const struct side *side, int metric)
{
    struct json_object *object = json_new_object(), *samples = json_new_array();
    const double *all = side->samples[metric];

    for (int i = 0; i < side->rounds; i++) {
        double rounded = round(all[i] * 1000) / 1000;
        json_append(samples, xcheck(json_object_new_double(rounded)));
    }
    json_put_text(object, "name", side->name);
    json_put_number(object, "median", compare_median(all, side->rounds));
    json_put_number(object, "spread", compare_spread(all, side->rounds));
    json_put(object, "samples", samples);
    json_put_number(object, "load_share",
                    compare_median(side->samples[METRIC_LOAD], side->rounds));
    return object;
}

/* With its unit, as few digits as make sense. */
static void write_figure(char *text, size_t size, double figure, const char *unit)
{
    int digits = figure >= 1000 ? 0 : figure >= 10 ? 1 : 2;

    snprintf(text, size, "%.*f%s", digits, figure, unit);
}

static void write_median(char *text, size_t size, const struct side *side, int metric)
{
    write_figure(text, size, compare_median(side->samples[metric], side->rounds),
                 metrics[metric].unit);
}

/* Where the load was busy all the time, it may be what was measured. */
static void warn_busy(const struct side *side)
{
    double share = compare_median(side->samples[METRIC_LOAD], side->rounds);

    if (share > BUSY)
        printf("    the load was busy %.0f %% of the time with %s: it may be the limit\n",
               share * 100, side->name);
}

/* Ratios are of rounds, not of medians: what disturbs a round disturbs both sides. */
static void compare_ratio(const struct side *ours, const struct side *yardstick,
                          int metric, struct json_object *line)
{
    double ratios[ROUNDS_MAX] = {0};

    for (int i = 0; i < ours->rounds; i++) {
        double divisor = yardstick->samples[metric][i];
        ratios[i] = divisor > 0 ? ours->samples[metric][i] / divisor : 0;
    }
    json_put_number(line, "ratio", compare_median(ratios, ours->rounds));
    json_put_number(line, "spread", compare_spread(ratios, ours->rounds));
}

/* By how much the goal was missed, as a share of it; 0: it was met. */
static double compare_goal(const struct goal *goal, double figure)
{
    double beyond = figure / goal->bound - 1;

    if (goal->kind == GOAL_RATIO_AT_LEAST)
        beyond = figure > 0 ? goal->bound / figure - 1 : 1;
    return beyond > 0 ? beyond : 0;
}

static void put_goal(const struct goal *goal, double missed, struct json_object *line)
{
    struct json_object *object = json_new_object();

    json_put_text(object, "of", goal->kind == GOAL_AT_MOST ? "ours" : "ratio");
    json_put_number(object, goal->kind == GOAL_RATIO_AT_LEAST ? "at_least" : "at_most",
                    goal->bound);
    json_put_bool(object, "met", missed <= 0);
    json_put_number(object, "missed_by", missed);
    json_put(line, "goal", object);
}

/* Say in the line, and on paper, what the goal is and how far from it this is. */
static void print_goal(const struct goal *goal, int metric, const struct side *ours,
                       struct json_object *line)
{
    char bound[32];
    double figure = goal->kind == GOAL_AT_MOST
                        ? compare_median(ours->samples[metric], ours->rounds)
                        : json_object_get_double(json_member(line, "ratio"));
    double missed = compare_goal(goal, figure);

    put_goal(goal, missed, line);
    write_figure(bound, sizeof bound, goal->bound,
                 goal->kind == GOAL_AT_MOST ? metrics[metric].unit : "");
    printf("  %s %s ", goal->kind == GOAL_RATIO_AT_LEAST ? ">=" : "<=", bound);
    if (missed > 0)
        printf("missed by %.0f%%", missed * 100);
    else
        printf("met");
}

static void print_line(const char *what, int metric, const struct side *ours,
                       const struct side *yardstick, struct json_object *line)
{
    char figure[32], other[32] = "-", ratio[32] = "-", spread[32], label[80];

    snprintf(label, sizeof label, "%s%s", what, metrics[metric].where);
    write_median(figure, sizeof figure, ours, metric);
    if (yardstick != NULL) {
        write_median(other, sizeof other, yardstick, metric);
        snprintf(ratio, sizeof ratio, "%.2f",
                 json_object_get_double(json_member(line, "ratio")));
    }
    snprintf(spread, sizeof spread, "%.0f%%",
             100 * json_object_get_double(json_member(line, "spread")));
    printf(COLUMNS, label, figure, other, ratio, spread);
}

void table_compare(struct table *table, const char *what, int metric,
                   const struct side *ours, const struct side *yardstick,
                   struct goal goal)
{
    struct json_object *line = add_line(table, what);

    json_put_text(line, "metric", metrics[metric].name);
    json_put(line, "ours", side_json(ours, metric));
    json_put(line, "yardstick", yardstick ? side_json(yardstick, metric) : NULL);
    if (yardstick != NULL)
        compare_ratio(ours, yardstick, metric, line);
    else
        json_put_number(line, "spread",
                        compare_spread(ours->samples[metric], ours->rounds));
    print_line(what, metric, ours, yardstick, line);
    if (goal.kind != GOAL_NONE)
        print_goal(&goal, metric, ours, line);
    putchar('\n');
    if (metric == METRIC_RATE) {
        warn_busy(ours);
        if (yardstick != NULL)
            warn_busy(yardstick);
    }
    fflush(stdout);
}

void table_skip(struct table *table, const char *what, const char *why)
{
    json_put_text(add_line(table, what), "skipped", why);
    printf("%-46s %s\n", what, why);
    fflush(stdout);
}

int table_write(const struct table *table, const char *path, char **cause)
{
    if (json_object_to_file_ext(path, table->document, JSON_C_TO_STRING_PRETTY) == 0)
        return 0;
    cause_set(cause, "%s: %s", path, strerror(errno));
    return -1;
}
