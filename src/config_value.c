/* SPDX-License-Identifier: Apache-2.0 */
/* Values as the configuration spells them. */
#include "config_value.h"

#include "clock.h"
#include "xalloc.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define BLANKS " \t"

/* The end of the word that starts at `word`, or NULL with *cause. */
static const char *word_end(const char *word, char **cause)
{
    if (*word != '"')
        return word + strcspn(word, BLANKS);
    const char *close = strchr(word + 1, '"');
    if (close == NULL) {
        cause_set(cause, "the quotation %.60s doesn't end: close it with \"", word);
        return NULL;
    }
    if (close[1] != '\0' && strchr(BLANKS, close[1]) == NULL) {
        cause_set(cause, "write a blank after the quotation %.*s, or quote the whole",
                  (int)(close - word > 60 ? 60 : close - word + 1), word);
        return NULL;
    }
    return close + 1;
}

/* The text from `start` to `end`, without its quotes if it has them. */
static char *unquoted(const char *start, const char *end)
{
    if (*start == '"')
        return xstrndup(start + 1, (size_t)(end - start) - 2);
    return xstrndup(start, (size_t)(end - start));
}

int value_strip_comment(char *value, char **cause)
{
    const char *end = value; /* of the last word */

    for (const char *p = value + strspn(value, BLANKS); *p != '\0';) {
        if (*p == ';' || *p == '#')
            break;
        end = word_end(p, cause);
        if (end == NULL)
            return -1;
        p = end + strspn(end, BLANKS);
    }
    value[end - value] = '\0';
    return 0;
}

char *value_text(const char *value, char **cause)
{
    const char *end;

    value += strspn(value, BLANKS);
    if (*value == '\0') {
        cause_set(cause, "has no value: give it one or leave the line out");
        return NULL;
    }
    if (*value == '"') {
        end = word_end(value, cause);
        if (end == NULL)
            return NULL;
        if (end[strspn(end, BLANKS)] != '\0') {
            cause_set(cause, "has one value, but more follows after its quotation: %.60s",
                      end);
            return NULL;
        }
        return unquoted(value, end);
    }
    end = value + strlen(value);
    while (strchr(BLANKS, end[-1]) != NULL)
        end--;
    return unquoted(value, end);
}

char *value_word(const char **rest, char **cause)
{
    const char *start = *rest + strspn(*rest, BLANKS);

    if (*start == '\0')
        return NULL;
    const char *end = word_end(start, cause);
    if (end == NULL)
        return NULL;
    *rest = end;
    return unquoted(start, end);
}

/* Read digits at the start of text. Gives what follows them, NULL if there are none. What
 * doesn't fit becomes INT64_MAX, which no setting allows. */
static const char *read_digits(const char *text, int64_t *number)
{
    size_t digits = strspn(text, "0123456789");
    intmax_t read = digits > 0 ? strtoimax(text, NULL, 10) : 0;

    *number = read;
    return digits > 0 ? text + digits : NULL;
}

int value_count(const char *text, int64_t min, int64_t max, int64_t *number, char **cause)
{
    int64_t read;
    const char *end = read_digits(text, &read);

    if (end == NULL || *end != '\0' || read < min || read > max) {
        cause_set(cause,
                  "\"%.60s\" is not allowed: write a whole number from %" PRId64
                  " to %" PRId64,
                  text, min, max);
        return -1;
    }
    *number = read;
    return 0;
}

/* A size as people write it, in the greatest unit that leaves no rest. */
static char *size_show(int64_t size, char text[32])
{
    if (size > 0 && size % (1 << 30) == 0)
        snprintf(text, 32, "%" PRId64 "G", size >> 30);
    else if (size > 0 && size % (1 << 20) == 0)
        snprintf(text, 32, "%" PRId64 "M", size >> 20);
    else if (size > 0 && size % (1 << 10) == 0)
        snprintf(text, 32, "%" PRId64 "K", size >> 10);
    else
        snprintf(text, 32, "%" PRId64, size);
    return text;
}

int value_size(const char *text, int64_t min, int64_t max, int64_t *number, char **cause)
{
    char least[32], greatest[32];
    int64_t unit = 1, read;
    const char *end = read_digits(text, &read);

    if (end != NULL && *end != '\0' && strchr("KkMmGg", *end) != NULL) {
        char letter = (char)toupper((unsigned char)*end);
        unit = letter == 'K' ? 1 << 10 : letter == 'M' ? 1 << 20 : 1 << 30;
        end++;
    }
    if (end == NULL || *end != '\0' || read > max / unit || read * unit < min) {
        cause_set(cause,
                  "\"%.60s\" is not allowed: write a number of bytes from %s to %s, K, "
                  "M and G are understood",
                  text, size_show(min, least), size_show(max, greatest));
        return -1;
    }
    *number = read * unit;
    return 0;
}

static char *duration_show(int64_t ms, char text[32])
{
    if (ms > 0 && ms % 3600000 == 0)
        snprintf(text, 32, "%" PRId64 "h", ms / 3600000);
    else if (ms > 0 && ms % 60000 == 0)
        snprintf(text, 32, "%" PRId64 "m", ms / 60000);
    else if (ms % 1000 == 0)
        snprintf(text, 32, "%" PRId64 "s", ms / 1000);
    else
        snprintf(text, 32, "%" PRId64 "ms", ms);
    return text;
}

