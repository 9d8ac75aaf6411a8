// SPDX-License-Identifier: Apache-2.0
// A person as a client: asks for the next action, shows it, reports what came of it.
"use strict";
