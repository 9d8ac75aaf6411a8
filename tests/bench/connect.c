/* SPDX-License-Identifier: Apache-2.0 */
/* Connections to a server on this machine. */
#include "connect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG 64   /* connections at once that no server's queue is too short for */
#define PORTS   4000 /* from one address; with more the kernel searches for long */

static struct sockaddr_in loopback(uint32_t host, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK + host)};

    return address;
}

int connect_to(const char *url, size_t number)
{
    struct timespec pause = {.tv_nsec = 2000000};
    int port = 0, on = 1, fd = -1;

    if (sscanf(url, "http://127.0.0.1:%d", &port) != 1) {
        errno = EINVAL;
        return -1;
    }
    struct sockaddr_in to = loopback(0, port);
    struct sockaddr_in from = loopback((uint32_t)(number / PORTS), 0);
    /* A queue that is full costs a second: that is when TCP tries again. */
    if (number % BACKLOG == BACKLOG - 1)
        nanosleep(&pause, NULL);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    /* the port is chosen when it connects: others may have it, towards other servers */
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (bind(fd, (const struct sockaddr *)&from, sizeof from) == 0 &&
        connect(fd, (const struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    int cause = errno;
    close(fd);
    errno = cause;
    return -1;
}
