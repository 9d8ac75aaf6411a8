/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration: what is read, what is refused and with which words. Run with
 * --describe it prints all keys; with --load FILE it reads a file and prints its
 * mistakes. Both are for tests/config_docs.sh.
 */
#include "../src/config.h" /* not the build's own config.h */
#include "xalloc.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

/* Load a file of these bytes over the defaults. The mistakes, owned, call it "FILE". */
static int load_bytes(struct config *config, const char *bytes, size_t size,
                      char **mistakes)
{
    char name[] = "/tmp/check_config.XXXXXX";
    int fd = mkstemp(name);
    char *found;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
    close(fd);
    config_init(config);
    *mistakes = NULL;
    int result = config_load(config, name, mistakes);
    unlink(name);
    ck_assert_int_eq(result, *mistakes == NULL ? 0 : -1);
    while (*mistakes != NULL && (found = strstr(*mistakes, name)) != NULL) {
        memcpy(found, "FILE", 4);
        memmove(found + 4, found + strlen(name), strlen(found + strlen(name)) + 1);
    }
    return result;
}

static void load_good(struct config *config, const char *text)
{
    char *mistakes;

    ck_assert_msg(load_bytes(config, text, strlen(text), &mistakes) == 0, "%s: %s", text,
                  mistakes);
}

/* --- one mistake each --- */

