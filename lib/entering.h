/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a state does by itself when it is entered: wait, set, assert, check, find, and the
 * ends. States that ask roles to do something are lib/attempt.c's. Any thread, one at a
 * time.
 */
#ifndef TL_ENTERING_H
#define TL_ENTERING_H

#include "attempt.h"

/* Do what the attempt's current state does, which is not of kind STATE_ACTIONS. The
 * attempt may have ended when this returns. */
void entering_run(struct attempt *attempt, const struct instant *now);

/* The process is another one now: whether the request that the current state waits for
 * was sent, and what came of it, nobody knows. It is sent again if its method allows that
 * (RFC 9110, 9.2.2), else the attempt has ended when this returns. Nothing in other
 * states. */
void entering_resume(struct attempt *attempt, const struct instant *now);

#endif
