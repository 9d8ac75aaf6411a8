/* SPDX-License-Identifier: Apache-2.0 */
/* The moment, asked of the system. */
#include "now.h"

#include <time.h>

static int64_t
    ahead_ms; /* of the system's monotonic clock; set once, before threads start */

static int64_t read_clock(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

struct instant now(void)
{
    return (struct instant){read_clock(CLOCK_MONOTONIC) + ahead_ms,
                            read_clock(CLOCK_REALTIME)};
}

void now_continue(int64_t mono_ms)
{
    ahead_ms = mono_ms - read_clock(CLOCK_MONOTONIC);
}