static const struct {
    const char *text;     /* of the file */
    const char *fragment; /* what a person is told, and where */
} bad[] = {
    /* sections */
    {"[servr]\nlisten = localhost:1\n",
     "FILE:1: [servr]: there is no such section: did you mean [server]?"},
    {"\n[zzzzz]\n", "FILE:2: [zzzzz]: there is no such section: there are [server], "},
    {"[client-typ x]\n", "did you mean [client-type NAME]?"},
    {"[]\n", "FILE:1: there is no such section"},
    {"[server\n", "FILE:1: a section's line needs a ]"},
    {"[server] listen = localhost:1\n", "FILE:1: \"listen = localhost:1\" follows"},
    {"[server main]\n", "this section has no name: write [server]"},
    {"[client-type]\n", "FILE:1: [client-type]: this section needs a name"},
    {"[client-type a b]\n", "needs a name, of one word"},
    {"[client-type aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]\n", "FILE:1: the section's "
                                                               "name is too long: at "
                                                               "most 49 bytes"},
    {"listen = localhost:1\n", "FILE:1: listen: is before any section"},
    /* the form of lines */
    {"[server]\nlisten localhost\n", "FILE:2: [server] listen: is not \"key = value\""},
    {"[server]\nlisten: localhost:1\n", "a : can't stand for ="},
    {"[server]\n= localhost:1\n", "FILE:2: [server]: there is no key before the ="},
    {"[client-type x]\ntype = y\nmy key = z\n", "FILE:3: [client-type x] my: write"},
    {"[client-type x]\ntype = y\na:b = z\n", "nor be in a key"},
    {"[tests]\npath = /a\n  /b\n", "FILE:3: [tests] /b: is indented deeper"},
    {"[tests]\n path = /a\n  repeat = 2\n", "FILE:3: [tests] repeat: is indented deeper"},
    {"[tests]\rpath = /a\r", "FILE:1: byte 8 of the line is 0x0d"},
    {"[tests]\npath = /a\033\n", "FILE:2: [tests]: byte 10 of the line is 0x1b"},
    {"\xff\xfe[\0", "FILE: is UTF-16: save it as UTF-8"},
    /* keys */
    {"[server]\nlisen = localhost:1\n",
     "FILE:2: [server] lisen: there is no such key: did you mean listen?"},
    {"[timeouts]\nidle_client = 1s\n", "did you mean idle-client?"},
    {"[timeouts]\nIdle-Client = 1s\n", "did you mean idle-client?"},
    {"[server]\nthreads = 4\n", "there is no such key: it belongs to [workers]"},
    {"[workers]\nxyzzy = 4\n", "the keys of [workers] are threads, queue"},
    {"[workers]\nqueue = 4\n\nqueue = 5\n",
     "FILE:4: [workers] queue: is already set in line 2"},
    {"[log]\nlevel = info\n[tests]\nrepeat = 2\n[log]\nlevel = info\n",
     "FILE:6: [log] level: is already set in line 2"},
    /* values */
    {"[workers]\nqueue =\n", "FILE:2: [workers] queue: has no value"},
    {"[workers]\nqueue = ; five\n", "[workers] queue: has no value"},
    {"[tests]\npath = # none\n", "[tests] path: has no value"},
    {"[tests]\npath = \"\"\n", "[tests] path: is empty"},
    {"[tests]\npath = \"/a b\n", "the quotation \"/a b doesn't end"},
    {"[tests]\npath = \"/a\"b\n", "a blank after the quotation \"/a\""},
    {"[log]\nlevel = \"info\" debug\n", "more follows after its quotation:  debug"},
    {"[workers]\nthreads = 0\n",
     "\"0\" is not allowed: write a whole number from 1 to 256"},
    {"[workers]\nthreads = 4x\n", "\"4x\" is not allowed"},
    {"[workers]\nthreads = -4\n", "\"-4\" is not allowed"},
    {"[workers]\nthreads = 4 5\n", "\"4 5\" is not allowed"},
    {"[workers]\nthreads = 99999999999999999999\n", "is not allowed"},
    {"[limits]\nbody = 1T\n", "\"1T\" is not allowed: write a number of bytes from 1K to "
                              "1G, K, M and G are understood"},
    {"[limits]\nbody = 2G\n", "from 1K to 1G"},
    {"[limits]\nbody = 1025M\n", "from 1K to 1G"},
    {"[limits]\nbody = 9223372036854775807G\n", "from 1K to 1G"},
    {"[limits]\nbody = 1\n", "from 1K to 1G"},
    {"[server]\ndurability = disk\n",
     "\"disk\" is not allowed: write process, power or none"},
    {"[tests]\nautostart = true\n", "write no or yes"},
    {"[tests]\nretries = 101\n", "a whole number from 0 to 100"},
    {"[history]\nfiles = 2097152G\n", "from 0 to 1048576G"},
    {"[limits]\nheader = 16 K\n", "\"16 K\" is not allowed"},
    {"[timeouts]\ncase = soon\n", "FILE:2: [timeouts] case: \"soon\" is not a duration"},
    {"[timeouts]\ncase = 0\n",
     "\"0\" is not allowed: write a duration from 10ms to 168h"},
    {"[timeouts]\ncase = 169h\n", "from 10ms to 168h"},
    {"[log]\nlevel = loud\n", "write error, warning, info or debug"},
    {"[log]\nlevel = INFO\n", "\"INFO\" is not allowed"},
    /* addresses and URLs */
    {"[server]\nlisten = 5000\n", "\"5000\" is no address with a port from 0 to 65535"},
    {"[server]\nlisten = localhost:65536\n", "port from 0 to 65535"},
    {"[server]\nlisten = localhost:\n", "port from 0 to 65535"},
    {"[server]\nlisten = ::1:5000\n", "port from 0 to 65535"},
    {"[server]\nlisten = [::1]5000\n", "port from 0 to 65535"},
    {"[server]\nlisten = [::1:5000\n", "port from 0 to 65535"},
    {"[server]\nlisten = [127.0.0.1]:5000\n", "has no host that can be listened on"},
    {"[server]\nlisten = example.org:5000\n", "has no host that can be listened on"},
    {"[server]\nlisten = 1.2.3:5000\n", "has no host that can be listened on"},
    {"[server]\nlisten = :5000\n", "0.0.0.0:5000 and [::]:5000 mean all"},
    {"[server]\nlisten = *:5000\n", "names no host"},
    {"[server]\nlisten = unix:run/x\n", "needs a path that begins with /"},
    {"[server]\nlisten = localhost:1 localhost:1\n",
     "FILE:2: [server] listen: an address is there twice"},
    {"[homerunner]\nurl = localhost:54321\n", "\"localhost:54321\" is not allowed: write "
                                              "http://host:port"},
    {"[homerunner]\nurl = ftp://localhost\n", "write http://host:port"},
    {"[homerunner]\nurl = http://\n", "write http://host:port"},
    {"[homerunner]\nurl = http:///a\n", "write http://host:port"},
    {"[homerunner]\nurl = http://a:0\n", "write http://host:port"},
    {"[homerunner]\nurl = http://a:b\n", "write http://host:port"},
    {"[homerunner]\nurl = http://me:secret@a\n", "url: \"…@a\" is not allowed"},
    {"[homerunner]\nurl = http://a/?b\n", "write http://host:port"},
    {"[homerunner]\nurl = http://[::1\n", "write http://host:port"},
    {"[homerunner]\nurl = http://a http://b c\n", "\"c\" is not allowed"},
    {"[homerunner]\nurl = http://a http://b\nurl = http://a/\n",
     "[homerunner] url: a homerunner is there twice"},
    /* between settings */
    /* sections with a name */
    {"\n[client-type x]\n[log]\nlevel = info\n", "FILE:2: [client-type x]: has no type"},
    {"[client-type x]\n", "FILE:1: [client-type x]: has no type"},
    {"[client-type x]\ntype = a\ntype = b\n", "FILE:3: [client-type x] type: is there "
                                              "twice"},
    {"[client-type x]\ntype = \"\"\n", "FILE:2: [client-type x] type: is empty"},
    {"[client-type x]\ntype = a\nversion = 1\nversion = 2\n", "version: is there twice"},
    {"[client-type x]\ntype = a\nversion =\n", "version: has no value"},
    {"[client-type x]\ntype = a\n[client-type  x]\ntype = b\n",
     "FILE:3: [client-type  x]: the section is there twice"},
    {"[server-type x]\n", "FILE:1: [server-type x]: has no servers"},
    {"[server-type x]\nimage = y\n", "FILE:2: [server-type x] image: there is no such "
                                     "key: did you mean images?"},
    {"[server-type x]\nimages =\n", "FILE:2: [server-type x] images: has no value"},
    {"[server-type x]\nimages = \"\"\n", "an image without a name"},
    {"[server-type x]\nimages = a\nservers = b=http://b\n", "FILE:3: [server-type x] "
                                                            "servers: a server type has "
                                                            "either"},
    {"[server-type x]\nservers = http://b\n", "\"http://b\" is not name=url"},
    {"[server-type x]\nservers = =http://b\n", "is not name=url"},
    {"[server-type x]\nservers = a=b\n", "\"b\" is not allowed: write http://host:port"},
    {"[server-type x]\nservers = a=http://b a=http://c\n", "the server a is there twice"},
    {"[server-type x]\nimages = a\n[server-type x]\nimages = b\n",
     "FILE:3: [server-type x]: the section is there twice"},
};

