/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal.sqlite as the journal uses it: what is written how, and what is read back.
 * Everything blocks. A file is used by one thread at a time; src/journal.c sees to that.
 */
#ifndef TL_JOURNAL_FILE_H
#define TL_JOURNAL_FILE_H

#include "journal.h"

#include <sys/queue.h>

struct journal_file;

/* An input on its way to the disk. */
struct input {
    char *text;              /* owned */
    size_t size;             /* bytes of text */
    struct instant at;       /* when it came */
    char *run;               /* the run that it brings, or NULL; owned */
    bool keep;               /* it must not be refused */
    journal_done *done;      /* to be called once */
    void *argument;          /* for it, borrowed */
    TAILQ_ENTRY(input) link; /* in the journal's queue, then in a batch */
};
TAILQ_HEAD(input_list, input);

/* Open the file, or make it. Nothing is checkpointed unless journal_file_checkpoint() is
 * called, and by the last close. NULL with *cause. */
struct journal_file *journal_file_open(const char *path, const char *synchronous,
                                       char **cause);
/* NULL is fine. */
void journal_file_close(struct journal_file *file);

/* See journal_replay(). After damage was seen, a close leaves the -wal as it is. */
int journal_file_replay(struct journal_file *file,
                        bool (*each)(void *context, int64_t number, const char *text,
                                     const struct instant *at),
                        void *context, struct instant *last, char **cause);

/* See journal_replace(). */
int journal_file_replace(struct journal_file *file,
                         bool (*next)(void *context, char **text), void *context,
                         const struct instant *at, int64_t *first, char **words);

/* Write all of these and the moment `alive` (NULL: none), or nothing. Gives 0 and the
 * number of the first, the others follow it; or -1 with *words, why not. */
int journal_file_write(struct journal_file *file, const struct input_list *inputs,
                       const struct instant *alive, int64_t *first, char **words);

/* Bytes of the -wal that is in use, as of the last write. */
size_t journal_file_wal(const struct journal_file *file);

/* From now on nothing before this number is replayed but what brings runs, and nothing
 * that brought one of these runs; the input of this number has this text (NULL: the one
 * that it has). Gives 0, or -1 with *words. */
int journal_file_forget(struct journal_file *file, int64_t before, const char *text,
                        char *const *runs, size_t count, char **words);

/* Delete some of what was forgotten. Gives whether there is more. */
bool journal_file_sweep(struct journal_file *file);

/* Bring what is in the -wal into the file, as far as that holds up nobody; with `empty`
 * wait a little for those who read the file, and make the -wal empty. *wal: bytes of it
 * that were in use. Gives 0, also when somebody was in the way; or -1 with *words. */
int journal_file_checkpoint(struct journal_file *file, bool empty, size_t *wal,
                            char **words);

#endif
