/* SPDX-License-Identifier: Apache-2.0 */
/* A person as a client. */
#include "manual.h"

#include "body.h"
#include "client_api.h"
#include "daemon.h"
#include "dictionary.h"
#include "input.h"
#include "json.h"
#include "now.h"
#include "origin.h"
#include "pages.h"
#include "playing.h"
#include "presence.h"
#include "replies.h"
#include "upload.h"
#include "utf8.h"
#include "wanted.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>
#include <uuid/uuid.h>

#define TYPE_CHARS 64  /* of a client's type, as for adapters */
#define WORD_CHARS 200 /* of a version, or a name */
#define LEFT       "the person who played it left"

/* --- joining --- */

/* The types that the dictionary has heard of, as members of an object. Owned. */
static struct json_object *known_types(const struct daemon *daemon)
{
    const struct dictionary *known = engine_dictionary(daemon->engine);
    struct json_object *dictionary =
        dictionary_json(known != NULL ? known : daemon->dictionary);
    struct json_object *types = json_new_object();

    json_object_object_foreach (json_member(dictionary, "actions"), name, entry) {
        struct json_object *list = json_member(entry, "types");
        (void)name;
        for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++)
            json_put_bool(
                types, json_object_get_string(json_object_array_get_idx(list, i)), true);
    }
    json_object_put(dictionary);
    return types;
}

/* A new client's id. */
static void put_new_id(struct json_object *document, const char *member)
{
    char id[UUID_STR_LEN];
    uuid_t random;

    uuid_generate_random(random);
    uuid_unparse_lower(random, id);
    json_put_text(document, member, id);
}

/* `given` is the form that was sent, `notice` what was wrong with it; NULL: nothing. */
static void show_joining(struct http_exchange *exchange, const struct daemon *daemon,
                         int status, struct json_object *given, const char *notice)
{
    struct json_object *document = json_new_object();

    put_new_id(document, "id");
    json_put(document, "wanted", wanted_types(daemon->engine));
    json_put(document, "known", known_types(daemon));
    json_put(document, "given", json_object_get(given));
    json_put_text(document, "notice", notice);
    json_put_bool(document, "going", !engine_is_done(daemon->engine));
    reply_page_as(exchange, status, document, pages_manual_join);
    json_object_put(document);
}

void manual_join_page(struct http_exchange *exchange, void *context)
{
    show_joining(exchange, context, 200, NULL, NULL);
}

/* The field without blanks around it; NULL where nothing is left. Owned. */
static char *read_word(struct json_object *form, const char *name)
{
    const char *text = json_member_text(form, name);
    size_t start = text != NULL ? strspn(text, " \t\r\n") : 0;
    size_t end = text != NULL ? strlen(text) : 0;

    while (end > start && strchr(" \t\r\n", text[end - 1]) != NULL)
        end--;
    return end > start ? xstrndup(text + start, end - start) : NULL;
}

/* The registration that the form asks for, owned; NULL with *cause. */
static struct json_object *read_registration(struct json_object *form, char **cause)
{
    static const char *const words[] = {"version", "name"};
    struct json_object *registration = json_new_object();
    char *type = read_word(form, "other"); /* who writes something means it */

    if (type == NULL)
        type = read_word(form, "type");
    if (type == NULL)
        cause_set(cause, "Say what kind of client you are.");
    else if (utf8_count(type) > TYPE_CHARS)
        cause_set(cause, "The kind of client has at most %d characters.", TYPE_CHARS);
    json_put_text(registration, "type", type);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char *word = read_word(form, words[i]);
        if (word != NULL && utf8_count(word) > WORD_CHARS)
            cause_set(cause, "The %s has at most %d characters.", words[i], WORD_CHARS);
        if (word != NULL)
            json_put_text(registration, words[i], word);
        free(word);
    }
    json_put_text(registration, "by", "hand");
    free(type);
    if (*cause == NULL)
        return registration;
    json_object_put(registration);
    return NULL;
}

