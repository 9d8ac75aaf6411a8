/* SPDX-License-Identifier: Apache-2.0 */
/* trafficlight run: asks a server for a run, and follows it until it has ended. */
#include "command.h"
#include "json.h"
#include "now.h"
#include "watch.h"
#include "xalloc.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_LIMIT    ((size_t)1 << 20) /* bytes of an answer */
#define JSON_DEPTH      32                /* of an answer */
#define REQUEST_TIME_MS 60000             /* for one answer: definitions are read first */
#define PAUSE_MS        500               /* before it is asked for again */
#define REPEAT_MAX      10000             /* as the server has it */

/* What was asked for, and what came of it. */
struct errand {
    struct watch_wish wish;     /* how the run is followed; owns the server */
    struct json_object *plan;   /* the body of POST /runs; owned */
    struct json_object *answer; /* to it, or NULL; owned */
    bool cancels;               /* an interrupt ends the run, too */
    int caught;                 /* the signal that interrupted, or 0 */
};

static const char help_text[] =
    "Usage: trafficlight run [--url URL] [--only GLOB]... [--label TEXT] [--repeat N]\n"
    "           [OPTION]...\n"
    "\n"
    "Asks a server for a run of its tests, which it reads anew, and shows how it gets "
    "on\n"
    "until all cases of the run have ended. It begins when those before it have ended.\n"
    "Ends with 0 if all cases succeeded and no definition had to be left out for a\n"
    "mistake in it, with 1 if not, with 2 if the server can't be\n"
    "reached or does not take the run, with 3 when the time is over.\n"
    "\n"
    "  -o, --only GLOB      only the cases that fit folder.Name or folder.Name/case;\n"
    "                       repeatable (what the server's configuration says)\n"
    "  -l, --label TEXT     what the run is called\n"
    "      --repeat N       each case so often (what the configuration says)\n"
    "      --cancel-on-interrupt\n"
    "                       SIGINT (Ctrl-C) and SIGTERM cancel the run; without it the\n"
    "                       run goes on\n" WATCH_HELP;

/* --- options --- */

enum { OPTION_REPEAT = WATCH_OPTION_NEXT, OPTION_CANCEL };

static const struct option options[] = {
    WATCH_OPTIONS,
    {"only", required_argument, NULL, 'o'},
    {"label", required_argument, NULL, 'l'},
    {"repeat", required_argument, NULL, OPTION_REPEAT},
    {"cancel-on-interrupt", no_argument, NULL, OPTION_CANCEL},
    {NULL, 0, NULL, 0},
};

static void add_glob(struct errand *errand, const char *glob)
{
    struct json_object *globs = json_member(errand->plan, "only");

    if (globs == NULL) {
        globs = json_new_array();
        json_put(errand->plan, "only", globs);
    }
    json_append(globs, json_new_text(glob));
}

static int read_option(struct errand *errand, int option, const char *text, char **cause)
{
    size_t repeat;

    switch (option) {
    case 'o':
        add_glob(errand, text);
        return 0;
    case 'l':
        json_put_text(errand->plan, "label", text);
        return 0;
    case OPTION_REPEAT:
        if (command_read_count(text, 1, REPEAT_MAX, &repeat, cause) < 0)
            return -1;
        json_put_int(errand->plan, "repeat", (int64_t)repeat);
        return 0;
    case OPTION_CANCEL:
        errand->cancels = true;
        return 0;
    default:
        return watch_option(&errand->wish, option, text, cause);
    }
}

