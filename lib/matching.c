/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is free, and which case can start. Supplies say which of the waiting cases have
 * enough of each client type; the first of those is tried.
 *
 * Where clients are of several types the counts can promise too much: the roles before
 * may take whom a later role needs. Then the trial fails, and the case is out of the
 * question until one more client of the type comes that was missing. Until then it can't
 * succeed: whoever comes stands at the end of the lines, and when somebody goes, those
 * who stay are taken as early as before.
 */
#include "matching.h"

#include "bits.h"
#include "json.h"
#include "supply.h"
#include "xalloc.h"

#include <assert.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TAILQ_HEAD(membership_list, membership);

/* A client type as it is used by cases. */
struct client_type {
    char *name;                          /* as definitions name it; owned */
    const struct client_type_rule *rule; /* from the configuration, or NULL; borrowed */
    struct literal *literal;             /* the registration's `type`; borrowed */
    struct membership_list free;         /* free clients, longest waiting first */
    struct supply supply;                /* of those */
    size_t busy_count;                   /* clients of this type that play */
    struct client_type *same_literal;    /* next type with the same literal */
    UT_hash_handle hh;                   /* by name */
};

/* Client types that share the registration type. A client that is of several of them
 * fills one role only: so all of them together are counted, too. */
struct literal {
    const char *name; /* the registration's `type`; borrowed from the first type */
    struct client_type *first; /* linked by same_literal */
    struct supply supply;      /* of free clients that are of any of the types */
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
    struct supply_list scarce;       /* what a case may lack */
    struct client **players;         /* of the latest trial, by role; owned array */
    size_t player_capacity;          /* length of players: roles of the largest case */
    size_t from;          /* no case can start whose bit is in a word before this one */
    bool deployment_free; /* as matching_next() heard last */
    size_t trial;         /* number of the latest trial, for marks on clients */
};

/* --- client types --- */

static struct literal *get_literal(struct matching *matching, const char *name)
{
    struct literal *literal = NULL;

    HASH_FIND_STR(matching->literals, name, literal);
    if (literal != NULL)
        return literal;
    literal = xcalloc(1, sizeof *literal);
    literal->name = name;
    HASH_ADD_KEYPTR(hh, matching->literals, literal->name, strlen(literal->name),
                    literal);
    return literal;
}

static struct client_type *get_type(struct matching *matching, const char *name)
{
    struct client_type *type = NULL;

    HASH_FIND_STR(matching->types, name, type);
    if (type != NULL)
        return type;
    type = xcalloc(1, sizeof *type);
    type->name = xstrdup(name);
    for (size_t i = 0; i < matching->settings->client_type_count; i++) {
        const struct client_type_rule *rule = &matching->settings->client_types[i];
        if (strcmp(rule->name, name) == 0)
            type->rule = rule;
    }
    TAILQ_INIT(&type->free);
    HASH_ADD_KEYPTR(hh, matching->types, type->name, strlen(type->name), type);
    type->literal =
        get_literal(matching, type->rule != NULL ? type->rule->type : type->name);
    type->same_literal = type->literal->first;
    type->literal->first = type;
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
        supply_clear(&literal->supply);
        free(literal);
    }
    HASH_ITER (hh, matching->types, type, next_type) {
        HASH_DEL(matching->types, type);
        supply_clear(&type->supply);
        free(type->name);
        free(type);
    }
    bits_clear(&matching->first);
    bits_clear(&matching->deploys);
    free(matching->players);
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

/* The case needs one more of it than it was known to. */
static void note_need(struct matching *matching, struct supply *supply, size_t order)
{
    supply_need(supply, &matching->scarce, supply->noted++, order);
}

/* Count what the roles of the case need: of their types, and of their literals. */
static void note_needs(struct matching *matching, const struct signature *signature,
                       size_t order)
{
    for (size_t i = 0; i < signature->role_count; i++) {
        note_need(matching, &signature->types[i]->supply, order);
        note_need(matching, &signature->types[i]->literal->supply, order);
    }
    for (size_t i = 0; i < signature->role_count; i++) {
        signature->types[i]->supply.noted = 0;
        signature->types[i]->literal->supply.noted = 0;
    }
    if (signature->deploys)
        bits_add(&matching->deploys, order);
}

/* Have room for the case, and for its players. */
static void make_room(struct matching *matching, size_t order, size_t role_count)
{
    if (order >= matching->case_capacity) {
        matching->case_capacity = 2 * order + 1;
        matching->cases = xreallocarray(matching->cases, matching->case_capacity,
                                        sizeof(struct testcase *));
    }
    if (role_count > matching->player_capacity) {
        matching->player_capacity = role_count;
        matching->players =
            xreallocarray(matching->players, role_count, sizeof(struct client *));
    }
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
    make_room(matching, testcase->order, role_count);
    matching->cases[testcase->order] = testcase;
    note_needs(matching, signature, testcase->order);
    heap_put(&signature->waiting, &testcase->waiting, (int64_t)testcase->order);
    choose_first(matching, signature);
}

