/* SPDX-License-Identifier: Apache-2.0 */
/* An engine from the parts of a snapshot. */
#include "json.h"
#include "matching.h"
#include "run.h"
#include "snapshot.h"
#include "snapshot_internal.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

/* The member of the part as an array; false with *cause if it is none. */
static bool has_array(struct json_object *part, const char *name, size_t *count,
                      char **cause)
{
    struct json_object *array = json_member(part, name);

    if (!json_object_is_type(array, json_type_array)) {
        cause_set(cause, "%s are missing", name);
        return false;
    }
    *count = json_object_array_length(array);
    return true;
}

static struct json_object *item(struct json_object *part, const char *name, size_t i)
{
    return json_object_array_get_idx(json_member(part, name), i);
}

static int64_t number(struct json_object *json, const char *name)
{
    return json_object_get_int64(json_member(json, name));
}

static char *copy_text(struct json_object *json, const char *name)
{
    const char *text = json_member_text(json, name);

    return text != NULL ? xstrdup(text) : NULL;
}

static bool restore_engine(struct engine *engine, struct json_object *part,
                           const struct instant *now, char **cause)
{
    struct json_object *former = json_member(part, "former");

    (void)now;
    if (number(part, "version") != SNAPSHOT_VERSION ||
        !json_object_is_type(former, json_type_object)) {
        cause_set(cause, "it has version %lld, this program reads version %d",
                  (long long)number(part, "version"), SNAPSHOT_VERSION);
        return false;
    }
    free(engine->stopping);
    engine->stopping = copy_text(part, "stopping");
    engine->has_task = json_object_get_boolean(json_member(part, "has_task"));
    engine->unsettled = json_object_get_boolean(json_member(part, "unsettled"));
    json_object_put(engine->former);
    engine->former = json_copy(former);
    return true;
}

/* --- clients --- */

static bool read_client_state(const char *text, enum client_state *state)
{
    for (int i = CLIENT_WAITING; text != NULL && i <= CLIENT_LOST; i++) {
        *state = (enum client_state)i;
        if (strcmp(client_state_text(*state), text) == 0)
            return true;
    }
    return false;
}

static bool restore_client(struct engine *engine, struct json_object *json, char **cause)
{
    const char *id = json_member_text(json, "id");
    struct json_object *registration = json_member(json, "registration");
    enum client_state state;

    if (id == NULL || json_member_text(registration, "type") == NULL ||
        engine_find_client(engine, id) != NULL ||
        !read_client_state(json_member_text(json, "state"), &state)) {
        cause_set(cause, "%.200s is no client", json_text(json));
        return false;
    }
    struct client *client = engine_add_client(engine, id, registration);
    client->state = state;
    client->registered_ms = number(json, "registered");
    client->reported_ms = number(json, "reported");
    client->exit_answer = copy_text(json, "exit");
    return true;
}

static bool restore_clients(struct engine *engine, struct json_object *part,
                            const struct instant *now, char **cause)
{
    size_t count;
    bool good = has_array(part, "clients", &count, cause);

    (void)now;
    for (size_t i = 0; good && i < count; i++)
        good = restore_client(engine, item(part, "clients", i), cause);
    return good;
}

/* --- runs --- */

static bool read_run_state(const char *text, enum run_state *state)
{
    for (int i = RUN_QUEUED; text != NULL && i <= RUN_ENDED; i++) {
        *state = (enum run_state)i;
        if (strcmp(run_state_text(*state), text) == 0)
            return true;
    }
    return false;
}

static bool restore_run(struct engine *engine, struct json_object *json, char **cause)
{
    const char *id = json_member_text(json, "id");
    struct run *run = id != NULL ? engine_find_run(engine, id) : NULL;
    enum run_state state;

    if (id == NULL || !read_run_state(json_member_text(json, "state"), &state)) {
        cause_set(cause, "%.200s is no run", json_text(json));
        return false;
    }
    if (run == NULL)
        return true; /* it was forgotten */
    run->is_restored = true;
    run->state = state;
    run->begun = instant_read(json_member(json, "begun"));
    run->ended = instant_read(json_member(json, "ended"));
    run->changes = (size_t)number(json, "changes");
    run->broken_off = copy_text(json, "broken_off");
    return true;
}

/* Those that no part names were forgotten, and only what brought them was still there. */
static void drop_others(struct engine *engine)
{
    struct run *run, *next;

    for (run = TAILQ_FIRST(&engine->runs); run != NULL; run = next) {
        next = TAILQ_NEXT(run, link);
        if (!run->is_restored)
            engine_drop_run(engine, run);
    }
}

static bool restore_runs(struct engine *engine, struct json_object *part,
                         const struct instant *now, char **cause)
{
    size_t count;
    bool good = has_array(part, "runs", &count, cause);

    (void)now;
    for (size_t i = 0; good && i < count; i++)
        good = restore_run(engine, item(part, "runs", i), cause);
    if (good)
        drop_others(engine);
    return good;
}

static bool restore_case(struct engine *engine, struct json_object *part,
                         const struct instant *now, char **cause)
{
    (void)now;
    return snapshot_restore_case(engine, part, cause);
}

static bool restore_lines(struct engine *engine, struct json_object *part,
                          const struct instant *now, char **cause)
{
    (void)now;
    return snapshot_restore_lines(engine, part, cause);
}

/* --- deployments --- */

