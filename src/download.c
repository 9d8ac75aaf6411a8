/* SPDX-License-Identifier: Apache-2.0 */
/* GET /status/<case>/files/<name>. Loop thread, but for run_download(). */
#include "download.h"

#include "daemon.h"
#include "files.h"
#include "log.h"
#include "upload.h"
#include "worker.h"
#include "xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* One request. The worker sees only what is in here, and `folder`, which stays. */
struct download {
    struct job job;                 /* its head */
    struct http_exchange *exchange; /* held; NULL once the client left; loop only */
    const char *folder;             /* of all files; borrowed */
    char *testcase;                 /* id of the case; owned */
    char *name;                     /* of the file; owned */
    int fd;                         /* the open file, or -1; owned */
    size_t size;                    /* bytes of it */
    int error;                      /* errno if it can't be had, else 0 */
    char *cause;                    /* why it can't be had; owned */
};

static void run_download(struct job *job)
{
    struct download *download = (struct download *)job;

    download->fd = file_open(download->folder, download->testcase, download->name,
                             &download->size, &download->error, &download->cause);
}

static void reply(struct download *download)
{
    struct http_exchange *exchange = download->exchange;
    char *disposition = xasprintf("attachment; filename=\"%s\"", download->name);

    http_add_header(exchange, "Content-Disposition", disposition);
    http_add_header(exchange, "X-Content-Type-Options", "nosniff");
    http_add_header(exchange, "Content-Security-Policy", "default-src 'none'; sandbox");
    http_add_header(exchange, "Cache-Control", "no-store");
    http_reply_file(exchange, file_type(download->name), download->fd, download->size);
    download->fd = -1;
    free(disposition);
}

static void done_download(struct job *job)
{
    struct download *download = (struct download *)job;

    if (download->error != 0 && download->error != ENOENT)
        log_warning("a file can't be given out: %s", download->cause);
    if (download->exchange == NULL)
        ; /* nobody waits for it any more */
    else if (job->cancelled)
        http_problem(download->exchange, 503, "the server is stopping");
    else if (download->error != 0)
        http_problem(download->exchange, download->error == ENOENT ? 404 : 500, "%s",
                     download->cause);
    else
        reply(download);
    if (download->fd >= 0)
        close(download->fd);
    free(download->testcase);
    free(download->name);
    free(download->cause);
    free(download);
}

static void gone_cb(void *argument)
{
    ((struct download *)argument)->exchange = NULL;
}

static void submit(struct daemon *daemon, struct download *download)
{
    static const struct job_ops ops = {"download", run_download, done_download};

    download->job.ops = &ops;
    http_hold(download->exchange, gone_cb, download);
    if (job_submit(daemon->downloads, &download->job) < 0)
        job_submit_cancelled(daemon->downloads, &download->job);
}

void status_file(struct http_exchange *exchange, void *context)
{
    struct daemon *daemon = context;
    const char *id = http_parameter(exchange, "id");
    const char *name = http_parameter(exchange, "name");

    if (id == NULL || name == NULL || !engine_has_file(daemon->engine, id, name)) {
        http_problem(exchange, 404,
                     "the case has no file of this name: its page lists those it has");
        return;
    }
    struct download *download = xcalloc(1, sizeof *download);
    download->exchange = exchange;
    download->folder = uploads_folder(daemon->uploads);
    download->testcase = xstrdup(id);
    download->name = xstrdup(name);
    download->fd = -1;
    submit(daemon, download);
}
