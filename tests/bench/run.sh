#!/bin/sh
# SPDX-License-Identifier: MIT
# The benchmark, as root: tests/bench/run.sh [--quick] [--markdown] [--servers NAME,...] [ROW ...]. Builds with the release
# flags in build/bench, fetches the other servers there (they are not installed) and does the same work with all of them in
# turn; a ROW is the beginning of a row's name, such as retr, small-stor or login-pam (--list names them). It prints CPU
# seconds, ratios, and for each figure to reach whether it is reached. All of it takes one to two hours on two idle CPUs,
# --quick about ten minutes; ^C ends it and prints what there is. No part of ctest.
set -eu

[ "$(id -u)" = 0 ] || { echo "$0: servers are started as root, and counted in cgroups" >&2; exit 1; }
source=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
build=${JAILFTPD_BENCH_BUILD:-$source/build/bench}
cmake --preset release -S "$source" -B "$build" -DJAILFTPD_BENCH=ON >/dev/null
cmake --build "$build" --target jailftpd bench_load bench_limit
"$source/tests/bench/fetch_servers.sh" "$build"
# The users that log in are in an /etc of the benchmark's own.
exec unshare --mount --propagation private python3 -B "$source/tests/bench/bench.py" --build "$build" "$@"
