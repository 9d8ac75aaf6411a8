/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Homeservers made by Complement's homerunner, of which there may be several. A
 * deployment is a group of servers under one name that are made and destroyed together,
 * at one homerunner; both take as long as containers take, so both happen on workers.
 * Everything here is for the loop thread.
 */
#ifndef TL_HOMERUNNER_H
#define TL_HOMERUNNER_H

#include <stddef.h>
#include <stdint.h>

struct homerunner;
struct json_object;
struct workers;

struct homerunner_settings {
    const char *const *urls;    /* "http://localhost:54321"; the first of equals is asked
                                   first */
    size_t url_count;           /* length of urls, at least one */
    size_t limit;               /* deployments of each; and as many destroys at once */
    int64_t timeout_ms;         /* for one create or one try of a destroy */
    int64_t connect_timeout_ms; /* of that, to reach homerunner at all; 0: 10 s */
    int64_t retry_ms;   /* pause before a destroy is tried again, doubled each time; 0:
                           1 s */
    int64_t pause_ms;   /* how long one that failed is left out, doubled each time up to a
                           minute; 0: 1 s */
    size_t reply_limit; /* bytes of an answer; 0: 1 MiB */
};

/* A server to be made. */
struct homerunner_server {
    const char *name;  /* the caller's own name for it: "alice_server" */
    const char *image; /* of its container: "complement-synapse" */
};

/* Both are called from the loop, never inside the call that asked for it. They may ask
 * for more. `deployment`, `where` and `cause` are borrowed, a cause is a sentence. */
struct homerunner_callbacks {
    /* Exactly once for each create. `where` is the URL of the homerunner that made it, or
     * may have, without secrets; NULL: none did. `servers` is an array of {"name",
     * "server_name", "cs_api"} in the order asked, owned by the callee; NULL if there is
     * a cause. Then some containers may exist all the same: ask for the destroy in any
     * case. */
    void (*created)(void *context, const char *deployment, const char *where,
                    struct json_object *servers, const char *cause);
    /* Exactly once for each deployment that homerunner_destroy() was asked for. `cause`
     * is NULL if it went well. */
    void (*destroyed)(void *context, const char *deployment, const char *cause);
    void *context; /* for both, borrowed */
};

/* Make a client. Adds its lanes to `workers`; copies settings and callbacks. */
struct homerunner *homerunner_new(struct workers *workers,
                                  const struct homerunner_settings *settings,
                                  const struct homerunner_callbacks *callbacks);

/* Have `count` (at least one) servers made, by the homerunner that has the fewest
 * deployments and has not failed of late; where that can't be reached, by another one.
 * Waits while all that are in question have their limit. `deployment` is a name that was
 * never used before, at any homerunner, by anybody. Copies what it is given. */
void homerunner_create(struct homerunner *homerunner, const char *deployment,
                       const struct homerunner_server *servers, size_t count);

/* There is this deployment, made before this process by the homerunner that created()
 * called so: it counts there until it is destroyed. Nothing if it is known. */
void homerunner_known(struct homerunner *homerunner, const char *deployment,
                      const char *where);

/* Have a deployment destroyed, at any time: while it is being made this is remembered and
 * done as soon as homerunner has answered, whatever it answered. One that this process
 * did not make is destroyed as well: at `where`, as created() had it, be that configured
 * or not; where that is NULL, at all homerunners. Asking again before it is destroyed
 * changes nothing. */
void homerunner_destroy(struct homerunner *homerunner, const char *deployment,
                        const char *where);

/* The same for a deployment that another process was making when it ended: a homerunner,
 * nobody knows which, may still be at it, and knows the deployment only when it is done.
 * So all are asked again until one does, or until a create can't take any longer. */
void homerunner_destroy_lost(struct homerunner *homerunner, const char *deployment);

/* How many deployments are being made or destroyed. */
size_t homerunner_outstanding(const struct homerunner *homerunner);

/* Free the client, after workers_free(): then the callbacks of all that was under way
 * have been called, except for jobs that were abandoned. Calls none. */
void homerunner_free(struct homerunner *homerunner);

#endif
