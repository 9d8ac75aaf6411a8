/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values as the configuration spells them: words and quotes, comments, numbers,
 * addresses. All of it is text in, value out; any thread.
 */
#ifndef TL_CONFIG_VALUE_H
#define TL_CONFIG_VALUE_H

#include <stddef.h>
#include <stdint.h>

/* Cut a comment off the end of a value, and the blanks before it: it begins with ; or #
 * after a blank, outside of double quotes. Gives 0, or -1 with *cause where a quotation
 * doesn't end well. */
int value_strip_comment(char *value, char **cause);

/* The value as one text, without its quotes if it is quoted. Returns owned, or NULL with
 * *cause. Only a quoted value can be empty. */
char *value_text(const char *value, char **cause);

/* The next word of *rest, without quotes, and *rest moved behind it. Returns owned; NULL
 * at the end, or with *cause where a quotation doesn't end well. */
char *value_word(const char **rest, char **cause);

/* Read a whole number, a size in bytes (K, M and G are understood) or a duration
 * into *number, if it lies in min .. max. Give 0, or -1 with *cause. */
int value_count(const char *text, int64_t min, int64_t max, int64_t *number,
                char **cause);
int value_size(const char *text, int64_t min, int64_t max, int64_t *number, char **cause);
int value_duration(const char *text, int64_t min, int64_t max, int64_t *ms, char **cause);

/* Give the word as it is kept, owned by the caller, or NULL with *cause: an address to
 * listen on, an http or https URL without its trailing slashes, a path, a factor. */
char *value_address(const char *word, char **cause);
char *value_url(const char *word, char **cause);
char *value_path(const char *word, char **cause);
char *value_factor(const char *word, char **cause);

#endif
