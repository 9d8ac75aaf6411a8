/* SPDX-License-Identifier: Apache-2.0 */
/* What `trafficlight wait` and `trafficlight run` have in common. */
#include "watch.h"

#include "clock.h"
#include "command.h"
#include "json.h"
#include "now.h"
#include "output.h"
#include "progress.h"
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define STATUS_LIMIT    ((size_t)256 << 20) /* bytes of status.json */
#define JUNIT_LIMIT     ((size_t)1 << 30)   /* bytes of junit.xml */
#define JSON_DEPTH      256                 /* of status.json */
#define REQUEST_TIME_MS 30000               /* for one answer */
#define PAUSE_MIN_MS    200                 /* between two looks */
#define PAUSE_MAX_MS    5000                /* the same, where looking takes long */
#define PAUSE_SHARE     10   /* a look that takes 1 is followed by a pause of this */
#define WIDE_COLUMNS    1000 /* of a table that no terminal shows: as wide as it likes */
#define INTERRUPTED     (-1) /* instead of an exit status */
#define BAR_COLUMNS     80   /* of a terminal that does not say how wide it is */

/* What is looked at, and what was seen. */
struct watch {
    const struct watch_wish *wish; /* borrowed */
    bool is_live;                  /* stdout is a terminal */
    char *status_path;             /* where it is; owned */
    char *junit_path;              /* where the report is; owned */
    struct outage outage;          /* of the server, at this moment */
    struct json_object *status;    /* the last that was seen, or NULL; owned */
    struct tally tally;            /* of it */
};

/* --- what a person sees --- */

static size_t terminal_columns(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return BAR_COLUMNS;
}

static void show_progress(const struct watch *watch)
{
    char *line = watch->is_live ? progress_line(&watch->tally, terminal_columns() - 1)
                                : tally_text(&watch->tally);

    if (watch->is_live)
        printf("\r\033[K%s", line);
    else
        printf("%s\n", line);
    fflush(stdout);
    free(line);
}

static void clear_progress(const struct watch *watch)
{
    if (watch->is_live && !watch->wish->quiet) {
        printf("\r\033[K");
        fflush(stdout);
    }
}

static void show_table(const struct watch *watch)
{
    char *line = tally_text(&watch->tally);

    progress_table(watch->status, watch->is_live ? terminal_columns() : WIDE_COLUMNS,
                   stdout);
    printf("%s\n", line);
    free(line);
}

/* --- outages --- */

static int64_t at_most(int64_t value, int64_t limit)
{
    return value < limit ? value : limit;
}

bool outage_endure(struct outage *outage, const struct watch_wish *wish,
                   const char *cause, int64_t pause_ms)
{
    int64_t now_ms = now().mono_ms;

    if (!outage->is_there) {
        *outage = (struct outage){true, now_ms};
        if (wish->patience_ms > 0) {
            char *text = duration_format(wish->patience_ms);
            command_complain(wish->command, "%s; tries again for %s", cause, text);
            free(text);
        }
    }
    int64_t left_ms = outage->since_ms + wish->patience_ms - now_ms;
    if (left_ms <= 0)
        return false;
    server_pause(&wish->server, at_most(pause_ms, left_ms));
    return true;
}

static bool is_stopped(const struct watch *watch)
{
    return server_pause(&watch->wish->server, 0);
}

/* --- looking --- */

/* Ask for a document. Gives 0, 1 where it may go better next time, or -1; with *cause if
 * not 0. */
static int get(const struct watch *watch, const char *path, int64_t timeout_ms,
               struct reply *reply, char **cause)
{
    const struct server *server = &watch->wish->server;
    int code = server_get(server, path, timeout_ms, reply, cause);

    if (code >= 0 && code != 200) {
        char *detail = server_detail(code, reply->body, reply->size);
        cause_set(cause, "%s answered %s with %s", server->name, path, detail);
        free(detail);
    }
    return code == 200 ? 0 : code < 0 || code >= 500 ? 1 : -1;
}

static int read_status(struct watch *watch, const struct reply *reply, char **cause)
{
    struct json_object *status = NULL;
    struct tally before = watch->tally;

    if (reply->size == 0 ||
        json_read(reply->body, reply->size, JSON_DEPTH, &status, cause) < 0 ||
        !tally_read(&watch->tally, status)) {
        cause_set(cause, "%s%s is not the state of a trafficlightd",
                  watch->wish->server.name, watch->status_path);
        json_object_put(status);
        return 1;
    }
    json_object_put(watch->status);
    watch->status = status;
    if (!watch->wish->quiet && !tally_is_equal(&before, &watch->tally))
        show_progress(watch);
    return 0;
}

/* Look once. Gives what get() does. */
static int look(struct watch *watch, int64_t timeout_ms, char **cause)
{
    struct reply reply = {.limit = STATUS_LIMIT};
    int result = get(watch, watch->status_path, timeout_ms, &reply, cause);

    if (result == 0)
        result = read_status(watch, &reply, cause);
    reply_clear(&reply);
    return result;
}

/* Gives what follow() does. */
static int look_once(struct watch *watch, char **cause)
{
    if (look(watch, REQUEST_TIME_MS, cause) != 0)
        return COMMAND_MISUSE;
    return watch->tally.done ? COMMAND_OK : COMMAND_TIMEOUT;
}

