/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the engine share. */
#include "fixture.h"
#include "fixture_replay.h"

#include "json.h"
#include "status.h"
#include "xalloc.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

struct instant fixture_at(int64_t ms)
{
    return (struct instant){.mono_ms = 5000000 + ms, .wall_ms = 1800000000000 + ms};
}

char *fixture_text(const char *text)
{
    char *copy = xstrdup(text);

    for (char *p = copy; *p != '\0'; p++) {
        if (*p == '\'')
            *p = '"';
    }
    json_blank_comments(copy, strlen(copy));
    return copy;
}

struct json_object *fixture_json(const char *text)
{
    char *copy = fixture_text(text);
    struct json_object *value = NULL;
    char *cause = NULL;

    if (json_read(copy, strlen(copy), 32, &value, &cause) < 0)
        ck_abort_msg("%s: %s", copy, cause);
    free(copy);
    return value;
}

/* --- definitions --- */

static const char dictionary_text[] =
    "{'actions': {"
    "  'register': {'data': {'username': {'type': 'string', 'required': true}},"
    "    'template': {'username': '${me.localpart}'}, 'responses': ['registered'],"
    "    'types': ['web'],"
    "    'for': {'phone': {'data': {'localpart': {'type': 'string', 'required': true}},"
    "                      'template': {'localpart': '${me.localpart}'}}}},"
    "  'login': {'data': {'username': {'type': 'string', 'required': true},"
    "                     'passphrase': {'type': 'string'}},"
    "    'template': {'username': '${me.localpart}'},"
    "    'responses': ['logged_in', 'loggedin'], 'types': ['web'],"
    "    'for': {'phone': {'data': {'localpart': {'type': 'string', 'required': true}},"
    "                      'template': {'localpart': '${me.localpart}'}}}},"
    "  'connect': {'data': {'url': {'type': 'string', 'required': true}},"
    "    'template': {'url': '${on.cs_api}'}},"
    "  'look': {'responses': ['seen'], 'report': {'what': 'string'}},"
    "  'say': {'data': {'message': {'type': 'string', 'required': true}},"
    "    'responses': ['said'], 'types': ['web', 'phone']},"
    "  'paint': {'data': {'colour': {'type': 'string', 'required': true,"
    "                                'one_of': ['red', 'blue']}}},"
    "  'count': {'data': {'number': {'type': 'number', 'required': true}}}"
    "}}";

struct dictionary *fixture_dictionary(void)
{
    struct dictionary *dictionary = dictionary_new();
    struct mistakes *mistakes = mistakes_new();
    struct json_object *root = fixture_json(dictionary_text);

    dictionary_add(dictionary, root, mistakes);
    fixture_print(mistakes);
    ck_assert_uint_eq(mistakes_count(mistakes), 0);
    mistakes_free(mistakes);
    json_object_put(root);
    return dictionary;
}

static struct definition *read_definition(const char *text,
                                          const struct settings *settings,
                                          struct mistakes *mistakes)
{
    struct dictionary *dictionary = fixture_dictionary();
    struct json_object *root = fixture_json(text);
    struct definition *definition = definition_read(root, "folder/a_test.json", "folder",
                                                    dictionary, settings, mistakes);

    json_object_put(root);
    dictionary_free(dictionary);
    return definition;
}

struct mistakes *fixture_mistakes(const char *text, const struct settings *settings)
{
    struct mistakes *mistakes = mistakes_new();
    char *plain = fixture_text(text);

    mistakes_set_file(mistakes, "folder/a_test.json", plain);
    jsonscan_duplicates(plain, mistakes);
    struct definition *definition = read_definition(text, settings, mistakes);
    size_t count = definition == NULL              ? 0
                   : mistakes_errors(mistakes) > 0 ? 1 /* as the daemon does it */
                                                   : definition_cases(definition);
    for (size_t i = 0; i < count; i++)
        machine_release(compile_case(definition, i, settings, mistakes));
    definition_free(definition);
    mistakes_set_file(mistakes, "folder/a_test.json", NULL);
    free(plain);
    return mistakes;
}

