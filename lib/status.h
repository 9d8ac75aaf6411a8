/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine's state as JSON, for programs and for the pages. Only reads. The form is the
 * public one of /status.json. Same thread as the engine.
 */
#ifndef TL_STATUS_H
#define TL_STATUS_H

#include "engine.h"

#include <json-c/json.h>

/* What the daemon knows and the engine does not. */
struct status_view {
    const char *version; /* of the server */
    struct instant now;  /* when it is asked */
    /* Wall time of the client's latest poll, 0 if it never polled. */
    int64_t (*last_polled)(void *context, const char *client);
    void *context; /* for last_polled */
};

/* Everything: server, totals, suites with their cases, clients. Owned by the caller. */
struct json_object *status_all(const struct engine *engine,
                               const struct status_view *view);

/* One suite with its cases; NULL if the id is unknown. Owned by the caller. */
struct json_object *status_suite(const struct engine *engine, const char *id,
                                 const struct status_view *view);

/* One case: as in its suite, with the suite's own members under "suite", "details" and
 * "transcript"; NULL if the id is unknown. Owned by the caller. */
struct json_object *status_case(const struct engine *engine, const char *id,
                                const struct status_view *view);

/* "3 of 12 cases done, 4 clients waiting". Owned by the caller. */
char *status_line(const struct engine *engine);

#endif
