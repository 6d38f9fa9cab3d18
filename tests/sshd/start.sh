#!/usr/bin/env bash
# start.sh FOLDER ADDRESS PORT VARIANT [SHELL [CONFIG-LINE…]]   (root; Linux)
#
# Runs one server in namespaces of its own until stdin ends: then every process that was started
# through it is gone too, daemons included. VARIANT is one of config.sh, or `dropbear`. Whoever
# logs in is root with FOLDER/home as the home and SHELL (else /bin/bash) as the login shell; the
# password is `correct-horse`. FOLDER/tmp is the server's /tmp; /dev/shm and /run are its own.
#
# FOLDER gets: id, id.pub (the key that may log in), host_ed25519, host_ecdsa, log.
set -euo pipefail

if [ "$(id -u)" -ne 0 ]; then
  echo 'start.sh: needs root, for the namespaces that keep servers apart' >&2
  exit 2
fi
folder=$1 address=$2 port=$3 variant=$4 shell=${5:-/bin/bash}
shift $(($# < 5 ? $# : 5))
lines=$(printf '%s\n' "$@")
here=$(cd "$(dirname "$0")" && pwd)
[ -x "$shell" ] || { echo "start.sh: there is no login shell $shell" >&2; exit 2; }

mkdir -p "$folder/home/.ssh" "$folder/tmp"
chmod 755 "$folder"
chmod 700 "$folder/home" "$folder/home/.ssh"
chmod 1777 "$folder/tmp"
[ -e "$folder/id" ] || ssh-keygen -q -t ed25519 -N '' -C client -f "$folder/id"
cp "$folder/id.pub" "$folder/home/.ssh/authorized_keys"
cp "$folder/id.pub" "$folder/authorized_keys"
# Where the server finds them, whatever its /tmp hides.
cp "$here/entrypoint.sh" "$here/config.sh" "$folder/"

# Root with another home, shell and password; everybody else as on this machine.
{
  echo "root:x:0:0:root:$folder/home:$shell"
  grep -v '^root:' /etc/passwd
} >"$folder/passwd"
# shellcheck disable=SC2016 # the dollars are the hash's own
echo 'root:$6$doppiotests$kJyA.FL3qFx2w7qDABrK9JSVmJXIPS5uT3AwJ7MqWeu59jqAvjabqigMDrqn3Vc6Q1x.ZgV.nIaM4/WQP1VtD0:19000:0:99999:7:::' >"$folder/shadow"
chmod 600 "$folder/shadow"

# The server is process 1 of its namespace: it reaps what is left to it, and all die with it.
# shellcheck disable=SC2016 # the inner shell expands
unshare --mount --pid --fork --kill-child=KILL --mount-proc --propagation private \
  bash -c '
    set -euo pipefail
    folder=$1 address=$2 port=$3 variant=$4 lines=$5
    case $folder in
      /tmp/*)
        mkdir -p "$folder/tmp${folder#/tmp}"
        mount --bind "$folder" "$folder/tmp${folder#/tmp}"
        ;;
    esac
    mount --bind "$folder/passwd" /etc/passwd
    mount --bind "$folder/shadow" /etc/shadow
    mount -t tmpfs -o mode=755 tmpfs /run
    mount -t tmpfs -o mode=1777 tmpfs /dev/shm
    mount --rbind "$folder/tmp" /tmp
    cd /
    if [ "$variant" = dropbear ]; then
      [ -e "$folder/host_dropbear" ] || dropbearkey -t ed25519 -f "$folder/host_dropbear" >/dev/null
      exec env -i PATH="$PATH" dropbear -F -E -r "$folder/host_dropbear" -p "$address:$port" -P "$folder/pid"
    fi
    SSHD_FOLDER=$folder SSHD_LISTEN=$address:$port SSHD_VARIANT=$variant SSHD_LINES=$lines \
      exec "$folder/entrypoint.sh"
  ' inner "$folder" "$address" "$port" "$variant" "$lines" </dev/null \
  >>"$folder/log" 2>&1 &
server=$!
# Process 1 is gone only after all others of its namespace.
trap 'kill -KILL $(cat "/proc/$server/task/$server/children") 2>/dev/null || true
  wait $server 2>/dev/null || true' EXIT
echo "$server"
cat >/dev/null
