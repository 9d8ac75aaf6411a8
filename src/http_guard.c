/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a request, looked at as they arrive and before evhttp parses them: it is
 * lenient about what they are and sets weak limits to how many. Loop thread.
 */
#include <string.h>

#include "http_internal.h"

enum { CHUNK_LINE_MAX = 4096 }; /* bytes of a chunk-size line */

static const char BAD_LINE_END[] =
    "A carriage return in a header is not followed by a line feed.";
static const char BAD_CONTROL[] =
    "Request line and headers must not contain control characters.";
static const char BAD_FOLD[] = "Header lines must not be folded.";
static const char BAD_BLANK[] = "The request must begin with its request line.";
static const char BAD_VERSION[] =
    "The request line must be a method, a target and a version, as GET / HTTP/1.1.";
static const char OTHER_VERSION[] = "Only HTTP/1.1 and HTTP/1.0 are spoken here.";
static const char BAD_HEAD[] =
    "The request line or a header could not be understood; each header is a line of "
    "name, colon and value.";
static const char BAD_FRAMING[] =
    "The length of the body must be said once: by one Content-Length or by "
    "Transfer-Encoding: chunked.";
static const char BAD_CHUNK[] =
    "The chunked body could not be understood; a chunk is its size in hexadecimal, a "
    "line end, the bytes and a line end, and the last one has the size 0.";

/* --- the head, byte by byte --- */

static void judge_line_end(struct http_connection *connection)
{
    static const struct http_verdict blank = {400, BAD_BLANK}, bad = {400, BAD_VERSION},
                                     other = {505, OTHER_VERSION};
    struct http_head *head = &connection->head;
    /* As bytes: "HTTP/", digit, '.', digit. */
    static const uint64_t mask = 0xffffffffff00ff00, form = 0x485454502f002e00;
    unsigned major = (head->tail >> 16) & 0xff, minor = head->tail & 0xff;

    if (head->line_length == 0 && head->lines > 0) {
        head->done = true;
    } else if (head->line_length == 0) {
        if (head->blank) /* one is forgiven: old clients add it to a body */
            connection->verdict = blank;
        head->blank = head->bytes;
    } else if (head->lines++ == 0) {
        if ((head->tail & mask) != form || major < '0' || major > '9' || minor < '0' ||
            minor > '9')
            connection->verdict = bad;
        else if (major != '1')
            connection->verdict = other;
    }
    head->line_length = 0;
}

static void judge_byte(struct http_connection *connection, unsigned char byte)
{
    struct http_head *head = &connection->head;
    const struct http_limits *limits = &connection->server->limits;
    bool after_carriage = head->carriage;
    head->carriage = byte == '\r';
    if (++head->bytes > limits->headers || head->lines > limits->header_lines + 1)
        connection->verdict = (struct http_verdict){431, connection->server->too_long};
    else if (byte == '\n')
        judge_line_end(connection);
    else if (after_carriage)
        connection->verdict = (struct http_verdict){400, BAD_LINE_END};
    else if (byte == '\r')
        return;
    else if ((byte < 0x20 && byte != '\t') || byte == 0x7f)
        connection->verdict = (struct http_verdict){400, BAD_CONTROL};
    else if (head->line_length++ == 0 && (byte == ' ' || byte == '\t'))
        connection->verdict = (struct http_verdict){400, BAD_FOLD};
    if (head->lines == 0)
        head->tail = head->tail << 8 | byte;
}

/* Most bytes stand within a header line and are plain: as many of these as come next are
 * passed over at once. Gives how many. */
static size_t pass_plain(struct http_connection *connection, const unsigned char *bytes,
                         size_t size)
{
    struct http_head *head = &connection->head;
    size_t count = 0;

    if (head->line_length == 0 || head->carriage)
        return 0;
    for (; count < size && bytes[count] >= 0x20 && bytes[count] != 0x7f; count++)
        head->tail = head->tail << 8 | bytes[count]; /* of the first line it matters */
    head->bytes += count;
    head->line_length += count;
    if (head->bytes > connection->server->limits.headers)
        connection->verdict = (struct http_verdict){431, connection->server->too_long};
    return count;
}

