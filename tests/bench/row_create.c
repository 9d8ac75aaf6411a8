/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether 100 homeservers that are being made hold up anybody: homerunner takes as long
 * as containers take. Here it is a socket that takes connections and never says anything.
 * 100 cases are stuck in that; others poll and register meanwhile. The yardstick is the
 * same server, whose 100 clients are of a type that no case needs.
 */
#include "compare.h"
#include "crowd.h"
#include "daemons.h"
#include "folder.h"
#include "pollers.h"
#include "xalloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CREATES   100
#define POLLERS   64
#define JOINERS   16    /* clients that register and leave at once */
#define ACCEPT_MS 10000 /* until all creates must have been asked for */

static const char needing[] =
    "{\"name\":\"Needing\",\"clients\":{\"red\":[\"needy\"]},"
    "\"servers\":{\"type\":\"synapse\",\"names\":[\"server\"]}," PLAYER_DICTIONARY
    ",\"initial\":\"only\",\"states\":{\"only\":{\"actions\":{\"red\":"
    "{\"action\":\"pass\",\"responses\":{\"passed\":\"complete\"}}}}}}";

/* --- homerunner --- */

/* Somebody who listens and never answers. */
struct mute {
    int fd;           /* that listens, or -1 */
    int port;         /* where */
    int got[CREATES]; /* connections; owned */
    int count;        /* how many */
};

static int mute_begin(struct mute *mute, char **cause)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;

    mute->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (mute->fd < 0 ||
        bind(mute->fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(mute->fd, 2 * CREATES) != 0 ||
        getsockname(mute->fd, (struct sockaddr *)&address, &size) != 0) {
        cause_set(cause, "no homerunner could be played: %s", strerror(errno));
        return -1;
    }
    mute->port = ntohs(address.sin_port);
    return 0;
}

