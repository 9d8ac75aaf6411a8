/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one client costs the engine among few and among many: `make tests/scale`, then run
 * it. Every shape of fleet is measured with 100 free clients and 50 waiting cases, and
 * with 20,000 and 10,000; the last column is how much dearer it is there. No part of
 * `make check`: times depend on the machine. An argument chooses shapes by name, a
 * second one, few or many, the size: for a profiler that counts instructions.
 */
#include "definition.h"
#include "dictionary.h"
#include "engine.h"
#include "json.h"
#include "model.h"
#include "run.h"
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RUN   "7d0f1c3e-5b8a-4f0e-9c2d-2f6d1a3b4c5d"
#define KINDS 20 /* of clients, but for the one that is missing */

/* How many there are. */
struct size {
    size_t clients;    /* free before it is measured */
    size_t cases;      /* that wait; the product of choices */
    size_t choices[4]; /* of how many types each of four roles may be */
    size_t times;      /* how many fleets are measured */
    size_t each;       /* how often each of them is */
    size_t scarce;     /* the same where nobody is free at first */
};

static const struct size few = {100, 50, {10, 5, 1, 1}, 200, 2, 200};
static const struct size many = {20000, 10000, {10, 10, 10, 10}, 1, 300, 2000};

/* A fleet and what happens to it. */
struct shape {
    const char *name;
    bool same;       /* all cases need the same */
    bool kinds;      /* a client is of four types, by patterns on what it registers */
    bool scarce;     /* nobody is free at first, and no type is missing */
    bool deployed;   /* cases wait for a deployment, not for clients */
    size_t constant; /* roles without a choice of types, besides the missing one */
    /* what is measured */
    void (*happens)(struct engine *engine, const struct shape *shape, size_t number);
};

static const struct instant now = {5000000, 1800000000000};
static uint64_t chance;
static char *last_made; /* name of the deployment asked for last; owned */

/* --- the world --- */

static void no_text(void *context, const char *text)
{
    (void)context, (void)text;
}

static void create(void *context, const char *deployment,
                   const struct server_wanted *servers, size_t count)
{
    (void)context, (void)servers, (void)count;
    free(last_made);
    last_made = xstrdup(deployment);
}

static void destroy(void *context, const char *deployment, const char *where, bool lost)
{
    (void)context, (void)deployment, (void)where, (void)lost;
}

static void no_http(void *context, const char *ticket, struct json_object *request)
{
    (void)context, (void)ticket, (void)request;
}

static const struct engine_ops ops = {no_text, create, destroy, no_http, no_text, NULL};

/* --- the fleet --- */

static void add_rules(struct settings *settings)
{
    settings->client_types = xcalloc(KINDS + 1, sizeof *settings->client_types);
    for (size_t i = 0; i <= KINDS; i++) {
        struct client_type_rule *rule =
            &settings->client_types[settings->client_type_count++];
        rule->name = i < KINDS ? xasprintf("t%zu", i) : xstrdup("rare");
        rule->type = xstrdup("web");
        rule->globs = xcalloc(1, sizeof *rule->globs);
        rule->glob_count = 1;
        rule->globs[0] =
            (struct client_glob){xstrdup("kinds"), xasprintf("*,%s,*", rule->name)};
    }
}

static void put_types(struct json_object *roles, const char *role, size_t from,
                      size_t count)
{
    struct json_object *types = json_new_array();

    for (size_t i = 0; i < count; i++) {
        char *type = xasprintf("t%zu", (from + i) % KINDS);
        json_append(types, json_new_text(type));
        free(type);
    }
    json_put(roles, role, types);
}

static struct json_object *definition_root(const struct shape *shape,
                                           const struct size *size)
{
    struct json_object *root = json_tokener_parse(
        "{\"name\": \"A\", \"initial\": \"one\", \"states\": {\"one\": {\"actions\": "
        "{\"a\": {\"action\": \"look\"}}, \"next\": \"complete\"}}}");
    struct json_object *roles = json_new_object();
    static const char *const varied[] = {"c", "d", "e", "f"};
    static const char *const constant[] = {"g", "h", "i"};

    if (!shape->scarce && !shape->deployed)
        json_put(roles, "a", json_tokener_parse("[\"rare\"]"));
    else
        put_types(roles, "a", KINDS - 1, 1);
    for (size_t i = 0; i < shape->constant; i++)
        put_types(roles, constant[i], 7 * i + 2, 1);
    for (size_t i = 0; i < 4 && !shape->same; i++)
        put_types(roles, varied[i], 5 * i, size->choices[i]);
    json_put(root, "clients", roles);
    if (shape->deployed)
        json_put(root, "servers",
                 json_tokener_parse("{\"type\": \"made\", \"names\": [\"server\"]}"));
    return root;
}

/* Takes root. Roles that do nothing are warned of. */
static void add_test(struct run *run, struct json_object *root)
{
    struct mistakes *mistakes = mistakes_new();
    struct dictionary *dictionary = dictionary_new();
    struct json_object *actions = json_tokener_parse("{\"actions\": {\"look\": {}}}");

    dictionary_add(dictionary, actions, mistakes);
    run_add_suite(run,
                  definition_read(root, "folder/a_test.json", "folder", dictionary,
                                  &run->settings, mistakes),
                  mistakes);
    mistakes_free(mistakes);
    dictionary_free(dictionary);
    json_object_put(actions);
    json_object_put(root);
}

