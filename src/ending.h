/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of the process: because all has been done (--once), because somebody said so
 * (SIGTERM, SIGINT), or because another process is to go on where this one stands
 * (SIGUSR1). Loop thread only.
 */
#ifndef TL_ENDING_H
#define TL_ENDING_H

struct daemon;
struct ending;

/* Make it, and listen to the signals. */
struct ending *ending_new(struct daemon *daemon);
/* NULL is fine. */
void ending_free(struct ending *ending);

/* To be called after every input: with --once the end begins when all runs have ended. */
void ending_settle(struct ending *ending);

#endif
