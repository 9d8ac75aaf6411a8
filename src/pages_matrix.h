/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cases as a matrix: tests down, the client types that play together across, a lamp for
 * each case. Any thread.
 */
#ifndef TL_PAGES_MATRIX_H
#define TL_PAGES_MATRIX_H

#include "pages_select.h"

/* Write the part of the matrix of these cases (in the order of their tests) that the
 * query asks for, and links to the other parts. */
void matrix_put(struct markup *markup, const struct selection *selection,
                const struct query *query);

#endif
