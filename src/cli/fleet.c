/* SPDX-License-Identifier: Apache-2.0 */
/* Many simulated clients at once. A client is either in the heap, waiting for the moment
 * of its next request, or its handle is in the multi handle, or it has ended. */
#include "fleet.h"

#include "heap.h"
#include "now.h"
#include "xalloc.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_LIMIT ((size_t)8 << 20) /* bytes of one answer */
#define TURN_MAX_MS  60000             /* the longest sleep */
#define SEND_MAX     200 /* requests begun in a turn: a stop is not to wait for more */

/* One client and its way to the server. */
struct member {
    struct simulated_client *client; /* owned */
    CURL *curl;                      /* NULL before a request, after a loss; owned */
    curl_mime *form;                 /* that is being uploaded, or NULL; owned */
    struct reply reply;              /* to the request under way */
    struct heap_entry turn;          /* when it is to be heard again */
    char says[CURL_ERROR_SIZE];      /* libcurl's own words for what went wrong */
};

struct fleet {
    const struct server *server; /* borrowed */
    CURLM *multi;                /* owned */
    struct curl_slist *headers;  /* of requests with JSON; owned */
    struct curl_slist *chunked;  /* headers of uploads; owned */
    struct member **members;     /* owned, each and all */
    size_t count;                /* length of members */
    size_t capacity;             /* allocated length of members */
    size_t going;                /* members that have not ended */
    struct heap turns;           /* of those without a request under way */
};

/* This one, and none that makes a request wait for leave to send its body. */
static struct curl_slist *make_headers(const char *line)
{
    struct curl_slist *headers = xcheck(curl_slist_append(NULL, "Expect:"));

    return xcheck(curl_slist_append(headers, line));
}

struct fleet *fleet_new(const struct server *server)
{
    struct fleet *fleet = xcalloc(1, sizeof *fleet);

    fleet->server = server;
    fleet->multi = xcheck(curl_multi_init());
    fleet->headers = make_headers("Content-Type: application/json");
    fleet->chunked = make_headers("Transfer-Encoding: chunked");
    return fleet;
}

/* No request is under way that uploads it. */
static void drop_form(struct member *member)
{
    if (member->form == NULL)
        return;
    curl_easy_setopt(member->curl, CURLOPT_MIMEPOST, NULL);
    curl_mime_free(member->form);
    member->form = NULL;
}

void fleet_free(struct fleet *fleet)
{
    if (fleet == NULL)
        return;
    for (size_t i = 0; i < fleet->count; i++) {
        struct member *member = fleet->members[i];
        if (member->curl != NULL)
            curl_multi_remove_handle(fleet->multi, member->curl);
        drop_form(member);
        curl_easy_cleanup(member->curl);
        simulated_client_free(member->client);
        reply_clear(&member->reply);
        free(member);
    }
    free(fleet->members);
    heap_clear(&fleet->turns);
    curl_multi_cleanup(fleet->multi);
    curl_slist_free_all(fleet->headers);
    curl_slist_free_all(fleet->chunked);
    free(fleet);
}

void fleet_add(struct fleet *fleet, struct simulated_client *client)
{
    struct member *member = xcalloc(1, sizeof *member);

    member->client = client;
    member->reply.limit = ANSWER_LIMIT;
    member->turn.owner = member;
    if (fleet->count == fleet->capacity) {
        fleet->capacity = fleet->capacity > 0 ? 2 * fleet->capacity : 16;
        fleet->members =
            xreallocarray(fleet->members, fleet->capacity, sizeof(struct member *));
    }
    fleet->members[fleet->count++] = member;
    fleet->going++;
    heap_put(&fleet->turns, &member->turn, simulated_client_due(client));
}

/* POST a file as adapters do: a form with one part, of a length that nobody is told. */
static void set_upload(struct member *member, const struct picture *file)
{
    member->form = xcheck(curl_mime_init(member->curl));
    curl_mimepart *part = xcheck(curl_mime_addpart(member->form));
    if (curl_mime_name(part, "file") != CURLE_OK ||
        curl_mime_filename(part, file->name) != CURLE_OK ||
        curl_mime_type(part, "application/octet-stream") != CURLE_OK ||
        curl_mime_data(part, (const char *)file->bytes, file->size) != CURLE_OK)
        xcheck(NULL);
    curl_easy_setopt(member->curl, CURLOPT_MIMEPOST, member->form);
}

static void set_method(const struct fleet *fleet, struct member *member,
                       const struct simulated_request *request)
{
    CURL *curl = member->curl;

    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
    if (request->file != NULL) {
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fleet->chunked);
        set_upload(member, request->file);
    } else if (request->body != NULL) {
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fleet->headers);
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(request->body));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
    } else {
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    }
}

