/* SPDX-License-Identifier: Apache-2.0 */
/* A case with its attempts, as parts of a snapshot and back from them. */
#include "json.h"
#include "snapshot_internal.h"
#include "xalloc.h"

#include <string.h>

/* --- to JSON --- */

bool snapshot_is_untouched(const struct testcase *testcase)
{
    return testcase->state == CASE_WAITING && TAILQ_EMPTY(&testcase->turns);
}

static struct json_object *turn_json(const struct turn *turn)
{
    struct json_object *json = json_new_object();
    struct json_object *players = json_new_array();

    for (size_t i = 0; i < turn->testcase->machine->role_count; i++)
        json_append(players, json_new_text(turn->players[i]->id));
    json_put(json, "players", players);
    json_put_text(json, "state", case_state_text(turn->state));
    json_put(json, "verdict", verdict_json(&turn->verdict));
    json_put(json, "servers", json_object_get(turn->servers));
    json_put(json, "files", json_object_get(turn->files));
    json_put(json, "colours", json_object_get(turn->colours));
    json_put(json, "taken", instant_json(&turn->taken));
    json_put(json, "ended", instant_json(&turn->ended));
    json_put_int(json, "dropped", (int64_t)turn->prelude.dropped);
    if (turn->attempt != NULL)
        json_put(json, "attempt", attempt_snapshot(turn->attempt));
    return json;
}

struct json_object *snapshot_case(const struct testcase *testcase)
{
    struct json_object *json = json_new_object();
    struct json_object *turns = json_new_array();
    const struct turn *turn;

    TAILQ_FOREACH (turn, &testcase->turns, link) {
        json_append(turns, turn_json(turn));
    }
    json_put_text(json, "id", testcase->id);
    json_put_text(json, "run", testcase->suite->run->id);
    json_put_text(json, "state", case_state_text(testcase->state));
    json_put_int(json, "turn", testcase->turn != NULL ? testcase->turn->number : 0);
    json_put_int(json, "deployments", testcase->deployments);
    json_put(json, "verdict", verdict_json(&testcase->verdict));
    json_put(json, "ended", instant_json(&testcase->ended));
    json_put(json, "turns", turns);
    return json;
}

static const struct transcript *transcript_of(const struct turn *turn, bool of_machine)
{
    if (!of_machine)
        return &turn->prelude;
    return turn->attempt != NULL ? &turn->attempt->transcript : NULL;
}

struct json_object *snapshot_lines(const struct turn *turn, bool of_machine, size_t first)
{
    const struct transcript *transcript = transcript_of(turn, of_machine);
    const struct machine *machine = turn->testcase->machine;

    if (transcript == NULL || first >= transcript->count)
        return NULL;
    struct json_object *part = json_new_object();
    json_put_text(part, "what", "lines");
    json_put_text(part, "case", turn->testcase->id);
    json_put_int(part, "turn", turn->number);
    json_put_bool(part, "of_machine", of_machine);
    json_put(part, "lines",
             transcript_json(transcript, first, SNAPSHOT_LINES, machine->roles,
                             machine->role_count));
    return part;
}

/* --- and back --- */

/* The state of this name; -1: there is none. */
static int find_state(const char *text)
{
    for (int state = CASE_WAITING; text != NULL && state < CASE_STATE_COUNT; state++) {
        if (strcmp(case_state_text((enum case_state)state), text) == 0)
            return state;
    }
    return -1;
}

static struct testcase *find_case(const struct engine *engine, const char *id)
{
    struct testcase *testcase = NULL;

    if (id != NULL)
        HASH_FIND_STR(engine->cases_by_id, id, testcase);
    return testcase;
}

static struct turn *find_turn(const struct testcase *testcase, int64_t number)
{
    struct turn *turn;

    TAILQ_FOREACH (turn, &testcase->turns, link) {
        if (turn->number == number)
            return turn;
    }
    return NULL;
}

struct turn *snapshot_find_turn(const struct engine *engine, struct json_object *json)
{
    const struct testcase *testcase = find_case(engine, json_member_text(json, "case"));

    return testcase != NULL
               ? find_turn(testcase, json_object_get_int64(json_member(json, "turn")))
               : NULL;
}

static struct client *player(const struct engine *engine, struct json_object *turn,
                             size_t seat)
{
    struct json_object *players = json_member(turn, "players");
    struct json_object *id = json_object_is_type(players, json_type_array)
                                 ? json_object_array_get_idx(players, seat)
                                 : NULL;

    return json_is_text(id) ? engine_find_client(engine, json_object_get_string(id))
                            : NULL;
}

static bool seat_players(struct engine *engine, struct turn *turn,
                         struct json_object *json)
{
    for (size_t i = 0; i < turn->testcase->machine->role_count; i++) {
        struct client *client = player(engine, json, i);
        if (client == NULL || client->turn != NULL)
            return false;
        client->turn = turn;
        client->seat = i;
        turn->players[i] = client;
    }
    return true;
}

