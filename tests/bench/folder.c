/* SPDX-License-Identifier: Apache-2.0 */
/* Folders, and files in them. */
#include "folder.h"

#include "xalloc.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int remove_cb(const char *path, const struct stat *status, int kind,
                     struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(path);
}

void folder_remove(const char *path)
{
    nftw(path, remove_cb, 16, FTW_DEPTH | FTW_PHYS);
}

char *folder_make(const char *within, const char *name)
{
    char *path = xasprintf("%s/%s", within, name);

    folder_remove(path);
    mkdir(path, 0700);
    return path;
}

int folder_write(const char *path, const char *name, const char *text, char **cause)
{
    char *whole = xasprintf("%s/%s", path, name);
    FILE *file = fopen(whole, "we");
    int written = file != NULL ? fputs(text, file) : EOF;
    int result = 0;

    if ((file != NULL && fclose(file) != 0) || written == EOF) {
        cause_set(cause, "%s: %s", whole, strerror(errno));
        result = -1;
    }
    free(whole);
    return result;
}

double folder_bytes(const char *path, const char *prefix)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    struct stat status;
    double bytes = 0;

    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 &&
            fstatat(dirfd(folder), entry->d_name, &status, 0) == 0 &&
            S_ISREG(status.st_mode))
            bytes += (double)status.st_size;
    }
    if (folder != NULL)
        closedir(folder);
    return bytes;
}
