/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dictionary of actions: which actions exist, what data they take, what adapters
 * answer, and which kinds of clients can do them. Made from `*.actions.json` files. Any
 * thread, one at a time.
 */
#ifndef TL_DICTIONARY_H
#define TL_DICTIONARY_H

#include "mistakes.h"

#include <json-c/json.h>

struct dictionary;
struct action_entry;

struct dictionary *dictionary_new(void);
void dictionary_free(struct dictionary *dictionary);

/* Add what a file holds: `{"actions": {NAME: {…}}, "flows": {…}}`. Borrows root. Every
 * mistake is noted; entries without one are added. An action that is there already is a
 * mistake. */
void dictionary_add(struct dictionary *dictionary, struct json_object *root,
                    struct mistakes *mistakes);

/* Add the actions of an object `{NAME: {…}}` that stands at `where` in its file. */
void dictionary_add_actions(struct dictionary *dictionary, struct json_object *actions,
                            const struct where *where, struct mistakes *mistakes);

/* A dictionary that has all that this one has, to which a definition's own actions can be
 * added. */
struct dictionary *dictionary_copy(const struct dictionary *dictionary);

/* The entry of an action, or NULL. Borrowed. */
const struct action_entry *dictionary_find(const struct dictionary *dictionary,
                                           const char *action);

/* The name of an action that looks most like this one, or NULL when none is near.
 * Borrowed. */
const char *dictionary_nearest(const struct dictionary *dictionary, const char *action);

/* The steps of a flow that emulates an action, or NULL. Borrowed. */
struct json_object *dictionary_flow(const struct dictionary *dictionary,
                                    const char *name);

/* How many actions there are. */
size_t dictionary_size(const struct dictionary *dictionary);

/* A member of an entry ("data", "template", "responses", "emulate", …) as it is for a
 * registration type: what `for` gives for the type, else what the entry gives. Borrowed;
 * NULL if neither. */
struct json_object *action_entry_member(const struct action_entry *entry,
                                        const char *type, const char *member);

/* The name that a report without `response` stands for: the first of the entry's
 * responses, else the action's own name. Borrowed. */
const char *action_entry_canonical(const struct action_entry *entry, const char *type);

/* Whether this registration type is known to do the action. */
bool action_entry_supports(const struct action_entry *entry, const char *type);

/* Check data given for the action against what the entry says of it: required members
 * that are missing, members that it does not know, values of the wrong type. Notes at
 * `where`, which is the action's own place. */
void action_entry_check_data(const struct action_entry *entry, const char *type,
                             struct json_object *data, const struct where *where,
                             struct mistakes *mistakes);

/* All of it as one document, in the form of the files. Owned by the caller. */
struct json_object *dictionary_json(const struct dictionary *dictionary);

#endif
