/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Problem documents (RFC 9457) and reason phrases. Any thread.
 */
#include <assert.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "http_internal.h"
#include "xalloc.h"

/* By status; evhttp lacks some, and spells others as they were before RFC 9110. */
static const struct {
    int status;         /* of the answer */
    const char *phrase; /* how it is called */
} phrases[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

const char *http_problem_phrase(int status)
{
    for (size_t i = 0; i < sizeof(phrases) / sizeof(*phrases); i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return status < 400 ? "OK" : "Error";
}

/* How many bytes the UTF-8 character here has, or 0 if it is none. */
static size_t utf8_length(const unsigned char *text)
{
    static const struct {
        unsigned char first, last; /* range of the first byte */
        unsigned char low, high;   /* range of the second */
        size_t length;             /* bytes in all */
    } forms[] = {
        {0x01, 0x7f, 0x00, 0xff, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2},
        {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
        {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    size_t form = 0, length = 1;
    while (text[0] < forms[form].first || text[0] > forms[form].last)
        if (++form == sizeof(forms) / sizeof(*forms))
            return 0;
    if (forms[form].length > 1 &&
        (text[1] < forms[form].low || text[1] > forms[form].high))
        return 0;
    for (length = 2; length < forms[form].length; length++)
        if ((text[length] & 0xc0) != 0x80)
            return 0;
    return forms[form].length;
}

/* A sentence may quote what a client sent. */
static char *utf8_clean(const char *text)
{
    char *clean = xstrdup(text);
    for (unsigned char *at = (unsigned char *)clean; *at;) {
        size_t length = utf8_length(at);
        if (length == 0)
            *at = '?';
        at += length ? length : 1;
    }
    return clean;
}

char *http_problem_text(int status, const char *detail)
{
    char *clean = utf8_clean(detail);
    struct json_object *problem = xcheck(json_object_new_object());
    json_object_object_add(problem, "type",
                           xcheck(json_object_new_string("about:blank")));
    json_object_object_add(problem, "title",
                           xcheck(json_object_new_string(http_problem_phrase(status))));
    json_object_object_add(problem, "status", xcheck(json_object_new_int(status)));
    json_object_object_add(problem, "detail", xcheck(json_object_new_string(clean)));
    const char *printed = json_object_to_json_string_ext(
        problem, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    assert(printed);
    char *text = xstrdup(printed);
    json_object_put(problem);
    free(clean);
    return text;
}