/* Look and pause. Gives true if there is no more to do, with what follow() gives. */
static bool follow_once(struct watch *watch, int64_t until_ms, int *status, char **cause)
{
    int64_t start_ms = now().mono_ms;
    int result = look(watch, at_most(until_ms - start_ms, REQUEST_TIME_MS), cause);
    int64_t end_ms = now().mono_ms, pause = PAUSE_SHARE * (end_ms - start_ms);
    bool goes_on = true;

    pause = pause < PAUSE_MIN_MS ? PAUSE_MIN_MS : at_most(pause, PAUSE_MAX_MS);
    pause = at_most(pause, until_ms - end_ms);
    if (is_stopped(watch))
        return false;
    if (result == 0 && watch->tally.done) {
        *status = COMMAND_OK;
        return true;
    }
    if (result == 0) {
        watch->outage.is_there = false;
        server_pause(&watch->wish->server, pause);
    } else if (result > 0 && pause > 0) {
        clear_progress(watch);
        goes_on = outage_endure(&watch->outage, watch->wish, *cause, pause);
    }
    if (result < 0 || !goes_on)
        *status = COMMAND_MISUSE;
    return result < 0 || !goes_on;
}

/* Look until all cases have ended. Gives COMMAND_OK then; COMMAND_TIMEOUT; INTERRUPTED;
 * or COMMAND_MISUSE with *cause. */
static int follow(struct watch *watch, char **cause)
{
    int64_t until_ms = watch->wish->timeout_ms >= 0
                           ? now().mono_ms + watch->wish->timeout_ms
                           : INT64_MAX;
    int status;

    for (;;) {
        if (is_stopped(watch))
            return INTERRUPTED;
        if (now().mono_ms >= until_ms)
            return COMMAND_TIMEOUT;
        free(*cause);
        *cause = NULL;
        if (follow_once(watch, until_ms, &status, cause))
            return status;
    }
}

/* --- the end --- */

static int write_junit(struct watch *watch, char **cause)
{
    struct reply reply = {.limit = JUNIT_LIMIT};
    char *why = NULL;
    int result;

    watch->outage.is_there = false;
    while ((result = get(watch, watch->junit_path, REQUEST_TIME_MS, &reply, &why)) > 0 &&
           !is_stopped(watch) &&
           outage_endure(&watch->outage, watch->wish, why, PAUSE_MIN_MS)) {
        free(why);
        why = NULL;
    }
    if (result == 0)
        result = output_write(watch->wish->junit, reply.body, reply.size, cause);
    else
        cause_set(cause, "%s", why);
    free(why);
    reply_clear(&reply);
    return result == 0 ? 0 : -1;
}

/* What the cases say, once they all have ended. */
static int verdict(const struct watch *watch)
{
    if (watch->tally.cases == 0) {
        command_complain(watch->wish->command, "%s has no cases",
                         watch->wish->server.name);
        return COMMAND_FAILED;
    }
    return watch->tally.success == watch->tally.cases ? COMMAND_OK : COMMAND_FAILED;
}

/* The exit status, from what follow() gave; says what is to be said. */
static int conclude(struct watch *watch, int status, const char *cause)
{
    const char *command = watch->wish->command;

    if (status == COMMAND_OK)
        status = verdict(watch);
    else if (status == COMMAND_MISUSE)
        command_complain(command, "%s", cause);
    else if (status == COMMAND_TIMEOUT)
        command_complain(command, "the time is over: %s",
                         cause != NULL ? cause : "not all cases have ended");
    return status;
}

/* Somebody wants no more. Gives whether it is to be shown how it stands. */
static bool break_off(struct watch *watch)
{
    char *cause = NULL;
    bool shown = watch->wish->interrupted(watch->wish->context);

    if (shown)
        shown = look(watch, REQUEST_TIME_MS, &cause) == 0;
    free(cause);
    return shown;
}

static int watch_on(struct watch *watch)
{
    char *cause = NULL;
    bool shown = true;
    int status =
        watch->wish->timeout_ms == 0 ? look_once(watch, &cause) : follow(watch, &cause);

    clear_progress(watch);
    if (status == INTERRUPTED)
        shown = break_off(watch);
    status = conclude(watch, status, cause);
    shown = shown && watch->status != NULL;
    if (shown && !watch->wish->quiet)
        show_table(watch);
    free(cause);
    cause = NULL;
    if (shown && watch->wish->junit != NULL && status != COMMAND_MISUSE &&
        write_junit(watch, &cause) < 0) {
        command_complain(watch->wish->command, "%s", cause);
        status = status == INTERRUPTED ? status : COMMAND_MISUSE;
    }
    free(cause);
    return status;
}

int watch(const struct watch_wish *wish)
{
    struct watch watch = {.wish = wish, .is_live = isatty(STDOUT_FILENO)};
    const char *run = wish->run;

    watch.status_path =
        run ? xasprintf("/runs/%s/status.json", run) : xstrdup("/status.json");
    watch.junit_path =
        run ? xasprintf("/runs/%s/junit.xml", run) : xstrdup("/status/junit.xml");
    int status = watch_on(&watch);
    json_object_put(watch.status);
    free(watch.status_path);
    free(watch.junit_path);
    return status;
}

/* --- options --- */

struct watch_wish watch_wish_new(const char *command)
{
    struct watch_wish wish = {
        .command = command, .timeout_ms = -1, .patience_ms = COMMAND_PATIENCE_MS};

    if (server_parse(&wish.server, COMMAND_URL, NULL) < 0)
        abort();
    return wish;
}

int watch_option(struct watch_wish *wish, int option, const char *text, char **cause)
{
    switch (option) {
    case 'u':
        server_clear(&wish->server);
        return server_parse(&wish->server, text, cause);
    case 'j':
        wish->junit = text;
        return 0;
    case 't':
        return duration_parse(text, &wish->timeout_ms, cause);
    case WATCH_OPTION_PATIENCE:
        return duration_parse(text, &wish->patience_ms, cause);
    case 'q':
        wish->quiet = true;
        return 0;
    default:
        wish->help = true;
        return 0;
    }
}
