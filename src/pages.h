/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people see in a browser: the documents of lib/status.h as HTML5. Only reads; knows
 * nothing of the engine or of HTTP. The style sheet is src/web/style.css, given by the
 * server as /static/style.css. Any thread.
 */
#ifndef TL_PAGES_H
#define TL_PAGES_H

#include <json-c/json.h>
#include <stddef.h>

/* All of these borrow what they are given and return the document, owned by the caller,
 * with its length in *size. None of them fails. */

/* The board: the run that people look at, all its suites with their cases, and the
 * clients; of status_all(). It asks again for ever: another run may follow. */
char *pages_status(struct json_object *status, size_t *size);

/* The same of one run, asking again until that has ended; of status_run(), or kept. */
char *pages_run(struct json_object *status, size_t *size);

/* One suite and its cases; of status_suite(). */
char *pages_suite(struct json_object *suite, size_t *size);

/* One case with its machine and its attempts, their details, transcripts and files; of
 * status_case(), or kept. Where it has a member "others" (HISTORY_OTHERS of
 * src/history.h), the same case in other runs. Its links are relative to
 * /status/<case>/. */
char *pages_case(struct json_object *testcase, size_t *size);

/* How every test and client pair fared from run to run; of HISTORY_TRENDS
 * (src/history.h). */
char *pages_history(struct json_object *trends, size_t *size);

/* All runs, an array; of status_runs() and HISTORY_RUNS. Its links go to /runs/<id>/. */
char *pages_runs(struct json_object *runs, size_t *size);

/* Where a person becomes a client: {id, wanted, known, given, notice, going}, where `id`
 * is what the client will be called, `wanted` is of wanted_types() in lib/wanted.h,
 * `known` an object whose member names are types that can be thought of, `given` the form
 * as it was sent, `notice` what was wrong with it (may be missing), and `going` says
 * whether a run is. */
char *pages_manual_join(struct json_object *document, size_t *size);

/* What a person who is a client is to do now; of playing_json() in lib/playing.h, where
 * `notice` may say what was wrong with what was sent, and `next` is what the client will be
 * called that joins again. */
char *pages_manual(struct json_object *playing, size_t *size);

/* That nobody takes part under this id (any more). */
char *pages_manual_gone(struct json_object *nothing, size_t *size);

/* All actions that there are; of dictionary_json(), with `usage` of usage_json() in
 * lib/usage.h, and `base`, the address of the server for examples. */
char *pages_actions(struct json_object *document, size_t *size);

/* An error of HTTP, with the way back: a path, or NULL. `detail` may be NULL. */
char *pages_problem(int status, const char *title, const char *detail, const char *back,
                    size_t *size);

#endif
