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

/* The views that every page leads to. */
enum part_view {
    PART_NO_VIEW,
    PART_BOARD,
    PART_RUNS,
    PART_HISTORY,
    PART_ACTIONS,
    PART_MANUAL,
};

/* How soon the browser asks again, in seconds: while things change, the same where a
 * person may be filling in a form, and while one may read what would be folded again. */
#define PART_SOON  5
#define PART_FORM  10
#define PART_LATER 30

struct part_frame {
    const char *title;   /* what goes on, in a few words; borrowed */
    unsigned lights;     /* PART_RED | … */
    unsigned refresh;    /* seconds until the browser asks again; 0: nothing changes */
    enum part_view view; /* which one it is, or belongs to */
};

/* Begin a page: everything up to the inside of <main>. One that changes is kept true by
 * src/web/live.js whenever anything changes, and one about the run or case of this id when
 * that does; browsers without scripts ask again. */
struct markup *part_begin(const struct part_frame *frame);
struct markup *part_begin_about(const struct part_frame *frame, const char *id);

/* The same of a page that a script of its own, below /static/, keeps true: only browsers
 * without scripts ask again. */
struct markup *part_begin_scripted(const struct part_frame *frame, const char *script);

/* End it: a footer about the server (the member of status.json, or NULL). Returns the
 * document, owned by the caller. */
char *part_finish(struct markup *markup, struct json_object *server, size_t *size);

/* A state: lamp and word; and the same with a word that says more. */
void part_lamp(struct markup *markup, enum part_state state);
void part_lamp_saying(struct markup *markup, enum part_state state, const char *word);

/* A section under a heading of this level ("h2"), with an id of its own. */
void part_open_section(struct markup *markup, const char *level, const char *title,
                       const char *id);

/* --- attempts --- */

/* Which attempt a case is at, or ended with, from 1 on. */
size_t part_attempt(struct json_object *testcase);

/* "2nd attempt", or "for its 2nd attempt" while the case waits; nothing for the first.
 * Marked if the case is flaky. */
void part_put_attempt(struct markup *markup, struct json_object *testcase);

/* --- elements that are found again --- */

/* The attribute id of the element just opened: "case-…", whatever the id is. Nothing if
 * `known`, an object that is kept for the page, has it already. */
void part_put_id(struct markup *markup, struct json_object *known, const char *kind,
                 const char *id);

/* --- links --- */

/* Open a link to /status/<id>/<page>, and one to /runs/<id>/<page>. */
void part_open_link(struct markup *markup, const char *id, const char *page);
void part_open_run_link(struct markup *markup, const char *id, const char *page);

/* The way down to a page: all runs, this one (where its id is not ""), then what comes
 * after it. Leaves it open for more. */
void part_open_path(struct markup *markup, const char *run);

/* Where on the page of the history a test's case is: its number ("#2") does not count.
 * Needs no escaping anywhere. Owned by the caller. */
char *part_trend_id(const char *test, const char *name);

/* The head of a table: a caption and titles of columns, ended by NULL. Leaves <tbody>
 * open: two closes end the table. */
void part_open_table(struct markup *markup, const char *class, const char *caption,
                     const char *const *columns);

#endif
