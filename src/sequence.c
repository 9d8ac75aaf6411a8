/* SPDX-License-Identifier: Apache-2.0 */
/* Drawing sequence diagrams: where everything is, then element by element. What has the
 * attributes fill and stroke looks right without any style sheet. */
#include "sequence.h"

#include "pages_text.h"
#include "sequence_rows.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

/* In the units of the picture, which are pixels unless it is scaled. */
#define TIMES       78  /* width of the column of times */
#define HEAD        52  /* height of the lanes' names */
#define ROW         26  /* height of a row */
#define LANE_WIDE   250 /* from a lane to the next, where words stand between them */
#define LANE_NARROW 130 /* the same, where nothing does */
#define EDGE        75  /* from the outer lanes to what is beside them */
#define LETTER      6.4 /* about as wide is a letter */

struct canvas {
    struct markup *markup;           /* where it goes; borrowed */
    const struct sequence *sequence; /* what is drawn; borrowed */
    const char *page;                /* before the '#' of links; borrowed */
    const char *prefix;              /* after it; borrowed */
    int *lanes;                      /* where each of them is, from the left; owned */
    int width, height;               /* of the picture */
};

/* --- where everything is --- */

static void place_lanes(struct canvas *canvas)
{
    const struct sequence *sequence = canvas->sequence;
    int x = TIMES + EDGE;

    canvas->lanes = xcalloc(sequence->lane_count, sizeof *canvas->lanes);
    for (size_t i = 0; i < sequence->lane_count; i++) {
        bool is_server = i < sequence->home;
        canvas->lanes[i] = x;
        x += is_server && !sequence->lanes[i].speaks ? LANE_NARROW : LANE_WIDE;
    }
    canvas->width = canvas->lanes[sequence->lane_count - 1] + EDGE;
    /* what trafficlight says stands to the right of it */
    if (canvas->width < canvas->lanes[sequence->home] + LANE_WIDE)
        canvas->width = canvas->lanes[sequence->home] + LANE_WIDE;
    canvas->height = HEAD + ROW * (int)sequence->row_count + ROW / 2;
}

static int row_middle(size_t row)
{
    return HEAD + ROW * (int)row + ROW / 2;
}

/* --- words --- */

/* How many bytes of text fit. Letters of several bytes are wide ones, mostly. */
static size_t bytes_in(int width)
{
    return width > 40 ? (size_t)(width / LETTER) : 6;
}

static void put_tspan(struct markup *markup, const char *class, const char *text,
                      size_t limit)
{
    char *visible = text_visible(text, limit);

    markup_element(markup, "tspan", visible, "class", class, "font-weight",
                   strcmp(class, "name") == 0 ? "600" : NULL, NULL);
    free(visible);
}

/* Name and words of a row, cut to what fits into a width. `anchor`: "start", "middle". */
static void put_label(struct canvas *canvas, const struct sequence_row *row, int x, int y,
                      const char *anchor, int width)
{
    struct markup *markup = canvas->markup;
    size_t room = bytes_in(width), used = strlen(row->name);

    markup_open(markup, "text", "class", "label", "text-anchor", anchor, "fill",
                "#1c1e21", NULL);
    markup_attributef(markup, "x", "%d", x);
    markup_attributef(markup, "y", "%d", y);
    if (used > 0)
        put_tspan(markup, "name", row->name, room);
    if (used + 4 < room && *row->words != '\0') {
        markup_text(markup, used > 0 ? " " : "");
        put_tspan(markup, "words", row->words, room - used);
    }
    markup_close(markup);
    markup_text(markup, "\n");
}

/* The line in full, for who stays on it. */
static void put_title(struct canvas *canvas, const struct sequence_row *row)
{
    char *moment = text_moment(row->time), *full = text_visible(row->full, 0);

    markup_open(canvas->markup, "title", NULL);
    markup_textf(canvas->markup, "%s\n%s", moment, full);
    markup_close(canvas->markup);
    free(full);
    free(moment);
}

/* --- shapes --- */

static void put_line(struct markup *markup, const char *class, int x1, int y1, int x2,
                     int y2, const char *stroke)
{
    markup_open(markup, "line", "class", class, "stroke", stroke, NULL);
    markup_attributef(markup, "x1", "%d", x1);
    markup_attributef(markup, "y1", "%d", y1);
    markup_attributef(markup, "x2", "%d", x2);
    markup_attributef(markup, "y2", "%d", y2);
}

static void put_box(struct markup *markup, const char *class, int x, int y, int width,
                    int height, const char *fill)
{
    markup_open(markup, "rect", "class", class, "rx", "4", "fill", fill, NULL);
    markup_attributef(markup, "x", "%d", x);
    markup_attributef(markup, "y", "%d", y);
    markup_attributef(markup, "width", "%d", width);
    markup_attributef(markup, "height", "%d", height);
    markup_close(markup);
}

