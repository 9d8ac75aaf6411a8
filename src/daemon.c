/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's rooms, held together: made, started, and put away in the right order. */
#include "daemon.h"

#include "autoconf.h"
#include "document.h"
#include "ending.h"
#include "events.h"
#include "expected.h"
#include "fetch.h"
#include "history.h"
#include "homerunner.h"
#include "http.h"
#include "httpstep.h"
#include "inputs.h"
#include "journal.h"
#include "json.h"
#include "keeping.h"
#include "listen.h"
#include "now.h"
#include "presence.h"
#include "reload.h"
#include "render.h"
#include "replies.h"
#include "restart.h"
#include "routes.h"
#include "runs.h"
#include "status_api.h"
#include "suites.h"
#include "supervisor.h"
#include "upload.h"
#include "wiring.h"
#include "worker.h"
#include "xalloc.h"

#include <event2/event.h>
#include <event2/thread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define BEGIN_MS          5000  /* at the start: how long the first inputs have */
#define JOBS_END_MS       3000  /* at the very end: libcurl looks up once a second */
#define SPARE_DESCRIPTORS 100   /* not for connections: logs, workers, pipes to dot */
#define HTTP_STEP_MS      30000 /* for an http step that names no time-out */
#define DRAW_MS           30000 /* for one picture */
#define UPLOADS_IN_MEMORY 2     /* of the largest size; see src/http_room.c */
#define GATHER_MS         200   /* of changes, for who follows them */
#define DAY_MS            (INT64_C(24) * 3600 * 1000)
#define INPUTS_IN_MEMORY  ((size_t)64 * 1024 * 1024) /* bytes that wait for the disk */

/* --- the loop --- */

static void engine_timer_cb(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    wiring_tell_time(argument);
}

