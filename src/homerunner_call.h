/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One create or destroy on its way to homerunner: a job that has copies of all it needs,
 * so that it may outlive who asked. Made, aimed and freed on the loop thread; run() is
 * for a worker. For src/homerunner.c only.
 */
#ifndef TL_HOMERUNNER_CALL_H
#define TL_HOMERUNNER_CALL_H

#include "fetch.h"
#include "homerunner.h"
#include "worker.h"

#include <stddef.h>
#include <stdint.h>

/* What came of a call. */
enum call_outcome {
    CALL_NOT_ASKED,   /* run() was never called */
    CALL_WENT_WELL,   /* homerunner did what it was asked for */
    CALL_REFUSED,     /* it said in its own words that it won't */
    CALL_FAILED,      /* it may have, but can't be counted on */
    CALL_UNREACHABLE, /* nobody was there, so that nothing was done */
    CALL_STOPPED,     /* nobody waited for the answer, the pool was stopping */
};

/* A homerunner that is asked. */
struct call_target {
    char *url;   /* without trailing slash, owned */
    char *shown; /* the same for people, owned */
};

struct call {
    struct job job;                /* must be first */
    struct homerunner *homerunner; /* for done() only */
    struct fetch_request request; /* its body is owned here, its url filled in by run() */
    char *body;                   /* of the request, owned */
    struct call_target *targets;  /* who is asked: of a create one; owned */
    size_t target_count;          /* length of targets */
    char *deployment;             /* name, owned */
    int64_t retry_ms;             /* first pause of a destroy */
    int64_t patience_ms;       /* a destroy that is refused is tried again for so long */
    char **names;              /* the caller's names of the servers, owned */
    size_t count;              /* how many those are */
    enum call_outcome outcome; /* of a create */
    bool is_late;              /* of a create: homerunner may still be at it */
    struct json_object *servers; /* the result of a create, owned */
    char *cause;                 /* why there is none, owned */
};

/* The run() of both kinds. */
void call_run_create(struct job *job);
void call_run_destroy(struct job *job);

/* Make a call that is aimed at nobody yet. Borrows ops for the life of the process. */
struct call *call_new_create(struct homerunner *homerunner, struct workers *workers,
                             const struct homerunner_settings *settings,
                             const struct job_ops *ops, const char *deployment,
                             const struct homerunner_server *servers, size_t count);
struct call *call_new_destroy(struct homerunner *homerunner, struct workers *workers,
                              const struct homerunner_settings *settings,
                              const struct job_ops *ops, const char *deployment);
void call_free(struct call *call);

/* Ask this homerunner, too. Copies both. */
void call_aim(struct call *call, const char *url, const char *shown);

/* Another reason after the ones that are in *cause. Copies it; NULL: none. */
void call_add_cause(char **cause, const char *more);

/* It may be sent once more, to others: nobody is aimed at, nothing came of it. */
void call_reset(struct call *call);

#endif
