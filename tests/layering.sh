#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The engine is pure: lib/ includes nothing of the loop, of threads, of the network or of
# src/, and its objects need no function that reaches for the world, the time or chance.
# Running out of memory is told on stderr; text grows in memory by open_memstream().
set -eu

top_srcdir=${top_srcdir:-$(dirname "$0")/..}
top_builddir=${top_builddir:-$(dirname "$0")/..}
archive=$top_builddir/lib/libtrafficlight.a
LC_ALL=C
export LC_ALL

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

complain() { # what is wrong with the lines of the file $work/found
    if [ -s "$work/found" ]; then
        echo "lib/ $1:"
        sed 's/^/    /' "$work/found"
        failed=1
    fi
}

# Headers
grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*<(event|evhttp|evutil|event2/|pthread|threads\.h|semaphore|sys/(socket|un|epoll|poll|select|random|eventfd|time)\.h|netinet/|arpa/|netdb|net/|curl/|openssl/|poll\.h|fcntl\.h|unistd\.h|signal\.h|syslog\.h|systemd/|sqlite3|ini\.h|ev\.h)' \
    "$top_srcdir"/lib/*.[ch] >"$work/found" || true
complain "may not include these headers"

grep -HnoE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"[^"]*"' "$top_srcdir"/lib/*.[ch] |
    sed 's/^\(.*\):[^"]*"\([^"]*\)"$/\1 \2/' |
    while read -r place header; do
        test -f "$top_srcdir/lib/$header" || echo "$place: $header"
    done >"$work/found"
complain "may include only its own headers between quotes"

# Functions
if ! ${NM:-nm} -u "$archive" >"$work/nm" 2>"$work/errors"; then
    echo "${NM:-nm} can't read $archive: build it first"
    cat "$work/errors"
    exit 1
fi
sed -n 's/^.* U \([A-Za-z0-9_]*\).*$/\1/p' "$work/nm" | sort -u >"$work/needed"
if ! grep -qx 'open_memstream' "$work/needed" || ! grep -qx 'malloc' "$work/needed"; then
    echo "${NM:-nm} -u gives nothing of what lib/ needs: $(wc -l <"$work/needed") names"
    exit 1
fi

{
    # the network and the loop
    echo 'socket|socketpair|bind|connect|listen|accept4?|send(to|msg)?|recv(from|msg)?'
    echo 'getaddrinfo|gethostby.*|event_.*|evhttp_.*|evbuffer_.*|bufferevent_.*|curl_.*'
    echo 'poll|ppoll|select|epoll_.*|read|write|pipe2?|dup[23]?|ioctl|fcntl(64)?'
    # threads and processes
    echo 'pthread_.*|sem_.*|thrd_.*|mtx_.*|cnd_.*|fork|vfork|exec.*|posix_spawn.*|system'
    echo 'popen|kill|signal|sigaction|daemon'
    # files and the environment
    echo '(open|openat|creat|fopen|freopen|tmpfile|mkstemp)(64)?|__open(64)?_2|fdopen'
    echo 'opendir|readdir(64)?|(f|l)?stat(64)?|access|unlink|remove|rename|mkdir|getcwd'
    echo '(secure_)?getenv|setenv|putenv|environ|syslog|openlog|setlocale'
    echo 'json_object_(from|to)_(file|fd).*|xmlReadFile|xmlReadFd|xmlSaveFile.*'
    echo 'xmlNewTextWriterFilename|xmlParseFile'
    # time
    echo 'time|times|clock|clock_(gettime|getres|nanosleep)|gettimeofday|ftime'
    echo 'timespec_get|localtime(_r)?|mktime|ctime(_r)?|sleep|usleep|nanosleep|alarm'
    # chance
    echo 's?rand(_r)?|s?random(_r)?|[a-z]rand48(_r)?|arc4random.*|getrandom|getentropy'
    echo 'uuid_generate|uuid_generate_(random|time|time_safe)'
} >"$work/forbidden"
grep -xE -f "$work/forbidden" "$work/needed" >"$work/found" || true
complain "may not call these functions"

exit $failed
