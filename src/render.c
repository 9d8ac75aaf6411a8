/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures. There is one entry for each picture that is kept or being drawn, found by
 * format and graph. Who asks stands in the entry's row until it is drawn; for a picture
 * that is there already, until the next turn of the loop.
 *
 * dot is a program of its own and not libgvc, because it can be stopped when a graph
 * takes too long and gives its memory back.
 */
#include "render.h"

#include "child.h"
#include "hash.h"
#include "worker.h"
#include "xalloc.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define PICTURE_LIMIT (16 * 1024 * 1024)
#define CACHE_ENTRIES 64
#define CACHE_BYTES   (64 * 1024 * 1024)

struct entry;

/* Somebody who waits for a picture. */
struct asker {
    uint64_t ticket;         /* key */
    struct entry *entry;     /* what for */
    render_done *done;       /* to be called once */
    void *arg;               /* for it, borrowed */
    TAILQ_ENTRY(asker) link; /* in the entry's row */
    UT_hash_handle hh;       /* in the renderer's table, by ticket */
};

/* A picture. While it is drawn, it is not in the list of those that are kept. */
struct entry {
    char *key;                  /* a letter for the format, then the graph; owned */
    bool is_drawn;              /* data is there */
    char *data;                 /* the picture, owned */
    size_t size;                /* bytes of it */
    TAILQ_HEAD(, asker) askers; /* who waits, in the order they came; owned */
    TAILQ_ENTRY(entry) link;    /* in the renderer's list, once drawn */
    UT_hash_handle hh;          /* in the renderer's table, by key */
};

struct renderer {
    struct workers *workers;           /* borrowed */
    struct lane *lane;                 /* the pool's */
    char *dot_program;                 /* owned */
    struct renderer_settings settings; /* defaults filled in; dot_program is NULL */
    struct entry *entries;             /* all of them, owned */
    TAILQ_HEAD(, entry) kept;          /* those that are drawn, latest use last */
    size_t kept_count;                 /* how many those are */
    size_t kept_bytes;                 /* of keys and pictures */
    struct asker *askers;              /* all that wait, by ticket */
    uint64_t last_ticket;              /* that was given out */
    struct event *deliver;             /* somebody waits for a picture that is there */
};

/* One run of dot. */
struct drawing {
    struct job job;             /* must be first */
    struct renderer *renderer;  /* for done() only */
    char *key;                  /* of the entry it is for, owned */
    char *dot_program;          /* owned */
    struct child_limits limits; /* of the run */
    char *data;                 /* the picture, owned */
    size_t size;                /* bytes of it */
    char *cause;                /* why there is none, owned */
};

/* --- drawing --- */

static void run_drawing(struct job *job)
{
    struct drawing *drawing = (struct drawing *)job;
    const char *format = drawing->key[0] == 'p' ? "-Tpng" : "-Tsvg";
    const char *const argv[] = {drawing->dot_program, format, NULL};
    const char *graph = drawing->key + 1;

    int result = child_run(argv, graph, strlen(graph), &drawing->limits, &drawing->data,
                           &drawing->size, &drawing->cause);
    assert((result == 0) == (drawing->cause == NULL));
    (void)result;
}

static void drawing_free(struct drawing *drawing)
{
    free(drawing->key);
    free(drawing->dot_program);
    free(drawing->data);
    free(drawing->cause);
    free(drawing);
}

/* --- entries --- */

static struct entry *entry_find(const struct renderer *renderer, const char *key)
{
    struct entry *entry = NULL;

    HASH_FIND_STR(renderer->entries, key, entry);
    return entry;
}

/* Takes the key. */
static struct entry *entry_new(struct renderer *renderer, char *key)
{
    struct entry *entry = xcalloc(1, sizeof *entry);

    entry->key = key;
    TAILQ_INIT(&entry->askers);
    HASH_ADD_KEYPTR(hh, renderer->entries, entry->key, strlen(entry->key), entry);
    return entry;
}

