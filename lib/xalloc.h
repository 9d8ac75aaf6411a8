/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is always there: every function here aborts the process, with a line on
 * stderr, where malloc() would return NULL. What they return is freed with free(). Any
 * thread.
 */
#ifndef TL_XALLOC_H
#define TL_XALLOC_H

#include <stdarg.h>
#include <stddef.h>

/* Like malloc(), calloc(), reallocarray(), strdup() and strndup(). */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xreallocarray(void *old, size_t count, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t size);

/* Give the formatted text, owned by the caller. */
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *format, va_list arguments)
    __attribute__((format(printf, 1, 0)));

/* Set *cause to the formatted text; a NULL cause is allowed and formats nothing. A cause
 * that is already there is kept: the first reason is the one that a person needs. */
void cause_set(char **cause, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Abort where a library could not allocate; returns what it was given otherwise. */
void *xcheck(void *pointer);

#endif
