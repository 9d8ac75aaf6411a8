/* SPDX-License-Identifier: Apache-2.0 */
/* GET /status/<case>/files/<name>. Loop thread, but for run_download(). */
#include "download.h"

#include "daemon.h"
#include "files.h"
#include "history_api.h"
#include "json.h"
#include "log.h"
#include "upload.h"
#include "worker.h"
#include "xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One request. The worker sees only what is in here, and `folder`, which stays. */
struct download {
    struct job job;                 /* its head */
    struct http_exchange *exchange; /* held; NULL once the client left; loop only */
    const char *folder;             /* of all files; borrowed */
    char *place;                    /* where the case's files are; owned */
    char *name;                     /* of the file; owned */
    int fd;                         /* the open file, or -1; owned */
    size_t size;                    /* bytes of it */
    int error;                      /* errno if it can't be had, else 0 */
    char *cause;                    /* why it can't be had; owned */
};

static void run_download(struct job *job)
{
    struct download *download = (struct download *)job;

    download->fd = file_open(download->folder, download->place, download->name,
                             &download->size, &download->error, &download->cause);
}

static void reply(struct download *download)
{
    struct http_exchange *exchange = download->exchange;
    bool is_shown =
        http_query(exchange, "view") != NULL && file_element(download->name) != NULL;
    char *disposition = xasprintf("%s; filename=\"%s\"",
                                  is_shown ? "inline" : "attachment", download->name);

    http_add_header(exchange, "Content-Disposition", disposition);
    http_add_header(exchange, "X-Content-Type-Options", "nosniff");
    http_add_header(exchange, "Content-Security-Policy",
                    is_shown ? "default-src 'none'; img-src 'self'; media-src 'self'; "
                               "style-src 'unsafe-inline'; sandbox"
                             : "default-src 'none'; sandbox");
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
    free(download->place);
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

/* Give out this file, which is known to be there. Takes place. */
static void give_out(struct http_exchange *exchange, struct daemon *daemon, char *place)
{
    struct download *download = xcalloc(1, sizeof *download);

    download->exchange = exchange;
    download->folder = uploads_folder(daemon->uploads);
    download->place = place;
    download->name = xstrdup(http_parameter(exchange, "name"));
    download->fd = -1;
    submit(daemon, download);
}

static void refuse(struct http_exchange *exchange)
{
    http_problem(exchange, 404,
                 "the case has no file of this name: its page lists those it has");
}

/* Which attempt the query names, 0 if none; -1 for what is no number of one. */
static long read_attempt(const struct http_exchange *exchange)
{
    const char *text = http_query(exchange, "attempt");
    char *end = NULL;
    long number = text != NULL ? strtol(text, &end, 10) : 0;

    return text == NULL                                                   ? 0
           : *text == '\0' || *end != '\0' || number < 1 || number > 1000 ? -1
                                                                          : number;
}

static bool lists(struct json_object *files, const char *name)
{
    for (size_t i = 0; files != NULL && i < json_object_array_length(files); i++) {
        if (strcmp(json_object_get_string(json_object_array_get_idx(files, i)), name) ==
            0)
            return true;
    }
    return false;
}

/* The latest attempt (or this one) of a case that is kept which has a file of this name;
 * 0: none. */
static unsigned find_attempt(struct json_object *testcase, unsigned wanted,
                             const char *name)
{
    struct json_object *attempts = json_member(testcase, "attempts");
    size_t count = attempts != NULL ? json_object_array_length(attempts) : 0;

    if (count == 0)
        return wanted <= 1 && lists(json_member(testcase, "files"), name);
    for (size_t number = count; number > 0; number--) {
        struct json_object *attempt = json_object_array_get_idx(attempts, number - 1);
        if ((wanted == 0 || wanted == number) &&
            lists(json_member(attempt, "files"), name))
            return (unsigned)number;
    }
    return 0;
}

/* A case that the engine has forgotten. */
static void give_out_kept(struct http_exchange *exchange, struct daemon *daemon,
                          struct json_object *testcase)
{
    const char *run = json_member_text(testcase, "run");
    unsigned attempt = find_attempt(testcase, (unsigned)read_attempt(exchange),
                                    http_parameter(exchange, "name"));

    if (attempt == 0 || run == NULL)
        refuse(exchange);
    else
        give_out(exchange, daemon,
                 file_place(run, json_member_text(testcase, "id"), attempt));
    json_object_put(testcase);
}

void status_file(struct http_exchange *exchange, void *context)
{
    struct daemon *daemon = context;
    const char *id = http_parameter(exchange, "id");
    const char *name = http_parameter(exchange, "name");
    long attempt = read_attempt(exchange);
    struct upload_target target;

    if (id == NULL || name == NULL || attempt < 0)
        refuse(exchange);
    else if (engine_find_file(daemon->engine, id, (unsigned)attempt, name, &target))
        give_out(exchange, daemon,
                 file_place(target.run, target.testcase, target.attempt));
    else if (engine_knows_case(daemon->engine, id))
        refuse(exchange);
    else
        history_answer(exchange, daemon, HISTORY_CASE, id, "case", give_out_kept);
}
