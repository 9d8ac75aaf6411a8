/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP requests to other servers. Every request has a libcurl handle and a connection of
 * its own: requests are rare and slow here, so a kept connection would save nothing, and
 * a POST on a connection that the server is just closing would end in doubt.
 */
#include "fetch.h"

#include "clock.h"
#include "excerpt.h"
#include "worker.h"
#include "xalloc.h"

#include <arpa/inet.h>
#include <assert.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEADERS_LIMIT   65536 /* bytes of an answer's headers */
#define CURL_SAYS_SHOWN 200   /* bytes of libcurl's own words in a cause */
#define URL_SHOWN       200   /* bytes of a URL that can't be parsed */

/* One request under way. */
struct fetch {
    const struct fetch_request *request; /* borrowed */
    CURL *curl;                          /* owned */
    struct curl_slist *headers;          /* owned */
    char says[CURL_ERROR_SIZE];          /* libcurl's own words for what went wrong */
    FILE *stream;                        /* collects the body */
    char *body;                          /* what was collected, owned */
    size_t body_size;                    /* bytes of it that were let through */
    FILE *header_stream;                 /* collects the headers of the answer */
    char *header_lines;                  /* what was collected, owned */
    size_t headers_size;                 /* bytes of headers so far */
    size_t header_stream_size;           /* kept by the stream */
    size_t stream_size;                  /* kept by the stream */
};

/* --- URLs --- */

static char *url_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;

    return curl_url_get(url, part, &text, 0) == CURLUE_OK ? text : NULL;
}

static CURLU *url_parse(const char *text)
{
    CURLU *url = xcheck(curl_url());

    if (curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK)
        return url;
    curl_url_cleanup(url);
    return NULL;
}

char *fetch_url_shown(const char *text)
{
    static const CURLUPart hidden[] = {CURLUPART_USER, CURLUPART_PASSWORD,
                                       CURLUPART_OPTIONS, CURLUPART_QUERY,
                                       CURLUPART_FRAGMENT};
    CURLU *url = url_parse(text);
    char *part, *shown;

    if (url == NULL)
        return excerpt(text, strlen(text), URL_SHOWN);
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        curl_url_set(url, hidden[i], NULL, 0);
    part = xcheck(url_part(url, CURLUPART_URL));
    shown = excerpt(part, strlen(part), URL_SHOWN);
    for (size_t end = strlen(shown); end > 0 && shown[end - 1] == '/';)
        shown[--end] = '\0';
    curl_free(part);
    curl_url_cleanup(url);
    return shown;
}

char *fetch_url_base(const char *text)
{
    static const CURLUPart unwanted[] = {CURLUPART_USER, CURLUPART_PASSWORD,
                                         CURLUPART_QUERY, CURLUPART_FRAGMENT};
    size_t length = strlen(text), scheme = 0;
    CURLU *url = NULL;

    if (strncasecmp(text, "http://", 7) == 0)
        scheme = 7;
    else if (strncasecmp(text, "https://", 8) == 0)
        scheme = 8;
    if (scheme > 0 && text[scheme] != '/') /* libcurl forgives a slash too many */
        url = url_parse(text);
    bool usable = url != NULL;
    for (size_t i = 0; usable && i < sizeof unwanted / sizeof *unwanted; i++) {
        char *part = url_part(url, unwanted[i]);
        usable = part == NULL;
        curl_free(part);
    }
    curl_url_cleanup(url);
    while (length > 0 && text[length - 1] == '/')
        length--;
    return usable ? xstrndup(text, length) : NULL;
}

/* Whether a URL leads to this very machine: a proxy from the environment is for others.
 */
static bool url_is_loopback(const char *text)
{
    CURLU *url = url_parse(text);
    char *host = url != NULL ? url_part(url, CURLUPART_HOST) : NULL;
    struct in_addr address;
    bool loopback = false;

    if (host != NULL)
        loopback = strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
                   (inet_pton(AF_INET, host, &address) == 1 &&
                    ntohl(address.s_addr) >> 24 == 127);
    curl_free(host);
    curl_url_cleanup(url);
    return loopback;
}

