#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs what is needed, builds jailftpd and runs its tests; the last lines are ctest's summary of all of them.
# As root everything runs; as another user, tests that need root skip.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. packaging/packages.sh

presets=(dev)
install=yes

usage() {
    cat <<END
usage: tests/run.sh [--all] [--no-install] [-- ARGUMENT ...]

Installs what is needed (Debian), builds jailftpd and runs all tests. Run as root it leaves none out.

  --all         the same under the address and undefined-behaviour sanitizers as well, and each fuzz target for some
                seconds
  --no-install  what is needed is there already (other systems than Debian)
  ARGUMENT ...  for ctest, such as -R Retr
END
}

while [ $# -gt 0 ]; do
    case $1 in
        --all) presets=(dev sanitize fuzz) ;;
        --no-install) install= ;;
        --help | -h) usage; exit 0 ;;
        --) shift; break ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done

if [ -n "$install" ]; then
    packages="$to_build $to_test"
    [ ${#presets[@]} = 1 ] || packages="$packages $to_fuzz"
    need "$packages"
fi

mkdir -p build/run
for preset in "${presets[@]}"; do build "$preset"; done

# One run over all build folders, so that there is one summary.
printf 'subdirs("%s")\n' "${presets[@]/#/$PWD/build/}" >build/run/CTestTestfile.cmake
say "testing"
if [ "$(id -u)" != 0 ]; then
    echo "Tests that need root skip now; afterwards \"sudo ctest --preset root\" runs them."
fi
# Some of several thousand deadlines of clients pass when the machine has other work: what fails is shown, and run once
# more before it counts. Where it fails for another reason, it fails twice.
[ $# -gt 0 ] || set -- --repeat until-pass:2
# Most tests wait for something most of the time.
exec ctest --test-dir build/run --output-on-failure --parallel $((2 * $(nproc))) "$@"
