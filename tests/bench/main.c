/* SPDX-License-Identifier: Apache-2.0 */
/* The driver of `make bench`: options, the rows that are asked for, the folder. */
#include "bench.h"
#include "compare.h"
#include "folder.h"
#include "interrupt.h"
#include "xalloc.h"

#include <fnmatch.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define LIMIT_SECONDS 900 /* for all rows together */
#define MISUSE        2   /* exit status for a wrong command line */

static const struct row rows[] = {
    {"report", "reports acknowledged, by durability", row_report},
    {"poll", "polls that are answered at once", row_poll},
    {"baton", "from a report to the other client's held poll", row_baton},
    {"events", "polls while a thousand follow what changes", row_events},
    {"held", "as many held polls as descriptors allow", row_held},
    {"flat", "registering among many cases and clients", row_flat},
    {"status", "polls while the status of 10,000 cases is fetched", row_status},
    {"create", "polls and registrations while homeservers are made", row_create},
    {"bad", "polls beside thousands of connections that do no good", row_bad},
    {"start", "a start with 2,000 definitions", row_start},
    {"replay", "a start after a kill, with 1,000,000 inputs in the journal", row_replay},
    {"idle", "memory after a start with the shipped tests", row_idle},
};
#define ROW_COUNT (sizeof rows / sizeof *rows)

static const char usage[] =
    "usage: bench --program TRAFFICLIGHTD --bare BARE [OPTION]... [GLOB]...\n"
    "Measure the rows whose names fit a glob; all if there is none.\n"
    "\n"
    "  --json FILE     write the results there, too\n"
    "  --folder DIR    make the folder for files of servers there (default: .)\n"
    "  --rounds N      how often each side is measured (default: 5)\n"
    "  --seconds S     how long each time (default: 1)\n"
    "  --inputs N      how many the journal has that is read back (default: 1000000)\n"
    "  --nginx PATH    another yardstick (default: /usr/sbin/nginx; may be missing)\n"
    "  --suites DIR    the shipped tests\n"
    "  --list          print the names of the rows\n";

static int list_rows(void)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        printf("%-12s %s\n", rows[i].name, rows[i].about);
    return EXIT_SUCCESS;
}

/* Gives -1 to go on, else the exit status. */
static int read_options(int argc, char **argv, struct bench *bench, const char **folder,
                        const char **json)
{
    static const struct option known[] = {{"program", required_argument, NULL, 'p'},
                                          {"bare", required_argument, NULL, 'b'},
                                          {"nginx", required_argument, NULL, 'n'},
                                          {"suites", required_argument, NULL, 'u'},
                                          {"inputs", required_argument, NULL, 'i'},
                                          {"json", required_argument, NULL, 'j'},
                                          {"folder", required_argument, NULL, 'f'},
                                          {"rounds", required_argument, NULL, 'r'},
                                          {"seconds", required_argument, NULL, 's'},
                                          {"list", no_argument, NULL, 'l'},
                                          {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'p':
            bench->program = optarg;
            break;
        case 'b':
            bench->bare = optarg;
            break;
        case 'n':
            bench->nginx = optarg;
            break;
        case 'u':
            bench->suites = optarg;
            break;
        case 'i':
            bench->inputs = atol(optarg);
            break;
        case 'j':
            *json = optarg;
            break;
        case 'f':
            *folder = optarg;
            break;
        case 'r':
            bench->rounds = atoi(optarg);
            break;
        case 's':
            bench->seconds = strtod(optarg, NULL);
            break;
        case 'l':
            return list_rows();
        default:
            bench->program = NULL;
        }
    }
    if (bench->program != NULL && bench->bare != NULL && bench->rounds > 0 &&
        bench->rounds <= ROUNDS_MAX && bench->inputs > 0 && bench->seconds > 0 &&
        bench->seconds <= 60)
        return -1;
    fputs(usage, stderr);
    return MISUSE;
}

static bool row_is_wanted(const struct row *row, int count, char **globs)
{
    bool wanted = count == 0;

    for (int i = 0; i < count && !wanted; i++)
        wanted = fnmatch(globs[i], row->name, 0) == 0;
    return wanted;
}

/* Run them all; gives how many failed. */
static int run_rows(struct bench *bench, int count, char **globs)
{
    int failed = 0, ran = 0;

    for (size_t i = 0; i < ROW_COUNT && !interrupt_came(NULL); i++) {
        char *cause = NULL;
        if (!row_is_wanted(&rows[i], count, globs))
            continue;
        ran++;
        table_begin_row(bench->table, rows[i].name);
        if (rows[i].run(bench, &cause) < 0) {
            failed++;
            table_skip(bench->table, rows[i].name, cause ? cause : "failed");
        }
        free(cause);
    }
    if (ran == 0 && !interrupt_came(NULL)) {
        fputs("no row has such a name; these are there:\n", stderr);
        list_rows();
        failed++;
    }
    return failed;
}

/* The load of many clients needs as many descriptors; servers inherit this. */
static void raise_descriptors(void)
{
    struct rlimit limit = {0};

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* Gives the exit status. */
static int measure(struct bench *bench, const char *json, int count, char **globs)
{
    char *cause = NULL;
    int failed;

    interrupt_catch(LIMIT_SECONDS);
    raise_descriptors();
    bench->cpus = cpu_choose();
    cpu_pin(bench->cpus.load);
    table_begin(bench->table, bench);
    failed = run_rows(bench, count, globs);
    if (interrupt_came(&cause) ||
        (json != NULL && table_write(bench->table, json, &cause) < 0)) {
        fprintf(stderr, "bench: %s\n", cause);
        failed++;
    }
    free(cause);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct bench bench = {.nginx = "/usr/sbin/nginx",
                          .suites = ".",
                          .inputs = 1000000,
                          .rounds = 5,
                          .seconds = 1};
    const char *folder = ".", *json = NULL;
    int status = read_options(argc, argv, &bench, &folder, &json);

    if (status >= 0)
        return status;
    /* absolute: the configuration of a server names files in it */
    char *absolute = realpath(folder, NULL);
    bench.folder = xasprintf("%s/bench.XXXXXX", absolute ? absolute : folder);
    bench.table = table_new();
    if (mkdtemp(bench.folder) == NULL) {
        perror(bench.folder);
        status = EXIT_FAILURE;
    } else {
        status = measure(&bench, json, argc - optind, argv + optind);
        folder_remove(bench.folder);
    }
    table_free(bench.table);
    free(bench.folder);
    free(absolute);
    return status;
}