/* Gives COMMAND_OK, or COMMAND_MISUSE after it was said what is wrong. */
static int read_options(struct errand *errand, int argc, char **argv)
{
    char *cause = NULL;
    int option, index = -1, status = COMMAND_OK;

    while (status == COMMAND_OK &&
           (option = getopt_long(argc, argv, WATCH_SHORT_OPTIONS "o:l:", options,
                                 &index)) != -1) {
        if (option == '?')
            status = command_misuse(argv[0], NULL);
        else if (read_option(errand, option, optarg, &cause) < 0)
            status = command_misuse_of(argv[0], options, index, option, cause);
        index = -1;
    }
    if (status == COMMAND_OK && !errand->wish.help && optind < argc)
        status = command_misuse(
            argv[0], "what is \"%s\"? For only some tests: --only GLOB", argv[optind]);
    free(cause);
    return status;
}

/* --- asking --- */

/* What the server answered; gives -1 with *cause if it is no run. */
static int read_answer(struct errand *errand, const struct reply *reply, char **cause)
{
    struct json_object *answer = NULL;

    if (reply->size > 0 &&
        json_read(reply->body, reply->size, JSON_DEPTH, &answer, cause) == 0 &&
        json_object_is_type(answer, json_type_object) &&
        json_member_text(answer, "id") != NULL) {
        errand->answer = answer;
        errand->wish.run = json_member_text(answer, "id");
        return 0;
    }
    cause_set(cause, "%s/runs is not that of a trafficlightd", errand->wish.server.name);
    json_object_put(answer);
    return -1;
}

/* Ask once. Gives 0, 1 where it may go better next time, or -1; with *cause if not 0. */
static int ask_once(struct errand *errand, char **cause)
{
    const struct server *server = &errand->wish.server;
    struct reply reply = {.limit = ANSWER_LIMIT};
    int code = server_post(server, "/runs", json_text(errand->plan), REQUEST_TIME_MS,
                           &reply, cause);
    int result = code == SERVER_NOT_ASKED || code == 503 ? 1 : -1;

    if (code == 201) {
        result = read_answer(errand, &reply, cause);
    } else if (code == SERVER_NO_ANSWER) {
        char *why = *cause;
        *cause =
            xasprintf("%s; the run may have been taken all the same: %s/runs lists all",
                      why, server->name);
        free(why);
    } else if (code >= 0) {
        char *detail = server_detail(code, reply.body, reply.size);
        cause_set(cause, "%s does not take the run: %s", server->name, detail);
        free(detail);
    }
    reply_clear(&reply);
    return result;
}

/* Ask until there is an answer. Gives COMMAND_OK with errand->answer; COMMAND_MISUSE or
 * COMMAND_TIMEOUT after it was said why; -1: interrupted. */
static int ask(struct errand *errand, int64_t until_ms)
{
    const struct watch_wish *wish = &errand->wish;
    struct outage outage = {0};
    char *cause = NULL;
    int status = COMMAND_MISUSE, result;

    while ((result = ask_once(errand, &cause)) > 0 && !server_pause(&wish->server, 0) &&
           now().mono_ms < until_ms && outage_endure(&outage, wish, cause, PAUSE_MS)) {
        free(cause);
        cause = NULL;
    }
    if (result == 0) {
        status = COMMAND_OK;
    } else if (server_pause(&wish->server, 0)) {
        status = -1;
    } else if (result > 0 && now().mono_ms >= until_ms) {
        command_complain(wish->command, "the time is over: %s", cause);
        status = COMMAND_TIMEOUT;
    } else {
        command_complain(wish->command, "%s", cause);
    }
    free(cause);
    return status;
}

/* --- interrupts --- */

/* How a person who can't do it from here cancels the run. */
static void say_how_to_cancel(const struct errand *errand)
{
    const struct server *server = &errand->wish.server;
    char *socket = server->socket != NULL
                       ? xasprintf("--unix-socket '%s' ", server->socket)
                       : xstrdup("");

    command_complain(errand->wish.command,
                     "run %s goes on; to cancel it: curl %s-X POST '%s/runs/%s/cancel'",
                     errand->wish.run, socket, server->base, errand->wish.run);
    free(socket);
}

