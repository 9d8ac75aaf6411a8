/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a registration costs where many wait: 20,000 free clients of 20 types and 10,000
 * cases of 2 to 8 roles, against 100 clients and 50 cases. Of each case all roles but the
 * last could be played by those who are free; the last one needs a type of which nobody
 * is there, and thousands of cases need the same one.
 *
 * A client of such a type starts a case. It says then that it can't go on; the case has
 * failed, and waits to be tried again; those who played with it are replaced by new
 * clients, whose registrations start nothing. So both servers stay as they are, and both
 * kinds of registrations are measured, one at a time. What the server does for one it may
 * do after it has answered: the CPU time of each is what it has used when it rests again.
 */
#include "compare.h"
#include "crowd.h"
#include "daemons.h"
#include "folder.h"
#include "players.h"
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TYPES     20 /* of those who are free: p0, p1, … */
#define LACKING   4  /* types that nobody is of: q0, q1, … */
#define ROLES     8  /* of a case, at most */
#define CYCLES    60 /* starts in a round, at most: clients that have played are kept */
#define REST_NS   150000 /* the server rests if it did nothing for so long */
#define REST_MOST 200    /* and is believed to after so many looks */

/* A test: its roles, and how many types may play each. Cases are their product. */
struct test {
    size_t roles;   /* of a case */
    size_t some[3]; /* types of its first three roles; of others there is one */
    size_t from;    /* the first of the lacking types that its last role may have */
    size_t kinds;   /* how many of these */
};

/* Each lacking type has a test with other roles that comes first. */
static const struct test many[] = {
    {2, {20}, 0, 1},     {3, {20, 20}, 1, 1},    {3, {20, 20}, 0, 1},
    {3, {20, 19}, 0, 1}, {4, {20, 20, 2}, 1, 1}, {4, {20, 20}, 0, 2},
    {5, {20, 20}, 2, 1}, {5, {20, 20}, 0, 2},    {6, {20, 20}, 0, 3},
    {7, {20, 20}, 3, 1}, {7, {20, 20}, 0, 3},    {8, {20, 20, 2}, 0, 4},
};
static const struct test few[] = {
    {2, {4}, 0, 1}, {3, {2, 2}, 1, 1}, {4, {2}, 0, 2},    {5, {2, 2}, 2, 1},
    {6, {2}, 0, 3}, {7, {2, 2}, 3, 1}, {7, {2, 2}, 0, 2}, {8, {4, 2}, 0, 2},
};

enum { STARTS, JOINS, OPERATIONS };

/* A server, and who is there. */
struct hall {
    const char *name;         /* of its folder */
    const struct test *tests; /* what waits there */
    size_t test_count;        /* length of tests */
    size_t cases;             /* that these make */
    size_t clients;           /* that are free */
    struct server *server;    /* owned */
    struct load *load;        /* one link; owned */
    size_t number;            /* of the next client */
    size_t turn;              /* which lacking type is next */
    struct histogram took;    /* latencies of what is measured */
    double cpu_ns;            /* and CPU time of the server for all of these */
};

/* --- definitions --- */

static void write_role(FILE *out, const struct test *test, size_t role)
{
    bool last = role + 1 == test->roles;
    size_t some = role < 3 && test->some[role] > 0 ? test->some[role] : 1;
    size_t count = last ? test->kinds : some;

    fprintf(out, "%s\"r%zu\":[", role > 0 ? "," : "", role);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s\"%c%zu\"", i > 0 ? "," : "", last ? 'q' : 'p',
                last ? test->from + i : (role + i) % TYPES);
    fputc(']', out);
}

