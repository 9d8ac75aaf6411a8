/* SPDX-License-Identifier: Apache-2.0 */
/* SIGHUP: the configuration is read anew. Loop thread, but for read_job(). */
#include "reload.h"

#include "config.h"
#include "log.h"
#include "supervisor.h"
#include "worker.h"
#include "xalloc.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Reads all layers of the configuration. */
struct reading {
    struct job job;              /* its head */
    struct reload *reload;       /* borrowed; not for the worker */
    struct config_origin origin; /* its overrides are owned */
    struct config fresh;         /* what was read; owned */
    char *mistakes;              /* why it is no good, one a line, or NULL; owned */
};

struct reload {
    struct supervisor *supervisor;      /* borrowed */
    struct config *running;             /* borrowed */
    const struct config_origin *origin; /* borrowed */
    reload_adopted *adopted;            /* what to do after it */
    void *context;                      /* of adopted() */
    struct lane *lane;                  /* one worker; borrowed from the pool */
    struct event *hangup;               /* SIGHUP; owned */
    struct config *retired;             /* old values that may be borrowed; owned */
    size_t retired_count;               /* length of retired */
    bool busy;                          /* a file is being read */
    bool again;                         /* it is to be read once more */
    bool stopped;                       /* nothing is to be read any more */
};

/* Log each line of the text. */
static void log_lines(void (*log)(const char *format, ...), char *text)
{
    char *rest = text;
    char *line;

    while ((line = strsep(&rest, "\n")) != NULL)
        log("%s", line);
}

static void retire(struct reload *reload, struct config *old)
{
    reload->retired = xreallocarray(reload->retired, reload->retired_count + 1,
                                    sizeof *reload->retired);
    reload->retired[reload->retired_count++] = *old;
    *old = (struct config){0};
}

static void adopt(struct reload *reload, struct config *fresh)
{
    char *changed = NULL, *restart = NULL;

    config_adopt(reload->running, fresh, &changed, &restart);
    if (!reload->adopted(reload->context))
        retire(reload, fresh);
    if (restart != NULL)
        log_lines(log_warning, restart);
    log_info("the configuration was read anew: %s%s",
             changed != NULL ? "what changed is " : "nothing changed",
             changed != NULL ? changed : "");
    free(changed);
    free(restart);
}

static void reading_free(struct reading *reading)
{
    if (reading->fresh.state_dir != NULL) /* else it was never read, or is retired */
        config_clear(&reading->fresh);
    free(reading->origin.overrides);
    free(reading->mistakes);
    free(reading);
}

/* --- the job --- */

static void read_job(struct job *job)
{
    struct reading *reading = (struct reading *)job;

    config_read(&reading->fresh, &reading->origin, &reading->mistakes);
}

static void read_done(struct job *job)
{
    struct reading *reading = (struct reading *)job;
    struct reload *reload = reading->reload;

    reload->busy = false;
    if (reading->mistakes != NULL) {
        log_lines(log_error, reading->mistakes);
        log_error(
            "the configuration stays as it was: mend the file, and send SIGHUP again");
    } else if (!job->cancelled && !reload->stopped) {
        adopt(reload, &reading->fresh);
    }
    supervisor_ready(reload->supervisor);
    reading_free(reading);
    if (reload->again)
        reload_begin(reload);
}

static const struct job_ops reading_ops = {"reading the configuration", read_job,
                                           read_done};

static struct reading *reading_new(struct reload *reload)
{
    const struct config_origin *origin = reload->origin;
    struct reading *reading = xcalloc(1, sizeof *reading);
    size_t size = origin->override_count * sizeof *origin->overrides;

    reading->job.ops = &reading_ops;
    reading->reload = reload;
    reading->origin = *origin;
    reading->origin.overrides = xmalloc(size);
    if (size > 0)
        memcpy(reading->origin.overrides, origin->overrides, size);
    return reading;
}

void reload_begin(struct reload *reload)
{
    reload->again = reload->busy;
    if (reload->busy || reload->stopped)
        return;
    struct reading *reading = reading_new(reload);
    if (job_submit(reload->lane, &reading->job) != 0) {
        log_error("the configuration can't be read now: send SIGHUP again later");
        reading_free(reading);
        return;
    }
    reload->busy = true;
    supervisor_reloading(reload->supervisor);
}

/* --- life --- */

static void hangup_cb(evutil_socket_t signal_number, short what, void *argument)
{
    (void)signal_number, (void)what;
    log_info("SIGHUP: reads the configuration anew");
    reload_begin(argument);
}

struct reload *reload_new(struct workers *workers, struct supervisor *supervisor,
                          struct config *running, const struct config_origin *origin,
                          reload_adopted *adopted, void *context)
{
    struct reload *reload = xcalloc(1, sizeof *reload);

    reload->supervisor = supervisor;
    reload->running = running;
    reload->origin = origin;
    reload->adopted = adopted;
    reload->context = context;
    reload->lane = workers_add_lane(workers, "configuration", 1, 1);
    reload->hangup =
        xcheck(evsignal_new(workers_base(workers), SIGHUP, hangup_cb, reload));
    evsignal_add(reload->hangup, NULL);
    return reload;
}

void reload_stop(struct reload *reload)
{
    if (reload != NULL)
        reload->stopped = true;
}

void reload_free(struct reload *reload)
{
    if (reload == NULL)
        return;
    for (size_t i = 0; i < reload->retired_count; i++)
        config_clear(&reload->retired[i]);
    free(reload->retired);
    event_free(reload->hangup);
    free(reload);
}
