/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the engine and the rooms: what the engine wants done goes out to them, and what
 * they have to tell comes back as inputs. Loop thread only.
 */
#ifndef TL_WIRING_H
#define TL_WIRING_H

#include "engine.h"

#include <stdint.h>

struct daemon;
struct json_object;

/* How the engine reaches the rooms; and how it reaches nobody, while inputs are read
 * back. Static. The context is the struct daemon. */
const struct engine_ops *wiring_ops(void);
const struct engine_ops *wiring_no_ops(void);

/* What rooms call with the struct daemon as context; see struct homerunner_callbacks,
 * httpstep_new() and presence_new(). */
void wiring_created(void *context, const char *deployment, const char *where,
                    struct json_object *servers, const char *cause);
void wiring_destroyed(void *context, const char *deployment, const char *cause);
void wiring_http_answered(void *context, const char *ticket, struct json_object *reply,
                          const char *cause);
void wiring_lost(void *context, const char *client, const char *reason);

/* Wall time of a client's latest poll, 0 if it never polled. */
int64_t wiring_last_polled(void *context, const char *client);

/* How long a case takes; see struct status_view. */
double wiring_expected(void *context, const char *kind);

/* The engine's deadline has come. */
void wiring_tell_time(struct daemon *daemon);

#endif
