/* SPDX-License-Identifier: Apache-2.0 */
/* What the rooms of a snapshot share: lib/snapshot.c makes the parts, lib/snapshot_restore.c
 * takes them, lib/snapshot_case.c knows cases both ways. Nobody else includes this. */
#ifndef TL_SNAPSHOT_INTERNAL_H
#define TL_SNAPSHOT_INTERNAL_H

#include "engine_internal.h"

/* Of the form of all parts together. */
#define SNAPSHOT_VERSION 1

/* Lines of a transcript in one part. */
#define SNAPSHOT_LINES 500

/* The case is as it was made. */
bool snapshot_is_untouched(const struct testcase *testcase);

/* A case with its attempts, but for their lines. Owned by the caller. */
struct json_object *snapshot_case(const struct testcase *testcase);

/* Lines of an attempt from number `first` on: of its machine's transcript, or of what was
 * before. NULL: there are none. Owned by the caller. */
struct json_object *snapshot_lines(const struct turn *turn, bool of_machine,
                                   size_t first);

/* Take such parts. False with *cause if they do not fit. */
bool snapshot_restore_case(struct engine *engine, struct json_object *part, char **cause);
bool snapshot_restore_lines(struct engine *engine, struct json_object *part,
                            char **cause);

/* A turn of a case by their members "case" and "turn"; NULL: there is none. */
struct turn *snapshot_find_turn(const struct engine *engine, struct json_object *json);

#endif