static void lead_to(struct http_exchange *exchange, const char *client)
{
    char *path = xasprintf("/manual/%s", client);

    reply_see_other(exchange, path);
    free(path);
}

/* Who has the id already is led there, too: the form was sent twice. */
static void joined(struct http_exchange *exchange, struct daemon *daemon,
                   const char *client, enum engine_result result, char *cause)
{
    if (result != ENGINE_OK && result != ENGINE_WRONG_MOMENT) {
        client_reply(exchange, daemon, client, result, cause);
        return;
    }
    lead_to(exchange, client);
    free(cause);
}

/* The body of a request that one of our pages sent, owned; NULL: it has been answered. */
static struct json_object *read_form(struct http_exchange *exchange,
                                     const struct daemon *daemon)
{
    return origin_is_ours(exchange)
               ? body_read_object(exchange, (int)daemon->config.limits.json_depth)
               : NULL;
}

void manual_join(struct http_exchange *exchange, void *context)
{
    struct daemon *daemon = context;
    struct json_object *form = read_form(exchange, daemon);
    char *cause = NULL;

    if (form == NULL)
        return;
    struct json_object *registration = read_registration(form, &cause);
    const char *id = json_member_text(form, "id");
    if (registration == NULL)
        show_joining(exchange, daemon, 400, form, cause);
    else if (id == NULL || !client_is_id(id))
        show_joining(exchange, daemon, 400, form, "Please send the form once more.");
    else if (client_may_register(exchange, daemon, id, registration))
        client_take(exchange, daemon, id, input_register(id, registration), joined);
    free(cause);
    json_object_put(registration);
    json_object_put(form);
}

/* --- playing --- */

/* The person's document; NULL if there is nobody of this id, or no person. Owned. */
static struct json_object *find_person(const struct daemon *daemon, const char *id)
{
    struct instant moment = now();
    struct json_object *playing = playing_json(daemon->engine, id, &moment);
    const char *by = json_member_text(json_member(playing, "registration"), "by");

    if (by != NULL && strcmp(by, "hand") == 0)
        return playing;
    json_object_put(playing);
    return NULL;
}

static void show_person(struct http_exchange *exchange, struct daemon *daemon,
                        const char *id, int status, const char *notice)
{
    struct json_object *playing = find_person(daemon, id);

    if (playing == NULL) {
        reply_page_as(exchange, 404, NULL, pages_manual_gone);
        return;
    }
    if (!http_is_head(exchange))
        presence_show(daemon->presence, id);
    json_put_text(playing, "notice", notice);
    put_new_id(playing, "next");
    reply_page_as(exchange, status, playing, pages_manual);
    json_object_put(playing);
}

void manual_page(struct http_exchange *exchange, void *context)
{
    const char *id = client_read_id(exchange);

    if (id != NULL)
        show_person(exchange, context, id, 200, NULL);
}

/* Lead to the person's page, or show it with what was wrong. */
static void done(struct http_exchange *exchange, struct daemon *daemon,
                 const char *client, enum engine_result result, char *cause)
{
    switch (result) {
    case ENGINE_OK:
    case ENGINE_UNKNOWN:
        lead_to(exchange, client);
        break;
    case ENGINE_WRONG_MOMENT:
        show_person(exchange, daemon, client, 409, cause);
        break;
    case ENGINE_INVALID:
        show_person(exchange, daemon, client, 422, cause);
        break;
    case ENGINE_UNREADABLE:
        client_reply(exchange, daemon, client, result, cause);
        return;
    }
    free(cause);
}

/* The id in the path if it is a person's; NULL: the exchange has been answered. */
static const char *read_person(struct http_exchange *exchange,
                               const struct daemon *daemon)
{
    const char *id = client_read_id(exchange);
    struct json_object *playing = id != NULL ? find_person(daemon, id) : NULL;
    bool is_person = playing != NULL;

    json_object_put(playing);
    if (id != NULL && !is_person)
        reply_page_as(exchange, 404, NULL, pages_manual_gone);
    return is_person ? id : NULL;
}

