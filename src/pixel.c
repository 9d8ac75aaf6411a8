/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The colour in the middle of a picture. Rows are read one by one, and nothing after the
 * middle one. For a worker.
 */
#include "pixel.h"

#include "xalloc.h"

#include <png.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIDE_MAX = 16384,         /* pixels */
    PIXELS_MAX = 64000000,    /* width times height */
    SIGNATURE_SIZE = 8,       /* bytes that every PNG begins with */
    CHUNK_BYTES = 1024 * 1024 /* of what an ancillary chunk may unpack to */
};

/* All that reading needs, outside of the function that longjmp() returns into. */
struct reading {
    png_structp png;   /* owned */
    png_infop info;    /* owned */
    const char *at;    /* what was not read yet; borrowed */
    size_t left;       /* bytes of it */
    png_bytep row;     /* the middle one, as RGBA with 8 bits each; owned */
    png_byte pixel[4]; /* the one in the middle */
};

static void read_cb(png_structp png, png_bytep to, size_t size)
{
    struct reading *reading = png_get_io_ptr(png);

    if (size > reading->left)
        png_error(png, "it ends too early");
    memcpy(to, reading->at, size);
    reading->at += size;
    reading->left -= size;
}

/* libpng's own would write to stderr. */
static void fail_cb(png_structp png, png_const_charp why)
{
    (void)why;
    png_longjmp(png, 1);
}

static void ignore_cb(png_structp png, png_const_charp why)
{
    (void)png;
    (void)why;
}

static void set_limits(png_structp png)
{
    png_set_user_limits(png, SIDE_MAX, SIDE_MAX);
    png_set_chunk_malloc_max(png, CHUNK_BYTES);
    /* Neither kept nor unpacked: comments, colour profiles and the like. */
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
}

/* Have rows come as RGBA with 8 bits each, whatever the file has. Gives the passes. */
static int set_form(struct reading *reading)
{
    png_set_expand(reading->png);
    png_set_scale_16(reading->png);
    png_set_gray_to_rgb(reading->png);
    png_set_add_alpha(reading->png, 0xff, PNG_FILLER_AFTER);
    int passes = png_set_interlace_handling(reading->png);
    png_read_update_info(reading->png, reading->info);
    return passes;
}

/* In an interlaced picture a row comes together pass by pass. */
static void read_middle(struct reading *reading)
{
    png_uint_32 width = png_get_image_width(reading->png, reading->info);
    png_uint_32 height = png_get_image_height(reading->png, reading->info);

    if ((uint64_t)width * height > PIXELS_MAX)
        png_error(reading->png, "it is too large");
    int passes = set_form(reading);
    if (png_get_rowbytes(reading->png, reading->info) != (size_t)width * 4)
        png_error(reading->png, "it has an odd form");
    reading->row = xcalloc(width, 4);
    for (int pass = 1; pass <= passes; pass++) {
        png_uint_32 last = pass < passes ? height - 1 : height / 2;
        for (png_uint_32 y = 0; y <= last; y++)
            png_read_row(reading->png, y == height / 2 ? reading->row : NULL, NULL);
    }
    memcpy(reading->pixel, reading->row + (size_t)(width / 2) * 4, 4);
}

static bool read_pixel(struct reading *reading)
{
    if (setjmp(png_jmpbuf(reading->png)) != 0)
        return false;
    set_limits(reading->png);
    png_set_read_fn(reading->png, reading, read_cb);
    png_read_info(reading->png, reading->info);
    read_middle(reading);
    return true;
}

/* What an adapter shows differs a little with the codec on the way. */
static const char *name_of(const png_byte pixel[4])
{
    static const char *const names[] = {"red", "green", "blue"};
    int low = 255, high = 0, bright = -1, dark = 0;

    if (pixel[3] != 255)
        return NULL;
    for (int i = 0; i < 3; i++) {
        low = pixel[i] < low ? pixel[i] : low;
        high = pixel[i] > high ? pixel[i] : high;
        bright = pixel[i] > 213 ? i : bright;
        dark += pixel[i] < 25;
    }
    if (bright >= 0 && dark == 2)
        return names[bright];
    if (low >= 121 && high <= 135)
        return "initial";
    return low == 68 && high == 68 ? "connecting" : NULL;
}

char *pixel_colour(const char *data, size_t size)
{
    struct reading reading = {.at = data, .left = size};
    bool known = false;

    if (size < SIGNATURE_SIZE ||
        png_sig_cmp((png_const_bytep)data, 0, SIGNATURE_SIZE) != 0)
        return NULL;
    reading.png =
        xcheck(png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, fail_cb, ignore_cb));
    reading.info = xcheck(png_create_info_struct(reading.png));
    known = read_pixel(&reading);
    png_destroy_read_struct(&reading.png, &reading.info, NULL);
    free(reading.row);
    if (!known)
        return NULL;
    const png_byte *pixel = reading.pixel;
    const char *name = name_of(pixel);
    return name != NULL
               ? xstrdup(name)
               : xasprintf("(%d,%d,%d,%d)", pixel[0], pixel[1], pixel[2], pixel[3]);
}
