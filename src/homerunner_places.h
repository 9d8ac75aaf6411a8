/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The homerunners that there are, and which of them is asked next: the one with the
 * fewest deployments that has not failed of late. A place that fails is left out for a
 * while that grows, then tried with one create until that goes well. Loop thread only.
 */
#ifndef TL_HOMERUNNER_PLACES_H
#define TL_HOMERUNNER_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct place;
struct places;

/* What came of a create, as far as it tells of the place. */
enum place_news {
    PLACE_WENT_WELL, /* it made what it was asked for */
    PLACE_FAILED,    /* it can't be counted on now */
    PLACE_NO_NEWS,   /* neither: it refused, or was not asked */
};

/* Places at `count` URLs (at least one), for `limit` deployments each. `pause_ms`: how
 * long one that fails is left out at first. Copies the URLs. */
struct places *places_new(const char *const *urls, size_t count, size_t limit,
                          int64_t pause_ms);
void places_free(struct places *places);

size_t places_count(const struct places *places);

/* The place at this position of the configuration. Borrowed. */
struct place *places_at(const struct places *places, size_t index);

/* The place of this name, or NULL. Borrowed. */
struct place *places_find(const struct places *places, const char *name);

/* The place that is to be asked now; NULL: wait until a deployment is destroyed, or until
 * places_next_ms(). `tried`, by position: those that are out of the question; not all of
 * them are. Where all others are left out, the one whose pause ends first is chosen all
 * the same. Borrowed. */
struct place *places_choose(const struct places *places, const bool *tried,
                            int64_t now_ms);

/* When the next pause ends; INT64_MAX: there is none. */
int64_t places_next_ms(const struct places *places, int64_t now_ms);

/* Where it listens, without a trailing slash: may have a password in it. Borrowed. */
const char *place_url(const struct place *place);

/* Its name: the URL without secrets, so that it can be told to everybody, and is the same
 * while passwords change. Borrowed. */
const char *place_name(const struct place *place);

size_t place_index(const struct places *places, const struct place *place);

/* Whether it is not left out now. */
bool place_is_well(const struct place *place, int64_t now_ms);

/* A deployment more is there, or one less. */
void place_take(struct place *place);
void place_release(struct place *place);

/* A create is sent there: gives a number to hand back with what came of it. */
unsigned place_begin(struct place *place);

/* What came of it. A PLACE_FAILED has a cause, a sentence about the place
 * that is logged. */
void place_end(struct places *places, struct place *place, unsigned begun,
               enum place_news news, const char *cause, int64_t now_ms);

#endif