bool fixture_has(struct mistakes *mistakes, bool is_error, const char *fragment)
{
    for (size_t i = 0; i < mistakes_count(mistakes); i++) {
        bool error;
        const char *text = mistakes_text(mistakes, i, &error);
        if (error == is_error && strstr(text, fragment) != NULL)
            return true;
    }
    return false;
}

void fixture_print(struct mistakes *mistakes)
{
    for (size_t i = 0; i < mistakes_count(mistakes); i++) {
        bool is_error;
        const char *text = mistakes_text(mistakes, i, &is_error);
        printf("%s: %s\n", is_error ? "error" : "warning", text);
    }
}

struct definition *fixture_definition(const char *text, const struct settings *settings)
{
    struct mistakes *mistakes = mistakes_new();
    struct definition *definition = read_definition(text, settings, mistakes);

    fixture_print(mistakes);
    ck_assert_uint_eq(mistakes_count(mistakes), 0);
    mistakes_free(mistakes);
    return definition;
}

struct machine *fixture_machine(const char *text)
{
    struct mistakes *mistakes = mistakes_new();
    struct definition *definition = fixture_definition(text, NULL);
    struct machine *machine = compile_case(definition, 0, NULL, mistakes);

    fixture_print(mistakes);
    ck_assert_uint_eq(mistakes_errors(mistakes), 0);
    mistakes_free(mistakes);
    definition_free(definition);
    return machine;
}

/* --- what the engine asks of the world --- */

static void __attribute__((format(printf, 2, 3)))
note(struct world *world, const char *format, ...)
{
    va_list arguments;
    char *before = world->notes;

    va_start(arguments, format);
    char *line = xvasprintf(format, arguments);
    va_end(arguments);
    world->notes = xasprintf("%s%s\n", before, line);
    free(line);
    free(before);
}

static void wake_cb(void *context, const char *client)
{
    note(context, "wake %s", client);
}

static struct world_deployment *find_deployment(struct world *world, const char *id)
{
    for (size_t i = 0; i < world->deployment_count; i++) {
        if (strcmp(world->deployments[i].id, id) == 0)
            return &world->deployments[i];
    }
    return NULL;
}

static void create_cb(void *context, const char *id, const struct server_wanted *servers,
                      size_t count)
{
    struct world *world = context;
    struct world_deployment *deployment = find_deployment(world, id);

    note(world, "create %s", id);
    if (deployment == NULL) {
        world->deployments = xreallocarray(
            world->deployments, world->deployment_count + 1, sizeof *world->deployments);
        deployment = &world->deployments[world->deployment_count++];
        *deployment = (struct world_deployment){0};
        snprintf(deployment->id, sizeof deployment->id, "%s", id);
    }
    deployment->created++;
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(deployment->servers);
        snprintf(deployment->servers + size, sizeof deployment->servers - size, "%s%s=%s",
                 i > 0 ? " " : "", servers[i].name, servers[i].image);
    }
}

static void destroy_cb(void *context, const char *id, const char *where, bool lost)
{
    struct world_deployment *deployment = find_deployment(context, id);

    note(context, "destroy %s%s%s%s", id, where != NULL ? " on " : "",
         where != NULL ? where : "", lost ? " lost" : "");
    ck_assert_ptr_nonnull(deployment);
    deployment->destroyed++;
}

static void log_cb(void *context, const char *line)
{
    struct world *world = context;

    ck_assert_uint_gt(strlen(line), 0);
    world->lines++;
}

static void http_cb(void *context, const char *ticket, struct json_object *request)
{
    note(context, "http %s %s", ticket, json_text(request));
}

static int64_t last_polled_cb(void *context, const char *client)
{
    (void)context;
    return 1800000000000 + (int64_t)strlen(client);
}

static const struct engine_ops ops = {
    .wake = wake_cb,
    .create = create_cb,
    .destroy = destroy_cb,
    .http = http_cb,
    .log = log_cb,
};

/* --- the world --- */

static char **texts(size_t count, const char *const *from)
{
    char **copies = xcalloc(count, sizeof *copies);

    for (size_t i = 0; i < count; i++)
        copies[i] = xstrdup(from[i]);
    return copies;
}

