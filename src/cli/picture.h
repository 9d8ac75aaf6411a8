/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures that a simulated client takes of what its window shows: small PNG files of one
 * colour, in an album until they are sent. Any thread, one at a time.
 */
#ifndef TL_PICTURE_H
#define TL_PICTURE_H

#include <stddef.h>

struct colour {
    unsigned char red;   /* of 255 */
    unsigned char green; /* of 255 */
    unsigned char blue;  /* of 255 */
};

/* A file to be sent. */
struct picture {
    char *name;           /* letters, digits, "_" and ".png"; owned */
    unsigned char *bytes; /* a PNG, opaque RGBA; owned */
    size_t size;          /* of bytes */
};

/* The pictures of one client. All zero: empty. */
struct album {
    struct picture *pictures; /* in the order in which they were taken; owned, with all */
    size_t count;             /* length of pictures */
    size_t taken;             /* in all, which numbers their names */
};

/* Take a picture of somebody with this caption who shows this colour. Gives its name,
 * which no other picture of the album ever had; borrowed until the album changes. */
const char *album_take(struct album *album, const char *caption, struct colour colour);

/* The oldest picture, or NULL when there is none; borrowed until the album changes. */
const struct picture *album_first(const struct album *album);

/* Throw away the oldest picture, or all of them. */
void album_drop_first(struct album *album);
void album_clear(struct album *album);

#endif
