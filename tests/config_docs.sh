#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The manual and the sample of the configuration name the keys that the server has, with
# their defaults, and no others, and which of them take a restart; the sample can be loaded, as it is and with every
# comment sign before a key taken away.
set -eu

top_srcdir=${top_srcdir:-.}
top_builddir=${top_builddir:-.}
check=$top_builddir/tests/check_config
manual=$top_srcdir/man/trafficlight.ini.5
sample=$top_srcdir/contrib/trafficlight.ini
LC_ALL=C
export LC_ALL

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# All lists have lines "section key default". Where suites are installed is the build's
# choice: a default that is a path is written "PATH".
"$check" --describe | awk -F '\t' '
    { sub(/^\/.*/, "PATH", $3); print $1 "\t" $2 "\t" $3 }' | sort >"$work/table"

awk '
    function flush() {
        if (key != "")
            print section "\t" key "\t" preset
        key = preset = ""
    }
    /^\.S[sh] / { flush(); section = "" }
    /^\.Ss \[/  { section = $0; gsub(/^\.Ss \[|\]$/, "", section) }
    section == "" { next }
    /^\.It Ic / { flush(); key = $3 }
    /^\.It Ar / { flush(); key = "*" }
    /^The default is / {
        preset = $4
        sub(/[.,]$/, "", preset)
        sub(/^\/.*/, "PATH", preset)
    }
    END { flush() }' "$manual" | sort >"$work/manual"

# A key without a default is there with an example.
awk -F '\t' '
    FNR == NR { if ($3 == "") bare[$1 "\t" $2] = 1; next }
    /^;?\[/ {
        section = $0
        gsub(/^;?\[|\]$/, "", section)
        named = sub(/ .*/, " NAME", section)
        next
    }
    /^;?[a-z]/ {
        key = $0
        sub(/^;/, "", key)
        sub(/[ =].*/, "", key)
        preset = $0
        sub(/^[^=]*= */, "", preset)
        sub(/^\/.*/, "PATH", preset)
        if (section == "client-type NAME" && key != "type")
            key = "*"
        if (named || (section "\t" key) in bare)
            preset = ""
        print section "\t" key "\t" preset
    }' "$work/table" "$sample" | sort >"$work/sample"

# What takes a restart, as the server and as the manual have it.
"$check" --describe | awk -F '\t' '$5 == "restart" { print $1 "\t" $2 }' | sort >"$work/restart"
awk '
    /^\.Ss /    { inside = /while the server runs$/ }
    inside && /^\.Li \[/ { section = $2; gsub(/[][]/, "", section) }
    inside && /^\.Ic / {
        for (i = 2; i <= NF; i++)
            if ($i != ",")
                print section "\t" $i
    }' "$manual" | sort >"$work/restart.manual"
if ! diff "$work/restart" "$work/restart.manual" >"$work/diff"; then
    echo "$manual: what takes a restart differs (<: missing here, >: only here)"
    cat "$work/diff"
    failed=1
fi

compare() { # which, file
    if ! diff "$work/table" "$work/$1" >"$work/diff"; then
        echo "$2: differs from the keys of the server (<: missing here, >: only here)"
        cat "$work/diff"
        failed=1
    fi
}

load() { # file
    if ! "$check" --load "$1"; then
        echo "$1: can't be loaded"
        failed=1
    fi
}

test -s "$work/table" || { echo "$check --describe gives no keys"; exit 1; }
compare manual "$manual"
compare sample "$sample"
load "$sample"
sed 's/^;\([[a-z]\)/\1/' "$sample" >"$work/trafficlight.ini"
load "$work/trafficlight.ini"
exit $failed
