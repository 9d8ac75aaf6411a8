/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one way into the engine. A commit may bring thousands of inputs at once, so they
 * stand in line for the engine, which takes some in each turn of the loop: whoever polls
 * meanwhile is answered in between.
 */
#include "inputs.h"

#include "input.h"
#include "journal.h"
#include "json.h"
#include "log.h"
#include "now.h"
#include "run.h"
#include "utf8.h"
#include "xalloc.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define AT_ONCE 64 /* inputs that the engine gets in one turn of the loop */

/* An input on its way. */
struct entry {
    struct inputs *inputs;     /* whose; borrowed */
    struct json_object *input; /* owned */
    struct run *run;           /* that it brings, made already, or NULL; owned */
    struct instant at;         /* when it was taken */
    input_done *done;          /* tells its sender; NULL: nobody wants to know */
    void *argument;            /* for done */
    int64_t number;            /* of the journal; 0: it is not written there */
    char *refusal;             /* why it is not taken, or NULL; owned */
    TAILQ_ENTRY(entry) link;   /* in the line */
};

TAILQ_HEAD(entry_list, entry);

struct inputs {
    struct journal *journal;        /* NULL: there is none; borrowed */
    struct engine *engine;          /* borrowed */
    size_t limit;                   /* bytes that may wait for the journal */
    void (*settled)(void *context); /* after each input */
    void *context;                  /* for settled */
    struct entry_list line; /* whose fate is known, and which waits to be dealt with */
    struct event *turn;     /* deals with the first of the line; owned */
    bool ending;            /* the loop turns no more: nobody stands in line */
    size_t pending;         /* entries that there are */
};

static void free_entry(struct entry *entry)
{
    entry->inputs->pending--;
    free(entry->refusal);
    json_object_put(entry->input);
    run_free(entry->run);
    free(entry);
}

static enum engine_result apply(struct entry *entry, char **cause)
{
    struct engine *engine = entry->inputs->engine;
    struct run *run = entry->run;

    if (run == NULL)
        return input_apply(engine, entry->input, &entry->at, cause);
    entry->run = NULL;
    return engine_add_run(engine, run, &entry->at);
}

/* Give it to the engine, tell its sender. */
static void finish(struct entry *entry)
{
    struct inputs *inputs = entry->inputs;
    char *cause = NULL;
    enum engine_result result = apply(entry, &cause);

    inputs->settled(inputs->context);
    if (entry->done != NULL)
        entry->done(entry->argument, true, entry->number, result, cause);
    else
        free(cause);
    free_entry(entry);
}

static void refuse(struct entry *entry, const char *cause)
{
    if (entry->done != NULL)
        entry->done(entry->argument, false, 0, ENGINE_WRONG_MOMENT, xstrdup(cause));
    free_entry(entry);
}

/* Its fate is known. `refusal`: why it is not taken, or NULL. */
static void stand_in_line(struct entry *entry, const char *refusal)
{
    struct inputs *inputs = entry->inputs;

    entry->refusal = refusal != NULL ? xstrdup(refusal) : NULL;
    if (TAILQ_EMPTY(&inputs->line))
        event_active(inputs->turn, EV_TIMEOUT, 0);
    TAILQ_INSERT_TAIL(&inputs->line, entry, link);
}

static void deal_with_first(struct inputs *inputs)
{
    struct entry *entry = TAILQ_FIRST(&inputs->line);

    TAILQ_REMOVE(&inputs->line, entry, link);
    if (entry->refusal != NULL)
        refuse(entry, entry->refusal);
    else
        finish(entry);
}

static void deal_with_all(struct inputs *inputs)
{
    while (!TAILQ_EMPTY(&inputs->line))
        deal_with_first(inputs);
}

static void written_cb(void *argument, int64_t number, const char *cause)
{
    struct entry *entry = argument;
    struct inputs *inputs = entry->inputs;

    entry->number = number;
    stand_in_line(entry, cause);
    if (inputs->ending)
        deal_with_all(inputs);
}

static void turn_cb(evutil_socket_t fd, short what, void *argument)
{
    static const struct timeval at_once = {0};
    struct inputs *inputs = argument;

    (void)fd, (void)what;
    for (int i = 0; i < AT_ONCE && !TAILQ_EMPTY(&inputs->line); i++)
        deal_with_first(inputs);
    if (!TAILQ_EMPTY(&inputs->line))
        evtimer_add(inputs->turn, &at_once);
}

void inputs_end(struct inputs *inputs)
{
    inputs->ending = true;
    deal_with_all(inputs);
}

struct inputs *inputs_new(struct event_base *base, struct journal *journal,
                          struct engine *engine, size_t limit,
                          void (*settled)(void *context), void *context)
{
    struct inputs *inputs = xcalloc(1, sizeof *inputs);

    inputs->journal = journal;
    inputs->engine = engine;
    inputs->limit = limit;
    inputs->settled = settled;
    inputs->context = context;
    TAILQ_INIT(&inputs->line);
    inputs->turn = xcheck(event_new(base, -1, 0, turn_cb, inputs));
    return inputs;
}

void inputs_free(struct inputs *inputs)
{
    struct entry *entry;

    if (inputs == NULL)
        return;
    while ((entry = TAILQ_FIRST(&inputs->line)) != NULL) {
        TAILQ_REMOVE(&inputs->line, entry, link);
        refuse(entry, "the server is stopping");
    }
    event_free(inputs->turn);
    free(inputs);
}

static struct entry *new_entry(struct inputs *inputs, struct json_object *input,
                               input_done *done, void *argument)
{
    struct entry *entry = xcalloc(1, sizeof *entry);

    entry->inputs = inputs;
    entry->input = input;
    entry->at = now();
    entry->done = done;
    entry->argument = argument;
    inputs->pending++;
    return entry;
}

static void write_down(struct entry *entry, bool keep)
{
    struct inputs *inputs = entry->inputs;
    size_t bytes = 0;

    if (inputs->journal == NULL) {
        stand_in_line(entry, NULL);
        return;
    }
    const char *text = json_text(entry->input);
    if (utf8_valid_length(text, strlen(text)) < strlen(text)) {
        log_error("an input is no UTF-8 text, which is a bug: %.300s", text);
        stand_in_line(entry, "it can't be written down: it is no UTF-8 text");
        return;
    }
    journal_pending(inputs->journal, &bytes);
    if (!keep && bytes > inputs->limit) {
        stand_in_line(entry,
                      "the disk is slower than what comes in: try again in a moment");
        return;
    }
    journal_write(inputs->journal, xstrdup(text), &entry->at,
                  entry->run != NULL ? run_id(entry->run) : NULL, keep, written_cb,
                  entry);
}

void inputs_take(struct inputs *inputs, struct json_object *input, input_done *done,
                 void *argument)
{
    write_down(new_entry(inputs, input, done, argument), false);
}

void inputs_keep(struct inputs *inputs, struct json_object *input, input_done *done,
                 void *argument)
{
    write_down(new_entry(inputs, input, done, argument), true);
}

void inputs_take_run(struct inputs *inputs, struct run *run, struct json_object *plan,
                     bool keep, input_done *done, void *argument)
{
    struct entry *entry = new_entry(inputs, input_add_run(plan), done, argument);

    entry->run = run;
    write_down(entry, keep);
}

size_t inputs_pending(const struct inputs *inputs)
{
    return inputs->pending;
}
