/* SPDX-License-Identifier: Apache-2.0 */
/* The drawings of a case on its page. The machine is a document of its own, which
 * graphviz draws when the browser asks for it; the sequence is part of the page. */
#include "pages_drawings.h"

#include "json.h"
#include "pages_attempt.h"
#include "pages_parts.h"
#include "pages_text.h"
#include "sequence.h"
#include "xalloc.h"

#include <stdlib.h>

#define FOLDED_LINES 100 /* of a diagram that is folded: there may be many */

struct link {
    const char *href; /* beside the page */
    const char *text; /* how it is called */
};

static void put_links(struct markup *markup, const struct link *links, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        markup_text(markup, i == 0 ? " " : ", ");
        markup_element(markup, "a", links[i].text, "href", links[i].href, NULL);
    }
}

/* --- the machine --- */

/* The picture in words. Owned by the caller. */
static char *machine_text(struct json_object *testcase)
{
    const char *machine = text_member(attempt_shown(testcase), "machine");
    char *text = xasprintf("State machine of %s, %s%s",
                           text_member(json_member(testcase, "suite"), "name"),
                           *machine != '\0' ? "in state " : "not in any state", machine);
    char *visible = text_visible(text, 0);

    free(text);
    return visible;
}

/* The address changes with what is to be seen, so that a page that is kept true shows
 * the new picture, and leaves the old one where it is the same. */
static void put_object(struct markup *markup, struct json_object *testcase)
{
    size_t lines = text_count(attempt_shown(testcase), "transcript");
    char *words = machine_text(testcase);

    markup_open(markup, "object", "type", "image/svg+xml", "id", "machine-picture",
                "aria-label", words, NULL);
    markup_attributef(markup, "data", "statemachine.svg?at=%zu.%zu",
                      part_attempt(testcase), lines);
    markup_element(markup, "a", words, "href", "statemachine.svg", NULL);
    markup_close(markup);
    free(words);
}

void drawings_put_machine(struct markup *markup, struct json_object *testcase,
                          const char *level)
{
    static const struct link links[] = {
        {"statemachine.svg", "SVG"},
        {"statemachine.png", "PNG"},
        {"statemachine.dot", "DOT"},
        {"context.svg", "only what is one step around the current state"}};

    part_open_section(markup, level, "Machine", "machine");
    markup_open(markup, "figure", NULL);
    markup_open(markup, "div", "class", "picture machine", "tabindex", "0", "role",
                "group", "aria-labelledby", "machine", NULL);
    put_object(markup, testcase);
    markup_close(markup);
    markup_open(markup, "figcaption", NULL);
    markup_text(markup, "States and actions lead to the transcript. The picture as");
    put_links(markup, links, sizeof links / sizeof *links);
    markup_close(markup);
    markup_close(markup);
    markup_close(markup);
}

/* --- the sequence --- */

static void put_diagram(struct markup *markup, struct json_object *attempt,
                        const char *prefix, size_t limit)
{
    char *label =
        xasprintf("Sequence diagram%s%s", *prefix != '\0' ? " of " : "", prefix);

    markup_open(markup, "div", "class", "picture diagram", "tabindex", "0", "role",
                "group", "aria-label", label, NULL);
    size_t hidden = sequence_put(markup, attempt, prefix, limit);
    markup_close(markup);
    free(label);
    if (hidden > 0) {
        markup_open(markup, "p", "class", "more", NULL);
        markup_textf(markup, "%zu more %s of the transcript, all before these.", hidden,
                     hidden == 1 ? "line" : "lines");
        markup_close(markup);
    }
}

void drawings_put_sequence(struct markup *markup, struct json_object *testcase,
                           const char *level)
{
    static const struct link links[] = {{"sequence.svg", "SVG"}};

    if (text_count(testcase, "transcript") == 0)
        return;
    part_open_section(markup, level, "Sequence", "sequence");
    markup_open(markup, "figure", NULL);
    put_diagram(markup, testcase, "", SEQUENCE_LINES);
    markup_open(markup, "figcaption", NULL);
    markup_text(markup, "Each row leads to the ");
    markup_element(markup, "a", "transcript", "href", "#transcript", NULL);
    markup_text(markup, ", which says the same. Times count from its beginning. The "
                        "picture as");
    put_links(markup, links, 1);
    markup_close(markup);
    markup_close(markup);
    markup_close(markup);
}

void drawings_put_folded(struct markup *markup, struct json_object *attempt,
                         const char *prefix)
{
    markup_open(markup, "details", NULL);
    markup_attributef(markup, "id", "%ssequence", prefix);
    markup_element(markup, "summary", "Sequence", NULL);
    put_diagram(markup, attempt, prefix, FOLDED_LINES);
    markup_close(markup);
}
