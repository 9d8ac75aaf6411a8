/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a server for a person at a terminal. */
#include "progress.h"

#include "excerpt.h"
#include "json.h"
#include "utf8.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define CELL_MAX    200 /* bytes of a cell */
#define MESSAGE_MIN 24  /* columns that a message always gets */
#define BAR_MIN     5   /* cells of the smallest bar */
#define BAR_MAX     30  /* and of the largest */

/* --- totals --- */

static size_t read_total(struct json_object *totals, const char *name)
{
    struct json_object *number = json_member(totals, name);
    int64_t value =
        json_object_is_type(number, json_type_int) ? json_object_get_int64(number) : 0;

    return value > 0 ? (size_t)value : 0;
}

bool tally_read(struct tally *tally, struct json_object *status)
{
    struct json_object *totals = NULL, *server = NULL;

    if (json_object_is_type(status, json_type_object)) {
        totals = json_member(status, "totals");
        server = json_member(status, "server");
    }
    if (!json_object_is_type(totals, json_type_object) ||
        !json_object_is_type(server, json_type_object))
        return false;
    *tally = (struct tally){.cases = read_total(totals, "cases"),
                            .waiting = read_total(totals, "waiting"),
                            .preparing = read_total(totals, "preparing"),
                            .running = read_total(totals, "running"),
                            .success = read_total(totals, "success"),
                            .failed = read_total(totals, "failed"),
                            .error = read_total(totals, "error"),
                            .flaky = read_total(totals, "flaky"),
                            .done = json_object_get_boolean(json_member(server, "done"))};
    return true;
}

bool tally_is_equal(const struct tally *one, const struct tally *other)
{
    return one->cases == other->cases && one->waiting == other->waiting &&
           one->preparing == other->preparing && one->running == other->running &&
           one->success == other->success && one->failed == other->failed &&
           one->error == other->error && one->flaky == other->flaky &&
           one->done == other->done;
}

char *tally_text(const struct tally *tally)
{
    const struct {
        size_t count;
        const char *name;
    } parts[] = {{tally->waiting, "waiting"},     {tally->preparing, "preparing"},
                 {tally->running, "running"},     {tally->success, "success"},
                 {tally->flaky, "of them flaky"}, {tally->failed, "failed"},
                 {tally->error, "error"}};
    char *text = NULL;
    size_t size;
    const char *between = ": ";
    FILE *out = xcheck(open_memstream(&text, &size));

    fprintf(out, "%zu %s", tally->cases, tally->cases == 1 ? "case" : "cases");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].count == 0)
            continue;
        fprintf(out, "%s%zu %s", between, parts[i].count, parts[i].name);
        between = ", ";
    }
    if (fclose(out) != 0)
        xcheck(NULL);
    return text;
}

char *progress_line(const struct tally *tally, size_t columns)
{
    size_t ended = tally->success + tally->failed + tally->error;
    char *text = tally_text(tally);
    size_t taken = strlen(text) + strlen("[] ");
    size_t cells = columns > taken ? columns - taken : 0;
    char *line, bar[BAR_MAX + 1];

    cells = cells < BAR_MIN ? BAR_MIN : cells > BAR_MAX ? BAR_MAX : cells;
    size_t full = tally->cases > 0 ? cells * ended / tally->cases : 0;
    full = full > cells ? cells : full;
    memset(bar, '#', full);
    memset(bar + full, '.', cells - full);
    line = xasprintf("[%.*s] %s", (int)cells, bar, text);
    if (strlen(line) > columns)
        line[columns] = '\0';
    free(text);
    return line;
}

/* --- the table --- */

enum { COLUMN_SUITE, COLUMN_CASE, COLUMN_OUTCOME, COLUMN_SECONDS, COLUMN_MESSAGE };
#define COLUMNS 5

struct row {
    char *cells[COLUMNS]; /* fit for a terminal; owned */
};

struct table {
    struct row *rows;       /* the first one is the head; owned */
    size_t count;           /* length of rows */
    size_t widths[COLUMNS]; /* of the widest cell of each column */
};

