/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's state as JSON. */
#include "status.h"

#include "casename.h"
#include "graph.h"
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

/* Why a case that waits does not play; and as matching_reason() has it, whether it lacks
 * clients. */
static char *waiting_message(const struct engine *engine, const struct testcase *testcase,
                             bool *lacks_clients)
{
    const struct run *run = testcase->suite->run;

    if (run->broken_off != NULL)
        return xstrdup(run->broken_off);
    if (run != engine->going)
        return xstrdup("its run is queued: another one is going");
    char *reason = matching_reason(run->matching, testcase, lacks_clients);
    if (testcase->turn_count == 0)
        return reason;
    const struct turn *last = TAILQ_LAST(&testcase->turns, turn_list);
    char *message =
        xasprintf("is tried again after attempt %u ended (%s: %s): %s", last->number,
                  case_state_text(last->state), turn_verdict(last)->message, reason);
    free(reason);
    return message;
}

static char *case_message(const struct engine *engine, const struct testcase *testcase,
                          bool *lacks_clients)
{
    switch (testcase->state) {
    case CASE_WAITING:
        return waiting_message(engine, testcase, lacks_clients);
    case CASE_PREPARING:
        return xstrdup("its servers are being made");
    case CASE_RUNNING:
        return xstrdup("");
    default:
        return xstrdup(testcase_verdict(testcase)->message);
    }
}

char *status_message(const struct engine *engine, const struct testcase *testcase)
{
    return case_message(engine, testcase, NULL);
}

static struct json_object *turn_roles(const struct turn *turn)
{
    struct json_object *roles = json_new_object();

    for (size_t i = 0; turn != NULL && i < turn->testcase->machine->role_count; i++) {
        struct json_object *role = json_new_object();
        const struct seat *seat = turn->attempt ? &turn->attempt->seats[i] : NULL;
        const char *action = seat && seat->action ? seat->action->name : NULL;
        json_put_text(role, "type", turn->players[i]->type);
        json_put_text(role, "client", turn->players[i]->id);
        json_put_text(role, "action", action);
        json_put(roles, turn->testcase->machine->roles[i], role);
    }
    return roles;
}

static struct json_object *turn_files(const struct turn *turn)
{
    struct json_object *files = json_new_array();

    if (turn != NULL && turn->files != NULL) {
        json_object_object_foreach (turn->files, name, size) {
            (void)size;
            json_append(files, json_new_text(name));
        }
    }
    return files;
}

/* What a case and each of its attempts have in common. The turn may be NULL. */
static void put_turn(struct json_object *object, const struct turn *turn,
                     const struct status_view *view)
{
    const struct attempt *attempt = turn != NULL ? turn->attempt : NULL;

    json_put_text(object, "machine",
                  attempt ? attempt->machine->states[attempt->state].name : NULL);
    put_time(object, "started", turn != NULL ? turn->taken.wall_ms : 0);
    put_time(object, "ended", turn != NULL ? turn->ended.wall_ms : 0);
    json_put_number(object, "duration", turn_seconds(turn, &view->now));
    json_put(object, "roles", turn_roles(turn));
    json_put(object, "servers",
             turn != NULL && turn->servers ? json_copy(turn->servers) : json_new_array());
    json_put(object, "files", turn_files(turn));
}

static struct json_object *attempt_json(const struct turn *turn,
                                        const struct status_view *view)
{
    struct json_object *object = json_new_object();

    json_put_int(object, "number", turn->number);
    json_put_text(object, "state", case_state_text(turn->state));
    json_put_text(object, "message", turn_verdict(turn)->message);
    put_turn(object, turn, view);
    return object;
}

/* How long a case that has not ended takes, as earlier ones of its kind did. */
static void put_expected(struct json_object *object, const struct testcase *testcase,
                         const struct status_view *view)
{
    const struct definition *definition = testcase->suite->definition;

    if (view->expected == NULL || testcase_has_ended(testcase))
        return;
    char *kind =
        xasprintf("%s%s%s/%.*s", definition->folder, *definition->folder ? "." : "",
                  definition->name, (int)casename_length(testcase->name), testcase->name);
    double seconds = view->expected(view->context, kind);
    if (seconds >= 0)
        json_put_number(object, "expected", seconds);
    free(kind);
}

