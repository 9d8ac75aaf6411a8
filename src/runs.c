/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runs of the server. A run that is asked for is made by a worker and becomes an
 * input; when it may begin, that is one, too. Runs that have ended are put away by
 * src/keeping.c.
 */
#include "runs.h"

#include "body.h"
#include "daemon.h"
#include "ending.h"
#include "history_api.h"
#include "ids.h"
#include "input.h"
#include "inputs.h"
#include "json.h"
#include "keeping.h"
#include "log.h"
#include "origin.h"
#include "planning.h"
#include "replies.h"
#include "run.h"
#include "status.h"
#include "utf8.h"
#include "worker.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define LABEL_CHARS  200   /* of a run's label */
#define GLOBS_MAX    1000  /* of a run's `only` */
#define GLOB_CHARS   300   /* of one of them: some patterns take very long */
#define REPEAT_MAX   10000 /* as [tests] repeat */
#define WHO_CHARS    100   /* of who says that something is to be cancelled */
#define MISTAKES_MAX 20    /* told to who asks for a run; the log has all */

struct runs {
    struct daemon *daemon;   /* borrowed */
    struct lane *lane;       /* reads definitions; of the pool; borrowed */
    size_t coming;           /* runs that are being made or written down */
    char beginning[ID_SIZE]; /* the run whose beginning is under way as an input, or "" */
};

/* --- what is wrong with definitions --- */

static void log_mistakes(const struct mistakes *mistakes)
{
    for (size_t i = 0; i < mistakes_count(mistakes); i++) {
        bool is_error;
        const char *text = mistakes_text(mistakes, i, &is_error);
        if (is_error)
            log_error("%s", text);
        else
            log_warning("%s", text);
    }
}

/* The first ones, one a line; "" if there is none. Owned. */
static char *list_mistakes(const struct mistakes *mistakes)
{
    char *list = xstrdup("");

    for (size_t i = 0, told = 0; i < mistakes_count(mistakes) && told < MISTAKES_MAX;
         i++) {
        bool is_error;
        const char *text = mistakes_text(mistakes, i, &is_error);
        if (!is_error)
            continue;
        char *longer = xasprintf("%s\n%s", list, text);
        free(list);
        list = longer;
        told++;
    }
    return list;
}

/* --- the first run --- */

static void first_taken(void *argument, bool written, int64_t number,
                        enum engine_result result, char *cause)
{
    struct runs *runs = argument;

    (void)number, (void)result;
    if (!written)
        log_error("no run begins: %s", cause);
    runs->coming--;
    free(cause);
    ending_settle(runs->daemon->ending);
}

bool runs_are_coming(const struct runs *runs)
{
    return runs->coming > 0;
}

bool runs_start_first(struct runs *runs)
{
    struct daemon *daemon = runs->daemon;
    struct planning_wish wish = {NULL, NULL, 0};
    struct json_object *plan = planning_begin(&daemon->config, &wish);
    struct mistakes *mistakes = mistakes_new();
    size_t files = 0;
    struct run *run = planning_finish(plan, &files, mistakes);
    bool good = mistakes_errors(mistakes) == 0;

    log_mistakes(mistakes);
    if (!good)
        daemon->exit_status =
            EXIT_FAILURE; /* with --once: a test that can't run did not succeed */
    log_info("read %zu test files: %zu cases", files, run_case_count(run));
    if (run_case_count(run) == 0)
        log_error(
            "there is no case to run: look at [tests] path, and at `trafficlight check`");
    if (run_is_cut(run)) {
        log_error("no run begins: it would have more cases than [limits] cases allows");
        run_free(run);
        good = true; /* who asks for a smaller one is served */
    } else if (!good && daemon->config.strict == CONFIG_YES) {
        log_error("[tests] strict = yes: mend the definitions, or say strict = no");
        run_free(run);
    } else {
        runs->coming++;
        inputs_take_run(daemon->inputs, run, plan, true, first_taken, runs);
        good = true;
    }
    mistakes_free(mistakes);
    json_object_put(plan);
    return good;
}

/* --- the next run --- */

static void begun(void *argument, bool written, int64_t number, enum engine_result result,
                  char *cause)
{
    struct runs *runs = argument;

    (void)result;
    free(cause);
    if (!written)
        return; /* the process ends: the next one begins it */
    keeping_note_beginning(runs->daemon->keeping, runs->beginning, number);
    runs->beginning[0] = '\0';
    daemon_settle(runs->daemon);
}

void runs_settle(struct runs *runs)
{
    const char *next = engine_next_run(runs->daemon->engine);

    if (next == NULL || runs->beginning[0] != '\0' || runs->daemon->stopping)
        return;
    memcpy(runs->beginning, next, ID_SIZE);
    inputs_keep(runs->daemon->inputs, input_begin_run(next, NULL), begun, runs);
}

