#!/bin/sh
# SPDX-License-Identifier: MIT
# Unpacks Debian's vsftpd, ProFTPD and Pure-FTPd, with the libraries that they need, each into a folder of its own below
# BUILD_DIR/servers: fetch_servers.sh BUILD_DIR. Nothing is installed. What cannot be had is left out with a word.
set -u

servers=$1/servers
mkdir -p "$servers" || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# As the caller: apt's own user has no access to the folder.
download() {
    (cd "$work" && apt-get -qq -o APT::Sandbox::User="$(id -un)" -o Acquire::Retries=1 -o Acquire::http::Timeout=20 \
        -o Acquire::https::Timeout=20 download "$@") >"$work/said" 2>&1
}

# unpack NAME PACKAGE ...
unpack() {
    name=$1
    shift
    [ -d "$servers/$name" ] && return
    rm -rf "$work"/*.deb "$servers/$name.new"
    download "$@" || { echo "$name is left out:"; cat "$work/said"; return; }
    for file in "$work"/*.deb; do
        dpkg-deb -x "$file" "$servers/$name.new" || { echo "$name is left out: $file cannot be unpacked"; return; }
    done
    mv "$servers/$name.new" "$servers/$name"  # as a whole, so that what is there is complete
}

command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
    { echo "the other servers are Debian packages, and there is no apt-get or dpkg-deb here"; exit 0; }
unpack vsftpd vsftpd libwrap0 libnsl2 libtirpc3 db5.3-util
unpack proftpd proftpd-core proftpd-mod-crypto libhiredis0.14 libhashkit2 libmemcached11 libmemcachedutil2 libpcre2-posix3 \
    libsodium23 libwrap0 libnsl2 libtirpc3
unpack pure-ftpd pure-ftpd pure-ftpd-common libsodium23
exit 0
