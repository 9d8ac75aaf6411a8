/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XML and HTML that can't be ill-formed: a thin layer over libxml2's xmlwriter that takes
 * any bytes. What XML 1.0 does not allow becomes U+FFFD. Any thread, one writer at a
 * time.
 */
#ifndef TL_MARKUP_H
#define TL_MARKUP_H

#include <stddef.h>

struct markup;

/* Begin a document: XML with its declaration, or HTML5 with its doctype. */
struct markup *markup_new_xml(void);
struct markup *markup_new_html(void);

/* Begin a part of an XML document: elements without anything around them. */
struct markup *markup_new_part(void);

/* Write such a part, as markup_finish() gave it. */
void markup_put_part(struct markup *markup, const char *part);

/* Open an element with pairs of attribute name and value after it, ended by NULL. A pair
 * whose value is NULL is left out. */
void markup_open(struct markup *markup, const char *element, ...)
    __attribute__((sentinel));

/* Close the innermost element. HTML's void elements (br, meta …) get no end tag, all
 * others do. */
void markup_close(struct markup *markup);

/* Write text, escaped. */
void markup_text(struct markup *markup, const char *text);
void markup_textf(struct markup *markup, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Write an attribute of the element just opened, formatted. */
void markup_attributef(struct markup *markup, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* An element with nothing but text in it; attributes as in markup_open(). */
void markup_element(struct markup *markup, const char *element, const char *text, ...)
    __attribute__((sentinel));

/* Close what is open and give the text, owned by the caller, and its length (NULL: nobody wants
 * to know); frees the writer. */
char *markup_finish(struct markup *markup, size_t *size);

/* The text with every byte or character that XML 1.0 (section 2.2) does not allow
 * replaced by U+FFFD. Owned by the caller. */
char *markup_clean(const char *text);

#endif
