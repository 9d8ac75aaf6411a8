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

#endif
