/* SPDX-License-Identifier: Apache-2.0 */
/* What a page is asked to show, and how it is asked for something else. */
#include "pages_query.h"

#include "json.h"
#include "pages_text.h"
#include "xalloc.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IGNORED_SHOWN 5   /* mistakes in an address that are named */
#define NAMES_SHOWN   500 /* words that can be chosen from */

static bool is_one_of(const char *value, const char *const *values)
{
    for (; values != NULL && *values != NULL; values++) {
        if (strcmp(value, *values) == 0)
            return true;
    }
    return values == NULL;
}

static const struct query_field *find_field(const struct query *query, const char *name)
{
    const struct query_field *field = query->fields;

    while (field->name != NULL && strcmp(field->name, name) != 0)
        field++;
    return field->name != NULL ? field : NULL;
}

const char *query_value(const struct query *query, const char *name)
{
    const struct query_field *field = find_field(query, name);
    const char *value = field != NULL ? text_member(query->asked, name) : "";

    return field != NULL && is_one_of(value, field->values) ? value : "";
}

bool query_is(const struct query *query, const char *name, const char *value)
{
    return strcmp(query_value(query, name), value) == 0;
}

/* --- links --- */

static void put_pair(FILE *out, const char *name, const char *value, bool *is_first)
{
    char *segment = text_segment(value);

    if (*value != '\0') {
        fprintf(out, "%s%s=%s", *is_first ? "" : "&", name, segment);
        *is_first = false;
    }
    free(segment);
}

char *query_link(const struct query *query, const char *name, const char *value)
{
    char *link = NULL;
    size_t size;
    bool is_first = true, is_part = strcmp(name, "page") == 0;
    FILE *out = xcheck(open_memstream(&link, &size));

    fputc('?', out);
    for (const struct query_field *field = query->fields; field->name; field++) {
        if (strcmp(field->name, name) == 0)
            put_pair(out, name, value, &is_first);
        else if (is_part || strcmp(field->name, "page") != 0)
            put_pair(out, field->name, query_value(query, field->name), &is_first);
    }
    if (fclose(out) != 0)
        xcheck(NULL);
    return link;
}

void query_open_link(struct markup *markup, const struct query *query, const char *name,
                     const char *value)
{
    char *link = query_link(query, name, value);

    markup_open(markup, "a", "href", link, NULL);
    free(link);
}

/* --- what was not understood --- */

static void put_mistake(struct markup *markup, const struct query_field *field,
                        const char *name, const char *value)
{
    markup_open(markup, "li", NULL);
    text_put_in(markup, "code", NULL, name);
    if (field == NULL) {
        markup_text(markup, " is nothing that can be asked for here");
    } else {
        markup_text(markup, " can't be ");
        text_put(markup, value, TEXT_BOARD_BYTES);
        markup_text(markup, ", only ");
        for (const char *const *known = field->values; *known != NULL; known++)
            markup_textf(markup, "%s%s", known == field->values ? "" : ", ", *known);
    }
    markup_close(markup);
}

/* Gives how many mistakes there are; writes the first ones if there is a markup. */
static size_t each_mistake(const struct query *query, struct markup *markup)
{
    size_t count = 0;

    if (!json_object_is_type(query->asked, json_type_object))
        return 0;
    json_object_object_foreach (query->asked, name, member) {
        const struct query_field *field = find_field(query, name);
        const char *value = text_member(query->asked, name);
        (void)member;
        if (field != NULL && (*value == '\0' || is_one_of(value, field->values)))
            continue;
        if (markup != NULL && count < IGNORED_SHOWN)
            put_mistake(markup, field, name, value);
        count++;
    }
    return count;
}

void query_put_ignored(struct markup *markup, const struct query *query)
{
    size_t count = each_mistake(query, NULL);

    if (count == 0)
        return;
    markup_open(markup, "div", "class", "notice", "id", "ignored", NULL);
    markup_element(markup, "p", "This part of the address was left aside:", NULL);
    markup_open(markup, "ul", NULL);
    each_mistake(query, markup);
    if (count > IGNORED_SHOWN) {
        markup_open(markup, "li", NULL);
        markup_textf(markup, "and %zu more", count - IGNORED_SHOWN);
        markup_close(markup);
    }
    markup_close(markup);
    markup_close(markup);
}

/* --- a form --- */

void query_open_form(struct markup *markup, const struct query *query, const char *label,
                     const char *const *kept)
{
    markup_open(markup, "form", "class", "filter", "method", "get", "role", "search",
                "aria-label", label, NULL);
    for (; *kept != NULL; kept++) {
        const char *value = query_value(query, *kept);
        if (*value == '\0')
            continue;
        markup_open(markup, "input", "type", "hidden", "name", *kept, "value", value,
                    NULL);
        markup_close(markup);
    }
}

static void open_field(struct markup *markup, const char *label)
{
    markup_text(markup, " ");
    markup_open(markup, "label", NULL);
    markup_element(markup, "span", label, NULL);
    markup_text(markup, " ");
}

static void put_option(struct markup *markup, const char *value, const char *text,
                       bool is_chosen)
{
    char *visible = text_visible(text, TEXT_BOARD_BYTES), *sent = text_visible(value, 0);

    markup_element(markup, "option", visible, "value", sent, "selected",
                   is_chosen ? "selected" : NULL, NULL);
    free(sent);
    free(visible);
}

