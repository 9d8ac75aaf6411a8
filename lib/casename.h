/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of cases: "red=element-web green=element-ios", and with " #2" the same once more.
 * Any thread.
 */
#ifndef TL_CASENAME_H
#define TL_CASENAME_H

#include <stddef.h>

/* Bytes of the name without the number that repeating gave it. */
size_t casename_length(const char *name);

#endif
