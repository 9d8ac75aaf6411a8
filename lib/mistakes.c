/* SPDX-License-Identifier: Apache-2.0 */
/* Mistakes that people made in their files. */
#include "mistakes.h"

#include "jsonscan.h"
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mistake {
    char *text;    /* the whole sentence; owned */
    bool is_error; /* else a warning */
};

struct mistakes {
    char *file;          /* the file that is looked at; owned */
    const char *text;    /* its text, to find lines; borrowed */
    struct mistake *all; /* owned */
    size_t count;        /* length of all */
    size_t errors;       /* how many of them are errors */
    size_t noted;        /* how often an error was noted */
};

const char WHERE_FILE[] = "";

struct where *where_copy(const struct where *where)
{
    if (where == NULL)
        return NULL;
    if (where->member == WHERE_FILE) {
        struct where_file *file = xmalloc(sizeof *file);
        *file = *(const struct where_file *)where;
        return &file->where;
    }
    struct where *copy = xmalloc(sizeof *copy);
    copy->up = where_copy(where->up);
    copy->member = where->member != NULL ? xstrdup(where->member) : NULL;
    copy->index = where->index;
    return copy;
}

void where_free(struct where *where)
{
    if (where == NULL)
        return;
    where_free((struct where *)where->up);
    if (where->member != WHERE_FILE)
        free((char *)where->member);
    free(where);
}

/* The other file that the place is in, or NULL. */
static const struct where_file *other_file(const struct where *where)
{
    while (where != NULL && where->up != NULL)
        where = where->up;
    return where != NULL && where->member == WHERE_FILE ? (const struct where_file *)where
                                                        : NULL;
}

struct mistakes *mistakes_new(void)
{
    return xcalloc(1, sizeof(struct mistakes));
}

void mistakes_free(struct mistakes *mistakes)
{
    if (mistakes == NULL)
        return;
    for (size_t i = 0; i < mistakes->count; i++)
        free(mistakes->all[i].text);
    free(mistakes->all);
    free(mistakes->file);
    free(mistakes);
}

void mistakes_set_file(struct mistakes *mistakes, const char *file, const char *text)
{
    free(mistakes->file);
    mistakes->file = xstrdup(file);
    mistakes->text = text;
}

/* A path in the manner of JSONPath (RFC 9535): $.states.init.actions[0] */
static void write_path(FILE *out, const struct where *where)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

    if (where == NULL || where->member == WHERE_FILE) {
        fputc('$', out);
        return;
    }
    write_path(out, where->up);
    if (where->member == NULL)
        fprintf(out, "[%zu]", where->index);
    else if (where->member[0] != '\0' &&
             strspn(where->member, plain) == strlen(where->member))
        fprintf(out, ".%s", where->member);
    else
        fprintf(out, "['%.80s']", where->member);
}

static void __attribute__((format(printf, 4, 0)))
add(struct mistakes *mistakes, bool is_error, const struct where *where,
    const char *format, va_list arguments)
{
    char *text = NULL;
    size_t size;
    FILE *out = xcheck(open_memstream(&text, &size));

    const struct where_file *other = other_file(where);
    const char *file = other != NULL ? other->file : mistakes->file;
    const char *file_text = other != NULL ? other->text : mistakes->text;

    if (file != NULL)
        fprintf(out, "%s:", file);
    if (file_text != NULL)
        fprintf(out, "%d:", jsonscan_line(file_text, where));
    if (file != NULL)
        fputc(' ', out);
    if (where != NULL) {
        write_path(out, where);
        fputs(": ", out);
    }
    vfprintf(out, format, arguments);
    if (fclose(out) != 0)
        xcheck(NULL);
    mistakes->noted += is_error;
    for (size_t i = 0; i < mistakes->count; i++) {
        if (strcmp(mistakes->all[i].text, text) == 0) {
            free(text);
            return;
        }
    }
    mistakes->all =
        xreallocarray(mistakes->all, mistakes->count + 1, sizeof *mistakes->all);
    mistakes->all[mistakes->count++] = (struct mistake){text, is_error};
    mistakes->errors += is_error;
}

void mistake_error(struct mistakes *mistakes, const struct where *where,
                   const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(mistakes, true, where, format, arguments);
    va_end(arguments);
}

void mistake_warning(struct mistakes *mistakes, const struct where *where,
                     const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(mistakes, false, where, format, arguments);
    va_end(arguments);
}

size_t mistakes_noted(const struct mistakes *mistakes)
{
    return mistakes->noted;
}

size_t mistakes_errors(const struct mistakes *mistakes)
{
    return mistakes->errors;
}

size_t mistakes_count(const struct mistakes *mistakes)
{
    return mistakes->count;
}

const char *mistakes_text(const struct mistakes *mistakes, size_t index, bool *is_error)
{
    *is_error = mistakes->all[index].is_error;
    return mistakes->all[index].text;
}
