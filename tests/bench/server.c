/* SPDX-License-Identifier: Apache-2.0 */
/* A server as a process of ours. */
#include "server.h"

#include "connect.h"
#include "cpu.h"
#include "interrupt.h"
#include "xalloc.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_MS   120000 /* until it must listen */
#define STOP_MS    20000  /* until it is killed */
#define LOOK_MS    1      /* between two looks */
#define REST_MS    30000  /* until it must have nothing to do */
#define QUIET_MS   20     /* it rests if it used next to nothing in this time */
#define RESTING_NS 200000 /* next to nothing: its timers still run */
#define LOG_BYTES  65536  /* of its log that are looked at */
#define TAIL       600    /* bytes of the log in a cause */
#define LISTENING  "listening on http://"

struct server {
    pid_t pid;        /* 0 once it has been waited for */
    int64_t began_ns; /* when it was started, monotonic */
    char *log;        /* path of what it says; owned */
    char *url;        /* where it listens; owned */
};

static void pause_ms(long ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&time, NULL);
}

/* In the child: become the program. */
static void become(const char *const argv[], int cpu, const char *log, pid_t parent)
{
    int out = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int in = open("/dev/null", O_RDONLY);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent && out >= 0 && in >= 0) {
        cpu_pin(cpu);
        dup2(in, STDIN_FILENO);
        dup2(out, STDOUT_FILENO);
        dup2(out, STDERR_FILENO);
        execv(argv[0], (char *const *)argv);
        perror(argv[0]);
    }
    _exit(127);
}

static pid_t spawn(const char *const argv[], int cpu, const char *log)
{
    pid_t parent = getpid();
    pid_t pid = fork();

    if (pid == 0)
        become(argv, cpu, log, parent);
    return pid;
}

/* What it has said so far; at most LOG_BYTES, from the beginning. Returns owned. */
static char *read_log(const struct server *server)
{
    char *text = xcalloc(1, LOG_BYTES);
    FILE *file = fopen(server->log, "re");

    if (file != NULL) {
        text[fread(text, 1, LOG_BYTES - 1, file)] = '\0';
        fclose(file);
    }
    return text;
}

/* Whether the whole line with the address is there. */
static bool find_url(struct server *server)
{
    char *text = read_log(server);
    const char *found = strstr(text, LISTENING);

    if (found != NULL && strchr(found, '\n') != NULL) {
        found += strlen("listening on ");
        server->url = xstrndup(found, strcspn(found, " \r\n"));
    }
    free(text);
    return server->url != NULL;
}

static bool has_ended(struct server *server)
{
    if (server->pid > 0 && waitpid(server->pid, NULL, WNOHANG) == server->pid)
        server->pid = 0;
    return server->pid <= 0;
}

static void tell_last_words(const struct server *server, const char *program,
                            const char *what, char **cause)
{
    char *text = read_log(server);
    size_t size = strlen(text);

    cause_set(cause, "%s %s: %s", program, what, text + (size > TAIL ? size - TAIL : 0));
    free(text);
}

/* Whether somebody listens at its URL. */
static bool answers(const struct server *server)
{
    int fd = connect_to(server->url, 0);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

int server_free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool bound = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
                 getsockname(fd, (struct sockaddr *)&address, &size) == 0;

    if (fd >= 0)
        close(fd);
    return bound ? ntohs(address.sin_port) : 0;
}

/* Start it; `url` NULL: its log will say that. */
static struct server *start(const char *const argv[], int cpu, const char *log,
                            const char *url, char **cause)
{
    struct server *server = xcalloc(1, sizeof *server);
    int64_t end_ns = cpu_clock_ns() + (int64_t)START_MS * 1000000;

    server->log = xstrdup(log);
    server->url = url != NULL ? xstrdup(url) : NULL;
    unlink(log); /* an address in it that another server has left would be believed */
    server->began_ns = cpu_clock_ns();
    server->pid = spawn(argv, cpu, log);
    while (url != NULL ? !answers(server) : !find_url(server)) {
        bool ended = has_ended(server);
        if (ended || interrupt_came(cause) || cpu_clock_ns() > end_ns) {
            tell_last_words(server, argv[0], ended ? "ended early" : "does not listen",
                            cause);
            server_stop(server);
            return NULL;
        }
        pause_ms(LOOK_MS);
    }
    return server;
}

struct server *server_start(const char *const argv[], int cpu, const char *log,
                            char **cause)
{
    return start(argv, cpu, log, NULL, cause);
}

struct server *server_start_at(const char *const argv[], int cpu, const char *log,
                               const char *url, char **cause)
{
    return start(argv, cpu, log, url, cause);
}

const char *server_url(const struct server *server)
{
    return server->url;
}

int64_t server_began_ns(const struct server *server)
{
    return server->began_ns;
}

int64_t server_used_ns(const struct server *server)
{
    return cpu_used_ns(server->pid);
}

double server_memory(const struct server *server)
{
    char path[64], line[128];
    double kib = 0;

    snprintf(path, sizeof path, "/proc/%d/status", (int)server->pid);
    FILE *file = fopen(path, "re");
    while (file != NULL && kib <= 0 && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "RssAnon: %lf kB", &kib) != 1)
            kib = 0;
    }
    if (file != NULL)
        fclose(file);
    return kib;
}

int server_rest(const struct server *server, char **cause)
{
    int64_t end_ns = cpu_clock_ns() + (int64_t)REST_MS * 1000000;
    int64_t used = -1, now_used;

    while ((now_used = server_used_ns(server)) - used > RESTING_NS || used < 0) {
        if (interrupt_came(cause) || cpu_clock_ns() > end_ns) {
            cause_set(cause, "the server is still busy after %d ms", REST_MS);
            return -1;
        }
        used = now_used;
        pause_ms(QUIET_MS);
    }
    return 0;
}

void server_kill(struct server *server)
{
    if (server == NULL)
        return;
    if (!has_ended(server)) {
        kill(server->pid, SIGKILL);
        waitpid(server->pid, NULL, 0);
    }
    free(server->log);
    free(server->url);
    free(server);
}

void server_stop(struct server *server)
{
    int64_t end_ns = cpu_clock_ns() + (int64_t)STOP_MS * 1000000;

    if (server == NULL)
        return;
    if (!has_ended(server))
        kill(server->pid, SIGTERM);
    while (!has_ended(server) && cpu_clock_ns() < end_ns)
        pause_ms(LOOK_MS);
    server_kill(server);
}

bool server_try(const char *const argv[])
{
    int status = -1;
    pid_t pid = spawn(argv, -1, "/dev/null");

    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}
