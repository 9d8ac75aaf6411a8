/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIGHUP: the configuration is read anew, on a worker, and what may change while the
 * server runs is taken over. A file with mistakes changes nothing. Loop thread only.
 */
#ifndef TL_RELOAD_H
#define TL_RELOAD_H

#include <stdbool.h>

struct config;
struct config_origin;
struct reload;
struct supervisor;
struct workers;

/* Called from the loop after the running configuration has taken over new values: pass
 * them on to whoever has copies. Gives whether nobody borrows from the old values any
 * more; else they are kept until reload_free(). */
typedef bool reload_adopted(void *context);

/* Make it, and wait for SIGHUP. Adds its lane to `workers`. Borrows everything; the
 * running configuration changes only inside of the loop, just before `adopted` is
 * called. */
struct reload *reload_new(struct workers *workers, struct supervisor *supervisor,
                          struct config *running, const struct config_origin *origin,
                          reload_adopted *adopted, void *context);

/* Do what SIGHUP does. One that comes while a file is being read has it read once
 * more. */
void reload_begin(struct reload *reload);

/* From now on SIGHUP is passed over: the service ends. May be repeated; NULL is fine. */
void reload_stop(struct reload *reload);

/* Free it, after workers_free() and before the loop's base, which is the workers'.
 * NULL is fine. */
void reload_free(struct reload *reload);

#endif