static struct json_object *case_json(const struct engine *engine,
                                     const struct testcase *testcase,
                                     const struct status_view *view)
{
    struct json_object *object = json_new_object();
    const struct turn *turn;
    bool lacks_clients = false;
    char *why = case_message(engine, testcase, &lacks_clients);

    json_put_text(object, "id", testcase->id);
    json_put_text(object, "name", testcase->name);
    json_put_text(object, "state", case_state_text(testcase->state));
    json_put_text(object, "message", why);
    if (lacks_clients)
        json_put_bool(object, "lacks_clients", true);
    put_turn(object, testcase->turn, view);
    put_expected(object, testcase, view);
    if (testcase->turn == NULL)
        put_time(object, "ended", testcase->ended.wall_ms);
    if (testcase_is_flaky(testcase))
        json_put_bool(object, "flaky", true);
    if (testcase->turn_count > 1 ||
        (testcase->turn_count == 1 && testcase->turn == NULL)) {
        struct json_object *attempts = json_new_array();
        TAILQ_FOREACH (turn, &testcase->turns, link) {
            json_append(attempts, attempt_json(turn, view));
        }
        json_put(object, "attempts", attempts);
    }
    free(why);
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

    json_put_text(object, "run", suite->run->id);
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

/* The lines of a turn under "transcript", with how many were left out; the turn may be
 * NULL. */
static void put_transcript(struct json_object *object, const struct turn *turn)
{
    struct json_object *lines = json_new_array();
    size_t dropped = 0;

    if (turn != NULL) {
        append_transcript(lines, &turn->prelude);
        dropped += turn->prelude.dropped;
    }
    if (turn != NULL && turn->attempt != NULL) {
        append_transcript(lines, &turn->attempt->transcript);
        dropped += turn->attempt->transcript.dropped;
    }
    json_put(object, "transcript", lines);
    json_put_int(object, "transcript_dropped", (int64_t)dropped);
}

struct json_object *status_case(const struct engine *engine, const char *id,
                                const struct status_view *view)
{
    struct testcase *testcase = NULL;

    HASH_FIND_STR(engine->cases_by_id, id, testcase);
    if (testcase == NULL)
        return NULL;
    struct json_object *object = case_json(engine, testcase, view);
    struct json_object *attempts = json_member(object, "attempts");
    const struct turn *turn = TAILQ_FIRST(&testcase->turns);
    json_put(object, "suite", suite_head(testcase->suite));
    json_put_text(object, "run", testcase->suite->run->id);
    json_put_text(object, "details", testcase_verdict(testcase)->details);
    put_transcript(object, testcase->turn);
    for (size_t i = 0; attempts != NULL && i < json_object_array_length(attempts); i++) {
        struct json_object *attempt = json_object_array_get_idx(attempts, i);
        json_put_text(attempt, "details", turn_verdict(turn)->details);
        put_transcript(attempt, turn);
        turn = TAILQ_NEXT(turn, link);
    }
    return object;
}

/* --- clients and all --- */

static struct json_object *client_json(const struct client *client,
                                       const struct status_view *view)
{
    struct json_object *object = json_new_object();
    const struct testcase *testcase = client->turn ? client->turn->testcase : NULL;

    json_put_text(object, "id", client->id);
    json_put_text(object, "type", client->type);
    json_put_text(object, "state", client_state_text(client->state));
    json_put_text(object, "case", testcase ? testcase->id : NULL);
    json_put_text(object, "role",
                  testcase ? testcase->machine->roles[client->seat] : NULL);
    put_time(object, "registered", client->registered_ms);
    put_time(object, "last_polled", view->last_polled(view->context, client->id));
    put_time(object, "last_reported", client->reported_ms);
    json_put(object, "registration", json_copy(client->registration));
    return object;
}

static struct json_object *server_json(const struct engine *engine, const struct run *run,
                                       const struct status_view *view)
{
    struct json_object *object = json_new_object();

    json_put_text(object, "version", view->version);
    put_time(object, "started", engine->started.wall_ms);
    put_time(object, "now", view->now.wall_ms);
    json_put_bool(object, "done", run == NULL || run->state == RUN_ENDED);
    json_put_text(object, "run", run != NULL ? run->id : NULL);
    return object;
}

static struct json_object *totals_json(const struct run *run)
{
    struct json_object *totals = json_new_object();

    json_put_int(totals, "cases", run != NULL ? (int64_t)run->case_count : 0);
    for (int state = 0; state < CASE_STATE_COUNT; state++)
        json_put_int(totals, case_state_text(state),
                     run != NULL ? (int64_t)run->totals[state] : 0);
    json_put_int(totals, "flaky", run != NULL ? (int64_t)run->flaky : 0);
    return totals;
}

static struct json_object *run_json(const struct run *run)
{
    struct json_object *object = json_new_object();

    json_put_text(object, "id", run->id);
    json_put_text(object, "label", run->label);
    json_put_text(object, "state", run_state_text(run->state));
    json_put(object, "totals", totals_json(run));
    put_time(object, "started", run->begun.wall_ms);
    put_time(object, "ended", run->ended.wall_ms);
    return object;
}

/* Whether a client belongs to what is to be seen of the run: it plays there, or in
 * none. */
static bool is_seen(const struct client *client, const struct run *run)
{
    return client->turn == NULL || client->turn->testcase->suite->run == run;
}

/* The client types of a case in the order of its roles. Owned. */
static char *case_types(const struct testcase *testcase)
{
    const struct definition *definition = testcase->suite->definition;
    const char **types = xcalloc(definition->role_count, sizeof *types);
    char *list = xstrdup("");

    definition_case_types(definition, testcase->index, types);
    for (size_t i = 0; i < definition->role_count; i++) {
        char *longer = xasprintf("%s%s%s", list, i > 0 ? ", " : "", types[i]);
        free(list);
        list = longer;
    }
    free(types);
    return list;
}

/* What is kept of a case that has ended. */
static struct json_object *record_json(const struct engine *engine,
                                       const struct testcase *testcase,
                                       const struct status_view *view)
{
    struct json_object *record = json_new_object();
    const struct definition *definition = testcase->suite->definition;
    char *test = xasprintf("%s%s%s", definition->folder, *definition->folder ? "." : "",
                           definition->name);
    char *types = case_types(testcase);
    char *message = status_message(engine, testcase);
    char *machine = graph_case(engine, testcase->id, false);
    char *context = graph_case(engine, testcase->id, true);

    json_put_text(record, "id", testcase->id);
    json_put_text(record, "test", test);
    json_put_text(record, "name", testcase->name);
    json_put_text(record, "types", types);
    json_put_text(record, "state", case_state_text(testcase->state));
    json_put_bool(record, "flaky", testcase_is_flaky(testcase));
    json_put_int(record, "attempts", testcase->turn_count);
    json_put_number(record, "duration", turn_seconds(testcase->turn, &view->now));
    json_put_int(record, "ended", testcase->ended.wall_ms);
    json_put_text(record, "message", message);
    json_put(record, "document", status_case(engine, testcase->id, view));
    json_put_text(record, "machine", machine);
    json_put_text(record, "context", context);
    free(context);
    free(machine);
    free(message);
    free(types);
    free(test);
    return record;
}

/* --- everything, a piece at a time --- */

/* Where a walk is: by numbers, since all that it has passed may go between two steps. */
struct status_walk {
    char run[ID_SIZE];            /* whose document it is; "": of no run */
    struct json_object *document; /* so far; owned */
    size_t suite;                 /* number of the suite that comes next */
    size_t testcase;              /* number of its case that comes next */
    size_t client;                /* number of the client that comes next */
    bool cases_done;              /* all cases are there */
};

static struct status_walk *walk_new(const struct engine *engine, const struct run *run,
                                    const struct status_view *view)
{
    struct status_walk *walk = xcalloc(1, sizeof *walk);

    walk->document = json_new_object();
    if (run != NULL)
        memcpy(walk->run, run->id, ID_SIZE);
    json_put(walk->document, "server", server_json(engine, run, view));
    json_put(walk->document, "run", run != NULL ? run_json(run) : NULL);
    json_put(walk->document, "totals", totals_json(run));
    json_put(walk->document, "suites", json_new_array());
    json_put(walk->document, "clients", json_new_array());
    return walk;
}

struct status_walk *status_walk_new(const struct engine *engine, const char *id,
                                    const struct status_view *view)
{
    const struct run *run =
        id != NULL ? engine_find_run(engine, id) : engine_shown_run(engine);

    return run != NULL || id == NULL ? walk_new(engine, run, view) : NULL;
}

/* The next suite of the run, with its array of cases in the document. */
static const struct suite *walk_suite(struct status_walk *walk, const struct run *run,
                                      struct json_object **cases)
{
    const struct suite *suite = run != NULL ? TAILQ_FIRST(&run->suites) : NULL;
    struct json_object *suites = json_member(walk->document, "suites");

    for (size_t i = 0; i < walk->suite && suite != NULL; i++)
        suite = TAILQ_NEXT(suite, link);
    if (suite == NULL)
        return NULL;
    if (json_object_array_length(suites) == walk->suite) {
        struct json_object *object = suite_head(suite);
        json_put(object, "cases", json_new_array());
        json_append(suites, object);
    }
    *cases = json_member(json_object_array_get_idx(suites, walk->suite), "cases");
    return suite;
}

/* Up to `count` cases more; gives how many there was room left for. */
static size_t walk_cases(struct status_walk *walk, const struct engine *engine,
                         const struct status_view *view, size_t count)
{
    const struct run *run = engine_find_run(engine, walk->run);
    struct json_object *cases = NULL;
    const struct suite *suite = walk_suite(walk, run, &cases);

    while (suite != NULL && count > 0) {
        for (; walk->testcase < suite->case_count && count > 0; count--)
            json_append(cases, case_json(engine, &suite->cases[walk->testcase++], view));
        if (walk->testcase < suite->case_count)
            break;
        walk->suite++;
        walk->testcase = 0;
        suite = walk_suite(walk, run, &cases);
    }
    walk->cases_done = suite == NULL;
    return count;
}

/* Up to `count` clients more; gives whether those were all. */
static bool walk_clients(struct status_walk *walk, const struct engine *engine,
                         const struct status_view *view, size_t count)
{
    const struct run *run = engine_find_run(engine, walk->run);
    const struct client *client = engine->clients;
    struct json_object *clients = json_member(walk->document, "clients");

    for (size_t i = 0; i < walk->client && client != NULL; i++)
        client = client->hh.next;
    for (; client != NULL && count > 0; client = client->hh.next, count--) {
        walk->client++;
        if (is_seen(client, run))
            json_append(clients, client_json(client, view));
    }
    return client == NULL;
}

bool status_walk_step(struct status_walk *walk, const struct engine *engine,
                      const struct status_view *view, size_t count)
{
    if (!walk->cases_done)
        count = walk_cases(walk, engine, view, count);
    return walk->cases_done && walk_clients(walk, engine, view, count);
}

struct json_object *status_walk_finish(struct status_walk *walk)
{
    struct json_object *document = walk != NULL ? walk->document : NULL;

    free(walk);
    return document;
}

static struct json_object *walk_all(const struct engine *engine, const char *run,
                                    const struct status_view *view)
{
    struct status_walk *walk = status_walk_new(engine, run, view);

    if (walk != NULL)
        status_walk_step(walk, engine, view, SIZE_MAX);
    return status_walk_finish(walk);
}

struct json_object *status_all(const struct engine *engine,
                               const struct status_view *view)
{
    return walk_all(engine, NULL, view);
}

struct json_object *status_run(const struct engine *engine, const char *id,
                               const struct status_view *view)
{
    return walk_all(engine, id, view);
}

struct json_object *status_runs(const struct engine *engine)
{
    struct json_object *runs = json_new_array();
    const struct run *run;

    TAILQ_FOREACH_REVERSE (run, &engine->runs, run_list, link) {
        json_append(runs, run_json(run));
    }
    return runs;
}

struct json_object *status_run_head(const struct engine *engine, const char *id)
{
    const struct run *run = engine_find_run(engine, id);

    return run != NULL ? run_json(run) : NULL;
}

struct json_object *status_run_record(const struct engine *engine, const char *id)
{
    const struct run *run = engine_find_run(engine, id);

    if (run == NULL)
        return NULL;
    struct json_object *record = run_json(run);
    json_put_int(record, "started", run->begun.wall_ms);
    json_put_int(record, "ended", run->ended.wall_ms);
    return record;
}

struct json_object *status_record(const struct engine *engine, const char *id,
                                  size_t first, size_t count,
                                  const struct status_view *view)
{
    struct json_object *records = json_new_array();
    const struct run *run = engine_find_run(engine, id);
    const struct suite *suite = run != NULL ? TAILQ_FIRST(&run->suites) : NULL;

    for (; suite != NULL && count > 0; suite = TAILQ_NEXT(suite, link)) {
        for (size_t i = first; i < suite->case_count && count > 0; i++, count--)
            json_append(records, record_json(engine, &suite->cases[i], view));
        first -= first < suite->case_count ? first : suite->case_count;
    }
    return records;
}

char *status_line(const struct engine *engine)
{
    const struct run *run = engine_shown_run(engine);
    size_t waiting = 0;

    for (const struct client *client = engine->clients; client; client = client->hh.next)
        waiting += client->state == CLIENT_WAITING && client->exit_answer == NULL;
    return xasprintf("%zu of %zu cases done, %zu %s waiting",
                     run != NULL ? run->totals[CASE_SUCCESS] + run->totals[CASE_FAILED] +
                                       run->totals[CASE_ERROR]
                                 : 0,
                     run != NULL ? run->case_count : 0, waiting,
                     waiting == 1 ? "client" : "clients");
}
