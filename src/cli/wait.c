/* SPDX-License-Identifier: Apache-2.0 */
/* trafficlight wait: follows a server until all its cases have ended. */
#include "clock.h"
#include "command.h"
#include "json.h"
#include "now.h"
#include "output.h"
#include "progress.h"
#include "server.h"
#include "xalloc.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define STATUS_LIMIT    ((size_t)256 << 20) /* bytes of /status.json */
#define JUNIT_LIMIT     ((size_t)1 << 30)   /* bytes of junit.xml */
#define JSON_DEPTH      256                 /* of /status.json */
#define REQUEST_TIME_MS 30000               /* for one answer */
#define PATIENCE_MS     5000                /* with a server that can't be reached */
#define PAUSE_MIN_MS    200                 /* between two looks */
#define PAUSE_MAX_MS    5000                /* the same, where looking takes long */
#define PAUSE_SHARE     10   /* a look that takes 1 is followed by a pause of this */
#define WIDE_COLUMNS    1000 /* of a table that no terminal shows: as wide as it likes */

/* What was asked for, and what was seen. */
struct waiting {
    const char *command;        /* what messages begin with */
    struct server server;       /* owned */
    const char *junit;          /* the file to make, or NULL */
    int64_t timeout_ms;         /* give up after so long; 0: look once; negative: never */
    bool quiet;                 /* no progress, no table */
    bool is_live;               /* stdout is a terminal */
    struct json_object *status; /* the last that was seen, or NULL; owned */
    struct tally tally;         /* of it */
};

static const char help_text[] =
    "Usage: trafficlight wait [--url URL] [--junit FILE] [--timeout TIME] [--quiet]\n"
    "\n"
    "Shows how a server gets on with its tests, until all cases have ended. Ends with 0\n"
    "if all succeeded, with 1 if not, with 2 if the server can't be reached, with 3 "
    "when\n"
    "the time is over.\n"
    "\n"
    "  -u, --url URL       where the server is: http://HOST:PORT or unix:/PATH\n"
    "                      (" COMMAND_URL ")\n"
    "  -j, --junit FILE    write the server's JUnit report there at the end\n"
    "  -t, --timeout TIME  wait no longer than 250ms, 5s, 10m, 1h or this number of\n"
    "                      seconds; 0 looks once\n"
    "  -q, --quiet         show neither progress nor the table of cases\n"
    "      --help          show this\n";

/* --- what a person sees --- */

