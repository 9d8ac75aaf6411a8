/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time as the engine knows it: always handed in, never asked for. Durations as people
 * write them. Any thread.
 */
#ifndef TL_CLOCK_H
#define TL_CLOCK_H

#include <json-c/json.h>
#include <stdint.h>

/* A moment, on two clocks: one for time-outs, one for people. */
struct instant {
    int64_t
        mono_ms; /* milliseconds on a clock that never jumps; time-outs use only this */
    int64_t
        wall_ms; /* milliseconds since 1970-01-01T00:00Z; shown, never calculated with */
};

/* A duration longer than this (about 68 years) is a mistake. */
#define DURATION_MAX_MS INT64_C(2147483647000)

/* Read "250ms", "5s", "10m", "1h" or a number of seconds (decimals allowed) into *ms.
 * Gives 0, or -1 with *cause. */
int duration_parse(const char *text, int64_t *ms, char **cause);

/* "5m", "1500ms": the duration in the largest unit that needs no fraction. Owned by the
 * caller. */
char *duration_format(int64_t ms);

#define CLOCK_TEXT_SIZE 25 /* "2026-11-22T20:17:00.123Z" and its NUL */

/* Write a wall time as RFC 3339 in UTC, with milliseconds. Returns text. */
char *clock_format(int64_t wall_ms, char text[CLOCK_TEXT_SIZE]);

/* The moment as JSON, [mono, wall], owned by the caller; and back from it. What is none
 * is the moment zero. */
struct json_object *instant_json(const struct instant *instant);
struct instant instant_read(struct json_object *json);

#endif
