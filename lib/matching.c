/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is free, and which case can start. A signature with waiting cases is always in one
 * of three places: ready (to be tried, ordered by its first case), watching a client type
 * that it lacks, or blocked until a deployment is free.
 */
#include "matching.h"

#include "json.h"
#include "xalloc.h"

#include <assert.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Signatures that need more free clients of a type than this share the last bucket. */
#define WATCH_BUCKETS 8

TAILQ_HEAD(membership_list, membership);
TAILQ_HEAD(signature_list, signature);

/* A client type as it is used by cases. */
struct client_type {
    char *name;                          /* as definitions name it; owned */
    const struct client_type_rule *rule; /* from the configuration, or NULL; borrowed */
    const char *literal;                 /* the registration's `type`; borrowed */
    struct membership_list free;         /* free clients, longest waiting first */
    size_t free_count;                   /* length of free */
    size_t busy_count;                   /* clients of this type that play */
    bool shared;                         /* a client of this type had another one, too */
    struct signature_list
        watchers[WATCH_BUCKETS + 1];  /* by how many free ones they need */
    struct client_type *same_literal; /* next type with the same literal */
    UT_hash_handle hh;                /* by name */
};

/* Client types that share the registration type. */
struct literal {
    const char *name; /* the registration's `type`; borrowed from the first type */
    struct client_type *first; /* linked by same_literal */
    UT_hash_handle hh;         /* by name */
};

enum standing { STANDS_NOWHERE, STANDS_READY, STANDS_WATCHING, STANDS_BLOCKED };

/* What a case needs, and all waiting cases that need the same. */
struct signature {
    char *key;                    /* names of the types; owned */
    struct client_type **types;   /* of each role; owned array */
    size_t role_count;            /* length of types */
    bool deploys;                 /* needs a homerunner deployment */
    struct testcase_list waiting; /* in the order of the files */
    enum standing standing;       /* where it is, see above */
    struct heap_entry ready; /* STANDS_READY: by the order of the first waiting case */
    struct client_type *watched; /* STANDS_WATCHING: the type that it lacks */
    size_t needed; /* STANDS_WATCHING: how many free ones it takes to try again */
    TAILQ_ENTRY(signature) link; /* in watchers, or in blocked */
    UT_hash_handle hh;           /* by key */
};

struct matching {
    const struct settings *settings; /* borrowed */
    struct client_type *types;       /* by name; owned */
    struct literal *literals;        /* by registration type; owned */
    struct signature *signatures;    /* by key; owned */
    struct heap ready;               /* signatures to be tried */
    struct signature_list blocked;   /* signatures that wait for a deployment */
    size_t trial; /* number of the latest trial, for marks on clients */
};

/* --- client types --- */

static void add_literal(struct matching *matching, struct client_type *type)
{
    struct literal *literal = NULL;

    HASH_FIND_STR(matching->literals, type->literal, literal);
    if (literal == NULL) {
        literal = xcalloc(1, sizeof *literal);
        literal->name = type->literal;
        HASH_ADD_KEYPTR(hh, matching->literals, literal->name, strlen(literal->name),
                        literal);
    }
    type->same_literal = literal->first;
    literal->first = type;
}

static struct client_type *get_type(struct matching *matching, const char *name)
{
    struct client_type *type = NULL;

    HASH_FIND_STR(matching->types, name, type);
    if (type != NULL)
        return type;
    type = xcalloc(1, sizeof *type);
    type->name = xstrdup(name);
    type->literal = type->name;
    for (size_t i = 0; i < matching->settings->client_type_count; i++) {
        const struct client_type_rule *rule = &matching->settings->client_types[i];
        if (strcmp(rule->name, name) == 0) {
            type->rule = rule;
            type->literal = rule->type;
        }
    }
    TAILQ_INIT(&type->free);
    for (size_t i = 0; i <= WATCH_BUCKETS; i++)
        TAILQ_INIT(&type->watchers[i]);
    HASH_ADD_KEYPTR(hh, matching->types, type->name, strlen(type->name), type);
    add_literal(matching, type);
    return type;
}

