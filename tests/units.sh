#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# systemd understands the units without a word, and finds the service shut in well.
set -eu

top_srcdir=${top_srcdir:-.}
top_builddir=${top_builddir:-.}
units=$top_srcdir/contrib/systemd
most=20 # tenths of what `systemd-analyze security` calls exposure; 100 is wide open
LC_ALL=C
export LC_ALL

if ! command -v systemd-analyze >/dev/null; then
    echo "systemd-analyze is missing: apt-get install systemd"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# The program that was built stands for the one that will be installed.
sbindir=$(cd "$top_builddir/src" && pwd)
sed "s|@sbindir@|$sbindir|g" "$units/trafficlightd.service.in" \
    >"$work/trafficlightd.service"
cp "$units/trafficlightd.socket" "$work"

# The manuals need not be installed.
if ! systemd-analyze verify --man=no "$work/trafficlightd.service" \
    "$work/trafficlightd.socket" >"$work/said" 2>&1 || [ -s "$work/said" ]; then
    echo "systemd-analyze verify has something to say:"
    cat "$work/said"
    failed=1
fi

if ! systemd-analyze security --offline=yes --no-pager --threshold="$most" \
    "$work/trafficlightd.service" >"$work/said" 2>&1; then
    echo "the service is more exposed than $most tenths:"
    cat "$work/said"
    failed=1
fi

if command -v systemd-sysusers >/dev/null; then
    mkdir -p "$work/root/etc"
    : >"$work/root/etc/passwd"
    : >"$work/root/etc/group"
    if ! systemd-sysusers --root="$work/root" - <"$units/trafficlight.sysusers.conf" \
        >"$work/said" 2>&1 || ! grep -q '^trafficlight:' "$work/root/etc/passwd"; then
        echo "systemd-sysusers does not make the user:"
        cat "$work/said"
        failed=1
    fi
fi
exit $failed
