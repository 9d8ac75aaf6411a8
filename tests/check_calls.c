/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that simulated clients take part in, by the actions that they are asked. */
#include "cli/call_actions.h"
#include "fixture.h"
#include "json.h"
#include "xalloc.h"

#include <check.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(table) (int)(sizeof(table) / sizeof *(table))
#define ROOM        "{'call_name': 'tl_chat_1'}"

/* One client, with what it has taken pictures of. */
struct person {
    struct caller *caller; /* owned */
    struct album album;    /* owned */
};

static struct calls *calls;
static struct person alice, bob, carol;

static struct person make_person(void)
{
    return (struct person){.caller = caller_new(calls)};
}

static void drop_person(struct person *person)
{
    album_clear(&person->album);
    caller_free(person->caller);
}

static void setup(void)
{
    calls = calls_new();
    alice = make_person();
    bob = make_person();
    carol = make_person();
}

static void teardown(void)
{
    drop_person(&alice);
    drop_person(&bob);
    drop_person(&carol);
    ck_assert_uint_eq(calls_count(calls), 0);
    calls_free(calls);
}

/* --- doing things --- */

/* Give what the person reports, or NULL with *cause. Owned. */
static struct json_object *try_action(struct person *person, const char *action,
                                      const char *data_text, char **cause)
{
    struct json_object *data = data_text != NULL ? fixture_json(data_text) : NULL;
    struct json_object *report = json_new_object();

    album_clear(&person->album);
    int result =
        call_action_do(person->caller, action, data, report, &person->album, cause);
    ck_assert_int_eq(result < 0, *cause != NULL);
    json_object_put(data);
    if (result == 0)
        return report;
    json_object_put(report);
    return NULL;
}

/* The person can. Owned. */
static struct json_object *ask(struct person *person, const char *action,
                               const char *data)
{
    char *cause = NULL;
    struct json_object *report = try_action(person, action, data, &cause);

    ck_assert_msg(cause == NULL, "%s: %s", action, cause);
    return report;
}

static void act(struct person *person, const char *action, const char *data)
{
    json_object_put(ask(person, action, data));
}

/* The person can't, and says so in these words, among others. */
static void refuse(struct person *person, const char *action, const char *data,
                   const char *words)
{
    char *cause = NULL;
    struct json_object *report = try_action(person, action, data, &cause);

    ck_assert_msg(report == NULL, "%s was done", action);
    ck_assert_msg(strstr(cause, words) != NULL, "\"%s\" does not say \"%s\"", cause,
                  words);
    ck_assert_uint_eq(person->album.count, 0);
    free(cause);
}

/* A member of what the action reports as data, as text. Owned. */
static char *see(struct person *person, const char *action, const char *member)
{
    struct json_object *report = ask(person, action, NULL);
    char *text = xstrdup(json_text(json_member(json_member(report, "data"), member)));

    json_object_put(report);
    return text;
}

/* Both see the same there. */
static void check_same(struct person *one, const char *one_action, struct person *other,
                       const char *other_action, const char *member)
{
    char *ones = see(one, one_action, member);
    char *others = see(other, other_action, member);

    ck_assert_str_eq(ones, others);
    free(ones);
    free(others);
}

/* Follow the invitation that the first sees. */
static void follow(struct person *host, const char *action, struct person *guest,
                   const char *display_name)
{
    struct json_object *data = json_new_object();
    char *url = see(host, action, "invite_url");

    json_put(data, "call_url", json_tokener_parse(url));
    if (display_name != NULL)
        json_put_text(data, "display_name", display_name);
    char *text = xstrdup(json_text(data));
    act(guest, "join_by_url", text);
    free(text);
    free(url);
    json_object_put(data);
}

/* Log both in and bring them into one call. */
static void meet(void)
{
    act(&alice, "register", "{'localpart': 'alice'}");
    act(&bob, "login", "{'localpart': 'bob'}");
    act(&alice, "create_or_join", ROOM);
    follow(&alice, "get_lobby_data", &bob, NULL);
    act(&alice, "lobby_join", NULL);
    act(&bob, "lobby_join", NULL);
}