/* Give it a handle. Not before it needs one: a big fleet would take long to begin. */
static void member_prepare(const struct fleet *fleet, struct member *member)
{
    member->curl = xcheck(curl_easy_init());
    server_prepare(fleet->server, member->curl, &member->reply, member->says);
    curl_easy_setopt(member->curl, CURLOPT_PRIVATE, member);
}

/* Send what the client wants to send. */
static void member_send(struct fleet *fleet, struct member *member)
{
    struct simulated_request request;

    if (member->curl == NULL)
        member_prepare(fleet, member);
    simulated_client_request(member->client, &request);
    reply_clear(&member->reply);
    member->says[0] = '\0';
    server_set_path(fleet->server, member->curl, request.path);
    curl_easy_setopt(member->curl, CURLOPT_TIMEOUT_MS, (long)request.timeout_ms);
    set_method(fleet, member, &request);
    if (curl_multi_add_handle(fleet->multi, member->curl) != CURLM_OK)
        xcheck(NULL);
}

/* While it pauses it needs none, and many are long in freeing when we are stopped. */
static void drop_handle(struct member *member)
{
    curl_easy_cleanup(member->curl);
    member->curl = NULL;
}

/* Its request has ended: hear what the client wants next. */
static void member_finish(struct fleet *fleet, struct member *member, CURLcode code)
{
    int64_t now_ms = now().mono_ms;
    long status = 0;

    curl_multi_remove_handle(fleet->multi, member->curl);
    drop_form(member);
    if (code == CURLE_OK) {
        curl_easy_getinfo(member->curl, CURLINFO_RESPONSE_CODE, &status);
        simulated_client_take_answer(member->client, (int)status, member->reply.body,
                                     member->reply.size, now_ms);
    } else {
        char *cause = server_explain(fleet->server, member->curl, code, member->says);
        simulated_client_take_loss(member->client, cause, now_ms);
        free(cause);
        drop_handle(member);
    }
    if (simulated_client_end(member->client) == SIMULATED_GOES_ON)
        heap_put(&fleet->turns, &member->turn, simulated_client_due(member->client));
    else
        fleet->going--;
}

/* Begin requests whose moment has come; what is left over is due in the next turn. */
static void send_due(struct fleet *fleet, int64_t now_ms)
{
    struct heap_entry *first;

    for (int i = 0; i < SEND_MAX; i++) {
        first = heap_first(&fleet->turns);
        if (first == NULL || first->key > now_ms)
            return;
        heap_remove(&fleet->turns, first);
        member_send(fleet, first->owner);
    }
}

static void move_requests(struct fleet *fleet)
{
    CURLMsg *message;
    int number;

    if (curl_multi_perform(fleet->multi, &number) != CURLM_OK)
        xcheck(NULL);
    while ((message = curl_multi_info_read(fleet->multi, &number)) != NULL) {
        struct member *member = NULL;
        CURLcode code = message->data.result; /* the message goes with its handle */
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&member);
        member_finish(fleet, member, code);
    }
}

/* Sleep until something happens. Gives true if it is time to stop. */
static bool wait_for_more(struct fleet *fleet, int64_t until_ms, int stop_fd)
{
    struct curl_waitfd stop = {.fd = stop_fd, .events = CURL_WAIT_POLLIN};
    const struct heap_entry *first = heap_first(&fleet->turns);
    int64_t left = first != NULL && first->key < until_ms ? first->key : until_ms;

    left -= now().mono_ms;
    left = left < 0 ? 0 : left > TURN_MAX_MS ? TURN_MAX_MS : left;
    if (curl_multi_poll(fleet->multi, &stop, 1, (int)left, NULL) != CURLM_OK)
        xcheck(NULL);
    return stop.revents != 0;
}

enum fleet_end fleet_run(struct fleet *fleet, int64_t until_ms, int stop_fd)
{
    curl_multi_setopt(fleet->multi, CURLMOPT_MAXCONNECTS, (long)fleet->count);
    while (fleet->going > 0) {
        int64_t now_ms = now().mono_ms;
        if (now_ms >= until_ms)
            return FLEET_TIME_UP;
        send_due(fleet, now_ms);
        move_requests(fleet);
        if (fleet->going > 0 && wait_for_more(fleet, until_ms, stop_fd))
            return FLEET_STOPPED;
    }
    return FLEET_ENDED;
}

struct fleet_counts fleet_count(const struct fleet *fleet)
{
    struct fleet_counts counts = {.clients = fleet->count};

    for (size_t i = 0; i < fleet->count; i++) {
        const struct simulated_client *client = fleet->members[i]->client;
        enum simulated_end end = simulated_client_end(client);
        counts.exited += end == SIMULATED_EXITED;
        counts.gave_up += end == SIMULATED_GAVE_UP;
        counts.answered += simulated_client_answered(client);
    }
    return counts;
}
