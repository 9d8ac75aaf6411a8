/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rooms of the compiler (compile*.c) share; nobody else includes this. Any
 * thread, one at a time.
 *
 *   compile.c         a case of a definition, from its beginning to its machine
 *   compile_states.c  states as a file has them
 *   compile_steps.c   steps: each becomes a state
 *   compile_body.c    what a state or a step holds
 *   compile_action.c  what a role is asked
 */
#ifndef TL_COMPILE_INTERNAL_H
#define TL_COMPILE_INTERNAL_H

#include "compile.h"

struct compiler {
    const struct definition *definition; /* what is compiled */
    const char **types;                  /* registration type of each role; owned array */
    int64_t timeout_ms;                  /* for actions without one */
    struct machine *machine;             /* is filled */
    struct mistakes *mistakes;           /* is filled */
    bool emulates; /* steps: what a client type can't do is emulated; states
                                            are taken as they stand */
};

/* The kinds of bodies: exactly one member of a state, and of most steps. */
struct compile_body {
    const char *member;   /* "wait" */
    enum state_kind kind; /* of the state that has it */
    void (*read)(struct compiler *compiler, int state, struct json_object *spec,
                 struct json_object *body, const struct where *where);
    const char *also[2]; /* members that go with it */
};

/* --- compile.c --- */

/* Note every member of the object that is not among these (NULL ends them). */
void compile_refuse_unknown(struct compiler *compiler, struct json_object *object,
                            const struct where *where, const char *what,
                            const char *const *known);

/* --- compile_states.c, compile_steps.c --- */

/* Fill the machine from the definition's states, or from its steps. */
void compile_states(struct compiler *compiler);
void compile_steps(struct compiler *compiler);

/* --- compile_body.c --- */

/* The body that a state or step has; NULL if it does not have exactly one of them. */
const struct compile_body *compile_find_body(struct json_object *spec);

/* Whether a member of this name is such a body. */
bool compile_is_body(const char *member);

/* Read it into a state of its kind. `where` is the place of the state or step. */
void compile_read_body(struct compiler *compiler, int state,
                       const struct compile_body *body, struct json_object *spec,
                       const struct where *where);

/* --- compile_action.c --- */

/* Add to the state what a role is asked: `spec` has action, data and so on. */
void compile_action(struct compiler *compiler, int state, const char *role,
                    struct json_object *spec, const struct where *where);

/* The steps that come before this role's action where its client type can't do it by
 * itself, and an emulation does it instead; the last of them takes the action's place.
 * NULL if there is none. Owned by the caller. */
struct json_object *compile_emulation(struct compiler *compiler, const char *role,
                                      struct json_object *spec,
                                      const struct where *where);

/* Read how long an action or a request may take into *ms; notes what is wrong. */
void compile_read_timeout(struct compiler *compiler, struct json_object *value,
                          const struct where *where, int64_t *ms);

/* The state that a value names, or MACHINE_NO_STATE with a mistake. */
int compile_target(struct compiler *compiler, struct json_object *value,
                   const struct where *where);

#endif
