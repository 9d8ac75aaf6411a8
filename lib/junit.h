/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine's state as JUnit XML, in the profile that Jenkins' JUnit plugin and the
 * schema of its xUnit plugin both take. Only reads. Same thread as the engine.
 */
#ifndef TL_JUNIT_H
#define TL_JUNIT_H

#include "engine.h"

#include <stddef.h>

/* The whole document of a run (NULL: the one that people look at); *size gets its length.
 * `hostname` is the server's, for people. Owned by the caller; NULL if the run is
 * unknown. */
char *junit_document(const struct engine *engine, const char *run, const char *hostname,
                     const struct instant *now, size_t *size);

/* The same in steps, so that nobody is held up by ten thousand cases: begin (NULL if the
 * run is unknown), add up to `cases` cases until that gives true, and take the document
 * (owned by the caller; frees the walk). The last of these needs no engine, and may be
 * done by another thread. */
struct junit_walk;
struct junit_walk *junit_walk_new(const struct engine *engine, const char *run,
                                  const char *hostname, const struct instant *now);
bool junit_walk_step(struct junit_walk *walk, const struct engine *engine, size_t cases);
char *junit_walk_finish(struct junit_walk *walk, size_t *size);

#endif
