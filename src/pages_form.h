/* SPDX-License-Identifier: Apache-2.0 */
/* Forms on a page. Any thread. */
#ifndef TL_PAGES_FORM_H
#define TL_PAGES_FORM_H

#include "markup.h"

/* A form that posts to /manual/<id>/<verb>; `encoding` NULL: the usual one. */
void form_open(struct markup *markup, const char *id, const char *verb,
               const char *encoding);

/* A field that nobody sees. */
void form_put_hidden(struct markup *markup, const char *name, const char *value);

/* A button that sends the form; name NULL: it says nothing itself. Its label is made
 * visible, its value is sent as it is. */
void form_put_button(struct markup *markup, const char *class, const char *name,
                     const char *value, const char *label);

/* A field of one line with its label and, unless "", a hint. The id is the name's. */
void form_put_line(struct markup *markup, const char *name, const char *label,
                   const char *hint, const char *value, const char *list);

/* A field of several lines, likewise. */
void form_put_lines(struct markup *markup, const char *name, const char *label,
                    const char *hint);

/* The text as the value of an attribute of the element just opened. */
void form_put_value(struct markup *markup, const char *attribute, const char *text);

#endif
