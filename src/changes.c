/* SPDX-License-Identifier: Apache-2.0 */
/* What has changed of late, as messages. */
#include "changes.h"

#include "brief.h"
#include "hash.h"
#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THINGS     3            /* kinds of things: enum engine_thing */
#define NAMED_MOST 100          /* things of each kind that one message names */
#define KEPT_COUNT 256          /* messages */
#define KEPT_BYTES (256 * 1024) /* of all messages together */

/* A thing that has changed since the latest message. */
struct noted {
    UT_hash_handle hh; /* by id */
    char id[];         /* of the thing */
};

struct changes {
    const struct engine *engine;             /* borrowed */
    int64_t epoch;                           /* in front of all numbers */
    struct noted *noted[THINGS];             /* uthash, one for each kind; owned */
    bool more;                               /* there was no room in them for all */
    struct changes_message kept[KEPT_COUNT]; /* a ring: at number % KEPT_COUNT; owned */
    uint64_t latest;                         /* number of the last one; the first is 1 */
    uint64_t oldest;                         /* of the first that is kept */
    size_t bytes;                            /* of those that are kept */
};

void changes_note(struct changes *changes, enum engine_thing thing, const char *id)
{
    struct noted **set = &changes->noted[thing], *noted = NULL;
    size_t length = strlen(id);

    HASH_FIND(hh, *set, id, length, noted);
    if (noted != NULL)
        return;
    if (HASH_COUNT(*set) == NAMED_MOST) {
        changes->more = true;
        return;
    }
    noted = xcalloc(1, sizeof *noted + length + 1);
    memcpy(noted->id, id, length);
    HASH_ADD_KEYPTR(hh, *set, noted->id, length, noted);
}

/* --- messages --- */

/* How those of one kind stand; they are noted no more. */
static struct json_object *take(struct changes *changes, enum engine_thing thing)
{
    struct json_object *array = json_new_array();
    struct noted **set = &changes->noted[thing], *noted, *next;

    HASH_ITER (hh, *set, noted, next) {
        json_append(array, brief_of(changes->engine, thing, noted->id));
        HASH_DEL(*set, noted);
        free(noted);
    }
    return array;
}

/* Takes the data. */
static char *message(const struct changes *changes, uint64_t number, const char *event,
                     struct json_object *data, int64_t pace_ms, size_t *size)
{
    json_put_int(data, "pace", pace_ms);
    char *text = xasprintf("id: %" PRIx64 "-%" PRIu64 "\nevent: %s\ndata: %s\n\n",
                           (uint64_t)changes->epoch, number, event, json_text(data));

    *size = strlen(text);
    json_object_put(data);
    return text;
}

static void drop_oldest(struct changes *changes)
{
    struct changes_message *oldest = &changes->kept[changes->oldest++ % KEPT_COUNT];

    changes->bytes -= oldest->size;
    free(oldest->text);
    *oldest = (struct changes_message){0};
}

/* Takes the message, the next one; it is kept, whatever it costs the older ones. */
static void keep(struct changes *changes, struct changes_message next)
{
    while (changes->oldest <= changes->latest &&
           (changes->latest - changes->oldest + 1 == KEPT_COUNT ||
            changes->bytes + next.size > KEPT_BYTES))
        drop_oldest(changes);
    changes->kept[++changes->latest % KEPT_COUNT] = next;
    changes->bytes += next.size;
}

static bool has_noted(const struct changes *changes)
{
    return changes->noted[ENGINE_RUN] != NULL || changes->noted[ENGINE_CASE] != NULL ||
           changes->noted[ENGINE_CLIENT] != NULL;
}

bool changes_gather(struct changes *changes, int64_t pace_ms)
{
    struct changes_message next;

    if (!has_noted(changes))
        return false;
    struct json_object *data = json_new_object();
    json_put(data, "runs", take(changes, ENGINE_RUN));
    json_put(data, "cases", take(changes, ENGINE_CASE));
    json_put(data, "clients", take(changes, ENGINE_CLIENT));
    json_put_bool(data, "more", changes->more);
    changes->more = false;
    next.text =
        message(changes, changes->latest + 1, "change", data, pace_ms, &next.size);
    keep(changes, next);
    return true;
}

uint64_t changes_latest(const struct changes *changes)
{
    return changes->latest;
}

const struct changes_message *changes_get(const struct changes *changes, uint64_t number)
{
    return number >= changes->oldest && number <= changes->latest
               ? &changes->kept[number % KEPT_COUNT]
               : NULL;
}

char *changes_reset(const struct changes *changes, int64_t pace_ms, size_t *size)
{
    return message(changes, changes->latest, "reset", json_new_object(), pace_ms, size);
}

bool changes_find(const struct changes *changes, const char *id, uint64_t *next)
{
    uint64_t epoch, number;
    int end = 0;

    if (id == NULL ||
        sscanf(id, "%16" SCNx64 "-%19" SCNu64 "%n", &epoch, &number, &end) != 2 ||
        id[end] != '\0' || epoch != (uint64_t)changes->epoch ||
        number > changes->latest || number + 1 < changes->oldest)
        return false;
    *next = number + 1;
    return true;
}

/* --- the room --- */

struct changes *changes_new(const struct engine *engine, int64_t epoch)
{
    struct changes *changes = xcalloc(1, sizeof *changes);

    changes->engine = engine;
    changes->epoch = epoch;
    changes->oldest = 1;
    return changes;
}

void changes_free(struct changes *changes)
{
    if (changes == NULL)
        return;
    while (changes->oldest <= changes->latest)
        drop_oldest(changes);
    for (int thing = 0; thing < THINGS; thing++) {
        struct noted *noted, *next;
        HASH_ITER (hh, changes->noted[thing], noted, next) {
            HASH_DEL(changes->noted[thing], noted);
            free(noted);
        }
    }
    free(changes);
}