static bool cancel(const struct errand *errand)
{
    const struct server *server = &errand->wish.server;
    struct reply reply = {.limit = ANSWER_LIMIT};
    char *path = xasprintf("/runs/%s/cancel", errand->wish.run), *cause = NULL;
    int code = server_post(server, path, "{\"by\": \"trafficlight run\"}",
                           REQUEST_TIME_MS, &reply, &cause);

    if (code >= 0 && code != 200)
        cause = server_detail(code, reply.body, reply.size);
    if (code == 200)
        command_complain(errand->wish.command, "run %s is cancelled", errand->wish.run);
    else
        command_complain(errand->wish.command, "run %s can't be cancelled: %s",
                         errand->wish.run, cause);
    free(cause);
    free(path);
    reply_clear(&reply);
    return code == 200;
}

/* See watch_wish. A second signal ends the process. */
static bool interrupted(void *context)
{
    struct errand *errand = context;

    errand->caught = command_caught_signal(errand->wish.server.stop_fd);
    errand->wish.server.stop_fd = -1;
    if (errand->cancels)
        return cancel(errand);
    say_how_to_cancel(errand);
    return false;
}

/* --- running --- */

static void show_answer(const struct errand *errand)
{
    const struct server *server = &errand->wish.server;
    int64_t cases = json_object_get_int64(json_member(errand->answer, "cases"));
    const char *state = json_member_text(errand->answer, "state");

    printf("run %s: %lld %s, %s", errand->wish.run, (long long)cases,
           cases == 1 ? "case" : "cases", state != NULL ? state : "");
    if (server->socket == NULL)
        printf(": %s/runs/%s/status", server->name, errand->wish.run);
    printf("\n");
    fflush(stdout);
}

/* Tell which definitions the run is without; gives how many. */
static size_t show_mistakes(const struct errand *errand)
{
    struct json_object *mistakes = json_member(errand->answer, "mistakes");
    size_t count = json_object_is_type(mistakes, json_type_array)
                       ? json_object_array_length(mistakes)
                       : 0;

    for (size_t i = 0; i < count; i++)
        fprintf(stderr, "left out: %s\n",
                json_object_get_string(json_object_array_get_idx(mistakes, i)));
    return count;
}

static int run(struct errand *errand)
{
    int64_t timeout_ms = errand->wish.timeout_ms, begun_ms = now().mono_ms;
    int stop_fd = command_catch_signals();

    errand->wish.server.stop_fd = stop_fd;
    int status = ask(errand, timeout_ms > 0 ? begun_ms + timeout_ms : INT64_MAX);
    if (status == COMMAND_OK) {
        show_answer(errand);
        bool whole = show_mistakes(errand) == 0;
        int64_t left_ms = timeout_ms - (now().mono_ms - begun_ms);
        if (timeout_ms > 0) /* 0 and never stay what they are */
            errand->wish.timeout_ms = left_ms > 0 ? left_ms : 0;
        status = watch(&errand->wish);
        if (status == COMMAND_OK && !whole)
            status = COMMAND_FAILED; /* what could not be read did not succeed */
    }
    if (status < 0) {
        int caught = errand->caught ? errand->caught : command_caught_signal(stop_fd);
        status = 128 + caught; /* as shells say it */
    }
    if (stop_fd >= 0)
        close(stop_fd);
    return status;
}

int command_run(int argc, char **argv)
{
    struct errand errand = {.wish = watch_wish_new(argv[0]), .plan = json_new_object()};
    int status;

    curl_global_init(CURL_GLOBAL_DEFAULT);
    errand.wish.interrupted = interrupted;
    errand.wish.context = &errand;
    status = read_options(&errand, argc, argv);
    if (status == COMMAND_OK && errand.wish.help)
        fputs(help_text, stdout);
    else if (status == COMMAND_OK)
        status = run(&errand);
    json_object_put(errand.answer);
    json_object_put(errand.plan);
    server_clear(&errand.wish.server);
    curl_global_cleanup();
    return status;
}
