/* SPDX-License-Identifier: Apache-2.0 */
/* XML and HTML that can't be ill-formed. libxml2 escapes; markup_clean() sees to the
 * characters. */
#include "markup.h"

#include "utf8.h"
#include "xalloc.h"

#include <libxml/xmlwriter.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 64

struct markup {
    xmlBufferPtr buffer;     /* where the text grows; owned */
    xmlTextWriterPtr writer; /* writes there; owned */
    bool is_html;            /* else XML */
    bool is_void[DEPTH_MAX]; /* of each open element: it gets no end tag */
    size_t depth;            /* how many elements are open */
};

static void must(int result)
{
    if (result < 0) /* libxml2 writes to memory: nothing else can go wrong */
        xcheck(NULL);
}

static bool is_xml_character(uint32_t c)
{
    return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c < 0xfffe) ||
           c >= 0x10000;
}

char *markup_clean(const char *text)
{
    size_t size = strlen(text);
    char *clean = NULL;
    size_t clean_size;
    FILE *out = xcheck(open_memstream(&clean, &clean_size));

    for (size_t at = 0; at < size;) {
        uint32_t character = 0;
        size_t length = utf8_read(text + at, size - at, &character);
        if (length > 0 && is_xml_character(character))
            fwrite(text + at, 1, length, out);
        else
            fputs("\xef\xbf\xbd", out);
        at += length > 0 ? length : 1;
    }
    if (fclose(out) != 0)
        xcheck(NULL);
    return clean;
}

static struct markup *markup_new(bool is_html)
{
    struct markup *markup = xcalloc(1, sizeof *markup);

    markup->is_html = is_html;
    markup->buffer = xcheck(xmlBufferCreate());
    xmlBufferSetAllocationScheme(markup->buffer, XML_BUFFER_ALLOC_DOUBLEIT);
    markup->writer = xcheck(xmlNewTextWriterMemory(markup->buffer, 0));
    return markup;
}

struct markup *markup_new_xml(void)
{
    struct markup *markup = markup_new(false);

    must(xmlTextWriterSetIndent(markup->writer, 1));
    must(xmlTextWriterStartDocument(markup->writer, NULL, "UTF-8", NULL));
    return markup;
}

struct markup *markup_new_part(void)
{
    struct markup *markup = markup_new(false);

    must(xmlTextWriterSetIndent(markup->writer, 1));
    return markup;
}

void markup_put_part(struct markup *markup, const char *part)
{
    must(xmlTextWriterWriteRaw(markup->writer, BAD_CAST "\n"));
    must(xmlTextWriterWriteRaw(markup->writer, BAD_CAST part));
}

struct markup *markup_new_html(void)
{
    struct markup *markup = markup_new(true);

    must(xmlTextWriterWriteRaw(markup->writer, BAD_CAST "<!DOCTYPE html>\n"));
    return markup;
}

static bool is_void_element(const char *element)
{
    static const char *const names[] = {"br", "hr", "img", "input", "link", "meta"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], element) == 0)
            return true;
    }
    return false;
}

static void write_attribute(struct markup *markup, const char *name, const char *value)
{
    char *clean = markup_clean(value);

    must(xmlTextWriterWriteAttribute(markup->writer, BAD_CAST name, BAD_CAST clean));
    free(clean);
}

static void open_element(struct markup *markup, const char *element, va_list attributes)
{
    const char *name;

    if (markup->depth == DEPTH_MAX)
        abort();
    must(xmlTextWriterStartElement(markup->writer, BAD_CAST element));
    markup->is_void[markup->depth++] = markup->is_html && is_void_element(element);
    while ((name = va_arg(attributes, const char *)) != NULL) {
        const char *value = va_arg(attributes, const char *);
        if (value != NULL)
            write_attribute(markup, name, value);
    }
}

void markup_open(struct markup *markup, const char *element, ...)
{
    va_list attributes;

    va_start(attributes, element);
    open_element(markup, element, attributes);
    va_end(attributes);
}

void markup_close(struct markup *markup)
{
    bool is_void = markup->is_void[--markup->depth];

    if (markup->is_html && !is_void)
        must(xmlTextWriterFullEndElement(markup->writer));
    else
        must(xmlTextWriterEndElement(markup->writer));
}

void markup_text(struct markup *markup, const char *text)
{
    char *clean = markup_clean(text);

    must(xmlTextWriterWriteString(markup->writer, BAD_CAST clean));
    free(clean);
}

void markup_textf(struct markup *markup, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *text = xvasprintf(format, arguments);
    va_end(arguments);
    markup_text(markup, text);
    free(text);
}

void markup_attributef(struct markup *markup, const char *name, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *text = xvasprintf(format, arguments);
    va_end(arguments);
    write_attribute(markup, name, text);
    free(text);
}

void markup_element(struct markup *markup, const char *element, const char *text, ...)
{
    va_list attributes;

    va_start(attributes, text);
    open_element(markup, element, attributes);
    va_end(attributes);
    markup_text(markup, text);
    markup_close(markup);
}

char *markup_finish(struct markup *markup, size_t *size)
{
    while (markup->depth > 0)
        markup_close(markup);
    must(xmlTextWriterEndDocument(markup->writer));
    xmlFreeTextWriter(markup->writer);
    size_t length = (size_t)xmlBufferLength(markup->buffer);
    char *text = xstrndup((const char *)xmlBufferContent(markup->buffer), length);
    if (size != NULL)
        *size = length;
    xmlBufferFree(markup->buffer);
    free(markup);
    return text;
}
