/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that a command makes: whole, or not at all. One thread; blocks on the disk.
 */
#ifndef TL_OUTPUT_H
#define TL_OUTPUT_H

#include <stddef.h>

/* Write the file. One that is there is replaced in one step, unless it is no regular file
 * (a pipe, a terminal): then it is written to. A symbolic link to a file is followed.
 * Gives 0, or -1 with *cause. */
int output_write(const char *path, const void *data, size_t size, char **cause)
    __attribute__((warn_unused_result));

#endif