/* The next turn of the case. */
static bool read_turn(struct engine *engine, struct testcase *testcase,
                      struct json_object *json)
{
    size_t limit = testcase->suite->run->settings.transcript;
    struct json_object *attempt = json_member(json, "attempt");
    struct turn *turn = xcalloc(1, sizeof *turn);
    int state = find_state(json_member_text(json, "state"));

    turn->number = ++testcase->turn_count;
    turn->testcase = testcase;
    turn->players = xcalloc(testcase->machine->role_count, sizeof(struct client *));
    turn->state = state > CASE_WAITING ? (enum case_state)state : CASE_PREPARING;
    turn->verdict = verdict_read(json_member(json, "verdict"));
    turn->servers = json_object_get(json_member(json, "servers"));
    turn->files = json_object_get(json_member(json, "files"));
    turn->colours = json_object_get(json_member(json, "colours"));
    turn->taken = instant_read(json_member(json, "taken"));
    turn->ended = instant_read(json_member(json, "ended"));
    turn->prelude.limit = limit;
    turn->prelude.dropped = (size_t)json_object_get_int64(json_member(json, "dropped"));
    TAILQ_INSERT_TAIL(&testcase->turns, turn, link);
    if (attempt != NULL)
        turn->attempt = attempt_restore(testcase->machine, limit, attempt);
    return state > CASE_WAITING && (attempt == NULL) == (turn->attempt == NULL) &&
           seat_players(engine, turn, json);
}

/* Its run was forgotten since: of who played in it nothing is left but that. */
static void forget_players(struct engine *engine, struct json_object *json)
{
    struct json_object *turns = json_member(json, "turns");
    struct client *client;

    for (size_t i = 0; i < json_object_array_length(turns); i++) {
        struct json_object *turn = json_object_array_get_idx(turns, i);
        for (size_t seat = 0; (client = player(engine, turn, seat)) != NULL; seat++) {
            json_put_text(engine->former, client->id, json_member_text(json, "run"));
            engine_forget_client(engine, client);
        }
    }
}

static bool read_case(struct engine *engine, struct testcase *testcase,
                      struct json_object *json)
{
    struct json_object *turns = json_member(json, "turns");
    int64_t number = json_object_get_int64(json_member(json, "turn"));
    int state = find_state(json_member_text(json, "state"));
    bool good = state >= 0 && snapshot_is_untouched(testcase);

    for (size_t i = 0; good && i < json_object_array_length(turns); i++)
        good = read_turn(engine, testcase, json_object_array_get_idx(turns, i));
    if (!good)
        return false;
    testcase->turn = find_turn(testcase, number);
    testcase->deployments =
        (unsigned)json_object_get_int64(json_member(json, "deployments"));
    testcase->verdict = verdict_read(json_member(json, "verdict"));
    testcase->ended = instant_read(json_member(json, "ended"));
    if (state != CASE_WAITING)
        testcase_set_state(testcase, (enum case_state)state);
    return (number == 0) == (testcase->turn == NULL);
}

bool snapshot_restore_case(struct engine *engine, struct json_object *part, char **cause)
{
    struct json_object *json = json_member(part, "case");
    const char *id = json_member_text(json, "id");
    const char *run = json_member_text(json, "run");
    struct testcase *testcase = find_case(engine, id);

    if (id == NULL || run == NULL ||
        !json_object_is_type(json_member(json, "turns"), json_type_array)) {
        cause_set(cause, "a case is not named");
        return false;
    }
    if (engine_find_run(engine, run) == NULL) {
        forget_players(engine, json);
        return true;
    }
    if (testcase != NULL && read_case(engine, testcase, json))
        return true;
    cause_set(cause, "the case %s of the run %s is another one", id, run);
    return false;
}

bool snapshot_restore_lines(struct engine *engine, struct json_object *part, char **cause)
{
    struct turn *turn = snapshot_find_turn(engine, part);
    bool of_machine = json_object_get_boolean(json_member(part, "of_machine"));

    if (turn == NULL && find_case(engine, json_member_text(part, "case")) == NULL)
        return true; /* its run was forgotten */
    const struct machine *machine = turn != NULL ? turn->testcase->machine : NULL;
    struct transcript *transcript = turn == NULL            ? NULL
                                    : !of_machine           ? &turn->prelude
                                    : turn->attempt != NULL ? &turn->attempt->transcript
                                                            : NULL;
    if (transcript != NULL && transcript_read(transcript, json_member(part, "lines"),
                                              machine->roles, machine->role_count))
        return true;
    cause_set(cause, "lines of a transcript of the case %s are none of it",
              json_member_text(part, "case"));
    return false;
}
