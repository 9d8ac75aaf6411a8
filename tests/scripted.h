/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP server for tests that answers from a script, byte for byte, right or wrong. Has
 * a thread for each connection; one request per connection. Its functions are for the
 * test's thread.
 */
#ifndef TL_SCRIPTED_H
#define TL_SCRIPTED_H

struct scripted;

/* An answer that begins so is sent when the test allows it. */
#define SCRIPT_HOLD "hold"

/* Make a server with a port on 127.0.0.1 on which it does not listen yet. */
struct scripted *scripted_new(void);

int scripted_port(const struct scripted *server);

/* Listen. Each script is a list of answers for paths that begin with /create and all
 * others; the last one before the NULL is repeated, an empty list means no answer until
 * the client gives up. In an answer, "Length: -" becomes the right length. After it the
 * connection is closed. Borrows the scripts. */
void scripted_start(struct scripted *server, const char *const *create,
                    const char *const *others);

/* Listen, but let no connection come about. */
void scripted_start_deaf(struct scripted *server);

/* Wait for one request more. */
void scripted_wait(struct scripted *server);

/* Let one answer go that is held. */
void scripted_release(struct scripted *server);

/* How many requests came, and one of them: "/path body". Borrowed. */
int scripted_count(struct scripted *server);
const char *scripted_request(struct scripted *server, int index);

/* The same as it came: method, headers and all. Borrowed. */
const char *scripted_whole(struct scripted *server, int index);

/* Close the port, wait for the connections to end, and free it. */
void scripted_free(struct scripted *server);

#endif