static bool matches(const struct client_type *type, struct json_object *registration)
{
    for (size_t i = 0; type->rule != NULL && i < type->rule->glob_count; i++) {
        const struct client_glob *glob = &type->rule->globs[i];
        struct json_object *member = NULL;
        if (!json_object_object_get_ex(registration, glob->member, &member))
            return false;
        const char *text = json_object_is_type(member, json_type_string)
                               ? json_object_get_string(member)
                               : json_text(member);
        if (fnmatch(glob->glob, text, 0) != 0)
            return false;
    }
    return true;
}

/* --- where a signature stands --- */

static size_t bucket(size_t needed)
{
    return needed < WATCH_BUCKETS ? needed : WATCH_BUCKETS;
}

static void stand_nowhere(struct matching *matching, struct signature *signature)
{
    if (signature->standing == STANDS_READY)
        heap_remove(&matching->ready, &signature->ready);
    else if (signature->standing == STANDS_WATCHING)
        TAILQ_REMOVE(&signature->watched->watchers[bucket(signature->needed)], signature,
                     link);
    else if (signature->standing == STANDS_BLOCKED)
        TAILQ_REMOVE(&matching->blocked, signature, link);
    signature->standing = STANDS_NOWHERE;
}

/* Try it again, unless no case of it waits. */
static void stand_ready(struct matching *matching, struct signature *signature)
{
    struct testcase *first = TAILQ_FIRST(&signature->waiting);

    if (signature->standing != STANDS_READY)
        stand_nowhere(matching, signature);
    if (first == NULL) {
        stand_nowhere(matching, signature);
        return;
    }
    heap_put(&matching->ready, &signature->ready, (int64_t)first->order);
    signature->standing = STANDS_READY;
}

static void stand_watching(struct matching *matching, struct signature *signature,
                           struct client_type *type)
{
    stand_nowhere(matching, signature);
    signature->watched = type;
    signature->needed = type->free_count + 1;
    TAILQ_INSERT_TAIL(&type->watchers[bucket(signature->needed)], signature, link);
    signature->standing = STANDS_WATCHING;
}

static void stand_blocked(struct matching *matching, struct signature *signature)
{
    stand_nowhere(matching, signature);
    TAILQ_INSERT_TAIL(&matching->blocked, signature, link);
    signature->standing = STANDS_BLOCKED;
}

/* --- life --- */

struct matching *matching_new(const struct settings *settings)
{
    struct matching *matching = xcalloc(1, sizeof *matching);

    matching->settings = settings;
    TAILQ_INIT(&matching->blocked);
    return matching;
}

void matching_free(struct matching *matching)
{
    struct signature *signature, *next_signature;
    struct client_type *type, *next_type;
    struct literal *literal, *next_literal;

    HASH_ITER (hh, matching->signatures, signature, next_signature) {
        HASH_DEL(matching->signatures, signature);
        free(signature->key);
        free(signature->types);
        free(signature);
    }
    HASH_ITER (hh, matching->literals, literal, next_literal) {
        HASH_DEL(matching->literals, literal);
        free(literal);
    }
    HASH_ITER (hh, matching->types, type, next_type) {
        HASH_DEL(matching->types, type);
        free(type->name);
        free(type);
    }
    heap_clear(&matching->ready);
    free(matching);
}

static char *signature_key(const char *const *types, size_t count, bool deploys)
{
    char *key = NULL;
    size_t size;
    FILE *out = xcheck(open_memstream(&key, &size));

    fputs(deploys ? "deploys" : "", out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "\n%s", types[i]);
    if (fclose(out) != 0)
        xcheck(NULL);
    return key;
}

