/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who gets which role. What the indexes say is compared with a plain scan over all cases
 * and all clients, for fleets made by chance; and the heap below is compared with
 * sorting.
 */
#include "bits.h"
#include "fixture.h"
#include "hash.h"
#include "heap.h"
#include "json.h"
#include "matching.h"
#include "xalloc.h"

#include <check.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#define ROLES_MAX   8
#define CASES_MAX   300
#define CLIENTS_MAX 400
#define SHAPES_MAX  150

/* Client types; those with a glob are kinds of "web". */
static const struct {
    const char *name;
    const char *type;
    const char *member;
    const char *glob;
} kinds[] = {
    {"web", "web", NULL, NULL},          {"phone", "phone", NULL, NULL},
    {"proxy", "proxy", NULL, NULL},      {"web-new", "web", "version", "2*"},
    {"web-red", "web", "colour", "red"}, {"any-web", "web", "type", "*"},
    {"web-seven", "web", "number", "7"}, {"phone-new", "phone", "version", "2*"},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static const char *const bodies[] = {
    "{'type': 'web'}",
    "{'type': 'web', 'version': '2.1'}",
    "{'type': 'web', 'version': '1.9', 'colour': 'red'}",
    "{'type': 'web', 'version': '2.0', 'colour': 'red'}",
    "{'type': 'web', 'version': 2, 'number': 7}",
    "{'type': 'web', 'colour': 'dark red', 'number': '7'}",
    "{'type': 'phone'}",
    "{'type': 'phone', 'version': '2.5'}",
    "{'type': 'proxy'}",
    "{'type': 'fridge'}",
    "{'type': 'web-new'}",
};

enum { BODIES = sizeof bodies / sizeof *bodies };

/* A case as the plain scan sees it. */
struct plain_case {
    struct testcase testcase;          /* as matching sees it */
    struct turn turn;                  /* in which its players play */
    int types[ROLES_MAX];              /* kinds of its roles */
    size_t role_count;                 /* length of types */
    bool deploys;                      /* takes a deployment while it runs */
    bool runs;                         /* has its clients */
    bool over;                         /* has ended */
    struct client *players[ROLES_MAX]; /* whom the plain scan chose */
};

/* A client as the plain scan sees it. */
struct plain_client {
    struct client client; /* as matching sees it */
    bool free;            /* waits for a role */
};

static struct settings settings;
static struct matching *matching;
static struct machine *machine;
static struct plain_case cases[CASES_MAX];
static size_t case_count;
static struct plain_client clients[CLIENTS_MAX]; /* in the order of registration */
static size_t client_count;
static size_t deployments_free;

static void setup(void)
{
    settings_init(&settings);
    settings.client_types = xcalloc(KINDS, sizeof *settings.client_types);
    for (size_t i = 0; i < KINDS; i++) {
        if (kinds[i].member == NULL)
            continue;
        struct client_type_rule *rule =
            &settings.client_types[settings.client_type_count++];
        *rule = (struct client_type_rule){xstrdup(kinds[i].name), xstrdup(kinds[i].type),
                                          xcalloc(1, sizeof(struct client_glob)), 1};
        rule->globs[0] =
            (struct client_glob){xstrdup(kinds[i].member), xstrdup(kinds[i].glob)};
    }
    matching = matching_new(&settings);
    machine = machine_new("test", ROLES_MAX);
    for (size_t i = 0; i < ROLES_MAX; i++)
        machine->roles[i] = xasprintf("r%zu", i);
    case_count = client_count = 0;
    deployments_free = 2;
}

static void teardown(void)
{
    for (size_t i = 0; i < client_count; i++) {
        free(clients[i].client.memberships);
        free(clients[i].client.type);
        json_object_put(clients[i].client.registration);
    }
    matching_free(matching);
    machine_release(machine);
    settings_clear(&settings);
    memset(cases, 0, sizeof cases);
    memset(clients, 0, sizeof clients);
}

static void await_clients(struct plain_case *plain)
{
    const char *names[ROLES_MAX];

    for (size_t i = 0; i < plain->role_count; i++)
        names[i] = kinds[plain->types[i]].name;
    matching_add_case(matching, &plain->testcase, names, plain->role_count,
                      plain->deploys);
}

static void add_case(const int *types, size_t count, bool deploys)
{
    struct plain_case *plain = &cases[case_count];

    *plain = (struct plain_case){.role_count = count, .deploys = deploys};
    memcpy(plain->types, types, count * sizeof *types);
    plain->testcase.order = case_count++;
    plain->testcase.machine = machine;
    await_clients(plain);
}

static struct plain_client *add_client(const char *body)
{
    struct plain_client *plain = &clients[client_count++];

    *plain = (struct plain_client){.free = true};
    plain->client.registration = fixture_json(body);
    plain->client.type = xstrdup(json_member_text(plain->client.registration, "type"));
    matching_add_client(matching, &plain->client);
    return plain;
}

/* --- the plain scan --- */

static bool is_of_kind(const struct client *client, int kind)
{
    struct json_object *member = NULL;

    if (strcmp(client->type, kinds[kind].type) != 0)
        return false;
    if (kinds[kind].glob == NULL)
        return true;
    return json_object_object_get_ex(client->registration, kinds[kind].member, &member) &&
           fnmatch(kinds[kind].glob, json_object_get_string(member), 0) == 0;
}

/* The client that has waited longest, of those that were not chosen yet. */
static struct client *scan_client(const struct plain_case *plain, size_t role)
{
    for (size_t i = 0; i < client_count; i++) {
        bool chosen = false;
        for (size_t j = 0; j < role; j++)
            chosen = chosen || plain->players[j] == &clients[i].client;
        if (clients[i].free && !chosen &&
            is_of_kind(&clients[i].client, plain->types[role]))
            return &clients[i].client;
    }
    return NULL;
}

static size_t scan_roles(struct plain_case *plain)
{
    size_t role = 0;

    while (role < plain->role_count &&
           (plain->players[role] = scan_client(plain, role)) != NULL)
        role++;
    return role;
}

/* The first case that can start, or NULL. */
static struct plain_case *scan_cases(void)
{
    for (size_t i = 0; i < case_count; i++) {
        struct plain_case *plain = &cases[i];
        if (plain->runs || plain->over || (plain->deploys && deployments_free == 0))
            continue;
        if (scan_roles(plain) == plain->role_count)
            return plain;
    }
    return NULL;
}

/* How many clients of this kind are free, and how many play. */
static void count_kind(int kind, size_t *free_count, size_t *busy_count)
{
    *free_count = *busy_count = 0;
    for (size_t i = 0; i < client_count; i++) {
        *free_count += clients[i].free && is_of_kind(&clients[i].client, kind);
        *busy_count +=
            clients[i].client.turn != NULL && is_of_kind(&clients[i].client, kind);
    }
}

/* The first role for which there is nobody at all, or role_count. */
static size_t scan_lack(const struct plain_case *plain)
{
    for (size_t role = 0; role < plain->role_count; role++) {
        size_t free_count, busy_count;
        count_kind(plain->types[role], &free_count, &busy_count);
        if (free_count + busy_count == 0)
            return role;
    }
    return plain->role_count;
}

static char *scan_reason(struct plain_case *plain, bool *lacks_clients)
{
    size_t role = scan_roles(plain), lack = scan_lack(plain);
    size_t free_count, busy_count;

    *lacks_clients = lack < plain->role_count;
    if (role == plain->role_count)
        return xstrdup("waits for a free homerunner deployment");
    role = *lacks_clients ? lack : role;
    int kind = plain->types[role];
    count_kind(kind, &free_count, &busy_count);
    if (*lacks_clients)
        return xasprintf("r%zu needs %s: 0 free of 0", role, kinds[kind].name);
    size_t left = free_count;
    for (size_t i = 0; i < role; i++)
        left -= plain->types[i] == kind;
    return xasprintf("r%zu needs %s: %zu free of %zu", role, kinds[kind].name, left,
                     free_count + busy_count);
}

/* --- both together --- */

static void start(struct plain_case *plain)
{
    plain->runs = true;
    deployments_free -= plain->deploys;
    for (size_t i = 0; i < plain->role_count; i++) {
        struct plain_client *player = (struct plain_client *)plain->players[i];
        player->free = false;
        player->client.turn = &plain->turn;
        matching_count_busy(&player->client, 1);
    }
}

/* Start what can start, one by one; both must choose the same. */
static void settle(void)
{
    for (;;) {
        struct plain_case *expected = scan_cases();
        struct client **players = NULL;
        struct testcase *found = matching_next(matching, deployments_free > 0, &players);
        ck_assert_ptr_eq(found, expected != NULL ? &expected->testcase : NULL);
        if (found == NULL)
            return;
        for (size_t i = 0; i < expected->role_count; i++)
            ck_assert_ptr_eq(players[i], expected->players[i]);
        free(players);
        start(expected);
    }
}

/* A case that runs ends, or waits to be tried again. */
static void finish(struct plain_case *plain, bool again)
{
    plain->runs = false;
    plain->over = !again;
    for (size_t i = 0; i < plain->role_count; i++) {
        matching_count_busy(plain->players[i], -1);
        plain->players[i]->turn = NULL;
    }
    if (plain->deploys) {
        deployments_free++;
        matching_deployment_freed(matching);
    }
    if (again)
        await_clients(plain);
}

static void lose(struct plain_client *plain)
{
    plain->free = false;
    matching_remove_client(matching, &plain->client);
}

static void finish_any(uint64_t *seed)
{
    size_t from = fixture_random(seed, CASES_MAX);

    for (size_t i = 0; i < case_count; i++) {
        struct plain_case *plain = &cases[(from + i) % case_count];
        if (plain->runs) {
            finish(plain, fixture_random(seed, 3) == 0);
            return;
        }
    }
}

/* A case that waits is cancelled. */
static void cancel_any(uint64_t *seed)
{
    size_t from = fixture_random(seed, CASES_MAX);

    for (size_t i = 0; i < case_count; i++) {
        struct plain_case *plain = &cases[(from + i) % case_count];
        if (!plain->runs && !plain->over) {
            plain->over = true;
            matching_remove_case(matching, &plain->testcase);
            return;
        }
    }
}

static void lose_any(uint64_t *seed)
{
    size_t from = fixture_random(seed, CLIENTS_MAX);

    for (size_t i = 0; i < client_count; i++) {
        struct plain_client *plain = &clients[(from + i) % client_count];
        if (plain->free) {
            lose(plain);
            return;
        }
    }
}

static void check_reasons(void)
{
    for (size_t i = 0; i < case_count; i++) {
        if (cases[i].runs || cases[i].over)
            continue;
        bool lacks = false, should_lack;
        char *expected = scan_reason(&cases[i], &should_lack);
        char *reason = matching_reason(matching, &cases[i].testcase, &lacks);
        ck_assert_str_eq(reason, expected);
        ck_assert_int_eq(lacks, should_lack);
        free(expected);
        free(reason);
    }
}

/* How a fleet is made by chance. */
struct fleet {
    unsigned variety; /* of how many kinds clients are wanted */
    unsigned bodies;  /* how many registrations there are */
    unsigned shapes;  /* how many lists of roles: cases of one share a signature */
    unsigned roles;   /* a case has at most so many */
    unsigned cases;   /* there are at most so many */
};

static void add_cases(const struct fleet *fleet, uint64_t *seed)
{
    int shapes[SHAPES_MAX][ROLES_MAX];
    size_t sizes[SHAPES_MAX];
    size_t count = 5 + fixture_random(seed, fleet->cases - 5);

    for (size_t i = 0; i < fleet->shapes; i++) {
        sizes[i] = 1 + fixture_random(seed, fleet->roles);
        for (size_t j = 0; j < sizes[i]; j++)
            shapes[i][j] = (int)fixture_random(seed, fleet->variety);
    }
    for (size_t i = 0; i < count; i++) {
        unsigned shape = fixture_random(seed, fleet->shapes);
        add_case(shapes[shape], sizes[shape], shape % 3 == 0);
    }
}

static void run_fleet(const struct fleet *fleet, uint64_t seed)
{
    setup();
    add_cases(fleet, &seed);
    for (size_t step = 0; step < 150; step++) {
        unsigned dice = fixture_random(&seed, 20);
        if (dice < 11 && client_count < CLIENTS_MAX)
            add_client(bodies[fixture_random(&seed, fleet->bodies)]);
        else if (dice < 14)
            lose_any(&seed);
        else if (dice < 19)
            finish_any(&seed);
        else
            cancel_any(&seed);
        settle();
        if (step % 50 == 0)
            check_reasons();
    }
    teardown();
}

START_TEST(fleets_are_matched_as_by_a_plain_scan)
{
    static const struct fleet fleet = {KINDS, BODIES, 6, 4, 60};

    for (uint64_t i = 0; i < 130; i++)
        run_fleet(&fleet, (uint64_t)_i * 1000 + i);
}
END_TEST

/* Few kinds and nearly all clients of several of them: who takes whom matters most. */
START_TEST(fleets_that_overlap_are_matched_likewise)
{
    static const struct fleet fleet = {6, 6, 6, 4, 60};

    for (uint64_t i = 0; i < 130; i++)
        run_fleet(&fleet, (uint64_t)_i * 7000 + i);
}
END_TEST

/* Hardly two cases that need the same, and some that need many. */
START_TEST(fleets_of_many_shapes_are_matched_likewise)
{
    static const struct fleet wide = {KINDS, BODIES, SHAPES_MAX, ROLES_MAX, CASES_MAX};
    static const struct fleet overlapping = {6, 6, SHAPES_MAX, ROLES_MAX, CASES_MAX};

    for (uint64_t i = 0; i < 20; i++) {
        run_fleet(&wide, (uint64_t)_i * 3000 + i);
        run_fleet(&overlapping, (uint64_t)_i * 5000 + i);
    }
}
END_TEST

/* --- how much is looked at --- */

/* Roles of 4 of 5 kinds of clients, in all orders: every case is another one. */
static void add_different_cases(int constant)
{
    static const int several[] = {0, 3, 4, 5, 6};

    for (size_t i = 0; i < CASES_MAX; i++) {
        int types[] = {constant, several[i % 5], several[i / 5 % 5], several[i / 25 % 5],
                       several[i / 125 % 5]};
        add_case(types, 5, false);
    }
}

/* Start what can start; gives how many cases that were. */
static size_t start_all(void)
{
    struct client **players = NULL;
    size_t count = 0;

    while (matching_next(matching, true, &players) != NULL) {
        free(players);
        count++;
    }
    return count;
}

/* However many cases lack the same client, one that comes makes one of them start, and
 * the others are not looked at. */
START_TEST(one_that_all_lacked_starts_one)
{
    setup();
    add_different_cases(2);
    for (size_t i = 0; i < 100; i++)
        add_client("{'type': 'web', 'version': '2.0', 'colour': 'red', 'number': '7'}");
    ck_assert_uint_eq(start_all(), 0);
    ck_assert_uint_eq(matching_trials(matching), 0);
    for (size_t i = 1; i <= 20; i++) {
        add_client("{'type': 'proxy'}");
        ck_assert_uint_eq(start_all(), 1);
        ck_assert_uint_eq(matching_trials(matching), i);
        add_client("{'type': 'web'}"); /* there are enough of them: nobody is looked at */
        ck_assert_uint_eq(start_all(), 0);
        ck_assert_uint_eq(matching_trials(matching), i);
    }
    teardown();
}
END_TEST

/* Clients that are of all the types wanted are not counted as one of each. */
START_TEST(clients_of_all_types_count_once)
{
    setup();
    add_different_cases(0);
    for (size_t i = 1; i <= 50; i++) {
        add_client("{'type': 'web', 'version': '2.0', 'colour': 'red', 'number': '7'}");
        ck_assert_uint_eq(start_all(), i % 5 == 0);
        ck_assert_uint_eq(matching_trials(matching), i / 5);
    }
    teardown();
}
END_TEST

/* A case that can't be filled, though the counts promise it, is tried again only when one
 * more client comes of the type that was missing. */
START_TEST(hope_in_vain_costs_one_trial)
{
    static const int any_and_red[] = {0, 4};
    static const int phones[] = {1, 1, 1, 1};

    setup();
    add_case(any_and_red, 2, false);
    add_case(phones, 4, false);
    add_client("{'type': 'web', 'colour': 'red'}"); /* the first role takes it */
    add_client("{'type': 'web'}");
    ck_assert_uint_eq(start_all(), 0);
    ck_assert_uint_eq(matching_trials(matching), 1);
    for (size_t i = 0; i < 3; i++) {
        add_client("{'type': 'phone'}");
        add_client("{'type': 'web'}");
        ck_assert_uint_eq(start_all(), 0);
    }
    ck_assert_uint_eq(matching_trials(matching), 1);
    add_client("{'type': 'web', 'colour': 'red'}");
    ck_assert_uint_eq(start_all(), 1);
    ck_assert_uint_eq(matching_trials(matching), 2);
    teardown();
}
END_TEST

/* Deployments that are all in use keep cases from being looked at, too. */
START_TEST(a_deployment_that_is_free_starts_one)
{
    static const int web[] = {0};
    struct client **players = NULL;

    setup();
    for (size_t i = 0; i < CASES_MAX; i++) {
        add_case(web, 1, true);
        add_client("{'type': 'web'}");
    }
    for (size_t i = 0; i < CASES_MAX; i++) {
        ck_assert_ptr_null(matching_next(matching, false, &players));
        ck_assert_uint_eq(matching_trials(matching), i);
        matching_deployment_freed(matching);
        ck_assert_ptr_eq(matching_next(matching, true, &players), &cases[i].testcase);
        free(players);
    }
    teardown();
}
END_TEST

START_TEST(the_longest_waiting_plays)
{
    static const int two_webs[] = {0, 0};

    setup();
    struct plain_client *a = add_client("{'type': 'phone'}");
    add_case(two_webs, 2, false);
    struct plain_client *b = add_client("{'type': 'web'}");
    struct plain_client *c = add_client("{'type': 'web'}");
    struct plain_client *d = add_client("{'type': 'web'}");
    (void)a;
    lose(b); /* registers again, behind the others */
    matching_add_client(matching, &b->client);
    struct client **players = NULL;
    struct testcase *found = matching_next(matching, true, &players);
    ck_assert_ptr_eq(found, &cases[0].testcase);
    ck_assert_ptr_eq(players[0], &c->client);
    ck_assert_ptr_eq(players[1], &d->client);
    free(players);
    teardown();
}
END_TEST

/* A case that needs twelve clients of one type. */
START_TEST(many_roles_of_one_type_are_filled)
{
    struct testcase testcase = {.machine = NULL};
    struct client **players = NULL;
    const char *types[12];

    setup();
    for (size_t i = 0; i < 12; i++)
        types[i] = "web";
    matching_add_case(matching, &testcase, types, 12, false);
    for (int i = 0; i < 11; i++) {
        add_client("{'type': 'web'}");
        ck_assert_ptr_null(matching_next(matching, true, &players));
    }
    lose(&clients[3]);
    add_client("{'type': 'web'}");
    ck_assert_ptr_null(matching_next(matching, true, &players));
    add_client("{'type': 'web'}");
    ck_assert_ptr_eq(matching_next(matching, true, &players), &testcase);
    ck_assert_ptr_null(matching_next(matching, true, &players));
    free(players);
    teardown();
}
END_TEST

/* --- the heap --- */

#define ENTRIES 60

static struct heap_entry *scan_first(struct heap_entry *entries)
{
    struct heap_entry *first = NULL;

    for (size_t i = 0; i < ENTRIES; i++) {
        if (entries[i].position != 0 && (first == NULL || entries[i].key < first->key))
            first = &entries[i];
    }
    return first;
}

START_TEST(the_smallest_key_comes_first)
{
    struct heap heap = {0};
    struct heap_entry entries[ENTRIES] = {{0}};
    uint64_t seed = 1;

    ck_assert_ptr_null(heap_first(&heap));
    for (int i = 0; i < 20000; i++) {
        struct heap_entry *entry = &entries[fixture_random(&seed, ENTRIES)];
        if (fixture_random(&seed, 3) == 0)
            heap_remove(&heap, entry);
        else
            heap_put(&heap, entry, (int64_t)fixture_random(&seed, 100) - 50);
        struct heap_entry *first = heap_first(&heap);
        struct heap_entry *expected = scan_first(entries);
        ck_assert_int_eq(first != NULL, expected != NULL);
        ck_assert(first == NULL || first->key == expected->key);
    }
    heap_clear(&heap);
    ck_assert_ptr_null(heap_first(&heap));
}
END_TEST

/* --- bits --- */

#define NUMBERS 1000

static bool has_bit(const struct bits *bits, size_t number)
{
    return bits_word(bits, number / BITS_PER_WORD) >> number % BITS_PER_WORD & 1;
}

START_TEST(numbers_are_in_as_they_were_put_there)
{
    uint64_t seed = (uint64_t)_i;

    for (int round = 0; round < 100; round++) {
        struct bits bits = {0};
        bool expected[NUMBERS] = {false};
        for (int i = 0; i < 40; i++) {
            size_t number = fixture_random(&seed, NUMBERS);
            expected[number] = fixture_random(&seed, 4) > 0;
            if (expected[number])
                bits_add(&bits, number);
            else
                bits_remove(&bits, number);
        }
        for (size_t i = 0; i < NUMBERS; i++)
            ck_assert_int_eq(has_bit(&bits, i), expected[i]);
        ck_assert_uint_eq(bits_word(&bits, NUMBERS), 0);
        bits_clear(&bits);
        ck_assert_uint_eq(bits_word(&bits, 0), 0);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("matching");
    TCase *tcase = tcase_create("matching");

    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, fleets_are_matched_as_by_a_plain_scan, 0, 8);
    tcase_add_loop_test(tcase, fleets_that_overlap_are_matched_likewise, 0, 8);
    tcase_add_loop_test(tcase, fleets_of_many_shapes_are_matched_likewise, 0, 8);
    tcase_add_test(tcase, one_that_all_lacked_starts_one);
    tcase_add_test(tcase, clients_of_all_types_count_once);
    tcase_add_test(tcase, hope_in_vain_costs_one_trial);
    tcase_add_test(tcase, a_deployment_that_is_free_starts_one);
    tcase_add_test(tcase, the_longest_waiting_plays);
    tcase_add_test(tcase, many_roles_of_one_type_are_filled);
    tcase_add_test(tcase, the_smallest_key_comes_first);
    tcase_add_loop_test(tcase, numbers_are_in_as_they_were_put_there, 0, 4);
    suite_add_tcase(suite, tcase);
    return fixture_run(suite);
}
