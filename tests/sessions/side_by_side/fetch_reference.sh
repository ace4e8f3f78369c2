#!/bin/sh
# SPDX-License-Identifier: MIT
# Unpacks Debian's vsftpd, and fail2ban and logwatch, which know its logs, below BUILD_DIR/reference,
# for the tests side by side: fetch_reference.sh BUILD_DIR. Nothing is installed. Without a network it ends well all the same: those tests then
# skip, with what is in reference/missing as the reason.
set -u

reference=$1/reference
[ -x "$reference/usr/sbin/vsftpd" ] && [ -x "$reference/usr/bin/fail2ban-regex" ] &&
    [ -d "$reference/usr/share/logwatch" ] && exit 0

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/unpacked" "$reference" || exit 1

# Packages are fetched as the caller: apt's own user has no access to the folder.
apt() {
    (cd "$work" && apt-get -qq -o APT::Sandbox::User="$(id -un)" -o Acquire::Retries=1 \
        -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 "$@") >>"$work/said" 2>&1
}
# A minimal container has no package lists; ours are not left behind in its place.
fetch() {
    apt download "$@" ||
        { apt -o Dir::State::Lists="$work/lists" update &&
            apt -o Dir::State::Lists="$work/lists" download "$@"; }
}
missing() {
    { echo "vsftpd could not be fetched: $1"; cat "$work/said"; } | tee "$reference/missing"
    exit 0
}

for tool in apt-get dpkg-deb; do
    command -v "$tool" >/dev/null || missing "it is a Debian package, and there is no $tool here"
done
packages="vsftpd fail2ban logwatch"  # the latter two read vsftpd's logs
# The libraries that nothing else here needs.
ldconfig -p 2>/dev/null | grep -q 'libwrap\.so\.0' || packages="$packages libwrap0 libnsl2 libtirpc3"
for package in $packages; do
    fetch "$package" || missing "apt-get download $package failed"
done
for file in "$work"/*.deb; do
    dpkg-deb -x "$file" "$work/unpacked" || missing "$file cannot be unpacked"
done

# Moved as a whole, so that what is there is complete.
rm -rf "$reference.new"
cp -a "$work/unpacked" "$reference.new" && rm -rf "$reference" && mv "$reference.new" "$reference"
