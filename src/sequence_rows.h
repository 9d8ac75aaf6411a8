/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happened in an attempt, as a sequence diagram has it: who takes part, each with a
 * lane, and what passes between them, row by row. Read from the documents of lib/status.h
 * and their transcripts, so that a run of last month has it, too. Any thread.
 */
#ifndef TL_SEQUENCE_ROWS_H
#define TL_SEQUENCE_ROWS_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

/* X-macro: what a row is about; the word is its class. */
#define SEQUENCE_KINDS(X)                                                                \
    X(STATE, "state")   /* a state was entered: across all lanes */                      \
    X(END, "end")       /* the outcome: across all lanes */                              \
    X(PAUSE, "pause")   /* nothing happened for a while */                               \
    X(NOTE, "note")     /* beside the lane */                                            \
    X(ACTION, "action") /* trafficlight asks the lane */                                 \
    X(REPORT, "report") /* the lane answers */                                           \
    X(UPLOAD, "upload") /* the lane sends a file */                                      \
    X(ERROR, "error")   /* the lane says that it is broken */

enum sequence_kind {
#define SEQUENCE_ENUM(name, word) SEQUENCE_##name,
    SEQUENCE_KINDS(SEQUENCE_ENUM)
#undef SEQUENCE_ENUM
};

/* Who takes part. */
struct sequence_lane {
    char *name;       /* of the role or server; owned */
    char *about;      /* the client's type, the server's name; owned */
    const char *url;  /* of a server; NULL: it is none; borrowed from the document */
    bool speaks;      /* something passes between it and trafficlight */
    bool is_asked;    /* while rows are read: it has not answered what it was asked */
    bool is_busy_now; /* the same, as the document has it for now */
};

struct sequence_row {
    enum sequence_kind kind; /* see SEQUENCE_KINDS */
    size_t lane;             /* whose; trafficlight's for what is nobody's */
    bool frees;              /* the lane is not asked for anything any more */
    char *name;              /* of the state, action, response …; owned */
    char *words;             /* what there is to say besides; owned */
    const char *full;        /* the transcript's line, "" if none; borrowed */
    const char *time;        /* of the line, "" if none; borrowed from the document */
    size_t line;             /* its number, from 1 on; 0: it is none */
    double seconds;          /* since the first line; negative: not known */
};

struct sequence {
    struct sequence_lane *lanes; /* servers, trafficlight, roles; owned */
    size_t lane_count;           /* of all */
    size_t home;                 /* which lane is trafficlight's */
    struct sequence_row *rows;   /* owned */
    size_t row_count;            /* length of rows */
    size_t row_capacity;         /* allocated length of rows */
    size_t hidden;               /* lines before the first row */
};

/* Read an attempt, or a case, of lib/status.h: its last `limit` lines. Borrows it for the
 * life of the sequence. */
struct sequence *sequence_read(struct json_object *attempt, size_t limit);
void sequence_free(struct sequence *sequence);

/* "action" … */
const char *sequence_kind_text(enum sequence_kind kind);

#endif
