/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parsed head of a request: is it one that we serve, and where does its body end?
 * Loop thread.
 *
 * evhttp takes much for a request that another program on the way may read otherwise, and
 * then a second request hides in the first. So whatever is odd is refused, and where it
 * is not certain where the request ends, the connection is closed as well.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http_internal.h"

enum { LENGTH_DIGITS = 15 }; /* of a Content-Length; no body is near that */

/* What the headers say that matters here. Pointers are borrowed from the request. */
struct heading {
    const char *length; /* Content-Length, or NULL */
    const char *coding; /* Transfer-Encoding, or NULL */
    const char *expect; /* Expect, or NULL */
    unsigned lengths;   /* how many Content-Length there are */
    unsigned codings;   /* how many Transfer-Encoding */
    unsigned hosts;     /* how many Host */
    bool closes;        /* Connection: close */
    bool keeps;         /* Connection: keep-alive */
    bool odd_name;      /* a name with a space before the colon, and the like */
};

/* Whether the comma-separated list has this word. */
static bool list_has(const char *list, const char *word)
{
    size_t length = strlen(word);
    while (*list) {
        list += strspn(list, " \t,");
        size_t item = strcspn(list, " \t,");
        if (item == length && !strncasecmp(list, word, length))
            return true;
        list += item;
    }
    return false;
}

static bool is_token(const char *name)
{
    const char *at = name;
    for (; *at; at++) {
        char letter = (char)(*at | 0x20);
        if ((letter < 'a' || letter > 'z') && (*at < '0' || *at > '9') &&
            !strchr("!#$%&'*+-.^_`|~", *at))
            return false;
    }
    return at > name;
}

static void heading_take(struct heading *heading, const char *name, const char *value)
{
    if (!is_token(name)) {
        heading->odd_name = true;
    } else if (!strcasecmp(name, "Host")) {
        heading->hosts++;
    } else if (!strcasecmp(name, "Content-Length")) {
        heading->length = value;
        heading->lengths++;
    } else if (!strcasecmp(name, "Transfer-Encoding")) {
        heading->coding = value;
        heading->codings++;
    } else if (!strcasecmp(name, "Expect")) {
        heading->expect = value;
    } else if (!strcasecmp(name, "Connection")) {
        heading->closes = heading->closes || list_has(value, "close");
        heading->keeps = heading->keeps || list_has(value, "keep-alive");
    }
}

static bool is_length(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits > 0 && digits <= LENGTH_DIGITS && text[digits] == '\0';
}

static uint64_t heading_size(const struct heading *heading)
{
    return heading->length ? strtoull(heading->length, NULL, 10) : 0;
}

/* evhttp reads no body of these, so that it would be taken for a next request. */
static bool method_is_bodiless(const struct evhttp_request *request)
{
    return !(request->type & (EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_PUT |
                              EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH));
}

/* What is wrong with the framing or the form, so that the connection must end; or NULL.
 */
static const char *heading_fault(const struct heading *heading,
                                 const struct http_exchange *exchange)
{
    const struct evhttp_request *request = exchange->request;
    const char *query = strchr(request->uri, '?');
    if (heading->odd_name)
        return "The name of a header must be letters, digits and hyphens, with the colon "
               "right behind it.";
    if (heading->lengths > 1 || (heading->length && !is_length(heading->length)))
        return "Content-Length must be given once, as a decimal number.";
    if (heading->coding && (heading->length || request->minor == 0))
        return "Transfer-Encoding goes neither with Content-Length nor with HTTP/1.0.";
    if (method_is_bodiless(request) && (heading->coding || heading_size(heading) > 0))
        return "A request with this method must not have a body.";
    if (exchange->count == 0)
        return "The target must be a path that begins with a slash, or an http:// URL, "
               "in printable ASCII; encode other characters with %.";
    if (query && strstr(query, "%00"))
        return "The query must not contain NUL characters (%00).";
    if (heading->hosts > 1 || (heading->hosts == 0 && request->minor > 0))
        return "An HTTP/1.1 request must have one Host header.";
    return NULL;
}

/* Tell what is wrong, worst first. Gives whether the body, too, is beyond saving. */
static bool head_refuses(struct http_exchange *exchange, const struct heading *heading)
{
    struct http_connection *connection = exchange->connection;
    const char *fault = heading_fault(heading, exchange);
    int status;
    if (fault) {
        exchange->verdict = (struct http_verdict){400, fault};
        return true;
    }
    if (heading->coding && strcasecmp(heading->coding, "chunked") != 0) {
        exchange->verdict = (struct http_verdict){
            501, "The only Transfer-Encoding understood here is chunked."};
        return true;
    }
    status = http_route_find(exchange);
    if (status == 0 && exchange->route->row->flags & HTTP_LARGE_BODY)
        connection->bound = &connection->server->large;
    if (status == 404)
        exchange->verdict = (struct http_verdict){
            404, "Nothing is served under this path: check how it is spelled."};
    else if (status == 405)
        exchange->verdict = (struct http_verdict){
            405, "This path does not have this method: use one of those in Allow."};
    else if (heading->expect && strcasecmp(heading->expect, "100-continue") != 0)
        exchange->verdict = (struct http_verdict){
            417, "The only expectation understood here is 100-continue."};
    else if (heading_size(heading) > connection->bound->body) {
        exchange->verdict = (struct http_verdict){413, connection->bound->too_large};
        exchange->closes = true;
    }
    return false;
}

static void remove_headers(struct evhttp_request *request, const char *name)
{
    while (evhttp_remove_header(request->input_headers, name) == 0)
        ;
}

/* A refused request is answered when its body was read, or the client might never hear
 * the answer; unless that is too much, or the client waits to be told to send it. */
static void head_settle_body(struct http_exchange *exchange,
                             const struct heading *heading, bool lost)
{
    struct evhttp_request *request = exchange->request;
    uint64_t size = heading_size(heading);
    if (lost || heading->expect || size > exchange->connection->bound->discard) {
        if (lost || heading->coding || size > 0)
            exchange->closes = exchange->lingers = true;
        remove_headers(request, "Content-Length");
        remove_headers(request, "Transfer-Encoding");
        remove_headers(request, "Expect"); /* evhttp would answer it by itself */
        request->chunked = 0;
    } else {
        http_guard_discard(request);
    }
}

void http_head_judge(struct http_exchange *exchange)
{
    struct evhttp_request *request = exchange->request;
    struct heading heading = {0};
    struct evkeyval *header;
    TAILQ_FOREACH (header, request->input_headers, next)
        heading_take(&heading, header->key, header->value);

    if (request->minor > 1)
        request->minor = 1; /* the answer says what is spoken here */
    /* evhttp takes a full URL for one to be passed on, and looks at other headers then.
     */
    request->flags &= ~EVHTTP_PROXY_REQUEST;
    exchange->closes = heading.closes || (request->minor == 0 && !heading.keeps) ||
                       exchange->connection->server->stopped;
    bool lost = head_refuses(exchange, &heading);
    if (exchange->verdict.status)
        head_settle_body(exchange, &heading, lost);
    else if (exchange->route->row->flags & HTTP_LARGE_BODY)
        http_room_open(exchange);
}
