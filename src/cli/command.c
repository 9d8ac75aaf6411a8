/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands of `trafficlight` have in common. */
#include "command.h"

#include "xalloc.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void __attribute__((format(printf, 2, 0)))
complain(const char *command, const char *format, va_list arguments)
{
    fflush(stdout); /* what was said before comes first, also where both are one file */
    fprintf(stderr, "%s: ", command);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

int command_misuse(const char *command, const char *format, ...)
{
    va_list arguments;

    if (format != NULL) {
        va_start(arguments, format);
        complain(command, format, arguments);
        va_end(arguments);
    }
    fprintf(stderr, "Try '%s --help'.\n", command);
    return COMMAND_MISUSE;
}

int command_misuse_of(const char *command, const struct option *options, int index,
                      int letter, const char *cause)
{
    if (index >= 0)
        return command_misuse(command, "--%s %s", options[index].name, cause);
    return command_misuse(command, "-%c %s", letter, cause);
}

void command_complain(const char *command, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    complain(command, format, arguments);
    va_end(arguments);
}

int command_read_count(const char *text, size_t min, size_t max, size_t *count,
                       char **cause)
{
    char *end = NULL;

    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (strspn(text, "0123456789") != strlen(text) || end == text || errno != 0 ||
        value < min || value > max) {
        cause_set(cause, "must be a whole number from %zu to %zu, not \"%s\"", min, max,
                  text);
        return -1;
    }
    *count = (size_t)value;
    return 0;
}

int command_read_number(const char *text, double min, double max, double *number,
                        char **cause)
{
    char *end = NULL;
    double value = strtod(text, &end);

    if (strspn(text, "0123456789.") != strlen(text) || end == text || *end != '\0' ||
        !isfinite(value) || value < min || value > max) {
        cause_set(cause, "must be a number from %g to %g, not \"%s\"", min, max, text);
        return -1;
    }
    *number = value;
    return 0;
}

static sigset_t signals_of_end(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    return signals;
}

int command_catch_signals(void)
{
    sigset_t signals = signals_of_end();

    sigprocmask(SIG_BLOCK, &signals, NULL);
    return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

int command_caught_signal(int stop_fd)
{
    sigset_t signals = signals_of_end();
    struct signalfd_siginfo caught = {0};

    if (read(stop_fd, &caught, sizeof caught) != sizeof caught)
        return 0;
    sigprocmask(SIG_UNBLOCK, &signals, NULL);
    return (int)caught.ssi_signo;
}