START_TEST(test_bad)
{
    struct config config;
    char *mistakes;

    load_bytes(&config, bad[_i].text, strlen(bad[_i].text), &mistakes);
    ck_assert_msg(mistakes != NULL, "passed: %s", bad[_i].text);
    ck_assert_msg(strstr(mistakes, bad[_i].fragment) != NULL, "%s\nsaid: %s\nnot: %s",
                  bad[_i].text, mistakes, bad[_i].fragment);
    ck_assert_msg(strchr(mistakes, '\n') == NULL, "more than one: %s", mistakes);
    free(mistakes);
    config_clear(&config);
}
END_TEST

START_TEST(test_nul)
{
    static const char text[] = "[log]\nlevel = info\0debug\n";
    struct config config;
    char *mistakes;

    load_bytes(&config, text, sizeof text - 1, &mistakes);
    ck_assert_str_eq(mistakes, "FILE:2: [log]: byte 13 of the line is 0x00, which is no "
                               "text: remove it");
    free(mistakes);
    config_clear(&config);
}
END_TEST

START_TEST(test_all_mistakes_at_once)
{
    static const char text[] =
        "\xef\xbb\xbf[servr]\r\nlisten = x\r\n[workers]\r\nthreads "
        "= 0\r\nqueue = 5 ; fine\r\nqueu = 5\r\n[client-type x]\r\n"
        "version = 1\r\n";
    struct config config;
    char *mistakes;

    load_bytes(&config, text, strlen(text), &mistakes);
    ck_assert_str_eq(mistakes,
                     "FILE:1: [servr]: there is no such section: did you mean [server]?\n"
                     "FILE:4: [workers] threads: \"0\" is not allowed: write a whole "
                     "number from 1 to 256\n"
                     "FILE:6: [workers] queu: there is no such key: did you mean queue?\n"
                     "FILE:7: [client-type x]: has no type: add \"type = \" and the type "
                     "that clients register with");
    free(mistakes);
    config_clear(&config);
}
END_TEST

