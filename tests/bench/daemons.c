/* SPDX-License-Identifier: Apache-2.0 */
/* The servers that rows measure. */
#include "daemons.h"

#include "folder.h"
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Rounds of one side are far apart, and what is measured must not end in between. */
static const char patience[] = "[timeouts]\n"
                               "idle-client = 24h\n"
                               "active-client = 24h\n"
                               "step = 24h\n"
                               "case = 24h\n"
                               "long-poll-max = 1h\n"
                               "[limits]\n"
                               "idle-connection = 24h\n"
                               "clients = 1000000\n";

#define INI "trafficlight.ini"

/* Write the folder of a server of ours, but for its definitions. */
static int write_folder(const struct daemon_setup *setup, const char *folder,
                        char **cause)
{
    char *test = setup->definition ? xasprintf("%s/bench_test.json", folder)
                                   : xstrdup(setup->tests);
    char *durability = setup->durability
                           ? xasprintf("durability = %s\n", setup->durability)
                           : xstrdup("");
    char *text = xasprintf("[server]\nlisten = 127.0.0.1:0\nstate-dir = \"%s/state\"\n%s"
                           "[tests]\npath = \"%s\"\nstrict = %s\nrepeat = %zu\n%s%s",
                           folder, durability, test, setup->lenient ? "no" : "yes",
                           setup->cases > 0 ? setup->cases : 1,
                           setup->more ? setup->more : "", patience);
    int result = folder_write(folder, INI, text, cause);

    if (result == 0 && setup->definition != NULL)
        result = folder_write(folder, "bench_test.json", setup->definition, cause);
    free(text);
    free(durability);
    free(test);
    return result;
}

bool daemons_know(const struct bench *bench, const struct daemon_setup *setup)
{
    char *folder = folder_make(bench->folder, setup->name);
    char *ini = xasprintf("%s/" INI, folder);
    const char *argv[] = {bench->program, "--check-config", "--config", ini, NULL};
    bool known = write_folder(setup, folder, NULL) == 0 && server_try(argv);

    free(ini);
    free(folder);
    return known;
}

struct server *daemons_start(const struct bench *bench, const struct daemon_setup *setup,
                             char **cause)
{
    char *folder = folder_make(bench->folder, setup->name);
    struct server *server = NULL;

    if (write_folder(setup, folder, cause) == 0)
        server = daemons_restart(bench, setup->name, cause);
    free(folder);
    return server;
}

struct server *daemons_restart(const struct bench *bench, const char *name, char **cause)
{
    char *ini = xasprintf("%s/%s/" INI, bench->folder, name);
    char *log = xasprintf("%s/%s/log", bench->folder, name);
    const char *argv[] = {bench->program, "--config", ini, NULL};
    struct server *server = server_start(argv, bench->cpus.server, log, cause);

    free(log);
    free(ini);
    return server;
}

char *daemons_state(const struct bench *bench, const char *name)
{
    return xasprintf("%s/%s/state", bench->folder, name);
}

struct server *daemons_start_bare(const struct bench *bench, const char *answer,
                                  const char *option, char **cause)
{
    char *log = xasprintf("%s/bare%s.log", bench->folder, option ? option : "");
    const char *argv[] = {bench->bare, option ? option : answer, answer, NULL};
    struct server *server = NULL;

    if (option == NULL)
        argv[2] = NULL;
    server = server_start(argv, bench->cpus.server, log, cause);
    free(log);
    return server;
}

/* --- nginx --- */

/* One process, and no file outside of its folder. What it answers is as long as ours, but
 * for its Server and Connection headers, which it does not leave out. */
static const char nginx_conf[] = "daemon off;\n"
                                 "master_process off;\n"
                                 "pid %s/pid;\n"
                                 "error_log stderr;\n"
                                 "events { worker_connections 1024; }\n"
                                 "http {\n"
                                 "  access_log off;\n"
                                 "  server_tokens off;\n"
                                 "  default_type application/json;\n"
                                 "  keepalive_timeout 1d;\n"
                                 "  keepalive_requests 1000000000;\n"
                                 "  client_body_temp_path %s/body;\n"
                                 "  proxy_temp_path %s/proxy;\n"
                                 "  fastcgi_temp_path %s/fastcgi;\n"
                                 "  uwsgi_temp_path %s/uwsgi;\n"
                                 "  scgi_temp_path %s/scgi;\n"
                                 "  server {\n"
                                 "    listen 127.0.0.1:%d;\n"
                                 "    location / { return 200 '%s'; }\n"
                                 "  }\n"
                                 "}\n";

bool daemons_have_nginx(const struct bench *bench)
{
    return access(bench->nginx, X_OK) == 0;
}

struct server *daemons_start_nginx(const struct bench *bench, const char *answer,
                                   char **cause)
{
    char *folder = folder_make(bench->folder, "nginx");
    int port = server_free_port();
    char *text = xasprintf(nginx_conf, folder, folder, folder, folder, folder, folder,
                           port, answer);
    char *conf = xasprintf("%s/nginx.conf", folder);
    char *log = xasprintf("%s/log", folder);
    char *url = xasprintf("http://127.0.0.1:%d", port);
    const char *argv[] = {bench->nginx, "-p", folder, "-c", conf, NULL};
    struct server *server = NULL;

    if (strpbrk(answer, "'\\$") != NULL)
        cause_set(cause, "nginx can't be told to answer %s", answer);
    else if (folder_write(folder, "nginx.conf", text, cause) == 0)
        server = server_start_at(argv, bench->cpus.server, log, url, cause);
    free(url);
    free(log);
    free(conf);
    free(text);
    free(folder);
    return server;
}
