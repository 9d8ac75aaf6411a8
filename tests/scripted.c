/* SPDX-License-Identifier: Apache-2.0 */
/* A server that answers from a script. */
#include "scripted.h"

#include "xalloc.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS   32
#define REQUEST_LIMIT 65536

/* One client and its thread. */
struct connection {
    struct scripted *server; /* whose it is */
    int fd;                  /* its socket */
    pthread_t thread;        /* joined at the end */
};

struct scripted {
    int fd;                                     /* listens */
    int port;                                   /* where */
    bool is_started;                            /* `thread` runs */
    pthread_t thread;                           /* accepts */
    struct connection connections[CONNECTIONS]; /* of the accepting thread */
    int connection_count;                       /* how many those are */
    int deaf[2];                                /* clients that fill the queue; or -1 */
    pthread_mutex_t mutex;                      /* guards what follows */
    const char *const *create;                  /* the rest of the script */
    const char *const *others;                  /* likewise */
    char *requests[CONNECTIONS];                /* "path body", as they came, owned */
    char *wholes[CONNECTIONS];                  /* the same with all headers, owned */
    int count;                                  /* how many those are */
    sem_t arrived;                              /* a request has come */
    sem_t release;                              /* an answer that is held may go */
};

static bool is_whole(const char *request)
{
    const char *body = strstr(request, "\r\n\r\n");
    const char *length = strstr(request, "Content-Length: ");

    return body != NULL &&
           (length == NULL ||
            strlen(body + 4) >= strtoul(length + strlen("Content-Length: "), NULL, 10));
}

/* Give the request as it came. Returns owned. */
static char *receive_request(int fd)
{
    char *text = xcalloc(1, REQUEST_LIMIT);
    size_t size = 0;
    ssize_t got = 1;

    for (; got > 0 && !is_whole(text); size += (size_t)(got > 0 ? got : 0))
        got = recv(fd, text + size, REQUEST_LIMIT - 1 - size, 0);
    return text;
}

/* "path body" of a request. Returns owned. */
static char *shorten(const char *text)
{
    const char *path = strchr(text, '/'), *body = strstr(text, "\r\n\r\n");

    if (path == NULL || body == NULL)
        return xstrdup("");
    return xasprintf("%.*s %s", (int)strcspn(path, " "), path, body + 4);
}

/* Note the request down and choose its answer. Takes the request. */
static const char *next_answer(struct scripted *server, char *whole)
{
    char *request = shorten(whole);
    bool is_create = strncmp(request, "/create ", 8) == 0;
    const char *const **script = is_create ? &server->create : &server->others;

    pthread_mutex_lock(&server->mutex);
    const char *answer = **script;
    if (answer != NULL && (*script)[1] != NULL)
        ++*script;
    server->wholes[server->count] = whole;
    server->requests[server->count++] = request;
    pthread_mutex_unlock(&server->mutex);
    sem_post(&server->arrived);
    return answer;
}

static void send_answer(int fd, const char *answer)
{
    const char *dash = strstr(answer, "Length: -\r\n\r\n");
    char *text = dash == NULL ? xstrdup(answer)
                              : xasprintf("%.*s%zu%s", (int)(dash + 8 - answer), answer,
                                          strlen(dash + 13), dash + 9);

    send(fd, text, strlen(text), MSG_NOSIGNAL);
    free(text);
}

static void take(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0)
        continue;
}

static void *serve(void *context)
{
    struct connection *connection = context;
    struct scripted *server = connection->server;
    const char *answer = next_answer(server, receive_request(connection->fd));
    struct pollfd gone = {.fd = connection->fd, .events = POLLRDHUP};

    if (answer != NULL && strncmp(answer, SCRIPT_HOLD, strlen(SCRIPT_HOLD)) == 0) {
        take(&server->release);
        answer += strlen(SCRIPT_HOLD);
    }
    if (answer != NULL)
        send_answer(connection->fd, answer);
    else
        poll(&gone, 1, -1);
    close(connection->fd);
    return NULL;
}

static void *accept_all(void *context)
{
    struct scripted *server = context;
    int fd;

    while ((fd = accept(server->fd, NULL, NULL)) >= 0) {
        assert(server->connection_count < CONNECTIONS);
        struct connection *connection = &server->connections[server->connection_count++];
        connection->server = server;
        connection->fd = fd;
        pthread_create(&connection->thread, NULL, serve, connection);
    }
    return NULL;
}

static struct sockaddr_in address_of(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

struct scripted *scripted_new(void)
{
    struct scripted *server = xcalloc(1, sizeof *server);
    struct sockaddr_in address = address_of(0);
    socklen_t size = sizeof address;

    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int failed = bind(server->fd, (struct sockaddr *)&address, size) != 0 ||
                 getsockname(server->fd, (struct sockaddr *)&address, &size) != 0;
    assert(!failed);
    (void)failed;
    server->port = ntohs(address.sin_port);
    server->deaf[0] = server->deaf[1] = -1;
    pthread_mutex_init(&server->mutex, NULL);
    sem_init(&server->arrived, 0, 0);
    sem_init(&server->release, 0, 0);
    return server;
}

int scripted_port(const struct scripted *server)
{
    return server->port;
}

void scripted_start(struct scripted *server, const char *const *create,
                    const char *const *others)
{
    server->create = create;
    server->others = others;
    server->is_started = true;
    listen(server->fd, CONNECTIONS);
    pthread_create(&server->thread, NULL, accept_all, server);
}

void scripted_start_deaf(struct scripted *server)
{
    struct sockaddr_in address = address_of(server->port);

    listen(server->fd, 0);
    for (int i = 0; i < 2; i++) { /* more than the queue takes */
        server->deaf[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        connect(server->deaf[i], (struct sockaddr *)&address, sizeof address);
    }
}

void scripted_wait(struct scripted *server)
{
    take(&server->arrived);
}

void scripted_release(struct scripted *server)
{
    sem_post(&server->release);
}

int scripted_count(struct scripted *server)
{
    pthread_mutex_lock(&server->mutex);
    int count = server->count;
    pthread_mutex_unlock(&server->mutex);
    return count;
}

const char *scripted_request(struct scripted *server, int index)
{
    assert(index < scripted_count(server));
    return server->requests[index];
}

const char *scripted_whole(struct scripted *server, int index)
{
    assert(index < scripted_count(server));
    return server->wholes[index];
}

void scripted_free(struct scripted *server)
{
    shutdown(server->fd, SHUT_RDWR);
    if (server->is_started)
        pthread_join(server->thread, NULL);
    for (int i = 0; i < server->connection_count; i++)
        pthread_join(server->connections[i].thread, NULL);
    for (int i = 0; i < server->count; i++) {
        free(server->requests[i]);
        free(server->wholes[i]);
    }
    for (int i = 0; i < 2; i++) {
        if (server->deaf[i] >= 0)
            close(server->deaf[i]);
    }
    close(server->fd);
    pthread_mutex_destroy(&server->mutex);
    free(server);
}
