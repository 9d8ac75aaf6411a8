/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person who is a client is to do now. The page is made of blocks with ids below
 * #manual, always in the same order: src/web/manual.js exchanges those that changed, so
 * what a person has begun to write stays.
 */
#include "pages.h"

#include "json.h"
#include "pages_form.h"
#include "pages_manual_part.h"
#include "pages_manual_task.h"
#include "pages_parts.h"
#include "pages_text.h"
#include "xalloc.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define TITLE_BYTES 80

enum standing {
    IS_WAITING, /* there is nothing to do now */
    IS_ASKED,   /* to do something */
    IS_OVER,    /* and told to exit */
};

static enum standing standing_of(struct json_object *playing)
{
    const char *action = text_member(json_member(playing, "poll"), "action");

    return strcmp(action, "idle") == 0   ? IS_WAITING
           : strcmp(action, "exit") == 0 ? IS_OVER
                                         : IS_ASKED;
}

/* Why there is nothing to do, or why all is over. */
static const char *reason_of(struct json_object *playing)
{
    return text_member(json_member(json_member(playing, "poll"), "data"), "reason");
}

static enum part_state state_of(struct json_object *playing)
{
    return part_state(text_member(json_member(playing, "part"), "state"));
}

/* --- the frame --- */

/* Green: go on; amber: wait; and at the end, how it ended. */
static unsigned lights_of(struct json_object *playing)
{
    switch (standing_of(playing)) {
    case IS_ASKED:
        return PART_GREEN;
    case IS_WAITING:
        return PART_AMBER;
    default:
        return state_of(playing) == PART_SUCCESS ? PART_GREEN : PART_RED;
    }
}

/* A sentence with a capital at its beginning. Owned. */
static char *capital(const char *text)
{
    char *sentence = xstrdup(text);

    sentence[0] = (char)toupper((unsigned char)sentence[0]);
    return sentence;
}

/* What goes on, in a few words. Owned. */
static char *words_of(struct json_object *playing)
{
    switch (standing_of(playing)) {
    case IS_ASKED:
        return task_sentence(playing);
    case IS_WAITING:
        return capital(reason_of(playing));
    default:
        return xstrdup("You are done");
    }
}

/* When a browser without scripts asks again. What a person writes must not be lost, so of
 * a task only the time-out is worth a look; and what answers a form can't be asked for
 * again. */
static unsigned refresh_of(struct json_object *playing)
{
    size_t left = text_amount(json_member(playing, "task"), "left");

    if (*text_member(playing, "notice") != '\0')
        return 0;
    switch (standing_of(playing)) {
    case IS_WAITING:
        return PART_SOON;
    case IS_ASKED:
        return (unsigned)left + 2;
    default:
        return 0;
    }
}

static struct markup *begin(struct json_object *playing)
{
    static const char *const signs[] = {"…", "▶", "■"};
    enum standing standing = standing_of(playing);
    char *words = words_of(playing);
    char *brief = text_visible(words, TITLE_BYTES);
    char *title = xasprintf("%s %s – trafficlight", signs[standing], brief);
    struct part_frame frame = {
        .title = title, .lights = lights_of(playing), .view = PART_MANUAL};

    frame.refresh = refresh_of(playing);
    struct markup *markup = part_begin_scripted(&frame, "manual.js");
    free(title);
    free(brief);
    free(words);
    return markup;
}

/* --- blocks --- */

static void open_block(struct markup *markup, const char *id)
{
    markup_open(markup, "div", "id", id, NULL);
}

static void put_notice(struct markup *markup, struct json_object *playing)
{
    const char *notice = text_member(playing, "notice");

    if (*notice == '\0')
        return;
    char *segment = text_segment(text_member(playing, "id"));
    open_block(markup, "notice");
    markup_open(markup, "p", "class", "alert", "role", "alert", NULL);
    markup_text(markup, "That was not taken: ");
    text_put(markup, notice, 0);
    markup_text(markup, " ");
    markup_open(markup, "a", NULL);
    markup_attributef(markup, "href", "/manual/%s", segment);
    markup_text(markup, "Go on");
    markup_close(markup);
    markup_close(markup);
    markup_close(markup);
    free(segment);
}

static void put_heading(struct markup *markup, struct json_object *playing)
{
    static const char *const kickers[] = {"Please wait", "Do this now", "The end"};
    enum standing standing = standing_of(playing);
    char *words = words_of(playing);

    open_block(markup, "now");
    markup_element(markup, "p", kickers[standing], "class", "kicker", NULL);
    markup_open(markup, "h1", "tabindex", "-1", NULL);
    if (standing == IS_ASKED)
        task_put_sentence(markup, playing);
    else
        text_put(markup, words, 0);
    markup_close(markup);
    markup_close(markup);
    free(words);
}

static void put_clock(struct markup *markup, struct json_object *playing)
{
    size_t left = text_amount(json_member(playing, "task"), "left");
    char *time = text_duration((double)left);

    open_block(markup, "clock");
    markup_open(markup, "p", "class", "clock", NULL);
    markup_open(markup, "span", NULL);
    markup_attributef(markup, "data-left", "%zu", left);
    markup_text(markup, time);
    markup_close(markup);
    markup_text(markup, " left · ");
    text_put_in(markup, "code", NULL,
                text_member(json_member(playing, "poll"), "action"));
    markup_close(markup);
    markup_close(markup);
    free(time);
}

