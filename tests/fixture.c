/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the engine share. */
#include "fixture.h"

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

static struct deployment *find_deployment(struct world *world, const char *id)
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
    struct deployment *deployment = find_deployment(world, id);

    note(world, "create %s", id);
    if (deployment == NULL) {
        world->deployments = xreallocarray(
            world->deployments, world->deployment_count + 1, sizeof *world->deployments);
        deployment = &world->deployments[world->deployment_count++];
        *deployment = (struct deployment){0};
        snprintf(deployment->id, sizeof deployment->id, "%s", id);
    }
    deployment->created++;
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(deployment->servers);
        snprintf(deployment->servers + size, sizeof deployment->servers - size, "%s%s=%s",
                 i > 0 ? " " : "", servers[i].name, servers[i].image);
    }
}

static void destroy_cb(void *context, const char *id)
{
    struct deployment *deployment = find_deployment(context, id);

    note(context, "destroy %s", id);
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
    .last_polled = last_polled_cb,
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
    world->engine = engine_new(&world->settings, &ops, world, FIXTURE_RUN, &now);
}

void world_clear(struct world *world)
{
    engine_free(world->engine);
    dictionary_free(world->dictionary);
    settings_clear(&world->settings);
    free(world->deployments);
    free(world->notes);
}

void world_add(struct world *world, const char *text, size_t repeat)
{
    struct mistakes *mistakes = mistakes_new();
    struct json_object *root = fixture_json(text);
    struct definition *definition =
        definition_read(root, "folder/a_test.json", "folder", world->dictionary,
                        &world->settings, mistakes);
    bool added = definition != NULL &&
                 engine_add_suite(world->engine, definition, repeat, mistakes);

    fixture_print(mistakes);
    ck_assert(added);
    json_object_put(root);
    mistakes_free(mistakes);
}

void world_begin(struct world *world)
{
    struct instant now = fixture_at(world->ms);

    engine_begin(world->engine, &now);
}

const char *world_notes(struct world *world)
{
    static char *last;

    free(last);
    last = world->notes;
    world->notes = xstrdup("");
    return last;
}

/* --- inputs --- */

enum engine_result world_register(struct world *world, const char *id,
                                  const char *registration)
{
    struct instant now = fixture_at(world->ms);
    struct json_object *body;
    char *cause = NULL;

    if (*registration == '{') {
        body = fixture_json(registration);
    } else {
        body = json_new_object();
        json_put_text(body, "type", registration);
    }
    enum engine_result result = engine_register(world->engine, id, body, &now, &cause);
    ck_assert_int_eq(result != ENGINE_OK, cause != NULL);
    json_object_put(body);
    free(cause);
    return result;
}

void world_report(struct world *world, const char *id, const char *response)
{
    struct instant now = fixture_at(world->ms);
    struct poll poll = engine_poll(world->engine, id);
    struct json_object *body = json_new_object();
    char *delivery = poll.delivery != NULL ? xstrdup(poll.delivery) : NULL;
    char *cause = NULL;

    if (response != NULL)
        json_put_text(body, "response", response);
    ck_assert_int_eq(
        engine_report(world->engine, id, delivery, false, body, &now, &cause), ENGINE_OK);
    ck_assert_ptr_null(cause);
    json_object_put(body);
    free(delivery);
}

void world_lost(struct world *world, const char *id)
{
    struct instant now = fixture_at(world->ms);

    engine_lost(world->engine, id, "it fell silent", &now);
}

void world_error(struct world *world, const char *id, bool is_action)
{
    struct instant now = fixture_at(world->ms);

    ck_assert_int_eq(
        engine_client_error(world->engine, id, is_action, "it broke", "a.js:1", &now),
        ENGINE_OK);
}

void world_created(struct world *world, size_t deployment)
{
    struct instant now = fixture_at(world->ms);
    struct json_object *servers = fixture_json("[{'name': 'server', 'server_name': 'hs1',"
                                               "  'cs_api': 'http://localhost:9000'}]");

    world->deployments[deployment].answered = true;
    engine_created(world->engine, world->deployments[deployment].id, servers, NULL, &now);
    json_object_put(servers);
}

void world_not_created(struct world *world, size_t deployment, const char *cause)
{
    struct instant now = fixture_at(world->ms);

    world->deployments[deployment].answered = true;
    engine_created(world->engine, world->deployments[deployment].id, NULL, cause, &now);
}

void world_destroyed(struct world *world, size_t deployment)
{
    struct instant now = fixture_at(world->ms);

    world->deployments[deployment].over = true;
    engine_destroyed(world->engine, world->deployments[deployment].id, NULL, &now);
}

void world_stop(struct world *world)
{
    struct instant now = fixture_at(world->ms);

    engine_stop(world->engine, "the server stops", &now);
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
        struct instant now = fixture_at(world->ms);
        engine_time(world->engine, &now);
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
    struct suite *suite;

    TAILQ_FOREACH (suite, &world->engine->suites, link) {
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

    for (size_t i = 0; testcase->players && i < testcase->machine->role_count; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, " %s",
                                 testcase->players[i]->id);
    return text;
}

char *world_status(struct world *world)
{
    struct status_view view = {"1.0", fixture_at(world->ms), last_polled_cb, NULL};
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
