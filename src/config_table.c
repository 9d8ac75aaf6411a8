/* SPDX-License-Identifier: Apache-2.0 */
/* The table of all settings. */
#include "config_table.h"

#include "config.h"
#include "config_value.h"
#include "xalloc.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef DEFAULT_SUITES
#define DEFAULT_SUITES "/usr/share/trafficlight/suites"
#endif

#ifndef DEFAULT_STATE
#define DEFAULT_STATE "/var/lib/trafficlight"
#endif

#define SECOND INT64_C(1000)
#define HOUR   (3600 * SECOND)
#define KILO   INT64_C(1024)
#define MEGA   (1024 * KILO)
#define GIGA   (1024 * MEGA)

/* When a new value holds. */
#define LIVE  true  /* from the moment the file is read anew */
#define START false /* from the next start */

/* Where a member lies; the comparison, never made, has the compiler check its type. */
#define AT(type, member)                                                                 \
    (offsetof(struct config, member) +                                                   \
     0 * sizeof((type *)0 == &((struct config *)0)->member))

#define ROW_COUNT(when, section, key, member, min, max, preset, help)                    \
    {                                                                                    \
        section, key, CONFIG_COUNT, false, when, AT(size_t, member), min, max, preset,   \
            help, NULL, NULL                                                             \
    }
#define ROW_SIZE(when, section, key, member, min, max, preset, help)                     \
    {                                                                                    \
        section, key, CONFIG_SIZE, false, when, AT(size_t, member), min, max, preset,    \
            help, NULL, NULL                                                             \
    }
#define ROW_DURATION(when, section, key, member, min, max, preset, help)                 \
    {                                                                                    \
        section, key, CONFIG_DURATION, false, when, AT(int64_t, member), min, max,       \
            preset, help, NULL, NULL                                                     \
    }
#define ROW_LIST(when, section, key, member, normalise, preset, help)                    \
    {                                                                                    \
        section, key, CONFIG_LIST, false, when, AT(struct config_list, member), 0, 0,    \
            preset, help, NULL, normalise                                                \
    }
#define ROW_TEXT(when, section, key, member, normalise, preset, help)                    \
    {                                                                                    \
        section, key, CONFIG_TEXT, false, when, AT(char *, member), 0, 0, preset, help,  \
            NULL, normalise                                                              \
    }
#define ROW_CHOICE(when, section, key, type, member, choices, preset, help)              \
    {                                                                                    \
        section, key, CONFIG_CHOICE, false, when, AT(type, member), 0, 0, preset, help,  \
            choices, NULL                                                                \
    }
#define ROW_NAMED(section, key, type, help)                                              \
    {                                                                                    \
        section, key, type, true, true, 0, 0, 0, NULL, help, NULL, NULL                  \
    }

/* In the order of enum log_level. */
static const char *const log_levels[] = {"error", "warning", "info", "debug", NULL};

/* In the order of false and true. */
static const char *const switches[] = {"no", "yes", NULL};

/* In the order of enum durability. */
static const char *const durabilities[] = {"process", "power", "none", NULL};

