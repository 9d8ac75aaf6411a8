/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's state as JUnit XML. */
#include "junit.h"

#include "markup.h"
#include "model.h"
#include "status.h"
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
        counts->seconds += turn_seconds(testcase->turn, now);
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
static void write_files(struct markup *markup, const struct turn *turn)
{
    if (turn->files == NULL)
        return;
    json_object_object_foreach (turn->files, name, size) {
        markup_textf(markup, "file /status/%s/files/%s", turn->testcase->id, name);
        if (turn != turn->testcase->turn)
            markup_textf(markup, "?attempt=%u", turn->number);
        markup_textf(markup, " (%s bytes)\n", json_object_get_string(size));
    }
}

static void write_turn(struct markup *markup, const struct turn *turn)
{
    markup_open(markup, "system-out", NULL);
    write_lines(markup, &turn->prelude);
    if (turn->attempt != NULL)
        write_lines(markup, &turn->attempt->transcript);
    write_files(markup, turn);
    markup_close(markup);
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
    char *reason;

    switch (testcase->state) {
    case CASE_WAITING:
        reason = status_message(engine, testcase);
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
                           attempt_current(testcase->turn->attempt)->name);
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

/* An attempt that another one followed, as Maven's Surefire writes them and Jenkins reads
 * them: flaky where the case succeeded in the end, else a rerun. */
static void write_earlier_turn(struct markup *markup, const struct turn *turn)
{
    static const char *const elements[2][2] = {{"rerunError", "rerunFailure"},
                                               {"flakyError", "flakyFailure"}};
    const struct verdict *verdict = turn_verdict(turn);
    bool flaky = turn->testcase->state == CASE_SUCCESS;

    markup_open(markup, elements[flaky][turn->state == CASE_FAILED], "type",
                verdict->type, "message", verdict->message, NULL);
    markup_open(markup, "stackTrace", NULL);
    markup_textf(markup, "attempt %u: %s%s%s", turn->number, verdict->message,
                 verdict->details != NULL ? "\n" : "",
                 verdict->details != NULL ? verdict->details : "");
    markup_close(markup);
    write_turn(markup, turn);
    markup_close(markup);
}

static void write_case(struct markup *markup, const struct engine *engine,
                       const struct testcase *testcase, const struct instant *now)
{
    const struct definition *definition = testcase->suite->definition;
    const struct turn *turn;

    markup_open(markup, "testcase", NULL);
    markup_attributef(markup, "classname", "%s%s%s", definition->folder,
                      *definition->folder ? "." : "", definition->name);
    markup_attributef(markup, "name", "%s", testcase->name);
    markup_attributef(markup, "time", "%.3f", turn_seconds(testcase->turn, now));
    write_outcome(markup, engine, testcase);
    TAILQ_FOREACH (turn, &testcase->turns, link) {
        if (turn != testcase->turn)
            write_earlier_turn(markup, turn);
    }
    if (testcase->turn != NULL)
        write_turn(markup, testcase->turn);
    markup_close(markup);
}

/* --- suites --- */

static int64_t first_start(const struct suite *suite, int64_t otherwise)
{
    int64_t first = 0;

    for (size_t i = 0; i < suite->case_count; i++) {
        const struct turn *turn = TAILQ_FIRST(&suite->cases[i].turns);
        if (turn != NULL && (first == 0 || turn->taken.wall_ms < first))
            first = turn->taken.wall_ms;
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
    clock_format(first_start(suite, suite->run->added.wall_ms), time);
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

char *junit_document(const struct engine *engine, const char *run_id,
                     const char *hostname, const struct instant *now, size_t *size)
{
    const struct run *run =
        run_id != NULL ? engine_find_run(engine, run_id) : engine_shown_run(engine);
    const struct suite *suite = run != NULL ? TAILQ_FIRST(&run->suites) : NULL;
    struct counts counts = {0};
    size_t number = 0;

    if (run == NULL && run_id != NULL)
        return NULL;
    struct markup *markup = markup_new_xml();
    for (const struct suite *each = suite; each != NULL; each = TAILQ_NEXT(each, link))
        count(&counts, each, now);
    markup_open(markup, "testsuites", "name", "trafficlight", NULL);
    write_counts(markup, &counts);
    for (; suite != NULL; suite = TAILQ_NEXT(suite, link))
        write_suite(markup, engine, suite, hostname, number++, now);
    return markup_finish(markup, size);
}