static bool restore_deployment(struct engine *engine, struct json_object *json,
                               char **cause)
{
    const char *name = json_member_text(json, "name");

    if (name == NULL) {
        cause_set(cause, "a deployment has no name");
        return false;
    }
    struct deployment *deployment = engine_add_deployment(engine, name);
    deployment->where = copy_text(json, "where");
    deployment->answered = json_object_get_boolean(json_member(json, "answered"));
    deployment->unwanted = json_object_get_boolean(json_member(json, "unwanted"));
    deployment->turn = snapshot_find_turn(engine, json);
    if (deployment->turn != NULL && json_object_get_boolean(json_member(json, "latest")))
        deployment->turn->deployment = deployment;
    return true;
}

static bool restore_deployments(struct engine *engine, struct json_object *part,
                                const struct instant *now, char **cause)
{
    size_t count;
    bool good = has_array(part, "deployments", &count, cause);

    (void)now;
    for (size_t i = 0; good && i < count; i++)
        good = restore_deployment(engine, item(part, "deployments", i), cause);
    return good;
}

/* --- what comes next --- */

static bool restore_due(struct engine *engine, struct json_object *part,
                        const struct instant *now, char **cause)
{
    size_t count;
    bool good = has_array(part, "due", &count, cause);

    (void)now;
    for (size_t i = 0; good && i < count; i++) {
        const char *id = json_member_text(item(part, "due", i), "case");
        struct testcase *testcase = NULL;
        if (id != NULL)
            HASH_FIND_STR(engine->cases_by_id, id, testcase);
        if (testcase != NULL) /* in this order each comes to stand where it stood */
            heap_put(&engine->due, &testcase->due, number(item(part, "due", i), "at"));
    }
    return good;
}

/* All that may still wait stands in line at first, as it was when the run began. */
static void restore_lines_of_cases(struct run *run)
{
    struct suite *suite;

    TAILQ_FOREACH (suite, &run->suites, link) {
        for (size_t i = 0; i < suite->case_count; i++) {
            struct testcase *testcase = &suite->cases[i];
            if (testcase_has_ended(testcase))
                continue;
            engine_stand_in_line(testcase);
            if (testcase->state != CASE_WAITING)
                matching_remove_case(run->matching, testcase);
        }
    }
}

static void seat_players(struct run *run)
{
    struct suite *suite;

    TAILQ_FOREACH (suite, &run->suites, link) {
        for (size_t i = 0; i < suite->case_count; i++) {
            const struct testcase *testcase = &suite->cases[i];
            if (testcase->state != CASE_PREPARING && testcase->state != CASE_RUNNING)
                continue;
            for (size_t seat = 0; seat < testcase->machine->role_count; seat++)
                matching_seat_client(run->matching, testcase->turn->players[seat]);
        }
    }
}

static bool restore_matching(struct engine *engine, struct json_object *part,
                             const struct instant *now, char **cause)
{
    const char *id = json_member_text(part, "run");
    struct run *run = id != NULL ? engine_find_run(engine, id) : NULL;

    (void)now;
    if (run == NULL || run->state != RUN_RUNNING || run->matching != NULL) {
        cause_set(cause, "no run is going");
        return false;
    }
    engine->going = run;
    run->matching = matching_new(&run->settings);
    restore_lines_of_cases(run);
    seat_players(run);
    return true;
}

static bool restore_line(struct engine *engine, struct json_object *part,
                         const struct instant *now, char **cause)
{
    size_t count;
    bool good = has_array(part, "clients", &count, cause) && engine->going != NULL;

    (void)now;
    for (size_t i = 0; good && i < count; i++) {
        struct json_object *id = item(part, "clients", i);
        struct client *client =
            json_is_text(id) ? engine_find_client(engine, json_object_get_string(id))
                             : NULL;
        good = client != NULL && client->state == CLIENT_WAITING &&
               client->memberships == NULL;
        if (good)
            engine_join(engine, client);
    }
    if (!good)
        cause_set(cause, "who stands in line does not wait");
    return good;
}

/* Unless more can start anyway, nothing does that could not before: cases only get to know
 * what they wait for. */
static bool restore_end(struct engine *engine, struct json_object *part,
                        const struct instant *now, char **cause)
{
    (void)part, (void)cause;
    engine->is_restoring = false;
    if (!engine->unsettled)
        engine_settle(engine, now);
    return true;
}

/* --- all parts --- */

void snapshot_begin_restoring(struct engine *engine)
{
    engine->is_restoring = true;
}

enum engine_result snapshot_restore(struct engine *engine, struct json_object *part,
                                    const struct instant *now, char **cause)
{
    static const struct {
        const char *what;
        bool (*restore)(struct engine *engine, struct json_object *part,
                        const struct instant *now, char **cause);
    } parts[] = {
        {"engine", restore_engine}, {"clients", restore_clients},
        {"runs", restore_runs},     {"case", restore_case},
        {"lines", restore_lines},   {"deployments", restore_deployments},
        {"due", restore_due},       {"matching", restore_matching},
        {"line", restore_line},     {"end", restore_end},
    };
    const char *what = json_member_text(part, "what");
    char *why = NULL;

    if (!engine->is_restoring)
        return ENGINE_OK;
    for (size_t i = 0; what != NULL && i < sizeof parts / sizeof *parts; i++) {
        if (strcmp(parts[i].what, what) == 0 && parts[i].restore(engine, part, now, &why))
            return ENGINE_OK;
    }
    cause_set(cause, "the snapshot can't be taken: %s",
              why != NULL ? why : "it has a part that this program does not know");
    free(why);
    return ENGINE_UNREADABLE;
}