static void add_client_type(struct settings *settings, const char *name,
                            const char *member, const char *glob)
{
    size_t count = settings->client_type_count++;

    settings->client_types =
        xreallocarray(settings->client_types, count + 1, sizeof *settings->client_types);
    settings->client_types[count] =
        (struct client_type_rule){xstrdup(name), xstrdup("web"), NULL, 1};
    settings->client_types[count].globs = xcalloc(1, sizeof(struct client_glob));
    settings->client_types[count].globs[0] =
        (struct client_glob){xstrdup(member), xstrdup(glob)};
}

static void add_types(struct settings *settings)
{
    static const char *const images[] = {"image-one", "image-two"};
    struct fixed_server *fixed = xcalloc(2, sizeof *fixed);

    fixed[0] = (struct fixed_server){xstrdup("hs1"), xstrdup("http://localhost:8008")};
    fixed[1] = (struct fixed_server){xstrdup("hs2"), xstrdup("http://hs2.example")};
    settings->server_types = xcalloc(2, sizeof *settings->server_types);
    settings->server_types[0] =
        (struct server_type){xstrdup("made"), texts(2, images), 2, NULL, 0};
    settings->server_types[1] = (struct server_type){xstrdup("fixed"), NULL, 0, fixed, 2};
    settings->server_type_count = 2;
    add_client_type(settings, "web-new", "version", "2*");
    add_client_type(settings, "web-red", "colour", "red");
}

void world_init(struct world *world)
{
    struct instant now = fixture_at(0);

    *world = (struct world){.notes = xstrdup("")};
    settings_init(&world->settings);
    add_types(&world->settings);
    world->dictionary = fixture_dictionary();
    world->inputs = json_new_array();
    world->engine = engine_new(&ops, world, &now);
}

static void forget_tests(struct world *world)
{
    for (size_t i = 0; i < world->test_count; i++)
        free(world->tests[i].text);
    free(world->tests);
    world->tests = NULL;
    world->test_count = 0;
}

void world_clear(struct world *world)
{
    world_check_replay(world);
    world_check_cut(world);
    world_check_snapshots(world);
    engine_free(world->engine);
    dictionary_free(world->dictionary);
    settings_clear(&world->settings);
    forget_tests(world);
    json_object_put(world->inputs);
    free(world->deployments);
    free(world->notes);
}

/* --- runs --- */

void world_add(struct world *world, const char *text, size_t repeat)
{
    world->tests =
        xreallocarray(world->tests, world->test_count + 1, sizeof *world->tests);
    world->tests[world->test_count++] = (struct world_test){xstrdup(text), repeat};
}

/* {"id", "retries", "settings", "tests": [[text, repeat] …]}: what make_run() makes a run
 * of. */
static struct json_object *recipe(const struct world *world, const char *id)
{
    struct json_object *made = json_new_object();
    struct json_object *tests = json_new_array();

    for (size_t i = 0; i < world->test_count; i++) {
        struct json_object *test = json_new_object();
        json_put_text(test, "text", world->tests[i].text);
        json_put_int(test, "repeat", (int64_t)world->tests[i].repeat);
        json_append(tests, test);
    }
    json_put_text(made, "id", id);
    json_put_int(made, "retries", world->retries);
    json_put(made, "settings", settings_json(&world->settings));
    json_put(made, "tests", tests);
    return made;
}

static void add_test(struct world *world, struct run *run, struct json_object *test,
                     unsigned retries)
{
    struct mistakes *mistakes = mistakes_new();
    struct json_object *only = json_new_array();
    struct json_object *root = fixture_json(json_member_text(test, "text"));
    struct definition *definition =
        definition_read(root, "folder/a_test.json", "folder", world->dictionary,
                        &run->settings, mistakes);

    run_choose(run, only, (size_t)json_object_get_int64(json_member(test, "repeat")),
               retries);
    bool added = definition != NULL && run_add_suite(run, definition, mistakes);
    fixture_print(mistakes);
    ck_assert(added);
    json_object_put(only);
    json_object_put(root);
    mistakes_free(mistakes);
}

static struct run *make_run(struct world *world, struct json_object *made)
{
    struct settings settings;
    struct json_object *tests = json_member(made, "tests");

