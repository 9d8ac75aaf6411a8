/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: one line per event on stderr, in the form that journald reads (a `<N>`
 * priority before the text when stderr is not a terminal). Any thread may log; a line is
 * written whole.
 */
#ifndef TL_LOG_H
#define TL_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Keep only lines of this level and more urgent ones, from now on. */
void log_set_level(enum log_level level);

/* Write a line. Control characters in it are replaced, so that nobody can forge a line.
 */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
