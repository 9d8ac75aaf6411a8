/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions of assert and check: whether one holds, and if not, a sentence that shows
 * both sides. Any thread, one at a time.
 */
#ifndef TL_CONDITION_H
#define TL_CONDITION_H

#include "mistakes.h"

#include <json-c/json.h>
#include <stdbool.h>

/* What conditions are about; everything is borrowed. */
struct condition_world {
    struct json_object *scope; /* what `${…}` finds */
    struct json_object
        *reporters;              /* saved name -> role that reported it, for sentences */
    struct json_object *missing; /* name -> why a find gave it no value, for sentences */
    struct json_object *colours; /* stored file's name -> colour of its centre pixel */
};

/* Note every mistake in the form of a condition. */
void condition_check(struct json_object *condition, const struct where *where,
                     struct mistakes *mistakes);

/* Whether it holds; if not, *why says so in a sentence, owned by the caller. A value that
 * is missing makes it not hold, and its contrary neither. */
bool condition_holds(struct json_object *condition, const struct condition_world *world,
                     char **why);

/* Why a value is missing: what the expansion said (taken), and the reason behind it that
 * `missing` has for the name. Owned by the caller. */
char *condition_explain_missing(struct json_object *missing, char *cause);

/* Whether `part` is in `whole`: objects by their members, deeply; anything else if it is
 * equal, where numbers compare by value. */
bool condition_is_subset(struct json_object *part, struct json_object *whole);

#endif
