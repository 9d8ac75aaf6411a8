/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration's file. inih takes lines apart, but it cuts what is too long for it
 * and passes over what it doesn't understand. So the file is read whole, each line is
 * looked at before inih sees it, and inih gets only lines that it takes as a person
 * would; the others are mistakes, with their number. One thread at a time: inih's
 * settings are global.
 */
#include "config.h"

#include "config_kind.h"
#include "config_line.h"
#include "config_table.h"
#include "config_value.h"
#include "utf8.h"
#include "xalloc.h"

#include <assert.h>
#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MOST     ((size_t)1 << 20) /* bytes of a file */
#define MISTAKES_MOST 50                /* told one by one; further ones are counted */
#define BLANKS        " \t"

/* One go through one file. */
struct loader {
    struct config *config;                 /* what is filled; borrowed */
    const char *file;                      /* as the user named it; borrowed */
    const char *next;                      /* what is not read yet, in the file's text */
    const char *end;                       /* of the file's text */
    size_t line;                           /* number of the line read last, from 1 */
    char section[CONFIG_SECTION_MOST + 1]; /* the section that is open; "" before any */
    const struct config_kind *kind;        /* of a section with a name, else NULL */
    size_t section_line;                   /* where the section began */
    bool spoiled;         /* a key that the section needs had a mistake */
    bool skipping;        /* lines of a section that was refused */
    size_t indent;        /* blanks before the section's last key */
    bool has_indent;      /* whether the section had a key yet */
    size_t passed;        /* keys that inih was given */
    size_t heard;         /* keys that inih gave back */
    size_t *seen;         /* for each row: its line, 0 where not seen; owned */
    FILE *mistakes;       /* the sentences so far; owned */
    size_t mistake_count; /* how many there were */
};

/* Write a mistake down: "file:line: [section] key: sentence". No line for 0, no section
 * where none is open, no key for NULL. */
__attribute__((format(printf, 4, 5))) static void mistake_at(struct loader *loader,
                                                             size_t line, const char *key,
                                                             const char *format, ...)
{
    va_list arguments;

    if (loader->mistake_count++ >= MISTAKES_MOST)
        return;
    fprintf(loader->mistakes, "%s%s:", loader->mistake_count > 1 ? "\n" : "",
            loader->file);
    if (line > 0)
        fprintf(loader->mistakes, "%zu:", line);
    if (*loader->section != '\0')
        fprintf(loader->mistakes, " [%s]", loader->section);
    if (key != NULL)
        fprintf(loader->mistakes, " %.60s", key);
    if (*loader->section != '\0' || key != NULL)
        fputc(':', loader->mistakes);
    fputc(' ', loader->mistakes);
    va_start(arguments, format);
    vfprintf(loader->mistakes, format, arguments);
    va_end(arguments);
}

/* --- sections --- */

static void section_close(struct loader *loader)
{
    char *cause = NULL;

    if (loader->kind != NULL && !loader->skipping && !loader->spoiled &&
        loader->kind->close(&loader->config->settings, &cause) != 0)
        mistake_at(loader, loader->section_line, NULL, "%s", cause);
    free(cause);
    loader->kind = NULL;
    *loader->section = '\0';
    loader->spoiled = false;
    loader->has_indent = false;
    loader->skipping = true; /* until the next section is open */
}

/* Set loader->section and kind from the text between the brackets. */
static int section_open(struct loader *loader, const char *title, char **cause)
{
    size_t length = strcspn(title, BLANKS);
    const char *name = title + length + strspn(title + length, BLANKS);
    char *word = xstrndup(title, length);
    const struct config_row *row = config_table_section(word);
    int result = -1;

    snprintf(loader->section, sizeof loader->section, "%s", title);
    if (row == NULL) {
        char *advice = config_table_section_advice(word);
        cause_set(cause, "there is no such section: %s", advice);
        free(advice);
    } else if (!row->named) {
        if (*name != '\0')
            cause_set(cause, "this section has no name: write [%s]", word);
        else
            result = 0;
    } else if (*name == '\0' || strpbrk(name, BLANKS "\"") != NULL) {
        cause_set(cause, "this section needs a name, of one word: write [%s NAME]", word);
    } else {
        loader->kind = config_kind_find(word);
        result = loader->kind->open(&loader->config->settings, name, cause);
    }
    free(word);
    return result;
}

/* Whether inih may see this section's line. */
static bool guard_section(struct loader *loader, const char *line)
{
    char *cause = NULL;
    char *title;

    section_close(loader);
    loader->section_line = loader->line;
    title = config_line_title(line, &cause);
    if (title != NULL && section_open(loader, title, &cause) == 0)
        loader->skipping = false;
    else
        mistake_at(loader, loader->line, NULL, "%s", cause);
    free(title);
    free(cause);
    return !loader->skipping;
}

/* --- keys --- */

