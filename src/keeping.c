/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of runs that have ended. One is written at a time, some cases in each turn
 * of the loop, so that a large run holds nobody up.
 */
#include "keeping.h"

#include "daemon.h"
#include "expected.h"
#include "history.h"
#include "ids.h"
#include "input.h"
#include "inputs.h"
#include "journal.h"
#include "json.h"
#include "junit.h"
#include "now.h"
#include "status.h"
#include "xalloc.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define CASES_AT_ONCE 10   /* written in one turn */
#define ITEMS_AT_ONCE 100  /* cases and clients of a status, gathered in one turn */
#define RETRY_MS      5000 /* after the history could not be written */
#define AGAIN_MS      2000 /* after it was, where more is said of the run later */

/* A run that has begun, or has ended before it could. */
struct record {
    char id[ID_SIZE];         /* of the run */
    int64_t number;           /* of the journal's input with which it began; 0: none */
    bool in_snapshot;         /* that is a snapshot, which others may share */
    size_t kept;              /* how far its changes are in the history; 0: not at all */
    int64_t retry_ms;         /* monotonic: it is not written before */
    bool failed;              /* the latest try to write it failed */
    bool forgetting;          /* the input that forgets it is under way */
    TAILQ_ENTRY(record) link; /* in the order of their beginnings */
};

TAILQ_HEAD(record_list, record);

/* A run that is being written. */
struct writing {
    char run[ID_SIZE];          /* "" if none is */
    size_t changes;             /* as they were when it was begun */
    size_t next;                /* number of the case that comes next */
    bool last;                  /* the cases are there: the run itself is under way */
    struct status_view view;    /* of the documents of the run */
    struct status_walk *status; /* one of them, while it is gathered; owned */
    struct junit_walk *junit;   /* the other; owned */
};

struct keeping {
    struct daemon *daemon;      /* borrowed */
    struct record_list records; /* owned */
    struct writing writing;     /* see there */
    struct event *turn;         /* gathers the documents of a run; owned */
};

/* --- records --- */

static struct record *find(const struct keeping *keeping, const char *run)
{
    struct record *record;

    TAILQ_FOREACH (record, &keeping->records, link) {
        if (strcmp(record->id, run) == 0)
            return record;
    }
    return NULL;
}

static struct record *find_or_make(struct keeping *keeping, const char *run)
{
    struct record *record = find(keeping, run);

    if (record == NULL) {
        record = xcalloc(1, sizeof *record);
        memcpy(record->id, run, ID_SIZE);
        TAILQ_INSERT_TAIL(&keeping->records, record, link);
    }
    return record;
}

void keeping_note_beginning(struct keeping *keeping, const char *run, int64_t number)
{
    struct json_object *checkpoint = engine_run_checkpoint(keeping->daemon->engine, run);

    if (checkpoint != NULL) /* else it was cancelled before */
        find_or_make(keeping, run)->number = number;
    json_object_put(checkpoint);
}

static void note_in_snapshot(void *argument, const char *run)
{
    struct keeping *keeping = ((void **)argument)[0];
    struct record *record = find_or_make(keeping, run);

    record->number = *(int64_t *)((void **)argument)[1];
    record->in_snapshot = true;
}

void keeping_note_snapshot(struct keeping *keeping, int64_t number)
{
    void *argument[] = {keeping, &number};

    engine_begun_runs(keeping->daemon->engine, note_in_snapshot, argument);
}

/* --- writing --- */

static void write_on(struct keeping *keeping);

static void end_writing(struct keeping *keeping, const char *cause)
{
    struct record *record = find(keeping, keeping->writing.run);

    keeping->writing.run[0] = '\0';
    if (record == NULL)
        return;
    record->failed = cause != NULL;
    record->retry_ms = now().mono_ms + (cause != NULL ? RETRY_MS : AGAIN_MS);
    if (cause == NULL) {
        record->kept = keeping->writing.changes;
        expected_refresh(keeping->daemon->expected);
    }
}