static const struct config_row rows[] = {
    ROW_LIST(START, "server", "listen", listen, value_address, "127.0.0.1:5000",
             "where to listen: host:port, [v6]:port or unix:/path"),
    ROW_TEXT(START, "server", "state-dir", state_dir, value_path, DEFAULT_STATE,
             "where the journal, the history and uploaded files are kept"),
    ROW_CHOICE(START, "server", "durability", enum durability, durability, durabilities,
               "process", "what the journal survives: process, power or none"),
    ROW_COUNT(START, "server", "compact-after", compact_after, 0, 1000000000, "100000",
              "inputs after which a snapshot takes their place in the journal; 0: never"),
    ROW_LIST(LIVE, "tests", "path", paths, value_path, DEFAULT_SUITES,
             "definitions: a file, a folder or a glob"),
    ROW_LIST(LIVE, "tests", "only", only, value_path, "*",
             "run only these: globs on folder.Name or folder.Name/case"),
    ROW_LIST(LIVE, "tests", "actions", actions, value_path, NULL,
             "further dictionaries of actions: files, folders or globs"),
    ROW_CHOICE(LIVE, "tests", "strict", enum config_switch, strict, switches, "no",
               "yes: a definition with a mistake keeps the server from starting"),
    ROW_TEXT(LIVE, "tests", "wait-scale", wait_scale, value_factor, "1",
             "waits in definitions last this many times as long"),
    ROW_COUNT(LIVE, "tests", "repeat", repeat, 1, 10000, "1", "how often each case runs"),
    ROW_CHOICE(LIVE, "tests", "autostart", enum config_switch, autostart, switches, "yes",
               "no: the tests run only when they are asked for"),
    ROW_COUNT(LIVE, "tests", "retries", retries, 0, 100, "0",
              "how often a case that did not succeed is tried again"),
    ROW_LIST(START, "homerunner", "url", homerunner_urls, value_url,
             "http://localhost:54321", "where homerunners listen"),
    ROW_COUNT(START, "homerunner", "limit", homerunner_limit, 1, 10000, "8",
              "deployments that each may have at once"),
    ROW_DURATION(START, "homerunner", "timeout", homerunner_timeout_ms, 10, 24 * HOUR,
                 "5m", "how long one create may take"),
    ROW_DURATION(START, "homerunner", "connect-timeout", homerunner_connect_ms, 10, HOUR,
                 "10s", "how long connecting to homerunner may take"),
    ROW_COUNT(START, "workers", "threads", worker_threads, 1, 256, "4",
              "threads for what takes long"),
    ROW_COUNT(START, "workers", "queue", worker_queue, 1, 1000000, "1000",
              "jobs that may wait for a thread"),
    ROW_DURATION(LIVE, "timeouts", "idle-client", idle_client_ms, 10, 168 * HOUR, "60s",
                 "a waiting client that is silent for so long is dropped"),
    ROW_DURATION(LIVE, "timeouts", "active-client", active_client_ms, 10, 168 * HOUR,
                 "180s", "a playing client that is silent for so long ends its case"),
    ROW_DURATION(LIVE, "timeouts", "step", settings.step_timeout_ms, 10, 168 * HOUR, "3m",
                 "an action without a time-out of its own"),
    ROW_DURATION(LIVE, "timeouts", "case", settings.case_timeout_ms, 10, 168 * HOUR,
                 "30m", "a case without a time-out of its own"),
    ROW_DURATION(LIVE, "timeouts", "unfilled", settings.unfilled_timeout_ms, 0,
                 168 * HOUR, "0",
                 "a case that waits longer for its clients ends as an error; 0: never"),
    ROW_DURATION(LIVE, "timeouts", "long-poll", long_poll_ms, 0, HOUR, "20s",
                 "how long a poll that names no wait is held"),
    ROW_DURATION(LIVE, "timeouts", "long-poll-max", long_poll_max_ms, 0, HOUR, "50s",
                 "no poll is held for longer"),
    ROW_DURATION(LIVE, "timeouts", "heartbeat", heartbeat_ms, 10, HOUR, "15s",
                 "who follows /status/events hears at least this often that all is well"),
    ROW_COUNT(LIVE, "history", "keep", history.keep, 0, 1000000, "100",
              "runs that are kept; 0: all"),
    ROW_COUNT(LIVE, "history", "days", history.days, 0, 36500, "0",
              "runs that ended longer ago are forgotten; 0: however old"),
    ROW_SIZE(LIVE, "history", "files", history.files, 0, 1024 * 1024 * GIGA, "10G",
             "bytes of all uploaded files together; 0: no limit"),
    ROW_CHOICE(LIVE, "log", "level", enum log_level, log_level, log_levels, "info",
               "the least urgent lines to log: error, warning, info or debug"),
    ROW_SIZE(START, "limits", "body", limits.body, KILO, GIGA, "1M",
             "bytes of a request's body"),
    ROW_SIZE(START, "limits", "upload", limits.upload, KILO, 16 * GIGA, "64M",
             "bytes of an upload"),
    ROW_COUNT(LIVE, "limits", "json-depth", limits.json_depth, 4, 1000, "32",
              "levels of nesting of a JSON body"),
    ROW_SIZE(START, "limits", "header", limits.header, KILO, MEGA, "16K",
             "bytes of a request's line and headers"),
    ROW_COUNT(START, "limits", "header-lines", limits.header_lines, 10, 10000, "100",
              "header lines of a request"),
    ROW_COUNT(START, "limits", "connections", limits.connections, 0, 1000000, "0",
              "connections open at once; 0: as many as descriptors allow"),
    ROW_COUNT(LIVE, "limits", "subscribers", limits.subscribers, 0, 1000000, "2000",
              "who may follow /status/events at once"),
    ROW_COUNT(LIVE, "limits", "runs", limits.runs, 1, 100000, "100",
              "runs that may be queued, going or just ended"),
    ROW_COUNT(LIVE, "limits", "cases", limits.cases, 1, 10000000, "100000",
              "cases of one run"),
    ROW_COUNT(LIVE, "limits", "clients", limits.clients, 1, 10000000, "100000",
              "clients known at once"),
    ROW_COUNT(LIVE, "limits", "transcript", settings.transcript, 1, 10000000, "10000",
              "lines of transcript kept for each case"),
    ROW_SIZE(LIVE, "limits", "definition", limits.definition, KILO, GIGA, "4M",
             "bytes of one definition file"),
    ROW_DURATION(START, "limits", "request-timeout", limits.request_timeout_ms, 10,
                 24 * HOUR, "30s", "from a request's first byte to its last"),
    ROW_DURATION(START, "limits", "idle-connection", limits.idle_connection_ms, 10,
                 24 * HOUR, "120s",
                 "how long a connection may wait for its next request"),
    ROW_NAMED("server-type", "images", CONFIG_LIST,
              "one image for each homeserver in order, the last repeated"),
    ROW_NAMED("server-type", "servers", CONFIG_LIST,
              "homeservers that exist already: name=url"),
    ROW_NAMED("client-type", "type", CONFIG_TEXT, "the registration's type, literally"),
    ROW_NAMED("client-type", "*", CONFIG_TEXT,
              "a glob on the registration's member of that name"),
};

