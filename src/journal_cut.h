/* SPDX-License-Identifier: Apache-2.0 */
/* What makes the journal shorter, for src/journal.c. Loop thread only. */
#ifndef TL_JOURNAL_CUT_H
#define TL_JOURNAL_CUT_H

#include "journal_file.h"

struct cutter;
struct lane;

/* Make one for this file, which belongs to this lane. Borrows both, copies the path. */
struct cutter *cutter_new(struct lane *lane, struct journal_file *file, const char *path);

/* See journal_cut(). */
void cutter_cut(struct cutter *cutter, int64_t before, const char *run, const char *text);

/* Whether a job of it is under way. */
bool cutter_is_busy(const struct cutter *cutter);

/* After workers_free(). NULL is fine. */
void cutter_free(struct cutter *cutter);

#endif
