/* SPDX-License-Identifier: Apache-2.0 */
/* Files that a command makes: written beside their place under another name first. */
#include "output.h"

#include "xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t part = write(fd, data, size);
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return -1;
        data += part;
        size -= (size_t)part;
    }
    return 0;
}

/* Write into what `name` opens, and keep the errno of what went wrong first. */
static int write_file(const char *name, int flags, const void *data, size_t size)
{
    int fd = open(name, O_WRONLY | O_CLOEXEC | flags, 0666);
    int error = 0;

    if (fd < 0)
        return errno;
    if (write_all(fd, data, size) < 0)
        error = errno;
    if (close(fd) < 0 && error == 0)
        error = errno;
    return error;
}

/* Replace the file, or make it. Gives 0 or an errno. */
static int replace_file(const char *path, const void *data, size_t size)
{
    char *beside = xasprintf("%s.%ld.tmp", path, (long)getpid());
    int error = write_file(beside, O_CREAT | O_TRUNC, data, size);

    if (error == 0 && rename(beside, path) < 0)
        error = errno;
    if (error != 0)
        unlink(beside);
    free(beside);
    return error;
}

int output_write(const char *path, const void *data, size_t size, char **cause)
{
    struct stat there;
    bool in_place = stat(path, &there) == 0 && !S_ISREG(there.st_mode);
    char *target = realpath(path, NULL); /* a link stays, what it leads to is replaced */
    int error = in_place ? write_file(path, 0, data, size)
                         : replace_file(target != NULL ? target : path, data, size);

    if (error != 0)
        cause_set(cause, "%s can't be written: %s", path, strerror(error));
    free(target);
    return error == 0 ? 0 : -1;
}