void matching_remove_case(struct matching *matching, struct testcase *testcase)
{
    heap_remove(&testcase->signature->waiting, &testcase->waiting);
    choose_first(matching, testcase->signature);
}

/* --- clients --- */

static void grow(struct matching *matching, struct supply *supply)
{
    if (supply_grow(supply, &matching->scarce))
        matching->from = 0;
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
    if (count > 0)
        grow(matching, &literal->supply);
    client->memberships = xcalloc(count, sizeof *client->memberships);
    for (struct client_type *type = literal ? literal->first : NULL; type != NULL;
         type = type->same_literal) {
        if (!matches(type, client->registration))
            continue;
        struct membership *membership = &client->memberships[client->membership_count++];
        *membership = (struct membership){.client = client, .type = type};
        TAILQ_INSERT_TAIL(&type->free, membership, link);
        grow(matching, &type->supply);
    }
}

/* Out of the lines; the memberships stay, to be counted as busy. */
static void leave_lines(struct matching *matching, struct client *client)
{
    if (client->membership_count > 0)
        supply_shrink(&client->memberships[0].type->literal->supply, &matching->scarce);
    for (size_t i = 0; i < client->membership_count; i++) {
        struct client_type *type = client->memberships[i].type;
        TAILQ_REMOVE(&type->free, &client->memberships[i], link);
        supply_shrink(&type->supply, &matching->scarce);
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

/* Those cases of this word that have what they need, by count. */
static uint64_t promising(const struct matching *matching, size_t word)
{
    uint64_t cases = bits_word(&matching->first, word);

    if (!matching->deployment_free)
        cases &= ~bits_word(&matching->deploys, word);
    return supply_suffices(&matching->scarce, word, cases);
}

/* Whether its roles can be filled; if not, whom it lacks is remembered. */
static bool try_case(struct matching *matching, const struct testcase *testcase)
{
    const struct signature *signature = testcase->signature;
    size_t filled = try_to_fill(matching, signature, matching->players);

    if (filled == signature->role_count)
        return true;
    supply_spend(&signature->types[filled]->supply, &matching->scarce, testcase->order);
    return false;
}

/* Take the case and its players out of the lines; gives those, an array. */
static struct client **take_case(struct matching *matching, struct testcase *testcase)
{
    size_t count = testcase->signature->role_count;
    struct client **players = xcalloc(count, sizeof(struct client *));

    for (size_t i = 0; i < count; i++) {
        players[i] = matching->players[i];
        leave_lines(matching, players[i]);
    }
    matching_remove_case(matching, testcase);
    return players;
}

struct testcase *matching_next(struct matching *matching, bool deployment_free,
                               struct client ***players)
{
    size_t end = matching->first.first + matching->first.count;

    matching->deployment_free = deployment_free;
    for (; matching->from < end; matching->from++) {
        struct testcase **cases = &matching->cases[matching->from * BITS_PER_WORD];
        uint64_t left = promising(matching, matching->from);
        for (; left != 0; left &= left - 1) {
            struct testcase *testcase = cases[__builtin_ctzll(left)];
            if (try_case(matching, testcase)) {
                *players = take_case(matching, testcase);
                return testcase;
            }
        }
    }
    return NULL;
}

void matching_deployment_freed(struct matching *matching)
{
    matching->from = 0;
}

size_t matching_trials(const struct matching *matching)
{
    return matching->trial;
}

/* The first role for which there is no client at all; role_count if there is none. */
static size_t find_lack(const struct signature *signature)
{
    size_t role = 0;

    while (role < signature->role_count &&
           signature->types[role]->supply.free + signature->types[role]->busy_count > 0)
        role++;
    return role;
}

char *matching_reason(const struct matching *matching, const struct testcase *testcase,
                      bool *lacks_clients)
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
    size_t lack = find_lack(signature);
    if (lacks_clients != NULL)
        *lacks_clients = lack < signature->role_count;
    if (lack < signature->role_count)
        filled = lack; /* those that are busy come back */
    const struct client_type *type = signature->types[filled];
    size_t taken = 0;
    for (size_t i = 0; i < filled; i++)
        taken += signature->types[i] == type;
    size_t left = taken < type->supply.free ? type->supply.free - taken : 0;
    return xasprintf("%s needs %s: %zu free of %zu", testcase->machine->roles[filled],
                     type->name, left, type->supply.free + type->busy_count);
}

size_t matching_free_of(const struct matching *matching, const char *type)
{
    struct client_type *found = NULL;

    HASH_FIND_STR(matching->types, type, found);
    return found != NULL ? found->supply.free : 0;
}
