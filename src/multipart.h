/* SPDX-License-Identifier: Apache-2.0 */
/*
 * multipart/form-data (RFC 7578, framed as in RFC 2046), read from memory that holds the
 * whole of it. Strict: what two programs could read in two ways is an error. Any thread.
 *
 *   The body begins with its first boundary and ends with the closing one; at most line
 *   ends follow. Lines end in CR LF, always. A line of content that begins with the
 *   boundary is an error: whoever chose the boundary has to know that it is not there.
 *   A part has at most 20 header lines with 8 KiB in all, none of them folded, among them
 *   one Content-Disposition: form-data with a name. Content that is encoded once more
 *   (Content-Transfer-Encoding: base64) is an error, too.
 */
#ifndef TL_MULTIPART_H
#define TL_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>

struct multipart;

/* One part; everything is borrowed, until the next one is read or the body is freed. */
struct multipart_part {
    const char *name;     /* of the field */
    const char *filename; /* NULL: the part is no file; filename* is not looked at */
    const char *data;     /* the content, in the body; not NUL-terminated */
    size_t size;          /* bytes of it */
};

/* Whether a Content-Type (NULL: none) is multipart/form-data. */
bool multipart_is_meant(const char *content_type);

/* Begin to read `size` bytes, borrowed until multipart_free(), of at most `limit` parts.
 * The boundary is in content_type. NULL with *cause if it is not. */
struct multipart *multipart_new(const char *content_type, const char *data, size_t size,
                                size_t limit, char **cause);

/* Read the next part. Gives 1, or 0 after the last one, or -1 with *cause: then the whole
 * body is not to be trusted. After 0 or -1 it must not be called again. */
int multipart_next(struct multipart *multipart, struct multipart_part *part,
                   char **cause);

void multipart_free(struct multipart *multipart);

#endif
