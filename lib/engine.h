/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: cases and clients together. Everything that changes it is an input, a
 * function here that takes the moment; everything that it wants done goes out through
 * struct engine_ops. The same inputs always give the same state. One thread at a time
 * (the daemon's loop).
 */
#ifndef TL_ENGINE_H
#define TL_ENGINE_H

#include "clock.h"
#include "definition.h"
#include "settings.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;

/* One homeserver that a case wants. */
struct server_wanted {
    const char *name;  /* as the definition names it */
    const char *image; /* of the container */
};

/* What the engine asks of the world. May be called in the middle of an input: none of
 * these may call an input back before the input has returned. */
struct engine_ops {
    /* What a poll of this client is told has changed. */
    void (*wake)(void *context, const char *client);
    /* Make these servers; the answer is engine_created(). The strings are borrowed for
     * the call. */
    void (*create)(void *context, const char *deployment,
                   const struct server_wanted *servers, size_t count);
    /* Destroy them, also if create has not answered yet; the answer is
     * engine_destroyed(). */
    void (*destroy)(void *context, const char *deployment);
    /* Send this request ({method, url, headers, json, text, timeout}, borrowed); the answer is
     * engine_http_answered(). */
    void (*http)(void *context, const char *ticket, struct json_object *request);
    /* Wall time of the client's latest poll, 0 if it never polled: asked when a time-out strikes. */
    int64_t (*last_polled)(void *context, const char *client);
    /* A case has started, moved or ended: a line for the log. */
    void (*log)(void *context, const char *line);
};

/* What came of an input. */
enum engine_result {
    ENGINE_OK = 0,
    ENGINE_UNKNOWN = -1,      /* no such client */
    ENGINE_WRONG_MOMENT = -2, /* not now, for the reason in *cause */
    ENGINE_INVALID = -3,      /* not acceptable, for the reason in *cause */
    ENGINE_FULL = -4,         /* no room */
};

/* Make an engine without cases. Borrows settings and context for its life, copies ops.
 * All ids are derived from run_id, a UUID. */
struct engine *engine_new(const struct settings *settings, const struct engine_ops *ops,
                          void *context, const char *run_id, const struct instant *now);
void engine_free(struct engine *engine);

/* Add a test: all its cases that settings->only lets through, `repeat` times each; none without any.
 * Takes the definition. Notes mistakes,
 * and then adds nothing and gives false. Cases may start only when engine_begin() was
 * called. */
bool engine_add_suite(struct engine *engine, struct definition *definition, size_t repeat,
                      struct mistakes *mistakes);

/* All suites are there: cases may start. */
void engine_begin(struct engine *engine, const struct instant *now);

/* --- inputs: *cause is set where the result is not ENGINE_OK; it may be NULL
 * -------------------- */

/* A client registers. Takes nothing; keeps a reference to the registration, an object
 * whose `type` was checked. */
enum engine_result engine_register(struct engine *engine, const char *client,
                                   struct json_object *registration,
                                   const struct instant *now, char **cause);

/* A client reports about a delivery. `strict`: the adapter named the delivery itself, and
 * wants to hear what was wrong; otherwise whatever does not fit is taken without a word.
 */
enum engine_result engine_report(struct engine *engine, const char *client,
                                 const char *delivery, bool strict,
                                 struct json_object *body, const struct instant *now,
                                 char **cause);

/* A client says that its adapter is broken (is_action: that its action failed). */
enum engine_result engine_client_error(struct engine *engine, const char *client,
                                       bool is_action, const char *details,
                                       const char *path, const struct instant *now);

/* A file that a client uploaded is stored under this name, or anew: `size` bytes, the
 * colour of its centre pixel if it is a picture, else NULL. */
enum engine_result engine_uploaded(struct engine *engine, const char *client,
                                   const char *name, size_t size, const char *colour,
                                   const struct instant *now, char **cause);

/* A client was not heard of for too long: one that waits is forgotten, one that plays
 * ends its case with this reason. */
void engine_lost(struct engine *engine, const char *client, const char *reason,
                 const struct instant *now);

/* The servers of a deployment are there (array of {name, server_name, cs_api}; borrowed),
 * or could not be made (cause). */
void engine_created(struct engine *engine, const char *deployment,
                    struct json_object *servers, const char *cause,
                    const struct instant *now);

/* A deployment is no more (or nothing more can be done about it: cause). */
void engine_destroyed(struct engine *engine, const char *deployment, const char *cause,
                      const struct instant *now);

/* A request was answered (reply: {status, headers, json, text}; borrowed), or was not (cause). */
void engine_http_answered(struct engine *engine, const char *ticket,
                          struct json_object *reply, const char *cause,
                          const struct instant *now);

/* Time has passed. */
void engine_time(struct engine *engine, const struct instant *now);

/* No case starts any more, those that go on end as errors with this reason, all clients
 * exit. */
void engine_stop(struct engine *engine, const char *reason, const struct instant *now);

/* --- reading --- */

enum poll_kind {
    POLL_ANSWER, /* there is something to say at once */
    POLL_IDLE,   /* nothing to do now: hold, then idle */
};

struct poll {
    enum poll_kind kind;
    const char *answer; /* POLL_ANSWER: the JSON to send; borrowed until the next input */
    const char *delivery; /* of an action; NULL for exit; borrowed likewise */
    const char *reason;   /* POLL_IDLE: why there is nothing to do; static */
    bool is_exit;         /* the answer is exit */
};

/* What this client is to be told now. */
struct poll engine_poll(const struct engine *engine, const char *client);

/* Whether the client is known, waits for a case, or plays in one. */
enum client_standing {
    CLIENT_IS_UNKNOWN,
    CLIENT_IS_WAITING,
    CLIENT_IS_PLAYING,
    CLIENT_IS_OVER
};
enum client_standing engine_client_standing(const struct engine *engine,
                                            const char *client);

/* What uploads of a client are of. */
struct upload_target {
    const char *testcase; /* id of the case; borrowed until the next input */
    const char *role;     /* that the client plays or played; borrowed likewise */
    size_t room;          /* how many files more the case may have */
};

/* Whether this client may upload now, and what for. */
enum engine_result engine_upload_target(const struct engine *engine, const char *client,
                                        struct upload_target *target, char **cause);

/* Whether the case has a file of this name. */
bool engine_has_file(const struct engine *engine, const char *testcase, const char *name);

/* When engine_time() is to be called next, on the monotonic clock; INT64_MAX: no need. */
int64_t engine_deadline(const struct engine *engine);

/* How many clients are known. */
size_t engine_client_count(const struct engine *engine);

/* Whether no case can change any more, and whether all of them succeeded. */
bool engine_is_done(const struct engine *engine);
bool engine_succeeded(const struct engine *engine);

/* Deployments that were asked for and are not yet destroyed. */
size_t engine_deployments(const struct engine *engine);

#endif
