/* SPDX-License-Identifier: Apache-2.0 */
/* What the server was told to be: the layers, by the rows of the table. */
#include "config.h"

#include "config_table.h"
#include "config_value.h"
#include "xalloc.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void *member_of(const struct config *config, const struct config_row *row)
{
    return (char *)config + row->offset;
}

static void list_clear(struct config_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct config_list){0};
}

/* Takes the item. */
static void list_add(struct config_list *list, char *item)
{
    list->items = xreallocarray(list->items, list->count + 1, sizeof *list->items);
    list->items[list->count++] = item;
}

/* Add what `from` holds, or replace what is there by it if that is inherited. Takes the
 * items of `from`. */
static void list_merge(struct config_list *list, struct config_list *from)
{
    if (list->inherited)
        list_clear(list);
    for (size_t i = 0; i < from->count; i++)
        list_add(list, from->items[i]);
    free(from->items);
    *from = (struct config_list){0};
}

static int set_list(const struct config_row *row, void *member, const char *value,
                    char **cause)
{
    struct config_list given = {0};
    const char *rest = value;
    char *word, *reason = NULL;

    while (reason == NULL && (word = value_word(&rest, &reason)) != NULL) {
        char *item = row->normalise(word, &reason);
        if (item != NULL)
            list_add(&given, item);
        free(word);
    }
    if (reason == NULL && given.count == 0)
        cause_set(&reason, "has no value: give it one or leave the line out");
    if (reason == NULL) {
        list_merge(member, &given);
        return 0;
    }
    cause_set(cause, "%s", reason);
    free(reason);
    list_clear(&given);
    return -1;
}

static int set_text(const struct config_row *row, void *member, const char *text,
                    char **cause)
{
    char *kept = row->normalise(text, cause);
    char **place = member;

    if (kept == NULL)
        return -1;
    free(*place);
    *place = kept;
    return 0;
}

static int set_number(const struct config_row *row, void *member, const char *text,
                      char **cause)
{
    int64_t number = 0;
    int result;

    if (row->type == CONFIG_DURATION)
        return value_duration(text, row->min, row->max, member, cause);
    if (row->type == CONFIG_SIZE)
        result = value_size(text, row->min, row->max, &number, cause);
    else
        result = value_count(text, row->min, row->max, &number, cause);
    if (result == 0)
        *(size_t *)member = (size_t)number;
    return result;
}

/* "a, b or c", owned. */
static char *choice_list(const char *const *choices)
{
    char *text = xstrdup(choices[0]);

    for (size_t i = 1; choices[i] != NULL; i++) {
        char *more =
            xasprintf("%s%s%s", text, choices[i + 1] != NULL ? ", " : " or ", choices[i]);
        free(text);
        text = more;
    }
    return text;
}

static int set_choice(const struct config_row *row, void *member, const char *text,
                      char **cause)
{
    for (unsigned i = 0; row->choices[i] != NULL; i++) {
        if (strcmp(row->choices[i], text) == 0) {
            static_assert(sizeof i == sizeof(enum log_level), "an enum is an unsigned");
            memcpy(member, &i, sizeof i);
            return 0;
        }
    }
    char *list = choice_list(row->choices);
    cause_set(cause, "\"%.60s\" is not allowed: write %s", text, list);
    free(list);
    return -1;
}

static int set_single(struct config *config, const struct config_row *row,
                      const char *value, char **cause)
{
    void *member = member_of(config, row);
    char *text = value_text(value, cause);
    int result = -1;

    if (text == NULL)
        return -1;
    switch (row->type) {
    case CONFIG_TEXT:
        result = set_text(row, member, text, cause);
        break;
    case CONFIG_COUNT:
    case CONFIG_SIZE:
    case CONFIG_DURATION:
        result = set_number(row, member, text, cause);
        break;
    case CONFIG_CHOICE:
        result = set_choice(row, member, text, cause);
        break;
    case CONFIG_LIST:
        assert(!"a list is no single value");
    }
    free(text);
    return result;
}

