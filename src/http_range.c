/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header Range (RFC 9110, 14.2), as players of videos send it to jump about: one
 * range of bytes. What is anything else is ignored, as the RFC allows: the whole is sent.
 * Any thread.
 */
#include <string.h>

#include "http_internal.h"

/* Read digits into *number. Gives what comes after them; NULL if there are none, or too
 * many. */
static const char *read_number(const char *text, size_t *number)
{
    size_t count = strspn(text, "0123456789");
    *number = 0;
    if (count == 0 || count > 18)
        return NULL;
    for (size_t i = 0; i < count; i++)
        *number = *number * 10 + (size_t)(text[i] - '0');
    return text + count;
}

/* "bytes=-500": the last ones. */
static int read_suffix(const char *text, size_t size, struct http_range *range)
{
    size_t length;
    const char *end = read_number(text, &length);
    if (!end || *end)
        return 200;
    if (length == 0 || size == 0)
        return 416;
    range->length = length < size ? length : size;
    range->first = size - range->length;
    return 206;
}

int http_range_read(const char *header, size_t size, struct http_range *range)
{
    static const char unit[] = "bytes=";
    size_t last = size;
    *range = (struct http_range){0, size};
    if (!header || strncmp(header, unit, sizeof(unit) - 1))
        return 200;
    header += sizeof(unit) - 1;
    if (*header == '-')
        return read_suffix(header + 1, size, range);
    const char *end = read_number(header, &range->first);
    bool has_dash = end && *end == '-';
    if (has_dash)
        end = end[1] ? read_number(end + 1, &last) : end + 1;
    if (!has_dash || !end || *end || last < range->first) {
        *range = (struct http_range){0, size};
        return 200;
    }
    if (range->first >= size)
        return 416;
    range->length = (last < size ? last + 1 : size) - range->first;
    return 206;
}
