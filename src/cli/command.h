/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the commands of `trafficlight` have in common: how they are found, how they end,
 * and how they read the values of options. One thread.
 */
#ifndef TL_COMMAND_H
#define TL_COMMAND_H

#include <stddef.h>

/* How a command ends. */
enum command_exit {
    COMMAND_OK = 0,
    COMMAND_FAILED = 1,  /* it did its work, and the verdict is bad */
    COMMAND_MISUSE = 2,  /* it was called in a wrong way, or can't do its work */
    COMMAND_TIMEOUT = 3, /* it was told not to wait any longer */
};

/* Where a server is looked for that nobody named. */
#define COMMAND_URL "http://127.0.0.1:5000"

/* How long one that can't be reached is tried again, if nobody says how long: it may just
 * be restarted. */
#define COMMAND_PATIENCE_MS 30000

/* The commands. Each gives its exit status. argv[0] is what messages begin with:
 * "trafficlight check". */
int command_check(int argc, char **argv);
int command_graph(int argc, char **argv);
int command_run(int argc, char **argv);
int command_simulate(int argc, char **argv);
int command_wait(int argc, char **argv);

/* Say on stderr what is wrong with the way in which the command was called, and where to
 * read more. Gives COMMAND_MISUSE. A NULL format says only where to read more. */
int command_misuse(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same of the value of an option: `index` is that of its row in `options`, as
 * getopt_long() gave it, or -1 where it gave the short `letter`. */
struct option;
int command_misuse_of(const char *command, const struct option *options, int index,
                      int letter, const char *cause);

/* Say on stderr what went wrong. */
void command_complain(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Read a whole number from `min` to `max`, or a number with decimals. Give 0, or -1 with
 * *cause, to be read after the name of the option ("must be a number from 1 to 9"). */
int command_read_count(const char *text, size_t min, size_t max, size_t *count,
                       char **cause);
int command_read_number(const char *text, double min, double max, double *number,
                        char **cause);

/* From now on SIGINT and SIGTERM end nothing: the descriptor can be read then. -1 if that
 * can't be had. And which of them it was (0: none), after which both are what they
 * were. */
int command_catch_signals(void);
int command_caught_signal(int stop_fd);

#endif
