/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The form of one line of the configuration: what inih would cut, pass over or take in
 * another way than a person does is refused here, before inih sees it. Any thread.
 */
#ifndef TL_CONFIG_LINE_H
#define TL_CONFIG_LINE_H

#include <stddef.h>

#define CONFIG_LINE_MOST    65536 /* bytes of a line, its end not counted */
#define CONFIG_SECTION_MOST 49    /* bytes between the brackets; inih cuts more */

/* Check that the bytes of a line are text, and not too many. 0, or -1 with *cause. */
int config_line_check(const char *line, size_t length, char **cause);

/* The text between the brackets of a section's line, without blanks around it. Returns
 * owned, or NULL with *cause. */
char *config_line_title(const char *line, char **cause);

/* Check that a line without indentation is "key = value". 0, or -1 with *cause. */
int config_line_setting(const char *line, char **cause);

#endif
