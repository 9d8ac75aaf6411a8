/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are built into the programs; see src/include.am. Constant. */
#ifndef TL_DATA_H
#define TL_DATA_H

#include <stddef.h>

extern const unsigned char data_dictionary[]; /* contrib/dictionary.actions.json */
extern const size_t data_dictionary_size;
extern const unsigned char data_style[]; /* src/web/style.css */
extern const size_t data_style_size;
extern const unsigned char data_live[]; /* src/web/live.js */
extern const size_t data_live_size;
extern const unsigned char data_manual[]; /* src/web/manual.js */
extern const size_t data_manual_size;

#endif