/* --- POST /runs --- */

/* A run that somebody asked for, on its way. The worker sees the plan, and what it makes
 * of it. */
struct wish {
    struct job job;                 /* its head */
    struct runs *runs;              /* loop only */
    struct http_exchange *exchange; /* held; NULL once the client left; loop only */
    struct json_object *plan;       /* owned */
    struct mistakes *mistakes;      /* in its sources; owned */
    struct run *run;                /* what was made of it; owned */
    bool strict;                    /* one mistake is enough to refuse it */
};

static void free_wish(struct wish *wish)
{
    wish->runs->coming--;
    if (wish->mistakes != NULL)
        mistakes_free(wish->mistakes);
    run_free(wish->run);
    json_object_put(wish->plan);
    free(wish);
}

static void run_wish(struct job *job)
{
    struct wish *wish = (struct wish *)job;
    size_t files;

    wish->mistakes = mistakes_new();
    wish->run = planning_finish(wish->plan, &files, wish->mistakes);
}

/* What is wrong with definitions that are left out: who asked is to hear of it. Owned. */
static struct json_object *mistakes_json(const struct mistakes *mistakes)
{
    struct json_object *list = json_new_array();
    size_t told = 0;

    for (size_t i = 0; i < mistakes_count(mistakes) && told < MISTAKES_MAX; i++) {
        bool is_error;
        const char *text = mistakes_text(mistakes, i, &is_error);
        if (!is_error)
            continue;
        json_append(list, json_new_text(text));
        told++;
    }
    return list;
}

static void reply_created(struct wish *wish)
{
    const struct daemon *daemon = wish->runs->daemon;
    const char *id = json_member_text(wish->plan, "id");
    char *location = xasprintf("/runs/%s/status", id);

    if (reply_wants_page(wish->exchange)) {
        reply_see_other(wish->exchange, location);
        free(location);
        return;
    }
    struct json_object *head = status_run_head(daemon->engine, id);
    bool next = engine_next_run(daemon->engine) != NULL &&
                strcmp(engine_next_run(daemon->engine), id) == 0;

    json_put(head, "cases",
             json_object_get(json_member(json_member(head, "totals"), "cases")));
    json_put(head, "mistakes", mistakes_json(wish->mistakes));
    if (next) /* it begins with the next input, which is under way */
        json_put_text(head, "state", "running");
    const char *text = json_text(head);
    http_add_header(wish->exchange, "Location", location);
    http_reply(wish->exchange, 201, "application/json", text, strlen(text));
    json_object_put(head);
    free(location);
}

static void wish_taken(void *argument, bool written, int64_t number,
                       enum engine_result result, char *cause)
{
    struct wish *wish = argument;

    (void)number;
    if (written && result == ENGINE_OK)
        log_info("run %s was asked for", json_member_text(wish->plan, "id"));
    if (wish->exchange != NULL && !written) {
        http_add_header(wish->exchange, "Retry-After", "5");
        http_problem(wish->exchange, 503, "%s", cause);
    } else if (wish->exchange != NULL && result != ENGINE_OK) {
        http_problem(wish->exchange, 500, "the run's id is another one's already");
    } else if (wish->exchange != NULL) {
        reply_created(wish);
    }
    free(cause);
    free_wish(wish);
}

/* Why the run that was made can't be led; owned, NULL if it can. */
static char *objection(const struct wish *wish)
{
    bool refused =
        run_is_cut(wish->run) || (mistakes_errors(wish->mistakes) > 0 &&
                                  (wish->strict || run_case_count(wish->run) == 0));
    char *list = list_mistakes(wish->mistakes);
    char *why = NULL;

    if (refused)
        why = xasprintf("the definitions have mistakes:%s", list);
    else if (run_case_count(wish->run) == 0)
        why = xstrdup(
            "no case fits: `only` takes globs on folder.Name or folder.Name/case, "
            "as in \"chat.*\"; /status lists the tests of the latest run");
    free(list);
    return why;
}

static void done_wish(struct job *job)
{
    struct wish *wish = (struct wish *)job;
    struct run *run = wish->run;
    char *why = job->cancelled ? NULL : objection(wish);

    if (!job->cancelled)
        log_mistakes(wish->mistakes);
    if (!job->cancelled && why == NULL && wish->exchange != NULL) {
        wish->run = NULL;
        inputs_take_run(wish->runs->daemon->inputs, run, wish->plan, false, wish_taken,
                        wish);
        return;
    }
    if (wish->exchange != NULL)
        http_problem(wish->exchange, why != NULL ? 422 : 503, "%s",
                     why != NULL ? why : "the server is stopping");
    free(why);
    free_wish(wish);
}

