/* SPDX-License-Identifier: Apache-2.0 */
/* The inputs of the engine as JSON: each kind has one function that makes it and one that
 * applies it, side by side; a table at the end names them. */
#include "input.h"

#include "ids.h"
#include "json.h"
#include "run.h"
#include "snapshot.h"
#include "utf8.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

static struct json_object *input_new(const char *kind)
{
    struct json_object *input = json_new_object();

    json_put_text(input, "input", kind);
    return input;
}

/* What a peer or a library says may be no UTF-8, which could not be read back. */
static void put_clean(struct json_object *input, const char *name, const char *text)
{
    char *clean = text != NULL ? utf8_clean(text) : NULL;

    json_put_text(input, name, clean);
    free(clean);
}

static const char *text(struct json_object *input, const char *name)
{
    return json_member_text(input, name);
}

static bool flag(struct json_object *input, const char *name)
{
    return json_object_get_boolean(json_member(input, name));
}

/* --- clients --- */

struct json_object *input_register(const char *client, struct json_object *registration)
{
    struct json_object *input = input_new("register");

    put_clean(input, "client", client);
    json_put(input, "registration", json_object_get(registration));
    return input;
}

static enum engine_result apply_register(struct engine *engine, struct json_object *input,
                                         const struct instant *now, char **cause)
{
    return engine_register(engine, text(input, "client"),
                           json_member(input, "registration"), now, cause);
}

struct json_object *input_report(const char *client, const char *delivery, bool strict,
                                 struct json_object *body)
{
    struct json_object *input = input_new("report");

    put_clean(input, "client", client);
    put_clean(input, "delivery", delivery != NULL ? delivery : "");
    json_put_bool(input, "strict", strict);
    json_put(input, "body", json_object_get(body));
    return input;
}

static enum engine_result apply_report(struct engine *engine, struct json_object *input,
                                       const struct instant *now, char **cause)
{
    return engine_report(engine, text(input, "client"), text(input, "delivery"),
                         flag(input, "strict"), json_member(input, "body"), now, cause);
}

struct json_object *input_client_error(const char *client, bool is_action,
                                       const char *details, const char *path)
{
    struct json_object *input = input_new("error");

    put_clean(input, "client", client);
    json_put_bool(input, "is_action", is_action);
    put_clean(input, "details", details);
    put_clean(input, "path", path);
    return input;
}

static enum engine_result apply_client_error(struct engine *engine,
                                             struct json_object *input,
                                             const struct instant *now, char **cause)
{
    (void)cause;
    return engine_client_error(engine, text(input, "client"), flag(input, "is_action"),
                               text(input, "details"), text(input, "path"), now);
}

struct json_object *input_uploaded(const char *client, const char *name, size_t size,
                                   const char *colour)
{
    struct json_object *input = input_new("uploaded");

    put_clean(input, "client", client);
    put_clean(input, "name", name);
    json_put_int(input, "size", (int64_t)size);
    put_clean(input, "colour", colour);
    return input;
}

static enum engine_result apply_uploaded(struct engine *engine, struct json_object *input,
                                         const struct instant *now, char **cause)
{
    return engine_uploaded(engine, text(input, "client"), text(input, "name"),
                           (size_t)json_object_get_int64(json_member(input, "size")),
                           text(input, "colour"), now, cause);
}

struct json_object *input_lost(const char *client, const char *reason)
{
    struct json_object *input = input_new("lost");

    put_clean(input, "client", client);
    put_clean(input, "reason", reason);
    return input;
}

static enum engine_result apply_lost(struct engine *engine, struct json_object *input,
                                     const struct instant *now, char **cause)
{
    (void)cause;
    engine_lost(engine, text(input, "client"), text(input, "reason"), now);
    return ENGINE_OK;
}

/* --- the world --- */

struct json_object *input_created(const char *deployment, const char *where,
                                  struct json_object *servers, const char *cause)
{
    struct json_object *input = input_new("created");

