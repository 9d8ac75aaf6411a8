/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign text made fit for a sentence. */
#include "excerpt.h"

#include "xalloc.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ELLIPSIS "\xe2\x80\xa6"

/* How many bytes the UTF-8 character at p has; 0 if there is none. */
static size_t character_size(const unsigned char *p, size_t left)
{
    size_t size = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t code = size == 1 ? p[0] : p[0] & (0xffu >> (size + 1));

    if ((p[0] >= 0x80 && p[0] < 0xc2) || p[0] > 0xf4 || size > left)
        return 0;
    for (size_t i = 1; i < size; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (p[i] & 0x3fu);
    }
    bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
    bool is_noncharacter = code == 0xfffe || code == 0xffff; /* XML refuses these */
    return code < lowest[size] || code > 0x10ffff || is_surrogate || is_noncharacter
               ? 0
               : size;
}

/* C0, DEL, C1 and what separates lines are shown as a space. */
static bool is_space(const unsigned char *p, size_t size)
{
    return (size == 1 && (p[0] <= 0x20 || p[0] == 0x7f)) ||
           (size == 2 && p[0] == 0xc2 && p[1] <= 0xa0) ||
           (size == 3 && p[0] == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9));
}

char *excerpt(const void *text, size_t size, size_t limit)
{
    const unsigned char *p = text, *end = p + size;
    char *out = xmalloc((size < limit ? size : limit) + sizeof ELLIPSIS);
    size_t used = 0;
    bool gap = false; /* white space was seen and not written yet */

    while (p < end) {
        size_t step = character_size(p, (size_t)(end - p));
        if (step > 0 && is_space(p, step)) {
            gap = used > 0;
            p += step;
            continue;
        }
        size_t wanted = (step > 0 ? step : 1) + gap;
        if (wanted > limit - used)
            break;
        if (gap)
            out[used++] = ' ';
        if (step > 0)
            memcpy(out + used, p, step);
        else
            out[used] = '?';
        used += wanted - gap;
        p += wanted - gap;
        gap = false;
    }
    strcpy(out + used, p < end ? ELLIPSIS : "");
    return out;
}