void query_put_choice(struct markup *markup, const struct query *query, const char *name,
                      const char *label, const char *const *options)
{
    const char *chosen = query_value(query, name);

    open_field(markup, label);
    markup_open(markup, "select", "name", name, NULL);
    for (; *options != NULL; options += 2)
        put_option(markup, options[0], options[1], strcmp(options[0], chosen) == 0);
    markup_close(markup);
    markup_close(markup);
}

void query_put_names(struct markup *markup, const struct query *query, const char *name,
                     const char *label, const char *any, struct json_object *names)
{
    const char *chosen = query_value(query, name);
    size_t count = 0;

    open_field(markup, label);
    markup_open(markup, "select", "name", name, NULL);
    put_option(markup, "", any, *chosen == '\0');
    if (*chosen != '\0' && !json_object_object_get_ex(names, chosen, NULL))
        put_option(markup, chosen, chosen, true);
    json_object_object_foreach (names, word, member) {
        (void)member;
        if (count++ < NAMES_SHOWN || strcmp(word, chosen) == 0)
            put_option(markup, word, word, strcmp(word, chosen) == 0);
    }
    markup_close(markup);
    markup_close(markup);
}

void query_put_text(struct markup *markup, const struct query *query, const char *name,
                    const char *label)
{
    char *value = text_visible(query_value(query, name), 0);

    open_field(markup, label);
    markup_open(markup, "input", "type", "search", "name", name, "value", value,
                "autocomplete", "off", NULL);
    markup_close(markup);
    markup_close(markup);
    free(value);
}

/* Where all is shown that the form leaves out. */
static char *cleared_link(const struct query *query, const char *const *cleared)
{
    struct json_object *asked = json_new_object();
    struct query rest = {asked, query->fields};

    for (const struct query_field *field = query->fields; field->name; field++) {
        bool is_cleared = is_one_of(field->name, cleared);
        json_put_text(asked, field->name,
                      is_cleared ? "" : query_value(query, field->name));
    }
    char *link = query_link(&rest, "", "");
    json_object_put(asked);
    return link;
}

void query_close_form(struct markup *markup, const struct query *query,
                      const char *const *cleared)
{
    bool is_set = false;

    for (const char *const *name = cleared; *name != NULL; name++)
        is_set = is_set || !query_is(query, *name, "");
    markup_text(markup, " ");
    markup_element(markup, "button", "Show", "type", "submit", NULL);
    if (is_set) {
        char *link = cleared_link(query, cleared);
        markup_text(markup, " ");
        markup_element(markup, "a", "Clear", "href", link, NULL);
        free(link);
    }
    markup_close(markup);
}

/* --- parts of a list --- */

struct query_part query_part(const struct query *query, size_t total, size_t size)
{
    struct query_part part = {.total = total};
    const char *asked = query_value(query, "page");
    unsigned long page = isdigit((unsigned char)*asked) ? strtoul(asked, NULL, 10) : 1;

    part.pages = total > 0 ? (total + size - 1) / size : 1;
    part.page = page < 1 ? 1 : page > part.pages ? part.pages : page;
    part.first = (part.page - 1) * size;
    part.count = total - part.first < size ? total - part.first : size;
    return part;
}

void query_put_range(struct markup *markup, const struct query_part *part, size_t all,
                     const char *what)
{
    markup_open(markup, "p", "class", part->total > 0 ? "range" : "empty", NULL);
    if (part->total == 0)
        markup_textf(markup, "None of the %zu %s%s fits.", all, what,
                     all == 1 ? "" : "s");
    else if (part->pages > 1)
        markup_textf(markup, "%zu to %zu of %zu %ss", part->first + 1,
                     part->first + part->count, part->total, what);
    else
        markup_textf(markup, "%zu %s%s", part->total, what, part->total == 1 ? "" : "s");
    if (part->total > 0 && part->total < all)
        markup_textf(markup, " that fit, of %zu", all);
    markup_close(markup);
}

/* A link to a part, or its words where it can't be gone to. */
static void put_step(struct markup *markup, const struct query *query,
                     const struct query_part *part, size_t page, const char *text)
{
    char *number = xasprintf("%zu", page);

    markup_open(markup, "li", NULL);
    if (page < 1 || page > part->pages || page == part->page) {
        markup_element(markup, "span", text, "class", "none", NULL);
    } else {
        query_open_link(markup, query, "page", page == 1 ? "" : number);
        markup_text(markup, text);
        markup_close(markup);
    }
    markup_close(markup);
    markup_text(markup, " ");
    free(number);
}

void query_put_parts(struct markup *markup, const struct query *query,
                     const struct query_part *part)
{
    if (part->pages < 2)
        return;
    markup_open(markup, "nav", "class", "parts", "aria-label", "Pages of the list", NULL);
    markup_open(markup, "ul", NULL);
    put_step(markup, query, part, 1, "« First");
    put_step(markup, query, part, part->page - 1, "‹ Previous");
    markup_open(markup, "li", NULL);
    markup_textf(markup, "Page %zu of %zu", part->page, part->pages);
    markup_close(markup);
    markup_text(markup, " ");
    put_step(markup, query, part, part->page + 1, "Next ›");
    put_step(markup, query, part, part->pages, "Last »");
    markup_close(markup);
    markup_close(markup);
}
