/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Being asked to stop: by a signal, or because everything has taken too long. Whoever
 * waits for something looks here, so that servers and folders are put away.
 */
#ifndef TL_BENCH_INTERRUPT_H
#define TL_BENCH_INTERRUPT_H

#include <stdbool.h>

/* From now on SIGINT and SIGTERM only leave a note, and so does the time that is over
 * after this many seconds. System calls that wait end with EINTR then. */
void interrupt_catch(unsigned seconds);

/* Whether one of them came; sets a cause that says so. */
bool interrupt_came(char **cause);

#endif
