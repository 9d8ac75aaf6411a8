/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One go of a case through its machine. All moves go through enter(), which runs on
 * through states that need nobody (set) until one rests; the loader has made sure that
 * there is one.
 */
#include "attempt.h"

#include "condition.h"
#include "entering.h"
#include "json.h"
#include "utf8.h"
#include "value.h"
#include "xalloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const struct machine_state *attempt_current(const struct attempt *attempt)
{
    return &attempt->machine->states[attempt->state];
}

/* --- seats --- */

static void seat_withdraw(struct seat *seat)
{
    seat->changed = seat->changed || seat->action != NULL;
    json_object_put(seat->data);
    free(seat->answer);
    seat->data = NULL;
    seat->answer = NULL;
    seat->action = NULL;
    seat->delivery[0] = '\0';
}

static struct json_object *accepted_names(const struct machine_action *action)
{
    struct json_object *names = json_new_array();

    for (size_t i = 0; i < action->response_count; i++) {
        if (action->responses[i].name == NULL) { /* any name will do */
            json_object_put(names);
            return json_new_array();
        }
        json_append(names, json_new_text(action->responses[i].name));
    }
    return names;
}

static char *render_answer(const struct seat *seat)
{
    struct json_object *answer = json_new_object();

    json_put_text(answer, "action", seat->action->name);
    json_put(answer, "data", json_object_get(seat->data));
    json_put_text(answer, "id", seat->delivery);
    json_put(answer, "responses", accepted_names(seat->action));
    char *text = xstrdup(json_text(answer));
    json_object_put(answer);
    return text;
}

/* Give the seat this action. The same work that is outstanding already goes on under its
 * id. */
static void seat_ask(struct attempt *attempt, struct seat *seat,
                     const struct machine_action *action, struct json_object *data,
                     const struct instant *now)
{
    bool goes_on = seat->action != NULL &&
                   strcmp(seat->action->name, action->name) == 0 &&
                   json_object_equal(seat->data, data);

    if (!goes_on) {
        seat_withdraw(seat);
        id_derive(seat->delivery, attempt->id, "delivery %u", ++attempt->deliveries);
        seat->data = json_object_get(data);
        seat->asked = *now;
        seat->changed = true;
        transcript_add(&attempt->transcript, now, TRANSCRIPT_ACTION, seat->role, "%s %s",
                       action->name, json_text(data));
    }
    seat->action = action;
    seat->deadline_ms = now->mono_ms + action->timeout_ms;
    free(seat->answer);
    seat->answer = NULL;
}

const char *attempt_answer(const struct attempt *attempt, size_t seat_index)
{
    struct seat *seat = &attempt->seats[seat_index];

    if (seat->action != NULL && seat->answer == NULL)
        seat->answer = render_answer(seat);
    return seat->answer;
}

/* --- ending --- */

void attempt_end(struct attempt *attempt, enum outcome outcome, const char *type,
                 const char *message, const char *details, const struct instant *now)
{
    if (attempt->verdict.outcome != OUTCOME_NONE)
        return;
    attempt->verdict = verdict_make(outcome, type, message, details);
    for (size_t i = 0; i < attempt->machine->role_count; i++) {
        seat_withdraw(&attempt->seats[i]);
        attempt->seats[i].changed = true;
    }
    transcript_add(&attempt->transcript, now, TRANSCRIPT_END, NULL, "%s%s%s",
                   outcome_text(outcome), *message ? ": " : "", message);
}

void attempt_endf(struct attempt *attempt, enum outcome outcome, const char *type,
                  const char *details, const struct instant *now, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *message = xvasprintf(format, arguments);
    va_end(arguments);
    attempt_end(attempt, outcome, type, message, details, now);
    free(message);
}

void attempt_end_without_value(struct attempt *attempt, char *cause,
                               const struct instant *now)
{
    char *why = condition_explain_missing(attempt->missing, cause);

    attempt_endf(attempt, OUTCOME_ERROR, "value", NULL, now, "in state %s: %s",
                 attempt_current(attempt)->name, why);
    free(why);
}

