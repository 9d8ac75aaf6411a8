/* SPDX-License-Identifier: Apache-2.0 */
/* The journal as texts in memory. */
#include "journal.h"

#include "input.h"
#include "json.h"
#include "model.h"
#include "snapshot.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

/* Room for another one, at the end. */
static struct written *add(struct front *front)
{
    if (front->journal_count == front->journal_room) {
        front->journal_room = front->journal_room * 2 + 64;
        front->journal =
            xreallocarray(front->journal, front->journal_room, sizeof *front->journal);
    }
    return &front->journal[front->journal_count++];
}

void journal_append(struct front *front, struct pending *pending)
{
    const char *kind = json_member_text(pending->input, "input");
    const char *run = json_member_text(pending->input, "run");
    const char *plan = json_member_text(json_member(pending->input, "plan"), "id");

    struct written *written = add(front);
    *written = (struct written){.text = xstrdup(json_text(pending->input)),
                                .at = pending->at,
                                .number = ++front->last_number};
    pending->number = written->number;
    if (strcmp(kind, "run") == 0)
        memcpy(written->brings, plan, ID_SIZE);
    if (strcmp(kind, "begin") == 0)
        memcpy(written->begins, run, ID_SIZE);
}

/* --- making it shorter --- */

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

    if (beginning == front->journal_count && front->has_snapshot)
        beginning = 0; /* that run began before: only what brings runs can go */
    else if (beginning == front->journal_count || beginning == 0)
        return;
    else
        front->has_snapshot = false;
    for (size_t i = 0; i < front->journal_count; i++) {
        struct written *written = &front->journal[i];
        bool brings =
            *written->brings && (written->number > front->applied ||
                                 engine_find_run(front->engine, written->brings));
        if (brings || (i >= beginning && *written->brings == '\0'))
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

/* What is known now takes the place of all that was applied, but for what brings runs. */
void journal_take_snapshot(struct sim *sim)
{
    struct front *front = sim->front;
    struct written *before = front->journal;
    size_t count = front->journal_count, i = 0;
    struct snapshot *snapshot = snapshot_new(front->engine);
    struct json_object *part;

    front->journal = NULL;
    front->journal_count = front->journal_room = 0;
    for (; i < count && before[i].number <= front->applied; i++) {
        if (*before[i].brings)
            *add(front) = before[i];
        else
            free(before[i].text);
    }
    while ((part = snapshot_next(snapshot)) != NULL) {
        struct json_object *input = input_snapshot(part);
        *add(front) = (struct written){.text = xstrdup(json_text(input)),
                                       .at = sim_now(sim),
                                       .number = front->applied};
        json_object_put(input);
    }
    for (; i < count; i++)
        *add(front) = before[i];
    snapshot_free(snapshot);
    free(before);
    sim_trace(sim, "a snapshot makes %zu inputs of %zu", front->journal_count, count);
    front->is_cut = front->has_snapshot = true;
    COUNT(sim, snapshots);
}

struct json_object *journal_read(struct sim *sim, const struct written *written)
{
    struct json_object *input = NULL;
    char *cause = NULL;

    if (json_read(written->text, strlen(written->text), 64, &input, &cause) < 0)
        sim_fail(sim, "an input can't be read back: %s: %s", cause, written->text);
    return input;
}
