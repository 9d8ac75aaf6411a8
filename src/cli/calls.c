/* SPDX-License-Identifier: Apache-2.0 */
/* The video calls of a simulation. Calls are found by the end of their URL, which is made
 * from their name and from nothing else. */
#include "calls.h"

#include "hash.h"
#include "json.h"
#include "utf8.h"
#include "xalloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define PAGE_BASE  "http://call.example/room/#"
#define INVITATION "?via=invite" /* what an invitation has after the URL of the page */
#define NAME_SHOWN 80            /* bytes of a name or URL in a sentence */

/* What somebody shows who has set no image, or whose camera is off. */
static const struct colour grey = {128, 128, 128};

struct call {
    char *slug;                              /* the end of its URL; owned; the key */
    char *name;                              /* as it was given first; owned */
    TAILQ_HEAD(participants, caller) joined; /* who is in it, in order; borrowed */
    size_t known_to;                         /* callers that remember it */
    UT_hash_handle hh;                       /* in calls.by_slug */
};

struct calls {
    struct call *by_slug; /* owned, with all */
};

struct caller {
    struct calls *calls;       /* borrowed */
    struct call **visited;     /* calls that it remembers; the array is owned */
    size_t visited_count;      /* length of visited */
    char *user;                /* name of who is logged in, or NULL; owned */
    char *guest;               /* name of who is not, or NULL; owned */
    struct call *call;         /* whose page is open, or NULL */
    bool is_in;                /* in the call, not only in its lobby */
    TAILQ_ENTRY(caller) entry; /* in call->joined, if it is in */
    struct colour image;       /* what its camera sees */
    bool audio_muted;          /* the microphone is off */
    bool video_muted;          /* the camera is off */
};

/* --- calls --- */

struct calls *calls_new(void)
{
    return xcalloc(1, sizeof(struct calls));
}

void calls_free(struct calls *calls)
{
    if (calls == NULL)
        return;
    assert(calls->by_slug == NULL);
    free(calls);
}

size_t calls_count(const struct calls *calls)
{
    return HASH_COUNT(calls->by_slug);
}

/* The name as the end of a URL: whatever might mean something there is escaped. Returns
 * owned. */
