/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is free, and which case can start. Cases are numbered by their order. Every client
 * type has the cases that need more than 0, 1, 2 … of them as sets of bits, so 64 cases
 * are compared at once with what is free, and only with types that some case may lack.
 *
 * Where clients are of several types those counts can promise too much: the roles before
 * may take whom a later role needs. Then the trial fails, and the case is out of the
 * question until one more client of the type comes that was missing. Until then it can't
 * succeed: whoever comes stands at the end of the lines, and whoever goes leaves those
 * who stay to the same roles, or to earlier ones.
 */
#include "matching.h"

#include "bits.h"
#include "json.h"
#include "xalloc.h"

#include <assert.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TAILQ_HEAD(membership_list, membership);
TAILQ_HEAD(client_type_list, client_type);

/* A client type as it is used by cases. */
struct client_type {
    char *name;                          /* as definitions name it; owned */
    const struct client_type_rule *rule; /* from the configuration, or NULL; borrowed */
    const char *literal;                 /* the registration's `type`; borrowed */
    struct membership_list free;         /* free clients, longest waiting first */
    size_t free_count;                   /* length of free */
    size_t busy_count;                   /* clients of this type that play */
    struct bits *more; /* more[n]: cases that need more than n of them; owned */
    size_t most;       /* length of more: no case needs more of them */
    struct bits spent; /* cases whose earlier roles take all that are free */
    bool scarce;       /* a case may lack it: it is in the list of those */
    TAILQ_ENTRY(client_type) link;    /* among them */
    struct client_type *same_literal; /* next type with the same literal */
    UT_hash_handle hh;                /* by name */
};

/* Client types that share the registration type. */
struct literal {
    const char *name; /* the registration's `type`; borrowed from the first type */
    struct client_type *first; /* linked by same_literal */
    UT_hash_handle hh;         /* by name */
};

/* What a case needs, and all waiting cases that need the same: if the first of them can't
 * start, none can. */
struct signature {
    char *key;                  /* names of the types; owned */
    struct client_type **types; /* of each role; owned array */
    size_t role_count;          /* length of types */
    bool deploys;               /* needs a homerunner deployment */
    struct heap waiting;        /* its cases, by their order */
    struct testcase *first;     /* of those; NULL: none waits */
    UT_hash_handle hh;          /* by key */
};

struct matching {
    const struct settings *settings; /* borrowed */
    struct client_type *types;       /* by name; owned */
    struct literal *literals;        /* by registration type; owned */
    struct signature *signatures;    /* by key; owned */
    struct testcase **cases;         /* by order, those that ever waited; owned array */
    size_t case_capacity;            /* length of cases */
    struct bits first;               /* the first waiting case of every signature */
    struct bits deploys;             /* cases that need a homerunner deployment */
    struct client_type_list scarce;  /* types that a case may lack */
    size_t from;          /* no case can start whose bit is in a word before this one */
    bool deployment_free; /* as matching_next() heard last */
    size_t trial;         /* number of the latest trial, for marks on clients */
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

/* Whether a case may lack it has changed, perhaps. */
static void weigh_type(struct matching *matching, struct client_type *type)
{
    bool scarce = type->free_count < type->most || type->spent.count > 0;

    if (scarce && !type->scarce)
        TAILQ_INSERT_TAIL(&matching->scarce, type, link);
    else if (!scarce && type->scarce)
        TAILQ_REMOVE(&matching->scarce, type, link);
    type->scarce = scarce;
}

/* --- life --- */

struct matching *matching_new(const struct settings *settings)
{
    struct matching *matching = xcalloc(1, sizeof *matching);

    matching->settings = settings;
    TAILQ_INIT(&matching->scarce);
    return matching;
}

void matching_free(struct matching *matching)
{
    struct signature *signature, *next_signature;
    struct client_type *type, *next_type;
    struct literal *literal, *next_literal;

    HASH_ITER (hh, matching->signatures, signature, next_signature) {
        HASH_DEL(matching->signatures, signature);
        heap_clear(&signature->waiting);
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
        for (size_t i = 0; i < type->most; i++)
            bits_clear(&type->more[i]);
        bits_clear(&type->spent);
        free(type->more);
        free(type->name);
        free(type);
    }
    bits_clear(&matching->first);
    bits_clear(&matching->deploys);
    free(matching->cases);
    free(matching);
}

/* --- cases --- */

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
    for (size_t i = 0; i < count; i++)
        signature->types[i] = get_type(matching, types[i]);
    HASH_ADD_KEYPTR(hh, matching->signatures, signature->key, strlen(signature->key),
                    signature);
    return signature;
}

/* The case needs more than `count` of the type. */
static void need_more(struct matching *matching, const struct testcase *testcase,
                      struct client_type *type, size_t count)
{
    if (count == type->most) {
        type->more = xreallocarray(type->more, ++type->most, sizeof *type->more);
        type->more[count] = (struct bits){0};
        weigh_type(matching, type);
    }
    bits_add(&type->more[count], testcase->order);
}

