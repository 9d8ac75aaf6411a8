/* SPDX-License-Identifier: Apache-2.0 */
/* Being asked to stop. */
#include "interrupt.h"

#include "xalloc.h"

#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t came; /* the signal, or 0 */

static void note_cb(int signal_number)
{
    came = signal_number;
}

void interrupt_catch(unsigned seconds)
{
    struct sigaction action = {.sa_handler = note_cb};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
    alarm(seconds);
}

bool interrupt_came(char **cause)
{
    if (came == 0)
        return false;
    cause_set(cause, came == SIGALRM ? "the time for all rows together is over"
                                     : "it was asked to stop");
    return true;
}
