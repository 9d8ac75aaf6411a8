/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client of Complement's homerunner. The loop keeps one entry for each deployment
 * that is being made or destroyed; a request is a job with copies of all it needs. An
 * entry is looked up by name when its job is done.
 *
 * Creates and destroys have lanes of their own: a destroy frees what a create may need,
 * so it must never wait behind one.
 */
#include "homerunner.h"

#include "excerpt.h"
#include "fetch.h"
#include "hash.h"
#include "json.h"
#include "worker.h"
#include "xalloc.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN              300 /* bytes of homerunner's own words in a cause */
#define ADDRESS_LIMIT      2000
#define REPLY_DEPTH        16
#define DESTROY_TRIES      4
#define REPLY_LIMIT        (1024 * 1024)
#define CONNECT_TIMEOUT_MS 10000
#define RETRY_MS           1000
#define PAUSE_MAX_MS       10000

/* A deployment that is being made or destroyed. */
struct deployment {
    char *name;          /* key, owned */
    bool is_created;     /* it is being destroyed now */
    bool destroy_wanted; /* asked for while it is being made */
    UT_hash_handle hh;   /* in the client's table, by name */
};

struct homerunner {
    struct workers *workers;             /* borrowed */
    struct lane *create_lane;            /* for creates, the pool's */
    struct lane *destroy_lane;           /* for destroys, the pool's */
    struct lane *lost_lane;              /* for destroys that may take long, the pool's */
    char *url;                           /* without trailing slash, owned */
    char *shown;                         /* the same without secrets, owned */
    struct homerunner_settings settings; /* defaults filled in; url is NULL */
    struct homerunner_callbacks callbacks; /* where to report */
    struct deployment *deployments;        /* uthash by name, owned */
};

/* One create or destroy on its way. run() uses copies only: it may outlive the client. */
struct call {
    struct job job;                /* must be first */
    struct homerunner *homerunner; /* for done() only */
    struct fetch_request request;  /* its url and body are owned here */
    char *url;                     /* of the request, owned */
    char *body;                    /* of the request, owned */
    char *shown;                   /* homerunner for people, owned */
    char *deployment;              /* name, owned */
    int64_t retry_ms;              /* first pause of a destroy */
    int64_t patience_ms; /* a destroy that is refused is tried again for so long */
    char **names;        /* the caller's names of the servers, owned */
    size_t count;        /* how many those are */
    struct json_object *servers; /* the result of a create, owned */
    char *cause;                 /* why there is none, owned */
};

/* --- requests --- */

static struct call *call_new(struct homerunner *homerunner, const struct job_ops *ops,
                             const char *path, const char *deployment)
{
    struct call *call = xcalloc(1, sizeof *call);
    const struct homerunner_settings *settings = &homerunner->settings;

    call->job.ops = ops;
    call->homerunner = homerunner;
    call->url = xasprintf("%s%s", homerunner->url, path);
    call->shown = xstrdup(homerunner->shown);
    call->deployment = xstrdup(deployment);
    call->retry_ms = settings->retry_ms;
    call->request =
        (struct fetch_request){.url = call->url,
                               .connect_timeout_ms = settings->connect_timeout_ms,
                               .timeout_ms = settings->timeout_ms,
                               .reply_limit = settings->reply_limit,
                               .workers = homerunner->workers};
    return call;
}

/* Takes the JSON. */
static void call_set_body(struct call *call, struct json_object *body)
{
    call->body = xstrdup(json_text(body));
    call->request.body = call->body;
    json_object_put(body);
}