static void register_client(struct engine *engine, const struct shape *shape,
                            const char *id, size_t kind)
{
    struct json_object *registration = json_new_object();
    char *type = kind < KINDS ? xasprintf("t%zu", kind) : xstrdup("rare");

    if (shape->kinds && kind < KINDS) {
        char *kinds = xasprintf(",t%zu,t%zu,t%zu,t%zu,", kind, (kind + 1) % KINDS,
                                (kind + 5) % KINDS, (kind + 11) % KINDS);
        json_put_text(registration, "kinds", kinds);
        free(kinds);
    } else if (shape->kinds) {
        json_put_text(registration, "kinds", ",rare,");
    }
    json_put_text(registration, "type", shape->kinds ? "web" : type);
    engine_register(engine, id, registration, &now, NULL);
    json_object_put(registration);
    free(type);
}

static void register_number(struct engine *engine, const struct shape *shape,
                            const char *who, size_t number, size_t kind)
{
    char id[40];

    snprintf(id, sizeof id, "client-%s-%zu", who, number);
    register_client(engine, shape, id, kind);
}

static void make_settings(struct settings *settings, const struct shape *shape)
{
    settings_init(settings);
    settings->deployments = 2;
    settings->server_types = xcalloc(1, sizeof *settings->server_types);
    settings->server_type_count = 1;
    settings->server_types[0].name = xstrdup("made");
    settings->server_types[0].images = xcalloc(1, sizeof(char *));
    settings->server_types[0].images[0] = xstrdup("image");
    settings->server_types[0].image_count = 1;
    if (shape->kinds)
        add_rules(settings);
}

static struct engine *make_fleet(const struct shape *shape, const struct size *size)
{
    struct engine *engine = engine_new(&ops, NULL, &now);
    struct settings settings;

    make_settings(&settings, shape);
    struct run *run = run_new(RUN, &settings);
    struct json_object *only = json_new_array();
    run_choose(run, only, shape->same ? size->cases : 1, 0);
    json_object_put(only);
    add_test(run, definition_root(shape, size));
    if (run_case_count(run) != size->cases) {
        printf("%s: there are %zu cases\n", shape->name, run_case_count(run));
        exit(EXIT_FAILURE);
    }
    engine_add_run(engine, run, &now);
    for (size_t i = 0; i < size->clients && !shape->scarce; i++)
        register_number(engine, shape, "free", i, i % KINDS);
    engine_begin_run(engine, RUN, &now);
    return engine;
}

/* --- what happens --- */

/* One more of those that there are plenty of. */
static void plentiful(struct engine *engine, const struct shape *shape, size_t number)
{
    register_number(engine, shape, "more", number, number % KINDS);
}

/* The one that all lacked: a case starts. */
static void missing(struct engine *engine, const struct shape *shape, size_t number)
{
    register_number(engine, shape, "rare", number, KINDS);
}

static size_t random_kind(void)
{
    chance = chance * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(chance >> 33) % KINDS;
}

/* Anybody: cases start now and then. */
static void anybody(struct engine *engine, const struct shape *shape, size_t number)
{
    register_number(engine, shape, "any", number, random_kind());
}

/* A deployment could not be made: another case has its turn. */
static void redeployed(struct engine *engine, const struct shape *shape, size_t number)
{
    char *name = xstrdup(last_made);

    (void)shape, (void)number;
    engine_created(engine, name, NULL, NULL, "no room", &now);
    engine_destroyed(engine, name, NULL, &now);
    free(name);
}

static const struct shape shapes[] = {
    {"same, plentiful", .same = true, .constant = 2, .happens = plentiful},
    {"same, missing", .same = true, .constant = 2, .happens = missing},
    {"distinct, plentiful", .constant = 0, .happens = plentiful},
    {"distinct, missing", .constant = 0, .happens = missing},
    {"distinct8, missing", .constant = 3, .happens = missing},
    {"patterns, plentiful", .kinds = true, .happens = plentiful},
    {"patterns, missing", .kinds = true, .happens = missing},
    {"scarce, anybody", .scarce = true, .constant = 1, .happens = anybody},
    {"scarce8, anybody", .scarce = true, .constant = 3, .happens = anybody},
    {"patterns scarce, anybody", .kinds = true, .scarce = true, .happens = anybody},
    {"deployed same", .same = true, .constant = 2, .deployed = true,
     .happens = redeployed},
    {"deployed distinct", .deployed = true, .happens = redeployed},
};

/* --- measuring --- */

static double seconds(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Nanoseconds that it takes once. */
static double measure(const struct shape *shape, const struct size *size)
{
    size_t each = shape->scarce ? size->scarce : size->each;
    double spent = 0;

    chance = 1;
    for (size_t i = 0; i < size->times; i++) {
        struct engine *engine = make_fleet(shape, size);
        double began = seconds();
        for (size_t k = 0; k < each; k++)
            shape->happens(engine, shape, k);
        spent += seconds() - began;
        engine_free(engine);
    }
    return spent * 1e9 / (double)(size->times * each);
}

/* Of one size only, for a profiler. */
static void run_one(const struct shape *shape, const char *size)
{
    const struct size *sizes[] = {&few, &many};
    const struct size *chosen = sizes[strcmp(size, "many") == 0];

    printf("%-28s %8.0f ns, %zu times\n", shape->name, measure(shape, chosen),
           chosen->times * (shape->scarce ? chosen->scarce : chosen->each));
}

static void run_both(const struct shape *shape)
{
    double small = measure(shape, &few);
    double large = measure(shape, &many);

    printf("%-28s %8.0f ns %10.0f ns %8.2f\n", shape->name, small, large, large / small);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (argc > 1 && strstr(shapes[i].name, argv[1]) == NULL)
            continue;
        if (argc > 2)
            run_one(&shapes[i], argv[2]);
        else
            run_both(&shapes[i]);
    }
    free(last_made);
    return EXIT_SUCCESS;
}
