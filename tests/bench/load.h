/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The load: connections that are kept alive, on epoll, in one thread. Each link is a
 * small state machine: it is free, or it has sent one request and waits for the answer.
 * What is sent next is the row's business: it hears of each answer and sends by
 * load_send(). Nothing is allocated for a request.
 *
 * Between two calls of load_run() everything stays as it is: answers wait in the sockets.
 */
#ifndef TL_BENCH_LOAD_H
#define TL_BENCH_LOAD_H

#include "histogram.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_REQUEST 2048 /* bytes of the longest request */
#define LOAD_ANSWER  8192 /* bytes of an answer, its head included, that are kept */

struct load;

/* An answer of HTTP/1.1. Valid until something is sent on its link. */
struct load_answer {
    int status;       /* 100 to 999 */
    const char *body; /* what was kept of it, with a NUL after it */
    size_t size;      /* of the whole body, kept or not */
};

/* Hears of an answer; the link is free again. */
typedef void load_answered_cb(void *context, size_t link,
                              const struct load_answer *answer);

/* Connect `count` links to http://127.0.0.1:PORT. NULL and a cause if that fails. */
struct load *load_new(const char *url, size_t count, load_answered_cb *answered,
                      void *context, char **cause);
void load_free(struct load *load);
size_t load_links(const struct load *load);

/* Send a request of at most LOAD_REQUEST bytes on a free link; they are copied. */
void load_send(struct load *load, size_t link, const char *request, size_t size);

/* Send a request and wait for its answer, which `answered` does not hear of: for what
 * must be done before the load begins. -1 and a cause if none comes within seconds. */
int load_ask(struct load *load, size_t link, const char *request, size_t size,
             struct load_answer *answer, char **cause);

/* Call `tick` every so often while load_run() goes on; a few late ones are made
 * up for. Once for a load. */
void load_every(struct load *load, int64_t period_ns, void (*tick)(void *context),
                void *context);

/* What load_run() was for is done: it ends, and all is well. */
void load_stop(struct load *load);

/* Let the links go on for so long. -1 and a cause if a connection broke, an answer could
 * not be read, or the row called load_fail(). */
int load_run(struct load *load, double seconds, char **cause);

/* What is measured has happened once, and took from `since_ns` (monotonic) until now.
 * What began before this load_run() does not count: it went on while nobody looked. */
void load_note(struct load *load, int64_t since_ns);

/* Nothing that comes after this makes sense: load_run() ends with this cause. */
void load_fail(struct load *load, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What the latest load_run() has noted. Borrowed. */
const struct histogram *load_noted(const struct load *load);

#endif
