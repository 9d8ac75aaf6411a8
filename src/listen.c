/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listening sockets: how an address is written, bound and read back. Any thread.
 */
#include "listen.h"

#include "autoconf.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#ifdef HAVE_LIBSYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "xalloc.h"

enum {
    LISTEN_BACKLOG = 1024,
    FIRST_INHERITED = 3, /* after stdin, stdout and stderr, see sd_listen_fds(3) */
};

struct listen_socket {
    int descriptor; /* the caller closes it */
    char *address;  /* owned; as people write it */
    char *path;     /* owned; of a unix socket, NULL otherwise or once unlinked */
    dev_t device;   /* where the file of path is */
    ino_t inode;    /* and which one it is */
};

static struct listen_socket *socket_take(int descriptor, char *address)
{
    struct listen_socket *made = xcalloc(1, sizeof(*made));
    made->descriptor = descriptor;
    made->address = address;
    return made;
}

/* Cut "host:port" in two. Gives an owned host (without brackets) and a borrowed port. */
static char *host_split(const char *address, const char **port)
{
    const char *colon = strrchr(address, ':');
    if (!colon || colon == address || !colon[1])
        return NULL;
    size_t length = (size_t)(colon - address);
    *port = colon + 1;
    if (address[0] == '[' && address[length - 1] == ']')
        return xstrndup(address + 1, length - 2);
    /* An IPv6 address without brackets: where it ends is anyone's guess. */
    if (memchr(address, ':', length) || address[0] == '[')
        return NULL;
    return length == strlen("localhost") && !strncmp(address, "localhost", length)
               ? xstrdup("127.0.0.1")
               : xstrndup(address, length);
}

static struct addrinfo *host_resolve(const char *address, char **cause)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    struct addrinfo *found = NULL;
    const char *port = NULL;
    char *host = host_split(address, &port);
    char *end = NULL;
    if (!host || strspn(port, "0123456789") != strlen(port) ||
        strtoul(port, &end, 10) > 65535)
        cause_set(cause,
                  "cannot listen on \"%s\": write it as host:port, [v6]:port or "
                  "unix:/path, with a port from 0 to 65535",
                  address);
    else if (getaddrinfo(host, port, &hints, &found))
        cause_set(cause,
                  "cannot listen on \"%s\": the host must be a numeric address or "
                  "\"localhost\"",
                  address);
    free(host);
    return found;
}

/* Read back which address and port the kernel gave. Returns owned. */
static char *socket_read_address(int descriptor)
{
    struct sockaddr_storage bound;
    socklen_t size = sizeof(bound);
    char host[NI_MAXHOST], port[NI_MAXSERV];
    if (getsockname(descriptor, (struct sockaddr *)&bound, &size) ||
        getnameinfo((struct sockaddr *)&bound, size, host, sizeof(host), port,
                    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV))
        return NULL;
    return bound.ss_family == AF_INET6 ? xasprintf("http://[%s]:%s", host, port)
                                       : xasprintf("http://%s:%s", host, port);
}

static void socket_set_options(int descriptor, int family)
{
    int on = 1;
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    /* Accepted sockets inherit it; answers are written whole, so nothing is gained by
     * waiting for more. */
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (family == AF_INET6)
        setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
}

static struct listen_socket *open_tcp(const char *address, char **cause)
{
    struct listen_socket *made = NULL;
    char *text = NULL;
    int descriptor = -1;
    struct addrinfo *where = host_resolve(address, cause);
    if (!where)
        return NULL;
    descriptor = socket(where->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        goto out;
    socket_set_options(descriptor, where->ai_family);
    if (bind(descriptor, where->ai_addr, where->ai_addrlen) ||
        listen(descriptor, LISTEN_BACKLOG) || !(text = socket_read_address(descriptor)))
        goto out;
    made = socket_take(descriptor, text);
out:
    if (!made) {
        cause_set(cause, "cannot listen on \"%s\": %s", address, strerror(errno));
        if (descriptor >= 0)
            close(descriptor);
    }
    freeaddrinfo(where);
    return made;
}

/* Whether the path is free to bind to, after a stale socket there was removed. */
static bool path_clear(const struct sockaddr_un *where, char **cause)
{
    const char *path = where->sun_path;
    struct stat file;
    if (lstat(path, &file))
        return true; /* bind() says best what is wrong, if anything is */
    if (!S_ISSOCK(file.st_mode)) {
        cause_set(cause,
                  "cannot listen on \"unix:%s\": a file that is not a socket is there; "
                  "remove it or choose another path",
                  path);
        return false;
    }
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (probe < 0) {
        cause_set(cause, "cannot listen on \"unix:%s\": %s", path, strerror(errno));
        return false;
    }
    int failed = connect(probe, (const struct sockaddr *)where, sizeof(*where));
    int error = failed ? errno : 0;
    close(probe);
    if (error == ECONNREFUSED && !unlink(path))
        return true;
    if (!error || error == EAGAIN)
        cause_set(cause,
                  "cannot listen on \"unix:%s\": another program listens there; stop it "
                  "or choose another path",
                  path);
    else
        cause_set(cause, "cannot replace the socket \"%s\": %s", path, strerror(errno));
    return false;
}

static struct listen_socket *open_unix(const char *address, char **cause)
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    struct stat file;
    const char *path = address + strlen("unix:");
    if (path[0] != '/' || strlen(path) >= sizeof(where.sun_path)) {
        cause_set(cause,
                  "cannot listen on \"%s\": the path must be absolute and shorter than "
                  "%zu bytes",
                  address, sizeof(where.sun_path));
        return NULL;
    }
    memcpy(where.sun_path, path, strlen(path) + 1);
    if (!path_clear(&where, cause))
        return NULL;
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0 ||
        bind(descriptor, (const struct sockaddr *)&where, sizeof(where)) ||
        listen(descriptor, LISTEN_BACKLOG) || lstat(path, &file)) {
        cause_set(cause, "cannot listen on \"%s\": %s", address, strerror(errno));
        if (descriptor >= 0)
            close(descriptor);
        return NULL;
    }
    struct listen_socket *made = socket_take(descriptor, xstrdup(address));
    made->path = xstrdup(path);
    made->device = file.st_dev;
    made->inode = file.st_ino;
    return made;
}