int value_duration(const char *text, int64_t min, int64_t max, int64_t *ms, char **cause)
{
    char least[32], greatest[32];
    int64_t read;

    if (duration_parse(text, &read, cause) != 0)
        return -1;
    if (read < min || read > max) {
        cause_set(cause, "\"%.60s\" is not allowed: write a duration from %s to %s", text,
                  duration_show(min, least), duration_show(max, greatest));
        return -1;
    }
    *ms = read;
    return 0;
}

static bool port_is_valid(const char *text, int64_t min)
{
    int64_t port;

    return strlen(text) <= 5 && value_count(text, min, 65535, &port, NULL) == 0;
}

/* Take "host:port" or "[v6]:port" apart, in place. Gives the port, NULL if there is none,
 * and the host without its brackets; *v6 says whether it had them. Brackets that are not
 * well formed stay in the host, so that no host it is. */
static char *host_split(char *text, char **host, bool *v6)
{
    char *end = *text == '[' ? strchr(text, ']') : strchr(text, ':');

    *v6 = *text == '[';
    *host = text;
    if (end == NULL || (*v6 && end[1] != ':' && end[1] != '\0'))
        return NULL;
    if (*v6) {
        *host = text + 1;
        *end++ = '\0';
    }
    if (*end == '\0')
        return NULL;
    *end = '\0';
    return end + 1;
}

static bool host_is_ours(const char *host, bool v6)
{
    struct in6_addr address;

    if (v6)
        return inet_pton(AF_INET6, host, &address) == 1;
    return strcmp(host, "localhost") == 0 || inet_pton(AF_INET, host, &address) == 1;
}

static int unix_path_check(const char *path, char **cause)
{
    const size_t most = sizeof((struct sockaddr_un *)0)->sun_path - 1;

    if (*path != '/') {
        cause_set(cause, "\"unix:%.60s\" needs a path that begins with /", path);
        return -1;
    }
    if (strlen(path) > most) {
        cause_set(cause, "the socket's path %.120s has %zu bytes: at most %zu can be",
                  path, strlen(path), most);
        return -1;
    }
    return 0;
}

char *value_address(const char *word, char **cause)
{
    char *copy = NULL, *host, *port;
    char *result = NULL;
    bool v6;

    if (strncmp(word, "unix:", 5) == 0)
        return unix_path_check(word + 5, cause) == 0 ? xstrdup(word) : NULL;
    copy = xstrdup(word);
    port = host_split(copy, &host, &v6);
    if (port == NULL || !port_is_valid(port, 0))
        cause_set(cause,
                  "\"%.60s\" is no address with a port from 0 to 65535: write host:port, "
                  "[v6]:port or unix:/path",
                  word);
    else if (*host == '\0' || strcmp(host, "*") == 0)
        cause_set(cause, "\"%.60s\" names no host: 0.0.0.0:%s and [::]:%s mean all", word,
                  port, port);
    else if (!host_is_ours(host, v6))
        cause_set(
            cause,
            "\"%.60s\" has no host that can be listened on: write a numeric address "
            "(an IPv6 one in brackets) or localhost",
            word);
    else
        result = xstrdup(word);
    free(copy);
    return result;
}

/* Whether `authority` is a host, with or without a port. */
static bool authority_is_valid(const char *authority)
{
    char *copy = xstrdup(authority);
    char *host;
    bool v6;
    char *port = host_split(copy, &host, &v6);
    bool valid = v6 ? host_is_ours(host, true)
                    : *host != '\0' && strpbrk(host, "@[]\\\"<>") == NULL;

    valid = valid && (port == NULL || port_is_valid(port, 1));
    free(copy);
    return valid;
}

static bool url_is_valid(const char *url)
{
    size_t scheme = strncmp(url, "http://", 7) == 0    ? 7
                    : strncmp(url, "https://", 8) == 0 ? 8
                                                       : 0;

    if (scheme == 0 || strpbrk(url, BLANKS "?#") != NULL)
        return false;
    char *authority = xstrndup(url + scheme, strcspn(url + scheme, "/"));
    bool valid = authority_is_valid(authority);
    free(authority);
    return valid;
}

char *value_url(const char *word, char **cause)
{
    if (!url_is_valid(word)) {
        const char *secret = strrchr(word, '@'); /* a password may stand before it */
        cause_set(
            cause,
            "\"%s%.60s\" is not allowed: write http://host:port or https://host:port, "
            "a path may follow",
            secret != NULL ? "…" : "", secret != NULL ? secret : word);
        return NULL;
    }
    char *url = xstrdup(word);
    for (size_t length = strlen(url); url[length - 1] == '/'; length--)
        url[length - 1] = '\0';
    return url;
}

char *value_path(const char *word, char **cause)
{
    if (*word == '\0') {
        cause_set(cause, "is empty: give a file, a folder or a glob");
        return NULL;
    }
    return xstrdup(word);
}

char *value_factor(const char *word, char **cause)
{
    size_t whole = strspn(word, "0123456789");
    size_t part = word[whole] == '.' ? 1 + strspn(word + whole + 1, "0123456789") : 0;

    if (whole == 0 || part == 1 || word[whole + part] != '\0' || whole > 4) {
        cause_set(cause, "\"%.60s\" is not allowed: write a number below 10000, as 0.05",
                  word);
        return NULL;
    }
    return xstrdup(word);
}
