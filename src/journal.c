/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal, the loop's side: a queue of inputs, and at most one batch of them on its
 * way to the disk. Each file (src/journal_file.h) belongs to a lane: to its thread while
 * a job is under way there, to the loop before the first one.
 *
 * Checkpoints have a lane and a connection of their own: no commit waits for them.
 * SQLite before 3.51.3 has a race there (sqlite.org/wal.html, "the WAL-reset bug"): a
 * checkpoint that begins when everything is in the file already may miss that a commit
 * begins the -wal anew, and frames are lost. So one is begun only when a commit that was
 * handed in after the end of the one before is safe: it left something to do. And those
 * that make the -wal empty go the way of the batches, where no commit can meet them.
 */
#include "journal_cut.h"
#include "journal_file.h"

#include "log.h"
#include "worker.h"
#include "xalloc.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#define MIB ((size_t)1024 * 1024)
#define CHECKPOINT_BYTES                                                                 \
    (4 * MIB)                    /* of the -wal: time for a checkpoint, and once more
                                       each time it has grown by as much */
#define WAL_LIMIT     (64 * MIB) /* it is made empty, though commits wait for that */
#define RETRY_SECONDS 1

struct journal {
    struct workers *workers;          /* borrowed */
    struct lane *lane;                /* of writes, the pool's */
    struct lane *checkpoint_lane;     /* of checkpoints, the pool's */
    struct journal_file *file;        /* for the lane, owned */
    struct cutter *cutter;            /* makes it shorter, in the lane of writes; owned */
    struct journal_file *checkpoints; /* for the checkpoint lane, owned */
    char *path;                       /* of the file, for people, owned */
    struct event *retry;              /* set while there is trouble */

    struct input_list queue;  /* inputs that wait, oldest first; owned */
    bool fresh;               /* some of them were never tried */
    bool writing;             /* a batch is under way */
    size_t pending;           /* inputs that wait or are under way */
    size_t pending_bytes;     /* of their texts */
    struct instant alive;     /* the latest moment that is to be written */
    bool alive_wanted;        /* there is one */
    char *trouble;            /* why the latest commit failed, or NULL; owned */
    char *checkpoint_trouble; /* why the latest checkpoint failed, or NULL; owned */

    bool checkpointing;      /* a checkpoint is under way, in either lane */
    size_t checkpointed;     /* how many have ended */
    size_t checkpointed_wal; /* bytes of the -wal when the latest one was begun */
};

/* Inputs on their way to the disk, in one commit. */
struct batch {
    struct job job;            /* must be first */
    struct journal *journal;   /* for done() only */
    struct journal_file *file; /* the lane's, borrowed */
    struct input_list inputs;  /* owned */
    struct instant alive;      /* to be written too */
    bool has_alive;            /* if this is set */
    size_t checkpointed;       /* how many checkpoints had ended before */
    int64_t first;             /* result: number of the first input */
    size_t wal;                /* result: bytes of the -wal */
    char *words;               /* why nothing was written, or NULL; owned */
};

struct checkpoint {
    struct job job;            /* must be first */
    struct journal *journal;   /* for done() only */
    struct journal_file *file; /* the lane's, borrowed */
    bool empty;                /* also make the -wal empty: in the lane of the batches */
    size_t wal;                /* result: bytes of the -wal */
    char *words;               /* why it failed, or NULL; owned */
};

static void submit(struct lane *lane, struct job *job)
{
    if (job_submit(lane, job) != 0)
        job_submit_cancelled(lane, job);
}

/* --- checkpoints --- */

static void run_checkpoint(struct job *job)
{
    struct checkpoint *checkpoint = (struct checkpoint *)job;

    journal_file_checkpoint(checkpoint->file, checkpoint->empty, &checkpoint->wal,
                            &checkpoint->words);
}

