/* SPDX-License-Identifier: Apache-2.0 */
/* The dictionary of actions, for people who write tests or adapters. */
#include "pages.h"

#include "json.h"
#include "pages_example.h"
#include "pages_parts.h"
#include "pages_text.h"
#include "xalloc.h"

#include <stdlib.h>

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

static void open_fact(struct markup *markup, const char *what)
{
    markup_element(markup, "dt", what, NULL);
    markup_open(markup, "dd", NULL);
}

/* --- data --- */

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
    part_open_table(markup, "plain actions", "What it is given", columns);
    json_object_object_foreach (data, name, field) {
        put_field(markup, name, field);
    }
    markup_close(markup);
    markup_close(markup);
}

/* --- what else is known of it --- */

static void put_flow_link(struct markup *markup, const char *flow)
{
    char *segment = text_segment(flow);

    markup_open(markup, "a", NULL);
    markup_attributef(markup, "href", "#flow-%s", segment);
    text_put_in(markup, "code", NULL, flow);
    markup_close(markup);
    free(segment);
}

/* The tests of the run that ask for it. */
static void put_tests(struct markup *markup, struct json_object *tests)
{
    size_t count = tests != NULL ? json_object_array_length(tests) : 0;

    if (count == 0)
        return;
    open_fact(markup, "Asked for by");
    for (size_t i = 0; i < count; i++) {
        struct json_object *test = json_object_array_get_idx(tests, i);
        if (i > 0)
            markup_text(markup, ", ");
        part_open_link(markup, text_member(test, "id"), "suitestatus");
        text_put(markup, text_member(test, "name"), TEXT_BOARD_BYTES);
        markup_close(markup);
    }
    markup_close(markup);
}

static void put_report(struct markup *markup, struct json_object *report)
{
    size_t count = 0;

    if (report == NULL)
        return;
    open_fact(markup, "A report carries");
    json_object_object_foreach (report, name, type) {
        markup_text(markup, count++ > 0 ? ", " : "");
        text_put_in(markup, "code", NULL, name);
        markup_text(markup, " (");
        text_put(markup, json_object_get_string(type), 0);
        markup_text(markup, ")");
    }
    markup_close(markup);
}

static void put_facts(struct markup *markup, struct json_object *entry,
                      struct json_object *tests)
{
    struct json_object *template = json_member(entry, "template");

    markup_open(markup, "dl", "class", "facts", NULL);
    if (template != NULL) {
        open_fact(markup, "Filled in");
        text_put_in(markup, "code", NULL, json_text(template));
        markup_close(markup);
    }
    if (json_member(entry, "responses") != NULL) {
        open_fact(markup, "Responses");
        put_words(markup, json_member(entry, "responses"));
        markup_close(markup);
    }
    put_report(markup, json_member(entry, "report"));
    if (json_member(entry, "types") != NULL) {
        open_fact(markup, "Done by");
        put_words(markup, json_member(entry, "types"));
        markup_close(markup);
    }
    put_tests(markup, tests);
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
            put_flow_link(markup, text_member(variant, "emulate"));
            markup_text(markup, " does it instead.");
            markup_close(markup);
        }
        put_data(markup, variant);
        put_facts(markup, variant, NULL);
    }
}

static void open_entry(struct markup *markup, const char *prefix, const char *name)
{
    char *segment = text_segment(name);

    markup_open(markup, "section", "class", "entry", NULL);
    markup_attributef(markup, "id", "%s%s", prefix, segment);
    markup_attributef(markup, "aria-labelledby", "%s%s-title", prefix, segment);
    markup_open(markup, "h2", NULL);
    markup_attributef(markup, "id", "%s%s-title", prefix, segment);
    markup_open(markup, "a", NULL);
    markup_attributef(markup, "href", "#%s%s", prefix, segment);
    text_put_in(markup, "code", NULL, name);
    markup_close(markup);
    markup_close(markup);
    free(segment);
}

static void put_entry(struct markup *markup, const char *name, struct json_object *entry,
                      struct json_object *document)
{
    const char *ask = text_member(entry, "ask");

    open_entry(markup, "", name);
    markup_open(markup, "p", NULL);
    text_put(markup, text_member(entry, "description"), 0);
    markup_close(markup);
    if (*ask != '\0') {
        markup_open(markup, "p", "class", "about", NULL);
        markup_text(markup, "A person reads: ");
        text_put_in(markup, "q", NULL, ask);
        markup_close(markup);
    }
    put_data(markup, entry);
    put_facts(markup, entry, json_member(json_member(document, "usage"), name));
    put_variants(markup, entry);
    example_put(markup, name, entry, text_member(document, "base"));
    markup_close(markup);
}

/* --- all of it --- */

static void put_contents(struct markup *markup, struct json_object *actions)
{
    markup_open(markup, "nav", "class", "contents", "aria-label", "All actions", NULL);
    markup_open(markup, "ul", NULL);
    json_object_object_foreach (actions, name, entry) {
        char *segment = text_segment(name);
        (void)entry;
        markup_open(markup, "li", NULL);
        markup_open(markup, "a", NULL);
        markup_attributef(markup, "href", "#%s", segment);
        text_put(markup, name, 0);
        markup_close(markup);
        markup_close(markup);
        markup_text(markup, " ");
        free(segment);
    }
    markup_close(markup);
    markup_close(markup);
}

static void put_flows(struct markup *markup, struct json_object *flows)
{
    if (flows == NULL)
        return;
    json_object_object_foreach (flows, name, steps) {
        open_entry(markup, "flow-", name);
        markup_element(
            markup, "p",
            "A flow: it does what a client can't do by itself. Its steps:", NULL);
        example_put_json(markup, steps);
        markup_close(markup);
    }
}

char *pages_actions(struct json_object *document, size_t *size)
{
    struct part_frame frame = {"Actions – trafficlight", 0, 0, PART_ACTIONS};
    struct markup *markup = part_begin(&frame);
    struct json_object *actions = json_member(document, "actions");

    markup_element(markup, "h1", "Actions", NULL);
    markup_open(markup, "p", "class", "about", NULL);
    markup_text(markup, "What clients can be asked to do. Dictionaries of one's own add "
                        "others. The same ");
    markup_element(markup, "a", "as JSON", "href", "/actions.json", NULL);
    markup_text(markup, "; who has no adapter ");
    markup_element(markup, "a", "takes part by hand", "href", "/manual", NULL);
    markup_text(markup, ".");
    markup_close(markup);
    if (actions != NULL) {
        put_contents(markup, actions);
        example_put_joining(markup, text_member(document, "base"));
        json_object_object_foreach (actions, name, entry) {
            put_entry(markup, name, entry, document);
        }
    }
    put_flows(markup, json_member(document, "flows"));
    return part_finish(markup, NULL, size);
}
