/* SPDX-License-Identifier: Apache-2.0 */
/* What happened in an attempt, row by row. The lines are those of lib/attempt.c and
 * lib/engine_case.c; one that reads otherwise is shown as it is. */
#include "sequence_rows.h"

#include "json.h"
#include "pages_text.h"
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVERS_MAX   8   /* with a lane */
#define ROLES_MAX     24  /* with a lane: who comes after them has notes */
#define PAUSE_SECONDS 1.0 /* so long nothing happens before it is shown */
#define JSON_DEPTH    64  /* of data that are shown in brief */

const char *sequence_kind_text(enum sequence_kind kind)
{
    static const char *const texts[] = {
#define SEQUENCE_TEXT(name, word) word,
        SEQUENCE_KINDS(SEQUENCE_TEXT)
#undef SEQUENCE_TEXT
    };

    return texts[kind];
}

/* --- lanes --- */

static struct sequence_lane *add_lane(struct sequence *sequence, const char *name,
                                      const char *about)
{
    struct sequence_lane *lane = &sequence->lanes[sequence->lane_count++];

    lane->name = xstrdup(name);
    lane->about = xstrdup(about);
    return lane;
}

static void add_servers(struct sequence *sequence, struct json_object *attempt)
{
    size_t count = text_count(attempt, "servers");

    for (size_t i = 0; i < count && i < SERVERS_MAX; i++) {
        struct json_object *server = text_element(attempt, "servers", i);
        add_lane(sequence, text_member(server, "server_name"),
                 text_member(server, "name"))
            ->url = text_member(server, "cs_api");
    }
}

static void add_roles(struct sequence *sequence, struct json_object *attempt)
{
    struct json_object *roles = json_member(attempt, "roles");
    size_t count = 0;

    if (!json_object_is_type(roles, json_type_object))
        return;
    json_object_object_foreach (roles, name, role) {
        if (count++ == ROLES_MAX)
            break;
        add_lane(sequence, name, text_member(role, "type"))->is_busy_now =
            *text_member(role, "action") != '\0';
    }
}

/* The lane of a role; trafficlight's if it has none. */
static size_t find_role(const struct sequence *sequence, const char *role)
{
    for (size_t i = sequence->home + 1; i < sequence->lane_count; i++) {
        if (strcmp(sequence->lanes[i].name, role) == 0)
            return i;
    }
    return sequence->home;
}

/* The lane of the server at a URL; trafficlight's if it is none of the case's. */
static size_t find_server(const struct sequence *sequence, const char *url)
{
    for (size_t i = 0; i < sequence->home; i++) {
        const char *base = sequence->lanes[i].url;
        if (*base != '\0' && strncmp(url, base, strlen(base)) == 0)
            return i;
    }
    return sequence->home;
}

/* --- rows --- */

/* Takes name and words. */
static struct sequence_row *add_row(struct sequence *sequence, enum sequence_kind kind,
                                    size_t lane, char *name, char *words)
{
    if (sequence->row_count == sequence->row_capacity) {
        sequence->row_capacity = sequence->row_capacity ? 2 * sequence->row_capacity : 64;
        sequence->rows =
            xreallocarray(sequence->rows, sequence->row_capacity, sizeof *sequence->rows);
    }
    struct sequence_row *row = &sequence->rows[sequence->row_count++];
    *row = (struct sequence_row){.kind = kind,
                                 .lane = lane,
                                 .name = name,
                                 .words = words,
                                 .full = "",
                                 .time = "",
                                 .seconds = -1};
    return row;
}

/* JSON for people: "user: red, room: #a". Other text as it is. Owned. */
static char *brief_data(const char *text)
{
    struct json_object *data = NULL;
    char *cause = NULL, *brief = NULL;
    size_t size;

    if (json_read(text, strlen(text), JSON_DEPTH, &data, &cause) != 0 ||
        !json_object_is_type(data, json_type_object)) {
        json_object_put(data);
        free(cause);
        return xstrdup(text);
    }
    FILE *out = xcheck(open_memstream(&brief, &size));
    const char *between = "";
    json_object_object_foreach (data, name, value) {
        (void)value;
        if (strcmp(name, "response") == 0 || strcmp(name, "id") == 0)
            continue;
        fprintf(out, "%s%s: %s", between, name, text_member(data, name));
        between = ", ";
    }
    if (fclose(out) != 0)
        xcheck(NULL);
    json_object_put(data);
    return brief;
}