    settings_read(&settings, json_member(made, "settings"));
    struct run *run = run_new(json_member_text(made, "id"), &settings);
    for (size_t i = 0; i < json_object_array_length(tests); i++)
        add_test(world, run, json_object_array_get_idx(tests, i),
                 (unsigned)json_object_get_int64(json_member(made, "retries")));
    return run;
}

/* --- inputs, and the same inputs again --- */

/* Owned by the world, for what came of it. */
static struct json_object *note_input(struct world *world, struct json_object *input)
{
    struct json_object *noted = json_new_object();

    json_put_int(noted, "ms", world->ms);
    json_put_text(noted, "input", json_text(input));
    json_append(world->inputs, noted);
    return noted;
}

enum engine_result world_apply(struct world *world, struct json_object *input,
                               char **cause)
{
    struct instant now = fixture_at(world->ms);

    struct json_object *noted = note_input(world, input);
    enum engine_result result = input_apply(world->engine, input, &now, cause);
    json_put_int(noted, "result", result);
    json_object_put(input);
    return result;
}

void world_add_run(struct world *world, const char *id)
{
    struct instant now = fixture_at(world->ms);
    struct json_object *made = recipe(world, id);
    struct json_object *noted = note_input(world, made);

    json_put_int(noted, "result",
                 engine_add_run(world->engine, make_run(world, made), &now));
    json_object_put(made);
    forget_tests(world);
}

void world_begin_next(struct world *world)
{
    const char *id = engine_next_run(world->engine);
    struct json_object *checkpoint = engine_checkpoint(world->engine);

    if (id != NULL)
        world_apply(world, input_begin_run(id, checkpoint), NULL);
    json_object_put(checkpoint);
}

void world_begin_run(struct world *world, const char *id)
{
    world_add_run(world, id);
    ck_assert_str_eq(engine_next_run(world->engine), id);
    world_begin_next(world);
}

void world_begin(struct world *world)
{
    world_begin_run(world, FIXTURE_RUN);
}

static void quiet_text(void *context, const char *text)
{
    (void)context, (void)text;
}

static void quiet_create(void *context, const char *id,
                         const struct server_wanted *servers, size_t count)
{
    (void)context, (void)id, (void)servers, (void)count;
}

static void quiet_destroy(void *context, const char *id, const char *where, bool lost)
{
    (void)context, (void)id, (void)where, (void)lost;
}

static void quiet_http(void *context, const char *ticket, struct json_object *request)
{
    (void)context, (void)ticket, (void)request;
}

static const struct engine_ops quiet_ops = {
    .wake = quiet_text,
    .create = quiet_create,
    .destroy = quiet_destroy,
    .http = quiet_http,
    .log = quiet_text,
};

enum engine_result replay_one(struct world *world, struct engine *engine,
                              struct json_object *noted, bool *fresh)
{
    struct instant now = fixture_at(json_object_get_int64(json_member(noted, "ms")));
    const char *text = json_member_text(noted, "input");
    struct json_object *input = NULL;
    enum engine_result result;

    ck_assert_msg(json_read(text, strlen(text), 64, &input, NULL) == 0, "%s", text);
    if (json_member(input, "tests") != NULL) /* a recipe */
        result = engine_add_run(engine, make_run(world, input), &now);
    else
        result = input_replay(engine, input, &now, fresh, NULL);
    json_object_put(input);
    return result;
}

static int64_t last_polled_cb(void *context, const char *client);

char *world_seen(const struct engine *engine, int64_t ms)
{
    struct status_view view = {"1.0", fixture_at(ms), last_polled_cb, NULL, NULL};
    struct json_object *all = json_new_array();
    const struct testcase *testcase;
    const struct client *client;
    const struct run *run;

    json_append(all, status_all(engine, &view));
    json_append(all, status_runs(engine));
    TAILQ_FOREACH (run, &engine->runs, link) {
        json_append(all, status_run(engine, run->id, &view));
    }
    for (testcase = engine->cases_by_id; testcase; testcase = testcase->hh.next)
        json_append(all, status_case(engine, testcase->id, &view));
    for (client = engine->clients; client != NULL; client = client->hh.next) {
        const char *answer = engine_poll(engine, client->id).answer;
        json_append(all, json_new_text(answer != NULL ? answer : "idle"));
    }
    json_append(all, json_object_new_int64(engine_deadline(engine)));
    json_append(all, engine_checkpoint(engine));
    char *text = xstrdup(json_text(all));
    json_object_put(all);
    return text;
}