/* Lines of text, where a list is wanted of somebody who does not know JSON. Owned. */
static struct json_object *read_lines(const char *text)
{
    struct json_object *lines = json_new_array();

    while (*text != '\0') {
        size_t length = strcspn(text, "\r\n");
        char *line = xstrndup(text, length);
        if (length > 0)
            json_append(lines, json_new_text(line));
        free(line);
        text += length;
        text += strspn(text, "\r\n");
    }
    return lines;
}

/* Put a field called "TYPE:NAME" into the report. An empty one is left out. */
static void put_field(struct json_object *report, const char *field, const char *text,
                      int depth, char **cause)
{
    const char *name = strchr(field, ':') + 1;
    size_t type_length = (size_t)(name - field) - 1;
    bool is_text = strncmp(field, "string", type_length) == 0;
    bool is_array = strncmp(field, "array", type_length) == 0;
    struct json_object *value = NULL;
    char *why = NULL;

    if (*text == '\0')
        return;
    if (is_text)
        value = json_new_text(text);
    else if (json_read(text, strlen(text), depth, &value, &why) != 0 && is_array)
        value = read_lines(text);
    else if (why != NULL)
        cause_set(cause, "%s is to be JSON of type %.*s: %s", name, (int)type_length,
                  field, why);
    if (value != NULL)
        json_put(report, name, value);
    free(why);
}

/* The report that the form makes, owned; NULL with *cause. */
static struct json_object *read_report(struct json_object *form, int depth, char **cause)
{
    static const char *const words[] = {"id", "response", "message"};
    struct json_object *report = json_new_object();

    json_object_object_foreach (form, name, value) {
        if (strchr(name, ':') != NULL && json_is_text(value))
            put_field(report, name, json_object_get_string(value), depth, cause);
    }
    /* These come last: a field may have the name of one. */
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *word = json_member_text(form, words[i]);
        if (word != NULL && *word != '\0')
            json_put_text(report, words[i], word);
    }
    if (json_member(report, "id") == NULL)
        cause_set(cause, "the form does not say which action it is about");
    if (*cause == NULL)
        return report;
    json_object_put(report);
    return NULL;
}

void manual_report(struct http_exchange *exchange, void *context)
{
    struct daemon *daemon = context;
    struct json_object *form = read_form(exchange, daemon);
    const char *id = form != NULL ? read_person(exchange, daemon) : NULL;
    char *cause = NULL;

    if (id != NULL) {
        int depth = (int)daemon->config.limits.json_depth;
        struct json_object *report = read_report(form, depth, &cause);
        if (report != NULL)
            client_take(exchange, daemon, id,
                        input_report(id, json_member_text(report, "id"), true, report),
                        done);
        else
            show_person(exchange, daemon, id, 422, cause);
        json_object_put(report);
    }
    free(cause);
    json_object_put(form);
}

void manual_upload(struct http_exchange *exchange, void *context)
{
    struct daemon *daemon = context;
    const char *id = origin_is_ours(exchange) ? read_person(exchange, daemon) : NULL;

    if (id != NULL)
        upload_take(exchange, daemon, id, done);
}

/* --- leaving --- */

/* Who waited is nobody any more; who played sees what became of the case. */
static void has_left(struct http_exchange *exchange, struct daemon *daemon,
                     const char *client, enum engine_result result, char *cause)
{
    if (engine_client_standing(daemon->engine, client) == CLIENT_IS_UNKNOWN) {
        reply_see_other(exchange, "/manual");
        free(cause);
    } else {
        done(exchange, daemon, client, result, cause);
    }
}

void manual_leave(struct http_exchange *exchange, void *context)
{
    struct daemon *daemon = context;
    const char *id = origin_is_ours(exchange) ? read_person(exchange, daemon) : NULL;

    if (id != NULL)
        client_take(exchange, daemon, id, input_lost(id, LEFT), has_left);
}