/* Take a connection for each create. */
static int mute_take_all(struct mute *mute, char **cause)
{
    struct timespec pause = {.tv_nsec = 1000000};
    int64_t end_ns = cpu_clock_ns() + (int64_t)ACCEPT_MS * 1000000;

    while (mute->count < CREATES && cpu_clock_ns() < end_ns) {
        int fd = accept4(mute->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            mute->got[mute->count++] = fd;
        else
            nanosleep(&pause, NULL);
    }
    if (mute->count == CREATES)
        return 0;
    cause_set(cause, "%d of %d creates were asked for", mute->count, CREATES);
    return -1;
}

static void mute_end(struct mute *mute)
{
    while (mute->count > 0)
        close(mute->got[--mute->count]);
    if (mute->fd >= 0)
        close(mute->fd);
}

/* --- clients that come and go --- */

struct joiners {
    struct load *load;              /* owned */
    struct player players[JOINERS]; /* one for each link */
    bool joins[JOINERS];            /* the link has sent a registration, not an error */
    int64_t sent_ns[JOINERS];       /* when */
    size_t number;                  /* of the next client */
};

static void join(struct joiners *joiners, size_t link)
{
    player_name(&joiners->players[link], "grey", joiners->number++);
    joiners->joins[link] = true;
    joiners->sent_ns[link] = cpu_clock_ns();
    player_send_register(&joiners->players[link], "grey", joiners->load, link);
}

static void joined_cb(void *context, size_t link, const struct load_answer *answer)
{
    struct joiners *joiners = context;

    if (answer->status != 200) {
        load_fail(joiners->load, "a client was answered %d %.200s", answer->status,
                  answer->body);
    } else if (joiners->joins[link]) {
        load_note(joiners->load, joiners->sent_ns[link]);
        joiners->joins[link] = false;
        player_send_error(&joiners->players[link], joiners->load, link);
    } else {
        join(joiners, link);
    }
}

static struct joiners *joiners_new(const struct server *server, char **cause)
{
    struct joiners *joiners = xcalloc(1, sizeof *joiners);

    joiners->number = CREATES; /* those before are others' */
    joiners->load = load_new(server_url(server), JOINERS, joined_cb, joiners, cause);
    for (size_t i = 0; joiners->load != NULL && i < JOINERS; i++)
        join(joiners, i);
    if (joiners->load != NULL)
        return joiners;
    free(joiners);
    return NULL;
}

static void joiners_free(struct joiners *joiners)
{
    if (joiners == NULL)
        return;
    load_free(joiners->load);
    free(joiners);
}

/* --- the row --- */

/* A server, and who is there. */
struct site {
    const char *name;        /* of its folder */
    const char *type;        /* of the clients that may wait for a homeserver */
    size_t preparing;        /* cases that do */
    struct server *server;   /* owned */
    struct pollers *pollers; /* owned */
    struct joiners *joiners; /* owned */
};

static int begin_site(const struct bench *bench, struct site *site, const char *tests,
                      struct mute *mute, char **cause)
{
    char *more = xasprintf("[homerunner]\nurl = http://127.0.0.1:%d\nlimit = %d\n"
                           "timeout = 24h\n[server-type synapse]\nimages = any\n",
                           mute->port, CREATES);
    struct daemon_setup setup = {
        .name = site->name, .tests = tests, .cases = CREATES, .more = more};
    struct player players[CREATES];

    site->server = daemons_start(bench, &setup, cause);
    free(more);
    if (site->server == NULL ||
        crowd_register(site->server, players, CREATES, &site->type, 1, 0, cause) < 0 ||
        (site->preparing > 0 && mute_take_all(mute, cause) < 0) ||
        crowd_expect_cases(site->server, "preparing", site->preparing, cause) < 0)
        return -1;
    site->pollers = pollers_new(site->server, POLLERS, 0, NULL, NULL, cause);
    if (site->pollers != NULL)
        site->joiners = joiners_new(site->server, cause);
    return site->joiners != NULL ? 0 : -1;
}

static void end_site(struct site *site)
{
    pollers_free(site->pollers);
    joiners_free(site->joiners);
    server_kill(site->server);
}

static void tell(struct table *table, const struct side *sides)
{
    static const char *const what[] = {"polls beside 100 creates",
                                       "registrations beside 100 creates"};
    struct goal same = {GOAL_RATIO_AT_MOST, 1.2};

    for (size_t i = 0; i < 2; i++) {
        const struct side *stuck = &sides[2 * i], *idle = stuck + 1;
        table_compare(table, what[i], METRIC_P99, stuck, idle, same);
        table_compare(table, what[i], METRIC_RATE, stuck, idle, NO_GOAL);
        table_compare(table, what[i], METRIC_CPU, stuck, idle, NO_GOAL);
    }
}

static int compare_sites(struct bench *bench, struct site *sites, char **cause)
{
    static const char *const names[] = {"100 creates hang", "nothing is created"};
    struct side *sides = xcalloc(4, sizeof *sides);
    int result;

    for (size_t i = 0; i < 4; i++) {
        const struct site *site = &sites[i % 2];
        side_begin(&sides[i], names[i % 2],
                   i < 2 ? pollers_load(site->pollers) : site->joiners->load,
                   site->server);
    }
    result = compare_sides(bench, sides, 4, cause);
    if (result == 0)
        result = crowd_expect_cases(sites[0].server, "preparing", CREATES, cause);
    if (result == 0)
        tell(bench->table, sides);
    free(sides);
    return result;
}

int row_create(struct bench *bench, char **cause)
{
    struct site sites[2] = {{.name = "create", .type = "needy", .preparing = CREATES},
                            {.name = "create-not", .type = "grey"}};
    struct mute mute = {.fd = -1};
    char *tests = folder_make(bench->folder, "create-tests");
    int result = -1;

    if (folder_write(tests, "poll_test.json", POLLERS_TEST, cause) == 0 &&
        folder_write(tests, "needing_test.json", needing, cause) == 0 &&
        mute_begin(&mute, cause) == 0 &&
        begin_site(bench, &sites[0], tests, &mute, cause) == 0 &&
        begin_site(bench, &sites[1], tests, &mute, cause) == 0)
        result = compare_sites(bench, sites, cause);
    end_site(&sites[0]);
    end_site(&sites[1]);
    mute_end(&mute);
    free(tests);
    return result;
}