/* --- entering states --- */

/* The role has nothing to do here; the transcript says so of one that had. */
static void seat_excuse(struct attempt *attempt, struct seat *seat,
                        const struct instant *now)
{
    if (seat->action != NULL)
        transcript_add(&attempt->transcript, now, TRANSCRIPT_NOTE, seat->role,
                       "is not asked for %s any more", seat->action->name);
    seat_withdraw(seat);
}

/* Replace the values of all actions first: what one saves must not reach its neighbours.
 */
static struct json_object **expand_actions(struct attempt *attempt, char **cause)
{
    const struct machine_state *state = attempt_current(attempt);
    struct json_object **data = xcalloc(state->action_count, sizeof *data);

    for (size_t i = 0; i < state->action_count; i++) {
        if (value_expand(state->actions[i].data, attempt->scope, &data[i], cause) == 0)
            continue;
        for (size_t j = 0; j < i; j++)
            json_object_put(data[j]);
        free(data);
        return NULL;
    }
    return data;
}

static void enter_actions(struct attempt *attempt, const struct instant *now)
{
    const struct machine_state *state = attempt_current(attempt);
    char *cause = NULL;
    struct json_object **data = expand_actions(attempt, &cause);

    if (data == NULL) {
        attempt_end_without_value(attempt, cause, now);
        return;
    }
    for (size_t seat = 0; seat < attempt->machine->role_count; seat++) {
        size_t i = 0;
        while (i < state->action_count && state->actions[i].role != seat)
            i++;
        if (i == state->action_count)
            seat_excuse(attempt, &attempt->seats[seat], now);
    }
    for (size_t i = 0; i < state->action_count; i++) {
        const struct machine_action *action = &state->actions[i];
        seat_ask(attempt, &attempt->seats[action->role], action, data[i], now);
        json_object_put(data[i]);
    }
    free(data);
}

static void excuse_all(struct attempt *attempt, const struct instant *now)
{
    for (size_t i = 0; i < attempt->machine->role_count; i++)
        seat_excuse(attempt, &attempt->seats[i], now);
}

/* Enter one state; gives the state to go on to at once, or MACHINE_NO_STATE when it
 * rests. */
static int enter_one(struct attempt *attempt, int state, const struct instant *now)
{
    attempt->state = state;
    attempt->entered = *now;
    attempt->visits[state]++;
    const struct machine_state *entered = attempt_current(attempt);
    transcript_add(&attempt->transcript, now, TRANSCRIPT_STATE, NULL, "%s",
                   entered->name);
    if (entered->kind == STATE_ACTIONS) {
        enter_actions(attempt, now);
        return MACHINE_NO_STATE;
    }
    if (machine_state_rests(entered))
        excuse_all(attempt, now);
    entering_run(attempt, now);
    return machine_state_rests(entered) ? MACHINE_NO_STATE : entered->next;
}

static void take_edge(struct attempt *attempt, int action, int response)
{
    int edge = machine_edge(attempt->machine, attempt->state, action, response);

    if (edge >= 0)
        attempt->taken_edges[edge]++;
}

static void enter(struct attempt *attempt, int state, const struct instant *now)
{
    while (state != MACHINE_NO_STATE && attempt->verdict.outcome == OUTCOME_NONE) {
        int next = enter_one(attempt, state, now);
        if (next != MACHINE_NO_STATE && attempt->verdict.outcome == OUTCOME_NONE)
            take_edge(attempt, -1, -1);
        state = next;
    }
}

static void go_on_to_next(struct attempt *attempt, const struct instant *now)
{
    int next = attempt_current(attempt)->next;

    assert(next != MACHINE_NO_STATE); /* the loader refuses states without a way out */
    take_edge(attempt, -1, -1);
    enter(attempt, next, now);
}

/* --- the life of an attempt --- */

