/* SPDX-License-Identifier: Apache-2.0 */
/* What a person who is a client is in, and the files of that. */
#include "pages_manual_part.h"

#include "json.h"
#include "pages_form.h"
#include "pages_parts.h"
#include "pages_text.h"

#include <stdbool.h>
#include <stdlib.h>

static void open_fact(struct markup *markup, const char *what)
{
    markup_element(markup, "dt", what, NULL);
    markup_open(markup, "dd", NULL);
}

static void put_others(struct markup *markup, struct json_object *part)
{
    size_t count = text_count(part, "others");

    if (count == 0)
        return;
    open_fact(markup, "The others");
    markup_open(markup, "ul", "class", "roles", NULL);
    for (size_t i = 0; i < count; i++) {
        struct json_object *other = text_element(part, "others", i);
        const char *action = text_member(other, "action");
        markup_open(markup, "li", NULL);
        text_put_in(markup, "b", NULL, text_member(other, "role"));
        markup_text(markup, " ");
        text_put(markup, text_member(other, "type"), TEXT_BOARD_BYTES);
        markup_text(markup, " ");
        if (*action != '\0')
            text_put_in(markup, "span", "doing", action);
        markup_close(markup);
    }
    markup_close(markup);
    markup_close(markup);
}

static void put_test(struct markup *markup, struct json_object *part)
{
    bool has_ended = part_state_is_end(part_state(text_member(part, "state")));
    const char *machine = has_ended ? "" : text_member(part, "machine");

    open_fact(markup, "The test");
    part_open_link(markup, text_member(part, "case"), "status");
    text_put(markup, text_member(part, "test"), TEXT_BOARD_BYTES);
    markup_close(markup);
    markup_text(markup, " ");
    text_put(markup, text_member(part, "description"), 0);
    markup_close(markup);
    if (*machine == '\0')
        return;
    open_fact(markup, "It is at");
    text_put_in(markup, "code", NULL, machine);
    markup_close(markup);
}

void manual_put_part(struct markup *markup, struct json_object *playing)
{
    struct json_object *part = json_member(playing, "part");
    const char *version = text_member(json_member(playing, "registration"), "version");

    markup_open(markup, "div", "id", "part", NULL);
    markup_element(markup, "h2", "Your part", NULL);
    markup_open(markup, "dl", "class", "facts", NULL);
    if (part != NULL) {
        open_fact(markup, "You are");
        text_put_in(markup, "b", NULL, text_member(part, "role"));
        markup_close(markup);
    }
    open_fact(markup, "With");
    text_put(markup, text_member(playing, "type"), TEXT_BOARD_BYTES);
    markup_text(markup, " ");
    text_put(markup, version, TEXT_BOARD_BYTES);
    markup_close(markup);
    if (part != NULL) {
        put_test(markup, part);
        put_others(markup, part);
    }
    markup_close(markup);
    markup_close(markup);
}

void manual_put_files(struct markup *markup, struct json_object *playing)
{
    struct json_object *part = json_member(playing, "part");
    size_t count = text_count(part, "files");

    markup_open(markup, "div", "id", "files", NULL);
    markup_element(markup, "h2", "Files", NULL);
    markup_open(markup, "ul", "class", "files", NULL);
    for (size_t i = 0; i < count; i++) {
        char *segment = text_segment(text_member(part, "case"));
        const char *name = json_object_get_string(text_element(part, "files", i));
        char *file = text_segment(name);
        markup_open(markup, "li", NULL);
        markup_open(markup, "a", NULL);
        markup_attributef(markup, "href", "/status/%s/files/%s", segment, file);
        text_put(markup, name, 0);
        markup_close(markup);
        markup_close(markup);
        free(file);
        free(segment);
    }
    markup_close(markup);
    form_open(markup, text_member(playing, "id"), "upload", "multipart/form-data");
    markup_open(markup, "div", "class", "field", NULL);
    markup_element(markup, "label", "A screenshot, a log, a video", "for", "file", NULL);
    markup_open(markup, "input", "type", "file", "id", "file", "name", "file", "multiple",
                "multiple", "required", "required", NULL);
    markup_close(markup);
    markup_close(markup);
    form_put_button(markup, NULL, NULL, NULL, "Upload");
    markup_close(markup);
    markup_close(markup);
}
