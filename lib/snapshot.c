/* SPDX-License-Identifier: Apache-2.0 */
/* All that an engine knows, part by part. */
#include "snapshot.h"

#include "json.h"
#include "snapshot_internal.h"
#include "xalloc.h"

#include <stdlib.h>

#define ITEMS_AT_ONCE 200 /* clients and such in one part */

struct snapshot {
    const struct engine *engine;     /* borrowed */
    size_t stage;                    /* which kind of part comes next */
    bool given;                      /* the one part of this stage was */
    const struct client *client;     /* next one; borrowed */
    const struct testcase *testcase; /* next one; borrowed */
    const struct turn *turn;         /* whose lines come next, or NULL; borrowed */
    bool of_machine;                 /* those lines are of its machine's transcript */
    size_t line;                     /* number of the next one */
    size_t due;                      /* place of the next time-out, from 1 */
    const struct client **waiting;   /* in the order of the line; owned */
    size_t waiting_count;            /* length of waiting */
    size_t place;                    /* in waiting, of the next one */
};

static struct json_object *part_new(const char *what)
{
    struct json_object *part = json_new_object();

    json_put_text(part, "what", what);
    return part;
}

/* For stages of one part: false once it was given. */
static bool is_first(struct snapshot *snapshot)
{
    bool first = !snapshot->given;

    snapshot->given = true;
    return first;
}

static struct json_object *engine_part(struct snapshot *snapshot)
{
    const struct engine *engine = snapshot->engine;

    if (!is_first(snapshot))
        return NULL;
    struct json_object *part = part_new("engine");
    json_put_int(part, "version", SNAPSHOT_VERSION);
    json_put_text(part, "stopping", engine->stopping);
    json_put_bool(part, "has_task", engine->has_task);
    json_put_bool(part, "unsettled", engine->unsettled);
    json_put(part, "former", json_object_get(engine->former));
    return part;
}

/* --- clients --- */

static struct json_object *client_json(const struct client *client)
{
    struct json_object *json = json_new_object();

    json_put_text(json, "id", client->id);
    json_put_text(json, "state", client_state_text(client->state));
    json_put_int(json, "registered", client->registered_ms);
    json_put_int(json, "reported", client->reported_ms);
    json_put(json, "registration", json_object_get(client->registration));
    json_put_text(json, "exit", client->exit_answer);
    return json;
}

static struct json_object *clients_part(struct snapshot *snapshot)
{
    struct json_object *clients = json_new_array();

    if (snapshot->client == NULL) {
        json_object_put(clients);
        return NULL;
    }
    while (snapshot->client != NULL &&
           json_object_array_length(clients) < ITEMS_AT_ONCE) {
        json_append(clients, client_json(snapshot->client));
        snapshot->client = snapshot->client->hh.next;
    }
    struct json_object *part = part_new("clients");
    json_put(part, "clients", clients);
    return part;
}

/* --- runs and cases --- */

static struct json_object *run_json(const struct run *run)
{
    struct json_object *json = json_new_object();

    json_put_text(json, "id", run->id);
    json_put_text(json, "state", run_state_text(run->state));
    json_put(json, "begun", instant_json(&run->begun));
    json_put(json, "ended", instant_json(&run->ended));
    json_put_int(json, "changes", (int64_t)run->changes);
    json_put_text(json, "broken_off", run->broken_off);
    return json;
}

static struct json_object *runs_part(struct snapshot *snapshot)
{
    struct json_object *runs;
    const struct run *run;

    if (!is_first(snapshot))
        return NULL;
    struct json_object *part = part_new("runs");
    runs = json_new_array();
    TAILQ_FOREACH (run, &snapshot->engine->runs, link) {
        json_append(runs, run_json(run));
    }
    json_put(part, "runs", runs);
    return part;
}

/* Lines of the attempts of the case that was given before; NULL: that were all. */
static struct json_object *next_lines(struct snapshot *snapshot)
{
    while (snapshot->turn != NULL) {
        struct json_object *lines =
            snapshot_lines(snapshot->turn, snapshot->of_machine, snapshot->line);
        snapshot->line += SNAPSHOT_LINES;
        if (lines != NULL)
            return lines;
        snapshot->line = 0;
        if (snapshot->of_machine)
            snapshot->turn = TAILQ_NEXT(snapshot->turn, link);
        snapshot->of_machine = !snapshot->of_machine;
    }
    return NULL;
}

static struct json_object *cases_part(struct snapshot *snapshot)
{
    struct json_object *part = next_lines(snapshot);

    while (part == NULL && snapshot->testcase != NULL) {
        const struct testcase *testcase = snapshot->testcase;
        snapshot->testcase = testcase->hh.next;
        if (snapshot_is_untouched(testcase))
            continue;
        snapshot->turn = TAILQ_FIRST(&testcase->turns);
        part = part_new("case");
        json_put(part, "case", snapshot_case(testcase));
    }
    return part;
}

