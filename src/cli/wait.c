/* SPDX-License-Identifier: Apache-2.0 */
/* trafficlight wait: follows a server until all its cases have ended. */
#include "command.h"
#include "json.h"
#include "watch.h"
#include "xalloc.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-"

static const char help_text[] =
    "Usage: trafficlight wait [--url URL] [--run ID] [--junit FILE] [--timeout TIME]\n"
    "           [--patience TIME] [--quiet]\n"
    "\n"
    "Shows how a server gets on with its tests, until all cases have ended. Ends with 0\n"
    "if all succeeded, with 1 if not, with 2 if the server can't be reached, with 3 "
    "when\n"
    "the time is over.\n"
    "\n"
    "  -r, --run ID         only this run; without it the one that /status "
    "shows\n" WATCH_HELP;

static const struct option options[] = {
    WATCH_OPTIONS,
    {"run", required_argument, NULL, 'r'},
    {NULL, 0, NULL, 0},
};

static int read_run(struct watch_wish *wish, const char *text, char **cause)
{
    wish->run = text;
    if (*text != '\0' && strspn(text, ID_LETTERS) == strlen(text))
        return 0;
    cause_set(cause, "must be the id of a run, as /runs lists them, not \"%s\"", text);
    return -1;
}

/* Gives COMMAND_OK, or COMMAND_MISUSE after it was said what is wrong. */
static int read_options(struct watch_wish *wish, int argc, char **argv)
{
    char *cause = NULL;
    int option, index = -1, status = COMMAND_OK;

    while (status == COMMAND_OK &&
           (option = getopt_long(argc, argv, WATCH_SHORT_OPTIONS "r:", options,
                                 &index)) != -1) {
        if (option == '?')
            status = command_misuse(argv[0], NULL);
        else if ((option == 'r' ? read_run(wish, optarg, &cause)
                                : watch_option(wish, option, optarg, &cause)) < 0)
            status = command_misuse_of(argv[0], options, index, option, cause);
        index = -1;
    }
    if (status == COMMAND_OK && !wish->help && optind < argc)
        status = command_misuse(argv[0], "what is \"%s\"?", argv[optind]);
    free(cause);
    return status;
}

int command_wait(int argc, char **argv)
{
    struct watch_wish wish = watch_wish_new(argv[0]);
    int status;

    curl_global_init(CURL_GLOBAL_DEFAULT);
    status = read_options(&wish, argc, argv);
    if (status == COMMAND_OK && wish.help)
        fputs(help_text, stdout);
    else if (status == COMMAND_OK)
        status = watch(&wish);
    server_clear(&wish.server);
    curl_global_cleanup();
    return status;
}
