/* SPDX-License-Identifier: Apache-2.0 */
/* The homerunners that there are, and which of them is asked next. */
#include "homerunner_places.h"

#include "clock.h"
#include "fetch.h"
#include "log.h"
#include "xalloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define PAUSE_MAX_MS 60000

/* One homerunner. */
struct place {
    char *url;         /* without trailing slash, owned */
    char *name;        /* the same without secrets, owned */
    size_t load;       /* deployments that are there or being made */
    size_t trials;     /* creates under way that were sent after it failed */
    unsigned failures; /* since it went well the last time */
    int64_t until_ms;  /* where there are failures: left out until then */
};

struct places {
    struct place *list; /* in the order of the configuration; owned */
    size_t count;       /* length of list */
    size_t limit;       /* deployments of each */
    int64_t pause_ms;   /* after the first failure */
};

struct places *places_new(const char *const *urls, size_t count, size_t limit,
                          int64_t pause_ms)
{
    struct places *places = xcalloc(1, sizeof *places);

    assert(count > 0);
    places->list = xcalloc(count, sizeof *places->list);
    places->count = count;
    places->limit = limit;
    places->pause_ms = pause_ms;
    for (size_t i = 0; i < count; i++) {
        char *url = xstrdup(urls[i]);
        for (size_t end = strlen(url); end > 0 && url[end - 1] == '/';)
            url[--end] = '\0';
        places->list[i].url = url;
        places->list[i].name = fetch_url_shown(url);
    }
    return places;
}

void places_free(struct places *places)
{
    for (size_t i = 0; i < places->count; i++) {
        free(places->list[i].url);
        free(places->list[i].name);
    }
    free(places->list);
    free(places);
}

size_t places_count(const struct places *places)
{
    return places->count;
}

struct place *places_at(const struct places *places, size_t index)
{
    assert(index < places->count);
    return &places->list[index];
}

struct place *places_find(const struct places *places, const char *name)
{
    for (size_t i = 0; i < places->count; i++) {
        if (strcmp(places->list[i].name, name) == 0)
            return &places->list[i];
    }
    return NULL;
}

struct place *places_choose(const struct places *places, const bool *tried,
                            int64_t now_ms)
{
    struct place *best = NULL, *first = NULL; /* of those that are well, and others */
    bool any_is_well = false;

    for (size_t i = 0; i < places->count; i++) {
        struct place *place = &places->list[i];
        bool well = place_is_well(place, now_ms);
        if (tried[i])
            continue;
        any_is_well = any_is_well || well;
        if (place->load >= places->limit)
            continue;
        if (well && (best == NULL || place->load < best->load))
            best = place;
        if (!well && (first == NULL || place->until_ms < first->until_ms))
            first = place;
    }
    return any_is_well ? best : first;
}

int64_t places_next_ms(const struct places *places, int64_t now_ms)
{
    int64_t next = INT64_MAX;

    for (size_t i = 0; i < places->count; i++) {
        const struct place *place = &places->list[i];
        if (place->failures > 0 && place->until_ms > now_ms && place->until_ms < next)
            next = place->until_ms;
    }
    return next;
}

const char *place_url(const struct place *place)
{
    return place->url;
}

const char *place_name(const struct place *place)
{
    return place->name;
}

size_t place_index(const struct places *places, const struct place *place)
{
    return (size_t)(place - places->list);
}

bool place_is_well(const struct place *place, int64_t now_ms)
{
    return place->failures == 0 || (place->until_ms <= now_ms && place->trials == 0);
}

void place_take(struct place *place)
{
    place->load++;
}

void place_release(struct place *place)
{
    assert(place->load > 0);
    place->load--;
}

unsigned place_begin(struct place *place)
{
    place->trials += place->failures > 0;
    return place->failures;
}

static void leave_out(const struct places *places, struct place *place, const char *cause,
                      int64_t now_ms)
{
    int64_t pause_ms = places->pause_ms;

    for (unsigned i = 0; i < place->failures && pause_ms < PAUSE_MAX_MS; i++)
        pause_ms *= 2;
    if (pause_ms > PAUSE_MAX_MS)
        pause_ms = PAUSE_MAX_MS;
    place->failures++;
    place->until_ms = now_ms + pause_ms;
    if (places->count == 1)
        return; /* it is asked all the same */
    char *text = duration_format(pause_ms);
    log_warning("%s; it is left out for %s", cause, text);
    free(text);
}

void place_end(struct places *places, struct place *place, unsigned begun,
               enum place_news news, const char *cause, int64_t now_ms)
{
    if (begun > 0)
        place->trials--;
    if (news == PLACE_WENT_WELL) {
        if (place->failures > 0 && places->count > 1)
            log_info("homerunner at %s is back", place->name);
        place->failures = 0;
    }
    /* those that were sent together fail together: that counts once */
    if (news == PLACE_FAILED && begun == place->failures)
        leave_out(places, place, cause, now_ms);
}
