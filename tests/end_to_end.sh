#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The end-to-end tests of the real daemon, as one of `make check`; only those modules that
# E2E_MODULES names, if it names any.
# shellcheck disable=SC2086 # several words
exec "${top_srcdir:-.}/tests/e2e/run" ${E2E_MODULES:-}
