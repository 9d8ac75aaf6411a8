/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another program as a function: text in, text out, within bounds. Blocks, so it belongs
 * into a job's run().
 */
#ifndef TL_CHILD_H
#define TL_CHILD_H

#include <stddef.h>

struct workers;

struct child_limits {
    size_t output;           /* bytes on stdout; one more is an error */
    int timeout_ms;          /* then the program and what it started are killed */
    struct workers *workers; /* killed too when this pool is stopping; NULL: not */
};

/* Run argv[0] (looked up in PATH unless it has a slash) with `input` on its stdin, in a
 * process group of its own. It inherits the environment and no descriptor but these
 * three, no blocked and no ignored signal. Gives 0 if it ended with status 0: *output is
 * owned by the caller, *output_size bytes and a NUL after them. Gives -1 with *cause if
 * it can't be started, ends in any other way (the cause quotes its stderr), writes too
 * much or takes too long; *output is then NULL. No process is left behind in its group.
 * Any thread. */
int child_run(const char *const argv[], const void *input, size_t input_size,
              const struct child_limits *limits, char **output, size_t *output_size,
              char **cause) __attribute__((warn_unused_result));

#endif
