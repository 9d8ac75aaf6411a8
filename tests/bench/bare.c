/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The yardstick: evhttp with nothing behind it. Whoever sends a body is answered "{}",
 * whoever does not gets the bytes of the first argument. What a server on evhttp does is
 * at best as fast as this.
 */
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void request_cb(struct evhttp_request *request, void *text)
{
    struct evbuffer *body = evhttp_request_get_output_buffer(request);
    bool posts = evhttp_request_get_command(request) == EVHTTP_REQ_POST;
    const char *answer = posts ? "{}" : text;

    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type",
                      "application/json");
    evbuffer_add(body, answer, strlen(answer));
    evhttp_send_reply(request, 200, "OK", NULL);
}

static void signal_cb(evutil_socket_t number, short what, void *base)
{
    (void)number, (void)what;
    event_base_loopexit(base, NULL);
}

int main(int argc, char **argv)
{
    struct event_config *config = event_config_new();
    event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
    struct event_base *base = event_base_new_with_config(config);
    struct evhttp *http = evhttp_new(base);
    struct evhttp_bound_socket *bound =
        evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);
    struct event *end = evsignal_new(base, SIGTERM, signal_cb, base);
    struct sockaddr_in address = {0};
    socklen_t size = sizeof address;

    if (argc != 2 || bound == NULL ||
        getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&address,
                    &size) != 0) {
        fputs("usage: bare ANSWER\n", stderr);
        return EXIT_FAILURE;
    }
    evhttp_set_gencb(http, request_cb, argv[1]);
    evsignal_add(end, NULL);
    fprintf(stderr, "listening on http://127.0.0.1:%d\n", ntohs(address.sin_port));
    event_base_dispatch(base);
    event_free(end);
    evhttp_free(http);
    event_base_free(base);
    event_config_free(config);
    return EXIT_SUCCESS;
}
