/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The colour in the middle of a picture. Clients in calls show pictures of one colour,
 * and tests ask whether they are seen. For a worker: it takes time, and bounded memory.
 */
#ifndef TL_PIXEL_H
#define TL_PIXEL_H

#include <stddef.h>

/* The colour of the centre pixel of a PNG: "red", "green", "blue", "initial",
 * "connecting", or "(R,G,B,A)" in decimal for any other. NULL if it is no PNG, is broken
 * before its middle, or is larger than 16384 pixels either way or 64 million in all.
 * Owned by the caller. */
char *pixel_colour(const char *data, size_t size);

#endif
