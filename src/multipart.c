/* SPDX-License-Identifier: Apache-2.0 */
/* multipart/form-data, read from memory. Any thread. */
#include "multipart.h"

#include "xalloc.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    BOUNDARY_MAX = 70,   /* characters, says RFC 2046 */
    HEADERS_MAX = 8192,  /* bytes of the header lines of a part */
    LINES_MAX = 20,      /* header lines of a part */
    PARAMETER_MAX = 100, /* bytes of a parameter's name */
};

static const char TOKEN[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
static const char BOUNDARY[] = "0123456789abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ'()+_,-./:=? ";

struct multipart {
    const char *at;  /* what was not read yet; borrowed */
    const char *end; /* of the body */
    char *delimiter; /* CR LF, two hyphens, boundary; owned */
    size_t length;   /* bytes of delimiter */
    size_t limit;    /* parts that there may be */
    size_t count;    /* parts read so far */
    char *name;      /* of the latest part; owned */
    char *filename;  /* of the latest part, or NULL; owned */
};

/* --- parameters: `; name=value; name="value"` --- */

/* Copy a quoted string without quotes and escapes; *text is behind the first quote, and
 * then behind the last. NULL if it does not end. A backslash stands for itself unless a
 * quote or a backslash follows: some browsers send C:\folder\file. */
static char *read_quoted(const char **text)
{
    char *value = xstrdup(*text), *to = value;

    for (const char *at = *text; *at != '\0'; at++) {
        if (*at == '"') {
            *to = '\0';
            *text = at + 1;
            return value;
        }
        if (*at == '\\' && (at[1] == '"' || at[1] == '\\'))
            at++;
        *to++ = *at;
    }
    free(value);
    return NULL;
}

static char *read_value(const char **text)
{
    if (**text == '"') {
        ++*text;
        return read_quoted(text);
    }
    size_t size = strspn(*text, TOKEN);
    if (size == 0)
        return NULL;
    *text += size;
    return xstrndup(*text - size, size);
}

/* Read the next parameter. Gives 1, 0 at the end, or -1 if it is none. Its name is
 * borrowed (name_size bytes), its value owned. */
static int next_parameter(const char **text, const char **name, size_t *name_size,
                          char **value)
{
    *text += strspn(*text, " \t");
    if (**text == '\0')
        return 0;
    if (**text != ';')
        return -1;
    *text += 1;
    *text += strspn(*text, " \t");
    if (**text == '\0')
        return 0;
    *name = *text;
    *name_size = strspn(*text, TOKEN);
    *text += *name_size;
    if (*name_size == 0 || *name_size > PARAMETER_MAX || **text != '=')
        return -1;
    ++*text;
    *value = read_value(text);
    return *value != NULL ? 1 : -1;
}

static bool is_word(const char *text, size_t size, const char *word)
{
    return size == strlen(word) && strncasecmp(text, word, size) == 0;
}

/* A parameter that must not be given twice. Takes value. */
static bool keep_once(char **place, char *value)
{
    bool first = *place == NULL;

    if (first)
        *place = value;
    else
        free(value);
    return first;
}

/* --- the boundary --- */

bool multipart_is_meant(const char *content_type)
{
    return content_type != NULL &&
           is_word(content_type, strcspn(content_type, "; \t"), "multipart/form-data");
}

/* The boundary that the header names, owned; NULL with *cause. */
static char *read_boundary(const char *content_type, char **cause)
{
    const char *text = content_type + strcspn(content_type, "; \t"), *name;
    char *boundary = NULL, *value;
    size_t size;
    int more;
    bool good = true;

    while (good && (more = next_parameter(&text, &name, &size, &value)) != 0) {
        if (more < 0)
            good = false;
        else if (is_word(name, size, "boundary"))
            good = keep_once(&boundary, value);
        else
            free(value);
    }
    size = boundary != NULL ? strlen(boundary) : 0;
    if (!good)
        cause_set(cause, "the parameters of Content-Type can't be understood: it must be "
                         "multipart/form-data; boundary=...");
    else if (boundary == NULL)
        cause_set(cause, "Content-Type names no boundary: it must be "
                         "multipart/form-data; boundary=...");
    else if (size == 0 || size > BOUNDARY_MAX || strspn(boundary, BOUNDARY) < size ||
             boundary[size - 1] == ' ')
        cause_set(cause,
                  "a boundary is 1 to %d of A-Z a-z 0-9 ' ( ) + _ , - . / : = ? and "
                  "spaces within: the one in Content-Type is none",
                  BOUNDARY_MAX);
    else
        return boundary;
    free(boundary);
    return NULL;
}

struct multipart *multipart_new(const char *content_type, const char *data, size_t size,
                                size_t limit, char **cause)
{
    char *boundary = read_boundary(content_type, cause);

    if (boundary == NULL)
        return NULL;
    struct multipart *multipart = xcalloc(1, sizeof *multipart);
    multipart->at = data;
    multipart->end = data + size;
    multipart->delimiter = xasprintf("\r\n--%s", boundary);
    multipart->length = strlen(multipart->delimiter);
    multipart->limit = limit;
    free(boundary);
    return multipart;
}

void multipart_free(struct multipart *multipart)
{
    if (multipart == NULL)
        return;
    free(multipart->delimiter);
    free(multipart->name);
    free(multipart->filename);
    free(multipart);
}

/* --- between parts --- */

static size_t left(const struct multipart *multipart)
{
    return (size_t)(multipart->end - multipart->at);
}

/* Whether this comes next; if so, go past it. */
static bool skip(struct multipart *multipart, const char *text)
{
    size_t size = strlen(text);

    if (left(multipart) < size || memcmp(multipart->at, text, size) != 0)
        return false;
    multipart->at += size;
    return true;
}

static void skip_blanks(struct multipart *multipart)
{
    while (multipart->at < multipart->end &&
           (*multipart->at == ' ' || *multipart->at == '\t'))
        multipart->at++;
}

static int cut_off(const struct multipart *multipart, const char *where, char **cause)
{
    cause_set(cause,
              "the body ends %s, after %zu whole %s: it was cut off, or its last "
              "boundary is not followed by --",
              where, multipart->count, multipart->count == 1 ? "part" : "parts");
    return -1;
}

/* Behind a boundary: 1, another part begins; 0, that was the last; -1 with *cause. */
static int after_boundary(struct multipart *multipart, char **cause)
{
    bool last = skip(multipart, "--");

    skip_blanks(multipart);
    if (!last && skip(multipart, "\r\n"))
        return 1;
    while (last && skip(multipart, "\r\n"))
        ;
    if (last && left(multipart) == 0)
        return 0;
    if (left(multipart) == 0)
        return cut_off(multipart, "right behind a boundary", cause);
    if (last)
        cause_set(cause, "something follows the closing boundary; only line ends may");
    else
        cause_set(cause,
                  "a boundary after %zu %s is followed by something else than CR LF or "
                  "--: lines must end in CR LF, and the boundary must not occur in the "
                  "content",
                  multipart->count, multipart->count == 1 ? "part" : "parts");
    return -1;
}

/* The first boundary, at the very beginning. */
static int first_boundary(struct multipart *multipart, char **cause)
{
    if (skip(multipart, multipart->delimiter + strlen("\r\n")))
        return after_boundary(multipart, cause);
    if (left(multipart) == 0)
        cause_set(cause, "the body is empty: a form with a file is wanted");
    else
        cause_set(cause, "the body does not begin with -- and the boundary that its "
                         "Content-Type names");
    return -1;
}

/* --- the headers of a part --- */

static int headers_fault(const struct multipart *multipart, const char *what,
                         char **cause)
{
    cause_set(cause, "part %zu: %s", multipart->count + 1, what);
    return -1;
}

/* `form-data; name="file"; filename="a.png"` */
static int read_disposition(struct multipart *multipart, const char *value, char **cause)
{
    const char *text = value + strspn(value, " \t"), *name;
    size_t size = strcspn(text, "; \t");
    bool good = is_word(text, size, "form-data") && multipart->name == NULL;
    char *given;
    int more;

    text += size;
    while (good && (more = next_parameter(&text, &name, &size, &given)) != 0) {
        if (more < 0)
            good = false;
        else if (is_word(name, size, "name"))
            good = keep_once(&multipart->name, given);
        else if (is_word(name, size, "filename"))
            good = keep_once(&multipart->filename, given);
        else
            free(given);
    }
    if (good && multipart->name != NULL)
        return 0;
    return headers_fault(multipart,
                         "it needs one Content-Disposition, as in form-data; "
                         "name=\"file\"; filename=\"a.png\"",
                         cause);
}

static int read_encoding(const struct multipart *multipart, const char *value,
                         char **cause)
{
    static const char *const plain[] = {"binary", "8bit", "7bit"};

    value += strspn(value, " \t");
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (is_word(value, strcspn(value, " \t"), plain[i]))
            return 0;
    return headers_fault(multipart,
                         "its Content-Transfer-Encoding is not read here: send the "
                         "bytes as they are",
                         cause);
}

/* Take a header line, without its end and NUL-terminated. */
static int read_header(struct multipart *multipart, const char *line, char **cause)
{
    size_t size = strspn(line, TOKEN);

    if (size == 0 || line[size] != ':')
        return headers_fault(
            multipart, "a header must be a name, a colon and a value on one line", cause);
    for (const char *at = line; *at != '\0'; at++)
        if (((unsigned char)*at < ' ' && *at != '\t') || *at == 0x7f)
            return headers_fault(multipart, "a header has a control character in it",
                                 cause);
    if (is_word(line, size, "Content-Disposition"))
        return read_disposition(multipart, line + size + 1, cause);
    if (is_word(line, size, "Content-Transfer-Encoding"))
        return read_encoding(multipart, line + size + 1, cause);
    return 0;
}

/* Read one header line, up to limit. Gives 1, 0 for the empty one that ends the headers,
 * or -1. */
static int next_header(struct multipart *multipart, const char *limit, char **cause)
{
    size_t room = (size_t)(limit - multipart->at);
    const char *stop = memmem(multipart->at, room, "\r\n", 2);

    if (stop == NULL && memchr(multipart->at, '\n', room) != NULL)
        return headers_fault(multipart, "its header lines must end in CR LF", cause);
    if (stop == NULL && limit < multipart->end)
        return headers_fault(multipart, "its headers are too long", cause);
    if (stop == NULL)
        return cut_off(multipart, "within the headers of a part", cause);
    size_t size = (size_t)(stop - multipart->at);
    if (memchr(multipart->at, '\0', size) != NULL ||
        memchr(multipart->at, '\n', size) != NULL)
        return headers_fault(multipart,
                             "its header lines must end in CR LF and have no NUL in them",
                             cause);
    char *line = xstrndup(multipart->at, size);
    int result = size == 0 ? 0 : read_header(multipart, line, cause) == 0 ? 1 : -1;
    multipart->at = stop + 2;
    free(line);
    return result;
}

static int read_headers(struct multipart *multipart, char **cause)
{
    size_t room = left(multipart) < HEADERS_MAX ? left(multipart) : HEADERS_MAX;
    const char *limit = multipart->at + room;
    size_t lines = 0;
    int more;

    free(multipart->name);
    free(multipart->filename);
    multipart->name = multipart->filename = NULL;
    while ((more = next_header(multipart, limit, cause)) > 0)
        if (++lines > LINES_MAX)
            return headers_fault(multipart, "it has too many headers", cause);
    if (more == 0 && multipart->name == NULL)
        return headers_fault(
            multipart, "it has no Content-Disposition: form-data; name=\"...\"", cause);
    return more;
}

/* --- parts --- */

static int read_content(struct multipart *multipart, struct multipart_part *part,
                        char **cause)
{
    /* The CR LF that belongs to the boundary may be the one that ends the headers. */
    const char *from = multipart->at - 2;
    const char *stop = memmem(from, (size_t)(multipart->end - from), multipart->delimiter,
                              multipart->length);

    if (stop == NULL)
        return cut_off(multipart, "within the content of a part", cause);
    part->data = multipart->at;
    part->size = stop > multipart->at ? (size_t)(stop - multipart->at) : 0;
    part->name = multipart->name;
    part->filename = multipart->filename;
    multipart->at = stop + multipart->length;
    return 1;
}

int multipart_next(struct multipart *multipart, struct multipart_part *part, char **cause)
{
    int more = multipart->count == 0 ? first_boundary(multipart, cause)
                                     : after_boundary(multipart, cause);

    if (more <= 0)
        return more;
    if (multipart->count == multipart->limit) {
        cause_set(cause, "the form has more than %zu parts: send fewer at a time",
                  multipart->limit);
        return -1;
    }
    if (read_headers(multipart, cause) < 0)
        return -1;
    more = read_content(multipart, part, cause);
    multipart->count++;
    return more;
}
