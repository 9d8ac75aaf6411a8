/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: runs, their cases, and clients together. Everything that changes it is an
 * input, a function here that takes the moment (lib/input.h has them as JSON); everything
 * that it wants done goes out through struct engine_ops. The same inputs always give the
 * same state. One thread at a time (the daemon's loop).
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
struct run;

/* One homeserver that a case wants. */
struct server_wanted {
    const char *name;  /* as the definition names it */
    const char *image; /* of the container */
};

/* What people look at, each by its id. */
enum engine_thing { ENGINE_RUN, ENGINE_CASE, ENGINE_CLIENT };

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
     * engine_destroyed(). `where` is what engine_created() said; NULL: it said nothing,
     * or was not called. `lost`: nobody waits for create's answer any more, so that they
     * may appear later. */
    void (*destroy)(void *context, const char *deployment, const char *where, bool lost);
    /* Send this request ({method, url, headers, json, text, timeout}, borrowed); the
     * answer is engine_http_answered(). */
    void (*http)(void *context, const char *ticket, struct json_object *request);
    /* A case has started, moved or ended: a line for the log. */
    void (*log)(void *context, const char *line);
    /* What is to be seen of this thing may be something else now, or it is no more; often
     * called several times in one input. NULL: nobody looks. */
    void (*changed)(void *context, enum engine_thing thing, const char *id);
};

/* What came of an input. */
enum engine_result {
    ENGINE_OK = 0,
    ENGINE_UNKNOWN = -1,      /* no such client */
    ENGINE_WRONG_MOMENT = -2, /* not now, for the reason in *cause */
    ENGINE_INVALID = -3,      /* not acceptable, for the reason in *cause */
    ENGINE_UNREADABLE = -4,   /* no input that there is: lib/input.h alone says so */
};

/* Make an engine without runs. Borrows context for its life, copies ops. */
struct engine *engine_new(const struct engine_ops *ops, void *context,
                          const struct instant *now);
void engine_free(struct engine *engine);

/* From now on ask for things through these ops: they are left out while inputs are read
 * back. */
void engine_set_ops(struct engine *engine, const struct engine_ops *ops);

/* --- inputs: *cause is set where the result is not ENGINE_OK; it may be NULL --- */

/* A run was asked for: it is queued. Takes it. ENGINE_WRONG_MOMENT if its id is known:
 * then it is freed. */
enum engine_result engine_add_run(struct engine *engine, struct run *run,
                                  const struct instant *now);

/* The run that engine_next_run() named begins: waiting clients serve it. Nothing if it is
 * not queued, or another one is going. */
void engine_begin_run(struct engine *engine, const char *run, const struct instant *now);

/* Forget a run that has ended and its clients. Nothing if it has not. */
void engine_forget_run(struct engine *engine, const char *run);

/* End what has not ended of a run, or of one case, as errors that say who wanted it ("by
 * NAME"). ENGINE_WRONG_MOMENT if all has ended. */
enum engine_result engine_cancel_run(struct engine *engine, const char *run,
                                     const char *who, const struct instant *now,
                                     char **cause);
enum engine_result engine_cancel_case(struct engine *engine, const char *testcase,
                                      const char *who, const struct instant *now,
                                      char **cause);

/* The process is another one now, and all that the world was asked for before is in
 * doubt: ask again for what can be asked again, and end the cases that can't go on.
 * Whoever was told to exit by engine_stop() is forgotten, and cases may start again. */
void engine_resume(struct engine *engine, const struct instant *now);

/* What the inputs so far have led to besides runs that have begun, so that they need not
 * be read again: clients that wait, ids of those that played, servers, what was cancelled
 * of runs that are queued. As JSON, owned by the caller. And back from it, into an engine
 * that knows no client, but all runs that are queued. */
struct json_object *engine_checkpoint(const struct engine *engine);
void engine_restore(struct engine *engine, struct json_object *checkpoint);

/* The same as it was when this run began; NULL if it has not. Owned by the caller. */
struct json_object *engine_run_checkpoint(const struct engine *engine, const char *run);

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
 * or could not be made (cause). `where`: by whom they were made, or may have been: a text
 * for people that means nothing here and is given back when they are destroyed; NULL: not
 * known, or by nobody. */
void engine_created(struct engine *engine, const char *deployment, const char *where,
                    struct json_object *servers, const char *cause,
                    const struct instant *now);

