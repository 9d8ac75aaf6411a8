/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is always there. */
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *xcheck(void *pointer)
{
    if (pointer == NULL) {
        fputs("trafficlight: out of memory\n", stderr);
        abort();
    }
    return pointer;
}

void *xmalloc(size_t size)
{
    return xcheck(malloc(size ? size : 1));
}

void *xcalloc(size_t count, size_t size)
{
    return xcheck(calloc(count ? count : 1, size ? size : 1));
}

void *xreallocarray(void *old, size_t count, size_t size)
{
    return xcheck(reallocarray(old, count ? count : 1, size ? size : 1));
}

char *xstrdup(const char *text)
{
    return xcheck(strdup(text));
}

char *xstrndup(const char *text, size_t size)
{
    return xcheck(strndup(text, size));
}

char *xvasprintf(const char *format, va_list arguments)
{
    char *text = NULL;

    if (vasprintf(&text, format, arguments) < 0)
        xcheck(NULL);
    return text;
}

char *xasprintf(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *text = xvasprintf(format, arguments);
    va_end(arguments);
    return text;
}

void cause_set(char **cause, const char *format, ...)
{
    va_list arguments;

    if (cause == NULL || *cause != NULL)
        return;
    va_start(arguments, format);
    *cause = xvasprintf(format, arguments);
    va_end(arguments);
}
