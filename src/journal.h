/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal: every input of the engine, in its order, safe on the disk before
 * anybody hears of it. Inputs that come while a commit is under way go together into
 * the next one. A start reads them back. Loop thread only, but for what its one worker
 * does; nothing here blocks the loop, except the functions that say so, which are for
 * the start.
 */
#ifndef TL_JOURNAL_H
#define TL_JOURNAL_H

#include "clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct journal;
struct workers;

enum durability {
    DURABILITY_PROCESS, /* survives the end of the process, whatever ends it */
    DURABILITY_POWER,   /* survives the loss of power: fsync before the answer */
    DURABILITY_NONE,    /* inputs are not written; see src/inputs.c */
};

/* Take the state folder for this process alone (a lock on <folder>/lock that ends with
 * the process), and make it with those above it if it is not there. Gives 0; or -1
 * with *cause, when it can't be made or written, or another process has it (its number
 * is in the sentence). Blocks. The lock is never given back. */
int journal_lock(const char *folder, char **cause);

/* Open <folder>/journal.sqlite, or make it. NULL with *cause, see database_open().
 * Adds its lanes to the workers. Blocks. */
struct journal *journal_open(struct workers *workers, const char *folder,
                             enum durability durability, char **cause);

/* After workers_free(). Inputs that still wait (for room on the disk) are refused through
 * their done(), which may not write more; of those whose job was abandoned nothing is
 * heard. Blocks: what is in the -wal is moved to the file. NULL is fine. */
void journal_free(struct journal *journal);

/* Hand all inputs, oldest first, to `each`; it stops where that gives false. Text is
 * borrowed for the call. Gives the latest moment that the journal knows of in *last
 * (zero if there was none yet): of the last input, also one that was cut or not handed
 * out, or of journal_alive(). Gives 0, or -1 with *cause (damaged; a sentence with
 * what to do): then the inputs before the damage were handed out, and the files stay
 * as they are. Before the first of the functions below. Blocks. */
int journal_replay(struct journal *journal,
                   bool (*each)(void *context, int64_t number, const char *text,
                                const struct instant *at),
                   void *context, struct instant *last, char **cause);

/* Have these texts take the place of all inputs that there are, but for those that bring
 * runs; each of them is an input that came at this moment. `next` gives one after the
 * other in *text (owned; NULL: that was all), or false: then nothing is changed. All at
 * once: also a process that is killed leaves either what was there or all of this. Gives
 * 0 and the number of the first, or -1 with *words. For the start, after the replay and
 * before all that follows. Blocks. */
int journal_replace(struct journal *journal, bool (*next)(void *context, char **text),
                    void *context, const struct instant *at, int64_t *first,
                    char **words);

/* How an input fared. Called from the loop, never inside of journal_write(); may call
 * that. cause NULL: it is safe, under this number (they grow); else it was refused,
 * and why (borrowed, a sentence), and the number is 0. Called in the order of
 * journal_write(), but for one thing: while an input that is to be kept waits for
 * room, those behind it that are not are refused before it is safe. */
typedef void journal_done(void *argument, int64_t number, const char *cause);

/* Write an input. Takes text. `run`: id of the run that this input brings, else NULL
 * (see journal_cut()). `keep`: it must not be refused: where the disk says no it is
 * tried again, once a second and with every later one, and stays before all of them;
 * others are refused then. Only the end of the server refuses it. Any number may wait:
 * see journal_pending(). */
void journal_write(struct journal *journal, char *text, const struct instant *at,
                   const char *run, bool keep, journal_done *done, void *argument);

/* The process is alive at this moment: so much of the time before a kill has passed.
 * Written with the next commit or alone; only the latest one counts. Where the disk
 * says no it is tried again without a word. */
void journal_alive(struct journal *journal, const struct instant *at);

/* Forget all inputs before this number, but for those that bring runs; and the one that
 * brought this run (NULL: none), which must be safe. The input of this number has this
 * text from then on, so that it can say what became of the others (NULL: it stays). All
 * at once: a replay finds all of them or none. Their space is used again. Failing it is
 * tried with the next cut. */
void journal_cut(struct journal *journal, int64_t before, const char *run,
                 const char *text);

/* Inputs that are not safe yet, and the bytes of their texts. `bytes` may be NULL. */
size_t journal_pending(const struct journal *journal, size_t *bytes);

/* Why the latest commit failed, a sentence, or NULL if it did not. While there is trouble
 * the disk is tried once a second, also when no input waits. Borrowed until the next
 * turn of the loop. */
const char *journal_trouble(const struct journal *journal);

#endif
