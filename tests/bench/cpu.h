/* SPDX-License-Identifier: Apache-2.0 */
/* Processors and clocks: who runs where, and how much time went by or was used. */
#ifndef TL_BENCH_CPU_H
#define TL_BENCH_CPU_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Where servers and the load run. */
struct cpus {
    int server; /* number of the CPU that servers are pinned to */
    int load;   /* and of the load's; the same where there is only one */
};

/* Choose among those that this process may use. */
struct cpus cpu_choose(void);

/* Keep the calling thread, and what it starts, on this CPU. */
void cpu_pin(int cpu);

/* Monotonic time. */
int64_t cpu_clock_ns(void);

/* CPU time that this process has used so far, all its threads; 0 if it is gone. */
int64_t cpu_used_ns(pid_t pid);

#endif
