/* SPDX-License-Identifier: Apache-2.0 */
/* Times for people, and durations as people write them. */
#include "clock.h"

#include "json.h"
#include "xalloc.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct {
    const char *suffix;
    double ms;
} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"", 1000}};

int duration_parse(const char *text, int64_t *ms, char **cause)
{
    size_t digits = strspn(text, "0123456789.");
    char *end = NULL;
    double number = digits > 0 ? strtod(text, &end) : NAN;

    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (end != text + digits || strcmp(end, units[i].suffix) != 0)
            continue;
        if (number * units[i].ms > (double)DURATION_MAX_MS) {
            cause_set(cause, "\"%.40s\" is not a duration: the longest is %lldh", text,
                      (long long)(DURATION_MAX_MS / 3600000));
            return -1;
        }
        *ms = (int64_t)llround(number * units[i].ms);
        return 0;
    }
    cause_set(
        cause,
        "\"%.40s\" is not a duration: write 250ms, 5s, 10m, 1h or a number of seconds",
        text);
    return -1;
}

char *duration_format(int64_t ms)
{
    static const struct {
        int64_t ms;
        const char *suffix;
    } whole[] = {{3600000, "h"}, {60000, "m"}, {1000, "s"}};

    for (size_t i = 0; ms > 0 && i < sizeof whole / sizeof *whole; i++) {
        if (ms % whole[i].ms == 0)
            return xasprintf("%" PRId64 "%s", ms / whole[i].ms, whole[i].suffix);
    }
    return xasprintf("%" PRId64 "ms", ms);
}

char *clock_format(int64_t wall_ms, char text[CLOCK_TEXT_SIZE])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm parts;

    gmtime_r(&seconds, &parts);
    size_t size = strftime(text, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text + size, CLOCK_TEXT_SIZE - size, ".%03uZ",
             (unsigned)(wall_ms % 1000) % 1000);
    return text;
}

struct json_object *instant_json(const struct instant *instant)
{
    struct json_object *json = json_new_array();

    json_append(json, xcheck(json_object_new_int64(instant->mono_ms)));
    json_append(json, xcheck(json_object_new_int64(instant->wall_ms)));
    return json;
}

struct instant instant_read(struct json_object *json)
{
    if (!json_object_is_type(json, json_type_array) || json_object_array_length(json) < 2)
        return (struct instant){0};
    return (struct instant){
        .mono_ms = json_object_get_int64(json_object_array_get_idx(json, 0)),
        .wall_ms = json_object_get_int64(json_object_array_get_idx(json, 1)),
    };
}