/* Takes the words. */
static void note_checkpoint(struct journal *journal, char *words)
{
    if (words != NULL && journal->checkpoint_trouble == NULL && journal->trouble == NULL)
        log_warning("the journal %s grows until what is in its -wal can be moved to its "
                    "file: %s",
                    journal->path, words);
    free(journal->checkpoint_trouble);
    journal->checkpoint_trouble = words;
}

static void start_checkpoint(struct journal *journal, bool empty);

static void checkpoint_done(struct job *job)
{
    struct checkpoint *checkpoint = (struct checkpoint *)job;
    struct journal *journal = checkpoint->journal;

    journal->checkpointing = false;
    journal->checkpointed++;
    if (!job->cancelled) {
        note_checkpoint(journal, checkpoint->words);
        if (!checkpoint->empty && checkpoint->wal > WAL_LIMIT)
            start_checkpoint(journal, true);
    }
    free(checkpoint);
}

static const struct job_ops checkpoint_ops = {"journal checkpoint", run_checkpoint,
                                              checkpoint_done};

static void start_checkpoint(struct journal *journal, bool empty)
{
    if (journal->checkpointing)
        return;
    struct checkpoint *checkpoint = xcalloc(1, sizeof *checkpoint);
    checkpoint->job.ops = &checkpoint_ops;
    checkpoint->journal = journal;
    checkpoint->file = empty ? journal->file : journal->checkpoints;
    checkpoint->empty = empty;
    journal->checkpointing = true;
    submit(empty ? journal->lane : journal->checkpoint_lane, &checkpoint->job);
}

/* A commit is safe. After a checkpoint of all that there was, it began the -wal anew. */
static void wal_has_grown(struct journal *journal, size_t wal)
{
    if (wal < journal->checkpointed_wal)
        journal->checkpointed_wal = 0;
    if (wal < journal->checkpointed_wal + CHECKPOINT_BYTES || journal->checkpointing)
        return;
    journal->checkpointed_wal = wal;
    start_checkpoint(journal, false);
}

/* --- batches --- */

static void input_free(struct input *input)
{
    free(input->text);
    free(input->run);
    free(input);
}

/* Tell everybody on the list how it fared. They may write more. */
static void settle(struct journal *journal, struct input_list *inputs, int64_t number,
                   const char *cause)
{
    struct input *input;

    while ((input = TAILQ_FIRST(inputs)) != NULL) {
        TAILQ_REMOVE(inputs, input, link);
        journal->pending--;
        journal->pending_bytes -= input->size;
        input->done(input->argument, cause == NULL ? number++ : 0, cause);
        input_free(input);
    }
}

static void run_batch(struct job *job)
{
    struct batch *batch = (struct batch *)job;

    journal_file_write(batch->file, &batch->inputs,
                       batch->has_alive ? &batch->alive : NULL, &batch->first,
                       &batch->words);
    batch->wal = journal_file_wal(batch->file);
}

static void batch_done(struct job *job);
static const struct job_ops batch_ops = {"journal", run_batch, batch_done};

/* Write all that waits. */
static void write_batch(struct journal *journal)
{
    struct batch *batch = xcalloc(1, sizeof *batch);

    assert(!journal->writing);
    batch->job.ops = &batch_ops;
    batch->journal = journal;
    batch->file = journal->file;
    TAILQ_INIT(&batch->inputs);
    TAILQ_CONCAT(&batch->inputs, &journal->queue, link);
    batch->alive = journal->alive;
    batch->has_alive = journal->alive_wanted;
    batch->checkpointed = journal->checkpointed;
    journal->alive_wanted = false;
    journal->fresh = false;
    journal->writing = true;
    if (journal->trouble != NULL)
        event_del(journal->retry);
    submit(journal->lane, &batch->job);
}

static void want_alive(struct journal *journal, const struct instant *at)
{
    if (!journal->alive_wanted || at->mono_ms > journal->alive.mono_ms)
        journal->alive = *at;
    journal->alive_wanted = true;
}

