/* SPDX-License-Identifier: Apache-2.0 */
/* What all pages are made of. */
#include "pages_parts.h"

#include "casename.h"
#include "json.h"
#include "pages_text.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

/* --- states --- */

static const struct {
    const char *word; /* as status.json has it, and the class */
    const char *sign; /* inside of the lamp */
} states[] = {
#define PART_STATE_ROW(name, word, sign) {word, sign},
    PART_STATES(PART_STATE_ROW)
#undef PART_STATE_ROW
};

enum part_state part_state(const char *word)
{
    for (int i = 0; word != NULL && i < PART_STATE_COUNT; i++) {
        if (strcmp(states[i].word, word) == 0)
            return (enum part_state)i;
    }
    return PART_WAITING;
}

const char *part_state_word(enum part_state state)
{
    return states[state].word;
}

const char *part_state_sign(enum part_state state)
{
    return states[state].sign;
}

bool part_state_is_end(enum part_state state)
{
    return state == PART_SUCCESS || state == PART_FAILED || state == PART_ERROR ||
           state == PART_DONE || state == PART_LOST;
}

void part_lamp(struct markup *markup, enum part_state state)
{
    part_lamp_saying(markup, state, states[state].word);
}

void part_lamp_saying(struct markup *markup, enum part_state state, const char *word)
{
    markup_open(markup, "span", "class", "lamp", NULL);
    markup_attributef(markup, "data-state", "%s", states[state].word);
    markup_element(markup, "span", states[state].sign, "class", "sign", "aria-hidden",
                   "true", NULL);
    markup_textf(markup, " %s", word);
    markup_close(markup);
}

void part_open_section(struct markup *markup, const char *level, const char *title,
                       const char *id)
{
    markup_open(markup, "section", "aria-labelledby", id, NULL);
    markup_element(markup, level, title, "id", id, NULL);
}

/* --- attempts --- */

size_t part_attempt(struct json_object *testcase)
{
    size_t count = text_count(testcase, "attempts");
    bool waits = part_state(text_member(testcase, "state")) == PART_WAITING;

    return count == 0 ? 1 : waits ? count + 1 : count;
}

static const char *ordinal_ending(size_t number)
{
    static const char *const endings[] = {"th", "st", "nd", "rd"};
    bool is_teen = number / 10 % 10 == 1;

    return endings[is_teen || number % 10 > 3 ? 0 : number % 10];
}

void part_put_attempt(struct markup *markup, struct json_object *testcase)
{
    size_t number = part_attempt(testcase);
    bool is_flaky = json_object_get_boolean(json_member(testcase, "flaky"));
    bool waits = part_state(text_member(testcase, "state")) == PART_WAITING;

    if (number == 1 && !is_flaky)
        return;
    markup_text(markup, " ");
    markup_open(markup, "span", "class", is_flaky ? "flaky" : "attempt-mark", "title",
                is_flaky ? "flaky: it succeeded only after it had failed" : NULL, NULL);
    if (number > 1)
        markup_textf(markup, "%s%zu%s attempt",
                     is_flaky ? "≈ "
                     : waits  ? "for its "
                              : "",
                     number, ordinal_ending(number));
    else
        markup_text(markup, "≈ flaky");
    markup_close(markup);
}

/* --- elements that are found again --- */

void part_put_id(struct markup *markup, struct json_object *known, const char *kind,
                 const char *id)
{
    char *segment = text_segment(id);
    char *whole = xasprintf("%s-%s", kind, segment);

    if (!json_object_object_get_ex(known, whole, NULL)) {
        markup_attributef(markup, "id", "%s", whole);
        json_put_bool(known, whole, true);
    }
    free(whole);
    free(segment);
}

/* --- the frame --- */

/* The traffic light in the browser's tab, in the colours of the lit lamps. */
static char *icon(unsigned lights)
{
    return xasprintf("data:image/svg+xml,"
                     "%%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%%3E"
                     "%%3Crect x='4' width='8' height='16' rx='3' fill='%%23222'/%%3E"
                     "%%3Ccircle cx='8' cy='3.2' r='2' fill='%%23%s'/%%3E"
                     "%%3Ccircle cx='8' cy='8' r='2' fill='%%23%s'/%%3E"
                     "%%3Ccircle cx='8' cy='12.8' r='2' fill='%%23%s'/%%3E%%3C/svg%%3E",
                     lights & PART_RED ? "ff5a4d" : "555",
                     lights & PART_AMBER ? "ffc233" : "555",
                     lights & PART_GREEN ? "4bd07f" : "555");
}

/* With scripts there is a better way: src/web/live.js, or the page's own. */
static void put_refresh(struct markup *markup, unsigned seconds)
{
    markup_open(markup, "noscript", NULL);
    markup_open(markup, "meta", "http-equiv", "refresh", NULL);
    markup_attributef(markup, "content", "%u", seconds);
    markup_close(markup);
    markup_close(markup);
}

static void put_script(struct markup *markup, const char *script)
{
    markup_open(markup, "script", "defer", "defer", NULL);
    markup_attributef(markup, "src", "/static/%s", script);
    markup_text(markup, "");
    markup_close(markup);
}

