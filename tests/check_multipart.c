/* SPDX-License-Identifier: Apache-2.0 */
/* Forms with files: what is read of good ones, and what is said of bad ones. */
#include "multipart.h"
#include "xalloc.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPE "multipart/form-data; boundary=bound"
#define PART "Content-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n"
#define A    "--bound\r\n" PART "\r\nhello\r\n"
#define END  "--bound--\r\n"

/* What is in a body, as "name/filename/content;…", or the cause with "!" before it. The
 * body is copied to memory of just its size, so that a sanitizer sees who reads past
 * it. */
static char *read_form(const char *type, const char *body, size_t size, size_t limit)
{
    char *text = NULL, *cause = NULL, *copy = xmalloc(size > 0 ? size : 1);
    size_t length;
    struct multipart_part part;
    int more = -1;

    memcpy(copy, body, size);
    struct multipart *form = multipart_new(type, copy, size, limit, &cause);
    FILE *out = open_memstream(&text, &length);
    while (form != NULL && (more = multipart_next(form, &part, &cause)) > 0)
        fprintf(out, "%s/%s/%.*s;", part.name, part.filename ? part.filename : "-",
                (int)part.size, part.data);
    fclose(out);
    multipart_free(form);
    free(copy);
    ck_assert_msg((more < 0) == (cause != NULL), "a cause goes with an error");
    if (more == 0)
        return text;
    free(text);
    text = xasprintf("!%s", cause);
    free(cause);
    return text;
}