static void set_named(struct loader *loader, const char *key, const char *value)
{
    const struct config_row *row = config_table_find(loader->kind->section, key);
    char *cause = NULL;

    if (row == NULL) {
        char *advice = config_table_key_advice(loader->kind->section, key);
        mistake_at(loader, loader->line, key, "there is no such key: %s", advice);
        free(advice);
        loader->spoiled = true;
        return;
    }
    if (loader->kind->set(&loader->config->settings, key, value, &cause) != 0) {
        mistake_at(loader, loader->line, key, "%s", cause);
        loader->spoiled = loader->spoiled || strcmp(row->key, "*") != 0;
    }
    free(cause);
}

static void set_plain(struct loader *loader, const char *key, const char *value)
{
    const struct config_row *row = config_table_find(loader->section, key);
    size_t *seen = row != NULL ? &loader->seen[config_table_index(row)] : NULL;
    char *cause = NULL;

    if (row != NULL && row->type != CONFIG_LIST && *seen > 0)
        mistake_at(loader, loader->line, key,
                   "is already set in line %zu: keep one of the two", *seen);
    else if (config_set(loader->config, loader->section, key, value, &cause) != 0)
        mistake_at(loader, loader->line, key, "%s", cause);
    if (seen != NULL && *seen == 0)
        *seen = loader->line;
    free(cause);
}

/* inih's handler. The section is known already: inih tells none that has no keys. */
static int setting_cb(void *user, const char *section, const char *key, const char *given)
{
    struct loader *loader = user;
    char *value = xstrdup(given);
    char *cause = NULL;

    (void)section;
    loader->heard++;
    if (utf8_valid_length(value, strlen(value)) < strlen(value))
        cause_set(&cause, "is not UTF-8 text: save the file in that encoding");
    if (cause != NULL || value_strip_comment(value, &cause) != 0) {
        mistake_at(loader, loader->line, key, "%s", cause);
        loader->spoiled = true;
    } else if (loader->kind != NULL) {
        set_named(loader, key, value);
    } else {
        set_plain(loader, key, value);
    }
    free(value);
    free(cause);
    return 1;
}

/* Whether this line continues the one before, as some formats have it, to the eye. */
static bool line_continues(struct loader *loader, size_t indent)
{
    bool continues = loader->has_indent && indent > loader->indent;

    if (!continues)
        loader->indent = indent;
    loader->has_indent = true;
    return continues;
}

/* Whether inih may see this line, which is neither blank, comment nor section. */
static bool guard_setting(struct loader *loader, const char *line, size_t indent)
{
    const char *text = line + indent;
    char *cause = NULL;
    char *start = xstrndup(text, strcspn(text, BLANKS "=:"));
    char *key = *start != '\0' ? start : NULL;
    bool passes = false;

    if (*loader->section == '\0') {
        mistake_at(
            loader, loader->line, key,
            "is before any section: write the section's line above it, as [server]");
        loader->skipping = true; /* once is enough */
    } else if (line_continues(loader, indent)) {
        mistake_at(loader, loader->line, key,
                   "is indented deeper than the line above, but doesn't continue it: "
                   "give a list's key again, or don't indent");
        loader->spoiled = true;
    } else if (config_line_setting(text, &cause) != 0) {
        mistake_at(loader, loader->line, key, "%s", cause);
        loader->spoiled = true;
    } else {
        loader->passed++;
        passes = true;
    }
    free(start);
    free(cause);
    return passes;
}

/* --- lines --- */

/* A line that can't even be looked at; what follows may belong to a section in it. */
static void line_refuse(struct loader *loader, const char *line, const char *cause)
{
    mistake_at(loader, loader->line, NULL, "%s", cause);
    if (line[strspn(line, BLANKS)] == '[') {
        section_close(loader);
        return;
    }
    loader->spoiled = true;
}

/* Whether inih may see this line. */
static bool guard_line(struct loader *loader, const char *line, size_t length)
{
    size_t indent = strspn(line, BLANKS);
    char *cause = NULL;

    if (config_line_check(line, length, &cause) != 0) {
        line_refuse(loader, line, cause);
        free(cause);
        return false;
    }
    if (line[indent] == '\0' || line[indent] == ';' || line[indent] == '#')
        return false;
    if (line[indent] == '[')
        return guard_section(loader, line + indent);
    return !loader->skipping && guard_setting(loader, line, indent);
}

/* Take the next line off the text, without its end. Owned; its length to *length. */
static char *line_take(struct loader *loader, size_t *length)
{
    size_t left = (size_t)(loader->end - loader->next);
    const char *newline = memchr(loader->next, '\n', left);
    const char *end = newline != NULL ? newline : loader->end;
    const char *start = loader->next;

    loader->next = newline != NULL ? newline + 1 : loader->end;
    loader->line++;
    if (newline != NULL && end > start && end[-1] == '\r')
        end--;
    *length = (size_t)(end - start);
    char *line = xmalloc(*length + 1);
    memcpy(line, start, *length);
    line[*length] = '\0';
    return line;
}