/* --- looking at pictures --- */

/* The centre of the picture with this name, that has to be in the album. */
static void read_pixel(const struct album *album, const char *name, png_byte pixel[4])
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    size_t i = 0;

    while (i < album->count && strcmp(album->pictures[i].name, name) != 0)
        i++;
    ck_assert_msg(i < album->count, "there is no picture %s", name);
    ck_assert(png_image_begin_read_from_memory(&image, album->pictures[i].bytes,
                                               album->pictures[i].size));
    ck_assert_uint_eq(image.format, PNG_FORMAT_RGBA);
    png_byte *pixels = xmalloc(PNG_IMAGE_SIZE(image));
    ck_assert(png_image_finish_read(&image, NULL, pixels, 0, NULL));
    memcpy(pixel, pixels + 4 * (image.height / 2 * image.width + image.width / 2), 4);
    free(pixels);
}

/* What the person sees: "alice red, bob grey muted" in the order of the tiles. */
static void check_tiles(struct person *person, const char *expected)
{
    static const char *const names[] = {"grey", "red", "green", "blue"};
    static const png_byte colours[][4] = {
        {128, 128, 128, 255}, {255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}};
    struct json_object *report = ask(person, "get_call_data", NULL);
    struct json_object *videos = json_member(json_member(report, "data"), "videos");
    struct json_object *files = json_member(report, "_upload_files");
    char *seen = NULL;
    size_t size, count = json_object_array_length(videos);
    FILE *out = open_memstream(&seen, &size);

    ck_assert_int_eq(json_object_object_length(files), (int)count);
    for (size_t i = 0; i < count; i++) {
        struct json_object *tile = json_object_array_get_idx(videos, i);
        const char *snapshot = json_member_text(tile, "snapshot");
        png_byte pixel[4];
        int colour = 0;
        ck_assert_ptr_nonnull(json_member(files, snapshot));
        read_pixel(&person->album, snapshot, pixel);
        while (colour < ROWS(colours) && memcmp(colours[colour], pixel, 4) != 0)
            colour++;
        ck_assert_int_lt(colour, ROWS(colours));
        fprintf(out, "%s%s %s", i > 0 ? ", " : "", json_member_text(tile, "caption"),
                names[colour]);
        if (json_object_get_boolean(json_member(tile, "muted")))
            fputs(" muted", out);
        if (json_object_get_boolean(json_member(tile, "avatar")))
            fputs(" avatar", out);
    }
    fclose(out);
    ck_assert_str_eq(seen, expected);
    free(seen);
    json_object_put(report);
}

/* --- tests --- */

START_TEST(two_meet_and_see_each_other)
{
    meet();
    check_tiles(&alice, "alice grey, bob grey");
    act(&alice, "set_video_image", "{'image': 'blue'}");
    act(&bob, "set_video_image", "{'image': 'red'}");
    check_tiles(&alice, "alice blue, bob red");
    check_tiles(&bob, "alice blue, bob red");
    act(&alice, "set_video_image", "{'image': 'green'}");
    check_tiles(&bob, "alice green, bob red");
    refuse(&alice, "set_video_image", "{'image': 'pink'}", "none \"pink\"");
}
END_TEST

START_TEST(urls_and_names_are_the_same_for_all)
{
    static const char *const members[] = {"page_url", "invite_url", "call_name"};

    act(&alice, "register", "{'localpart': 'alice'}");
    act(&bob, "register", "{'username': 'bob'}");
    act(&alice, "create_or_join", "{'call_name': 'a/b ?&#%2F \\u00e9'}");
    follow(&alice, "get_lobby_data", &bob, NULL);
    for (int i = 0; i < ROWS(members); i++)
        check_same(&alice, "get_lobby_data", &bob, "get_lobby_data", members[i]);
    act(&alice, "lobby_join", NULL);
    for (int i = 0; i < ROWS(members); i++)
        check_same(&alice, "get_call_data", &bob, "get_lobby_data", members[i]);
    char *name = see(&bob, "get_lobby_data", "call_name");
    ck_assert_str_eq(name, "\"a/b ?&#%2F \xc3\xa9\"");
    free(name);
    ck_assert_uint_eq(calls_count(calls), 1);
}
END_TEST

