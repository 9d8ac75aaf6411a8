/* SPDX-License-Identifier: Apache-2.0 */
/* Clients of the server. */
#include "players.h"

#include "xalloc.h"

#include <stdio.h>
#include <string.h>

#define AWAIT_SECONDS 5 /* how long the first action may take */

#define POST                                                                             \
    "POST /client/%s/%s HTTP/1.1\r\nHost: 127.0.0.1\r\n"                                 \
    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s"

/* A request that is being written. */
struct request {
    char text[LOAD_REQUEST]; /* its bytes */
    size_t size;             /* how many */
};

static void write_post(struct request *request, const struct player *player,
                       const char *verb, const char *body)
{
    request->size = (size_t)snprintf(request->text, sizeof request->text, POST,
                                     player->id, verb, strlen(body), body);
}

static void write_poll(struct request *request, const struct player *player, int wait)
{
    request->size = (size_t)snprintf(
        request->text, sizeof request->text,
        "GET /client/%s/poll?wait=%d HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", player->id,
        wait);
}

void player_name(struct player *player, const char *type, size_t number)
{
    snprintf(player->id, sizeof player->id, "%s-%zu", type, number);
    player->delivery[0] = '\0';
}

static void write_register(struct request *request, const struct player *player,
                           const char *type)
{
    char body[PLAYER_ID + 16];

    snprintf(body, sizeof body, "{\"type\":\"%s\"}", type);
    write_post(request, player, "register", body);
}

void player_send_register(const struct player *player, const char *type,
                          struct load *load, size_t link)
{
    struct request request;

    write_register(&request, player, type);
    load_send(load, link, request.text, request.size);
}

int player_register(struct player *player, const char *type, size_t number,
                    struct load *load, size_t link, char **cause)
{
    struct request request;
    struct load_answer answer;

    player_name(player, type, number);
    write_register(&request, player, type);
    if (load_ask(load, link, request.text, request.size, &answer, cause) < 0)
        return -1;
    if (answer.status == 200)
        return 0;
    cause_set(cause, "%s could not register: %d %.200s", player->id, answer.status,
              answer.body);
    return -1;
}

char *player_await(struct player *player, struct load *load, size_t link, char **cause)
{
    struct request request;
    struct load_answer answer;

    write_poll(&request, player, AWAIT_SECONDS);
    if (load_ask(load, link, request.text, request.size, &answer, cause) < 0)
        return NULL;
    if (answer.status == 200 && player_take(player, &answer))
        return xstrdup(answer.body);
    cause_set(cause, "%s was given no action: %d %.200s", player->id, answer.status,
              answer.body);
    return NULL;
}

void player_send_poll(const struct player *player, int wait, struct load *load,
                      size_t link)
{
    struct request request;

    write_poll(&request, player, wait);
    load_send(load, link, request.text, request.size);
}

void player_send_report(const struct player *player, struct load *load, size_t link)
{
    struct request request;
    char body[PLAYER_ID + 64];

    snprintf(body, sizeof body, "{\"id\":\"%s\",\"response\":\"" PLAYER_RESPONSE "\"}",
             player->delivery);
    write_post(&request, player, "report", body);
    load_send(load, link, request.text, request.size);
}

void player_send_error(const struct player *player, struct load *load, size_t link)
{
    static const char body[] = "{\"error\":{\"type\":\"action\",\"details\":\"-\"}}";
    struct request request;

    write_post(&request, player, "error", body);
    load_send(load, link, request.text, request.size);
}

bool player_take(struct player *player, const struct load_answer *answer)
{
    static const char id[] = "\"id\":\"";
    const char *found = strstr(answer->body, id);

    player->delivery[0] = '\0';
    if (found == NULL || strstr(answer->body, "\"" PLAYER_ACTION "\"") == NULL)
        return false;
    found += strlen(id);
    size_t size = strcspn(found, "\"");
    if (size >= sizeof player->delivery)
        return false;
    memcpy(player->delivery, found, size);
    player->delivery[size] = '\0';
    return true;
}
