/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ids without chance: each is derived from another id and a name (UUID version 5, RFC
 * 9562), so the same run makes the same ids again. Only the run's own id comes from
 * outside. Any thread.
 */
#ifndef TL_IDS_H
#define TL_IDS_H

#define ID_SIZE 37 /* a UUID's text and its NUL */

/* Write the id of `name` within `parent` (itself an id). */
void id_derive(char id[ID_SIZE], const char *parent, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
