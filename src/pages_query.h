/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a page is asked to show, by the query of its address: the member "asked" of its
 * document, {name: value}. Links that change one thing and keep the others; a form that
 * does the same; the parts of a long list. Any thread.
 */
#ifndef TL_PAGES_QUERY_H
#define TL_PAGES_QUERY_H

#include "markup.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

/* A parameter that a page knows. */
struct query_field {
    const char *name;          /* in the address */
    const char *const *values; /* that it may have, ended by NULL; NULL: any text */
};

struct query {
    struct json_object *asked;        /* may be NULL; borrowed */
    const struct query_field *fields; /* ended by a name that is NULL; borrowed */
};

/* The value of a parameter: "" where it was not asked for, or has none that is known.
 * Borrowed. */
const char *query_value(const struct query *query, const char *name);
bool query_is(const struct query *query, const char *name, const char *value);

/* Where the same is shown with another value of this parameter; "" for none. What comes
 * after the first part of a list is given up with any other change. Owned. */
char *query_link(const struct query *query, const char *name, const char *value);

/* A link there: opened, to be closed by the caller. */
void query_open_link(struct markup *markup, const struct query *query, const char *name,
                     const char *value);

/* What was asked for and not understood, in a sentence; nothing if all was. */
void query_put_ignored(struct markup *markup, const struct query *query);

/* --- a form --- */

/* Begin the form; parameters that it has no field for, ended by NULL, are kept. */
void query_open_form(struct markup *markup, const struct query *query, const char *label,
                     const char *const *kept);

/* A field with this label to choose from `options`, pairs of value and text, ended by
 * NULL; the first one stands for no choice. A chosen value that is none of them is there,
 * too. */
void query_put_choice(struct markup *markup, const struct query *query, const char *name,
                      const char *label, const char *const *options);

/* The same of words that are not ours: the keys of an object; `any` is the first one. */
void query_put_names(struct markup *markup, const struct query *query, const char *name,
                     const char *label, const char *any, struct json_object *names);

/* A field for a text. */
void query_put_text(struct markup *markup, const struct query *query, const char *name,
                    const char *label);

/* The button, and the way back to everything where one of the parameters in `cleared`
 * (ended by NULL) has a value. Closes the form. */
void query_close_form(struct markup *markup, const struct query *query,
                      const char *const *cleared);

/* --- parts of a list --- */

struct query_part {
    size_t first; /* index of the first element to show */
    size_t count; /* how many to show */
    size_t total; /* elements that there are */
    size_t page;  /* number of the part, from 1 */
    size_t pages; /* parts that there are */
};

/* The part that the parameter "page" asks for, of `total` elements, `size` at a time: the
 * nearest where there is none of that number. */
struct query_part query_part(const struct query *query, size_t total, size_t size);

/* What that is, in words: "1 to 200 of 812 cases that fit, of 10000". */
void query_put_range(struct markup *markup, const struct query_part *part, size_t all,
                     const char *what);

/* Links to the other parts; nothing if there is only one. */
void query_put_parts(struct markup *markup, const struct query *query,
                     const struct query_part *part);

#endif
