/* SPDX-License-Identifier: Apache-2.0 */
/* A case of a definition, from its beginning to its machine. */
#include "compile.h"

#include "compile_internal.h"
#include "json.h"
#include "soundness.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

const char *compile_registration_type(const struct settings *settings,
                                      const char *client_type)
{
    for (size_t i = 0; settings != NULL && i < settings->client_type_count; i++) {
        if (strcmp(settings->client_types[i].name, client_type) == 0)
            return settings->client_types[i].type;
    }
    return client_type;
}

void compile_refuse_unknown(struct compiler *compiler, struct json_object *object,
                            const struct where *where, const char *what,
                            const char *const *known)
{
    json_object_object_foreach (object, name, value) {
        struct where here = {where, name, 0};
        size_t i = 0;
        (void)value;
        while (known[i] != NULL && strcmp(known[i], name) != 0)
            i++;
        if (known[i] == NULL)
            mistake_error(compiler->mistakes, &here, "%s has no member of this name",
                          what);
    }
}

struct machine *compile_case(const struct definition *definition, size_t index,
                             const struct settings *settings, struct mistakes *mistakes)
{
    size_t before = mistakes_noted(mistakes);
    struct settings defaults;

    settings_init(&defaults);
    struct compiler compiler = {
        .definition = definition,
        .types = xcalloc(definition->role_count, sizeof *compiler.types),
        .timeout_ms = (settings ? settings : &defaults)->step_timeout_ms,
        .machine = machine_new(definition->name, definition->role_count),
        .mistakes = mistakes,
    };
    compiler.machine->wait_scale = (settings ? settings : &defaults)->wait_scale;
    definition_case_types(definition, index, compiler.types);
    for (size_t i = 0; i < definition->role_count; i++) {
        compiler.types[i] = compile_registration_type(settings, compiler.types[i]);
        compiler.machine->roles[i] = xstrdup(definition->roles[i].name);
    }
    if (json_object_object_get_ex(definition->root, "steps", NULL))
        compile_steps(&compiler);
    else
        compile_states(&compiler);
    machine_finish(compiler.machine);
    if (mistakes_noted(mistakes) == before)
        soundness_check(definition, compiler.machine, mistakes);
    free(compiler.types);
    if (mistakes_noted(mistakes) > before) {
        machine_release(compiler.machine);
        return NULL;
    }
    return compiler.machine;
}
