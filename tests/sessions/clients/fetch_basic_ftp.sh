#!/bin/sh
# SPDX-License-Identifier: MIT
# Puts node's basic-ftp, which many programs upload with, below BUILD_DIR/basic-ftp, for ftps_test.cpp:
# fetch_basic_ftp.sh BUILD_DIR. Without npm or a network it ends well all the same: the test then skips, with what is
# in basic-ftp/missing as the reason.
set -u

folder=$1/basic-ftp
[ -f "$folder/node_modules/basic-ftp/package.json" ] && exit 0

mkdir -p "$folder" || exit 1
if command -v npm >/dev/null; then
    npm install --prefix "$folder" --no-save --no-audit --no-fund --ignore-scripts --fetch-retries=1 \
        basic-ftp@5.0.5 >"$folder/missing" 2>&1 && rm "$folder/missing"
else
    echo "basic-ftp is a package of npm, and there is no npm here" >"$folder/missing"
fi
[ ! -e "$folder/missing" ] || cat "$folder/missing"
exit 0
