/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that clients upload. Where they are is the daemon's business; the engine knows
 * which there are, and what conditions ask of them.
 */
#include "engine_internal.h"
#include "json.h"
#include "xalloc.h"

#define FILES_MAX 1000 /* of one case */

static size_t file_count(const struct testcase *testcase)
{
    return testcase->files != NULL ? (size_t)json_object_object_length(testcase->files)
                                   : 0;
}

/* The client, once it has a role; *result says what is wrong otherwise. */
static const struct client *find_player(const struct engine *engine, const char *id,
                                        enum engine_result *result, char **cause)
{
    const struct client *client = NULL;

    HASH_FIND_STR(engine->clients, id, client);
    *result = client == NULL             ? ENGINE_UNKNOWN
              : client->testcase == NULL ? ENGINE_WRONG_MOMENT
                                         : ENGINE_OK;
    if (*result == ENGINE_WRONG_MOMENT)
        cause_set(cause, "this client plays no role yet, so there is no case that files "
                         "could be of: upload from the first action on");
    return *result == ENGINE_OK ? client : NULL;
}

enum engine_result engine_upload_target(const struct engine *engine, const char *id,
                                        struct upload_target *target, char **cause)
{
    enum engine_result result;
    const struct client *client = find_player(engine, id, &result, cause);

    if (client == NULL)
        return result;
    const struct testcase *testcase = client->testcase;
    *target = (struct upload_target){
        .testcase = testcase->id,
        .role = testcase->machine->roles[client->seat],
        .room = FILES_MAX - file_count(testcase),
    };
    return ENGINE_OK;
}

/* Conditions see it from now on; when the machine does not run yet, from its beginning. */
static void note_colour(struct testcase *testcase, const char *name, const char *colour)
{
    struct json_object **colours =
        testcase->attempt != NULL ? &testcase->attempt->colours : &testcase->colours;

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
    struct testcase *testcase = client->testcase;
    if (json_member(testcase->files, name) == NULL && file_count(testcase) >= FILES_MAX) {
        cause_set(cause, "the case has %d files, which is the limit", FILES_MAX);
        return ENGINE_WRONG_MOMENT;
    }
    if (testcase->files == NULL)
        testcase->files = json_new_object();
    json_put_int(testcase->files, name, (int64_t)size);
    transcript_add(testcase->attempt != NULL ? &testcase->attempt->transcript
                                             : &testcase->prelude,
                   now, TRANSCRIPT_UPLOAD, testcase->machine->roles[client->seat],
                   "%s, %zu bytes%s%s", name, size, colour != NULL ? ", colour " : "",
                   colour != NULL ? colour : "");
    if (!testcase_has_ended(testcase))
        note_colour(testcase, name, colour);
    return ENGINE_OK;
}

bool engine_has_file(const struct engine *engine, const char *id, const char *name)
{
    const struct testcase *testcase = NULL;

    HASH_FIND_STR(engine->cases_by_id, id, testcase);
    return testcase != NULL && json_member(testcase->files, name) != NULL;
}