/* Cases that this client could play in, and what they wait for. */
static void put_waits(struct markup *markup, struct json_object *playing)
{
    size_t count = text_count(playing, "waits");

    open_block(markup, "waits");
    markup_element(markup, "p",
                   "Keep this page open, and your screen on: who is not heard of for a "
                   "while is forgotten.",
                   "class", "about", NULL);
    if (count == 0)
        markup_element(
            markup, "p",
            "No case waits for a client of your kind now. If a run begins that "
            "has one, you are in it.",
            "class", "notice", NULL);
    else
        markup_element(markup, "h2", "What waits for you, and for others", NULL);
    markup_open(markup, "ul", "class", "waits", NULL);
    for (size_t i = 0; i < count; i++) {
        struct json_object *one = text_element(playing, "waits", i);
        markup_open(markup, "li", NULL);
        part_open_link(markup, text_member(one, "id"), "status");
        text_put(markup, text_member(one, "test"), TEXT_BOARD_BYTES);
        markup_close(markup);
        markup_text(markup, " ");
        text_put_words(markup, text_member(one, "name"), TEXT_BOARD_BYTES);
        markup_open(markup, "span", "class", "hint", NULL);
        text_put(markup, text_member(one, "message"), TEXT_BOARD_BYTES);
        markup_close(markup);
        markup_close(markup);
    }
    markup_close(markup);
    markup_close(markup);
}

/* Whose turn it is while this client has nothing to do. */
static void put_turns(struct markup *markup, struct json_object *playing)
{
    struct json_object *part = json_member(playing, "part");
    bool somebody_acts = false;

    open_block(markup, "turns");
    for (size_t i = 0; i < text_count(part, "others"); i++) {
        struct json_object *other = text_element(part, "others", i);
        char *words = task_words(text_member(other, "action"));
        if (*words != '\0') {
            somebody_acts = true;
            markup_open(markup, "p", NULL);
            markup_text(markup, "It is the turn of ");
            text_put_in(markup, "b", NULL, text_member(other, "role"));
            markup_text(markup, ": ");
            text_put(markup, words, TEXT_BOARD_BYTES);
            markup_close(markup);
        }
        free(words);
    }
    if (!somebody_acts)
        markup_element(markup, "p", "It is the server's turn.", NULL);
    markup_close(markup);
}

static void put_end(struct markup *markup, struct json_object *playing)
{
    struct json_object *part = json_member(playing, "part");
    struct json_object *registration = json_member(playing, "registration");

    open_block(markup, "end");
    markup_open(markup, "p", "class", "reason", NULL);
    if (part != NULL) {
        part_lamp(markup, state_of(playing));
        markup_text(markup, " ");
    }
    text_put(markup, reason_of(playing), 0);
    markup_close(markup);
    markup_open(markup, "form", "method", "post", "action", "/manual", "class", "again",
                NULL);
    form_put_hidden(markup, "id", text_member(playing, "next"));
    form_put_hidden(markup, "type", text_member(playing, "type"));
    form_put_hidden(markup, "version", text_member(registration, "version"));
    form_put_hidden(markup, "name", text_member(registration, "name"));
    form_put_button(markup, "primary", NULL, NULL, "Join again");
    markup_close(markup);
    markup_open(markup, "p", NULL);
    markup_element(markup, "a", "As another kind of client", "href", "/manual", NULL);
    markup_close(markup);
    markup_close(markup);
}

/* --- all of it --- */

static void put_leaving(struct markup *markup, struct json_object *playing)
{
    open_block(markup, "leave");
    markup_open(markup, "details", NULL);
    markup_element(markup, "summary", "Leave", NULL);
    form_open(markup, text_member(playing, "id"), "leave", NULL);
    markup_element(markup, "p",
                   json_member(playing, "part") != NULL
                       ? "The case ends as an error, for the others, too."
                       : "No case has begun with you: nobody is held up.",
                   "class", "hint", NULL);
    form_put_button(markup, "danger", NULL, NULL, "Leave now");
    markup_close(markup);
    markup_close(markup);
    markup_close(markup);
}

static void open_manual(struct markup *markup, struct json_object *playing)
{
    static const char *const words[] = {"waiting", "asked", "over"};
    enum standing standing = standing_of(playing);
    char *segment = text_segment(text_member(playing, "id"));

    markup_element(markup, "p", "", "id", "news", "class", "spoken", "role", "status",
                   NULL);
    markup_open(markup, "div", "id", "manual", "data-standing", words[standing], NULL);
    markup_attributef(markup, "data-page", "/manual/%s", segment);
    markup_attributef(markup, "data-poll", "/client/%s/poll?wait=5", segment);
    form_put_value(markup, "data-delivery",
                   text_member(json_member(playing, "poll"), "id"));
    free(segment);
}

char *pages_manual(struct json_object *playing, size_t *size)
{
    enum standing standing = standing_of(playing);
    struct markup *markup = begin(playing);

    open_manual(markup, playing);
    put_notice(markup, playing);
    put_heading(markup, playing);
    if (standing == IS_ASKED) {
        put_clock(markup, playing);
        open_block(markup, "task");
        task_put(markup, playing);
        markup_close(markup);
    } else if (standing == IS_OVER) {
        put_end(markup, playing);
    } else if (json_member(playing, "part") != NULL) {
        put_turns(markup, playing);
    } else {
        put_waits(markup, playing);
    }
    if (standing != IS_WAITING && json_member(playing, "part") != NULL)
        manual_put_files(markup, playing);
    manual_put_part(markup, playing);
    if (standing != IS_OVER)
        put_leaving(markup, playing);
    markup_close(markup);
    return part_finish(markup, NULL, size);
}
