/* SPDX-License-Identifier: Apache-2.0 */
/* The form of one line of the configuration. */
#include "config_line.h"

#include "xalloc.h"

#include <stdbool.h>
#include <string.h>

#define BLANKS " \t"

static bool is_control(char c)
{
    return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

int config_line_check(const char *line, size_t length, char **cause)
{
    size_t bad = 0;

    if (length > CONFIG_LINE_MOST) {
        cause_set(cause,
                  "the line has %zu bytes, at most %d can be: give a list's key several "
                  "times",
                  length, CONFIG_LINE_MOST);
        return -1;
    }
    while (bad < length && !is_control(line[bad]))
        bad++;
    if (bad == length)
        return 0;
    cause_set(cause, "byte %zu of the line is 0x%02x, which is no text: remove it",
              bad + 1, (unsigned)(unsigned char)line[bad]);
    return -1;
}

char *config_line_title(const char *line, char **cause)
{
    const char *start = line + 1 + strspn(line + 1, BLANKS);
    const char *close = strchr(line, ']');

    if (close == NULL) {
        cause_set(cause, "a section's line needs a ] after the section: write [server]");
        return NULL;
    }
    const char *after = close + 1 + strspn(close + 1, BLANKS);
    if (*after != '\0' && *after != ';' && *after != '#') {
        cause_set(cause, "\"%.60s\" follows the section: put it on a line of its own",
                  after);
        return NULL;
    }
    if (close - line - 1 > CONFIG_SECTION_MOST) {
        cause_set(cause,
                  "the section's name is too long: at most %d bytes can be between [ "
                  "and ]",
                  CONFIG_SECTION_MOST);
        return NULL;
    }
    while (close > start && strchr(BLANKS, close[-1]) != NULL)
        close--;
    return xstrndup(start, (size_t)(close - start));
}

int config_line_setting(const char *line, char **cause)
{
    size_t length = strcspn(line, "=:");
    size_t word = strcspn(line, BLANKS "=:");

    if (line[length] == '\0')
        cause_set(cause, "is not \"key = value\": there is no =");
    else if (length == 0)
        cause_set(cause, "there is no key before the %c: write \"key = value\"",
                  line[length]);
    else if (line[length] == ':')
        cause_set(cause, "write \"key = value\": a : can't stand for =, nor be in a key");
    else if (word + strspn(line + word, BLANKS) != length)
        cause_set(cause, "write \"key = value\": a key is one word");
    else
        return 0;
    return -1;
}
