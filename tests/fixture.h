/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the engine share: definitions from text, a small dictionary, time
 * that is handed out, and a world around an engine that notes what it is asked for.
 */
#ifndef TL_FIXTURE_H
#define TL_FIXTURE_H

#include "compile.h"
#include "engine.h"
#include "input.h"
#include "jsonscan.h"
#include "model.h"
#include "run.h"

#include <stdio.h>

#define FIXTURE_RUN "7d0f1c3e-5b8a-4f0e-9c2d-2f6d1a3b4c5d"

/* A moment: so many milliseconds after the test began. */
struct instant fixture_at(int64_t ms);

/* JSON with ' for ", so that it can be read in C. Comments are allowed. Owned. */
struct json_object *fixture_json(const char *text);

/* The same text with " for ', comments blanked. Owned. */
char *fixture_text(const char *text);

/* A dictionary:
 * register {username} by template, answers registered; login {username} by template,
 * [passphrase], answers logged_in or loggedin; look, answers seen; say {message}, answers
 * said; paint {colour: red or blue}; count {number}. login and register differ for the
 * type "phone": {localpart}. Known types: web, phone. Owned. */
struct dictionary *fixture_dictionary(void);

/* All mistakes of a definition and its cases (text as in fixture_json()). Settings may be
 * NULL. Owned. */
struct mistakes *fixture_mistakes(const char *text, const struct settings *settings);

/* Whether one of the mistakes is of this kind and has this in it. */
bool fixture_has(struct mistakes *mistakes, bool is_error, const char *fragment);

/* Print all mistakes, for the log of a test that fails. */
void fixture_print(struct mistakes *mistakes);

/* A definition and a machine without mistakes; the test fails if there is one. Owned. */
struct definition *fixture_definition(const char *text, const struct settings *settings);
struct machine *fixture_machine(const char *text);

/* A deployment that the engine asked for. */
struct world_deployment {
    char id[ID_SIZE + 8]; /* as the engine named it */
    char servers[200];    /* "name=image name=image" */
    int created;          /* how often create was asked for */
    int destroyed;        /* how often destroy was */
    bool answered;        /* world_created() or world_not_created() was called */
    bool over;            /* world_destroyed() was called */
};

/* A definition that was added, and how often each of its cases is to be there. */
struct world_test {
    char *text;    /* as in fixture_json(); owned */
    size_t repeat; /* from 1 */
};

/* An engine and what is around it. All inputs are noted; world_clear() gives them to
 * another engine, which must then be the same. */
struct world {
    struct settings settings;      /* change them before world_begin() */
    unsigned retries;              /* of a run; change them before world_begin() */
    struct dictionary *dictionary; /* see fixture_dictionary(); owned */
    struct world_test *tests;      /* of the next run; owned */
    size_t test_count;             /* length of tests */
    struct json_object *inputs;    /* [{ms, input, result} …]; owned */
    struct engine *engine;         /* owned */
    int64_t ms;                    /* what time it is, for fixture_at() */
    char *notes;                   /* what was asked of it since world_notes(); owned */
    struct world_deployment
        *deployments;        /* in the order in which they were asked; owned */
    size_t deployment_count; /* length of deployments */
    int lines;               /* of the log so far */
    const char *where; /* world_created() and world_not_created() say so; borrowed */
};

/* Server types: "made" (images one and two), "fixed" (hs1 and hs2). Client types:
 * "web-new" (type web, version 2*), "web-red" (type web, colour red). */
void world_init(struct world *world);
void world_clear(struct world *world);

/* Add a definition; the test fails if it has a mistake. Then let cases start: as the run
 * FIXTURE_RUN, or as another one. */
void world_add(struct world *world, const char *text, size_t repeat);
void world_begin(struct world *world);
void world_begin_run(struct world *world, const char *id);

/* The same in two steps: a run is queued; the next one begins, if one can. */
void world_add_run(struct world *world, const char *id);
void world_begin_next(struct world *world);

/* Give the engine an input, which is noted. Takes it; *cause may be NULL. */
enum engine_result world_apply(struct world *world, struct json_object *input,
                               char **cause);

/* Another engine with the same inputs; the test fails if anything is to be seen there
 * that is not to be seen here. And one without those before the oldest run began that the
 * engine still has, but for what these runs are made of. */
void world_check_replay(struct world *world);
void world_check_cut(struct world *world);

/* And engines that are restored from a snapshot of another one, for many moments of the
 * story: the test fails if one of them shows, answers or asks for something else. */
void world_check_snapshots(struct world *world);

/* What was asked since the last time, in order, "wake a\nwake b\n". Owned by the world.
 */
const char *world_notes(struct world *world);

/* Inputs, at the world's time. The registration is JSON as in fixture_json(), or a word:
 * the type. A report is about what a poll would have given; a NULL response: none. */
enum engine_result world_register(struct world *world, const char *id,
                                  const char *registration);
void world_report(struct world *world, const char *id, const char *response);
void world_lost(struct world *world, const char *id);
void world_error(struct world *world, const char *id, bool is_action);
void world_created(struct world *world, size_t deployment);
void world_not_created(struct world *world, size_t deployment, const char *cause);
void world_destroyed(struct world *world, size_t deployment);
void world_stop(struct world *world);

/* Let time pass, stopping wherever the engine wants to hear of it. */
void world_pass(struct world *world, int64_t ms);

/* What a poll says: the action, "idle" or "exit". Valid until the next call. */
const char *world_poll(struct world *world, const char *id);

/* The case at this position in the order of the files. */
struct testcase *world_case(struct world *world, size_t index);

/* The state of a case in a word, and its clients: "running a b". Valid until the next
 * call. */
const char *world_told(struct world *world, size_t index);

/* The whole status as text. Owned. */
char *world_status(struct world *world);

/* Random numbers that are the same each time: 0 … below - 1. */
unsigned fixture_random(uint64_t *seed, unsigned below);

/* The body of main(): run the suite, give the exit status. Frees the suite. */
struct Suite;
int fixture_run(struct Suite *suite);

#endif
