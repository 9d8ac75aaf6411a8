/* SPDX-License-Identifier: Apache-2.0 */
/* A start that finds a journal. */
#include "restart.h"

#include "daemon.h"
#include "homerunner.h"
#include "input.h"
#include "inputs.h"
#include "journal.h"
#include "json.h"
#include "keeping.h"
#include "now.h"
#include "presence.h"
#include "status.h"
#include "wiring.h"
#include "xalloc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_DEPTH 1100 /* nesting of an input: of the deepest body, and around it */

/* A journal that is being read. */
struct reading {
    struct daemon *daemon; /* borrowed */
    bool fresh;            /* see input_replay() */
    size_t count;          /* inputs so far */
    char *cause;           /* why it can't be read on; owned */
};

static void note_beginning(const struct reading *reading, struct json_object *input,
                           int64_t number)
{
    const char *kind = json_member_text(input, "input");
    const char *run = json_member_text(input, "run");
    bool begins = kind != NULL && strcmp(kind, "begin") == 0 && run != NULL;
    enum run_standing standing =
        begins ? engine_run_standing(reading->daemon->engine, run) : RUN_IS_UNKNOWN;

    if (standing == RUN_IS_GOING || standing == RUN_IS_OVER)
        keeping_note_beginning(reading->daemon->keeping, run, number);
}

static bool read_input(void *context, int64_t number, const char *text,
                       const struct instant *at)
{
    struct reading *reading = context;
    struct json_object *input = NULL;
    char *cause = NULL;
    bool good = json_read(text, strlen(text), INPUT_DEPTH, &input, &cause) == 0;

    if (good && input_replay(reading->daemon->engine, input, at, &reading->fresh,
                             &cause) == ENGINE_INVALID)
        good = false;
    if (good)
        note_beginning(reading, input, number);
    else
        cause_set(&reading->cause, "input %" PRId64 " can't be read: %s", number, cause);
    reading->count++;
    free(cause);
    json_object_put(input);
    return good;
}

static void meet(void *context, const char *client)
{
    presence_restore(((struct daemon *)context)->presence, client);
}

static void know_deployment(void *context, const char *deployment, const char *where)
{
    homerunner_known(((struct daemon *)context)->homerunner, deployment, where);
}

static void go_on(struct daemon *daemon, size_t count)
{
    char *line = status_line(daemon->engine);

    log_info("goes on where the journal of %zu inputs ends: %s", count, line);
    engine_clients(daemon->engine, meet, daemon);
    engine_made_deployments(daemon->engine, know_deployment, daemon);
    inputs_keep(daemon->inputs, input_resume(), NULL, NULL);
    free(line);
}

bool restart_replay(struct daemon *daemon)
{
    struct reading reading = {.daemon = daemon, .fresh = true};
    struct instant last = {0};
    char *cause = NULL;

    if (daemon->journal == NULL)
        return true;
    bool good = journal_replay(daemon->journal, read_input, &reading, &last, &cause) == 0;
    if (good && reading.cause != NULL)
        good = false;
    if (!good)
        log_error(
            "the journal in %s can't be read back%s%s: start the version that wrote "
            "it, or begin anew by moving the folder away",
            daemon->state_folder, ": ", cause != NULL ? cause : reading.cause);
    if (good && last.mono_ms != 0)
        now_continue(last.mono_ms);
    if (good && reading.count > 0)
        go_on(daemon, reading.count);
    free(reading.cause);
    free(cause);
    return good;
}