    put_clean(input, "deployment", deployment);
    if (where != NULL)
        put_clean(input, "where", where);
    json_put(input, "servers", json_object_get(servers));
    put_clean(input, "cause", cause);
    return input;
}

static enum engine_result apply_created(struct engine *engine, struct json_object *input,
                                        const struct instant *now, char **cause)
{
    (void)cause;
    engine_created(engine, text(input, "deployment"), text(input, "where"),
                   json_member(input, "servers"), text(input, "cause"), now);
    return ENGINE_OK;
}

struct json_object *input_destroyed(const char *deployment, const char *cause)
{
    struct json_object *input = input_new("destroyed");

    put_clean(input, "deployment", deployment);
    put_clean(input, "cause", cause);
    return input;
}

static enum engine_result apply_destroyed(struct engine *engine,
                                          struct json_object *input,
                                          const struct instant *now, char **cause)
{
    (void)cause;
    engine_destroyed(engine, text(input, "deployment"), text(input, "cause"), now);
    return ENGINE_OK;
}

struct json_object *input_http_answered(const char *ticket, struct json_object *reply,
                                        const char *cause)
{
    struct json_object *input = input_new("answered");

    put_clean(input, "ticket", ticket);
    json_put(input, "reply", json_object_get(reply));
    put_clean(input, "cause", cause);
    return input;
}

static enum engine_result apply_http_answered(struct engine *engine,
                                              struct json_object *input,
                                              const struct instant *now, char **cause)
{
    (void)cause;
    engine_http_answered(engine, text(input, "ticket"), json_member(input, "reply"),
                         text(input, "cause"), now);
    return ENGINE_OK;
}

struct json_object *input_time(struct json_object *polled)
{
    struct json_object *input = input_new("time");

    if (polled != NULL)
        json_put(input, "polled", json_object_get(polled));
    return input;
}

static enum engine_result apply_time(struct engine *engine, struct json_object *input,
                                     const struct instant *now, char **cause)
{
    (void)cause;
    engine_time(engine, json_member(input, "polled"), now);
    return ENGINE_OK;
}

struct json_object *input_stop(const char *reason)
{
    struct json_object *input = input_new("stop");

    put_clean(input, "reason", reason);
    return input;
}

static enum engine_result apply_stop(struct engine *engine, struct json_object *input,
                                     const struct instant *now, char **cause)
{
    (void)cause;
    engine_stop(engine, text(input, "reason"), now);
    return ENGINE_OK;
}

struct json_object *input_resume(void)
{
    return input_new("resume");
}

static enum engine_result apply_resume(struct engine *engine, struct json_object *input,
                                       const struct instant *now, char **cause)
{
    (void)input, (void)cause;
    engine_resume(engine, now);
    return ENGINE_OK;
}

/* --- runs --- */

struct json_object *input_add_run(struct json_object *plan)
{
    struct json_object *input = input_new("run");

    json_put(input, "plan", json_object_get(plan));
    return input;
}

static enum engine_result apply_add_run(struct engine *engine, struct json_object *input,
                                        const struct instant *now, char **cause)
{
    struct mistakes *mistakes = mistakes_new();
    struct run *run = run_read(json_member(input, "plan"), mistakes);

    (void)cause;
    mistakes_free(mistakes); /* they were told when the run was asked for */
    return engine_add_run(engine, run, now);
}

struct json_object *input_begin_run(const char *run, struct json_object *checkpoint)
{
    struct json_object *input = input_new("begin");

    put_clean(input, "run", run);
    if (checkpoint != NULL)
        json_put(input, "checkpoint", json_object_get(checkpoint));
    return input;
}

static enum engine_result apply_begin_run(struct engine *engine,
                                          struct json_object *input,
                                          const struct instant *now, char **cause)
{
    (void)cause;
    engine_begin_run(engine, text(input, "run"), now);
    return ENGINE_OK;
}

struct json_object *input_forget_run(const char *run)
{
    struct json_object *input = input_new("forget");

    put_clean(input, "run", run);
    return input;
}

