#!/usr/bin/env bash
# bare.sh PROGRAM [ARGUMENT…]   (root; Linux)
#
# Runs a program as on a machine where nothing was installed but git: there are no other programs than
# those below, and no rights: the user is who called sudo, or one who owns what root owns. tests/run.sh
# has Cargo run by it what `cargo test` promises to everyone.
set -euo pipefail

programs="
  sh grep sed git
  [ base64 basename cat chmod cp cut date dd dirname echo env expr false head id ln ls mkdir mkfifo
  mktemp mv od printenv printf pwd readlink rm rmdir seq sleep sort stat tail tee test timeout touch
  tr true uname wc yes
"

if [ "$(id -u)" -ne 0 ]; then
  echo 'bare.sh: needs root, to hide what is installed' >&2
  exit 2
fi
scratch=$(mktemp -d "${TMPDIR:-/tmp}/doppio-bare.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/bin" "$scratch/home" "$scratch/tmp"
if [ -n "${SUDO_UID:-}" ]; then
  chown -R "$SUDO_UID" "$scratch"
  as_user=("$(type -P setpriv)" --reuid="$SUDO_UID" --regid="$SUDO_GID" --clear-groups)
else
  as_user=("$(type -P unshare)" --user --map-user=1000 --map-group=1000)
fi
cp "${as_user[0]}" "$scratch/as-user"
for program in $programs; do
  cp -L "$(type -P "$program")" "$scratch/bin/$program"
done

# shellcheck disable=SC2016 # the inner shell expands
unshare --mount --propagation private bash -c '
  set -euo pipefail
  scratch=$1
  shift
  for folder in /usr/local/bin /usr/local/sbin /usr/sbin /sbin /bin /usr/bin; do
    [ -L "$folder" ] || [ ! -d "$folder" ] || "$(type -P mount)" --bind "$scratch/bin" "$folder"
  done
  export PATH=/usr/bin HOME=$scratch/home TMPDIR=$scratch/tmp
  exec "$scratch/as-user" "$@"
' bash "$scratch" "${as_user[@]:1}" "$@"
