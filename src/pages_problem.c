/* SPDX-License-Identifier: Apache-2.0 */
/* An error of HTTP as a page. */
#include "pages.h"

#include "pages_parts.h"
#include "pages_text.h"
#include "xalloc.h"

#include <stdlib.h>

static void put_ways(struct markup *markup, const char *back)
{
    markup_open(markup, "ul", "class", "ways", NULL);
    if (back != NULL) {
        markup_open(markup, "li", NULL);
        markup_element(markup, "a", "Back to where you were", "href", back, NULL);
        markup_close(markup);
    }
    markup_open(markup, "li", NULL);
    markup_element(markup, "a", "The board: tests, cases and clients now", "href",
                   "/status", NULL);
    markup_close(markup);
    markup_open(markup, "li", NULL);
    markup_element(markup, "a", "All runs", "href", "/runs", NULL);
    markup_close(markup);
    markup_close(markup);
}

char *pages_problem(int status, const char *title, const char *detail, const char *back,
                    size_t *size)
{
    char *document_title = xasprintf("%d %s – trafficlight", status, title);
    struct part_frame frame = {document_title, PART_RED, 0, PART_NO_VIEW};
    struct markup *markup = part_begin(&frame);

    markup_open(markup, "h1", NULL);
    markup_textf(markup, "%d ", status);
    text_put(markup, title, 0);
    markup_close(markup);
    if (detail != NULL && *detail != '\0') {
        markup_open(markup, "p", "class", "reason", NULL);
        text_put(markup, detail, 0);
        markup_close(markup);
    }
    put_ways(markup, back);
    free(document_title);
    return part_finish(markup, NULL, size);
}
