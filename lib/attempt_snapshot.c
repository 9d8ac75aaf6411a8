/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An attempt as JSON and back from it, but for the lines of its transcript. States have
 * their names there; actions and edges, which have none, their places in the machine.
 */
#include "attempt.h"
#include "json.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

/* --- to JSON --- */

static struct json_object *counts_json(const unsigned *counts, size_t count)
{
    struct json_object *json = json_new_array();

    for (size_t i = 0; i < count; i++)
        json_append(json, xcheck(json_object_new_int64(counts[i])));
    return json;
}

static struct json_object *seat_json(const struct attempt *attempt,
                                     const struct seat *seat)
{
    struct json_object *json = json_new_object();

    json_put_text(json, "client", seat->client);
    json_put_text(json, "type", seat->type);
    json_put_text(json, "taken", seat->taken);
    if (seat->action == NULL)
        return json;
    json_put_int(json, "action", seat->action - attempt_current(attempt)->actions);
    json_put(json, "data", json_object_get(seat->data));
    json_put_text(json, "delivery", seat->delivery);
    json_put(json, "asked", instant_json(&seat->asked));
    json_put_int(json, "deadline", seat->deadline_ms);
    return json;
}

struct json_object *attempt_snapshot(const struct attempt *attempt)
{
    const struct machine *machine = attempt->machine;
    struct json_object *json = json_new_object();
    struct json_object *seats = json_new_array();

    for (size_t i = 0; i < machine->role_count; i++)
        json_append(seats, seat_json(attempt, &attempt->seats[i]));
    json_put_text(json, "id", attempt->id);
    json_put_text(json, "state", attempt_current(attempt)->name);
    json_put(json, "entered", instant_json(&attempt->entered));
    json_put(json, "seats", seats);
    json_put(json, "scope", json_object_get(attempt->scope));
    json_put(json, "reporters", json_object_get(attempt->reporters));
    json_put(json, "missing", json_object_get(attempt->missing));
    json_put(json, "colours", json_object_get(attempt->colours));
    json_put(json, "checks", json_object_get(attempt->checks));
    json_put(json, "visits", counts_json(attempt->visits, machine->state_count));
    json_put(json, "edges", counts_json(attempt->taken_edges, machine->edge_count));
    json_put_int(json, "deliveries", attempt->deliveries);
    json_put_text(json, "ticket", attempt->ticket);
    json_put_int(json, "wait_until", attempt->wait_until_ms);
    json_put_int(json, "case_deadline", attempt->case_deadline_ms);
    json_put_int(json, "case_timeout", attempt->case_timeout_ms);
    json_put_int(json, "dropped", (int64_t)attempt->transcript.dropped);
    json_put(json, "verdict", verdict_json(&attempt->verdict));
    return json;
}

/* --- and back --- */

static int64_t number(struct json_object *json, const char *name)
{
    return json_object_get_int64(json_member(json, name));
}

/* A text that has at most the length of an id; "" where there is none. */
static bool read_id(char id[ID_SIZE], struct json_object *json, const char *name)
{
    const char *text = json_member_text(json, name);
    size_t size = text != NULL ? strlen(text) : 0;

    if (size >= ID_SIZE)
        return false;
    memcpy(id, text != NULL ? text : "", size + 1);
    return true;
}

static bool read_counts(unsigned *counts, size_t count, struct json_object *json)
{
    if (!json_object_is_type(json, json_type_array) ||
        json_object_array_length(json) != count)
        return false;
    for (size_t i = 0; i < count; i++)
        counts[i] = (unsigned)json_object_get_int64(json_object_array_get_idx(json, i));
    return true;
}

static bool read_outstanding(const struct attempt *attempt, struct seat *seat,
                             struct json_object *json)
{
    const struct machine_state *state = attempt_current(attempt);
    int64_t action = number(json, "action");

