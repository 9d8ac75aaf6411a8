/* SPDX-License-Identifier: Apache-2.0 */
/* Folders, and files in them. */
#include "folder.h"

#include "xalloc.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdbool.h>
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

static int copy_file(const char *from, const char *to, char **cause)
{
    char bytes[65536];
    FILE *in = fopen(from, "re"), *out = fopen(to, "we");
    size_t size = 0;
    bool good = in != NULL && out != NULL;

    while (good && (size = fread(bytes, 1, sizeof bytes, in)) > 0)
        good = fwrite(bytes, 1, size, out) == size;
    good = good && !ferror(in);
    if (in != NULL)
        fclose(in);
    if (out != NULL)
        good = fclose(out) == 0 && good;
    if (!good)
        cause_set(cause, "%s could not be copied to %s: %s", from, to, strerror(errno));
    return good ? 0 : -1;
}

static bool name_ends(const char *name, const char *end)
{
    size_t size = strlen(name), length = strlen(end);

    return size >= length && strcmp(name + size - length, end) == 0;
}

static int copy_entry(const char *from, const char *to, const char *name,
                      const char *suffix, const char *counted, size_t *count,
                      char **cause)
{
    char *source = xasprintf("%s/%s", from, name), *target = NULL;
    struct stat status = {0};
    int result = 0;
    bool is_folder = stat(source, &status) == 0 && S_ISDIR(status.st_mode);

    target = xasprintf("%s/%s%s", to, name, is_folder ? suffix : "");
    if (is_folder) {
        mkdir(target, 0700);
        result = folder_copy(source, target, suffix, counted, count, cause);
    } else {
        *count += name_ends(name, counted);
        result = copy_file(source, target, cause);
    }
    free(source);
    free(target);
    return result;
}

int folder_copy(const char *from, const char *to, const char *suffix, const char *counted,
                size_t *count, char **cause)
{
    DIR *folder = opendir(from);
    const struct dirent *entry;
    int result = folder != NULL ? 0 : -1;

    if (folder == NULL)
        cause_set(cause, "%s: %s", from, strerror(errno));
    while (result == 0 && (entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] != '.')
            result = copy_entry(from, to, entry->d_name, suffix, counted, count, cause);
    }
    if (folder != NULL)
        closedir(folder);
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
