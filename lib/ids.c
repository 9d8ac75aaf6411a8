/* SPDX-License-Identifier: Apache-2.0 */
/* Ids without chance. */
#include "ids.h"

#include "xalloc.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <uuid/uuid.h>

/* The value of a hexadecimal digit; -1: it is none. */
static int digit_value(char digit)
{
    return digit >= '0' && digit <= '9'   ? digit - '0'
           : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
           : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                          : -1;
}

/* As uuid_parse(), which takes as long as the whole rest. */
static bool read_id(const char *id, uuid_t bytes)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    size_t count = 0;

    for (size_t i = 0; i < sizeof form - 1; i++) {
        int value = digit_value(id[i]);
        if (form[i] == '-' ? id[i] != '-' : value < 0)
            return false;
        if (form[i] == '-')
            continue;
        unsigned high = count % 2 == 0 ? 0 : (unsigned)bytes[count / 2] << 4;
        bytes[count / 2] = (unsigned char)(high | (unsigned)value);
        count++;
    }
    return id[sizeof form - 1] == '\0';
}

void id_derive(char id[ID_SIZE], const char *parent, const char *format, ...)
{
    uuid_t space, made;
    va_list arguments;

    va_start(arguments, format);
    char *name = xvasprintf(format, arguments);
    va_end(arguments);
    if (!read_id(parent, space))
        abort(); /* every parent is an id made here, or the run's */
    uuid_generate_sha1(made, space, name, strlen(name));
    uuid_unparse_lower(made, id);
    free(name);
}