    if (action < 0 || (size_t)action >= state->action_count ||
        &attempt->seats[state->actions[action].role] != seat)
        return false;
    seat->action = &state->actions[action];
    seat->data = json_object_get(json_member(json, "data"));
    seat->asked = instant_read(json_member(json, "asked"));
    seat->deadline_ms = number(json, "deadline");
    return read_id(seat->delivery, json, "delivery");
}

/* The attempt is in its state already. */
static bool read_seat(const struct attempt *attempt, struct seat *seat,
                      struct json_object *json)
{
    const char *client = json_member_text(json, "client");
    const char *type = json_member_text(json, "type");

    if (client == NULL || type == NULL || !read_id(seat->taken, json, "taken"))
        return false;
    seat->client = xstrdup(client);
    seat->type = xstrdup(type);
    return json_member(json, "action") == NULL || read_outstanding(attempt, seat, json);
}

static bool read_seats(struct attempt *attempt, struct json_object *json)
{
    size_t count = attempt->machine->role_count;
    bool good = json_object_is_type(json, json_type_array) &&
                json_object_array_length(json) == count;

    for (size_t i = 0; good && i < count; i++)
        good = read_seat(attempt, &attempt->seats[i], json_object_array_get_idx(json, i));
    return good;
}

/* What its conditions and its `${…}` find. */
static bool read_values(struct attempt *attempt, struct json_object *json)
{
    attempt->scope = json_object_get(json_member(json, "scope"));
    attempt->reporters = json_object_get(json_member(json, "reporters"));
    attempt->missing = json_object_get(json_member(json, "missing"));
    attempt->colours = json_object_get(json_member(json, "colours"));
    attempt->checks = json_object_get(json_member(json, "checks"));
    return (attempt->scope == NULL ||
            json_object_is_type(attempt->scope, json_type_object)) &&
           json_object_is_type(attempt->reporters, json_type_object) &&
           json_object_is_type(attempt->missing, json_type_object) &&
           json_object_is_type(attempt->colours, json_type_object) &&
           json_object_is_type(attempt->checks, json_type_array);
}

static bool read_place(struct attempt *attempt, struct json_object *json)
{
    const struct machine *machine = attempt->machine;
    const char *state = json_member_text(json, "state");

    attempt->state = state != NULL ? machine_find(machine, state) : MACHINE_NO_STATE;
    return attempt->state != MACHINE_NO_STATE &&
           read_counts(attempt->visits, machine->state_count,
                       json_member(json, "visits")) &&
           read_counts(attempt->taken_edges, machine->edge_count,
                       json_member(json, "edges"));
}

struct attempt *attempt_restore(const struct machine *machine, size_t transcript_limit,
                                struct json_object *json)
{
    struct attempt *attempt = xcalloc(1, sizeof *attempt);

    attempt->machine = machine;
    attempt->seats = xcalloc(machine->role_count, sizeof *attempt->seats);
    attempt->visits = xcalloc(machine->state_count, sizeof *attempt->visits);
    attempt->taken_edges = xcalloc(machine->edge_count, sizeof *attempt->taken_edges);
    attempt->transcript.limit = transcript_limit;
    attempt->transcript.dropped = (size_t)number(json, "dropped");
    for (size_t i = 0; i < machine->role_count; i++)
        attempt->seats[i].role = machine->roles[i];
    attempt->entered = instant_read(json_member(json, "entered"));
    attempt->deliveries = (unsigned)number(json, "deliveries");
    attempt->wait_until_ms = number(json, "wait_until");
    attempt->case_deadline_ms = number(json, "case_deadline");
    attempt->case_timeout_ms = number(json, "case_timeout");
    attempt->verdict = verdict_read(json_member(json, "verdict"));
    if (read_id(attempt->id, json, "id") && read_id(attempt->ticket, json, "ticket") &&
        read_place(attempt, json) && read_values(attempt, json) &&
        read_seats(attempt, json_member(json, "seats")))
        return attempt;
    attempt_free(attempt);
    return NULL;
}
