/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random definitions of tests as text, without a mistake: names are used only where they
 * may have a value, every state is reached, and from each one there is a way on.
 */
#include "stories.h"

#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROLES_MAX 3
#define DEPTH_MAX 2 /* of loops */

static const char *const role_names[ROLES_MAX] = {"red", "green", "blue"};

/* A definition that is being written. Quotes are written as ', and replaced at the end.
 */
struct story {
    struct sim *sim;  /* for chance */
    FILE *out;        /* where it goes */
    size_t roles;     /* how many there are */
    size_t servers;   /* how many it has: server, other */
    unsigned saved;   /* how many names were saved so far: seen_1 … */
    unsigned ready;   /* how many of them in earlier steps or states */
    unsigned found;   /* how many were found: found_1 … */
    unsigned answers; /* of http: reply_1 … */
    unsigned loops;   /* loops so far: they name what changes */
    unsigned depth;   /* loops around the place */
};

static const char *a_role(struct story *story)
{
    return role_names[sim_random(story->sim, (unsigned)story->roles)];
}

/* --- what a role is asked --- */

static void write_data(struct story *story, const char *action)
{
    if (strcmp(action, "say") == 0)
        fprintf(story->out, ", 'data': {'message': '%s'}",
                story->ready > 0 && sim_chance(story->sim, 100) ? "${seen_1}"
                                                                : "hi ${case.name}");
    else if (strcmp(action, "paint") == 0)
        fprintf(story->out, ", 'data': {'colour': '%s'}",
                sim_chance(story->sim, 500) ? "red" : "blue");
}

static const char *an_action(struct story *story)
{
    static const char *const actions[] = {"register", "login", "look", "look",
                                          "say",      "paint", "wave", "enrol"};
    unsigned count = story->servers > 0 ? 8 : 7; /* enrol needs one */

    return actions[sim_random(story->sim, count)];
}

/* Members that actions have in steps and in states. */
static void write_rest(struct story *story, const char *action)
{
    write_data(story, action);
    if (sim_chance(story->sim, 300))
        fprintf(story->out, ", 'save': 'seen_%u'", ++story->saved);
    if (sim_chance(story->sim, 200))
        fprintf(story->out, ", 'timeout': '%ds'", (int)sim_between(story->sim, 2, 20));
    if (story->servers > 0 && sim_chance(story->sim, 200))
        fprintf(story->out, ", 'on': '%s'", story->servers > 1 ? "other" : "server");
}

static void write_expect(struct story *story, const char *action)
{
    if (strcmp(action, "look") == 0 && sim_chance(story->sim, 300))
        fprintf(story->out, ", 'expect': ['seen', 'failed']");
    else if (strcmp(action, "login") == 0 && sim_chance(story->sim, 300))
        fprintf(story->out, ", 'expect': 'logged_in'");
}

static void write_role_step(struct story *story, const char *role)
{
    const char *action = an_action(story);

    fprintf(story->out, "{'%s': '%s'", role, action);
    write_rest(story, action);
    write_expect(story, action);
    fprintf(story->out, "}");
}

/* --- bodies that steps and states share; without the braces --- */

static void write_wait(struct story *story)
{
    if (sim_chance(story->sim, 100))
        fprintf(story->out, "'wait': '${pause}'");
    else
        fprintf(story->out, "'wait': '%dms'", (int)sim_between(story->sim, 1, 4000));
}

static void write_set(struct story *story)
{
    fprintf(story->out, "'set': {'kept': '%s', 'number': %u}",
            story->ready > 0 ? "${seen_1}" : "${case.nonce}", sim_random(story->sim, 9));
}

static void write_condition(struct story *story)
{
    const char *kind = sim_chance(story->sim, 500) ? "assert" : "check";

    if (story->found > 0 && sim_chance(story->sim, 300))
        fprintf(story->out, "'%s': {'exists': '${found_%u}'}", kind, story->found);
    else if (story->ready > 0 && sim_chance(story->sim, 600))
        fprintf(story->out,
                "'%s': {'any': [{'less': ['${seen_%u.n}', 95]}, "
                "{'equals': ['${seen_%u.response}', 'done']}]}",
                kind, story->ready, story->ready);
    else
        fprintf(story->out, "'%s': {'equals': [1, %u]}", kind,
                sim_chance(story->sim, 80) ? 2U : 1U);
}

