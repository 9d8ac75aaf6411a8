/* SPDX-License-Identifier: Apache-2.0 */
/* What actions do in the video calls of a simulation. */
#include "call_actions.h"

#include "json.h"
#include "xalloc.h"

#include <string.h>

/* One action that is being done. */
struct doing {
    struct caller *caller;      /* who does it; borrowed */
    struct json_object *data;   /* of the action, an object or NULL; borrowed */
    struct json_object *report; /* of it; borrowed */
    struct album *album;        /* of pictures that the report names; borrowed */
};

/* A member of the data that the action can't do without. */
static const char *needed(const struct doing *doing, const char *name, char **cause)
{
    const char *text = json_member_text(doing->data, name);

    if (text == NULL)
        cause_set(cause, "the data has no %s", name);
    return text;
}

static const char *display_name(const struct doing *doing)
{
    return json_member_text(doing->data, "display_name");
}

/* --- who it is --- */

static int do_log_in(const struct doing *doing, char **cause)
{
    const char *name = json_member_text(doing->data, "localpart");

    (void)cause;
    if (name == NULL)
        name = json_member_text(doing->data, "username");
    caller_log_in(doing->caller, name != NULL ? name : "somebody");
    return 0;
}

static int do_log_out(const struct doing *doing, char **cause)
{
    (void)cause;
    caller_log_out(doing->caller);
    return 0;
}

static int do_set_display_name(const struct doing *doing, char **cause)
{
    const char *name = needed(doing, "display_name", cause);

    return name != NULL ? caller_set_display_name(doing->caller, name, cause) : -1;
}

/* --- into and out of calls --- */

static int do_create_or_join(const struct doing *doing, char **cause)
{
    const char *name = needed(doing, "call_name", cause);
    bool existing = false;

    if (name == NULL || caller_create_or_join(doing->caller, name, display_name(doing),
                                              &existing, cause) < 0)
        return -1;
    json_put_bool(doing->report, "existing", existing);
    return 0;
}

static int do_join_by_url(const struct doing *doing, char **cause)
{
    const char *url = needed(doing, "call_url", cause);

    return url != NULL
               ? caller_join_by_url(doing->caller, url, display_name(doing), cause)
               : -1;
}

static int do_lobby_join(const struct doing *doing, char **cause)
{
    return caller_join(doing->caller, cause);
}

static int do_leave_call(const struct doing *doing, char **cause)
{
    return caller_leave(doing->caller, cause);
}

static int do_reload(const struct doing *doing, char **cause)
{
    (void)cause;
    caller_reload(doing->caller);
    return 0;
}

static int do_recreate(const struct doing *doing, char **cause)
{
    (void)cause;
    caller_recreate(doing->caller);
    return 0;
}

/* --- what it shows and sees --- */

static int do_set_video_image(const struct doing *doing, char **cause)
{
    const char *image = needed(doing, "image", cause);

    return image != NULL ? caller_set_image(doing->caller, image, cause) : -1;
}

static int do_set_mute(const struct doing *doing, char **cause)
{
    struct json_object *data = json_new_object();
    bool audio = json_object_get_boolean(json_member(doing->data, "audio_mute"));
    bool video = json_object_get_boolean(json_member(doing->data, "video_mute"));

    (void)cause;
    json_put_bool(data, "was_video_muted", caller_set_mute(doing->caller, audio, video));
    json_put(doing->report, "data", data);
    return 0;
}

/* The data that a report carries, with the list of what is uploaded along with it: the
 * path of each file by its name. Takes the data, which may be NULL. */
static int add_seen(const struct doing *doing, struct json_object *data)
{
    struct json_object *files = json_new_object();

    for (size_t i = 0; i < doing->album->count; i++)
        json_put_text(files, doing->album->pictures[i].name,
                      doing->album->pictures[i].name);
    if (data != NULL) {
        json_put(doing->report, "data", data);
        json_put(doing->report, "_upload_files", files);
        return 0;
    }
    json_object_put(files);
    return -1;
}

static int do_get_lobby_data(const struct doing *doing, char **cause)
{
    return add_seen(doing, caller_lobby_data(doing->caller, doing->album, cause));
}

static int do_get_call_data(const struct doing *doing, char **cause)
{
    return add_seen(doing, caller_call_data(doing->caller, doing->album, cause));
}

static const struct {
    const char *name;
    int (*run)(const struct doing *doing, char **cause);
} actions[] = {
    {"register", do_log_in},
    {"login", do_log_in},
    {"logout", do_log_out},
    {"set_display_name", do_set_display_name},
    {"create_or_join", do_create_or_join},
    {"join_by_url", do_join_by_url},
    {"get_lobby_data", do_get_lobby_data},
    {"lobby_join", do_lobby_join},
    {"get_call_data", do_get_call_data},
    {"leave_call", do_leave_call},
    {"set_video_image", do_set_video_image},
    {"set_mute", do_set_mute},
    {"reload", do_reload},
    {"recreate", do_recreate},
};

int call_action_do(struct caller *caller, const char *action, struct json_object *data,
                   struct json_object *report, struct album *album, char **cause)
{
    const struct doing doing = {caller, data, report, album};

    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (strcmp(action, actions[i].name) == 0)
            return actions[i].run(&doing, cause);
    }
    return 0;
}