static const struct {
    const char *type; /* NULL: TYPE */
    const char *body;
    const char *wanted; /* all that is read; after "!", a part of the cause */
} table[] = {
    {NULL, A END, "file/a.txt/hello;"},
    {NULL, A "--bound--", "file/a.txt/hello;"},
    {NULL, A "--bound-- \t\r\n\r\n", "file/a.txt/hello;"},
    {NULL, A A END, "file/a.txt/hello;file/a.txt/hello;"},
    {NULL, END, ""},
    {NULL, "--bound \t\r\n" PART "\r\n--bound--", "file/a.txt/;"},
    {NULL, "--bound\r\n" PART "\r\n\r\n--bound--", "file/a.txt/;"},
    {NULL, "--bound\r\n" PART "\r\n\r\n\r\n--bound--", "file/a.txt/\r\n;"},
    {NULL, "--bound\r\n" PART "\r\na--bound\r\n--boun\n--bound--x\r\n-bound\r\n" END,
     "file/a.txt/a--bound\r\n--boun\n--bound--x\r\n-bound;"},
    {NULL, "--bound\r\nX: y\r\ncontent-DISPOSITION:form-data;name=a\r\n\r\nb\r\n" END,
     "a/-/b;"},
    {NULL,
     "--bound\r\nContent-Disposition: form-data; filename=\"a\\\"b\\\\c\"; "
     "name=\"\"\r\n\r\nb\r\n" END,
     "/a\"b\\c/b;"},
    {NULL,
     "--bound\r\nContent-Disposition: form-data; name=f; "
     "filename=\"C:\\dir\\a.txt\"\r\n\r\n\r\n" END,
     "f/C:\\dir\\a.txt/;"},
    {NULL,
     "--bound\r\nContent-Disposition: form-data; name=f; "
     "filename*=UTF-8''%41; filename=b;\r\n\r\n\r\n" END,
     "f/b/;"},
    {NULL, "--bound\r\n" PART "Content-Transfer-Encoding: binary\r\n\r\nx\r\n" END,
     "file/a.txt/x;"},
    {"Multipart/Form-Data;charset=utf-8; BOUNDARY=\"bound\"", A END, "file/a.txt/hello;"},
    {"multipart/form-data; boundary=\"a b:=?\"",
     "--a b:=?\r\n" PART "\r\nx\r\n--a b:=?--", "file/a.txt/x;"},

    {"multipart/form-data", A END, "!names no boundary"},
    {"multipart/form-data; boundary", A END, "!can't be understood"},
    {"multipart/form-data; boundary=", A END, "!can't be understood"},
    {"multipart/form-data; boundary=\"\"", A END, "!a boundary is 1 to 70"},
    {"multipart/form-data; boundary=\"bound", A END, "!can't be understood"},
    {"multipart/form-data; boundary=\"bound \"", A END, "!a boundary is 1 to 70"},
    {"multipart/form-data; boundary=\"b\xc3\xa4\"", A END, "!a boundary is 1 to 70"},
    {"multipart/form-data; boundary=bound; boundary=x", A END, "!can't be understood"},
    {"multipart/form-data; boundary=bound x", A END, "!can't be understood"},
    {"multipart/form-data; boundary="
     "0123456789012345678901234567890123456789012345678901234567890123456789x",
     A END, "!a boundary is 1 to 70"},
    {NULL, "", "!empty"},
    {NULL, "hello", "!does not begin"},
    {NULL, "\r\n" A END, "!does not begin"},
    {NULL, "--other\r\n", "!does not begin"},
    {NULL, A, "!within the content of a part, after 0 whole parts"},
    {NULL, "--bound", "!ends right behind a boundary"},
    {NULL, "--boundary\r\n" PART "\r\nx\r\n" END, "!followed by something else"},
    {NULL, "--bound\r\n" PART "\r\nx\r\n--bounds\r\n" END, "!followed by something else"},
    {NULL, "--bound\r\n" PART "\r\nx\r\n--bound\r\nmore\r\n" END, "!part 2: a header"},
    {NULL, A END "more", "!follows the closing boundary"},
    {NULL, A "--bound--\n", "!follows the closing boundary"},
    {NULL, A "--bound-\r\n", "!followed by something else"},
    {NULL, "--bound\n", "!followed by something else"},
    {NULL, "--bound\r\nA: b\n\n", "!must end in CR LF"},
    {NULL, "--bound\r\nA: b\nC: d\r\n\r\n", "!must end in CR LF"},
    {NULL, "--bound\r\n" PART "\nx\r\n" END, "!must end in CR LF"},
    {NULL, "--bound\r\nA: \rb\r\n\r\n" END, "!control character"},
    {NULL, "--bound\r\nA: \x7f\r\n\r\n" END, "!control character"},
    {NULL, "--bound\r\n" PART " folded\r\n\r\n" END, "!one line"},
    {NULL, "--bound\r\nno header\r\n\r\n" END, "!one line"},
    {NULL, "--bound\r\nA : b\r\n\r\n" END, "!one line"},
    {NULL, "--bound\r\n: b\r\n\r\n" END, "!one line"},
    {NULL, "--bound\r\n\r\nx\r\n" END, "!part 1: it has no Content-Disposition"},
    {NULL, "--bound\r\n" PART PART "\r\nx\r\n" END, "!one Content-Disposition"},
    {NULL, "--bound\r\nContent-Disposition: form-data\r\n\r\nx\r\n" END, "!needs one"},
    {NULL, "--bound\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n" END,
     "!needs one"},
    {NULL, "--bound\r\nContent-Disposition: form-data; name=\"a\r\n\r\nx\r\n" END,
     "!needs one"},
    {NULL, "--bound\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\n\r\n" END,
     "!needs one"},
    {NULL,
     "--bound\r\nContent-Disposition: form-data; name=a; filename=b; "
     "filename=c\r\n\r\n\r\n" END,
     "!needs one"},
    {NULL, "--bound\r\nContent-Disposition: form-data; name=a b\r\n\r\n\r\n" END,
     "!needs one"},
    {NULL, "--bound\r\n" PART "Content-Transfer-Encoding: base64\r\n\r\nx\r\n" END,
     "!Content-Transfer-Encoding"},
};

START_TEST(bodies_are_read)
{
    const char *type = table[_i].type ? table[_i].type : TYPE;
    const char *wanted = table[_i].wanted;
    char *got = read_form(type, table[_i].body, strlen(table[_i].body), 10);

    if (*wanted == '!')
        ck_assert_msg(*got == '!' && strstr(got, wanted + 1), "%s: %s", table[_i].body,
                      got);
    else
        ck_assert_str_eq(got, wanted);
    free(got);
}
END_TEST

START_TEST(every_cut_is_noticed)
{
    static const char body[] =
        A "--bound\r\nContent-Disposition: form-data; name=\"b\"\r\nContent-Type: "
          "text/plain\r\n\r\nline\r\n\r\n--boun\r\n--bound--";

    for (size_t size = 0; size < strlen(body); size++) {
        char *got = read_form(TYPE, body, size, 10);
        ck_assert_msg(*got == '!', "cut after %zu it gives %s", size, got);
        free(got);
    }
    char *got = read_form(TYPE, body, strlen(body), 10);
    ck_assert_str_eq(got, "file/a.txt/hello;b/-/line\r\n\r\n--boun;");
    free(got);
}
END_TEST

