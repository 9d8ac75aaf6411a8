/* SPDX-License-Identifier: Apache-2.0 */
/* The page of a case. Its other runs come from the disk; where they can't be had, the
 * page goes without them. */
#include "case_page.h"

#include "casename.h"
#include "daemon.h"
#include "document.h"
#include "history.h"
#include "json.h"
#include "pages.h"
#include "pages_parts.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

/* Somebody who waits for the page. */
struct asking {
    struct http_exchange *exchange; /* is held */
    struct daemon *daemon;          /* borrowed */
    uint64_t ticket;                /* to cancel the question */
    struct json_object *testcase;   /* what is shown; owned */
};

static const char *member(struct json_object *object, const char *name)
{
    const char *text = json_member_text(object, name);

    return text != NULL ? text : "";
}

/* What HISTORY_OTHERS takes: the test, and the case's name without its number. Owned. */
static char *series_of(struct json_object *testcase)
{
    struct json_object *suite = json_member(testcase, "suite");
    const char *folder = member(suite, "folder"), *name = member(testcase, "name");

    return xasprintf("%s%s%s\n%.*s", folder, *folder != '\0' ? "." : "",
                     member(suite, "name"), (int)casename_length(name), name);
}

/* All but this one. Owned. */
static struct json_object *others_of(struct json_object *testcase,
                                     struct json_object *all)
{
    struct json_object *others = json_new_array();
    const char *id = member(testcase, "id");

    for (size_t i = 0; i < json_object_array_length(all); i++) {
        struct json_object *other = json_object_array_get_idx(all, i);
        if (strcmp(member(other, "case"), id) != 0)
            json_append(others, json_object_get(other));
    }
    return others;
}

static void found(void *argument, struct json_object *all, const char *cause)
{
    struct asking *asking = argument;

    (void)cause; /* the page of all runs tells it */
    if (all != NULL)
        json_put(asking->testcase, "others", others_of(asking->testcase, all));
    json_object_put(all); /* a worker is not to share it */
    document_reply_page(asking->daemon->documents, asking->exchange, asking->testcase,
                        pages_case);
    free(asking);
}

static void gone_cb(void *argument)
{
    struct asking *asking = argument;

    history_cancel(asking->daemon->history, asking->ticket);
    json_object_put(asking->testcase);
    free(asking);
}

void case_page_show(struct http_exchange *exchange, struct daemon *daemon,
                    struct json_object *testcase)
{
    struct asking *asking = xcalloc(1, sizeof *asking);
    char *series = series_of(testcase);

    asking->exchange = exchange;
    asking->daemon = daemon;
    asking->testcase = testcase;
    asking->ticket = history_find(daemon->history, HISTORY_OTHERS, series, found, asking);
    http_await(exchange, gone_cb, asking);
    free(series);
}
