/* SPDX-License-Identifier: Apache-2.0 */
/* Homerunner in virtual time. */
#include "homes.h"

#include "front.h"
#include "hash.h"
#include "input.h"
#include "invariants.h"
#include "json.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define CREATE_MS_MAX  20000 /* the longest that a create takes */
#define SEARCH_MS      1500  /* between two looks for lost servers */
#define NEVER_COMES_MS (CREATE_MS_MAX + 2000)

/* A deployment as homerunner knows it, and what the process has to do with it. */
struct home {
    char *name;                  /* owned */
    struct json_object *servers; /* what it is told once it is made; owned */
    bool is_made;                /* a create is under way at homerunner */
    bool exists;                 /* there are containers */
    bool abandoned;              /* nobody could destroy it: it ends by itself */
    bool awaited;                /* the process waits for create's answer */
    bool asked_here;             /* it was this process that asked: it knows where */
    bool destroys;               /* the process is about to destroy it */
    bool wanted_gone;            /* it is to be destroyed when create has answered */
    bool lost;                   /* the destroy goes on until it is found */
    int64_t searched_ms;         /* since when it is looked for */
};

/* A ticket whose answer the engine has not got yet. */
struct asked {
    char ticket[100];  /* of the engine */
    UT_hash_handle hh; /* by ticket */
};

struct homes {
    struct home **list;  /* in the order in which they were asked for; owned */
    size_t count;        /* length of list */
    struct asked *asked; /* uthash; owned */
};

void homes_begin(struct sim *sim)
{
    sim->homes = xcalloc(1, sizeof *sim->homes);
}

static void forget_requests(struct homes *homes)
{
    struct asked *asked, *next;

    HASH_ITER (hh, homes->asked, asked, next) {
        HASH_DEL(homes->asked, asked);
        free(asked);
    }
}

void homes_free(struct sim *sim)
{
    struct homes *homes = sim->homes;

    forget_requests(homes);

    for (size_t i = 0; i < homes->count; i++) {
        free(homes->list[i]->name);
        json_object_put(homes->list[i]->servers);
        free(homes->list[i]);
    }
    free(homes->list);
    free(homes);
}

static struct home *find(const struct homes *homes, const char *name)
{
    for (size_t i = 0; i < homes->count; i++) {
        if (strcmp(homes->list[i]->name, name) == 0)
            return homes->list[i];
    }
    return NULL;
}

/* On which of several homerunners it is made. */
static const char *place_of(const char *deployment)
{
    static const char *const places[] = {"http://one:54321", "http://two:54321",
                                         "http://three:54321"};

    return places[(unsigned char)deployment[0] % 3];
}

/* A deployment that homerunner may never have heard of. */
static struct home *find_or_add(struct homes *homes, const char *name)
{
    struct home *home = find(homes, name);

    if (home != NULL)
        return home;
    home = xcalloc(1, sizeof *home);
    home->name = xstrdup(name);
    homes->list = xreallocarray(homes->list, homes->count + 1, sizeof *homes->list);
    homes->list[homes->count++] = home;
    return home;
}

/* --- destroying --- */

static void tell_destroyed(struct sim *sim, struct home *home, const char *cause)
{
    home->destroys = home->lost = false;
    COUNT(sim, destroyed);
    front_submit(sim, input_destroyed(home->name, cause), true, NULL, NULL, 0);
}

/* One try has come to homerunner. */
static void try_destroy(struct sim *sim, void *about, int64_t number)
{
    struct home *home = about;

    (void)number;
    if (home->exists) {
        if (sim_chance(sim, 20)) {
            COUNT(sim, not_destroyed);
            home->abandoned = true;
            tell_destroyed(sim, home, "homerunner did not want to");
            return;
        }
        if (home->lost && home->searched_ms < sim->ms - SEARCH_MS)
            COUNT(sim, found_late);
        home->exists = false;
        tell_destroyed(sim, home, NULL);
    } else if (!home->lost) {
        tell_destroyed(sim, home, NULL);
    } else if (sim->ms - home->searched_ms > NEVER_COMES_MS && !home->is_made) {
        COUNT(sim, never_came);
        tell_destroyed(sim, home, NULL);
    } else {
        sim_after_here(sim, SEARCH_MS, try_destroy, home, 0);
    }
}

static void destroy_home(struct sim *sim, struct home *home)
{
    home->destroys = true;
    home->searched_ms = sim->ms;
    sim_after_here(sim, sim_between(sim, 10, 3000), try_destroy, home, 0);
}

void homes_destroy(struct sim *sim, const char *deployment, const char *where, bool lost)
{
    struct home *home = find_or_add(sim->homes, deployment);

    if (where != NULL ? lost || strcmp(where, place_of(deployment)) != 0
                      : !lost && !home->asked_here)
        sim_fail(sim, "the deployment %s is to be destroyed on %s", deployment,
                 where != NULL ? where : "no homerunner that is known");
    home->lost = home->lost || lost;
    if (home->destroys)
        return;
    if (home->awaited)
        home->wanted_gone = true;
    else
        destroy_home(sim, home);
}

/* --- making --- */

