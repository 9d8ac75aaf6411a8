/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An engine that is restored in the midst: for many moments of a test's story, one engine
 * reads all of it, another one begins with a snapshot of that moment and reads the rest.
 * Both must answer, show and ask for the same.
 */
#include "fixture.h"
#include "fixture_replay.h"
#include "json.h"
#include "snapshot.h"
#include "xalloc.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define WORK 100 /* how much is read again for one test; see weight() */

/* An engine, and what it asked for. */
struct witness {
    struct engine *engine; /* owned */
    FILE *out;             /* writes notes; owned */
    char *notes;           /* what it asked for; owned, of out */
    size_t size;           /* of notes */
    bool fresh;            /* see input_replay() */
};

static void wake_cb(void *context, const char *client)
{
    fprintf(((struct witness *)context)->out, "wake %s\n", client);
}

static void create_cb(void *context, const char *id, const struct server_wanted *servers,
                      size_t count)
{
    FILE *out = ((struct witness *)context)->out;

    fprintf(out, "create %s", id);
    for (size_t i = 0; i < count; i++)
        fprintf(out, " %s=%s", servers[i].name, servers[i].image);
    fprintf(out, "\n");
}

static void destroy_cb(void *context, const char *id, const char *where, bool lost)
{
    fprintf(((struct witness *)context)->out, "destroy %s %s %d\n", id,
            where != NULL ? where : "-", lost);
}

static void http_cb(void *context, const char *ticket, struct json_object *request)
{
    fprintf(((struct witness *)context)->out, "http %s %s\n", ticket, json_text(request));
}

static void log_cb(void *context, const char *line)
{
    fprintf(((struct witness *)context)->out, "log %s\n", line);
}

static const struct engine_ops ops = {wake_cb, create_cb, destroy_cb,
                                      http_cb, log_cb,    NULL};

static struct witness *witness_new(void)
{
    struct witness *witness = xcalloc(1, sizeof *witness);
    struct instant start = fixture_at(0);

    witness->out = xcheck(open_memstream(&witness->notes, &witness->size));
    witness->engine = engine_new(&ops, witness, &start);
    witness->fresh = true;
    return witness;
}

/* What it asked for since it was asked last. Borrowed until it is asked for more. */
static const char *take_notes(struct witness *witness)
{
    fputc('\0', witness->out);
    fflush(witness->out);
    rewind(witness->out);
    return witness->notes;
}

static void witness_free(struct witness *witness)
{
    engine_free(witness->engine);
    fclose(witness->out);
    free(witness->notes);
    free(witness);
}

static void ck_same(const char *found, const char *wanted)
{
    size_t at = 0;

    while (found[at] == wanted[at] && found[at] != '\0')
        at++;
    size_t begin = at > 200 ? at - 200 : 0; /* the whole is too long for a message */
    ck_assert_msg(strcmp(found, wanted) == 0, "%.400s\nis to be\n%.400s", found + begin,
                  wanted + begin);
}

/* All that an engine knows, a part a line. Owned. */
static char *all_parts(const struct engine *engine)
{
    struct snapshot *snapshot = snapshot_new(engine);
    struct json_object *part;
    char *text = NULL;
    size_t size;
    FILE *out = xcheck(open_memstream(&text, &size));

    while ((part = snapshot_next(snapshot)) != NULL) {
        struct json_object *input = input_snapshot(part);
        fprintf(out, "%s\n", json_text(input));
        json_object_put(input);
    }
    snapshot_free(snapshot);
    fclose(out);
    return text;
}

/* The line is a part. */
static void restore_part(const struct world *world, struct witness *witness,
                         const char *line)
{
    char *text = xstrndup(line, strcspn(line, "\n"));
    struct instant now = fixture_at(world->ms);
    struct json_object *input = NULL;
    char *cause = NULL;

    ck_assert_msg(json_read(text, strlen(text), 1000, &input, &cause) == 0, "%s", cause);
    ck_assert_msg(input_replay(witness->engine, input, &now, &witness->fresh, &cause) ==
                      ENGINE_OK,
                  "%s", cause);
    json_object_put(input);
    free(text);
}

/* What brought the runs that the first one still has; then these parts. */
static void restore(struct world *world, const struct witness *first, size_t count,
                    struct witness *second, const char *parts)
{
    for (size_t i = 0; i < count; i++) {
        struct json_object *noted = json_object_array_get_idx(world->inputs, i);
        if (replay_brings_run(first->engine, noted))
            replay_one(world, second->engine, noted, &second->fresh);
    }
    for (const char *line = parts; *line != '\0'; line = strchr(line, '\n') + 1)
        restore_part(world, second, line);
    ck_assert_str_eq(take_notes(second), ""); /* it asks nothing of the world */
}

static void compare(const struct world *world, struct witness *first,
                    struct witness *second)
{
    char *wanted = world_seen(first->engine, world->ms);
    char *found = world_seen(second->engine, world->ms);
    char *known = all_parts(first->engine), *again = all_parts(second->engine);

    ck_same(found, wanted);
    ck_same(again, known);
    free(wanted);
    free(found);
    free(known);
    free(again);
}

/* The second one begins after so many inputs. */
static void check_at(struct world *world, size_t moment)
{
    struct witness *first = witness_new(), *second = witness_new();
    size_t count = json_object_array_length(world->inputs);

    for (size_t i = 0; i < moment; i++)
        replay_one(world, first->engine, json_object_array_get_idx(world->inputs, i),
                   &first->fresh);
    take_notes(first);
    char *parts = all_parts(first->engine);
    restore(world, first, moment, second, parts);
    compare(world, first, second);
    for (size_t i = moment; i < count; i++) {
        struct json_object *noted = json_object_array_get_idx(world->inputs, i);
        ck_assert_int_eq(replay_one(world, second->engine, noted, &second->fresh),
                         replay_one(world, first->engine, noted, &first->fresh));
        ck_same(take_notes(second), take_notes(first));
    }
    compare(world, first, second);
    free(parts);
    witness_free(first);
    witness_free(second);
}

/* About how much it is to read all of it and to look at it. */
static size_t weight(const struct world *world)
{
    size_t weight = json_object_array_length(world->inputs);
    const struct run *run;

    TAILQ_FOREACH (run, &world->engine->runs, link) {
        weight += 10 * run->case_count;
    }
    return weight;
}

void world_check_snapshots(struct world *world)
{
    size_t count = json_object_array_length(world->inputs);
    size_t tries = WORK / (weight(world) + 1);
    uint64_t seed = count;

    if (tries > count) {
        for (size_t moment = 0; moment <= count; moment++)
            check_at(world, moment);
        return;
    }
    for (size_t i = 0; i <= tries; i++)
        check_at(world, fixture_random(&seed, (unsigned)count + 1));
}
