/* SPDX-License-Identifier: Apache-2.0 */
/* The moment, asked of the system. Any thread, but for now_continue(). */
#ifndef TL_NOW_H
#define TL_NOW_H

#include "clock.h"

/* The moment it is, on both clocks. */
struct instant now(void);

/* Have the monotonic clock go on from this moment: the one that another process came to.
 * Before threads start. */
void now_continue(int64_t mono_ms);

#endif
