/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listening sockets: from "host:port", "[v6]:port" or "unix:/path" to a descriptor, and
 * back. Any thread, each socket by one at a time.
 */
#ifndef TL_LISTEN_H
#define TL_LISTEN_H

#include <stddef.h>

struct listen_socket;

/* Bind and listen: non-blocking, close-on-exec. Hosts are numeric or "localhost" (which
 * is 127.0.0.1); [::] is IPv6 only. A unix socket that nobody listens on any more is
 * replaced, any other file is not. Returns owned, or NULL with *cause. */
struct listen_socket *listen_open(const char *address, char **cause);

/* Take a socket that was made elsewhere and listens already: a stream socket of IPv4,
 * IPv6 or unix. It becomes non-blocking and close-on-exec; the file of a unix socket
 * belongs to whoever made it and is never removed here. Returns owned, or NULL with
 * *cause (which has the name in it), and the descriptor is still the caller's. */
struct listen_socket *listen_adopt(int descriptor, const char *name, char **cause);

/* Take the sockets that systemd handed over, by $LISTEN_FDS and its like, which leave
 * the environment: call it once, before threads start. *sockets gets an owned array of
 * *count owned ones, NULL where there are none. Gives 0, or -1 with *cause if one of
 * them can't be served: then all of them stay as they are, and the process has better
 * not go on. */
int listen_inherited(struct listen_socket ***sockets, size_t *count, char **cause);

/* Its descriptor. The caller closes it; listen_free() does not. */
int listen_descriptor(const struct listen_socket *socket);

/* Where it is really bound: "http://127.0.0.1:41234" or "unix:/path". Borrowed. */
const char *listen_address(const struct listen_socket *socket);

/* Remove the file of a unix socket, if it still is the one made here. May be repeated. */
void listen_unlink(struct listen_socket *socket);

/* Unlink and forget. */
void listen_free(struct listen_socket *socket);

#endif
