/* SPDX-License-Identifier: Apache-2.0 */
/* Uploaded files on a page. */
#include "pages_files.h"

#include "files.h"
#include "json.h"
#include "pages_text.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

/* So many previews a page has: videos are asked for their length at once. */
#define PREVIEWS_MAX 60

/* Where a file is: with `view` as the browser shows it, else as a download. Owned. */
static char *place_of(const char *name, size_t number, bool view)
{
    char *segment = text_segment(name);
    char *attempt = number > 0 ? xasprintf("attempt=%zu", number) : xstrdup("");
    char *place = xasprintf("files/%s%s%s%s%s", segment, number > 0 || view ? "?" : "",
                            attempt, number > 0 && view ? "&" : "", view ? "view=1" : "");

    free(attempt);
    free(segment);
    return place;
}

static void put_preview(struct markup *markup, const char *name, size_t number,
                        const char *element)
{
    char *place = place_of(name, number, true), *visible = text_visible(name, 0);
    bool is_video = strcmp(element, "video") == 0;

    if (is_video) {
        markup_open(markup, "video", "src", place, "controls", "", "preload", "metadata",
                    "aria-label", visible, NULL);
        markup_close(markup);
    } else {
        markup_open(markup, "a", "href", place, NULL);
        markup_open(markup, "img", "src", place, "alt", visible, "loading", "lazy", NULL);
        markup_close(markup);
        markup_close(markup);
    }
    markup_text(markup, " ");
    free(visible);
    free(place);
}

static void put_link(struct markup *markup, const char *name, size_t number)
{
    char *place = place_of(name, number, false);

    markup_open(markup, "a", "href", place, "download", "", NULL);
    text_put(markup, name, 0);
    markup_close(markup);
    free(place);
}

void files_put(struct markup *markup, struct json_object *attempt, size_t number)
{
    size_t previews = 0;

    markup_open(markup, "ul", "class", "files", NULL);
    for (size_t i = 0; i < text_count(attempt, "files"); i++) {
        struct json_object *file = text_element(attempt, "files", i);
        const char *name = json_is_text(file) ? json_object_get_string(file) : "";
        const char *element = previews < PREVIEWS_MAX ? file_element(name) : NULL;
        markup_open(markup, "li", "class", element, NULL);
        if (element != NULL) {
            put_preview(markup, name, number, element);
            previews++;
        }
        put_link(markup, name, number);
        markup_close(markup);
        markup_text(markup, "\n");
    }
    markup_close(markup);
}
