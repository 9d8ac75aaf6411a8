/* SPDX-License-Identifier: Apache-2.0 */
/* trafficlight simulate: its options, and a fleet of clients made from them. */
#include "clock.h"
#include "command.h"
#include "fleet.h"
#include "now.h"
#include "xalloc.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#define CLIENTS_MAX 100000
#define TYPE_MAX    64 /* bytes of a client's type, as the protocol has it */
#define WAIT_MAX_S  3600

/* So many clients of one type. */
struct crew {
    char *type;   /* owned */
    size_t count; /* at least 1 */
};

/* What was asked for. */
struct simulation {
    const char *command;          /* what messages begin with */
    struct server server;         /* owned */
    struct crew *crews;           /* owned */
    size_t crew_count;            /* length of crews */
    size_t clients;               /* in all crews */
    struct answers *answers;      /* owned */
    struct simulated_rules rules; /* what clients keep to; owns their calls */
    uint64_t seed;                /* of all chance but that of ids */
    int64_t duration_ms;          /* then it ends by itself; negative: never */
    bool quiet;                   /* says only what goes wrong */
    bool help;                    /* only --help was wanted */
};

static const char help_text[] =
    "Usage: trafficlight simulate [--url URL] --client TYPE[=COUNT]... [OPTION]...\n"
    "\n"
    "Simulates clients: they register, poll and answer every action as the dictionary "
    "of\n"
    "actions says, until the server tells them to exit. Ends with 1 if one of them gave\n"
    "up, with 0 if none did: all were told to exit, or the duration was over.\n"
    "\n"
    "  -u, --url URL                where the server is: http://HOST:PORT or unix:/PATH\n"
    "                               (" COMMAND_URL ")\n"
    "  -c, --client TYPE[=COUNT]    so many clients of this type (1); repeatable\n"
    "      --think TIME[..TIME]     think so long before an answer (0)\n"
    "      --failure-rate RATE      how often an answer is \"failed\", from 0 to 1 (0)\n"
    "      --respond ACTION=NAME    always give this response to the action; repeatable\n"
    "      --member NAME=VALUE      a member of each registration; repeatable\n"
    "      --actions PATH           know the actions of more *.actions.json; repeatable\n"
    "      --seed N                 have the same chance again\n"
    "      --wait SECONDS           how long a poll asks to be held (the server's own)\n"
    "      --forever                register anew after each exit\n"
    "      --duration TIME          stop after so long (never)\n"
    "      --patience TIME          with a server that can't be reached (30s)\n"
    "  -q, --quiet                  say only what goes wrong\n"
    "      --help                   show this\n"
    "\n"
    "TIME is 250ms, 5s, 10m, 1h or a number of seconds.\n";

/* --- options --- */

/* Takes type. */
static void add_crew(struct simulation *simulation, char *type, size_t count)
{
    simulation->crews = xreallocarray(simulation->crews, simulation->crew_count + 1,
                                      sizeof *simulation->crews);
    simulation->crews[simulation->crew_count++] = (struct crew){type, count};
    simulation->clients += count;
}

static int read_client(struct simulation *simulation, const char *text, char **cause)
{
    const char *sign = strrchr(text, '=');
    size_t length = sign != NULL ? (size_t)(sign - text) : strlen(text), count = 1;

    if (length == 0 || length > TYPE_MAX) {
        cause_set(cause, "must name a type of 1 to %d bytes, not \"%s\"", TYPE_MAX, text);
        return -1;
    }
    if (sign != NULL && command_read_count(sign + 1, 1, CLIENTS_MAX, &count, cause) < 0)
        return -1;
    if (simulation->clients + count > CLIENTS_MAX) {
        cause_set(cause, "\"%s\" would make %zu clients in all, but %d are the most",
                  text, simulation->clients + count, CLIENTS_MAX);
        return -1;
    }
    add_crew(simulation, xstrndup(text, length), count);
    return 0;
}

