/* SPDX-License-Identifier: Apache-2.0 */
/* Which tests ask for which actions. */
#include "usage.h"

#include "json.h"
#include "model.h"

#include <string.h>

/* Note that the suite uses the action, once. Suites come one after another: if it was
 * noted, it is the last. */
static void note(struct json_object *usage, const char *action, const struct suite *suite)
{
    struct json_object *users = json_member(usage, action);

    if (users == NULL) {
        users = json_new_array();
        json_put(usage, action, users);
    }
    size_t count = json_object_array_length(users);
    struct json_object *last =
        count > 0 ? json_object_array_get_idx(users, count - 1) : NULL;
    if (last != NULL && strcmp(json_member_text(last, "id"), suite->id) == 0)
        return;
    struct json_object *user = json_new_object();
    json_put_text(user, "id", suite->id);
    json_put_text(user, "name", suite->definition->name);
    json_append(users, user);
}

static void note_machine(struct json_object *usage, const struct machine *machine,
                         const struct suite *suite)
{
    for (size_t i = 0; i < machine->state_count; i++) {
        const struct machine_state *state = &machine->states[i];
        for (size_t k = 0; k < state->action_count; k++)
            note(usage, state->actions[k].name, suite);
    }
}

struct json_object *usage_json(const struct engine *engine)
{
    struct json_object *usage = json_new_object();
    const struct run *run = engine_shown_run(engine);
    const struct suite *suite;

    if (run == NULL)
        return usage;
    TAILQ_FOREACH (suite, &run->suites, link) {
        const struct machine *latest = NULL; /* cases of the same kind share one */
        for (size_t i = 0; i < suite->case_count; i++) {
            if (suite->cases[i].machine != latest)
                note_machine(usage, suite->cases[i].machine, suite);
            latest = suite->cases[i].machine;
        }
    }
    return usage;
}
