/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many simulated clients at once, on one thread: each has a libcurl handle, one multi
 * handle moves all of them, and a heap knows whose turn is next.
 */
#ifndef TL_FLEET_H
#define TL_FLEET_H

#include "server.h"
#include "simulated_client.h"

#include <stddef.h>
#include <stdint.h>

enum fleet_end {
    FLEET_ENDED,   /* every client has ended */
    FLEET_TIME_UP, /* the time for the simulation is over */
    FLEET_STOPPED, /* the descriptor to stop at became readable */
};

struct fleet_counts {
    size_t clients;  /* in all */
    size_t exited;   /* were told to exit */
    size_t gave_up;  /* found no way to go on */
    size_t answered; /* actions that all of them answered */
};

struct fleet;

/* An empty fleet. Borrows the server. */
struct fleet *fleet_new(const struct server *server);

/* Free the fleet and its clients; requests under way are broken off. */
void fleet_free(struct fleet *fleet);

/* Add a client, which the fleet takes. Not while it runs. */
void fleet_add(struct fleet *fleet, struct simulated_client *client);

/* Let the clients do what they want until all have ended, or until the moment `until_ms`
 * (monotonic; INT64_MAX: no such moment), or until stop_fd can be read. */
enum fleet_end fleet_run(struct fleet *fleet, int64_t until_ms, int stop_fd);

/* How it stands. */
struct fleet_counts fleet_count(const struct fleet *fleet);

#endif
