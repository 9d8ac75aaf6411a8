/* SPDX-License-Identifier: Apache-2.0 */
/* trafficlight graph: the machine of a definition as a picture. */
#include "graph.h"

#include "child.h"
#include "command.h"
#include "compile.h"
#include "output.h"
#include "reading.h"
#include "xalloc.h"

#include <autoconf.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PICTURE_LIMIT   ((size_t)64 << 20) /* bytes of a picture */
#define DRAWING_TIME_MS 60000              /* for one picture */

/* What was asked for. */
struct drawing {
    const char *command;           /* what messages begin with */
    const char *file;              /* the definition's */
    const char *config;            /* a configuration, or NULL */
    const char *wanted;            /* the case, by number or name, or NULL: the first */
    const char *out;               /* the file to make; NULL: stdout */
    const char *format;            /* of the file: a format of dot's; NULL: DOT text */
    struct definition *definition; /* the one that was read, or NULL; owned */
    size_t found;                  /* how many were read */
};

static const char help_text[] =
    "Usage: trafficlight graph FILE [-o OUT] [--case N|NAME] [--config FILE]\n"
    "\n"
    "Draws the state machine of a definition.\n"
    "\n"
    "  -o, --output OUT   the file to make: its ending says what, .svg, .png or .dot;\n"
    "                     - or no OUT: DOT text to stdout\n"
    "      --case N|NAME  of this case, by its number from 1 or by its name (\"red=web\n"
    "                     green=android\"); default: the first\n"
    "  -c, --config FILE  know types of servers and clients from this configuration\n"
    "      --help         show this\n";

static void keep_definition(struct definition *definition, void *argument)
{
    struct drawing *drawing = argument;

    if (drawing->found++ == 0)
        drawing->definition = definition;
    else
        definition_free(definition);
}

/* The index of the case that was asked for; the number of cases if there is none. */
static size_t find_case(const struct definition *definition, const char *wanted)
{
    size_t count = definition_cases(definition), number = 0;

    if (wanted == NULL)
        return 0;
    if (command_read_count(wanted, 1, count, &number, NULL) == 0)
        return number - 1;
    for (size_t i = 0; i < count; i++) {
        char *name = definition_case_name(definition, i);
        bool is_it = strcmp(name, wanted) == 0;
        free(name);
        if (is_it)
            return i;
    }
    return count;
}

/* Hand the machine's text to dot, or take it as it is. */
static int write_picture(const struct drawing *drawing, const char *text, char **cause)
{
    struct child_limits limits = {.output = PICTURE_LIMIT, .timeout_ms = DRAWING_TIME_MS};
    char option[16];
    char *picture = NULL;
    size_t size = 0;
    int result = -1;

    if (drawing->out == NULL) {
        fputs(text, stdout);
        return 0;
    }
    if (drawing->format == NULL)
        return output_write(drawing->out, text, strlen(text), cause);
    snprintf(option, sizeof option, "-T%s", drawing->format);
    if (child_run((const char *const[]){DOT_PROGRAM, option, NULL}, text, strlen(text),
                  &limits, &picture, &size, cause) == 0)
        result = output_write(drawing->out, picture, size, cause);
    free(picture);
    return result;
}

static int draw_case(const struct drawing *drawing, struct reading *reading)
{
    size_t index = find_case(drawing->definition, drawing->wanted);
    struct machine *machine = NULL;
    char *text = NULL, *cause = NULL;
    int status = COMMAND_FAILED;

    if (index == definition_cases(drawing->definition)) {
        command_complain(drawing->command, "%s has %zu cases, and no \"%s\"",
                         drawing->file, index, drawing->wanted);
        return COMMAND_MISUSE;
    }
    machine = compile_case(drawing->definition, index, reading->known, reading->mistakes);
    if (machine == NULL)
        goto out;
    text = graph_machine(machine);
    if (write_picture(drawing, text, &cause) < 0)
        command_complain(drawing->command, "%s", cause);
    else
        status = COMMAND_OK;
out:
    machine_release(machine);
    free(text);
    free(cause);
    return status;
}

static int draw(struct drawing *drawing)
{
    struct reading reading;
    char *cause = NULL;
    int status = COMMAND_MISUSE;

    if (reading_init(&reading, drawing->config, &cause) < 0) {
        command_complain(drawing->command, "the configuration is wrong:\n%s", cause);
        goto out;
    }
    reading_load(&reading, (char *[]){(char *)drawing->file}, 1, keep_definition,
                 drawing);
    status = COMMAND_FAILED;
    if (drawing->found > 1)
        status = command_misuse(drawing->command, "%s holds %zu definitions: name one",
                                drawing->file, drawing->found);
    else if (drawing->definition != NULL)
        status = draw_case(drawing, &reading);
    else if (mistakes_errors(reading.mistakes) == 0)
        command_complain(drawing->command, "%s is no definition of a test",
                         drawing->file);
    reading_print(&reading, stderr, false);
out:
    definition_free(drawing->definition);
    reading_clear(&reading);
    free(cause);
    return status;
}

/* Gives -1 if nothing can be made under this name. */
static int read_output(struct drawing *drawing, const char *out)
{
    static const char *const formats[] = {"svg", "png", "dot"};
    const char *dot = strrchr(out, '.');

    drawing->out = NULL;
    drawing->format = NULL;
    if (strcmp(out, "-") == 0)
        return 0;
    drawing->out = out;
    for (size_t i = 0; dot != NULL && i < sizeof formats / sizeof *formats; i++) {
        if (strcmp(dot + 1, formats[i]) == 0) {
            drawing->format = strcmp(formats[i], "dot") != 0 ? formats[i] : NULL;
            return 0;
        }
    }
    return -1;
}

int command_graph(int argc, char **argv)
{
    static const struct option options[] = {{"output", required_argument, NULL, 'o'},
                                            {"case", required_argument, NULL, 'C'},
                                            {"config", required_argument, NULL, 'c'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct drawing drawing = {.command = argv[0]};
    int option;

    while ((option = getopt_long(argc, argv, "o:c:h", options, NULL)) != -1) {
        switch (option) {
        case 'o':
            if (read_output(&drawing, optarg) < 0)
                return command_misuse(argv[0], "%s must end in .svg, .png or .dot",
                                      optarg);
            break;
        case 'C':
            drawing.wanted = optarg;
            break;
        case 'c':
            drawing.config = optarg;
            break;
        case 'h':
            fputs(help_text, stdout);
            return COMMAND_OK;
        default:
            return command_misuse(argv[0], NULL);
        }
    }
    if (argc - optind != 1)
        return command_misuse(argv[0], optind == argc ? "which definition?"
                                                      : "one definition at a time");
    drawing.file = argv[optind];
    return draw(&drawing);
}
