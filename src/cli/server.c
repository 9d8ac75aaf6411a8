/* SPDX-License-Identifier: Apache-2.0 */
/* The server that a command talks to, through libcurl. */
#include "server.h"

#include "excerpt.h"
#include "fetch.h"
#include "json.h"
#include "xalloc.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONNECT_TIME_MS 10000L
#define SAYS_SHOWN      200 /* bytes of other people's words in a message */
#define JSON_DEPTH      32  /* of a problem document */
#define UNIX_BASE       "http://localhost"
#define FIRST_CAPACITY  512

/* --- where it is --- */

/* Whether the URL's host is this machine, in one of its three names. */
static bool url_is_near(const char *url)
{
    static const char *const names[] = {"localhost", "127.", "[::1]"};
    const char *host = strstr(url, "://");

    for (size_t i = 0; host != NULL && i < sizeof names / sizeof *names; i++) {
        if (strncasecmp(host + 3, names[i], strlen(names[i])) == 0)
            return true;
    }
    return false;
}

int server_parse(struct server *server, const char *text, char **cause)
{
    *server = (struct server){.stop_fd = -1};
    if (strncmp(text, "unix:/", 6) == 0) {
        server->socket = xstrdup(text + 5);
        server->base = xstrdup(UNIX_BASE);
    } else {
        server->base = fetch_url_base(text);
    }
    if (server->base == NULL) {
        cause_set(cause,
                  "must be http://HOST:PORT, https://HOST:PORT or unix:/PATH, "
                  "not \"%s\"",
                  text);
        return -1;
    }
    server->name = server->socket != NULL ? xstrdup(text) : fetch_url_shown(server->base);
    server->is_near = server->socket != NULL || url_is_near(server->base);
    return 0;
}

void server_clear(struct server *server)
{
    free(server->name);
    free(server->base);
    free(server->socket);
    *server = (struct server){.stop_fd = -1};
}

/* --- requests --- */

void reply_clear(struct reply *reply)
{
    free(reply->body);
    *reply = (struct reply){.limit = reply->limit};
}

static size_t reply_cb(char *data, size_t one, size_t size, void *context)
{
    struct reply *reply = context;

    (void)one; /* is always 1 */
    if (size > reply->limit - reply->size)
        return 0;
    if (reply->size + size + 1 > reply->capacity) {
        size_t twice = reply->capacity > 0 ? 2 * reply->capacity : FIRST_CAPACITY;
        size_t needed = reply->size + size + 1;
        reply->capacity = twice > needed ? twice : needed;
        reply->body = xreallocarray(reply->body, reply->capacity, 1);
    }
    memcpy(reply->body + reply->size, data, size);
    reply->size += size;
    reply->body[reply->size] = '\0';
    return size;
}

void server_prepare(const struct server *server, CURL *curl, struct reply *reply,
                    char *says)
{
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIME_MS);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, says);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, reply_cb);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
    if (server->is_near)
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
    if (server->socket != NULL &&
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, server->socket) != CURLE_OK)
        xcheck(NULL);
}

void server_set_path(const struct server *server, CURL *curl, const char *path)
{
    char *url = xasprintf("%s%s", server->base, path);

    if (curl_easy_setopt(curl, CURLOPT_URL, url) != CURLE_OK)
        xcheck(NULL);
    free(url);
}

char *server_explain(const struct server *server, CURL *curl, CURLcode code,
                     const char *says)
{
    long size = 0, error = 0;

    curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE, &size);
    curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &error);
    const char *what = size > 0 ? "gave no whole answer" : "can't be reached";
    const char *why = says[0] != '\0' ? says : curl_easy_strerror(code);
    if (code == CURLE_COULDNT_CONNECT && error != 0 && strerrordesc_np((int)error))
        why = strerrordesc_np((int)error);
    char *shown = excerpt(why, strlen(why), SAYS_SHOWN);
    char *text = xasprintf("%s %s: %s", server->name, what, shown);
    free(shown);
    return text;
}

char *server_detail(int status, const char *body, size_t size)
{
    struct json_object *problem = NULL;
    const char *detail = NULL;
    char *cause = NULL, *text;

    if (body != NULL && json_read(body, size, JSON_DEPTH, &problem, &cause) == 0 &&
        json_object_is_type(problem, json_type_object))
        detail = json_member_text(problem, "detail");
    if (detail == NULL)
        detail = "";
    char *shown = excerpt(detail, strlen(detail), SAYS_SHOWN);
    text = xasprintf("%d%s%s", status, shown[0] != '\0' ? ": " : "", shown);
    free(shown);
    free(cause);
    json_object_put(problem);
    return text;
}

static int stop_cb(void *context, curl_off_t down_total, curl_off_t down,
                   curl_off_t up_total, curl_off_t up)
{
    (void)down_total, (void)down, (void)up_total, (void)up;
    return server_pause(context, 0);
}

/* NULL: a GET. Gives the headers, to be freed after the request. */
static struct curl_slist *set_body(CURL *curl, const char *json)
{
    struct curl_slist *headers = NULL;

    if (json == NULL)
        return NULL;
    headers = xcheck(curl_slist_append(NULL, "Expect:"));
    headers = xcheck(curl_slist_append(headers, "Content-Type: application/json"));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(json));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, json);
    return headers;
}

static bool was_sent(CURL *curl)
{
    long size = 0;

    curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE, &size);
    return size > 0;
}

static int ask(const struct server *server, const char *path, const char *json,
               int64_t timeout_ms, struct reply *reply, char **cause)
{
    CURL *curl = xcheck(curl_easy_init());
    struct curl_slist *headers = set_body(curl, json);
    char says[CURL_ERROR_SIZE] = "";
    long status = SERVER_NO_ANSWER;

    reply_clear(reply);
    server_prepare(server, curl, reply, says);
    server_set_path(server, curl, path);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, stop_cb);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, server);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, server->stop_fd < 0 ? 1L : 0L);
    CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK) {
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    } else {
        char *why = server_explain(server, curl, code, says);
        cause_set(cause, "%s", why);
        status = was_sent(curl) ? SERVER_NO_ANSWER : SERVER_NOT_ASKED;
        free(why);
    }
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    return (int)status;
}

int server_get(const struct server *server, const char *path, int64_t timeout_ms,
               struct reply *reply, char **cause)
{
    return ask(server, path, NULL, timeout_ms, reply, cause);
}

int server_post(const struct server *server, const char *path, const char *json,
                int64_t timeout_ms, struct reply *reply, char **cause)
{
    return ask(server, path, json, timeout_ms, reply, cause);
}

bool server_pause(const struct server *server, int64_t ms)
{
    struct pollfd stop = {.fd = server->stop_fd, .events = POLLIN};

    return poll(&stop, 1, (int)ms) > 0;
}
