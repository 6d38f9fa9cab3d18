#!/bin/sh
# Makes host keys and a configuration, and becomes sshd in the foreground, logging to stderr.
# The container of Dockerfile.sshd and the tests both start this.
#
#   SSHD_FOLDER      where all files lie                  /etc/ssh/doppio
#   SSHD_LISTEN      address and port                     0.0.0.0:22
#   SSHD_VARIANT     see config.sh                        accept-env
#   SSHD_LINES       lines that stand before all others   none
#   AUTHORIZED_KEY   the public key that may log in; else the file /authorized_keys is read
set -eu

folder=${SSHD_FOLDER:-/etc/ssh/doppio}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
mkdir -p "$folder" /run/sshd
chmod 755 "$folder"

if [ -n "${AUTHORIZED_KEY:-}" ]; then
  printf '%s\n' "$AUTHORIZED_KEY" >"$folder/authorized_keys"
elif [ -r /authorized_keys ]; then
  cp /authorized_keys "$folder/authorized_keys"
elif [ ! -e "$folder/authorized_keys" ]; then
  echo 'entrypoint.sh: give the public key that may log in: AUTHORIZED_KEY, or a file /authorized_keys' >&2
  exit 2
fi
# sshd passes over what it can't read, and then lets nobody in.
if ! ssh-keygen -l -f "$folder/authorized_keys" >/dev/null 2>&1; then
  rm -f "$folder/authorized_keys"
  echo "entrypoint.sh: AUTHORIZED_KEY is not a public key, as \`cat ~/.ssh/id_ed25519.pub\` prints it" >&2
  exit 2
fi
# sshd reads it as the user who logs in.
chmod 644 "$folder/authorized_keys"

for type in ed25519 ecdsa; do
  [ -e "$folder/host_$type" ] || ssh-keygen -q -t "$type" -N '' -C "host $type" -f "$folder/host_$type"
done

{
  printf '%s\n' "${SSHD_LINES:-}"
  echo "ListenAddress ${SSHD_LISTEN:-0.0.0.0:22}"
  for type in ed25519 ecdsa; do echo "HostKey \"$folder/host_$type\""; done
  echo "AuthorizedKeysFile \"$folder/authorized_keys\""
  echo "PidFile \"$folder/pid\""
  echo 'StrictModes no'
  "$here/config.sh" "${SSHD_VARIANT:-accept-env}"
} >"$folder/sshd_config"

# Nothing of the environment that started the container is the business of those who log in.
exec env -i PATH="$PATH" /usr/sbin/sshd -D -e -f "$folder/sshd_config"