static size_t terminal_columns(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

static void show_progress(const struct waiting *waiting)
{
    char *line = waiting->is_live ? progress_line(&waiting->tally, terminal_columns() - 1)
                                  : tally_text(&waiting->tally);

    if (waiting->is_live)
        printf("\r\033[K%s", line);
    else
        printf("%s\n", line);
    fflush(stdout);
    free(line);
}

static void clear_progress(const struct waiting *waiting)
{
    if (waiting->is_live && !waiting->quiet) {
        printf("\r\033[K");
        fflush(stdout);
    }
}

static void show_table(const struct waiting *waiting)
{
    char *line = tally_text(&waiting->tally);

    progress_table(waiting->status, waiting->is_live ? terminal_columns() : WIDE_COLUMNS,
                   stdout);
    printf("%s\n", line);
    free(line);
}

/* --- looking --- */

/* Look once. Gives 0, 1 where it may go better next time, or -1; with *cause if not 0. */
static int look(struct waiting *waiting, int64_t timeout_ms, char **cause)
{
    struct reply reply = {.limit = STATUS_LIMIT};
    struct json_object *status = NULL;
    struct tally before = waiting->tally;
    int result = 1;
    int code = server_get(&waiting->server, "/status.json", timeout_ms, &reply, cause);

    if (code < 0)
        goto out;
    result = code >= 500 ? 1 : -1;
    if (code != 200) {
        char *detail = server_detail(code, reply.body, reply.size);
        cause_set(cause, "%s answered /status.json with %s", waiting->server.name,
                  detail);
        free(detail);
    } else if (reply.size == 0 ||
               json_read(reply.body, reply.size, JSON_DEPTH, &status, cause) < 0 ||
               !tally_read(&waiting->tally, status)) {
        cause_set(cause, "%s/status.json is not the state of a trafficlightd",
                  waiting->server.name);
    } else {
        result = 0;
    }
    if (result == 0) {
        json_object_put(waiting->status);
        waiting->status = json_object_get(status);
        if (!waiting->quiet && !tally_is_equal(&before, &waiting->tally))
            show_progress(waiting);
    }
out:
    json_object_put(status);
    reply_clear(&reply);
    return result;
}

static void pause_ms(int64_t ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static int64_t at_most(int64_t value, int64_t limit)
{
    return value < limit ? value : limit;
}

/* Gives what follow() does. */
static int look_once(struct waiting *waiting, char **cause)
{
    if (look(waiting, REQUEST_TIME_MS, cause) != 0)
        return COMMAND_MISUSE;
    return waiting->tally.done ? COMMAND_OK : COMMAND_TIMEOUT;
}

/* Look until all cases have ended. Gives COMMAND_OK then; COMMAND_TIMEOUT; or
 * COMMAND_MISUSE with *cause. */
static int follow(struct waiting *waiting, char **cause)
{
    int64_t begun_ms = now().mono_ms, seen_ms = begun_ms;
    int64_t until_ms =
        waiting->timeout_ms >= 0 ? begun_ms + waiting->timeout_ms : INT64_MAX;

    for (;;) {
        int64_t start_ms = now().mono_ms, left_ms = until_ms - start_ms;
        if (left_ms <= 0)
            return COMMAND_TIMEOUT;
        free(*cause);
        *cause = NULL;
        int result = look(waiting, at_most(left_ms, REQUEST_TIME_MS), cause);
        int64_t end_ms = now().mono_ms, pause = PAUSE_SHARE * (end_ms - start_ms);
        if (result == 0 && waiting->tally.done)
            return COMMAND_OK;
        if (result == 0)
            seen_ms = end_ms;
        if (end_ms >= until_ms)
            return COMMAND_TIMEOUT;
        if (result < 0 || end_ms - seen_ms > PATIENCE_MS)
            return COMMAND_MISUSE;
        pause = pause < PAUSE_MIN_MS ? PAUSE_MIN_MS : at_most(pause, PAUSE_MAX_MS);
        pause_ms(at_most(pause, until_ms - end_ms));
    }
}

/* --- the end --- */

static int write_junit(const struct waiting *waiting, char **cause)
{
    struct reply reply = {.limit = JUNIT_LIMIT};
    int result = -1;
    int code =
        server_get(&waiting->server, "/status/junit.xml", REQUEST_TIME_MS, &reply, cause);

    if (code == 200) {
        result = output_write(waiting->junit, reply.body, reply.size, cause);
    } else if (code >= 0) {
        char *detail = server_detail(code, reply.body, reply.size);
        cause_set(cause, "%s answered /status/junit.xml with %s", waiting->server.name,
                  detail);
        free(detail);
    }
    reply_clear(&reply);
    return result;
}

/* What the cases say, once they all have ended. */
static int verdict(const struct waiting *waiting)
{
    if (waiting->tally.cases == 0) {
        command_complain(waiting->command, "%s has no cases", waiting->server.name);
        return COMMAND_FAILED;
    }
    return waiting->tally.success == waiting->tally.cases ? COMMAND_OK : COMMAND_FAILED;
}

static int wait_for_server(struct waiting *waiting)
{
    char *cause = NULL;
    int status =
        waiting->timeout_ms == 0 ? look_once(waiting, &cause) : follow(waiting, &cause);

    clear_progress(waiting);
    if (status == COMMAND_OK)
        status = verdict(waiting);
    if (status == COMMAND_MISUSE)
        command_complain(waiting->command, "%s", cause);
    if (status == COMMAND_TIMEOUT)
        command_complain(waiting->command, "the time is over: %s",
                         cause != NULL ? cause : "not all cases have ended");
    if (waiting->status != NULL && !waiting->quiet)
        show_table(waiting);
    free(cause);
    cause = NULL;
    if (waiting->junit != NULL && waiting->status != NULL && status != COMMAND_MISUSE &&
        write_junit(waiting, &cause) < 0) {
        command_complain(waiting->command, "%s", cause);
        status = COMMAND_MISUSE;
    }
    free(cause);
    return status;
}

static const struct option options[] = {
    {"url", required_argument, NULL, 'u'},     {"junit", required_argument, NULL, 'j'},
    {"timeout", required_argument, NULL, 't'}, {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
};

static int misuse(const struct waiting *waiting, const char *option, char *cause)
{
    int status = command_misuse(waiting->command, "%s %s", option, cause);

    free(cause);
    return status;
}

/* Gives COMMAND_OK, or COMMAND_MISUSE after it was said what is wrong. */
static int read_options(struct waiting *waiting, int argc, char **argv, bool *help)
{
    const char *url = COMMAND_URL;
    char *cause = NULL;
    int option;

    while ((option = getopt_long(argc, argv, "u:j:t:qh", options, NULL)) != -1) {
        switch (option) {
        case 'u':
            url = optarg;
            break;
        case 'j':
            waiting->junit = optarg;
            break;
        case 't':
            if (duration_parse(optarg, &waiting->timeout_ms, &cause) < 0)
                return misuse(waiting, "--timeout", cause);
            break;
        case 'q':
            waiting->quiet = true;
            break;
        case 'h':
            *help = true;
            break;
        default:
            return command_misuse(argv[0], NULL);
        }
    }
    if (optind < argc)
        return command_misuse(argv[0], "what is \"%s\"?", argv[optind]);
    if (server_parse(&waiting->server, url, &cause) < 0)
        return misuse(waiting, "--url", cause);
    return COMMAND_OK;
}

int command_wait(int argc, char **argv)
{
    struct waiting waiting = {
        .command = argv[0], .timeout_ms = -1, .is_live = isatty(STDOUT_FILENO)};
    bool help = false;
    int status;

    curl_global_init(CURL_GLOBAL_DEFAULT);
    status = read_options(&waiting, argc, argv, &help);
    if (status == COMMAND_OK && help)
        fputs(help_text, stdout);
    else if (status == COMMAND_OK)
        status = wait_for_server(&waiting);
    json_object_put(waiting.status);
    server_clear(&waiting.server);
    curl_global_cleanup();
    return status;
}
