/* SPDX-License-Identifier: Apache-2.0 */
/* The journal as texts in memory. */
#include "journal.h"

#include "json.h"
#include "model.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

void journal_append(struct front *front, struct pending *pending)
{
    const char *kind = json_member_text(pending->input, "input");
    const char *run = json_member_text(pending->input, "run");
    const char *plan = json_member_text(json_member(pending->input, "plan"), "id");

    if (front->journal_count == front->journal_room) {
        front->journal_room = front->journal_room * 2 + 64;
        front->journal =
            xreallocarray(front->journal, front->journal_room, sizeof *front->journal);
    }
    struct written *written = &front->journal[front->journal_count++];
    *written = (struct written){.text = xstrdup(json_text(pending->input)),
                                .at = pending->at,
                                .number = ++front->last_number};
    pending->number = written->number;
    if (strcmp(kind, "run") == 0)
        memcpy(written->brings, plan, ID_SIZE);
    if (strcmp(kind, "begin") == 0)
        memcpy(written->begins, run, ID_SIZE);
}

static const char *oldest_begun(const struct engine *engine)
{
    const struct run *run, *oldest = NULL;

    TAILQ_FOREACH (run, &engine->runs, link) {
        if (run->begun.mono_ms != 0 &&
            (oldest == NULL || run->begun.mono_ms < oldest->begun.mono_ms))
            oldest = run;
    }
    return oldest != NULL ? oldest->id : "";
}

/* Where the run begins; the length of the journal if it does not. */
static size_t find_beginning(const struct front *front, const char *run)
{
    size_t i = 0;

    while (i < front->journal_count &&
           (run[0] == '\0' || strcmp(front->journal[i].begins, run) != 0))
        i++;
    return i;
}

void journal_trim(struct sim *sim)
{
    struct front *front = sim->front;
    size_t beginning = find_beginning(front, oldest_begun(front->engine));
    size_t kept = 0;

    if (beginning == front->journal_count || beginning == 0)
        return;
    for (size_t i = 0; i < front->journal_count; i++) {
        struct written *written = &front->journal[i];
        bool brings =
            *written->brings && engine_find_run(front->engine, written->brings) != NULL;
        if (i >= beginning || brings)
            front->journal[kept++] = *written;
        else
            free(written->text);
    }
    sim_trace(sim, "the journal is cut from %zu to %zu inputs", front->journal_count,
              kept);
    front->is_cut = front->is_cut || kept < front->journal_count;
    front->journal_count = kept;
    COUNT(sim, cuts);
}

struct json_object *journal_read(struct sim *sim, const struct written *written)
{
    struct json_object *input = NULL;
    char *cause = NULL;

    if (json_read(written->text, strlen(written->text), 64, &input, &cause) < 0)
        sim_fail(sim, "an input can't be read back: %s: %s", cause, written->text);
    return input;
}