static void write_find(struct story *story)
{
    if (story->ready == 0) {
        write_set(story);
        return;
    }
    fprintf(story->out,
            "'find': '${seen_%u.list}', 'where': {'a': 1}, 'save': 'found_%u'",
            story->ready, ++story->found);
}

static void write_http(struct story *story)
{
    static const char *const methods[] = {"GET", "GET", "POST", "PUT"};

    fprintf(story->out, "'http': {'method': '%s', 'url': '%s'",
            methods[sim_random(story->sim, 4)],
            story->servers > 0 ? "${server.cs_api}/who" : "http://elsewhere/who");
    if (sim_chance(story->sim, 500))
        fprintf(story->out, ", 'status': [200, 404]");
    if (sim_chance(story->sim, 300))
        fprintf(story->out, ", 'json': {'of': '${case.id}'}");
    fprintf(story->out, "}");
    if (sim_chance(story->sim, 400))
        fprintf(story->out, ", 'save': 'reply_%u'", ++story->answers);
}

static void write_body(struct story *story)
{
    static void (*const bodies[])(struct story * story) = {
        write_wait, write_wait, write_set, write_condition,
        write_find, write_http, write_http};

    bodies[sim_random(story->sim, 7)](story);
}

/* --- steps --- */

static void write_steps(struct story *story, unsigned count);

static void write_parallel(struct story *story)
{
    fprintf(story->out, "{'parallel': [");
    for (size_t i = 0; i < story->roles; i++) {
        fprintf(story->out, "%s", i > 0 ? ", " : "");
        write_role_step(story, role_names[i]);
    }
    fprintf(story->out, "]}");
}

static void write_loop(struct story *story)
{
    unsigned number = ++story->loops;

    story->depth++;
    if (sim_chance(story->sim, 500)) {
        fprintf(story->out, "{'repeat': %u, 'as': 'round_%u', 'steps': [",
                1 + sim_random(story->sim, 3), number);
        write_steps(story, 1 + sim_random(story->sim, 2));
    } else {
        fprintf(story->out, "{'for_each': ['%s', '%s'], 'as': 'who_%u', 'steps': [",
                a_role(story), a_role(story), number);
        fprintf(story->out, "{'${who_%u}': 'look'}", number);
    }
    fprintf(story->out, "]}");
    story->depth--;
}

static void write_flow(struct story *story)
{
    fprintf(story->out, "{'flow': 'greet', 'with': {'who': '%s', 'what': 'hello %u'}}",
            a_role(story), sim_random(story->sim, 9));
}

static void write_step(struct story *story)
{
    unsigned kind = sim_random(story->sim, 100);

    if (kind < 45) {
        write_role_step(story, a_role(story));
    } else if (kind < 55 && story->roles > 1) {
        write_parallel(story);
    } else if (kind < 62 && story->depth < DEPTH_MAX) {
        write_loop(story);
    } else if (kind < 67) {
        write_flow(story);
    } else {
        fprintf(story->out, "{");
        write_body(story);
        fprintf(story->out, "}");
    }
    story->ready = story->saved;
}

static void write_steps(struct story *story, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        fprintf(story->out, "%s", i > 0 ? ",\n  " : "");
        write_step(story);
    }
}

static void write_story(struct story *story)
{
    fprintf(story->out, " 'flows': {'greet': [{'${who}': 'say', 'data': {'message': "
                        "'${what}'}}]},\n 'steps': [");
    write_steps(story, 1 + sim_random(story->sim, 5));
    fprintf(story->out, "]");
}

/* --- states --- */

/* Where a response may lead besides onwards. */
static void write_branch(struct story *story, unsigned states)
{
    unsigned to = sim_random(story->sim, states + 2);

    if (to < states)
        fprintf(story->out, ", 'again': 's%u'", to);
    else
        fprintf(story->out, ", 'gone': '%s'", to == states ? "failure" : "error");
}

/* The action of a role; the first one may move the machine, then there need be no next.
 */