struct listen_socket *listen_open(const char *address, char **cause)
{
    return strncmp(address, "unix:", strlen("unix:")) ? open_tcp(address, cause)
                                                      : open_unix(address, cause);
}

/* --- sockets of systemd --- */

static int socket_option(int descriptor, int option)
{
    int value = -1;
    socklen_t size = sizeof(value);
    return getsockopt(descriptor, SOL_SOCKET, option, &value, &size) ? -1 : value;
}

/* What is wrong with a descriptor that was handed over, and what to do; NULL: nothing. */
static const char *inherited_fault(int descriptor)
{
    int type = socket_option(descriptor, SO_TYPE);
    int family = socket_option(descriptor, SO_DOMAIN);
    if (type < 0)
        return "is not a socket: use ListenStream= only";
    if (type != SOCK_STREAM)
        return "is not a stream socket: use ListenStream=";
    if (family != AF_INET && family != AF_INET6 && family != AF_UNIX)
        return "is neither IPv4 nor IPv6 nor unix: HTTP is served on these";
    if (socket_option(descriptor, SO_ACCEPTCONN) != 1)
        return "is a connection, not a socket that listens: use Accept=no";
    return NULL;
}

/* "unix:/path", or "unix:@name" in the abstract namespace. Returns owned. */
static char *unix_read_address(int descriptor)
{
    struct sockaddr_un bound = {0};
    socklen_t size = sizeof(bound);
    if (getsockname(descriptor, (struct sockaddr *)&bound, &size))
        return NULL;
    size_t length = size - offsetof(struct sockaddr_un, sun_path);
    if (length > 0 && bound.sun_path[0] == '\0')
        return xasprintf("unix:@%.*s", (int)length - 1, bound.sun_path + 1);
    return xasprintf("unix:%.*s", (int)length, bound.sun_path);
}

struct listen_socket *listen_adopt(int descriptor, const char *name, char **cause)
{
    const char *fault = inherited_fault(descriptor);
    if (fault) {
        cause_set(cause, "descriptor %d (%s), which was handed over, %s", descriptor,
                  name, fault);
        return NULL;
    }
    bool is_unix = socket_option(descriptor, SO_DOMAIN) == AF_UNIX;
    /* A blocking one holds the loop in accept() when the client has gone again. */
    int flags = fcntl(descriptor, F_GETFL);
    int on = 1;
    char *address = NULL;
    if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) ||
        fcntl(descriptor, F_SETFD, FD_CLOEXEC) ||
        !(address = is_unix ? unix_read_address(descriptor)
                            : socket_read_address(descriptor))) {
        cause_set(cause, "descriptor %d (%s), which was handed over, can't be used: %s",
                  descriptor, name, strerror(errno));
        return NULL;
    }
    if (!is_unix)
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return socket_take(descriptor, address);
}

/* The number of descriptors that were handed over, and their names, owned each and all;
 * negative: an errno. */
static int inherited_names(char ***names)
{
#ifdef HAVE_LIBSYSTEMD
    return sd_listen_fds_with_names(1, names);
#else
    *names = NULL;
    return 0;
#endif
}

int listen_inherited(struct listen_socket ***sockets, size_t *count, char **cause)
{
    char **names = NULL;
    int found = inherited_names(&names);
    int result = found < 0 ? -1 : 0;
    *sockets = NULL;
    *count = 0;
    if (found < 0)
        cause_set(cause, "the sockets that were handed over can't be taken: %s",
                  strerror(-found));
    if (found > 0)
        *sockets = xcalloc((size_t)found, sizeof(**sockets));
    for (int i = 0; i < found; i++) {
        struct listen_socket *taken =
            result ? NULL : listen_adopt(FIRST_INHERITED + i, names[i], cause);
        if (taken)
            (*sockets)[(*count)++] = taken;
        else
            result = -1;
        free(names[i]);
    }
    free(names);
    if (!result)
        return 0;
    while (*count > 0)
        listen_free((*sockets)[--*count]);
    free(*sockets);
    *sockets = NULL;
    return -1;
}

int listen_descriptor(const struct listen_socket *socket)
{
    return socket->descriptor;
}

const char *listen_address(const struct listen_socket *socket)
{
    return socket->address;
}

void listen_unlink(struct listen_socket *socket)
{
    struct stat file;
    /* By now the path may be another server's. */
    if (socket->path && !lstat(socket->path, &file) && S_ISSOCK(file.st_mode) &&
        file.st_dev == socket->device && file.st_ino == socket->inode)
        unlink(socket->path);
    free(socket->path);
    socket->path = NULL;
}

void listen_free(struct listen_socket *socket)
{
    if (!socket)
        return;
    listen_unlink(socket);
    free(socket->address);
    free(socket);
}
