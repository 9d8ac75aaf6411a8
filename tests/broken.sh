#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every definition in tests/broken is refused by `trafficlight check`, with the words and at
# the place that its first lines name:
#   // expect: a piece of a mistake that must be told
#   // at: a piece of the same line: ":LINE: PATH"
set -eu

top_srcdir=${top_srcdir:-.}
top_builddir=${top_builddir:-.}
check=$top_builddir/src/trafficlight
LC_ALL=C
export LC_ALL

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
refused=0
failed=0

complain() {
    echo "$1: $2"
    sed 's/^/    /' "$work/told"
    failed=$((failed + 1))
}

# The rest of the line that begins with "// $1: " in the file's first two.
wanted() {
    sed -n "1,2s|^// $1: ||p" "$2"
}

for file in "$top_srcdir"/tests/broken/*_test.json; do
    name=${file##*/}
    expect=$(wanted expect "$file")
    at=$(wanted at "$file")
    status=0
    timeout 10 "$check" check "$file" >"$work/told" 2>&1 || status=$?
    grep -v '^warning: ' "$work/told" | grep -F -e "$expect" | grep -F -e "$at" \
        >"$work/found" || :
    if [ -z "$expect" ]; then
        complain "$name" "has no line '// expect: '"
    elif [ "$status" -eq 0 ]; then
        complain "$name" "was accepted"
    elif [ "$status" -eq 124 ]; then
        complain "$name" "took more than 10 s"
    elif [ "$status" -ne 1 ]; then
        complain "$name" "ended with $status"
    elif [ ! -s "$work/found" ]; then
        complain "$name" "was not told '$expect'${at:+ at '$at'}"
    else
        refused=$((refused + 1))
    fi
done

echo "$refused files refused as expected"
[ "$failed" -eq 0 ] && [ "$refused" -gt 0 ]
