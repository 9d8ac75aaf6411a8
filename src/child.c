/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Child programs. The input is put into a memory file that becomes the child's stdin, so
 * nothing has to be fed while the answer is read, and no SIGPIPE can arise. A pidfd tells
 * when the child has ended; it is only then, after its group was killed, that it is
 * waited for: the process id can't have become somebody else's.
 */
#include "child.h"

#include "excerpt.h"
#include "worker.h"
#include "xalloc.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STDERR_KEPT    2048 /* bytes of stderr that are kept of all that is read */
#define STDERR_SHOWN   300  /* bytes of it in a cause */
#define STOP_LOOK_MS   200  /* how often to look whether the pool is stopping */
#define FIRST_CAPACITY 4096

/* What is read from the child on one pipe. */
struct stream {
    int fd;          /* our end, -1 once it is at its end */
    char *data;      /* what came, owned */
    size_t size;     /* bytes of it */
    size_t capacity; /* bytes allocated, one more than `limit` at most */
    size_t limit;    /* keep no more than this */
    bool is_over;    /* there was more */
};

/* One run of a program. */
struct child {
    const char *name;                  /* argv[0], borrowed */
    const struct child_limits *limits; /* borrowed */
    int64_t deadline_ms;               /* monotonic */
    pid_t pid;                         /* 0 before it was started and after it is gone */
    int pidfd;                         /* readable when the child has ended; or -1 */
    int ends[3];                       /* the child's ends of stdin, stdout, stderr */
    struct stream out;
    struct stream err;
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Move a descriptor away from 0, 1 and 2, where dup2() in the child would run into it. */
static bool fd_lift(int *fd)
{
    if (*fd > 2)
        return true;
    int lifted = fcntl(*fd, F_DUPFD_CLOEXEC, 3);
    fd_close(fd);
    *fd = lifted;
    return lifted >= 0;
}

/* --- starting --- */

static int make_pipe(int *ours, int *theirs)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    *ours = ends[0];
    *theirs = ends[1];
    if (!fd_lift(ours) || !fd_lift(theirs))
        return -1;
    return fcntl(*ours, F_SETFL, O_NONBLOCK);
}