START_TEST(a_call_is_made_once)
{
    struct json_object *report;

    act(&alice, "register", "{'localpart': 'alice'}");
    report = ask(&alice, "create_or_join", ROOM);
    ck_assert_str_eq(json_text(report), "{\"existing\":false}");
    json_object_put(report);
    report =
        ask(&bob, "create_or_join", "{'call_name': 'tl_chat_1', 'display_name': 'bob'}");
    ck_assert_str_eq(json_text(report), "{\"existing\":true}");
    json_object_put(report);
    check_same(&alice, "get_lobby_data", &bob, "get_lobby_data", "page_url");
}
END_TEST

START_TEST(calls_do_not_hear_of_each_other)
{
    meet();
    act(&carol, "register", "{'localpart': 'alice'}");
    act(&carol, "create_or_join", "{'call_name': 'tl_chat_2'}");
    act(&carol, "lobby_join", NULL);
    act(&carol, "set_video_image", "{'image': 'red'}");
    check_tiles(&carol, "alice red");
    check_tiles(&bob, "alice grey, bob grey");
    ck_assert_uint_eq(calls_count(calls), 2);
}
END_TEST

START_TEST(who_leaves_can_come_back_under_another_name)
{
    meet();
    act(&bob, "leave_call", NULL);
    check_tiles(&alice, "alice grey");
    refuse(&bob, "leave_call", NULL, "is in no call");
    refuse(&bob, "get_call_data", NULL, "is in no call");
    follow(&alice, "get_call_data", &bob, NULL);
    act(&bob, "lobby_join", NULL);
    act(&bob, "set_display_name", "{'display_name': 'bob2'}");
    check_tiles(&alice, "alice grey, bob2 grey");
}
END_TEST

START_TEST(a_killed_page_is_out_of_the_call_and_still_logged_in)
{
    meet();
    act(&bob, "set_video_image", "{'image': 'red'}");
    act(&bob, "recreate", "{'unload_hooks': false}");
    check_tiles(&alice, "alice grey");
    refuse(&bob, "lobby_join", NULL, "is in no lobby");
    follow(&alice, "get_call_data", &bob, NULL);
    act(&bob, "lobby_join", NULL);
    check_tiles(&alice, "alice grey, bob grey");
}
END_TEST

START_TEST(guests_bring_their_names)
{
    refuse(&alice, "create_or_join", ROOM, "nobody is logged in");
    refuse(&alice, "set_display_name", "{'display_name': 'x'}", "nobody is logged in");
    act(&alice, "create_or_join", "{'call_name': 'tl_chat_1', 'display_name': 'al'}");
    follow(&alice, "get_lobby_data", &bob, "bo");
    act(&alice, "lobby_join", NULL);
    act(&bob, "lobby_join", NULL);
    check_tiles(&bob, "al grey, bo grey");
    follow(&bob, "get_call_data", &bob, NULL); /* the page knows him */
    act(&bob, "recreate", NULL);
    refuse(&bob, "create_or_join", ROOM, "nobody is logged in");
}
END_TEST

START_TEST(who_is_logged_in_is_no_guest)
{
    act(&alice, "login", "{'localpart': 'user_alice'}");
    act(&alice, "create_or_join", "{'call_name': 'tl_chat_1', 'display_name': 'other'}");
    act(&alice, "lobby_join", NULL);
    check_tiles(&alice, "user_alice grey");
    act(&alice, "logout", NULL);
    refuse(&alice, "get_call_data", NULL, "is in no call");
    refuse(&alice, "create_or_join", ROOM, "nobody is logged in");
}
END_TEST

