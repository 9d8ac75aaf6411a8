/* SPDX-License-Identifier: Apache-2.0 */
/* The document of a run as an answer, however large it is. */
#include "document.h"

#include "daemon.h"
#include "http.h"
#include "json.h"
#include "replies.h"
#include "status.h"
#include "worker.h"
#include "xalloc.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define STEP_ITEMS 100 /* cases and clients that are gathered in one turn: about 1 ms */
#define WRITERS    1   /* threads: one document after the other is soon enough */
#define DOCUMENTS_MAX                                                                    \
    16 /* that are gathered or written at once: each may take megabytes */

/* One that is being gathered or written. The worker sees `document` and what it makes of it. */
struct document {
    struct job job;                 /* its head */
    struct documents *documents;    /* loop only */
    struct http_exchange *exchange; /* held; NULL once the client left; loop only */
    struct status_walk *walk;       /* while it is gathered; owned; loop only */
    struct status_view view;        /* as of the beginning; loop only */
    struct event *turn;             /* the next step; owned; loop only */
    document_write *write;          /* NULL: as JSON */
    struct json_object *document;   /* once it is whole; owned */
    char *text;                     /* what was written; owned */
    size_t size;                    /* bytes of it */
    TAILQ_ENTRY(document) link;     /* in the room's list */
};

struct documents {
    struct daemon *daemon;            /* borrowed */
    struct lane *lane;                /* of the pool; borrowed */
    TAILQ_HEAD(, document) under_way; /* owned */
    size_t count;                     /* length of under_way */
};

static void free_document(struct document *document)
{
    TAILQ_REMOVE(&document->documents->under_way, document, link);
    document->documents->count--;
    json_object_put(status_walk_finish(document->walk));
    json_object_put(document->document);
    if (document->turn != NULL)
        event_free(document->turn);
    free(document->text);
    free(document);
}

/* --- writing --- */

static void run_document(struct job *job)
{
    struct document *document = (struct document *)job;

    if (document->write != NULL) {
        document->text = document->write(document->document, &document->size);
    } else {
        document->text = xstrdup(json_text(document->document));
        document->size = strlen(document->text);
    }
    json_object_put(document->document); /* it takes its time, too */
    document->document = NULL;
}

static void done_document(struct job *job)
{
    struct document *document = (struct document *)job;

    if (document->exchange != NULL && job->cancelled)
        http_problem(document->exchange, 503, "the server is stopping");
    else if (document->exchange != NULL && document->write != NULL)
        reply_page_text(document->exchange, document->text, document->size);
    else if (document->exchange != NULL)
        reply_json_text(document->exchange, document->text, document->size);
    free_document(document);
}

static void submit(struct document *document)
{
    static const struct job_ops ops = {"document", run_document, done_document};

    document->job.ops = &ops;
    document->document = status_walk_finish(document->walk);
    document->walk = NULL;
    if (job_submit(document->documents->lane, &document->job) != 0)
        job_submit_cancelled(document->documents->lane, &document->job);
}

/* --- gathering --- */

static void step(struct document *document)
{
    static const struct timeval at_once = {0};
    const struct engine *engine = document->documents->daemon->engine;

    if (document->exchange == NULL)
        free_document(document);
    else if (status_walk_step(document->walk, engine, &document->view, STEP_ITEMS))
        submit(document);
    else
        evtimer_add(document->turn, &at_once);
}

static void turn_cb(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    step(argument);
}

static void gone_cb(void *argument)
{
    ((struct document *)argument)->exchange = NULL;
}

static void gather(struct documents *documents, struct http_exchange *exchange,
                   struct status_walk *walk, const struct status_view *view,
                   document_write *write)
{
    static const struct timeval at_once = {0};
    struct document *document = xcalloc(1, sizeof *document);

    document->documents = documents;
    document->exchange = exchange;
    document->walk = walk;
    document->view = *view;
    document->write = write;
    document->turn = xcheck(evtimer_new(documents->daemon->base, turn_cb, document));
    TAILQ_INSERT_TAIL(&documents->under_way, document, link);
    documents->count++;
    http_hold(exchange, gone_cb, document);
    evtimer_add(document->turn, &at_once);
}

/* All of it was gathered in one step. Takes the document. */
static void reply_at_once(struct http_exchange *exchange, struct json_object *document,
                          document_write *write)
{
    if (write != NULL)
        reply_page(exchange, document, write);
    else
        reply_json(exchange, document);
    json_object_put(document);
}

bool document_reply(struct documents *documents, struct http_exchange *exchange,
                    const char *run, document_write *write)
{
    struct daemon *daemon = documents->daemon;
    struct status_view view = daemon_view(daemon);
    struct status_walk *walk = status_walk_new(daemon->engine, run, &view);

    if (walk == NULL)
        return false;
    if (status_walk_step(walk, daemon->engine, &view, STEP_ITEMS)) {
        reply_at_once(exchange, status_walk_finish(walk), write);
    } else if (documents->count >= DOCUMENTS_MAX) {
        json_object_put(status_walk_finish(walk));
        http_add_header(exchange, "Retry-After", "1");
        http_problem(exchange, 503,
                     "too many ask for this at once: ask again in a moment");
    } else {
        gather(documents, exchange, walk, &view, write);
    }
    return true;
}

/* --- the room --- */

struct documents *documents_new(struct daemon *daemon)
{
    struct documents *documents = xcalloc(1, sizeof *documents);

    documents->daemon = daemon;
    documents->lane = workers_add_lane(daemon->workers, "documents", WRITERS, 0);
    TAILQ_INIT(&documents->under_way);
    return documents;
}

void documents_free(struct documents *documents)
{
    struct document *document;

    if (documents == NULL)
        return;
    while ((document = TAILQ_FIRST(&documents->under_way)) != NULL)
        free_document(document);
    free(documents);
}
