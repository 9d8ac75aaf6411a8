/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What makes the journal shorter. A cut is noted at once, in one commit; the rows are
 * deleted bit by bit, each bit a job, so that no batch of inputs waits for many of them.
 */
#include "journal_cut.h"

#include "log.h"
#include "worker.h"
#include "xalloc.h"

#include <stdlib.h>

struct cutter {
    struct lane *lane;         /* the journal's, borrowed */
    struct journal_file *file; /* the lane's, borrowed */
    char *path;                /* of the file, for people, owned */
    int64_t before;            /* numbers before this one are to be forgotten */
    char *text;   /* what this one says from then on; NULL: as it does; owned */
    char **runs;  /* and what brought these runs; owned */
    size_t count; /* how many those are */
    bool wanted;  /* nobody tried that yet */
    bool busy;    /* a cut is under way */
};

/* A step of a cut; the first one notes it, the others delete. */
struct cut {
    struct job job;            /* must be first */
    struct cutter *cutter;     /* for done() only */
    struct journal_file *file; /* the lane's, borrowed */
    int64_t before;            /* see struct cutter */
    char *text;                /* see struct cutter, owned */
    char **runs;               /* see struct cutter, owned */
    size_t count;              /* how many those are */
    bool noted;                /* the rest is deleting */
    bool more;                 /* result: there is more to delete */
    char *words;               /* why it was not noted, or NULL; owned */
};

static void free_runs(char **runs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(runs[i]);
    free(runs);
}

static void run_cut(struct job *job)
{
    struct cut *cut = (struct cut *)job;

    if (!cut->noted && journal_file_forget(cut->file, cut->before, cut->text, cut->runs,
                                           cut->count, &cut->words) != 0)
        return;
    cut->noted = true;
    cut->more = journal_file_sweep(cut->file);
}

static void want_run(struct cutter *cutter, const char *run)
{
    cutter->runs = xreallocarray(cutter->runs, cutter->count + 1, sizeof *cutter->runs);
    cutter->runs[cutter->count++] = xstrdup(run);
}

static void cut_free(struct cut *cut)
{
    free_runs(cut->runs, cut->count);
    free(cut->text);
    free(cut->words);
    free(cut);
}

static void start_cut(struct cutter *cutter);

static void cut_done(struct job *job)
{
    struct cut *cut = (struct cut *)job;
    struct cutter *cutter = cut->cutter;

    if (!job->cancelled && cut->words == NULL && cut->more) {
        if (job_submit(cutter->lane, job) != 0)
            job_submit_cancelled(cutter->lane, job);
        return; /* it goes on behind the batch that waits */
    }
    for (size_t i = 0; i < cut->count && !cut->noted; i++)
        want_run(cutter, cut->runs[i]);
    if (!cut->noted && cut->before == cutter->before && cutter->text == NULL) {
        cutter->text = cut->text;
        cut->text = NULL;
    }
    if (cut->words != NULL)
        log_warning(
            "the journal %s can't be made shorter, which is tried again after the "
            "next run: %s",
            cutter->path, cut->words);
    cut_free(cut);
    cutter->busy = false;
    if (cutter->wanted)
        start_cut(cutter);
}

static const struct job_ops cut_ops = {"journal cut", run_cut, cut_done};

static void start_cut(struct cutter *cutter)
{
    struct cut *cut = xcalloc(1, sizeof *cut);

    cut->job.ops = &cut_ops;
    cut->cutter = cutter;
    cut->file = cutter->file;
    cut->before = cutter->before;
    cut->text = cutter->text;
    cut->runs = cutter->runs;
    cut->count = cutter->count;
    cutter->text = NULL;
    cutter->runs = NULL;
    cutter->count = 0;
    cutter->wanted = false;
    cutter->busy = true;
    if (job_submit(cutter->lane, &cut->job) != 0)
        job_submit_cancelled(cutter->lane, &cut->job);
}

struct cutter *cutter_new(struct lane *lane, struct journal_file *file, const char *path)
{
    struct cutter *cutter = xcalloc(1, sizeof *cutter);

    cutter->lane = lane;
    cutter->file = file;
    cutter->path = xstrdup(path);
    return cutter;
}

void cutter_cut(struct cutter *cutter, int64_t before, const char *run, const char *text)
{
    if (before > cutter->before) {
        cutter->before = before;
        free(cutter->text);
        cutter->text = text != NULL ? xstrdup(text) : NULL;
    }
    if (run != NULL)
        want_run(cutter, run);
    cutter->wanted = true;
    if (!cutter->busy)
        start_cut(cutter);
}

bool cutter_is_busy(const struct cutter *cutter)
{
    return cutter != NULL && cutter->busy;
}

void cutter_free(struct cutter *cutter)
{
    if (cutter == NULL)
        return;
    free_runs(cutter->runs, cutter->count);
    free(cutter->text);
    free(cutter->path);
    free(cutter);
}
