/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One simulated client: what a polite adapter does next. It knows the protocol and no
 * socket: it says which request it wants to make and when, and is told what came of it.
 * Any thread, one at a time.
 */
#ifndef TL_SIMULATED_CLIENT_H
#define TL_SIMULATED_CLIENT_H

#include "answers.h"
#include "calls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What all clients of a simulation keep to. */
struct simulated_rules {
    const struct answers *answers; /* what they say; borrowed */
    struct calls *calls;           /* that they take part in; borrowed */
    int64_t think_min_ms;          /* before an answer, at least */
    int64_t think_max_ms;          /* and at most */
    int64_t patience_ms;           /* with a server that can't be reached */
    double wait;                   /* seconds a poll asks to be held; negative: doesn't */
    bool forever;                  /* after an exit: register anew under another id */
    FILE *events;                  /* a line for each event; NULL: none; borrowed */
};

/* A request, in terms of HTTP: a POST of JSON or of a file, or a GET where it has
 * neither. What it points to is borrowed until the next verb. */
struct simulated_request {
    const char *path;           /* with the query */
    const char *body;           /* JSON, or NULL */
    const struct picture *file; /* to be uploaded, or NULL */
    int64_t timeout_ms;         /* without an answer after so long it is lost */
};

enum simulated_end {
    SIMULATED_GOES_ON, /* there is a next request */
    SIMULATED_EXITED,  /* the server told it to exit */
    SIMULATED_GAVE_UP, /* there was no way to go on; it said why on stderr */
};

struct simulated_client;

/* A client of this type that has not registered yet. Borrows rules, copies type. `player`
 * is its number, which its chance depends on. */
struct simulated_client *simulated_client_new(const struct simulated_rules *rules,
                                              const char *type, uint64_t seed,
                                              uint64_t player);
void simulated_client_free(struct simulated_client *client);

/* How it stands with the client. */
enum simulated_end simulated_client_end(const struct simulated_client *client);

/* How many actions it has answered. */
size_t simulated_client_answered(const struct simulated_client *client);

/* The moment of its next request (monotonic, milliseconds). */
int64_t simulated_client_due(const struct simulated_client *client);

/* Its next request, while it goes on. */
void simulated_client_request(const struct simulated_client *client,
                              struct simulated_request *request);

/* The request that it wanted was answered, or lost for this reason. Both may end it. */
void simulated_client_take_answer(struct simulated_client *client, int status,
                                  const char *body, size_t size, int64_t now_ms);
void simulated_client_take_loss(struct simulated_client *client, const char *cause,
                                int64_t now_ms);

#endif