/* Whether it ends the case by itself, unless the test says otherwise. */
static bool is_bad_report(const struct sequence_row *row)
{
    return row->kind == SEQUENCE_REPORT &&
           (strcmp(row->name, "failed") == 0 || strcmp(row->name, "error") == 0);
}

/* What its colours are told by, besides its kind. */
static const char *outcome_class(const struct sequence_row *row)
{
    if (row->kind != SEQUENCE_END)
        return is_bad_report(row) ? " bad" : "";
    return strcmp(row->name, "success") == 0  ? " success"
           : strcmp(row->name, "failed") == 0 ? " failed"
                                              : " error";
}

static const char *colour_of(const struct sequence_row *row)
{
    switch (row->kind) {
    case SEQUENCE_ACTION:
        return "#1f5fa8";
    case SEQUENCE_REPORT:
        return is_bad_report(row) ? "#ad2219" : "#17693b";
    case SEQUENCE_ERROR:
        return "#8c2566";
    default:
        return "#595e65";
    }
}

/* An arrow with its head; dashed where no answer to an action is on it. */
static void put_arrow(struct canvas *canvas, const struct sequence_row *row, int from,
                      int to, int y)
{
    int back = to > from ? -9 : 9;
    bool is_dashed = row->kind == SEQUENCE_UPLOAD || row->kind == SEQUENCE_ERROR;

    put_line(canvas->markup, "arrow", from, y, to + back / 2, y, colour_of(row));
    markup_attributef(canvas->markup, "stroke-width", "1.5");
    if (is_dashed)
        markup_attributef(canvas->markup, "stroke-dasharray", "5 3");
    markup_close(canvas->markup);
    markup_open(canvas->markup, "path", "class", "head", "fill", colour_of(row), NULL);
    markup_attributef(canvas->markup, "d", "M%d %d l%d -4 v8 z", to, y, back);
    markup_close(canvas->markup);
}

/* --- rows --- */

static void put_time(struct canvas *canvas, size_t index)
{
    const struct sequence_row *row = &canvas->sequence->rows[index];
    const char *before = index > 0 ? row[-1].time : "";
    long whole = row->seconds < 1e9 ? (long)row->seconds : 1000000000;

    if (row->seconds < 0 || strcmp(before, row->time) == 0)
        return;
    markup_open(canvas->markup, "text", "class", "time", "text-anchor", "end", "fill",
                "#595e65", NULL);
    markup_attributef(canvas->markup, "x", "%d", TIMES - 10);
    markup_attributef(canvas->markup, "y", "%d", row_middle(index) + 4);
    markup_textf(canvas->markup, "%ld:%02ld.%03ld", whole / 60, whole % 60,
                 (long)((row->seconds - (double)whole) * 1000 + 0.5) % 1000);
    markup_close(canvas->markup);
    markup_text(canvas->markup, "\n");
}

/* Across all lanes: a state, or the end. */
static void put_band(struct canvas *canvas, size_t index)
{
    const struct sequence_row *row = &canvas->sequence->rows[index];
    int y = row_middle(index), width = canvas->width - TIMES - 4;

    put_box(canvas->markup, "band", TIMES, y - ROW / 2 + 2, width, ROW - 4, "#ecebe6");
    put_label(canvas, row, TIMES + 10, y + 4, "start", width - 20);
}

/* What is beside a lane: to the right of trafficlight's, to the left of a role's. */
static void put_beside(struct canvas *canvas, size_t index)
{
    const struct sequence_row *row = &canvas->sequence->rows[index];
    int x = canvas->lanes[row->lane], y = row_middle(index);

    if (row->lane == canvas->sequence->home) {
        put_label(canvas, row, x + 14, y + 4, "start", canvas->width - x - 14);
    } else {
        put_label(canvas, row, x - LANE_WIDE / 2, y + 4, "middle", LANE_WIDE - 30);
        put_box(canvas->markup, "mark", x - 4, y - 4, 8, 8, "#595e65");
    }
}

/* Between trafficlight and the lane. */
static void put_message(struct canvas *canvas, size_t index)
{
    const struct sequence_row *row = &canvas->sequence->rows[index];
    int home = canvas->lanes[canvas->sequence->home], lane = canvas->lanes[row->lane];
    int side = lane > home ? -1 : 1, y = row_middle(index) + 6;
    bool goes_out = row->kind == SEQUENCE_ACTION;

    put_arrow(canvas, row, goes_out ? home : lane, goes_out ? lane : home, y);
    put_label(canvas, row, lane + side * LANE_WIDE / 2, y - 6, "middle", LANE_WIDE - 30);
}

