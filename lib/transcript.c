/* SPDX-License-Identifier: Apache-2.0 */
/* What happened in a case, line by line. */
#include "transcript.h"

#include "utf8.h"
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>

#define LINE_BYTES 2000

void transcript_add(struct transcript *transcript, const struct instant *now,
                    enum transcript_kind kind, const char *role, const char *format, ...)
{
    char text[LINE_BYTES + 2]; /* one byte more than fits, so that it shows */
    va_list arguments;

    if (transcript->count == transcript->limit) {
        transcript->dropped++;
        return;
    }
    if (transcript->count == transcript->capacity) {
        transcript->capacity = transcript->capacity ? 2 * transcript->capacity : 16;
        transcript->lines = xreallocarray(transcript->lines, transcript->capacity,
                                          sizeof *transcript->lines);
    }
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    transcript->lines[transcript->count++] = (struct transcript_line){
        now->wall_ms, kind, role, utf8_shorten(text, LINE_BYTES)};
}

void transcript_clear(struct transcript *transcript)
{
    for (size_t i = 0; i < transcript->count; i++)
        free(transcript->lines[i].text);
    free(transcript->lines);
    transcript->lines = NULL;
    transcript->count = transcript->capacity = 0;
}

const char *transcript_kind_text(enum transcript_kind kind)
{
    static const char *const texts[] = {
#define TRANSCRIPT_TEXT(name, text) text,
        TRANSCRIPT_KINDS(TRANSCRIPT_TEXT)
#undef TRANSCRIPT_TEXT
    };

    return texts[kind];
}
