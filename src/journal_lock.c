/* SPDX-License-Identifier: Apache-2.0 */
/* One process for one state folder. At the start, before there are threads. */
#include "files.h"
#include "journal.h"
#include "xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static void refuse_folder(const char *folder, const char *what, int error, char **cause)
{
    cause_set(cause,
              "the state folder %s can't be %s: %s; choose another one, or make it "
              "writable for the user that runs this",
              folder, what, strerrordesc_np(error));
}

/* The lock's holder writes its number a moment after it has the lock. */
static void refuse_taken(const char *folder, int fd, char **cause)
{
    char text[32] = "";
    ssize_t size = pread(fd, text, sizeof text - 1, 0);
    long holder = size > 0 ? strtol(text, NULL, 10) : 0;

    if (holder > 0)
        cause_set(cause,
                  "the state folder %s is in use by process %ld: stop that one, or give "
                  "this one a folder of its own",
                  folder, holder);
    else
        cause_set(cause,
                  "the state folder %s is in use by another process: stop that one, or "
                  "give this one a folder of its own",
                  folder);
}

/* For the sentence above only, so that a full disk keeps nobody from starting. */
static void write_number(int fd)
{
    char *text = xasprintf("%ld\n", (long)getpid());

    if (ftruncate(fd, 0) == 0 && pwrite(fd, text, strlen(text), 0) < 0)
        errno = 0;
    free(text);
}

int journal_lock(const char *folder, char **cause)
{
    int error = files_need_folder(folder);

    if (error != 0) {
        refuse_folder(folder, "made", error, cause);
        return -1;
    }
    char *path = xasprintf("%s/lock", folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    free(path);
    if (fd < 0) {
        refuse_folder(folder, "written to", errno, cause);
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            refuse_taken(folder, fd, cause);
        else
            refuse_folder(folder, "locked", errno, cause);
        close(fd);
        return -1;
    }
    write_number(fd);
    return 0; /* fd stays open: the lock goes with it */
}
