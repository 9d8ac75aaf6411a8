/* SPDX-License-Identifier: Apache-2.0 */
/* Test definitions on disk: first all files are listed, then their texts are
 * collected. */
#include "suites.h"

#include "data.h"
#include "json.h"
#include "sources.h"
#include "utf8.h"
#include "xalloc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <glob.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEST_FILES       "*_test.json"
#define DICTIONARY_FILES "*.actions.json"
#define FOLDERS_DEEP     16 /* folders within one another that are read */
#define JSON_DEPTH       64 /* nesting of a definition */

/* A file that was found. */
struct file {
    char *name; /* as it was reached; owned */
    char *real; /* the same for every way to it; owned */
};

/* The files that were found, in order. */
struct file_list {
    struct file *files;        /* each once; owned */
    size_t count;              /* length of files */
    size_t reached;            /* how often a file was found, the same ones again too */
    struct mistakes *mistakes; /* is filled */
};

static void list_add(struct file_list *list, const char *name)
{
    list->reached++;
    if (utf8_valid_length(name, strlen(name)) < strlen(name)) {
        char *clean = utf8_clean(name);
        mistakes_set_file(list->mistakes, clean, NULL);
        mistake_error(list->mistakes, NULL,
                      "has a name that is not UTF-8: give it another one");
        free(clean);
        return;
    }
    char *real = realpath(name, NULL);
    if (real == NULL)
        real = xstrdup(name); /* reading it will tell why */
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->files[i].real, real) == 0) {
            free(real);
            return;
        }
    }
    list->files = xreallocarray(list->files, list->count + 1, sizeof *list->files);
    list->files[list->count++] = (struct file){xstrdup(name), real};
}

static void list_clear(struct file_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->files[i].name);
        free(list->files[i].real);
    }
    free(list->files);
}

static bool has_form(const char *path, const char *pattern)
{
    const char *slash = strrchr(path, '/');

    return fnmatch(pattern, slash != NULL ? slash + 1 : path, 0) == 0;
}

static bool is_ours(const char *path)
{
    return has_form(path, TEST_FILES) || has_form(path, DICTIONARY_FILES);
}

/* --- finding --- */

/* The folders that are being walked: a chain, each on the stack of who reads it. */
struct walk {
    const struct walk *up; /* the folder around this one; NULL for the path's own */
    dev_t device;          /* with inode: which folder it is, whatever leads to it */
    ino_t inode;           /* see device */
    int depth;             /* 0 for the path's own */
};

static bool walk_has(const struct walk *walk, const struct stat *status)
{
    for (; walk != NULL; walk = walk->up) {
        if (walk->device == status->st_dev && walk->inode == status->st_ino)
            return true;
    }
    return false;
}

static void find_below(struct file_list *list, const char *path, const struct walk *up);

static void find_in_entries(struct file_list *list, const char *folder,
                            const struct walk *here)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort);

    if (count < 0) {
        mistakes_set_file(list->mistakes, folder, NULL);
        mistake_error(list->mistakes, NULL, "the folder can't be read: %s",
                      strerror(errno));
        return;
    }
    for (int i = 0; i < count; i++) {
        char *path = xasprintf("%s/%s", folder, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.')
            find_below(list, path, here);
        free(path);
        free(entries[i]);
    }
    free(entries);
}

static void find_in_folder(struct file_list *list, const char *folder,
                           const struct stat *status, const struct walk *up)
{
    struct walk here = {up, status->st_dev, status->st_ino,
                        up != NULL ? up->depth + 1 : 0};

    if (walk_has(up, status))
        return; /* a link to a folder that it is in: its files are being listed */
    if (here.depth < FOLDERS_DEEP) {
        find_in_entries(list, folder, &here);
    } else {
        mistakes_set_file(list->mistakes, folder, NULL);
        mistake_error(list->mistakes, NULL,
                      "the folder is not read: only %d folders within one another are; "
                      "name it as a path of its own",
                      FOLDERS_DEEP);
    }
}

/* What nobody named: a folder, or a file whose name has to say that it is one of ours. */
static void find_below(struct file_list *list, const char *path, const struct walk *up)
{
    struct stat status;

    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        find_in_folder(list, path, &status, up);
    else if (is_ours(path))
        list_add(list, path);
}

static void find_named(struct file_list *list, const char *path)
{
    struct stat status;

    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        find_in_folder(list, path, &status, NULL);
    else
        list_add(list, path);
}

/* Whether there is anything that fits. */
static bool find_matches(struct file_list *list, const char *pattern)
{
    glob_t found = {0};
    bool is_good = glob(pattern, 0, NULL, &found) == 0;

    for (size_t i = 0; is_good && i < found.gl_pathc; i++)
        find_below(list, found.gl_pathv[i], NULL);
    globfree(&found);
    return is_good;
}

static void find_path(struct file_list *list, const char *path)
{
    struct stat status;
    size_t before = list->reached;
    bool exists = lstat(path, &status) == 0 || errno == EACCES;

    if (exists)
        find_named(list, path); /* also if it could be read as a glob of another file */
    else
        exists = find_matches(list, path);
    if (list->reached == before) {
        mistakes_set_file(list->mistakes, path, NULL);
        mistake_error(list->mistakes, NULL,
                      exists ? "there is no " TEST_FILES " in it"
                             : "there is no such file or folder");
    }
}

