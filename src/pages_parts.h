/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all pages are made of: their frame, lamps, times, links, and other people's words.
 * Any thread.
 */
#ifndef TL_PAGES_PARTS_H
#define TL_PAGES_PARTS_H

#include "markup.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

/* X-macro: the states of cases and clients, what calls for attention first, and the sign
 * that tells them apart where there is no colour. The word is also the class. */
#define PART_STATES(X)                                                                   \
    X(RUNNING, "running", "▸")                                                           \
    X(PLAYING, "playing", "▸")                                                           \
    X(PREPARING, "preparing", "◔")                                                       \
    X(ERROR, "error", "!")                                                               \
    X(FAILED, "failed", "✗")                                                             \
    X(LOST, "lost", "?")                                                                 \
    X(WAITING, "waiting", "○")                                                           \
    X(SUCCESS, "success", "✓")                                                           \
    X(DONE, "done", "–")

enum part_state {
#define PART_STATE_ENUM(name, word, sign) PART_##name,
    PART_STATES(PART_STATE_ENUM)
#undef PART_STATE_ENUM
        PART_STATE_COUNT
};

/* The state by its word; PART_WAITING for a word that is none, or NULL. */
enum part_state part_state(const char *word);
const char *part_state_word(enum part_state state);

/* Whether a case or client in this state stays in it. */
bool part_state_is_end(enum part_state state);

/* The lamps of the traffic light that are lit. */
enum part_light { PART_RED = 1, PART_AMBER = 2, PART_GREEN = 4 };

struct part_frame {
    const char *title; /* what goes on, in a few words; borrowed */
    unsigned lights;   /* PART_RED | … */
    bool is_live;      /* its things may change: the browser asks again */
};

/* Begin a page: everything up to the inside of <main>. */
struct markup *part_begin(const struct part_frame *frame);

/* End it: a footer about the server (the member of status.json, or NULL). Returns the
 * document, owned by the caller. */
char *part_finish(struct markup *markup, struct json_object *server, size_t *size);

/* A state: lamp and word. */
void part_lamp(struct markup *markup, enum part_state state);

/* No value. */
void part_none(struct markup *markup);

/* --- other people's words
 * --------------------------------------------------------------------------- */

/* On the board a text is cut to this many bytes; 0 stands for all of it. */
#define PART_BOARD_BYTES 300

/* The text with every control character made visible, or replaced where it could turn
 * the text around it; cut to `limit` bytes before that. Owned by the caller. */
char *part_visible(const char *text, size_t limit);

/* The text, made visible and kept apart from what is around it. */
void part_words(struct markup *markup, const char *text, size_t limit);

/* An identifier of which the style sheet shows only the beginning. */
void part_id(struct markup *markup, const char *id);

/* The member of an object as text: "" if missing or null, JSON if it is no text.
 * Borrowed. */
const char *part_member(struct json_object *object, const char *name);

/* The elements of an array that is a member: 0 and NULL where there is none. */
size_t part_count(struct json_object *object, const char *name);
struct json_object *part_element(struct json_object *object, const char *name,
                                 size_t index);

/* --- times, all in UTC
 * -------------------------------------------------------------------------------- */

/* Take RFC 3339 or ""; what is neither is shown as it is. */
void part_time_full(struct markup *markup, const char *when);  /* with its date */
void part_time_clock(struct markup *markup, const char *when); /* to the millisecond */
void part_time_ago(struct markup *markup, const char *when, const char *now);

/* "1.2 s", "3 min 05 s". Owned by the caller. */
char *part_duration(double seconds);

/* --- links
 * -------------------------------------------------------------------------------------------- */

/* Open a link to /status/<id>/<page>. */
void part_open_link(struct markup *markup, const char *id, const char *page);

/* A name as one segment of a path, percent-encoded. Owned by the caller. */
char *part_segment(const char *name);

/* The head of a table: a caption and titles of columns, ended by NULL. Leaves <tbody>
 * open: two closes end the table. */
void part_open_table(struct markup *markup, const char *class, const char *caption,
                     const char *const *columns);

#endif
