/* SPDX-License-Identifier: Apache-2.0 */
/* What is built in, by name. */
#include "assets.h"

#include "data.h"

#include <string.h>

#define CSS    "text/css; charset=utf-8"
#define SCRIPT "text/javascript; charset=utf-8"

static const struct asset {
    const char *name;          /* below /static/ */
    const char *type;          /* of its content */
    const unsigned char *data; /* see src/data.h */
    const size_t *size;        /* bytes of data */
} assets[] = {
    {"style.css", CSS, data_style, &data_style_size},
    {"live.js", SCRIPT, data_live, &data_live_size},
    {"manual.js", SCRIPT, data_manual, &data_manual_size},
};

void assets_get(struct http_exchange *exchange, void *context)
{
    const char *name = http_parameter(exchange, "name");

    (void)context;
    for (size_t i = 0; name != NULL && i < sizeof assets / sizeof *assets; i++) {
        if (strcmp(assets[i].name, name) != 0)
            continue;
        http_add_header(exchange, "X-Content-Type-Options", "nosniff");
        http_add_header(exchange, "Cache-Control", "max-age=3600");
        http_reply(exchange, 200, assets[i].type, assets[i].data, *assets[i].size);
        return;
    }
    http_problem(exchange, 404,
                 "there is no such file: style.css, live.js and manual.js "
                 "are all that is here");
}
