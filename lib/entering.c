/* SPDX-License-Identifier: Apache-2.0 */
/* What a state does by itself when it is entered. */
#include "entering.h"

#include "condition.h"
#include "json.h"
#include "value.h"
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void enter_wait(struct attempt *attempt, const struct instant *now)
{
    struct json_object *duration = NULL;
    char *cause = NULL;
    int64_t ms = 0;

    if (value_expand(attempt_current(attempt)->body, attempt->scope, &duration, &cause) ==
            0 &&
        duration_parse(json_object_is_type(duration, json_type_string)
                           ? json_object_get_string(duration)
                           : json_text(duration),
                       &ms, &cause) == 0) {
        ms = (int64_t)((double)ms * attempt->machine->wait_scale);
        attempt->wait_until_ms = now->mono_ms + (ms > 0 ? ms : 1); /* circles take time */
    } else {
        attempt_end_without_value(attempt, cause, now);
    }
    json_object_put(duration);
}

static void enter_set(struct attempt *attempt, const struct instant *now)
{
    struct json_object *values = NULL;
    char *cause = NULL;

    if (value_expand(attempt_current(attempt)->body, attempt->scope, &values, &cause) <
        0) {
        attempt_end_without_value(attempt, cause, now);
        return;
    }
    if (strlen(json_text(values)) > VALUE_TEXT_MAX)
        cause_set(&cause, "what is set here has more than %d bytes", VALUE_TEXT_MAX);
    if (json_is_deeper(values, VALUE_DEPTH_MAX))
        cause_set(&cause, "what is set here is nested more than %d deep",
                  VALUE_DEPTH_MAX);
    if (cause != NULL) {
        attempt_end_without_value(attempt, cause, now);
        json_object_put(values);
        return;
    }
    json_object_object_foreach (values, name, value) {
        attempt_save(attempt, name, json_object_get(value), NULL);
    }
    transcript_add(&attempt->transcript, now, TRANSCRIPT_NOTE, NULL, "set %s",
                   json_text(values));
    json_object_put(values);
}

/* --- conditions --- */

static bool holds(const struct attempt *attempt, char **why)
{
    struct condition_world world = {
        .scope = attempt->scope,
        .reporters = attempt->reporters,
        .missing = attempt->missing,
        .colours = attempt->colours,
    };

    return condition_holds(attempt_current(attempt)->body, &world, why);
}

static void enter_assert(struct attempt *attempt, const struct instant *now)
{
    char *why = NULL;

    if (!holds(attempt, &why))
        attempt_endf(attempt, OUTCOME_FAILED, "assertion", NULL, now, "in state %s: %s",
                     attempt_current(attempt)->name, why);
    free(why);
}

static void enter_check(struct attempt *attempt, const struct instant *now)
{
    char *why = NULL;

    if (!holds(attempt, &why)) {
        char *note = xasprintf("in state %s: %s", attempt_current(attempt)->name, why);
        transcript_add(&attempt->transcript, now, TRANSCRIPT_NOTE, NULL,
                       "a check does not hold %s", note);
        json_append(attempt->checks, json_new_text(note));
        free(note);
    }
    free(why);
}

/* At the end of the test: the checks that did not hold make it a failure. */
static void enter_complete(struct attempt *attempt, const struct instant *now)
{
    size_t count = json_object_array_length(attempt->checks);
    char *all = NULL;
    size_t size;

    if (count == 0) {
        attempt_end(attempt, OUTCOME_SUCCESS, "complete", "", NULL, now);
        return;
    }
    FILE *out = xcheck(open_memstream(&all, &size));
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s\n",
                json_object_get_string(json_object_array_get_idx(attempt->checks, i)));
    if (fclose(out) != 0)
        xcheck(NULL);
    attempt_endf(attempt, OUTCOME_FAILED, "check", all, now,
                 "%zu %s not hold; the first: %s", count,
                 count == 1 ? "check does" : "checks do",
                 json_object_get_string(json_object_array_get_idx(attempt->checks, 0)));
    free(all);
}

/* How many members of an array or values of an object have `filter` in them (NULL: all),
 * and one of these in *found. */
static size_t count_matches(struct json_object *many, struct json_object *filter,
                            struct json_object **found)
{
    size_t count = 0;

    if (json_object_is_type(many, json_type_object)) {
        json_object_object_foreach (many, name, value) {
            (void)name;
            if (filter == NULL || condition_is_subset(filter, value)) {
                *found = value;
                count++;
            }
        }
    }
    if (json_object_is_type(many, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(many); i++) {
            struct json_object *value = json_object_array_get_idx(many, i);
            if (filter == NULL || condition_is_subset(filter, value)) {
                *found = value;
                count++;
            }
        }
    }
    return count;
}

