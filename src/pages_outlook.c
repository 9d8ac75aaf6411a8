/* SPDX-License-Identifier: Apache-2.0 */
/* How long a run still takes, what broke, and what its cases wait for. */
#include "pages_outlook.h"

#include "json.h"
#include "pages_parts.h"
#include "pages_text.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define BROKEN_SHOWN  6   /* reasons of cases that failed or are errors */
#define WAITING_SHOWN 5   /* reasons of cases that wait */
#define LINK_BYTES    160 /* of a reason that a link asks for */

/* --- time left --- */

/* What is known of a run's cases. Times in seconds. */
struct prospect {
    double spent;         /* on all cases until now */
    double ended_spent;   /* on those of them that have ended */
    size_t ended;         /* how many those are */
    double known;         /* what those that have not ended take, where it is known */
    size_t known_count;   /* how many those are */
    size_t unknown_count; /* how many others have not ended */
    double open_spent;    /* on those that have not ended */
    double longest;       /* what is left of one of them, at most */
    size_t lacking;       /* those that can't begin: there are no clients for them */
};

static double number(struct json_object *object, const char *name)
{
    return json_object_get_double(json_member(object, name));
}

static void look_at_case(struct prospect *prospect, struct json_object *testcase)
{
    enum part_state state = part_state(text_member(testcase, "state"));
    double spent = number(testcase, "duration"), expected = number(testcase, "expected");

    prospect->spent += spent;
    if (part_state_is_end(state)) {
        prospect->ended_spent += spent;
        prospect->ended += spent > 0;
        return;
    }
    if (json_object_get_boolean(json_member(testcase, "lacks_clients"))) {
        prospect->lacking++;
        return;
    }
    prospect->open_spent += spent;
    if (json_member(testcase, "expected") == NULL) {
        prospect->unknown_count++;
        return;
    }
    prospect->known_count++;
    prospect->known += expected;
    if (expected - spent > prospect->longest)
        prospect->longest = expected - spent;
}

static struct prospect look_at_all(struct json_object *status)
{
    struct prospect prospect = {0};

    for (size_t i = 0; i < text_count(status, "suites"); i++) {
        struct json_object *suite = text_element(status, "suites", i);
        for (size_t j = 0, count = text_count(suite, "cases"); j < count; j++)
            look_at_case(&prospect, text_element(suite, "cases", j));
    }
    return prospect;
}

/* Negative where nobody can tell. */
static double seconds_left(struct json_object *status, const struct prospect *prospect)
{
    const char *started = text_member(json_member(status, "run"), "started");
    const char *now = text_member(json_member(status, "server"), "now");
    double passed = text_seconds_between(started, now);
    size_t samples = prospect->known_count + prospect->ended;

    if (prospect->known_count + prospect->unknown_count == 0 || samples == 0 ||
        passed <= 0 || prospect->spent <= 0)
        return -1;
    double mean = (prospect->known + prospect->ended_spent) / (double)samples;
    double left =
        prospect->known + mean * (double)prospect->unknown_count - prospect->open_spent;
    double at_once = prospect->spent / passed;
    double seconds = left > 0 ? left / at_once : 0;
    return seconds > prospect->longest ? seconds : prospect->longest;
}

static char *rough(double seconds)
{
    double minutes = seconds / 60, hours = minutes / 60;

    if (minutes < 1)
        return xstrdup("less than a minute");
    if (minutes < 90)
        return xasprintf("about %.0f min", minutes);
    if (hours < 48)
        return xasprintf("about %.0f h", hours);
    return hours / 24 < 1000 ? xasprintf("about %.0f days", hours / 24)
                             : xstrdup("more than 1000 days");
}

void outlook_put_time(struct markup *markup, struct json_object *status)
{
    struct prospect prospect = look_at_all(status);
    double seconds = seconds_left(status, &prospect);
    bool by_history = prospect.known_count >= prospect.unknown_count;
    char *text = rough(seconds);

    markup_open(markup, "span", "id", "time-left", "title",
                by_history ? "if cases take as long as in earlier runs"
                           : "if cases take as long as others of this run",
                NULL);
    if (seconds >= 0)
        markup_textf(markup, "%s left", text);
    if (prospect.lacking > 0)
        markup_textf(markup, "%s%zu %s clients", seconds >= 0 ? ", " : "",
                     prospect.lacking,
                     prospect.lacking == 1 ? "case lacks" : "cases lack");
    markup_close(markup);
    free(text);
}

/* --- reasons --- */

/* Cases that say the same. */
struct reason {
    struct json_object *first; /* of these cases; borrowed */
    const char *test;          /* whose that is; borrowed */
    enum part_state state;     /* of them */
    size_t count;              /* how many those are */
    bool lacks_clients;        /* there are none for them: they would wait for ever */
};

struct reasons {
    struct reason *items;        /* owned */
    size_t count;                /* how many those are */
    struct json_object *indices; /* of the items, by state and message; owned */
};

static bool has_reason(enum part_state state)
{
    return state == PART_FAILED || state == PART_ERROR || state == PART_WAITING;
}

