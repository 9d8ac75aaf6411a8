/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's state as JUnit XML. */
#include "junit.h"

#include "markup.h"
#include "matching.h"
#include "model.h"
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a <testsuite> and the root count. */
struct counts {
    size_t tests;
    size_t failures;
    size_t errors;
    size_t skipped;
    double seconds;
};

static void count(struct counts *counts, const struct suite *suite,
                  const struct instant *now)
{
    for (size_t i = 0; i < suite->case_count; i++) {
        const struct testcase *testcase = &suite->cases[i];
        counts->tests++;
        counts->failures += testcase->state == CASE_FAILED;
        counts->skipped += testcase->state == CASE_WAITING;
        counts->errors += testcase->state == CASE_ERROR ||
                          testcase->state == CASE_PREPARING ||
                          testcase->state == CASE_RUNNING;
        counts->seconds += testcase_seconds(testcase, now);
    }
}

static void write_counts(struct markup *markup, const struct counts *counts)
{
    markup_attributef(markup, "tests", "%zu", counts->tests);
    markup_attributef(markup, "failures", "%zu", counts->failures);
    markup_attributef(markup, "errors", "%zu", counts->errors);
    markup_attributef(markup, "time", "%.3f", counts->seconds);
}

/* --- one case --- */

static void write_lines(struct markup *markup, const struct transcript *transcript)
{
    for (size_t i = 0; i < transcript->count; i++) {
        const struct transcript_line *line = &transcript->lines[i];
        char time[CLOCK_TEXT_SIZE];
        markup_textf(markup, "%s %s%s%s: %s\n", clock_format(line->wall_ms, time),
                     line->role ? line->role : "", line->role ? " " : "",
                     transcript_kind_text(line->kind), line->text);
    }
    if (transcript->dropped > 0)
        markup_textf(markup, "(%zu more lines were not kept)\n", transcript->dropped);
}

/* Where the server gives them out. */
static void write_files(struct markup *markup, const struct testcase *testcase)
{
    if (testcase->files == NULL)
        return;
    json_object_object_foreach (testcase->files, name, size) {
        markup_textf(markup, "file /status/%s/files/%s (%s bytes)\n", testcase->id, name,
                     json_object_get_string(size));
    }
}

static void write_bad_end(struct markup *markup, const char *element, const char *type,
                          const char *message, const char *details)
{
    markup_open(markup, element, "type", type, "message", message, NULL);
    markup_text(markup, message);
    if (details != NULL)
        markup_textf(markup, "\n%s", details);
    markup_close(markup);
}

static void write_outcome(struct markup *markup, const struct engine *engine,
                          const struct testcase *testcase)
{
    const struct verdict *verdict = testcase_verdict(testcase);
    const struct attempt *attempt = testcase->attempt;
    char *reason;

    switch (testcase->state) {
    case CASE_WAITING:
        reason = engine->stopping ? xstrdup(engine->stopping)
                                  : matching_reason(engine->matching, testcase);
        markup_open(markup, "skipped", NULL);
        markup_attributef(markup, "message", "waiting for clients: %s", reason);
        markup_close(markup);
        free(reason);
        break;
    case CASE_PREPARING:
        write_bad_end(markup, "error", "running",
                      "the case has not ended: its servers are being made", NULL);
        break;
    case CASE_RUNNING:
        reason = xasprintf("the case has not ended: it is in state %s",
                           attempt->machine->states[attempt->state].name);
        write_bad_end(markup, "error", "running", reason, NULL);
        free(reason);
        break;
    case CASE_SUCCESS:
        break;
    default:
        write_bad_end(markup, testcase->state == CASE_FAILED ? "failure" : "error",
                      verdict->type, verdict->message, verdict->details);
    }
}

static void write_case(struct markup *markup, const struct engine *engine,
                       const struct testcase *testcase, const struct instant *now)
{
    const struct definition *definition = testcase->suite->definition;

    markup_open(markup, "testcase", NULL);
    markup_attributef(markup, "classname", "%s%s%s", definition->folder,
                      *definition->folder ? "." : "", definition->name);
    markup_attributef(markup, "name", "%s", testcase->name);
    markup_attributef(markup, "time", "%.3f", testcase_seconds(testcase, now));
    write_outcome(markup, engine, testcase);
    if (testcase->prelude.count > 0) {
        markup_open(markup, "system-out", NULL);
        write_lines(markup, &testcase->prelude);
        if (testcase->attempt != NULL)
            write_lines(markup, &testcase->attempt->transcript);
        write_files(markup, testcase);
        markup_close(markup);
    }
    markup_close(markup);
}

/* --- suites --- */

static int64_t first_start(const struct suite *suite, int64_t otherwise)
{
    int64_t first = 0;

    for (size_t i = 0; i < suite->case_count; i++) {
        int64_t start = suite->cases[i].taken.wall_ms;
        if (start != 0 && (first == 0 || start < first))
            first = start;
    }
    return first != 0 ? first : otherwise;
}

static void write_suite(struct markup *markup, const struct engine *engine,
                        const struct suite *suite, const char *hostname, size_t number,
                        const struct instant *now)
{
    const struct definition *definition = suite->definition;
    struct counts counts = {0};
    char time[CLOCK_TEXT_SIZE];

    count(&counts, suite, now);
    clock_format(first_start(suite, engine->started.wall_ms), time);
    time[strlen("2026-11-22T20:17:00")] = '\0'; /* without fraction and zone */
    markup_open(markup, "testsuite", NULL);
    markup_attributef(markup, "name", "%s%s%s", definition->folder,
                      *definition->folder ? "." : "", definition->name);
    markup_attributef(markup, "id", "%zu", number);
    markup_attributef(markup, "hostname", "%s", hostname);
    markup_attributef(markup, "timestamp", "%s", time);
    write_counts(markup, &counts);
    markup_attributef(markup, "skipped", "%zu", counts.skipped);
    for (size_t i = 0; i < suite->case_count; i++)
        write_case(markup, engine, &suite->cases[i], now);
    markup_close(markup);
}

char *junit_document(const struct engine *engine, const char *hostname,
                     const struct instant *now, size_t *size)
{
    struct markup *markup = markup_new_xml();
    struct counts counts = {0};
    const struct suite *suite;
    size_t number = 0;

    TAILQ_FOREACH (suite, &engine->suites, link) {
        count(&counts, suite, now);
    }
    markup_open(markup, "testsuites", "name", "trafficlight", NULL);
    write_counts(markup, &counts);
    TAILQ_FOREACH (suite, &engine->suites, link) {
        write_suite(markup, engine, suite, hostname, number++, now);
    }
    return markup_finish(markup, size);
}
