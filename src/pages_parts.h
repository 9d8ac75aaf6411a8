/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all pages are made of: their frame, lamps, links and tables.
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
const char *part_state_sign(enum part_state state);

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

/* --- links --- */

/* Open a link to /status/<id>/<page>. */
void part_open_link(struct markup *markup, const char *id, const char *page);

/* The head of a table: a caption and titles of columns, ended by NULL. Leaves <tbody>
 * open: two closes end the table. */
void part_open_table(struct markup *markup, const char *class, const char *caption,
                     const char *const *columns);

#endif