/* A deployment is no more (or nothing more can be done about it: cause). */
void engine_destroyed(struct engine *engine, const char *deployment, const char *cause,
                      const struct instant *now);

/* A request was answered (reply: {status, headers, json, text}; borrowed), or was not
 * (cause). */
void engine_http_answered(struct engine *engine, const char *ticket,
                          struct json_object *reply, const char *cause,
                          const struct instant *now);

/* Time has passed. `polled`: an object with the wall time of the latest poll of each
 * client that engine_overdue() named, by its id (one that never polled is not in it);
 * NULL: none did. Borrowed. */
void engine_time(struct engine *engine, struct json_object *polled,
                 const struct instant *now);

/* No case starts any more, those that go on end as errors with this reason, so do all
 * runs, all clients exit. */
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
    const char *run;      /* id of the run; borrowed until the next input */
    const char *testcase; /* id of the case; borrowed likewise */
    unsigned attempt;     /* of the case, from 1 */
    const char *role;     /* that the client plays or played; borrowed likewise */
    size_t room;          /* how many files more the attempt may have */
};

/* Whether this client may upload now, and what for. */
enum engine_result engine_upload_target(const struct engine *engine, const char *client,
                                        struct upload_target *target, char **cause);

/* Where the file of this name of a case is: of this attempt (0: the latest that has it).
 * Gives false if there is none. The role is not filled in. */
bool engine_find_file(const struct engine *engine, const char *testcase, unsigned attempt,
                      const char *name, struct upload_target *target);

/* When engine_time() is to be called next, on the monotonic clock: 0 is at once, since
 * there are more cases that can start; INT64_MAX is never. */
int64_t engine_deadline(const struct engine *engine);

/* Call `each` for every client of every case of which engine_time() will do something
 * now. */
void engine_overdue(const struct engine *engine, const struct instant *now,
                    void (*each)(void *argument, const char *client), void *argument);

/* The run that may begin now; NULL: none. Borrowed until the next input. */
const char *engine_next_run(const struct engine *engine);

/* Whether a case of this id is known. */
bool engine_knows_case(const struct engine *engine, const char *testcase);

/* How a run stands. */
enum run_standing { RUN_IS_UNKNOWN, RUN_IS_QUEUED, RUN_IS_GOING, RUN_IS_OVER };
enum run_standing engine_run_standing(const struct engine *engine, const char *run);

/* The ids of the runs that have ended, in their order: handed to `each` (borrowed for the
 * call), with a number that grows with everything that changes in what is to be seen of
 * them. The one that people look at is `shown`. `each` may not change the engine. */
void engine_ended_runs(const struct engine *engine,
                       void (*each)(void *argument, const char *run, bool shown,
                                    size_t changes, const struct instant *ended),
                       void *argument);

/* Call `each` for every run that has begun, also if it has ended, in their order. */
void engine_begun_runs(const struct engine *engine,
                       void (*each)(void *argument, const char *run), void *argument);

/* Call `each` for every client, in the order in which they first registered. */
void engine_clients(const struct engine *engine,
                    void (*each)(void *argument, const char *client), void *argument);

/* Whether it has begun to take a snapshot, and not all of it has come. */
bool engine_is_restoring(const struct engine *engine);

/* Whether there is nothing to go on with: no run has been asked for since the engine was
 * made, or since it was told to stop. */
bool engine_is_fresh(const struct engine *engine);

/* How many runs the engine has that are not there only to be looked at. */
size_t engine_run_count(const struct engine *engine);

/* How many clients are known. */
size_t engine_client_count(const struct engine *engine);

/* Whether no run is going or queued, and whether there is one that people look at, all
 * cases of which succeeded. */
bool engine_is_done(const struct engine *engine);
bool engine_succeeded(const struct engine *engine);

/* The actions that the run knows that people look at; NULL: it has none. Borrowed until
 * the next input. */
const struct dictionary *engine_dictionary(const struct engine *engine);

/* Deployments that were asked for and are not yet destroyed. */
size_t engine_deployments(const struct engine *engine);

/* Call `each` for those of them of which it is known where they were made. */
void engine_made_deployments(const struct engine *engine,
                             void (*each)(void *argument, const char *deployment,
                                          const char *where),
                             void *argument);

#endif
