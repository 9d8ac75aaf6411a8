/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A state machine as a graph in graphviz' DOT language. Only reads. Same thread as the
 * engine, or whoever has the machine.
 */
#ifndef TL_GRAPH_H
#define TL_GRAPH_H

#include "machine.h"

struct engine;

/* The whole machine, as nobody has run it yet. Owned by the caller. */
char *graph_machine(const struct machine *machine);

/* The machine of a case, with the current state and the taken path marked (classes
 * "current" and "taken" in SVG), how long states lasted, and links to where the
 * transcript has them: "status#line-7", as the case's page has it. `context`: only the current state and what is one step
 * around it. NULL if the case is unknown. Owned by the caller. */
char *graph_case(const struct engine *engine, const char *case_id, bool context);

#endif