void daemon_settle(struct daemon *daemon)
{
    int64_t deadline = engine_deadline(daemon->engine);
    int64_t ms = deadline - now().mono_ms;
    struct timeval time = {0};

    if (ms > 0)
        time = (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    if (deadline == INT64_MAX)
        evtimer_del(daemon->engine_timer);
    else
        evtimer_add(daemon->engine_timer, &time);
    runs_settle(daemon->runs);
    ending_settle(daemon->ending);
    supervisor_changed(daemon->supervisor);
}

static void settled(void *context)
{
    daemon_settle(context);
}

/* While a time-out runs, a restart must know how far it came. */
static void second_cb(evutil_socket_t fd, short what, void *argument)
{
    struct daemon *daemon = argument;
    struct instant moment = now();

    (void)fd, (void)what;
    if (daemon->journal != NULL && engine_deadline(daemon->engine) != INT64_MAX)
        journal_alive(daemon->journal, &moment);
    keeping_look(daemon->keeping);
}

struct status_view daemon_view(const struct daemon *daemon)
{
    return (struct status_view){
        .version = PACKAGE_VERSION,
        .now = now(),
        .last_polled = wiring_last_polled,
        .expected = wiring_expected,
        .context = (void *)daemon,
    };
}

static void make_loop(struct daemon *daemon)
{
    struct event_config *config = xcheck(event_config_new());
    struct timeval second = {.tv_sec = 1};

    signal(SIGHUP, SIG_IGN); /* until there is something to be read anew */
    evthread_use_pthreads();
    event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
    daemon->base = xcheck(event_base_new_with_config(config));
    event_config_free(config);
    daemon->engine_timer = xcheck(evtimer_new(daemon->base, engine_timer_cb, daemon));
    daemon->second_timer =
        xcheck(event_new(daemon->base, -1, EV_PERSIST, second_cb, daemon));
    event_add(daemon->second_timer, &second);
}

/* --- listening --- */

/* Serve on the sockets that systemd holds for us, *count of them. Gives false, after it
 * has logged why, if one can't be used. */
static bool adopt_sockets(struct daemon *daemon, size_t *count)
{
    struct listen_socket **sockets;
    char *cause = NULL;
    bool good = listen_inherited(&sockets, count, &cause) == 0;

    for (size_t i = 0; i < *count; i++) {
        good = good && http_server_adopt(daemon->http, sockets[i], &cause) == 0;
        if (!good)
            listen_free(sockets[i]);
    }
    free(sockets);
    if (!good)
        log_error("%s", cause);
    else if (*count > 0)
        log_info("[server] listen is not used: %zu %s handed over", *count,
                 *count == 1 ? "socket was" : "sockets were");
    free(cause);
    return good;
}

static bool listen_everywhere(struct daemon *daemon)
{
    size_t inherited;

    if (!adopt_sockets(daemon, &inherited))
        return false;
    for (size_t i = 0; inherited == 0 && i < daemon->config.listen.count; i++) {
        char *cause = NULL;
        if (http_server_listen(daemon->http, daemon->config.listen.items[i], &cause) <
            0) {
            log_error("%s", cause);
            free(cause);
            return false;
        }
    }
    for (size_t i = 0; http_server_address(daemon->http, i) != NULL; i++)
        log_info("listening on %s", http_server_address(daemon->http, i));
    return true;
}

/* Have as many descriptors as the system lets us; gives how many connections that
 * makes. */
static size_t raise_descriptors(void)
{
    struct rlimit limit = {0};

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur > 2 * SPARE_DESCRIPTORS ? limit.rlim_cur - SPARE_DESCRIPTORS
                                                  : SPARE_DESCRIPTORS;
}

static void make_http(struct daemon *daemon)
{
    const struct config_limits *limits = &daemon->config.limits;
    size_t possible = raise_descriptors(), count;
    const struct http_route *routes = routes_all(&count);
    struct http_limits http = {
        .body = limits->body,
        .large_body = limits->upload,
        .large_bodies = UPLOADS_IN_MEMORY * limits->upload,
        .headers = limits->header,
        .header_lines = limits->header_lines,
        .connections = limits->connections > 0 && limits->connections < possible
                           ? limits->connections
                           : possible,
        .request_ms = (int)limits->request_timeout_ms,
        .idle_ms = (int)limits->idle_connection_ms,
    };

    daemon->http = http_server_new(daemon->base, routes, count, &http, daemon);
    http_server_show_problems(daemon->http, reply_problem_page);
    log_debug("up to %zu connections", http.connections);
}

/* --- the rooms --- */

static void make_workers(struct daemon *daemon)
{
    const struct config *config = &daemon->config;
    struct homerunner_settings homerunner = {
        .urls = (const char *const *)config->homerunner_urls.items,
        .url_count = config->homerunner_urls.count,
        .limit = config->homerunner_limit,
        .timeout_ms = config->homerunner_timeout_ms,
        .connect_timeout_ms = config->homerunner_connect_ms,
    };
    struct homerunner_callbacks callbacks = {wiring_created, wiring_destroyed, daemon};
    struct renderer_settings renderer = {
        .dot_program = DOT_PROGRAM,
        .timeout_ms = DRAW_MS,
        .threads = config->worker_threads,
        .queue = config->worker_queue,
    };
    struct httpstep_settings http = {
        .threads = config->worker_threads,
        .queue = config->worker_queue,
        .timeout_ms = HTTP_STEP_MS,
        .connect_timeout_ms = config->homerunner_connect_ms,
        .reply_limit = config->limits.body,
    };

    fetch_prepare();
    daemon->workers = workers_new(daemon->base);
    daemon->homerunner = homerunner_new(daemon->workers, &homerunner, &callbacks);
    daemon->httpsteps =
        httpstep_new(daemon->workers, &http, wiring_http_answered, daemon);
    daemon->renderer = renderer_new(daemon->workers, &renderer);
    daemon->uploads = uploads_new(daemon->workers, config);
    daemon->downloads = workers_add_lane(daemon->workers, "downloads",
                                         config->worker_threads, config->worker_queue);
}

/* What is kept of runs, as the configuration has it at this moment. */
static struct history_settings history_settings(const struct daemon *daemon)
{
    return (struct history_settings){
        .folder = daemon->state_folder,
        .files = uploads_folder(daemon->uploads),
        .keep_runs = daemon->config.history.keep,
        .keep_ms = (int64_t)daemon->config.history.days * DAY_MS,
        .files_bytes = daemon->config.history.files,
    };
}

/* What outlives the process. False after it has logged why it can't be had. */
static bool open_state(struct daemon *daemon)
{
    struct history_settings history = history_settings(daemon);
    enum durability durability = daemon->config.durability;
    char *cause = NULL;
    bool good = journal_lock(daemon->state_folder, &cause) == 0;

    if (good && durability != DURABILITY_NONE) {
        daemon->journal =
            journal_open(daemon->workers, daemon->state_folder, durability, &cause);
        good = daemon->journal != NULL;
    }
    if (good) {
        daemon->history = history_open(daemon->workers, &history, &cause);
        good = daemon->history != NULL;
    }
    if (!good)
        log_error("%s", cause);
    free(cause);
    return good;
}

static struct events_settings events_settings(const struct daemon *daemon)
{
    return (struct events_settings){
        .subscribers = daemon->config.limits.subscribers,
        .gather_ms = GATHER_MS,
        .heartbeat_ms = daemon->config.heartbeat_ms,
    };
}

static void make_engine(struct daemon *daemon)
{
    struct presence_settings presence = {daemon->config.idle_client_ms,
                                         daemon->config.active_client_ms};
    struct instant moment = now();

    daemon->dictionary = suites_dictionary();
    daemon->presence = presence_new(daemon->base, &presence, wiring_lost, daemon);
    daemon->engine = engine_new(wiring_no_ops(), daemon, &moment);
    presence_set_engine(daemon->presence, daemon->engine);
    daemon->inputs = inputs_new(daemon->base, daemon->journal, daemon->engine,
                                INPUTS_IN_MEMORY, settled, daemon);
    daemon->runs = runs_new(daemon);
    daemon->expected = expected_new(daemon->history);
    daemon->keeping = keeping_new(daemon);
    daemon->ending = ending_new(daemon);
    daemon->documents = documents_new(daemon);
    struct events_settings events = events_settings(daemon);
    daemon->events = events_new(daemon->base, daemon->engine, &events);
}

/* --- what systemd has to say, and is told --- */

static char *describe(void *context)
{
    const struct daemon *daemon = context;
    char *line = status_line(daemon->engine);
    char *text = daemon->stopping ? xasprintf("Stopping: %s", line) : xstrdup(line);

    free(line);
    return text;
}

/* The configuration has new values. Runs have copies of theirs. */
static bool adopted(void *context)
{
    struct daemon *daemon = context;
    struct history_settings history = history_settings(daemon);
    struct presence_settings presence = {daemon->config.idle_client_ms,
                                         daemon->config.active_client_ms};
    struct events_settings events = events_settings(daemon);

    log_set_level(daemon->config.log_level);
    presence_configure(daemon->presence, &presence);
    history_configure(daemon->history, &history);
    events_configure(daemon->events, &events);
    return true;
}

static void make_service(struct daemon *daemon)
{
    supervisor_describe(daemon->supervisor, describe, daemon);
    daemon->reload = reload_new(daemon->workers, daemon->supervisor, &daemon->config,
                                daemon->origin, adopted, daemon);
}

/* --- life --- */

/* Before anybody is served, what begins by itself has begun. A disk that does not take it
 * is no reason to serve nobody. */
static void await_beginning(struct daemon *daemon)
{
    int64_t end_ms = now().mono_ms + BEGIN_MS;

    daemon_settle(daemon);
    while (inputs_pending(daemon->inputs) > 0 && now().mono_ms < end_ms &&
           !daemon->stopping)
        event_base_loop(daemon->base, EVLOOP_ONCE);
}

/* Stand where the journal ends; where nothing is to go on, begin a run. */
static bool set_out(struct daemon *daemon)
{
    if (!restart_replay(daemon))
        return false;
    bool fresh = engine_is_fresh(daemon->engine);
    daemon->begun_ms = now().mono_ms;
    engine_set_ops(daemon->engine, wiring_ops());
    if (fresh && daemon->config.autostart == CONFIG_YES &&
        !runs_start_first(daemon->runs))
        return false;
    await_beginning(daemon);
    return true;
}

bool daemon_start(struct daemon *daemon)
{
    if (gethostname(daemon->hostname, sizeof daemon->hostname - 1) != 0)
        strcpy(daemon->hostname, "localhost");
    daemon->state_folder = config_state_folder(&daemon->config);
    make_loop(daemon);
    daemon->supervisor = supervisor_new(daemon->base);
    make_workers(daemon);
    if (!open_state(daemon))
        return false;
    make_engine(daemon);
    make_http(daemon);
    if (!set_out(daemon))
        return false;
    if (daemon->stopping)
        return true; /* somebody said so meanwhile: nobody new is served */
    make_service(daemon);
    return listen_everywhere(daemon);
}

/* A run that ended before this process began has had its say. */
static void judge_run(void *context, const char *run, bool shown, size_t changes,
                      const struct instant *ended)
{
    struct daemon *daemon = context;
    struct json_object *head = status_run_head(daemon->engine, run);
    struct json_object *totals = json_member(head, "totals");

    (void)shown, (void)changes;
    if (ended->mono_ms > daemon->begun_ms &&
        json_object_get_int64(json_member(totals, "success")) !=
            json_object_get_int64(json_member(totals, "cases")))
        daemon->exit_status = EXIT_FAILURE;
    json_object_put(head);
}

int daemon_run(struct daemon *daemon)
{
    daemon_settle(daemon);
    supervisor_ready(daemon->supervisor);
    if (!daemon->over)
        event_base_dispatch(daemon->base);
    if (daemon->once && !engine_succeeded(daemon->engine))
        daemon->exit_status = EXIT_FAILURE;
    engine_ended_runs(daemon->engine, judge_run, daemon);
    char *line = status_line(daemon->engine);
    log_info("ends: %s", line);
    free(line);
    return daemon->once ? daemon->exit_status : EXIT_SUCCESS;
}

static void free_events(struct daemon *daemon)
{
    struct event *events[] = {daemon->engine_timer, daemon->second_timer};

    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        if (events[i] != NULL)
            event_free(events[i]);
    }
}