/* Not exactly one: the name has no value, and whoever asks for it is told why. */
static void enter_find(struct attempt *attempt, const struct instant *now)
{
    struct json_object *body = attempt_current(attempt)->body;
    const char *save = json_member_text(body, "save");
    struct json_object *many = NULL, *filter = NULL, *found = NULL;
    char *cause = NULL;

    if (value_expand(json_member(body, "find"), attempt->scope, &many, &cause) < 0 ||
        (json_member(body, "where") != NULL &&
         value_expand(json_member(body, "where"), attempt->scope, &filter, &cause) < 0)) {
        cause = condition_explain_missing(attempt->missing, cause);
    } else {
        size_t count = count_matches(many, filter, &found);
        if (count == 1)
            attempt_save(attempt, save, json_copy(found), NULL);
        else
            cause = xasprintf("find in %s%s%s gave %zu, not one",
                              json_object_get_string(json_member(body, "find")),
                              filter != NULL ? " where " : "",
                              filter != NULL ? json_text(filter) : "", count);
    }
    if (cause != NULL) {
        json_object_object_del(attempt->scope, save);
        json_object_object_del(attempt->reporters, save);
        json_put_text(attempt->missing, save, cause);
        transcript_add(&attempt->transcript, now, TRANSCRIPT_NOTE, NULL, "%s", cause);
    }
    free(cause);
    json_object_put(many);
    json_object_put(filter);
}

/* A `//` at the start of the path becomes one: a proxy's endpoint ends in a slash. */
static char *clean_url(const char *url)
{
    const char *authority = strstr(url, "://");
    const char *path = authority != NULL ? strchr(authority + 3, '/') : NULL;

    if (path == NULL || path[1] != '/')
        return xstrdup(url);
    return xasprintf("%.*s%s", (int)(path - url), url, path + 1);
}

/* Have the request sent: its values are known now, so its form is checked once more. */
static void enter_http(struct attempt *attempt, const struct instant *now)
{
    struct json_object *request = NULL;
    char *cause = NULL;

    if (value_expand(json_member(attempt_current(attempt)->body, "http"), attempt->scope,
                     &request, &cause) < 0) {
        attempt_end_without_value(attempt, cause, now);
        return;
    }
    const char *url = json_member_text(request, "url");
    const char *method = json_member_text(request, "method");
    if (url == NULL ||
        (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)) {
        json_object_put(request);
        attempt_endf(attempt, OUTCOME_ERROR, "http", NULL, now,
                     "in state %s: the url must begin with http:// or https://",
                     attempt_current(attempt)->name);
        return;
    }
    char *clean = clean_url(url);
    transcript_add(&attempt->transcript, now, TRANSCRIPT_SERVER, NULL, "asks %s %s",
                   method != NULL ? method : "GET", clean);
    json_put_text(request, "url", clean);
    free(clean);
    json_object_put(attempt->request);
    attempt->request = request;
    id_derive(attempt->ticket, attempt->id, "request %u", ++attempt->deliveries);
}

/* Whether a request that was sent twice does what one does. */
static bool is_idempotent(const char *method)
{
    static const char *const methods[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"};

    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (method == NULL || strcmp(method, methods[i]) == 0)
            return true;
    }
    return false;
}

void entering_resume(struct attempt *attempt, const struct instant *now)
{
    const struct machine_state *state = attempt_current(attempt);
    const char *method = json_member_text(json_member(state->body, "http"), "method");

    if (state->kind != STATE_HTTP || attempt->verdict.outcome != OUTCOME_NONE)
        return;
    if (is_idempotent(method)) {
        transcript_add(&attempt->transcript, now, TRANSCRIPT_NOTE, NULL,
                       "the server was started again: the request is sent once more");
        enter_http(attempt, now);
    } else {
        attempt_endf(attempt, OUTCOME_ERROR, "restart", NULL, now,
                     "in state %s: the server was started again while a %s request was "
                     "under way, and nobody knows what came of it",
                     state->name, method);
    }
}

void entering_run(struct attempt *attempt, const struct instant *now)
{
    switch (attempt_current(attempt)->kind) {
    case STATE_WAIT:
        enter_wait(attempt, now);
        break;
    case STATE_SET:
        enter_set(attempt, now);
        break;
    case STATE_ASSERT:
        enter_assert(attempt, now);
        break;
    case STATE_CHECK:
        enter_check(attempt, now);
        break;
    case STATE_FIND:
        enter_find(attempt, now);
        break;
    case STATE_HTTP:
        enter_http(attempt, now);
        break;
    case STATE_COMPLETE:
        enter_complete(attempt, now);
        break;
    case STATE_FAILURE:
        attempt_end(attempt, OUTCOME_FAILED, "state",
                    "the test reached the state failure", NULL, now);
        break;
    case STATE_ERROR:
        attempt_end(attempt, OUTCOME_ERROR, "state", "the test reached the state error",
                    NULL, now);
        break;
    case STATE_ACTIONS:
        abort(); /* roles are asked by lib/attempt.c */
    }
}
