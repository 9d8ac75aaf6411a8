/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of pages look at them with. */
#include "looking.h"

#include "json.h"
#include "xalloc.h"

#include <check.h>
#include <libxml/HTMLparser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if LIBXML_VERSION >= 21200
typedef const xmlError *parse_error;
#else
typedef xmlErrorPtr parse_error;
#endif

static int parse_errors; /* what the parser complained of in the latest page */

static void parse_error_cb(void *context, parse_error error)
{
    (void)context;
    if (error->code == XML_HTML_UNKNOWN_TAG) /* it knows no HTML5 */
        return;
    parse_errors++;
    printf("line %d: %s", error->line, error->message);
}

void check_sound(const char *page, size_t size)
{
    ck_assert_uint_eq(strlen(page), size);
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)page[i] < 0x20 && strchr("\t\n", page[i]) == NULL)
            ck_abort_msg("byte 0x%02x at %zu", (unsigned)page[i], i);
    parse_errors = 0;
    xmlSetStructuredErrorFunc(NULL, parse_error_cb);
    htmlDocPtr document =
        htmlReadMemory(page, (int)size, NULL, "UTF-8", HTML_PARSE_NONET);
    xmlSetStructuredErrorFunc(NULL, NULL);
    ck_assert_ptr_nonnull(document);
    ck_assert_int_eq(parse_errors, 0);
    xmlFreeDoc(document);
}

char *page_of(page_fn *make, struct json_object *document)
{
    size_t size = 0;
    char *page = make(document, &size);

    check_sound(page, size);
    json_object_put(document);
    return page;
}

void has(const char *page, const char *text)
{
    ck_assert_msg(strstr(page, text) != NULL, "no \"%.200s\" in:\n%.3000s", text, page);
}

void has_not(const char *page, const char *text)
{
    ck_assert_msg(strstr(page, text) == NULL, "\"%.200s\" is in:\n%.3000s", text, page);
}

size_t count(const char *page, const char *text)
{
    size_t found = 0;

    for (; (page = strstr(page, text)) != NULL; page++)
        found++;
    return found;
}

struct json_object *document(const char *text)
{
    struct json_object *value = NULL;
    char *copy = xstrdup(text), *cause = NULL;

    for (char *p = copy; (p = strchr(p, '\'')) != NULL;)
        *p = '"';
    int result = json_read(copy, strlen(copy), 32, &value, &cause);
    ck_assert_msg(result == 0, "%s", cause);
    free(copy);
    return value;
}

struct json_object *many(size_t amount, const char *element_text)
{
    struct json_object *array = json_new_array();

    for (size_t i = 0; i < amount; i++)
        json_append(array, document(element_text));
    return array;
}
