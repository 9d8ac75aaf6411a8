#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The end-to-end tests of the real daemon, as one of `make check`.
exec "${top_srcdir:-.}/tests/e2e/run"
