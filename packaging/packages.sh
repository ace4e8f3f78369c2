# SPDX-License-Identifier: MIT
# The Debian packages that jailftpd is built and tested with, and how to get those that are missing; sourced by
# packaging/demo.sh and tests/run.sh. One package a word; of "a|b" either will do, and the first that this release has is
# what gets installed.
# shellcheck shell=bash disable=SC2034,SC2086,SC2116

to_build="g++ cmake ninja-build pkg-config libboost1.81-dev|libboost1.83-dev|libboost1.88-dev libssl-dev libinih-dev
    libspdlog-dev libcap-dev libseccomp-dev libpam0g-dev libcrypt-dev libwrap0-dev openssl"
# The client programs that whole sessions are tested with, and what reads the logs.
# npm fetches one of them; other makers' nodejs comes with it.
to_test="libgtest-dev libgmock-dev curl filezilla gnutls-bin inetutils-ftp libio-socket-ssl-perl lftp ncftp
    npm|nodejs perl python3 tnftp wget xdotool xvfb"
to_fuzz="clang libclang-rt-dev"

say() { printf '\n== %s\n' "$*"; }
fail() {
    printf '%s: %s\n' "$0" "$*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

installed() {
    local each
    for each in ${1//|/ }; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$each" 2>/dev/null)" = installed ] && return
    done
    return 1
}

# The name that apt knows; nothing if it knows none, as with package lists that have not been fetched.
available() {
    local each
    for each in ${1//|/ }; do
        apt-cache show "$each" >/dev/null 2>&1 && echo "$each" && return
    done
    return 1
}

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@"
}

# Prints the packages' names on success.
names_of() {
    local each
    for each in "$@"; do available "$each" || return 1; done
}

# need "PACKAGE ...": installs those that are not there, and never takes others away. Package lists are fetched only
# where they are missing or too old.
need() {
    local each said names missing=()
    if ! command -v apt-get >/dev/null; then
        fail "this is no Debian, so packages cannot be installed from here. Install what these are called here, then" \
            "use --no-install: $(echo $1)"
    fi
    for each in $1; do installed "$each" || missing+=("$each"); done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        fail "packages are missing and there is no sudo here. As root: apt-get install ${missing[*]%%|*}"
    fi
    say "installing ${missing[*]%%|*}"
    said=$(mktemp)
    if ! { names=$(names_of "${missing[@]}") && install_packages $names; } >"$said" 2>&1 &&
        ! { apt_get update && names=$(names_of "${missing[@]}") && install_packages $names; } >"$said" 2>&1; then
        cat "$said" >&2
        rm -f "$said"
        fail "the packages could not be installed: ${missing[*]}"
    fi
    rm -f "$said"
}

install_packages() { apt_get install -y --no-install-recommends --no-remove "$@"; }

build() {
    say "building (preset $1)"
    cmake --preset "$1" >"build/$1.log" 2>&1 || { cat "build/$1.log" >&2; fail "cmake --preset $1 failed"; }
    cmake --build --preset "$1"
}
