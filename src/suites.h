/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Test definitions on disk: which files there are, and reading them. Blocks on the disk,
 * so it runs before the loop does, or in the `trafficlight` command.
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

/* The shipped dictionary of actions. Owned by the caller. */
struct dictionary *suites_dictionary(void);

/* Read every definition the source names: a file as it is, whatever its name; below a
 * folder all `*_test.json`, in the order of their names; a glob's matches in their order,
 * folders likewise, and of files those with such a name. A path that exists is no glob.
 * A file that is reached in several ways is read once.
 * Dictionaries (`*.actions.json`) found on the way are added to `dictionary` first. Each
 * definition that reads well is handed to `each`, which takes it, while the mistakes
 * stand at its file. Every mistake is noted; a path that gives no file is one. Settings
 * may be NULL. Gives the number of tests' files that were found. */
size_t suites_load(const struct suites_source *source, struct dictionary *dictionary,
                   const struct settings *settings, struct mistakes *mistakes,
                   void (*each)(struct definition *definition, void *argument),
                   void *argument);

#endif