/* Nobody may be waiting for it. */
static void entry_free(struct entry *entry)
{
    assert(TAILQ_EMPTY(&entry->askers));
    free(entry->key);
    free(entry->data);
    free(entry);
}

static size_t entry_bytes(const struct entry *entry)
{
    return entry->size + strlen(entry->key);
}

static void entry_keep(struct renderer *renderer, struct entry *entry)
{
    TAILQ_INSERT_TAIL(&renderer->kept, entry, link);
    renderer->kept_count++;
    renderer->kept_bytes += entry_bytes(entry);
}

static void entry_drop(struct renderer *renderer, struct entry *entry)
{
    TAILQ_REMOVE(&renderer->kept, entry, link);
    renderer->kept_count--;
    renderer->kept_bytes -= entry_bytes(entry);
    HASH_DELETE(hh, renderer->entries, entry);
    entry_free(entry);
}

/* Drop what was not used for longest until the rest is within the limits. What somebody
 * still waits for stays. */
static void cache_trim(struct renderer *renderer)
{
    const struct renderer_settings *settings = &renderer->settings;
    struct entry *entry = TAILQ_FIRST(&renderer->kept), *next;

    for (; entry != NULL; entry = next) {
        if (renderer->kept_count <= settings->cache_entries &&
            renderer->kept_bytes <= settings->cache_bytes)
            break;
        next = TAILQ_NEXT(entry, link);
        if (TAILQ_EMPTY(&entry->askers))
            entry_drop(renderer, entry);
    }
}

/* --- those who ask --- */

static uint64_t asker_new(struct renderer *renderer, struct entry *entry,
                          render_done *done, void *arg)
{
    struct asker *asker = xcalloc(1, sizeof *asker);

    asker->ticket = ++renderer->last_ticket;
    asker->entry = entry;
    asker->done = done;
    asker->arg = arg;
    TAILQ_INSERT_TAIL(&entry->askers, asker, link);
    HASH_ADD(hh, renderer->askers, ticket, sizeof asker->ticket, asker);
    return asker->ticket;
}

static void asker_free(struct renderer *renderer, struct asker *asker)
{
    TAILQ_REMOVE(&asker->entry->askers, asker, link);
    HASH_DELETE(hh, renderer->askers, asker);
    free(asker);
}

/* Give those in the row up to ticket `last` what they wait for. Who comes meanwhile, out
 * of a done(), has a later one: they are left for another turn of the loop. */
static void entry_deliver(struct renderer *renderer, struct entry *entry, uint64_t last,
                          const char *cause)
{
    struct asker *asker;

    while ((asker = TAILQ_FIRST(&entry->askers)) != NULL && asker->ticket <= last) {
        render_done *done = asker->done;
        void *arg = asker->arg;
        asker_free(renderer, asker);
        done(arg, entry->data, entry->size, cause);
    }
}

/* A picture that is there and that somebody up to ticket `last` waits for, or NULL. */
static struct entry *entry_find_ready(const struct renderer *renderer, uint64_t last)
{
    struct entry *entry;

    TAILQ_FOREACH (entry, &renderer->kept, link) {
        struct asker *first = TAILQ_FIRST(&entry->askers);
        if (first != NULL && first->ticket <= last)
            break;
    }
    return entry;
}

static void deliver_cb(evutil_socket_t fd, short what, void *context)
{
    struct renderer *renderer = context;
    uint64_t last = renderer->last_ticket;
    struct entry *entry;

    (void)fd;
    (void)what;
    /* looked up each time: whoever is called may change the order */
    while ((entry = entry_find_ready(renderer, last)) != NULL)
        entry_deliver(renderer, entry, last, NULL);
    cache_trim(renderer);
}