/* So that there is something to try the disk with when no input waits: each of them was
 * a sign of life. */
static void keep_moment(struct journal *journal, const struct batch *batch)
{
    const struct input *latest = TAILQ_LAST(&batch->inputs, input_list);

    if (batch->has_alive)
        want_alive(journal, &batch->alive);
    if (latest != NULL)
        want_alive(journal, &latest->at);
}

/* Put what must be kept back to the head of the queue; the others stay in the batch. */
static void take_back(struct journal *journal, struct batch *batch)
{
    struct input_list kept = TAILQ_HEAD_INITIALIZER(kept);
    struct input_list refused = TAILQ_HEAD_INITIALIZER(refused);
    struct input *input;

    while ((input = TAILQ_FIRST(&batch->inputs)) != NULL) {
        TAILQ_REMOVE(&batch->inputs, input, link);
        if (input->keep)
            TAILQ_INSERT_TAIL(&kept, input, link);
        else
            TAILQ_INSERT_TAIL(&refused, input, link);
    }
    TAILQ_CONCAT(&kept, &journal->queue, link);
    TAILQ_CONCAT(&journal->queue, &kept, link);
    TAILQ_CONCAT(&batch->inputs, &refused, link);
}

static void note_trouble(struct journal *journal, const char *words)
{
    static const struct timeval pause = {.tv_sec = RETRY_SECONDS};
    bool first = journal->trouble == NULL;

    free(journal->trouble);
    journal->trouble =
        xasprintf("the journal %s can't be written: %s", journal->path, words);
    event_add(journal->retry, &pause);
    if (!first)
        return;
    log_error(
        "%s. Nothing new is taken until it can; that is tried again by itself. Make "
        "room on its disk, or see what is wrong with it",
        journal->trouble);
    /* What is in the -wal may fit into the file, and its space become free. */
    start_checkpoint(journal, true);
}

static void note_success(struct journal *journal)
{
    if (journal->trouble == NULL)
        return;
    log_info("the journal %s can be written again", journal->path);
    free(journal->trouble);
    journal->trouble = NULL;
}

static void batch_failed(struct journal *journal, struct batch *batch)
{
    keep_moment(journal, batch);
    take_back(journal, batch);
    note_trouble(journal, batch->words);
}

/* What comes of a batch for the journal; its inputs that remain are to be settled. Gives
 * why they are refused, or NULL. */
static const char *batch_result(struct journal *journal, struct batch *batch)
{
    if (batch->job.cancelled && workers_are_stopping(journal->workers))
        return "the server is stopping";
    if (batch->job.cancelled)
        batch->words = xstrdup("there is no thread for it");
    if (batch->words == NULL) {
        note_success(journal);
        if (batch->checkpointed == journal->checkpointed)
            wal_has_grown(journal, batch->wal);
        return NULL;
    }
    batch_failed(journal, batch);
    return journal->trouble;
}

static void batch_done(struct job *job)
{
    struct batch *batch = (struct batch *)job;
    struct journal *journal = batch->journal;

    journal->writing = false;
    const char *cause = batch_result(journal, batch);
    /* The next one first: it can run while these are told. */
    if (journal->fresh || (journal->alive_wanted && cause == NULL))
        write_batch(journal);
    settle(journal, &batch->inputs, batch->first, cause);
    free(batch->words);
    free(batch);
}

static void retry_cb(evutil_socket_t fd, short what, void *context)
{
    struct journal *journal = context;

    (void)fd;
    (void)what;
    start_checkpoint(journal, true);
    if (!journal->writing)
        write_batch(journal);
}

