/* SPDX-License-Identifier: Apache-2.0 */
/* The servers that rows measure. */
#include "daemons.h"

#include "xalloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Rounds of one side are far apart, and what is measured must not end in between. */
static const char patience[] = "[timeouts]\n"
                               "idle-client = 24h\n"
                               "active-client = 24h\n"
                               "step = 24h\n"
                               "case = 24h\n"
                               "long-poll-max = 1h\n"
                               "[limits]\n"
                               "idle-connection = 24h\n";

static int write_file(const char *path, const char *text, char **cause)
{
    FILE *file = fopen(path, "we");
    int written = file != NULL ? fputs(text, file) : EOF;

    if ((file != NULL && fclose(file) != 0) || written == EOF) {
        cause_set(cause, "%s: %s", path, strerror(errno));
        return -1;
    }
    return 0;
}

/* Write the folder of a server of ours. Gives its configuration, owned; or NULL. */
static char *write_folder(const struct bench *bench, const struct daemon_setup *setup,
                          char **cause)
{
    char *folder = xasprintf("%s/%s", bench->folder, setup->name);
    char *test = xasprintf("%s/bench_test.json", folder);
    char *ini = xasprintf("%s/trafficlight.ini", folder);
    char *durability = setup->durability
                           ? xasprintf("durability = %s\n", setup->durability)
                           : xstrdup("");
    char *text = xasprintf("[server]\nlisten = 127.0.0.1:0\nstate-dir = \"%s/state\"\n%s"
                           "[tests]\npath = \"%s\"\nstrict = yes\nrepeat = %zu\n%s",
                           folder, durability, test, setup->cases, patience);

    mkdir(folder, 0700); /* it may be there; what is wrong with it, write_file() tells */
    if (write_file(test, setup->definition, cause) < 0 ||
        write_file(ini, text, cause) < 0) {
        free(ini);
        ini = NULL;
    }
    free(text);
    free(durability);
    free(test);
    free(folder);
    return ini;
}

bool daemons_know(const struct bench *bench, const struct daemon_setup *setup)
{
    char *ini = write_folder(bench, setup, NULL);
    const char *argv[] = {bench->program, "--check-config", "--config", ini, NULL};
    bool known = ini != NULL && server_try(argv);

    free(ini);
    return known;
}

struct server *daemons_start(const struct bench *bench, const struct daemon_setup *setup,
                             char **cause)
{
    struct server *server = NULL;
    char *ini = write_folder(bench, setup, cause);
    char *log = xasprintf("%s/%s/log", bench->folder, setup->name);
    const char *argv[] = {bench->program, "--config", ini, NULL};

    if (ini != NULL)
        server = server_start(argv, bench->cpus.server, log, cause);
    free(log);
    free(ini);
    return server;
}

struct server *daemons_start_bare(const struct bench *bench, const char *answer,
                                  char **cause)
{
    char *log = xasprintf("%s/bare.log", bench->folder);
    const char *argv[] = {bench->bare, answer, NULL};
    struct server *server = server_start(argv, bench->cpus.server, log, cause);

    free(log);
    return server;
}