START_TEST(test_countless_mistakes)
{
    struct config config;
    char *mistakes, *text = xstrdup("[log]\n");
    const char *lines = NULL;
    size_t count = 1;

    for (int i = 0; i < 60; i++) {
        char *more = xasprintf("%sa = b\n", text);
        free(text);
        text = more;
    }
    load_bytes(&config, text, strlen(text), &mistakes);
    for (lines = mistakes; (lines = strchr(lines, '\n')) != NULL; lines++)
        count++;
    ck_assert_uint_eq(count, 51);
    ck_assert_ptr_nonnull(strstr(mistakes, "\nFILE: and 10 mistakes more"));
    free(text);
    free(mistakes);
    config_clear(&config);
}
END_TEST

/* --- lengths --- */

/* "[tests]\npath =", then " /aaaaaaaa" until the line has `size` bytes. */
static char *long_list(size_t size)
{
    static const char head[] = "[tests]\npath =", word[] = " /aaaaaaaa";
    char *text = xmalloc(8 + size + 2);

    memcpy(text, head, sizeof head - 1);
    for (size_t i = sizeof head - 1; i < 8 + size; i++)
        text[i] = word[(i - sizeof head + 1) % (sizeof word - 1)];
    memcpy(text + 8 + size, "\n", 2);
    return text;
}

START_TEST(test_long_line)
{
    struct config config;
    char *text = long_list(10006), *mistakes;

    load_good(&config, text);
    ck_assert_uint_eq(config.paths.count, 1000);
    ck_assert_str_eq(config.paths.items[999], "/aaaaaaaa");
    config_clear(&config);
    free(text);

    text = long_list(65536);
    load_good(&config, text);
    ck_assert_uint_eq(config.paths.count, 6553);
    config_clear(&config);
    free(text);

    text = long_list(65537);
    load_bytes(&config, text, strlen(text), &mistakes);
    ck_assert_str_eq(mistakes, "FILE:2: [tests]: the line has 65537 bytes, at most 65536 "
                               "can be: give a list's key several times");
    config_clear(&config);
    free(mistakes);
    free(text);
}
END_TEST

START_TEST(test_lengths)
{
    struct config config;
    char *text, *mistakes;

    for (int length = 107; length <= 108; length++) {
        text = xasprintf("[server]\nlisten = unix:/%0*d\n", length - 1, 0);
        load_bytes(&config, text, strlen(text), &mistakes);
        ck_assert_int_eq(mistakes != NULL, length == 108);
        if (mistakes != NULL)
            ck_assert_ptr_nonnull(strstr(mistakes, "has 108 bytes: at most 107 can be"));
        config_clear(&config);
        free(mistakes);
        free(text);
    }
    text = xasprintf("[log]\n;%01048576d\n", 0);
    load_bytes(&config, text, strlen(text), &mistakes);
    ck_assert_str_eq(mistakes,
                     "FILE: is larger than 1048576 bytes: this is no configuration");
    config_clear(&config);
    free(mistakes);
    free(text);
}
END_TEST

/* --- what is read --- */

static void assert_list(const struct config_list *list, const char *expected)
{
    char *text = xstrdup("");

    for (size_t i = 0; i < list->count; i++) {
        char *more = xasprintf("%s%s|", text, list->items[i]);
        free(text);
        text = more;
    }
    ck_assert_str_eq(text, expected);
    free(text);
}

