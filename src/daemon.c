/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's rooms, held together. The engine's wishes (struct engine_ops) go out to the rooms
 * here, and what the rooms have to tell comes back in as inputs.
 */
#include "daemon.h"

#include "autoconf.h"
#include "client_api.h"
#include "download.h"
#include "fetch.h"
#include "homerunner.h"
#include "http.h"
#include "httpstep.h"
#include "ids.h"
#include "listen.h"
#include "now.h"
#include "presence.h"
#include "reload.h"
#include "render.h"
#include "status_api.h"
#include "suites.h"
#include "supervisor.h"
#include "upload.h"
#include "worker.h"
#include "xalloc.h"

#include <event2/event.h>
#include <event2/thread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uuid/uuid.h>

#define END_REASON        "all tests have ended"
#define LAST_WORDS_MS     5000  /* --once: how long clients have to fetch their exit */
#define WATCHED_MS        5000  /* --once: who asked for status.json so lately looks on */
#define LAST_LOOK_MS      2500  /* --once: how long it has to look once more */
#define LAST_ANSWERS_MS   2000  /* at the end: how long answers have to be written */
#define DESTROY_MS        10000 /* at the end: how long servers have to be destroyed */
#define END_TICK_MS       20    /* how often it is looked whether that is done */
#define JOBS_END_MS       1000  /* at the very end: how long running jobs have */
#define SPARE_DESCRIPTORS 100   /* not for connections: logs, workers, pipes to dot */
#define HTTP_STEP_MS      30000 /* for an http step that names no time-out */
#define DRAW_MS           30000 /* for one picture */
#define UPLOADS_IN_MEMORY 2     /* of the largest size; see src/http_room.c */

static const struct http_route routes[] = {
    {"POST", "/client/:id/register", client_register, 0, "a client is there, and waits"},
    {"GET", "/client/:id/poll", client_poll, HTTP_NO_HEAD,
     "what the client is to do now"},
    {"POST", "/client/:id/report", client_report, 0, "what came of an action"},
    {"POST", "/client/:id/respond", client_report, 0,
     "the same, as adapters of today call it"},
    {"POST", "/client/:id/error", client_error, 0, "the client's adapter is broken"},
    {"POST", "/client/:id/upload", client_upload, HTTP_LARGE_BODY, "files of its case"},
    {"GET", "/", status_root, 0, "leads to /status"},
    {"GET", "/status", status_page, 0, "tests, cases, clients"},
    {"GET", "/status/", status_page, 0, "the same"},
    {"GET", "/status.json", status_json, 0, "the same for programs"},
    {"GET", "/status/junit.xml", status_junit, 0, "the same for Jenkins"},
    {"GET", "/status/:id/suitestatus", status_suite_page, 0, "one test and its cases"},
    {"GET", "/status/:id/status", status_case_page, 0, "one case"},
    {"GET", "/status/:id/status.json", status_case_json, 0, "one case for programs"},
    {"GET", "/status/:id/statemachine.png", status_machine_png, 0, "a case's machine"},
    {"GET", "/status/:id/statemachine.svg", status_machine_svg, 0, "a case's machine"},
    {"GET", "/status/:id/statemachine.dot", status_machine_dot, 0, "a case's machine"},
    {"GET", "/status/:id/context.png", status_context_png, 0, "the state it is in"},
    {"GET", "/status/:id/context.svg", status_context_svg, 0, "the state it is in"},
    {"GET", "/status/:id/context.dot", status_context_dot, 0, "the state it is in"},
    {"GET", "/status/:id/files/:name", status_file, 0, "a file that a client uploaded"},
    {"GET", "/actions", status_actions_page, 0, "the dictionary of actions"},
    {"GET", "/actions.json", status_actions_json, 0, "the same for adapters"},
    {"GET", "/static/style.css", status_style, 0, "how the pages look"},
    {"GET", "/healthz", status_health, 0, "whether the loop turns"},
};

static void stop(struct daemon *daemon, const char *reason);

/* --- what the engine wants done --- */

static void wake_op(void *context, const char *client)
{
    presence_wake(((struct daemon *)context)->presence, client);
}

static void create_op(void *context, const char *deployment,
                      const struct server_wanted *servers, size_t count)
{
    struct daemon *daemon = context;
    struct homerunner_server *wanted = xcalloc(count, sizeof *wanted);

    for (size_t i = 0; i < count; i++)
        wanted[i] = (struct homerunner_server){servers[i].name, servers[i].image};
    homerunner_create(daemon->homerunner, deployment, wanted, count);
    free(wanted);
}