/* Its last role is asked to do something, and told who plays the others. Owned. */
static char *write_test(const struct test *test, size_t number)
{
    char *text = NULL;
    size_t size;
    FILE *out = xcheck(open_memstream(&text, &size));

    fprintf(out, "{\"name\":\"Flat%zu\",\"clients\":{", number);
    for (size_t i = 0; i < test->roles; i++)
        write_role(out, test, i);
    fprintf(out,
            "},\"actions\":{\"pass\":{\"description\":\"Goes "
            "on.\",\"data\":{\"with\":{\"type\":"
            "\"array\"}},\"responses\":[\"passed\"]}},\"initial\":\"only\",\"states\":"
            "{\"only\":{\"actions\":{\"r%zu\":{\"action\":\"pass\",\"data\":{\"with\":[",
            test->roles - 1);
    for (size_t i = 0; i + 1 < test->roles; i++)
        fprintf(out, "%s\"${r%zu.type}\"", i > 0 ? "," : "", i);
    fputs("]},\"responses\":{\"passed\":\"complete\"}}}}}}", out);
    if (fclose(out) != 0)
        xcheck(NULL);
    return text;
}

/* Write them all. Gives their folder, owned; or NULL. */
static char *write_tests(const struct bench *bench, const struct hall *hall, char **cause)
{
    char *name = xasprintf("%s-tests", hall->name);
    char *folder = folder_make(bench->folder, name);
    int result = 0;

    for (size_t i = 0; i < hall->test_count && result == 0; i++) {
        char *file = xasprintf("flat%02zu_test.json", i);
        char *text = write_test(&hall->tests[i], i);
        result = folder_write(folder, file, text, cause);
        free(text);
        free(file);
    }
    free(name);
    if (result < 0) {
        free(folder);
        folder = NULL;
    }
    return folder;
}

/* --- one request after the other --- */

static void answered_cb(void *context, size_t link, const struct load_answer *answer)
{
    struct hall *hall = context;

    (void)link;
    if (answer->status != 200)
        load_fail(hall->load, "it was answered %d %.300s", answer->status, answer->body);
    load_stop(hall->load);
}

/* Wait until the server has done all that there is to do; gives the CPU time it has used
 * by then. */
static int64_t rest(const struct hall *hall)
{
    struct timespec pause = {.tv_nsec = REST_NS};
    int64_t used = server_used_ns(hall->server), before = used - 1;

    for (int i = 0; i < REST_MOST && used != before; i++) {
        nanosleep(&pause, NULL);
        before = used;
        used = server_used_ns(hall->server);
    }
    return used;
}

/* A new client registers. */
static int join(struct hall *hall, struct player *player, const char *type, bool measured,
                char **cause)
{
    int64_t used = rest(hall), began_ns;

    player_name(player, type, hall->number++);
    began_ns = cpu_clock_ns();
    player_send_register(player, type, hall->load, 0);
    if (load_run(hall->load, 10, cause) < 0)
        return -1;
    if (measured) {
        histogram_add(&hall->took, cpu_clock_ns() - began_ns);
        hall->cpu_ns += (double)(rest(hall) - used);
    }
    return 0;
}

/* Take the next type out of `list`, an array of JSON. False: there is none. */
static bool next_type(const char **list, char type[8])
{
    const char *quote = strpbrk(*list, "\"]");

    if (quote == NULL || *quote == ']')
        return false;
    snprintf(type, 8, "%.*s", (int)strcspn(quote + 1, "\""), quote + 1);
    *list = quote + strlen(type) + 2;
    return true;
}

/* A client that starts a case, and all that has to follow. */
static int cycle(struct hall *hall, int measured, char **cause)
{
    struct player starter, other;
    char type[8];

    snprintf(type, sizeof type, "q%zu", hall->turn++ % LACKING);
    if (join(hall, &starter, type, measured == STARTS, cause) < 0)
        return -1;
    char *action = player_await(&starter, hall->load, 0, cause);
    const char *with = action != NULL ? strstr(action, "\"with\":[") : NULL;
    if (with == NULL) {
        cause_set(cause, "no case was started: %.300s", action ? action : "");
        free(action);
        return -1;
    }
    player_send_error(&starter, hall->load, 0);
    int result = load_run(hall->load, 10, cause);
    for (with = strchr(with, '['); result == 0 && next_type(&with, type);)
        result = join(hall, &other, type, measured == JOINS, cause);
    free(action);
    return result;
}