static enum engine_result apply_forget_run(struct engine *engine,
                                           struct json_object *input,
                                           const struct instant *now, char **cause)
{
    (void)now, (void)cause;
    engine_forget_run(engine, text(input, "run"));
    return ENGINE_OK;
}

struct json_object *input_cancel_run(const char *run, const char *who)
{
    struct json_object *input = input_new("cancel run");

    put_clean(input, "run", run);
    put_clean(input, "who", who);
    return input;
}

static enum engine_result apply_cancel_run(struct engine *engine,
                                           struct json_object *input,
                                           const struct instant *now, char **cause)
{
    return engine_cancel_run(engine, text(input, "run"), text(input, "who"), now, cause);
}

struct json_object *input_cancel_case(const char *testcase, const char *who)
{
    struct json_object *input = input_new("cancel case");

    put_clean(input, "case", testcase);
    put_clean(input, "who", who);
    return input;
}

static enum engine_result apply_cancel_case(struct engine *engine,
                                            struct json_object *input,
                                            const struct instant *now, char **cause)
{
    return engine_cancel_case(engine, text(input, "case"), text(input, "who"), now,
                              cause);
}

/* --- what inputs have led to --- */

struct json_object *input_snapshot(struct json_object *part)
{
    struct json_object *input = input_new("snapshot");

    json_put(input, "part", part);
    return input;
}

static enum engine_result apply_snapshot(struct engine *engine, struct json_object *input,
                                         const struct instant *now, char **cause)
{
    return snapshot_restore(engine, json_member(input, "part"), now, cause);
}

/* --- what their members must be --- */

/* Whether the member is an array of which each item fits. */
static bool each_fits(struct json_object *object, const char *name,
                      bool (*fits)(struct json_object *item))
{
    struct json_object *array = json_member(object, name);
    bool good = json_object_is_type(array, json_type_array);

    for (size_t i = 0; good && i < json_object_array_length(array); i++)
        good = fits(json_object_array_get_idx(array, i));
    return good;
}

static bool is_id(const char *id)
{
    return id != NULL && strlen(id) == ID_SIZE - 1;
}

static bool is_registration(struct json_object *registration)
{
    return json_object_is_type(registration, json_type_object) &&
           text(registration, "type") != NULL;
}

static bool fits_register(struct json_object *input)
{
    return is_registration(json_member(input, "registration"));
}

static bool is_server(struct json_object *server)
{
    return text(server, "name") != NULL && text(server, "server_name") != NULL &&
           text(server, "cs_api") != NULL;
}

static bool fits_created(struct json_object *input)
{
    return text(input, "cause") != NULL || each_fits(input, "servers", is_server);
}

static bool fits_answered(struct json_object *input)
{
    return text(input, "cause") != NULL ||
           json_object_is_type(json_member(input, "reply"), json_type_object);
}

static bool is_file(struct json_object *file)
{
    return text(file, "path") != NULL && text(file, "folder") != NULL;
}

static bool fits_run(struct json_object *input)
{
    struct json_object *plan = json_member(input, "plan");

    return is_id(text(plan, "id")) && text(plan, "dictionary") != NULL &&
           each_fits(plan, "only", json_is_text) &&
           each_fits(json_member(plan, "sources"), "files", is_file);
}

static bool is_waiting_client(struct json_object *client)
{
    return text(client, "id") != NULL &&
           is_registration(json_member(client, "registration"));
}

static bool is_deployment(struct json_object *deployment)
{
    return text(deployment, "name") != NULL;
}

static bool is_cancelled_case(struct json_object *testcase)
{
    return text(testcase, "id") != NULL && text(testcase, "message") != NULL;
}

static bool is_cancelled_run(struct json_object *run)
{
    return text(run, "id") != NULL && each_fits(run, "cases", is_cancelled_case);
}

static bool fits_begin(struct json_object *input)
{
    struct json_object *checkpoint = json_member(input, "checkpoint");

    return checkpoint == NULL ||
           (each_fits(checkpoint, "clients", is_waiting_client) &&
            each_fits(checkpoint, "deployments", is_deployment) &&
            each_fits(checkpoint, "cancelled", is_cancelled_run) &&
            json_object_is_type(json_member(checkpoint, "former"), json_type_object));
}