static struct signature *get_signature(struct matching *matching,
                                       const char *const *types, size_t count,
                                       bool deploys)
{
    struct signature *signature = NULL;
    char *key = signature_key(types, count, deploys);

    HASH_FIND_STR(matching->signatures, key, signature);
    if (signature != NULL) {
        free(key);
        return signature;
    }
    signature = xcalloc(1, sizeof *signature);
    signature->key = key;
    signature->types = xcalloc(count, sizeof(struct client_type *));
    signature->role_count = count;
    signature->deploys = deploys;
    signature->ready.owner = signature;
    for (size_t i = 0; i < count; i++)
        signature->types[i] = get_type(matching, types[i]);
    TAILQ_INIT(&signature->waiting);
    HASH_ADD_KEYPTR(hh, matching->signatures, signature->key, strlen(signature->key),
                    signature);
    return signature;
}

void matching_add_case(struct matching *matching, struct testcase *testcase,
                       const char *const *types, size_t role_count, bool deploys)
{
    struct signature *signature = get_signature(matching, types, role_count, deploys);
    struct testcase *last = TAILQ_LAST(&signature->waiting, testcase_list);
    struct testcase *later = NULL;

    if (last != NULL && last->order > testcase->order) /* it is tried again */
        TAILQ_FOREACH (later, &signature->waiting, waiting) {
            if (later->order > testcase->order)
                break;
        }
    if (later != NULL)
        TAILQ_INSERT_BEFORE(later, testcase, waiting);
    else
        TAILQ_INSERT_TAIL(&signature->waiting, testcase, waiting);
    testcase->signature = signature;
    stand_ready(matching, signature);
}

void matching_remove_case(struct matching *matching, struct testcase *testcase)
{
    TAILQ_REMOVE(&testcase->signature->waiting, testcase, waiting);
    stand_ready(matching, testcase->signature);
}

/* --- clients --- */

/* One more client is free: whoever waited for just that many is tried again. */
static void wake_watchers(struct matching *matching, struct client_type *type)
{
    struct signature *signature, *next;

    for (signature = TAILQ_FIRST(&type->watchers[bucket(type->free_count)]);
         signature != NULL; signature = next) {
        next = TAILQ_NEXT(signature, link);
        if (signature->needed <= type->free_count)
            stand_ready(matching, signature);
    }
}

/* Types that share clients: one that goes can change what others need, so all are tried
 * again. */
static void wake_all_watchers(struct matching *matching, struct client_type *type)
{
    for (size_t i = 0; i <= WATCH_BUCKETS; i++) {
        struct signature *signature;
        while ((signature = TAILQ_FIRST(&type->watchers[i])) != NULL)
            stand_ready(matching, signature);
    }
}

void matching_add_client(struct matching *matching, struct client *client)
{
    struct literal *literal = NULL;
    size_t count = 0;

    assert(client->memberships == NULL);
    client->mark = 0; /* trials of another run had the same numbers */
    HASH_FIND_STR(matching->literals, client->type, literal);
    for (struct client_type *type = literal ? literal->first : NULL; type != NULL;
         type = type->same_literal)
        count += matches(type, client->registration);
    client->memberships = xcalloc(count, sizeof *client->memberships);
    for (struct client_type *type = literal ? literal->first : NULL; type != NULL;
         type = type->same_literal) {
        if (!matches(type, client->registration))
            continue;
        struct membership *membership = &client->memberships[client->membership_count++];
        *membership = (struct membership){.client = client, .type = type};
        TAILQ_INSERT_TAIL(&type->free, membership, link);
        type->free_count++;
        type->shared = type->shared || count > 1;
        wake_watchers(matching, type);
    }
}

/* Out of the lines; the memberships stay, to be counted as busy. */
static void leave_lines(struct matching *matching, struct client *client)
{
    for (size_t i = 0; i < client->membership_count; i++) {
        struct client_type *type = client->memberships[i].type;
        TAILQ_REMOVE(&type->free, &client->memberships[i], link);
        type->free_count--;
        if (type->shared)
            wake_all_watchers(matching, type);
    }
}

