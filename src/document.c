/* SPDX-License-Identifier: Apache-2.0 */
/* The document of a run as an answer, however large it is. */
#include "document.h"

#include "daemon.h"
#include "http.h"
#include "ids.h"
#include "json.h"
#include "junit.h"
#include "now.h"
#include "replies.h"
#include "status.h"
#include "worker.h"
#include "xalloc.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define STEP_CASES    20   /* of JUnit, with their transcripts, likewise */
#define STEP_ITEMS    100  /* cases and clients that are gathered in a turn: about 1 ms */
#define WRITERS       1    /* threads: one document after the other is soon enough */
#define AT_ONCE       4    /* are gathered or written: each may take many megabytes */
#define DOCUMENTS_MAX 1000 /* those that wait for that, too */

/* One that is being gathered or written. The worker sees `document` and what it makes of
 * it. */
struct document {
    struct job job;                 /* its head */
    struct documents *documents;    /* loop only */
    struct http_exchange *exchange; /* held; NULL once the client left; loop only */
    char run[ID_SIZE];              /* whose; "": the one that people look at */
    bool is_junit;                  /* else JSON or a page */
    struct status_walk *walk;       /* while it is gathered; owned; loop only */
    struct junit_walk *junit;       /* the same for JUnit, until it is written; owned */
    struct status_view view;        /* as of the beginning; loop only */
    struct event *turn;             /* the next step; may be NULL; owned; loop only */
    bool is_begun;                  /* it does not wait; loop only */
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
    size_t begun;                     /* those of them that do not wait */
};

static void begin_next(struct documents *documents);

static void free_document(struct document *document)
{
    struct documents *documents = document->documents;

    TAILQ_REMOVE(&documents->under_way, document, link);
    documents->count--;
    documents->begun -= document->is_begun;
    json_object_put(status_walk_finish(document->walk));
    if (document->junit != NULL)
        free(junit_walk_finish(document->junit, NULL));
    json_object_put(document->document);
    if (document->turn != NULL)
        event_free(document->turn);
    free(document->text);
    free(document);
}

/* --- writing --- */

/* What is kept of a run may be anything, so much for its being an object. */
static void put_asked(struct json_object *document, const struct http_exchange *exchange)
{
    if (json_object_is_type(document, json_type_object))
        json_put(document, "asked", reply_asked(exchange));
}

