/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's state as JSON. */
#include "status.h"

#include "json.h"
#include "matching.h"
#include "model.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

static void put_time(struct json_object *object, const char *name, int64_t wall_ms)
{
    char text[CLOCK_TEXT_SIZE];

    json_put_text(object, name, wall_ms != 0 ? clock_format(wall_ms, text) : NULL);
}

/* --- cases --- */

static char *case_message(const struct engine *engine, const struct testcase *testcase)
{
    switch (testcase->state) {
    case CASE_WAITING:
        return engine->stopping != NULL ? xstrdup(engine->stopping)
                                        : matching_reason(engine->matching, testcase);
    case CASE_PREPARING:
        return xstrdup("its servers are being made");
    case CASE_RUNNING:
        return xstrdup("");
    default:
        return xstrdup(testcase_verdict(testcase)->message);
    }
}

static struct json_object *case_roles(const struct testcase *testcase)
{
    struct json_object *roles = json_new_object();

    for (size_t i = 0; i < testcase->machine->role_count && testcase->players != NULL;
         i++) {
        struct json_object *role = json_new_object();
        const struct seat *seat = testcase->attempt ? &testcase->attempt->seats[i] : NULL;
        const char *action = seat && seat->action ? seat->action->name : NULL;
        json_put_text(role, "type", testcase->players[i]->type);
        json_put_text(role, "client", testcase->players[i]->id);
        json_put_text(role, "action", action);
        json_put(roles, testcase->machine->roles[i], role);
    }
    return roles;
}

static struct json_object *case_files(const struct testcase *testcase)
{
    struct json_object *files = json_new_array();

    if (testcase->files != NULL) {
        json_object_object_foreach (testcase->files, name, size) {
            (void)size;
            json_append(files, json_new_text(name));
        }
    }
    return files;
}

static struct json_object *case_json(const struct engine *engine,
                                     const struct testcase *testcase,
                                     const struct status_view *view)
{
    struct json_object *object = json_new_object();
    const struct attempt *attempt = testcase->attempt;
    char *message = case_message(engine, testcase);

    json_put_text(object, "id", testcase->id);
    json_put_text(object, "name", testcase->name);
    json_put_text(object, "state", case_state_text(testcase->state));
    json_put_text(object, "machine",
                  attempt ? attempt->machine->states[attempt->state].name : NULL);
    json_put_text(object, "message", message);
    put_time(object, "started", testcase->taken.wall_ms);
    put_time(object, "ended", testcase->ended.wall_ms);
    json_put_number(object, "duration", testcase_seconds(testcase, &view->now));
    json_put(object, "roles", case_roles(testcase));
    json_put(object, "servers",
             testcase->servers ? json_object_get(testcase->servers) : json_new_array());
    json_put(object, "files", case_files(testcase));
    free(message);
    return object;
}

static void append_transcript(struct json_object *lines,
                              const struct transcript *transcript)
{
    for (size_t i = 0; i < transcript->count; i++) {
        const struct transcript_line *line = &transcript->lines[i];
        struct json_object *object = json_new_object();
        put_time(object, "time", line->wall_ms);
        json_put_text(object, "kind", transcript_kind_text(line->kind));
        json_put_text(object, "role", line->role);
        json_put_text(object, "text", line->text);
        json_append(lines, object);
    }
}

/* --- suites --- */

static struct json_object *suite_head(const struct suite *suite)
{
    struct json_object *object = json_new_object();

    json_put_text(object, "id", suite->id);
    json_put_text(object, "name", suite->definition->name);
    json_put_text(object, "folder", suite->definition->folder);
    json_put_text(object, "file", suite->definition->file);
    json_put_text(object, "description", suite->definition->description);
    return object;
}

static struct json_object *suite_json(const struct engine *engine,
                                      const struct suite *suite,
                                      const struct status_view *view)
{
    struct json_object *object = suite_head(suite);
    struct json_object *cases = json_new_array();

    for (size_t i = 0; i < suite->case_count; i++)
        json_append(cases, case_json(engine, &suite->cases[i], view));
    json_put(object, "cases", cases);
    return object;
}

