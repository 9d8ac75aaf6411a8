/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as a small line. */
#include "pages_spark.h"

#include "pages_text.h"
#include "xalloc.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Of the drawing, without the room around it that the line and its mark take. */
#define WIDTH  120.0
#define HEIGHT 24.0
#define MARGIN 3.0

/* So many numbers are drawn, the latest ones. */
#define NUMBERS_MAX 100

struct spark {
    double numbers[NUMBERS_MAX]; /* seconds, none negative */
    size_t count;                /* how many those are */
    double least, most;          /* of them */
};

static struct spark read_numbers(struct json_object *durations)
{
    struct spark spark = {.least = INFINITY};
    size_t count = json_object_is_type(durations, json_type_array)
                       ? json_object_array_length(durations)
                       : 0;

    for (size_t i = count > NUMBERS_MAX ? count - NUMBERS_MAX : 0; i < count; i++) {
        double number = json_object_get_double(json_object_array_get_idx(durations, i));
        number = isfinite(number) ? fmin(fmax(number, 0), 1e9) : 0;
        spark.numbers[spark.count++] = number;
        spark.least = fmin(spark.least, number);
        spark.most = fmax(spark.most, number);
    }
    return spark;
}

static double across(const struct spark *spark, size_t i)
{
    return MARGIN + WIDTH * (double)i / (double)(spark->count - 1);
}

/* From zero, so that a small change looks small. */
static double down(const struct spark *spark, size_t i)
{
    double share = spark->most > 0 ? spark->numbers[i] / spark->most : 0;

    return MARGIN + HEIGHT * (1 - share);
}

/* Owned. */
static char *points(const struct spark *spark)
{
    char *text = NULL;
    size_t size;
    FILE *out = xcheck(open_memstream(&text, &size));

    for (size_t i = 0; i < spark->count; i++)
        fprintf(out, "%s%.1f,%.1f", i > 0 ? " " : "", across(spark, i), down(spark, i));
    if (fclose(out) != 0)
        xcheck(NULL);
    return text;
}

/* Owned. */
static char *in_words(const struct spark *spark)
{
    char *least = text_duration(spark->least), *most = text_duration(spark->most);
    char *last = text_duration(spark->numbers[spark->count - 1]);
    char *words = xasprintf("the latest %zu took from %s to %s, the last one %s",
                            spark->count, least, most, last);

    free(last);
    free(most);
    free(least);
    return words;
}

void spark_put(struct markup *markup, struct json_object *durations)
{
    struct spark spark = read_numbers(durations);

    if (spark.count < 2)
        return;
    char *line = points(&spark), *words = in_words(&spark);
    markup_text(markup, " ");
    markup_open(markup, "span", "title", words, NULL);
    markup_open(markup, "svg", "class", "spark", "role", "img", "aria-label", words,
                NULL);
    markup_attributef(markup, "viewBox", "0 0 %.0f %.0f", WIDTH + 2 * MARGIN,
                      HEIGHT + 2 * MARGIN);
    markup_open(markup, "polyline", "points", line, NULL);
    markup_close(markup);
    markup_open(markup, "circle", "r", "2.5", NULL);
    markup_attributef(markup, "cx", "%.1f", across(&spark, spark.count - 1));
    markup_attributef(markup, "cy", "%.1f", down(&spark, spark.count - 1));
    markup_close(markup);
    markup_close(markup);
    markup_close(markup);
    free(words);
    free(line);
}