static void wish_gone_cb(void *argument)
{
    ((struct wish *)argument)->exchange = NULL;
}

/* The globs of `only`, where a text alone counts as one; owned. NULL: there are none, or
 * *good is false. */
static struct json_object *read_globs(struct json_object *given, bool *good)
{
    struct json_object *globs = json_new_array();
    bool is_array = json_object_is_type(given, json_type_array);
    size_t count = is_array ? json_object_array_length(given) : 0;

    *good = given == NULL || is_array || json_is_text(given);
    if (json_is_text(given))
        json_append(globs, json_object_get(given));
    *good =
        *good && count <= GLOBS_MAX &&
        (!json_is_text(given) || utf8_count(json_object_get_string(given)) <= GLOB_CHARS);
    for (size_t i = 0; *good && i < count; i++) {
        struct json_object *glob = json_object_array_get_idx(given, i);
        *good =
            json_is_text(glob) && utf8_count(json_object_get_string(glob)) <= GLOB_CHARS;
        json_append(globs, json_object_get(glob));
    }
    if (*good && json_object_array_length(globs) > 0)
        return globs;
    json_object_put(globs);
    return NULL;
}

/* A number, or the text of one, as forms have it; 0 where none is given. */
static bool read_repeat(struct json_object *given, size_t *repeat)
{
    const char *text = given != NULL ? json_object_get_string(given) : "0";
    char *end;
    long number = strtol(text, &end, 10);
    bool is_number = json_object_is_type(given, json_type_int) || json_is_text(given);

    *repeat = (size_t)number;
    return given == NULL ||
           (is_number && *end == '\0' && number >= 1 && number <= REPEAT_MAX);
}

/* What the body asks for; false, and the exchange has been answered. */
static bool read_wish(struct http_exchange *exchange, struct json_object *body,
                      struct planning_wish *wish)
{
    struct json_object *label = json_member(body, "label");
    bool good;

    wish->label = json_member_text(body, "label");
    wish->only = read_globs(json_member(body, "only"), &good);
    if (!good)
        http_problem(exchange, 400,
                     "\"only\" is a list of globs, as in {\"only\": [\"chat.*\"]}, of at "
                     "most %d, with at most %d characters each",
                     GLOBS_MAX, GLOB_CHARS);
    else if (!(good = read_repeat(json_member(body, "repeat"), &wish->repeat)))
        http_problem(exchange, 400, "\"repeat\" is a whole number from 1 to %d",
                     REPEAT_MAX);
    else if (!(good = label == NULL ||
                      (wish->label != NULL && utf8_count(wish->label) <= LABEL_CHARS)))
        http_problem(exchange, 400, "\"label\" is a text of at most %d characters",
                     LABEL_CHARS);
    return good;
}

static void submit_wish(struct runs *runs, struct http_exchange *exchange,
                        struct json_object *plan)
{
    static const struct job_ops ops = {"run", run_wish, done_wish};
    struct wish *wish = xcalloc(1, sizeof *wish);

    wish->job.ops = &ops;
    wish->runs = runs;
    wish->exchange = exchange;
    wish->plan = plan;
    wish->strict = runs->daemon->config.strict == CONFIG_YES;
    runs->coming++;
    http_hold(exchange, wish_gone_cb, wish);
    if (job_submit(runs->lane, &wish->job) != 0)
        job_submit_cancelled(runs->lane, &wish->job);
}

/* Whether there is room for another run; else the exchange has been answered. */
static bool has_room(struct http_exchange *exchange, const struct daemon *daemon)
{
    size_t limit = daemon->config.limits.runs;
    size_t count = engine_run_count(daemon->engine) + daemon->runs->coming;

    if (!daemon->stopping && !daemon->saying && count < limit)
        return true;
    http_add_header(exchange, "Retry-After", "60");
    if (daemon->stopping || daemon->saying)
        http_problem(exchange, 503, "the server is stopping");
    else
        http_problem(
            exchange, 503,
            "there are %zu runs already, which is the limit ([limits] runs): ask again "
            "when one has ended and its clients had time to upload what they have",
            count);
    return false;
}

void runs_create(struct http_exchange *exchange, void *context)
{
    struct daemon *daemon = context;
    struct planning_wish wish = {NULL, NULL, 0};
    struct json_object *body =
        origin_is_ours(exchange)
            ? body_read_object(exchange, (int)daemon->config.limits.json_depth)
            : NULL;

    if (body == NULL)
        return;
    if (!has_room(exchange, daemon))
        ; /* it has been answered */
    else if (read_wish(exchange, body, &wish))
        submit_wish(daemon->runs, exchange, planning_begin(&daemon->config, &wish));
    json_object_put(wish.only);
    json_object_put(body);
}

