/* SPDX-License-Identifier: Apache-2.0 */
/* Uploaded files on the disk. See the header for who calls what. */
#include "files.h"

#include "xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    NAME_MAX_BYTES = 200, /* of a stored file */
    ROLE_MAX_BYTES = 60,  /* of that, what is the role */
    ENDING_BYTES = 16,    /* an ending that is kept whatever goes, dot included */
};

/* --- names --- */

static void make_safe(char *text)
{
    static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                               "0123456789._-";

    for (text += strspn(text, safe); *text != '\0'; text += strspn(text, safe))
        *text = '_';
}

/* Behind the last folder and the dots at the beginning. */
static const char *base_of(const char *path)
{
    for (const char *at = path; *at != '\0'; at++)
        if (*at == '/' || *at == '\\')
            path = at + 1;
    return path + strspn(path, ".");
}

char *file_name(const char *role, const char *given)
{
    const char *base = base_of(given);
    size_t size = strlen(base), prefix = strnlen(role, ROLE_MAX_BYTES);
    const char *ending = strrchr(base, '.');
    size_t room = NAME_MAX_BYTES - prefix - 1;
    size_t kept = ending != NULL ? strlen(ending) : 0;

    if (kept > ENDING_BYTES || size <= room)
        kept = 0;
    if (size > room)
        size = room;
    char *name = xasprintf("%.*s_%.*s%s", (int)prefix, role, (int)(size - kept),
                           *base != '\0' ? base : "file", kept > 0 ? ending : "");
    if (*base == '\0') {
        free(name);
        name = xasprintf("%.*s_file", (int)prefix, role);
    }
    make_safe(name);
    return name;
}

const char *file_type(const char *name)
{
    static const char *const types[][2] = {
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".jpeg", "image/jpeg"},
        {".gif", "image/gif"},
        {".webp", "image/webp"},
        {".webm", "video/webm"},
        {".mp4", "video/mp4"},
        {".txt", "text/plain; charset=utf-8"},
        {".log", "text/plain; charset=utf-8"},
    };
    const char *ending = strrchr(name, '.');

    for (size_t i = 0; ending != NULL && i < sizeof types / sizeof *types; i++)
        if (strcasecmp(ending, types[i][0]) == 0)
            return types[i][1];
    return "application/octet-stream";
}

const char *file_element(const char *name)
{
    const char *type = file_type(name);

    return strncmp(type, "image/", 6) == 0   ? "img"
           : strncmp(type, "video/", 6) == 0 ? "video"
                                             : NULL;
}

/* --- folders --- */

/* Make the folder and those above it, as needed. Gives 0 or an errno. */
static int make_folder(const char *path)
{
    char *copy = xstrdup(path);
    int error = 0;

    for (char *at = copy + 1; error == 0; at++) {
        at += strcspn(at, "/");
        bool last = *at == '\0';
        *at = '\0';
        if (mkdir(copy, 0750) != 0 && errno != EEXIST)
            error = errno;
        if (last)
            break;
        *at = '/';
    }
    free(copy);
    return error;
}

int files_need_folder(const char *path)
{
    struct stat about;

    /* The usual case is one call: the folder is there. */
    if (stat(path, &about) == 0)
        return S_ISDIR(about.st_mode) ? 0 : ENOTDIR;
    return make_folder(path);
}

/* --- writing --- */

/* Gives 0 or an errno. */
static int write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, data, size);
        if (written < 0 && errno != EINTR)
            return errno;
        if (written > 0) {
            data += written;
            size -= (size_t)written;
        }
    }
    return 0;
}

/* Write a file under a name that is not its own. Gives 0, or an errno, and nothing stays.
 */
static int write_aside(const char *path, const struct file_content *file)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);

    if (fd < 0)
        return errno;
    int error = write_all(fd, file->data, file->size);
    if (close(fd) != 0 && error == 0)
        error = errno;
    if (error != 0)
        unlink(path);
    return error;
}

static size_t count_new(const char *folder, const struct file_content *files,
                        size_t count)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        char *path = xasprintf("%s/%s", folder, files[i].name);
        found += access(path, F_OK) != 0;
        free(path);
    }
    return found;
}

/* Write all of them aside, then give them their names; nobody else writes here now. Gives
 * 0, or an errno of the file at *which. */
static int write_files(const char *folder, const struct file_content *files, size_t count,
                       size_t *which)
{
    char **aside = xcalloc(count, sizeof *aside);
    size_t written = 0;
    int error = 0;

    for (; written < count && error == 0; written++) {
        *which = written;
        aside[written] = xasprintf("%s/.new-%zu", folder, written);
        error = write_aside(aside[written], &files[written]);
    }
    for (size_t i = 0; i < count && error == 0; i++) {
        char *path = xasprintf("%s/%s", folder, files[i].name);
        *which = i;
        if (rename(aside[i], path) != 0)
            error = errno;
        free(path);
    }
    for (size_t i = 0; i < written; i++) {
        if (error != 0)
            unlink(aside[i]); /* those that were not renamed */
        free(aside[i]);
    }
    free(aside);
    return error;
}

char *file_place(const char *run, const char *testcase, unsigned attempt)
{
    return xasprintf("%s/%s/%u", run, testcase, attempt);
}

enum file_result files_store(const char *folder, const char *where,
                             const struct file_content *files, size_t count, size_t room,
                             int *error, char **cause)
{
    char *place = xasprintf("%s/%s", folder, where);
    enum file_result result = FILES_STORED;
    size_t which = 0;

    *error = files_need_folder(place);
    if (*error != 0) {
        cause_set(cause, "the folder %s can't be made: %s", place, strerror(*error));
        result = FILES_FAILED;
    } else if (count > room && count_new(place, files, count) > room) {
        cause_set(cause, "the case may have %zu files more, not %zu", room, count);
        result = FILES_TOO_MANY;
    } else if ((*error = write_files(place, files, count, &which)) != 0) {
        cause_set(cause, "%s/%s can't be written: %s", place, files[which].name,
                  strerror(*error));
        result = FILES_FAILED;
    }
    free(place);
    return result;
}

/* --- reading --- */

int file_open(const char *folder, const char *place, const char *name, size_t *size,
              int *error, char **cause)
{
    char *path = xasprintf("%s/%s/%s", folder, place, name);
    struct stat about = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    *error = fd < 0 || fstat(fd, &about) != 0 ? errno
             : !S_ISREG(about.st_mode)        ? EINVAL
                                              : 0;
    if (*error != 0) {
        cause_set(cause, "%s can't be read: %s", path, strerror(*error));
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    /* So that the loop need not wait for the disk when it sends it. */
    if (fd >= 0)
        readahead(fd, 0, (size_t)about.st_size);
    *size = (size_t)about.st_size;
    free(path);
    return fd;
}
