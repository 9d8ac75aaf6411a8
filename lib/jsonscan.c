/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines and doubled members, found by walking over the text once more. The text is known
 * to be well-formed JSON with its comments blanked, so the walk needs no error handling.
 */
#include "jsonscan.h"

#include "hash.h"
#include "xalloc.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

static const char *skip_space(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

static const char *skip_string(const char *p)
{
    for (p++; *p != '"'; p++) {
        if (*p == '\\')
            p++;
    }
    return p + 1;
}

static const char *skip_value(const char *p)
{
    int depth = 0;

    p = skip_space(p);
    do {
        if (*p == '"') {
            p = skip_string(p);
            continue;
        }
        if (*p == '{' || *p == '[')
            depth++;
        else if (*p == '}' || *p == ']')
            depth--;
        p++;
        if (depth == 0) /* the rest of a number or a literal */
            p += strcspn(p, ",]} \t\r\n");
    } while (depth > 0);
    return p;
}

/* The string that begins at p, without its escapes. Owned by the caller. */
static char *read_name(const char *p)
{
    size_t size = (size_t)(skip_string(p) - p);
    char *name = xstrndup(p + 1, size - 2);

    if (strchr(name, '\\') == NULL)
        return name;
    free(name);
    char *quoted = xstrndup(p, size);
    struct json_object *value = xcheck(json_tokener_parse(quoted));
    name = xstrdup(json_object_get_string(value));
    json_object_put(value);
    free(quoted);
    return name;
}

/* Call it for each member or element. `p` is at the bracket. */
typedef void visit_fn(const char *name, size_t index, const char *value, void *argument);

static void each_child(const char *p, visit_fn *visit, void *argument)
{
    bool is_object = *p == '{';

    p = skip_space(p + 1);
    for (size_t index = 0; *p != '}' && *p != ']'; index++) {
        char *name = NULL;
        if (is_object) {
            name = read_name(p);
            p = skip_space(skip_space(skip_string(p)) + 1);
        }
        visit(name, index, p, argument);
        free(name);
        p = skip_space(skip_value(p));
        if (*p == ',')
            p = skip_space(p + 1);
    }
}

/* --- lines --- */

struct wanted {
    const struct where *where; /* which child */
    const char *found;         /* where its value begins */
};

static void find_child(const char *name, size_t index, const char *value, void *argument)
{
    struct wanted *wanted = argument;

    if (wanted->where->member != NULL
            ? name != NULL && strcmp(name, wanted->where->member) == 0
            : index == wanted->where->index)
        wanted->found = value;
    /* of a member that is there twice, the last one counts */
}

static const char *find_place(const char *text, const struct where *where)
{
    if (where == NULL || where->member == WHERE_FILE)
        return skip_space(text);
    const char *parent = find_place(text, where->up);
    if (where->member == NULL && *parent != '[')
        return parent; /* the root's own frame */
    if (*parent != '{' && *parent != '[')
        return parent;
    struct wanted wanted = {.where = where};
    each_child(parent, find_child, &wanted);
    return wanted.found != NULL ? wanted.found : parent;
}

int jsonscan_line(const char *text, const struct where *where)
{
    int line = 1;

    if (text == NULL)
        return 0;
    const char *place = find_place(text, where);
    for (const char *p = text; p < place; p++)
        line += *p == '\n';
    return line;
}

/* --- doubled members --- */

struct seen {
    char *name;        /* owned */
    UT_hash_handle hh; /* by name */
};

struct object_walk {
    struct mistakes *mistakes; /* where to note */
    const struct where *where; /* the object or array that is walked over */
    struct seen *names;        /* its members so far; owned */
};

static void walk(const char *p, struct mistakes *mistakes, const struct where *where);

static void visit_member(const char *name, size_t index, const char *value,
                         void *argument)
{
    struct object_walk *object = argument;
    struct where where = {object->where, name, index};
    struct seen *seen = NULL;

    if (name != NULL) {
        HASH_FIND_STR(object->names, name, seen);
        if (seen != NULL) {
            mistake_error(object->mistakes, &where,
                          "the member \"%s\" is there twice: only one could count", name);
        } else {
            seen = xcalloc(1, sizeof *seen);
            seen->name = xstrdup(name);
            HASH_ADD_KEYPTR(hh, object->names, seen->name, strlen(seen->name), seen);
        }
    }
    walk(value, object->mistakes, &where);
}

static void walk(const char *p, struct mistakes *mistakes, const struct where *where)
{
    struct object_walk object = {.mistakes = mistakes, .where = where};
    struct seen *seen, *next;

    if (*p != '{' && *p != '[')
        return;
    each_child(p, visit_member, &object);
    HASH_ITER (hh, object.names, seen, next) {
        HASH_DEL(object.names, seen);
        free(seen->name);
        free(seen);
    }
}

void jsonscan_duplicates(const char *text, struct mistakes *mistakes)
{
    walk(skip_space(text), mistakes, NULL);
}