/* --- deployments --- */

static struct json_object *deployment_json(const struct deployment *deployment)
{
    const struct turn *turn = deployment->turn;
    struct json_object *json = json_new_object();

    json_put_text(json, "name", deployment->name);
    json_put_text(json, "where", deployment->where);
    json_put_bool(json, "answered", deployment->answered);
    json_put_bool(json, "unwanted", deployment->unwanted);
    if (turn == NULL)
        return json;
    json_put_text(json, "case", turn->testcase->id);
    json_put_int(json, "turn", turn->number);
    json_put_bool(json, "latest", turn->deployment == deployment);
    return json;
}

static struct json_object *deployments_part(struct snapshot *snapshot)
{
    const struct deployment *deployment;

    if (!is_first(snapshot))
        return NULL;
    struct json_object *part = part_new("deployments");
    struct json_object *deployments = json_new_array();
    for (deployment = snapshot->engine->deployments; deployment != NULL;
         deployment = deployment->hh.next)
        json_append(deployments, deployment_json(deployment));
    json_put(part, "deployments", deployments);
    return part;
}

/* --- what comes next --- */

static struct json_object *due_part(struct snapshot *snapshot)
{
    const struct heap *heap = &snapshot->engine->due;
    size_t end = snapshot->due + ITEMS_AT_ONCE;

    if (snapshot->due > heap->count)
        return NULL;
    struct json_object *part = part_new("due");
    struct json_object *due = json_new_array();
    for (; snapshot->due < end && snapshot->due <= heap->count; snapshot->due++) {
        const struct heap_entry *entry = heap->entries[snapshot->due];
        const struct testcase *testcase = entry->owner;
        struct json_object *item = json_new_object();
        json_put_text(item, "case", testcase->id);
        json_put_int(item, "at", entry->key);
        json_append(due, item);
    }
    json_put(part, "due", due);
    return part;
}

static struct json_object *matching_part(struct snapshot *snapshot)
{
    const struct run *going = snapshot->engine->going;

    if (going == NULL || !is_first(snapshot))
        return NULL;
    struct json_object *part = part_new("matching");
    json_put_text(part, "run", going->id);
    return part;
}

static struct json_object *line_part(struct snapshot *snapshot)
{
    size_t end = snapshot->place + ITEMS_AT_ONCE;

    if (snapshot->place == snapshot->waiting_count)
        return NULL;
    struct json_object *part = part_new("line");
    struct json_object *clients = json_new_array();
    for (; snapshot->place < end && snapshot->place < snapshot->waiting_count;
         snapshot->place++)
        json_append(clients, json_new_text(snapshot->waiting[snapshot->place]->id));
    json_put(part, "clients", clients);
    return part;
}

static struct json_object *end_part(struct snapshot *snapshot)
{
    return is_first(snapshot) ? part_new("end") : NULL;
}

/* --- the whole --- */

static int compare_places(const void *a, const void *b)
{
    const struct client *one = *(const struct client *const *)a;
    const struct client *other = *(const struct client *const *)b;

    return one->joined < other->joined ? -1 : one->joined > other->joined;
}

/* Who stands in line, and how. */
static void find_line(struct snapshot *snapshot)
{
    const struct engine *engine = snapshot->engine;
    const struct client *client;

    if (engine->going == NULL)
        return;
    snapshot->waiting = xcalloc(HASH_COUNT(engine->clients), sizeof *snapshot->waiting);
    for (client = engine->clients; client != NULL; client = client->hh.next) {
        if (client->state == CLIENT_WAITING)
            snapshot->waiting[snapshot->waiting_count++] = client;
    }
    qsort(snapshot->waiting, snapshot->waiting_count, sizeof *snapshot->waiting,
          compare_places);
}

struct snapshot *snapshot_new(const struct engine *engine)
{
    struct snapshot *snapshot = xcalloc(1, sizeof *snapshot);

    snapshot->engine = engine;
    snapshot->client = engine->clients;
    snapshot->testcase = engine->cases_by_id;
    snapshot->due = 1;
    find_line(snapshot);
    return snapshot;
}

struct json_object *snapshot_next(struct snapshot *snapshot)
{
    static struct json_object *(*const stages[])(struct snapshot *) = {
        engine_part, clients_part,  runs_part, cases_part, deployments_part,
        due_part,    matching_part, line_part, end_part,
    };
    struct json_object *part = NULL;

    while (snapshot->stage < sizeof stages / sizeof *stages) {
        part = stages[snapshot->stage](snapshot);
        if (part != NULL)
            break;
        snapshot->stage++;
        snapshot->given = false;
    }
    return part;
}

void snapshot_free(struct snapshot *snapshot)
{
    free(snapshot->waiting);
    free(snapshot);
}
