/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration that is read as a whole, and again while the server runs with it. */
#include "config.h"

#include "config_kind.h"
#include "config_table.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef DEFAULT_CONFIG
#define DEFAULT_CONFIG "/etc/trafficlight/trafficlight.ini"
#endif

/* --- reading --- */

const char *config_origin_file(const struct config_origin *origin)
{
    if (origin->file != NULL)
        return origin->file;
    return access(DEFAULT_CONFIG, R_OK) == 0 ? DEFAULT_CONFIG : NULL;
}

/* What the engine is told that follows from other values; it borrows them. */
static void settle(struct config *config)
{
    config->settings.wait_scale = strtod(config->wait_scale, NULL);
    config->settings.homerunners = config->homerunner_urls.count;
    config->settings.deployments =
        config->homerunner_limit * config->homerunner_urls.count;
}

int config_read(struct config *config, const struct config_origin *origin,
                char **mistakes)
{
    config_init(config);
    int result = config_load(config, config_origin_file(origin), mistakes);

    for (size_t i = 0; result == 0 && i < origin->override_count; i++) {
        const struct config_override *override = &origin->overrides[i];
        result = config_set(config, override->section, override->key, override->value,
                            mistakes);
    }
    if (result == 0)
        result = config_check(config, mistakes);
    if (result == 0)
        settle(config);
    return result;
}

/* --- taking over --- */

/* Bytes of a row's member. */
static size_t member_size(const struct config_row *row)
{
    switch (row->type) {
    case CONFIG_TEXT:
        return sizeof(char *);
    case CONFIG_LIST:
        return sizeof(struct config_list);
    case CONFIG_COUNT:
    case CONFIG_SIZE:
        return sizeof(size_t);
    case CONFIG_DURATION:
        return sizeof(int64_t);
    case CONFIG_CHOICE:
        break;
    }
    return sizeof(unsigned);
}

static bool list_equals(const struct config_list *one, const struct config_list *other)
{
    if (one->count != other->count)
        return false;
    for (size_t i = 0; i < one->count; i++) {
        if (strcmp(one->items[i], other->items[i]) != 0)
            return false;
    }
    return true;
}

static bool member_equals(const struct config_row *row, const void *one,
                          const void *other)
{
    if (row->type == CONFIG_LIST)
        return list_equals(one, other);
    if (row->type == CONFIG_TEXT)
        return strcmp(*(char *const *)one, *(char *const *)other) == 0;
    return memcmp(one, other, member_size(row)) == 0;
}

static void exchange(void *one, void *other, size_t size)
{
    char kept[sizeof(struct config_list)];

    memcpy(kept, one, size);
    memcpy(one, other, size);
    memcpy(other, kept, size);
}

/* Exchange the kinds of clients and servers; what the engine's other settings are,
 * rows say. */
static void exchange_kinds(struct settings *one, struct settings *other)
{
    exchange(&one->client_types, &other->client_types, sizeof one->client_types);
    exchange(&one->client_type_count, &other->client_type_count,
             sizeof one->client_type_count);
    exchange(&one->server_types, &other->server_types, sizeof one->server_types);
    exchange(&one->server_type_count, &other->server_type_count,
             sizeof one->server_type_count);
}

/* What a row or a kind of section has to tell goes to these. */
struct adoption {
    FILE *changed; /* keys, with commas */
    FILE *restart; /* sentences, with newlines */
};

static void tell_changed(struct adoption *adoption, const char *section, const char *key)
{
    fprintf(adoption->changed, "%s[%s]%s%s", ftell(adoption->changed) > 0 ? ", " : "",
            section, *key != '\0' ? " " : "", key);
}

static void adopt_row(struct config *running, struct config *fresh,
                      const struct config_row *row, struct adoption *adoption)
{
    void *old = (char *)running + row->offset;
    void *new = (char *)fresh + row->offset;

    if (member_equals(row, old, new))
        return;
    if (row->reloadable) {
        exchange(old, new, member_size(row));
        tell_changed(adoption, row->section, row->key);
        return;
    }
    fprintf(adoption->restart,
            "%s[%s] %s: has changed, which takes a restart: until then the old value "
            "holds",
            ftell(adoption->restart) > 0 ? "\n" : "", row->section, row->key);
}

static void adopt_kinds(struct config *running, struct config *fresh,
                        struct adoption *adoption)
{
    if (!config_client_types_equal(&running->settings, &fresh->settings))
        tell_changed(adoption, "client-type NAME", "");
    if (!config_server_types_equal(&running->settings, &fresh->settings))
        tell_changed(adoption, "server-type NAME", "");
    exchange_kinds(&running->settings, &fresh->settings);
}

/* The text of a stream that was closed, NULL if it is empty. Takes text. */
static char *text_or_null(char *text)
{
    xcheck(text);
    if (*text != '\0')
        return text;
    free(text);
    return NULL;
}

void config_adopt(struct config *running, struct config *fresh, char **changed,
                  char **restart)
{
    const struct config_row *row;
    size_t changed_size, restart_size;
    struct adoption adoption = {
        .changed = xcheck(open_memstream(changed, &changed_size)),
        .restart = xcheck(open_memstream(restart, &restart_size)),
    };

    for (size_t i = 0; (row = config_table_row(i)) != NULL; i++) {
        if (!row->named)
            adopt_row(running, fresh, row, &adoption);
    }
    adopt_kinds(running, fresh, &adoption);
    settle(running);
    settle(fresh);
    fclose(adoption.changed);
    fclose(adoption.restart);
    *changed = text_or_null(*changed);
    *restart = text_or_null(*restart);
}