/* --- libcurl's callbacks --- */

static size_t body_cb(char *data, size_t one, size_t size, void *context)
{
    struct fetch *fetch = context;

    (void)one; /* is always 1 */
    if (size > fetch->request->reply_limit - fetch->body_size)
        return 0;
    fetch->body_size += size;
    return fwrite(data, 1, size, fetch->stream);
}

static size_t header_cb(char *data, size_t one, size_t size, void *context)
{
    struct fetch *fetch = context;

    (void)one;
    fetch->headers_size += size;
    if (fetch->headers_size > HEADERS_LIMIT)
        return 0;
    return fwrite(data, 1, size, fetch->header_stream);
}

/* Is called at least once a second. */
static int progress_cb(void *context, curl_off_t down_total, curl_off_t down,
                       curl_off_t up_total, curl_off_t up)
{
    const struct fetch *fetch = context;

    (void)down_total;
    (void)down;
    (void)up_total;
    (void)up;
    return fetch->request->workers != NULL &&
           workers_are_stopping(fetch->request->workers);
}

/* --- a request --- */

static pthread_once_t prepared = PTHREAD_ONCE_INIT;

static void prepare(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        xcheck(NULL); /* libcurl says that nothing else than memory can be missing */
}

void fetch_prepare(void)
{
    pthread_once(&prepared, prepare);
}

static void set_limits(const struct fetch *fetch)
{
    const struct fetch_request *request = fetch->request;
    CURL *curl = fetch->curl;

    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_timeout_ms);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    if (url_is_loopback(request->url))
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
}

static void set_callbacks(struct fetch *fetch)
{
    CURL *curl = fetch->curl;

    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, fetch->says);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, body_cb);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, fetch);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, header_cb);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, fetch);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, progress_cb);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, fetch);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
}

static void set_request(struct fetch *fetch)
{
    static const char *const json_lines[] = {"Content-Type: application/json",
                                             "Accept: application/json", NULL};
    const struct fetch_request *request = fetch->request;
    const char *const *lines = request->headers != NULL ? request->headers : json_lines;

    fetch->headers = xcheck(curl_slist_append(NULL, "Expect:"));
    for (size_t i = 0; lines[i] != NULL; i++)
        fetch->headers = xcheck(curl_slist_append(fetch->headers, lines[i]));
    curl_easy_setopt(fetch->curl, CURLOPT_HTTPHEADER, fetch->headers);
    if (request->body != NULL) {
        curl_easy_setopt(fetch->curl, CURLOPT_POST, 1L);
        curl_easy_setopt(fetch->curl, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)strlen(request->body));
        curl_easy_setopt(fetch->curl, CURLOPT_POSTFIELDS, request->body);
    }
    if (request->method != NULL && strcmp(request->method, "HEAD") == 0)
        curl_easy_setopt(fetch->curl, CURLOPT_NOBODY, 1L);
    else if (request->method != NULL)
        curl_easy_setopt(fetch->curl, CURLOPT_CUSTOMREQUEST, request->method);
    if (curl_easy_setopt(fetch->curl, CURLOPT_URL, request->url) != CURLE_OK)
        xcheck(NULL);
}

static bool was_sent(const struct fetch *fetch)
{
    long size = 0;

    curl_easy_getinfo(fetch->curl, CURLINFO_REQUEST_SIZE, &size);
    return size > 0;
}

/* The system's word for why there is no connection, or libcurl's own. */
static char *why_unreachable(const struct fetch *fetch, CURLcode code)
{
    long error = 0;

    curl_easy_getinfo(fetch->curl, CURLINFO_OS_ERRNO, &error);
    if (code == CURLE_COULDNT_CONNECT && error != 0 && strerrordesc_np((int)error))
        return xstrdup(strerrordesc_np((int)error));
    const char *says = fetch->says[0] != '\0' ? fetch->says : curl_easy_strerror(code);
    return excerpt(says, strlen(says), CURL_SAYS_SHOWN);
}

