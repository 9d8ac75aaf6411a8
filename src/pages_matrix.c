/* SPDX-License-Identifier: Apache-2.0 */
/* Cases as a matrix. */
#include "pages_matrix.h"

#include "json.h"
#include "pages_parts.h"
#include "pages_tally.h"
#include "pages_text.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

/* So much a page shows; columns that are beyond are only counted. */
#define PAGE_LAMPS  1000
#define COLUMNS_MAX 60
#define CELL_LAMPS  6 /* of more cases in one cell only the numbers are shown */

/* Client types that play together somewhere. */
struct column {
    char *pair;   /* "element-web + element-android"; owned */
    size_t types; /* how many those are */
};

/* The cases of one test. */
struct row {
    size_t first; /* index of its first case in the selection */
    size_t count; /* how many it has there */
    size_t page;  /* on which page it is, from 1 */
};

struct matrix {
    struct markup *markup;             /* where it goes; borrowed */
    const struct selection *selection; /* borrowed */
    const struct query *query;         /* borrowed */
    struct column *columns;            /* owned */
    size_t column_count;               /* how many those are */
    size_t *column_of;                 /* of each case; owned */
    struct row *rows;                  /* owned */
    size_t row_count;                  /* how many those are */
    struct json_object *known;         /* ids of elements; owned */
};

/* --- columns --- */

static size_t count_types(const char *name)
{
    size_t count = 0;

    for (; (name = strchr(name, '=')) != NULL; name++)
        count++;
    return count;
}

/* Few clients before many. */
static int compare_columns(const void *a, const void *b)
{
    const struct column *left = a, *right = b;

    return left->types != right->types ? (left->types > right->types ? 1 : -1)
                                       : strcmp(left->pair, right->pair);
}

/* Make the columns; gives their indices by pair, owned. */
static struct json_object *make_columns(struct matrix *matrix)
{
    const struct selection *selection = matrix->selection;
    struct json_object *indices = json_new_object();

    matrix->columns = xcalloc(selection->count + 1, sizeof *matrix->columns);
    for (size_t i = 0; i < selection->count; i++) {
        const char *name = text_member(selection->cases[i].testcase, "name");
        char *pair = select_pair(name);
        if (!json_object_object_get_ex(indices, pair, NULL)) {
            json_put_int(indices, pair, 0);
            matrix->columns[matrix->column_count++] =
                (struct column){xstrdup(pair), count_types(name)};
        }
        free(pair);
    }
    if (matrix->column_count > 0)
        qsort(matrix->columns, matrix->column_count, sizeof *matrix->columns,
              compare_columns);
    for (size_t i = 0; i < matrix->column_count; i++)
        json_put_int(indices, matrix->columns[i].pair, (int64_t)i);
    return indices;
}

static void place_cases(struct matrix *matrix)
{
    const struct selection *selection = matrix->selection;
    struct json_object *indices = make_columns(matrix);

    matrix->column_of = xcalloc(selection->count + 1, sizeof *matrix->column_of);
    for (size_t i = 0; i < selection->count; i++) {
        char *pair = select_pair(text_member(selection->cases[i].testcase, "name"));
        matrix->column_of[i] = (size_t)json_object_get_int64(json_member(indices, pair));
        free(pair);
    }
    json_object_put(indices);
}

static size_t shown_columns(const struct matrix *matrix)
{
    return matrix->column_count < COLUMNS_MAX ? matrix->column_count : COLUMNS_MAX;
}

/* --- rows --- */

/* Rows fill a page until it has its lamps; one row is never parted. */
static void make_rows(struct matrix *matrix)
{
    const struct selection *selection = matrix->selection;
    size_t page = 1, lamps = 0;

    matrix->rows = xcalloc(selection->count + 1, sizeof *matrix->rows);
    for (size_t i = 0, first = 0; i < selection->count; i++) {
        const struct selected *cases = selection->cases;
        if (i + 1 < selection->count && cases[i + 1].suite == cases[i].suite)
            continue;
        size_t count = i + 1 - first;
        if (lamps > 0 && lamps + count > PAGE_LAMPS) {
            page++;
            lamps = 0;
        }
        lamps += count;
        matrix->rows[matrix->row_count++] = (struct row){first, count, page};
        first = i + 1;
    }
}

/* --- cells --- */

static void put_lamp(const struct matrix *matrix, const struct selected *selected)
{
    struct markup *markup = matrix->markup;
    struct json_object *testcase = selected->testcase;
    enum part_state state = part_state(text_member(testcase, "state"));
    bool is_flaky = json_object_get_boolean(json_member(testcase, "flaky"));
    char *words = xasprintf("%s%s: %s, %s", part_state_word(state),
                            is_flaky ? " after a retry" : "", selected->test,
                            text_member(testcase, "name"));
    char *visible = text_visible(words, TEXT_BOARD_BYTES);

    part_open_link(markup, text_member(testcase, "id"), "status");
    part_put_id(markup, matrix->known, "lamp", text_member(testcase, "id"));
    markup_attributef(markup, "class", "outcome%s", is_flaky ? " retried" : "");
    markup_attributef(markup, "data-state", "%s", part_state_word(state));
    markup_attributef(markup, "title", "%s", visible);
    markup_attributef(markup, "aria-label", "%s", visible);
    markup_element(markup, "span", is_flaky ? "≈" : part_state_sign(state), "aria-hidden",
                   "true", NULL);
    markup_close(markup);
    markup_text(markup, " ");
    free(visible);
    free(words);
}

