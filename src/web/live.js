// SPDX-License-Identifier: Apache-2.0
// Life for the pages: what they say is kept true while somebody looks at them.
"use strict";