void journal_write(struct journal *journal, char *text, const struct instant *at,
                   const char *run, bool keep, journal_done *done, void *argument)
{
    struct input *input = xcalloc(1, sizeof *input);

    input->text = text;
    input->size = strlen(text);
    input->at = *at;
    input->run = run != NULL ? xstrdup(run) : NULL;
    input->keep = keep;
    input->done = done;
    input->argument = argument;
    TAILQ_INSERT_TAIL(&journal->queue, input, link);
    journal->pending++;
    journal->pending_bytes += input->size;
    journal->fresh = true;
    if (!journal->writing)
        write_batch(journal);
}

void journal_alive(struct journal *journal, const struct instant *at)
{
    want_alive(journal, at);
    if (!journal->writing && journal->trouble == NULL)
        write_batch(journal);
}

size_t journal_pending(const struct journal *journal, size_t *bytes)
{
    if (bytes != NULL)
        *bytes = journal->pending_bytes;
    return journal->pending;
}

const char *journal_trouble(const struct journal *journal)
{
    return journal->trouble;
}

void journal_cut(struct journal *journal, int64_t before, const char *run,
                 const char *text)
{
    cutter_cut(journal->cutter, before, run, text);
}

/* --- the journal --- */

static const char *synchronous(enum durability durability)
{
    switch (durability) {
    case DURABILITY_POWER:
        return "FULL";
    case DURABILITY_NONE:
        return "OFF";
    case DURABILITY_PROCESS:
        break;
    }
    return "NORMAL"; /* a checkpoint waits for the disk, a commit does not */
}

struct journal *journal_open(struct workers *workers, const char *folder,
                             enum durability durability, char **cause)
{
    struct journal *journal = xcalloc(1, sizeof *journal);
    const char *mode = synchronous(durability);

    journal->path = xasprintf("%s/journal.sqlite", folder);
    TAILQ_INIT(&journal->queue);
    journal->file = journal_file_open(journal->path, mode, cause);
    if (journal->file != NULL)
        journal->checkpoints = journal_file_open(journal->path, mode, cause);
    if (journal->checkpoints == NULL) {
        journal_free(journal);
        return NULL;
    }
    journal->workers = workers;
    journal->lane = workers_add_lane(workers, "journal", 1, 0);
    journal->cutter = cutter_new(journal->lane, journal->file, journal->path);
    journal->checkpoint_lane = workers_add_lane(workers, "checkpoint", 1, 0);
    journal->retry = xcheck(evtimer_new(workers_base(workers), retry_cb, journal));
    return journal;
}

int journal_replay(struct journal *journal,
                   bool (*each)(void *context, int64_t number, const char *text,
                                const struct instant *at),
                   void *context, struct instant *last, char **cause)
{
    assert(!journal->writing && !cutter_is_busy(journal->cutter));
    return journal_file_replay(journal->file, each, context, last, cause);
}

int journal_replace(struct journal *journal, bool (*next)(void *context, char **text),
                    void *context, const struct instant *at, int64_t *first, char **words)
{
    size_t wal;

    assert(!journal->writing && !cutter_is_busy(journal->cutter));
    if (journal_file_replace(journal->file, next, context, at, first, words) != 0)
        return -1;
    /* All of it is in the -wal, and would stay there for long. */
    if (journal_file_checkpoint(journal->file, true, &wal, words) != 0)
        note_checkpoint(journal, *words);
    *words = NULL;
    cutter_cut(journal->cutter, *first, NULL, NULL);
    return 0;
}

/* A job that was abandoned may still be at work with its file: that one stays open. */
void journal_free(struct journal *journal)
{
    if (journal == NULL)
        return;
    settle(journal, &journal->queue, 0, "the server is stopping");
    if (journal->retry != NULL)
        event_free(journal->retry);
    if (!journal->checkpointing)
        journal_file_close(journal->checkpoints);
    if (!journal->checkpointing && !journal->writing && !cutter_is_busy(journal->cutter))
        journal_file_close(journal->file);
    cutter_free(journal->cutter);
    free(journal->trouble);
    free(journal->checkpoint_trouble);
    free(journal->path);
    free(journal);
}
