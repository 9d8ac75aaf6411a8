/* SPDX-License-Identifier: Apache-2.0 */
/* Random plans of runs. */
#include "plans.h"

#include "json.h"
#include "mistakes.h"
#include "run.h"
#include "settings.h"
#include "sources.h"
#include "stories.h"
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Phones can't enrol: they are enrolled over http, and log in. */
static const char dictionary[] =
    "{'actions': {"
    "  'register': {'data': {'username': {'type': 'string', 'required': true}},"
    "    'template': {'username': '${me.localpart}'},"
    "    'responses': ['registered', 'done']},"
    "  'login': {'data': {'username': {'type': 'string', 'required': true}},"
    "    'template': {'username': '${me.localpart}'},"
    "    'responses': ['logged_in', 'loggedin', 'done'],"
    "    'for': {'phone': {'data': {'localpart': {'type': 'string', 'required': true}},"
    "                      'template': {'localpart': '${me.localpart}'}}}},"
    "  'enrol': {'responses': ['enrolled', 'done'],"
    "    'for': {'phone': {'emulate': 'enrol_over_http'}}},"
    "  'look': {'responses': ['seen', 'done']},"
    "  'say': {'data': {'message': {'type': 'string', 'required': true}},"
    "    'responses': ['said', 'done']},"
    "  'paint': {'data': {'colour': {'type': 'string', 'required': true,"
    "    'one_of': ['red', 'blue']}}}},"
    " 'flows': {'enrol_over_http': ["
    "   {'http': {'url': '${on.cs_api}/users/${me.localpart}'}, 'save': 'made_${me}'},"
    "   {'${me}': 'login'}]}}";

/* The texts, with " for '. Owned by the caller. */
static struct json_object *read_quoted(const char *text)
{
    char *copy = xstrdup(text);
    struct json_object *value = NULL;

    for (char *p = copy; *p != '\0'; p++)
        *p = (char)(*p == '\'' ? '"' : *p);
    if (json_read(copy, strlen(copy), 32, &value, NULL) < 0)
        abort();
    free(copy);
    return value;
}

static struct json_object *make_settings(struct sim *sim)
{
    struct json_object *settings =
        read_quoted("{'client_types': ["
                    "  {'name': 'web-new', 'type': 'web',"
                    "   'globs': [{'member': 'version', 'glob': '2*'}]},"
                    "  {'name': 'web-red', 'type': 'web',"
                    "   'globs': [{'member': 'colour', 'glob': 'red'}]}],"
                    " 'server_types': ["
                    "  {'name': 'made', 'images': ['one', 'two']},"
                    "  {'name': 'fixed', 'servers': ["
                    "    {'server_name': 'hs1', 'cs_api': 'http://localhost:8008'},"
                    "    {'server_name': 'hs2', 'cs_api': 'http://hs2.example'}]}]}");

    json_put_int(settings, "step_timeout", sim_between(sim, 3, 30) * 1000);
    json_put_int(settings, "case_timeout", sim_between(sim, 20, 120) * 1000);
    json_put_int(settings, "unfilled_timeout",
                 sim_chance(sim, 500) ? sim_between(sim, 10, 90) * 1000 : 0);
    json_put_number(settings, "wait_scale", sim_chance(sim, 800) ? 1 : 0.5);
    json_put_int(settings, "deployments", sim_between(sim, 1, 3));
    json_put_int(settings, "transcript", sim_chance(sim, 900) ? 1000 : 12);
    return settings;
}

static struct json_object *make_sources(struct sim *sim)
{
    struct json_object *sources = sources_new();
    unsigned count = 1 + sim_random(sim, 3);

    for (unsigned i = 0; i < count; i++) {
        char *name = xasprintf("Test%u", i);
        char *path = xasprintf("/suites/chat/%u_test.json", i);
        char *text = story_make(sim, name);
        sources_add(sources, path, "chat", true);
        sources_set_text(sources, path, text, NULL);
        free(text);
        free(path);
        free(name);
    }
    return sources;
}

/* A mistake in the plan is one of the simulation's own. */
static void check_plan(struct sim *sim, struct json_object *plan)
{
    struct mistakes *mistakes = mistakes_new();
    struct run *run = run_read(plan, mistakes);

    for (size_t i = 0; i < mistakes_count(mistakes); i++) {
        bool is_error;
        const char *text = mistakes_text(mistakes, i, &is_error);
        if (is_error)
            sim_fail(sim, "a mistake in a plan: %s\n%s", text,
                     json_object_to_json_string(json_member(plan, "sources")));
    }
    run_free(run);
    mistakes_free(mistakes);
}

struct json_object *plan_make(struct sim *sim, const char *id)
{
    struct json_object *plan = json_new_object();
    struct json_object *shipped = read_quoted(dictionary);

    json_put_text(plan, "id", id);
    json_put_text(plan, "label", sim_chance(sim, 500) ? "nightly" : "");
    json_put(plan, "only", json_new_array());
    json_put_int(plan, "repeat", sim_chance(sim, 800) ? 1 : 2);
    json_put_int(plan, "retries", sim_chance(sim, 600) ? 0 : sim_between(sim, 1, 2));
    json_put(plan, "settings", make_settings(sim));
    json_put_text(plan, "dictionary", json_text(shipped));
    json_put(plan, "sources", make_sources(sim));
    check_plan(sim, plan);
    json_object_put(shipped);
    return plan;
}

struct json_object *plan_registration(struct sim *sim)
{
    struct json_object *registration = json_new_object();
    bool is_phone = sim_chance(sim, 250);

    json_put_text(registration, "type",
                  sim_chance(sim, 20) ? "toaster"
                  : is_phone          ? "phone"
                                      : "web");
    if (sim_chance(sim, 600))
        json_put_text(registration, "version", sim_chance(sim, 700) ? "2.1" : "1.9");
    if (sim_chance(sim, 500))
        json_put_text(registration, "colour", sim_chance(sim, 700) ? "red" : "blue");
    return registration;
}
