/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `trafficlight` command: finds the command that was asked for and hands over to it.
 */
#include "command.h"
#include "xalloc.h"

#include <autoconf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct command {
    const char *name;                  /* what people type */
    int (*run)(int argc, char **argv); /* gives the exit status */
    const char *help;                  /* one line */
};

static const struct command commands[] = {
    {"check", command_check, "tell every mistake in definitions of tests"},
    {"graph", command_graph, "draw the state machine of a definition"},
    {"run", command_run, "ask a server for a run, and follow it until it has ended"},
    {"simulate", command_simulate, "be simulated clients of a server"},
    {"wait", command_wait, "follow a server until all its cases have ended"},
};

#define COMMAND_COUNT (sizeof commands / sizeof *commands)

static int help(void)
{
    printf("Usage: trafficlight COMMAND [OPTION]...\n"
           "       trafficlight COMMAND --help\n"
           "\n"
           "Commands:\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("  %-10s %s\n", commands[i].name, commands[i].help);
    printf("\n"
           "Options:\n"
           "  --help     show this\n"
           "  --version  show the version\n");
    return COMMAND_OK;
}

static int version(void)
{
    printf("trafficlight " PACKAGE_VERSION "\n");
    return COMMAND_OK;
}

static int run(const struct command *command, int argc, char **argv)
{
    char *name = xasprintf("trafficlight %s", command->name);

    argv[0] = name;
    int status = command->run(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        command_complain(name, "can't write to stdout");
        status = status == COMMAND_OK ? COMMAND_MISUSE : status;
    }
    free(name);
    return status;
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : NULL;

    if (word == NULL)
        return command_misuse("trafficlight", "which command?");
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 ||
        strcmp(word, "help") == 0)
        return help();
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
        return version();
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(word, commands[i].name) == 0)
            return run(&commands[i], argc - 1, argv + 1);
    }
    return command_misuse("trafficlight", "there is no %s \"%s\"",
                          word[0] == '-' ? "option" : "command", word);
}
