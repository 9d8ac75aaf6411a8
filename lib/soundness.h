/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be known wrong of a machine before it runs: states that nobody reaches or
 * leaves, loops that never rest, `${…}` that can never have a value. Any thread, one at a
 * time.
 */
#ifndef TL_SOUNDNESS_H
#define TL_SOUNDNESS_H

#include "definition.h"
#include "machine.h"

/* Note every mistake in a finished machine of the definition. */
void soundness_check(const struct definition *definition, const struct machine *machine,
                     struct mistakes *mistakes);

/* Whether reports and values may be saved under this name; if not, notes why. */
bool soundness_check_saved_name(const struct definition *definition, const char *name,
                                const struct where *where, struct mistakes *mistakes);

#endif
