/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual time, chance from a seed, and the story of a failure. */
#include "sim.h"

#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>

#define ORDER_BITS 22                     /* of a key: events before it */
#define MONO_START INT64_C(5000000)       /* the clock for time-outs at the beginning */
#define WALL_START INT64_C(1800000000000) /* the clock for people */

/* What happens at a moment. */
struct event {
    struct heap_entry entry; /* in the agenda */
    int64_t ms;              /* when */
    happening *happen;       /* what */
    void *about;             /* for it; borrowed */
    int64_t number;          /* for it */
    unsigned process;        /* to which it is bound; 0: to none */
    bool owns;               /* about is freed with it */
};

static void put(struct sim *sim, int64_t ms, happening *happen, void *about,
                int64_t number, unsigned process, bool owns)
{
    struct event *event = xcalloc(1, sizeof *event);

    *event = (struct event){.ms = sim->ms + (ms > 0 ? ms : 0),
                            .happen = happen,
                            .about = about,
                            .number = number,
                            .process = process,
                            .owns = owns};
    event->entry.owner = event;
    heap_put(&sim->agenda, &event->entry,
             (event->ms << ORDER_BITS) +
                 (int64_t)(sim->event_count++ % (1U << ORDER_BITS)));
}

void sim_after(struct sim *sim, int64_t ms, happening *happen, void *about,
               int64_t number)
{
    put(sim, ms, happen, about, number, 0, false);
}

void sim_after_here(struct sim *sim, int64_t ms, happening *happen, void *about,
                    int64_t number)
{
    put(sim, ms, happen, about, number, sim->process, false);
}

void sim_after_with(struct sim *sim, int64_t ms, happening *happen, void *about)
{
    put(sim, ms, happen, about, 0, 0, true);
}

static void free_event(struct event *event)
{
    if (event->owns)
        free(event->about);
    free(event);
}

bool sim_step(struct sim *sim)
{
    struct heap_entry *first = heap_first(&sim->agenda);

    if (first == NULL)
        return false;
    struct event *event = first->owner;
    heap_remove(&sim->agenda, first);
    sim->ms = event->ms;
    if (event->process == 0 || event->process == sim->process)
        event->happen(sim, event->about, event->number);
    free_event(event);
    return true;
}

void sim_clear(struct sim *sim)
{
    struct heap_entry *first;

    while ((first = heap_first(&sim->agenda)) != NULL) {
        heap_remove(&sim->agenda, first);
        free_event(first->owner);
    }
    heap_clear(&sim->agenda);
}

struct instant sim_now(const struct sim *sim)
{
    return (struct instant){.mono_ms = MONO_START + sim->ms - sim->lag_ms,
                            .wall_ms = WALL_START + sim->ms};
}

int64_t sim_of_mono(const struct sim *sim, int64_t mono_ms)
{
    return mono_ms - MONO_START + sim->lag_ms;
}

/* --- chance --- */

static uint64_t next_random(struct sim *sim)
{
    uint64_t z = sim->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

unsigned sim_random(struct sim *sim, unsigned below)
{
    return (unsigned)(next_random(sim) >> 33) % below;
}

int64_t sim_between(struct sim *sim, int64_t first, int64_t last)
{
    return first + (int64_t)(next_random(sim) % (uint64_t)(last - first + 1));
}

bool sim_chance(struct sim *sim, unsigned thousandths)
{
    return sim_random(sim, 1000) < thousandths;
}

/* --- the story --- */

void sim_trace(struct sim *sim, const char *format, ...)
{
    struct report *report = sim->report;
    char *line = report->trace[report->trace_count++ % TRACE_LINES];
    va_list arguments;

    int size = snprintf(line, TRACE_SIZE, "%8.3f ", (double)sim->ms / 1000);
    va_start(arguments, format);
    vsnprintf(line + size, TRACE_SIZE - (size_t)size, format, arguments);
    va_end(arguments);
    if (sim->verbose)
        printf("%s\n", line);
}

void report_print(const struct report *report)
{
    size_t count = report->trace_count;

    printf("\nseed %llu; its latest events:\n", (unsigned long long)report->seed);
    for (size_t i = count > TRACE_LINES ? count - TRACE_LINES : 0; i < count; i++)
        printf("  %.*s\n", TRACE_SIZE, report->trace[i % TRACE_LINES]);
    printf("see it alone: tests/simulation/simulation --seed %llu --verbose\n",
           (unsigned long long)report->seed);
    fflush(stdout);
}

void sim_fail(struct sim *sim, const char *format, ...)
{
    va_list arguments;

    report_print(sim->report);
    printf("what broke at %.3f s: ", (double)sim->ms / 1000);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    fflush(stdout);
    _Exit(3);
}
