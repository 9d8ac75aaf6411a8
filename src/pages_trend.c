/* SPDX-License-Identifier: Apache-2.0 */
/* How a test fared from run to run, as a row of a table. */
#include "pages_trend.h"

#include "json.h"
#include "pages_parts.h"
#include "pages_spark.h"
#include "pages_text.h"
#include "xalloc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A state of a case, or a word of another kind. */
static void put_state(struct markup *markup, const char *word)
{
    enum part_state state = part_state(word);

    if (strcmp(part_state_word(state), word) == 0)
        part_lamp(markup, state);
    else if (*word != '\0')
        text_put(markup, word, TEXT_BOARD_BYTES);
    else
        text_put_none(markup);
}

static void put_durations(struct markup *markup, struct json_object *durations)
{
    struct json_object *median = json_member(durations, "median");
    char *text = text_duration(json_object_get_double(median));

    markup_open(markup, "td", "class", "took", "data-label", "median", NULL);
    if (median != NULL)
        markup_text(markup, text);
    else
        text_put_none(markup);
    spark_put(markup, json_member(durations, "latest"));
    markup_close(markup);
    free(text);
}

static void put_rate_bar(struct markup *markup, struct json_object *entry)
{
    static const char *const parts[][2] = {
        {"passed", "success"}, {"failed", "failed"}, {"errors", "error"}};
    size_t x = 0;

    markup_open(markup, "svg", "class", "bar", "aria-hidden", "true",
                "preserveAspectRatio", "none", NULL);
    markup_attributef(markup, "viewBox", "0 0 %zu 1",
                      text_amount(entry, "passed") + text_amount(entry, "failed") +
                          text_amount(entry, "errors"));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        size_t width = text_amount(entry, parts[i][0]);
        if (width == 0)
            continue;
        markup_open(markup, "rect", "data-state", parts[i][1], "height", "1", NULL);
        markup_attributef(markup, "x", "%zu", x);
        markup_attributef(markup, "width", "%zu", width);
        markup_close(markup);
        x += width;
    }
    markup_close(markup);
}

/* In percent, and neither all nor nothing unless it is so. */
static int percent(double rate)
{
    int whole = (int)lround((isfinite(rate) ? fmin(fmax(rate, 0), 1) : 0) * 100);

    return whole == 100 && rate < 1 ? 99 : whole == 0 && rate > 0 ? 1 : whole;
}

static void put_rate(struct markup *markup, struct json_object *entry)
{
    double rate = json_object_get_double(json_member(entry, "pass_rate"));

    markup_open(markup, "td", "class", "rate number", NULL);
    markup_open(markup, "strong", NULL);
    markup_textf(markup, "%d %%", percent(rate));
    markup_close(markup);
    markup_text(markup, " ");
    markup_open(markup, "small", NULL);
    markup_textf(markup, "%zu of %zu passed", text_amount(entry, "passed"),
                 text_amount(entry, "runs"));
    markup_close(markup);
    put_rate_bar(markup, entry);
    markup_close(markup);
}

/* The lamp of the newest outcome leads to its case. */
static void put_last(struct markup *markup, struct json_object *last)
{
    markup_open(markup, "td", "class", "state", NULL);
    part_open_link(markup, text_member(last, "case"), "status");
    put_state(markup, text_member(last, "state"));
    markup_close(markup);
    markup_close(markup);
}

static void put_test(struct markup *markup, struct json_object *entry)
{
    size_t flaky = text_amount(entry, "flaky");

    markup_open(markup, "th", "scope", "row", NULL);
    text_put(markup, text_member(entry, "test"), TEXT_BOARD_BYTES);
    if (json_object_get_boolean(json_member(entry, "is_flaky"))) {
        markup_text(markup, " ");
        markup_open(markup, "span", "class", "flaky", NULL);
        if (flaky > 0)
            markup_attributef(markup, "title",
                              "passed only after a retry: %zu of %zu times", flaky,
                              text_amount(entry, "runs"));
        markup_text(markup, "≈ flaky");
        markup_close(markup);
    }
    markup_open(markup, "span", "class", "pair", NULL);
    text_put_words(markup, text_member(entry, "name"), TEXT_BOARD_BYTES);
    markup_close(markup);
    markup_close(markup);
}

static void put_changed(struct markup *markup, struct json_object *changed,
                        const char *now)
{
    markup_open(markup, "td", "class", "changed", "data-label", "changed", NULL);
    if (changed == NULL) {
        text_put_none(markup);
    } else {
        part_open_link(markup, text_member(changed, "case"), "status");
        text_put_ago(markup, text_member(changed, "ended"), now);
        markup_close(markup);
        markup_text(markup, " ");
        markup_open(markup, "small", NULL);
        text_put(markup, text_member(changed, "from"), TEXT_BOARD_BYTES);
        markup_text(markup, " → ");
        text_put(markup, text_member(changed, "to"), TEXT_BOARD_BYTES);
        markup_close(markup);
    }
    markup_close(markup);
}

/* Small lamps; what they mean in words is for the pointer and for those who hear the
 * page. */
static void put_outcome(struct markup *markup, struct json_object *outcome)
{
    enum part_state state = part_state(text_member(outcome, "state"));
    bool is_flaky = json_object_get_boolean(json_member(outcome, "flaky"));
    char *duration =
        text_duration(json_object_get_double(json_member(outcome, "duration")));
    char *when = text_moment(text_member(outcome, "ended"));
    char *title = xasprintf("%s%s, %s, %s", part_state_word(state),
                            is_flaky ? " after a retry" : "", when, duration);

    markup_open(markup, "li", NULL);
    part_open_link(markup, text_member(outcome, "case"), "status");
    markup_attributef(markup, "class", "outcome%s", is_flaky ? " retried" : "");
    markup_attributef(markup, "data-state", "%s", part_state_word(state));
    markup_attributef(markup, "title", "%s", title);
    markup_attributef(markup, "aria-label", "%s", title);
    markup_element(markup, "span", is_flaky ? "≈" : part_state_sign(state), "aria-hidden",
                   "true", NULL);
    markup_close(markup);
    markup_close(markup);
    free(title);
    free(when);
    free(duration);
}

static void put_outcomes(struct markup *markup, struct json_object *entry)
{
    markup_open(markup, "td", "class", "latest", NULL);
    markup_open(markup, "ol", "class", "outcomes", NULL);
    for (size_t i = 0; i < text_count(entry, "outcomes"); i++)
        put_outcome(markup, text_element(entry, "outcomes", i));
    markup_close(markup);
    markup_close(markup);
}

/* A row that the page of a case can lead to. */
void trend_put_row(struct markup *markup, struct json_object *entry, const char *now,
                   struct json_object *known)
{
    char *id = part_trend_id(text_member(entry, "test"), text_member(entry, "name"));
    bool is_new = json_member(known, id) == NULL;

    markup_open(markup, "tr", "id", is_new ? id : NULL, NULL);
    json_put_bool(known, id, true);
    put_last(markup, json_member(entry, "last"));
    put_test(markup, entry);
    put_rate(markup, entry);
    put_outcomes(markup, entry);
    put_durations(markup, json_member(entry, "durations"));
    put_changed(markup, json_member(entry, "changed"), now);
    markup_close(markup);
    markup_text(markup, "\n");
    free(id);
}
