/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a run: from a plan, which is all that it depends on, to its suites and cases.
 * The same plan always gives the same run. Any thread, until the engine takes it.
 *
 * A plan is a JSON object:
 *   {"id": UUID, "label": TEXT, "only": [GLOB, …], "repeat": N, "retries": N, "case_limit": N,
 *    "settings": {…}, "dictionary": TEXT of the shipped actions, "sources": {…}}
 * with settings as of settings_json(), sources as of lib/sources.h.
 */
#ifndef TL_RUN_H
#define TL_RUN_H

#include "definition.h"
#include "mistakes.h"
#include "settings.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

struct run;

/* Make the run that the plan says. Notes every mistake in its sources; what is good of
 * them is in the run. Borrows the plan. Owned by the caller, never NULL. */
struct run *run_read(struct json_object *plan, struct mistakes *mistakes);

/* Make one without a case. Takes what the settings own, and clears them. */
struct run *run_new(const char *id, struct settings *settings);

/* Run only cases that fit one of these globs on folder.Name or folder.Name/case, each so
 * often, and those that do not succeed so many times more, where the test does not say.
 * Keeps a reference to `only`, an array of texts. To be said before suites are added. */
void run_choose(struct run *run, struct json_object *only, size_t repeat,
                unsigned retries);

/* It may have at most so many cases (at first: any number). */
void run_limit(struct run *run, size_t cases);

/* Whether a test was left out because of that. */
bool run_is_cut(const struct run *run);

/* Add a test: all its cases that are chosen; none without any. Takes the definition.
 * Notes mistakes, and then adds nothing and gives false. */
bool run_add_suite(struct run *run, struct definition *definition,
                   struct mistakes *mistakes);

/* Its id, how many cases it has, and its dictionary (may be NULL). Borrowed from it. */
const char *run_id(const struct run *run);
size_t run_case_count(const struct run *run);
const struct dictionary *run_dictionary(const struct run *run);

/* NULL is fine. Not for a run that the engine has. */
void run_free(struct run *run);

/* The kind of servers that the definition wants, or NULL. Borrowed from the run. */
const struct server_type *run_server_type(const struct run *run,
                                          const struct definition *definition);

#endif