static void put_row(struct canvas *canvas, size_t index)
{
    const struct sequence_row *row = &canvas->sequence->rows[index];
    struct markup *markup = canvas->markup;

    if (row->line > 0) {
        markup_open(markup, "a", NULL);
        markup_attributef(markup, "id", "%sstep-%zu", canvas->prefix, row->line);
        markup_attributef(markup, "href", "%s#%sline-%zu", canvas->page, canvas->prefix,
                          row->line);
    } else {
        markup_open(markup, "g", NULL);
    }
    markup_attributef(markup, "class", "row %s%s", sequence_kind_text(row->kind),
                      outcome_class(row));
    if (row->line > 0)
        put_title(canvas, row);
    put_box(markup, "hit", 0, HEAD + ROW * (int)index, canvas->width, ROW, "none");
    put_time(canvas, index);
    if (row->kind == SEQUENCE_STATE || row->kind == SEQUENCE_END)
        put_band(canvas, index);
    else if (row->kind >= SEQUENCE_ACTION)
        put_message(canvas, index);
    else
        put_beside(canvas, index);
    markup_close(markup);
    markup_text(markup, "\n");
}

/* --- lanes --- */

/* While a lane works on what it was asked, its line is a bar. */
static void put_work(struct canvas *canvas, size_t lane)
{
    const struct sequence *sequence = canvas->sequence;
    size_t began = sequence->row_count, none = sequence->row_count;

    for (size_t i = 0; i < sequence->row_count; i++) {
        const struct sequence_row *row = &sequence->rows[i];
        bool is_last = i + 1 == sequence->row_count;
        bool is_asked = row->lane == lane && row->kind == SEQUENCE_ACTION;
        bool is_free = row->lane == lane && row->frees;
        if (began != none &&
            (is_last || is_asked || is_free || row->kind == SEQUENCE_END)) {
            int top = row_middle(began) + 6;
            put_box(canvas->markup, "work", canvas->lanes[lane] - 4, top, 8,
                    row_middle(i) + 6 - top, "#cfe0f3");
            began = none;
        }
        if (is_asked)
            began = i;
    }
}

static void put_head(struct canvas *canvas, const char *class, const char *text,
                     size_t lane, int y)
{
    bool speaks = canvas->sequence->lanes[lane].speaks;
    struct markup *markup = canvas->markup;

    markup_open(markup, "text", "class", class, "text-anchor", "middle", "fill",
                "#1c1e21", NULL);
    markup_attributef(markup, "x", "%d", canvas->lanes[lane]);
    markup_attributef(markup, "y", "%d", y);
    put_tspan(markup, strcmp(class, "lane") == 0 ? "name" : "words", text,
              bytes_in(speaks ? LANE_WIDE - 20 : LANE_NARROW - 10));
    markup_close(markup);
    markup_text(markup, "\n");
}

static void put_lane(struct canvas *canvas, size_t index)
{
    const struct sequence_lane *lane = &canvas->sequence->lanes[index];
    int x = canvas->lanes[index];

    put_line(canvas->markup, "life", x, HEAD - 6, x, canvas->height - 4, "#a5a29a");
    markup_attributef(canvas->markup, "stroke-dasharray", "2 3");
    markup_close(canvas->markup);
    put_head(canvas, "lane", lane->name, index, HEAD - 30);
    put_head(canvas, "about", lane->about, index, HEAD - 14);
}

/* --- the picture --- */

static void put_picture(struct canvas *canvas)
{
    const struct sequence *sequence = canvas->sequence;
    struct markup *markup = canvas->markup;

    markup_open(markup, "svg", "xmlns", "http://www.w3.org/2000/svg", "class", "sequence",
                "role", "group", "aria-label", "Rows", "font-family",
                "system-ui, sans-serif", "font-size", "12", NULL);
    markup_attributef(markup, "width", "%d", canvas->width);
    markup_attributef(markup, "height", "%d", canvas->height);
    markup_attributef(markup, "viewBox", "0 0 %d %d", canvas->width, canvas->height);
    put_box(markup, "sheet", 0, 0, canvas->width, canvas->height, "#ffffff");
    for (size_t i = 0; i < sequence->lane_count; i++)
        put_lane(canvas, i);
    for (size_t i = 0; i < sequence->lane_count; i++)
        if (i != sequence->home)
            put_work(canvas, i);
    for (size_t i = 0; i < sequence->row_count; i++)
        put_row(canvas, i);
    markup_close(markup);
}

static size_t draw(struct markup *markup, struct json_object *attempt, const char *page,
                   const char *prefix, size_t limit)
{
    struct sequence *sequence = sequence_read(attempt, limit);
    struct canvas canvas = {
        .markup = markup, .sequence = sequence, .page = page, .prefix = prefix};
    size_t hidden = sequence->hidden;

    place_lanes(&canvas);
    put_picture(&canvas);
    free(canvas.lanes);
    sequence_free(sequence);
    return hidden;
}

size_t sequence_put(struct markup *markup, struct json_object *attempt,
                    const char *prefix, size_t limit)
{
    return draw(markup, attempt, "", prefix, limit);
}

char *sequence_svg(struct json_object *attempt, size_t *size)
{
    struct markup *markup = markup_new_xml();

    draw(markup, attempt, "status", "", SEQUENCE_LINES);
    return markup_finish(markup, size);
}
