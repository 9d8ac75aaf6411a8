/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures of graphs, drawn by graphviz's `dot`. A picture that is being drawn is drawn
 * once for all who ask meanwhile, and the latest ones are kept, so a page of people who
 * reload costs one run of dot. Everything here is for the loop thread.
 */
#ifndef TL_RENDER_H
#define TL_RENDER_H

#include <stddef.h>
#include <stdint.h>

struct renderer;
struct workers;

enum picture_format { PICTURE_PNG, PICTURE_SVG };

struct renderer_settings {
    const char *dot_program; /* "dot", or a path */
    int timeout_ms;          /* for one run of it */
    size_t threads;          /* runs at once */
    size_t queue;            /* further pictures that may wait */
    size_t picture_limit;    /* bytes of one picture; 0: 16 MiB */
    size_t cache_entries;    /* pictures that are kept; 0: 64 */
    size_t cache_bytes;      /* what they and their graphs may have in all; 0: 64 MiB */
};

/* Is given the picture, or a cause and no data. Both are borrowed for the call. Called
 * from the loop, never inside render_picture(). May ask for pictures and cancel. */
typedef void render_done(void *arg, const char *data, size_t size, const char *cause);

/* Make a renderer. Adds its lane to `workers`; copies the settings. */
struct renderer *renderer_new(struct workers *workers,
                              const struct renderer_settings *settings);

/* Ask for a picture of this graph (copied). Gives 0, and done(arg) will be called once
 * unless the ticket is cancelled before; or -EAGAIN if too many pictures are waiting or
 * the pool is stopping: then it won't. */
int render_picture(struct renderer *renderer, const char *dot_text,
                   enum picture_format format, render_done *done, void *arg,
                   uint64_t *ticket) __attribute__((warn_unused_result));

/* The one who asked is gone: done() is not called any more. Tickets are never 0 and never
 * used twice; one that is not outstanding is ignored. */
void render_cancel(struct renderer *renderer, uint64_t ticket);

/* Free the renderer, after workers_free(). Calls no done(). */
void renderer_free(struct renderer *renderer);

#endif
