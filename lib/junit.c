/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's state as JUnit XML. */
#include "junit.h"

#include "markup.h"
#include "model.h"
#include "status.h"
#include "xalloc.h"

#include <stdint.h>
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

static void count(struct counts *counts, const struct testcase *testcase,
                  const struct instant *now)
{
    counts->tests++;
    counts->failures += testcase->state == CASE_FAILED;
    counts->skipped += testcase->state == CASE_WAITING;
    counts->errors += testcase->state == CASE_ERROR ||
                      testcase->state == CASE_PREPARING ||
                      testcase->state == CASE_RUNNING;
    counts->seconds += turn_seconds(testcase->turn, now);
}

static void add(struct counts *counts, const struct counts *more)
{
    counts->tests += more->tests;
    counts->failures += more->failures;
    counts->errors += more->errors;
    counts->skipped += more->skipped;
    counts->seconds += more->seconds;
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

/* --- suites, a case at a time ---
 * What is counted is what was written, whatever changes meanwhile: so the head of a suite is written
 * after its cases, and that of the document last. */

struct junit_walk {
    char run[ID_SIZE];      /* whose document it is; "": of no run */
    char *hostname;         /* owned */
    struct instant now;     /* when it was begun */
    size_t suite;           /* number of the suite that comes next */
    size_t testcase;        /* number of its case that comes next */
    struct markup *cases;   /* of that suite, so far; NULL: none yet; owned */
    struct counts of_suite; /* what is in cases */
    int64_t first_ms;       /* wall time of the first start among them; 0: none */
    char *suites;           /* those that are whole: grows with out; owned */
    size_t size;            /* bytes of suites */
    FILE *out;              /* writes to suites */
    struct counts of_all;   /* what is in suites */
};

struct junit_walk *junit_walk_new(const struct engine *engine, const char *id,
                                  const char *hostname, const struct instant *now)
{
    const struct run *run =
        id != NULL ? engine_find_run(engine, id) : engine_shown_run(engine);

    if (run == NULL && id != NULL)
        return NULL;
    struct junit_walk *walk = xcalloc(1, sizeof *walk);
    if (run != NULL)
        memcpy(walk->run, run->id, ID_SIZE);
    walk->hostname = xstrdup(hostname);
    walk->now = *now;
    walk->out = xcheck(open_memstream(&walk->suites, &walk->size));
    return walk;
}

static void add_case(struct junit_walk *walk, const struct engine *engine,
                     const struct testcase *testcase)
{
    const struct turn *turn = TAILQ_FIRST(&testcase->turns);

    if (walk->cases == NULL)
        walk->cases = markup_new_part();
    write_case(walk->cases, engine, testcase, &walk->now);
    count(&walk->of_suite, testcase, &walk->now);
    if (turn != NULL && (walk->first_ms == 0 || turn->taken.wall_ms < walk->first_ms))
        walk->first_ms = turn->taken.wall_ms;
}

/* All cases of the suite are there: its head, and them within. */
static void end_suite(struct junit_walk *walk, const struct suite *suite)
{
    const struct definition *definition = suite->definition;
    struct markup *markup = markup_new_part();
    char *cases = walk->cases != NULL ? markup_finish(walk->cases, NULL) : xstrdup("");
    char time[CLOCK_TEXT_SIZE];

    clock_format(walk->first_ms != 0 ? walk->first_ms : suite->run->added.wall_ms, time);
    time[strlen("2026-11-22T20:17:00")] = '\0'; /* without fraction and zone */
    markup_open(markup, "testsuite", NULL);
    markup_attributef(markup, "name", "%s%s%s", definition->folder,
                      *definition->folder ? "." : "", definition->name);
    markup_attributef(markup, "id", "%zu", walk->suite);
    markup_attributef(markup, "hostname", "%s", walk->hostname);
    markup_attributef(markup, "timestamp", "%s", time);
    write_counts(markup, &walk->of_suite);
    markup_attributef(markup, "skipped", "%zu", walk->of_suite.skipped);
    markup_put_part(markup, cases);
    char *whole = markup_finish(markup, NULL);
    fputs(whole, walk->out);
    add(&walk->of_all, &walk->of_suite);
    walk->of_suite = (struct counts){0};
    walk->cases = NULL;
    walk->first_ms = 0;
    walk->testcase = 0;
    walk->suite++;
    free(whole);
    free(cases);
}

bool junit_walk_step(struct junit_walk *walk, const struct engine *engine, size_t cases)
{
    const struct run *run = engine_find_run(engine, walk->run);
    const struct suite *suite = run != NULL ? TAILQ_FIRST(&run->suites) : NULL;

    for (size_t i = 0; i < walk->suite && suite != NULL; i++)
        suite = TAILQ_NEXT(suite, link);
    for (; suite != NULL && cases > 0; suite = TAILQ_NEXT(suite, link)) {
        for (; walk->testcase < suite->case_count && cases > 0; cases--)
            add_case(walk, engine, &suite->cases[walk->testcase++]);
        if (walk->testcase < suite->case_count)
            return false;
        end_suite(walk, suite);
    }
    return suite == NULL;
}

char *junit_walk_finish(struct junit_walk *walk, size_t *size)
{
    struct markup *markup = markup_new_xml();

    if (fclose(walk->out) != 0)
        xcheck(NULL);
    if (walk->cases != NULL) /* it was not gone to its end */
        free(markup_finish(walk->cases, NULL));
    markup_open(markup, "testsuites", "name", "trafficlight", NULL);
    write_counts(markup, &walk->of_all);
    markup_put_part(markup, walk->suites);
    free(walk->suites);
    free(walk->hostname);
    free(walk);
    return markup_finish(markup, size);
}

char *junit_document(const struct engine *engine, const char *run, const char *hostname,
                     const struct instant *now, size_t *size)
{
    struct junit_walk *walk = junit_walk_new(engine, run, hostname, now);

    if (walk == NULL)
        return NULL;
    junit_walk_step(walk, engine, SIZE_MAX);
    return junit_walk_finish(walk, size);
}