struct attempt *attempt_new(const struct machine *machine,
                            const struct scope_parts *parts, int64_t case_timeout_ms,
                            size_t transcript_limit, const struct instant *now)
{
    struct attempt *attempt = xcalloc(1, sizeof *attempt);
    char *cause = NULL;

    assert(parts->player_count == machine->role_count);
    attempt->machine = machine;
    memcpy(attempt->id, parts->attempt_id, ID_SIZE);
    attempt->seats = xcalloc(machine->role_count, sizeof *attempt->seats);
    for (size_t i = 0; i < machine->role_count; i++) {
        attempt->seats[i].role = machine->roles[i];
        attempt->seats[i].client = xstrdup(parts->players[i].client);
        attempt->seats[i].type = xstrdup(parts->players[i].type);
    }
    attempt->visits = xcalloc(machine->state_count, sizeof *attempt->visits);
    attempt->taken_edges = xcalloc(machine->edge_count, sizeof *attempt->taken_edges);
    attempt->state = machine->initial;
    attempt->entered = *now;
    attempt->case_timeout_ms = case_timeout_ms;
    attempt->case_deadline_ms = now->mono_ms + case_timeout_ms;
    attempt->transcript.limit = transcript_limit;
    attempt->reporters = json_new_object();
    attempt->missing = json_new_object();
    attempt->checks = json_new_array();
    attempt->colours =
        parts->colours != NULL ? json_object_get(parts->colours) : json_new_object();
    attempt->scope = scope_new(parts, &cause);
    if (attempt->scope != NULL) {
        enter(attempt, machine->initial, now);
    } else {
        attempt_endf(attempt, OUTCOME_ERROR, "value", NULL, now, "variables: %s", cause);
        free(cause);
    }
    return attempt;
}

void attempt_free(struct attempt *attempt)
{
    if (attempt == NULL)
        return;
    for (size_t i = 0; i < attempt->machine->role_count; i++) {
        seat_withdraw(&attempt->seats[i]);
        free(attempt->seats[i].client);
        free(attempt->seats[i].type);
    }
    transcript_clear(&attempt->transcript);
    free(attempt->seats);
    free(attempt->visits);
    free(attempt->taken_edges);
    verdict_clear(&attempt->verdict);
    json_object_put(attempt->request);
    json_object_put(attempt->scope);
    json_object_put(attempt->reporters);
    json_object_put(attempt->missing);
    json_object_put(attempt->checks);
    json_object_put(attempt->colours);
    free(attempt);
}

/* --- reports --- */

static bool all_reported(const struct attempt *attempt)
{
    for (size_t i = 0; i < attempt->machine->role_count; i++) {
        if (attempt->seats[i].action != NULL)
            return false;
    }
    return true;
}

void attempt_save(struct attempt *attempt, const char *name, struct json_object *value,
                  const char *role)
{
    json_put(attempt->scope, name, value);
    json_object_object_del(attempt->missing, name);
    if (role != NULL)
        json_put_text(attempt->reporters, name, role);
    else
        json_object_object_del(attempt->reporters, name);
}

static void take_report(struct attempt *attempt, struct seat *seat, int response,
                        const char *meant, struct json_object *body,
                        const struct instant *now)
{
    const struct machine_action *action = seat->action;
    int index = (int)(action - attempt_current(attempt)->actions);
    int target = action->responses[response].target;

    transcript_add(&attempt->transcript, now, TRANSCRIPT_RESPONSE, seat->role,
                   "%s: %s %s", action->name, meant, json_text(body));
    if (action->save != NULL) {
        struct json_object *saved = json_copy(body);
        json_put_text(saved, "response", meant);
        attempt_save(attempt, action->save, saved, seat->role);
    }
    memcpy(seat->taken, seat->delivery, ID_SIZE);
    seat_withdraw(seat);
    if (target != MACHINE_STAYS) {
        take_edge(attempt, index, response);
        enter(attempt, target, now);
    } else if (all_reported(attempt)) {
        go_on_to_next(attempt, now);
    }
}

