/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mistakes that people made in their files, collected so that all are told at once: each
 * a sentence with file, line and JSON path. Any thread, one at a time.
 */
#ifndef TL_MISTAKES_H
#define TL_MISTAKES_H

#include <stdbool.h>
#include <stddef.h>

/* A place in a JSON document: a chain of frames, each on the stack of who looks at that
 * member. */
struct where {
    const struct where *up; /* the value around this one; NULL at the root */
    const char *member;     /* the member's name in it, or NULL */
    size_t index;           /* or its index, when it is an array */
};

/* The root of another file than the one that is looked at (an included one): a chain that
 * begins with `where` is about that file. Its text is as for mistakes_set_file(). */
struct where_file {
    struct where where; /* up NULL, member WHERE_FILE */
    const char *file;   /* borrowed */
    const char *text;   /* borrowed; NULL if there is none */
};

extern const char WHERE_FILE[];

/* A copy of the chain that lives on its own, and its end. The root is NULL. What a
 * where_file borrows stays borrowed. */
struct where *where_copy(const struct where *where);
void where_free(struct where *where);

struct mistakes;

struct mistakes *mistakes_new(void);
void mistakes_free(struct mistakes *mistakes);

/* What follows is about this file. Copies the name; borrows the text (comments blanked)
 * until the next file, to find lines in it; NULL if there is none. */
void mistakes_set_file(struct mistakes *mistakes, const char *file, const char *text);

/* Note an error or a warning at a place (NULL: the whole file). The same sentence about
 * the same place is kept once. */
void mistake_error(struct mistakes *mistakes, const struct where *where,
                   const char *format, ...) __attribute__((format(printf, 3, 4)));
void mistake_warning(struct mistakes *mistakes, const struct where *where,
                     const char *format, ...) __attribute__((format(printf, 3, 4)));

/* How often an error was noted, also one that was kept already: whether something is
 * wrong is seen by this number, before and after. */
size_t mistakes_noted(const struct mistakes *mistakes);

/* How many there are in all. */
size_t mistakes_errors(const struct mistakes *mistakes);
size_t mistakes_count(const struct mistakes *mistakes);

/* The sentence at `index`, borrowed ("FILE:LINE: PATH: what"), and whether it is an
 * error. */
const char *mistakes_text(const struct mistakes *mistakes, size_t index, bool *is_error);

#endif