static void add_reason(struct reasons *reasons, struct json_object *testcase,
                       const char *test)
{
    enum part_state state = part_state(text_member(testcase, "state"));
    const char *message = text_member(testcase, "message");

    if (!has_reason(state) || *message == '\0')
        return;
    char *key = xasprintf("%s %s", part_state_word(state), message);
    struct json_object *index = json_member(reasons->indices, key);
    if (index == NULL) {
        json_put_int(reasons->indices, key, (int64_t)reasons->count);
        reasons->items =
            xreallocarray(reasons->items, reasons->count + 1, sizeof *reasons->items);
        reasons->items[reasons->count++] = (struct reason){
            testcase, test, state, 1,
            json_object_get_boolean(json_member(testcase, "lacks_clients"))};
    } else {
        reasons->items[json_object_get_int64(index)].count++;
    }
    free(key);
}

/* What broke before what waits, what waits for nobody first; many cases before few. */
static int compare_reasons(const void *a, const void *b)
{
    const struct reason *left = a, *right = b;
    bool left_waits = left->state == PART_WAITING,
         right_waits = right->state == PART_WAITING;

    if (left_waits != right_waits)
        return left_waits ? 1 : -1;
    if (left->lacks_clients != right->lacks_clients)
        return left->lacks_clients ? -1 : 1;
    if (left->count != right->count)
        return left->count > right->count ? -1 : 1;
    return strcmp(text_member(left->first, "id"), text_member(right->first, "id"));
}

static struct reasons gather(struct json_object *status)
{
    struct reasons reasons = {.indices = json_new_object()};

    for (size_t i = 0; i < text_count(status, "suites"); i++) {
        struct json_object *suite = text_element(status, "suites", i);
        for (size_t j = 0, count = text_count(suite, "cases"); j < count; j++)
            add_reason(&reasons, text_element(suite, "cases", j),
                       text_member(suite, "name"));
    }
    if (reasons.count > 0)
        qsort(reasons.items, reasons.count, sizeof *reasons.items, compare_reasons);
    return reasons;
}

/* The beginning of a message, up to the end of a word: enough to find it again. */
static char *beginning(const char *message)
{
    size_t length = strlen(message);

    if (length > LINK_BYTES) {
        length = LINK_BYTES;
        while (length > 0 && message[length] != ' ')
            length--;
    }
    return xstrndup(message, length);
}

/* The one case, or the list of those that say so. */
static void open_reason_link(struct markup *markup, const struct reason *reason,
                             const struct query *query)
{
    struct json_object *asked = json_new_object();
    struct query these = {asked, query->fields};
    char *words = beginning(text_member(reason->first, "message"));

    json_put_text(asked, "state", part_state_word(reason->state));
    json_put_text(asked, "q", words);
    char *link = query_link(&these, "", "");
    if (reason->count == 1)
        part_open_link(markup, text_member(reason->first, "id"), "status");
    else
        markup_open(markup, "a", "href", link, NULL);
    free(link);
    free(words);
    json_object_put(asked);
}

static void put_reason(struct markup *markup, const struct reason *reason,
                       const struct query *query)
{
    markup_open(markup, "li", "data-state", part_state_word(reason->state), NULL);
    part_lamp(markup, reason->state);
    markup_text(markup, " ");
    markup_open(markup, "span", NULL);
    open_reason_link(markup, reason, query);
    if (reason->count == 1)
        text_put(markup, reason->test, TEXT_BOARD_BYTES);
    else
        markup_textf(markup, "%zu cases", reason->count);
    markup_close(markup);
    markup_text(markup, ": ");
    text_put(markup, text_member(reason->first, "message"), TEXT_BOARD_BYTES);
    markup_close(markup);
    markup_close(markup);
    markup_text(markup, "\n");
}

/* Gives how many of them there is no room for. */
static size_t put_some(struct markup *markup, const struct reasons *reasons, bool waits,
                       size_t limit, const struct query *query)
{
    size_t count = 0;

    for (size_t i = 0; i < reasons->count; i++) {
        if ((reasons->items[i].state == PART_WAITING) == waits && count++ < limit)
            put_reason(markup, &reasons->items[i], query);
    }
    return count > limit ? count - limit : 0;
}

static void put_rest(struct markup *markup, size_t count, const char *state,
                     const struct query *query)
{
    if (count == 0)
        return;
    markup_open(markup, "li", NULL);
    query_open_link(markup, query, "state", state);
    markup_textf(markup, "%zu more reasons", count);
    markup_close(markup);
    markup_close(markup);
}

void outlook_put_reasons(struct markup *markup, struct json_object *status,
                         const struct query *query)
{
    struct reasons reasons = gather(status);

    if (reasons.count > 0) {
        bool is_bad = reasons.items[0].state != PART_WAITING;
        part_open_section(markup, "h2", is_bad ? "What broke, what waits" : "What waits",
                          "reasons");
        markup_open(markup, "ul", "class", "reasons", NULL);
        size_t rest = put_some(markup, &reasons, false, BROKEN_SHOWN, query);
        put_rest(markup, rest, "bad", query);
        rest = put_some(markup, &reasons, true, WAITING_SHOWN, query);
        put_rest(markup, rest, "waiting", query);
        markup_close(markup);
        markup_close(markup);
    }
    json_object_put(reasons.indices);
    free(reasons.items);
}
