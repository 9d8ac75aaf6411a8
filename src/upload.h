/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /client/<id>/upload: files of a case, from its clients. Loop thread only.
 *
 * The body is read whole (src/http_room.c bounds the memory), then a job parses it, looks
 * at the colour of pictures and writes the files; the engine hears of them when they are
 * on the disk, and only then the client is answered. There is one such worker, so that of
 * two files of one name the engine hears in the order in which they were written.
 */
#ifndef TL_UPLOAD_H
#define TL_UPLOAD_H

#include "client_api.h"
#include "http.h"

struct config;
struct uploads;
struct workers;

/* The handler; its context is the struct daemon. */
http_handler client_upload;

/* The same for whoever wants another answer than adapters get to what the engine says;
 * what was wrong with the form, or with the disk, is told as a problem. */
void upload_take(struct http_exchange *exchange, struct daemon *daemon, const char *id,
                 client_answer *answer);

/* Make the room. Adds its lane to `workers`. */
struct uploads *uploads_new(struct workers *workers, const struct config *config);

/* The folder that files_store() is given. Borrowed. */
const char *uploads_folder(const struct uploads *uploads);

/* How many bodies have arrived and are not stored yet. */
size_t uploads_outstanding(const struct uploads *uploads);

/* Free it, after workers_free(). */
void uploads_free(struct uploads *uploads);

#endif
