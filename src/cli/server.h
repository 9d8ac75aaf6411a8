/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server that a command talks to: where it is, and what all requests to it have in
 * common. One thread.
 */
#ifndef TL_SERVER_H
#define TL_SERVER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct server {
    char *name;   /* as people named it, for messages; owned */
    char *base;   /* URL without a trailing slash; owned */
    char *socket; /* path of a Unix socket, or NULL; owned */
    bool is_near; /* on this machine: never asked for through a proxy */
    int stop_fd;  /* once it can be read requests and pauses end; -1: none; borrowed */
};

/* The body of an answer while it comes in. All zero but for the limit: empty. */
struct reply {
    char *body;      /* `size` bytes and a NUL, or NULL; owned */
    size_t size;     /* bytes of it */
    size_t capacity; /* bytes allocated */
    size_t limit;    /* of size; more breaks the request off */
};

/* Read `http://HOST[:PORT][/PATH]`, the same with https, or `unix:/PATH`. Gives 0, or -1
 * with *cause. server_clear() frees what it holds. */
int server_parse(struct server *server, const char *text, char **cause)
    __attribute__((warn_unused_result));
void server_clear(struct server *server);

/* Set what every request to the server needs: the way there, and where its answer goes.
 * `says` (CURL_ERROR_SIZE bytes) and the reply are borrowed by the handle. */
void server_prepare(const struct server *server, CURL *curl, struct reply *reply,
                    char *says);

/* Set the URL of a request: the base and `path`, which begins with a slash. */
void server_set_path(const struct server *server, CURL *curl, const char *path);

/* Why there is no answer, after the request ended so: "http://… can't be reached:
 * Connection refused". Owned by the caller. */
char *server_explain(const struct server *server, CURL *curl, CURLcode code,
                     const char *says);

/* An answer that is no success: its status, and what its problem document (RFC 9457)
 * says, if it is one. Owned by the caller. */
char *server_detail(int status, const char *body, size_t size);

/* Requests without an answer, instead of its status. */
enum {
    SERVER_NO_ANSWER = -1, /* it may have been acted on */
    SERVER_NOT_ASKED = -2, /* it was never sent */
};

/* GET a path, or POST this JSON, and wait for the answer. Give its status, or one of the
 * above with *cause; the reply's body is replaced. */
int server_get(const struct server *server, const char *path, int64_t timeout_ms,
               struct reply *reply, char **cause) __attribute__((warn_unused_result));
int server_post(const struct server *server, const char *path, const char *json,
                int64_t timeout_ms, struct reply *reply, char **cause)
    __attribute__((warn_unused_result));

/* Let so much time pass. Gives true if stop_fd can be read, at once then. */
bool server_pause(const struct server *server, int64_t ms);

void reply_clear(struct reply *reply);

#endif
