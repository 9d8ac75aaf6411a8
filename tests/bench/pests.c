/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that do a server no good. */
#include "pests.h"

#include "connect.h"
#include "xalloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TICKS    1000 /* in a second */
#define POLL_FOR 1    /* seconds that a deaf one's poll is held */

/* What a slow one says, byte by byte: a header that never ends. */
static const char slow_request[] = "GET /healthz HTTP/1.1\r\nX-Slow: ";

struct pests {
    const char *url;              /* borrowed from the server */
    enum pest_kind kind;          /* of all */
    int *sockets;                 /* -1: it was ended; owned */
    size_t count;                 /* of sockets */
    const struct player *players; /* of the deaf ones; borrowed */
    size_t next;                  /* whose turn it is */
    size_t round;                 /* how often all had theirs */
    size_t turns;                 /* that are left over from ticks before, in 1/TICKS */
    size_t gone;                  /* hasty ones that came and went */
};

struct pests *pests_new(const struct server *server, enum pest_kind kind, size_t count,
                        const struct player *players, char **cause)
{
    struct pests *pests = xcalloc(1, sizeof *pests);

    pests->url = server_url(server);
    pests->kind = kind;
    pests->players = players;
    pests->sockets = xcalloc(count, sizeof *pests->sockets);
    while (kind != PEST_HASTY && pests->count < count) {
        int fd = connect_to(pests->url, pests->count);
        if (fd < 0) {
            cause_set(cause, "connection %zu of %zu: %s", pests->count + 1, count,
                      strerror(errno));
            pests_free(pests);
            return NULL;
        }
        pests->sockets[pests->count++] = fd;
    }
    return pests;
}

void pests_free(struct pests *pests)
{
    if (pests == NULL)
        return;
    for (size_t i = 0; i < pests->count; i++) {
        if (pests->sockets[i] >= 0)
            close(pests->sockets[i]);
    }
    free(pests->sockets);
    free(pests);
}

static void say(struct pests *pests, size_t number, const char *text, size_t size)
{
    if (pests->sockets[number] < 0 ||
        send(pests->sockets[number], text, size, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0 ||
        errno == EAGAIN)
        return;
    close(pests->sockets[number]);
    pests->sockets[number] = -1;
}

static void say_byte(struct pests *pests, size_t number)
{
    size_t place = pests->round;

    if (place >= sizeof slow_request - 1)
        place = sizeof slow_request - 3; /* the ':' and what follows are not said again */
    say(pests, number, &slow_request[place], 1);
}

static void say_poll(struct pests *pests, size_t number)
{
    char text[256];
    int size = snprintf(text, sizeof text,
                        "GET /client/%s/poll?wait=%d HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
                        pests->players[number].id, POLL_FOR);

    say(pests, number, text, (size_t)size);
}

static void come_and_go(struct pests *pests)
{
    /* the reset leaves no port behind that could not be used for a minute */
    struct linger at_once = {.l_onoff = 1};
    int fd = connect_to(pests->url, 0);

    if (fd < 0)
        return;
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
    pests->gone++;
}

/* The next one has its turn. */
static void take_turn(struct pests *pests)
{
    if (pests->kind == PEST_HASTY) {
        come_and_go(pests);
        return;
    }
    if (pests->kind == PEST_SLOW)
        say_byte(pests, pests->next);
    else
        say_poll(pests, pests->next);
    pests->next = (pests->next + 1) % pests->count;
    pests->round += pests->next == 0;
}

void pests_tick(void *argument)
{
    struct pests *pests = argument;

    if (pests->kind == PEST_HASTY)
        pests->turns += PESTS_HASTY;
    else if (pests->kind == PEST_SLOW)
        pests->turns += pests->count;
    else if (pests->kind == PEST_DEAF)
        pests->turns += pests->count / PESTS_POLL_S;
    for (; pests->turns >= TICKS; pests->turns -= TICKS)
        take_turn(pests);
}

size_t pests_count(const struct pests *pests)
{
    size_t open = pests->gone;
    char byte;

    for (size_t i = 0; i < pests->count; i++) {
        ssize_t got = pests->sockets[i] >= 0
                          ? recv(pests->sockets[i], &byte, 1, MSG_PEEK | MSG_DONTWAIT)
                          : 0;
        open += got > 0 || (got < 0 && errno == EAGAIN);
    }
    return open;
}