static bool listens(const struct config *config)
{
    return config->listen.count > 0;
}

static bool is_without_twins(const struct config_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(list->items[i], list->items[k]) == 0)
                return false;
        }
    }
    return true;
}

static bool listens_once(const struct config *config)
{
    return is_without_twins(&config->listen);
}

static bool has_homerunners_once(const struct config *config)
{
    return is_without_twins(&config->homerunner_urls);
}

static bool has_tests(const struct config *config)
{
    return config->paths.count > 0;
}

static const struct config_rule rules[] = {
    {"server", "listen", NULL, listens,
     "there is no address to listen on: give one, as 127.0.0.1:5000"},
    {"server", "listen", NULL, listens_once,
     "an address is there twice: each can be listened on once"},
    {"homerunner", "url", NULL, has_homerunners_once,
     "a homerunner is there twice: name each once, limit is for each"},
    {"tests", "path", NULL, has_tests,
     "there is nothing to test: give a file, a folder or a glob"},
};

size_t config_table_count(void)
{
    return sizeof rows / sizeof *rows;
}

const struct config_row *config_table_row(size_t index)
{
    return index < config_table_count() ? &rows[index] : NULL;
}

size_t config_table_index(const struct config_row *row)
{
    return (size_t)(row - rows);
}

const struct config_rule *config_table_rule(size_t index)
{
    return index < sizeof rules / sizeof *rules ? &rules[index] : NULL;
}