/* --- all of them --- */

/* A member that an input can't do without, by the JSON type that it has. */
struct need {
    const char *name;    /* of the member; NULL: no further one */
    enum json_type type; /* of its value */
};

static const struct kind {
    const char *name;
    enum engine_result (*apply)(struct engine *engine, struct json_object *input,
                                const struct instant *now, char **cause);
    struct need needs[4];
    bool (*fits)(struct json_object *input); /* whether the rest is right; NULL: it is */
} kinds[] = {
    {"register", apply_register, {{"client", json_type_string}}, fits_register},
    {"report",
     apply_report,
     {{"client", json_type_string},
      {"delivery", json_type_string},
      {"body", json_type_object}},
     NULL},
    {"error",
     apply_client_error,
     {{"client", json_type_string},
      {"details", json_type_string},
      {"path", json_type_string}},
     NULL},
    {"uploaded",
     apply_uploaded,
     {{"client", json_type_string}, {"name", json_type_string}, {"size", json_type_int}},
     NULL},
    {"lost",
     apply_lost,
     {{"client", json_type_string}, {"reason", json_type_string}},
     NULL},
    {"created", apply_created, {{"deployment", json_type_string}}, fits_created},
    {"destroyed", apply_destroyed, {{"deployment", json_type_string}}, NULL},
    {"answered", apply_http_answered, {{"ticket", json_type_string}}, fits_answered},
    {"time", apply_time, {{NULL, json_type_null}}, NULL},
    {"stop", apply_stop, {{"reason", json_type_string}}, NULL},
    {"resume", apply_resume, {{NULL, json_type_null}}, NULL},
    {"run", apply_add_run, {{"plan", json_type_object}}, fits_run},
    {"begin", apply_begin_run, {{"run", json_type_string}}, fits_begin},
    {"forget", apply_forget_run, {{"run", json_type_string}}, NULL},
    {"cancel run",
     apply_cancel_run,
     {{"run", json_type_string}, {"who", json_type_string}},
     NULL},
    {"cancel case",
     apply_cancel_case,
     {{"case", json_type_string}, {"who", json_type_string}},
     NULL},
    {"snapshot", apply_snapshot, {{"part", json_type_object}}, NULL},
};

static const struct kind *find_kind(struct json_object *input)
{
    const char *name =
        json_object_is_type(input, json_type_object) ? text(input, "input") : NULL;

    for (size_t i = 0; name != NULL && i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    }
    return NULL;
}

static bool has_all(const struct kind *kind, struct json_object *input)
{
    for (const struct need *need = kind->needs; need->name != NULL; need++) {
        struct json_object *value = json_member(input, need->name);
        if (!json_object_is_type(value, need->type) ||
            (need->type == json_type_string && !json_is_text(value)))
            return false;
    }
    return kind->fits == NULL || kind->fits(input);
}

enum engine_result input_apply(struct engine *engine, struct json_object *input,
                               const struct instant *now, char **cause)
{
    const struct kind *kind = find_kind(input);

    if (kind == NULL || !has_all(kind, input)) {
        cause_set(cause, "%.100s is no input of this version", json_text(input));
        return ENGINE_UNREADABLE;
    }
    return kind->apply(engine, input, now, cause);
}

enum engine_result input_replay(struct engine *engine, struct json_object *input,
                                const struct instant *now, bool *fresh, char **cause)
{
    const struct kind *kind = find_kind(input);
    bool begins = kind != NULL && kind->apply == apply_begin_run && has_all(kind, input);

    if (begins && *fresh && json_member(input, "checkpoint") != NULL)
        engine_restore(engine, json_member(input, "checkpoint"));
    if (kind != NULL && kind->apply == apply_snapshot && *fresh)
        snapshot_begin_restoring(engine);
    /* runs are kept from before the beginning that comes first */
    if (kind != NULL && kind->apply != apply_add_run)
        *fresh = false;
    return input_apply(engine, input, now, cause);
}