static void run_document(struct job *job)
{
    struct document *document = (struct document *)job;

    if (document->is_junit) {
        document->text = junit_walk_finish(document->junit, &document->size);
        document->junit = NULL;
    } else if (document->write != NULL) {
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
    struct documents *documents = document->documents;

    if (document->exchange != NULL && job->cancelled)
        http_problem(document->exchange, 503, "the server is stopping");
    else if (document->exchange != NULL && document->is_junit)
        reply_xml_text(document->exchange, document->text, document->size);
    else if (document->exchange != NULL && document->write != NULL)
        reply_page_text(document->exchange, document->text, document->size);
    else if (document->exchange != NULL)
        reply_json_text(document->exchange, document->text, document->size);
    free_document(document);
    begin_next(documents);
}

static void submit(struct document *document)
{
    static const struct job_ops ops = {"document", run_document, done_document};

    document->job.ops = &ops;
    if (document->walk != NULL)
        document->document = status_walk_finish(document->walk);
    document->walk = NULL;
    if (document->write != NULL)
        put_asked(document->document, document->exchange);
    if (job_submit(document->documents->lane, &document->job) != 0)
        job_submit_cancelled(document->documents->lane, &document->job);
}

/* --- gathering --- */

/* Gather some more; gives whether that was all. */
static bool gather_more(struct document *document)
{
    const struct engine *engine = document->documents->daemon->engine;

    return document->is_junit
               ? junit_walk_step(document->junit, engine, STEP_CASES)
               : status_walk_step(document->walk, engine, &document->view, STEP_ITEMS);
}

static void step(struct document *document)
{
    static const struct timeval at_once = {0};
    struct documents *documents = document->documents;

    if (document->exchange == NULL) {
        free_document(document);
        begin_next(documents);
    } else if (gather_more(document)) {
        submit(document);
    } else {
        evtimer_add(document->turn, &at_once);
    }
}

static void turn_cb(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    step(argument);
}

static void begin_walk(struct document *document, const char *run)
{
    const struct daemon *daemon = document->documents->daemon;

    if (document->is_junit)
        document->junit =
            junit_walk_new(daemon->engine, run, daemon->hostname, &document->view.now);
    else
        document->walk = status_walk_new(daemon->engine, run, &document->view);
}

/* Gather what waits, as of now. */
static void begin(struct document *document)
{
    static const struct timeval at_once = {0};
    struct documents *documents = document->documents;
    struct daemon *daemon = documents->daemon;

    document->view = daemon_view(daemon);
    begin_walk(document, *document->run != '\0' ? document->run : NULL);
    if (document->walk == NULL && document->junit == NULL)
        begin_walk(document, NULL); /* its run was forgotten meanwhile */
    document->turn = xcheck(evtimer_new(daemon->base, turn_cb, document));
    document->is_begun = true;
    documents->begun++;
    evtimer_add(document->turn, &at_once);
}

static void begin_next(struct documents *documents)
{
    struct document *document;

    if (documents->begun >= AT_ONCE || documents->daemon->over)
        return;
    TAILQ_FOREACH (document, &documents->under_way, link) {
        if (!document->is_begun) {
            begin(document);
            return;
        }
    }
}

static void gone_cb(void *argument)
{
    struct document *document = argument;

    document->exchange = NULL;
    if (!document->is_begun)
        free_document(document);
}

/* Make one that is answered in a while. NULL, after the answer, if too many ask. */
static struct document *admit(struct documents *documents, struct http_exchange *exchange,
                              document_write *write)
{
    if (documents->count >= DOCUMENTS_MAX) {
        http_add_header(exchange, "Retry-After", "1");
        http_problem(exchange, 503,
                     "too many ask for this at once: ask again in a moment");
        return NULL;
    }
    struct document *document = xcalloc(1, sizeof *document);
    document->documents = documents;
    document->exchange = exchange;
    document->write = write;
    TAILQ_INSERT_TAIL(&documents->under_way, document, link);
    documents->count++;
    http_hold(exchange, gone_cb, document);
    return document;
}

/* Answer with it in a while, or say that too many ask. */
static void gather(struct documents *documents, struct http_exchange *exchange,
                   const char *run, document_write *write, bool is_junit)
{
    struct document *document = admit(documents, exchange, write);

    if (document == NULL)
        return;
    document->is_junit = is_junit;
    if (run != NULL)
        memcpy(document->run, run, ID_SIZE);
    begin_next(documents);
}

void document_reply_page(struct documents *documents, struct http_exchange *exchange,
                         struct json_object *document, document_write *write)
{
    struct document *admitted = admit(documents, exchange, write);

    if (admitted == NULL) {
        json_object_put(document);
        return;
    }
    admitted->document = document;
    admitted->is_begun = true; /* nothing is to be gathered */
    documents->begun++;
    submit(admitted);
}

/* All of it was gathered in one step. Takes the document. */
static void reply_at_once(struct http_exchange *exchange, struct json_object *document,
                          document_write *write)
{
    if (write != NULL) {
        put_asked(document, exchange);
        reply_page(exchange, document, write);
    } else {
        reply_json(exchange, document);
    }
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
    bool whole = status_walk_step(walk, daemon->engine, &view, STEP_ITEMS);
    struct json_object *document = status_walk_finish(walk);
    if (whole) {
        reply_at_once(exchange, document, write);
        return true;
    }
    json_object_put(document);
    gather(documents, exchange, run, write, false);
    return true;
}

bool document_reply_junit(struct documents *documents, struct http_exchange *exchange,
                          const char *run)
{
    const struct daemon *daemon = documents->daemon;
    struct instant moment = now();
    struct junit_walk *walk =
        junit_walk_new(daemon->engine, run, daemon->hostname, &moment);

    if (walk == NULL)
        return false;
    bool whole = junit_walk_step(walk, daemon->engine, STEP_CASES);
    size_t size;
    char *text = junit_walk_finish(walk, &size);
    if (whole)
        reply_xml_text(exchange, text, size);
    else
        gather(documents, exchange, run, NULL, true);
    free(text);
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
