/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happened in a case, line by line, for people who want to know why it ended as it
 * did. Bounded: past its limit lines are only counted. Any thread, one at a time.
 */
#ifndef TL_TRANSCRIPT_H
#define TL_TRANSCRIPT_H

#include "clock.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

/* X-macro: what a line is about. */
#define TRANSCRIPT_KINDS(X)                                                              \
    X(STATE, "state")       /* a state was entered */                                    \
    X(ACTION, "action")     /* a role was given something to do */                       \
    X(RESPONSE, "response") /* a report was taken */                                     \
    X(ERROR, "error")       /* an adapter said that it is broken */                      \
    X(SERVER, "server")     /* about homeservers */                                      \
    X(UPLOAD, "upload")     /* a file was stored */                                      \
    X(NOTE, "note")         /* anything else worth knowing */                            \
    X(END, "end")           /* the outcome */

enum transcript_kind {
#define TRANSCRIPT_ENUM(name, text) TRANSCRIPT_##name,
    TRANSCRIPT_KINDS(TRANSCRIPT_ENUM)
#undef TRANSCRIPT_ENUM
};

struct transcript_line {
    int64_t wall_ms;           /* when */
    enum transcript_kind kind; /* what it is about */
    const char *role;          /* whose; NULL: nobody's; borrowed from the machine */
    char *text;                /* shortened; owned */
};

struct transcript {
    struct transcript_line *lines; /* owned */
    size_t count;                  /* length of lines */
    size_t capacity;               /* allocated length of lines */
    size_t limit;                  /* count never exceeds this */
    size_t dropped;                /* lines that came after */
};

/* Add a line. Borrows role for the transcript's life. */
void transcript_add(struct transcript *transcript, const struct instant *now,
                    enum transcript_kind kind, const char *role, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

void transcript_clear(struct transcript *transcript);

/* Up to `count` lines from number `first` on as JSON; whose they are is said by the place
 * in `roles`. Owned by the caller. */
struct json_object *transcript_json(const struct transcript *transcript, size_t first,
                                    size_t count, char *const *roles, size_t role_count);

/* Append lines from such JSON. Borrows roles for the transcript's life. False if it does
 * not fit: some lines may be there then. */
bool transcript_read(struct transcript *transcript, struct json_object *json,
                     char *const *roles, size_t role_count);

/* "state", "action" … */
const char *transcript_kind_text(enum transcript_kind kind);

#endif