/* "login {…}" */
static void read_action(struct sequence *sequence, size_t lane, const char *text)
{
    size_t length = strcspn(text, " ");
    const char *data = text + length;

    add_row(sequence, SEQUENCE_ACTION, lane, xstrndup(text, length),
            brief_data(data + (*data == ' ')));
}

/* "login: logged_in {…}" */
static void read_report(struct sequence *sequence, size_t lane, const char *text)
{
    const char *meant = strstr(text, ": ");
    const char *body = meant != NULL ? strstr(meant, " {") : NULL;

    if (body == NULL)
        add_row(sequence, SEQUENCE_REPORT, lane, xstrdup(text), xstrdup(""));
    else
        add_row(sequence, SEQUENCE_REPORT, lane,
                xstrndup(meant + 2, (size_t)(body - meant - 2)), brief_data(body + 1));
}

/* "asks GET http://…", "answered {…}", and what homerunner does. *asked is the lane that
 * was asked last. */
static void read_server(struct sequence *sequence, size_t *asked, const char *text)
{
    const char *url = strstr(text, "http");

    if (strncmp(text, "asks ", 5) == 0 && url != NULL) {
        *asked = find_server(sequence, url);
        size_t skipped =
            *asked < sequence->home ? strlen(sequence->lanes[*asked].url) : 0;
        add_row(sequence, *asked < sequence->home ? SEQUENCE_ACTION : SEQUENCE_NOTE,
                *asked, xstrndup(text + 5, (size_t)(url - text - 5)),
                xstrdup(url + skipped));
    } else if (strncmp(text, "answered {", 10) == 0 && *asked < sequence->home) {
        add_row(sequence, SEQUENCE_REPORT, *asked, xstrdup("answered"),
                brief_data(text + 9));
    } else {
        add_row(sequence, SEQUENCE_NOTE, sequence->home, xstrdup(""), xstrdup(text));
    }
}

static void read_end(struct sequence *sequence, const char *text)
{
    size_t length = strcspn(text, ":");
    const char *why = text + length;

    for (size_t i = 0; i < sequence->lane_count; i++)
        sequence->lanes[i].is_asked = false;
    add_row(sequence, SEQUENCE_END, sequence->home, xstrndup(text, length),
            xstrdup(*why != '\0' ? why + strspn(why, ": ") : ""));
}

/* A line that is none of the above; who has no lane is named. */
static void read_other(struct sequence *sequence, enum sequence_kind kind, size_t lane,
                       const char *role, const char *text)
{
    if (lane == sequence->home) {
        add_row(sequence, SEQUENCE_NOTE, lane, xstrdup(role), xstrdup(text));
        return;
    }
    struct sequence_row *row = add_row(sequence, kind, lane, xstrdup(""), xstrdup(text));
    row->frees = strncmp(text, "is not asked for ", 17) == 0;
}

/* Gives false for a line that no row is made of: who plays stands above the lanes. */
static bool read_line(struct sequence *sequence, size_t *asked, struct json_object *line)
{
    const char *kind = text_member(line, "kind"), *text = text_member(line, "text");
    const char *role = text_member(line, "role");
    size_t lane = find_role(sequence, role);
    bool is_role = lane != sequence->home;

    if (is_role && strncmp(text, "is played by ", 13) == 0)
        return false;
    if (strcmp(kind, "state") == 0)
        add_row(sequence, SEQUENCE_STATE, lane, xstrdup(text), xstrdup(""));
    else if (strcmp(kind, "action") == 0 && is_role)
        read_action(sequence, lane, text);
    else if (strcmp(kind, "response") == 0 && is_role)
        read_report(sequence, lane, text);
    else if (strcmp(kind, "server") == 0)
        read_server(sequence, asked, text);
    else if (strcmp(kind, "end") == 0)
        read_end(sequence, text);
    else
        read_other(sequence,
                   strcmp(kind, "upload") == 0  ? SEQUENCE_UPLOAD
                   : strcmp(kind, "error") == 0 ? SEQUENCE_ERROR
                                                : SEQUENCE_NOTE,
                   lane, role, text);
    struct sequence_row *row = &sequence->rows[sequence->row_count - 1];
    row->frees = row->frees || row->kind == SEQUENCE_REPORT;
    if (row->kind >= SEQUENCE_ACTION)
        sequence->lanes[row->lane].speaks = true;
    if (row->kind == SEQUENCE_ACTION || row->frees)
        sequence->lanes[row->lane].is_asked = !row->frees;
    return true;
}

