/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that tests are made of, as text in one JSON document, so that a run can be
 * made again from what it was made of, whatever has become of the files:
 *
 *   {"files":  [{"path": "/suites/chat/a_test.json", "folder": "chat", "is_test": true}, …],
 *    "texts":  {"/suites/chat/a_test.json": "{…}", …},
 *    "errors": {"/suites/chat/b_test.json": "can't be read: Permission denied", …}}
 *
 * `files` are definitions and dictionaries in their order; `texts` has the files of flows
 * that definitions include, too. Any thread, one at a time.
 */
#ifndef TL_SOURCES_H
#define TL_SOURCES_H

#include "definition.h"
#include "dictionary.h"
#include "mistakes.h"
#include "settings.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

/* Sources without a file. Owned by the caller. */
struct json_object *sources_new(void);

/* Add a definition (is_test) or a dictionary; copies. */
void sources_add(struct json_object *sources, const char *path, const char *folder,
                 bool is_test);

/* Give the text of a file of that path, or why there is none; the other is NULL. Copies;
 * what is known of the path already stays. */
void sources_set_text(struct json_object *sources, const char *path, const char *text,
                      const char *error);

/* Whether the path's text, or why there is none, is known. */
bool sources_has(struct json_object *sources, const char *path);

/* The paths of the files of flows that this definition includes, as far as it can be read
 * at all: an array of texts, owned by the caller. */
struct json_object *sources_includes(const char *path, const char *text);

/* Read them: dictionaries are added to `dictionary` first, then each definition that
 * reads well is handed to `each`, which takes it, while the mistakes stand at its file.
 * Every mistake is noted. Settings may be NULL. Gives the number of definitions that
 * there are, good or not. */
size_t sources_load(struct json_object *sources, struct dictionary *dictionary,
                    const struct settings *settings, struct mistakes *mistakes,
                    void (*each)(struct definition *definition, void *argument),
                    void *argument);

#endif
