/* SPDX-License-Identifier: Apache-2.0 */
/* How something ended, and why. */
#include "verdict.h"

#include "json.h"
#include "utf8.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

struct verdict verdict_make(enum outcome outcome, const char *type, const char *message,
                            const char *details)
{
    return (struct verdict){
        .outcome = outcome,
        .type = xstrdup(type),
        .message = xstrdup(message),
        .details = details != NULL ? utf8_shorten(details, DETAILS_BYTES) : NULL,
    };
}

void verdict_clear(struct verdict *verdict)
{
    free(verdict->type);
    free(verdict->message);
    free(verdict->details);
    *verdict = (struct verdict){.outcome = OUTCOME_NONE};
}

const char *outcome_text(enum outcome outcome)
{
    static const char *const texts[] = {"", "success", "failed", "error"};

    return texts[outcome];
}

struct json_object *verdict_json(const struct verdict *verdict)
{
    if (verdict->outcome == OUTCOME_NONE)
        return NULL;
    struct json_object *json = json_new_object();
    json_put_text(json, "outcome", outcome_text(verdict->outcome));
    json_put_text(json, "type", verdict->type);
    json_put_text(json, "message", verdict->message);
    json_put_text(json, "details", verdict->details);
    return json;
}

struct verdict verdict_read(struct json_object *json)
{
    const char *outcome = json_member_text(json, "outcome");
    const char *type = json_member_text(json, "type");
    const char *message = json_member_text(json, "message");
    const char *details = json_member_text(json, "details");
    struct verdict verdict = {.outcome = OUTCOME_NONE};

    if (outcome == NULL || type == NULL || message == NULL)
        return verdict;
    for (int i = OUTCOME_SUCCESS; i <= OUTCOME_ERROR; i++) {
        if (strcmp(outcome_text((enum outcome)i), outcome) == 0)
            verdict.outcome = (enum outcome)i;
    }
    if (verdict.outcome != OUTCOME_NONE) {
        verdict.type = xstrdup(type);
        verdict.message = xstrdup(message);
        verdict.details = details != NULL ? xstrdup(details) : NULL;
    }
    return verdict;
}