const struct config_row *config_table_find(const char *section, const char *key)
{
    const struct config_row *any = NULL;

    for (size_t i = 0; i < config_table_count(); i++) {
        if (strcmp(rows[i].section, section) != 0)
            continue;
        if (strcmp(rows[i].key, "*") == 0)
            any = &rows[i];
        else if (strcmp(rows[i].key, key) == 0)
            return &rows[i];
    }
    return any;
}

const struct config_row *config_table_section(const char *section)
{
    for (size_t i = 0; i < config_table_count(); i++) {
        if (strcmp(rows[i].section, section) == 0)
            return &rows[i];
    }
    return NULL;
}

#define TYPO_LENGTH 32 /* a longer word is like no name of ours */

/* How many letters to add, drop or change to come from `a` to `b`; case is no matter. */
static size_t typo_distance(const char *a, const char *b)
{
    size_t line[TYPO_LENGTH + 1];
    size_t length = strlen(b);

    if (strlen(a) > TYPO_LENGTH || length > TYPO_LENGTH)
        return SIZE_MAX;
    for (size_t k = 0; k <= length; k++)
        line[k] = k;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = line[0];
        line[0] = i + 1;
        for (size_t k = 0; k < length; k++) {
            bool same = tolower((unsigned char)a[i]) == tolower((unsigned char)b[k]);
            size_t best = diagonal + (same ? 0 : 1);
            diagonal = line[k + 1];
            if (diagonal + 1 < best)
                best = diagonal + 1;
            if (line[k] + 1 < best)
                best = line[k] + 1;
            line[k + 1] = best;
        }
    }
    return line[length];
}

/* Whether `word` is a likely typo of `name`, and a likelier one than *best; then that. */
static bool typo_is_nearer(const char *word, const char *name, size_t *best)
{
    size_t distance = typo_distance(word, name);

    if (distance >= *best || distance > 1 + strlen(name) / 4)
        return false;
    *best = distance;
    return true;
}

static char *key_list(const char *section)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = xcheck(open_memstream(&text, &size));

    fprintf(stream, "the keys of [%s] are", section);
    for (size_t i = 0, n = 0; i < config_table_count(); i++) {
        if (strcmp(rows[i].section, section) == 0)
            fprintf(stream, "%s %s", n++ > 0 ? "," : "", rows[i].key);
    }
    fclose(stream);
    return xcheck(text);
}

char *config_table_key_advice(const char *section, const char *key)
{
    const char *likely = NULL;
    size_t best = SIZE_MAX;

    for (size_t i = 0; i < config_table_count(); i++) {
        if (strcmp(rows[i].section, section) != 0 && strcmp(rows[i].key, key) == 0)
            return xasprintf("it belongs to [%s]", rows[i].section);
    }
    for (size_t i = 0; i < config_table_count(); i++) {
        if (strcmp(rows[i].section, section) == 0 &&
            typo_is_nearer(key, rows[i].key, &best))
            likely = rows[i].key;
    }
    return likely != NULL ? xasprintf("did you mean %s?", likely) : key_list(section);
}

/* How a person writes the section of a row. */
static char *section_title(const struct config_row *row)
{
    return xasprintf("[%s%s]", row->section, row->named ? " NAME" : "");
}

static char *section_list(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = xcheck(open_memstream(&text, &size));

    fputs("there are", stream);
    for (size_t i = 0; i < config_table_count(); i++) {
        if (i > 0 && strcmp(rows[i].section, rows[i - 1].section) == 0)
            continue;
        fprintf(stream, "%s [%s%s]", i > 0 ? "," : "", rows[i].section,
                rows[i].named ? " NAME" : "");
    }
    fclose(stream);
    return xcheck(text);
}

char *config_table_section_advice(const char *section)
{
    const struct config_row *likely = NULL;
    size_t best = SIZE_MAX;

    for (size_t i = 0; i < config_table_count(); i++) {
        if (typo_is_nearer(section, rows[i].section, &best))
            likely = &rows[i];
    }
    if (likely == NULL)
        return section_list();
    char *title = section_title(likely);
    char *advice = xasprintf("did you mean %s?", title);
    free(title);
    return advice;
}