/* Read "2s" or "100ms..2s". */
static int read_think(struct simulated_rules *rules, const char *text, char **cause)
{
    const char *dots = strstr(text, "..");
    char *low = xstrndup(text, dots != NULL ? (size_t)(dots - text) : strlen(text));
    int result = duration_parse(low, &rules->think_min_ms, cause);

    rules->think_max_ms = rules->think_min_ms;
    if (result == 0 && dots != NULL)
        result = duration_parse(dots + 2, &rules->think_max_ms, cause);
    if (result == 0 && rules->think_max_ms < rules->think_min_ms) {
        cause_set(cause, "must go from the shorter time to the longer, not \"%s\"", text);
        result = -1;
    }
    free(low);
    return result;
}

static int read_seed(struct simulation *simulation, const char *text, char **cause)
{
    size_t seed = 0;
    int result = command_read_count(text, 0, INT64_MAX, &seed, cause);

    simulation->seed = seed;
    return result;
}

static int read_url(struct simulation *simulation, const char *text, char **cause)
{
    server_clear(&simulation->server);
    return server_parse(&simulation->server, text, cause);
}

static int read_failure_rate(struct simulation *simulation, const char *text,
                             char **cause)
{
    double rate = 0;
    int result = command_read_number(text, 0, 1, &rate, cause);

    answers_fail(simulation->answers, rate);
    return result;
}

static int read_respond(struct simulation *simulation, const char *text, char **cause)
{
    return answers_respond(simulation->answers, text, cause);
}

enum {
    OPTION_THINK = 256,
    OPTION_FAILURE_RATE,
    OPTION_RESPOND,
    OPTION_MEMBER,
    OPTION_ACTIONS,
    OPTION_SEED,
    OPTION_WAIT,
    OPTION_FOREVER,
    OPTION_DURATION,
    OPTION_PATIENCE,
};

static const struct option options[] = {
    {"url", required_argument, NULL, 'u'},
    {"client", required_argument, NULL, 'c'},
    {"think", required_argument, NULL, OPTION_THINK},
    {"failure-rate", required_argument, NULL, OPTION_FAILURE_RATE},
    {"respond", required_argument, NULL, OPTION_RESPOND},
    {"member", required_argument, NULL, OPTION_MEMBER},
    {"actions", required_argument, NULL, OPTION_ACTIONS},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"wait", required_argument, NULL, OPTION_WAIT},
    {"forever", no_argument, NULL, OPTION_FOREVER},
    {"duration", required_argument, NULL, OPTION_DURATION},
    {"patience", required_argument, NULL, OPTION_PATIENCE},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* Take one option. Gives 0, or -1 with *cause, to be read after its name. */
static int read_option(struct simulation *simulation, int option, const char *text,
                       char **cause)
{
    switch (option) {
    case 'u':
        return read_url(simulation, text, cause);
    case 'c':
        return read_client(simulation, text, cause);
    case OPTION_THINK:
        return read_think(&simulation->rules, text, cause);
    case OPTION_FAILURE_RATE:
        return read_failure_rate(simulation, text, cause);
    case OPTION_RESPOND:
        return read_respond(simulation, text, cause);
    case OPTION_MEMBER:
        return answers_member(simulation->answers, text, cause);
    case OPTION_ACTIONS:
        return answers_add_file(simulation->answers, text, cause);
    case OPTION_SEED:
        return read_seed(simulation, text, cause);
    case OPTION_WAIT:
        return command_read_number(text, 0, WAIT_MAX_S, &simulation->rules.wait, cause);
    case OPTION_FOREVER:
        simulation->rules.forever = true;
        return 0;
    case OPTION_DURATION:
        return duration_parse(text, &simulation->duration_ms, cause);
    case OPTION_PATIENCE:
        return duration_parse(text, &simulation->rules.patience_ms, cause);
    case 'q':
        simulation->quiet = true;
        return 0;
    default:
        simulation->help = true;
        return 0;
    }
}

