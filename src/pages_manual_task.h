/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person who is a client is asked to do: in words, with its data, and the ways to
 * answer. Of playing_json() in lib/playing.h, where there is a task. Any thread.
 */
#ifndef TL_PAGES_MANUAL_TASK_H
#define TL_PAGES_MANUAL_TASK_H

#include "markup.h"

#include <json-c/json.h>

/* The task as a sentence of text. Owned by the caller. */
char *task_sentence(struct json_object *playing);

/* The same on the page, with the values standing out. */
void task_put_sentence(struct markup *markup, struct json_object *playing);

/* Its data, and the forms to answer with. */
void task_put(struct markup *markup, struct json_object *playing);

/* A name as words: "logged_in" and "loggedIn" are "Logged in". Owned by the caller. */
char *task_words(const char *name);

#endif