/* How many columns the text takes: its characters. */
static size_t text_width(const char *text)
{
    size_t width = 0, left = strlen(text);

    while (left > 0) {
        uint32_t character;
        size_t step = utf8_read(text, left, &character);
        step = step > 0 ? step : 1;
        text += step;
        left -= step;
        width++;
    }
    return width;
}

/* Copies the texts; a NULL is empty. */
static void add_row(struct table *table, const char *const texts[COLUMNS])
{
    table->rows = xreallocarray(table->rows, table->count + 1, sizeof *table->rows);
    struct row *row = &table->rows[table->count++];
    for (size_t i = 0; i < COLUMNS; i++) {
        const char *text = texts[i] != NULL ? texts[i] : "";
        row->cells[i] = excerpt(text, strlen(text), CELL_MAX);
        size_t width = text_width(row->cells[i]);
        if (width > table->widths[i])
            table->widths[i] = width;
    }
}

static void add_case(struct table *table, const char *suite, struct json_object *testcase)
{
    struct json_object *duration = json_member(testcase, "duration");
    char seconds[32];

    snprintf(seconds, sizeof seconds, "%.2f", json_object_get_double(duration));
    add_row(table, (const char *[]){suite, json_member_text(testcase, "name"),
                                    json_member_text(testcase, "state"), seconds,
                                    json_member_text(testcase, "message")});
}

static void add_suite(struct table *table, struct json_object *suite)
{
    struct json_object *cases = json_member(suite, "cases");
    const char *folder = json_member_text(suite, "folder");
    const char *name = json_member_text(suite, "name");
    char *both = xasprintf("%s%s%s", folder != NULL ? folder : "",
                           folder != NULL && folder[0] != '\0' ? "." : "",
                           name != NULL ? name : "");

    if (json_object_is_type(cases, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(cases); i++) {
            struct json_object *testcase = json_object_array_get_idx(cases, i);
            if (json_object_is_type(testcase, json_type_object))
                add_case(table, both, testcase);
        }
    }
    free(both);
}

static void write_row(const struct table *table, const struct row *row, size_t message,
                      FILE *out)
{
    for (size_t i = 0; i < COLUMN_MESSAGE; i++) {
        int gap = (int)(table->widths[i] - text_width(row->cells[i]));
        if (i == COLUMN_SECONDS)
            fprintf(out, "%*s%s", gap, "", row->cells[i]);
        else
            fprintf(out, "%s%*s  ", row->cells[i], gap, "");
    }
    const char *text = row->cells[COLUMN_MESSAGE];
    char *shown = excerpt(text, strlen(text), message);
    fprintf(out, "%s%s\n", shown[0] != '\0' ? "  " : "", shown);
    free(shown);
}

static void write_table(const struct table *table, size_t columns, FILE *out)
{
    size_t taken = 2 * COLUMN_MESSAGE + 1, message;

    for (size_t i = 0; i < COLUMN_MESSAGE; i++)
        taken += table->widths[i];
    message = columns > taken + MESSAGE_MIN ? columns - taken : MESSAGE_MIN;
    for (size_t i = 0; i < table->count; i++)
        write_row(table, &table->rows[i], message, out);
}

void progress_table(struct json_object *status, size_t columns, FILE *out)
{
    static const char *const head[COLUMNS] = {"TEST", "CASE", "OUTCOME", "SECONDS",
                                              "MESSAGE"};
    struct json_object *suites = json_member(status, "suites");
    struct table table = {0};

    add_row(&table, head);
    if (json_object_is_type(suites, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(suites); i++) {
            struct json_object *suite = json_object_array_get_idx(suites, i);
            if (json_object_is_type(suite, json_type_object))
                add_suite(&table, suite);
        }
    }
    write_table(&table, columns, out);
    for (size_t i = 0; i < table.count; i++) {
        for (size_t j = 0; j < COLUMNS; j++)
            free(table.rows[i].cells[j]);
    }
    free(table.rows);
}