static int measure(struct hall *hall, int measured, double seconds,
                   double sample[METRICS], char **cause)
{
    int64_t end_ns = cpu_clock_ns() + (int64_t)(seconds * 1e9);

    histogram_clear(&hall->took);
    hall->cpu_ns = 0;
    for (int i = 0; i < CYCLES && (i == 0 || cpu_clock_ns() < end_ns); i++) {
        if (cycle(hall, measured, cause) < 0)
            return -1;
    }
    sample[METRIC_MEDIAN] = histogram_quantile(&hall->took, 0.5) / 1e3;
    sample[METRIC_CPU] = hall->cpu_ns / (double)hall->took.count / 1e3;
    return 0;
}

static int measure_starts(struct side *side, double seconds, double sample[METRICS],
                          char **cause)
{
    return measure(side->context, STARTS, seconds, sample, cause);
}

static int measure_joins(struct side *side, double seconds, double sample[METRICS],
                         char **cause)
{
    return measure(side->context, JOINS, seconds, sample, cause);
}

/* --- the row --- */

/* Have so many clients wait. */
static int fill(struct hall *hall, char **cause)
{
    struct player *players = xcalloc(hall->clients, sizeof *players);
    char names[TYPES][8];
    const char *types[TYPES];

    for (size_t i = 0; i < TYPES; i++) {
        snprintf(names[i], sizeof names[i], "p%zu", i);
        types[i] = names[i];
    }
    int result =
        crowd_register(hall->server, players, hall->clients, types, TYPES, 0, cause);
    hall->number = hall->clients;
    free(players);
    return result;
}

static int begin_hall(const struct bench *bench, struct hall *hall, char **cause)
{
    struct daemon_setup setup = {.name = hall->name, .more = "retries = 100\n"};
    char *tests = write_tests(bench, hall, cause);

    setup.tests = tests;
    if (tests != NULL)
        hall->server = daemons_start(bench, &setup, cause);
    free(tests);
    if (hall->server == NULL || fill(hall, cause) < 0 ||
        crowd_expect_cases(hall->server, "waiting", hall->cases, cause) < 0)
        return -1;
    hall->load = load_new(server_url(hall->server), 1, answered_cb, hall, cause);
    return hall->load != NULL ? 0 : -1;
}

static void end_hall(struct hall *hall)
{
    load_free(hall->load);
    server_kill(hall->server);
}

static void tell(struct table *table, const struct side *sides)
{
    static const char *const what[OPERATIONS] = {"a start among 10000 cases",
                                                 "a client more among 20000"};
    struct goal flat = {GOAL_RATIO_AT_MOST, 1.5};

    for (size_t i = 0; i < OPERATIONS; i++) {
        const struct side *large = &sides[2 * i], *small = large + 1;
        table_compare(table, what[i], METRIC_CPU, large, small, flat);
        table_compare(table, what[i], METRIC_MEDIAN, large, small, flat);
    }
}

int row_flat(struct bench *bench, char **cause)
{
    struct hall large = {.name = "flat-many",
                         .tests = many,
                         .test_count = sizeof many / sizeof *many,
                         .cases = 10000,
                         .clients = 20000};
    struct hall small = {.name = "flat-few",
                         .tests = few,
                         .test_count = sizeof few / sizeof *few,
                         .cases = 50,
                         .clients = 100};
    struct side *sides = xcalloc(2 * OPERATIONS, sizeof *sides);
    int result = -1;

    if (begin_hall(bench, &large, cause) < 0 || begin_hall(bench, &small, cause) < 0)
        goto out;
    for (size_t i = 0; i < 2 * OPERATIONS; i++) {
        side_begin(&sides[i], i % 2 == 0 ? "10000 cases" : "50 cases", NULL, NULL);
        sides[i].measure = i / 2 == STARTS ? measure_starts : measure_joins;
        sides[i].context = i % 2 == 0 ? &large : &small;
    }
    result = compare_sides(bench, sides, 2 * OPERATIONS, cause);
    if (result == 0)
        result = crowd_expect_cases(large.server, "running", 0, cause);
    if (result == 0)
        tell(bench->table, sides);
out:
    end_hall(&large);
    end_hall(&small);
    free(sides);
    return result;
}
