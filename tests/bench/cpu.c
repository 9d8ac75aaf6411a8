/* SPDX-License-Identifier: Apache-2.0 */
/* Processors and clocks. */
#include "cpu.h"

#include <sched.h>
#include <time.h>

static int64_t read_clock(clockid_t clock)
{
    struct timespec time;

    if (clock_gettime(clock, &time) != 0)
        return 0;
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

struct cpus cpu_choose(void)
{
    struct cpus cpus = {-1, -1};
    cpu_set_t allowed;

    CPU_ZERO(&allowed);
    sched_getaffinity(0, sizeof allowed, &allowed);
    for (int cpu = 0; cpu < CPU_SETSIZE && cpus.load < 0; cpu++) {
        if (!CPU_ISSET(cpu, &allowed))
            continue;
        if (cpus.server < 0)
            cpus.server = cpu;
        else
            cpus.load = cpu;
    }
    if (cpus.load < 0)
        cpus.load = cpus.server;
    return cpus;
}

void cpu_pin(int cpu)
{
    cpu_set_t only;

    if (cpu < 0)
        return;
    CPU_ZERO(&only);
    CPU_SET((size_t)cpu, &only);
    sched_setaffinity(0, sizeof only, &only);
}

int64_t cpu_clock_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t cpu_used_ns(pid_t pid)
{
    clockid_t clock;

    return clock_getcpuclockid(pid, &clock) == 0 ? read_clock(clock) : 0;
}
