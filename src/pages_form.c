/* SPDX-License-Identifier: Apache-2.0 */
/* Forms on a page. */
#include "pages_form.h"

#include "pages_text.h"
#include "xalloc.h"

#include <stdlib.h>

void form_put_value(struct markup *markup, const char *attribute, const char *text)
{
    markup_attributef(markup, attribute, "%s", text);
}

void form_open(struct markup *markup, const char *id, const char *verb,
               const char *encoding)
{
    char *segment = text_segment(id);

    markup_open(markup, "form", "method", "post", "enctype", encoding, NULL);
    markup_attributef(markup, "action", "/manual/%s/%s", segment, verb);
    free(segment);
}

void form_put_hidden(struct markup *markup, const char *name, const char *value)
{
    markup_open(markup, "input", "type", "hidden", "name", name, NULL);
    form_put_value(markup, "value", value);
    markup_close(markup);
}

void form_put_button(struct markup *markup, const char *class, const char *name,
                     const char *value, const char *label)
{
    char *visible = text_visible(label, TEXT_BOARD_BYTES);

    markup_open(markup, "button", "type", "submit", "class", class, "name", name, NULL);
    if (name != NULL)
        form_put_value(markup, "value", value);
    markup_text(markup, visible);
    markup_close(markup);
    free(visible);
}

/* The label of the field of this name, and its hint under it. Leaves a <div> open. */
static void open_field(struct markup *markup, const char *name, const char *label,
                       const char *hint)
{
    markup_open(markup, "div", "class", "field", NULL);
    markup_open(markup, "label", "for", name, NULL);
    text_put(markup, label, 0);
    markup_close(markup);
    if (*hint == '\0')
        return;
    markup_open(markup, "p", "class", "hint", NULL);
    markup_attributef(markup, "id", "%s-hint", name);
    text_put(markup, hint, 0);
    markup_close(markup);
}

static void put_names(struct markup *markup, const char *name, const char *hint)
{
    form_put_value(markup, "id", name);
    form_put_value(markup, "name", name);
    if (*hint != '\0')
        markup_attributef(markup, "aria-describedby", "%s-hint", name);
}

void form_put_line(struct markup *markup, const char *name, const char *label,
                   const char *hint, const char *value, const char *list)
{
    open_field(markup, name, label, hint);
    markup_open(markup, "input", "type", "text", "autocomplete", "off", "autocapitalize",
                "none", "spellcheck", "false", "list", list, NULL);
    put_names(markup, name, hint);
    form_put_value(markup, "value", value);
    markup_close(markup);
    markup_close(markup);
}

void form_put_lines(struct markup *markup, const char *name, const char *label,
                    const char *hint)
{
    open_field(markup, name, label, hint);
    markup_open(markup, "textarea", "rows", "3", NULL);
    put_names(markup, name, hint);
    markup_text(markup, "");
    markup_close(markup);
    markup_close(markup);
}
