/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The yardstick: evhttp with nothing behind it. Whoever sends a body is answered "{}",
 * whoever does not gets the bytes of the last argument. What a server on evhttp does is
 * at best as fast as this.
 *
 * --changelist  has libevent gather changes of what it watches (an epoll call less for an
 *               answer), which evhttp does not do by itself
 * --hold        keeps polls, those whose path ends in /poll, until somebody asks for
 *               /release
 */
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH 200 /* held polls that are answered in one turn of the loop */

struct bare {
    const char *answer;           /* for who sends no body; borrowed */
    bool holds;                   /* polls are kept */
    struct evhttp_request **held; /* those that are kept; owned array */
    size_t count;                 /* of them */
    size_t room;                  /* of the array */
    size_t answered;              /* how many of them were, since /release */
    struct event *release;        /* answers the next batch; owned */
};

static void reply(struct evhttp_request *request, const char *text)
{
    struct evbuffer *body = evhttp_request_get_output_buffer(request);

    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type",
                      "application/json");
    evbuffer_add(body, text, strlen(text));
    evhttp_send_reply(request, 200, "OK", NULL);
}

static void hold(struct bare *bare, struct evhttp_request *request)
{
    if (bare->count == bare->room) {
        bare->room = bare->room > 0 ? 2 * bare->room : 1024;
        bare->held = realloc(bare->held, bare->room * sizeof(struct evhttp_request *));
        if (bare->held == NULL)
            abort();
    }
    bare->held[bare->count++] = request;
}

static void release_cb(evutil_socket_t fd, short what, void *argument)
{
    struct bare *bare = argument;
    struct timeval at_once = {0, 0};

    (void)fd, (void)what;
    for (int i = 0; i < BATCH && bare->answered < bare->count; i++)
        reply(bare->held[bare->answered++], bare->answer);
    if (bare->answered < bare->count)
        evtimer_add(bare->release, &at_once);
    else
        bare->count = bare->answered = 0;
}

static bool path_ends(const struct evhttp_request *request, const char *end)
{
    const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));
    size_t size = path != NULL ? strlen(path) : 0;

    return size >= strlen(end) && strcmp(path + size - strlen(end), end) == 0;
}

static void request_cb(struct evhttp_request *request, void *argument)
{
    struct bare *bare = argument;

    if (evhttp_request_get_command(request) == EVHTTP_REQ_POST) {
        reply(request, "{}");
    } else if (bare->holds && path_ends(request, "/poll")) {
        hold(bare, request);
    } else {
        if (bare->holds && path_ends(request, "/release"))
            event_active(bare->release, EV_TIMEOUT, 0);
        reply(request, bare->answer);
    }
}

static void signal_cb(evutil_socket_t number, short what, void *base)
{
    (void)number, (void)what;
    event_base_loopexit(base, NULL);
}

/* The loop, made as the options say. */
static struct event_base *make_base(int argc, char **argv, struct bare *bare)
{
    struct event_config *config = event_config_new();

    for (int i = 1; i < argc - 1; i++) {
        if (strcmp(argv[i], "--changelist") == 0)
            event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
        else if (strcmp(argv[i], "--hold") == 0)
            bare->holds = true;
    }
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

int main(int argc, char **argv)
{
    struct bare bare = {.answer = argv[argc - 1]};
    struct event_base *base = make_base(argc, argv, &bare);
    struct evhttp *http = evhttp_new(base);
    struct evhttp_bound_socket *bound =
        evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);
    struct event *end = evsignal_new(base, SIGTERM, signal_cb, base);
    struct sockaddr_in address = {0};
    socklen_t size = sizeof address;

    if (argc < 2 || bound == NULL ||
        getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&address,
                    &size) != 0) {
        fputs("usage: bare [--changelist] [--hold] ANSWER\n", stderr);
        return EXIT_FAILURE;
    }
    bare.release = evtimer_new(base, release_cb, &bare);
    evhttp_set_gencb(http, request_cb, &bare);
    evsignal_add(end, NULL);
    fprintf(stderr, "listening on http://127.0.0.1:%d\n", ntohs(address.sin_port));
    event_base_dispatch(base);
    event_free(end);
    event_free(bare.release);
    evhttp_free(http);
    event_base_free(base);
    free(bare.held);
    return EXIT_SUCCESS;
}