void daemon_free(struct daemon *daemon)
{
    if (daemon->inputs != NULL)
        inputs_end(daemon->inputs);
    if (daemon->workers != NULL)
        workers_free(daemon->workers, JOBS_END_MS);
    journal_free(daemon->journal); /* tells those who still wait for it */
    history_free(daemon->history);
    inputs_free(daemon->inputs);
    if (daemon->http != NULL)
        http_server_free(daemon->http);
    if (daemon->homerunner != NULL)
        homerunner_free(daemon->homerunner);
    if (daemon->httpsteps != NULL)
        httpstep_free(daemon->httpsteps);
    if (daemon->renderer != NULL)
        renderer_free(daemon->renderer);
    uploads_free(daemon->uploads);
    documents_free(daemon->documents);
    events_free(daemon->events);
    runs_free(daemon->runs);
    keeping_free(daemon->keeping);
    expected_free(daemon->expected);
    ending_free(daemon->ending);
    if (daemon->engine != NULL)
        engine_free(daemon->engine);
    if (daemon->presence != NULL)
        presence_free(daemon->presence);
    dictionary_free(daemon->dictionary);
    reload_free(daemon->reload);
    supervisor_free(daemon->supervisor);
    free_events(daemon);
    if (daemon->base != NULL)
        event_base_free(daemon->base);
    free(daemon->state_folder);
    config_clear(&daemon->config);
}
