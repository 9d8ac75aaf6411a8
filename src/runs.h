/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runs of the server: the first one at the start, further ones that somebody asks
 * for, one after the other. What becomes of them when they have ended is src/keeping.h's.
 * Loop thread only, but for the reading of definitions.
 */
#ifndef TL_RUNS_H
#define TL_RUNS_H

#include "http.h"

#include <stdbool.h>

struct daemon;
struct runs;

struct runs *runs_new(struct daemon *daemon);
/* After workers_free(). NULL is fine. */
void runs_free(struct runs *runs);

/* Read the definitions and ask for the first run. Logs what is wrong with them, which
 * does not keep the good ones from running, unless the configuration is strict: then
 * gives false. Blocks: for the start. */
bool runs_start_first(struct runs *runs);

/* To be called after every input: the next run begins if it may. */
void runs_settle(struct runs *runs);

/* Whether a run is on its way to the engine. */
bool runs_are_coming(const struct runs *runs);

/* POST /runs, POST /runs/<id>/cancel, POST /status/<case>/cancel. */
http_handler runs_create;
http_handler runs_cancel;
http_handler runs_cancel_case;

#endif
