/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of pages look at them with: a parser that is not ours, and words. */
#ifndef TL_LOOKING_H
#define TL_LOOKING_H

#include <json-c/json.h>
#include <stddef.h>

typedef char *page_fn(struct json_object *document, size_t *size);

/* The page is sound HTML and UTF-8, and shows no control character. */
void check_sound(const char *page, size_t size);

/* The page of a document (taken), which is sound. Owned. */
char *page_of(page_fn *make, struct json_object *document);

/* The text is in the page, or is not; how often it is. */
void has(const char *page, const char *text);
void has_not(const char *page, const char *text);
size_t count(const char *page, const char *text);

/* JSON with ' for ". Owned. */
struct json_object *document(const char *text);

/* An array of so many of these. Owned. */
struct json_object *many(size_t amount, const char *element_text);

#endif
