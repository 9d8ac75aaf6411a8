/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rooms of the engine (engine*.c) share; nobody else includes this. Same thread
 * as the engine.
 *
 *   engine.c        its life, inputs, questions
 *   engine_run.c    a run from its beginning to its end, and a restart
 *   engine_checkpoint.c  what is kept between runs
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

/* Who looks on is told that this thing has changed. */
void engine_show(const struct engine *engine, enum engine_thing thing, const char *id);

/* What is to be seen of the turn's case has changed, maybe after the end of its run. */
void engine_show_turn(const struct engine *engine, const struct turn *turn);

/* From now on every poll of the client is told to exit, for this reason. */
void engine_dismiss(struct engine *engine, struct client *client, const char *reason);

/* The client of this id, or NULL. */
struct client *engine_find_client(const struct engine *engine, const char *id);

/* A client that waits, with all that it is known by. Keeps a reference to the
 * registration. */
struct client *engine_add_client(struct engine *engine, const char *id,
                                 struct json_object *registration);
void engine_forget_client(struct engine *engine, struct client *client);

/* A client that waits stands in line, at its end, for the run that is going. */
void engine_join(struct engine *engine, struct client *client);

/* --- engine_run.c --- */

/* The last case of the run that is going may have ended: then it ends, too. */
void engine_notice_end(struct engine *engine, const struct instant *now);

/* End all that plays in a run, for the reason in run->broken_off, and the run. */
void engine_break_off(struct engine *engine, struct run *run, const struct instant *now);

/* Forget a run, however it stands, but not its clients. Frees it. */
void engine_drop_run(struct engine *engine, struct run *run);

/* End a run that has not ended, now. */
void engine_end_run(struct engine *engine, struct run *run, const struct instant *now);

/* --- engine_case.c --- */

/* Start every case that can start now. */
void engine_settle(struct engine *engine, const struct instant *now);

/* A case that has not ended stands in line for its clients, and no more than that. */
void engine_stand_in_line(struct testcase *testcase);

/* The case stands in line for its clients, as long as it has patience. */
void engine_await_clients(struct engine *engine, struct testcase *testcase,
                          const struct instant *now);

/* The case has its servers: its machine runs. */
void engine_run_case(struct engine *engine, struct testcase *testcase,
                     const struct instant *now);

/* Servers of this name were asked for. Borrowed from the engine. */
struct deployment *engine_add_deployment(struct engine *engine, const char *name);

/* They are no more. */
void engine_forget_deployment(struct engine *engine, struct deployment *deployment);

/* Ask homerunner for the servers of the case. */
void engine_deploy_case(struct engine *engine, struct testcase *testcase);

/* The turn's attempt did something: wake clients that are to hear other things, send its
 * request, notice its end. */
void engine_case_moved(struct engine *engine, struct turn *turn,
                       const struct instant *now);

/* End a turn of a case, whether its machine runs or not yet; nothing if it has ended. The
 * case ends with it, or waits for another one. `details` may be NULL. */
void engine_end_turn(struct engine *engine, struct turn *turn, enum outcome outcome,
                     const char *type, const char *message, const char *details,
                     const struct instant *now);

/* End a case that waits to be tried again: no further attempt follows, so its outcome is
 * that of the last one. */
void engine_end_with_last_turn(struct engine *engine, struct testcase *testcase,
                               const struct instant *now);

/* End a case for good, as an error, whether it waits or not; nothing if it has ended. */
void engine_end_case(struct engine *engine, struct testcase *testcase, const char *type,
                     const char *message, const struct instant *now);

#endif