struct json_object *status_suite(const struct engine *engine, const char *id,
                                 const struct status_view *view)
{
    struct suite *suite = NULL;

    HASH_FIND_STR(engine->suites_by_id, id, suite);
    return suite != NULL ? suite_json(engine, suite, view) : NULL;
}

struct json_object *status_case(const struct engine *engine, const char *id,
                                const struct status_view *view)
{
    struct testcase *testcase = NULL;

    HASH_FIND_STR(engine->cases_by_id, id, testcase);
    if (testcase == NULL)
        return NULL;
    struct json_object *object = case_json(engine, testcase, view);
    struct json_object *transcript = json_new_array();
    size_t dropped = testcase->prelude.dropped;
    append_transcript(transcript, &testcase->prelude);
    if (testcase->attempt != NULL) {
        append_transcript(transcript, &testcase->attempt->transcript);
        dropped += testcase->attempt->transcript.dropped;
    }
    json_put(object, "suite", suite_head(testcase->suite));
    json_put_text(object, "details", testcase_verdict(testcase)->details);
    json_put(object, "transcript", transcript);
    json_put_int(object, "transcript_dropped", (int64_t)dropped);
    return object;
}

/* --- clients and all --- */

static struct json_object *client_json(const struct client *client,
                                       const struct status_view *view)
{
    struct json_object *object = json_new_object();
    const struct testcase *testcase = client->testcase;

    json_put_text(object, "id", client->id);
    json_put_text(object, "type", client->type);
    json_put_text(object, "state", client_state_text(client->state));
    json_put_text(object, "case", testcase ? testcase->id : NULL);
    json_put_text(object, "role",
                  testcase ? testcase->machine->roles[client->seat] : NULL);
    put_time(object, "registered", client->registered_ms);
    put_time(object, "last_polled", view->last_polled(view->context, client->id));
    put_time(object, "last_reported", client->reported_ms);
    json_put(object, "registration", json_object_get(client->registration));
    return object;
}

static struct json_object *server_json(const struct engine *engine,
                                       const struct status_view *view)
{
    struct json_object *object = json_new_object();

    json_put_text(object, "version", view->version);
    put_time(object, "started", engine->started.wall_ms);
    put_time(object, "now", view->now.wall_ms);
    json_put_bool(object, "done", engine_is_done(engine));
    json_put_text(object, "run", engine->run_id);
    return object;
}

struct json_object *status_all(const struct engine *engine,
                               const struct status_view *view)
{
    struct json_object *object = json_new_object();
    struct json_object *totals = json_new_object();
    struct json_object *suites = json_new_array();
    struct json_object *clients = json_new_array();
    const struct suite *suite;

    json_put_int(totals, "cases", (int64_t)engine->case_count);
    for (int state = 0; state < CASE_STATE_COUNT; state++)
        json_put_int(totals, case_state_text(state), (int64_t)engine->totals[state]);
    TAILQ_FOREACH (suite, &engine->suites, link) {
        json_append(suites, suite_json(engine, suite, view));
    }
    for (const struct client *client = engine->clients; client; client = client->hh.next)
        json_append(clients, client_json(client, view));
    json_put(object, "server", server_json(engine, view));
    json_put(object, "totals", totals);
    json_put(object, "suites", suites);
    json_put(object, "clients", clients);
    return object;
}

char *status_line(const struct engine *engine)
{
    size_t waiting = 0;

    for (const struct client *client = engine->clients; client; client = client->hh.next)
        waiting += client->state == CLIENT_WAITING;
    return xasprintf("%zu of %zu cases done, %zu %s waiting",
                     engine->totals[CASE_SUCCESS] + engine->totals[CASE_FAILED] +
                         engine->totals[CASE_ERROR],
                     engine->case_count, waiting, waiting == 1 ? "client" : "clients");
}
