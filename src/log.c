/* SPDX-License-Identifier: Apache-2.0 */
/* The log. A line is built in memory first and leaves in one write(): no lock, no torn
 * lines. */
#include "log.h"

#include "xalloc.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_uint current_level = LOG_LEVEL_INFO; /* an enum log_level */

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&current_level, level, memory_order_relaxed);
}

static void replace_control_characters(char *text)
{
    for (unsigned char *p = (unsigned char *)text; *p != '\0'; p++) {
        if (*p < 0x20 || *p == 0x7f)
            *p = ' ';
    }
}

__attribute__((format(printf, 2, 0))) static void write_line(enum log_level level,
                                                             const char *format,
                                                             va_list arguments)
{
    /* syslog priorities (sd-daemon(3)): err, warning, info, debug */
    static const char *const priorities[] = {"<3>", "<4>", "<6>", "<7>"};
    static const char *const names[] = {"error: ", "warning: ", "", "debug: "};

    if (level > atomic_load_explicit(&current_level, memory_order_relaxed))
        return;
    char *text = xvasprintf(format, arguments);
    replace_control_characters(text);
    const char *prefix = isatty(STDERR_FILENO) ? "" : priorities[level];
    char *line = xasprintf("%s%s%s\n", prefix, names[level], text);
    ssize_t ignored = write(STDERR_FILENO, line, strlen(line));
    (void)ignored; /* there is nowhere left to complain */
    free(line);
    free(text);
}

#define DEFINE_LOG(function, level)                                                      \
    void function(const char *format, ...)                                               \
    {                                                                                    \
        va_list arguments;                                                               \
        va_start(arguments, format);                                                     \
        write_line(level, format, arguments);                                            \
        va_end(arguments);                                                               \
    }

DEFINE_LOG(log_error, LOG_LEVEL_ERROR)
DEFINE_LOG(log_warning, LOG_LEVEL_WARNING)
DEFINE_LOG(log_info, LOG_LEVEL_INFO)
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG)