/* Where the list shows the cases of this kind that are in this state. */
static char *kind_link(const struct matrix *matrix, const struct selected *selected,
                       enum part_state state)
{
    struct json_object *asked = json_new_object();
    struct query query = {asked, matrix->query->fields};
    const char *name = text_member(selected->testcase, "name");

    json_put_text(asked, "state", part_state_word(state));
    json_put_text(asked, "test", selected->test);
    json_put_text(asked, "q", name);
    char *link = query_link(&query, "", "");
    json_object_put(asked);
    return link;
}

static void put_number(const struct matrix *matrix, const struct selected *selected,
                       enum part_state state, size_t count)
{
    char *link = kind_link(matrix, selected, state);

    markup_open(matrix->markup, "a", "class", "lamp", "href", link, NULL);
    markup_attributef(matrix->markup, "data-state", "%s", part_state_word(state));
    markup_textf(matrix->markup, "%s %zu ", part_state_sign(state), count);
    markup_element(matrix->markup, "span", part_state_word(state), "class", "unseen",
                   NULL);
    markup_close(matrix->markup);
    markup_text(matrix->markup, " ");
    free(link);
}

/* The numbers of a cell with too many lamps. The first round of a repeated case has the
 * name that all have in common. */
static void put_numbers(const struct matrix *matrix, const struct row *row, size_t column)
{
    const struct selected *some = NULL;
    size_t of[PART_STATE_COUNT] = {0};

    for (size_t i = row->first; i < row->first + row->count; i++) {
        const struct selected *selected = &matrix->selection->cases[i];
        if (matrix->column_of[i] != column)
            continue;
        some = some == NULL ? selected : some;
        of[part_state(text_member(selected->testcase, "state"))]++;
    }
    for (int state = 0; state < PART_STATE_COUNT; state++) {
        if (of[state] > 0)
            put_number(matrix, some, (enum part_state)state, of[state]);
    }
}

static void put_cell(const struct matrix *matrix, const struct row *row, size_t column)
{
    size_t count = 0;

    for (size_t i = row->first; i < row->first + row->count; i++)
        count += matrix->column_of[i] == column;
    markup_open(matrix->markup, "td", NULL);
    if (count > CELL_LAMPS)
        put_numbers(matrix, row, column);
    for (size_t i = row->first; count <= CELL_LAMPS && i < row->first + row->count; i++) {
        if (matrix->column_of[i] == column)
            put_lamp(matrix, &matrix->selection->cases[i]);
    }
    markup_close(matrix->markup);
}

static void put_row(const struct matrix *matrix, const struct row *row)
{
    struct markup *markup = matrix->markup;
    const struct selected *first = &matrix->selection->cases[row->first];

    markup_open(markup, "tr", NULL);
    part_put_id(markup, matrix->known, "test", text_member(first->suite, "id"));
    markup_open(markup, "th", "scope", "row", NULL);
    part_open_link(markup, text_member(first->suite, "id"), "suitestatus");
    text_put(markup, first->test, TEXT_BOARD_BYTES);
    markup_close(markup);
    markup_close(markup);
    for (size_t column = 0; column < shown_columns(matrix); column++)
        put_cell(matrix, row, column);
    markup_close(markup);
    markup_text(markup, "\n");
}

/* --- all together --- */

static void put_head(const struct matrix *matrix)
{
    struct markup *markup = matrix->markup;

    markup_element(markup, "caption", "Cases by test and clients", NULL);
    markup_open(markup, "thead", NULL);
    markup_open(markup, "tr", NULL);
    markup_element(markup, "th", "Test", "scope", "col", NULL);
    for (size_t i = 0; i < shown_columns(matrix); i++) {
        markup_open(markup, "th", "scope", "col", NULL);
        text_put_in(markup, "span", "across", matrix->columns[i].pair);
        markup_close(markup);
    }
    markup_close(markup);
    markup_close(markup);
}

/* A box that scrolls is reached by the keyboard, too. */
static void put_box(const struct matrix *matrix, size_t page)
{
    struct markup *markup = matrix->markup;

    markup_open(markup, "div", "class", "box", "id", "matrix", "role", "region",
                "tabindex", "0", "aria-label", "Matrix of tests and clients", NULL);
    markup_open(markup, "table", "class", "matrix", NULL);
    put_head(matrix);
    markup_open(markup, "tbody", NULL);
    for (size_t i = 0; i < matrix->row_count; i++) {
        if (matrix->rows[i].page == page)
            put_row(matrix, &matrix->rows[i]);
    }
    markup_close(markup);
    markup_close(markup);
    markup_close(markup);
}

static void put_beyond(const struct matrix *matrix)
{
    size_t count = matrix->column_count - shown_columns(matrix);

    if (count == 0)
        return;
    markup_open(matrix->markup, "p", "class", "more", NULL);
    markup_textf(matrix->markup,
                 "%zu more %s not shown here: choose a client above to see its own.",
                 count, count == 1 ? "column is" : "columns are");
    markup_close(matrix->markup);
}

void matrix_put(struct markup *markup, const struct selection *selection,
                const struct query *query)
{
    struct matrix matrix = {.markup = markup,
                            .selection = selection,
                            .query = query,
                            .known = json_new_object()};

    place_cases(&matrix);
    make_rows(&matrix);
    size_t pages = matrix.row_count > 0 ? matrix.rows[matrix.row_count - 1].page : 1;
    struct query_part part = query_part(query, pages, 1);
    put_box(&matrix, part.page);
    put_beyond(&matrix);
    query_put_parts(markup, query, &part);
    for (size_t i = 0; i < matrix.column_count; i++)
        free(matrix.columns[i].pair);
    free(matrix.columns);
    free(matrix.column_of);
    free(matrix.rows);
    json_object_put(matrix.known);
}
