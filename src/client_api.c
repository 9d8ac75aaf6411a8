/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The endpoints for adapters. Each checks what came in and makes an input of it; the
 * engine's answer to that becomes a status.
 */
#include "client_api.h"

#include "body.h"
#include "daemon.h"
#include "input.h"
#include "inputs.h"
#include "json.h"
#include "presence.h"
#include "utf8.h"
#include "xalloc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ID_BYTES   128 /* of a client's id */
#define TYPE_CHARS 64  /* of a client's type */

/* --- what every endpoint does --- */

/* Every poll asks this of some forty bytes: strspn() would cost it more than all else
 * here. */
static bool is_id_byte(char byte)
{
    char letter = (char)(byte | 0x20);

    return (letter >= 'a' && letter <= 'z') || (byte >= '0' && byte <= '9') ||
           byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

bool client_is_id(const char *text)
{
    size_t size = 0;

    while (size <= ID_BYTES && is_id_byte(text[size]))
        size++;
    return size > 0 && size <= ID_BYTES && text[size] == '\0';
}

const char *client_read_id(struct http_exchange *exchange)
{
    const char *id = http_parameter(exchange, "id");

    if (id != NULL && client_is_id(id))
        return id;
    http_problem(exchange, 400,
                 "a client's id is 1 to %d of A-Z a-z 0-9 . _ ~ -: a UUID does well",
                 ID_BYTES);
    return NULL;
}

/* The client's id in *id and the body as an object, owned; NULL: the exchange has been
 * answered. */
static struct json_object *read_request(struct http_exchange *exchange,
                                        const struct daemon *daemon, const char **id)
{
    *id = client_read_id(exchange);
    return *id != NULL ? body_read_object(exchange, (int)daemon->config.limits.json_depth)
                       : NULL;
}

void client_reply(struct http_exchange *exchange, struct daemon *daemon,
                  const char *client, enum engine_result result, char *cause)
{
    (void)daemon, (void)client;
    switch (result) {
    case ENGINE_OK:
        http_reply_json(exchange, "{}");
        break;
    case ENGINE_UNKNOWN:
        http_problem(exchange, 404,
                     "no client of this id is registered: POST to "
                     "/client/<id>/register first");
        break;
    case ENGINE_WRONG_MOMENT:
        http_problem(exchange, 409, "%s", cause);
        break;
    case ENGINE_INVALID:
        http_problem(exchange, 422, "%s", cause);
        break;
    case ENGINE_UNREADABLE:
        http_problem(exchange, 500, "%s", cause);
        break;
    }
    free(cause);
}

void client_reply_full(struct http_exchange *exchange, const char *cause)
{
    http_add_header(exchange, "Retry-After", "10");
    http_problem(exchange, 503, "%s", cause);
}

/* --- inputs on their way --- */

/* A request that waits for what comes of its input. */
struct waiting {
    struct daemon *daemon;          /* borrowed */
    struct http_exchange *exchange; /* held; NULL once the client left */
    char *client;                   /* id; owned */
    client_answer *answer;          /* to what the engine says */
};

static void gone_cb(void *argument)
{
    ((struct waiting *)argument)->exchange = NULL;
}

static void taken(void *argument, bool written, int64_t number, enum engine_result result,
                  char *cause)
{
    struct waiting *waiting = argument;

    (void)number;
    if (written && result != ENGINE_UNKNOWN)
        presence_heard(waiting->daemon->presence, waiting->client);
    if (waiting->exchange == NULL) {
        free(cause);
    } else if (written) {
        waiting->answer(waiting->exchange, waiting->daemon, waiting->client, result,
                        cause);
    } else {
        client_reply_full(waiting->exchange, cause);
        free(cause);
    }
    free(waiting->client);
    free(waiting);
}

void client_take(struct http_exchange *exchange, struct daemon *daemon, const char *id,
                 struct json_object *input, client_answer *answer)
{
    struct waiting *waiting = xcalloc(1, sizeof *waiting);

    waiting->daemon = daemon;
    waiting->exchange = exchange;
    waiting->client = xstrdup(id);
    waiting->answer = answer;
    http_await(exchange, gone_cb, waiting);
    inputs_take(daemon->inputs, input, taken, waiting);
}

/* Nobody whose registration was answered has this id: what it says would change nothing,
 * and is not worth writing down. */
static bool is_unknown(const struct daemon *daemon, const char *id)
{
    return engine_client_standing(daemon->engine, id) == CLIENT_IS_UNKNOWN;
}

/* --- register --- */

bool client_may_register(struct http_exchange *exchange, const struct daemon *daemon,
                         const char *id, struct json_object *body)
{
    const char *type = json_member_text(body, "type");
    if (type == NULL || *type == '\0' || utf8_count(type) > TYPE_CHARS) {
        http_problem(
            exchange, 400,
            "a registration needs \"type\", a string of 1 to %d characters: what kind "
            "of client this is, as in {\"type\": \"element-web\"}",
            TYPE_CHARS);
        return false;
    }
    if (is_unknown(daemon, id) &&
        engine_client_count(daemon->engine) >= daemon->config.limits.clients) {
        char *cause =
            xasprintf("%zu clients are known, which is the limit: try again later",
                      engine_client_count(daemon->engine));
        client_reply_full(exchange, cause);
        free(cause);
        return false;
    }
    return true;
}

void client_register(struct http_exchange *exchange, void *context)
{
    struct daemon *daemon = context;
    const char *id;
    struct json_object *body = read_request(exchange, daemon, &id);

    if (body == NULL)
        return;
    if (client_may_register(exchange, daemon, id, body))
        client_take(exchange, daemon, id, input_register(id, body), client_reply);
    json_object_put(body);
}

/* --- poll --- */

/* Read seconds with decimals into *ms. False for anything that is no such number. */
static bool read_seconds(const char *text, size_t size, int64_t *ms)
{
    char number[32];
    char *end;

    if (size == 0 || size >= sizeof number || strspn(text, "0123456789.") < size)
        return false;
    memcpy(number, text, size);
    number[size] = '\0';
    double seconds = strtod(number, &end);
    if (end != number + size || end == number || !isfinite(seconds) || seconds > 1e9)
        return false;
    *ms = (int64_t)llround(seconds * 1000);
    return true;
}

/* `wait=SECONDS` among the preferences of RFC 7240. What can't be understood is ignored,
 * as that document wants. */
static bool read_preference(const char *header, int64_t *ms)
{
    while (header != NULL && *header != '\0') {
        header += strspn(header, " \t,");
        size_t size = strcspn(header, ",");
        size_t value = strcspn(header, ";, \t");
        if (value > 5 && strncasecmp(header, "wait=", 5) == 0 &&
            read_seconds(header + 5, value - 5, ms))
            return true;
        header += size;
    }
    return false;
}

/* How long this poll may be held. False: the exchange has been answered. */
static bool read_wait(struct http_exchange *exchange, const struct config *config,
                      int64_t *wait_ms, bool *named)
{
    const char *wait = http_query(exchange, "wait");

    *named = true;
    if (wait != NULL && !read_seconds(wait, strlen(wait), wait_ms)) {
        http_problem(
            exchange, 400,
            "wait is a number of seconds, 0 or more, as in ?wait=20: \"%.40s\" is none",
            wait);
        return false;
    }
    if (wait == NULL && !read_preference(http_header(exchange, "Prefer"), wait_ms)) {
        *named = false;
        *wait_ms = config->long_poll_ms;
    }
    if (*wait_ms > config->long_poll_max_ms)
        *wait_ms = config->long_poll_max_ms;
    return true;
}

void client_poll(struct http_exchange *exchange, void *context)
{
    struct daemon *daemon = context;
    const char *id = client_read_id(exchange);
    int64_t wait_ms;
    bool named;

    if (id != NULL && read_wait(exchange, &daemon->config, &wait_ms, &named))
        presence_poll(daemon->presence, id, exchange, wait_ms, named);
}

/* --- report --- */

void client_report(struct http_exchange *exchange, void *context)
{
    struct daemon *daemon = context;
    const char *id;
    struct json_object *body = read_request(exchange, daemon, &id);

    if (body == NULL)
        return;
    struct json_object *given = json_member(body, "id");
    if (given != NULL && !json_is_text(given)) {
        http_problem(exchange, 400,
                     "\"id\" must be the string that the poll's answer gave as id");
    } else if (is_unknown(daemon, id)) {
        client_reply(exchange, daemon, id, ENGINE_UNKNOWN, NULL);
    } else {
        const char *delivery = given ? json_object_get_string(given)
                                     : presence_delivery(daemon->presence, id);
        client_take(exchange, daemon, id, input_report(id, delivery, given != NULL, body),
                    client_reply);
    }
    json_object_put(body);
}

/* --- error --- */

/* A member of the error that is text, "" if it is not there; NULL if it is something
 * else. */
static const char *error_text(struct json_object *error, const char *name)
{
    struct json_object *value = json_member(error, name);

    if (value == NULL)
        return "";
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value)
                                                        : NULL;
}

void client_error(struct http_exchange *exchange, void *context)
{
    struct daemon *daemon = context;
    const char *id;
    struct json_object *body = read_request(exchange, daemon, &id);

    if (body == NULL)
        return;
    struct json_object *error = json_member(body, "error");
    const char *type = json_member_text(error, "type");
    const char *details = error_text(error, "details");
    const char *path = error_text(error, "path");
    if (type == NULL || details == NULL || path == NULL) {
        http_problem(exchange, 400,
                     "an error is told as {\"error\": {\"type\": \"action\" or another, "
                     "\"details\": TEXT, \"path\": TEXT}}");
    } else if (is_unknown(daemon, id)) {
        client_reply(exchange, daemon, id, ENGINE_UNKNOWN, NULL);
    } else {
        client_take(exchange, daemon, id,
                    input_client_error(id, strcmp(type, "action") == 0, details, path),
                    client_reply);
    }
    json_object_put(body);
}
