/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of a thing in a line. */
#include "brief.h"

#include "json.h"
#include "model.h"

#include <string.h>

#define GONE "gone"

static const char *run_state(const struct engine *engine, const char *id)
{
    const struct run *run = engine_find_run(engine, id);

    return run != NULL ? run_state_text(run->state) : GONE;
}

static const char *client_state(const struct engine *engine, const char *id)
{
    const struct client *client = NULL;

    HASH_FIND_STR(engine->clients, id, client);
    return client != NULL ? client_state_text(client->state) : GONE;
}

/* Adds the run, too. */
static const char *case_state(const struct engine *engine, const char *id,
                              struct json_object *brief)
{
    const struct testcase *testcase = NULL;

    HASH_FIND_STR(engine->cases_by_id, id, testcase);
    if (testcase == NULL)
        return GONE;
    json_put_text(brief, "run", testcase->suite->run->id);
    return case_state_text(testcase->state);
}

struct json_object *brief_of(const struct engine *engine, enum engine_thing thing,
                             const char *id)
{
    struct json_object *brief = json_new_object();
    const char *state = NULL;

    json_put_text(brief, "id", id);
    switch (thing) {
    case ENGINE_RUN:
        state = run_state(engine, id);
        break;
    case ENGINE_CASE:
        state = case_state(engine, id, brief);
        break;
    case ENGINE_CLIENT:
        state = client_state(engine, id);
        break;
    }
    json_put_text(brief, "state", state);
    return brief;
}
