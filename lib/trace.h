/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the transcript of an attempt has what its machine shows: the lines of states,
 * actions and reports, and how long each state lasted. What came after the transcript was
 * full is not known. Same thread as the attempt.
 */
#ifndef TL_TRACE_H
#define TL_TRACE_H

#include "attempt.h"

struct trace {
    size_t *states;    /* by state: the line of its latest entry, from 1 on; 0: none */
    int64_t *spent_ms; /* by state: how long it lasted in all, but for the last entry
                          while that goes on */
    size_t *actions;   /* by state's place in `first`, then action: its latest line */
    size_t *first;     /* by state: the place of its first action */
    size_t *edges;     /* by edge: the line of the latest report that took it */
};

/* Read the transcript, whose first line is number `offset` + 1. Borrows the attempt for
 * the call. */
struct trace *trace_new(const struct attempt *attempt, size_t offset);
void trace_free(struct trace *trace);

#endif