/* Gives COMMAND_OK, or COMMAND_MISUSE after it was said what is wrong. */
static int read_options(struct simulation *simulation, int argc, char **argv)
{
    char *cause = NULL;
    int option, index = -1, status = COMMAND_OK;

    while (status == COMMAND_OK &&
           (option = getopt_long(argc, argv, "u:c:qh", options, &index)) != -1) {
        if (option == '?')
            status = command_misuse(argv[0], NULL);
        else if (read_option(simulation, option, optarg, &cause) < 0)
            status = command_misuse_of(argv[0], options, index, option, cause);
        index = -1;
    }
    if (status == COMMAND_OK && simulation->help)
        fputs(help_text, stdout);
    else if (status == COMMAND_OK && optind < argc)
        status = command_misuse(argv[0], "what is \"%s\"?", argv[optind]);
    else if (status == COMMAND_OK && simulation->clients == 0)
        status = command_misuse(argv[0], "which clients? For one: --client element-web");
    free(cause);
    return status;
}

/* --- running --- */

/* Each client holds a descriptor. */
static void allow_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void add_clients(struct fleet *fleet, const struct simulation *simulation)
{
    uint64_t player = 0;

    for (size_t i = 0; i < simulation->crew_count; i++) {
        for (size_t j = 0; j < simulation->crews[i].count; j++)
            fleet_add(fleet,
                      simulated_client_new(&simulation->rules, simulation->crews[i].type,
                                           simulation->seed, player++));
    }
}

static void sum_up(const struct simulation *simulation, const struct fleet_counts *counts,
                   int64_t took_ms)
{
    size_t others = counts->clients - counts->exited - counts->gave_up;

    if (simulation->quiet)
        return;
    printf(
        "%zu clients: %zu told to exit, %zu gave up, %zu stopped; %zu actions answered "
        "in %.1f s; seed %" PRIu64 "\n",
        counts->clients, counts->exited, counts->gave_up, others, counts->answered,
        (double)took_ms / 1000, simulation->seed);
}

static int run(struct simulation *simulation)
{
    struct fleet *fleet = fleet_new(&simulation->server);
    int64_t begun_ms = now().mono_ms, until_ms = INT64_MAX;
    int stop_fd = command_catch_signals(), status;

    if (simulation->duration_ms >= 0)
        until_ms = begun_ms + simulation->duration_ms;
    add_clients(fleet, simulation);
    enum fleet_end end = fleet_run(fleet, until_ms, stop_fd);
    struct fleet_counts counts = fleet_count(fleet);
    sum_up(simulation, &counts, now().mono_ms - begun_ms);
    status = counts.gave_up > 0 ? COMMAND_FAILED : COMMAND_OK;
    if (end == FLEET_STOPPED)
        status = 128 + command_caught_signal(stop_fd); /* as shells say it */
    close(stop_fd);
    fleet_free(fleet);
    return status;
}

int command_simulate(int argc, char **argv)
{
    struct simulation simulation = {
        .command = argv[0],
        .duration_ms = -1,
        .rules = {.wait = -1, .patience_ms = COMMAND_PATIENCE_MS}};
    int status;

    curl_global_init(CURL_GLOBAL_DEFAULT);
    simulation.answers = answers_new();
    simulation.rules.answers = simulation.answers;
    simulation.rules.calls = calls_new();
    if (getrandom(&simulation.seed, sizeof simulation.seed, 0) > 0)
        simulation.seed >>= 32; /* short enough to be typed again */
    if (server_parse(&simulation.server, COMMAND_URL, NULL) < 0)
        abort();
    status = read_options(&simulation, argc, argv);
    if (status == COMMAND_OK && !simulation.help) {
        setvbuf(stdout, NULL, _IOLBF, 0);
        simulation.rules.events = simulation.quiet ? NULL : stdout;
        allow_descriptors();
        status = run(&simulation);
    }
    for (size_t i = 0; i < simulation.crew_count; i++)
        free(simulation.crews[i].type);
    free(simulation.crews);
    answers_free(simulation.answers);
    calls_free(simulation.rules.calls);
    server_clear(&simulation.server);
    curl_global_cleanup();
    return status;
}
