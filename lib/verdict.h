/* SPDX-License-Identifier: Apache-2.0 */
/* How something ended, and why. Any thread, one at a time. */
#ifndef TL_VERDICT_H
#define TL_VERDICT_H

#include <json-c/json.h>

/* Of the details of a verdict so much is kept for the people who read it. */
#define DETAILS_BYTES 20000

enum outcome { OUTCOME_NONE, OUTCOME_SUCCESS, OUTCOME_FAILED, OUTCOME_ERROR };

/* All zero: it has not ended. */
struct verdict {
    enum outcome outcome; /* OUTCOME_NONE while it goes on */
    char *type;           /* the kind of reason in a word, for JUnit: "timeout"; owned */
    char *message;        /* the reason in a sentence; owned */
    char *details;        /* more text, or NULL; owned */
};

/* Make one; copies. `details` may be NULL, and are shortened. */
struct verdict verdict_make(enum outcome outcome, const char *type, const char *message,
                            const char *details);

/* Free what it owns; it is all zero then. */
void verdict_clear(struct verdict *verdict);

/* "success", "failed", "error"; "" for OUTCOME_NONE. */
const char *outcome_text(enum outcome outcome);

/* The verdict as JSON, owned by the caller; and one from such JSON. NULL is one that is
 * all zero; so is what is none. */
struct json_object *verdict_json(const struct verdict *verdict);
struct verdict verdict_read(struct json_object *json);

#endif
