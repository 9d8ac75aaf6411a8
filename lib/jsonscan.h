/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What json-c forgets about a document: on which line a value stood, and members given
 * twice. Works on the text of a document that json_read() took. Any thread.
 */
#ifndef TL_JSONSCAN_H
#define TL_JSONSCAN_H

#include "mistakes.h"

/* The line (from 1) where the value at `where` begins; of its nearest ancestor if it is
 * not there; 0 without a text. */
int jsonscan_line(const char *text, const struct where *where);

/* Note an error for every member that its object has twice. */
void jsonscan_duplicates(const char *text, struct mistakes *mistakes);

#endif
