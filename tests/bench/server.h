/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server as a process of ours: started on a CPU, found by what it says on stderr,
 * stopped for certain. It never outlives this program.
 */
#ifndef TL_BENCH_SERVER_H
#define TL_BENCH_SERVER_H

#include <stdbool.h>
#include <stdint.h>

struct server;

/* Start the program argv[0] pinned to `cpu`, what it says going to the file `log`, and
 * wait until it says "listening on http://…". NULL and a cause, with its last words, if
 * it does not. Returns owned: server_stop(). */
struct server *server_start(const char *const argv[], int cpu, const char *log,
                            char **cause);

/* The same for a program that does not say where it listens: it is asked to be at `url`,
 * and connecting there succeeds once it is. */
struct server *server_start_at(const char *const argv[], int cpu, const char *log,
                               const char *url, char **cause);

/* A port of the loopback that nobody listens on now; 0 if there is none. */
int server_free_port(void);

/* Where it listens. Borrowed. */
const char *server_url(const struct server *server);

/* When it was started, monotonic. */
int64_t server_began_ns(const struct server *server);

/* CPU time that it has used, all threads. */
int64_t server_used_ns(const struct server *server);

/* Memory of its own that it has now, not that of files: KiB. */
double server_memory(const struct server *server);

/* Wait until it has nothing to do any more: for a while it has used no CPU time. -1 and a
 * cause if it never rests. */
int server_rest(const struct server *server, char **cause);

/* Ask it to end, wait for a bounded time, and kill it if it still runs. May be NULL. */
void server_stop(struct server *server);

/* Kill it as it stands instead. Likewise. */
void server_kill(struct server *server);

/* Run a program to its end, silently. True: it exited with 0. */
bool server_try(const char *const argv[]);

#endif
