/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that clients upload. Where they are is the daemon's business; the engine knows
 * which there are, and what conditions ask of them.
 */
#include "engine_internal.h"
#include "json.h"
#include "xalloc.h"

#define FILES_MAX 1000 /* of one attempt of a case */

static size_t file_count(const struct turn *turn)
{
    return turn->files != NULL ? (size_t)json_object_object_length(turn->files) : 0;
}

/* The client, once it has a role; *result says what is wrong otherwise. */
static const struct client *find_player(const struct engine *engine, const char *id,
                                        enum engine_result *result, char **cause)
{
    const struct client *client = engine_find_client(engine, id);

    *result = client == NULL         ? ENGINE_UNKNOWN
              : client->turn == NULL ? ENGINE_WRONG_MOMENT
                                     : ENGINE_OK;
    if (*result == ENGINE_WRONG_MOMENT)
        cause_set(cause, "this client plays no role yet, so there is no case that files "
                         "could be of: upload from the first action on");
    return *result == ENGINE_OK ? client : NULL;
}

static void fill_in(struct upload_target *target, const struct turn *turn)
{
    *target = (struct upload_target){
        .run = turn->testcase->suite->run->id,
        .testcase = turn->testcase->id,
        .attempt = turn->number,
        .room = FILES_MAX - file_count(turn),
    };
}

enum engine_result engine_upload_target(const struct engine *engine, const char *id,
                                        struct upload_target *target, char **cause)
{
    enum engine_result result;
    const struct client *client = find_player(engine, id, &result, cause);

    if (client == NULL)
        return result;
    fill_in(target, client->turn);
    target->role = client->turn->testcase->machine->roles[client->seat];
    return ENGINE_OK;
}

/* Conditions see it from now on; when the machine does not run yet, from its
 * beginning. */
static void note_colour(struct turn *turn, const char *name, const char *colour)
{
    struct json_object **colours =
        turn->attempt != NULL ? &turn->attempt->colours : &turn->colours;

    if (*colours == NULL)
        *colours = json_new_object();
    json_object_object_del(*colours, name);
    if (colour != NULL)
        json_put_text(*colours, name, colour);
}

enum engine_result engine_uploaded(struct engine *engine, const char *id,
                                   const char *name, size_t size, const char *colour,
                                   const struct instant *now, char **cause)
{
    enum engine_result result;
    const struct client *client = find_player(engine, id, &result, cause);

    if (client == NULL)
        return result;
    struct turn *turn = client->turn;
    if (json_member(turn->files, name) == NULL && file_count(turn) >= FILES_MAX) {
        cause_set(cause, "the case has %d files, which is the limit", FILES_MAX);
        return ENGINE_WRONG_MOMENT;
    }
    if (turn->files == NULL)
        turn->files = json_new_object();
    json_put_int(turn->files, name, (int64_t)size);
    transcript_add(turn_transcript(turn), now, TRANSCRIPT_UPLOAD,
                   turn->testcase->machine->roles[client->seat], "%s, %zu bytes%s%s",
                   name, size, colour != NULL ? ", colour " : "",
                   colour != NULL ? colour : "");
    if (turn->ended.mono_ms == 0)
        note_colour(turn, name, colour);
    engine_show_turn(engine, turn);
    return ENGINE_OK;
}

bool engine_find_file(const struct engine *engine, const char *id, unsigned attempt,
                      const char *name, struct upload_target *target)
{
    const struct testcase *testcase = NULL;
    const struct turn *turn;

    HASH_FIND_STR(engine->cases_by_id, id, testcase);
    if (testcase == NULL)
        return false;
    TAILQ_FOREACH_REVERSE (turn, &testcase->turns, turn_list, link) {
        if ((attempt == 0 || attempt == turn->number) &&
            json_member(turn->files, name) != NULL) {
            fill_in(target, turn);
            return true;
        }
    }
    return false;
}
