/* SPDX-License-Identifier: Apache-2.0 */
/* How many cases or clients are in which state. */
#include "pages_tally.h"

#include "json.h"
#include "pages_text.h"
#include "xalloc.h"

#include <stdlib.h>

/* The bar is this wide, and the smallest segment of it can still be seen. */
#define BAR_WIDTH   1000
#define SEGMENT_MIN 12

/* From left to right. */
static const enum part_state bar_order[] = {PART_SUCCESS, PART_FAILED,    PART_ERROR,
                                            PART_RUNNING, PART_PREPARING, PART_WAITING};

#define BAR_STATES (sizeof bar_order / sizeof *bar_order)

void tally_add(struct tally *tally, struct json_object *object, const char *name)
{
    size_t count = text_count(object, name);

    for (size_t i = 0; i < count; i++) {
        struct json_object *element = text_element(object, name, i);
        tally->of[part_state(text_member(element, "state"))]++;
        tally->flaky += json_object_get_boolean(json_member(element, "flaky")) != 0;
    }
    tally->total += count;
}

size_t tally_ended(const struct tally *tally)
{
    size_t ended = 0;

    for (int i = 0; i < PART_STATE_COUNT; i++)
        ended += part_state_is_end((enum part_state)i) ? tally->of[i] : 0;
    return ended;
}

size_t tally_bad(const struct tally *tally)
{
    return tally->of[PART_FAILED] + tally->of[PART_ERROR];
}

unsigned tally_lights(const struct tally *tally)
{
    size_t ended = tally_ended(tally), bad = tally_bad(tally);

    return (bad > 0 ? PART_RED : 0) | (ended < tally->total ? PART_AMBER : 0) |
           (ended == tally->total && bad == 0 && ended > 0 ? PART_GREEN : 0);
}

char *tally_title(const struct tally *tally)
{
    size_t failed = tally->of[PART_FAILED], errors = tally->of[PART_ERROR];
    char *failed_text = failed > 0 ? xasprintf(", %zu failed", failed) : xstrdup("");
    char *errors_text =
        errors > 0 ? xasprintf(", %zu %s", errors, errors == 1 ? "error" : "errors")
                   : xstrdup("");
    char *flaky_text =
        tally->flaky > 0 ? xasprintf(", %zu flaky", tally->flaky) : xstrdup("");
    char *title = xasprintf("%zu/%zu done%s%s%s", tally_ended(tally), tally->total,
                            failed_text, errors_text, flaky_text);

    free(flaky_text);
    free(failed_text);
    free(errors_text);
    return title;
}

static size_t segment_width(const struct tally *tally, enum part_state state)
{
    size_t width = tally->of[state] * BAR_WIDTH / tally->total;

    return tally->of[state] > 0 && width < SEGMENT_MIN ? SEGMENT_MIN : width;
}

static void put_segments(struct markup *markup, const struct tally *tally)
{
    size_t x = 0, width = 0;

    for (size_t i = 0; i < BAR_STATES; i++)
        width += segment_width(tally, bar_order[i]);
    markup_open(markup, "svg", "class", "bar", "aria-hidden", "true",
                "preserveAspectRatio", "none", NULL);
    markup_attributef(markup, "viewBox", "0 0 %zu 1", width);
    for (size_t i = 0; i < BAR_STATES; i++) {
        const char *word = part_state_word(bar_order[i]);
        width = segment_width(tally, bar_order[i]);
        if (width == 0)
            continue;
        markup_open(markup, "rect", "data-state", word, "height", "1", NULL);
        markup_attributef(markup, "x", "%zu", x);
        markup_attributef(markup, "width", "%zu", width);
        markup_close(markup);
        x += width;
    }
    markup_close(markup);
}

/* How many of those that succeeded had failed before. */
static void put_flaky(struct markup *markup, size_t flaky, const struct query *query)
{
    if (flaky == 0)
        return;
    markup_text(markup, " ");
    query_open_link(markup, query, "state", "flaky");
    markup_open(markup, "span", "class", "flaky", "title",
                "of these: succeeded only after they had failed", NULL);
    markup_textf(markup, "≈ %zu flaky", flaky);
    markup_close(markup);
    markup_close(markup);
}

static void put_number(struct markup *markup, const struct tally *tally,
                       enum part_state state, const struct query *query)
{
    markup_open(markup, "li", NULL);
    query_open_link(markup, query, "state", part_state_word(state));
    markup_open(markup, "strong", NULL);
    markup_textf(markup, "%zu", tally->of[state]);
    markup_close(markup);
    markup_text(markup, " ");
    part_lamp(markup, state);
    markup_close(markup);
    if (state == PART_SUCCESS)
        put_flaky(markup, tally->flaky, query);
    markup_close(markup);
    markup_text(markup, "\n");
}

void tally_put_bar(struct markup *markup, const struct tally *tally,
                   const struct query *query)
{
    if (tally->total == 0)
        return;
    put_segments(markup, tally);
    markup_open(markup, "ul", "class", "legend", "aria-label", "Cases by state", NULL);
    for (size_t i = 0; i < BAR_STATES; i++) {
        if (tally->of[bar_order[i]] > 0)
            put_number(markup, tally, bar_order[i], query);
    }
    markup_close(markup);
}
