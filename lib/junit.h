/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine's state as JUnit XML, in the profile that Jenkins' JUnit plugin and the
 * schema of its xUnit plugin both take. Only reads. Same thread as the engine.
 */
#ifndef TL_JUNIT_H
#define TL_JUNIT_H

#include "engine.h"

#include <stddef.h>

/* The whole document; *size gets its length. `hostname` is the server's, for people.
 * Owned by the caller. */
char *junit_document(const struct engine *engine, const char *hostname,
                     const struct instant *now, size_t *size);

#endif
