/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a request's target to a row of the route table. Paths are split at their slashes
 * first and decoded then, so that an encoded slash stays within its segment. Loop thread.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "form.h"
#include "http_internal.h"
#include "xalloc.h"

/* --- the table --- */

static void route_compile(struct http_compiled *compiled, const struct http_route *row)
{
    const char *rest = row->path;
    assert(rest[0] == '/' && row->method && row->handle);
    compiled->row = row;
    do {
        assert(compiled->count < HTTP_SEGMENTS);
        size_t length = strcspn(++rest, "/");
        bool parameter = rest[0] == ':';
        compiled->segments[compiled->count].parameter = parameter;
        compiled->segments[compiled->count].text = rest + parameter;
        compiled->segments[compiled->count].length = length - parameter;
        compiled->count++;
        rest += length;
    } while (*rest);
}

struct http_compiled *http_route_compile(const struct http_route *routes, size_t count)
{
    struct http_compiled *table = xcalloc(count ? count : 1, sizeof(*table));
    for (size_t i = 0; i < count; i++)
        route_compile(&table[i], &routes[i]);
    return table;
}

static bool route_fits(const struct http_compiled *route,
                       const struct http_exchange *exchange)
{
    if (route->count != exchange->count)
        return false;
    for (size_t i = 0; i < route->count; i++) {
        const struct http_segment *given = &exchange->segments[i];
        if (!route->segments[i].parameter &&
            (!given->text || given->length != route->segments[i].length ||
             memcmp(given->text, route->segments[i].text, given->length) != 0))
            return false;
    }
    return true;
}

static bool row_offers_head(const struct http_route *row)
{
    return !strcmp(row->method, "GET") && !(row->flags & HTTP_NO_HEAD);
}

static bool row_offers(const struct http_route *row, enum evhttp_cmd_type type)
{
    switch (type) {
    case EVHTTP_REQ_GET:
        return !strcmp(row->method, "GET");
    case EVHTTP_REQ_HEAD:
        return row_offers_head(row);
    case EVHTTP_REQ_POST:
        return !strcmp(row->method, "POST");
    case EVHTTP_REQ_PUT:
        return !strcmp(row->method, "PUT");
    case EVHTTP_REQ_DELETE:
        return !strcmp(row->method, "DELETE");
    default:
        return false;
    }
}

int http_route_find(struct http_exchange *exchange)
{
    const struct http_server *server = exchange->connection->server;
    int status = 404;
    for (size_t i = 0; i < server->route_count; i++) {
        const struct http_compiled *route = &server->routes[i];
        if (!route_fits(route, exchange))
            continue;
        status = 405;
        if (row_offers(route->row, exchange->request->type)) {
            exchange->route = route;
            return 0;
        }
    }
    return status;
}

static void allow_add(char *list, size_t size, const char *method)
{
    size_t length = strlen(list);
    if (!strstr(list, method))
        snprintf(list + length, size - length, "%s%s", length ? ", " : "", method);
}

void http_route_allow(const struct http_exchange *exchange, char *list, size_t size)
{
    const struct http_server *server = exchange->connection->server;
    list[0] = '\0';
    for (size_t i = 0; i < server->route_count; i++) {
        const struct http_compiled *route = &server->routes[i];
        if (!route_fits(route, exchange))
            continue;
        allow_add(list, size, route->row->method);
        if (row_offers_head(route->row))
            allow_add(list, size, "HEAD");
    }
}

/* --- the target --- */

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit |= 0x20;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* The byte that %XX at this place stands for, or -1. */
static int percent_byte(const char *text)
{
    int high = text[1] ? hex_value(text[1]) : -1;
    int low = high >= 0 && text[2] ? hex_value(text[2]) : -1;
    return text[0] == '%' && low >= 0 ? high << 4 | low : -1;
}

/* Decode a segment in place. Gives NULL for what is no text: a NUL, or half an escape. */
static struct http_segment segment_decode(char *text, size_t length)
{
    size_t to = 0;
    for (size_t from = 0; from < length; from++) {
        int byte = (unsigned char)text[from];
        if (byte == '%') {
            byte = percent_byte(text + from);
            from += 2;
        }
        if (byte <= 0)
            return (struct http_segment){NULL, 0};
        text[to++] = (char)byte;
    }
    text[to] = '\0';
    return (struct http_segment){text, to};
}

static void query_split(char *to, const char *query)
{
    while (*query) {
        size_t pair = strcspn(query, "&"), name = strcspn(query, "&=");
        if (name > 0) {
            to += form_decode(to, query, name) + 1;
            to +=
                form_decode(to, query + name + 1, pair > name ? pair - name - 1 : 0) + 1;
        }
        query += pair + (query[pair] == '&');
    }
    *to = '\0';
}

size_t http_route_room(const char *target)
{
    /* A query of n bytes becomes at most 2 n: "a&" is two NULs longer than "a". */
    return 2 * strlen(target) + 3;
}

void http_route_split(struct http_exchange *exchange, const char *target)
{
    size_t length = strcspn(target, "?");
    char *path = exchange->text;
    char *at = path;
    memcpy(path, target, length);
    path[length] = '\0';
    exchange->query = path + length + 1;
    if (target[length] == '?')
        query_split(path + length + 1, target + length + 1);

    char stop = path[0];
    exchange->count = 0;
    while (stop == '/' && exchange->count < HTTP_SEGMENTS) {
        char *start = at + 1;
        size_t segment = strcspn(start, "/");
        at = start + segment;
        stop = *at; /* decoding puts a NUL there */
        exchange->segments[exchange->count++] = segment_decode(start, segment);
    }
    if (stop)
        exchange->count = HTTP_SEGMENTS + 1; /* fits no route */
}

const char *http_route_target(const char *uri)
{
    for (const char *at = uri; *at; at++)
        if (*at <= ' ' || *at > '~' || *at == '#')
            return NULL;
    if (uri[0] == '/')
        return uri;
    if (strncasecmp(uri, "http://", 7) != 0 && strncasecmp(uri, "https://", 8) != 0)
        return NULL;
    uri = strstr(uri, "://") + 3;
    size_t host = strcspn(uri, "/?");
    if (host == 0 || uri[host] == '?')
        return NULL;
    return uri[host] ? uri + host : "/";
}
