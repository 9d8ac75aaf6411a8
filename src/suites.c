/* SPDX-License-Identifier: Apache-2.0 */
/* Test definitions on disk. First all files are listed, then dictionaries are read, then
 * tests. */
#include "suites.h"

#include "compile.h"
#include "data.h"
#include "json.h"
#include "jsonscan.h"
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
    char *real = realpath(name, NULL);

    list->reached++;
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
    bool exists = lstat(path, &status) == 0;

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

/* The file's document and its text, for lines in messages; both owned, NULL with a
 * mistake. */
static struct json_object *read_json(const char *path, size_t limit, char **text,
                                     struct mistakes *mistakes)
{
    struct json_object *root = NULL;
    char *cause = NULL;
    size_t size;

    mistakes_set_file(mistakes, path, NULL);
    *text = read_file(path, limit, &size, &cause);
    if (*text != NULL) {
        json_blank_comments(*text, size);
        if (json_read(*text, size, JSON_DEPTH, &root, &cause) == 0) {
            mistakes_set_file(mistakes, path, *text);
            jsonscan_duplicates(*text, mistakes);
        }
    }
    if (cause != NULL)
        mistake_error(mistakes, NULL, "%s", cause);
    free(cause);
    return root;
}

struct dictionary *suites_dictionary(void)
{
    struct dictionary *dictionary = dictionary_new();
    struct mistakes *mistakes = mistakes_new();
    char *text = xstrndup((const char *)data_dictionary, data_dictionary_size);
    struct json_object *root = NULL;
    char *cause = NULL;

    json_blank_comments(text, data_dictionary_size);
    if (json_read(text, data_dictionary_size, JSON_DEPTH, &root, &cause) < 0)
        abort(); /* it was checked when the program was built */
    dictionary_add(dictionary, root, mistakes);
    json_object_put(root);
    mistakes_free(mistakes);
    free(text);
    return dictionary;
}

static void read_dictionary(const char *path, size_t limit, struct dictionary *dictionary,
                            struct mistakes *mistakes)
{
    char *text = NULL;
    struct json_object *root = read_json(path, limit, &text, mistakes);

    if (root != NULL)
        dictionary_add(dictionary, root, mistakes);
    json_object_put(root);
    free(text);
}

/* The folder that the file is in: "chat" for /suites/chat/a_test.json. Owned. */
static char *folder_name(const char *path)
{
    char *real = realpath(path, NULL);
    char *copy = real != NULL ? real : xstrdup(path);
    char *folder = xstrdup(basename(dirname(copy)));

    free(copy);
    if (strcmp(folder, "/") == 0 || strcmp(folder, ".") == 0)
        *folder = '\0';
    return folder;
}

/* "chat/verify_client_test.json": the file as people know it. Owned. */
static char *short_name(const char *path, const char *folder)
{
    const char *slash = strrchr(path, '/');

    return xasprintf("%s%s%s", folder, *folder ? "/" : "",
                     slash != NULL ? slash + 1 : path);
}

/* Read the files of flows that the definition includes, relative to its own. */
static void read_includes(struct definition *definition, const char *path, size_t limit,
                          struct mistakes *mistakes, const char *text)
{
    const char *slash = strrchr(path, '/');
    int folder = slash != NULL ? (int)(slash - path) + 1 : 0;

    for (size_t i = 0; i < definition->include_count; i++) {
        char *file = xasprintf("%.*s%s", folder, path, definition->includes[i]);
        char *included_text = NULL;
        struct json_object *root = read_json(file, limit, &included_text, mistakes);
        mistakes_set_file(mistakes, path, text);
        if (root != NULL) {
            definition_include(definition, file, included_text, root, mistakes);
        } else {
            struct where list = {NULL, "include", 0};
            struct where here = {&list, NULL, i};
            mistake_error(mistakes, &here, "%.200s can't be included",
                          definition->includes[i]);
            free(included_text);
        }
        free(file);
    }
}

/* The definition, owned; NULL, and every mistake in the file is noted. */
static struct definition *read_definition(const char *path, size_t limit,
                                          const struct dictionary *dictionary,
                                          const struct settings *settings,
                                          struct mistakes *mistakes, char **text)
{
    size_t before = mistakes_noted(mistakes);
    struct json_object *root = read_json(path, limit, text, mistakes);
    char *folder = folder_name(path);
    char *name = short_name(path, folder);
    struct definition *definition = NULL;

    if (root != NULL)
        definition = definition_read(root, name, folder, dictionary, settings, mistakes);
    if (definition != NULL)
        read_includes(definition, path, limit, mistakes, *text);
    if (definition != NULL && mistakes_noted(mistakes) > before) {
        /* it will not run, but its author is to hear of what is wrong further down, too */
        machine_release(compile_case(definition, 0, settings, mistakes));
        definition_free(definition);
        definition = NULL;
    }
    json_object_put(root);
    free(name);
    free(folder);
    return definition;
}

size_t suites_load(const struct suites_source *source, struct dictionary *dictionary,
                   const struct settings *settings, struct mistakes *mistakes,
                   void (*each)(struct definition *definition, void *argument),
                   void *argument)
{
    struct file_list list = {.mistakes = mistakes};
    size_t tests = 0;

    for (size_t i = 0; i < source->action_count; i++)
        find_path(&list, source->actions[i]);
    for (size_t i = 0; i < source->path_count; i++)
        find_path(&list, source->paths[i]);
    for (size_t i = 0; i < list.count; i++) {
        if (has_form(list.files[i].name, DICTIONARY_FILES))
            read_dictionary(list.files[i].name, source->file_limit, dictionary, mistakes);
    }
    for (size_t i = 0; i < list.count; i++) {
        char *text = NULL;
        if (has_form(list.files[i].name, DICTIONARY_FILES))
            continue;
        tests++;
        struct definition *definition =
            read_definition(list.files[i].name, source->file_limit, dictionary, settings,
                            mistakes, &text);
        if (definition != NULL)
            each(definition, argument);
        mistakes_set_file(mistakes, list.files[i].name, NULL);
        free(text);
    }
    list_clear(&list);
    return tests;
}
