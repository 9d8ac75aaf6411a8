/* SPDX-License-Identifier: Apache-2.0 */
/* One create or destroy on its way to homerunner, and what its answer means. */
#include "homerunner_call.h"

#include "excerpt.h"
#include "json.h"
#include "now.h"
#include "xalloc.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN         300 /* bytes of homerunner's own words in a cause */
#define ADDRESS_LIMIT 2000
#define REPLY_DEPTH   16
#define DESTROY_TRIES 4
#define PAUSE_MAX_MS  10000

/* --- requests --- */

static struct call *call_new(struct homerunner *homerunner, struct workers *workers,
                             const struct homerunner_settings *settings,
                             const char *deployment)
{
    struct call *call = xcalloc(1, sizeof *call);

    call->homerunner = homerunner;
    call->deployment = xstrdup(deployment);
    call->retry_ms = settings->retry_ms;
    call->request =
        (struct fetch_request){.connect_timeout_ms = settings->connect_timeout_ms,
                               .timeout_ms = settings->timeout_ms,
                               .reply_limit = settings->reply_limit,
                               .workers = workers};
    return call;
}

/* Takes the JSON. */
static void call_set_body(struct call *call, struct json_object *body)
{
    call->body = xstrdup(json_text(body));
    call->request.body = call->body;
    json_object_put(body);
}

void call_aim(struct call *call, const char *url, const char *shown)
{
    call->targets =
        xreallocarray(call->targets, call->target_count + 1, sizeof *call->targets);
    call->targets[call->target_count++] =
        (struct call_target){xstrdup(url), xstrdup(shown)};
}

void call_add_cause(char **cause, const char *more)
{
    char *all = NULL;

    if (more == NULL)
        return;
    all = *cause != NULL ? xasprintf("%s; %s", *cause, more) : xstrdup(more);
    free(*cause);
    *cause = all;
}

void call_reset(struct call *call)
{
    for (size_t i = 0; i < call->target_count; i++) {
        free(call->targets[i].url);
        free(call->targets[i].shown);
    }
    free(call->targets);
    free(call->cause);
    json_object_put(call->servers);
    call->targets = NULL;
    call->target_count = 0;
    call->cause = NULL;
    call->servers = NULL;
    call->outcome = CALL_NOT_ASKED;
    call->job.cancelled = false;
}

void call_free(struct call *call)
{
    call_reset(call);
    for (size_t i = 0; i < call->count; i++)
        free(call->names[i]);
    free(call->names);
    free(call->body);
    free(call->deployment);
    free(call);
}

/* {"Name": "hs1", "Users": [], "Rooms": [], "BaseImageURI": image} */
static struct json_object *server_json(size_t index, const char *image)
{
    struct json_object *server = json_new_object();
    char *name = xasprintf("hs%zu", index + 1);

    json_put_text(server, "Name", name);
    json_put(server, "Users", json_new_array());
    json_put(server, "Rooms", json_new_array());
    json_put_text(server, "BaseImageURI", image);
    free(name);
    return server;
}

static struct json_object *create_json(const char *deployment,
                                       const struct homerunner_server *servers,
                                       size_t count)
{
    struct json_object *body = json_new_object();
    struct json_object *blueprint = json_new_object();
    struct json_object *list = json_new_array();

    for (size_t i = 0; i < count; i++)
        json_append(list, server_json(i, servers[i].image));
    json_put_text(blueprint, "Name", deployment);
    json_put(blueprint, "Homeservers", list);
    json_put_text(body, "base_image_uri", servers[0].image);
    json_put(body, "blueprint", blueprint);
    return body;
}

/* --- answers; all of this runs on a worker --- */

/* Ask one of the targets. */
static void send_to(struct call *call, const struct call_target *target,
                    struct fetch_reply *reply)
{
    char *url =
        xasprintf("%s/%s", target->url, call->names != NULL ? "create" : "destroy");

    call->request.url = url;
    fetch_send(&call->request, reply);
    call->request.url = NULL;
    free(url);
}

