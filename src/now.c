/* SPDX-License-Identifier: Apache-2.0 */
/* The moment, asked of the system. */
#include "now.h"

#include <time.h>

static int64_t read_clock(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

struct instant now(void)
{
    return (struct instant){read_clock(CLOCK_MONOTONIC), read_clock(CLOCK_REALTIME)};
}
