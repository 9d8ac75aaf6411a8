/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words on a page, most of them other people's: what a client sent stays in its place,
 * and every character of it can be seen. Identifiers, times. Any thread.
 */
#ifndef TL_PAGES_TEXT_H
#define TL_PAGES_TEXT_H

#include "markup.h"

#include <json-c/json.h>
#include <stddef.h>

/* No value. */
void text_put_none(struct markup *markup);

/* --- other people's words --- */

/* On the board a text is cut to this many bytes; 0 stands for all of it. */
#define TEXT_BOARD_BYTES 300

/* The text with every control character made visible, or replaced where it could turn
 * the text around it; cut to `limit` bytes before that. Owned by the caller. */
char *text_visible(const char *text, size_t limit);

/* The text, made visible and kept apart from what is around it. */
void text_put(struct markup *markup, const char *text, size_t limit);

/* An element with nothing but this text in it, made visible; class may be NULL. */
void text_put_in(struct markup *markup, const char *element, const char *class,
                 const char *text);

/* The same, of words that must stay whole: "red=element-web green=element-web" may break
 * at its spaces, not at the hyphens. */
void text_put_words(struct markup *markup, const char *text, size_t limit);

/* An identifier of which the style sheet shows only the beginning. */
void text_put_id(struct markup *markup, const char *id);

/* The member of an object as text: "" if missing or null, JSON if it is no text.
 * Borrowed. */
const char *text_member(struct json_object *object, const char *name);

/* The member as a number of things; 0 if it is none. */
size_t text_amount(struct json_object *object, const char *name);

/* The elements of an array that is a member: 0 and NULL where there is none. */
size_t text_count(struct json_object *object, const char *name);
struct json_object *text_element(struct json_object *object, const char *name,
                                 size_t index);

/* --- times, all in UTC --- */

/* Take RFC 3339 or ""; what is neither is shown as it is. */
void text_put_moment(struct markup *markup, const char *when); /* with its date */
void text_put_clock(struct markup *markup, const char *when);  /* to the millisecond */
void text_put_ago(struct markup *markup, const char *when, const char *now);

/* The moment with its date, made visible, where there can be no element. Owned by the
 * caller. */
char *text_moment(const char *when);

/* From one time to another, in seconds; negative where one of them is none. */
double text_seconds_between(const char *from, const char *to);

/* "1.2 s", "3 min 05 s". Owned by the caller. */
char *text_duration(double seconds);

/* A name as one segment of a path, percent-encoded. Owned by the caller. */
char *text_segment(const char *name);

#endif
