/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telling the service manager how the service stands, see sd_notify(3). Nothing here
 * waits: what systemd does not take at once is sent later, in its order. Where systemd
 * did not start the process, or the build knows no systemd, all of it does nothing.
 * Loop thread only.
 */
#ifndef TL_SUPERVISOR_H
#define TL_SUPERVISOR_H

#include <stdint.h>

struct event_base;
struct supervisor;

/* Read what systemd said in the environment, and take it out of there, so that children
 * don't speak for us: call it before threads start. Where systemd wants to hear that the
 * loop turns (WatchdogSec=), it is told so twice as often as it asks. Borrows base. Never
 * NULL. */
struct supervisor *supervisor_new(struct event_base *base);

/* Send what is unsent, as far as it is taken, and free it; before the base. NULL is
 * fine. */
void supervisor_free(struct supervisor *supervisor);

/* The service serves: it has started, or has read its configuration anew. */
void supervisor_ready(struct supervisor *supervisor);

/* The configuration is being read anew; supervisor_ready() follows, however it went. */
void supervisor_reloading(struct supervisor *supervisor);

/* The service ends; supervisor_ready() and supervisor_reloading() say nothing from
 * here on. */
void supervisor_stopping(struct supervisor *supervisor);

/* What goes on now, starting or stopping, may take so many milliseconds more. */
void supervisor_extend(struct supervisor *supervisor, int64_t ms);

/* What `systemctl status` shows: a line. Sent when it has changed, at once, but not more
 * often than once a second; the latest one always gets there. */
void supervisor_status(struct supervisor *supervisor, const char *text);

/* Have the status made by describe(context), which returns it owned, when it is due after
 * supervisor_changed(): so that no texts are made that are not sent. */
void supervisor_describe(struct supervisor *supervisor, char *(*describe)(void *context),
                         void *context);

/* What describe() tells may have changed. */
void supervisor_changed(struct supervisor *supervisor);

#endif