void matching_remove_client(struct matching *matching, struct client *client)
{
    leave_lines(matching, client);
    matching_drop_client(client);
}

void matching_drop_client(struct client *client)
{
    free(client->memberships);
    client->memberships = NULL;
    client->membership_count = 0;
}

void matching_count_busy(const struct client *client, int change)
{
    for (size_t i = 0; i < client->membership_count; i++) {
        struct client_type *type = client->memberships[i].type;
        type->busy_count = change > 0 ? type->busy_count + 1 : type->busy_count - 1;
    }
}

void matching_seat_client(struct matching *matching, struct client *client)
{
    matching_add_client(matching, client);
    leave_lines(matching, client);
    matching_count_busy(client, 1);
}

/* --- filling roles --- */

/* The free client of the type that has waited longest and was not taken in this trial. */
static struct client *longest_waiting(const struct client_type *type, size_t trial)
{
    struct membership *membership;

    TAILQ_FOREACH (membership, &type->free, link) {
        if (membership->client->mark != trial)
            return membership->client;
    }
    return NULL;
}

/* Choose a client for each role into players; gives the number of the first role that
 * stays empty, or the number of roles. */
static size_t try_to_fill(struct matching *matching, const struct signature *signature,
                          struct client **players)
{
    matching->trial++;
    for (size_t i = 0; i < signature->role_count; i++) {
        players[i] = longest_waiting(signature->types[i], matching->trial);
        if (players[i] == NULL)
            return i;
        players[i]->mark = matching->trial;
    }
    return signature->role_count;
}

static struct testcase *take_case(struct matching *matching, struct signature *signature,
                                  struct client **players)
{
    struct testcase *testcase = TAILQ_FIRST(&signature->waiting);

    TAILQ_REMOVE(&signature->waiting, testcase, waiting);
    for (size_t i = 0; i < signature->role_count; i++)
        leave_lines(matching, players[i]);
    stand_ready(matching, signature);
    return testcase;
}

struct testcase *matching_next(struct matching *matching, bool deployment_free,
                               struct client ***filled_players)
{
    struct heap_entry *entry;

    while ((entry = heap_first(&matching->ready)) != NULL) {
        struct signature *signature = entry->owner;
        if (signature->deploys && !deployment_free) {
            stand_blocked(matching, signature);
            continue;
        }
        struct client **players = xcalloc(signature->role_count, sizeof(struct client *));
        size_t filled = try_to_fill(matching, signature, players);
        if (filled == signature->role_count) {
            *filled_players = players;
            return take_case(matching, signature, players);
        }
        free(players);
        stand_watching(matching, signature, signature->types[filled]);
    }
    return NULL;
}

void matching_deployment_freed(struct matching *matching)
{
    struct signature *signature;

    while ((signature = TAILQ_FIRST(&matching->blocked)) != NULL)
        stand_ready(matching, signature);
}

char *matching_reason(const struct matching *matching, const struct testcase *testcase)
{
    const struct signature *signature = testcase->signature;
    struct client **players = xcalloc(signature->role_count, sizeof(struct client *));
    /* a trial leaves only marks on clients, so asking changes nothing */
    size_t filled = try_to_fill((struct matching *)matching, signature, players);

    free(players);
    if (filled == signature->role_count)
        return xstrdup(signature->standing == STANDS_BLOCKED
                           ? "waits for a free homerunner deployment"
                           : "is about to start");
    const struct client_type *type = signature->types[filled];
    size_t taken = 0;
    for (size_t i = 0; i < filled; i++)
        taken += signature->types[i] == type;
    size_t left = taken < type->free_count ? type->free_count - taken : 0;
    return xasprintf("%s needs %s: %zu free of %zu", testcase->machine->roles[filled],
                     type->name, left, type->free_count + type->busy_count);
}
