/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Test definitions on disk: which files there are, and reading them. Blocks on the disk,
 * so it runs on a worker, before the loop does, or in the `trafficlight` command.
 */
#ifndef TL_SUITES_H
#define TL_SUITES_H

#include "definition.h"
#include "dictionary.h"
#include "mistakes.h"
#include "settings.h"

#include <stddef.h>

/* Where tests come from. */
struct suites_source {
    char *const *paths;   /* files, folders and globs */
    size_t path_count;    /* length of paths */
    size_t file_limit;    /* bytes that one file may have */
    char *const *actions; /* further dictionaries: files, folders and globs */
    size_t action_count;  /* length of actions */
};

/* The shipped dictionary of actions, and its text. Owned by the caller. */
struct dictionary *suites_dictionary(void);
char *suites_dictionary_text(void);

/* Read the texts of all files that the source names (see lib/sources.h): a file as it is,
 * whatever its name; below a folder all `*_test.json` and dictionaries
 * (`*.actions.json`), in the order of their names; a glob's matches in their order,
 * folders likewise, and of files those with such a name. A path that exists is no glob. A
 * file that is reached in several ways is read once. A path that gives no file is a
 * mistake. Owned by the caller. */
struct json_object *suites_collect(const struct suites_source *source,
                                   struct mistakes *mistakes);

/* The same, and read them: see sources_load(). */
size_t suites_load(const struct suites_source *source, struct dictionary *dictionary,
                   const struct settings *settings, struct mistakes *mistakes,
                   void (*each)(struct definition *definition, void *argument),
                   void *argument);

#endif
