/* SPDX-License-Identifier: Apache-2.0 */
/* Names of cases. */
#include "casename.h"

#include <string.h>

size_t casename_length(const char *name)
{
    static const char digits[] = "0123456789";
    size_t length = strlen(name), end = length;

    while (end > 0 && strchr(digits, name[end - 1]) != NULL)
        end--;
    if (end == length || end < 2 || name[end - 1] != '#' || name[end - 2] != ' ')
        return length;
    return end - 2;
}
