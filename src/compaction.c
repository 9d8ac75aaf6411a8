/* SPDX-License-Identifier: Apache-2.0 */
/* A snapshot in the place of what led to it. */
#include "compaction.h"

#include "daemon.h"
#include "input.h"
#include "journal.h"
#include "json.h"
#include "keeping.h"
#include "log.h"
#include "snapshot.h"
#include "supervisor.h"
#include "utf8.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define EXTEND_PARTS 1000  /* after so many a service manager hears that it goes on */
#define EXTEND_MS    30000 /* and has patience for so much longer */

/* A snapshot that is being written. */
struct writing {
    struct daemon *daemon;     /* borrowed */
    struct snapshot *snapshot; /* owned */
    size_t parts;              /* so far */
};

/* The next part as text. False where it could not be read back. */
static bool next_part(void *context, char **text)
{
    struct writing *writing = context;
    struct json_object *part = snapshot_next(writing->snapshot);

    *text = NULL;
    if (part == NULL)
        return true;
    struct json_object *input = input_snapshot(part);
    const char *written = json_text(input);
    bool good = utf8_valid_length(written, strlen(written)) == strlen(written);
    if (good)
        *text = xstrdup(written);
    else
        log_error("a snapshot is no UTF-8 text, which is a bug: %.300s", written);
    json_object_put(input);
    if (++writing->parts % EXTEND_PARTS == 0)
        supervisor_extend(writing->daemon->supervisor, EXTEND_MS);
    return good;
}

/* Reading a snapshot takes time, too: there must be more to be saved than that. */
static bool is_worth_it(const struct daemon *daemon, const struct compaction_tally *tally)
{
    size_t enough = daemon->config.compact_after;

    return enough > 0 && tally->inputs >= enough && tally->bytes >= tally->snapshot_bytes;
}

void compaction_look(struct daemon *daemon, const struct compaction_tally *tally,
                     const struct instant *last)
{
    struct writing writing = {.daemon = daemon};
    char *words = NULL;
    int64_t first;

    if (!is_worth_it(daemon, tally))
        return;
    writing.snapshot = snapshot_new(daemon->engine);
    if (journal_replace(daemon->journal, next_part, &writing, last, &first, &words) ==
        0) {
        keeping_note_snapshot(daemon->keeping, first);
        log_info("a snapshot of %zu parts takes the place of %zu inputs in the journal",
                 writing.parts, tally->inputs);
    } else {
        log_warning("the journal can't be made shorter, which is tried again at the next "
                    "start: %s",
                    words);
    }
    snapshot_free(writing.snapshot);
    free(words);
}