/* Takes the other engine. */
static void check_the_same(struct world *world, struct engine *again)
{
    char *wanted = world_seen(world->engine, world->ms);
    char *found = world_seen(again, world->ms);
    size_t at = 0;

    while (found[at] == wanted[at] && found[at] != '\0')
        at++;
    at = at > 200 ? at - 200 : 0; /* the whole is too long for a message */
    ck_assert_msg(strcmp(found, wanted) == 0, "%.400s\nis to be\n%.400s", found + at,
                  wanted + at);
    free(wanted);
    free(found);
    engine_free(again);
}

void world_check_replay(struct world *world)
{
    struct instant start = fixture_at(0);
    struct engine *again = engine_new(&quiet_ops, NULL, &start);
    bool fresh = true;

    for (size_t i = 0; i < json_object_array_length(world->inputs); i++) {
        struct json_object *noted = json_object_array_get_idx(world->inputs, i);
        ck_assert_int_eq(replay_one(world, again, noted, &fresh),
                         json_object_get_int64(json_member(noted, "result")));
    }
    check_the_same(world, again);
}

/* The input with which the oldest run began that the engine still has; 0: there is
 * none. */
static size_t find_cut(const struct world *world)
{
    const struct run *run;

    TAILQ_FOREACH (run, &world->engine->runs, link) {
        char *begin = xasprintf("{\"input\":\"begin\",\"run\":\"%s\"", run->id);
        for (size_t i = 0; i < json_object_array_length(world->inputs); i++) {
            const char *text =
                json_member_text(json_object_array_get_idx(world->inputs, i), "input");
            if (run->begun.mono_ms != 0 && strncmp(text, begin, strlen(begin)) == 0) {
                free(begin);
                return i;
            }
        }
        free(begin);
    }
    return 0;
}

bool replay_brings_run(const struct engine *engine, struct json_object *noted)
{
    const char *text = json_member_text(noted, "input");
    struct json_object *input = NULL;

    ck_assert_int_eq(json_read(text, strlen(text), 64, &input, NULL), 0);
    struct json_object *plan = json_member(input, "plan");
    const char *id = json_member_text(plan != NULL ? plan : input, "id");
    bool is_one = id != NULL && engine_find_run(engine, id) != NULL;
    json_object_put(input);
    return is_one;
}

void world_check_cut(struct world *world)
{
    struct instant start = fixture_at(0);
    struct engine *again = engine_new(&quiet_ops, NULL, &start);
    bool fresh = true;
    size_t cut = find_cut(world);

    for (size_t i = 0; i < json_object_array_length(world->inputs); i++) {
        struct json_object *noted = json_object_array_get_idx(world->inputs, i);
        if (i >= cut || replay_brings_run(world->engine, noted))
            replay_one(world, again, noted, &fresh);
    }
    check_the_same(world, again);
}

const char *world_notes(struct world *world)
{
    static char *last;

    free(last);
    last = world->notes;
    world->notes = xstrdup("");
    return last;
}

/* --- inputs of all kinds --- */

enum engine_result world_register(struct world *world, const char *id,
                                  const char *registration)
{
    struct json_object *body;
    char *cause = NULL;

    if (*registration == '{') {
        body = fixture_json(registration);
    } else {
        body = json_new_object();
        json_put_text(body, "type", registration);
    }
    enum engine_result result = world_apply(world, input_register(id, body), &cause);
    ck_assert_int_eq(result != ENGINE_OK, cause != NULL);
    json_object_put(body);
    free(cause);
    return result;
}

void world_report(struct world *world, const char *id, const char *response)
{
    struct poll poll = engine_poll(world->engine, id);
    struct json_object *body = json_new_object();
    char *cause = NULL;

    if (response != NULL)
        json_put_text(body, "response", response);
    struct json_object *input =
        input_report(id, poll.delivery != NULL ? poll.delivery : "", false, body);
    ck_assert_int_eq(world_apply(world, input, &cause), ENGINE_OK);
    ck_assert_ptr_null(cause);
    json_object_put(body);
}

