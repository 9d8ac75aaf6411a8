/* SPDX-License-Identifier: Apache-2.0 */
/* The dictionary of actions, for people who write tests or adapters. */
#include "pages.h"

#include "json.h"
#include "pages_parts.h"
#include "pages_text.h"

/* The members of an array as a list in a row. */
static void put_words(struct markup *markup, struct json_object *words)
{
    size_t count =
        json_object_is_type(words, json_type_array) ? json_object_array_length(words) : 0;

    if (count == 0)
        text_put_none(markup);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            markup_text(markup, ", ");
        text_put_in(markup, "code", NULL,
                    json_object_get_string(json_object_array_get_idx(words, i)));
    }
}

static void put_row(struct markup *markup, const char *what, struct json_object *words)
{
    markup_open(markup, "p", NULL);
    markup_textf(markup, "%s: ", what);
    put_words(markup, words);
    markup_close(markup);
}

static void put_field(struct markup *markup, const char *name, struct json_object *field)
{
    bool required = json_object_get_boolean(json_member(field, "required"));
    struct json_object *choices = json_member(field, "one_of");

    markup_open(markup, "tr", NULL);
    markup_open(markup, "th", "scope", "row", NULL);
    text_put_in(markup, "code", NULL, name);
    markup_close(markup);
    text_put_in(markup, "td", NULL, text_member(field, "type"));
    markup_element(markup, "td", required ? "required" : "optional", NULL);
    markup_open(markup, "td", NULL);
    text_put(markup, text_member(field, "meaning"), 0);
    if (choices != NULL) {
        markup_text(markup, " One of ");
        put_words(markup, choices);
    }
    markup_close(markup);
    markup_close(markup);
}

static void put_data(struct markup *markup, struct json_object *entry)
{
    static const char *const columns[] = {"Data", "Type", "Needed", "Meaning", NULL};
    struct json_object *data = json_member(entry, "data");

    if (data == NULL || json_object_object_length(data) == 0)
        return;
    part_open_table(markup, "actions", "What it is given", columns);
    json_object_object_foreach (data, name, field) {
        put_field(markup, name, field);
    }
    markup_close(markup);
    markup_close(markup);
}

/* What differs for a type of client. */
static void put_variants(struct markup *markup, struct json_object *entry)
{
    struct json_object *variants = json_member(entry, "for");

    if (variants == NULL)
        return;
    json_object_object_foreach (variants, type, variant) {
        markup_open(markup, "h3", NULL);
        markup_text(markup, "For ");
        text_put_in(markup, "code", NULL, type);
        markup_close(markup);
        if (json_member(variant, "emulate") != NULL) {
            markup_open(markup, "p", NULL);
            markup_text(markup, "This type can't do it by itself; the flow ");
            text_put_in(markup, "code", NULL, text_member(variant, "emulate"));
            markup_text(markup, " does it instead.");
            markup_close(markup);
        }
        put_data(markup, variant);
    }
}

static void put_entry(struct markup *markup, const char *name, struct json_object *entry)
{
    markup_open(markup, "section", "id", name, NULL);
    markup_open(markup, "h2", NULL);
    text_put_in(markup, "code", NULL, name);
    markup_close(markup);
    markup_open(markup, "p", NULL);
    text_put(markup, text_member(entry, "description"), 0);
    markup_close(markup);
    put_data(markup, entry);
    put_row(markup, "Responses", json_member(entry, "responses"));
    put_row(markup, "Done by", json_member(entry, "types"));
    put_variants(markup, entry);
    markup_close(markup);
}

char *pages_actions(struct json_object *dictionary, size_t *size)
{
    struct part_frame frame = {"Actions – trafficlight", 0, 0, PART_ACTIONS};
    struct markup *markup = part_begin(&frame);

    markup_element(markup, "h1", "Actions", NULL);
    markup_element(
        markup, "p",
        "What clients can be asked to do. Other actions can be added by dictionaries "
        "of one's own.",
        NULL);
    markup_open(markup, "p", NULL);
    markup_element(markup, "a", "as JSON", "href", "/actions.json", NULL);
    markup_close(markup);
    json_object_object_foreach (json_member(dictionary, "actions"), name, entry) {
        put_entry(markup, name, entry);
    }
    return part_finish(markup, NULL, size);
}
