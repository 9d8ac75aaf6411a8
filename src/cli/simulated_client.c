/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One simulated client. Its state is the request that it makes next; thinking, pausing
 * and idling are that request's moment lying ahead.
 */
#include "simulated_client.h"

#include "call_actions.h"
#include "excerpt.h"
#include "json.h"
#include "server.h"
#include "xalloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <uuid/uuid.h>

#define FIRST_PAUSE_MS   100   /* after the first loss; each next one is twice as long */
#define LONGEST_PAUSE_MS 3200  /* but not longer than this */
#define REQUEST_TIME_MS  30000 /* for an answer that nobody holds back */
#define HELD_TIME_MS     90000 /* for a poll that the server holds as long as it likes */
#define IDLE_MAX_MS      60000 /* no server's delay is honoured longer */
#define IDLE_MIN_MS      20    /* between two polls: a server that holds none is spared */
#define ANEW_PAUSE_MS    1000  /* before a client that had no role registers anew */
#define ASKED_MAX_MS     600000 /* no wait that an action asks for is longer */
#define JSON_DEPTH       64     /* of an answer */
#define SHORT_ID         8      /* letters of an id that people are shown */
#define REASON_SHOWN     200    /* bytes of the server's words in a line */

enum state {
    STATE_REGISTER, /* the next request introduces the client */
    STATE_POLL,     /* asks what to do */
    STATE_UPLOAD,   /* brings a file that the report names */
    STATE_REPORT,   /* says how it went */
    STATE_ENDED,    /* there is none */
};

struct simulated_client {
    const struct simulated_rules *rules; /* borrowed */
    struct dice dice;                    /* its own chance */
    char *type;                          /* "element-web"; owned */
    char id[UUID_STR_LEN];               /* under which it is registered */
    enum state state;                    /* which request comes next */
    int64_t due_ms;                      /* when */
    char *path;                          /* of the next request; owned */
    char *body;                          /* of the next request, or NULL; owned */
    char *action;                        /* that a report is about, or NULL; owned */
    char *response;                      /* that the report gives; owned */
    struct json_object *report;          /* about the action, or NULL; owned */
    struct album album;                  /* what is to be uploaded before it */
    struct caller *caller;               /* what it is in calls; owned */
    int64_t pause_ms; /* after the last loss; 0: none since an answer */
    int64_t lost_ms;  /* when the first request in a row was lost; if pause_ms */
    size_t answered;  /* reports that were taken */
    bool has_played;  /* was given an action under this id */
    enum simulated_end end;
};

/* --- lines for people --- */

static void __attribute__((format(printf, 2, 3)))
tell(const struct simulated_client *client, const char *format, ...)
{
    va_list arguments;

    if (client->rules->events == NULL)
        return;
    fprintf(client->rules->events, "%s %.*s: ", client->type, SHORT_ID, client->id);
    va_start(arguments, format);
    vfprintf(client->rules->events, format, arguments);
    va_end(arguments);
    fputc('\n', client->rules->events);
}

static void tell_shortened(const struct simulated_client *client, const char *what,
                           const char *said)
{
    char *shown = excerpt(said, strlen(said), REASON_SHOWN);

    tell(client, "%s%s%s", what, shown[0] != '\0' ? ": " : "", shown);
    free(shown);
}

/* --- the next request --- */

/* Takes body, which may be NULL. */
static void set_request(struct simulated_client *client, enum state state,
                        const char *verb, char *body, int64_t due_ms)
{
    char *path = xasprintf("/client/%s/%s", client->id, verb);

    free(client->path);
    free(client->body);
    client->path = path;
    client->body = body;
    client->state = state;
    client->due_ms = due_ms;
}

static void want_register(struct simulated_client *client, int64_t due_ms)
{
    struct json_object *body = answers_registration(client->rules->answers, client->type);
    uuid_t id;

    uuid_generate_random(id);
    uuid_unparse_lower(id, client->id);
    client->has_played = false;
    caller_forget(client->caller);
    set_request(client, STATE_REGISTER, "register", xstrdup(json_text(body)), due_ms);
    json_object_put(body);
}

static void want_poll(struct simulated_client *client, int64_t due_ms)
{
    char verb[48];

    if (client->rules->wait < 0)
        snprintf(verb, sizeof verb, "poll");
    else
        snprintf(verb, sizeof verb, "poll?wait=%.3f", client->rules->wait);
    set_request(client, STATE_POLL, verb, NULL, due_ms);
}

/* Report about client->action, after what is to be uploaded first. */
static void want_report(struct simulated_client *client, int64_t due_ms)
{
    const char *response = json_member_text(client->report, "response");

    free(client->response);
    client->response = xstrdup(response != NULL ? response : "(no response)");
    if (album_first(&client->album) != NULL)
        set_request(client, STATE_UPLOAD, "upload", NULL, due_ms);
    else
        set_request(client, STATE_REPORT, "report", xstrdup(json_text(client->report)),
                    due_ms);
}