/* inih's reader, in the manner of fgets(). A line that inih must not see is blank. */
static char *next_line_cb(char *buffer, int size, void *stream)
{
    struct loader *loader = stream;
    size_t length;

    if (loader->next == loader->end)
        return NULL;
    char *line = line_take(loader, &length);
    bool passes = guard_line(loader, line, length);
    assert(!passes || length + 2 <= (size_t)size);
    snprintf(buffer, (size_t)size, "%s\n", passes ? line : "");
    free(line);
    return buffer;
}

/* --- the file --- */

static const char *reading_advice(int error)
{
    switch (error) {
    case ENOENT:
        return "check the path, or start without a configuration for the defaults";
    case EACCES:
    case EPERM:
        return "let the user that the server runs as read it";
    case EISDIR:
        return "name a file, not a folder";
    default:
        return "check the file and its disk";
    }
}

/* Read the file whole. Gives it owned, its size in *size; NULL with *cause. */
static char *file_read(const char *file, size_t *size, char **cause)
{
    char *text = xmalloc(FILE_MOST + 1);
    FILE *stream = fopen(file, "re");

    *size = 0;
    errno = stream == NULL ? errno : 0;
    if (stream != NULL)
        *size = fread(text, 1, FILE_MOST + 1, stream);
    if (stream == NULL || ferror(stream))
        cause_set(cause, "%s: cannot be read: %s; %s", file, strerror(errno),
                  reading_advice(errno));
    else if (*size > FILE_MOST)
        cause_set(cause, "%s: is larger than %zu bytes: this is no configuration", file,
                  FILE_MOST);
    else if (*size >= 2 &&
             (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0))
        cause_set(cause, "%s: is UTF-16: save it as UTF-8", file);
    if (stream != NULL)
        fclose(stream);
    if (*cause == NULL)
        return text;
    free(text);
    return NULL;
}

/* inih's settings are global: all that could cut or reinterpret a line is turned off. */
static void inih_prepare(void)
{
    ini_use_stack = false;
    ini_allow_realloc = false;
    ini_max_line = CONFIG_LINE_MOST + 2;
    ini_initial_alloc = ini_max_line;
    ini_allow_bom = false;
    ini_allow_multiline = false;
    ini_allow_inline_comments = false;
    ini_allow_no_value = false;
    ini_stop_on_first_error = false;
}

static void loader_parse(struct loader *loader)
{
    inih_prepare();
    int result = ini_parse_stream(next_line_cb, loader, setting_cb, loader);

    if (result == -2)
        xcheck(NULL);
    section_close(loader);
    if (result != 0 || loader->passed != loader->heard)
        mistake_at(loader, result > 0 ? (size_t)result : 0, NULL,
                   "the line could not be understood");
}

/* Check what must hold between settings, pointing to the line at fault where there is
 * one. */
static void loader_check(struct loader *loader)
{
    const struct config_rule *rule;

    for (size_t i = 0; (rule = config_table_rule(i)) != NULL; i++) {
        if (rule->holds(loader->config))
            continue;
        size_t line =
            loader->seen[config_table_index(config_table_find(rule->section, rule->key))];
        if (line == 0 && rule->other != NULL)
            line = loader->seen[config_table_index(
                config_table_find(rule->section, rule->other))];
        snprintf(loader->section, sizeof loader->section, "%s", rule->section);
        mistake_at(loader, line, rule->key, "%s", rule->sentence);
    }
}

/* Read the text of a file. Gives 0, or -1 with *mistakes. */
static int text_load(struct config *config, const char *file, const char *text,
                     size_t size, char **mistakes)
{
    char *sentences = NULL;
    size_t length = 0;
    struct loader loader = {.config = config, .file = file, .next = text};

    loader.end = text + size;
    loader.mistakes = xcheck(open_memstream(&sentences, &length));
    loader.seen = xcalloc(config_table_count(), sizeof *loader.seen);
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        loader.next += 3;
    loader_parse(&loader);
    loader_check(&loader);
    if (loader.mistake_count > MISTAKES_MOST)
        fprintf(loader.mistakes, "\n%s: and %zu mistakes more", file,
                loader.mistake_count - MISTAKES_MOST);
    fclose(loader.mistakes);
    xcheck(sentences);
    if (loader.mistake_count > 0)
        cause_set(mistakes, "%s", sentences);
    free(sentences);
    free(loader.seen);
    return loader.mistake_count > 0 ? -1 : 0;
}

int config_load(struct config *config, const char *file, char **mistakes)
{
    size_t size;
    char *text, *cause = NULL;
    int result;

    if (file == NULL)
        return config_check(config, mistakes);
    text = file_read(file, &size, &cause);
    if (text == NULL) {
        cause_set(mistakes, "%s", cause);
        free(cause);
        return -1;
    }
    result = text_load(config, file, text, size, mistakes);
    config_inherit(config);
    free(text);
    return result;
}