/* A report that ends the case: failed, error, or a name that nobody expected. */
static void take_bad_report(struct attempt *attempt, struct seat *seat, const char *name,
                            struct json_object *body, const struct instant *now)
{
    const char *state = attempt_current(attempt)->name;
    const char *action = seat->action->name;
    char *accepted = machine_action_accepts(seat->action);
    char *shown = utf8_shorten(name, 100);

    transcript_add(&attempt->transcript, now, TRANSCRIPT_RESPONSE, seat->role,
                   "%s: %s %s", action, shown, json_text(body));
    memcpy(seat->taken, seat->delivery, ID_SIZE);
    if (strcmp(name, "failed") == 0)
        attempt_endf(attempt, OUTCOME_FAILED, "failed", json_text(body), now,
                     "%s reported that %s failed in state %s", seat->role, action, state);
    else if (strcmp(name, "error") == 0)
        attempt_endf(attempt, OUTCOME_ERROR, "error", json_text(body), now,
                     "%s reported an error at %s in state %s", seat->role, action, state);
    else
        attempt_endf(attempt, OUTCOME_ERROR, "unexpected-response", json_text(body), now,
                     "%s answered %s with \"%s\" in state %s, which accepts %s",
                     seat->role, action, shown, state, accepted);
    free(shown);
    free(accepted);
}

enum report_result attempt_report(struct attempt *attempt, size_t seat_index,
                                  const char *delivery, struct json_object *body,
                                  bool strict, const struct instant *now)
{
    struct seat *seat = &attempt->seats[seat_index];
    struct json_object *given = json_member(body, "response");
    const char *name = given == NULL ? NULL : json_text(given);
    const char *meant = NULL;

    if (delivery == NULL || *delivery == '\0' || seat->action == NULL ||
        strcmp(delivery, seat->delivery) != 0) {
        bool repeated =
            delivery != NULL && *delivery && strcmp(delivery, seat->taken) == 0;
        transcript_add(&attempt->transcript, now, TRANSCRIPT_NOTE, seat->role, "%s: %s",
                       repeated ? "reported again" : "reported without being asked",
                       json_text(body));
        return repeated ? REPORT_REPEATED : REPORT_STALE;
    }
    if (json_is_text(given))
        name = json_object_get_string(given);
    int response = machine_action_match(seat->action, name, &meant);
    bool ends_case = strcmp(meant, "failed") == 0 || strcmp(meant, "error") == 0;
    if (response >= 0) {
        take_report(attempt, seat, response, meant, body, now);
    } else if (strict && !ends_case) {
        transcript_add(&attempt->transcript, now, TRANSCRIPT_NOTE, seat->role,
                       "refused the response %s to %s", meant, seat->action->name);
        return REPORT_NOT_ACCEPTED;
    } else {
        take_bad_report(attempt, seat, meant, body, now);
    }
    return REPORT_TAKEN;
}

void attempt_adapter_error(struct attempt *attempt, size_t seat_index, bool is_action,
                           const char *details, const char *path,
                           const struct instant *now)
{
    struct seat *seat = &attempt->seats[seat_index];
    const char *action = seat->action != NULL ? seat->action->name : "nothing";
    char *all = xasprintf("%s%s%s", details, *path ? "\nat " : "", path);
    char *brief = utf8_shorten(details, 200);

    transcript_add(&attempt->transcript, now, TRANSCRIPT_ERROR, seat->role, "%s", all);
    attempt_endf(attempt, is_action ? OUTCOME_FAILED : OUTCOME_ERROR,
                 is_action ? "action-error" : "adapter-error", all, now,
                 "%s's adapter gave up while doing %s in state %s: %s", seat->role,
                 action, attempt_current(attempt)->name, brief);
    free(brief);
    free(all);
}

/* --- answers of other servers --- */

static bool status_is_accepted(struct json_object *accepted, int status)
{
    if (!json_object_is_type(accepted, json_type_array))
        return status >= 200 && status <= 299;
    for (size_t i = 0; i < json_object_array_length(accepted); i++) {
        if (json_object_get_int(json_object_array_get_idx(accepted, i)) == status)
            return true;
    }
    return false;
}

