/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8, as strict as the table in RFC 3629, section 4. */
#include "utf8.h"

#include "xalloc.h"

#include <string.h>

size_t utf8_read(const char *text, size_t size, uint32_t *character)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t length = p[0] < 0x80   ? 1
                    : p[0] < 0xc2 ? 0
                    : p[0] < 0xe0 ? 2
                    : p[0] < 0xf0 ? 3
                                  : 4;
    uint32_t value = length == 1 ? p[0] : p[0] & (0x7fu >> length);

    if (length == 0 || length > size || p[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (p[i] & 0x3f);
    }
    if ((length == 3 && value < 0x800) || (length == 4 && value < 0x10000) ||
        (value >= 0xd800 && value < 0xe000) || value > 0x10ffff)
        return 0;
    *character = value;
    return length;
}

size_t utf8_valid_length(const char *text, size_t size)
{
    size_t at = 0;
    uint32_t ignored;

    while (at < size) {
        if ((unsigned char)text[at] < 0x80) { /* most of it is ASCII */
            at++;
            continue;
        }
        size_t length = utf8_read(text + at, size - at, &ignored);
        if (length == 0)
            break;
        at += length;
    }
    return at;
}

char *utf8_clean(const char *text)
{
    size_t size = strlen(text);
    char *clean = xmalloc(3 * size + 1), *end = clean;
    uint32_t ignored;

    for (size_t at = 0; at < size;) {
        size_t length = utf8_read(text + at, size - at, &ignored);
        size_t copied = length > 0 ? length : strlen("\xef\xbf\xbd");
        memcpy(end, length > 0 ? text + at : "\xef\xbf\xbd", copied);
        end += copied;
        at += length > 0 ? length : 1;
    }
    *end = '\0';
    return clean;
}

size_t utf8_count(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

char *utf8_shorten(const char *text, size_t limit)
{
    size_t size = strlen(text);

    if (size <= limit)
        return xstrdup(text);
    while (limit > 0 && ((unsigned char)text[limit] & 0xc0) == 0x80)
        limit--;
    return xasprintf("%.*s…", (int)limit, text);
}