START_TEST(test_defaults)
{
    struct config config;
    struct settings settings;

    config_init(&config);
    settings_init(&settings);
    ck_assert_int_eq(config_load(&config, NULL, NULL), 0);
    assert_list(&config.listen, "127.0.0.1:5000|");
    ck_assert_uint_eq(config.paths.count, 1);
    ck_assert_uint_eq(config.repeat, 1);
    assert_list(&config.homerunner_urls, "http://localhost:54321|");
    ck_assert_uint_eq(config.homerunner_limit, 8);
    ck_assert_int_eq(config.homerunner_timeout_ms, 300000);
    ck_assert_int_eq(config.homerunner_connect_ms, 10000);
    ck_assert_uint_eq(config.worker_threads, 4);
    ck_assert_uint_eq(config.worker_queue, 1000);
    ck_assert_int_eq(config.idle_client_ms, 60000);
    ck_assert_int_eq(config.active_client_ms, 180000);
    ck_assert_int_eq(config.long_poll_ms, 20000);
    ck_assert_int_eq(config.long_poll_max_ms, 50000);
    ck_assert_int_eq(config.log_level, LOG_LEVEL_INFO);
    ck_assert_int_eq(config.durability, DURABILITY_PROCESS);
    ck_assert_int_eq(config.autostart, CONFIG_YES);
    ck_assert_uint_eq(config.retries, 0);
    ck_assert_uint_eq(config.history.keep, 100);
    ck_assert_uint_eq(config.history.days, 0);
    ck_assert_uint_eq(config.history.files, (size_t)10 << 30);
    ck_assert_uint_eq(config.limits.body, 1 << 20);
    ck_assert_uint_eq(config.limits.json_depth, 32);
    ck_assert_uint_eq(config.limits.header, 16384);
    ck_assert_uint_eq(config.limits.header_lines, 100);
    ck_assert_uint_eq(config.limits.connections, 0);
    ck_assert_uint_eq(config.limits.definition, 4 << 20);
    ck_assert_int_eq(config.limits.request_timeout_ms, 30000);
    ck_assert_int_eq(config.limits.idle_connection_ms, 120000);
    ck_assert_int_eq(memcmp(&config.settings, &settings, sizeof settings), 0);
    config_clear(&config);
}
END_TEST

START_TEST(test_values)
{
    struct config config;

    load_good(&config, "# a comment\n; another\n\n"
                       "[server] ; here too\n"
                       "listen = 0.0.0.0:80 [::1]:0 ; as well\n"
                       "listen=unix:/run/tl.sock\tlocalhost:65535   # as well\n"
                       "[tests]\r\n"
                       "\tpath = /a;b \"/c ;d #e\" /f#g ; /h\r\n"
                       "\tpath = i*\r\n"
                       "\trepeat = \"3\" ; times\r\n"
                       "[homerunner]\nurl = https://[::1]:54321/homerunner// http://a\n"
                       "url = http://b ; as well\nlimit = 2\n"
                       "timeout = 1.5m\nconnect-timeout = 250ms\n"
                       "[limits]\nbody = 2M\nheader = 8k\ndefinition = 4096\n"
                       "[ log ]\nlevel = debug\n"
                       "[server]\ndurability = power\nstate-dir = /s\n"
                       "[history]\nkeep = 0\ndays = 30\nfiles = 3g\n"
                       "[tests]\npath = /last\nautostart = no\nretries = 2");
    assert_list(&config.listen, "0.0.0.0:80|[::1]:0|unix:/run/tl.sock|localhost:65535|");
    assert_list(&config.paths, "/a;b|/c ;d #e|/f#g|i*|/last|");
    ck_assert_uint_eq(config.repeat, 3);
    assert_list(&config.homerunner_urls,
                "https://[::1]:54321/homerunner|http://a|http://b|");
    ck_assert_uint_eq(config.homerunner_limit, 2);
    ck_assert_int_eq(config.homerunner_timeout_ms, 90000);
    ck_assert_int_eq(config.homerunner_connect_ms, 250);
    ck_assert_uint_eq(config.limits.body, 2 << 20);
    ck_assert_uint_eq(config.limits.header, 8192);
    ck_assert_uint_eq(config.limits.definition, 4096);
    ck_assert_int_eq(config.log_level, LOG_LEVEL_DEBUG);
    ck_assert_int_eq(config.durability, DURABILITY_POWER);
    ck_assert_int_eq(config.autostart, CONFIG_NO);
    ck_assert_uint_eq(config.retries, 2);
    ck_assert_uint_eq(config.history.keep, 0);
    ck_assert_uint_eq(config.history.days, 30);
    ck_assert_uint_eq(config.history.files, (size_t)3 << 30);
    config_clear(&config);
}
END_TEST