/* Report that the action went wrong; a NULL reason is none. */
static void want_error(struct simulated_client *client, const char *reason,
                       int64_t due_ms)
{
    album_clear(&client->album);
    json_put_text(client->report, "response", "error");
    if (reason != NULL)
        json_put_text(client->report, "reason", reason);
    want_report(client, due_ms);
}

static void end(struct simulated_client *client, enum simulated_end how)
{
    client->state = STATE_ENDED;
    client->end = how;
    caller_forget(client->caller);
}

static void give_up(struct simulated_client *client, const char *doing, const char *why)
{
    fflush(stdout);
    fprintf(stderr, "%s %.*s: gives up %s: %s\n", client->type, SHORT_ID, client->id,
            doing, why);
    end(client, SIMULATED_GAVE_UP);
}

static const char *state_name(enum state state)
{
    static const char *const names[] = {"registering", "polling", "uploading",
                                        "reporting", ""};

    return names[state];
}

/* --- what a poll gave --- */

static void take_idle(struct simulated_client *client, struct json_object *data,
                      int64_t now_ms)
{
    struct json_object *number = json_member(data, "delay");
    double delay = json_object_is_type(number, json_type_int) ||
                           json_object_is_type(number, json_type_double)
                       ? json_object_get_double(number)
                       : 0;

    if (!(delay > IDLE_MIN_MS))
        delay = IDLE_MIN_MS;
    if (delay > IDLE_MAX_MS)
        delay = IDLE_MAX_MS;
    want_poll(client, now_ms + (int64_t)delay);
}

static void take_exit(struct simulated_client *client, struct json_object *data,
                      int64_t now_ms)
{
    const char *reason = json_member_text(data, "reason");

    tell_shortened(client, "exit", reason != NULL ? reason : "");
    if (client->rules->forever)
        want_register(client, now_ms + (client->has_played ? 0 : ANEW_PAUSE_MS));
    else
        end(client, SIMULATED_EXITED);
}

/* How long the action itself takes, other than thinking. */
static int64_t asked_wait(const char *action, struct json_object *data)
{
    double time = json_object_get_double(json_member(data, "time"));

    if (strcmp(action, "wait") != 0 || !(time > 0))
        return 0;
    return time < ASKED_MAX_MS ? (int64_t)time : ASKED_MAX_MS;
}

/* Do the action, for which a report was made that may already say that it failed. */
static void act(struct simulated_client *client, const char *action,
                struct json_object *data, int64_t due_ms)
{
    const char *response = json_member_text(client->report, "response");
    char *cause = NULL;

    if ((response != NULL && strcmp(response, "failed") == 0) ||
        call_action_do(client->caller, action, data, client->report, &client->album,
                       &cause) == 0) {
        want_report(client, due_ms);
    } else {
        tell_shortened(client, client->action, cause);
        want_error(client, cause, due_ms);
    }
    free(cause);
}

static void take_action(struct simulated_client *client, struct json_object *delivery,
                        struct json_object *data, int64_t now_ms)
{
    const struct simulated_rules *rules = client->rules;
    const char *action = json_member_text(delivery, "action");
    int64_t think = dice_between(&client->dice, rules->think_min_ms, rules->think_max_ms);

    free(client->action);
    client->action = excerpt(action, strlen(action), REASON_SHOWN);
    client->has_played = true;
    album_clear(&client->album);
    json_object_put(client->report);
    client->report =
        answers_report(rules->answers, client->type, delivery, &client->dice);
    act(client, action, data, now_ms + think + asked_wait(action, data));
}

static void take_poll(struct simulated_client *client, const char *body, size_t size,
                      int64_t now_ms)
{
    struct json_object *delivery = NULL;
    char *cause = NULL;
    const char *action = NULL;

    if (json_read(body, size, JSON_DEPTH, &delivery, &cause) == 0 &&
        json_object_is_type(delivery, json_type_object))
        action = json_member_text(delivery, "action");
    struct json_object *data = action != NULL ? json_member(delivery, "data") : NULL;
    if (!json_object_is_type(data, json_type_object))
        data = NULL;
    if (action == NULL)
        give_up(client, "polling", cause != NULL ? cause : "the answer has no action");
    else if (strcmp(action, "idle") == 0)
        take_idle(client, data, now_ms);
    else if (strcmp(action, "exit") == 0)
        take_exit(client, data, now_ms);
    else
        take_action(client, delivery, data, now_ms);
    json_object_put(delivery);
    free(cause);
}

/* --- what came of a report --- */

static void take_refusal(struct simulated_client *client, int status, const char *detail,
                         int64_t now_ms)
{
    char *what = xasprintf("%s -> %s was not taken", client->action, client->response);
    bool is_unknown_name = status == 422 && strcmp(client->response, "error") != 0;

    tell_shortened(client, what, detail);
    free(what);
    if (is_unknown_name)
        want_error(client, NULL, now_ms);    /* the state does not know the response */
    else if (status == 409 || status == 404) /* a poll tells what to do instead */
        want_poll(client, now_ms);
    else
        give_up(client, "reporting", detail);
}

