/* SPDX-License-Identifier: Apache-2.0 */
/* One client and the part that it plays. */
#include "playing.h"

#include "dictionary.h"
#include "engine_internal.h"
#include "json.h"
#include "model.h"
#include "wanted.h"
#include "xalloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define WAITS_SHOWN  5
#define ANSWER_DEPTH 1000 /* of an answer of our own making: data has its own limit */

/* --- what a poll answers --- */

static struct json_object *poll_json(const struct engine *engine, const char *id)
{
    struct poll poll = engine_poll(engine, id);
    struct json_object *answer = NULL;

    if (poll.kind == POLL_ANSWER) {
        char *cause = NULL;
        int result =
            json_read(poll.answer, strlen(poll.answer), ANSWER_DEPTH, &answer, &cause);
        assert(result == 0);
        (void)result;
        return answer;
    }
    struct json_object *data = json_new_object();
    answer = json_new_object();
    json_put_text(data, "reason", poll.reason);
    json_put_text(answer, "action", "idle");
    json_put(answer, "data", data);
    return answer;
}

/* --- what the action is --- */

/* What the dictionary says of an action for this type; NULL: nothing. Owned. */
static struct json_object *entry_json(const struct dictionary *dictionary,
                                      const char *action, const char *type)
{
    static const char *const members[] = {"description", "ask", "data", "report",
                                          "responses"};
    const struct action_entry *entry = dictionary_find(dictionary, action);

    if (entry == NULL)
        return NULL;
    struct json_object *object = json_new_object();
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        struct json_object *member = action_entry_member(entry, type, members[i]);
        if (member != NULL)
            json_put(object, members[i], json_object_get(member));
    }
    return object;
}

static const struct seat *seat_of(const struct client *client)
{
    const struct attempt *attempt = client->turn != NULL ? client->turn->attempt : NULL;

    return attempt != NULL ? &attempt->seats[client->seat] : NULL;
}

static struct json_object *task_json(const struct client *client,
                                     const struct instant *now)
{
    const struct seat *seat = seat_of(client);

    if (seat == NULL || seat->action == NULL)
        return NULL;
    const struct definition *definition = client->turn->testcase->suite->definition;
    const struct attempt *attempt = client->turn->attempt;
    int64_t end_ms = seat->deadline_ms < attempt->case_deadline_ms
                         ? seat->deadline_ms
                         : attempt->case_deadline_ms;
    struct json_object *task = json_new_object();
    json_put(task, "entry",
             entry_json(definition->dictionary, seat->action->name, client->type));
    json_put_int(task, "left",
                 end_ms > now->mono_ms ? (end_ms - now->mono_ms) / 1000 : 0);
    return task;
}

/* --- the part --- */

static struct json_object *others_json(const struct turn *turn, size_t mine)
{
    struct json_object *others = json_new_array();

    for (size_t i = 0; i < turn->testcase->machine->role_count; i++) {
        const struct seat *seat = turn->attempt != NULL ? &turn->attempt->seats[i] : NULL;
        bool acts = seat != NULL && seat->action != NULL;
        if (i == mine)
            continue;
        struct json_object *other = json_new_object();
        json_put_text(other, "role", turn->testcase->machine->roles[i]);
        json_put_text(other, "type", turn->players[i]->type);
        json_put_text(other, "action", acts ? seat->action->name : NULL);
        json_append(others, other);
    }
    return others;
}

/* Names of the files that were uploaded in this role. */
static struct json_object *files_json(const struct turn *turn, const char *role)
{
    struct json_object *files = json_new_array();
    size_t length = strlen(role);

    if (turn->files == NULL)
        return files;
    json_object_object_foreach (turn->files, name, size) {
        (void)size;
        if (strncmp(name, role, length) == 0 && name[length] == '_')
            json_append(files, json_new_text(name));
    }
    return files;
}

static struct json_object *part_json(const struct client *client)
{
    const struct turn *turn = client->turn;

    if (turn == NULL)
        return NULL;
    const struct testcase *testcase = turn->testcase;
    const struct definition *definition = testcase->suite->definition;
    const char *role = testcase->machine->roles[client->seat];
    const struct attempt *attempt = turn->attempt;
    struct json_object *part = json_new_object();
    json_put_text(part, "test", definition->name);
    json_put_text(part, "description", definition->description);
    json_put_text(part, "case", testcase->id);
    json_put_text(part, "name", testcase->name);
    json_put_text(part, "state", case_state_text(turn->state));
    json_put_text(part, "message", turn_verdict(turn)->message);
    json_put_text(part, "role", role);
    json_put_text(part, "machine",
                  attempt != NULL ? attempt->machine->states[attempt->state].name : NULL);
    json_put(part, "others", others_json(turn, client->seat));
    json_put(part, "files", files_json(turn, role));
    return part;
}

struct json_object *playing_json(const struct engine *engine, const char *id,
                                 const struct instant *now)
{
    const struct client *client = engine_find_client(engine, id);

    if (client == NULL)
        return NULL;
    struct json_object *object = json_new_object();
    json_put_text(object, "id", client->id);
    json_put_text(object, "type", client->type);
    json_put_text(object, "state", client_state_text(client->state));
    json_put(object, "registration", json_copy(client->registration));
    json_put(object, "poll", poll_json(engine, id));
    json_put(object, "task", task_json(client, now));
    json_put(object, "waits",
             client->turn == NULL ? wanted_cases(engine, client->type, WAITS_SHOWN)
                                  : json_new_array());
    json_put(object, "part", part_json(client));
    return object;
}
