/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine's state as JSON, for programs and for the pages. Only reads. The form is the
 * public one of /status.json. Same thread as the engine.
 */
#ifndef TL_STATUS_H
#define TL_STATUS_H

#include "engine.h"

#include <json-c/json.h>

/* What the daemon knows and the engine does not. */
struct status_view {
    const char *version; /* of the server */
    struct instant now;  /* when it is asked */
    /* Wall time of the client's latest poll, 0 if it never polled. */
    int64_t (*last_polled)(void *context, const char *client);
    /* How long such a case ("chat.VerifyClient/red=web", without the number of a
     * repetition) takes, in seconds; negative: nobody knows. NULL: nobody ever does. */
    double (*expected)(void *context, const char *kind);
    void *context; /* for these */
};

/* What follows gives documents that share nothing with the engine: another thread may
 * have them. */

/* Everything of the run that people look at (the one that is going, else the last one):
 * server, run, totals, suites with their cases, clients. Owned by the caller. */
struct json_object *status_all(const struct engine *engine,
                               const struct status_view *view);

/* The same of this run; NULL if the id is unknown. Owned by the caller. */
struct json_object *status_run(const struct engine *engine, const char *id,
                               const struct status_view *view);

/* The same in steps, so that nobody is held up by ten thousand cases: begin (run NULL:
 * the one that people look at; NULL if the id is unknown), add up to `count` cases and
 * clients until that gives true, take the document (owned by the caller; also before it
 * is whole). Between two steps the engine may change: what was added stays as it was. The
 * view's moment should be that of the beginning. */
struct status_walk;
struct status_walk *status_walk_new(const struct engine *engine, const char *run,
                                    const struct status_view *view);
bool status_walk_step(struct status_walk *walk, const struct engine *engine,
                      const struct status_view *view, size_t count);
struct json_object *status_walk_finish(struct status_walk *walk);

/* All runs that the engine has, the newest first, [{id, label, state, totals, started,
 * ended}]; and one of them (NULL if the id is unknown). Owned by the caller. */
struct json_object *status_runs(const struct engine *engine);
struct json_object *status_run_head(const struct engine *engine, const char *id);

/* What is to be kept of a run that has ended, in the form of history_add_run() in
 * src/history.h but for its status and junit; NULL if the id is unknown. Owned by the
 * caller. */
struct json_object *status_run_record(const struct engine *engine, const char *id);

/* What is to be kept of `count` cases of a run from number `first` on, in the form of
 * history_add_cases() in src/history.h; empty past the last one. Owned by the caller. */
struct json_object *status_record(const struct engine *engine, const char *id,
                                  size_t first, size_t count,
                                  const struct status_view *view);

/* One suite with its cases; NULL if the id is unknown. Owned by the caller. */
struct json_object *status_suite(const struct engine *engine, const char *id,
                                 const struct status_view *view);

/* One case: as in its suite, with the suite's own members under "suite", "details" and
 * "transcript"; NULL if the id is unknown. Owned by the caller. */
struct json_object *status_case(const struct engine *engine, const char *id,
                                const struct status_view *view);

struct testcase;

/* What a person asks first of a case: why it waits, why it ended so; "" while it plays.
 * Owned by the caller. */
char *status_message(const struct engine *engine, const struct testcase *testcase);

/* "3 of 12 cases done, 4 clients waiting". Owned by the caller. */
char *status_line(const struct engine *engine);

#endif
