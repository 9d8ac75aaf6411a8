/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of requests as JSON objects. */
#include "body.h"

#include "form.h"
#include "http.h"
#include "json.h"
#include "utf8.h"
#include "xalloc.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool has_media_type(const struct http_exchange *exchange, const char *type)
{
    const char *given = http_header(exchange, "Content-Type");
    size_t size = given != NULL ? strcspn(given, "; \t") : 0;

    return size == strlen(type) && strncasecmp(given, type, size) == 0;
}

static int put_field(const char *name, size_t name_size, const char *value,
                     size_t value_size, void *argument)
{
    if (strlen(name) != name_size || utf8_valid_length(name, name_size) != name_size ||
        utf8_valid_length(value, value_size) != value_size)
        return -1;
    json_put(argument, name, xcheck(json_object_new_string_len(value, (int)value_size)));
    return 0;
}

static struct json_object *read_form(struct http_exchange *exchange, const char *text,
                                     size_t size)
{
    struct json_object *object = json_new_object();

    if (form_each(text, size, put_field, object) == 0)
        return object;
    json_object_put(object);
    http_problem(exchange, 400, "the form has a name or a value that is not UTF-8 text");
    return NULL;
}

static struct json_object *read_json(struct http_exchange *exchange, const char *text,
                                     size_t size, int depth)
{
    struct json_object *value = NULL;
    char *cause = NULL;
    char *copy = xstrndup(text, size); /* json_read() wants a NUL after it */

    if (strlen(copy) != size)
        cause_set(&cause, "a NUL is not allowed in JSON");
    else if (json_read(copy, size, depth, &value, &cause) == 0 &&
             !json_object_is_type(value, json_type_object))
        cause_set(&cause, "it must be an object ({…})");
    free(copy);
    if (cause == NULL)
        return value;
    json_object_put(value);
    http_problem(exchange, 400, "the body is not the JSON that is wanted here: %s",
                 cause);
    free(cause);
    return NULL;
}

struct json_object *body_read_object(struct http_exchange *exchange, int depth)
{
    size_t size;
    const char *text = http_body(exchange, &size);

    if (has_media_type(exchange, "multipart/form-data")) {
        http_problem(exchange, 415,
                     "multipart/form-data is taken by /client/<id>/upload only: "
                     "send JSON or a form");
        return NULL;
    }
    if (size == 0)
        return json_new_object();
    if (has_media_type(exchange, "application/x-www-form-urlencoded") && *text != '{')
        return read_form(exchange, text, size);
    return read_json(exchange, text, size, depth);
}