static void destroy_op(void *context, const char *deployment)
{
    homerunner_destroy(((struct daemon *)context)->homerunner, deployment);
}

static void http_op(void *context, const char *ticket, struct json_object *request)
{
    httpstep_send(((struct daemon *)context)->httpsteps, ticket, request);
}

static int64_t last_polled(void *context, const char *client)
{
    return presence_last_polled(((const struct daemon *)context)->presence, client);
}

static void log_op(void *context, const char *line)
{
    (void)context;
    log_info("%s", line);
}

/* --- what the rooms have to tell it --- */

static void created(void *context, const char *deployment, struct json_object *servers,
                    const char *cause)
{
    struct daemon *daemon = context;
    struct instant moment = now();

    engine_created(daemon->engine, deployment, servers, cause, &moment);
    json_object_put(servers);
    daemon_settle(daemon);
}

static void destroyed(void *context, const char *deployment, const char *cause)
{
    struct daemon *daemon = context;
    struct instant moment = now();

    if (cause != NULL)
        log_warning("deployment %s: %s", deployment, cause);
    engine_destroyed(daemon->engine, deployment, cause, &moment);
    daemon_settle(daemon);
}

static void http_answered(void *context, const char *ticket, struct json_object *reply,
                          const char *cause)
{
    struct daemon *daemon = context;
    struct instant moment = now();

    engine_http_answered(daemon->engine, ticket, reply, cause, &moment);
    daemon_settle(daemon);
}

static void lost(void *context, const char *client, const char *reason)
{
    struct daemon *daemon = context;
    struct instant moment = now();

    engine_lost(daemon->engine, client, reason, &moment);
    daemon_settle(daemon);
}

static void engine_timer_cb(evutil_socket_t fd, short what, void *argument)
{
    struct daemon *daemon = argument;
    struct instant moment = now();

    (void)fd, (void)what;
    engine_time(daemon->engine, &moment);
    daemon_settle(daemon);
}

static void arm(struct event *timer, int64_t ms)
{
    if (ms < 0)
        ms = 0;
    struct timeval time = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    evtimer_add(timer, &time);
}

/* --once, and all cases have ended: whoever still waits is told to exit, too; then all have some
 * time to hear of it, and to upload what they have. */
static void await_last_words(struct daemon *daemon)
{
    struct instant moment = now();

    daemon->ending_since_ms = moment.mono_ms;
    engine_stop(daemon->engine, END_REASON, &moment);
    arm(daemon->end_timer, END_TICK_MS);
}

void daemon_settle(struct daemon *daemon)
{
    int64_t deadline = engine_deadline(daemon->engine);

    if (deadline == INT64_MAX)
        evtimer_del(daemon->engine_timer);
    else
        arm(daemon->engine_timer, deadline - now().mono_ms);
    if (daemon->once && engine_is_done(daemon->engine) && daemon->ending_since_ms == 0)
        await_last_words(daemon);
    supervisor_changed(daemon->supervisor);
}

struct status_view daemon_view(const struct daemon *daemon)
{
    return (struct status_view){
        .version = PACKAGE_VERSION,
        .now = now(),
        .last_polled = last_polled,
        .context = (void *)daemon,
    };
}

/* --- the end --- */

/* --once, and the cases have ended: whether all has been said. Who has been looking on gets the time
 * to look once more. */
static bool has_said_all(const struct daemon *daemon, int64_t waited_ms)
{
    bool watched = daemon->watched_ms + WATCHED_MS > daemon->ending_since_ms;

    if (waited_ms >= LAST_WORDS_MS)
        return true;
    return presence_all_left(daemon->presence) &&
           uploads_outstanding(daemon->uploads) == 0 &&
           http_server_room(daemon->http) == 0 && (!watched || waited_ms >= LAST_LOOK_MS);
}

/* On the way out: whether nobody is to be waited for any more. */
static bool has_ended(const struct daemon *daemon, int64_t waited_ms)
{
    bool quiet =
        uploads_outstanding(daemon->uploads) == 0 && !http_server_is_busy(daemon->http);

    return (homerunner_outstanding(daemon->homerunner) == 0 || waited_ms >= DESTROY_MS) &&
           (quiet || waited_ms >= LAST_ANSWERS_MS);
}

