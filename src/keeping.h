/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of runs that have ended: they are written to the history, anew if
 * something is added to them later; and when another run is the one to look at, and their
 * clients had time to upload what they have, the engine forgets them, and the journal is
 * cut. Loop thread only.
 */
#ifndef TL_KEEPING_H
#define TL_KEEPING_H

#include <stdbool.h>
#include <stdint.h>

struct daemon;
struct keeping;

struct keeping *keeping_new(struct daemon *daemon);
/* After workers_free(). NULL is fine. */
void keeping_free(struct keeping *keeping);

/* This run began with the journal's input of this number; nothing if it did not. */
void keeping_note_beginning(struct keeping *keeping, const char *run, int64_t number);

/* Of all runs that have begun by now, the journal has what became of them in a snapshot
 * at this number, and no beginning. */
void keeping_note_snapshot(struct keeping *keeping, int64_t number);

/* After the journal was read back: it brings a run that the engine has forgotten since,
 * so the process died before the journal was cut. */
void keeping_note_forgotten(struct keeping *keeping, const char *run);

/* Look after ended runs (with --once none is forgotten: the exit status needs all): to be
 * called once a second, and soon after one has ended. */
void keeping_look(struct keeping *keeping);

/* Whether all that has ended is in the history, or can't be written. */
bool keeping_is_done(const struct keeping *keeping);

#endif