/* --- what came of an upload --- */

static void take_upload(struct simulated_client *client, int64_t now_ms)
{
    tell(client, "uploaded %s", album_first(&client->album)->name);
    album_drop_first(&client->album);
    want_report(client, now_ms);
}

/* Without its file the report would not be true. */
static void take_upload_refusal(struct simulated_client *client, const char *detail,
                                int64_t now_ms)
{
    char *reason =
        xasprintf("%s was not taken: %s", album_first(&client->album)->name, detail);

    tell_shortened(client, client->action, reason);
    want_error(client, reason, now_ms);
    free(reason);
}

/* --- what the transport tells --- */

static void take_success(struct simulated_client *client, const char *body, size_t size,
                         int64_t now_ms)
{
    if (client->state == STATE_POLL) {
        take_poll(client, body, size, now_ms);
        return;
    }
    if (client->state == STATE_UPLOAD) {
        take_upload(client, now_ms);
        return;
    }
    if (client->state == STATE_REGISTER) {
        tell(client, "registered");
    } else {
        tell(client, "%s -> %s", client->action, client->response);
        client->answered++;
    }
    want_poll(client, now_ms);
}

/* Whether the same request may go better a little later. */
static bool is_passing(int status)
{
    return status == 408 || status == 429 || status == 500 ||
           (status >= 502 && status <= 504);
}

void simulated_client_take_answer(struct simulated_client *client, int status,
                                  const char *body, size_t size, int64_t now_ms)
{
    assert(client->state != STATE_ENDED);
    char *detail = status != 200 ? server_detail(status, body, size) : NULL;
    if (is_passing(status)) {
        simulated_client_take_loss(client, detail, now_ms);
        free(detail);
        return;
    }
    bool is_repeat = client->pause_ms > 0;
    client->pause_ms = 0;
    if (status == 409 && client->state == STATE_REGISTER && is_repeat)
        want_poll(client, now_ms); /* the answer was lost, but not the request */
    else if (status == 200)
        take_success(client, body != NULL ? body : "", size, now_ms);
    else if (client->state == STATE_REPORT)
        take_refusal(client, status, detail, now_ms);
    else if (client->state == STATE_UPLOAD)
        take_upload_refusal(client, detail, now_ms);
    else
        give_up(client, state_name(client->state), detail);
    free(detail);
}

void simulated_client_take_loss(struct simulated_client *client, const char *cause,
                                int64_t now_ms)
{
    int64_t pause = client->pause_ms > 0 ? 2 * client->pause_ms : FIRST_PAUSE_MS;

    assert(client->state != STATE_ENDED);
    if (client->pause_ms == 0)
        client->lost_ms = now_ms;
    int64_t left = client->lost_ms + client->rules->patience_ms - now_ms;
    if (left <= 0) {
        give_up(client, state_name(client->state), cause);
        return;
    }
    pause = pause < LONGEST_PAUSE_MS ? pause : LONGEST_PAUSE_MS;
    client->pause_ms = pause;
    client->due_ms =
        now_ms + (pause < left ? pause : left); /* the last try is at the end */
    tell(client, "tries again in %g s: %s", (double)(client->due_ms - now_ms) / 1000,
         cause);
}

/* --- the client as others see it --- */

struct simulated_client *simulated_client_new(const struct simulated_rules *rules,
                                              const char *type, uint64_t seed,
                                              uint64_t player)
{
    struct simulated_client *client = xcalloc(1, sizeof *client);

    client->rules = rules;
    client->dice = dice_of(seed, player);
    client->type = xstrdup(type);
    client->caller = caller_new(rules->calls);
    want_register(client, 0);
    return client;
}

void simulated_client_free(struct simulated_client *client)
{
    if (client == NULL)
        return;
    free(client->type);
    free(client->path);
    free(client->body);
    free(client->action);
    free(client->response);
    json_object_put(client->report);
    album_clear(&client->album);
    caller_free(client->caller);
    free(client);
}

enum simulated_end simulated_client_end(const struct simulated_client *client)
{
    return client->end;
}

size_t simulated_client_answered(const struct simulated_client *client)
{
    return client->answered;
}

int64_t simulated_client_due(const struct simulated_client *client)
{
    return client->due_ms;
}

void simulated_client_request(const struct simulated_client *client,
                              struct simulated_request *request)
{
    assert(client->state != STATE_ENDED);
    request->path = client->path;
    request->body = client->body;
    request->file = client->state == STATE_UPLOAD ? album_first(&client->album) : NULL;
    request->timeout_ms = REQUEST_TIME_MS;
    if (client->state == STATE_POLL)
        request->timeout_ms += client->rules->wait < 0
                                   ? HELD_TIME_MS - REQUEST_TIME_MS
                                   : (int64_t)(client->rules->wait * 1000);
}
