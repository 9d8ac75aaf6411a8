/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sections that have a name: [client-type NAME] and [server-type NAME]. Each one is
 * opened, given its keys, and closed; it lands in the engine's settings. Any thread that
 * owns the settings.
 */
#ifndef TL_CONFIG_KIND_H
#define TL_CONFIG_KIND_H

#include <stdbool.h>

struct settings;

struct config_kind {
    const char *section; /* first word of the section: "client-type" */
    /* Begin a section of that name, which must be new. 0, or -1 with *cause. */
    int (*open)(struct settings *settings, const char *name, char **cause);
    /* Set a key of the section opened last. 0, or -1 with *cause. */
    int (*set)(struct settings *settings, const char *key, const char *value,
               char **cause);
    /* Check that the section opened last is whole. 0, or -1 with *cause. */
    int (*close)(struct settings *settings, char **cause);
};

/* Whether both have the same client types, or server types, in the same order. */
bool config_client_types_equal(const struct settings *one, const struct settings *other);
bool config_server_types_equal(const struct settings *one, const struct settings *other);

/* The kind of section that begins with this word, or NULL. */
const struct config_kind *config_kind_find(const char *section);

#endif