static void tell_created(struct sim *sim, struct home *home, const char *cause)
{
    home->awaited = false;
    front_submit(sim,
                 input_created(home->name, place_of(home->name),
                               cause == NULL ? home->servers : NULL, cause),
                 true, NULL, NULL, 0);
    if (home->wanted_gone)
        destroy_home(sim, home);
    home->wanted_gone = false;
}

/* The containers are up, or will never be. Number: the process that asked. */
static void made(struct sim *sim, void *about, int64_t number)
{
    struct home *home = about;
    bool fails = sim_chance(sim, 60);

    home->is_made = false;
    home->exists = !fails || sim_chance(sim, 500); /* some may be left of it */
    if (number != (int64_t)sim->process || !home->awaited)
        return;
    if (fails)
        COUNT(sim, not_created);
    tell_created(sim, home, fails ? "there is no such image" : NULL);
}

/* The request has left the process. */
static void make(struct sim *sim, void *about, int64_t number)
{
    struct home *home = about;

    (void)number;
    home->is_made = true;
    sim_after(sim, sim_between(sim, 20, sim_chance(sim, 800) ? 3000 : CREATE_MS_MAX),
              made, home, (int64_t)sim->process);
}

static struct json_object *make_servers(const char *deployment,
                                        const struct server_wanted *servers, size_t count)
{
    struct json_object *list = json_new_array();

    for (size_t i = 0; i < count; i++) {
        struct json_object *server = json_new_object();
        char *cs_api = xasprintf("http://localhost:%d/%zu", (int)strlen(deployment), i);
        json_put_text(server, "name", servers[i].name);
        json_put_text(server, "server_name", "hs");
        json_put_text(server, "cs_api", cs_api);
        json_append(list, server);
        free(cs_api);
    }
    return list;
}

void homes_create(struct sim *sim, const char *deployment,
                  const struct server_wanted *servers, size_t count)
{
    struct home *home = find(sim->homes, deployment);

    if (home != NULL)
        sim_fail(sim, "the deployment %s is asked for twice", deployment);
    invariants_check_create(sim, deployment);
    home = find_or_add(sim->homes, deployment);
    home->servers = make_servers(deployment, servers, count);
    home->awaited = home->asked_here = true;
    COUNT(sim, created);
    if (sim->front->resuming)
        COUNT(sim, remade);
    sim_after_here(sim, sim_between(sim, 0, 300), make, home, 0);
}

/* --- requests of tests --- */

/* A request that is under way. */
struct request {
    char ticket[100]; /* of the engine */
    unsigned process; /* that asked */
};

static struct json_object *make_reply(struct sim *sim)
{
    struct json_object *reply = json_new_object();

    json_put_int(reply, "status", sim_chance(sim, 900) ? 200 : 500);
    json_put(reply, "headers", json_new_object());
    json_put_text(reply, "text", "yes");
    return reply;
}

static void answer_request(struct sim *sim, void *about, int64_t number)
{
    struct request *request = about;

    (void)number;
    if (request->process != sim->process || sim->front->engine == NULL)
        return;
    struct json_object *reply = sim_chance(sim, 950) ? make_reply(sim) : NULL;
    front_submit(sim,
                 input_http_answered(request->ticket, reply,
                                     reply == NULL ? "nobody answers" : NULL),
                 true, NULL, NULL, 0);
    json_object_put(reply);
}

void homes_request(struct sim *sim, const char *ticket, struct json_object *wanted)
{
    struct request *request = xcalloc(1, sizeof *request);

    if (json_member_text(wanted, "url") == NULL ||
        strlen(ticket) >= sizeof request->ticket)
        sim_fail(sim, "a request without a url: %s %s", ticket, json_text(wanted));
    memcpy(request->ticket, ticket, strlen(ticket) + 1);
    request->process = sim->process;
    struct asked *asked = xcalloc(1, sizeof *asked);
    memcpy(asked->ticket, ticket, strlen(ticket) + 1);
    HASH_ADD_STR(sim->homes->asked, ticket, asked);
    COUNT(sim, requests);
    sim_after_with(sim, sim_between(sim, 5, 2500), answer_request, request);
}

/* --- all of it --- */

void homes_forget_process(struct sim *sim)
{
    for (size_t i = 0; i < sim->homes->count; i++) {
        struct home *home = sim->homes->list[i];
        home->awaited = home->asked_here = home->destroys = home->wanted_gone =
            home->lost = false;
    }
    forget_requests(sim->homes);
}

bool homes_is_asked(const struct sim *sim, const char *ticket)
{
    struct asked *asked = NULL;

    HASH_FIND_STR(sim->homes->asked, ticket, asked);
    return asked != NULL;
}

void homes_answered(struct sim *sim, const char *ticket)
{
    struct asked *asked = NULL;

    HASH_FIND_STR(sim->homes->asked, ticket, asked);
    if (asked == NULL)
        return;
    HASH_DEL(sim->homes->asked, asked);
    free(asked);
}

size_t homes_requests(const struct sim *sim)
{
    return HASH_COUNT(sim->homes->asked);
}

size_t homes_left(const struct sim *sim)
{
    size_t left = 0;

    for (size_t i = 0; i < sim->homes->count; i++) {
        const struct home *home = sim->homes->list[i];
        left += home->is_made || home->awaited || home->destroys ||
                (home->exists && !home->abandoned);
    }
    return left;
}
