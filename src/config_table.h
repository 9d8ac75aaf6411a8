/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of all settings: what keys there are, what they may hold, where their values
 * go, what must hold between them. Reading the file, its defaults, its manual and its
 * tests go by these rows. Constant; any thread.
 */
#ifndef TL_CONFIG_TABLE_H
#define TL_CONFIG_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;

enum config_type {
    CONFIG_TEXT,     /* char *, owned */
    CONFIG_LIST,     /* struct config_list */
    CONFIG_COUNT,    /* size_t */
    CONFIG_SIZE,     /* size_t, in bytes; K, M and G are understood */
    CONFIG_DURATION, /* int64_t, in milliseconds */
    CONFIG_CHOICE,   /* an enum, counted along `choices` */
};

struct config_row {
    const char *section;   /* "server"; for a named section its first word */
    const char *key;       /* "listen"; "*" where any key is allowed */
    enum config_type type; /* how text becomes a value */
    bool named;            /* of [section NAME]: src/config_kind.h knows where it goes */
    bool reloadable;       /* may change while the server runs, see config_adopt() */
    size_t offset;         /* where in struct config; 0 for a named section */
    int64_t min;           /* least count, size or duration */
    int64_t max;           /* greatest one */
    const char *preset;    /* the default (of a list: its one item); NULL: none */
    const char *help;      /* one line for people */
    const char *const *choices; /* CONFIG_CHOICE: the words, then NULL */
    /* Texts and items of lists: gives the word as it is kept, owned by the caller, or
     * NULL with *cause. */
    char *(*normalise)(const char *word, char **cause);
};

/* Something that must hold between settings. */
struct config_rule {
    const char *section; /* where the sentence points */
    const char *key;     /* the same */
    const char *other;   /* another key of the section that may be at fault, or NULL */
    bool (*holds)(const struct config *config);
    const char *sentence; /* what is wrong where it doesn't, and what to do */
};

/* Row or rule `index`, NULL past the last one. */
const struct config_row *config_table_row(size_t index);
const struct config_rule *config_table_rule(size_t index);

/* The number of rows, and the index of one. */
size_t config_table_count(void);
size_t config_table_index(const struct config_row *row);

/* The row for a key, or NULL. In a section that allows any key its "*" row answers for
 * those that have none of their own. */
const struct config_row *config_table_find(const char *section, const char *key);

/* Some row of that section, or NULL where there is no such section. */
const struct config_row *config_table_section(const char *section);

/* What to tell a person who wrote a key or a section that doesn't exist: the one that was
 * probably meant, else all there are. Returns owned. */
char *config_table_key_advice(const char *section, const char *key);
char *config_table_section_advice(const char *section);

#endif