static void written(void *argument, const char *cause)
{
    struct keeping *keeping = argument;

    if (cause == NULL && !keeping->writing.last) {
        write_on(keeping);
        return;
    }
    end_writing(keeping, cause);
    if (cause == NULL)
        keeping_look(keeping); /* runs may end faster than somebody looks */
}

/* All of the run is gathered: write it. */
static void write_run(struct keeping *keeping)
{
    struct daemon *daemon = keeping->daemon;
    struct writing *writing = &keeping->writing;
    struct json_object *record = status_run_record(daemon->engine, writing->run);
    char *junit = junit_walk_finish(writing->junit, NULL);

    json_put(record, "status", status_walk_finish(writing->status));
    json_put_text(record, "junit", junit);
    writing->status = NULL;
    writing->junit = NULL;
    writing->last = true;
    history_add_run(daemon->history, record, writing->run, written, keeping);
    free(junit);
}

static void drop_walks(struct writing *writing)
{
    json_object_put(status_walk_finish(writing->status));
    if (writing->junit != NULL)
        free(junit_walk_finish(writing->junit, NULL));
    writing->status = NULL;
    writing->junit = NULL;
}

/* A step of gathering the documents of the run, in a turn of the loop of its own. */
static void gather_cb(evutil_socket_t fd, short what, void *argument)
{
    static const struct timeval at_once = {0};
    struct keeping *keeping = argument;
    struct writing *writing = &keeping->writing;
    const struct engine *engine = keeping->daemon->engine;

    (void)fd, (void)what;
    if (engine_run_standing(engine, writing->run) != RUN_IS_OVER) {
        drop_walks(writing);
        end_writing(keeping, NULL); /* it was forgotten meanwhile */
    } else if (!status_walk_step(writing->status, engine, &writing->view,
                                 ITEMS_AT_ONCE) ||
               !junit_walk_step(writing->junit, engine, CASES_AT_ONCE)) {
        evtimer_add(keeping->turn, &at_once);
    } else {
        write_run(keeping);
    }
}

static void gather_run(struct keeping *keeping)
{
    static const struct timeval at_once = {0};
    struct daemon *daemon = keeping->daemon;
    struct writing *writing = &keeping->writing;

    writing->view = daemon_view(daemon);
    writing->status = status_walk_new(daemon->engine, writing->run, &writing->view);
    writing->junit = junit_walk_new(daemon->engine, writing->run, daemon->hostname,
                                    &writing->view.now);
    evtimer_add(keeping->turn, &at_once);
}

/* The next cases; after the last one the run itself. */
static void write_on(struct keeping *keeping)
{
    struct daemon *daemon = keeping->daemon;
    struct writing *writing = &keeping->writing;
    struct status_view view = daemon_view(daemon);

    if (engine_run_standing(daemon->engine, writing->run) != RUN_IS_OVER) {
        end_writing(keeping, NULL); /* it was forgotten meanwhile */
        return;
    }
    struct json_object *cases =
        status_record(daemon->engine, writing->run, writing->next, CASES_AT_ONCE, &view);
    writing->next += json_object_array_length(cases);
    if (json_object_array_length(cases) > 0) {
        history_add_cases(daemon->history, writing->run, cases, written, keeping);
    } else {
        json_object_put(cases);
        gather_run(keeping);
    }
}

static void begin_writing(struct keeping *keeping, const char *run, size_t changes)
{
    keeping->writing = (struct writing){.changes = changes};
    memcpy(keeping->writing.run, run, ID_SIZE);
    write_on(keeping);
}

/* --- forgetting --- */

/* The journal begins with the first run that is still there. */
static void cut_journal(struct keeping *keeping, const char *forgotten)
{
    struct daemon *daemon = keeping->daemon;
    const struct record *first;

    TAILQ_FOREACH (first, &keeping->records, link) {
        if (first->number > 0)
            break;
    }
    if (daemon->journal == NULL)
        return;
    if (first == NULL || first->in_snapshot) {
        journal_cut(daemon->journal, first != NULL ? first->number : 0, forgotten, NULL);
        return;
    }
    struct json_object *checkpoint = engine_run_checkpoint(daemon->engine, first->id);
    struct json_object *beginning = input_begin_run(first->id, checkpoint);
    journal_cut(daemon->journal, first->number, forgotten, json_text(beginning));
    json_object_put(beginning);
    json_object_put(checkpoint);
}