/* --- when nothing happens --- */

/* "for red, green": whom the case waits for; "" if for nobody. Owned. */
static char *awaited(const struct sequence *sequence, bool now)
{
    char *names = NULL;
    size_t size;
    FILE *out = xcheck(open_memstream(&names, &size));
    const char *before = " for ";

    for (size_t i = 0; i < sequence->lane_count; i++) {
        const struct sequence_lane *lane = &sequence->lanes[i];
        if (now ? lane->is_busy_now : lane->is_asked) {
            fprintf(out, "%s%s", before, lane->name);
            before = ", ";
        }
    }
    if (fclose(out) != 0)
        xcheck(NULL);
    return names;
}

static void add_pause(struct sequence *sequence, double seconds, bool now)
{
    char *whom = awaited(sequence, now), *length = text_duration(seconds);

    add_row(sequence, SEQUENCE_PAUSE, sequence->home, length,
            now ? xasprintf("waits%s until now", whom) : xasprintf("waits%s", whom));
    free(whom);
}

/* --- all of it --- */

/* How an attempt that goes on stands now. */
static void add_now(struct sequence *sequence, struct json_object *attempt, double last)
{
    const char *state = text_member(attempt, "state");
    double now = json_object_get_double(json_member(attempt, "duration"));

    if (strcmp(state, "running") == 0 && last >= 0 && now > last)
        add_pause(sequence, now - last, true);
}

static void read_lines(struct sequence *sequence, struct json_object *attempt)
{
    size_t count = text_count(attempt, "transcript"), asked = sequence->home;
    const char *began = text_member(text_element(attempt, "transcript", 0), "time");
    double last = 0;
    bool is_over = false;

    for (size_t i = sequence->hidden; i < count; i++) {
        struct json_object *line = text_element(attempt, "transcript", i);
        const char *time = text_member(line, "time");
        double seconds = text_seconds_between(began, time);
        if (i > sequence->hidden && last >= 0 && seconds - last >= PAUSE_SECONDS &&
            !is_over)
            add_pause(sequence, seconds - last, false);
        last = seconds;
        if (!read_line(sequence, &asked, line))
            continue;
        struct sequence_row *row = &sequence->rows[sequence->row_count - 1];
        row->full = text_member(line, "text");
        row->time = time;
        row->line = i + 1;
        row->seconds = seconds;
        is_over = is_over || row->kind == SEQUENCE_END;
    }
    if (count > 0)
        add_now(sequence, attempt, last);
}

struct sequence *sequence_read(struct json_object *attempt, size_t limit)
{
    struct sequence *sequence = xcalloc(1, sizeof *sequence);
    size_t lines = text_count(attempt, "transcript");

    sequence->lanes = xcalloc(SERVERS_MAX + 1 + ROLES_MAX, sizeof *sequence->lanes);
    add_servers(sequence, attempt);
    sequence->home = sequence->lane_count;
    add_lane(sequence, "trafficlight", "");
    add_roles(sequence, attempt);
    sequence->hidden = lines > limit ? lines - limit : 0;
    read_lines(sequence, attempt);
    return sequence;
}

void sequence_free(struct sequence *sequence)
{
    for (size_t i = 0; i < sequence->lane_count; i++) {
        free(sequence->lanes[i].name);
        free(sequence->lanes[i].about);
    }
    for (size_t i = 0; i < sequence->row_count; i++) {
        free(sequence->rows[i].name);
        free(sequence->rows[i].words);
    }
    free(sequence->lanes);
    free(sequence->rows);
    free(sequence);
}