static void call_free(struct call *call)
{
    for (size_t i = 0; i < call->count; i++)
        free(call->names[i]);
    free(call->names);
    json_object_put(call->servers);
    free(call->url);
    free(call->body);
    free(call->shown);
    free(call->deployment);
    free(call->cause);
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

/* Give the object that the answer's body is, or NULL with a cause. Returns owned. */
static struct json_object *reply_json(struct call *call, const struct fetch_reply *reply)
{
    struct json_object *object = NULL;
    char *why = NULL;

    if (json_read(reply->body, reply->size, REPLY_DEPTH, &object, &why) == 0 &&
        json_object_is_type(object, json_type_object))
        return object;
    char *said = excerpt(reply->body, reply->size, SHOWN);
    cause_set(&call->cause,
              "homerunner at %s answered HTTP %d with something that is no JSON object "
              "(%s): %s",
              call->shown, reply->status, why != NULL ? why : "it is another value",
              said[0] != '\0' ? said : "nothing");
    free(said);
    free(why);
    json_object_put(object);
    return NULL;
}

/* Somebody answered, and it was not 200: with a message if it was homerunner. */
static void cause_refused(struct call *call, const char *what,
                          const struct fetch_reply *reply)
{
    struct json_object *object = NULL, *message = NULL;

    if (json_read(reply->body, reply->size, REPLY_DEPTH, &object, NULL) == 0)
        message = json_member(object, "message");
    if (json_object_is_type(message, json_type_string)) {
        char *said = excerpt(json_object_get_string(message),
                             (size_t)json_object_get_string_len(message), SHOWN);
        cause_set(&call->cause, "homerunner at %s refused to %s the servers: %s",
                  call->shown, what, said);
        free(said);
    } else {
        char *said = excerpt(reply->body, reply->size, SHOWN);
        cause_set(&call->cause,
                  "homerunner at %s answered HTTP %d when asked to %s the servers%s%s",
                  call->shown, reply->status, what, said[0] != '\0' ? ": " : "", said);
        free(said);
    }
    json_object_put(object);
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
                  call->shown, name, wanted_by);
        return NULL;
    }
    char *base = strlen(text) <= ADDRESS_LIMIT ? fetch_url_base(text) : NULL;
    if (base == NULL) {
        char *said = excerpt(text, strlen(text), SHOWN);
        cause_set(&call->cause,
                  "homerunner at %s gave server %s (for %s) the address \"%s\", which is "
                  "no http URL",
                  call->shown, name, wanted_by, said);
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
    struct json_object *object = reply_json(call, reply);

    if (object == NULL)
        return;
    struct json_object *homeservers = json_member(object, "homeservers");
    bool whole = json_object_is_type(homeservers, json_type_object);
    if (!whole)
        cause_set(&call->cause,
                  "homerunner at %s answered without a list of \"homeservers\"",
                  call->shown);
    call->servers = json_new_array();
    for (size_t i = 0; whole && i < call->count; i++)
        whole = add_server(call, homeservers, i);
    if (!whole) {
        json_object_put(call->servers);
        call->servers = NULL;
    }
    json_object_put(object);
}

static void run_create(struct job *job)
{
    struct call *call = (struct call *)job;
    struct fetch_reply reply;

    fetch_send(&call->request, &reply);
    if (reply.result != FETCH_ANSWERED)
        cause_set(&call->cause, "homerunner at %s %s", call->shown, reply.cause);
    else if (reply.status != 200)
        cause_refused(call, "create", &reply);
    else
        read_servers(call, &reply);
    fetch_reply_clear(&reply);
}

/* One try of a destroy. Gives how many tries there should be at most, after what came
 * back; 0 when it went well. The cause is that of this try. */
static int try_destroy(struct call *call)
{
    struct fetch_reply reply;
    int tries = 0;

    free(call->cause);
    call->cause = NULL;
    fetch_send(&call->request, &reply);
    if (reply.result != FETCH_ANSWERED) {
        cause_set(&call->cause, "homerunner at %s %s", call->shown, reply.cause);
        bool lost = reply.result == FETCH_UNREACHABLE || reply.result == FETCH_BROKEN;
        tries = lost ? DESTROY_TRIES : 1;
    } else if (reply.status != 200) {
        cause_refused(call, "destroy", &reply);
        tries = reply.status >= 500 ? 2 : 1;
    } else {
        struct json_object *object = reply_json(call, &reply);
        tries = object == NULL ? 1 : 0;
        json_object_put(object);
    }
    fetch_reply_clear(&reply);
    return tries;
}

static void run_destroy(struct job *job)
{
    struct call *call = (struct call *)job;
    int64_t pause = call->retry_ms, waited = 0;
    int tried = 1, tries;

    while ((tries = try_destroy(call)) > 0 &&
           (tried++ < tries || waited < call->patience_ms)) {
        if (workers_pause(call->request.workers, (int)pause))
            break;
        waited += pause;
        pause = pause * 2 < PAUSE_MAX_MS ? pause * 2 : PAUSE_MAX_MS;
    }
}

/* --- the loop's side --- */

static struct deployment *find(const struct homerunner *homerunner, const char *name)
{
    struct deployment *deployment = NULL;

    HASH_FIND_STR(homerunner->deployments, name, deployment);
    return deployment;
}

static struct deployment *add(struct homerunner *homerunner, const char *name)
{
    struct deployment *deployment = xcalloc(1, sizeof *deployment);

    deployment->name = xstrdup(name);
    HASH_ADD_KEYPTR(hh, homerunner->deployments, deployment->name,
                    strlen(deployment->name), deployment);
    return deployment;
}

static void forget(struct homerunner *homerunner, struct deployment *deployment)
{
    HASH_DELETE(hh, homerunner->deployments, deployment);
    free(deployment->name);
    free(deployment);
}

/* The job is finished: its entry goes before anybody is told, so that they may ask for
 * the next thing. Gives whether a destroy was asked for meanwhile. */