void http_guard_scan(struct http_connection *connection, size_t from)
{
    struct evbuffer *input = bufferevent_get_input(connection->bufferevent);
    struct http_head *head = &connection->head;
    size_t blank = head->blank, length = evbuffer_get_length(input);
    struct evbuffer_ptr at;
    struct evbuffer_iovec piece;

    while (from < length && !head->done && !connection->verdict.status &&
           evbuffer_ptr_set(input, &at, from, EVBUFFER_PTR_SET) == 0 &&
           evbuffer_peek(input, -1, &at, &piece, 1) > 0) {
        const unsigned char *bytes = piece.iov_base;
        for (size_t i = 0;
             i < piece.iov_len && !head->done && !connection->verdict.status;) {
            size_t passed = pass_plain(connection, bytes + i, piece.iov_len - i);
            if (passed == 0)
                judge_byte(connection, bytes[i]);
            i += passed > 0 ? passed : 1;
        }
        from += piece.iov_len;
    }
    if (connection->verdict.status)
        http_guard_condemn(connection, connection->verdict.status,
                           connection->verdict.detail);
    else if (head->blank > blank)
        evbuffer_drain(input, head->blank);
}

void http_guard_condemn(struct http_connection *connection, int status,
                        const char *detail)
{
    struct evbuffer *input = bufferevent_get_input(connection->bufferevent);
    connection->verdict = (struct http_verdict){status, detail};
    evbuffer_drain(input, evbuffer_get_length(input));
    if (connection->exchange) {
        /* Within a body only a chunk's size line can be wrong. */
        connection->request->chunked = 1;
        connection->request->ntoread = -1;
    }
    /* Neither a request line nor a header nor the size of a chunk. */
    evbuffer_unfreeze(input, 0);
    evbuffer_add(input, "x\n", 2);
    evbuffer_freeze(input, 0);
}

struct http_verdict http_guard_explain(const struct http_connection *connection)
{
    const struct evkeyvalq *headers = connection->request->input_headers;
    if (connection->verdict.status)
        return connection->verdict;
    if (connection->exchange && connection->exchange->verdict.status)
        return connection->exchange->verdict;
    if (connection->head.done && connection->request->chunked)
        return (struct http_verdict){400, BAD_CHUNK};
    if (connection->head.done && (evhttp_find_header(headers, "Content-Length") ||
                                  evhttp_find_header(headers, "Transfer-Encoding")))
        return (struct http_verdict){400, BAD_FRAMING};
    return (struct http_verdict){400, BAD_HEAD};
}

/* --- the body --- */

/* evhttp drops the bytes once they were shown to this. */
static void discard_cb(struct evhttp_request *request, void *connection)
{
    (void)request;
    (void)connection;
}

void http_guard_discard(struct evhttp_request *request)
{
    request->chunk_cb = discard_cb;
}

void http_guard_body(struct http_connection *connection, size_t waiting)
{
    struct evbuffer *input = bufferevent_get_input(connection->bufferevent);
    struct evhttp_request *request = connection->request;
    struct http_exchange *exchange = connection->exchange;
    const struct http_bound *bound = connection->bound;
    if (!request->chunked)
        return;
    if (request->ntoread < 0 && waiting > CHUNK_LINE_MAX) {
        http_guard_condemn(connection, 400, BAD_CHUNK);
        return;
    }
    if (request->body_size > bound->discard) {
        http_guard_condemn(connection, 413, bound->too_large);
        return;
    }
    if (request->body_size > bound->body && !exchange->verdict.status) {
        exchange->verdict = (struct http_verdict){413, bound->too_large};
        exchange->closes = true;
        http_room_drop(exchange);
        http_guard_discard(request);
    }
    /* evhttp would gather the whole chunk before it gives it to us. Its last byte is
     * left, for 0 would mean the end of the body. */
    if (request->chunk_cb && request->ntoread > 1) {
        size_t length = evbuffer_get_length(input);
        if (length > (uint64_t)request->ntoread - 1)
            length = (size_t)request->ntoread - 1;
        http_room_take(exchange, input, length);
        request->ntoread -= (int64_t)length;
    }
}
