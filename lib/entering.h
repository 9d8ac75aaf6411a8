/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a state does by itself when it is entered: wait, set, assert, check, find, and the ends. States
 * that ask roles to do something are lib/attempt.c's. Any thread, one at a time.
 */
#ifndef TL_ENTERING_H
#define TL_ENTERING_H

#include "attempt.h"

/* Do what the attempt's current state does, which is not of kind STATE_ACTIONS. The attempt may have
 * ended when this returns. */
void entering_run(struct attempt *attempt, const struct instant *now);

#endif