static enum fetch_result explain_time_out(const struct fetch *fetch, char **cause)
{
    bool sent = was_sent(fetch);
    int64_t whole = fetch->request->timeout_ms,
            start = fetch->request->connect_timeout_ms;
    char *text = duration_format(sent || start > whole ? whole : start);

    cause_set(cause, sent ? "gave no answer within %s" : "can't be reached within %s",
              text);
    free(text);
    return sent ? FETCH_TIMED_OUT : FETCH_UNREACHABLE;
}

/* What is wrong with the answer, if libcurl refuses it. */
static void explain_broken(const struct fetch *fetch, CURLcode code, char **cause)
{
    size_t limit = fetch->request->reply_limit;

    if (code == CURLE_GOT_NOTHING)
        cause_set(cause, "closed the connection without an answer");
    else if (code == CURLE_PARTIAL_FILE)
        cause_set(cause, "broke off in the middle of its answer");
    else if (code == CURLE_WRITE_ERROR && fetch->headers_size > HEADERS_LIMIT)
        cause_set(cause, "answered with more than %d bytes of headers", HEADERS_LIMIT);
    else if (code == CURLE_WRITE_ERROR)
        cause_set(cause, "gave an answer of more than %zu bytes", limit);
    else if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY)
        cause_set(cause, "gave an answer that is not HTTP");
    else {
        char *why = why_unreachable(fetch, code);
        cause_set(cause, "gave no whole answer: %s", why);
        free(why);
    }
}

static enum fetch_result explain(const struct fetch *fetch, CURLcode code, char **cause)
{
    if (code == CURLE_OPERATION_TIMEDOUT)
        return explain_time_out(fetch, cause);
    if (code == CURLE_ABORTED_BY_CALLBACK) {
        cause_set(cause, "was not waited for: trafficlight is stopping");
        return FETCH_STOPPED;
    }
    if (was_sent(fetch)) {
        explain_broken(fetch, code, cause);
        return FETCH_BROKEN;
    }
    char *why = why_unreachable(fetch, code);
    cause_set(cause, "can't be reached: %s", why);
    free(why);
    return FETCH_UNREACHABLE;
}

void fetch_send(const struct fetch_request *request, struct fetch_reply *reply)
{
    struct fetch fetch = {.request = request, .curl = xcheck(curl_easy_init())};
    long status = 0;

    fetch.stream = xcheck(open_memstream(&fetch.body, &fetch.stream_size));
    fetch.header_stream =
        xcheck(open_memstream(&fetch.header_lines, &fetch.header_stream_size));
    set_limits(&fetch);
    set_callbacks(&fetch);
    set_request(&fetch);
    CURLcode code = curl_easy_perform(fetch.curl);
    curl_easy_getinfo(fetch.curl, CURLINFO_RESPONSE_CODE, &status);
    if (fclose(fetch.stream) != 0 || fclose(fetch.header_stream) != 0)
        xcheck(NULL);
    *reply = (struct fetch_reply){.result = FETCH_ANSWERED, .status = (int)status};
    if (code == CURLE_OK) {
        reply->headers = fetch.header_lines;
        reply->body = fetch.body;
        reply->size = fetch.stream_size;
    } else {
        reply->result = explain(&fetch, code, &reply->cause);
        free(fetch.body);
        free(fetch.header_lines);
    }
    curl_easy_cleanup(fetch.curl);
    curl_slist_free_all(fetch.headers);
}

void fetch_reply_clear(struct fetch_reply *reply)
{
    free(reply->headers);
    free(reply->body);
    free(reply->cause);
    *reply = (struct fetch_reply){.result = reply->result};
}