static bool call_finish(struct call *call)
{
    struct deployment *deployment = find(call->homerunner, call->deployment);

    assert(deployment != NULL);
    bool destroy_wanted = deployment->destroy_wanted;
    forget(call->homerunner, deployment);
    if (call->job.cancelled)
        cause_set(&call->cause,
                  "homerunner at %s was not asked: trafficlight is stopping",
                  call->shown);
    return destroy_wanted;
}

static void done_create(struct job *job)
{
    struct call *call = (struct call *)job;
    const struct homerunner_callbacks *callbacks = &call->homerunner->callbacks;
    struct json_object *servers = call->servers;

    bool destroy_wanted = call_finish(call);
    call->servers = NULL;
    callbacks->created(callbacks->context, call->deployment, servers, call->cause);
    if (destroy_wanted)
        homerunner_destroy(call->homerunner, call->deployment);
    call_free(call);
}

static void done_destroy(struct job *job)
{
    struct call *call = (struct call *)job;
    const struct homerunner_callbacks *callbacks = &call->homerunner->callbacks;

    call_finish(call);
    callbacks->destroyed(callbacks->context, call->deployment, call->cause);
    call_free(call);
}

static const struct job_ops create_ops = {"create servers", run_create, done_create};
static const struct job_ops destroy_ops = {"destroy servers", run_destroy, done_destroy};

struct homerunner *homerunner_new(struct workers *workers,
                                  const struct homerunner_settings *settings,
                                  const struct homerunner_callbacks *callbacks)
{
    struct homerunner *homerunner = xcalloc(1, sizeof *homerunner);
    struct homerunner_settings *own = &homerunner->settings;

    fetch_prepare();
    homerunner->workers = workers;
    homerunner->create_lane = workers_add_lane(workers, "create", settings->limit, 0);
    homerunner->destroy_lane = workers_add_lane(workers, "destroy", settings->limit, 0);
    homerunner->lost_lane = workers_add_lane(workers, "lost", settings->limit, 0);
    homerunner->url = xstrdup(settings->url);
    for (size_t end = strlen(homerunner->url);
         end > 0 && homerunner->url[end - 1] == '/';)
        homerunner->url[--end] = '\0';
    homerunner->shown = fetch_url_shown(homerunner->url);
    homerunner->callbacks = *callbacks;
    *own = *settings;
    own->url = NULL;
    own->reply_limit = own->reply_limit > 0 ? own->reply_limit : REPLY_LIMIT;
    own->retry_ms = own->retry_ms > 0 ? own->retry_ms : RETRY_MS;
    if (own->connect_timeout_ms <= 0)
        own->connect_timeout_ms = CONNECT_TIMEOUT_MS;
    return homerunner;
}

static void submit(struct lane *lane, struct call *call)
{
    if (job_submit(lane, &call->job) != 0)
        job_submit_cancelled(lane, &call->job);
}

void homerunner_create(struct homerunner *homerunner, const char *deployment,
                       const struct homerunner_server *servers, size_t count)
{
    struct call *call = call_new(homerunner, &create_ops, "/create", deployment);

    assert(count > 0);
    assert(find(homerunner, deployment) == NULL);
    call->names = xcalloc(count, sizeof *call->names);
    call->count = count;
    for (size_t i = 0; i < count; i++)
        call->names[i] = xstrdup(servers[i].name);
    call_set_body(call, create_json(deployment, servers, count));
    add(homerunner, deployment);
    submit(homerunner->create_lane, call);
}

static void destroy(struct homerunner *homerunner, const char *name, int64_t patience_ms)
{
    struct deployment *deployment = find(homerunner, name);

    if (deployment != NULL) {
        deployment->destroy_wanted = !deployment->is_created;
        return;
    }
    struct call *call = call_new(homerunner, &destroy_ops, "/destroy", name);
    struct json_object *body = json_new_object();
    json_put_text(body, "blueprint_name", name);
    call_set_body(call, body);
    call->patience_ms = patience_ms;
    add(homerunner, name)->is_created = true;
    submit(patience_ms > 0 ? homerunner->lost_lane : homerunner->destroy_lane, call);
}

void homerunner_destroy(struct homerunner *homerunner, const char *name)
{
    destroy(homerunner, name, 0);
}

void homerunner_destroy_lost(struct homerunner *homerunner, const char *name)
{
    destroy(homerunner, name, homerunner->settings.timeout_ms);
}

size_t homerunner_outstanding(const struct homerunner *homerunner)
{
    return HASH_COUNT(homerunner->deployments);
}

void homerunner_free(struct homerunner *homerunner)
{
    struct deployment *deployment, *next;

    if (homerunner == NULL)
        return;
    HASH_ITER (hh, homerunner->deployments, deployment, next)
        forget(homerunner, deployment);
    free(homerunner->url);
    free(homerunner->shown);
    free(homerunner);
}
