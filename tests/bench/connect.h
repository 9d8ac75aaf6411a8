/* SPDX-License-Identifier: Apache-2.0 */
/* Connections to a server on this machine, thousands of them. */
#ifndef TL_BENCH_CONNECT_H
#define TL_BENCH_CONNECT_H

#include <stddef.h>

/* Connect to http://127.0.0.1:PORT. `number`: how many connections the caller has there
 * already; they come from several addresses, and now and then this waits for the server
 * to take some. Gives the socket, which blocks; -1 and errno. */
int connect_to(const char *url, size_t number);

#endif
