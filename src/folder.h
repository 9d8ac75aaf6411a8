/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folders with all that is in them: how much it is, and away with it. Symbolic links are
 * never followed. For workers: both block.
 */
#ifndef TL_FOLDER_H
#define TL_FOLDER_H

#include <stdint.h>

/* The bytes of all files in `name` below `folder`, and of those deeper in it; 0 where
 * there is no folder of that name. What can't be read counts nothing. */
uint64_t folder_size(const char *folder, const char *name);

/* The same of all folders below `folder` together. */
uint64_t folder_size_below(const char *folder);

/* Remove `name` below `folder` and all that is in it. Gives 0, also where it was not
 * there, or an errno; then a part of it may be gone. */
int folder_remove(const char *folder, const char *name);

#endif