static void assert_state_folder(const char *file, const char *expected)
{
    struct config config;

    load_good(&config, file);
    char *folder = config_state_folder(&config);
    ck_assert_str_eq(folder, expected);
    free(folder);
    config_clear(&config);
}

START_TEST(test_state_folder)
{
    unsetenv("STATE_DIRECTORY");
    assert_state_folder("[server]\nstate-dir = /mine\n", "/mine");
    setenv("STATE_DIRECTORY", "/run/one:/run/two", 1);
    assert_state_folder("", "/run/one");
    assert_state_folder("[server]\nstate-dir = /mine\n", "/mine");
    setenv("STATE_DIRECTORY", "", 1);
    struct config config;
    config_init(&config);
    ck_assert_str_ne(config.state_dir, "");
    config_clear(&config);
    unsetenv("STATE_DIRECTORY");
}
END_TEST

START_TEST(test_named_sections)
{
    struct config config;

    load_good(&config, "[server-type outside]\n"
                       "servers = hs1=http://localhost:8008/ hs2=https://b/c\n"
                       "servers = hs3=http://[::1]:1\n"
                       "[client-type web-develop]\n"
                       "version = *-develop* ; a glob\n"
                       "type = element-web\n"
                       "title = \"\"\n"
                       "[server-type synapse]\nimages = a \"b c\"\n"
                       "[client-type any]\ntype = two words ; of them\n");
    const struct settings *settings = &config.settings;
    const struct server_type *outside = settings_server_type(settings, "outside");
    const struct server_type *synapse = settings_server_type(settings, "synapse");
    ck_assert_uint_eq(settings->server_type_count, 2);
    ck_assert_uint_eq(outside->server_count, 3);
    ck_assert_uint_eq(outside->image_count, 0);
    ck_assert_str_eq(outside->servers[0].server_name, "hs1");
    ck_assert_str_eq(outside->servers[0].cs_api, "http://localhost:8008");
    ck_assert_str_eq(outside->servers[1].cs_api, "https://b/c");
    ck_assert_str_eq(outside->servers[2].server_name, "hs3");
    ck_assert_uint_eq(synapse->image_count, 2);
    ck_assert_str_eq(synapse->images[1], "b c");
    ck_assert_uint_eq(settings->client_type_count, 2);
    ck_assert_str_eq(settings->client_types[0].name, "web-develop");
    ck_assert_str_eq(settings->client_types[0].type, "element-web");
    ck_assert_uint_eq(settings->client_types[0].glob_count, 2);
    ck_assert_str_eq(settings->client_types[0].globs[0].member, "version");
    ck_assert_str_eq(settings->client_types[0].globs[0].glob, "*-develop*");
    ck_assert_str_eq(settings->client_types[0].globs[1].glob, "");
    ck_assert_str_eq(settings->client_types[1].type, "two words");
    config_clear(&config);
}
END_TEST

START_TEST(test_empty_files)
{
    static const char *const texts[] = {
        "", "\n", "\xef\xbb\xbf", "; no end of line", "[server]", "[server]\n[server]\n"};
    struct config config;

    for (size_t i = 0; i < LENGTH(texts); i++) {
        load_good(&config, texts[i]);
        assert_list(&config.listen, "127.0.0.1:5000|");
        config_clear(&config);
    }
}
END_TEST

START_TEST(test_unreadable)
{
    struct config config;
    char *mistakes = NULL;

    config_init(&config);
    ck_assert_int_eq(config_load(&config, "/tmp/", &mistakes), -1);
    ck_assert_str_eq(mistakes,
                     "/tmp/: cannot be read: Is a directory; name a file, not a "
                     "folder");
    free(mistakes);
    mistakes = NULL;
    ck_assert_int_eq(config_load(&config, "/nowhere/a.ini", &mistakes), -1);
    ck_assert_str_eq(
        mistakes, "/nowhere/a.ini: cannot be read: No such file or directory; check the "
                  "path, or start without a configuration for the defaults");
    free(mistakes);
    config_clear(&config);
}
END_TEST

