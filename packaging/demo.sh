#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs what is needed, builds jailftpd and serves a demonstration on 127.0.0.1:2121 until ^C. Nothing outside of
# build/ and a folder in /tmp, which is removed at the end, is changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. packaging/packages.sh

port=2121
program=
install=yes

usage() {
    cat <<END
usage: packaging/demo.sh [--port NUMBER] [--program FILE] [--no-install]

Installs what is needed (Debian), builds jailftpd and serves a demonstration on 127.0.0.1:2121 until ^C.

  --port NUMBER   another port than 2121
  --program FILE  this jailftpd, nothing is installed or built
  --no-install    what is needed is there already (other systems than Debian)
END
}

while [ $# -gt 0 ]; do
    case $1 in
        --port) port=${2-}; shift ;;
        --program) program=${2-}; shift ;;
        --no-install) install= ;;
        --help | -h) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done
if ! [[ $port =~ ^[1-9][0-9]{0,4}$ ]] || [ "$port" -gt 65535 ]; then
    fail "--port needs a number up to 65535"
fi

# Whether something listens on this port of 127.0.0.1 or of all addresses.
in_use() {
    local number
    number=$(printf '%04X' "$1")
    grep -qsE "^ *[0-9]+: (0100007F|0{8}|0{32}|0{16}FFFF00000100007F):$number [0-9A-F]+:0000 0A " \
        /proc/net/tcp /proc/net/tcp6
}

# ---- as root: the server, its jail and its configuration

# TLS for those who ask for it, with a certificate of the demonstration's own.
encrypt() {
    if ! command -v openssl >/dev/null; then
        printf 'There is no openssl here to make a certificate: no TLS.\n'
        return
    fi
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=127.0.0.1 \
        -addext subjectAltName=IP:127.0.0.1 -keyout "$folder/key.pem" -out "$folder/certificate.pem" 2>/dev/null
    chmod 600 "$folder/key.pem"
    cat >>"$folder/vsftpd.conf" <<END
ssl_enable=YES
rsa_cert_file=$folder/certificate.pem
rsa_private_key_file=$folder/key.pem
force_local_logins_ssl=NO
force_local_data_ssl=NO
END
}

# An ordinary tenant's home: root's, so that the jail's root is not writable, with a folder to write to.
furnish() {
    local uid=60000
    while getent passwd "$uid" >/dev/null || getent group "$uid" >/dev/null; do uid=$((uid + 1)); done
    mkdir -p "$folder/home/files" "$folder/home/texts/more" "$folder/empty"
    cat >"$folder/home/welcome.txt" <<END
You are in the jail of the tenant "demo": what is "/" for you is a folder in /tmp of the server.
You may write to /files and read everything else.
END
    cp README.md LICENSE "$folder/home/texts"
    seq 1 100000 >"$folder/home/texts/more/numbers.txt"
    chown "$uid:$uid" "$folder/home/files"

    cat >"$folder/vsftpd.conf" <<END
listen=YES
listen_address=127.0.0.1
listen_port=$port
anonymous_enable=NO
write_enable=YES
local_umask=022
dirmessage_enable=NO
xferlog_enable=YES
vsftpd_log_file=$folder/vsftpd.log
secure_chroot_dir=$folder/empty
ftpd_banner=jailftpd, a demonstration.
END
    encrypt
    password=$(od -An -N6 -tx1 /dev/urandom | tr -d ' \n')
    local hash
    hash=$("$program" passwd <<<"$password")
    cat >"$folder/jailftpd.ini" <<END
[server]
grace = 5

[tenant demo]
password = $hash
home = $folder/home
uid = $uid
END
    touch "$folder/vsftpd.log"
}

tell() {
    local ways="in clear text" over_tls="" trust=""
    if [ -e "$folder/certificate.pem" ]; then
        ways="in clear text and over TLS, with a certificate of its own"
        over_tls="
    curl --cacert $folder/certificate.pem --ssl-reqd ftp://demo:$password@127.0.0.1:$port/"
        trust="-e 'set ssl:ca-file $folder/certificate.pem' "
    fi
    cat <<END

jailftpd serves ftp://127.0.0.1:$port/ until you press ^C, $ways.

    user      demo
    password  $password

From another terminal:

    curl ftp://demo:$password@127.0.0.1:$port/
    curl ftp://demo:$password@127.0.0.1:$port/files/ --upload-file /etc/os-release$over_tls
    lftp ${trust}-u demo,$password ftp://127.0.0.1:$port
    ftp -p 127.0.0.1 $port

END
    command -v curl >/dev/null || command -v lftp >/dev/null || command -v ftp >/dev/null ||
        printf 'None of these is installed here; apt-get install lftp would be the one to have.\n\n'
    printf 'Its configuration is %s/vsftpd.conf and jailftpd.ini. Its log:\n\n' "$folder"
}

leave() {
    [ -z "${log_reader-}" ] || kill "$log_reader" 2>/dev/null || true
    [ -z "${server-}" ] || ! kill -0 "$server" 2>/dev/null || {
        kill -TERM "$server"
        wait "$server" 2>/dev/null || true
    }
    rm -rf --one-file-system "$folder"
}

serve() {
    local asked_to_stop="" status=0
    # Not $TMPDIR: the tenant must be able to reach the jail.
    folder=$(mktemp -d /tmp/jailftpd-demo.XXXXXX)
    trap leave EXIT
    umask 022
    chmod 711 "$folder"
    furnish

    # In a session of its own, ^C comes to this script alone, which then stops the server in order.
    setsid "$program" "$folder/vsftpd.conf" --ini "$folder/jailftpd.ini" </dev/null &
    server=$!
    trap 'asked_to_stop=yes; kill -TERM "$server" 2>/dev/null || true' INT TERM HUP
    for _ in {1..100}; do
        in_use "$port" && break
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    if kill -0 "$server" 2>/dev/null; then
        tell
        tail -n +1 -f "$folder/vsftpd.log" &
        log_reader=$!
    fi
    # A signal interrupts the waiting.
    while kill -0 "$server" 2>/dev/null; do
        wait "$server" && status=0 || status=$?
    done
    if [ -n "$asked_to_stop" ]; then
        printf '\nThe demonstration has ended, its folder is gone.\n'
    else
        fail "the server has ended by itself (exit code $status)"
    fi
}

# ---- as whoever called

if in_use "$port"; then
    fail "something listens on port $port already; end it, or use another one: packaging/demo.sh --port $((port % 65535 + 1))"
fi
if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
    fail "an FTP server that jails its users must be started as root, and there is no sudo here: become root first"
fi
if [ -z "$program" ]; then
    [ -z "$install" ] || need "$to_build"
    mkdir -p build
    build release
    program=build/release/jailftpd
fi
[ -x "$program" ] || fail "there is no program $program"
program=$(realpath "$program")
if [ "$(id -u)" = 0 ]; then
    serve
else
    exec sudo "$(realpath packaging/demo.sh)" --port "$port" --program "$program"
fi
