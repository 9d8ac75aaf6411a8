/* SPDX-License-Identifier: Apache-2.0 */
/* A start that finds a journal. */
#include "restart.h"

#include "compaction.h"
#include "daemon.h"
#include "database.h"
#include "homerunner.h"
#include "input.h"
#include "inputs.h"
#include "journal.h"
#include "json.h"
#include "keeping.h"
#include "now.h"
#include "presence.h"
#include "status.h"
#include "supervisor.h"
#include "wiring.h"
#include "xalloc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define EXTEND_INPUTS 10000 /* after so many a service manager hears that it goes on */
#define EXTEND_MS     30000 /* and has patience for so much longer */
#define INPUT_DEPTH   1100  /* nesting of an input: of the deepest body, and around it */

/* A journal that is being read. */
struct reading {
    struct daemon *daemon;    /* borrowed */
    bool fresh;               /* see input_replay() */
    int64_t snapshot;         /* number of its first part, while one is taken; else 0 */
    struct json_object *runs; /* array: ids of those that it brings; owned */
    size_t count;             /* inputs so far */
    struct compaction_tally tally; /* of them */
    char *cause;                   /* why it can't be read on; owned */
};

static void note_beginning(const struct reading *reading, struct json_object *input,
                           int64_t number)
{
    const char *kind = json_member_text(input, "input");
    const char *run = json_member_text(input, "run");
    bool begins = kind != NULL && strcmp(kind, "begin") == 0 && run != NULL;
    enum run_standing standing =
        begins ? engine_run_standing(reading->daemon->engine, run) : RUN_IS_UNKNOWN;

    if (standing == RUN_IS_GOING || standing == RUN_IS_OVER)
        keeping_note_beginning(reading->daemon->keeping, run, number);
}

static void note_run(const struct reading *reading, struct json_object *input)
{
    const char *kind = json_member_text(input, "input");
    const char *run = json_member_text(json_member(input, "plan"), "id");

    if (kind != NULL && strcmp(kind, "run") == 0 && run != NULL)
        json_append(reading->runs, json_new_text(run));
}

/* A part of a snapshot. */
static void note_part(struct reading *reading, int64_t number, bool comes_first)
{
    if (comes_first)
        reading->snapshot = number;
    if (reading->snapshot == 0 || engine_is_restoring(reading->daemon->engine))
        return;
    keeping_note_snapshot(reading->daemon->keeping, reading->snapshot);
    reading->snapshot = 0;
}

static void note_input(struct reading *reading, struct json_object *input,
                       const char *text, int64_t number, bool was_fresh)
{
    const char *kind = json_member_text(input, "input");

    if (kind != NULL && strcmp(kind, "snapshot") == 0) {
        note_part(reading, number, was_fresh);
        reading->tally.snapshot_bytes += strlen(text);
    } else {
        note_run(reading, input);
        note_beginning(reading, input, number);
        reading->tally.inputs++;
        reading->tally.bytes += strlen(text);
    }
}

/* Runs that were forgotten just before the process died are still there. */
static void forget_runs(const struct reading *reading)
{
    const struct daemon *daemon = reading->daemon;

    for (size_t i = 0; i < json_object_array_length(reading->runs); i++) {
        const char *run =
            json_object_get_string(json_object_array_get_idx(reading->runs, i));
        if (engine_run_standing(daemon->engine, run) == RUN_IS_UNKNOWN)
            keeping_note_forgotten(daemon->keeping, run);
    }
}

static bool read_input(void *context, int64_t number, const char *text,
                       const struct instant *at)
{
    struct reading *reading = context;
    struct json_object *input = NULL;
    bool was_fresh = reading->fresh;
    char *cause = NULL;
    bool good = json_read(text, strlen(text), INPUT_DEPTH, &input, &cause) == 0;

    if (good && input_replay(reading->daemon->engine, input, at, &reading->fresh,
                             &cause) == ENGINE_UNREADABLE)
        good = false;
    if (good) {
        note_input(reading, input, text, number, was_fresh);
    } else {
        cause_set(&reading->cause, "input %" PRId64 " can't be read: %s", number, cause);
    }
    if (++reading->count % EXTEND_INPUTS == 0)
        supervisor_extend(reading->daemon->supervisor, EXTEND_MS);
    free(cause);
    json_object_put(input);
    return good;
}

static void meet(void *context, const char *client)
{
    presence_restore(((struct daemon *)context)->presence, client);
}

static void know_deployment(void *context, const char *deployment, const char *where)
{
    homerunner_known(((struct daemon *)context)->homerunner, deployment, where);
}

static void go_on(struct daemon *daemon, size_t count)
{
    char *line = status_line(daemon->engine);

    if (engine_is_fresh(daemon->engine))
        log_info("the server was stopped: begins anew");
    else
        log_info("goes on where the journal of %zu inputs ends: %s", count, line);
    engine_clients(daemon->engine, meet, daemon);
    engine_made_deployments(daemon->engine, know_deployment, daemon);
    inputs_keep(daemon->inputs, input_resume(), NULL, NULL);
    free(line);
}

/* Damage of the file comes with its own advice; what can be read but not understood does
 * not. */
static void tell_unreadable(const struct daemon *daemon, const char *damage,
                            const char *text)
{
    char *path = xasprintf("%s/journal.sqlite", daemon->state_folder);
    char *way = database_way_to_move(path);

    if (damage != NULL)
        log_error("%s", damage);
    else
        log_error(
            "the journal %s can't be read back: %s: start the version that wrote it, "
            "or move it away to begin anew: %s",
            path, text, way);
    free(way);
    free(path);
}

bool restart_replay(struct daemon *daemon)
{
    struct reading reading = {.daemon = daemon, .fresh = true, .runs = json_new_array()};
    struct instant last = {0};
    char *cause = NULL;

    if (daemon->journal == NULL) {
        json_object_put(reading.runs);
        return true;
    }
    bool good = journal_replay(daemon->journal, read_input, &reading, &last, &cause) == 0;
    if (engine_is_restoring(daemon->engine))
        cause_set(&reading.cause, "a snapshot has no end");
    if (good && reading.cause != NULL)
        good = false;
    if (!good)
        tell_unreadable(daemon, cause, reading.cause);
    if (good && last.mono_ms != 0)
        now_continue(last.mono_ms);
    if (good && reading.count > 0) {
        compaction_look(daemon, &reading.tally, &last);
        forget_runs(&reading);
        go_on(daemon, reading.count);
    }
    json_object_put(reading.runs);
    free(reading.cause);
    free(cause);
    return good;
}
