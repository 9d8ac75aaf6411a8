/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Following a server, or one run of it, until all cases have ended: what a person sees
 * meanwhile, the report at the end, the verdict. One thread; blocks.
 */
#ifndef TL_WATCH_H
#define TL_WATCH_H

#include "server.h"

#include <stdbool.h>
#include <stdint.h>

/* What is to be followed, and how. Borrows all but the server. */
struct watch_wish {
    const char *command;  /* what messages begin with */
    struct server server; /* where; owned, freed by who made the wish */
    const char *run;      /* id of the run; NULL: what the server shows */
    const char *junit;    /* the file to make at the end, or NULL */
    int64_t timeout_ms;   /* give up after so long; 0: look once; negative: never */
    int64_t patience_ms;  /* with a server that can't be reached */
    bool quiet;           /* neither progress nor a table */
    bool help;            /* only --help is wanted */
    bool (*interrupted)(void *context); /* see watch() */
    void *context;                      /* for interrupted() */
};

/* The options of commands that watch: their short ones, and the rows of getopt_long(). */
#define WATCH_SHORT_OPTIONS "u:j:t:qh"
#define WATCH_OPTIONS                                                                    \
    {"url", required_argument, NULL, 'u'}, {"junit", required_argument, NULL, 'j'},      \
        {"timeout", required_argument, NULL, 't'},                                       \
        {"patience", required_argument, NULL, WATCH_OPTION_PATIENCE},                    \
        {"quiet", no_argument, NULL, 'q'},                                               \
    {                                                                                    \
        "help", no_argument, NULL, 'h'                                                   \
    }
enum { WATCH_OPTION_PATIENCE = 256, WATCH_OPTION_NEXT };

/* What --help says of them. */
#define WATCH_HELP                                                                       \
    "  -u, --url URL        where the server is: http://HOST:PORT or unix:/PATH\n"       \
    "                       (" COMMAND_URL ")\n"                                         \
    "  -j, --junit FILE     write the JUnit report there at the end\n"                   \
    "  -t, --timeout TIME   wait no longer than 250ms, 5s, 10m, 1h or this number of\n"  \
    "                       seconds; 0 looks once\n"                                     \
    "      --patience TIME  with a server that can't be reached (30s)\n"                 \
    "  -q, --quiet          show neither progress nor the table of cases\n"              \
    "      --help           show this\n"

/* The wish of somebody who has said nothing yet. */
struct watch_wish watch_wish_new(const char *command);

/* Take one of these options. Gives 0, or -1 with *cause, to be read after its name. */
int watch_option(struct watch_wish *wish, int option, const char *text, char **cause)
    __attribute__((warn_unused_result));

/* While a server can't be reached, or can't do what it is asked to. All zero: it can. */
struct outage {
    bool is_there;    /* it began, and somebody was told */
    int64_t since_ms; /* monotonic: when; if is_there */
};

/* It is not there, for this reason. Says so the first time, and lets some time pass, at
 * most pause_ms; gives false if the wish's patience is over. */
bool outage_endure(struct outage *outage, const struct watch_wish *wish,
                   const char *cause, int64_t pause_ms);

/* Look until all cases have ended, and show it. Gives the exit status of the command,
 * after it was said on stderr what is wrong. When the server's stop_fd can be read,
 * interrupted() is called: true wants to see how it stands now, and the report; the
 * status is -1 then. */
int watch(const struct watch_wish *wish);

#endif
