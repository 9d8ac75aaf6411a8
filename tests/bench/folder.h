/* SPDX-License-Identifier: Apache-2.0 */
/* Folders of servers that are measured, and files in them. */
#ifndef TL_BENCH_FOLDER_H
#define TL_BENCH_FOLDER_H

#include <stddef.h>

/* Make an empty folder of that name in another one; what was there is removed. Gives its
 * path, owned. Whether that worked shows when something is written there. */
char *folder_make(const char *within, const char *name);

/* Remove it with all that is in it. */
void folder_remove(const char *path);

/* Write a file into it. -1 and a cause. */
int folder_write(const char *path, const char *name, const char *text, char **cause);

/* Copy the files and folders in one folder into another; to the names of folders `suffix`
 * is added. *count grows by the number of files whose names end with `counted`. -1 and a
 * cause. */
int folder_copy(const char *from, const char *to, const char *suffix, const char *counted,
                size_t *count, char **cause);

/* Bytes of the files that are directly in it and whose names begin so. */
double folder_bytes(const char *path, const char *prefix);

#endif