static char *make_slug(const char *name)
{
    static const char digits[] = "0123456789ABCDEF";
    char *slug = xmalloc(3 * strlen(name) + 1), *end = slug;

    for (; *name != '\0'; name++) {
        unsigned char letter = (unsigned char)*name;
        if ((letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
            (letter >= '0' && letter <= '9') || strchr("-._~", letter) != NULL) {
            *end++ = (char)letter;
            continue;
        }
        *end++ = '%';
        *end++ = digits[letter >> 4];
        *end++ = digits[letter & 15];
    }
    *end = '\0';
    return slug;
}

static struct call *find_call(const struct calls *calls, const char *slug, size_t length)
{
    struct call *call;

    HASH_FIND(hh, calls->by_slug, slug, length, call);
    return call;
}

/* Takes the slug. */
static struct call *add_call(struct calls *calls, char *slug, const char *name)
{
    struct call *call = xcalloc(1, sizeof *call);

    call->slug = slug;
    call->name = xstrdup(name);
    TAILQ_INIT(&call->joined);
    HASH_ADD_KEYPTR(hh, calls->by_slug, call->slug, strlen(call->slug), call);
    return call;
}

static void drop_call(struct calls *calls, struct call *call)
{
    assert(TAILQ_EMPTY(&call->joined));
    HASH_DEL(calls->by_slug, call);
    free(call->slug);
    free(call->name);
    free(call);
}

/* --- where a caller is --- */

static void go_out(struct caller *caller)
{
    if (caller->is_in)
        TAILQ_REMOVE(&caller->call->joined, caller, entry);
    caller->is_in = false;
}

/* Open the page of a call; NULL: of none. */
static void open_page(struct caller *caller, struct call *call)
{
    go_out(caller);
    caller->call = call;
    for (size_t i = 0; i < caller->visited_count; i++) {
        if (caller->visited[i] == call)
            return;
    }
    if (call == NULL)
        return;
    caller->visited =
        xreallocarray(caller->visited, caller->visited_count + 1, sizeof(struct call *));
    caller->visited[caller->visited_count++] = call;
    call->known_to++;
}

struct caller *caller_new(struct calls *calls)
{
    struct caller *caller = xcalloc(1, sizeof *caller);

    caller->calls = calls;
    caller->image = grey;
    return caller;
}

void caller_forget(struct caller *caller)
{
    caller_recreate(caller);
    caller_log_out(caller);
    for (size_t i = 0; i < caller->visited_count; i++) {
        if (--caller->visited[i]->known_to == 0)
            drop_call(caller->calls, caller->visited[i]);
    }
    free(caller->visited);
    caller->visited = NULL;
    caller->visited_count = 0;
}

void caller_free(struct caller *caller)
{
    if (caller == NULL)
        return;
    caller_forget(caller);
    free(caller);
}

/* --- who a caller is --- */

static void set_text(char **text, const char *to)
{
    char *copy = to != NULL ? xstrdup(to) : NULL;

    free(*text);
    *text = copy;
}

void caller_log_in(struct caller *caller, const char *localpart)
{
    open_page(caller, NULL);
    set_text(&caller->user, localpart);
    set_text(&caller->guest, NULL);
}

void caller_log_out(struct caller *caller)
{
    open_page(caller, NULL);
    set_text(&caller->user, NULL);
}

int caller_set_display_name(struct caller *caller, const char *name, char **cause)
{
    if (caller->user == NULL) {
        cause_set(cause, "nobody is logged in whose name could be set: begin with "
                         "register or login");
        return -1;
    }
    set_text(&caller->user, name);
    return 0;
}

/* Know a guest's name. Gives -1 with *cause where nobody has a name. */
static int take_guest(struct caller *caller, const char *guest, char **cause)
{
    bool is_named = guest != NULL && guest[0] != '\0';

    if (caller->user == NULL && caller->guest == NULL && !is_named) {
        cause_set(cause, "nobody is logged in: begin with register or login, or let a "
                         "guest bring a display_name");
        return -1;
    }
    if (caller->user == NULL && is_named)
        set_text(&caller->guest, guest);
    return 0;
}

static const char *caption(const struct caller *caller)
{
    return caller->user != NULL ? caller->user : caller->guest;
}

/* --- into and out of calls --- */

int caller_create_or_join(struct caller *caller, const char *name, const char *guest,
                          bool *existing, char **cause)
{
    if (take_guest(caller, guest, cause) < 0)
        return -1;
    char *slug = make_slug(name);
    struct call *call = find_call(caller->calls, slug, strlen(slug));
    *existing = call != NULL;
    if (call == NULL)
        call = add_call(caller->calls, slug, name);
    else
        free(slug);
    open_page(caller, call);
    return 0;
}

int caller_join_by_url(struct caller *caller, const char *url, const char *guest,
                       char **cause)
{
    size_t base = strlen(PAGE_BASE);
    struct call *call = NULL;

    if (strncmp(url, PAGE_BASE, base) == 0)
        call = find_call(caller->calls, url + base, strcspn(url + base, "?&"));
    if (call == NULL) {
        char *shown = utf8_shorten(url, NAME_SHOWN);
        cause_set(cause, "no call of this simulation has the URL \"%s\"", shown);
        free(shown);
        return -1;
    }
    if (take_guest(caller, guest, cause) < 0)
        return -1;
    open_page(caller, call);
    return 0;
}

static bool is_in_lobby(const struct caller *caller, char **cause)
{
    if (caller->call != NULL && !caller->is_in)
        return true;
    cause_set(cause, caller->is_in
                         ? "is in the call already, no longer in its lobby"
                         : "is in no lobby: begin with create_or_join or join_by_url");
    return false;
}

static bool is_in_call(const struct caller *caller, char **cause)
{
    if (!caller->is_in)
        cause_set(cause, caller->call != NULL
                             ? "is still in the lobby: lobby_join comes first"
                             : "is in no call: begin with create_or_join or join_by_url");
    return caller->is_in;
}

int caller_join(struct caller *caller, char **cause)
{
    if (!is_in_lobby(caller, cause))
        return -1;
    TAILQ_INSERT_TAIL(&caller->call->joined, caller, entry);
    caller->is_in = true;
    return 0;
}

int caller_leave(struct caller *caller, char **cause)
{
    if (!is_in_call(caller, cause))
        return -1;
    open_page(caller, NULL);
    return 0;
}

void caller_reload(struct caller *caller)
{
    go_out(caller);
}

void caller_recreate(struct caller *caller)
{
    open_page(caller, NULL);
    set_text(&caller->guest, NULL);
    caller->image = grey;
    caller->audio_muted = caller->video_muted = false;
}

/* --- what a caller shows --- */

int caller_set_image(struct caller *caller, const char *image, char **cause)
{
    static const struct {
        const char *name;
        struct colour colour;
    } images[] = {{"red", {255, 0, 0}}, {"green", {0, 255, 0}}, {"blue", {0, 0, 255}}};

    for (size_t i = 0; i < sizeof images / sizeof *images; i++) {
        if (strcmp(image, images[i].name) == 0) {
            caller->image = images[i].colour;
            return 0;
        }
    }
    char *shown = utf8_shorten(image, NAME_SHOWN);
    cause_set(cause, "has an image \"red\", \"green\" and \"blue\", but none \"%s\"",
              shown);
    free(shown);
    return -1;
}

bool caller_set_mute(struct caller *caller, bool audio, bool video)
{
    bool was_off = caller->video_muted;

    caller->audio_muted = audio;
    caller->video_muted = video;
    return was_off;
}

/* --- what a caller sees --- */

static const char *take_picture(struct album *album, const struct caller *whom)
{
    return album_take(album, caption(whom), whom->video_muted ? grey : whom->image);
}

static void add_call_members(struct json_object *data, const struct call *call)
{
    char *page_url = xasprintf("%s%s", PAGE_BASE, call->slug);
    char *invite_url = xasprintf("%s%s", page_url, INVITATION);

    json_put_text(data, "page_url", page_url);
    json_put_text(data, "invite_url", invite_url);
    json_put_text(data, "call_name", call->name);
    free(invite_url);
    free(page_url);
}

struct json_object *caller_lobby_data(const struct caller *caller, struct album *album,
                                      char **cause)
{
    if (!is_in_lobby(caller, cause))
        return NULL;
    struct json_object *data = json_new_object();
    json_put_bool(data, "videomuted", caller->video_muted);
    json_put_bool(data, "muted", caller->audio_muted);
    json_put_text(data, "snapshot", take_picture(album, caller));
    add_call_members(data, caller->call);
    return data;
}

/* Somebody as the others see them. */
static struct json_object *make_tile(const struct caller *whom, struct album *album)
{
    struct json_object *tile = json_new_object();

    json_put_text(tile, "caption", caption(whom));
    json_put_bool(tile, "muted", whom->audio_muted);
    json_put_text(tile, "snapshot", take_picture(album, whom));
    json_put_bool(tile, "avatar", whom->video_muted);
    return tile;
}

struct json_object *caller_call_data(const struct caller *caller, struct album *album,
                                     char **cause)
{
    if (!is_in_call(caller, cause))
        return NULL;
    struct json_object *data = json_new_object(), *videos = json_new_array();
    const struct caller *whom;
    TAILQ_FOREACH (whom, &caller->call->joined, entry)
        json_append(videos, make_tile(whom, album));
    json_put(data, "videos", videos);
    add_call_members(data, caller->call);
    return data;
}