static void end_timer_cb(evutil_socket_t fd, short what, void *argument)
{
    struct daemon *daemon = argument;
    int64_t waited_ms = now().mono_ms - daemon->ending_since_ms;

    (void)fd, (void)what;
    if (!daemon->stopping && has_said_all(daemon, waited_ms)) {
        stop(daemon, END_REASON);
    } else if (daemon->stopping && has_ended(daemon, waited_ms)) {
        size_t left = homerunner_outstanding(daemon->homerunner);
        if (left > 0)
            log_warning(
                "%zu deployments could not be destroyed in time: homerunner lets them "
                "expire",
                left);
        event_base_loopexit(daemon->base, NULL);
        return;
    }
    arm(daemon->end_timer, END_TICK_MS);
}

/* Begin to end: nobody new, whoever is there is told to exit, servers are destroyed. */
static void stop(struct daemon *daemon, const char *reason)
{
    struct instant moment = now();

    daemon->stopping = true;
    daemon->ending_since_ms = moment.mono_ms;
    supervisor_stopping(daemon->supervisor);
    reload_stop(daemon->reload);
    http_server_stop_accepting(daemon->http);
    engine_stop(daemon->engine, reason, &moment);
    supervisor_changed(daemon->supervisor);
    arm(daemon->end_timer, END_TICK_MS);
}

static void signal_cb(evutil_socket_t signal_number, short what, void *argument)
{
    struct daemon *daemon = argument;

    (void)what;
    if (daemon->stopping) {
        log_warning("%s again: exits at once", strsignal(signal_number));
        _exit(EXIT_FAILURE);
    }
    log_info("%s: tells clients to exit, destroys servers", strsignal(signal_number));
    stop(daemon, "the server is shutting down");
}

/* --- the beginning --- */

static void add_suite(struct definition *definition, void *argument)
{
    struct daemon *daemon = ((void **)argument)[0];
    struct mistakes *mistakes = ((void **)argument)[1];

    engine_add_suite(daemon->engine, definition, daemon->config.repeat, mistakes);
}

/* Read the tests; what is wrong with some of them does not keep the others from running, unless the
 * configuration is strict: then it gives false. */
static bool load_suites(struct daemon *daemon)
{
    struct suites_source source = {
        .paths = daemon->config.paths.items,
        .path_count = daemon->config.paths.count,
        .actions = daemon->config.actions.items,
        .action_count = daemon->config.actions.count,
        .file_limit = daemon->config.limits.definition,
    };
    struct mistakes *mistakes = mistakes_new();
    void *argument[] = {daemon, mistakes};

    daemon->dictionary = suites_dictionary();
    size_t files = suites_load(&source, daemon->dictionary, &daemon->config.settings,
                               mistakes, add_suite, argument);
    for (size_t i = 0; i < mistakes_count(mistakes); i++) {
        bool is_error;
        const char *text = mistakes_text(mistakes, i, &is_error);
        if (is_error)
            log_error("%s", text);
        else
            log_warning("%s", text);
    }
    bool good = mistakes_errors(mistakes) == 0;
    if (!good)
        daemon->exit_status =
            EXIT_FAILURE; /* with --once: a test that can't run did not succeed */
    char *line = status_line(daemon->engine);
    log_info("read %zu test files: %s", files, line);
    if (engine_is_done(daemon->engine))
        log_error(
            "there is no case to run: look at [tests] path, and at `trafficlight check`");
    free(line);
    mistakes_free(mistakes);
    if (!good && daemon->config.strict == CONFIG_YES)
        log_error("[tests] strict = yes: mend the definitions, or say strict = no");
    return good || daemon->config.strict == CONFIG_NO;
}

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

/* Have as many descriptors as the system lets us; gives how many connections that makes. */
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
    size_t possible = raise_descriptors();
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

    daemon->http = http_server_new(daemon->base, routes, sizeof routes / sizeof *routes,
                                   &http, daemon);
    log_debug("up to %zu connections", http.connections);
}

static void make_loop(struct daemon *daemon)
{
    struct event_config *config = xcheck(event_config_new());

    evthread_use_pthreads();
    event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
    daemon->base = xcheck(event_base_new_with_config(config));
    event_config_free(config);
    daemon->engine_timer = xcheck(evtimer_new(daemon->base, engine_timer_cb, daemon));
    daemon->end_timer = xcheck(evtimer_new(daemon->base, end_timer_cb, daemon));
    daemon->signals[0] = xcheck(evsignal_new(daemon->base, SIGTERM, signal_cb, daemon));
    daemon->signals[1] = xcheck(evsignal_new(daemon->base, SIGINT, signal_cb, daemon));
    evsignal_add(daemon->signals[0], NULL);
    evsignal_add(daemon->signals[1], NULL);
}

