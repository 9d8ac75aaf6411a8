/* SPDX-License-Identifier: Apache-2.0 */
/* The page of a suite. */
#include "pages.h"

#include "json.h"
#include "pages_cases.h"
#include "pages_tally.h"
#include "pages_text.h"
#include "xalloc.h"

#include <stdlib.h>

static struct markup *begin_suite(struct json_object *suite, const struct tally *cases,
                                  const char *done)
{
    char *title = xasprintf("%s – %s – trafficlight", done, text_member(suite, "name"));
    struct part_frame frame = {title, tally_lights(cases),
                               tally_ended(cases) < cases->total ? PART_FORM : 0,
                               PART_RUNS};
    struct markup *markup = part_begin_about(&frame, text_member(suite, "run"));

    free(title);
    return markup;
}

char *pages_suite(struct json_object *suite, size_t *size)
{
    struct query query = {json_member(suite, "asked"), cases_test_fields};
    const char *name = text_member(suite, "name");
    const char *description = text_member(suite, "description");
    struct tally cases = {0};

    tally_add(&cases, suite, "cases");
    char *done = tally_title(&cases);
    struct markup *markup = begin_suite(suite, &cases, done);
    part_open_path(markup, text_member(suite, "run"));
    text_put(markup, name, TEXT_BOARD_BYTES);
    markup_close(markup);
    text_put_in(markup, "h1", NULL, name);
    if (*description != '\0')
        text_put_in(markup, "p", "about", description);
    markup_open(markup, "p", "class", "file", NULL);
    markup_textf(markup, "%s, from ", done);
    text_put_in(markup, "code", NULL, text_member(suite, "file"));
    markup_close(markup);
    tally_put_bar(markup, &cases, &(struct query){NULL, cases_test_fields});
    query_put_ignored(markup, &query);
    if (cases.total > 0)
        cases_put_test(markup, suite, &query);
    free(done);
    return part_finish(markup, NULL, size);
}