void world_lost(struct world *world, const char *id)
{
    world_apply(world, input_lost(id, "it fell silent"), NULL);
}

void world_error(struct world *world, const char *id, bool is_action)
{
    ck_assert_int_eq(
        world_apply(world, input_client_error(id, is_action, "it broke", "a.js:1"), NULL),
        ENGINE_OK);
}

void world_created(struct world *world, size_t deployment)
{
    struct json_object *servers = fixture_json("[{'name': 'server', 'server_name': 'hs1',"
                                               "  'cs_api': 'http://localhost:9000'}]");

    world->deployments[deployment].answered = true;
    world_apply(
        world,
        input_created(world->deployments[deployment].id, world->where, servers, NULL),
        NULL);
    json_object_put(servers);
}

void world_not_created(struct world *world, size_t deployment, const char *cause)
{
    world->deployments[deployment].answered = true;
    world_apply(
        world,
        input_created(world->deployments[deployment].id, world->where, NULL, cause),
        NULL);
}

void world_destroyed(struct world *world, size_t deployment)
{
    world->deployments[deployment].over = true;
    world_apply(world, input_destroyed(world->deployments[deployment].id, NULL), NULL);
}

void world_stop(struct world *world)
{
    world_apply(world, input_stop("the server stops"), NULL);
}

static void note_polled(void *argument, const char *client)
{
    json_put_int(argument, client, last_polled_cb(NULL, client));
}

static void tell_time(struct world *world)
{
    struct instant now = fixture_at(world->ms);
    struct json_object *polled = json_new_object();

    engine_overdue(world->engine, &now, note_polled, polled);
    world_apply(world, input_time(polled), NULL);
    json_object_put(polled);
}

void world_pass(struct world *world, int64_t ms)
{
    int64_t end = world->ms + ms;
    int64_t start = fixture_at(0).mono_ms;

    for (;;) {
        int64_t due = engine_deadline(world->engine);
        bool is_due = due <= start + end;
        world->ms = is_due && due - start > world->ms ? due - start
                    : is_due                          ? world->ms
                                                      : end;
        tell_time(world);
        if (!is_due)
            return;
    }
}

/* --- looking --- */

const char *world_poll(struct world *world, const char *id)
{
    static char name[200];
    struct poll poll = engine_poll(world->engine, id);

    if (poll.kind == POLL_IDLE)
        return "idle";
    char *cause = NULL;
    struct json_object *answer = NULL;
    ck_assert_int_eq(json_read(poll.answer, strlen(poll.answer), 32, &answer, &cause), 0);
    snprintf(name, sizeof name, "%s", json_member_text(answer, "action"));
    ck_assert_int_eq(poll.is_exit, strcmp(name, "exit") == 0);
    ck_assert(json_object_is_type(json_member(answer, "data"), json_type_object));
    json_object_put(answer);
    return name;
}

struct testcase *world_case(struct world *world, size_t index)
{
    const struct run *run = engine_shown_run(world->engine);
    struct suite *suite;

    ck_assert_ptr_nonnull(run);
    TAILQ_FOREACH (suite, &run->suites, link) {
        if (index < suite->case_count)
            return &suite->cases[index];
        index -= suite->case_count;
    }
    ck_abort_msg("there is no such case");
    return NULL;
}

const char *world_told(struct world *world, size_t index)
{
    static char text[500];
    const struct testcase *testcase = world_case(world, index);
    size_t size =
        (size_t)snprintf(text, sizeof text, "%s", case_state_text(testcase->state));

    for (size_t i = 0; testcase->turn && i < testcase->machine->role_count; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, " %s",
                                 testcase->turn->players[i]->id);
    return text;
}

char *world_status(struct world *world)
{
    struct status_view view = {"1.0", fixture_at(world->ms), last_polled_cb, NULL, NULL};
    struct json_object *status = status_all(world->engine, &view);
    char *text = xstrdup(json_text(status));

    json_object_put(status);
    return text;
}

unsigned fixture_random(uint64_t *seed, unsigned below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*seed >> 33) % below;
}

int fixture_run(struct Suite *suite)
{
    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