/* --- reading --- */

/* The whole file with a NUL after it, owned; NULL with *cause. */
static char *read_file(const char *path, size_t limit, size_t *size, char **cause)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    char *text = NULL;

    *size = 0;
    if (fd < 0 || fstat(fd, &status) < 0) {
        cause_set(cause, "can't be read: %s", strerror(errno));
    } else if (!S_ISREG(status.st_mode)) {
        cause_set(cause, "is no regular file");
    } else if ((size_t)status.st_size > limit) {
        cause_set(cause, "has %zu bytes; [limits] definition allows %zu",
                  (size_t)status.st_size, limit);
    } else {
        text = xcalloc((size_t)status.st_size + 1, 1);
        while (*size < (size_t)status.st_size) {
            ssize_t part = read(fd, text + *size, (size_t)status.st_size - *size);
            if (part <= 0)
                break;
            *size += (size_t)part;
        }
    }
    if (fd >= 0)
        close(fd);
    return text;
}

/* --- collecting --- */

/* On which line, from 1, this byte of the text is. */
static int line_of(const char *text, size_t at)
{
    int line = 1;

    for (size_t i = 0; i < at; i++)
        line += text[i] == '\n';
    return line;
}

/* Read a file into the sources, unless it is there. */
static void collect_text(struct json_object *sources, const char *path, size_t limit)
{
    char *cause = NULL;
    size_t size;

    if (sources_has(sources, path))
        return;
    char *text = read_file(path, limit, &size, &cause);
    if (text != NULL && utf8_valid_length(text, size) < size) {
        cause_set(&cause, "line %d: the text is not UTF-8",
                  line_of(text, utf8_valid_length(text, size)));
        free(text);
        text = NULL;
    } else if (text != NULL && memchr(text, '\0', size) != NULL) {
        cause_set(&cause, "has a NUL character in it, which no JSON has");
        free(text);
        text = NULL;
    }
    sources_set_text(sources, path, text, cause);
    free(text);
    free(cause);
}

/* Read the files of flows that a definition includes, relative to its own. */
static void collect_includes(struct json_object *sources, const char *path, size_t limit)
{
    const char *text = json_member_text(json_member(sources, "texts"), path);
    bool may_include = text != NULL && strstr(text, "\"include\"") != NULL;
    struct json_object *includes =
        may_include ? sources_includes(path, text) : json_new_array();

    for (size_t i = 0; i < json_object_array_length(includes); i++)
        collect_text(sources,
                     json_object_get_string(json_object_array_get_idx(includes, i)),
                     limit);
    json_object_put(includes);
}

/* The folder that the file is in: "chat" for /suites/chat/a_test.json. Owned. */
static char *folder_name(const char *path)
{
    char *real = realpath(path, NULL);
    char *copy = real != NULL ? real : xstrdup(path);
    char *folder = utf8_clean(basename(dirname(copy)));

    free(copy);
    if (strcmp(folder, "/") == 0 || strcmp(folder, ".") == 0)
        *folder = '\0';
    return folder;
}

struct json_object *suites_collect(const struct suites_source *source,
                                   struct mistakes *mistakes)
{
    struct file_list list = {.mistakes = mistakes};
    struct json_object *sources = sources_new();

    for (size_t i = 0; i < source->action_count; i++)
        find_path(&list, source->actions[i]);
    for (size_t i = 0; i < source->path_count; i++)
        find_path(&list, source->paths[i]);
    for (size_t i = 0; i < list.count; i++) {
        const char *path = list.files[i].name;
        bool is_test = !has_form(path, DICTIONARY_FILES);
        char *folder = folder_name(path);
        sources_add(sources, path, folder, is_test);
        collect_text(sources, path, source->file_limit);
        if (is_test)
            collect_includes(sources, path, source->file_limit);
        free(folder);
    }
    list_clear(&list);
    return sources;
}

struct dictionary *suites_dictionary(void)
{
    struct dictionary *dictionary = dictionary_new();
    struct mistakes *mistakes = mistakes_new();
    char *text = suites_dictionary_text();
    struct json_object *root = NULL;
    char *cause = NULL;

    json_blank_comments(text, strlen(text));
    if (json_read(text, strlen(text), JSON_DEPTH, &root, &cause) < 0)
        abort(); /* it was checked when the program was built */
    dictionary_add(dictionary, root, mistakes);
    json_object_put(root);
    mistakes_free(mistakes);
    free(text);
    return dictionary;
}

char *suites_dictionary_text(void)
{
    return xstrndup((const char *)data_dictionary, data_dictionary_size);
}

size_t suites_load(const struct suites_source *source, struct dictionary *dictionary,
                   const struct settings *settings, struct mistakes *mistakes,
                   void (*each)(struct definition *definition, void *argument),
                   void *argument)
{
    struct json_object *sources = suites_collect(source, mistakes);
    size_t tests = sources_load(sources, dictionary, settings, mistakes, each, argument);

    json_object_put(sources);
    return tests;
}