static void write_action(struct story *story, size_t role, unsigned state,
                         unsigned states, bool moves)
{
    const char *action = an_action(story);

    fprintf(story->out, "%s'%s': {'action': '%s'", role > 0 ? ", " : "", role_names[role],
            action);
    write_rest(story, action);
    if (moves) {
        fprintf(story->out, ", 'responses': {'done': '");
        if (state + 1 < states)
            fprintf(story->out, "s%u'", state + 1);
        else
            fprintf(story->out, "complete'");
        if (sim_chance(story->sim, 300))
            write_branch(story, states);
        fprintf(story->out, "}");
    } else if (sim_chance(story->sim, 300)) {
        fprintf(story->out, ", 'responses': ['done', 'seen', 'logged_in']");
    }
    fprintf(story->out, "}");
}

static void write_actions(struct story *story, unsigned state, unsigned states)
{
    size_t mover = sim_random(story->sim, (unsigned)story->roles + 1);

    fprintf(story->out, "'actions': {");
    for (size_t i = 0; i < story->roles; i++)
        write_action(story, i, state, states, i == mover);
    fprintf(story->out, "}");
}

static void write_states(struct story *story)
{
    unsigned states = 1 + sim_random(story->sim, 5);

    fprintf(story->out, " 'initial': 's0',\n 'states': {");
    for (unsigned i = 0; i < states; i++) {
        fprintf(story->out, "%s's%u': {", i > 0 ? ",\n  " : "", i);
        if (sim_chance(story->sim, 600))
            write_actions(story, i, states);
        else
            write_body(story);
        story->ready = story->saved;
        if (i + 1 < states)
            fprintf(story->out, ", 'next': 's%u'}", i + 1);
        else
            fprintf(story->out, ", 'next': 'complete'}");
    }
    fprintf(story->out, "}");
}

/* --- all of it --- */

static void write_clients(struct story *story)
{
    static const char *const types[] = {"web", "phone", "web-new", "web-red"};

    fprintf(story->out, " 'clients': {");
    for (size_t i = 0; i < story->roles; i++) {
        unsigned first = sim_random(story->sim, 4);
        fprintf(story->out, "%s'%s': ['%s'", i > 0 ? ", " : "", role_names[i],
                types[first]);
        if (sim_chance(story->sim, 250))
            fprintf(story->out, ", '%s'", types[(first + 1) % 4]);
        fprintf(story->out, "]");
    }
    fprintf(story->out, "},\n");
}

static void write_head(struct story *story, const char *name)
{
    fprintf(story->out, "{'name': '%s',\n", name);
    write_clients(story);
    if (story->servers > 0)
        fprintf(story->out, " 'servers': {'type': '%s', 'names': ['server'%s]},\n",
                sim_chance(story->sim, 700) ? "made" : "fixed",
                story->servers > 1 ? ", 'other'" : "");
    if (sim_chance(story->sim, 400))
        fprintf(story->out, " 'timeout': '%ds',\n", (int)sim_between(story->sim, 5, 90));
    if (sim_chance(story->sim, 400))
        fprintf(story->out, " 'retries': %u,\n", sim_random(story->sim, 3));
    fprintf(story->out, " 'variables': {'pause': '%ums'},\n",
            sim_random(story->sim, 2000));
    fprintf(story->out, " 'actions': {'wave': {'responses': ['waved', 'done']}},\n");
}

char *story_make(struct sim *sim, const char *name)
{
    struct story story = {.sim = sim};
    char *text = NULL;
    size_t size = 0;

    story.out = xcheck(open_memstream(&text, &size));
    story.roles = 1 + sim_random(sim, sim_chance(sim, 300) ? 3 : 2);
    story.servers = sim_chance(sim, 550) ? 1 + sim_random(sim, 2) : 0;
    write_head(&story, name);
    if (sim_chance(sim, 500))
        write_states(&story);
    else
        write_story(&story);
    fprintf(story.out, "}\n");
    if (fclose(story.out) != 0)
        xcheck(NULL);
    for (char *p = text; *p != '\0'; p++)
        *p = (char)(*p == '\'' ? '"' : *p);
    return text;
}