static int make_input(int *fd, const void *input, size_t size)
{
    const char *p = input;

    *fd = memfd_create("input", MFD_CLOEXEC);
    if (*fd < 0 || !fd_lift(fd))
        return -1;
    while (size > 0) {
        ssize_t written = write(*fd, p, size);
        if (written < 0 && errno != EINTR)
            return -1;
        p += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
    return lseek(*fd, 0, SEEK_SET) == 0 ? 0 : -1;
}

/* A new process group, and signals as a program expects to find them. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    short flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;

    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawnattr_setflags(attributes, flags);
    if (error == 0)
        error = posix_spawnattr_setpgroup(attributes, 0);
    if (error == 0)
        error = posix_spawnattr_setsigmask(attributes, &none);
    if (error == 0)
        error = posix_spawnattr_setsigdefault(attributes, &all);
    return error;
}

static int set_descriptors(posix_spawn_file_actions_t *actions, const int ends[3])
{
    int error = 0;

    for (int i = 0; i < 3 && error == 0; i++)
        error = posix_spawn_file_actions_adddup2(actions, ends[i], i);
    if (error == 0)
        error = posix_spawn_file_actions_addclosefrom_np(actions, 3);
    return error;
}

/* Gives 0 or an errno. */
static int spawn(struct child *child, const char *const argv[])
{
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;

    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&actions);
    int error = set_attributes(&attributes);
    if (error == 0)
        error = set_descriptors(&actions, child->ends);
    if (error == 0) /* the cast: posix_spawnp() changes no argument */
        error = posix_spawnp(&child->pid, argv[0], &actions, &attributes,
                             (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error != 0)
        child->pid = 0;
    return error;
}

static int child_start(struct child *child, const char *const argv[], const void *input,
                       size_t input_size, char **cause)
{
    if (make_input(&child->ends[0], input, input_size) != 0 ||
        make_pipe(&child->out.fd, &child->ends[1]) != 0 ||
        make_pipe(&child->err.fd, &child->ends[2]) != 0) {
        cause_set(cause, "can't start %s: no pipe for it (%s)", child->name,
                  strerrordesc_np(errno));
        return -1;
    }
    int error = spawn(child, argv);
    for (int i = 0; i < 3; i++)
        fd_close(&child->ends[i]);
    if (error == 0) {
        child->pidfd = pidfd_open(child->pid, 0);
        error = child->pidfd < 0 ? errno : 0;
    }
    if (error == 0)
        return 0;
    cause_set(cause, "can't start %s: %s", child->name, strerrordesc_np(error));
    return -1;
}

/* --- reading --- */

static void stream_add(struct stream *stream, const char *data, size_t size)
{
    size_t room = stream->limit - stream->size;

    if (size > room) {
        stream->is_over = true;
        size = room;
    }
    while (stream->capacity < stream->size + size + 1) {
        size_t larger = stream->capacity ? stream->capacity * 2 : FIRST_CAPACITY;
        stream->capacity = larger < stream->limit + 1 ? larger : stream->limit + 1;
        stream->data = xreallocarray(stream->data, stream->capacity, 1);
    }
    memcpy(stream->data + stream->size, data, size);
    stream->size += size;
    stream->data[stream->size] = '\0';
}

static void stream_read(struct stream *stream)
{
    char piece[16384];

    ssize_t size = read(stream->fd, piece, sizeof piece);
    if (size > 0)
        stream_add(stream, piece, (size_t)size);
    else if (size == 0 || (errno != EAGAIN && errno != EINTR))
        fd_close(&stream->fd);
}

/* Wait until there is something to do. Gives 0, or -1 with *cause when it is time to give
 * up. */
static int child_wait(struct child *child, struct pollfd fds[3], char **cause)
{
    int64_t left = child->deadline_ms - now_ms();
    struct workers *workers = child->limits->workers;

    if (workers != NULL && workers_are_stopping(workers)) {
        cause_set(cause, "%s was stopped because trafficlight is stopping", child->name);
        return -1;
    }
    if (left <= 0) {
        cause_set(cause, "%s took longer than %d ms and was stopped", child->name,
                  child->limits->timeout_ms);
        return -1;
    }
    if (workers != NULL && left > STOP_LOOK_MS)
        left = STOP_LOOK_MS;
    fds[0] = (struct pollfd){.fd = child->out.fd, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = child->err.fd, .events = POLLIN};
    fds[2] = (struct pollfd){.fd = child->pidfd, .events = POLLIN};
    if (poll(fds, 3, (int)left) >= 0 || errno == EINTR)
        return 0;
    cause_set(cause, "can't wait for %s: %s", child->name, strerrordesc_np(errno));
    return -1;
}

/* Read all there is, until the child has ended and both pipes are at their end. */
static int child_collect(struct child *child, char **cause)
{
    struct pollfd fds[3];
    bool ended = false;

    while (!ended || child->out.fd >= 0 || child->err.fd >= 0) {
        memset(fds, 0, sizeof fds);
        if (child_wait(child, fds, cause) != 0)
            return -1;
        if (fds[0].revents != 0)
            stream_read(&child->out);
        if (fds[1].revents != 0)
            stream_read(&child->err);
        if (fds[2].revents != 0) {
            ended = true;
            fd_close(&child->pidfd);
        }
        if (child->out.is_over) {
            cause_set(cause, "%s wrote more than %zu bytes and was stopped", child->name,
                      child->limits->output);
            return -1;
        }
    }
    return 0;
}

/* --- ending --- */

/* Kill what is left of the group and take the child's status. */
static int child_reap(struct child *child)
{
    int status = 0;

    kill(-child->pid, SIGKILL);
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    child->pid = 0;
    return status;
}

static int child_judge(const struct child *child, int status, char **cause)
{
    const char *said = child->err.size > 0 ? child->err.data : "nothing";

    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    char *words = excerpt(said, strlen(said), STDERR_SHOWN);
    if (WIFEXITED(status))
        cause_set(cause, "%s ended with status %d and said: %s", child->name,
                  WEXITSTATUS(status), words);
    else
        cause_set(cause, "%s was killed by signal %d and said: %s", child->name,
                  WTERMSIG(status), words);
    free(words);
    return -1;
}

static void child_clear(struct child *child)
{
    if (child->pid != 0)
        child_reap(child);
    for (int i = 0; i < 3; i++)
        fd_close(&child->ends[i]);
    fd_close(&child->pidfd);
    fd_close(&child->out.fd);
    fd_close(&child->err.fd);
    free(child->out.data);
    free(child->err.data);
}

int child_run(const char *const argv[], const void *input, size_t input_size,
              const struct child_limits *limits, char **output, size_t *output_size,
              char **cause)
{
    struct child child = {.name = argv[0],
                          .limits = limits,
                          .deadline_ms = now_ms() + limits->timeout_ms,
                          .pidfd = -1,
                          .ends = {-1, -1, -1},
                          .out = {.fd = -1, .limit = limits->output},
                          .err = {.fd = -1, .limit = STDERR_KEPT}};
    int result = -1;

    assert(limits->output < SIZE_MAX / 2);
    *output = NULL;
    *output_size = 0;
    if (child_start(&child, argv, input, input_size, cause) != 0 ||
        child_collect(&child, cause) != 0)
        goto out;
    result = child_judge(&child, child_reap(&child), cause);
    if (result == 0) {
        stream_add(&child.out, "", 0); /* there is always a NUL */
        *output = child.out.data;
        *output_size = child.out.size;
        child.out.data = NULL;
    }
out:
    child_clear(&child);
    return result;
}
