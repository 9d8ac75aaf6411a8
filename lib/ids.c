/* SPDX-License-Identifier: Apache-2.0 */
/* Ids without chance. */
#include "ids.h"

#include "xalloc.h"

#include <stdlib.h>
#include <string.h>
#include <uuid/uuid.h>

void id_derive(char id[ID_SIZE], const char *parent, const char *format, ...)
{
    uuid_t space, made;
    va_list arguments;

    va_start(arguments, format);
    char *name = xvasprintf(format, arguments);
    va_end(arguments);
    if (uuid_parse(parent, space) != 0)
        abort(); /* every parent is an id made here, or the run's */
    uuid_generate_sha1(made, space, name, strlen(name));
    uuid_unparse_lower(made, id);
    free(name);
}
