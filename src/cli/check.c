/* SPDX-License-Identifier: Apache-2.0 */
/* trafficlight check: what the server would say of these definitions. */
#include "command.h"
#include "compile.h"
#include "hash.h"
#include "reading.h"
#include "xalloc.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

/* A test's name, so that the same one is noticed when it comes again. */
struct taken_name {
    char *name;        /* "chat.VerifyClient"; owned */
    char *file;        /* where it was first; owned */
    UT_hash_handle hh; /* by name */
};

/* After so many broken cases of one test that tell nothing new, the others are left
 * out. */
#define STALE_MAX 5

struct check {
    struct reading reading;   /* files, mistakes */
    struct taken_name *taken; /* by name; owned */
    size_t cases;             /* that could run */
};

static const char help_text[] =
    "Usage: trafficlight check [--config FILE] FILE...\n"
    "       trafficlight check --config FILE\n"
    "\n"
    "Reads definitions of tests as the server does, compiles all their cases and prints\n"
    "every mistake and warning. FILE is a definition, a folder or a glob; without one,\n"
    "the configuration says what is read. Ends with 0 if there is no error, else 1.\n"
    "\n"
    "  -c, --config FILE  check types of servers and clients against this configuration\n"
    "      --help         show this\n";

/* Gives false if the test's name is another's already. */
static bool check_name(struct check *check, const struct definition *definition)
{
    struct where at_name = {NULL, "name", 0};
    struct taken_name *taken = NULL;
    char *name = definition->folder[0] != '\0'
                     ? xasprintf("%s.%s", definition->folder, definition->name)
                     : xstrdup(definition->name);

    HASH_FIND_STR(check->taken, name, taken);
    if (taken != NULL) {
        mistake_error(check->reading.mistakes, &at_name,
                      "%s is the name of a test already, in %s", name, taken->file);
        free(name);
        return false;
    }
    taken = xcalloc(1, sizeof *taken);
    taken->name = name;
    taken->file = xstrdup(definition->file);
    HASH_ADD_KEYPTR(hh, check->taken, taken->name, strlen(taken->name), taken);
    return true;
}

static void check_definition(struct definition *definition, void *argument)
{
    struct check *check = argument;
    struct mistakes *mistakes = check->reading.mistakes;
    bool can_run = check_name(check, definition);
    size_t stale = 0; /* broken cases in a row that told nothing new */

    for (size_t i = 0; i < definition_cases(definition) && stale < STALE_MAX; i++) {
        size_t before = mistakes_count(mistakes);
        struct machine *machine =
            compile_case(definition, i, check->reading.known, mistakes);
        check->cases += can_run && machine != NULL;
        stale = machine == NULL && mistakes_count(mistakes) == before ? stale + 1 : 0;
        machine_release(machine);
    }
    definition_free(definition);
}

static void free_names(struct check *check)
{
    struct taken_name *taken, *next;

    HASH_ITER (hh, check->taken, taken, next) {
        HASH_DEL(check->taken, taken);
        free(taken->name);
        free(taken->file);
        free(taken);
    }
}

static int check_paths(struct check *check, char *const *paths, size_t count)
{
    const struct mistakes *mistakes = check->reading.mistakes;
    size_t tests = reading_load(&check->reading, paths, count, check_definition, check);
    size_t errors = mistakes_errors(mistakes);

    reading_print(&check->reading, stdout, true);
    printf("%zu tests, %zu cases, %zu errors, %zu warnings\n", tests, check->cases,
           errors, mistakes_count(mistakes) - errors);
    free_names(check);
    return errors == 0 ? COMMAND_OK : COMMAND_FAILED;
}

static int check_all(const char *command, const char *config, char **paths, size_t count)
{
    struct check check = {0};
    char *cause = NULL;
    int status = COMMAND_MISUSE;

    if (reading_init(&check.reading, config, &cause) < 0)
        command_complain(command, "the configuration is wrong:\n%s", cause);
    else if (count > 0)
        status = check_paths(&check, paths, count);
    else
        status = check_paths(&check, check.reading.config.paths.items,
                             check.reading.config.paths.count);
    reading_clear(&check.reading);
    free(cause);
    return status;
}

int command_check(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const char *config = NULL;
    int option;

    while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            config = optarg;
            break;
        case 'h':
            fputs(help_text, stdout);
            return COMMAND_OK;
        default:
            return command_misuse(argv[0], NULL);
        }
    }
    if (optind == argc && config == NULL)
        return command_misuse(argv[0], "which definitions?");
    return check_all(argv[0], config, argv + optind, (size_t)(argc - optind));
}
