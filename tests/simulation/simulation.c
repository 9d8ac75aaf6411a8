/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thousands of small worlds around the engine, each from one seed: a fleet of clients,
 * definitions, delays, lost answers, repeats, and processes that die at any moment and go
 * on from the journal. Workers share the seeds; what they are at is seen from outside,
 * also if they die.
 */
#include "fleet.h"
#include "front.h"
#include "homes.h"
#include "invariants.h"
#include "people.h"
#include "process.h"
#include "sim.h"
#include "xalloc.h"

#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEEDS     400
#define JOBS_MAX  16
#define ENOUGH    200    /* seeds after which everything must have happened */
#define STEPS_MAX 300000 /* of one seed */

/* What was asked for. */
struct options {
    uint64_t first; /* seed */
    uint64_t seeds; /* how many */
    unsigned jobs;  /* processes that share them */
    bool verbose;   /* print every event */
};

static void begin(struct sim *sim)
{
    sim->random = sim->report->seed;
    front_begin(sim);
    homes_begin(sim);
    memory_begin(sim);
    ledger_begin(sim);
    fleet_begin(sim);
    people_begin(sim);
}

static void end(struct sim *sim)
{
    memory_count(sim);
    sim_clear(sim);
    people_free(sim);
    fleet_free(sim);
    ledger_free(sim);
    memory_free(sim);
    homes_free(sim);
    front_free(sim);
}

static void simulate(struct report *report, uint64_t seed, bool verbose)
{
    struct sim sim = {.process = 1, .report = report, .verbose = verbose};

    report->seed = seed;
    report->trace_count = 0;
    begin(&sim);
    for (unsigned steps = 0; !sim.over; steps++) {
        if (steps > STEPS_MAX)
            sim_fail(&sim, "it goes on for ever");
        if (!sim_step(&sim))
            sim_fail(&sim, "nothing is left to happen");
        if (steps % 1000 == 999 && sim.front->engine != NULL)
            invariants_check_replay(&sim);
        process_tempt(&sim);
    }
    invariants_check_end(&sim);
    end(&sim);
    COUNT(&sim, seeds);
}

static void work(struct report *report, const struct options *options, unsigned job)
{
    for (uint64_t i = job; i < options->seeds; i += options->jobs)
        simulate(report, options->first + i, options->verbose);
    xmlCleanupParser();
}

/* --- workers --- */

static void start_worker(struct report *report, const struct options *options,
                         unsigned job)
{
    pid_t worker = fork();

    if (worker < 0) {
        perror("fork");
        exit(EXIT_FAILURE);
    }
    if (worker > 0)
        return;
    work(report, options, job);
    fflush(stdout);
    exit(EXIT_SUCCESS);
}

/* Whether all workers ended well; one that was ended by a signal can't tell its story
 * itself. */
static bool await_workers(const struct report *reports, const struct options *options)
{
    bool good = true;
    int status;

    while (wait(&status) > 0) {
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
            continue;
        good = false;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 3)
            continue;
        printf("a worker ended with status %#x; the seeds that were under way:\n",
               status);
        for (unsigned i = 0; i < options->jobs; i++)
            report_print(&reports[i]);
    }
    return good;
}

/* --- the sum --- */

static void add(struct tally *sum, const struct tally *tally)
{
#define TALLY_ADD(name, must, text) sum->name += tally->name;
    TALLY(TALLY_ADD)
#undef TALLY_ADD
}

static void print_tally(const struct tally *tally)
{
    const char *comma = "";

#define TALLY_PRINT(name, must, text)                                                    \
    printf("%s%zu %s", comma, tally->name, text);                                        \
    comma = ", ";
    TALLY(TALLY_PRINT)
#undef TALLY_PRINT
    printf("\n");
}

/* Whether all that is to be tried was tried. */
static bool is_vacuous(const struct tally *tally)
{
    bool vacuous = false;

#define TALLY_CHECK(name, must, text)                                                    \
    if ((must) && tally->name == 0) {                                                    \
        printf("it proves nothing about: %s\n", text);                                   \
        vacuous = true;                                                                  \
    }
    TALLY(TALLY_CHECK)
#undef TALLY_CHECK
    return vacuous;
}

static int simulate_all(const struct options *options)
{
    size_t size = options->jobs * sizeof(struct report);
    struct report *reports =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct tally sum = {0};

    if (reports == MAP_FAILED) {
        perror("mmap");
        return EXIT_FAILURE;
    }
    if (options->jobs == 1)
        work(&reports[0], options, 0);
    for (unsigned i = 0; options->jobs > 1 && i < options->jobs; i++)
        start_worker(&reports[i], options, i);
    bool good = options->jobs == 1 || await_workers(reports, options);
    for (unsigned i = 0; i < options->jobs; i++)
        add(&sum, &reports[i].tally);
    print_tally(&sum);
    good = good && (options->seeds < ENOUGH || !is_vacuous(&sum));
    munmap(reports, size);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- the command line --- */

static int usage(void)
{
    fprintf(stderr, "usage: simulation [--seeds N] [--first SEED] [--seed SEED] "
                    "[--jobs N] [--verbose]\n");
    return 2;
}

/* The number that follows argument *i; false: none does. */
static bool read_number(int count, char **arguments, int *i, uint64_t *number)
{
    char *rest = NULL;

    if (++*i >= count || arguments[*i][0] < '0' || arguments[*i][0] > '9')
        return false;
    *number = strtoull(arguments[*i], &rest, 10);
    return *rest == '\0';
}

static bool read_options(int count, char **arguments, struct options *options)
{
    for (int i = 1; i < count; i++) {
        uint64_t number = 0;
        if (strcmp(arguments[i], "--verbose") == 0) {
            options->verbose = true;
            continue;
        }
        const char *name = arguments[i];
        if (!read_number(count, arguments, &i, &number))
            return false;
        if (strcmp(name, "--seeds") == 0)
            options->seeds = number;
        else if (strcmp(name, "--first") == 0)
            options->first = number;
        else if (strcmp(name, "--jobs") == 0 && number > 0 && number <= JOBS_MAX)
            options->jobs = (unsigned)number;
        else if (strcmp(name, "--seed") == 0)
            *options = (struct options){number, 1, 1, options->verbose};
        else
            return false;
    }
    return true;
}

int main(int count, char **arguments)
{
    struct options options = {.first = 1, .seeds = SEEDS, .jobs = 2};

    if (!read_options(count, arguments, &options))
        return usage();
    return simulate_all(&options);
}