void keeping_note_forgotten(struct keeping *keeping, const char *run)
{
    struct record *record = find(keeping, run);

    if (record != NULL) {
        TAILQ_REMOVE(&keeping->records, record, link);
        free(record);
    }
    cut_journal(keeping, run);
}

static void forgotten(void *argument, bool is_written, int64_t number,
                      enum engine_result result, char *cause)
{
    struct keeping *keeping = argument;
    struct record *record, *next;

    (void)number, (void)result;
    free(cause);
    if (!is_written)
        return; /* the process ends: the next one forgets it */
    for (record = TAILQ_FIRST(&keeping->records); record != NULL; record = next) {
        next = TAILQ_NEXT(record, link);
        if (!record->forgetting ||
            engine_run_standing(keeping->daemon->engine, record->id) != RUN_IS_UNKNOWN)
            continue;
        TAILQ_REMOVE(&keeping->records, record, link);
        cut_journal(keeping, record->id);
        free(record);
    }
}

static void begin_forgetting(struct keeping *keeping, struct record *record)
{
    record->forgetting = true;
    inputs_keep(keeping->daemon->inputs, input_forget_run(record->id), forgotten,
                keeping);
}

/* --- looking --- */

/* Runs are forgotten in the order of their beginning: the journal is cut before the first
 * one that is still there. */
static bool is_next_to_go(const struct keeping *keeping, const struct record *record)
{
    const struct record *first = TAILQ_FIRST(&keeping->records);

    while (first != NULL && first->number == 0)
        first = TAILQ_NEXT(first, link);
    return record->number == 0 || record == first;
}

static void look_at(void *argument, const char *run, bool shown, size_t changes,
                    const struct instant *ended)
{
    struct keeping *keeping = argument;
    struct record *record = find_or_make(keeping, run);
    int64_t moment = now().mono_ms;
    int64_t patience = keeping->daemon->config.active_client_ms;

    if (record->forgetting)
        return;
    if (record->kept != changes) {
        if (keeping->writing.run[0] == '\0' && record->retry_ms <= moment)
            begin_writing(keeping, run, changes);
    } else if (!shown && !keeping->daemon->once && ended->mono_ms + patience <= moment &&
               is_next_to_go(keeping, record)) {
        begin_forgetting(keeping, record);
    }
}

void keeping_look(struct keeping *keeping)
{
    engine_ended_runs(keeping->daemon->engine, look_at, keeping);
}

static void is_kept(void *argument, const char *run, bool shown, size_t changes,
                    const struct instant *ended)
{
    struct keeping *keeping = ((void **)argument)[0];
    bool *done = ((void **)argument)[1];
    const struct record *record = find(keeping, run);

    (void)shown, (void)ended;
    *done = *done && record != NULL && (record->kept == changes || record->failed);
}

bool keeping_is_done(const struct keeping *keeping)
{
    bool done = true;
    void *argument[] = {(void *)keeping, &done};

    engine_ended_runs(keeping->daemon->engine, is_kept, argument);
    return done;
}

/* --- the room --- */

struct keeping *keeping_new(struct daemon *daemon)
{
    struct keeping *keeping = xcalloc(1, sizeof *keeping);

    keeping->daemon = daemon;
    TAILQ_INIT(&keeping->records);
    keeping->turn = xcheck(evtimer_new(daemon->base, gather_cb, keeping));
    return keeping;
}

void keeping_free(struct keeping *keeping)
{
    struct record *record;

    if (keeping == NULL)
        return;
    drop_walks(&keeping->writing);
    event_free(keeping->turn);
    while ((record = TAILQ_FIRST(&keeping->records)) != NULL) {
        TAILQ_REMOVE(&keeping->records, record, link);
        free(record);
    }
    free(keeping);
}
