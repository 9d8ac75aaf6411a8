/* SPDX-License-Identifier: Apache-2.0 */
/* What the history has to say over HTTP. */
#include "history_api.h"

#include "daemon.h"
#include "document.h"
#include "json.h"
#include "pages.h"
#include "replies.h"
#include "status.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

/* Somebody who waits for a document. */
struct asking {
    struct http_exchange *exchange; /* is held */
    struct daemon *daemon;          /* borrowed */
    uint64_t ticket;                /* to cancel it */
    const char *what;               /* is missing where there is no document; static */
    history_reply *reply;           /* answers with the document */
};

static void found(void *argument, struct json_object *document, const char *cause)
{
    struct asking *asking = argument;

    if (document != NULL)
        asking->reply(asking->exchange, asking->daemon, document);
    else if (cause != NULL)
        http_problem(asking->exchange, 500, "%s", cause);
    else
        reply_missing(asking->exchange, asking->what);
    free(asking);
}

static void gone_cb(void *argument)
{
    struct asking *asking = argument;

    history_cancel(asking->daemon->history, asking->ticket);
    free(asking);
}

void history_answer(struct http_exchange *exchange, struct daemon *daemon,
                    enum history_document document, const char *id, const char *what,
                    history_reply *reply)
{
    if (id == NULL) {
        reply_missing(exchange, what);
        return;
    }
    struct asking *asking = xcalloc(1, sizeof *asking);
    asking->exchange = exchange;
    asking->daemon = daemon;
    asking->what = what;
    asking->reply = reply;
    asking->ticket = history_find(daemon->history, document, id, found, asking);
    http_hold(exchange, gone_cb, asking);
}

/* --- runs --- */

static bool has_run(struct json_object *runs, const char *id)
{
    for (size_t i = 0; i < json_object_array_length(runs); i++) {
        const char *known = json_member_text(json_object_array_get_idx(runs, i), "id");
        if (known != NULL && strcmp(known, id) == 0)
            return true;
    }
    return false;
}

/* Those that the engine has, then those that only the history has. Owned. */
static struct json_object *merge_runs(const struct daemon *daemon,
                                      struct json_object *kept)
{
    struct json_object *runs = status_runs(daemon->engine);

    for (size_t i = 0; i < json_object_array_length(kept); i++) {
        struct json_object *run = json_object_array_get_idx(kept, i);
        if (!has_run(runs, json_member_text(run, "id")))
            json_append(runs, json_object_get(run));
    }
    return runs;
}

static void show_runs(struct http_exchange *exchange, struct daemon *daemon,
                      struct json_object *kept)
{
    struct json_object *runs = merge_runs(daemon, kept);

    json_object_put(kept);
    if (reply_wants_page(exchange)) {
        reply_page(exchange, runs, pages_runs);
        json_object_put(runs);
    } else {
        struct json_object *document = json_new_object();
        json_put(document, "runs", runs);
        reply_json(exchange, document);
        json_object_put(document);
    }
}

void history_runs(struct http_exchange *exchange, void *context)
{
    history_answer(exchange, context, HISTORY_RUNS, "", "list of runs", show_runs);
}

/* --- trends --- */

static void show_trends(struct http_exchange *exchange, struct daemon *daemon,
                        struct json_object *trends)
{
    document_reply_page(daemon->documents, exchange, trends, pages_history);
}

static void give_trends(struct http_exchange *exchange, struct daemon *daemon,
                        struct json_object *trends)
{
    (void)daemon;
    reply_json(exchange, trends);
    json_object_put(trends);
}

void history_page(struct http_exchange *exchange, void *context)
{
    history_answer(exchange, context, HISTORY_TRENDS, "", "history", show_trends);
}

void history_json(struct http_exchange *exchange, void *context)
{
    history_answer(exchange, context, HISTORY_TRENDS, "", "history", give_trends);
}
