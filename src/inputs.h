/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one way into the engine: an input is written to the journal, then given to the
 * engine, then its sender hears what came of it. So nobody ever hears of anything that a
 * restart would not know. Without a journal an input is given to the engine at the end of
 * the loop's turn. Of very many at once some are dealt with in each turn. Loop thread only.
 */
#ifndef TL_INPUTS_H
#define TL_INPUTS_H

#include "engine.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct inputs;
struct journal;
struct json_object;

/* What came of an input. `written` false: it could not be written down, so nothing has
 * happened, and cause says why; else result and cause are the engine's, and number is
 * that of the journal (0 without one). Takes cause. */
typedef void input_done(void *argument, bool written, int64_t number,
                        enum engine_result result, char *cause);

/* Make it. `settled(context)` is called after each input that was given to the engine,
 * and before its sender hears of it. Borrows everything; journal may be NULL. `limit`:
 * bytes of inputs that may wait for the journal. */
struct inputs *inputs_new(struct event_base *base, struct journal *journal,
                          struct engine *engine, size_t limit,
                          void (*settled)(void *context), void *context);

/* The loop turns no more: from now on the engine gets at once what is written, so that
 * nothing that the next start knows is refused. Before workers_free(). */
void inputs_end(struct inputs *inputs);

/* After workers_free(). Inputs that the engine did not get are refused. NULL is fine. */
void inputs_free(struct inputs *inputs);

/* Take an input (from lib/input.h; takes it), as of now. `done` may be NULL, and is never
 * called inside. What clients send can be refused where the disk is full or slow. */
void inputs_take(struct inputs *inputs, struct json_object *input, input_done *done,
                 void *argument);

/* The same for what has happened anyway: it is never refused. */
void inputs_keep(struct inputs *inputs, struct json_object *input, input_done *done,
                 void *argument);

/* A run that was made already, with the plan that it was made of. Takes the run, borrows
 * the plan. `keep`: as inputs_keep(); else it can be refused: then the run is freed. */
void inputs_take_run(struct inputs *inputs, struct run *run, struct json_object *plan,
                     bool keep, input_done *done, void *argument);

/* Inputs that were taken and not yet given to the engine. */
size_t inputs_pending(const struct inputs *inputs);

#endif
