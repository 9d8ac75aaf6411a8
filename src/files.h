/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uploaded files on the disk: <folder>/<run id>/<case id>/<attempt>/<role>_<file name>.
 * The functions that touch the disk are for workers; the others are for any thread.
 *
 * One worker at a time stores files of a case. A file is written under another name first
 * and then renamed, so that whoever reads never meets half of one, and one that is being
 * sent stays whole while it is replaced. What is stored survives the process; nothing is
 * asked of the disk for a loss of power.
 */
#ifndef TL_FILES_H
#define TL_FILES_H

#include <stddef.h>

/* A file to be written; everything is borrowed. */
struct file_content {
    const char *name; /* from file_name() */
    const char *data; /* what is in it */
    size_t size;      /* bytes of data */
};

enum file_result {
    FILES_STORED,
    FILES_TOO_MANY, /* there is no room for so many new names */
    FILES_FAILED,   /* the system said no; *error is its number */
};

/* The name for a file that a client in this role calls `given`: without folders (slash
 * and backslash), without dots at its beginning, of A-Z a-z 0-9 . _ - only (others become
 * _), at most 200 bytes, of which a short ending like .png is kept. Owned by the
 * caller. */
char *file_name(const char *role, const char *given);

/* Where files of an attempt of a case are, below the folder of all. Owned by the
 * caller. */
char *file_place(const char *run, const char *testcase, unsigned attempt);

/* Store all of these below folder/place, or none. Folders are made as needed. At most
 * `room` of the names may be new. Not FILES_STORED: *cause says why. */
enum file_result files_store(const char *folder, const char *place,
                             const struct file_content *files, size_t count, size_t room,
                             int *error, char **cause);

/* Open a stored file for reading. Gives its descriptor and *size, or -1 with *error, an
 * errno, and *cause. */
int file_open(const char *folder, const char *place, const char *name, size_t *size,
              int *error, char **cause);

/* Have this folder, and make it with those above it if it is not there (0750). Gives 0 or
 * an errno. */
int files_need_folder(const char *path);

/* The media type that goes with the ending of a name. Static. */
const char *file_type(const char *name);

/* The element of HTML that shows a file of this name: "img" or "video"; NULL for all that
 * is only to be downloaded, as is whatever could have a script in it. Static. */
const char *file_element(const char *name);

#endif
