/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The actions that mean something in the video calls of a simulation, and what a report
 * says of them. Any thread, one at a time.
 */
#ifndef TL_CALL_ACTIONS_H
#define TL_CALL_ACTIONS_H

#include "calls.h"

/* Let the caller do an action with its data (an object or NULL). Sets what is known in
 * the report, and takes pictures that the report names into the album. Gives 0, also for
 * actions that mean nothing in calls; -1 with *cause if it can't be done. */
int call_action_do(struct caller *caller, const char *action, struct json_object *data,
                   struct json_object *report, struct album *album, char **cause)
    __attribute__((warn_unused_result));

#endif
