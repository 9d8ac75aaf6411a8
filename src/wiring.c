/* SPDX-License-Identifier: Apache-2.0 */
/* Between the engine and the rooms. */
#include "wiring.h"

#include "daemon.h"
#include "events.h"
#include "expected.h"
#include "homerunner.h"
#include "httpstep.h"
#include "input.h"
#include "inputs.h"
#include "json.h"
#include "log.h"
#include "now.h"
#include "presence.h"
#include "xalloc.h"

#include <stdlib.h>

/* --- what the engine wants done --- */

static void wake_op(void *context, const char *client)
{
    presence_wake(((struct daemon *)context)->presence, client);
}

static void create_op(void *context, const char *deployment,
                      const struct server_wanted *servers, size_t count)
{
    struct daemon *daemon = context;
    struct homerunner_server *wanted = xcalloc(count, sizeof *wanted);

    for (size_t i = 0; i < count; i++)
        wanted[i] = (struct homerunner_server){servers[i].name, servers[i].image};
    homerunner_create(daemon->homerunner, deployment, wanted, count);
    free(wanted);
}

static void destroy_op(void *context, const char *deployment, const char *where,
                       bool lost)
{
    struct daemon *daemon = context;

    if (lost)
        homerunner_destroy_lost(daemon->homerunner, deployment);
    else
        homerunner_destroy(daemon->homerunner, deployment, where);
}

static void http_op(void *context, const char *ticket, struct json_object *request)
{
    httpstep_send(((struct daemon *)context)->httpsteps, ticket, request);
}

static void log_op(void *context, const char *line)
{
    (void)context;
    log_info("%s", line);
}

static void changed_op(void *context, enum engine_thing thing, const char *id)
{
    events_note(((struct daemon *)context)->events, thing, id);
}

const struct engine_ops *wiring_ops(void)
{
    static const struct engine_ops ops = {
        .wake = wake_op,
        .create = create_op,
        .destroy = destroy_op,
        .http = http_op,
        .log = log_op,
        .changed = changed_op,
    };

    return &ops;
}

static void no_text(void *context, const char *text)
{
    (void)context, (void)text;
}

static void no_create(void *context, const char *deployment,
                      const struct server_wanted *servers, size_t count)
{
    (void)context, (void)deployment, (void)servers, (void)count;
}

static void no_destroy(void *context, const char *deployment, const char *where,
                       bool lost)
{
    (void)context, (void)deployment, (void)where, (void)lost;
}

static void no_http(void *context, const char *ticket, struct json_object *request)
{
    (void)context, (void)ticket, (void)request;
}

const struct engine_ops *wiring_no_ops(void)
{
    static const struct engine_ops ops = {
        .wake = no_text,
        .create = no_create,
        .destroy = no_destroy,
        .http = no_http,
        .log = no_text,
    };

    return &ops;
}

/* --- what the rooms have to tell it --- */

void wiring_created(void *context, const char *deployment, const char *where,
                    struct json_object *servers, const char *cause)
{
    struct daemon *daemon = context;

    inputs_keep(daemon->inputs, input_created(deployment, where, servers, cause), NULL,
                NULL);
    json_object_put(servers);
}

void wiring_destroyed(void *context, const char *deployment, const char *cause)
{
    struct daemon *daemon = context;

    if (cause != NULL)
        log_warning("deployment %s: %s", deployment, cause);
    inputs_keep(daemon->inputs, input_destroyed(deployment, cause), NULL, NULL);
}

void wiring_http_answered(void *context, const char *ticket, struct json_object *reply,
                          const char *cause)
{
    struct daemon *daemon = context;

    inputs_keep(daemon->inputs, input_http_answered(ticket, reply, cause), NULL, NULL);
}

void wiring_lost(void *context, const char *client, const char *reason)
{
    struct daemon *daemon = context;

    inputs_keep(daemon->inputs, input_lost(client, reason), NULL, NULL);
}

int64_t wiring_last_polled(void *context, const char *client)
{
    return presence_last_polled(((const struct daemon *)context)->presence, client);
}

double wiring_expected(void *context, const char *kind)
{
    return expected_seconds(((const struct daemon *)context)->expected, kind);
}

/* --- time --- */

#define SOON_MS 1000

static void note_polled(void *argument, const char *client)
{
    const struct daemon *daemon = ((void **)argument)[0];
    int64_t polled_ms = presence_last_polled(daemon->presence, client);

    if (polled_ms != 0)
        json_put_int(((void **)argument)[1], client, polled_ms);
}

static void time_told(void *argument, bool written, int64_t number,
                      enum engine_result result, char *cause)
{
    struct daemon *daemon = argument;

    (void)number, (void)result;
    free(cause);
    daemon->telling_time = false;
    if (written) /* else the process ends */
        daemon_settle(daemon);
}

void wiring_tell_time(struct daemon *daemon)
{
    struct instant moment = now();
    struct json_object *polled = json_new_object();
    void *argument[] = {daemon, polled};

    if (!daemon->telling_time) {
        daemon->telling_time = true;
        moment.mono_ms += SOON_MS; /* it is a little later when the engine hears of it */
        engine_overdue(daemon->engine, &moment, note_polled, argument);
        inputs_keep(daemon->inputs, input_time(polled), time_told, daemon);
    }
    json_object_put(polled);
}
