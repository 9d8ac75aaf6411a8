/* SPDX-License-Identifier: Apache-2.0 */
/* Where a person becomes a client. */
#include "pages.h"

#include "json.h"
#include "pages_form.h"
#include "pages_parts.h"
#include "pages_text.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define WANTED_SHOWN 40 /* client types to choose from */

/* "2 cases wait for it", in the words of what is lacking. */
static void put_need(struct markup *markup, struct json_object *want)
{
    size_t cases = text_amount(want, "cases"), lacking = text_amount(want, "lacking");

    markup_open(markup, "span", "class", "hint", NULL);
    markup_textf(markup, "%zu %s", cases, cases == 1 ? "case waits" : "cases wait");
    if (lacking > 1)
        markup_textf(markup, " for it, %zu are lacking", lacking);
    else
        markup_text(markup, lacking == 1 ? " for it, one is lacking"
                                         : ", but one is there already");
    json_object_object_foreach (json_member(want, "match"), member, glob) {
        markup_text(markup, "; its ");
        text_put(markup, member, 0);
        markup_text(markup, " must be like ");
        text_put_in(markup, "code", NULL, json_object_get_string(glob));
    }
    markup_close(markup);
}

/* One type to choose; several client types may register as the same. */
static void put_choice(struct markup *markup, struct json_object *want, size_t number,
                       bool is_chosen)
{
    markup_open(markup, "div", "class", "choice", NULL);
    markup_open(markup, "input", "type", "radio", "name", "type", "checked",
                is_chosen ? "checked" : NULL, NULL);
    markup_attributef(markup, "id", "type%zu", number);
    form_put_value(markup, "value", text_member(want, "type"));
    markup_close(markup);
    markup_open(markup, "label", NULL);
    markup_attributef(markup, "for", "type%zu", number);
    text_put_in(markup, "strong", NULL, text_member(want, "name"));
    put_need(markup, want);
    markup_close(markup);
    markup_close(markup);
}

/* Which of the wanted types is chosen at first: the one that was sent, else the first. */
static size_t chosen(struct json_object *document)
{
    const char *sent = text_member(json_member(document, "given"), "type");
    size_t count = text_count(document, "wanted");

    for (size_t i = 0; *sent != '\0' && i < count && i < WANTED_SHOWN; i++) {
        if (strcmp(text_member(text_element(document, "wanted", i), "type"), sent) == 0)
            return i;
    }
    return 0;
}

static void put_types(struct markup *markup, struct json_object *document)
{
    struct json_object *given = json_member(document, "given");
    size_t count = text_count(document, "wanted");
    size_t first = chosen(document);

    markup_open(markup, "fieldset", NULL);
    markup_element(markup, "legend", "What kind of client have you got?", NULL);
    for (size_t i = 0; i < count && i < WANTED_SHOWN; i++)
        put_choice(markup, text_element(document, "wanted", i), i, i == first);
    if (count > WANTED_SHOWN) {
        markup_open(markup, "p", "class", "more", NULL);
        markup_textf(markup, "%zu more kinds are wanted, too: see ",
                     count - WANTED_SHOWN);
        markup_element(markup, "a", "the board", "href", "/status", NULL);
        markup_close(markup);
    }
    form_put_line(markup, "other", count > 0 ? "Or another kind" : "Its kind",
                  "as tests name it, for example element-web",
                  text_member(given, "other"), "kinds");
    markup_open(markup, "datalist", "id", "kinds", NULL);
    json_object_object_foreach (json_member(document, "known"), type, is_known) {
        (void)is_known;
        markup_open(markup, "option", NULL);
        form_put_value(markup, "value", type);
        markup_close(markup);
    }
    markup_close(markup);
    markup_close(markup);
}

static void put_form(struct markup *markup, struct json_object *document)
{
    struct json_object *given = json_member(document, "given");

    markup_open(markup, "form", "method", "post", "action", "/manual", "class", "join",
                NULL);
    form_put_hidden(markup, "id", text_member(document, "id"));
    put_types(markup, document);
    form_put_line(markup, "version", "Its version", "if you know it",
                  text_member(given, "version"), NULL);
    form_put_line(markup, "name", "Your name", "so that others know who plays",
                  text_member(given, "name"), NULL);
    form_put_button(markup, "primary", NULL, NULL, "Join");
    markup_close(markup);
}

static void put_notice(struct markup *markup, struct json_object *document)
{
    const char *notice = text_member(document, "notice");

    if (*notice == '\0')
        return;
    markup_open(markup, "p", "class", "alert", "role", "alert", NULL);
    text_put(markup, notice, 0);
    markup_close(markup);
}

char *pages_manual_join(struct json_object *document, size_t *size)
{
    struct part_frame frame = {.title = "Take part by hand – trafficlight",
                               .view = PART_MANUAL};
    struct markup *markup = part_begin_scripted(&frame, "manual.js");
    bool going = json_object_get_boolean(json_member(document, "going"));

    markup_element(markup, "h1", "Take part by hand", NULL);
    put_notice(markup, document);
    markup_element(markup, "p",
                   "You are the client: take a phone, a desktop app, or whatever has no "
                   "adapter. You are told step by step what to do with it, and say what "
                   "came of it.",
                   "class", "about", NULL);
    if (!going)
        markup_element(markup, "p",
                       "No run is going now. You can join and wait for the next one.",
                       "class", "notice", NULL);
    else if (text_count(document, "wanted") == 0)
        markup_element(markup, "p",
                       "No case waits for a client now. You can join all the same, and "
                       "wait for one that does.",
                       "class", "notice", NULL);
    put_form(markup, document);
    return part_finish(markup, NULL, size);
}

char *pages_manual_gone(struct json_object *nothing, size_t *size)
{
    struct part_frame frame = {.title = "Not taking part – trafficlight",
                               .lights = PART_RED,
                               .view = PART_MANUAL};
    struct markup *markup = part_begin(&frame);

    (void)nothing;
    markup_element(markup, "h1", "Nobody takes part here", NULL);
    markup_element(
        markup, "p",
        "Nobody plays a client by hand under this address, or not any more: who "
        "waits for a test and closes the page, or lets the phone sleep, is "
        "forgotten after a while, and so are runs that ended.",
        "class", "about", NULL);
    markup_open(markup, "p", NULL);
    markup_element(markup, "a", "Join again", "href", "/manual", "class",
                   "button primary", NULL);
    markup_close(markup);
    return part_finish(markup, NULL, size);
}
