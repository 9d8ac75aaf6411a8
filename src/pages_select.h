/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cases of a run that a page is asked to show, in the order that it is asked for; and
 * what there is to choose from. Any thread.
 */
#ifndef TL_PAGES_SELECT_H
#define TL_PAGES_SELECT_H

#include "pages_query.h"

/* A case that fits. */
struct selected {
    struct json_object *testcase; /* borrowed from the document */
    struct json_object *suite;    /* whose; the same */
    const char *test;             /* "chat.VerifyClient"; borrowed from the selection */
    size_t order;                 /* its place among all cases */
};

struct selection {
    struct selected *cases; /* owned */
    size_t count;           /* how many those are */
    char **tests;           /* names of tests; owned */
    size_t test_count;      /* how many those are */
};

/* What the fields "state", "sort" of such a query may be. */
extern const char *const select_states[];
extern const char *const select_sorts[];

/* Select from an array of suites (lib/status.h) by state, test, client and q, sorted by
 * sort: by test, which is the order in which they are, where it is "". */
void select_cases(struct selection *selection, struct json_object *suites,
                  const struct query *query);
void select_clear(struct selection *selection);

/* Whether all words of `wanted` are somewhere in one of the texts, which are ended by
 * NULL, whatever their case. */
bool select_finds(const char *wanted, const char *const *texts);

/* Whether this is the word that a form sent. */
bool select_names(const char *word, const char *sent);

/* --- names of cases: "red=element-web green=element-web #2" --- */

/* Add the client types to the keys of the object. */
void select_add_types(struct json_object *types, const char *name);

/* The client types in the order of the roles: "element-web ×2 + element-ios". Owned. */
char *select_pair(const char *name);

/* The full name of a test. Owned. */
char *select_test_name(struct json_object *suite);

#endif