static void put_head(struct markup *markup, const struct part_frame *frame,
                     const char *script)
{
    char *href = icon(frame->lights);

    markup_open(markup, "head", NULL);
    markup_open(markup, "meta", "charset", "utf-8", NULL);
    markup_close(markup);
    text_put_in(markup, "title", NULL, frame->title);
    markup_open(markup, "meta", "name", "viewport", "content",
                "width=device-width, initial-scale=1", NULL);
    markup_close(markup);
    markup_open(markup, "meta", "name", "color-scheme", "content", "light dark", NULL);
    markup_close(markup);
    if (frame->refresh > 0)
        put_refresh(markup, frame->refresh);
    markup_open(markup, "link", "rel", "stylesheet", "href", "/static/style.css", NULL);
    markup_close(markup);
    markup_open(markup, "link", "rel", "icon", "href", href, NULL);
    markup_close(markup);
    if (script != NULL) /* before the other one changes what it finds */
        put_script(markup, script);
    put_script(markup, "live.js");
    markup_close(markup);
    free(href);
}

static void put_light(struct markup *markup, unsigned lights)
{
    static const char *const classes[][2] = {
        {"red", "red lit"}, {"amber", "amber lit"}, {"green", "green lit"}};

    markup_open(markup, "span", "class", "light", "aria-hidden", "true", NULL);
    for (unsigned i = 0; i < 3; i++)
        markup_element(markup, "span", "", "class", classes[i][lights >> i & 1], NULL);
    markup_close(markup);
}

static void put_views(struct markup *markup, enum part_view view)
{
    static const struct {
        enum part_view view; /* what it is */
        const char *href;    /* where it is */
        const char *name;    /* how it is called */
    } links[] = {{PART_BOARD, "/status", "Board"},
                 {PART_RUNS, "/runs", "Runs"},
                 {PART_HISTORY, "/history", "History"},
                 {PART_ACTIONS, "/actions", "Actions"},
                 {PART_MANUAL, "/manual", "Take part"}};

    markup_open(markup, "nav", "aria-label", "Views", NULL);
    markup_open(markup, "ul", NULL);
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        markup_open(markup, "li", NULL);
        markup_element(markup, "a", links[i].name, "href", links[i].href, "aria-current",
                       links[i].view == view ? "true" : NULL, NULL);
        markup_close(markup);
        markup_text(markup, " ");
    }
    markup_close(markup);
    markup_close(markup);
}

static void put_header(struct markup *markup, const struct part_frame *frame)
{
    markup_open(markup, "header", NULL);
    markup_open(markup, "a", "class", "brand", "href", "/status", NULL);
    put_light(markup, frame->lights);
    markup_text(markup, "trafficlight");
    markup_close(markup);
    markup_text(markup, " ");
    put_views(markup, frame->view);
    markup_close(markup);
}

/* `live`: what has the page fetched anew; NULL: nothing that live.js should do. */
static struct markup *begin(const struct part_frame *frame, const char *live,
                            const char *script)
{
    struct markup *markup = markup_new_html();

    markup_open(markup, "html", "lang", "en", NULL);
    put_head(markup, frame, script);
    markup_open(markup, "body", NULL);
    put_header(markup, frame);
    markup_open(markup, "main", "data-live", live, NULL);
    return markup;
}

struct markup *part_begin_scripted(const struct part_frame *frame, const char *script)
{
    return begin(frame, NULL, script);
}

struct markup *part_begin_about(const struct part_frame *frame, const char *id)
{
    return begin(frame, frame->refresh > 0 ? id : NULL, NULL);
}

struct markup *part_begin(const struct part_frame *frame)
{
    return part_begin_about(frame, "");
}

char *part_finish(struct markup *markup, struct json_object *server, size_t *size)
{
    markup_close(markup);
    markup_open(markup, "footer", NULL);
    markup_open(markup, "p", NULL);
    markup_text(markup, "trafficlight ");
    text_put(markup, text_member(server, "version"), 0);
    if (server != NULL) {
        markup_text(markup, " · started ");
        text_put_moment(markup, text_member(server, "started"));
        markup_text(markup, " · as of ");
        text_put_moment(markup, text_member(server, "now"));
    }
    markup_close(markup);
    return markup_finish(markup, size);
}

/* --- links --- */

static void open_link(struct markup *markup, const char *folder, const char *id,
                      const char *page)
{
    char *segment = text_segment(id);

    markup_open(markup, "a", NULL);
    markup_attributef(markup, "href", "/%s/%s/%s", folder, segment, page);
    free(segment);
}

void part_open_link(struct markup *markup, const char *id, const char *page)
{
    open_link(markup, "status", id, page);
}

void part_open_run_link(struct markup *markup, const char *id, const char *page)
{
    open_link(markup, "runs", id, page);
}

void part_open_path(struct markup *markup, const char *run)
{
    markup_open(markup, "nav", "class", "path", "aria-label", "Where this is", NULL);
    markup_element(markup, "a", "Runs", "href", "/runs", NULL);
    markup_text(markup, " › ");
    if (*run != '\0') {
        part_open_run_link(markup, run, "status");
        markup_text(markup, "run ");
        text_put_id(markup, run);
        markup_close(markup);
        markup_text(markup, " › ");
    }
}

char *part_trend_id(const char *test, const char *name)
{
    char *text = xasprintf("%s/%.*s", test, (int)casename_length(name), name);
    char *id = text_segment(text);

    free(text);
    return id;
}

void part_open_table(struct markup *markup, const char *class, const char *caption,
                     const char *const *columns)
{
    markup_open(markup, "table", "class", class, NULL);
    text_put_in(markup, "caption", NULL, caption);
    markup_open(markup, "thead", NULL);
    markup_open(markup, "tr", NULL);
    for (; *columns != NULL; columns++)
        markup_element(markup, "th", *columns, "scope", "col", NULL);
    markup_close(markup);
    markup_close(markup);
    markup_open(markup, "tbody", NULL);
}
