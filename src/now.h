/* SPDX-License-Identifier: Apache-2.0 */
/* The moment, asked of the system. Any thread. */
#ifndef TL_NOW_H
#define TL_NOW_H

#include "clock.h"

/* The moment it is, on both clocks. */
struct instant now(void);

#endif
