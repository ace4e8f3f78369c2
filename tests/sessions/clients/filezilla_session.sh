#!/bin/bash
# SPDX-License-Identifier: MIT
# A session of FileZilla itself under Xvfb, run by ftps_test.cpp: filezilla_session.sh up|down HOST PORT CERTIFICATE LOCAL
# REMOTE. It logs in as alice with explicit TLS, trusts the certificate, goes to the folder "files", selects everything on
# one side, presses Return, and ends when all files have been reported and REMOTE, where that folder really is, is like
# LOCAL. Prints FileZilla's own log.
set -uo pipefail
way=$1 host=$2 port=$3 certificate=$4 local=$5 remote=$6

home=$(mktemp -d "$PWD/filezilla.XXXXXX")
log=$home/log
settings=$home/.config/filezilla
processes=()
finish() {
    [ ${#processes[@]} = 0 ] || kill "${processes[@]}" 2>/dev/null
    wait
    cat "$log"
    rm -rf "$home"
}
trap finish EXIT
fail() {
    echo "$*" >&2
    exit 1
}

# within SECONDS CONDITION ...: waits until it holds.
within() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}
logged() { [ "$(grep -acE "$2" "$log" 2>/dev/null)" -ge "$1" ]; }

mkdir -p "$settings" "$local"
# Version 99 has no greeting for users of older ones. Binary, so that text is not converted.
cat >"$settings/filezilla.xml" <<END
<?xml version="1.0"?><FileZilla3><Settings>
<Setting name="Greeting version">99.0.0</Setting><Setting name="Disable update check">1</Setting>
<Setting name="Ascii Binary mode">2</Setting><Setting name="Number of retries">0</Setting>
<Setting name="Logging file">$log</Setting><Setting name="Logging Debug Level">1</Setting>
</Settings></FileZilla3>
END
cat >"$settings/sitemanager.xml" <<END
<?xml version="1.0"?><FileZilla3><Servers><Server><Name>site</Name><Host>$host</Host><Port>$port</Port>
<Protocol>4</Protocol><Type>0</Type><User>alice</User><Pass>wonderland</Pass><Logontype>1</Logontype>
<EncodingType>Auto</EncodingType><LocalDir>$local</LocalDir><RemoteDir>1 0 5 files</RemoteDir></Server></Servers></FileZilla3>
END
seconds() { date -d "$(openssl x509 -in "$certificate" -noout "$1" | cut -d= -f2)" +%s; }
cat >"$settings/trustedcerts.xml" <<END
<?xml version="1.0"?><FileZilla3><TrustedCerts><Certificate>
<Data>$(openssl x509 -in "$certificate" -outform DER | od -An -v -tx1 | tr -d ' \n')</Data>
<ActivationTime>$(seconds -startdate)</ActivationTime><ExpirationTime>$(seconds -enddate)</ExpirationTime>
<Host>$host</Host><Port>$port</Port><TrustSANs>0</TrustSANs></Certificate></TrustedCerts></FileZilla3>
END

# The display's number is the X server's to choose.
exec 9>"$home/display"
Xvfb -displayfd 9 -screen 0 1280x900x24 -nolisten tcp >"$home/xvfb" 2>&1 &
processes+=($!)
within 20 test -s "$home/display" || fail "no Xvfb: $(cat "$home/xvfb")"
export DISPLAY=:$(<"$home/display") HOME=$home XDG_CONFIG_HOME=$home/.config XDG_CACHE_HOME=$home/.cache \
    XDG_RUNTIME_DIR=$home NO_AT_BRIDGE=1 GDK_BACKEND=x11
filezilla -c 0/site >"$home/filezilla" 2>&1 9>&- &
processes+=($!)

# Both lists are below the middle of a window of this size.
within 30 logged 1 'Directory listing of .*files.* successful' || fail "no listing: $(cat "$home/filezilla")"
window=$(xdotool search --onlyvisible --name FileZilla | tail -1)
xdotool windowmove "$window" 0 0 windowsize "$window" 1280 900
case $way in
    up) x=320 files=$(find "$local" -type f | wc -l) ;;
    down) x=960 files=$(find "$remote" -type f | wc -l) ;;
esac
transferred() { logged "$files" 'File transfer successful' && diff -r "$local" "$remote" >/dev/null; }
sleep 1
xdotool windowfocus "$window" mousemove $x 560 click 1 sleep 0.5 key ctrl+a sleep 0.5 key Return
within 60 transferred || fail "not all has been transferred"
