/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs that have ended, kept for later: their documents as they were last shown, the
 * outcome of every case, and how long all of it stays. In <folder>/history.sqlite;
 * uploaded files lie below <files>/<run id>/ and go with their run. Loop thread only; the
 * disk is touched on two lanes of its own (one writes, one reads).
 */
#ifndef TL_HISTORY_H
#define TL_HISTORY_H

#include "clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct history;
struct json_object;
struct workers;

struct history_settings {
    const char *folder; /* of history.sqlite; must exist; borrowed */
    const char *files;  /* of uploaded files; borrowed */
    size_t keep_runs;   /* at most so many runs; 0: any number */
    int64_t keep_ms;    /* none that ended longer ago; 0: however old */
    uint64_t
        files_bytes; /* of all files together: the oldest runs lose theirs first; 0: no limit */
};

/* Open it. NULL with *cause, see database_open(). Blocks. */
struct history *history_open(struct workers *workers,
                             const struct history_settings *settings, char **cause);
/* After workers_free(). NULL is fine. */
void history_free(struct history *history);

/* From now on with these limits (the folders stay what they were). */
void history_configure(struct history *history, const struct history_settings *settings);

/* --- writing ---
 * `done(argument, cause)` is called from the loop, never inside the call; cause is NULL or why it
 * could not be written (a sentence, which has been logged if it is the first one in a row). Takes the
 * JSON objects: they are read on a worker, so nobody may change what they share with others. */

typedef void history_written(void *argument, const char *cause);

/* A part of a run that has ended: some of its cases, each {"id", "test":
 * "chat.VerifyClient", "name", "types": "element-web, element-android", "state", "flaky":
 * bool, "attempts": N, "duration": S, "ended": wall ms, "message", "document": {… as
 * /status/<case>/status.json}, "machine": DOT, "context": DOT}. A case that is there
 * already is replaced. Nobody sees them before history_add_run(): those of a run that was
 * never added go with the next start, which is handed them again. */
void history_add_cases(struct history *history, const char *run,
                       struct json_object *cases, history_written *done, void *argument);

/* The run itself, after its cases: {"id", "label", "state", "totals": {…}, "started":
 * wall ms, "ended": wall ms, "status": {… as /status.json}, "junit": TEXT}. Only now is
 * it seen by readers; a run that is there already is replaced. Then old runs go, with
 * their files, as the settings say; never the one whose id is `living` (may be NULL:
 * none), which the server still leads. Folders of runs that are not in the history are
 * counted, but never touched: they may still be going. What could not be removed is no
 * failure of the write: it is logged, and tried again with the next run. */
void history_add_run(struct history *history, struct json_object *run, const char *living,
                     history_written *done, void *argument);

/* --- reading ---
 * `done(argument, document, cause)` is called from the loop, never inside the call: the document
 * (owned by the callee), or NULL where there is none (cause NULL) or it can't be read (cause). Gives a
 * ticket for history_cancel(), never 0. */

typedef void history_read(void *argument, struct json_object *document,
                          const char *cause);

enum history_document {
    HISTORY_RUNS, /* [{"id", "label", "state", "totals", "started", "ended"}], newest first; times as
                        in /status.json; id is not used */
    HISTORY_STATUS, /* of the run: its "status" */
    HISTORY_JUNIT,  /* of the run: a JSON string */
    HISTORY_SUITE, /* of the test of this suite id: the member of some run's status.suites */
    HISTORY_CASE,      /* of the case: its "document" */
    HISTORY_MACHINE,   /* of the case: a JSON string, DOT */
    HISTORY_CONTEXT,   /* of the case: the same */
    HISTORY_OTHERS,    /* of the same case in all runs: the id is "<test>\n<name>", as in
                        history_add_cases(); see below */
    HISTORY_TRENDS,    /* what /history.json says, see below; id is not used */
    HISTORY_DURATIONS, /* {"chat.VerifyClient/red=web": seconds}: the mean of the latest
                          ones of each test and case name; id is not used */
};

/* {"now", "runs": N, "tests": [{"test", "name", "types", "runs": N, "passed": N,
 * "failed": N,
 *   "errors": N, "flaky": N, "pass_rate": 0..1, "is_flaky": bool,
 *   "last": {"run", "case", "state", "ended"},
 *   "changed": {"run", "case", "ended", "from", "to"} or null,
 *   "durations": {"median", "p95", "latest": [seconds, oldest first, at most 30]},
 *   "outcomes": [{"run", "case", "state", "flaky", "duration", "ended"}, newest first, at most 30]}]}
 * One entry per test and case name (so per client pair; "#2" of a repeated case counts
 * under its name without the number). An outcome is success, failed or error; the numbers
 * count all that are kept, and "runs" is how many that are, flaky ones those that passed
 * only after a retry. Median and p95 are those of "latest". "changed": where the newest
 * outcome that differs from the one before it was, as far back as runs are kept.
 * is_flaky: within its latest 30 outcomes it passed only after a retry, or its outcome
 * changed at least twice. Flaky ones first, then those that failed last, then by name.
 * Times as in /status.json, durations in seconds.
 *
 * HISTORY_OTHERS: [{"run", "case", "state", "flaky", "duration", "ended", "message"}],
 * the newest first, at most 30, as in the outcomes above. */
uint64_t history_find(struct history *history, enum history_document what, const char *id,
                      history_read *done, void *argument);

/* The asker is gone: done will not be called. */
void history_cancel(struct history *history, uint64_t ticket);

#endif