static void note_needs(struct matching *matching, struct testcase *testcase)
{
    const struct signature *signature = testcase->signature;
    size_t order = testcase->order;

    for (size_t i = 0; i < signature->role_count; i++) {
        size_t before = 0;
        for (size_t j = 0; j < i; j++)
            before += signature->types[j] == signature->types[i];
        need_more(matching, testcase, signature->types[i], before);
    }
    if (signature->deploys)
        bits_add(&matching->deploys, order);
    if (order >= matching->case_capacity) {
        matching->case_capacity = 2 * order + 1;
        matching->cases = xreallocarray(matching->cases, matching->case_capacity,
                                        sizeof(struct testcase *));
    }
    matching->cases[order] = testcase;
}

/* Another case may be the first one of the signature now. */
static void choose_first(struct matching *matching, struct signature *signature)
{
    const struct heap_entry *first = heap_first(&signature->waiting);

    if (signature->first != NULL)
        bits_remove(&matching->first, signature->first->order);
    signature->first = first != NULL ? first->owner : NULL;
    if (first == NULL)
        return;
    bits_add(&matching->first, signature->first->order);
    if (signature->first->order / BITS_PER_WORD < matching->from)
        matching->from = signature->first->order / BITS_PER_WORD;
}

void matching_add_case(struct matching *matching, struct testcase *testcase,
                       const char *const *types, size_t role_count, bool deploys)
{
    struct signature *signature = get_signature(matching, types, role_count, deploys);

    testcase->signature = signature;
    testcase->waiting.owner = testcase;
    note_needs(matching, testcase);
    heap_put(&signature->waiting, &testcase->waiting, (int64_t)testcase->order);
    choose_first(matching, signature);
}

void matching_remove_case(struct matching *matching, struct testcase *testcase)
{
    heap_remove(&testcase->signature->waiting, &testcase->waiting);
    choose_first(matching, testcase->signature);
}

/* --- clients --- */

/* One more client is free: perhaps just the one that a case lacked. */
static void note_arrival(struct matching *matching, struct client_type *type)
{
    type->free_count++;
    if (type->free_count <= type->most || type->spent.count > 0)
        matching->from = 0;
    bits_clear(&type->spent);
    weigh_type(matching, type);
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
        note_arrival(matching, type);
    }
}

/* Out of the lines; the memberships stay, to be counted as busy. */
static void leave_lines(struct matching *matching, struct client *client)
{
    for (size_t i = 0; i < client->membership_count; i++) {
        struct client_type *type = client->memberships[i].type;
        TAILQ_REMOVE(&type->free, &client->memberships[i], link);
        type->free_count--;
        weigh_type(matching, type);
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

/* Which of the cases of this word have what they need, by count: those that can't be
 * ruled out at once. */
static uint64_t promising(const struct matching *matching, size_t word)
{
    uint64_t cases = bits_word(&matching->first, word);
    const struct client_type *type;

    if (!matching->deployment_free)
        cases &= ~bits_word(&matching->deploys, word);
    TAILQ_FOREACH (type, &matching->scarce, link) {
        if (cases == 0)
            break;
        if (type->free_count < type->most)
            cases &= ~bits_word(&type->more[type->free_count], word);
        cases &= ~bits_word(&type->spent, word);
    }
    return cases;
}

/* Take the case and its players, by role, out of the lines. */
static void take_case(struct matching *matching, struct testcase *testcase,
                      struct client **players)
{
    for (size_t i = 0; i < testcase->signature->role_count; i++)
        leave_lines(matching, players[i]);
    matching_remove_case(matching, testcase);
}

/* Start it, if its roles can be filled: gives its players, or NULL. */
static struct client **try_case(struct matching *matching, struct testcase *testcase)
{
    struct signature *signature = testcase->signature;
    struct client **players = xcalloc(signature->role_count, sizeof(struct client *));
    size_t filled = try_to_fill(matching, signature, players);

    if (filled == signature->role_count) {
        take_case(matching, testcase, players);
        return players;
    }
    bits_add(&signature->types[filled]->spent, testcase->order);
    weigh_type(matching, signature->types[filled]);
    free(players);
    return NULL;
}

struct testcase *matching_next(struct matching *matching, bool deployment_free,
                               struct client ***players)
{
    size_t end = matching->first.first + matching->first.count;

    matching->deployment_free = deployment_free;
    for (; matching->from < end; matching->from++) {
        uint64_t cases = promising(matching, matching->from);
        for (; cases != 0; cases &= cases - 1) {
            size_t order =
                matching->from * BITS_PER_WORD + (size_t)__builtin_ctzll(cases);
            *players = try_case(matching, matching->cases[order]);
            if (*players != NULL)
                return matching->cases[order];
        }
    }
    return NULL;
}

void matching_deployment_freed(struct matching *matching)
{
    matching->deployment_free = true;
    matching->from = 0;
}

size_t matching_trials(const struct matching *matching)
{
    return matching->trial;
}

char *matching_reason(const struct matching *matching, const struct testcase *testcase)
{
    const struct signature *signature = testcase->signature;
    struct client **players = xcalloc(signature->role_count, sizeof(struct client *));
    /* a trial leaves only marks on clients, so asking changes nothing */
    size_t filled = try_to_fill((struct matching *)matching, signature, players);

    free(players);
    if (filled == signature->role_count)
        return xstrdup(signature->deploys && !matching->deployment_free
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
