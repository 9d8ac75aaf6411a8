/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rooms of the engine (engine*.c) share; nobody else includes this. Same thread as the
 * engine.
 *
 *   engine.c        its life, inputs, questions
 *   engine_suite.c  from definitions to cases
 *   engine_case.c   a case from its clients to its outcome
 *   engine_files.c  what clients upload
 */
#ifndef TL_ENGINE_INTERNAL_H
#define TL_ENGINE_INTERNAL_H

#include "model.h"

/* --- engine.c --- */

/* Write a line for the log. */
void engine_log(const struct engine *engine, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* From now on every poll of the client is told to exit, for this reason. */
void engine_dismiss(struct engine *engine, struct client *client, const char *reason);

/* --- engine_suite.c --- */

/* Free the suite and its cases. */
void engine_free_suite(struct engine *engine, struct suite *suite);

/* The kind of servers that the definition wants, or NULL. */
const struct server_type *engine_server_type(const struct engine *engine,
                                             const struct definition *definition);

/* --- engine_case.c --- */

/* Start every case that can start now. */
void engine_settle(struct engine *engine, const struct instant *now);

/* The case has its servers: its machine runs. */
void engine_run_case(struct engine *engine, struct testcase *testcase,
                     const struct instant *now);

/* The case's attempt did something: wake clients that are to hear other things, send its request,
 * notice its end. */
void engine_case_moved(struct engine *engine, struct testcase *testcase,
                       const struct instant *now);

/* End a case, whether its machine runs or not yet; nothing if it has ended. `details` may be NULL. */
void engine_end_case(struct engine *engine, struct testcase *testcase,
                     enum outcome outcome, const char *type, const char *message,
                     const char *details, const struct instant *now);

#endif
