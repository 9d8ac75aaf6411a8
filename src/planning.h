/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the configuration and what somebody asks for to a run that can begin. The first
 * half is for the thread that owns the configuration; the second reads the disk and
 * compiles, so it is for workers, and for the start.
 */
#ifndef TL_PLANNING_H
#define TL_PLANNING_H

#include "mistakes.h"

#include <json-c/json.h>
#include <stddef.h>

struct config;
struct run;

/* What is asked for; whatever is missing is as the configuration has it. */
struct planning_wish {
    const char *label;        /* for people, or NULL; borrowed */
    struct json_object *only; /* array of globs, or NULL; borrowed */
    size_t repeat;            /* how often each case is to run; 0: not said */
};

/* A plan as of lib/run.h, but for its sources, under a new random id. It shares nothing
 * with what it was made of. Owned by the caller. */
struct json_object *planning_begin(const struct config *config,
                                   const struct planning_wish *wish);

/* Read the sources into the plan, and make the run. Notes every mistake; what is good is
 * in the run. *files gets the number of definitions found. Blocks. Owned by the
 * caller. */
struct run *planning_finish(struct json_object *plan, size_t *files,
                            struct mistakes *mistakes);

#endif
