/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folders with all that is in them. Everything goes by descriptors, so that a folder that
 * becomes a symbolic link meanwhile leads nowhere.
 */
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 32 /* each level takes a descriptor; the server itself makes two */

/* The folder, or NULL with errno; never what a link points to. */
static DIR *open_at(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;

    if (fd >= 0 && folder == NULL)
        close(fd);
    return folder;
}

/* The next entry that is neither the folder itself nor the one above; NULL at the end. */
static const char *next_name(DIR *folder)
{
    struct dirent *entry;

    do {
        entry = readdir(folder);
    } while (entry != NULL &&
             (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
    return entry != NULL ? entry->d_name : NULL;
}

/* --- size --- */

static uint64_t size_at(int parent, const char *name, int depth)
{
    DIR *folder = depth > 0 ? open_at(parent, name) : NULL;
    const char *entry;
    uint64_t size = 0;

    if (folder == NULL)
        return 0;
    while ((entry = next_name(folder)) != NULL) {
        struct stat about;
        if (fstatat(dirfd(folder), entry, &about, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (S_ISDIR(about.st_mode))
            size += size_at(dirfd(folder), entry, depth - 1);
        else if (S_ISREG(about.st_mode))
            size += (uint64_t)about.st_size;
    }
    closedir(folder);
    return size;
}

uint64_t folder_size(const char *folder, const char *name)
{
    DIR *parent = opendir(folder); /* links on the way to it are the owner's own */
    uint64_t size = parent != NULL ? size_at(dirfd(parent), name, DEPTH_MAX) : 0;

    if (parent != NULL)
        closedir(parent);
    return size;
}

uint64_t folder_size_below(const char *folder)
{
    DIR *parent = opendir(folder);
    const char *entry;
    uint64_t size = 0;

    while (parent != NULL && (entry = next_name(parent)) != NULL)
        size += size_at(dirfd(parent), entry, DEPTH_MAX);
    if (parent != NULL)
        closedir(parent);
    return size;
}

/* --- away --- */

static int remove_at(int parent, const char *name, int depth);

/* Gives 0 or an errno. */
static int empty(DIR *folder, int depth)
{
    const char *entry;
    int error = 0;

    while (error == 0 && (entry = next_name(folder)) != NULL)
        error = remove_at(dirfd(folder), entry, depth);
    return error;
}

static int remove_at(int parent, const char *name, int depth)
{
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM) /* what POSIX and Linux say of folders */
        return errno;
    if (depth == 0)
        return ELOOP;
    DIR *folder = open_at(parent, name);
    if (folder == NULL)
        return errno;
    int error = empty(folder, depth - 1);
    closedir(folder);
    if (error == 0 && unlinkat(parent, name, AT_REMOVEDIR) != 0)
        error = errno;
    return error;
}

int folder_remove(const char *folder, const char *name)
{
    DIR *parent = opendir(folder);
    int error = parent == NULL && errno != ENOENT ? errno : 0;

    if (parent != NULL) {
        error = remove_at(dirfd(parent), name, DEPTH_MAX);
        closedir(parent);
    }
    return error;
}
