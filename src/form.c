/* SPDX-License-Identifier: Apache-2.0 */
/* Forms as browsers and Python send them. */
#include "form.h"

#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t form_decode(char *to, const char *from, size_t length)
{
    char *start = to;

    for (const char *end = from + length; from < end; from++) {
        int high = *from == '%' && end - from > 2 ? hex_digit(from[1]) : -1;
        int low = high >= 0 ? hex_digit(from[2]) : -1;
        *to++ = low >= 0 ? (char)(high << 4 | low) : *from == '+' ? ' ' : *from;
        from += low >= 0 ? 2 : 0;
    }
    *to = '\0';
    return (size_t)(to - start);
}

int form_each(const char *form, size_t size,
              int (*each)(const char *name, size_t name_size, const char *value,
                          size_t value_size, void *argument),
              void *argument)
{
    const char *end = form + size;
    char *name = xmalloc(size + 1);
    char *value = xmalloc(size + 1);
    int result = 0;

    while (result == 0 && form < end) {
        const char *stop = memchr(form, '&', (size_t)(end - form));
        if (stop == NULL)
            stop = end;
        const char *equals = memchr(form, '=', (size_t)(stop - form));
        const char *name_end = equals != NULL ? equals : stop;
        const char *value_start = equals != NULL ? equals + 1 : stop;
        size_t name_size = form_decode(name, form, (size_t)(name_end - form));
        size_t value_size = form_decode(value, value_start, (size_t)(stop - value_start));
        if (name_size > 0)
            result = each(name, name_size, value, value_size, argument);
        form = stop < end ? stop + 1 : end;
    }
    free(name);
    free(value);
    return result;
}
