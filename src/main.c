/* SPDX-License-Identifier: Apache-2.0 */
/* trafficlightd: reads its options and its configuration, starts the daemon, turns the
 * loop. */
#include "autoconf.h"
#include "daemon.h"
#include "log.h"
#include "xalloc.h"

#include <getopt.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MISUSE 2 /* exit status for a wrong command line */

static const char usage[] =
    "usage: trafficlightd [OPTION]...\n"
    "Leads chat clients under test through state machines, and reports how they did.\n"
    "\n"
    "  -c, --config FILE    read this configuration (default: " DEFAULT_CONFIG
    ", if it is there)\n"
    "  -l, --listen ADDRESS listen here, and not where the configuration says: "
    "HOST:PORT,\n"
    "                       [V6]:PORT or unix:/PATH; may be given several times\n"
    "      --only GLOB      run only cases that fit: folder.Name or folder.Name/case, "
    "with * and\n"
    "                       ?; not those that the configuration names; may be given "
    "several\n"
    "                       times\n"
    "      --once           stop when all cases have ended; exit 0 only if all "
    "succeeded\n"
    "      --check-config   only check the configuration\n"
    "  -V, --version        print the version\n"
    "  -h, --help           print this\n"
    "\n"
    "See trafficlightd(8), trafficlight.ini(5), trafficlight-test(5).\n";

/* What the command line says. */
struct options {
    struct config_origin origin; /* --config, and what wins over the file; owned */
    bool check_config;           /* do only that */
    bool once;                   /* stop when all cases have ended */
};

static void add_override(struct options *options, const char *section, const char *key,
                         const char *value)
{
    options->origin.overrides[options->origin.override_count++] =
        (struct config_override){section, key, value};
}

/* Print what is wrong, line by line. */
static void print_mistakes(const char *mistakes)
{
    fprintf(stderr, "%s\n", mistakes);
}

/* Gives -1 to go on, else the exit status. */
static int read_options(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {{"config", required_argument, NULL, 'c'},
                                          {"listen", required_argument, NULL, 'l'},
                                          {"only", required_argument, NULL, 'y'},
                                          {"once", no_argument, NULL, 'o'},
                                          {"check-config", no_argument, NULL, 'k'},
                                          {"version", no_argument, NULL, 'V'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int option;

    options->origin.overrides = xcalloc((size_t)argc, sizeof *options->origin.overrides);
    while ((option = getopt_long(argc, argv, "c:l:Vh", known, NULL)) != -1) {
        switch (option) {
        case 'c':
            options->origin.file = optarg;
            break;
        case 'l':
            add_override(options, "server", "listen", optarg);
            break;
        case 'y':
            add_override(options, "tests", "only", optarg);
            break;
        case 'o':
            options->once = true;
            break;
        case 'k':
            options->check_config = true;
            break;
        case 'V':
            puts("trafficlightd " PACKAGE_VERSION);
            return EXIT_SUCCESS;
        case 'h':
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        default:
            fputs("Try trafficlightd --help.\n", stderr);
            return MISUSE;
        }
    }
    if (optind < argc) {
        fprintf(stderr,
                "trafficlightd: \"%s\" is not an option. Try trafficlightd --help.\n",
                argv[optind]);
        return MISUSE;
    }
    return -1;
}

/* Read the configuration, and what the command line says over it. */
static bool read_config(struct config *config, const struct options *options)
{
    char *mistakes = NULL;
    bool good = config_read(config, &options->origin, &mistakes) == 0;

    if (!good)
        print_mistakes(mistakes);
    free(mistakes);
    return good;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    struct daemon daemon = {0};
    int status = read_options(argc, argv, &options);

    if (status >= 0)
        goto out;
    status = EXIT_FAILURE;
    if (!read_config(&daemon.config, &options))
        goto out;
    if (options.check_config) {
        const char *file = config_origin_file(&options.origin);
        printf("%s: the configuration is good\n", file != NULL ? file : "defaults");
        status = EXIT_SUCCESS;
        goto out;
    }
    log_set_level(daemon.config.log_level);
    daemon.once = options.once;
    daemon.origin = &options.origin;
    if (daemon_start(&daemon))
        status = daemon_run(&daemon);
out:
    daemon_free(&daemon);
    free(options.origin.overrides);
    xmlCleanupParser();
    return status;
}
