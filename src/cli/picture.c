/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures of one colour. */
#include "picture.h"

#include "xalloc.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>

#define EDGE          16 /* pixels */
#define CAPTION_SHOWN 40 /* bytes of a caption in a name */

/* --- names --- */

/* Letters that every server leaves alone in the name of a file. */
static char safe_letter(char letter)
{
    if ((letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
        (letter >= '0' && letter <= '9'))
        return letter;
    return '_';
}

/* Returns owned. */
static char *make_name(size_t number, const char *caption)
{
    char shown[CAPTION_SHOWN + 1] = "";

    for (size_t i = 0; i < CAPTION_SHOWN && caption[i] != '\0'; i++)
        shown[i] = safe_letter(caption[i]);
    return xasprintf("%zu_%s.png", number, shown);
}

/* --- PNG --- */

static void paint(struct picture *picture, struct colour colour)
{
    png_byte pixels[EDGE * EDGE][4];
    png_image image = {
        .version = PNG_IMAGE_VERSION,
        .width = EDGE,
        .height = EDGE,
        .format = PNG_FORMAT_RGBA,
    };

    for (size_t i = 0; i < EDGE * EDGE; i++)
        memcpy(pixels[i], (png_byte[]){colour.red, colour.green, colour.blue, 255}, 4);
    picture->size = PNG_IMAGE_PNG_SIZE_MAX(image);
    picture->bytes = xmalloc(picture->size);
    if (!png_image_write_to_memory(&image, picture->bytes, &picture->size, 0, pixels, 0,
                                   NULL))
        xcheck(NULL); /* it can only lack memory */
}

/* --- the album --- */

const char *album_take(struct album *album, const char *caption, struct colour colour)
{
    album->pictures =
        xreallocarray(album->pictures, album->count + 1, sizeof *album->pictures);
    struct picture *picture = &album->pictures[album->count++];
    picture->name = make_name(++album->taken, caption);
    paint(picture, colour);
    return picture->name;
}

const struct picture *album_first(const struct album *album)
{
    return album->count > 0 ? album->pictures : NULL;
}

void album_drop_first(struct album *album)
{
    if (album->count == 0)
        return;
    free(album->pictures[0].name);
    free(album->pictures[0].bytes);
    album->count--;
    memmove(album->pictures, album->pictures + 1, album->count * sizeof *album->pictures);
}

void album_clear(struct album *album)
{
    while (album->count > 0)
        album_drop_first(album);
    free(album->pictures);
    album->pictures = NULL;
}