/* Give the object that the answer's body is, or NULL with a cause. Returns owned. */
static struct json_object *reply_json(const struct call_target *target,
                                      const struct fetch_reply *reply, char **cause)
{
    struct json_object *object = NULL;
    char *why = NULL;

    if (json_read(reply->body, reply->size, REPLY_DEPTH, &object, &why) == 0 &&
        json_object_is_type(object, json_type_object))
        return object;
    char *said = excerpt(reply->body, reply->size, SHOWN);
    cause_set(cause,
              "homerunner at %s answered HTTP %d with something that is no JSON object "
              "(%s): %s",
              target->shown, reply->status, why != NULL ? why : "it is another value",
              said[0] != '\0' ? said : "nothing");
    free(said);
    free(why);
    json_object_put(object);
    return NULL;
}

/* Somebody answered, and it was not 200. Gives whether that was homerunner itself: it
 * sends a message. */
static bool explain_refusal(const struct call_target *target, const char *what,
                            const struct fetch_reply *reply, char **cause)
{
    struct json_object *object = NULL, *message = NULL;

    if (json_read(reply->body, reply->size, REPLY_DEPTH, &object, NULL) == 0)
        message = json_member(object, "message");
    bool is_homerunner = json_object_is_type(message, json_type_string);
    if (is_homerunner) {
        char *said = excerpt(json_object_get_string(message),
                             (size_t)json_object_get_string_len(message), SHOWN);
        cause_set(cause, "homerunner at %s refused to %s the servers: %s", target->shown,
                  what, said);
        free(said);
    } else {
        char *said = excerpt(reply->body, reply->size, SHOWN);
        cause_set(cause,
                  "homerunner at %s answered HTTP %d when asked to %s the servers%s%s",
                  target->shown, reply->status, what, said[0] != '\0' ? ": " : "", said);
        free(said);
    }
    json_object_put(object);
    return is_homerunner;
}

/* Give the address of one server without trailing slash, or NULL with a cause. Returns
 * owned. */
static char *server_address(struct call *call, struct json_object *homeservers,
                            const char *name, const char *wanted_by)
{
    struct json_object *server = json_member(homeservers, name);
    const char *text = json_member_text(server, "BaseURL");

    if (text == NULL) {
        cause_set(&call->cause,
                  "homerunner at %s gave no address of server %s (for %s) in its answer",
                  call->targets->shown, name, wanted_by);
        return NULL;
    }
    char *base = strlen(text) <= ADDRESS_LIMIT ? fetch_url_base(text) : NULL;
    if (base == NULL) {
        char *said = excerpt(text, strlen(text), SHOWN);
        cause_set(&call->cause,
                  "homerunner at %s gave server %s (for %s) the address \"%s\", which is "
                  "no http URL",
                  call->targets->shown, name, wanted_by, said);
        free(said);
    }
    return base;
}

/* Add server `index` to the result; false with a cause. */
static bool add_server(struct call *call, struct json_object *homeservers, size_t index)
{
    char *name = xasprintf("hs%zu", index + 1);
    char *base = server_address(call, homeservers, name, call->names[index]);

    if (base != NULL) {
        struct json_object *server = json_new_object();
        json_put_text(server, "name", call->names[index]);
        json_put_text(server, "server_name", name);
        json_put_text(server, "cs_api", base);
        json_append(call->servers, server);
    }
    bool added = base != NULL;
    free(base);
    free(name);
    return added;
}

static void read_servers(struct call *call, const struct fetch_reply *reply)
{
    struct json_object *object = reply_json(call->targets, reply, &call->cause);

    if (object == NULL)
        return;
    struct json_object *homeservers = json_member(object, "homeservers");
    bool whole = json_object_is_type(homeservers, json_type_object);
    if (!whole)
        cause_set(&call->cause,
                  "homerunner at %s answered without a list of \"homeservers\"",
                  call->targets->shown);
    call->servers = json_new_array();
    for (size_t i = 0; whole && i < call->count; i++)
        whole = add_server(call, homeservers, i);
    if (!whole) {
        json_object_put(call->servers);
        call->servers = NULL;
    }
    json_object_put(object);
}

static enum call_outcome outcome_of(enum fetch_result result)
{
    return result == FETCH_UNREACHABLE ? CALL_UNREACHABLE
           : result == FETCH_STOPPED   ? CALL_STOPPED
                                       : CALL_FAILED;
}

