/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listening sockets: from "host:port", "[v6]:port" or "unix:/path" to a descriptor, and
 * back. Any thread, each socket by one at a time.
 */
#ifndef TL_LISTEN_H
#define TL_LISTEN_H

struct listen_socket;

/* Bind and listen: non-blocking, close-on-exec. Hosts are numeric or "localhost" (which
 * is 127.0.0.1); [::] is IPv6 only. A unix socket that nobody listens on any more is
 * replaced, any other file is not. Returns owned, or NULL with *cause. */
struct listen_socket *listen_open(const char *address, char **cause);

/* Its descriptor. The caller closes it; listen_free() does not. */
int listen_descriptor(const struct listen_socket *socket);

/* Where it is really bound: "http://127.0.0.1:41234" or "unix:/path". Borrowed. */
const char *listen_address(const struct listen_socket *socket);

/* Remove the file of a unix socket, if it still is the one made here. May be repeated. */
void listen_unlink(struct listen_socket *socket);

/* Unlink and forget. */
void listen_free(struct listen_socket *socket);

#endif
