/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uthash as this program uses it: include this instead of <uthash.h>. Its usual hash
 * function falls through switch labels in a way that clang warns of, and without memory
 * it would leave by exit().
 */
#ifndef TL_HASH_H
#define TL_HASH_H

#include "xalloc.h"

#define HASH_FUNCTION(key, size, hash) HASH_OAT(key, size, hash)
#define uthash_fatal(message)          xcheck(NULL)

#include <uthash.h>

#endif
