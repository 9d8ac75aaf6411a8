/* SPDX-License-Identifier: Apache-2.0 */
/* POST /client/<id>/upload. Loop thread, but for run_upload() and what it calls. */
#include "upload.h"

#include "client_api.h"
#include "config.h"
#include "daemon.h"
#include "files.h"
#include "input.h"
#include "inputs.h"
#include "log.h"
#include "multipart.h"
#include "pixel.h"
#include "presence.h"
#include "worker.h"
#include "xalloc.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum {
    PARTS_MAX = 100,     /* of one form */
    TRIM_BYTES = 1 << 20 /* from this size on, freed memory is given back at once */
};

struct uploads {
    struct lane *lane;  /* one worker; borrowed from the pool */
    char *folder;       /* below which files are stored; owned */
    int error;          /* errno of the latest upload that the disk refused; 0: taken */
    size_t outstanding; /* jobs that are not done */
};

/* A file of an upload. */
struct stored {
    char *name;   /* as it is stored; owned */
    char *colour; /* of its centre pixel, or NULL; owned */
    size_t size;  /* bytes */
};

/* One upload. The worker sees only what is in here, and `folder`, which stays. */
struct upload {
    struct job job;                 /* its head */
    struct daemon *daemon;          /* touched on the loop only */
    struct http_exchange *exchange; /* held; NULL once the client left; loop only */
    const char *folder;             /* of all files; borrowed */
    char *client;                   /* id of the client; owned */
    client_answer *answer;          /* to what the engine says */
    char *place;                    /* where its case's files are, below folder; owned */
    char *role;                     /* that it plays there; owned */
    char *content_type;             /* of the body; owned */
    char *body;                     /* owned, NULL if empty or freed */
    size_t size;                    /* bytes of the body that was taken */
    size_t room;                    /* new files that the case may have */
    struct stored *files;           /* what was in it; owned */
    size_t count;                   /* length of files */
    int status;                     /* of the answer; 0: all is stored */
    int error;                      /* errno if the disk refused, else 0 */
    char *cause;                    /* what is wrong; owned */
    size_t untold;                  /* files of which the engine has not heard yet */
    bool written;                   /* those of which it has are in the journal */
    enum engine_result result;      /* of the first file that was not taken, else OK */
    char *refusal;                  /* why it was not taken; owned */
};

/* --- on the worker --- */

/* Collect the files of the form; their contents stay in the body. Gives false, with the
 * status and the cause, if not all is well. */
static bool read_form(struct upload *upload, struct multipart *form,
                      struct file_content *contents)
{
    struct multipart_part part;
    int more;

    while ((more = multipart_next(form, &part, &upload->cause)) > 0) {
        if (part.filename == NULL || *part.filename == '\0')
            continue;
        struct stored *file = &upload->files[upload->count];
        file->name = file_name(upload->role, part.filename);
        file->size = part.size;
        contents[upload->count] = (struct file_content){file->name, part.data, part.size};
        upload->count++;
    }
    upload->status = more < 0 ? 400 : 0;
    if (more == 0 && upload->count == 0) {
        upload->status = 422;
        cause_set(&upload->cause, "no part of the form has a filename, so there is "
                                  "nothing to store");
    }
    return upload->status == 0;
}

