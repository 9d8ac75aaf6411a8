/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a case is expected to take: as long as the latest ones of its test and name
 * took, by the history. Loop thread only.
 */
#ifndef TL_EXPECTED_H
#define TL_EXPECTED_H

struct expected;
struct history;

/* Make it, and have it read the history, which it borrows. */
struct expected *expected_new(struct history *history);
/* After workers_free(). NULL is fine. */
void expected_free(struct expected *expected);

/* The history has more runs, or fewer: read it again. */
void expected_refresh(struct expected *expected);

/* Seconds for a case of this kind, "chat.VerifyClient/red=web" without a number; negative
 * where the history has none of it, or was not read yet. */
double expected_seconds(const struct expected *expected, const char *kind);

#endif