static void done_drawing(struct job *job)
{
    struct drawing *drawing = (struct drawing *)job;
    struct renderer *renderer = drawing->renderer;
    struct entry *entry = entry_find(renderer, drawing->key);

    assert(entry != NULL && !entry->is_drawn);
    if (drawing->job.cancelled)
        cause_set(&drawing->cause, "no picture was drawn: trafficlight is stopping");
    if (drawing->cause == NULL) {
        entry->is_drawn = true;
        entry->data = drawing->data;
        entry->size = drawing->size;
        drawing->data = NULL;
        entry_keep(renderer, entry);
        entry_deliver(renderer, entry, renderer->last_ticket, NULL);
        cache_trim(renderer);
    } else { /* who asks again gets a new try */
        HASH_DELETE(hh, renderer->entries, entry);
        entry_deliver(renderer, entry, renderer->last_ticket, drawing->cause);
        entry_free(entry);
    }
    drawing_free(drawing);
}

/* --- the renderer --- */

struct renderer *renderer_new(struct workers *workers,
                              const struct renderer_settings *settings)
{
    struct renderer *renderer = xcalloc(1, sizeof *renderer);
    struct renderer_settings *own = &renderer->settings;

    renderer->workers = workers;
    renderer->lane =
        workers_add_lane(workers, "render", settings->threads, settings->queue);
    renderer->dot_program = xstrdup(settings->dot_program);
    *own = *settings;
    own->dot_program = NULL;
    own->picture_limit = own->picture_limit > 0 ? own->picture_limit : PICTURE_LIMIT;
    own->cache_entries = own->cache_entries > 0 ? own->cache_entries : CACHE_ENTRIES;
    own->cache_bytes = own->cache_bytes > 0 ? own->cache_bytes : CACHE_BYTES;
    TAILQ_INIT(&renderer->kept);
    renderer->deliver =
        xcheck(event_new(workers_base(workers), -1, 0, deliver_cb, renderer));
    return renderer;
}

static int draw(struct renderer *renderer, const char *key)
{
    static const struct job_ops ops = {"draw a picture", run_drawing, done_drawing};
    struct drawing *drawing = xcalloc(1, sizeof *drawing);

    drawing->job.ops = &ops;
    drawing->renderer = renderer;
    drawing->key = xstrdup(key);
    drawing->dot_program = xstrdup(renderer->dot_program);
    drawing->limits = (struct child_limits){.output = renderer->settings.picture_limit,
                                            .timeout_ms = renderer->settings.timeout_ms,
                                            .workers = renderer->workers};
    int error = job_submit(renderer->lane, &drawing->job);
    if (error != 0)
        drawing_free(drawing);
    return error;
}

int render_picture(struct renderer *renderer, const char *dot_text,
                   enum picture_format format, render_done *done, void *arg,
                   uint64_t *ticket)
{
    char *key = xasprintf("%c%s", format == PICTURE_PNG ? 'p' : 's', dot_text);
    struct entry *entry = entry_find(renderer, key);
    int error = 0;

    if (entry == NULL) {
        error = draw(renderer, key);
        if (error != 0)
            goto out;
        entry = entry_new(renderer, key);
        key = NULL;
    } else if (entry->is_drawn) {
        TAILQ_REMOVE(&renderer->kept, entry, link);
        TAILQ_INSERT_TAIL(&renderer->kept, entry, link);
        event_active(renderer->deliver, EV_TIMEOUT, 0);
    }
    *ticket = asker_new(renderer, entry, done, arg);
out:
    free(key);
    return error;
}

void render_cancel(struct renderer *renderer, uint64_t ticket)
{
    struct asker *asker = NULL;

    HASH_FIND(hh, renderer->askers, &ticket, sizeof ticket, asker);
    if (asker != NULL)
        asker_free(renderer, asker);
}

void renderer_free(struct renderer *renderer)
{
    struct asker *asker, *next_asker;
    struct entry *entry, *next;

    if (renderer == NULL)
        return;
    HASH_ITER (hh, renderer->askers, asker, next_asker)
        asker_free(renderer, asker);
    HASH_ITER (hh, renderer->entries, entry, next) {
        HASH_DELETE(hh, renderer->entries, entry);
        entry_free(entry);
    }
    event_free(renderer->deliver);
    free(renderer->dot_program);
    free(renderer);
}