/* --- cancelling --- */

/* Whoever waits for it. */
struct cancelling {
    struct http_exchange *exchange; /* NULL once the client left */
    char *page;                     /* of what is cancelled; owned */
};

static void cancelling_gone_cb(void *argument)
{
    ((struct cancelling *)argument)->exchange = NULL;
}

static void cancelled(void *argument, bool written, int64_t number,
                      enum engine_result result, char *cause)
{
    struct cancelling *cancelling = argument;

    (void)number;
    if (cancelling->exchange == NULL)
        ; /* nobody waits for it any more */
    else if (!written)
        http_problem(cancelling->exchange, 503, "%s", cause);
    else if (result == ENGINE_OK && reply_wants_page(cancelling->exchange))
        reply_see_other(cancelling->exchange, cancelling->page);
    else if (result == ENGINE_OK)
        http_reply_json(cancelling->exchange, "{}");
    else
        http_problem(cancelling->exchange, result == ENGINE_UNKNOWN ? 404 : 409, "%s",
                     cause);
    free(cause);
    free(cancelling->page);
    free(cancelling);
}

/* "by jenkins (127.0.0.1)": who the body says it is, and where it came from. Owned. */
static char *read_who(const struct http_exchange *exchange, struct json_object *body)
{
    const char *by = json_member_text(body, "by");
    char *name = by != NULL && *by != '\0' ? utf8_shorten(by, WHO_CHARS) : NULL;
    char *who = name != NULL ? xasprintf("by %s (%s)", name, http_peer(exchange))
                             : xasprintf("by %s", http_peer(exchange));

    free(name);
    return who;
}

/* What the engine has forgotten had ended. */
static void refuse_kept(struct http_exchange *exchange, struct daemon *daemon,
                        struct json_object *document)
{
    (void)daemon;
    json_object_put(document);
    http_problem(exchange, 409, "it has ended already: there is nothing to be cancelled");
}

/* Whether it has the form of the ids that are made here. */
static bool is_id(const char *text)
{
    return strlen(text) == ID_SIZE - 1 &&
           strspn(text, "0123456789abcdef-") == ID_SIZE - 1;
}

/* What can be cancelled. */
struct cancellable {
    const char *what;           /* for people */
    const char *folder;         /* its page is <folder>/<id>/status */
    enum history_document kept; /* what stays of it */
    struct json_object *(*make)(const char *id, const char *who); /* the input */
};

static void cancel(struct http_exchange *exchange, struct daemon *daemon, bool is_known,
                   const struct cancellable *kind)
{
    const char *id = http_parameter(exchange, "id");
    struct json_object *body =
        origin_is_ours(exchange)
            ? body_read_object(exchange, (int)daemon->config.limits.json_depth)
            : NULL;

    if (body == NULL)
        return;
    if (id == NULL || !is_id(id)) {
        reply_missing(exchange, kind->what);
    } else if (!is_known) {
        history_answer(exchange, daemon, kind->kept, id, kind->what, refuse_kept);
    } else {
        struct cancelling *cancelling = xcalloc(1, sizeof *cancelling);
        char *who = read_who(exchange, body);
        cancelling->exchange = exchange;
        cancelling->page = xasprintf("/%s/%s/status", kind->folder, id);
        http_await(exchange, cancelling_gone_cb, cancelling);
        inputs_take(daemon->inputs, kind->make(id, who), cancelled, cancelling);
        free(who);
    }
    json_object_put(body);
}

void runs_cancel(struct http_exchange *exchange, void *context)
{
    static const struct cancellable kind = {"run", "runs", HISTORY_STATUS,
                                            input_cancel_run};
    struct daemon *daemon = context;
    const char *id = http_parameter(exchange, "id");
    bool is_known =
        id != NULL && (engine_run_standing(daemon->engine, id) != RUN_IS_UNKNOWN ||
                       inputs_pending(daemon->inputs) > 0);

    cancel(exchange, daemon, is_known, &kind);
}

void runs_cancel_case(struct http_exchange *exchange, void *context)
{
    static const struct cancellable kind = {"case", "status", HISTORY_CASE,
                                            input_cancel_case};
    struct daemon *daemon = context;
    const char *id = http_parameter(exchange, "id");

    cancel(exchange, daemon, id != NULL && engine_knows_case(daemon->engine, id), &kind);
}

/* --- the room --- */

struct runs *runs_new(struct daemon *daemon)
{
    struct runs *runs = xcalloc(1, sizeof *runs);

    runs->daemon = daemon;
    runs->lane = workers_add_lane(daemon->workers, "definitions", 1, 100);
    return runs;
}

void runs_free(struct runs *runs)
{
    free(runs);
}