void attempt_http_answered(struct attempt *attempt, const char *ticket,
                           struct json_object *reply, const char *cause,
                           const struct instant *now)
{
    struct json_object *body = attempt_current(attempt)->body;
    const char *save = json_member_text(body, "save");
    int status = json_object_get_int(json_member(reply, "status"));

    if (attempt->verdict.outcome != OUTCOME_NONE || strcmp(attempt->ticket, ticket) != 0)
        return;
    attempt->ticket[0] = '\0';
    if (reply == NULL) {
        attempt_endf(attempt, OUTCOME_ERROR, "http", NULL, now, "in state %s: %s",
                     attempt_current(attempt)->name, cause);
        return;
    }
    transcript_add(&attempt->transcript, now, TRANSCRIPT_SERVER, NULL, "answered %s",
                   json_text(reply));
    if (!status_is_accepted(json_member(json_member(body, "http"), "status"), status)) {
        attempt_endf(attempt, OUTCOME_FAILED, "http", json_text(reply), now,
                     "in state %s: the server answered with status %d",
                     attempt_current(attempt)->name, status);
        return;
    }
    if (save != NULL)
        attempt_save(attempt, save, json_copy(reply), NULL);
    go_on_to_next(attempt, now);
}

/* --- time --- */

int64_t attempt_deadline(const struct attempt *attempt)
{
    int64_t deadline = attempt->case_deadline_ms;

    if (attempt->verdict.outcome != OUTCOME_NONE)
        return INT64_MAX;
    if (attempt_current(attempt)->kind == STATE_WAIT && attempt->wait_until_ms < deadline)
        deadline = attempt->wait_until_ms;
    for (size_t i = 0; i < attempt->machine->role_count; i++) {
        const struct seat *seat = &attempt->seats[i];
        if (seat->action != NULL && seat->deadline_ms < deadline)
            deadline = seat->deadline_ms;
    }
    return deadline;
}

/* Whether the client still polled, for people who wonder where it is. */
static char *poll_text(const struct seat *seat)
{
    char polled[CLOCK_TEXT_SIZE];

    if (seat->polled_ms == 0)
        return xstrdup("it never polled");
    clock_format(seat->polled_ms, polled);
    return seat->polled_ms < seat->asked.wall_ms
               ? xasprintf("it has not polled since %s, so it has not heard of it",
                           polled)
               : xasprintf("its latest poll was at %s", polled);
}

static void end_by_timeout(struct attempt *attempt, const struct seat *seat,
                           const struct instant *now)
{
    char asked[CLOCK_TEXT_SIZE];
    char *patience = duration_format(seat->action->timeout_ms);
    char *polled = poll_text(seat);

    attempt_endf(
        attempt, OUTCOME_ERROR, "timeout", NULL, now,
        "%s (%s) was asked to %s in state %s at %s and did not report within %s; %s",
        seat->role, seat->type, seat->action->name, attempt_current(attempt)->name,
        clock_format(seat->asked.wall_ms, asked), patience, polled);
    free(polled);
    free(patience);
}

void attempt_time(struct attempt *attempt, const struct instant *now)
{
    if (attempt_deadline(attempt) > now->mono_ms)
        return;
    if (attempt->case_deadline_ms <= now->mono_ms) {
        char *patience = duration_format(attempt->case_timeout_ms);
        attempt_endf(attempt, OUTCOME_ERROR, "timeout", NULL, now,
                     "the case did not end within %s; it was in state %s", patience,
                     attempt_current(attempt)->name);
        free(patience);
        return;
    }
    if (attempt_current(attempt)->kind == STATE_WAIT) {
        go_on_to_next(attempt, now);
        return;
    }
    for (size_t i = 0; i < attempt->machine->role_count; i++) {
        const struct seat *seat = &attempt->seats[i];
        if (seat->action != NULL && seat->deadline_ms <= now->mono_ms) {
            end_by_timeout(attempt, seat, now);
            return;
        }
    }
}
