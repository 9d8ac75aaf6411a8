/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Somebody else's words inside a sentence of ours: what a server or a program said is
 * made short, one line, and valid UTF-8 before it goes into a cause. Any thread.
 */
#ifndef TL_EXCERPT_H
#define TL_EXCERPT_H

#include <stddef.h>

/* Give the beginning of `text`, at most `limit` bytes and then "…" if there was more.
 * Control characters and white space become single spaces, bytes that are no UTF-8 become
 * question marks. Returns owned. */
char *excerpt(const void *text, size_t size, size_t limit);

#endif
