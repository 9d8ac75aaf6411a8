/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign text made fit for a sentence. */
#include "excerpt.h"

#include "utf8.h"
#include "xalloc.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ELLIPSIS "…"

/* C0, DEL, C1 and what separates lines or words are shown as a space. */
static bool is_gap(uint32_t character)
{
    return character <= 0x20 || (character >= 0x7f && character <= 0xa0) ||
           character == 0x2028 || character == 0x2029;
}

/* What XML 1.0 has no way to say, though UTF-8 has. */
static bool is_unspeakable(uint32_t character)
{
    return character == 0xfffe || character == 0xffff;
}

char *excerpt(const void *text, size_t size, size_t limit)
{
    const char *p = text;
    char *out = xmalloc((size < limit ? size : limit) + sizeof ELLIPSIS);
    size_t used = 0, left = size;
    bool gap = false; /* white space was seen and not written yet */

    while (left > 0) {
        uint32_t character = 0;
        size_t step = utf8_read(p, left, &character);
        bool bad = step == 0 || is_unspeakable(character);
        step = step > 0 ? step : 1;
        if (!bad && is_gap(character)) {
            gap = used > 0;
        } else {
            if (used + gap + step > limit)
                break;
            if (gap)
                out[used++] = ' ';
            memcpy(out + used, bad ? "???" : p, step);
            used += step;
            gap = false;
        }
        p += step;
        left -= step;
    }
    strcpy(out + used, left > 0 ? ELLIPSIS : "");
    return out;
}