static void make_workers(struct daemon *daemon)
{
    const struct config *config = &daemon->config;
    struct homerunner_settings homerunner = {
        .url = config->homerunner_url,
        .limit = config->settings.deployments,
        .timeout_ms = config->homerunner_timeout_ms,
        .connect_timeout_ms = config->homerunner_connect_ms,
    };
    struct homerunner_callbacks callbacks = {created, destroyed, daemon};
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
    daemon->httpsteps = httpstep_new(daemon->workers, &http, http_answered, daemon);
    daemon->renderer = renderer_new(daemon->workers, &renderer);
    daemon->uploads = uploads_new(daemon->workers, config);
    daemon->downloads = workers_add_lane(daemon->workers, "downloads",
                                         config->worker_threads, config->worker_queue);
}

static void make_engine(struct daemon *daemon)
{
    const struct engine_ops ops = {
        .wake = wake_op,
        .create = create_op,
        .destroy = destroy_op,
        .http = http_op,
        .last_polled = last_polled,
        .log = log_op,
    };
    struct presence_settings presence = {daemon->config.idle_client_ms,
                                         daemon->config.active_client_ms};
    struct instant moment = now();
    uuid_t run;
    char run_id[ID_SIZE];

    uuid_generate_random(run);
    uuid_unparse_lower(run, run_id);
    daemon->presence = presence_new(daemon->base, &presence, lost, daemon);
    daemon->engine = engine_new(&daemon->config.settings, &ops, daemon, run_id, &moment);
    presence_set_engine(daemon->presence, daemon->engine);
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

/* The configuration has new values. The engine borrows its settings: the old ones have to
 * stay. */
static bool adopted(void *context)
{
    struct daemon *daemon = context;
    struct presence_settings presence = {daemon->config.idle_client_ms,
                                         daemon->config.active_client_ms};

    log_set_level(daemon->config.log_level);
    presence_configure(daemon->presence, &presence);
    return false;
}

static void make_service(struct daemon *daemon)
{
    supervisor_describe(daemon->supervisor, describe, daemon);
    daemon->reload = reload_new(daemon->workers, daemon->supervisor, &daemon->config,
                                daemon->origin, adopted, daemon);
}

bool daemon_start(struct daemon *daemon)
{
    if (gethostname(daemon->hostname, sizeof daemon->hostname - 1) != 0)
        strcpy(daemon->hostname, "localhost");
    make_loop(daemon);
    daemon->supervisor = supervisor_new(daemon->base);
    make_workers(daemon);
    make_engine(daemon);
    make_http(daemon);
    make_service(daemon);
    return load_suites(daemon) && listen_everywhere(daemon);
}

int daemon_run(struct daemon *daemon)
{
    struct instant moment = now();

    engine_begin(daemon->engine, &moment);
    daemon_settle(daemon);
    supervisor_ready(daemon->supervisor);
    event_base_dispatch(daemon->base);
    if (daemon->once && !engine_succeeded(daemon->engine))
        daemon->exit_status = EXIT_FAILURE;
    char *line = status_line(daemon->engine);
    log_info("ends: %s", line);
    free(line);
    return daemon->once ? daemon->exit_status : EXIT_SUCCESS;
}

void daemon_free(struct daemon *daemon)
{
    if (daemon->workers != NULL)
        workers_free(daemon->workers, JOBS_END_MS);
    if (daemon->http != NULL)
        http_server_free(daemon->http);
    if (daemon->homerunner != NULL)
        homerunner_free(daemon->homerunner);
    if (daemon->httpsteps != NULL)
        httpstep_free(daemon->httpsteps);
    if (daemon->renderer != NULL)
        renderer_free(daemon->renderer);
    uploads_free(daemon->uploads);
    if (daemon->engine != NULL)
        engine_free(daemon->engine);
    if (daemon->presence != NULL)
        presence_free(daemon->presence);
    dictionary_free(daemon->dictionary);
    reload_free(daemon->reload);
    supervisor_free(daemon->supervisor);
    struct event *events[] = {daemon->engine_timer, daemon->end_timer, daemon->signals[0],
                              daemon->signals[1]};
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        if (events[i] != NULL)
            event_free(events[i]);
    }
    if (daemon->base != NULL)
        event_base_free(daemon->base);
    config_clear(&daemon->config);
}