/* --- the command line's layer --- */

START_TEST(test_set)
{
    struct config config;
    char *cause = NULL;

    load_good(&config, "[server]\nlisten = localhost:1 localhost:2\n");
    ck_assert_int_eq(config_set(&config, "server", "listen", "localhost:3 x", &cause),
                     -1);
    ck_assert_ptr_nonnull(cause);
    free(cause);
    assert_list(&config.listen, "localhost:1|localhost:2|");
    ck_assert_int_eq(config_set(&config, "server", "listen", "localhost:3", NULL), 0);
    ck_assert_int_eq(config_set(&config, "server", "listen", "localhost:4", NULL), 0);
    assert_list(&config.listen, "localhost:3|localhost:4|");
    ck_assert_int_eq(config_set(&config, "homerunner", "url", "http://a/", NULL), 0);
    assert_list(&config.homerunner_urls, "http://a|");
    ck_assert_int_eq(config_check(&config, NULL), 0);
    ck_assert_int_eq(config_set(&config, "server", "listen", "localhost:4", NULL), 0);
    cause = NULL;
    ck_assert_int_eq(config_check(&config, &cause), -1);
    ck_assert_str_eq(cause, "[server] listen: an address is there twice: each can be "
                            "listened on once");
    free(cause);
    config_clear(&config);
}
END_TEST

static const struct {
    const char *section, *key, *value, *cause;
} unsettable[] = {
    {"server", "lisen", "x", "there is no such key: did you mean listen?"},
    {"sever", "listen", "x", "there is no such section: did you mean [server]?"},
    {"client-type", "type", "x", "[client-type NAME] can only be set in a file"},
    {"workers", "queue", "", "has no value: give it one or leave the line out"},
    {"workers", "queue", "5 ; five",
     "\"5 ; five\" is not allowed: write a whole number from 1 to 1000000"},
};

START_TEST(test_unsettable)
{
    struct config config;
    char *cause = NULL;

    config_init(&config);
    ck_assert_int_eq(config_set(&config, unsettable[_i].section, unsettable[_i].key,
                                unsettable[_i].value, &cause),
                     -1);
    ck_assert_str_eq(cause, unsettable[_i].cause);
    free(cause);
    config_clear(&config);
}
END_TEST

static Suite *config_suite(void)
{
    Suite *suite = suite_create("config");
    TCase *files = tcase_create("files");
    TCase *layers = tcase_create("layers");

    tcase_add_loop_test(files, test_bad, 0, (int)LENGTH(bad));
    tcase_add_test(files, test_nul);
    tcase_add_test(files, test_all_mistakes_at_once);
    tcase_add_test(files, test_countless_mistakes);
    tcase_add_test(files, test_long_line);
    tcase_add_test(files, test_lengths);
    tcase_add_test(files, test_values);
    tcase_add_test(files, test_state_folder);
    tcase_add_test(files, test_named_sections);
    tcase_add_test(files, test_empty_files);
    tcase_add_test(files, test_unreadable);
    tcase_add_test(layers, test_defaults);
    tcase_add_test(layers, test_set);
    tcase_add_loop_test(layers, test_unsettable, 0, (int)LENGTH(unsettable));
    suite_add_tcase(suite, files);
    suite_add_tcase(suite, layers);
    return suite;
}

static int load_and_tell(const char *file)
{
    struct config config;
    char *mistakes = NULL;

    config_init(&config);
    int result = config_load(&config, file, &mistakes);
    if (mistakes != NULL)
        fprintf(stderr, "%s\n", mistakes);
    free(mistakes);
    config_clear(&config);
    return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--describe") == 0) {
        config_describe(stdout);
        return EXIT_SUCCESS;
    }
    if (argc == 3 && strcmp(argv[1], "--load") == 0)
        return load_and_tell(argv[2]);
    SRunner *runner = srunner_create(config_suite());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
