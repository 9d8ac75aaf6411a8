/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a definition to the machine of one of its cases. The machine depends on the
 * registration types of the roles, since the dictionary's data may differ by them. Any
 * thread, one at a time.
 */
#ifndef TL_COMPILE_H
#define TL_COMPILE_H

#include "definition.h"
#include "machine.h"

/* Compile case `index` of the definition. Settings (may be NULL) give the registration
 * type behind a client type and the default time-out. Notes every mistake; NULL if one is
 * an error. The caller has the one reference to the machine. */
struct machine *compile_case(const struct definition *definition, size_t index,
                             const struct settings *settings, struct mistakes *mistakes);

/* The registration type of clients of this client type: the rule's, else its own name.
 * Borrowed. */
const char *compile_registration_type(const struct settings *settings,
                                      const char *client_type);

#endif
