/* SPDX-License-Identifier: Apache-2.0 */
/* Definitions read as the server reads them. */
#include "reading.h"

#include "suites.h"

#include <stdio.h>
#include <string.h>

int reading_init(struct reading *reading, const char *file, char **cause)
{
    memset(reading, 0, sizeof *reading);
    config_init(&reading->config);
    if (file != NULL && config_load(&reading->config, file, cause) < 0)
        return -1;
    if (file != NULL)
        reading->known = &reading->config.settings;
    reading->dictionary = suites_dictionary();
    reading->mistakes = mistakes_new();
    return 0;
}

void reading_clear(struct reading *reading)
{
    mistakes_free(reading->mistakes);
    dictionary_free(reading->dictionary);
    config_clear(&reading->config);
}

size_t reading_load(struct reading *reading, char *const *paths, size_t count,
                    void (*each)(struct definition *definition, void *argument),
                    void *argument)
{
    struct suites_source source = {
        .paths = paths,
        .path_count = count,
        .file_limit = reading->config.limits.definition,
        .actions = reading->config.actions.items,
        .action_count = reading->config.actions.count,
    };

    return suites_load(&source, reading->dictionary, reading->known, reading->mistakes,
                       each, argument);
}

void reading_print(const struct reading *reading, FILE *out, bool with_warnings)
{
    for (size_t i = 0; i < mistakes_count(reading->mistakes); i++) {
        bool is_error;
        const char *text = mistakes_text(reading->mistakes, i, &is_error);
        if (is_error || with_warnings)
            fprintf(out, "%s%s\n", is_error ? "" : "warning: ", text);
    }
}
