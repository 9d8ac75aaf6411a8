/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The video calls of a simulation: which there are, who is in them, and what each of its
 * clients, a caller, sees of them. A call lasts as long as anybody remembers it. Any
 * thread, one at a time.
 *
 * A caller's page is that of no call or of one; there it is in the lobby until it joins.
 * Verbs that can't be done give -1 and *cause and change nothing.
 */
#ifndef TL_CALLS_H
#define TL_CALLS_H

#include "picture.h"

#include <json-c/json.h>
#include <stdbool.h>

struct calls;
struct caller;

/* No calls. All callers go before their calls do. */
struct calls *calls_new(void);
void calls_free(struct calls *calls);

/* How many calls anybody remembers. */
size_t calls_count(const struct calls *calls);

/* Somebody who has just begun: a page of no call, nobody logged in, a grey picture. */
struct caller *caller_new(struct calls *calls);
void caller_free(struct caller *caller);

/* Begin anew: it leaves and remembers nothing. */
void caller_forget(struct caller *caller);

/* Log a user in, who is called like this until a display name is set, or out. Both take
 * it out of its call. */
void caller_log_in(struct caller *caller, const char *localpart);
void caller_log_out(struct caller *caller);

/* Set the name that the user who is logged in has from now on, here and in its calls. */
int caller_set_display_name(struct caller *caller, const char *name, char **cause)
    __attribute__((warn_unused_result));

/* Open the page of the call with this name, and make it if there is none; *existing says
 * whether there was. `guest` is the name of somebody who is not logged in, NULL: as it
 * was given before. */
int caller_create_or_join(struct caller *caller, const char *name, const char *guest,
                          bool *existing, char **cause)
    __attribute__((warn_unused_result));

/* Open the page of the call that has this URL. */
int caller_join_by_url(struct caller *caller, const char *url, const char *guest,
                       char **cause) __attribute__((warn_unused_result));

/* Go from the lobby into the call; from the call to no page. */
int caller_join(struct caller *caller, char **cause) __attribute__((warn_unused_result));
int caller_leave(struct caller *caller, char **cause) __attribute__((warn_unused_result));

/* Load the page again: back to the lobby of its call. */
void caller_reload(struct caller *caller);

/* Close the window and open another: it is in no call, a guest has no name, the picture
 * is grey, nothing is muted. Who is logged in stays so. */
void caller_recreate(struct caller *caller);

/* Show "red", "green" or "blue" from now on. */
int caller_set_image(struct caller *caller, const char *image, char **cause)
    __attribute__((warn_unused_result));

/* Turn microphone and camera off or on. Gives whether the camera was off. */
bool caller_set_mute(struct caller *caller, bool audio, bool video);

/* What the lobby or the call shows, as a report has it in `data`, with pictures taken
 * into the album. Returns owned; NULL with *cause if it is not there. */
struct json_object *caller_lobby_data(const struct caller *caller, struct album *album,
                                      char **cause);
struct json_object *caller_call_data(const struct caller *caller, struct album *album,
                                     char **cause);

#endif