void call_run_create(struct job *job)
{
    struct call *call = (struct call *)job;
    struct fetch_reply reply;

    send_to(call, call->targets, &reply);
    call->is_late = reply.result == FETCH_TIMED_OUT;
    if (reply.result != FETCH_ANSWERED) {
        cause_set(&call->cause, "homerunner at %s %s", call->targets->shown, reply.cause);
        call->outcome = outcome_of(reply.result);
    } else if (reply.status != 200) {
        bool said = explain_refusal(call->targets, "create", &reply, &call->cause);
        bool refused = said && reply.status >= 400 && reply.status < 500;
        call->outcome = refused ? CALL_REFUSED : CALL_FAILED;
    } else {
        read_servers(call, &reply);
        call->outcome = call->servers != NULL ? CALL_WENT_WELL : CALL_FAILED;
    }
    fetch_reply_clear(&reply);
}

/* One try of a destroy at one homerunner. Gives how many tries there should be at most,
 * after what came back; 0 when it went well. The cause is that of this try. */
static int try_destroy_at(struct call *call, const struct call_target *target,
                          char **cause)
{
    struct fetch_reply reply;
    int tries = 0;

    send_to(call, target, &reply);
    if (reply.result != FETCH_ANSWERED) {
        cause_set(cause, "homerunner at %s %s", target->shown, reply.cause);
        bool lost = reply.result == FETCH_UNREACHABLE || reply.result == FETCH_BROKEN;
        tries = lost ? DESTROY_TRIES : 1;
    } else if (reply.status != 200) {
        explain_refusal(target, "destroy", &reply, cause);
        tries = reply.status >= 500 ? 2 : 1;
    } else {
        struct json_object *object = reply_json(target, &reply, cause);
        tries = object == NULL ? 1 : 0;
        json_object_put(object);
    }
    fetch_reply_clear(&reply);
    return tries;
}

/* The same at all of them: it went well where it did at one, for there is one at most
 * that has it. */
static int try_destroy(struct call *call)
{
    bool gone = false;
    int most = 0;

    free(call->cause);
    call->cause = NULL;
    for (size_t i = 0; i < call->target_count; i++) {
        char *cause = NULL;
        int tries = try_destroy_at(call, &call->targets[i], &cause);
        gone = gone || tries == 0;
        most = tries > most ? tries : most;
        call_add_cause(&call->cause, cause);
        free(cause);
    }
    if (!gone)
        return most;
    free(call->cause);
    call->cause = NULL;
    return 0;
}

void call_run_destroy(struct job *job)
{
    struct call *call = (struct call *)job;
    int64_t pause = call->retry_ms, end_ms = now().mono_ms + call->patience_ms;
    int tried = 1, tries;

    while ((tries = try_destroy(call)) > 0 &&
           (tried++ < tries || now().mono_ms < end_ms)) {
        if (workers_pause(call->request.workers, (int)pause))
            break;
        pause = pause * 2 < PAUSE_MAX_MS ? pause * 2 : PAUSE_MAX_MS;
    }
}

/* --- making them --- */

struct call *call_new_create(struct homerunner *homerunner, struct workers *workers,
                             const struct homerunner_settings *settings,
                             const struct job_ops *ops, const char *deployment,
                             const struct homerunner_server *servers, size_t count)
{
    struct call *call = call_new(homerunner, workers, settings, deployment);

    call->job.ops = ops;
    call->names = xcalloc(count, sizeof *call->names);
    call->count = count;
    for (size_t i = 0; i < count; i++)
        call->names[i] = xstrdup(servers[i].name);
    call_set_body(call, create_json(deployment, servers, count));
    return call;
}

struct call *call_new_destroy(struct homerunner *homerunner, struct workers *workers,
                              const struct homerunner_settings *settings,
                              const struct job_ops *ops, const char *deployment)
{
    struct call *call = call_new(homerunner, workers, settings, deployment);
    struct json_object *body = json_new_object();

    call->job.ops = ops;
    json_put_text(body, "blueprint_name", deployment);
    call_set_body(call, body);
    return call;
}
