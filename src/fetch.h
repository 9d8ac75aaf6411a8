/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP request to another server, over libcurl, within bounds: time, size, http and
 * https only, no redirects. Blocks, so it belongs into a job's run().
 */
#ifndef TL_FETCH_H
#define TL_FETCH_H

#include <stddef.h>
#include <stdint.h>

struct workers;

enum fetch_result {
    FETCH_ANSWERED,    /* there is a whole answer, whatever its status */
    FETCH_UNREACHABLE, /* nobody was there: the request was never sent */
    FETCH_BROKEN,      /* the request may have been acted on, its answer is lost */
    FETCH_TIMED_OUT,   /* likewise, after timeout_ms */
    FETCH_STOPPED,     /* likewise, because the pool is stopping */
};

/* What is sent. The strings are borrowed. */
struct fetch_request {
    const char *method; /* "GET"; NULL: POST */
    const char *url;    /* where to */
    const char *const
        *headers;     /* "Name: value" lines, NULL after the last; NULL: those of JSON */
    const char *body; /* NULL: none */
    int64_t connect_timeout_ms; /* to reach the server */
    int64_t timeout_ms;         /* for everything */
    size_t reply_limit;         /* bytes of the answer's body */
    struct workers *workers;    /* the request ends early when this pool is stopping */
};

struct fetch_reply {
    enum fetch_result result;
    int status; /* of HTTP, if answered */
    char *
        headers; /* if answered: its header lines, as they came; never NULL then. Owned */
    char *body;  /* if answered: `size` bytes and a NUL; never NULL then. Owned */
    size_t size;
    char *cause; /* if not: how it ended, to be read after the name of the server ("can't
                    be reached: Connection refused"). Owned */
};

/* Make libcurl ready. Call before the first worker starts. May be called again. */
void fetch_prepare(void);

/* Send the request and wait for the answer; *reply is overwritten. Any thread. */
void fetch_send(const struct fetch_request *request, struct fetch_reply *reply);

/* Free what is in the reply. */
void fetch_reply_clear(struct fetch_reply *reply);

/* Give a URL without user, password, query and fragment, for people to see. Returns
 * owned. */
char *fetch_url_shown(const char *url);

/* Give the URL `text` without trailing slashes, if it is an absolute http or https URL
 * that a client can use as a base: with a host, and without user, query and fragment.
 * Returns owned, or NULL. */
char *fetch_url_base(const char *text);

#endif