static bool is_full(int error)
{
    return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

static void store(struct upload *upload, const struct file_content *contents)
{
    for (size_t i = 0; i < upload->count; i++)
        upload->files[i].colour = pixel_colour(contents[i].data, contents[i].size);
    switch (files_store(upload->folder, upload->place, contents, upload->count,
                        upload->room, &upload->error, &upload->cause)) {
    case FILES_STORED:
        break;
    case FILES_TOO_MANY:
        upload->status = 409;
        break;
    case FILES_FAILED:
        upload->status = is_full(upload->error) ? 507 : 500;
        break;
    }
}

static void free_body(struct upload *upload)
{
    free(upload->body);
    upload->body = NULL;
    if (upload->size >= TRIM_BYTES)
        malloc_trim(0);
}

static void run_upload(struct job *job)
{
    struct upload *upload = (struct upload *)job;
    struct file_content contents[PARTS_MAX];
    struct multipart *form =
        multipart_new(upload->content_type, upload->body != NULL ? upload->body : "",
                      upload->size, PARTS_MAX, &upload->cause);

    upload->files = xcalloc(PARTS_MAX, sizeof *upload->files);
    if (form == NULL)
        upload->status = 400;
    else if (read_form(upload, form, contents))
        store(upload, contents);
    multipart_free(form);
    free_body(upload);
}

/* --- back on the loop --- */

static void free_upload(struct upload *upload)
{
    for (size_t i = 0; i < upload->count; i++) {
        free(upload->files[i].name);
        free(upload->files[i].colour);
    }
    free(upload->files);
    free(upload->body);
    free(upload->client);
    free(upload->place);
    free(upload->role);
    free(upload->content_type);
    free(upload->cause);
    free(upload->refusal);
    free(upload);
}

/* A full disk refuses every upload; it is said once, until one is taken again. */
static void note_error(struct uploads *uploads, const struct upload *upload)
{
    if (upload->error != 0 && upload->error != uploads->error)
        log_error("an upload is lost: %s", upload->cause);
    if (upload->error != 0 || upload->status == 0)
        uploads->error = upload->error;
}

/* Answer, and let go of it; cause is of the engine's result, or of the journal's refusal.
 * Takes cause. */
static void finish(struct upload *upload, bool written, enum engine_result result,
                   char *cause)
{
    struct http_exchange *exchange = upload->exchange;

    upload->daemon->uploads->outstanding--;
    if (exchange != NULL && upload->status != 0)
        http_problem(exchange, upload->status, "the upload is not kept: %s",
                     upload->cause);
    else if (exchange != NULL && !written)
        client_reply_full(exchange, cause);
    else if (exchange != NULL)
        upload->answer(exchange, upload->daemon, upload->client, result,
                       xstrdup(cause != NULL ? cause : ""));
    free(cause);
    free_upload(upload);
}

/* One of its files is an input; the answer waits for the last one, and tells of the first
 * that was not taken. */
static void taken(void *argument, bool written, int64_t number, enum engine_result result,
                  char *cause)
{
    struct upload *upload = argument;

    (void)number;
    if (upload->written && upload->result == ENGINE_OK) {
        upload->written = written;
        upload->result = result;
        cause_set(&upload->refusal, "%s", cause != NULL ? cause : "");
    }
    free(cause);
    if (--upload->untold == 0) {
        char *refusal = upload->refusal;
        upload->refusal = NULL;
        finish(upload, upload->written, upload->result, refusal);
    }
}

static void tell_engine(struct upload *upload)
{
    size_t count = upload->count;

    upload->untold = count;
    upload->written = true;
    for (size_t i = 0; i < count; i++) {
        const struct stored *file = &upload->files[i];
        inputs_take(upload->daemon->inputs,
                    input_uploaded(upload->client, file->name, file->size, file->colour),
                    taken, upload);
    }
}

static void done_upload(struct job *job)
{
    struct upload *upload = (struct upload *)job;
    struct daemon *daemon = upload->daemon;

    http_server_return_room(daemon->http, upload->size);
    if (job->cancelled) {
        upload->status = 503;
        cause_set(&upload->cause, "the server is stopping");
    }
    note_error(daemon->uploads, upload);
    if (upload->status == 0)
        tell_engine(upload);
    else
        finish(upload, true, ENGINE_OK, NULL);
}

static void gone_cb(void *argument)
{
    ((struct upload *)argument)->exchange = NULL;
}

/* --- the endpoint --- */

static void submit(struct daemon *daemon, struct upload *upload)
{
    static const struct job_ops ops = {"upload", run_upload, done_upload};

    upload->job.ops = &ops;
    daemon->uploads->outstanding++;
    http_hold(upload->exchange, gone_cb, upload);
    if (job_submit(daemon->uploads->lane, &upload->job) < 0)
        job_submit_cancelled(daemon->uploads->lane, &upload->job);
}

void upload_take(struct http_exchange *exchange, struct daemon *daemon, const char *id,
                 client_answer *answer)
{
    const char *content_type = http_header(exchange, "Content-Type");
    struct upload_target target;
    char *cause = NULL;

    enum engine_result result = engine_upload_target(daemon->engine, id, &target, &cause);
    if (result != ENGINE_UNKNOWN)
        presence_heard(daemon->presence, id);
    if (result != ENGINE_OK) {
        answer(exchange, daemon, id, result, cause);
        return;
    }
    if (!multipart_is_meant(content_type)) {
        http_problem(exchange, 415,
                     "an upload is multipart/form-data, with a filename "
                     "for each part that is a file");
        return;
    }
    struct upload *upload = xcalloc(1, sizeof *upload);
    upload->daemon = daemon;
    upload->exchange = exchange;
    upload->folder = daemon->uploads->folder;
    upload->client = xstrdup(id);
    upload->answer = answer;
    upload->place = file_place(target.run, target.testcase, target.attempt);
    upload->role = xstrdup(target.role);
    upload->content_type = xstrdup(content_type);
    upload->room = target.room;
    upload->body = http_take_body(exchange, &upload->size);
    submit(daemon, upload);
}

void client_upload(struct http_exchange *exchange, void *context)
{
    const char *id = client_read_id(exchange);

    if (id != NULL)
        upload_take(exchange, context, id, client_reply);
}

/* --- the room --- */

struct uploads *uploads_new(struct workers *workers, const struct config *config)
{
    struct uploads *uploads = xcalloc(1, sizeof *uploads);
    char *state = config_state_folder(config);

    uploads->lane = workers_add_lane(workers, "uploads", 1, 0);
    uploads->folder = xasprintf("%s/files", state);
    free(state);
    return uploads;
}

const char *uploads_folder(const struct uploads *uploads)
{
    return uploads->folder;
}

size_t uploads_outstanding(const struct uploads *uploads)
{
    return uploads->outstanding;
}

void uploads_free(struct uploads *uploads)
{
    if (uploads == NULL)
        return;
    free(uploads->folder);
    free(uploads);
}
