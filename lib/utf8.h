/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 (RFC 3629), as strict as its table: no overlong forms, no surrogates. Any thread.
 */
#ifndef TL_UTF8_H
#define TL_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Read the character at text (size bytes are there): gives its length in bytes and
 * *character, or 0 when what stands there is no character. */
size_t utf8_read(const char *text, size_t size, uint32_t *character);

/* The offset of the first byte that is not part of a character; size if all are. */
size_t utf8_valid_length(const char *text, size_t size);

/* The text with every byte that is not part of a character replaced by U+FFFD. Owned by
 * the caller. */
char *utf8_clean(const char *text);

/* How many characters the text has. */
size_t utf8_count(const char *text);

/* A copy of the text cut to at most `limit` bytes, at a character, with "…" if it was
 * longer. Owned by the caller. */
char *utf8_shorten(const char *text, size_t limit);

#endif
