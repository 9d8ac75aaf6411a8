/* SPDX-License-Identifier: Apache-2.0 */
/*
 * application/x-www-form-urlencoded: names and values as browsers and Python send them,
 * in queries and in bodies
 * (https://url.spec.whatwg.org/#application/x-www-form-urlencoded). Any thread.
 */
#ifndef TL_FORM_H
#define TL_FORM_H

#include <stddef.h>

/* Decode one name or value of `length` bytes into `to`, which has room for length + 1:
 * '+' is a space, %XX a byte; an escape that is none stands for itself. Writes a NUL
 * after it and gives the decoded length. */
size_t form_decode(char *to, const char *from, size_t length);

/* Call each(name, name_size, value, value_size) for the decoded pairs of a form, in
 * order; a pair without a name is left out. Stops when it returns non-zero, and gives
 * that. */
int form_each(const char *form, size_t size,
              int (*each)(const char *name, size_t name_size, const char *value,
                          size_t value_size, void *argument),
              void *argument);

#endif