/* Whatever one byte becomes, nothing breaks. */
START_TEST(every_byte_may_be_wrong)
{
    static const char body[] = A A END;
    static const char bytes[] = "\0\r\n\"\\-;: \xff";

    for (size_t at = 0; at < strlen(body); at++) {
        for (size_t i = 0; i < sizeof bytes; i++) {
            char *copy = xstrdup(body);
            copy[at] = bytes[i];
            free(read_form(TYPE, copy, strlen(body), 10));
            free(copy);
        }
    }
}
END_TEST

static char *many(const char *text, size_t count, const char *after, size_t *size)
{
    char *all = NULL;
    FILE *out = open_memstream(&all, size);

    for (size_t i = 0; i < count; i++)
        fputs(text, out);
    fputs(after, out);
    fclose(out);
    return all;
}

START_TEST(parts_have_a_limit)
{
    static const struct {
        size_t parts;
        bool good;
    } counts[] = {{99, true}, {100, true}, {101, false}, {10000, false}};

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        size_t size;
        char *body = many(A, counts[i].parts, END, &size);
        char *got = read_form(TYPE, body, size, 100);
        ck_assert_int_eq(*got != '!', counts[i].good);
        ck_assert(counts[i].good || strstr(got, "more than 100 parts"));
        free(got);
        free(body);
    }
}
END_TEST

START_TEST(headers_have_limits)
{
    size_t size;
    char *lines = many("A: b\r\n", 19, PART "\r\nx\r\n" END, &size);
    char *body = xasprintf("--bound\r\n%s", lines);
    char *got = read_form(TYPE, body, strlen(body), 1);
    ck_assert_str_eq(got, "file/a.txt/x;");
    free(got);
    free(body);
    body = xasprintf("--bound\r\nA: b\r\n%s", lines);
    got = read_form(TYPE, body, strlen(body), 1);
    ck_assert_ptr_nonnull(strstr(got, "too many headers"));
    free(got);
    free(body);
    free(lines);
    lines = many("x", 10000, "\r\n" PART "\r\nx\r\n" END, &size);
    body = xasprintf("--bound\r\nA: %s", lines);
    got = read_form(TYPE, body, strlen(body), 1);
    ck_assert_ptr_nonnull(strstr(got, "too long"));
    free(got);
    free(body);
    free(lines);
}
END_TEST

START_TEST(content_is_bytes)
{
    static const char head[] = "--bound\r\n" PART "\r\n", tail[] = "\r\n" END;
    char body[sizeof head + sizeof tail + 256];
    struct multipart_part part;
    size_t size = 0;

    memcpy(body, head, strlen(head));
    size += strlen(head);
    for (int byte = 0; byte < 256; byte++)
        body[size++] = (char)byte;
    memcpy(body + size, tail, strlen(tail));
    size += strlen(tail);
    struct multipart *form = multipart_new(TYPE, body, size, 1, NULL);
    ck_assert_int_eq(multipart_next(form, &part, NULL), 1);
    ck_assert_uint_eq(part.size, 256);
    ck_assert_mem_eq(part.data, body + strlen(head), 256);
    ck_assert_int_eq(multipart_next(form, &part, NULL), 0);
    multipart_free(form);
}
END_TEST

START_TEST(the_type_is_known)
{
    ck_assert(multipart_is_meant("multipart/form-data"));
    ck_assert(multipart_is_meant("MULTIPART/form-data; boundary=x"));
    ck_assert(!multipart_is_meant(NULL));
    ck_assert(!multipart_is_meant(""));
    ck_assert(!multipart_is_meant("multipart/mixed; boundary=x"));
    ck_assert(!multipart_is_meant("multipart/form-database"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("multipart");
    TCase *tcase = tcase_create("multipart");

    tcase_add_loop_test(tcase, bodies_are_read, 0, sizeof table / sizeof *table);
    tcase_add_test(tcase, every_cut_is_noticed);
    tcase_add_test(tcase, every_byte_may_be_wrong);
    tcase_add_test(tcase, parts_have_a_limit);
    tcase_add_test(tcase, headers_have_limits);
    tcase_add_test(tcase, content_is_bytes);
    tcase_add_test(tcase, the_type_is_known);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