START_TEST(the_lobby_is_not_the_call)
{
    meet();
    refuse(&alice, "get_lobby_data", NULL, "is in the call already");
    refuse(&alice, "lobby_join", NULL, "is in the call already");
    act(&alice, "reload", NULL);
    refuse(&alice, "get_call_data", NULL, "still in the lobby");
    check_tiles(&bob, "bob grey");
    act(&alice, "lobby_join", NULL);
    check_tiles(&bob, "bob grey, alice grey");
    act(&bob, "create_or_join", "{'call_name': 'elsewhere'}");
    check_tiles(&alice, "alice grey");
}
END_TEST

START_TEST(mutes_are_seen)
{
    struct json_object *report;

    meet();
    act(&alice, "set_video_image", "{'image': 'blue'}");
    report = ask(&alice, "set_mute", "{'audio_mute': true, 'video_mute': true}");
    ck_assert_str_eq(json_text(report), "{\"data\":{\"was_video_muted\":false}}");
    json_object_put(report);
    check_tiles(&bob, "alice grey muted avatar, bob grey");
    report = ask(&alice, "set_mute", "{'audio_mute': true, 'video_mute': false}");
    ck_assert_str_eq(json_text(report), "{\"data\":{\"was_video_muted\":true}}");
    json_object_put(report);
    check_tiles(&bob, "alice blue muted, bob grey");
}
END_TEST

START_TEST(names_of_pictures_are_safe_and_never_the_same)
{
    char *names[3];

    act(&alice, "register", "{'localpart': '../\\u00e9\\n\\\\'}");
    act(&alice, "create_or_join", ROOM);
    for (int i = 0; i < ROWS(names); i++)
        names[i] = see(&alice, "get_lobby_data", "snapshot");
    ck_assert_str_eq(names[0], "\"1________.png\"");
    ck_assert_str_eq(names[1], "\"2________.png\"");
    ck_assert_str_eq(names[2], "\"3________.png\"");
    for (int i = 0; i < ROWS(names); i++)
        free(names[i]);
}
END_TEST

START_TEST(a_call_lasts_as_long_as_it_is_remembered)
{
    char *url;

    meet();
    url = see(&alice, "get_call_data", "invite_url");
    caller_forget(alice.caller);
    check_tiles(&bob, "bob grey");
    act(&bob, "leave_call", NULL);
    ck_assert_uint_eq(calls_count(calls), 1);
    caller_forget(bob.caller);
    ck_assert_uint_eq(calls_count(calls), 0);
    act(&bob, "login", "{'localpart': 'bob'}");
    refuse(&bob, "join_by_url", "{'call_url': 'http://call.example/room/#tl_chat_1'}",
           "no call of this simulation");
    refuse(&bob, "join_by_url", "{'call_url': ''}", "no call of this simulation");
    free(url);
}
END_TEST

START_TEST(what_is_missing_is_named)
{
    act(&alice, "register", NULL);
    refuse(&alice, "create_or_join", "{'call_name': 5}", "has no call_name");
    refuse(&alice, "join_by_url", NULL, "has no call_url");
    refuse(&alice, "set_video_image", "{}", "has no image");
    act(&alice, "proxyTo", "{'url': 'x'}"); /* means nothing here */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("calls");
    TCase *tcase = tcase_create("calls");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, two_meet_and_see_each_other);
    tcase_add_test(tcase, urls_and_names_are_the_same_for_all);
    tcase_add_test(tcase, a_call_is_made_once);
    tcase_add_test(tcase, calls_do_not_hear_of_each_other);
    tcase_add_test(tcase, who_leaves_can_come_back_under_another_name);
    tcase_add_test(tcase, a_killed_page_is_out_of_the_call_and_still_logged_in);
    tcase_add_test(tcase, guests_bring_their_names);
    tcase_add_test(tcase, who_is_logged_in_is_no_guest);
    tcase_add_test(tcase, the_lobby_is_not_the_call);
    tcase_add_test(tcase, mutes_are_seen);
    tcase_add_test(tcase, names_of_pictures_are_safe_and_never_the_same);
    tcase_add_test(tcase, a_call_lasts_as_long_as_it_is_remembered);
    tcase_add_test(tcase, what_is_missing_is_named);
    suite_add_tcase(suite, tcase);
    return fixture_run(suite);
}
