/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What simulated clients say: how they introduce themselves, and what they report for an
 * action. It is made from the dictionary of actions, and from what a person wants
 * otherwise. Any thread, one at a time; only answers_add_file() blocks.
 */
#ifndef TL_ANSWERS_H
#define TL_ANSWERS_H

#include "dice.h"

#include <json-c/json.h>

struct answers;

/* Answers by the shipped dictionary. */
struct answers *answers_new(void);
void answers_free(struct answers *answers);

/* Know the actions of more `*.actions.json` files too: a file, a folder or a glob. Gives
 * 0, or -1 with *cause, one mistake a line. */
int answers_add_file(struct answers *answers, const char *path, char **cause);

/* Take "ACTION=RESPONSE": this action is always answered so; an empty RESPONSE leaves it
 * out of the report. Gives 0, or -1 with *cause. */
int answers_respond(struct answers *answers, const char *text, char **cause);

/* Take "NAME=VALUE": a member of every registration. Gives 0, or -1 with *cause. */
int answers_member(struct answers *answers, const char *text, char **cause);

/* How often an answer is "failed", from 0 to 1. */
void answers_fail(struct answers *answers, double rate);

/* The body with which a client of this type registers. Owned by the caller. */
struct json_object *answers_registration(const struct answers *answers, const char *type);

/* The report of a client of this type about an action that a poll gave. Borrows the
 * delivery (an object with `action`); the report is owned by the caller. An action that
 * the dictionary does not have is answered by the first name that the delivery accepts,
 * or by "error" where it names none. */
struct json_object *answers_report(const struct answers *answers, const char *type,
                                   struct json_object *delivery, struct dice *dice);

#endif
