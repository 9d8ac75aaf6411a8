/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Definitions read as the server reads them, with the dictionary, the configuration and
 * the mistakes that belong to them. One thread; blocks on the disk.
 */
#ifndef TL_READING_H
#define TL_READING_H

#include "config.h"
#include "definition.h"
#include "dictionary.h"
#include "mistakes.h"

#include <stdbool.h>
#include <stddef.h>

struct reading {
    struct config config;          /* the defaults, or the file's; owned */
    const struct settings *known;  /* the file's settings; NULL without a file. Into
                                      config */
    struct dictionary *dictionary; /* the shipped one and what is found; owned */
    struct mistakes *mistakes;     /* of all definitions; owned */
};

/* Make ready to read, with the configuration in `file` (NULL: without one). Gives 0, or
 * -1 with *cause, one mistake a line. Whatever it gives, reading_clear() frees it. */
int reading_init(struct reading *reading, const char *file, char **cause);
void reading_clear(struct reading *reading);

/* Read what the paths name; see suites_load(). Gives the number of definitions found. */
size_t reading_load(struct reading *reading, char *const *paths, size_t count,
                    void (*each)(struct definition *definition, void *argument),
                    void *argument);

/* Print the mistakes, one a line, warnings marked as such. */
void reading_print(const struct reading *reading, FILE *out, bool with_warnings);

#endif