/* Say that there is no such key, or no such section, and what there is. */
static void tell_unknown(const char *section, const char *key, char **cause)
{
    bool known = config_table_section(section) != NULL;
    char *advice = known ? config_table_key_advice(section, key)
                         : config_table_section_advice(section);

    cause_set(cause, "there is no such %s: %s", known ? "key" : "section", advice);
    free(advice);
}

int config_set(struct config *config, const char *section, const char *key,
               const char *value, char **cause)
{
    const struct config_row *row = config_table_find(section, key);

    if (row == NULL) {
        tell_unknown(section, key, cause);
        return -1;
    }
    if (row->named) {
        cause_set(cause, "[%s NAME] can only be set in a file", section);
        return -1;
    }
    if (row->type == CONFIG_LIST)
        return set_list(row, member_of(config, row), value, cause);
    return set_single(config, row, value, cause);
}

void config_inherit(struct config *config)
{
    const struct config_row *row;

    for (size_t i = 0; (row = config_table_row(i)) != NULL; i++) {
        if (row->type == CONFIG_LIST && !row->named) {
            struct config_list *list = member_of(config, row);
            list->inherited = true;
        }
    }
}

/* The default of a list is one item, blanks and all: the folder of suites has the
 * installation's prefix in it. */
static void set_preset(struct config *config, const struct config_row *row)
{
    char *cause = NULL;

    if (row->type == CONFIG_LIST && row->preset == NULL)
        return; /* empty */
    if (row->type == CONFIG_LIST)
        list_add(member_of(config, row), row->normalise(row->preset, &cause));
    else
        set_single(config, row, row->preset, &cause);
    assert(cause == NULL);
}

/* systemd says in the environment where state is to be; the first folder is ours. */
static void set_state_folder(struct config *config)
{
    const char *given = getenv("STATE_DIRECTORY");
    size_t size = given != NULL ? strcspn(given, ":") : 0;

    if (size == 0)
        return;
    free(config->state_dir);
    config->state_dir = xstrndup(given, size);
}

void config_init(struct config *config)
{
    const struct config_row *row;

    *config = (struct config){0};
    settings_init(&config->settings);
    for (size_t i = 0; (row = config_table_row(i)) != NULL; i++) {
        if (!row->named)
            set_preset(config, row);
    }
    set_state_folder(config);
    config_inherit(config);
}

void config_clear(struct config *config)
{
    const struct config_row *row;

    for (size_t i = 0; (row = config_table_row(i)) != NULL; i++) {
        if (row->named)
            continue;
        if (row->type == CONFIG_LIST)
            list_clear(member_of(config, row));
        else if (row->type == CONFIG_TEXT)
            free(*(char **)member_of(config, row));
    }
    settings_clear(&config->settings);
    *config = (struct config){0};
}

int config_check(const struct config *config, char **mistakes)
{
    const struct config_rule *rule;
    char *text = NULL;
    size_t size = 0;
    FILE *stream = xcheck(open_memstream(&text, &size));

    for (size_t i = 0; (rule = config_table_rule(i)) != NULL; i++) {
        if (!rule->holds(config))
            fprintf(stream, "%s[%s] %s: %s", ftell(stream) > 0 ? "\n" : "", rule->section,
                    rule->key, rule->sentence);
    }
    fclose(stream);
    xcheck(text);
    if (size > 0)
        cause_set(mistakes, "%s", text);
    free(text);
    return size > 0 ? -1 : 0;
}

char *config_state_folder(const struct config *config)
{
    return xstrdup(config->state_dir);
}

void config_describe(FILE *out)
{
    const struct config_row *row;

    for (size_t i = 0; (row = config_table_row(i)) != NULL; i++)
        fprintf(out, "%s%s\t%s\t%s\t%s\t%s\n", row->section, row->named ? " NAME" : "",
                row->key, row->preset != NULL ? row->preset : "", row->help,
                row->reloadable ? "reload" : "restart");
}
